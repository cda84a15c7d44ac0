//! A program that is given an input and asked for an answer: a signature, a key, a chain of certificates.

use std::ffi::OsString;
use std::io;
use std::time::Duration;

use zeroize::Zeroizing;

use super::ended::{Ended, Outcome, not_started};
use super::running::{self, GRACE, Running, of_words};
use super::talk::Talk;
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

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn asked(text: &str, input: &[u8], limit: usize, timeout: Duration) -> Answer {
        let words = ["/bin/sh", "-c", text].map(str::to_owned);
        let environment = [(OsString::from("PATH"), OsString::from("/usr/bin:/bin"))];
        let variables = [("KPKI_AUTHORITY", "ca".to_owned())];
        let (environment, variables, words) = (&environment, &variables, &words);
        exchange(&Exchange { words, environment, variables, input, limit, timeout })
    }

    #[test]
    fn the_answer_is_standard_output_alone() {
        let large = vec![b'x'; 300_000];
        for (text, input, ended, output, said) in [
            ("cat; echo why >&2", &b"in"[..], Ended::Success, &b"in"[..], "why"),
            ("cat", &large, Ended::Success, &large, ""),
            // It need not read what it is given.
            ("echo out", &large, Ended::Success, b"out\n", ""),
            ("exec <&-; echo out", &large, Ended::Success, b"out\n", ""),
            ("exec >&-; cat >/dev/null", b"in", Ended::Success, b"", ""),
            ("printf half; exit 75", b"", Ended::Status(75), b"half", ""),
            ("printf half; kill -9 $$", b"", Ended::Signal(9), b"half", ""),
            ("printf \"$KPKI_AUTHORITY $PWD ${HOME-none}\"", b"", Ended::Success, b"ca / none", ""),
            ("printf 'a\\033[1mb' >&2", b"", Ended::Success, b"", "a\u{fffd}[1mb"),
            // What it leaves behind is not waited for.
            ("sleep 10000 & echo out; echo $! >&2", b"", Ended::Success, b"out\n", ""),
        ] {
            let answer = asked(text, input, 400_000, LONG);
            if text.starts_with("sleep") {
                let left = answer.said.parse().ok().and_then(rustix::process::Pid::from_raw);
                rustix::process::kill_process(left.unwrap(), rustix::process::Signal::KILL).unwrap();
            } else {
                assert_eq!(answer.said, said, "{text}");
            }
            assert_eq!(answer.ended, ended, "{text}");
            assert!(answer.output.as_deref().is_some_and(|found| found.as_slice() == output), "{text}: {answer:?}");
        }
    }

    #[test]
    fn a_longer_answer_is_none() {
        let length = |text: &str| asked(text, b"", 4, LONG).output.map(|output| output.len());
        assert_eq!(length("printf 1234"), Some(4));
        assert_eq!(length("printf 12345"), None);
        assert_eq!(length("exec cat /dev/zero"), None);
        assert_eq!(length("trap '' TERM PIPE; cat /dev/zero & cat /dev/zero"), None);
    }

    #[test]
    fn its_time_is_bounded() {
        let answer = asked("exec sleep 10000", b"", 4, Duration::from_millis(50));
        assert_eq!(answer.ended, Ended::TimedOut);
        let words = ["/no/such/program".to_owned()];
        let none = Exchange { words: &words, environment: &[], variables: &[], input: b"", limit: 4, timeout: LONG };
        assert_eq!(exchange(&none).ended, Ended::NotStarted(rustix::io::Errno::NOENT));
        assert_eq!(exchange(&Exchange { words: &[], ..none }).ended, Ended::NotStarted(rustix::io::Errno::INVAL));
    }
}
