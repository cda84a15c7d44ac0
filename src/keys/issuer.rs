//! A program that has certificates issued.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use zeroize::Zeroizing;

use super::command::Commands;
use super::fault::ended;
use crate::files::TrustError;
use crate::profile::IssuerOptions;
use crate::programs::{Answer, Ended};

/// A certificate with a chain that is longer than anybody has.
const LARGEST: usize = 256 << 10;
/// The exit status of a program whose answer a later run gets: EX_TEMPFAIL of sysexits.h.
const PENDING: i32 = 75;

/// So many requests in a row may remain without an answer in time: a server that is away holds up no more than these.
const IN_A_ROW: usize = 3;

/// What a program is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    pub issuer: &'a IssuerOptions,
    /// In PEM.
    pub request: &'a [u8],
    pub variables: &'a [(&'static str, String)],
    /// Of this program in this run.
    pub silence: &'a Silence,
}

/// Why there is no certificate yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unissued {
    #[error("it has no answer yet{}", beside(.0))]
    Pending(String),
    #[error("{}{}", ended(.0), beside(.1))]
    Ended(Ended, String),
    #[error("it answered with more than {0} octets")]
    TooLong(usize),
    #[error("it ended without an answer{}", beside(.0))]
    Nothing(String),
    /// It did not answer others, and so many requests are not worth the time.
    #[error("it was not asked, because it did not answer the last {IN_A_ROW} requests in time")]
    Silent,
    #[error("{0}")]
    Trust(#[source] TrustError),
}

/// How often in a row a program has not answered in time.
#[derive(Debug, Default)]
pub struct Silence(AtomicUsize);

impl Silence {
    fn note(&self, is_late: bool) {
        match is_late {
            true => _ = self.0.fetch_add(1, Ordering::Relaxed),
            false => self.0.store(0, Ordering::Relaxed),
        }
    }

    fn is_lasting(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= IN_A_ROW
    }
}

/// What the program said.
fn beside(said: &str) -> String {
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() { String::new() } else { format!(": {}", lines.join("; ")) }
}

pub fn ask(commands: &Commands, order: &Order<'_>) -> Result<Zeroizing<Vec<u8>>, Unissued> {
    let Order { issuer, request, variables, silence } = order;
    if silence.is_lasting() {
        return Err(Unissued::Silent);
    }
    let timeout = Duration::from_secs(issuer.timeout.as_seconds());
    let answer = commands.run(&issuer.command, variables, request, (LARGEST, timeout)).map_err(Unissued::Trust)?;
    silence.note(answer.ended == Ended::TimedOut && answer.output.is_some());
    match answer {
        Answer { output: None, .. } => Err(Unissued::TooLong(LARGEST)),
        Answer { ended: Ended::Success, output: Some(output), said } if output.trim_ascii().is_empty() => {
            Err(Unissued::Nothing(said))
        }
        Answer { ended: Ended::Success, output: Some(output), .. } => Ok(output),
        Answer { ended: Ended::Status(PENDING), said, .. } => Err(Unissued::Pending(said)),
        Answer { ended, said, .. } => Err(Unissued::Ended(ended, said)),
    }
}
