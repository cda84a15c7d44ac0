//! `kpki init` where an authority's key is no plain file of the tree.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use kpki::blueprint::Algorithm;
use kpki::ca::PrivateKey;

use super::backend::{Backend, profile, script, secret, served_signer, sign};
use super::harness::{Place, names, single};

const INIT: [&str; 4] = ["--profile", "p.yaml", "--dir", "c"];
const SEALED: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n";

fn authorities(place: &Place, lines: &str) {
    place.write("p.yaml", profile(1, &format!("authorities:\n{lines}")));
}

fn mode(place: &Place, name: &str) -> u32 {
    fs::metadata(place.path(name)).unwrap().permissions().mode() & 0o7777
}

#[test]
fn an_authority_whose_key_only_a_program_has() {
    for algorithm in [Algorithm::EcdsaP384, Algorithm::Rsa2048] {
        let place = Place::new();
        let key = PrivateKey::generate(algorithm).unwrap();
        let public = place.write("sec/fp.pub", key.public_pem());
        let program = served_signer(&place);
        let line = format!(
            "  front-proxy-ca: {{signer: {{command: [{}], input: message, publicKey: {}}}}}\n",
            program.display(),
            public.display()
        );
        authorities(&place, &line);
        let backend = Backend::start(&place.path("asked"), 1, move |message| sign(&key, message));
        let run = place.init(&INIT).ok();
        backend.end();
        assert!(
            run.stdout.contains(&format!("\nfront-proxy-ca: signs through {}\n", program.display())),
            "{}",
            run.stdout
        );
        assert!(!names(&place.path("c")).iter().any(|name| name.ends_with("front-proxy-ca.key")), "a key was written");
        assert!(place.kpki(&["inspect", "c/pki/front-proxy-ca.crt"]).stdout.contains(algorithm.name()));

        // Nobody answers any more: nothing to do asks nobody.
        let again = place.init(&["--dir", "c", "-o", "json"]).ok();
        assert!(!again.wrote);
        let entry =
            again.json()["entries"].as_array().unwrap().iter().find(|one| one["name"] == "front-proxy-ca").cloned();
        assert_eq!(entry.unwrap()["key"], format!("signs through {}", program.display()));
        place.kpki(&["init", "--at", super::harness::NOW, "--dir", "c", "--dry-run"]).ok();
    }
}

#[test]
fn a_public_key_out_of_a_command_and_what_is_none() {
    let place = Place::new();
    let key = PrivateKey::generate(Algorithm::EcdsaP256).unwrap();
    let (public, private) =
        (place.write("fp.pub", key.public_pem()), secret(&place, "fp.key", key.to_pem().as_bytes()));
    let twice = place.write("twice.pub", [key.public_pem(), key.public_pem()].concat());
    let program = served_signer(&place);
    let options = |public_key: &str| {
        format!(
            "  front-proxy-ca: {{signer: {{command: [{}], input: message, publicKey: {public_key}}}}}\n",
            program.display()
        )
    };
    let give = |name: &str, body: &str| format!("[{}]", script(&place, name, body).display());
    for (public_key, expected) in [
        (give("nothing", "exit 0"), "it ended without an answer"),
        (give("hello", "echo hello"), "expected one public key in PEM (PUBLIC KEY), found none or several"),
        (give("fails", "echo no token >&2; exit 4"), "it ended with exit status 4: no token"),
        (give("endless", "exec head -c 1000000000 /dev/zero"), "it answered with more than 16384 octets"),
        (private.display().to_string(), "expected one public key in PEM (PUBLIC KEY), found none or several"),
        (twice.display().to_string(), "expected one public key in PEM (PUBLIC KEY), found none or several"),
        ("/nowhere/fp.pub".to_owned(), "it is missing"),
    ] {
        authorities(&place, &options(&public_key));
        let run = place.init(&INIT).fails(1);
        assert!(run.stderr.contains(&format!(": {expected}\n")), "{public_key}: {}", run.stderr);
        assert!(!run.stderr.contains("PRIVATE"), "{}", run.stderr);
    }
    authorities(&place, &options(&give("right", &format!("cat {}", public.display()))));
    let backend = Backend::start(&place.path("asked"), 1, move |message| sign(&key, message));
    place.init(&INIT).ok();
    backend.end();
}

#[test]
fn a_signer_without_public_key_makes_no_authority() {
    let place = Place::new();
    let program = script(&place, "sign", &format!("touch {}", place.path("ran").display()));
    authorities(&place, &format!("  etcd-ca: {{signer: [{}]}}\n", program.display()));
    for words in [&INIT[..], &["--profile", "p.yaml", "--dir", "c", "--dry-run"]] {
        let run = place.init(words).fails(1);
        let said = "error: authorities.etcd-ca.signer.publicKey is missing in the profile: etcd-ca is to be made, and its certificate \
                    needs the public key\nhint: state it beside authorities.etcd-ca.signer.command: ";
        assert!(run.stderr.starts_with(said), "{}", run.stderr);
    }
    authorities(&place, &format!("  etcd-ca: {{issuer: [{}]}}\n", program.display()));
    let run = place.init(&INIT).fails(1);
    assert!(run.stderr.contains("its key is with its issuer (authorities.etcd-ca.issuer)"), "{}", run.stderr);
    assert!(!place.path("ran").exists());
}

#[test]
fn a_key_outside_the_tree_is_made_or_used() {
    let place = Place::new();
    fs::create_dir(place.path("sec")).unwrap();
    fs::set_permissions(place.path("sec"), fs::Permissions::from_mode(0o700)).unwrap();
    secret(&place, "pass", "long enough\n");
    let at = |name: &str| place.path(name).display().to_string();
    let own = PrivateKey::generate(Algorithm::EcdsaP384).unwrap();
    secret(&place, "sec/etcd.key", own.to_pem().as_bytes());
    let lines = format!(
        "  ca: {{key: {{file: {}}}}}\n  front-proxy-ca: {{key: {{file: {}, passphraseFile: {}}}}}\n  etcd-ca: {{key: {{file: {}}}}}\n",
        at("sec/ca.key"),
        at("sec/fp.key"),
        at("pass"),
        at("sec/etcd.key")
    );
    authorities(&place, &lines);
    place.init(&["--profile", "p.yaml", "--dir", "c", "--dry-run"]).ok();
    assert!(!place.path("sec/ca.key").exists());
    let run = place.init(&INIT).ok();
    assert!(run.stdout.contains(&format!("\nca: its key comes from {}\n", at("sec/ca.key"))), "{}", run.stdout);
    assert!(place.read("sec/ca.key").starts_with("-----BEGIN EC PRIVATE KEY-----\n"));
    assert!(place.read("sec/fp.key").starts_with(SEALED));
    assert_eq!((mode(&place, "sec/ca.key"), mode(&place, "sec/fp.key")), (0o600, 0o600));
    let all = names(&place.path("c"));
    assert!(!all.iter().any(|name| name.contains("ca.key")), "{all:?}");
    assert!(place.kpki(&["inspect", "c/pki/etcd/ca.crt"]).stdout.contains("ECDSA-P384"));
    assert!(!place.init(&["--dir", "c"]).ok().wrote);

    // Made again by the same keys, where the tree was lost.
    fs::remove_dir_all(place.path("c")).unwrap();
    place.init(&INIT).ok();

    // Another kind of key than the profile states.
    fs::remove_dir_all(place.path("c")).unwrap();
    authorities(&place, &format!("  etcd-ca: {{algorithm: RSA-2048, key: {{file: {}}}}}\n", at("sec/etcd.key")));
    let run = place.init(&INIT).fails(1);
    let said = "expected a key of kind RSA-2048, as the profile states, found ECDSA-P384\nhint: state the algorithm";
    assert!(run.stderr.contains(said), "{}", run.stderr);

    // No directory for it, and one that others can write to.
    authorities(&place, &format!("  ca: {{key: {{file: {}}}}}\n", at("nowhere/ca.key")));
    place.init(&INIT).fails(1);
    fs::create_dir(place.path("open")).unwrap();
    fs::set_permissions(place.path("open"), fs::Permissions::from_mode(0o777)).unwrap();
    authorities(&place, &format!("  ca: {{key: {{file: {}}}}}\n", at("open/ca.key")));
    place.init(&INIT).fails(1);
}

#[test]
fn keys_of_authorities_are_encrypted_from_the_first_byte() {
    let place = Place::new();
    place.write("p.yaml", profile(1, ""));
    secret(&place, "pass", "long enough\n");
    let run = place.init(&[&INIT[..], &["--key-passphrase-file", "pass"]].concat()).ok();
    for name in ["ca", "front-proxy-ca", "etcd-ca"] {
        assert!(run.stdout.contains(&format!("\n{name}: its key is encrypted\n")), "{}", run.stdout);
    }
    let says = "\nA run without a terminal, such as a scheduled renewal, signs by ca, front-proxy-ca, etcd-ca only with the passphrase: \
                name it in the profile (authorities.ca.key.passphraseFile or passphraseEnv)";
    assert!(run.stdout.contains(says), "{}", run.stdout);
    for name in ["ca", "front-proxy-ca", "etcd/ca"] {
        assert!(place.read(&format!("c/pki/{name}.key")).starts_with(SEALED), "{name}");
    }
    assert!(place.read("c/pki/sa.key").starts_with("-----BEGIN EC PRIVATE KEY-----\n"));
    assert!(!place.init(&["--dir", "c"]).ok().wrote, "nothing to do needs no passphrase");

    // What another authority signs is made, and the rest is left with the reason, once.
    for name in ["admin.conf", "scheduler.conf", "pki/etcd/server.crt", "pki/etcd/server.key"] {
        fs::remove_file(place.path(&format!("c/nodes/cp1/{name}"))).unwrap();
    }
    let run = place.init(&["--dir", "c"]).status(5);
    let dir = place.path("c");
    assert_eq!(
        run.stderr,
        format!(
            "warning: the key of ca: {0}/pki/ca.key: it is encrypted, and there is no passphrase; cp1/admin.conf and \
             cp1/scheduler.conf are left; give it with --key-passphrase-file FILE or --key-passphrase-env VARIABLE, name it in the \
             profile (passphraseFile, passphraseEnv), or run on a terminal to be asked\n\
             warning: the key of etcd-ca: {0}/pki/etcd/ca.key: it is encrypted, and there is no passphrase; cp1/etcd-server is left; give \
             it with --key-passphrase-file FILE or --key-passphrase-env VARIABLE, name it in the profile (passphraseFile, \
             passphraseEnv), or run on a terminal to be asked\n",
            dir.display()
        )
    );
    assert!(!run.wrote);
    place.init(&["--dir", "c", "--key-passphrase-file", "pass"]).ok();
    assert!(place.path("c/nodes/cp1/admin.conf").exists());
}

/// A passphrase in the profile is there for every run.
#[test]
fn a_passphrase_that_the_profile_names_is_found_by_a_scheduled_run() {
    let place = Place::new();
    let pass = secret(&place, "pass", "long enough\n");
    authorities(&place, &format!("  ca: {{key: {{passphraseFile: {}}}}}\n", pass.display()));
    let run = place.init(&INIT).ok();
    assert!(run.stdout.contains("\nca: its key is encrypted\n"), "{}", run.stdout);
    assert!(!run.stdout.contains("A run without a terminal"), "{}", run.stdout);
}

/// A passphrase file that was named and cannot be used is an error before anything is done.
#[test]
fn a_passphrase_file_that_cannot_be_used_is_refused_at_once() {
    let place = Place::new();
    place.write("p.yaml", profile(1, ""));
    secret(&place, "pass", "long enough\n");
    place.init(&[&INIT[..], &["--key-passphrase-file", "pass"]].concat()).ok();
    let open = place.write("it is open", "long enough\n");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).unwrap();
    let verbs: [&[&str]; 5] = [
        &["renew", "all", "--dir", "c"],
        &["renew", "all", "--due", "--dir", "c"],
        &["crl", "update", "--dir", "c"],
        &["key", "protect", "all", "--dir", "c"],
        &["init", "--dir", "other", "--profile", "p.yaml"],
    ];
    for verb in verbs {
        let run = place.kpki(&[verb, &["--key-passphrase-file", "it is open"]].concat()).fails(1);
        let says = format!(
            "error: --key-passphrase-file: the passphrase cannot be read\ncaused by: '{0}': expected a file that others cannot read, \
             found mode 0644\nhint: take the permission away from others: chmod go-rwx '{0}'\n",
            open.display()
        );
        assert_eq!(run.stderr, says, "{verb:?}");
        let run = place.kpki(&[verb, &["--key-passphrase-file", "none"]].concat()).fails(1);
        assert!(run.stderr.contains("none of its passphrase is missing"), "{verb:?}: {}", run.stderr);
    }
    let words =
        ["key", "protect", "ca", "--dir", "c", "--key-passphrase-file", "pass", "--new-passphrase-file", "none"];
    let run = place.kpki(&words).fails(1);
    assert!(run.stderr.starts_with("error: --new-passphrase-file: the passphrase cannot be read\n"), "{}", run.stderr);
}

#[test]
fn what_nodes_read_in_plain_is_not_encrypted() {
    let place = Place::new();
    secret(&place, "pass", "long enough\n");
    secret(&place, "empty", "\n");
    place.write("node.yaml", single(""));
    place.write("p.yaml", profile(2, "").replace("caKeys: none\n", ""));
    for (text, found) in [("node.yaml", "found the tree of the node cp1"), ("p.yaml", "found caKeys: control-plane")] {
        for words in [&["--dry-run"][..], &[]] {
            let run = place
                .init(&[&["--profile", text, "--dir", "c", "--key-passphrase-file", "pass"], words].concat())
                .fails(2);
            let said = format!(
                "error: --key-passphrase-file: the keys of ca, front-proxy-ca, etcd-ca cannot be encrypted here\ncaused by: expected a \
                 cluster directory with caKeys: none, {found}\ncaused by: kube-controller-manager and kubeadm read an authority's key \
                 in plain\nhint: "
            );
            assert!(run.stderr.starts_with(&said), "{}", run.stderr);
        }
    }
    place.write("p.yaml", profile(1, ""));
    let run = place.init(&[&INIT[..], &["--key-passphrase-file", "empty"]].concat()).fails(1);
    assert!(run.stderr.contains("the passphrase for a new key is empty"), "{}", run.stderr);
    let run = place.init(&[&INIT[..], &["--key-passphrase-env", "NOT_SET"]].concat()).fails(1);
    assert!(run.stderr.contains("the environment variable NOT_SET of its passphrase is not set"), "{}", run.stderr);
}

#[test]
fn a_new_authority_by_a_key_from_the_command_line() {
    let place = Place::new();
    place.write("p.yaml", profile(1, ""));
    let key = PrivateKey::generate(Algorithm::EcdsaP256).unwrap().to_pem();
    let words = [&["init", "--at", super::harness::NOW], &INIT[..], &["--authority-key", "ca=-"]].concat();
    let run = place.kpki_with(&words, key.as_bytes()).status(0);
    assert!(run.stdout.contains("\nca: its key comes from standard input or a pipe\n"), "{}", run.stdout);
    assert!(!place.path("c/pki/ca.key").exists());
    let run = place.init(&["--profile", "p.yaml", "--dir", "d", "--authority-key", "ca=nowhere.key"]).fails(1);
    assert!(run.stderr.contains("nowhere.key: it is missing"), "{}", run.stderr);
}
