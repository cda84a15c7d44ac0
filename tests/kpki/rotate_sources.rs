//! Rotations of authorities whose keys are no plain files of the tree: encrypted in it, in a file elsewhere, written by a command, or
//! behind a signer.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use kpki::blueprint::Algorithm;
use kpki::ca::{PrivateKey, Purpose, Signer as _};
use kpki::encoding::pem;
use kpki::x509::{Certificate, Crl, parse_pem_bundle};

use super::harness::{Place, Run, tree};
use super::rotating::{DAYS, Story, holders};

const PROFILE: &str = "apiVersion: kpki/v1
kind: ClusterProfile
encryptionAlgorithm: ECDSA-P256
controlPlaneEndpoint: api.example.com
caKeys: none
nodes:
- {name: cp1, roles: [control-plane], addresses: [10.0.0.11]}
- {name: w1, roles: [worker], addresses: [10.0.0.21]}
";
const NAMES: [&str; 3] = ["ca", "front-proxy-ca", "etcd-ca"];
const KEYS: [&str; 3] = ["d/pki/ca.key", "d/pki/front-proxy-ca.key", "d/pki/etcd/ca.key"];
const PASS: [&str; 2] = ["--confirm-all", "--not-before-override"];
const NEXT_MOVED: &str = "move authorities.etcd-ca.next.signer to authorities.etcd-ca.signer";

fn secret(place: &Place, name: &str, text: impl AsRef<[u8]>) -> String {
    let path = place.write(name, text);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Signs for programs that ask: each question is a file below the directory of its key.
struct Backend {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Backend {
    /// A program `sign KEY`, and this key for it; `sec/KEY.log` has a line for each signature.
    fn start(place: &Place, keys: &[&str]) -> Self {
        place.write(
            "sign",
            "#!/bin/sh\nn=$1/$$; cat > $n.part && mv $n.part $n.ask\necho \"$KPKI_AUTHORITY $KPKI_PURPOSE\" >> $1.log\n\
             while [ ! -e $n.answer ]; do sleep 0.02; done\ncat $n.answer; rm $n.ask $n.answer\n",
        );
        fs::set_permissions(place.path("sign"), fs::Permissions::from_mode(0o755)).unwrap();
        let over = Arc::new(AtomicBool::new(false));
        let keys: Vec<_> = keys
            .iter()
            .map(|name| {
                fs::create_dir_all(place.path("sec").join(name)).unwrap();
                let pem = place.read(&format!("sec/{name}.key"));
                (place.path("sec").join(name), PrivateKey::from_pem(pem.as_bytes()).unwrap())
            })
            .collect();
        let stop = Arc::clone(&over);
        let thread = thread::spawn(move || {
            while !stop.load(Ordering::SeqCst) {
                keys.iter().for_each(|(dir, key)| answer(dir, key));
                thread::sleep(Duration::from_millis(5));
            }
        });
        Self { over, thread: Some(thread) }
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        let _ = self.thread.take().unwrap().join();
    }
}

fn answer(dir: &Path, key: &PrivateKey) {
    let asked: Vec<_> = fs::read_dir(dir).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    for path in asked.iter().filter(|path| path.extension().is_some_and(|end| end == "ask")) {
        let Ok(message) = fs::read(path) else { continue };
        if path.with_extension("answer").exists() {
            continue;
        }
        fs::write(path.with_extension("new"), key.sign(&message, Purpose::Certificate).unwrap()).unwrap();
        // The program may be gone with its directory.
        let _ = fs::rename(path.with_extension("new"), path.with_extension("answer"));
    }
}

/// How often each key has signed since it was asked last.
fn signed(place: &Place, names: &[&str]) -> Vec<usize> {
    let of = |name: &&str| {
        let path = place.path(&format!("sec/{name}.log"));
        let lines = fs::read_to_string(&path).unwrap_or_default().lines().count();
        let _ = fs::remove_file(path);
        lines
    };
    names.iter().map(of).collect()
}

fn recorded(story: &Story, profile: &str, dir: &str, day: usize) -> Run {
    let words = ["renew", "all", "--due", "--profile", profile, "--dir", dir, "--at", DAYS[day]];
    story.place.kpki(&words).status(0)
}

fn certificates(place: &Place, file: &str) -> Vec<Certificate> {
    parse_pem_bundle(place.read(file).as_bytes()).unwrap()
}

/// Everything that the tree's first authorities sign is signed by them.
fn fits(place: &Place, dir: &str) {
    for (leaf, authority) in [
        ("apiserver", "ca"),
        ("front-proxy-client", "front-proxy-ca"),
        ("etcd/server", "etcd/ca"),
        ("apiserver-etcd-client", "etcd/ca"),
    ] {
        let leaf = &certificates(place, &format!("{dir}/nodes/cp1/pki/{leaf}.crt"))[0];
        leaf.signed_by(&certificates(place, &format!("{dir}/pki/{authority}.crt"))[0]).unwrap();
    }
}

/// Files with the plain private key of an authority that the tree has or its record names, or of one of these.
fn plain(place: &Place, dir: &str, seen: &mut BTreeSet<Vec<u8>>) -> Vec<String> {
    let files = tree(&place.path(dir));
    for (name, (_, bytes)) in &files {
        if name.ends_with("ca.crt") {
            seen.extend(parse_pem_bundle(bytes).unwrap_or_default().into_iter().map(|one| one.spki_der));
        }
    }
    let holds = |bytes: &[u8]| {
        let blocks = pem::read(bytes).unwrap_or_default();
        blocks.iter().filter(|block| block.label.is_private_key()).any(|block| {
            let text = pem::write(&block.label.to_string(), &block.contents);
            PrivateKey::from_pem(text.as_bytes()).is_ok_and(|key| seen.contains(&key.spki_der()))
        })
    };
    files.iter().filter(|(_, (_, bytes))| holds(bytes)).map(|(name, _)| name.clone()).collect()
}

/// A tree whose authorities' keys are encrypted, with the passphrase in `pass`; `bad` has another one.
fn encrypted() -> (Story, Vec<String>) {
    let story = Story::new(PROFILE);
    let place = &story.place;
    story.copy("none", "d");
    let (pass, bad) = (secret(place, "pass", "correct horse\n"), secret(place, "bad", "wrong\n"));
    let profile = |file: &str| {
        let one = |name: &str| format!("  {name}: {{key: {{passphraseFile: {file}}}}}\n");
        format!("{PROFILE}authorities:\n{}", NAMES.map(one).concat())
    };
    place.write("enc.yaml", profile(&pass));
    place.write("bad.yaml", profile(&bad));
    let keys = KEYS.map(|path| {
        let key = place.read(path);
        let out = format!("{path}.new");
        place
            .kpki(&["convert", path, "--to", "pkcs8-encrypted", "--out-password-file", "pass", "--out", &out])
            .status(0);
        fs::rename(place.path(&out), place.path(path)).unwrap();
        key
    });
    fs::remove_dir_all(place.path("none")).unwrap();
    recorded(&story, "enc.yaml", "d", 0);
    (story, keys.to_vec())
}

#[test]
fn keys_that_are_encrypted_stay_so_in_every_step() {
    let (story, old) = encrypted();
    let place = &story.place;
    let mut seen = BTreeSet::new();
    let mut check = |step: &str, dir: &str| {
        fits(place, dir);
        assert_eq!(plain(place, dir, &mut seen), [""; 0], "{step}");
        for key in &old {
            assert_eq!(holders(key, &place.path(dir)), [""; 0], "{step}");
        }
    };
    check("before", "d");
    story.step("prepare", "d", &["all"], 0).status(0);
    check("prepare", "d");
    for name in NAMES {
        assert!(place.read(&format!("d/.kpki/rotation/{name}.next.key")).contains("BEGIN ENCRYPTED PRIVATE KEY"));
    }
    story.copy("d", "prepared");
    story.step("switch", "d", &[], 1).status(0);
    check("switch", "d");
    // The old one's list is signed by the key that is kept.
    place.kpki(&["crl", "update", "--dir", "d", "--at", DAYS[1]]).status(0);
    let serial = certificates(place, "prepared/nodes/cp1/pki/etcd/server.crt")[0].serial_hex();
    place
        .kpki(&["revoke", "--serial", &serial, "--authority", "etcd-ca", "--yes", "--dir", "d", "--at", DAYS[1]])
        .status(0);
    assert_eq!(entries(place, "d/pki/etcd/ca.crl"), [("CN=etcd-ca".to_owned(), 1), ("CN=etcd-ca@2".to_owned(), 0)]);
    check("revoke", "d");
    story.copy("d", "switched");
    story.step("back", "d", &[], 2).status(0);
    check("back", "d");
    assert_eq!(certificates(place, "d/pki/ca.crt")[0].subject.to_string(), "CN=kubernetes");
    story.step("back", "d", &[], 3).status(0);
    check("back from prepared", "d");
    assert!(!place.path("d/.kpki/rotation/ca.next.key").exists());
    story.step("retire", "switched", &[], 2).status(0);
    check("retire", "switched");
    let run = story.step("forget", "switched", &[], 3).status(0);
    check("forget", "switched");
    // Encrypted copies are found by what they hold.
    assert!(run.stdout.contains("-rotate-switch/main/pki/ca.key"), "{}", run.stdout);
    assert!(!place.path("switched/.kpki/rotation/ca.previous.key").exists());
    story.step("emergency", "switched", &["ca", "etcd-ca"], 4).status(0);
    check("emergency", "switched");
    assert!(place.read("switched/pki/etcd/ca.key").contains("BEGIN ENCRYPTED PRIVATE KEY"));
}

#[test]
fn keys_that_are_encrypted_stay_so_in_every_other_verb() {
    let (story, old) = encrypted();
    let place = &story.place;
    let mut seen = BTreeSet::new();
    let mut verb = |words: &[&str], day: usize| {
        let run = place.kpki(&[words, &["--dir", "d", "--at", DAYS[day]]].concat()).status(0);
        assert_eq!(plain(place, "d", &mut seen), [""; 0], "{words:?}");
        for key in &old {
            assert_eq!(holders(key, &place.path("d")), [""; 0], "{words:?}");
        }
        run
    };
    let generations = |end: &str| -> Vec<String> {
        let names = fs::read_dir(place.path("d/.kpki/generations")).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.ends_with(end)).collect()
    };
    verb(&["renew", "apiserver", "front-proxy-client", "etcd-peer"], 0);
    let [renewed] = generations("-renew").try_into().unwrap();
    // Of the same key, which the generation does not keep either.
    verb(&["renew", "ca", "front-proxy-ca", "etcd-ca"], 0);
    verb(&["crl", "update"], 0);
    verb(&["revoke", "apiserver-kubelet-client", "--yes"], 0);
    verb(&["restore", &renewed], 1);
    verb(&["renew", "all"], 1);
    for (step, day) in [("prepare", 1), ("switch", 2), ("retire", 3), ("forget", 4)] {
        story.step(step, "d", if step == "prepare" { &["all"] } else { &[] }, day).status(0);
        verb(&["crl", "update"], day);
        verb(&["renew", "apiserver", "front-proxy-client", "etcd-peer"], day);
    }
    assert!(verb(&["key", "protect", "all"], 4).stdout.starts_with("nothing to do: "));
    assert!(generations("").len() > 5, "{:?}", generations(""));
    fits(place, "d");
}

fn entries(place: &Place, file: &str) -> Vec<(String, u64)> {
    let blocks = pem::read(place.read(file).as_bytes()).unwrap();
    blocks
        .iter()
        .map(|block| Crl::parse(&block.contents).unwrap())
        .map(|crl| (crl.issuer.to_string(), crl.entries))
        .collect()
}

#[test]
fn a_passphrase_that_opens_nothing_leaves_the_authority_as_it_is() {
    let (story, _) = encrypted();
    let place = &story.place;
    for (verb, day) in [("prepare", 0), ("switch", 1), ("back", 2)] {
        let passing: &[&str] = if verb == "prepare" { &["--signer-file-in-use"] } else { &PASS };
        let words = [&["rotate", verb], &NAMES[..], passing, &["--dir", "d", "--at", DAYS[day]]].concat();
        let run = place.kpki(&[&words[..], &["--profile", "bad.yaml"]].concat()).status(5);
        assert!(!run.wrote, "{verb}: {run:?}");
        for name in NAMES {
            let said = format!("{name} stays as it is: the key of {name}: ");
            assert!(run.stdout.contains(&said), "{verb}: {run:?}");
        }
        assert!(run.stdout.contains("the passphrase does not open it"), "{verb}: {run:?}");
        // A run that writes nothing opens nothing.
        place.kpki(&[&words[..], &["--profile", "bad.yaml", "--dry-run"]].concat()).status(0);
        place.kpki(&words).status(0);
    }
}

/// The three kinds of place outside the tree, each with a key for the authority to come.
fn elsewhere() -> (Story, Backend) {
    let story = Story::new(PROFILE);
    let place = &story.place;
    story.copy("none", "d");
    for (path, name) in KEYS.into_iter().zip(["ca1", "fp1", "etcd1"]) {
        secret(place, &format!("sec/{name}.key"), place.read(path));
        fs::remove_file(place.path(path)).unwrap();
    }
    for name in ["fp2", "etcd2"] {
        let key = PrivateKey::generate(Algorithm::EcdsaP256).unwrap();
        secret(place, &format!("sec/{name}.key"), key.to_pem().as_bytes());
        place.write(&format!("sec/{name}.pub"), key.public_pem());
    }
    let at = |name: &str| place.path(name).to_str().unwrap().to_owned();
    let pass = secret(place, "pass", "correct horse\n");
    let (sign, sec) = (at("sign"), at("sec"));
    let file = |name: &str| format!("key: {{file: {sec}/{name}.key, passphraseFile: {pass}}}");
    let command = |name: &str| format!("key: {{command: [cat, {sec}/{name}.key]}}");
    let signer = |name: &str| {
        let public = if name == "etcd2" { format!(", publicKey: {sec}/{name}.pub") } else { String::new() };
        format!("signer: {{command: [{sign}, {sec}/{name}], input: message{public}}}")
    };
    let profile = |number: u8, next: bool| {
        let one = |authority: &str, of: &dyn Fn(&str) -> String, name: &str| {
            let next = if next { format!(", next: {{{}}}", of(&format!("{name}2"))) } else { String::new() };
            format!("  {authority}: {{{}{next}}}\n", of(&format!("{name}{number}")))
        };
        let all = [one("ca", &file, "ca"), one("front-proxy-ca", &command, "fp"), one("etcd-ca", &signer, "etcd")];
        format!("{PROFILE}authorities:\n{}", all.concat())
    };
    place.write("one.yaml", profile(1, false));
    place.write("two.yaml", profile(1, true));
    place.write("three.yaml", profile(2, false));
    let backend = Backend::start(place, &["etcd1", "etcd2"]);
    recorded(&story, "one.yaml", "d", 0);
    (story, backend)
}

const SIGNERS: [&str; 2] = ["etcd1", "etcd2"];

#[test]
fn a_key_elsewhere_is_replaced_by_one_elsewhere() {
    let (story, _backend) = elsewhere();
    let place = &story.place;
    let mut seen = BTreeSet::new();
    let mut check = |step: &str, dir: &str| {
        fits(place, dir);
        assert_eq!(plain(place, dir, &mut seen), [""; 0], "{step}");
    };
    // Nothing says where the new one is to be, or the tree does not know it.
    let run = story.step("prepare", "d", &["etcd-ca"], 0).fails(1);
    assert!(run.stderr.contains("below authorities.etcd-ca.next"), "{}", run.stderr);
    let words =
        ["rotate", "prepare", "ca", "--signer-file-in-use", "--dir", "d", "--at", DAYS[0], "--profile", "two.yaml"];
    let run = place.kpki(&words).fails(1);
    assert!(run.stderr.contains("this tree records another profile"), "{}", run.stderr);
    recorded(&story, "two.yaml", "d", 0);
    let words = ["rotate", "prepare", "all", "--signer-file-in-use", "--dir", "d", "--at", DAYS[0], "--dry-run"];
    assert!(!place.kpki(&words).status(0).wrote);
    assert_eq!(signed(place, &SIGNERS), [0, 0]);
    story.step("prepare", "d", &["all"], 0).status(0);
    check("prepare", "d");
    assert_eq!(signed(place, &SIGNERS), [0, 1]);
    assert!(place.read("sec/ca2.key").contains("BEGIN ENCRYPTED PRIVATE KEY"));
    assert_eq!(fs::metadata(place.path("sec/ca2.key")).unwrap().permissions().mode() & 0o7777, 0o600);
    story.copy("d", "prepared");
    // The old one signs.
    renew(place, "d", 0);
    assert_eq!(signed(place, &SIGNERS), [1, 0]);
    check("renew when prepared", "d");
    story.step("switch", "d", &[], 1).status(0);
    check("switch", "d");
    let counts = signed(place, &SIGNERS);
    assert!(counts[0] == 0 && counts[1] > 3, "{counts:?}");
    // Each list by its own key.
    place.kpki(&["crl", "update", "--dir", "d", "--at", DAYS[1]]).status(0);
    assert_eq!(signed(place, &SIGNERS), [1, 1]);
    let serial = certificates(place, "prepared/nodes/cp1/pki/etcd/server.crt")[0].serial_hex();
    place
        .kpki(&["revoke", "--serial", &serial, "--authority", "etcd-ca", "--yes", "--dir", "d", "--at", DAYS[1]])
        .status(0);
    assert_eq!(signed(place, &SIGNERS), [1, 0]);
    assert_eq!(entries(place, "d/pki/etcd/ca.crl"), [("CN=etcd-ca".to_owned(), 1), ("CN=etcd-ca@2".to_owned(), 0)]);
    story.copy("d", "switched");

    // Back, and forth again with the same keys.
    story.step("back", "d", &[], 2).status(0);
    check("back", "d");
    renew(place, "d", 2);
    check("renew after back", "d");
    assert_eq!(signed(place, &SIGNERS)[1], 0);
    let run = story.step("back", "d", &[], 3).status(0);
    check("back from prepared", "d");
    assert!(run.stderr.contains("is not kpki's to destroy: signer "), "{}", run.stderr);
    assert!(place.path("sec/ca2.key").exists());
    story.step("prepare", "d", &NAMES, 3).status(0);
    check("prepare again", "d");

    let dir = "switched";
    let run = story.step("retire", dir, &[], 2).status(0);
    check("retire", dir);
    assert!(run.stderr.contains(NEXT_MOVED), "{}", run.stderr);
    signed(place, &SIGNERS);
    renew(place, dir, 2);
    assert_eq!(signed(place, &SIGNERS), [0, 1]);
    let status = place.kpki(&["rotate", "status", "--dir", dir, "--at", DAYS[2]]).status(0);
    assert!(status.stdout.contains(NEXT_MOVED), "{}", status.stdout);
    let run = place.kpki(&["check-expiration", "--dir", dir, "--at", DAYS[2]]);
    assert!(run.stderr.contains(NEXT_MOVED), "{}", run.stderr);
    let run = place.kpki(&["verify", dir, "--only", "rotation/next-not-moved", "--at", DAYS[2]]).status(3);
    assert!(run.stdout.contains(NEXT_MOVED), "{}", run.stdout);
    // The record is what says who signs: it stays until the profile says it.
    let run = story.step("forget", dir, &["etcd-ca"], 3).status(5);
    assert!(run.stdout.contains(NEXT_MOVED), "{}", run.stdout);
    let run = story.step("prepare", dir, &["etcd-ca"], 3).fails(1);
    assert!(run.stderr.contains(NEXT_MOVED), "{}", run.stderr);

    // The old one comes back behind the new one, and signs its list.
    story.copy(dir, "again");
    story.step("back", "again", &["etcd-ca"], 3).status(0);
    check("back from retired", "again");
    let counts = signed(place, &SIGNERS);
    assert!(counts[0] > 0, "{counts:?}");

    recorded(&story, "three.yaml", dir, 3);
    let run = place.kpki(&["check-expiration", "--dir", dir, "--at", DAYS[3]]);
    assert!(!run.stderr.contains("next"), "{}", run.stderr);
    place.kpki(&["verify", dir, "--only", "rotation/next-not-moved", "--at", DAYS[3]]).status(0);
    renew(place, dir, 3);
    assert_eq!(signed(place, &SIGNERS), [0, 1]);
    let run = story.step("forget", dir, &[], 3).status(0);
    assert!(run.stderr.contains("the key of the old etcd-ca is not kpki's to destroy: signer "), "{}", run.stderr);
    renew(place, dir, 4);
    assert_eq!(signed(place, &SIGNERS), [0, 1]);
    check("forget", dir);
}

fn renew(place: &Place, dir: &str, day: usize) {
    let names = ["cp1/apiserver", "cp1/front-proxy-client", "cp1/etcd-server"];
    place.kpki(&[&["renew"], &names[..], &["--dir", dir, "--at", DAYS[day]]].concat()).status(0);
}

#[test]
fn a_plain_key_moves_behind_a_signer() {
    let (story, _backend) = elsewhere();
    let place = &story.place;
    let sec = place.path("sec").to_str().unwrap().to_owned();
    let sign = place.path("sign").to_str().unwrap().to_owned();
    let next = format!("signer: {{command: [{sign}, {sec}/etcd2], input: message, publicKey: {sec}/etcd2.pub}}");
    place.write("plain.yaml", format!("{PROFILE}authorities:\n  etcd-ca: {{next: {{{next}}}}}\n"));
    place.write("after.yaml", format!("{PROFILE}authorities:\n  etcd-ca: {{{next}}}\n"));
    story.copy("none", "p");
    let old = place.read("p/pki/etcd/ca.key");
    recorded(&story, "plain.yaml", "p", 0);
    story.step("prepare", "p", &["etcd-ca"], 0).status(0);
    story.copy("p", "q");
    story.step("switch", "p", &["etcd-ca"], 1).status(0);
    fits(place, "p");
    assert!(!place.path("p/pki/etcd/ca.key").exists());
    story.copy("p", "back");
    story.step("back", "back", &["etcd-ca"], 2).status(0);
    fits(place, "back");
    assert_eq!(place.read("back/pki/etcd/ca.key"), old);
    assert!(!place.path("back/.kpki/rotation/etcd-ca.next.key").exists());
    story.step("retire", "p", &["etcd-ca"], 2).status(0);
    recorded(&story, "after.yaml", "p", 2);
    story.step("forget", "p", &["etcd-ca"], 3).status(0);
    assert_eq!(holders(&old, &place.path("p")), [""; 0]);
    renew(place, "p", 3);
    fits(place, "p");
    // All at once.
    story.copy("none", "e");
    recorded(&story, "plain.yaml", "e", 0);
    story.step("emergency", "e", &["etcd-ca"], 1).status(0);
    fits(place, "e");
    assert!(!place.path("e/pki/etcd/ca.key").exists());
    story.step("retire", "e", &["etcd-ca"], 2).status(0);
    recorded(&story, "after.yaml", "e", 2);
    renew(place, "e", 3);
    fits(place, "e");
}

#[test]
fn an_emergency_needs_a_place_for_the_new_key() {
    let (story, _backend) = elsewhere();
    let run = story.step("emergency", "d", &["etcd-ca"], 0).fails(1);
    assert!(run.stderr.contains("below authorities.etcd-ca.next"), "{}", run.stderr);
    recorded(&story, "two.yaml", "d", 0);
    signed(&story.place, &SIGNERS);
    story.step("emergency", "d", &["etcd-ca"], 0).status(0);
    fits(&story.place, "d");
    let counts = signed(&story.place, &SIGNERS);
    assert!(counts[0] == 0 && counts[1] > 3, "{counts:?}");
}

#[test]
fn a_lost_record_is_written_with_whose_key_is_where() {
    let (story, _backend) = elsewhere();
    let place = &story.place;
    recorded(&story, "two.yaml", "d", 0);
    story.step("prepare", "d", &["all"], 0).status(0);
    story.copy("d", "prepared");
    story.step("switch", "d", &[], 1).status(0);
    let two = place.read("two.yaml");
    place.write("x.yaml", two.replace(&format!(", publicKey: {}", place.path("sec/etcd2.pub").display()), ""));
    for (dir, phase) in [("prepared", "prepared"), ("d", "switched")] {
        let was = story.record(dir);
        fs::remove_file(place.path(&format!("{dir}/.kpki/rotation.json"))).unwrap();
        signed(place, &SIGNERS);
        // Which of two signers without a publicKey signs for which is not guessed.
        let words =
            ["rotate", "record", "etcd-ca", "--phase", phase, "--dir", dir, "--at", DAYS[2], "--profile", "x.yaml"];
        let run = place.kpki(&words).fails(1);
        assert!(run.stderr.contains("publicKey is missing"), "{}", run.stderr);
        let words = [
            "rotate",
            "record",
            "ca",
            "front-proxy-ca",
            "etcd-ca",
            "sa",
            "--phase",
            phase,
            "--dir",
            dir,
            "--at",
            DAYS[2],
        ];
        assert!(!place.kpki(&[&words[..], &["--dry-run"]].concat()).status(0).wrote);
        place.kpki(&words).status(0);
        let is = story.record(dir);
        let both = || was["rotations"].as_array().unwrap().iter().zip(is["rotations"].as_array().unwrap());
        assert_eq!(both().count(), 4);
        for (was, is) in both() {
            for field in ["authority", "phase", "newKey", "oldKey"] {
                assert_eq!(is[field], was[field], "{dir} {field}");
            }
        }
        // The keys themselves were asked for nothing.
        assert_eq!(signed(place, &SIGNERS), [0, 0]);
        renew(place, dir, 2);
        fits(place, dir);
    }
    story.step("switch", "prepared", &[], 3).status(0);
    fits(place, "prepared");
    story.step("back", "d", &[], 3).status(0);
    fits(place, "d");
}

#[test]
fn what_cannot_be_the_new_key_is_refused() {
    let (story, _backend) = elsewhere();
    let place = &story.place;
    let two = place.read("two.yaml");
    let sec = place.path("sec").to_str().unwrap().to_owned();
    for (from, to, status, said) in [
        (format!(", publicKey: {sec}/etcd2.pub"), String::new(), 5, "publicKey is missing"),
        (format!("{sec}/etcd2.pub"), format!("{sec}/none.pub"), 5, "it is missing"),
        (
            format!("next: {{key: {{command: [cat, {sec}/fp2"),
            format!("next: {{key: {{command: [cat, {sec}/none"),
            5,
            "exit status 1",
        ),
        // The same key under another name.
        (
            format!("next: {{key: {{command: [cat, {sec}/fp2"),
            format!("next: {{key: {{command: [cat, -u, {sec}/fp1"),
            1,
            "found that of the authority that signs now",
        ),
    ] {
        let profile = two.replace(&from, &to);
        assert_ne!(profile, two, "{from}");
        place.write("x.yaml", profile);
        story.copy("d", "x");
        recorded(&story, "x.yaml", "x", 0);
        let run = story.step("prepare", "x", &["front-proxy-ca", "etcd-ca"], 0).status(status);
        let all = format!("{}{}", run.stdout, run.stderr);
        assert!(all.contains(said), "{to}: {all}");
        fits(place, "x");
        fs::remove_dir_all(place.path("x")).unwrap();
    }
}
