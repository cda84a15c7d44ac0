//! `kpki rotate prepare`, `switch`, `retire` and `back` of all four authorities, under every fault (`faults.rs`). After each: the tree
//! is in the phase before or in the one after, as a whole, the record and the journal say which, no key is lost or open, and the
//! next run completes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::faults::{self, Fault, Tried, is_of_loader, killed};
use crate::support::{Ran, SMALL, decode_base64, kpki, quick_scratch, run, write};
use crate::tree::{open_keys, rests, snapshot, whole};

const AT_ONCE: [&str; 2] = ["--confirm-all", "--not-before-override"];

/// A step, with those before it.
#[derive(Debug, Clone, Copy)]
struct Row {
    name: &'static str,
    before: &'static [Step],
    step: Step,
    /// What is trusted before and after, the signer first: of the old authorities and of the new ones.
    trusted: (&'static str, &'static str),
    /// Whether every certificate is made again.
    reissued: bool,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Prepare,
    Switch,
    Retire,
    Back,
}

const PREPARE: Row = Row { name: "prepare", before: &[], step: Step::Prepare, trusted: ("O", "ON"), reissued: false };
const SWITCH: Row =
    Row { name: "switch", before: &[Step::Prepare], step: Step::Switch, trusted: ("ON", "NO"), reissued: true };
const RETIRE: Row = Row {
    name: "retire",
    before: &[Step::Prepare, Step::Switch],
    step: Step::Retire,
    trusted: ("NO", "N"),
    reissued: false,
};
const BACK_TO_NONE: Row =
    Row { name: "back", before: &[Step::Prepare], step: Step::Back, trusted: ("ON", "O"), reissued: false };
const BACK_TO_PREPARED: Row = Row {
    name: "back",
    before: &[Step::Prepare, Step::Switch],
    step: Step::Back,
    trusted: ("NO", "ON"),
    reissued: false,
};

impl Step {
    fn on(self, dir: &Path) -> Command {
        let mut command = kpki();
        command.arg("rotate");
        match self {
            Self::Prepare => command.args(["prepare", "all", "--signer-file-in-use"]),
            Self::Switch => command.arg("switch").args(AT_ONCE),
            Self::Retire => command.arg("retire").args(AT_ONCE),
            Self::Back => command.arg("back").args(AT_ONCE),
        };
        command.args(["--lock-timeout", "2s", "-d"]).arg(dir);
        command
    }
}

/// All rows together are not to take longer than a renewal's tenth.
const ONE_IN: usize = 59;

const BUNDLES: [&str; 4] = ["pki/ca.crt", "pki/front-proxy-ca.crt", "pki/etcd/ca.crt", "pki/sa.pub"];
const KUBECONFIGS: [&str; 5] =
    ["admin.conf", "super-admin.conf", "kubelet.conf", "controller-manager.conf", "scheduler.conf"];
const AUTHORITIES: [&str; 4] = ["ca", "front-proxy-ca", "etcd-ca", "sa"];

struct Spot {
    root: PathBuf,
    template: PathBuf,
    row: Row,
    /// What each bundle held before the rotation.
    old: [Vec<u8>; 4],
}

fn blocks(path: &Path) -> Result<Vec<Vec<u8>>, String> {
    let text = fs::read(path).map_err(|why| format!("{}: {why}", path.display()))?;
    let blocks = ::pem::parse_many(text).map_err(|why| format!("{}: {why}", path.display()))?;
    Ok(blocks.into_iter().map(::pem::Pem::into_contents).collect())
}

impl Spot {
    fn dir(&self) -> PathBuf {
        self.root.join("tree")
    }

    /// What is trusted: the same of all four, in every copy, and the first signs.
    fn trusted(&self) -> Result<String, String> {
        let dir = self.dir();
        whole(&dir, &dir.join("kubelet"))?;
        let mut all = BTreeMap::new();
        for (bundle, old) in BUNDLES.iter().zip(&self.old) {
            let letter = |block: &Vec<u8>| if block == old { 'O' } else { 'N' };
            let trusted: String = blocks(&dir.join(bundle))?.iter().map(letter).collect();
            all.entry(trusted).or_insert_with(Vec::new).push(*bundle);
        }
        let Some((trusted, _)) = all.first_key_value().filter(|_| all.len() == 1) else {
            return Err(format!("between phases: {all:?}"));
        };
        let ca = fs::read(dir.join("pki/ca.crt")).unwrap();
        for name in KUBECONFIGS {
            let text = fs::read_to_string(dir.join(name)).map_err(|why| format!("{name}: {why}"))?;
            let line = text.lines().find_map(|line| line.trim().strip_prefix("certificate-authority-data: "));
            if decode_base64(line.unwrap_or_default()) != ca {
                return Err(format!("{name}: what it trusts is not ca.crt"));
            }
        }
        let signer = dir.join("pki/ca-signer.crt");
        if signer.exists() && blocks(&signer)? != blocks(&dir.join("pki/ca.crt"))?[..1] {
            return Err("ca-signer.crt is not the signer".to_owned());
        }
        self.recorded(trusted)?;
        Ok(trusted.clone())
    }

    /// The record and the keys of the other authorities say the same.
    fn recorded(&self, trusted: &str) -> Result<(), String> {
        let (phase, next, previous) = match trusted {
            "ON" => (Some("prepared"), true, false),
            "NO" => (Some("switched"), false, true),
            "N" => (None, false, true),
            _ => (None, false, false),
        };
        let own = self.dir().join(".kpki");
        let text = fs::read_to_string(own.join("rotation.json")).unwrap_or_else(|_| r#"{"rotations": []}"#.to_owned());
        let record: Value = serde_json::from_str(&text).map_err(|why| format!("rotation.json: {why}"))?;
        let found: Vec<_> = record["rotations"].as_array().into_iter().flatten().collect();
        let wanted = phase.map_or(0, |_| AUTHORITIES.len());
        if found.len() != wanted || found.iter().any(|one| one["phase"].as_str() != phase) {
            return Err(format!("trusted {trusted}, recorded {found:?}"));
        }
        for authority in AUTHORITIES {
            for (kept, wanted) in [("next", next), ("previous", previous)] {
                let key = own.join("rotation").join(format!("{authority}.{kept}.key"));
                if key.exists() != wanted {
                    return Err(format!("trusted {trusted}, but {} is there: {}", key.display(), key.exists()));
                }
            }
        }
        Ok(())
    }

    /// Lines of the journal about this step: one for each authority, and one for each certificate that was made.
    fn journal(&self) -> Result<(usize, usize), String> {
        let text = fs::read_to_string(self.dir().join(".kpki/journal.jsonl")).map_err(|why| why.to_string())?;
        let command = format!("rotate-{}", self.row.name);
        let (mut steps, mut certificates) = (0, 0);
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).map_err(|why| format!("{why}: {line}"))?;
            if line["command"] == command.as_str() {
                let of_step = AUTHORITIES.iter().any(|one| line["authority"] == *one);
                *(if of_step { &mut steps } else { &mut certificates }) += 1;
            }
        }
        Ok((steps, certificates))
    }

    /// The phase before or after, and its lines.
    fn state(&self, lines: (usize, usize)) -> Result<bool, String> {
        let trusted = self.trusted()?;
        let new = match trusted.as_str() {
            one if one == self.row.trusted.0 => false,
            one if one == self.row.trusted.1 => true,
            one => return Err(format!("trusted: {one}")),
        };
        let (steps, certificates) = self.journal()?;
        let wanted = if new { (AUTHORITIES.len(), if self.row.reissued { 13 } else { 0 }) } else { (0, 0) };
        let found = (steps - lines.0, certificates - lines.1);
        if found == wanted { Ok(new) } else { Err(format!("trusted {trusted}, lines of the journal {found:?}")) }
    }
}

impl faults::Spot for Spot {
    fn prepare(&self) {
        faults::copied(&self.template, &self.root);
    }

    fn command(&self) -> Command {
        self.row.step.on(&self.dir())
    }

    fn log(&self) -> PathBuf {
        self.root.with_extension("log")
    }

    fn attempt(&self, fault: &Fault) -> (Ran, bool, Result<(), String>) {
        let lines = self.journal().unwrap();
        let before = visible(&self.dir());
        let (ran, hit) = faults::inject(&self.log(), fault, &self.command());
        let said = judge(self, fault.call, lines, &before, &ran);
        (ran, hit, said)
    }
}

type Visible = BTreeMap<PathBuf, (u32, u32, u32, Vec<u8>)>;

/// What programs read.
fn visible(dir: &Path) -> Visible {
    snapshot(dir).into_iter().filter(|(path, _)| !path.starts_with(".kpki")).collect()
}

fn judge(spot: &Spot, call: &str, lines: (usize, usize), before: &Visible, ran: &Ran) -> Result<(), String> {
    let open = open_keys(&spot.root);
    if !open.is_empty() {
        return Err(format!("keys that others can read: {open:?}"));
    }
    let (killed, loader) = (killed(ran), is_of_loader(ran));
    let marked = spot.dir().join(".kpki/commit").exists();
    // 6: the work is done, and its report is on standard error.
    let done = matches!(ran.code, Some(0 | 6));
    if done && marked {
        return Err(format!("exit {:?}, but a mark", ran.code));
    }
    if !marked {
        let new = spot.state(lines)?;
        if !new && visible(&spot.dir()) != *before {
            return Err("the phase before, but other files".to_owned());
        }
        let told = ["power failure", "the new files are", "standard output"].iter().any(|word| ran.err.contains(word));
        if done != new && !(new && (killed || told || call == "write")) {
            return Err(format!("exit {:?}, the phase after: {new}: {}", ran.code, ran.err));
        }
    }
    if !done && !killed && !loader && (ran.code != Some(1) || !ran.err.contains("error: ") && call != "write") {
        return Err(format!("{:?} {}", ran.code, ran.err));
    }
    // The scheduled job finishes what was decided, and has nothing else to do.
    let mut due = kpki();
    let due = run(due.args(["renew", "all", "--due", "--lock-timeout", "2s", "-d"]).arg(spot.dir()));
    if !due.ok() {
        return Err(format!("the next run failed: {:?} {}{}", due.code, due.out, due.err));
    }
    let new = spot.state(lines)?;
    if marked && !new {
        return Err("decided, but not finished by the next run".to_owned());
    }
    let rests = rests(&spot.root);
    if !rests.is_empty() {
        return Err(format!("left behind after the next run: {rests:?}"));
    }
    // The same step again.
    if !new || !matches!(spot.row.step, Step::Back) {
        let again = run(&mut spot.row.step.on(&spot.dir()));
        if !again.ok() || !spot.state(lines)? {
            return Err(format!("once more: {:?} {}", again.code, again.err));
        }
    }
    Ok(())
}

fn sweep(row: Row) {
    let area = quick_scratch();
    let profile = write(area.path().join("profile.yaml"), SMALL);
    let template = area.path().join("template");
    let dir = template.join("tree");
    fs::create_dir_all(&template).unwrap();
    // Older than the time in which no switch is made.
    let mut init = kpki();
    run(init.arg("init").arg("-p").arg(&profile).arg("-d").arg(&dir).args(["--at", "-2d"])).expect_ok("init");
    let old = BUNDLES.map(|bundle| blocks(&dir.join(bundle)).unwrap().remove(0));
    for step in row.before {
        let mut command = step.on(&dir);
        if matches!(step, Step::Prepare) {
            command.args(["--at", "-1d"]);
        }
        run(&mut command).expect_ok(format_args!("{step:?}"));
    }
    let complaints = faults::sweep_one_in(
        ONE_IN,
        &format!("rotate {} ({})", row.name, row.trusted.0),
        Tried::KillsAndErrors,
        2,
        |worker| Spot {
            root: area.path().join(format!("box{worker}")),
            template: template.clone(),
            row,
            old: old.clone(),
        },
    );
    faults::none(&complaints);
}

#[test]
fn prepare_is_before_or_after_whatever_fails() {
    sweep(PREPARE);
}

#[test]
fn switch_is_before_or_after_whatever_fails() {
    sweep(SWITCH);
}

#[test]
fn retire_is_before_or_after_whatever_fails() {
    sweep(RETIRE);
}

#[test]
fn back_is_before_or_after_whatever_fails() {
    sweep(BACK_TO_NONE);
    sweep(BACK_TO_PREPARED);
}
