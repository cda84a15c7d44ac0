//! A program that is given an input and asked for an answer: a signature, a key, a chain of certificates.

use std::ffi::OsString;
use std::io::{self, PipeReader, PipeWriter, Read as _, Write as _};
use std::time::Duration;

use zeroize::Zeroizing;

use super::running::{self, Running};
use super::{Ended, GRACE, Outcome, not_started, of_words};
use crate::signals;

/// One question.
#[derive(Clone, Copy)]
pub struct Exchange<'a> {
    /// The program and its arguments; no shell.
    pub words: &'a [String],
    /// The whole environment but for `variables`.
    pub environment: &'a [(OsString, OsString)],
    pub variables: &'a [(&'static str, String)],
    /// Standard input.
    pub input: &'a [u8],
    /// More than so many octets on standard output are no answer.
    pub limit: usize,
    pub timeout: Duration,
}

impl std::fmt::Debug for Exchange<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Exchange({:?}, redacted)", self.words.first())
    }
}

/// How it went.
#[derive(Debug)]
pub struct Answer {
    pub ended: Ended,
    /// Standard output; `None`: it was longer than allowed, and the program was ended.
    pub output: Option<Zeroizing<Vec<u8>>>,
    /// The last of standard error, as [`Outcome::output`].
    pub said: String,
}

/// Asks it. What it leaves in the background goes on, unless its time ran out.
pub fn exchange(question: &Exchange<'_>) -> Answer {
    let _held = signals::hold();
    let ended = |ended| Answer { ended, output: Some(Zeroizing::default()), said: String::new() };
    if let Err(stopped) = signals::check() {
        return ended(Ended::Stopped(stopped));
    }
    let running = match start(question) {
        Ok(running) => running,
        Err(why) => return ended(not_started(&why)),
    };
    let (Outcome { ended, output: said }, talk) = running.end(question.timeout, GRACE);
    Answer { ended, output: talk.and_then(Talk::answer), said }
}

fn start(question: &Exchange<'_>) -> io::Result<Running> {
    let mut command = of_words(question.words)?;
    command.env_clear().envs(question.environment.iter().map(|(name, value)| (name, value)));
    command.envs(question.variables.iter().map(|(name, value)| (name, value)));
    let (messages, stderr) = running::pipe()?;
    let (read, stdout) = running::pipe()?;
    let (stdin, write) = io::pipe()?;
    rustix::io::ioctl_fionbio(&write, true)?;
    command.stdin(stdin).stdout(stdout).stderr(stderr);
    Running::start(command, messages, Some(Talk::new(write, question.input, read, question.limit)))
}

/// Both sides of a conversation. Buffers have their full length from the start, so that no copy is left behind by growing.
pub struct Talk {
    /// `None`: everything is written, or nobody reads it.
    write: Option<PipeWriter>,
    input: Zeroizing<Vec<u8>>,
    written: usize,
    /// `None`: the other end is closed.
    read: Option<PipeReader>,
    /// One octet more than allowed.
    buffer: Zeroizing<Vec<u8>>,
    filled: usize,
}

impl Talk {
    fn new(write: PipeWriter, input: &[u8], read: PipeReader, limit: usize) -> Self {
        let buffer = Zeroizing::new(vec![0; limit.saturating_add(1)]);
        let input = Zeroizing::new(input.to_vec());
        Self { write: Some(write), input, written: 0, read: Some(read), buffer, filled: 0 }
    }

    /// It has written more than an answer may have.
    pub fn is_too_long(&self) -> bool {
        self.filled == self.buffer.len()
    }

    pub const fn reading(&self) -> Option<&PipeReader> {
        self.read.as_ref()
    }

    fn answer(mut self) -> Option<Zeroizing<Vec<u8>>> {
        if self.is_too_long() {
            return None;
        }
        self.buffer.truncate(self.filled);
        Some(std::mem::take(&mut self.buffer))
    }

    /// Writes and reads what can be without waiting.
    pub fn go_on(&mut self) {
        self.write();
        self.read();
    }

    fn write(&mut self) {
        while let Some(pipe) = &mut self.write {
            let rest = self.input.get(self.written..).unwrap_or_default();
            match pipe.write(rest) {
                _ if rest.is_empty() => self.write = None,
                Ok(count) => self.written += count,
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => return,
                // It does not read its input: whether that is wrong is seen by its answer.
                Err(_) => self.write = None,
            }
        }
    }

    fn read(&mut self) {
        while let Some(pipe) = &mut self.read {
            let rest = self.buffer.get_mut(self.filled..).unwrap_or_default();
            match pipe.read(rest) {
                Ok(0) => self.read = None,
                Ok(count) => self.filled += count,
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }
}
