//! Keys in a wrong place, keys of two authorities, passphrases in two places, and what is said of programs that fail.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use kpki::blueprint::Algorithm;
use kpki::ca::PrivateKey;

use super::backend::{LATER, made, profile, renew, script, secret};
use super::harness::{Place, Run, tree};

fn authorities(place: &Place, lines: &str) {
    place.write("p.yaml", profile(1, &format!("authorities:\n{lines}")));
}

fn init(place: &Place, more: &[&str]) -> Run {
    place.init(&[&["--profile", "p.yaml", "--dir", "c"], more].concat())
}

fn at(place: &Place, name: &str) -> String {
    place.path(name).display().to_string()
}

fn private(place: &Place, name: &str) {
    fs::create_dir_all(place.path(name)).unwrap();
    fs::set_permissions(place.path(name), fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn a_given_passphrase_is_before_that_of_the_profile() {
    let place = Place::new();
    place.write("p.yaml", profile(1, ""));
    for (name, text) in [("pass", "long enough\n"), ("wrong", "another\n")] {
        secret(&place, name, text);
    }
    init(&place, &["--key-passphrase-file", "pass"]).ok();
    let renew = |stated: &str, more: &[&str]| {
        authorities(&place, &format!("  ca: {{key: {{{stated}}}}}\n"));
        let words = ["renew", "cp1/apiserver", "--profile", "p.yaml", "--dir", "c", "--at", LATER];
        place.kpki(&[&words[..], more].concat())
    };
    let run = renew("passphraseEnv: NOT_SET", &[]).status(5);
    let said = "check passphraseFile or passphraseEnv in the profile, or give --key-passphrase-file FILE or";
    assert!(!run.wrote && format!("{}{}", run.stdout, run.stderr).contains(said), "{run:?}");
    // As the hint says.
    assert!(renew("passphraseEnv: NOT_SET", &["--key-passphrase-file", "pass"]).status(0).wrote);
    let wrong = format!("passphraseFile: {}", at(&place, "wrong"));
    assert!(renew(&wrong, &["--key-passphrase-file", "pass"]).status(0).wrote);
    // That of the profile is not tried then.
    let right = format!("passphraseFile: {}", at(&place, "pass"));
    let run = renew(&right, &["--key-passphrase-file", "wrong"]).status(5);
    let said = "the passphrase does not open it";
    assert!(!run.wrote && format!("{}{}", run.stdout, run.stderr).contains(said), "{run:?}");
    assert!(renew(&right, &[]).status(0).wrote);
}

#[test]
fn what_is_said_of_a_program_that_says_nothing() {
    let (place, _) = made(1);
    let program = script(&place, "silent", "exit 3");
    let silent = "it ended with exit status 3";
    for (options, hint) in [
        (format!("signer: [{}]", program.display()), "it wrote nothing to standard error that says why"),
        (format!("key: {{command: [{}]}}", program.display()), "what a key's command writes is never shown"),
    ] {
        let run = renew(&place, 1, &options);
        let said = format!("{}{}", run.stdout, run.stderr);
        assert!(run.status != 0 && said.contains(silent) && said.contains(hint), "{options}: {said}");
        assert_eq!(said.contains("never shown"), options.starts_with("key"), "{said}");
    }
}

#[test]
fn a_key_file_below_the_tree_is_refused() {
    let place = Place::new();
    for dir in ["c/pki", "c/nodes/cp1/pki", "c/.kpki", "sec"] {
        private(&place, dir);
    }
    symlink(place.path("c/pki"), place.path("sec/link")).unwrap();
    for file in
        ["c/pki/ca.key", "c/nodes/cp1/pki/ca.key", "c/.kpki/ca.key", "c/ca.key", "c/new/ca.key", "sec/link/ca.key"]
    {
        for (field, by) in [("key", "authorities.ca.key.file"), ("next: {key", "authorities.ca.next.key.file")] {
            let end = if field == "key" { "" } else { "}" };
            authorities(&place, &format!("  ca: {{{field}: {{file: {}}}{end}}}\n", at(&place, file)));
            let before = tree(&place.path("c"));
            for more in [&[][..], &["--dry-run"]] {
                let run = init(&place, more).fails(1);
                let said = format!("error: {by} names a file of the tree as the key of ca: {}\n", at(&place, file));
                assert!(run.stderr.starts_with(&said), "{}", run.stderr);
                assert!(run.stderr.contains("\nhint: name a file outside; or leave file out: "), "{}", run.stderr);
            }
            assert_eq!(tree(&place.path("c")), before);
        }
    }
    // A directory outside that is not there.
    authorities(&place, &format!("  ca: {{key: {{file: {}}}}}\n", at(&place, "far/away/ca.key")));
    let run = init(&place, &["--dry-run"]).fails(1);
    let dir = at(&place, "far/away");
    let said = format!("it is to be made, and its directory {dir} is missing");
    let mkdir = format!("mkdir -p -m 0700 {dir}");
    assert!(run.stderr.contains(&said) && run.stderr.contains(&mkdir), "{}", run.stderr);
    private(&place, "far/away");
    fs::remove_dir_all(place.path("c")).unwrap();
    init(&place, &[]).ok();
    assert!(place.path("far/away/ca.key").exists());
}

/// The way out of a tree that an earlier kpki let be made.
#[test]
fn the_only_copy_of_a_key_is_never_to_be_removed() {
    let place = Place::new();
    place.write("p.yaml", profile(1, ""));
    init(&place, &[]).ok();
    fs::copy(place.path("c/pki/ca.key"), place.path("c/nodes/cp1/pki/ca.key")).unwrap();
    let verify = || place.kpki(&["verify", "c", "--at", LATER]);
    let rm = "rm c/nodes/cp1/pki/ca.key";
    let run = verify();
    assert!(run.stdout.contains("chain/authority-key-on-worker") && run.stdout.contains(rm), "{}", run.stdout);
    fs::remove_file(place.path("c/pki/ca.key")).unwrap();
    let run = verify();
    assert!(run.stdout.contains("chain/authority-key-on-worker") && !run.stdout.contains("rm "), "{}", run.stdout);
    assert!(run.stdout.contains("keep it in a safe place before it is removed"), "{}", run.stdout);
    // A run that is given it says the same.
    let words = ["renew", "cp1/apiserver", "--dir", "c", "--at", LATER, "--authority-key", "ca=c/nodes/cp1/pki/ca.key"];
    let run = place.kpki(&words).fails(1);
    let said = "error: --authority-key names a file of the tree as the key of ca: c/nodes/cp1/pki/ca.key\n";
    assert!(run.stderr.starts_with(said) && run.stderr.contains("hint: move it to a place outside first"), "{run:?}");
    private(&place, "sec");
    fs::rename(place.path("c/nodes/cp1/pki/ca.key"), place.path("sec/ca.key")).unwrap();
    let words = ["renew", "cp1/apiserver", "--dir", "c", "--at", LATER, "--authority-key", "ca=sec/ca.key"];
    place.kpki(&words).status(0);
}

/// Whether a key is where the profile says is nothing that `verify` knows.
#[test]
fn a_plain_key_beside_a_place_elsewhere_is_not_to_be_removed_unseen() {
    let place = Place::new();
    place.write("p.yaml", profile(1, ""));
    init(&place, &[]).ok();
    for line in [format!("key: {{file: {}}}", at(&place, "sec/none.key")), "signer: [/nowhere/sign]".to_owned()] {
        authorities(&place, &format!("  ca: {{{line}}}\n"));
        let run = place.kpki(&["verify", "c", "--profile", "p.yaml", "--at", LATER]);
        assert!(run.stdout.contains("file/plain-key") && !run.stdout.contains("rm "), "{}", run.stdout);
    }
}

/// The new one signs before its file is in place.
#[test]
fn an_emergency_makes_the_key_file_that_the_profile_names() {
    let place = Place::new();
    place.write("p.yaml", profile(1, ""));
    init(&place, &[]).ok();
    private(&place, "sec");
    secret(&place, "pass", "long enough\n");
    let key = format!("file: {}, passphraseFile: {}", at(&place, "sec/new.key"), at(&place, "pass"));
    authorities(&place, &format!("  etcd-ca: {{next: {{key: {{{key}}}}}}}\n"));
    place.kpki(&["renew", "all", "--due", "--profile", "p.yaml", "--dir", "c", "--at", LATER]).status(0);
    let words = ["rotate", "emergency", "etcd-ca", "--yes-this-interrupts", "--dir", "c", "--at", LATER];
    place.kpki(&[&words[..], &["--dry-run"]].concat()).status(0);
    assert!(!place.path("sec/new.key").exists());
    place.kpki(&words).status(0);
    assert!(place.read("sec/new.key").starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
    let certificate = |name: &str| kpki::x509::parse_pem_bundle(place.read(name).as_bytes()).unwrap().remove(0);
    let [authority, server] = ["c/pki/etcd/ca.crt", "c/nodes/cp1/pki/etcd/server.crt"].map(certificate);
    server.signed_by(&authority).unwrap();
    // A later run opens the file.
    place.kpki(&["renew", "cp1/etcd-server", "--dir", "c", "--at", LATER]).status(0);
    certificate("c/nodes/cp1/pki/etcd/server.crt").signed_by(&authority).unwrap();
}

const ONE: &str = "would have one key: nothing was written";

#[test]
fn one_key_for_two_new_authorities_is_refused() {
    let place = Place::new();
    private(&place, "sec");
    let key = PrivateKey::generate(Algorithm::EcdsaP256).unwrap();
    secret(&place, "there.key", key.to_pem().as_bytes());
    let public = place.write("there.pub", key.public_pem());
    let program = script(&place, "never", &format!("touch {}", at(&place, "ran")));
    let signer = format!("signer: {{command: [{}], publicKey: {}}}", program.display(), public.display());
    let there = format!("key: {{file: {}}}", at(&place, "there.key"));
    let command = format!("key: {{command: [cat, {}]}}", at(&place, "there.key"));
    let missing = format!("key: {{file: {}}}", at(&place, "sec/new.key"));
    for (ca, etcd) in
        [(&missing, &missing), (&there, &there), (&there, &command), (&signer, &signer), (&there, &signer)]
    {
        authorities(&place, &format!("  ca: {{{ca}}}\n  etcd-ca: {{{etcd}}}\n"));
        let run = init(&place, &[]).fails(1);
        assert!(
            run.stderr.starts_with("error: ca and etcd-ca ") && run.stderr.contains(ONE),
            "{ca} {etcd}: {}",
            run.stderr
        );
        assert!(!place.path("c").exists() && !place.path("sec/new.key").exists() && !place.path("ran").exists());
    }
    authorities(&place, "");
    place.write("p.yaml", profile(1, ""));
    let given = ["--authority-key", "ca=there.key", "--authority-key", "front-proxy-ca=there.key"];
    assert!(init(&place, &given).fails(1).stderr.contains(ONE));
    // Whoever wants it says so.
    authorities(&place, &format!("  ca: {{{there}}}\n  etcd-ca: {{{there}}}\n"));
    init(&place, &["--allow-shared-ca"]).ok();
    let run = place.kpki(&["verify", "c", "--at", LATER]);
    assert!(run.stdout.contains("chain/shared-authority"), "{}", run.stdout);
}

#[test]
fn the_key_of_another_authority_is_no_new_one() {
    let place = Place::new();
    place.write("p.yaml", profile(1, ""));
    init(&place, &[]).ok();
    private(&place, "sec");
    secret(&place, "sec/etcd.key", place.read("c/pki/etcd/ca.key"));
    let prepare = |lines: &str| {
        authorities(&place, lines);
        place.kpki(&["renew", "all", "--due", "--profile", "p.yaml", "--dir", "c", "--at", LATER]).status(0);
        place.kpki(&["rotate", "prepare", "all", "--signer-file-in-use", "--dir", "c", "--at", LATER])
    };
    let [etcd, new] =
        ["sec/etcd.key", "sec/new.key"].map(|name| format!("next: {{key: {{file: {}}}}}", at(&place, name)));
    let run = prepare(&format!("  front-proxy-ca: {{{etcd}}}\n")).fails(1);
    assert!(run.stderr.contains("expected a key of its own, found that of etcd-ca"), "{}", run.stderr);
    let run = prepare(&format!("  ca: {{{new}}}\n  front-proxy-ca: {{{new}}}\n")).fails(1);
    assert!(run.stderr.contains("expected a key of its own, found that of"), "{}", run.stderr);
    assert!(!place.path("sec/new.key").exists());
    let key = PrivateKey::generate(Algorithm::EcdsaP256).unwrap();
    secret(&place, "sec/new.key", key.to_pem().as_bytes());
    let run = prepare(&format!("  ca: {{{new}}}\n  front-proxy-ca: {{{new}}}\n")).fails(1);
    assert!(run.stderr.contains("expected a key of its own, found that of ca"), "{}", run.stderr);
    prepare(&format!("  front-proxy-ca: {{{new}}}\n")).status(0);
}

#[test]
fn no_program_of_a_run_gets_the_passphrase_of_any_tree() {
    let (place, _) = made(1);
    let key = at(&place, "sec/fp.key");
    place.write("q.yaml", profile(1, ""));
    place.init(&["--profile", "q.yaml", "--dir", "d"]).ok();
    let program = script(&place, "sign", &format!("env >{}\necho no >&2\nexit 3", at(&place, "environment")));
    for (name, dir, line) in [
        ("p.yaml", "c", format!("signer: [{}]", program.display())),
        ("q.yaml", "d", format!("key: {{file: {key}, passphraseEnv: CA_PASS}}")),
    ] {
        place.write(name, profile(1, &format!("authorities:\n  front-proxy-ca: {{{line}}}\n")));
        place.kpki(&["renew", "all", "--due", "--profile", name, "--dir", dir, "--at", LATER]).status(0);
    }
    for dirs in [["--dir", "c", "--dir", "d"], ["--dir", "d", "--dir", "c"]] {
        let words = [&["renew", "front-proxy-client", "--at", LATER], &dirs[..]].concat();
        let run = place.kpki_in(&words, b"", &[("CA_PASS", "correct horse"), ("SEEN", "yes")]);
        let found = place.read("environment");
        assert!(run.status != 0 && found.contains("SEEN=yes") && !found.contains("CA_PASS"), "{found}");
        fs::remove_file(place.path("environment")).unwrap();
    }
}
