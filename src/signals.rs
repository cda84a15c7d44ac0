//! SIGHUP, SIGINT and SIGTERM. One that arrives ends the process at once, with the exit status that a shell would report.
//! While something has to be put right first (a temporary file, a lock, a command of the operator, a terminal without echo),
//! it is held back ([`hold`]): whoever holds it looks for it where it is safe to stop ([`check`]), and [`ended_by`] gives the
//! exit status at the end.

use std::cell::Cell;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use signal_hook::consts::SIGXFSZ;
use signal_hook::flag;

/// A signal that asks a process to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signal {
    Hangup,
    Interrupt,
    Terminate,
}

impl Signal {
    pub const ALL: [Self; 3] = [Self::Hangup, Self::Interrupt, Self::Terminate];

    const fn number(self) -> u8 {
        match self {
            Self::Hangup => 1,
            Self::Interrupt => 2,
            Self::Terminate => 15,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Hangup => "SIGHUP",
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
        }
    }

    /// The exit status, by the shells' convention.
    pub const fn status(self) -> u8 {
        self.number() + 128
    }
}

/// A signal ended the work before anything was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stopped by {}", .0.name())]
pub struct Stopped(pub Signal);

/// Nobody holds signals back.
static FREE: AtomicBool = AtomicBool::new(true);
static HOLDERS: Mutex<usize> = Mutex::new(0);
/// The number of a signal that arrived and was not looked at yet.
static ARRIVED: AtomicUsize = AtomicUsize::new(0);
static LAST: AtomicUsize = AtomicUsize::new(0);
/// How many have arrived. Those between two looks count as one.
static COUNT: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// How many this thread knows of and does not stop for.
    static KNOWN: Cell<usize> = const { Cell::new(0) };
}

/// From here on signals are handled as described. `ignored`: whether the process was started with the signal ignored, as
/// by `nohup`; then it stays so.
pub fn install(ignored: impl Fn(Signal) -> bool) -> io::Result<()> {
    // A limit on the size of files (`ulimit -f`) is an error of the write, not the end of the process.
    flag::register(SIGXFSZ, Arc::default())?;
    for signal in Signal::ALL.into_iter().filter(|signal| !ignored(*signal)) {
        let number = i32::from(signal.number());
        flag::register_conditional_shutdown(number, i32::from(signal.status()), &FREE)?;
        flag::register_usize(number, &ARRIVED, usize::from(signal.number()))?;
    }
    Ok(())
}

/// Whether a mask of `/proc/PID/status` (`SigIgn: 0000000000001001`, bit 0 is signal 1) names the signal.
pub fn is_in_mask(status: &str, field: &str, signal: Signal) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    mask >> (signal.number() - 1) & 1 == 1
}

/// Signals are held back as long as it lives.
#[derive(Debug)]
#[must_use]
pub struct Held(());

pub fn hold() -> Held {
    count_holder(usize::saturating_add);
    Held(())
}

impl Drop for Held {
    fn drop(&mut self) {
        count_holder(usize::saturating_sub);
    }
}

fn count_holder(change: fn(usize, usize) -> usize) {
    let mut holders = HOLDERS.lock().unwrap_or_else(PoisonError::into_inner);
    *holders = change(*holders, 1);
    FREE.store(*holders == 0, Ordering::SeqCst);
}

/// Stops the caller if a signal has arrived.
pub fn check() -> Result<(), Stopped> {
    let known = KNOWN.get();
    if count() <= known { Ok(()) } else { ended_by().map_or(Ok(()), |signal| Err(Stopped(signal))) }
}

/// The last signal that arrived.
pub fn ended_by() -> Option<Signal> {
    count();
    let last = LAST.load(Ordering::SeqCst);
    Signal::ALL.into_iter().find(|signal| usize::from(signal.number()) == last)
}

fn count() -> usize {
    match ARRIVED.swap(0, Ordering::SeqCst) {
        0 => {}
        signal => {
            LAST.store(signal, Ordering::SeqCst);
            COUNT.fetch_add(1, Ordering::SeqCst);
        }
    }
    COUNT.load(Ordering::SeqCst)
}

/// While it lives, this thread stops for a further signal only: it does what has to follow the first one.
#[derive(Debug)]
#[must_use]
pub struct CleaningUp {
    known: usize,
}

pub fn clean_up() -> CleaningUp {
    CleaningUp { known: KNOWN.replace(count()) }
}

impl Drop for CleaningUp {
    fn drop(&mut self) {
        KNOWN.set(self.known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_read_from_a_mask() {
        let status = "Name:\tkpki\nSigBlk:\tffffffffffffffff\nSigIgn:\t0000000000001001\nSigCgt:\t0\n";
        assert_eq!(Signal::ALL.map(|signal| is_in_mask(status, "SigIgn", signal)), [true, false, false]);
        assert_eq!(Signal::ALL.map(|signal| is_in_mask(status, "SigBlk", signal)), [true; 3]);
        assert_eq!(Signal::ALL.map(|signal| is_in_mask(status, "SigCgt", signal)), [false; 3]);
        assert_eq!(Signal::ALL.map(|signal| is_in_mask("", "SigIgn", signal)), [false; 3]);
        assert_eq!(Signal::ALL.map(Signal::status), [129, 130, 143]);
    }
}
