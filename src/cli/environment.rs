//! What the process knows of the machine.

use std::ffi::OsString;
use std::io;

use zeroize::Zeroizing;

use crate::clock::Clock;

/// Looks an environment variable up.
pub type Variable = fn(&str) -> Option<OsString>;
/// Prompts for a line without echo; `None`: no terminal.
pub type Prompt = fn(&str) -> io::Result<Option<Zeroizing<String>>>;

/// What the process knows of the machine.
#[derive(Debug, Clone)]
pub struct Environment {
    pub hostname: Option<String>,
    pub no_color: bool,
    pub stdout: Terminal,
    pub stderr: Terminal,
    pub threads: usize,
    pub clock: Clock,
    /// The values of [`crate::hooks::INHERITED`], as far as there are any.
    pub inherited: Vec<(&'static str, OsString)>,
    pub variable: Variable,
    pub prompt: Prompt,
}

/// What one stream is connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Terminal {
    pub is_terminal: bool,
    pub width: Option<u16>,
}
