//! Every system call with which a run reads or changes the disk is made to fail, and kpki is killed at it, one call after the
//! other. A sweep counts the calls of an undisturbed run first, and then tries every fault or a tenth of them: `KPKI_SWEEP=all`,
//! or `KPKI_SWEEP=N` for the N-th tenth of ten (default: the first). Ten runs with ten following numbers try all.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::{Ran, program, run};

const CALLS: [&str; 23] = [
    "openat",
    "read",
    "write",
    "pwrite64",
    "fsync",
    "fdatasync",
    "rename",
    "renameat",
    "renameat2",
    "mkdir",
    "mkdirat",
    "unlink",
    "unlinkat",
    "rmdir",
    "fchmod",
    "fchown",
    "ftruncate",
    "link",
    "linkat",
    "flock",
    "statx",
    "newfstatat",
    "getdents64",
];
/// Calls that need room on the disk.
const SPACE: [&str; 12] = [
    "openat",
    "write",
    "pwrite64",
    "fsync",
    "rename",
    "renameat",
    "renameat2",
    "mkdir",
    "mkdirat",
    "link",
    "linkat",
    "ftruncate",
];
const FAULTS: [&str; 3] = ["signal=SIGKILL", "error=EIO", "error=ENOSPC"];
/// Calls between which the disk is another.
const DISK: [&str; 10] =
    ["write", "fsync", "rename", "renameat", "renameat2", "mkdirat", "unlinkat", "fchmod", "linkat", "ftruncate"];
/// One in so many faults is tried, unless all are.
const PART: usize = 10;

/// Which faults a sweep is made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Tried {
    KillsAndErrors,
    /// Kills, after each of which the place loses its power.
    PowerFailures,
}

/// What is done to the n-th call of this name; the call itself does not take effect.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    pub call: &'static str,
    pub kind: &'static str,
    pub n: usize,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.call, self.kind, self.n)
    }
}

/// Which faults are tried: all, or every tenth (or fewer) from this one on.
fn part() -> Option<usize> {
    match std::env::var("KPKI_SWEEP").ok().as_deref() {
        Some("all") => None,
        Some(number) => Some(number.parse().expect("KPKI_SWEEP: expected a number or all")),
        None => Some(0),
    }
}

/// Every fault of a run with so many calls of each name that is to be tried.
fn faults(counts: &BTreeMap<&'static str, usize>, tried: Tried, one_in: usize) -> Vec<Fault> {
    let calls = counts.iter().filter(|(call, _)| tried != Tried::PowerFailures || DISK.contains(*call));
    let kinds = if tried == Tried::PowerFailures { &FAULTS[..1] } else { &FAULTS[..] };
    let calls = calls.flat_map(|(call, count)| (1..=*count).map(|n| (*call, n)));
    let all = calls.flat_map(|(call, n)| kinds.iter().map(move |kind| Fault { call, kind, n }));
    let all = all.filter(|fault| fault.kind != "error=ENOSPC" || SPACE.contains(&fault.call));
    match part() {
        None => all.collect(),
        // The kinds of fault take turns.
        Some(part) => {
            all.enumerate().filter(|(number, _)| (number + part) % one_in == 0).map(|(_, fault)| fault).collect()
        }
    }
}

fn traced(log: &Path, expressions: &[String], command: &Command) -> Command {
    let mut strace = program("strace");
    // Not with --seccomp-bpf, which lets a kill pass.
    // What it runs is not disturbed.
    strace.args(["-f", "-b", "execve", "-qq", "-o"]).arg(log);
    for expression in expressions {
        strace.args(["-e", expression]);
    }
    strace.arg(command.get_program()).args(command.get_args());
    if let Some(dir) = command.get_current_dir() {
        strace.current_dir(dir);
    }
    strace
}

/// The calls of the busiest thread: strace counts those of each thread by itself.
fn count(log: &Path, command: &Command) -> (BTreeMap<&'static str, usize>, Ran) {
    let ran = run(&mut traced(log, &[format!("trace={}", CALLS.join(","))], command));
    let mut counts: BTreeMap<(&str, &'static str), usize> = BTreeMap::new();
    let said = fs::read_to_string(log).unwrap();
    for line in said.lines() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let name = rest.trim_start().split('(').next().unwrap_or_default();
        if let Some(call) = CALLS.iter().find(|call| **call == name) {
            *counts.entry((thread, call)).or_default() += 1;
        }
    }
    let mut most = BTreeMap::new();
    for ((_, call), count) in counts {
        let known = most.entry(call).or_insert(0);
        *known = count.max(*known);
    }
    (most, ran)
}

/// Runs it with a fault. Whether that was met: a run with other threads may have fewer calls.
pub fn inject(log: &Path, fault: &Fault, command: &Command) -> (Ran, bool) {
    let Fault { call, kind, n } = fault;
    let ran = run(&mut traced(log, &[format!("trace={call}"), format!("inject={call}:{kind}:when={n}")], command));
    let said = fs::read_to_string(log).unwrap_or_default();
    let hit = said.contains("INJECTED") || killed(&ran);
    (ran, hit)
}

pub fn killed(ran: &Ran) -> bool {
    ran.signal == Some(9) || ran.code == Some(137)
}

/// It got through; check-expiration may have something to say.
pub fn is_done(ran: &Ran) -> bool {
    matches!(ran.code, Some(0 | 3 | 5 | 10))
}

/// The dynamic loader did not get as far as the program.
pub fn is_of_loader(ran: &Ran) -> bool {
    ran.err.contains("loading shared libraries") || ran.err.contains("cannot allocate") || ran.code == Some(127)
}

/// One run's place, of which every worker has its own.
pub trait Spot: Send {
    /// Everything as it was before.
    fn prepare(&self);
    fn command(&self) -> Command;
    /// Beside the place, not in it.
    fn log(&self) -> std::path::PathBuf;
    /// Runs it with the fault, and says what is wrong afterwards.
    fn attempt(&self, fault: &Fault) -> (Ran, bool, Result<(), String>);
}

/// What [`Spot::prepare`] does where everything is as in a template.
pub fn copied(template: &Path, root: &Path) {
    if root.exists() {
        fs::remove_dir_all(root).unwrap();
    }
    run(program("cp").arg("-a").arg(template).arg(root)).expect_ok("cp -a");
}

/// Tries the faults on as many workers, and returns what is wrong.
#[must_use]
pub fn sweep<S: Spot>(name: &str, tried: Tried, workers: usize, spot: impl Fn(usize) -> S) -> Vec<String> {
    sweep_one_in(PART, name, tried, workers, spot)
}

/// The same of a part that is not a tenth: of a verb with very many calls, of which one is like the next.
#[must_use]
pub fn sweep_one_in<S: Spot>(
    one_in: usize,
    name: &str,
    tried: Tried,
    workers: usize,
    spot: impl Fn(usize) -> S,
) -> Vec<String> {
    let spots: Vec<S> = (0..workers).map(spot).collect();
    spots[0].prepare();
    let (counts, ran) = count(&spots[0].log(), &spots[0].command());
    assert!(is_done(&ran), "{name} undisturbed: {ran:?}");
    let faults = faults(&counts, tried, one_in);
    let (next, hits, kills) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let complaints = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for spot in spots {
            let (faults, next, hits, kills, complaints) = (&faults, &next, &hits, &kills, &complaints);
            scope.spawn(move || {
                while let Some(fault) = faults.get(next.fetch_add(1, Ordering::SeqCst)) {
                    spot.prepare();
                    let (ran, hit, said) = spot.attempt(fault);
                    let is_kill = fault.kind == FAULTS[0];
                    let said = match said {
                        Ok(()) if !hit && !is_done(&ran) => Err(format!("no hit, but {ran:?}")),
                        Ok(()) if hit && is_kill && !killed(&ran) => Err("it was not killed".to_owned()),
                        said => said,
                    };
                    if let Err(why) = said {
                        complaints.lock().unwrap().push(format!("{name} {fault}: {why}"));
                    }
                    hits.fetch_add(usize::from(hit), Ordering::SeqCst);
                    kills.fetch_add(usize::from(killed(&ran)), Ordering::SeqCst);
                }
            });
        }
    });
    let (complaints, hits, kills) = (complaints.into_inner().unwrap(), hits.into_inner(), kills.into_inner());
    eprintln!("{name}: {hits} of {} faults met, {kills} kills, {} complaints", faults.len(), complaints.len());
    // It did hit something, where there is something to hit: a tenth of a small verb's faults is few.
    let wanted = faults.iter().any(|fault| fault.kind == FAULTS[0]);
    // Of a few, threads may pass by most: strace counts the calls of each by itself.
    let enough = if faults.len() < PART { hits > 0 } else { hits * 2 >= faults.len() };
    assert!(enough || faults.is_empty(), "{name}: only {hits} of {} faults", faults.len());
    assert!(kills > 0 || !wanted || faults.len() < PART, "{name}: no run was killed");
    complaints
}

/// Nothing was wrong.
#[track_caller]
pub fn none(complaints: &[String]) {
    let few: Vec<&String> = complaints.iter().take(40).collect();
    assert!(complaints.is_empty(), "{} complaints: {few:#?}", complaints.len());
}
