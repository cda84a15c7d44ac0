//! What the process knows of the machine.

use std::ffi::OsString;
use std::io;
use std::sync::Arc;

use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::clock::{self, Clock};
use crate::error::Error;
use crate::keys::KeyArgs;

/// Looks an environment variable up.
pub type Variable = fn(&str) -> Option<OsString>;
/// Prompts for a line; `None`: no terminal.
pub type Prompt = fn(&str, Echo) -> io::Result<Option<Zeroizing<String>>>;

/// Whether what is typed at a prompt is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Echo {
    Shown,
    Hidden,
}

/// What the process knows of the machine.
#[derive(Debug, Clone)]
pub struct Environment {
    pub hostname: Option<String>,
    pub no_color: bool,
    pub stdin: Terminal,
    pub stdout: Terminal,
    pub stderr: Terminal,
    pub threads: usize,
    pub clock: Clock,
    /// The values of [`crate::programs::INHERITED`], as far as there are any.
    pub inherited: Vec<(&'static str, OsString)>,
    pub variable: Variable,
    /// The whole environment.
    pub all: fn() -> Vec<(OsString, OsString)>,
    pub prompt: Prompt,
}

impl Environment {
    /// Somebody sits there who can be asked.
    pub fn is_interactive(&self) -> bool {
        self.stdin.is_terminal && self.stderr.is_terminal
    }

    /// For keys of authorities that are elsewhere: what their programs get, and who can be asked.
    pub fn keys(&self) -> KeyArgs {
        let prompt = self.prompt;
        let ask = move |text: &str| prompt(text, Echo::Hidden).map_err(|why| why.to_string());
        KeyArgs { environment: (self.all)(), ask: Some(Arc::new(ask)), ..KeyArgs::default() }
    }

    /// What verbs decide by. A clock that was never set would make certificates with dates of nowhere, and call expired
    /// ones good.
    pub fn now(&self) -> Result<OffsetDateTime, Error> {
        let now = self.clock.now();
        if clock::is_plausible(now) {
            return Ok(now);
        }
        let side = if now.year() < clock::RELEASED { "before this release of kpki" } else { "too far ahead" };
        Err(Error::new(format!("the clock of this machine is wrong: it says {}, which is {side}", clock::rfc3339(now)))
            .hint("set the clock (timedatectl set-ntp true), and run the command again")
            .hint("a verb that has --at takes the instant instead, and one that writes with --allow-future: --at 2027-01-02T03:04:05Z"))
    }
}

/// What one stream is connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Terminal {
    pub is_terminal: bool,
    pub width: Option<u16>,
}
