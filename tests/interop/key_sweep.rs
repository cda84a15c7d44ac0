//! `kpki key protect` and `kpki key expose` of all authorities, under every fault (`faults.rs`), and killed at every rename. After each,
//! and the recovery by the next run: all keys are plain or all are encrypted, each opens to the key of its certificate, and where they
//! are encrypted no file holds a plain one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::faults::{self, Fault, Tried, killed};
use crate::support::{Ran, kpki, mode, program, quick_scratch, run, write};
use crate::tree::{open_keys, rests, snapshot};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Verb {
    Protect,
    Expose,
}

const PROFILE: &str = "apiVersion: kpki/v1\nkind: ClusterProfile\nclusterName: small\ncontrolPlaneEndpoint: api.example.com\n\
                       encryptionAlgorithm: ECDSA-P256\ncaKeys: none\nnodes:\n- name: cp1\n  addresses: [10.0.0.11]\n";
const OWN: [&str; 3] = ["pki/ca.key", "pki/front-proxy-ca.key", "pki/etcd/ca.key"];
/// What kpki keeps of the first.
const COPIES: [&str; 3] = [
    ".kpki/generations/20261120T220000Z-renew/main/pki/ca.key",
    ".kpki/requests/pki/ca.key",
    ".kpki/undelivered/20261120T220000Z-sign/copy.pem",
];
const ENCRYPTED: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n";

/// One run's place.
struct Spot {
    root: PathBuf,
    template: PathBuf,
    verb: Verb,
    /// The plain keys, as their files hold them.
    keys: [String; 3],
}

fn on(dir: &Path, pass: &Path, verb: Verb) -> Command {
    let mut command = kpki();
    command.arg("key").arg(if verb == Verb::Protect { "protect" } else { "expose" }).arg("all");
    if verb == Verb::Expose {
        command.arg("--yes");
    }
    command.arg("--key-passphrase-file").arg(pass).args(["--lock-timeout", "2s", "-d"]).arg(dir);
    command
}

/// In PEM, without a passphrase.
fn opened(file: &Path, pass: &Path) -> Result<String, String> {
    let ran =
        run(program("openssl").arg("ec").arg("-in").arg(file).arg("-passin").arg(format!("file:{}", pass.display())));
    if ran.ok() { Ok(ran.out) } else { Err(format!("{} does not open: {}", file.display(), ran.err)) }
}

impl Spot {
    fn dir(&self) -> PathBuf {
        self.root.join("tree")
    }

    fn pass(&self) -> PathBuf {
        self.template.with_file_name("pass")
    }

    /// Whether a file is plain or encrypted; anything else than its key is said.
    fn is_encrypted(&self, file: &str) -> Result<bool, String> {
        let path = self.dir().join(file);
        let text = fs::read_to_string(&path).map_err(|why| format!("{}: {why}", path.display()))?;
        let plain = OWN.iter().zip(&self.keys).find(|(own, _)| **own == file).map_or(&self.keys[0], |(_, key)| key);
        match text == *plain {
            true => Ok(false),
            false if text.starts_with(ENCRYPTED) && opened(&path, &self.pass())? == *plain => Ok(true),
            false => Err(format!("{file} is another key")),
        }
    }

    /// After the recovery: as it was before, or as it was to be, as a whole.
    fn state(&self) -> Result<bool, String> {
        let own = OWN.iter().map(|file| self.is_encrypted(file)).collect::<Result<Vec<bool>, String>>()?;
        let copies = COPIES.iter().map(|file| self.is_encrypted(file)).collect::<Result<Vec<bool>, String>>()?;
        let encrypted = own[0];
        let wanted = encrypted || self.verb == Verb::Expose;
        if own.iter().any(|one| *one != encrypted) || copies.iter().any(|one| *one != wanted) {
            return Err(format!("encrypted: {own:?}, of the copies: {copies:?}"));
        }
        if encrypted {
            let plain = |text: &[u8]| self.keys.iter().any(|key| holds(text, key));
            let all = snapshot(&self.root);
            let left: Vec<&PathBuf> =
                all.iter().filter(|(_, (.., bytes))| plain(bytes)).map(|(path, _)| path).collect();
            if !left.is_empty() {
                return Err(format!("encrypted, and plain in {left:?}"));
            }
        }
        Ok(encrypted == (self.verb == Verb::Protect))
    }

    fn judge(&self, ran: &Ran) -> Result<(), String> {
        let open = open_keys(&self.root);
        if !open.is_empty() {
            return Err(format!("keys that others can read: {open:?}"));
        }
        let marked = self.dir().join(".kpki/commit").exists();
        // Never is one lost or torn, whatever was interrupted.
        for file in OWN {
            self.is_encrypted(file)?;
        }
        if ran.ok() && (marked || !self.state()?) {
            return Err("exit 0, but it is not done".to_owned());
        }
        // What was decided is finished by the next run, whichever it is.
        let next = run(kpki().args(["renew", "all", "--due", "--lock-timeout", "2s", "-d"]).arg(self.dir()));
        if !next.ok() {
            return Err(format!("the next run failed: {:?} {}{}", next.code, next.out, next.err));
        }
        if marked && !self.state()? {
            return Err("decided, but not finished by the next run".to_owned());
        }
        self.state()?;
        let rests = rests(&self.root);
        if !rests.is_empty() {
            return Err(format!("left behind after the next run: {rests:?}"));
        }
        let again = run(&mut on(&self.dir(), &self.pass(), self.verb));
        if again.ok() && self.state()? { Ok(()) } else { Err(format!("once more: {:?} {}", again.code, again.err)) }
    }
}

/// A line of the key's PEM.
fn holds(bytes: &[u8], key: &str) -> bool {
    let lines = key.lines().filter(|line| !line.starts_with("-----"));
    let mut lines = lines.map(str::as_bytes);
    lines.any(|line| bytes.windows(line.len()).any(|window| window == line))
}

impl faults::Spot for Spot {
    fn prepare(&self) {
        faults::copied(&self.template, &self.root);
    }

    fn command(&self) -> Command {
        on(&self.dir(), &self.pass(), self.verb)
    }

    fn log(&self) -> PathBuf {
        self.root.with_extension("log")
    }

    fn attempt(&self, fault: &Fault) -> (Ran, bool, Result<(), String>) {
        let (ran, hit) = faults::inject(&self.log(), fault, &self.command());
        let said = self.judge(&ran);
        (ran, hit, said)
    }
}

fn secret(path: &Path, text: &str) {
    write(path, text);
    mode(path, 0o600);
}

fn spot(area: &Path, verb: Verb) -> impl Fn(usize) -> Spot {
    let (template, pass) = (area.join("template"), area.join("pass"));
    let dir = template.join("tree");
    let profile = write(area.join("profile.yaml"), PROFILE);
    secret(&pass, "correct horse\n");
    run(kpki().arg("init").arg("-p").arg(&profile).arg("-d").arg(&dir)).expect_ok("init");
    let keys = OWN.map(|file| fs::read_to_string(dir.join(file)).unwrap());
    for copy in COPIES {
        secret(&dir.join(copy), &keys[0]);
    }
    if verb == Verb::Expose {
        run(&mut on(&dir, &pass, Verb::Protect)).expect_ok("protect");
    }
    let area = area.to_path_buf();
    move |worker| Spot { root: area.join(format!("box{worker}")), template: template.clone(), verb, keys: keys.clone() }
}

fn sweep(verb: Verb) {
    let area = quick_scratch();
    // To open a key takes a while on purpose: a fraction of the faults is enough.
    let complaints =
        faults::sweep_one_in(60, &format!("key {verb:?}"), Tried::KillsAndErrors, 2, spot(area.path(), verb));
    faults::none(&complaints);
}

/// Each rename is a step from one file to the other, and one of them is the decision.
fn killed_at_renames(verb: Verb) {
    let area = quick_scratch();
    let spot = spot(area.path(), verb)(0);
    let (mut kills, mut complaints) = (0, Vec::new());
    for call in ["rename", "renameat", "renameat2"] {
        for n in 1.. {
            faults::Spot::prepare(&spot);
            let fault = Fault { call, kind: "signal=SIGKILL", n };
            let (ran, hit, said) = faults::Spot::attempt(&spot, &fault);
            complaints.extend(said.err().map(|why| format!("{verb:?} {fault}: {why}")));
            if !hit {
                break;
            }
            assert!(killed(&ran), "{verb:?} {fault}: {ran:?}");
            kills += 1;
        }
    }
    eprintln!("key {verb:?}: killed at {kills} renames, {} complaints", complaints.len());
    // One for each of its files, and the mark.
    let least = if verb == Verb::Protect { OWN.len() + COPIES.len() } else { OWN.len() };
    assert!(kills > least, "{kills}");
    faults::none(&complaints);
}

#[test]
fn protect_is_before_or_after_whatever_fails() {
    sweep(Verb::Protect);
}

#[test]
fn expose_is_before_or_after_whatever_fails() {
    sweep(Verb::Expose);
}

#[test]
fn protect_is_killed_at_every_rename() {
    killed_at_renames(Verb::Protect);
}

#[test]
fn expose_is_killed_at_every_rename() {
    killed_at_renames(Verb::Expose);
}
