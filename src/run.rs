//! argv in, exit status out. The only place that uses the process's environment; [`run`] is callable from a test as
//! often as it likes.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::cli;
pub use crate::cli::environment::Environment;
use crate::cli::environment::Terminal;
use crate::cli::ui::Ui;
use crate::clock::Clock;
use crate::hooks;

/// The environment of this process.
#[allow(clippy::disallowed_methods)] // this is the room
fn of_process() -> Environment {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    let hostname = rustix::system::uname().nodename().to_str().ok().map(|name| name.trim().to_lowercase());
    Environment {
        hostname: hostname.filter(|name| !name.is_empty()),
        no_color: no_color || dumb,
        stdout: Terminal { is_terminal: io::stdout().is_terminal(), width: width(io::stdout()) },
        stderr: Terminal { is_terminal: io::stderr().is_terminal(), width: width(io::stderr()) },
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        clock: Clock::System,
        inherited: hooks::INHERITED.iter().filter_map(|name| Some((*name, std::env::var_os(name)?))).collect(),
        variable: |name| std::env::var_os(name),
        prompt: hidden_line,
    }
}

/// Reads a password from the terminal without echo.
fn hidden_line(prompt: &str) -> io::Result<Option<Zeroizing<String>>> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return Ok(None);
    }
    let before = tcgetattr(&stdin)?;
    let mut hidden = before.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    hidden.local_modes.insert(LocalModes::ECHONL);
    let mut err = io::stderr().lock();
    write!(err, "{prompt}")?;
    err.flush()?;
    // TCSAFLUSH: input that was typed before the prompt is dropped.
    tcsetattr(&stdin, OptionalActions::Flush, &hidden)?;
    let mut line = Zeroizing::new(String::with_capacity(1024));
    let read = io::BufRead::read_line(&mut stdin.lock(), &mut line);
    tcsetattr(&stdin, OptionalActions::Now, &before)?;
    // The end of the input counts as an empty line.
    read?;
    let end = line.trim_end_matches(['\n', '\r']).len();
    line.truncate(end);
    Ok(Some(line))
}

fn width(stream: impl std::os::fd::AsFd) -> Option<u16> {
    rustix::termios::tcgetwinsize(stream).ok().map(|size| size.ws_col).filter(|columns| *columns > 0)
}

/// The program.
#[allow(clippy::disallowed_methods)] // argv is read here and nowhere else
pub fn main() -> ExitCode {
    let environment = of_process();
    let (mut out, mut err) = (io::stdout().lock(), io::stderr().lock());
    ExitCode::from(run(std::env::args_os(), &environment, &mut out, &mut err))
}

/// One command line to its exit status.
pub fn run(
    args: impl IntoIterator<Item = OsString>,
    environment: &Environment,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> u8 {
    let mut ui = Ui::new(environment, out, err);
    let exit = cli::dispatch(args, environment, &mut ui);
    // A closed pipe (`kpki ... | head`) is not an error.
    let _ = ui.flush();
    exit.code()
}
