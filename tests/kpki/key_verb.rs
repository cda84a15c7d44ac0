//! `kpki key`: keys of authorities are encrypted wherever kpki keeps them, and nothing brings them back in plain.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use kpki::cli::ui::Ui;
use kpki::clock::Clock;
use zeroize::Zeroizing;

use super::harness::{NOW, Place, Run, environment, tree};

const LATER: &str = "2026-11-21T22:00:00Z";
const PROFILE: &str = "apiVersion: kpki/v1\nkind: ClusterProfile\nclusterName: demo\ncontrolPlaneEndpoint: api.demo:6443\n\
                       encryptionAlgorithm: ECDSA-P256\nnodes:\n- name: cp1\n  addresses: [10.0.0.11]\n- name: cp2\n  addresses: [10.0.0.12]\n";
const ALL: [&str; 3] = ["pki/ca.key", "pki/front-proxy-ca.key", "pki/etcd/ca.key"];
const RENEWED: &str = "20261121T220000Z-renew";

/// A cluster directory in `c`, with a generation, and passphrases in `one` and `two`.
fn made(ca_keys: &str) -> Place {
    let place = Place::new();
    place.write("p.yaml", format!("{PROFILE}caKeys: {ca_keys}\n"));
    place.init(&["--profile", "p.yaml", "--dir", "c"]).ok();
    place.kpki(&["renew", "apiserver", "--dir", "c", "--at", LATER]).ok();
    for (name, text) in [("one", "correct horse\n"), ("two", "battery staple\n"), ("none", "\n")] {
        secret(&place, name, text.as_bytes());
    }
    place
}

fn secret(place: &Place, name: &str, bytes: &[u8]) {
    let path = place.write(name, bytes);
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn key(place: &Place, words: &[&str]) -> Run {
    place.kpki(&[&["key"], words, &["--dir", "c", "--at", LATER]].concat())
}

fn protect(place: &Place) -> Run {
    key(place, &["protect", "all", "--key-passphrase-file", "one"])
}

fn list(place: &Place) -> serde_json::Value {
    place.kpki(&["key", "list", "--dir", "c", "-o", "json"]).ok().json()
}

fn renew(place: &Place, passphrase: &str) -> Run {
    let words = ["renew", "apiserver", "front-proxy-client", "etcd-peer", "--dir", "c", "--at", LATER];
    place.kpki(&[&words[..], &["--key-passphrase-file", passphrase]].concat())
}

/// What shows a key, in whatever file: the lines of its PEM, and its private number as octets.
struct Plain {
    lines: Vec<String>,
    number: Vec<u8>,
}

impl Plain {
    fn of(pem: &str) -> Self {
        let body: Vec<&str> = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        let der = kpki::encoding::base64::decode(body.concat().as_bytes()).unwrap();
        // ECPrivateKey: SEQUENCE, INTEGER 1, OCTET STRING of 32 octets.
        assert_eq!(der[2..7], [2, 1, 1, 4, 32]);
        Self { lines: body.into_iter().map(str::to_owned).collect(), number: der[7..39].to_vec() }
    }

    fn is_in(&self, bytes: &[u8]) -> bool {
        let mut parts = self.lines.iter().map(String::as_bytes).chain([self.number.as_slice()]);
        parts.any(|part| bytes.windows(part.len()).any(|window| window == part))
    }
}

/// The files below `c` with a plain key of an authority.
fn plain(place: &Place, keys: &[Plain]) -> Vec<String> {
    let files = tree(&place.path("c"));
    files.into_iter().filter(|(_, (_, bytes))| keys.iter().any(|key| key.is_in(bytes))).map(|(name, _)| name).collect()
}

fn keys(place: &Place) -> Vec<Plain> {
    ALL.map(|name| Plain::of(&place.read(&format!("c/{name}")))).into_iter().collect()
}

/// Copies of the key of `ca` wherever kpki keeps files.
const COPIES: [&str; 5] = [
    "generations/20261121T220000Z-renew/main/pki/ca.key",
    "generations/20261121T220000Z-renew/main/nodes/cp1/pki/some.key",
    "requests/pki/ca.key",
    "rotation/ca.previous.key",
    "undelivered/20261121T220000Z-sign/copy.pem",
];

fn copied(place: &Place) {
    let bytes = fs::read(place.path("c/pki/ca.key")).unwrap();
    for name in COPIES {
        secret(place, &format!("c/.kpki/{name}"), &bytes);
    }
}

fn paths(value: &serde_json::Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
}

#[test]
fn no_byte_of_a_plain_key_is_left_and_everything_works_with_the_passphrase() {
    let place = made("none");
    copied(&place);
    let keys = keys(&place);
    assert_eq!(plain(&place, &keys).len(), ALL.len() + COPIES.len());
    let dry = key(&place, &["protect", "all", "--dry-run", "-o", "json"]).ok();
    assert!(!dry.wrote);
    let said = key(&place, &["protect", "all", "--key-passphrase-file", "one", "-o", "json"]).ok().json();
    assert_eq!(said["keys"], dry.json()["keys"]);
    let mut expected = COPIES.map(|name| format!(".kpki/{name}"));
    expected.sort();
    assert_eq!(paths(&said["keys"][0]["copies"]), expected);
    assert_eq!(plain(&place, &keys), Vec::<String>::new());
    for name in ALL.map(str::to_owned).into_iter().chain(COPIES.map(|name| format!(".kpki/{name}"))) {
        let (path, mode) = (format!("c/{name}"), 0o600);
        assert!(place.read(&path).starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"), "{path}");
        assert_eq!(fs::metadata(place.path(&path)).unwrap().permissions().mode() & 0o777, mode, "{path}");
    }
    assert!(place.read("c/.kpki/journal.jsonl").lines().filter(|line| line.contains("key-protect")).count() == 3);
    // What every verb leaves.
    renew(&place, "one").ok();
    let history = place.kpki(&["history", "--dir", "c"]).ok().stdout;
    assert!(!history.contains("protect"), "{history}");
    let no_passphrase = place.kpki(&["renew", "apiserver", "--dir", "c", "--at", LATER]).status(5);
    assert!(no_passphrase.stderr.contains("there is no passphrase"), "{}", no_passphrase.stderr);
    place.kpki(&["restore", RENEWED, "--dir", "c", "--at", LATER]).status(0);
    assert_eq!(plain(&place, &keys), Vec::<String>::new());
    renew(&place, "one").ok();
    place.kpki(&["export", "cp1", "--dir", "c", "--out", "cp1.tar", "--at", LATER]).ok();
    assert!(!keys.iter().any(|key| key.is_in(&fs::read(place.path("cp1.tar")).unwrap())));
    // Again there is nothing to do, and no passphrase is read.
    let again = key(&place, &["protect", "all", "--key-passphrase-file", "two"]).ok();
    assert!(again.stdout.starts_with("nothing to do: ") && !again.wrote, "{}", again.stdout);
}

#[test]
fn another_passphrase_takes_the_place_of_the_first_in_every_copy() {
    let place = made("none");
    copied(&place);
    let keys = keys(&place);
    protect(&place).ok();
    let change = ["protect", "all", "--key-passphrase-file", "one", "--new-passphrase-file", "two"];
    let wrong = ["protect", "all", "--key-passphrase-file", "two", "--new-passphrase-file", "one"];
    let said = key(&place, &wrong).fails(1).stderr;
    assert!(said.contains("the passphrase does not open it: nothing was changed"), "{said}");
    let said = key(&place, &change).ok();
    assert!(said.stdout.contains("new passphrase"), "{}", said.stdout);
    assert_eq!(plain(&place, &keys), Vec::<String>::new());
    renew(&place, "one").status(5);
    renew(&place, "two").ok();
    for name in COPIES.map(|name| format!("c/.kpki/{name}")).iter().map(String::as_str).chain(["c/pki/ca.key"]) {
        let opened = |pass: &str| {
            let words = ["convert", name, "--to", "pkcs8", "--password-file", pass, "--out", "open.key", "--force"];
            place.kpki(&words).status
        };
        assert_eq!((opened("one") == 0, opened("two") == 0), (false, true), "{name}");
    }
    // A copy that was encrypted with a passphrase of its own stays, and is said.
    let words = ["--to", "pkcs8-encrypted", "--password-file", "two", "--out-password-file", "one", "--out", "odd.key"];
    place.kpki(&[&["convert", "c/pki/ca.key"], &words[..]].concat()).ok();
    secret(&place, &format!("c/.kpki/{}", COPIES[0]), &fs::read(place.path("odd.key")).unwrap());
    secret(&place, "three", b"third\n");
    let change = ["protect", "ca", "--key-passphrase-file", "two", "--new-passphrase-file", "three"];
    let said = key(&place, &change).status(5).stdout;
    assert!(said.contains(&format!("left: .kpki/{} is encrypted with another passphrase", COPIES[0])), "{said}");
}

#[test]
fn a_restore_brings_no_key_back_in_plain() {
    let place = made("none");
    let keys = keys(&place);
    let bytes = fs::read(place.path("c/pki/ca.key")).unwrap();
    protect(&place).ok();
    // Whatever put it there.
    secret(&place, &format!("c/.kpki/{}", COPIES[0]), &bytes);
    let listed = list(&place);
    assert_eq!(listed["keys"][0]["copies"][0]["encrypted"], false);
    for words in
        [&["restore", RENEWED, "--dir", "c", "--at", LATER][..], &["restore", RENEWED, "--dir", "c", "--dry-run"]]
    {
        let refused = place.kpki(words).fails(1).stderr;
        assert!(refused.contains("c/pki/ca.key would hold the key of ca in plain, which is encrypted"), "{refused}");
        assert!(refused.contains("kpki key protect ca --dir c"), "{refused}");
    }
    let words = ["key", "protect", "ca", "--dir", "c", "--key-passphrase-file", "one", "--at", LATER];
    assert!(place.kpki(&words).ok().stdout.contains("copies encrypted"));
    place.kpki(&["restore", RENEWED, "--dir", "c", "--at", LATER]).status(0);
    assert_eq!(plain(&place, &keys), Vec::<String>::new());
    renew(&place, "one").ok();
    // A key that the profile has elsewhere does not come back either.
    let profile = place.read("c/.kpki/profile.yaml");
    secret(&place, &format!("c/.kpki/{}", COPIES[0]), &bytes);
    fs::remove_file(place.path("c/pki/ca.key")).unwrap();
    let elsewhere = format!("{profile}authorities:\n  ca:\n    key:\n      file: /secure/ca.key\n");
    secret(&place, "c/.kpki/profile.yaml", elsewhere.as_bytes());
    let refused = place.kpki(&["restore", RENEWED, "--dir", "c", "--at", LATER]).fails(1).stderr;
    assert!(refused.contains("would hold the key of ca, which is elsewhere: file /secure/ca.key"), "{refused}");
    assert!(refused.contains("kpki history --dir c"), "{refused}");
    assert!(refused.contains("kpki key protect ca --dir c"), "{refused}");
    let said = key(&place, &["protect", "ca", "--key-passphrase-file", "one"]).ok().stdout;
    assert!(said.contains("copies encrypted"), "{said}");
    place.kpki(&["restore", RENEWED, "--dir", "c", "--at", LATER]).status(0);
    assert_eq!(plain(&place, &keys), Vec::<String>::new());
}

/// The recorded profile says how `ca` signs.
fn signs(place: &Place, source: &str) {
    let profile = place.read("c/.kpki/profile.yaml");
    secret(place, "c/.kpki/profile.yaml", format!("{profile}authorities:\n  ca:\n    {source}\n").as_bytes());
}

#[test]
fn what_a_key_elsewhere_has_left_here_is_encrypted() {
    for source in [
        "key: {file: /secure/ca.key}",
        "key: {command: [/usr/bin/age, -d]}",
        "signer: [/usr/bin/sign, ca]",
        "issuer: [/usr/bin/issue]",
    ] {
        let place = made("none");
        copied(&place);
        let keys = keys(&place);
        signs(&place, source);
        let found = |place: &Place| {
            let said = place.kpki(&["verify", "c", "-o", "json", "--at", LATER]).stdout;
            said.contains("file/plain-key")
        };
        assert!(found(&place), "{source}");
        let refused = key(&place, &["protect", "ca"]).fails(2).stderr;
        assert!(refused.contains("there is no passphrase for the key to be encrypted, of ca"), "{source}: {refused}");
        let dry = key(&place, &["protect", "ca", "--dry-run", "-o", "json"]).ok();
        assert!(!dry.wrote && plain(&place, &keys[..1]).len() == 1 + COPIES.len(), "{source}");
        let said = key(&place, &["protect", "ca", "--key-passphrase-file", "one", "-o", "json"]).ok().json();
        assert_eq!(said["keys"], dry.json()["keys"], "{source}");
        assert_eq!((&said["keys"][0]["action"], paths(&said["keys"][0]["copies"]).len()), (&"encrypted".into(), 5));
        assert_eq!(plain(&place, &keys[..1]), [""; 0], "{source}");
        assert!(!found(&place), "{source}");
        // It is not lost: the passphrase opens it.
        let words = ["--to", "sec1", "--password-file", "one", "--out", "open.key"];
        place.kpki(&[&["convert", "c/pki/ca.key"], &words[..]].concat()).ok();
        assert!(keys[0].is_in(&fs::read(place.path("open.key")).unwrap()), "{source}");
        let again = key(&place, &["protect", "ca", "--key-passphrase-file", "two"]).ok();
        assert!(again.stdout.starts_with("nothing to do: ") && !again.wrote, "{}", again.stdout);
        // Of all, it is one of them.
        let said = protect(&place).ok().stdout;
        assert!(said.starts_with("changed 2 keys: "), "{said}");
        place.kpki(&["restore", RENEWED, "--dir", "c", "--at", LATER]).status(0);
        assert_eq!(plain(&place, &keys), [""; 0], "{source}");
        let refused = key(&place, &["expose", "ca", "--key-passphrase-file", "one", "--yes"]).fails(1).stderr;
        assert!(refused.contains("the key of ca is not in this directory"), "{refused}");
    }
}

#[test]
fn a_key_elsewhere_that_is_the_trees_own_file_is_not_lost() {
    let place = made("none");
    let keys = keys(&place);
    signs(&place, &format!("key: {{file: {}}}", place.path("c/pki/ca.key").display()));
    let before = plain(&place, &keys[..1]);
    for words in [&["renew", "apiserver", "--at", LATER][..], &["key", "protect", "ca", "--key-passphrase-file", "one"]]
    {
        let said = place.kpki(&[words, &["--dir", "c"]].concat()).fails(1).stderr;
        assert!(
            said.starts_with("error: authorities.ca.key.file names a file of the tree as the key of ca: "),
            "{said}"
        );
        assert!(said.contains("it may be the only copy of the key"), "{said}");
    }
    assert_eq!(plain(&place, &keys[..1]), before);
}

#[test]
fn a_key_is_exposed_only_when_that_is_said() {
    let place = made("none");
    copied(&place);
    let keys = keys(&place);
    protect(&place).ok();
    let words = ["expose", "ca", "--key-passphrase-file", "one"];
    assert!(key(&place, &words).fails(2).stderr.contains("only with --yes"));
    assert!(!key(&place, &["expose", "ca", "--dry-run"]).ok().wrote);
    let wrong = key(&place, &["expose", "ca", "--key-passphrase-file", "two", "--yes"]).fails(1);
    assert!(wrong.stderr.contains("does not open it"), "{}", wrong.stderr);
    key(&place, &[&words[..], &["--yes"]].concat()).ok();
    assert_eq!(plain(&place, &keys), ["pki/ca.key"]);
    place.kpki(&["renew", "apiserver", "--dir", "c", "--at", LATER]).ok();
    let again = key(&place, &["expose", "ca", "--yes"]).ok();
    assert!(again.stdout.starts_with("nothing to do: ") && !again.wrote);
    // Also where nodes read it: an encrypted key is of no use to them.
    let words = ["--to", "pkcs8-encrypted", "--out-password-file", "one", "--out", "ca.key"];
    let nodes = made("control-plane");
    let before = nodes.read("c/pki/ca.key");
    nodes.kpki(&[&["convert", "c/pki/ca.key"], &words[..]].concat()).ok();
    secret(&nodes, "c/pki/ca.key", &fs::read(nodes.path("ca.key")).unwrap());
    let refused = nodes.kpki(&["renew", "apiserver", "--dir", "c", "--at", LATER]).fails(1).stderr;
    assert!(refused.contains("kpki key expose ca --yes --key-passphrase-file FILE --dir c"), "{refused}");
    let (exit, said) = typed(&nodes, &["expose", "ca", "--yes", "--dir", "c"], |prompt, _| {
        assert_eq!(prompt, "Passphrase of the key of ca (pki/ca.key): ");
        Ok(Some(Zeroizing::new("battery staple".to_owned())))
    });
    assert!(exit == 1 && said.contains("does not open it"), "{said}");
    key(&nodes, &["expose", "ca", "--yes", "--key-passphrase-file", "one"]).ok();
    assert_eq!(nodes.read("c/pki/ca.key"), before);
    nodes.kpki(&["renew", "apiserver", "--dir", "c", "--at", LATER]).ok();
    // Copies that open with the passphrase stay as they are.
    key(&place, &["protect", "ca", "--key-passphrase-file", "one"]).ok();
    assert_eq!(plain(&place, &keys), Vec::<String>::new());
}

#[test]
fn what_a_node_reads_stays_plain() {
    let place = made("control-plane");
    let refused = protect(&place).fails(1).stderr;
    assert!(refused.contains("does not say caKeys: none"), "{refused}");
    place.kpki(&["export", "cp1", "--dir", "c", "--out", "cp1.tar", "--at", LATER]).ok();
    // As the hint says.
    place.write("p.yaml", format!("{PROFILE}caKeys: none\n"));
    place.kpki(&["init", "--at", LATER, "--profile", "p.yaml", "--dir", "c"]).status(0);
    let refused = protect(&place).fails(1).stderr;
    assert!(refused.contains("c/nodes/cp2/pki/etcd/ca.key holds it"), "{refused}");
    let command = refused.lines().find_map(|line| line.split_once("remove them: rm ")).unwrap().1;
    for path in command.split_whitespace() {
        fs::remove_file(place.path(path)).unwrap();
    }
    let said = protect(&place).status(5).stdout;
    assert!(said.contains("left: cp1 had the key of ca in plain"), "{said}");
    assert_eq!(list(&place)["keys"][0]["nodes"], serde_json::json!(["cp1"]));
    let listed = list(&place);
    assert!(listed["keys"].as_array().unwrap().iter().all(|key| key["state"] == "encrypted"), "{listed}");

    let node = Place::new();
    node.write("p.yaml", super::harness::single(""));
    node.init(&["--profile", "p.yaml", "--dir", "c"]).status(0);
    secret(&node, "one", b"correct horse\n");
    let refused = protect(&node).fails(1).stderr;
    assert!(refused.contains("is one node's own tree"), "{refused}");
}

#[test]
fn what_cannot_be_encrypted_is_refused_before_anything_is_written() {
    let place = made("none");
    place.write("open", "correct horse\n");
    for (words, status, said) in [
        (&["protect", "sa"][..], 2, "sa.key stays plain"),
        (&["protect", "all", "ca"], 2, "all cannot be combined"),
        (&["protect", "all"], 2, "there is no passphrase for the key to be encrypted, of ca"),
        (&["protect", "all", "--key-passphrase-file", "none"], 1, "the passphrase is empty"),
        (&["protect", "all", "--key-passphrase-file", "gone"], 1, "gone of its passphrase is missing"),
        (&["protect", "all", "--key-passphrase-file", "open"], 1, "expected a file that others cannot read"),
        (&["protect", "all", "--key-passphrase-env", "GONE"], 1, "GONE of its passphrase is not set"),
        (
            &["protect", "all", "--new-passphrase-file", "gone"],
            1,
            "--new-passphrase-file: the passphrase cannot be read",
        ),
    ] {
        let run = key(&place, words).fails(status);
        assert!(run.stderr.contains(said), "{words:?}: {}", run.stderr);
    }
    // Another authority's key, or none.
    fs::copy(place.path("c/pki/etcd/ca.key"), place.path("c/pki/front-proxy-ca.key")).unwrap();
    let run = key(&place, &["protect", "front-proxy-ca", "--key-passphrase-file", "one"]).fails(1);
    assert!(run.stderr.contains("is not the key of front-proxy-ca's certificate"), "{}", run.stderr);
    fs::remove_file(place.path("c/pki/front-proxy-ca.key")).unwrap();
    let run = key(&place, &["protect", "front-proxy-ca", "--key-passphrase-file", "one"]).fails(1);
    assert!(run.stderr.contains("front-proxy-ca has no key here"), "{}", run.stderr);
    assert!(run.stderr.contains("kpki key list --dir c"), "{}", run.stderr);
    // Of all, those that are here.
    let said = protect(&place).ok().stdout;
    assert!(said.starts_with("changed 2 keys: "), "{said}");
}

#[test]
fn the_list_says_where_each_key_is() {
    let place = made("none");
    key(&place, &["protect", "ca", "--key-passphrase-file", "one"]).ok();
    let states = |place: &Place| -> Vec<(String, serde_json::Value)> {
        let listed = list(place);
        let keys = listed["keys"].as_array().unwrap().clone();
        keys.into_iter().map(|key| (key["state"].as_str().unwrap().to_owned(), key["at"].clone())).collect()
    };
    let null = serde_json::Value::Null;
    let expected = [("encrypted", &null), ("plain", &null), ("plain", &null)];
    assert_eq!(states(&place), expected.map(|(state, at)| (state.to_owned(), at.clone())));
    assert_eq!(list(&place)["keys"][0]["mode"], "0600");
    let profile = place.read("c/.kpki/profile.yaml");
    let sources = "authorities:\n  ca:\n    key:\n      passphraseFile: /run/pass\n  front-proxy-ca:\n    signer: [/usr/bin/sign, proxy]\n  \
                   etcd-ca:\n    key:\n      command: [/usr/bin/age, -d]\n";
    secret(&place, "c/.kpki/profile.yaml", format!("{profile}{sources}").as_bytes());
    let expected = [("encrypted", null), ("signer", "/usr/bin/sign".into()), ("command", "/usr/bin/age".into())];
    assert_eq!(states(&place), expected.map(|(state, at)| (state.to_owned(), at)));
    assert_eq!(list(&place)["keys"][0]["passphrase"], "passphraseFile: /run/pass");
    fs::remove_file(place.path("c/pki/etcd/ca.key")).unwrap();
    let run = key(&place, &["protect", "etcd-ca", "--key-passphrase-file", "one"]).fails(1);
    assert!(run.stderr.contains("the key of etcd-ca is not in this directory: command /usr/bin/age"), "{}", run.stderr);
}

#[test]
fn a_backup_says_which_keys_are_encrypted_and_which_are_not_in_it() {
    let place = made("none");
    protect(&place).ok();
    secret(&place, "pass", b"of the backup\n");
    let backup =
        |out: &str| place.kpki(&["backup", "--dir", "c", "--out", out, "--password-file", "pass", "--at", NOW]);
    let said = backup("b.kpki").ok().stdout;
    assert!(said.contains("the key of ca is encrypted and was not opened"), "{said}");
    place.kpki(&["backup", "verify", "b.kpki", "--dir", "c", "--password-file", "pass"]).ok();
    place.kpki(&["backup", "restore", "b.kpki", "--dir", "new", "--password-file", "pass"]).status(0);
    let restored = place.read("new/pki/ca.key");
    assert_eq!(restored, place.read("c/pki/ca.key"));
    let words = ["renew", "apiserver", "--dir", "new", "--key-passphrase-file", "one", "--at", LATER];
    place.kpki(&words).status(0);
    // With the passphrase of the keys they are opened, and held against their certificates.
    let opened = |words: &[&str], passphrase: &str| {
        let run = place.kpki(&[words, &["--password-file", "pass", "--key-passphrase-file", passphrase]].concat());
        assert!(!run.stdout.contains("correct") && !run.stdout.contains("battery"), "{}", run.stdout);
        run
    };
    let verify = ["backup", "verify", "b.kpki", "-o", "json"];
    let said = opened(&verify, "one").ok().json();
    assert_eq!((&said["authorities"][0]["key"], &said["problems"], &said["notes"]), (&"opened".into(), &EMPTY, &EMPTY));
    let unopened = place.kpki(&["backup", "verify", "b.kpki", "-o", "json", "--password-file", "pass"]).ok().json();
    assert_eq!(said["pairs"].as_u64(), unopened["pairs"].as_u64().map(|pairs| pairs + 3));
    assert_eq!(unopened["authorities"][0]["key"], "encrypted");
    let said = opened(&verify, "two").status(4).json();
    assert_eq!(said["authorities"][0]["key"], "unusable");
    assert!(said["problems"][0].as_str().unwrap().contains("ca cannot sign: its key does not open: "), "{said}");
    let said = opened(&verify, "gone").fails(1).stderr;
    assert!(said.contains("--key-passphrase-file: the passphrase cannot be read"), "{said}");
    let made = ["backup", "--dir", "c", "--at", NOW, "--out"];
    let said = opened(&[&made[..], &["e.kpki"]].concat(), "one").ok().stdout;
    assert!(said.contains("opened") && !said.contains("was not opened"), "{said}");
    assert!(opened(&[&made[..], &["f.kpki"]].concat(), "two").status(4).stdout.contains("does not open"));
    let restore = ["backup", "restore", "b.kpki", "--dir"];
    assert!(opened(&[&restore[..], &["opened"]].concat(), "one").ok().stdout.contains("opened"));
    assert!(opened(&[&restore[..], &["closed"]].concat(), "two").status(4).stdout.contains("does not open"));
    // The key of another certificate.
    let odd = ["--to", "pkcs8-encrypted", "--out-password-file", "one", "--out", "odd.key"];
    place.kpki(&[&["convert", "new/nodes/cp1/pki/apiserver.key"], &odd[..]].concat()).ok();
    secret(&place, "new/pki/ca.key", &fs::read(place.path("odd.key")).unwrap());
    let made = ["backup", "--dir", "new", "--at", NOW, "--out", "g.kpki"];
    assert!(opened(&made, "one").status(4).stdout.contains("its key opens, and is that of another certificate"));
    let profile = place.read("c/.kpki/profile.yaml");
    let elsewhere = format!("{profile}authorities:\n  ca:\n    key:\n      file: /secure/ca.key\n");
    secret(&place, "c/.kpki/profile.yaml", elsewhere.as_bytes());
    fs::remove_file(place.path("c/pki/ca.key")).unwrap();
    let said = backup("d.kpki").status(5).stdout;
    assert!(said.contains("not in it: the key of ca (file /secure/ca.key)"), "{said}");
    assert!(said.contains("2 of 3 CA keys"), "{said}");
}

const EMPTY: serde_json::Value = serde_json::Value::Array(Vec::new());

#[test]
fn what_convert_encrypts_is_a_key_of_the_tree() {
    let place = made("none");
    let words = ["--to", "pkcs8-encrypted", "--out-password-file", "one", "--out", "ca.key"];
    place.kpki(&[&["convert", "c/pki/ca.key"], &words[..]].concat()).ok();
    secret(&place, "c/pki/ca.key", &fs::read(place.path("ca.key")).unwrap());
    place.kpki(&["renew", "apiserver", "--dir", "c", "--key-passphrase-file", "one", "--at", LATER]).ok();
    assert_eq!(list(&place)["keys"][0]["state"], "encrypted");
    key(&place, &["protect", "ca", "--key-passphrase-file", "one", "--new-passphrase-file", "two"]).ok();
    place.kpki(&["renew", "apiserver", "--dir", "c", "--key-passphrase-file", "two", "--at", LATER]).ok();
}

/// kpki inside this process, with somebody at the terminal.
fn typed(place: &Place, words: &[&str], prompt: kpki::cli::environment::Prompt) -> (u8, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let at = time::OffsetDateTime::parse(NOW, &time::format_description::well_known::Rfc3339).unwrap();
    let environment = kpki::run::Environment { prompt, ..environment(Clock::Fixed(at)) };
    let mut ui = Ui::new(&environment, &mut out, &mut err);
    let words = ["kpki", "key"].iter().chain(words).map(|word| match *word {
        "c" => place.path(word).into_os_string(),
        word => OsString::from(word),
    });
    let exit = kpki::cli::dispatch(words, &environment, &mut ui).code();
    (exit, String::from_utf8(err).unwrap())
}

#[test]
fn a_new_passphrase_is_typed_twice_and_a_present_one_once() {
    let place = made("none");
    let keys = keys(&place);
    let make = ["protect", "all", "--dir", "c"];
    let (exit, said) = typed(&place, &make, |prompt, _| Ok(Some(Zeroizing::new(prompt.to_owned()))));
    assert!(exit == 1 && said.contains("the two passphrases differ"), "{said}");
    assert_eq!(plain(&place, &keys).len(), ALL.len());
    let (exit, said) = typed(&place, &make, |prompt, _| {
        let expected = ["New passphrase of the keys of ca, front-proxy-ca, etcd-ca: ", "The same again: "];
        assert!(expected.contains(&prompt), "{prompt}");
        Ok(Some(Zeroizing::new("correct horse".to_owned())))
    });
    assert!(exit == 0 && said.is_empty(), "{said}");
    assert_eq!(plain(&place, &keys), Vec::<String>::new());
    renew(&place, "one").ok();
    let expose = ["expose", "ca", "--yes", "--dir", "c"];
    let (exit, said) = typed(&place, &expose, |prompt, _| {
        assert!(prompt.starts_with("Passphrase of the key of ca"), "{prompt}");
        Ok(Some(Zeroizing::new("correct horse".to_owned())))
    });
    assert!(exit == 0 && said.is_empty(), "{said}");
    assert_eq!(plain(&place, &keys), ["pki/ca.key"]);
}

#[test]
fn no_symlink_is_followed_to_a_key() {
    let place = made("none");
    fs::rename(place.path("c/pki/ca.key"), place.path("outside.key")).unwrap();
    std::os::unix::fs::symlink(Path::new("../../outside.key"), place.path("c/pki/ca.key")).unwrap();
    let before = fs::read(place.path("outside.key")).unwrap();
    protect(&place).fails(1);
    assert_eq!(fs::read(place.path("outside.key")).unwrap(), before);
}
