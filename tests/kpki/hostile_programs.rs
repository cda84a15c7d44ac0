//! Programs that sign or give a key, and do it wrong: every one of them is an error or leaves its entries, and the tree is as it was.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use kpki::blueprint::Algorithm;
use kpki::ca::PrivateKey;

use super::backend::{Backend, LATER, made, profile, renew, script, secret, served_signer, sign};
use super::harness::Place;

/// What the program does, and what is said of it.
const SIGNERS: [(&str, &str); 13] = [
    ("cat > /dev/null", "it ended without an answer"),
    ("exec > /dev/null; cat", "it ended without an answer"),
    ("exec >&-; cat > /dev/null; exit 0", "it ended without an answer"),
    ("cat > /dev/null; echo the token is locked >&2; exit 3", "it ended with exit status 3: the token is locked"),
    ("cat > /dev/null; printf garbage", "its answer is no signature of this key: nothing was signed"),
    ("exec < /dev/null; printf garbage", "its answer is no signature of this key: nothing was signed"),
    ("cat", "its answer is no signature of this key: nothing was signed"),
    ("exec head -c 1000000000 /dev/zero", "it answered with more than 1024 octets"),
    ("exec sleep 1000", "it did not answer in time, and was ended"),
    ("sleep 3; cat SIGNATURE", "it did not answer in time, and was ended"),
    ("cat SIGNATURE; kill -9 $$", "it was ended by signal 9"),
    ("sleep 3 & cat SIGNATURE", "its answer is no signature of this key: nothing was signed"),
    ("cat SIGNATURE >&2; cat SIGNATURE", "its answer is no signature of this key: nothing was signed"),
];

#[test]
fn a_signer_that_does_not_sign_changes_nothing() {
    let (place, key) = made(1);
    // A signature of the right key, for something else.
    let signature = place.write("signature", sign(&key, b"something else"));
    for (body, expected) in SIGNERS {
        let program = script(&place, "sign", &body.replace("SIGNATURE", signature.to_str().unwrap()));
        let program = program.display();
        let run = renew(&place, 1, &format!("signer: {{command: [{program}], timeout: 1s}}"));
        let why = format!("the key of front-proxy-ca: the signer {program}: {expected}");
        // A signature of another key is no outage.
        if expected.contains("no signature") {
            let run = run.fails(1);
            let said = format!("error: cannot sign; nothing was written\ncaused by: {why}\n");
            assert!(run.stderr.starts_with(&said), "{body}: {}", run.stderr);
            assert!(run.stderr.contains("\nhint: "), "{body}: {}", run.stderr);
        } else {
            let run = run.status(5);
            assert!(!run.wrote && run.stderr.contains(&why), "{body}: {}", run.stderr);
        }
    }
}

#[test]
fn a_signature_of_another_key_is_none() {
    let (place, _) = made(1);
    let program = served_signer(&place);
    for algorithm in [Algorithm::EcdsaP256, Algorithm::EcdsaP384, Algorithm::Rsa2048] {
        let other = PrivateKey::generate(algorithm).unwrap();
        let backend = Backend::start(&place.path("asked"), 1, move |message| sign(&other, message));
        let before = place.files();
        let run = renew(&place, 1, &format!("signer: {{command: [{}], input: message}}", program.display())).status(1);
        backend.end();
        assert!(run.stderr.contains("its answer is no signature of this key: nothing was signed"), "{}", run.stderr);
        assert_eq!(run.stdout, "");
        let tree = |files: &std::collections::BTreeMap<String, (u32, Vec<u8>)>| {
            files
                .iter()
                .filter(|(name, _)| name.starts_with("c/"))
                .map(|(n, f)| (n.clone(), f.clone()))
                .collect::<Vec<_>>()
        };
        assert_eq!(tree(&place.files()), tree(&before), "{algorithm}");
    }
}

#[test]
fn the_right_signature_is_used() {
    let (place, key) = made(1);
    let program = served_signer(&place);
    let backend = Backend::start(&place.path("asked"), 1, move |message| sign(&key, message));
    renew(&place, 1, &format!("signer: {{command: [{}], input: message}}", program.display())).warns();
    assert_eq!(backend.end(), 1);
    let verified = place.kpki(&["verify", "--dir", "c", "--at", LATER]);
    assert_eq!(verified.status, 0, "{} {}", verified.stdout, verified.stderr);
}

#[test]
fn what_a_signer_complains_of_is_bounded_and_plain() {
    let (place, _) = made(1);
    for body in
        ["printf 'a\\033[31mred\\033]0;title\\007' >&2; exit 1", "head -c 1000000 /dev/zero | tr '\\0' x >&2; exit 1"]
    {
        let program = script(&place, "sign", &format!("cat > /dev/null; {body}"));
        let run = renew(&place, 1, &format!("signer: [{}]", program.display())).status(5);
        assert!(!run.wrote);
        assert!(run.stderr.len() < 8 << 10, "{}", run.stderr.len());
        assert!(!run.stderr.contains(['\u{1b}', '\u{7}']), "{}", run.stderr);
    }
}

#[test]
fn a_program_that_others_can_change_is_not_run() {
    let (place, _) = made(1);
    let ran = place.path("ran");
    let program = script(&place, "bin/sign", &format!("touch {}", ran.display()));
    for (path, mode) in [("bin/sign", 0o777), ("bin/sign", 0o775), ("bin", 0o777)] {
        let open = place.path(path);
        let usual = fs::metadata(&open).unwrap().permissions();
        fs::set_permissions(&open, fs::Permissions::from_mode(mode)).unwrap();
        let run = renew(&place, 1, &format!("signer: [{}]", program.display())).status(5);
        assert!(!run.wrote && run.stderr.contains(open.to_str().unwrap()), "{path}: {}", run.stderr);
        let run = renew(&place, 1, &format!("key: {{command: [{}]}}", program.display())).status(5);
        assert!(!run.wrote && run.stderr.contains(open.to_str().unwrap()), "{path}: {}", run.stderr);
        assert!(!ran.exists(), "{path} {mode:o}");
        fs::set_permissions(&open, usual).unwrap();
    }
    // One that is not there at all.
    for command in ["/nowhere/sign", "no-such-program-anywhere"] {
        let run = renew(&place, 1, &format!("signer: [{command}]")).status(5);
        assert!(!run.wrote && run.stderr.contains(command), "{}", run.stderr);
    }
}

/// What the program does, and what is said of it. `KEY`: the right key.
const KEYS: [(&str, &str); 10] = [
    ("exit 0", "it ended without an answer"),
    ("cat KEY >&2; exit 1", "it ended with exit status 1"),
    ("cat KEY; exit 1", "it ended with exit status 1"),
    ("cat KEY; kill -9 $$", "it was ended by signal 9"),
    ("cat OTHER", "expected the key of the authority's certificate, found another one"),
    ("cat OTHER KEY", "expected the key of the authority's certificate, found another one"),
    ("head -c 120 KEY", ""),
    ("tr a-m A-M < KEY", ""),
    ("echo hello", ""),
    ("cat KEY; exec head -c 1000000000 /dev/zero", "it answered with more than 65536 octets"),
];

#[test]
fn a_command_that_gives_no_key_leaves_what_it_would_sign() {
    let (place, _) = made(1);
    let key = place.read("sec/fp.key");
    let other = PrivateKey::generate(Algorithm::EcdsaP256).unwrap().to_pem();
    secret(&place, "sec/other.key", other.as_bytes());
    for (body, expected) in KEYS {
        let paths = [("KEY", "sec/fp.key"), ("OTHER", "sec/other.key")];
        let body = paths
            .iter()
            .fold(body.to_owned(), |body, (word, name)| body.replace(word, place.path(name).to_str().unwrap()));
        let program = script(&place, "give", &body);
        let run = renew(&place, 1, &format!("key: {{command: [{}]}}", program.display())).status(5);
        let said = format!("the key of front-proxy-ca: the command {}: {expected}", program.display());
        assert_eq!(run.stderr.matches(&said).count(), 1, "{body}: {}", run.stderr);
        assert!(
            run.stdout.contains("the key of its signer front-proxy-ca could not be opened"),
            "{body}: {}",
            run.stdout
        );
        assert!(!run.wrote, "{body}: {}", run.stdout);
        for text in [key.as_str(), other.as_str()] {
            for line in text.lines().filter(|line| !line.starts_with("--")) {
                let piece = &line[..line.len().min(16)];
                assert!(
                    !run.stdout.contains(piece) && !run.stderr.contains(piece),
                    "{body}: {} {}",
                    run.stdout,
                    run.stderr
                );
            }
        }
    }
    let program = script(&place, "give", &format!("cat {}", place.path("sec/fp.key").display()));
    renew(&place, 1, &format!("key: {{command: [{}]}}", program.display())).warns();
}

/// The program is ended, with all that it has started.
#[test]
fn a_command_that_hangs_is_ended_in_time() {
    let (place, _) = made(1);
    let key = place.path("sec/fp.key").display().to_string();
    for body in [
        "exec sleep 1000".to_owned(),
        "trap '' TERM; sleep 1000".to_owned(),
        format!("cat {key}; exec sleep 1000"),
        format!("sleep 1000 & cat {key}; wait"),
        format!("trap '' TERM; sleep 4; cat {key}"),
    ] {
        let program = script(&place, "give", &body);
        let run = renew(&place, 1, &format!("key: {{command: [{}], timeout: 1s}}", program.display())).status(5);
        let says = format!("the command {}: it did not answer in time, and was ended", program.display());
        assert_eq!(run.stderr.matches(&says).count(), 1, "{body}: {}", run.stderr);
        assert!(run.stderr.contains("timeout beside command in the profile"), "{body}: {}", run.stderr);
        assert!(!run.wrote, "{body}: {}", run.stdout);
    }
    // One that takes its time has it.
    let program = script(&place, "give", &format!("sleep 2; cat {key}"));
    renew(&place, 1, &format!("key: {{command: [{}], timeout: 1m}}", program.display())).warns();
}

/// Everything that a program is given in its environment.
fn environment(place: &Place, name: &str) -> Vec<String> {
    // What the shell itself adds.
    let own = ["PWD=", "OLDPWD=", "SHLVL=", "_="];
    let text = place.read(name);
    let mut lines: Vec<String> =
        text.lines().filter(|line| !own.iter().any(|own| line.starts_with(own))).map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn programs_get_what_they_need_and_no_passphrase() {
    let (place, key) = made(1);
    let served = served_signer(&place);
    let out = |name: &str| place.path(name).display().to_string();
    let signer =
        script(&place, "sign", &format!("env > {}; pwd > {}; . {}", out("env-sign"), out("cwd"), served.display()));
    let give = script(&place, "give", &format!("env > {}; cat {}", out("env-give"), out("sec/ca.key")));
    secret(&place, "sec/ca.key", place.read("c/pki/ca.key"));
    fs::remove_file(place.path("c/pki/ca.key")).unwrap();
    let text = profile(
        1,
        &format!(
            "authorities:\n  front-proxy-ca: {{signer: {{command: [{}], input: message}}}}\n  ca: {{key: {{command: [{}], \
             passphraseEnv: OTHER_PASS}}}}\nrenewal: {{hooks: {{pre: 'env > {}'}}}}\n",
            signer.display(),
            give.display(),
            out("env-hook")
        ),
    );
    place.write("p.yaml", text);
    let backend = Backend::start(&place.path("asked"), 1, move |message| sign(&key, message));
    let words = [
        "renew",
        "front-proxy-client",
        "apiserver",
        "--profile",
        "p.yaml",
        "--dir",
        "c",
        "--at",
        LATER,
        "--allow-future",
    ];
    let run = Command::new(env!("CARGO_BIN_EXE_kpki"))
        .args(words)
        .args(["--key-passphrase-env", "KEY_PASS"])
        .current_dir(place.path(""))
        .env_clear()
        .envs([
            ("PATH", "/usr/bin:/bin"),
            ("OTHER_PASS", "secret1"),
            ("KEY_PASS", "secret2"),
            ("KPKI_AUTHORITY", "forged"),
            ("FOO", "bar"),
        ])
        .output()
        .unwrap();
    backend.end();
    let said = format!("{}{}", String::from_utf8(run.stdout).unwrap(), String::from_utf8(run.stderr).unwrap());
    assert!(run.status.success(), "{said}");
    assert!(!said.contains("secret"), "{said}");
    let dir = out("c");
    assert_eq!(
        environment(&place, "env-sign"),
        [
            "FOO=bar".to_owned(),
            "KPKI_AUTHORITY=front-proxy-ca".to_owned(),
            "KPKI_CLUSTER=kubernetes".to_owned(),
            format!("KPKI_DIR={dir}"),
            "KPKI_PURPOSE=certificate".to_owned(),
            "KPKI_SIGN_ALGORITHM=ecdsa-sha256".to_owned(),
            "KPKI_SIGN_INPUT=message".to_owned(),
            "PATH=/usr/bin:/bin".to_owned(),
        ]
    );
    assert_eq!(
        environment(&place, "env-give"),
        [
            "FOO=bar".to_owned(),
            "KPKI_AUTHORITY=ca".to_owned(),
            "KPKI_CLUSTER=kubernetes".to_owned(),
            format!("KPKI_DIR={dir}"),
            "PATH=/usr/bin:/bin".to_owned(),
        ]
    );
    assert!(!place.read("env-hook").contains("secret"), "{}", place.read("env-hook"));
    assert_eq!(place.read("cwd"), "/\n");
}

#[test]
fn so_many_signatures_at_once_as_the_profile_says() {
    for (parallel, nodes) in [(1, 3), (3, 3), (6, 6)] {
        let (place, key) = made(nodes);
        let program = served_signer(&place);
        // Nothing is answered before so many wait: with fewer the run would fail.
        let backend = Backend::start(&place.path("asked"), parallel, move |message| sign(&key, message));
        let options = format!("signer: {{command: [{}], input: message, parallel: {parallel}}}", program.display());
        renew(&place, nodes, &options).warns();
        assert_eq!(backend.end(), parallel);
    }
}

#[test]
fn what_others_sign_does_not_wait_for_a_signer_that_fails() {
    let (place, _) = made(1);
    let program = script(
        &place,
        "sign",
        "cat > /dev/null; echo asked >> ASKED; exit 3".replace("ASKED", place.path("asked").to_str().unwrap()).as_str(),
    );
    let authorities = format!("authorities:\n  front-proxy-ca: {{signer: [{}]}}\n", program.display());
    place.write("p.yaml", profile(1, &authorities));
    let run = place.kpki(&["renew", "all", "-d", "c", "-p", "p.yaml", "--at", LATER]).status(5);
    assert!(run.stdout.contains("could not be renewed") && run.stdout.contains("cp1/apiserver "), "{}", run.stdout);
    assert_eq!(run.stderr.matches("it ended with exit status 3").count(), 1, "{}", run.stderr);
    // It is asked once, and not for each of its certificates.
    assert_eq!(place.read("asked"), "asked\n");
    let left = place.kpki(&["renew", "all", "-d", "c", "-p", "p.yaml", "--at", LATER, "-o", "json"]).status(5).json();
    let left = left["trees"][0]["entries"].as_array().unwrap().iter().filter(|one| one["action"] == "left").count();
    assert_eq!(left, 1, "front-proxy-client alone");
    let quiet = place.kpki(&["crl", "update", "-q", "-d", "c", "-p", "p.yaml", "--at", LATER]).status(5);
    assert!(quiet.wrote && quiet.stderr.contains("front-proxy-ca.crl was not signed: "), "{}", quiet.stderr);
}
