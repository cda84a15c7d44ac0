//! The commands of an operator, each in a process group of its own: with a known environment, for a bounded time, with bounded
//! output, and with no process left behind when the time is over. Hooks only run ([`run`]); a program that signs or issues is given
//! an input and asked for an answer ([`exchange`]).

mod ended;
mod exchange;
mod program;
mod running;
mod tail;
mod talk;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::io;
use std::process::{self, Stdio};
use std::time::Duration;

use crate::profile::Command;
use crate::signals;
use ended::not_started;
use running::{GRACE, Running, of_words};

pub use ended::{Ended, Outcome};
pub use exchange::{Answer, Exchange, exchange};
pub use program::check;

/// What a hook inherits from the environment of this process.
pub const INHERITED: [&str; 3] = ["PATH", "HOME", "LANG"];

/// The variables of a hook and their meaning. No secrets: others can see the environment of a process.
pub const VARIABLES: [(&str, &str); 10] = [
    ("KPKI_HOOK", "Which hook it is: pre, deploy or post."),
    ("KPKI_COMPONENT", "deploy: the component whose files were renewed, such as kube-apiserver."),
    (
        "KPKI_ACTION",
        "deploy: restart, or none where the component takes the new file up by itself (kpki-renew(1) has the table).",
    ),
    ("KPKI_RESULT", "post: renewed, failed (a deploy hook) or restored."),
    ("KPKI_DIR", "The directory whose tree is renewed."),
    ("KPKI_CLUSTER", "The name of the cluster."),
    ("KPKI_NODE", "The name of the node whose tree it is."),
    ("KPKI_ENTRIES", "What is renewed, for deploy what of it the component reads: names with a space between them."),
    ("KPKI_GENERATION", "The generation that holds what was there before, as kpki restore takes it."),
    ("KPKI_TIME", "The instant of the renewal, RFC 3339."),
];

/// One command to run.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    pub command: &'a Command,
    /// The values of [`INHERITED`], as far as there are any.
    pub inherited: &'a [(&'static str, OsString)],
    /// Names out of [`VARIABLES`].
    pub variables: &'a [(&'a str, String)],
    pub timeout: Duration,
}

/// Runs it to its end. What it leaves in the background goes on, unless its time ran out.
pub fn run(call: &Call<'_>) -> Outcome {
    let _held = signals::hold();
    if let Err(stopped) = signals::check() {
        return Outcome { ended: Ended::Stopped(stopped), output: String::new() };
    }
    match start(call) {
        Ok(running) => running.finish(call.timeout, GRACE),
        Err(why) => Outcome { ended: not_started(&why), output: String::new() },
    }
}

fn start(call: &Call<'_>) -> io::Result<Running> {
    let mut command = match call.command {
        Command::Shell(text) => {
            let mut command = process::Command::new("/bin/sh");
            command.arg("-c").arg(text);
            command
        }
        Command::Program(words) => of_words(words)?,
    };
    command.env_clear().envs(call.inherited.iter().map(|(name, value)| (name, value)));
    command.envs(call.variables.iter().map(|(name, value)| (name, value)));
    let (pipe, write) = running::pipe()?;
    command.stdin(Stdio::null()).stdout(write.try_clone()?).stderr(write);
    Running::start(command, pipe, None)
}
