//! The commands that an operator runs around a renewal, each in a process group of its own: with a known environment, for a
//! bounded time, with bounded output, and with no process left behind when the time is over.

mod program;
mod tail;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::io::{self, PipeReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{self, Child, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, test_kill_process_group, waitid};

use crate::profile::Command;
use crate::signals::{self, Stopped};
use tail::Tail;

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

/// How it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    Success,
    /// Its exit status, which is not zero.
    Status(i32),
    /// The signal that ended it.
    Signal(i32),
    /// It was asked to end (SIGTERM), and then it and its process group were killed.
    TimedOut,
    /// The same, or it was not started, because a signal asked this process to end.
    Stopped(Stopped),
    NotStarted(Errno),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub ended: Ended,
    /// The last of what it wrote to stdout and stderr, at most 4 KiB of it: text without control characters but for newline
    /// and tab.
    pub output: String,
}

/// Between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(5);
/// How long the end of a silent command may go unnoticed.
const TICK: Duration = Duration::from_millis(10);
/// So many ticks what was killed may take to go.
const REAPING: u32 = 100;
/// A pipe holds 64 KiB: so many steps read what a command wrote before its end, even if another process goes on writing.
const STEPS: usize = 16;
const STEP: usize = 8192;

/// Runs it to its end. What it leaves in the background goes on, unless its time ran out.
pub fn run(call: &Call<'_>) -> Outcome {
    let _held = signals::hold();
    if let Err(stopped) = signals::check() {
        return Outcome { ended: Ended::Stopped(stopped), output: String::new() };
    }
    match Running::start(call) {
        Ok(running) => running.finish(call.timeout, GRACE),
        Err(why) => Outcome { ended: not_started(&why), output: String::new() },
    }
}

fn not_started(why: &io::Error) -> Ended {
    // Words that no program can be given are no error of the system.
    Ended::NotStarted(Errno::from_io_error(why).unwrap_or(Errno::INVAL))
}

enum Watched {
    Over,
    Late,
    Stopped(Stopped),
}

/// A child that has not been reaped: its group is its own until then.
struct Running {
    child: Child,
    /// `None`: the other end is closed.
    pipe: Option<PipeReader>,
    tail: Tail,
}

impl Running {
    fn start(call: &Call<'_>) -> io::Result<Self> {
        let (pipe, write) = io::pipe()?;
        rustix::io::ioctl_fionbio(&pipe, true)?;
        let mut command = match call.command {
            Command::Shell(text) => {
                let mut command = process::Command::new("/bin/sh");
                command.arg("-c").arg(text);
                command
            }
            Command::Program(words) => {
                let (program, arguments) = words.split_first().ok_or(io::ErrorKind::InvalidInput)?;
                let mut command = process::Command::new(program);
                command.args(arguments);
                command
            }
        };
        command.env_clear().envs(call.inherited.iter().map(|(name, value)| (name, value)));
        command.envs(call.variables.iter().map(|(name, value)| (name, value)));
        // So that it keeps no mounted file system busy.
        command.current_dir("/").process_group(0);
        command.stdin(Stdio::null()).stdout(write.try_clone()?).stderr(write);
        // The command holds our copies of the writing end until it is dropped.
        Ok(Self { child: command.spawn()?, pipe: Some(pipe), tail: Tail::default() })
    }

    fn finish(mut self, timeout: Duration, grace: Duration) -> Outcome {
        let watched = self.watch(timeout);
        let in_time = matches!(watched, Watched::Over);
        if !in_time {
            // A further signal ends the grace.
            let _clean_up = signals::clean_up();
            self.signal(Signal::TERM);
            self.watch(grace);
            // Also for those of the group that outlived their leader.
            self.signal(Signal::KILL);
        }
        let status = self.child.wait();
        self.drain();
        if !in_time {
            self.await_group();
        }
        let ended = match (watched, status) {
            (Watched::Late, _) => Ended::TimedOut,
            (Watched::Stopped(stopped), _) => Ended::Stopped(stopped),
            (Watched::Over, Ok(status)) => match (status.code(), status.signal()) {
                (Some(0), _) => Ended::Success,
                (Some(code), _) => Ended::Status(code),
                (None, signal) => Ended::Signal(signal.unwrap_or_default()),
            },
            (Watched::Over, Err(why)) => not_started(&why),
        };
        Outcome { ended, output: self.tail.into_text() }
    }

    /// Reads along until it is over, the time is up, or a signal arrives.
    fn watch(&mut self, limit: Duration) -> Watched {
        let begun = Instant::now();
        loop {
            let over = self.is_over();
            self.drain();
            let left = limit.saturating_sub(begun.elapsed());
            match signals::check() {
                _ if over => return Watched::Over,
                Err(stopped) => return Watched::Stopped(stopped),
                Ok(()) if left.is_zero() => return Watched::Late,
                Ok(()) => self.pause(left.min(TICK)),
            }
        }
    }

    /// Until nothing is left of its group. Not for ever: what the machine's first process does not reap stays in it.
    fn await_group(&self) {
        let group = Pid::from_child(&self.child);
        for _ in 0..REAPING {
            if test_kill_process_group(group).is_err() {
                return;
            }
            std::thread::sleep(TICK);
        }
    }

    /// Whether it has ended; it is not reaped by that, so that its group cannot become another's.
    fn is_over(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        !matches!(waitid(WaitId::Pid(Pid::from_child(&self.child)), options), Ok(None))
    }

    /// Until there is something to read, or for this long.
    fn pause(&self, time: Duration) {
        match (&self.pipe, Timespec::try_from(time)) {
            (Some(pipe), Ok(time)) => _ = poll(&mut [PollFd::new(pipe, PollFlags::IN)], Some(&time)),
            _ => std::thread::sleep(time),
        }
    }

    /// What can be read without waiting.
    fn drain(&mut self) {
        let mut bytes = [0; STEP];
        for _ in 0..STEPS {
            let Some(pipe) = &mut self.pipe else { return };
            match pipe.read(&mut bytes) {
                Ok(0) => self.pipe = None,
                Ok(count) => self.tail.push(bytes.get(..count).unwrap_or_default()),
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }

    fn signal(&self, signal: Signal) {
        // A group without members is what it is for.
        let _ = kill_process_group(Pid::from_child(&self.child), signal);
    }
}
