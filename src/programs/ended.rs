//! How a command ended.

use std::io;

use rustix::io::Errno;

use crate::signals::Stopped;

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

pub fn not_started(why: &io::Error) -> Ended {
    // Words that no program can be given are no error of the system.
    Ended::NotStarted(Errno::from_io_error(why).unwrap_or(Errno::INVAL))
}
