//! A running command, read along until it ends or its time is up.

use std::io::{self, PipeReader, PipeWriter, Read as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, test_kill_process_group, waitid};

use super::ended::{Ended, Outcome, not_started};
use super::tail::Tail;
use super::talk::Talk;
use crate::signals::{self, Stopped};

/// Between SIGTERM and SIGKILL.
pub const GRACE: Duration = Duration::from_secs(5);
/// How long the end of a silent command may go unnoticed.
pub const TICK: Duration = Duration::from_millis(10);
/// So many ticks what was killed may take to go.
const REAPING: u32 = 100;
/// A pipe holds 64 KiB: so many steps read what a command wrote before its end, even if another process goes on writing.
const STEPS: usize = 16;
const STEP: usize = 8192;

/// A program and its arguments; no shell.
pub fn of_words(words: &[String]) -> io::Result<Command> {
    let (program, arguments) = words.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(program);
    command.args(arguments);
    Ok(command)
}

/// A pipe whose reading end does not wait.
pub fn pipe() -> io::Result<(PipeReader, PipeWriter)> {
    let (read, write) = io::pipe()?;
    rustix::io::ioctl_fionbio(&read, true)?;
    Ok((read, write))
}

enum Watched {
    Over,
    /// It writes more than an answer may have.
    TooLong,
    Late,
    Stopped(Stopped),
}

/// A child that has not been reaped: its group is its own until then.
pub struct Running {
    child: Child,
    /// `None`: the other end is closed.
    pipe: Option<PipeReader>,
    tail: Tail,
    /// What is written to it and read from it; `None`: only the pipe above.
    talk: Option<Talk>,
}

impl Running {
    /// `pipe`: what the command writes its messages to. The command holds our copies of the pipes' other ends until it is dropped here.
    pub fn start(mut command: Command, pipe: PipeReader, talk: Option<Talk>) -> io::Result<Self> {
        // So that it keeps no mounted file system busy.
        command.current_dir("/").process_group(0);
        Ok(Self { child: command.spawn()?, pipe: Some(pipe), tail: Tail::default(), talk })
    }

    pub fn finish(self, timeout: Duration, grace: Duration) -> Outcome {
        self.end(timeout, grace).0
    }

    /// Waits until it has written a line.
    #[cfg(test)]
    pub fn wait_for_a_line(&mut self) {
        while !self.tail.has_line() {
            self.pause(TICK);
            self.drain();
        }
    }

    /// How it ended, and what it answered.
    pub fn end(mut self, timeout: Duration, grace: Duration) -> (Outcome, Option<Talk>) {
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
            (Watched::Late | Watched::TooLong, _) => Ended::TimedOut,
            (Watched::Stopped(stopped), _) => Ended::Stopped(stopped),
            (Watched::Over, Ok(status)) => match (status.code(), status.signal()) {
                (Some(0), _) => Ended::Success,
                (Some(code), _) => Ended::Status(code),
                (None, signal) => Ended::Signal(signal.unwrap_or_default()),
            },
            (Watched::Over, Err(why)) => not_started(&why),
        };
        (Outcome { ended, output: self.tail.into_text() }, self.talk)
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
                Ok(()) if self.talk.as_ref().is_some_and(Talk::is_too_long) => return Watched::TooLong,
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
        let pipes = self.pipe.iter().chain(self.talk.as_ref().and_then(Talk::reading));
        let mut watched: Vec<PollFd<'_>> = pipes.map(|pipe| PollFd::new(pipe, PollFlags::IN)).collect();
        match Timespec::try_from(time) {
            Ok(time) if !watched.is_empty() => _ = poll(&mut watched, Some(&time)),
            _ => std::thread::sleep(time),
        }
    }

    /// What can be read and written without waiting.
    fn drain(&mut self) {
        if let Some(talk) = &mut self.talk {
            talk.go_on();
        }
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
