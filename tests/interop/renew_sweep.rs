//! A whole `kpki renew all`, and the `kpki restore` of one, under every fault (`faults.rs`). After each: every pair matches, the tree is the old one or the new one, the journal tells which, and
//! the next run completes.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::faults::{self, Fault, Tried, is_of_loader, killed};
use crate::support::{Ran, SMALL, files_ending, kpki, quick_scratch, run, write};
use crate::tree::{open_keys, rests, snapshot, whole};

/// Seven pairs and the kubelet's, five kubeconfigs.
const CERTIFICATES: usize = 13;
const FILES: usize = 2 * 8 + 5;

struct Spot {
    root: PathBuf,
    template: PathBuf,
    outside: bool,
    verb: Verb,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Verb {
    Renew,
    /// Of a renewal that went before.
    Restore,
}

#[derive(Debug, PartialEq)]
enum State {
    Old,
    New,
}

impl Spot {
    fn dir(&self) -> PathBuf {
        self.root.join("tree")
    }

    fn kubelet(&self) -> PathBuf {
        if self.outside { self.root.join("lib/kubelet") } else { self.dir().join("kubelet") }
    }

    fn lay_out(&self) {
        faults::copied(&self.template, &self.root);
    }

    fn words(&self, command: &mut Command) {
        match self.verb {
            Verb::Renew => self.renewal(command, &[]),
            Verb::Restore => {
                command.args(["restore", "--lock-timeout", "2s", "-d"]).arg(self.dir());
            }
        }
    }

    fn renewal(&self, command: &mut Command, more: &[&str]) {
        command.args(["renew", "all", "--lock-timeout", "2s", "-d"]).arg(self.dir()).args(more);
        if self.outside {
            command.arg("--kubelet-dir").arg(self.kubelet());
        }
    }

    /// What the scheduled job does.
    fn due(&self) -> Ran {
        let mut command = kpki();
        self.renewal(&mut command, &["--due"]);
        run(&mut command)
    }

    fn again(&self) -> Ran {
        let mut command = kpki();
        self.words(&mut command);
        run(&mut command)
    }

    /// The old tree or the new one, as a whole; anything else is said.
    fn state(&self, before: &Visible) -> Result<State, String> {
        whole(&self.dir(), &self.kubelet())?;
        let after = visible(&self.root);
        if after.keys().ne(before.keys()) {
            return Err("other files than before".to_owned());
        }
        match before.iter().filter(|(name, file)| after[*name] != **file).count() {
            0 => Ok(State::Old),
            FILES => Ok(State::New),
            other => Err(format!("{other} files are new")),
        }
    }

    /// Fingerprints of the lines the verb wrote; a line that is no JSON is said.
    fn journal(&self) -> Result<Vec<String>, String> {
        let text = fs::read_to_string(self.dir().join(".kpki/journal.jsonl")).map_err(|why| why.to_string())?;
        let mut lines = Vec::new();
        for line in text.lines() {
            let line: serde_json::Value = serde_json::from_str(line).map_err(|why| format!("{why}: {line}"))?;
            let verb = if self.verb == Verb::Renew { "renew" } else { "restore" };
            if line["command"] == verb {
                lines.push(line["fingerprint"].as_str().unwrap_or_default().to_owned());
            }
        }
        Ok(lines)
    }

    /// Each certificate of a run that is visible stands there once, and no other.
    fn journalled(&self, state: &State) -> Result<(), String> {
        let lines = self.journal()?;
        let wanted = match state {
            State::Old => BTreeSet::new(),
            State::New => fingerprints(&self.dir(), &self.kubelet()),
        };
        let found: BTreeSet<String> = lines.iter().cloned().collect();
        if found.len() == lines.len() && found == wanted {
            return Ok(());
        }
        Err(format!("{} lines of the journal, {} certificates, {state:?}", lines.len(), wanted.len()))
    }
}

type Visible = std::collections::BTreeMap<PathBuf, (u32, u32, u32, Vec<u8>)>;

fn visible(root: &Path) -> Visible {
    let is_file = |mode: u32| mode & 0o170_000 == 0o100_000;
    let all = snapshot(root).into_iter();
    all.filter(|(path, file)| !path.to_string_lossy().contains(".kpki") && is_file(file.0)).collect()
}

/// SHA-256 in lower-case hexadecimal.
pub fn fingerprint(der: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, der);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// SHA-256 of every leaf that a renewal makes, lower-case hexadecimal.
pub fn fingerprints(dir: &Path, kubelet: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut add = |pem: &[u8]| {
        found.insert(fingerprint(::pem::parse(pem).unwrap().contents()));
    };
    let mut certificates = files_ending(&dir.join("pki"), ".crt");
    certificates.retain(|path| !path.ends_with("ca.crt") && !path.ends_with("front-proxy-ca.crt"));
    certificates.push(kubelet.join("kubelet.crt"));
    certificates.iter().for_each(|path| add(&fs::read(path).unwrap()));
    for conf in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
        if conf.extension().is_some_and(|end| end == "conf") {
            let text = fs::read_to_string(&conf).unwrap();
            let line = text.lines().find_map(|line| line.trim().strip_prefix("client-certificate-data: ")).unwrap();
            add(&crate::support::decode_base64(line));
        }
    }
    found
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
        let before = visible(&self.root);
        let (ran, hit) = faults::inject(&self.log(), fault, &self.command());
        let said = judge(self, fault.call, &before, &ran);
        (ran, hit, said)
    }
}

/// Everything that must hold after a run that ended anyhow.
fn judge(spot: &Spot, call: &str, before: &Visible, ran: &Ran) -> Result<(), String> {
    let open = open_keys(&spot.root);
    if !open.is_empty() {
        return Err(format!("keys that others can read: {open:?}"));
    }
    let killed = killed(ran);
    let loader = is_of_loader(ran);
    let marked = spot.dir().join(".kpki/commit").exists();
    let state = spot.state(before);
    // 6: the work is done, and its report is on standard error.
    let done = matches!(ran.code, Some(0 | 6));
    if done && (marked || state != Ok(State::New)) {
        return Err(format!("exit {:?}, but {state:?}, mark {marked}", ran.code));
    }
    if !marked {
        let state = state?;
        spot.journalled(&state)?;
        let told = ran.err.contains("power failure")
            || ran.err.contains("the new files are")
            || ran.err.contains("standard output")
            || call == "write";
        if !done && !killed && state == State::New && !told {
            return Err(format!("new, but an error: {}", ran.err));
        }
    }
    if !done && !killed && !loader && (ran.code != Some(1) || !ran.err.contains("error: ") && call != "write") {
        return Err(format!("{:?} {}", ran.code, ran.err));
    }
    // Who looks sees a tree, however it was left.
    let mut check = kpki();
    let check = run(check.arg("check-expiration").arg(spot.dir()));
    // Also of a run that succeeded and could not take them off the list.
    let open = !ran.ok() || [&ran.out, &ran.err].iter().any(|text| text.contains("will repeat the notifications"));
    let left = check.code == Some(3) && open && check.out.contains("an interrupted run renewed ");
    if check.code != Some(0) && !left && !(marked && check.code == Some(4)) {
        return Err(format!("check-expiration, mark {marked}: {:?} {}{}", check.code, check.out, check.err));
    }
    // The scheduled job finishes what was decided, and has nothing else to do.
    let due = spot.due();
    if !due.ok() {
        return Err(format!("the next run failed: {:?} {}", due.code, due.err));
    }
    let state = spot.state(before)?;
    if marked && state != State::New {
        return Err("decided, but not finished by the next run".to_owned());
    }
    spot.journalled(&state)?;
    let rests = rests(&spot.root);
    if !rests.is_empty() {
        return Err(format!("left behind after the next run: {rests:?}"));
    }
    // Another renewal is another tree; what undoes a restore brings back what was.
    let again = spot.again();
    let wanted = if spot.verb == Verb::Restore && state == State::New { State::Old } else { State::New };
    if !again.ok() || spot.state(before)? != wanted {
        return Err(format!("once more: {:?} {}", again.code, again.err));
    }
    let lines = spot.journal()?.len();
    let wanted = if state == State::New { 2 * CERTIFICATES } else { CERTIFICATES };
    if lines == wanted { Ok(()) } else { Err(format!("{lines} lines of the journal after once more")) }
}

fn sweep(verb: Verb, outside: bool) {
    let area = quick_scratch();
    let profile = write(area.path().join("profile.yaml"), SMALL);
    let template = area.path().join("template");
    let mut init = kpki();
    init.arg("init").arg("-p").arg(&profile).arg("-d").arg(template.join("tree"));
    if outside {
        init.arg("--kubelet-dir").arg(template.join("lib/kubelet"));
    }
    fs::create_dir_all(&template).unwrap();
    run(&mut init).expect_ok("init");
    if verb == Verb::Restore {
        let mut renew = kpki();
        renew.args(["renew", "all", "-d"]).arg(template.join("tree"));
        if outside {
            renew.arg("--kubelet-dir").arg(template.join("lib/kubelet"));
        }
        run(&mut renew).expect_ok("renew");
    }
    let complaints =
        faults::sweep(&format!("{verb:?}, kubelet outside {outside}"), Tried::KillsAndErrors, 2, |worker| Spot {
            root: area.path().join(format!("box{worker}")),
            template: template.clone(),
            outside,
            verb,
        });
    faults::none(&complaints);
}

#[test]
fn a_renewal_is_old_or_new_whatever_fails() {
    sweep(Verb::Renew, false);
}

#[test]
fn a_renewal_with_the_kubelets_directory_outside() {
    sweep(Verb::Renew, true);
}

#[test]
fn a_restore_is_old_or_new_whatever_fails() {
    sweep(Verb::Restore, false);
}
