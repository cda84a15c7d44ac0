//! `kpki init` under every fault (`faults.rs`). After each: what is visible is whole or as it was, and a plain rerun mends it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::faults::{self, Fault, Tried, is_of_loader};
use crate::support::{Ran, SMALL, kpki, mode, quick_scratch, run, say, write};
use crate::tree::{open_keys, open_staging, rests, snapshot, whole};

/// What lies there before the run.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Case {
    /// No directory: the tree is made beside its place and renamed.
    Absent,
    /// A directory with a CA that was brought along: files are merged into it.
    Brought,
    /// Two roots: the kubelet's directory lies outside.
    TwoRoots,
}

/// One run's place.
struct Spot {
    root: PathBuf,
    case: Case,
    profile: PathBuf,
    brought: Option<(PathBuf, PathBuf)>,
}

impl Spot {
    fn dir(&self) -> PathBuf {
        self.root.join("tree")
    }

    fn kubelet(&self) -> PathBuf {
        match self.case {
            Case::TwoRoots => self.root.join("lib/kubelet"),
            _ => self.dir().join("kubelet"),
        }
    }

    fn lay_out(&self) {
        if self.root.exists() {
            fs::remove_dir_all(&self.root).unwrap();
        }
        fs::create_dir_all(&self.root).unwrap();
        if let Some((certificate, key)) = &self.brought {
            fs::create_dir_all(self.dir().join("pki")).unwrap();
            fs::copy(certificate, self.dir().join("pki/ca.crt")).unwrap();
            fs::copy(key, self.dir().join("pki/ca.key")).unwrap();
            mode(&self.dir().join("pki/ca.key"), 0o600);
            mode(&self.dir().join("pki/ca.crt"), 0o644);
        }
    }

    fn words(&self, command: &mut Command) {
        command.arg("init").arg("-p").arg(&self.profile).arg("-d").arg(self.dir()).args(["--lock-timeout", "2s"]);
        if self.case == Case::TwoRoots {
            command.arg("--kubelet-dir").arg(self.kubelet());
        }
    }

    fn whole(&self) -> Result<(), String> {
        whole(&self.dir(), &self.kubelet())?;
        match &self.brought {
            Some((certificate, key)) => {
                let same = |a: &Path, b: &str| fs::read(a).ok() == fs::read(self.dir().join(b)).ok();
                let kept = same(certificate, "pki/ca.crt") && same(key, "pki/ca.key");
                kept.then_some(()).ok_or_else(|| "the CA that was brought was not kept".to_owned())
            }
            None => Ok(()),
        }
    }
}

impl faults::Spot for Spot {
    fn prepare(&self) {
        self.lay_out();
    }

    fn command(&self) -> Command {
        let mut command = kpki();
        self.words(&mut command);
        command
    }

    fn log(&self) -> PathBuf {
        self.root.with_extension("log")
    }

    fn attempt(&self, fault: &Fault) -> (Ran, bool, Result<(), String>) {
        let before = Seen::of(self);
        let (ran, hit) = faults::inject(&self.log(), fault, &self.command());
        let said = wrong(self, fault.call, &before, &ran);
        (ran, hit, said.map_or(Ok(()), Err))
    }
}

/// Everything that must hold after a run that ended anyhow; `None`: nothing is wrong.
fn wrong(place: &Spot, call: &str, before: &Seen, ran: &Ran) -> Option<String> {
    let open = open_keys(&place.root);
    if !open.is_empty() {
        return Some(format!("keys that others can read: {open:?}"));
    }
    let mut open = open_staging(&place.root);
    // Its last mode comes with the last step before the rename: what is in it is whole by then.
    open.retain(|dir| whole(dir, &dir.join("kubelet")).is_err());
    if !open.is_empty() {
        return Some(format!("staging directories that others can enter: {open:?}"));
    }
    let is_whole = place.whole();
    if ran.ok() && is_whole.is_err() {
        return Some(format!("exit 0, but {is_whole:?}"));
    }
    // Behind the commit mark the next run finishes the work.
    let marked = place.dir().join(".kpki/commit").exists();
    let after = Seen::of(place);
    if is_whole.is_err() && !marked && after.visible != before.visible {
        return Some(format!("neither whole ({is_whole:?}) nor as it was: {:?}", after.differs(before)));
    }
    // The work is done, and its report is on standard error.
    if ran.code == Some(6) && (is_whole.is_err() || marked) {
        return Some(format!("exit status 6, but {is_whole:?}"));
    }
    if !matches!(ran.code, Some(0 | 6 | 137)) && ran.signal.is_none() && !is_of_loader(ran) {
        // The directories on the way are looked at, too: whose they are decides whether the tree is trusted.
        let area = place.root.parent().unwrap();
        let mut above = area.ancestors().skip(1).map(|path| format!(" {}: ", path.display()));
        let tells = ran.err.contains("error: ")
            && (ran.err.contains(area.to_str().unwrap())
                || above.any(|path| ran.err.contains(&path))
                || ran.err.contains("standard output"));
        // Where writing is what fails, it may be the message that is lost.
        if ran.code != Some(1) || !tells && call != "write" {
            return Some(format!("an error without a path: {:?} {}", ran.code, ran.err));
        }
        // An error that was reported has cleaned up behind itself, unless the decision was made.
        if !marked && is_whole.is_err() && before.names != after.names {
            return Some(format!("an error left something behind: {:?}", after.differs(before)));
        }
    }
    // A plain rerun.
    let mut again = kpki();
    place.words(&mut again);
    let again = run(&mut again);
    if !again.ok() {
        return Some(format!("the rerun failed: {:?} {}", again.code, again.err));
    }
    if let Err(why) = place.whole() {
        return Some(format!("not whole after the rerun: {why}"));
    }
    let rests = rests(&place.root);
    (!rests.is_empty()).then(|| format!("left behind after the rerun: {rests:?}"))
}

/// What a visitor sees: everything but kpki's own, and the names of everything.
struct Seen {
    visible: std::collections::BTreeMap<PathBuf, (u32, u32, u32, Vec<u8>)>,
    names: Vec<PathBuf>,
}

impl Seen {
    fn of(place: &Spot) -> Self {
        let all = snapshot(&place.root);
        let names = all.keys().filter(|path| !path.to_string_lossy().contains(".kpki")).cloned().collect();
        // Directories that were made for a file that then was not are no part of a tree.
        let visible = all
            .into_iter()
            .filter(|(path, _)| !path.to_string_lossy().contains(".kpki"))
            .filter(|(_, f)| f.0 & 0o170_000 != 0o040_000);
        Self { visible: visible.collect(), names }
    }

    fn differs(&self, before: &Self) -> Vec<&PathBuf> {
        self.names.iter().filter(|path| !before.names.contains(path)).take(5).collect()
    }
}

fn sweep(case: Case) {
    let area = quick_scratch();
    let profile = write(area.path().join("profile.yaml"), SMALL);
    let brought = (case == Case::Brought).then(|| {
        let (key, certificate) = (area.path().join("own.key"), area.path().join("own.crt"));
        write(&key, say("openssl", ["ecparam", "-genkey", "-noout", "-name", "prime256v1"]));
        let words = ["req", "-x509", "-new", "-days", "3650", "-subj", "/CN=kubernetes", "-key", key.to_str().unwrap()];
        write(&certificate, say("openssl", words));
        (certificate, key)
    });

    let complaints = faults::sweep(&format!("init {case:?}"), Tried::KillsAndErrors, 2, |worker| Spot {
        root: area.path().join(format!("box{worker}")),
        case,
        profile: profile.clone(),
        brought: brought.clone(),
    });
    faults::none(&complaints);
}

#[test]
fn a_tree_where_there_is_none() {
    sweep(Case::Absent);
}

#[test]
fn a_tree_around_a_ca_that_was_brought() {
    sweep(Case::Brought);
}

#[test]
fn a_tree_with_the_kubelets_directory_outside() {
    sweep(Case::TwoRoots);
}
