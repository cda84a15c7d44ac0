//! argv in, exit status out. The only place that uses the process's environment; [`run`] is callable from a test as
//! often as it likes.

use std::ffi::OsString;
use std::hint::black_box;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::DumpableBehavior;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::cli;
pub use crate::cli::environment::Environment;
use crate::cli::environment::{Echo, Terminal};
use crate::cli::ui::Ui;
use crate::clock::Clock;
use crate::files::{self, FileState};
use crate::{programs, signals};

/// The environment of this process.
#[allow(clippy::disallowed_methods)] // this is the room
fn of_process() -> Environment {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    let hostname = rustix::system::uname().nodename().to_str().ok().map(|name| name.trim().to_lowercase());
    // As watch(1) and who pipes a table say it; a terminal knows better.
    let columns =
        std::env::var_os("COLUMNS").and_then(|value| value.to_str()?.parse().ok()).filter(|columns| *columns > 0);
    Environment {
        hostname: hostname.filter(|name| !name.is_empty()),
        no_color: no_color || dumb,
        stdin: Terminal { is_terminal: io::stdin().is_terminal(), width: None },
        stdout: Terminal { is_terminal: io::stdout().is_terminal(), width: width(io::stdout()).or(columns) },
        stderr: Terminal { is_terminal: io::stderr().is_terminal(), width: width(io::stderr()).or(columns) },
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        clock: Clock::System,
        inherited: programs::INHERITED.iter().filter_map(|name| Some((*name, std::env::var_os(name)?))).collect(),
        variable: |name| std::env::var_os(name),
        all: || std::env::vars_os().collect(),
        prompt: line,
    }
}

/// How long a signal may go unnoticed at a prompt.
const TICK: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
/// More than a terminal gives as one line.
const LONGEST_LINE: usize = 8192;

/// Reads a line from the terminal. Not through the buffer of [`io::stdin`], which is never given back.
fn line(prompt: &str, echo: Echo) -> io::Result<Option<Zeroizing<String>>> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return Ok(None);
    }
    // A signal finds the terminal as it was.
    let _held = signals::hold();
    // What was typed before the question is dropped here, and nothing that is typed after it.
    let _terminal = Prompting::new(&stdin, echo)?;
    // Not through the lock of [`io::stderr`], which the thread that shows the progress of several trees holds.
    let mut rest = prompt.as_bytes();
    while !rest.is_empty() {
        let written = rustix::io::write(io::stderr(), rest)?;
        rest = rest.get(written..).unwrap_or_default();
    }
    let mut line = Zeroizing::new(vec![0u8; LONGEST_LINE]);
    let mut filled = 0;
    while let Some(rest) = line.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        let ready = poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(&TICK));
        signals::check().map_err(io::Error::other)?;
        match ready {
            Ok(0) | Err(rustix::io::Errno::INTR) => continue,
            ready => ready?,
        };
        let read = rustix::io::read(&stdin, &mut *rest)?;
        let ends = rest.get(..read).is_none_or(|read| read.ends_with(b"\n"));
        filled += read;
        // The end of the input counts as an empty line.
        if read == 0 || ends {
            break;
        }
    }
    let text = std::str::from_utf8(line.get(..filled).unwrap_or_default()).map_err(io::Error::other)?;
    Ok(Some(Zeroizing::new(text.trim_end_matches(['\n', '\r']).to_owned())))
}

/// A terminal at a prompt, until it is dropped.
struct Prompting<'a> {
    terminal: &'a io::Stdin,
    before: Termios,
}

impl<'a> Prompting<'a> {
    fn new(terminal: &'a io::Stdin, echo: Echo) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut prompting = before.clone();
        if echo == Echo::Hidden {
            prompting.local_modes.remove(LocalModes::ECHO);
            prompting.local_modes.insert(LocalModes::ECHONL);
        }
        // The keys that would end or stop this process with the terminal as it is now (0 is none, _POSIX_VDISABLE).
        for key in [SpecialCodeIndex::VQUIT, SpecialCodeIndex::VSUSP] {
            prompting.special_codes[key] = 0;
        }
        // TCSAFLUSH: input that was typed before the prompt is dropped.
        tcsetattr(terminal, OptionalActions::Flush, &prompting)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Prompting<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.before);
    }
}

/// Where `/proc` is not mounted, nothing is taken for ignored.
fn handle_signals() {
    let status = match files::read_input("/proc/self/status".as_ref(), 64 << 10) {
        Ok(FileState::File { bytes, .. }) => String::from_utf8_lossy(&bytes).into_owned(),
        _ => String::new(),
    };
    // Without them a signal ends the process as a crash would, and the next run puts right what was begun.
    let _ = signals::install(|signal| signals::is_in_mask(&status, "SigIgn", signal));
}

fn width(stream: impl std::os::fd::AsFd) -> Option<u16> {
    rustix::termios::tcgetwinsize(stream).ok().map(|size| size.ws_col).filter(|columns| *columns > 0)
}

/// The program.
#[allow(clippy::disallowed_methods)] // argv is read here and nowhere else
pub fn main() -> ExitCode {
    // For every verb, and before anything is read: no core file and no debugger of the same user gets at keys. A command of
    // the operator is dumpable again, by its exec.
    let _ = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
    handle_signals();
    let environment = of_process();
    let (mut out, mut err) = (io::stdout().lock(), io::stderr().lock());
    let status = run(std::env::args_os(), &environment, &mut out, &mut err);
    overwrite_leftovers();
    ExitCode::from(signals::ended_by().map_or(status, signals::Signal::status))
}

/// How deep calls go (80 KiB at most, measured by a limit of the stack), with room to spare; each page more is a page fault.
const STACK: usize = 128 << 10;

/// Copies of keys leave their last bytes in vector registers and on the stack. So the stack below is filled with zeros, and
/// zeros are copied in every size that a copying routine distinguishes.
#[inline(never)]
fn overwrite_leftovers() {
    let mut stack = black_box([0u8; STACK]);
    for power in 0..=12 {
        let (from, to) = stack.split_at_mut(1 << power);
        if let Some(to) = to.get_mut(..1 << power) {
            to.copy_from_slice(black_box(from));
        }
    }
    black_box(&mut stack);
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
