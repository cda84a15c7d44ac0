//! Every verb that signs, with every place where an authority's key can be; and that nothing is opened, asked for or run where
//! nothing is signed.

mod closed;
mod prompt;
mod source;
mod verbs;

use kpki::ca::PrivateKey;
use kpki::x509::Certificate;

use super::harness::{NOW, Place, single, tree};
use source::{PASSPHRASE, SOURCES, Source, made, pipe};
use verbs::VERBS;

pub use verbs::request;

/// A day after the tree was made.
const DAY_1: &str = "2026-11-21T22:00:00Z";

fn certificate(place: &Place, path: &str) -> Certificate {
    kpki::x509::parse_pem_bundle(place.read(path).as_bytes()).unwrap().remove(0)
}

#[test]
fn every_verb_signs_with_every_source() {
    for source in SOURCES {
        let made = made(*source);
        for verb in VERBS {
            let said = format!("{} with {source:?}", verb.name);
            let runs = made.runs();
            if verb.has_dry_run {
                let run = made.kpki(&[verb.words, &["--dry-run"]].concat());
                assert_eq!((run.status, run.wrote), (verb.dry_status, false), "{said}: {}", run.stderr);
                assert_eq!(made.runs(), runs, "{said}: a dry run has run its command");
            }
            let ca = certificate(&made.place, "c/pki/ca.crt");
            let run = made.kpki(verb.words);
            assert_eq!(run.status, 0, "{said}: {}{}", run.stdout, run.stderr);
            (verb.check)(&made.place, &ca, &said);
            match source {
                Source::Command => assert_eq!(made.runs(), runs + 1, "{said}: the key is read once"),
                Source::Signer => assert!(made.runs() > runs, "{said}"),
                _ => assert_eq!(made.runs(), 0),
            }
            made.leaks_nothing(&run, &said);
        }
    }
}

#[test]
fn where_nothing_is_signed_nothing_is_opened() {
    for source in [Source::Command, Source::Signer] {
        let made = made(source);
        made.kpki(&["crl", "update", "ca"]).status(0);
        made.kpki(&["csr", "ca"]).status(0);
        let runs = made.runs();
        assert!(runs >= 2);
        for words in [&["check-expiration", "c"][..], &["verify", "c"], &["inspect", "c/pki/ca.crt"]] {
            made.place.kpki(&[words, &["--at", DAY_1]].concat()).status(0);
            assert_eq!(made.runs(), runs, "{words:?} with {source:?}");
        }
        let rows: &[(&[&str], i32)] = &[
            (&["renew", "all", "--due"], 0),
            (&["crl", "update", "--due"], 0),
            (&["release", "cp1/apiserver"], 0),
            (&["csr", "ca"], 0),
            (&["revoke", "cp1/etcd-peer"], 0),
            (&["revoke", "cp1/nothing"], 2),
            (&["sign", "jane.csr", "--usage", "client", "--subject", "O=system:masters", "--san", "bad name"], 2),
            (&["sign", "missing.csr", "--usage", "client"], 1),
            (&["sign", "jane.csr", "--usage", "client", "--subject", "CN=jane", "--out", "p.yaml"], 1),
            (&["kubeconfig", "user", "jane", "--group", "staff", "--server", "http://a"], 2),
            (&["kubeconfig", "user", "jane", "--group", "a,b"], 2),
            (&["renew", "ca", "--validity", "1h"], 1),
            (&["nodes", "remove", "cp9", "--revoke"], 2),
            (&["nodes"], 3),
        ];
        for (words, status) in rows {
            let run = made.kpki(words);
            assert_eq!(run.status, *status, "{words:?} with {source:?}: {}{}", run.stdout, run.stderr);
            assert_eq!(made.runs(), runs, "{words:?} with {source:?}");
        }
    }
}

/// `--revoke` signs the lists that are beside every copy, and the key is opened for it.
#[test]
fn a_node_is_removed_and_its_certificates_are_revoked() {
    for source in SOURCES {
        let made = made(*source);
        let run = made.kpki(&["nodes", "remove", "cp2", "--revoke"]).status(0);
        verbs::listed(&made.place, &certificate(&made.place, "c/pki/ca.crt"), "nodes remove");
        made.leaks_nothing(&run, "nodes remove");
    }
}

/// The key of an authority that belongs to no tree is encrypted as well, or comes from standard input.
#[test]
fn an_authority_that_is_given_by_its_files() {
    let made = made(Source::Encrypted);
    let place = &made.place;
    let plain = made.pem.as_bytes();
    let sign = |key: &str, more: &[&str], stdin: &[u8], out: &str| {
        let words = ["sign", "jane.csr", "--usage", "client", "--subject", "CN=jane", "--ca-cert", "c/pki/ca.crt"];
        let words = [&words[..], &["--at", DAY_1, "--ca-key", key, "--out", out], more].concat();
        place.kpki_in(&words, stdin, &[("PASS", PASSPHRASE), ("WRONG", "wrong")])
    };
    let file = ["--key-passphrase-file", "pass"];
    let variable = ["--key-passphrase-env", "PASS"];
    sign("c/pki/ca.key", &file, b"", "1.crt").ok();
    sign("c/pki/ca.key", &variable, b"", "2.crt").ok();
    sign("-", &[], plain, "3.crt").ok();
    sign("-", &file, place.read("c/pki/ca.key").as_bytes(), "4.crt").ok();
    let ca = certificate(place, "c/pki/ca.crt");
    for number in 1..5 {
        certificate(place, &format!("{number}.crt")).issued_by(&ca).unwrap();
    }
    let refused: &[(&[&str], &str)] = &[
        (&[], "c/pki/ca.key: it is encrypted, and there is no passphrase"),
        (&["--key-passphrase-env", "WRONG"], "c/pki/ca.key: the passphrase does not open it"),
        (&["--key-passphrase-env", "NONE"], "the environment variable NONE of its passphrase is not set"),
    ];
    for (words, why) in refused {
        let run = sign("c/pki/ca.key", words, b"", "5.crt").fails(1);
        assert!(run.stderr.contains(why), "{}", run.stderr);
        // A dry run opens nothing.
        sign("c/pki/ca.key", &[words, &["--dry-run"][..]].concat(), b"", "5.crt").status(0);
    }
    let run = sign("c/pki/etcd/ca.key", &[], b"", "5.crt").fails(1);
    assert!(run.stderr.contains("error: cannot sign with c/pki/ca.crt"), "{}", run.stderr);
    let run = sign("-", &["--authority-key", "ca=-"], plain, "5.crt").fails(2);
    assert!(run.stderr.contains("standard input was given twice"), "{}", run.stderr);
}

/// The certificate of an authority whose key is elsewhere is renewed by the authority above it, and put in place without a key.
#[test]
fn the_next_certificate_of_an_intermediate_is_imported_for_the_key_that_is_elsewhere() {
    let made = made(Source::Signer);
    let place = &made.place;
    // A root signs the cluster's CA, before it has signed anything here.
    verbs::root(place);
    made.kpki(&["csr", "ca"]).status(0);
    let request = "c/.kpki/requests/pki/ca.csr";
    let words = ["sign", request, "--intermediate", "--as", "ca", "--ca-cert", "root.crt", "--ca-key", "root.key"];
    made.kpki(&[&words[..], &["--out", "ca-1.crt", "--validity", "3y"]].concat()).status(0);
    let key = certificate(place, "c/pki/ca.crt").spki_der;
    let signed = certificate(place, "ca-1.crt");
    assert!(signed.spki_der == key && signed.is_ca);
    let run = made.kpki(&["import", "ca-1.crt", "--as", "ca"]);
    // What the self-signed one has signed stays valid below the same key and name.
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(certificate(place, "c/pki/ca.crt").serial, signed.serial);
    assert!(!place.path("c/pki/ca.key").exists() && !place.path(request).exists());
    // It signs, and its next request is for the same key.
    made.kpki(&["renew", "cp1/apiserver"]).status(0);
    certificate(place, "c/nodes/cp1/pki/apiserver.crt").issued_by(&signed).unwrap();
    let runs = made.runs();
    let dry = made.kpki(&["renew", "ca", "--dry-run"]).status(5);
    assert!(!dry.wrote && made.runs() == runs, "{}", dry.stdout);
    made.kpki(&["renew", "ca"]).status(5);
    assert!(made.runs() > runs);
    let again = kpki::x509::Request::read_file(place.read(request).as_bytes()).unwrap().remove(0);
    assert_eq!((again.spki_der, again.signature_valid), (key, Some(true)));
    assert!(!tree(&place.path("c/.kpki/requests")).contains_key("pki/ca.key"));
}

/// An authority that another one signs from its first day: its key is elsewhere, and its request is made before there is a tree.
#[test]
fn the_first_certificate_of_an_authority_whose_key_is_elsewhere_is_requested() {
    for source in [Source::File, Source::Command, Source::Signer] {
        let made = made(source);
        let place = &made.place;
        verbs::root(place);
        let mut profile = place.read("p.yaml");
        if source == Source::Signer {
            place.write("ca.pub", PrivateKey::from_pem(made.pem.as_bytes()).unwrap().public_pem());
            let public = format!("input: message, publicKey: {}", place.path("ca.pub").display());
            // Which key it is nothing says yet.
            let words = ["csr", "ca", "-p", "p.yaml", "-d", "new", "--at", DAY_1];
            let run = place.kpki_in(&words, b"", &[]).fails(1);
            assert!(run.stderr.contains("publicKey is missing"), "{}", run.stderr);
            profile = profile.replace("input: message", &public);
        }
        place.write("p.yaml", profile);
        let kpki = |words: &[&str]| {
            place.kpki_in(&[words, &["-d", "new", "--at", DAY_1]].concat(), b"", &[("CA_PASS", PASSPHRASE)])
        };
        let runs = made.runs();
        assert!(!kpki(&["csr", "ca", "-p", "p.yaml", "--dry-run"]).status(0).wrote);
        assert_eq!(made.runs(), runs, "{source:?}");
        kpki(&["csr", "ca", "-p", "p.yaml"]).status(0);
        let request = "new/.kpki/requests/pki/ca.csr";
        let asked = kpki::x509::Request::read_file(place.read(request).as_bytes()).unwrap().remove(0);
        assert_eq!(asked.spki_der, certificate(place, "c/pki/ca.crt").spki_der, "{source:?}");
        assert_eq!((asked.signature_valid, asked.is_ca), (Some(true), true));
        assert!(!place.path("new/.kpki/requests/pki/ca.key").exists());
        // It is not made twice.
        let first = place.read(request);
        kpki(&["csr", "ca", "-p", "p.yaml"]).status(0);
        assert_eq!(place.read(request), first, "{source:?}");
        let words =
            ["sign", request, "--intermediate", "--ca-cert", "root.crt", "--ca-key", "root.key", "--out", "new.crt"];
        let terms = ["--validity", "3y", "--request-names", "--at", DAY_1];
        place.kpki(&[&words[..], &terms].concat()).status(0);
        kpki(&["import", "new.crt", "--as", "ca", "-p", "p.yaml"]).status(0);
        assert_eq!(certificate(place, "new/pki/ca.crt").spki_der, asked.spki_der);
        kpki(&["init", "-p", "p.yaml"]).status(0);
        let authority = certificate(place, "new/pki/ca.crt");
        certificate(place, "new/nodes/cp1/pki/apiserver.crt").issued_by(&authority).unwrap();
        assert!(!place.path("new/pki/ca.key").exists());
    }
    // A key that is to be made is none to ask for.
    let made = made(Source::File);
    std::fs::remove_file(made.place.path("secure/ca.key")).unwrap();
    let run = made.place.kpki(&["csr", "ca", "-p", "p.yaml", "-d", "new", "--at", DAY_1]).fails(1);
    assert!(run.stderr.contains("which does not exist"), "{}", run.stderr);
}

#[test]
fn a_systemd_credential_and_a_link_are_read_where_they_are() {
    let made = made(Source::File);
    let place = &made.place;
    // As ${CREDENTIALS_DIRECTORY}: a directory and files that only their owner can read.
    let links = place.path("links");
    std::fs::create_dir(&links).unwrap();
    std::os::unix::fs::symlink(place.path("secure/ca.key"), links.join("ca.key")).unwrap();
    let given = format!("ca={}", links.join("ca.key").display());
    let words = ["crl", "update", "ca", "--dir", "c", "--at", DAY_1, "--authority-key", &given];
    place.kpki(&words).status(0);
    // Others could read it.
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(place.path("secure/ca.key"), std::fs::Permissions::from_mode(0o444)).unwrap();
    let run = place.kpki(&words).fails(1);
    assert!(run.stderr.contains("expected a file that others cannot read, found mode 0444"), "{}", run.stderr);
    assert!(run.stderr.contains("hint: take the permission away from others"), "{}", run.stderr);
}

/// A pipe is read once in a run, for however many keys, whoever names it.
#[test]
fn a_passphrase_comes_through_a_pipe() {
    let made = made(Source::Encrypted);
    let place = &made.place;
    let lock = ["convert", "c/pki/etcd/ca.key", "--to", "pkcs8-encrypted", "--out-password-file", "pass"];
    place.kpki(&[&lock[..], &["--out", "locked.key"]].concat()).ok();
    place.write("c/pki/etcd/ca.key", place.read("locked.key"));
    let pipe = pipe(place, "secure/phrase").display().to_string();
    let words = ["renew", "cp1/apiserver", "cp1/etcd-server", "--dir", "c", "--at", DAY_1];
    let written = |more: &[&str], text: &'static str| {
        let to = pipe.clone();
        let writer = std::thread::spawn(move || std::fs::write(to, text).unwrap());
        let run = place.kpki(&[&words[..], more].concat());
        writer.join().unwrap();
        run
    };
    let good = "correct horse battery\nand more\n";
    assert!(good.starts_with(PASSPHRASE));
    let flag = ["--key-passphrase-file", &pipe];
    let run = written(&flag, good).status(0);
    assert!(run.stdout.contains("renewed 2 of 2 certificates"), "{}", run.stdout);
    made.leaks_nothing(&run, "a flag");
    let run = written(&flag, "wrong\n").status(5);
    assert!(!run.wrote && run.stderr.contains("the passphrase does not open it"), "{}", run.stderr);
    let stdin = ["--key-passphrase-file", "/dev/fd/0"];
    let run = place.kpki_with(&[&words[..], &stdin].concat(), good.as_bytes()).status(0);
    assert!(run.stdout.contains("renewed 2 of 2 certificates"), "{}", run.stdout);
    let key = format!("{{key: {{passphraseFile: {pipe}}}}}");
    place.write("p.yaml", profile(&format!("authorities: {{ca: {key}, etcd-ca: {key}}}\n")));
    let run = written(&["--profile", "p.yaml"], good).status(0);
    assert!(run.stdout.contains("renewed 2 of 2 certificates"), "{}", run.stdout);
    made.leaks_nothing(&run, "a profile");
}

#[test]
fn a_key_is_given_once() {
    let made = made(Source::File);
    let rows: &[(&[&str], &str)] = &[
        (&["--authority-key", "ca=-", "--authority-key", "etcd-ca=-"], "standard input can be read once"),
        (&["--authority-key", "ca=a", "--authority-key", "ca=b"], "ca is given twice"),
        (&["--authority-key", "ca="], "expected NAME=FILE"),
        (&["--authority-key", "sa=a"], "expected NAME=FILE"),
        (&["--key-passphrase-file", "a", "--key-passphrase-env", "B"], "cannot be used with"),
    ];
    for (words, why) in rows {
        let run = made.kpki(&[&["crl", "update"], *words].concat()).status(2);
        assert!(run.stderr.contains(why) && !run.wrote, "{words:?}: {}", run.stderr);
    }
    let merge = ["nodes", "merge", "-", "--dir", "c", "--authority-key", "ca=-"];
    let run = made.place.kpki_with(&merge, b"{}").fails(2);
    assert!(run.stderr.contains("standard input was given twice"), "{}", run.stderr);
}

/// Of a profile with the cluster's name: where nothing says so, no node gets a key.
fn profile(extra: &str) -> String {
    single(&format!(
        "- name: cp2\n  addresses: [10.0.0.12]\ncontrolPlaneEndpoint: lb.example.com:6443\n\
         encryptionAlgorithm: ECDSA-P256\ncaKeys: none\n{extra}"
    ))
}

/// The instant of every run of these tests but `init`.
fn at<'w>(words: &[&'w str]) -> Vec<&'w str> {
    if words.contains(&"--at") { words.to_vec() } else { [words, &["--at", DAY_1]].concat() }
}

const fn made_at() -> &'static str {
    NOW
}
