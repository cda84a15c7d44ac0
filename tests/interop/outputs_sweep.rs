//! Every verb that writes, but `init`, `renew` and `restore`, which have sweeps of their own, under every fault
//! (`faults.rs`), and with the power failing at every call that changes the disk. After each: all outputs or none, a line of the journal
//! for every certificate that exists and for no other; and the same command once more completes it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use x509_parser::prelude::{CertificateRevocationList, FromDer};

use crate::faults::{self, Fault, Tried, is_of_loader, killed};
use crate::renew_sweep::fingerprint;
use crate::support::{Ran, SMALL, decode_base64, files, kpki, program, quick_scratch, run, say, scratch, write};
use crate::tree::{contains, open_keys, pem, point, rests, whole};

/// A verb, what is there before, the command, and what it makes.
struct Scenario {
    name: &'static str,
    /// Runs of kpki beforehand.
    before: &'static [&'static [&'static str]],
    /// One of them is killed behind its commit mark.
    interrupted: Option<&'static [&'static str]>,
    /// The outputs lie on another file system than the tree.
    far: bool,
    words: &'static [&'static str],
    makes: Makes,
    /// How the same command once more ends when everything is done.
    again: i32,
}

/// What a command makes, and how it is judged.
enum Makes {
    /// These files in `out`, with pairs of one stem, and lines of this command.
    Signed(&'static str, &'static [&'static str]),
    /// The same bytes every time, below `out`.
    Same,
    /// Keys and requests in the tree.
    Requests,
    /// Another leaf and key for the API server.
    Imported,
    /// The next CRL of the cluster's authority.
    Crl,
    /// The new files of an interrupted renewal.
    Renewed,
    /// This file, encrypted with another salt every time.
    Backup(&'static str),
}

const SIGN: &[&str] = &["sign", "a.csr", "b.csr", "--usage", "server", "--request-names", "-d", "tree", "-O", "out"];
const BACKUP: &[&str] = &["backup", "-d", "tree", "--out", "out/b.kpki", "--password-file", "pass"];
const DONE: i32 = 0;
/// The components of an interrupted renewal have not been notified.
const UNNOTIFIED: i32 = 3;
/// What exists is not written over.
const EXISTS: i32 = 1;

const PLAIN: Scenario =
    Scenario { name: "", before: &[], interrupted: None, far: false, words: &[], makes: Makes::Same, again: DONE };

#[rustfmt::skip]
const SCENARIOS: &[Scenario] = &[
    Scenario { name: "sign, two requests", words: SIGN,
        makes: Makes::Signed("sign", &["a.crt", "b.crt"]), again: EXISTS, ..PLAIN },
    Scenario { name: "sign, to another file system", far: true, words: SIGN,
        makes: Makes::Signed("sign", &["a.crt", "b.crt"]), again: EXISTS, ..PLAIN },
    Scenario { name: "sign --csr-json", words: &["sign", "--csr-json", "web.json", "--usage", "server", "-d", "tree", "-O", "out"],
        makes: Makes::Signed("sign", &["web.crt", "web.csr", "web.key"]), again: EXISTS, ..PLAIN },
    Scenario { name: "sign --csr-json, no tree",
        words: &["sign", "--csr-json", "web.json", "--usage", "server", "--ca-cert", "tree/pki/ca.crt", "--ca-key", "tree/pki/ca.key", "-O", "out"],
        makes: Makes::Signed("", &["web.crt", "web.csr", "web.key"]), again: EXISTS, ..PLAIN },
    Scenario { name: "kubeconfig user", words: &["kubeconfig", "user", "jane", "-g", "dev", "-d", "tree", "--out", "out/jane.conf", "--server", "https://a:1"],
        makes: Makes::Signed("kubeconfig", &["jane.conf"]), again: EXISTS, ..PLAIN },
    Scenario { name: "kubeconfig user --force", far: true,
        before: &[&["kubeconfig", "user", "jane", "-g", "dev", "-d", "tree", "--out", "out/jane.conf", "--server", "https://a:1"]],
        words: &["kubeconfig", "user", "jane", "-g", "dev", "-d", "tree", "--out", "out/jane.conf", "--server", "https://a:1", "--force"],
        makes: Makes::Signed("kubeconfig", &["jane.conf"]), ..PLAIN },
    Scenario { name: "crl update after an interrupted sign", interrupted: Some(SIGN),
        words: &["crl", "update", "-d", "tree"],
        makes: Makes::Signed("sign", &["a.crt", "b.crt"]), ..PLAIN },
    Scenario { name: "convert to a directory", words: &["convert", "tree/pki", "--to", "der", "--out", "out/"],
        again: EXISTS, ..PLAIN },
    Scenario { name: "convert to a file", words: &["convert", "tree/pki/apiserver.crt", "tree/pki/apiserver.key", "--bundle", "haproxy", "--out", "out/a.pem"],
        again: EXISTS, ..PLAIN },
    Scenario { name: "export", words: &["export", "cp1", "--dir", "tree", "--out", "out/cp1.tar"], again: EXISTS, ..PLAIN },
    Scenario { name: "backup", words: BACKUP, makes: Makes::Backup("out/b.kpki"), again: EXISTS, ..PLAIN },
    Scenario { name: "backup after an interrupted renewal", interrupted: Some(&["renew", "all", "-d", "tree"]),
        words: BACKUP, makes: Makes::Backup("out/b.kpki"), again: EXISTS, ..PLAIN },
    Scenario { name: "backup restore",
        before: &[&["backup", "-d", "tree", "--out", "b.kpki", "--password-file", "pass"]],
        words: &["backup", "restore", "b.kpki", "-d", "out/tree", "--password-file", "pass"], again: EXISTS, ..PLAIN },
    Scenario { name: "csr", words: &["csr", "all", "-d", "tree"], makes: Makes::Requests, ..PLAIN },
    Scenario { name: "import",
        before: &[&["csr", "apiserver", "-d", "tree"],
            &["sign", "tree/.kpki/requests/pki/apiserver.csr", "--as", "apiserver", "-d", "tree", "-O", "new.crt"]],
        words: &["import", "new.crt", "-d", "tree"], makes: Makes::Imported, again: EXISTS, ..PLAIN },
    Scenario { name: "revoke", before: &[&["hold", "apiserver-kubelet-client", "-d", "tree"]],
        words: &["revoke", "front-proxy-client", "apiserver", "-d", "tree"], makes: Makes::Crl, ..PLAIN },
    Scenario { name: "crl update", before: &[&["hold", "apiserver-kubelet-client", "-d", "tree"]],
        words: &["crl", "update", "-d", "tree"], makes: Makes::Crl, ..PLAIN },
    Scenario { name: "check-expiration after an interrupted renewal", interrupted: Some(&["renew", "all", "-d", "tree"]),
        words: &["check-expiration", "tree"], makes: Makes::Renewed, again: UNNOTIFIED, ..PLAIN },
];

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Old,
    New,
}

/// Where a scenario is run.
struct Spot<'a> {
    scenario: &'a Scenario,
    root: PathBuf,
    /// What `out` leads to, when it lies on another file system.
    far: PathBuf,
    template: PathBuf,
    /// `out` as an undisturbed run leaves it, and the names of the requests.
    reference: &'a (Files, BTreeSet<PathBuf>),
    log: PathBuf,
    disk: Option<&'a Disk>,
}

type Files = Vec<(PathBuf, Vec<u8>)>;

fn contents(dir: &Path) -> Files {
    let all = files(dir).into_iter().filter(|path| !path.to_string_lossy().contains(".kpki"));
    all.map(|path| (path.strip_prefix(dir).unwrap().to_path_buf(), fs::read(&path).unwrap())).collect()
}

fn requests(tree: &Path) -> BTreeSet<PathBuf> {
    let dir = tree.join(".kpki/requests");
    if !dir.exists() {
        return BTreeSet::new();
    }
    files(&dir).into_iter().map(|path| path.strip_prefix(&dir).unwrap().to_path_buf()).collect()
}

fn command(words: &[&str], dir: &Path) -> Command {
    let mut command = kpki();
    command.args(words).current_dir(dir);
    command
}

/// The first certificate of a file, in DER.
fn certificate(path: &Path) -> Option<Vec<u8>> {
    let bytes = fs::read(path).ok()?;
    if path.extension().is_some_and(|end| end == "conf") {
        let text = String::from_utf8(bytes).ok()?;
        let line = text.lines().find_map(|line| line.trim().strip_prefix("client-certificate-data: "))?;
        return Some(::pem::parse(decode_base64(line)).ok()?.into_contents());
    }
    Some(::pem::parse(bytes).ok()?.into_contents())
}

impl Spot<'_> {
    fn tree(&self) -> PathBuf {
        self.root.join("tree")
    }

    fn marked(&self) -> bool {
        ["tree", "out", "."].iter().any(|dir| self.root.join(dir).join(".kpki/commit").exists())
    }

    /// A file at its place, or where recovery has kept it.
    fn found(&self, root: &Path, name: &str) -> Option<PathBuf> {
        let place = root.join("out").join(name);
        let kept = ["tree", "out"].map(|dir| root.join(dir).join(".kpki/undelivered"));
        let mut all = kept.iter().filter(|dir| dir.exists()).flat_map(|dir| files(dir));
        if place.exists() { Some(place) } else { all.find(|path| path.file_name().is_some_and(|file| file == name)) }
    }

    fn lines(&self, root: &Path, verb: &str) -> Result<Vec<String>, String> {
        let text = fs::read_to_string(root.join("tree/.kpki/journal.jsonl")).map_err(|why| why.to_string())?;
        let mut lines = Vec::new();
        for line in text.lines() {
            let line: serde_json::Value = serde_json::from_str(line).map_err(|why| format!("{why}: {line}"))?;
            if line["command"] == verb {
                lines.push(line["fingerprint"].as_str().unwrap_or_default().to_owned());
            }
        }
        Ok(lines)
    }

    /// As before or as asked for, as a whole; anything else is said.
    fn state(&self) -> Result<State, String> {
        if self.scenario.interrupted.is_none() || matches!(self.scenario.makes, Makes::Renewed) {
            whole(&self.tree(), &self.tree().join("kubelet"))?;
        }
        match &self.scenario.makes {
            Makes::Signed(verb, names) => self.signed(verb, names),
            Makes::Same => {
                let found = contents(&self.root.join("out"));
                if found.is_empty() {
                    return Ok(State::Old);
                }
                if found == self.reference.0 { Ok(State::New) } else { Err(format!("{} files of others", found.len())) }
            }
            Makes::Requests => {
                let found = requests(&self.tree());
                if found.is_empty() {
                    return Ok(State::Old);
                }
                if found != self.reference.1 {
                    return Err(format!("requests: {found:?}"));
                }
                for csr in found.iter().filter(|path| path.extension().is_some_and(|end| end == "csr")) {
                    let dir = self.tree().join(".kpki/requests");
                    let key = dir.join(csr).with_extension("key");
                    if key.exists()
                        && !contains(
                            &pem(&dir.join(csr), 0o644).or_else(|_| pem(&dir.join(csr), 0o600))?,
                            &point(&pem(&key, 0o600)?)?,
                        )
                    {
                        return Err(format!("{}: its key is another's", csr.display()));
                    }
                }
                Ok(State::New)
            }
            Makes::Imported => {
                let leaf = |root: &Path| certificate(&root.join("tree/pki/apiserver.crt"));
                let lines = self.lines(&self.root, "import")?.len();
                if leaf(&self.root) == leaf(&self.template) {
                    return if lines == 0 { Ok(State::Old) } else { Err("a line of what is not there".to_owned()) };
                }
                let is_new = leaf(&self.root) == certificate(&self.root.join("new.crt"));
                let waits = requests(&self.tree()).iter().any(|path| path.ends_with("apiserver.csr"));
                if is_new && lines == 1 && !waits {
                    Ok(State::New)
                } else {
                    Err(format!("new {is_new}, {lines} lines, waits {waits}"))
                }
            }
            Makes::Crl => {
                let number = |root: &Path| {
                    let der = pem(&root.join("tree/pki/ca.crl"), 0o644)?;
                    let (_, crl) = CertificateRevocationList::from_der(&der).map_err(|why| why.to_string())?;
                    crl.crl_number().ok_or("no number")?.to_string().parse::<usize>().map_err(|why| why.to_string())
                };
                let lines = |root: &Path| {
                    let text = fs::read_to_string(root.join("tree/.kpki/journal.jsonl")).unwrap_or_default();
                    let is_of_it = |line: &&str| line.contains("crlNumber") && line.contains("CN=kubernetes\"");
                    text.lines()
                        .filter(is_of_it)
                        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["crlNumber"].to_string())
                        .collect::<BTreeSet<_>>()
                        .len()
                };
                let (now, then) = (number(&self.root)?, number(&self.template)?);
                if now - then != lines(&self.root) - lines(&self.template) {
                    return Err(format!("number {now}, before {then}, {} lines", lines(&self.root)));
                }
                Ok(if now > then { State::New } else { State::Old })
            }
            Makes::Renewed => Ok(State::New),
            Makes::Backup(file) => {
                if !self.root.join(file).exists() {
                    return Ok(State::Old);
                }
                let words = ["backup", "verify", file, "-d", "tree", "--password-file", "pass"];
                let ran = run(&mut command(&words, &self.root));
                if ran.ok() {
                    Ok(State::New)
                } else {
                    Err(format!("the backup: {:?} {}{}", ran.code, ran.out, ran.err))
                }
            }
        }
    }

    fn signed(&self, verb: &str, names: &[&str]) -> Result<State, String> {
        let at = |root: &Path| names.iter().map(|name| self.found(root, name)).collect::<Vec<_>>();
        let (now, then) = (at(&self.root), at(&self.template));
        let read = |all: &[Option<PathBuf>]| all.iter().map(|path| fs::read(path.as_ref()?).ok()).collect::<Vec<_>>();
        let certificates = |all: &[Option<PathBuf>]| {
            let all =
                all.iter().flatten().filter(|path| path.extension().is_some_and(|end| end == "crt" || end == "conf"));
            all.map(|path| certificate(path).map(|der| fingerprint(&der)).ok_or(format!("{path:?}")))
                .collect::<Result<BTreeSet<_>, _>>()
        };
        let (found, known) = (certificates(&now)?, certificates(&then)?);
        if !verb.is_empty() {
            let lines = self.lines(&self.root, verb)?;
            let set: BTreeSet<String> = lines.iter().cloned().collect();
            let all: BTreeSet<String> = found.union(&known).cloned().collect();
            // What was replaced with --force has a line, and is nowhere.
            let fits = if known.is_empty() { set == all } else { set.is_superset(&all) };
            if set.len() != lines.len() || !fits {
                return Err(format!("{} lines of the journal, {} certificates", lines.len(), all.len()));
            }
        }
        if read(&now) == read(&then) {
            return Ok(State::Old);
        }
        if let Some(missing) = now.iter().position(Option::is_none) {
            return Err(format!("{} is missing, others are there", names[missing]));
        }
        for path in now.iter().flatten().filter(|path| path.extension().is_some_and(|end| end == "key")) {
            let key = point(&pem(path, 0o600)?)?;
            for end in ["crt", "csr"] {
                let name = path.with_extension(end);
                let there = self.found(&self.root, name.file_name().unwrap().to_str().unwrap()).ok_or("no pair")?;
                if !contains(&certificate(&there).ok_or("no certificate")?, &key) {
                    return Err(format!("{}: its key is another's", name.display()));
                }
            }
        }
        Ok(State::New)
    }

    /// It reports what it finds, whether it could finish the interrupted run or not.
    fn is_check(&self) -> bool {
        matches!(self.scenario.makes, Makes::Renewed)
    }

    /// Everything that must hold after a run that ended anyhow.
    fn judge(&self, call: &str, ran: &Ran) -> Result<(), String> {
        for dir in [&self.root, &self.far] {
            let open = if dir.exists() { open_keys(dir) } else { Vec::new() };
            if !open.is_empty() {
                return Err(format!("keys that others can read: {open:?}"));
            }
        }
        let done = matches!(ran.code, Some(0 | 6));
        let marked = self.marked();
        if !marked {
            let state = self.state()?;
            if done && state != State::New {
                return Err(format!("exit {:?}, but {state:?}: {}", ran.code, ran.err));
            }
            let told = ["power failure", "new files are", "standard output", "it is kept in", "report above"];
            let told = call == "write" || told.iter().any(|said| ran.err.contains(said));
            let recovers = self.scenario.interrupted.is_some();
            if !done && !killed(ran) && !is_of_loader(ran) && state == State::New && !told && !recovers {
                return Err(format!("new, but an error: {}", ran.err));
            }
        } else if done && !self.is_check() {
            return Err(format!("exit {:?}, but it is not finished: {}", ran.code, ran.err));
        }
        let found = self.is_check() && matches!(ran.code, Some(3 | 4));
        if !done
            && !found
            && !killed(ran)
            && !is_of_loader(ran)
            && (ran.code != Some(1) || !ran.err.contains("error: ") && call != "write")
        {
            return Err(format!("{:?} {}", ran.code, ran.err));
        }
        let again = run(&mut command(self.scenario.words, &self.root));
        if !again.ok() && again.code != Some(self.scenario.again) {
            return Err(format!("once more: {:?} {}", again.code, again.err));
        }
        let state = self.state().map_err(|why| format!("once more: {why} ({again:?})"))?;
        if state != State::New || self.marked() {
            return Err(format!("once more: {state:?}, mark {}, {:?} {}", self.marked(), again.code, again.err));
        }
        if self.is_check() {
            // What is prepared and decided nothing is in nobody's way; the next run that writes removes it.
            run(&mut command(&["renew", "all", "--due", "-d", "tree"], &self.root)).expect_ok("renew --due");
        }
        let left: Vec<PathBuf> =
            [&self.root, &self.far].iter().filter(|dir| dir.exists()).flat_map(|dir| rests(dir)).collect();
        if left.is_empty() { Ok(()) } else { Err(format!("left behind: {left:?}")) }
    }
}

impl faults::Spot for Spot<'_> {
    fn prepare(&self) {
        for dir in [&self.root, &self.far] {
            if dir.exists() {
                fs::remove_dir_all(dir).unwrap();
            }
        }
        fs::create_dir_all(&self.root).unwrap();
        let mut copy = program("cp");
        run(copy.arg("-a").arg(self.template.join(".")).arg(&self.root)).expect_ok("cp -a");
        // The mark of an interrupted run has the absolute paths of the template.
        let mark = self.tree().join(".kpki/commit");
        if let Ok(text) = fs::read_to_string(&mark) {
            fs::write(&mark, text.replace(self.template.to_str().unwrap(), self.root.to_str().unwrap())).unwrap();
        }
        if self.scenario.far {
            fs::create_dir_all(&self.far).unwrap();
            run(program("cp").arg("-a").arg(self.root.join("out/.")).arg(&self.far)).expect_ok("cp -a");
            fs::remove_dir_all(self.root.join("out")).unwrap();
            std::os::unix::fs::symlink(&self.far, self.root.join("out")).unwrap();
        }
        if self.disk.is_some() {
            run(program("sync").arg("-f").arg(&self.root)).expect_ok("sync");
        }
    }

    fn command(&self) -> Command {
        command(self.scenario.words, &self.root)
    }

    fn log(&self) -> PathBuf {
        self.log.clone()
    }

    fn attempt(&self, fault: &Fault) -> (Ran, bool, Result<(), String>) {
        let (ran, hit) = faults::inject(&self.log, fault, &self.command());
        if let Some(disk) = self.disk {
            disk.cut();
        }
        let said = self.judge(fault.call, &ran);
        (ran, hit, said)
    }
}

/// Everything the scenarios need, before they do anything.
fn base(dir: &Path) {
    let path = |name: &str| dir.join(name).to_str().unwrap().to_owned();
    write(dir.join("p.yaml"), SMALL);
    write(dir.join("pass"), "correct horse");
    fs::create_dir_all(dir.join("out")).unwrap();
    run(&mut command(&["init", "-p", "p.yaml", "-d", "tree"], dir)).expect_ok("init");
    for name in ["a", "b"] {
        let (key, csr, subject) =
            (path(&format!("{name}.pem")), path(&format!("{name}.csr")), format!("/CN={name}.example.com"));
        let san = format!("subjectAltName=DNS:{name}.example.com");
        let words = [
            "req",
            "-new",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-keyout",
            &key,
            "-out",
            &csr,
            "-subj",
            &subject,
            "-addext",
            &san,
        ];
        say("openssl", words);
    }
    write(
        dir.join("web.json"),
        r#"{"CN": "web", "hosts": ["web.example.com"], "key": {"algo": "ecdsa", "size": 256}}"#,
    );
}

fn template(scenario: &Scenario, base: &Path, dir: &Path) {
    run(program("cp").arg("-a").arg(base).arg(dir)).expect_ok("cp -a");
    for words in scenario.before {
        run(&mut command(words, dir)).expect_ok(format_args!("{words:?}"));
    }
    let Some(words) = scenario.interrupted else { return };
    // The first kill behind the mark.
    let log = dir.with_extension("log");
    for n in 1..200 {
        fs::remove_dir_all(dir).unwrap();
        run(program("cp").arg("-a").arg(base).arg(dir)).expect_ok("cp -a");
        let call = if words[0] == "renew" { "renameat" } else { "fsync" };
        let (ran, _) = faults::inject(&log, &Fault { call, kind: "signal=SIGKILL", n }, &command(words, dir));
        assert!(killed(&ran), "{words:?} was never interrupted behind its mark");
        if dir.join("tree/.kpki/commit").exists() {
            return;
        }
    }
}

fn sweep(scenario: &Scenario, base_dir: &Path, area: &Path, disk: Option<&Disk>) -> Vec<String> {
    let home = area.join("scenario");
    let (template_dir, reference_dir) = (home.join("template"), home.join("reference"));
    fs::create_dir_all(&home).unwrap();
    template(scenario, base_dir, &template_dir);
    run(program("cp").arg("-a").arg(&template_dir).arg(&reference_dir)).expect_ok("cp -a");
    if scenario.interrupted.is_none() {
        run(&mut command(scenario.words, &reference_dir)).expect_ok(scenario.name);
    }
    let reference = (contents(&reference_dir.join("out")), requests(&reference_dir.join("tree")));
    let other = scratch();
    let spot = |worker: usize| Spot {
        scenario,
        root: disk.map_or(home.as_path(), |disk| disk.point.path()).join(format!("box{worker}")),
        far: disk.map_or(other.path(), |disk| disk.point.path()).join(format!("far{worker}")),
        template: template_dir.clone(),
        reference: &reference,
        log: home.join(format!("log{worker}")),
        disk,
    };
    let complaints = match disk {
        None => faults::sweep(scenario.name, Tried::KillsAndErrors, 2, spot),
        Some(disk) => {
            // What was done stays done.
            let spot = spot(0);
            faults::Spot::prepare(&spot);
            let ran = run(&mut command(scenario.words, &spot.root));
            assert!(faults::is_done(&ran), "{}: {ran:?}", scenario.name);
            disk.cut();
            assert_eq!(spot.state(), Ok(State::New), "{}: a success was lost", scenario.name);
            faults::sweep(&format!("{}, power failure", scenario.name), Tried::PowerFailures, 1, |_| copy(&spot))
        }
    };
    fs::remove_dir_all(&home).unwrap();
    complaints
}

fn copy<'a>(spot: &Spot<'a>) -> Spot<'a> {
    Spot {
        scenario: spot.scenario,
        root: spot.root.clone(),
        far: spot.far.clone(),
        template: spot.template.clone(),
        reference: spot.reference,
        log: spot.log.clone(),
        disk: spot.disk,
    }
}

#[test]
fn every_verb_that_writes_is_whole_whatever_fails() {
    let area = quick_scratch();
    let base_dir = area.path().join("base");
    fs::create_dir_all(&base_dir).unwrap();
    base(&base_dir);
    let all = SCENARIOS.iter().flat_map(|scenario| sweep(scenario, &base_dir, area.path(), None));
    faults::none(&all.collect::<Vec<_>>());
}

/// An ext4 in a file, whose power can fail.
struct Disk {
    image: PathBuf,
    point: tempfile::TempDir,
}

impl Disk {
    /// `None`: this machine allows no loop mounts.
    fn new(area: &Path) -> Option<Self> {
        let (image, point) = (area.join("disk.img"), scratch());
        fs::File::create(&image).unwrap().set_len(64 << 20).unwrap();
        run(program("mkfs.ext4").args(["-q", "-F"]).arg(&image)).expect_ok("mkfs.ext4");
        let disk = Self { image, point };
        disk.mount().ok().then_some(disk)
    }

    fn mount(&self) -> Ran {
        // Nothing is committed by itself: what a run does not sync is lost.
        run(program("mount").args(["-o", "loop,commit=600"]).arg(&self.image).arg(self.point.path()))
    }

    /// EXT4_IOC_SHUTDOWN without a flush of the file system's journal, and what is left after it.
    fn cut(&self) {
        const CUT: &str = "import fcntl, os, struct, sys\n\
            fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack('I', 2))";
        run(program("python3").args(["-c", CUT]).arg(self.point.path())).expect_ok("shutdown");
        run(program("umount").arg(self.point.path())).expect_ok("umount");
        self.mount().expect_ok("mount");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = run(program("umount").arg(self.point.path()));
    }
}

#[test]
fn every_verb_that_writes_is_whole_after_a_power_failure() {
    let area = quick_scratch();
    let Some(disk) = Disk::new(area.path()) else {
        eprintln!("no loop mounts on this machine: power failures are not tried");
        return;
    };
    let base_dir = area.path().join("base");
    fs::create_dir_all(&base_dir).unwrap();
    base(&base_dir);
    let all = SCENARIOS.iter().flat_map(|scenario| sweep(scenario, &base_dir, area.path(), Some(&disk)));
    faults::none(&all.collect::<Vec<_>>());
}
