//! Every form that people hand in: what kpki reads is shown, judged and converted; what it does not read is named, with the
//! command that takes it; and no sentence is a parser's.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::harness::{NOW, Place, Run, copy_tree, repository, text};

const FORMS: &str = "fixtures/forms";
const CHAIN: &str = "fixtures/convert";

/// The fixtures of both directories, and files with passwords.
fn place() -> Place {
    let place = Place::new();
    copy_tree(&repository(FORMS), &place.path(""));
    copy_tree(&repository(CHAIN), &place.path(""));
    place.write("pass", "secret\n");
    place.write("pass2", "secret2\n");
    place.write("wrong", "Secret\n");
    place
}

fn kpki(place: &Place, command: &str) -> Run {
    place.kpki(&command.split(' ').collect::<Vec<_>>())
}

/// Command, exit status, what is said (`!`: is not).
type Row = (&'static str, i32, &'static [&'static str]);

#[track_caller]
fn hold(place: &Place, rows: &[Row]) {
    for (command, status, said) in rows {
        let run = kpki(place, command);
        let all = format!("{}{}", run.stdout, run.stderr);
        assert_eq!(run.status, *status, "{command}\n{all}");
        for text in *said {
            match text.strip_prefix('!') {
                Some(text) => assert!(!all.contains(text), "{text:?} is said: {command}\n{all}"),
                None => assert!(all.contains(text), "{text:?} is not said: {command}\n{all}"),
            }
        }
    }
}

#[test]
fn inspect_shows_every_form() {
    hold(
        &place(),
        &[
            ("inspect chain.p7b", 0, &["PKCS#7 (1 of 4)", "certificates:  3", "CN=leaf"]),
            ("inspect chain.der.p7b", 0, &["PKCS#7 (1 of 4)", "CA certificate (4 of 4)"]),
            ("inspect with-crl.p7b", 0, &["CRLs:          1", "CRL (3 of 3)"]),
            ("inspect only-crl.p7b", 0, &["certificates:  0", "CRL (2 of 2)"]),
            (
                "inspect signed.p7m",
                0,
                &["signed content:       plain data", "signatures verified:  no", "signatures:           1"],
            ),
            ("inspect stream.cms", 0, &["signed content:       plain data", "certificate (2 of 2)"]),
            (
                "inspect enveloped.p7m",
                1,
                &["expected PKCS#7 with certificates (SignedData), found an encrypted message"],
            ),
            ("inspect modern.p12", 1, &["PKCS#12 file: is encrypted, and no password is given", "--password-file"]),
            ("inspect modern.p12 --password-file wrong", 1, &["PKCS#12 file: the password does not open it"]),
            (
                "inspect modern.p12 --password-file pass",
                0,
                &[
                    "PKCS#12 file (1 of 5)",
                    "private keys:       1",
                    "certificate of web",
                    "private key of web",
                    "ECDSA-P256",
                ],
            ),
            ("inspect empty-password.p12", 0, &["PKCS#12 file (1 of 5)"]),
            (
                "inspect store.jks",
                0,
                &[
                    "Java KeyStore (JKS) (1 of 8)",
                    "integrity checked:  no",
                    "CN=leaf",
                    "private key of web",
                    "encrypted:  yes",
                ],
            ),
            ("inspect store.jks --password-file wrong", 1, &["Java KeyStore (JKS): the password does not open it"]),
            ("inspect store.jceks --password-file pass", 0, &["integrity checked:  yes", "ECDSA-P256", "PRIVATE KEY"]),
            ("inspect secret.jceks", 1, &["found a secret key as entry "]),
            ("inspect trusted.jks", 0, &["CA certificate of röot"]),
            ("inspect ssh.rsa", 0, &["RSA-2048", "OPENSSH PRIVATE KEY", "encrypted:          no"]),
            ("inspect ssh.rsa.pub ssh.p521.pub", 0, &["public key", "RSA-2048", "ECDSA-P521"]),
            ("inspect ssh.ed25519 ssh.ed25519.pub", 0, &["Ed25519"]),
            ("inspect ssh.locked", 0, &["Ed25519", "encrypted:          yes"]),
            ("inspect ssh.locked --password-file pass", 0, &["Ed25519", "key SHA-256", "encrypted:          yes"]),
            ("inspect ssh.locked --password-file wrong", 1, &["OPENSSH PRIVATE KEY: the password does not open it"]),
            ("inspect ssh.chacha20-poly1305 --password-file pass", 1, &["ssh-keygen -p -Z aes256-ctr"]),
            ("inspect rsa.old-aes256.key", 0, &["RSA PRIVATE KEY", "encrypted:  yes", "!RSA-2048"]),
            ("inspect rsa.old-aes256.key --password-file pass", 0, &["RSA-2048", "encrypted:          yes"]),
            ("inspect rsa.old-des3.key --password-file wrong", 1, &["RSA PRIVATE KEY: the password does not open it"]),
            ("inspect rsa.old-camellia128.key --password-file pass", 1, &["found CAMELLIA-128-CBC"]),
            ("inspect leaf.scrypt.key --password-file pass", 0, &["ECDSA-P256", "ENCRYPTED PRIVATE KEY"]),
            ("inspect rsa.pkcs1.pub", 0, &["public key", "RSA-2048"]),
        ],
    );
}

#[test]
fn inspect_shows_keys_that_nothing_is_signed_with() {
    hold(
        &place(),
        &[
            ("inspect ed25519.pub ed25519.key", 0, &["Ed25519"]),
            ("inspect x25519.pub x25519.key", 0, &["X25519"]),
            ("inspect ed448.pub ed448.key ed448.crt ed448.csr", 0, &["Ed448", "signature valid:    unknown"]),
            ("inspect x448.pub x448.key", 0, &["X448"]),
            ("inspect rsa-pss.pub rsa-pss.key", 0, &["RSASSA-PSS-2048"]),
            ("inspect p521.pub p521.key p521.sec1.key", 0, &["ECDSA-P521"]),
            ("inspect secp256k1.pub secp256k1.key secp256k1.sec1.key", 0, &["ECDSA-secp256k1"]),
            ("inspect brainpool.pub brainpool.key", 0, &["ECDSA-brainpoolP256r1"]),
            ("inspect dsa.pub dsa.key dsa.pkcs8.key", 0, &["DSA-1024", "DSA PRIVATE KEY"]),
            ("inspect dh.pub dh.key", 0, &["DH-2048"]),
            (
                "inspect p256.explicit.pub p256.explicit.key p256.explicit.sec1.key p256.explicit.crt",
                0,
                &["EC with explicit parameters (256 bits)"],
            ),
            // The halves of one key are known as such.
            ("inspect rsa-pss.key rsa-pss.pub -o json", 0, &["RSASSA-PSS-2048"]),
        ],
    );
    let place = place();
    for name in ["rsa-pss", "p521", "secp256k1", "p256.explicit"] {
        let json = kpki(&place, &format!("inspect {name}.key {name}.pub -o json")).ok().json();
        let sha = |file: usize| json["files"][file]["objects"][0]["keySha256"].clone();
        assert!(sha(0).is_string() && sha(0) == sha(1), "{name}");
    }
}

#[test]
fn what_is_not_read_is_named_with_what_takes_it() {
    hold(
        &place(),
        &[
            ("inspect ocsp.request.der", 1, &["found an OCSP request (openssl ocsp -reqin FILE -text"]),
            ("inspect ocsp.response.der", 1, &["found an OCSP response"]),
            ("inspect ts.request.der", 1, &["found a timestamp request"]),
            ("inspect ts.response.der", 1, &["found a timestamp response"]),
            ("inspect rsa.pvk", 1, &["found a Microsoft PVK private key (openssl rsa -inform PVK"]),
            ("inspect dh.params.pem", 1, &["DH PARAMETERS (openssl dhparam"]),
            ("convert rsa.pvk --to pem", 1, &["found a Microsoft PVK private key"]),
            ("convert ocsp.response.der --to pem", 1, &["found an OCSP response"]),
            (
                "sign --ca-cert root.crt --ca-key root.key --usage server --out x modern.p12",
                1,
                &["found a PKCS#12 file"],
            ),
            (
                "sign --ca-cert root.crt --ca-key root.key --usage server --out x store.jks",
                1,
                &["found a Java KeyStore (JKS)"],
            ),
            ("check-expiration rsa.pvk", 4, &["found a Microsoft PVK private key"]),
        ],
    );
    let place = place();
    place.write("key.ppk", "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n");
    hold(
        &place,
        &[("inspect key.ppk", 1, &["found a PuTTY private key (puttygen FILE -O private-openssh-new -o KEY"])],
    );
}

#[test]
fn convert_takes_every_form() {
    let place = place();
    hold(
        &place,
        &[
            ("convert chain.p7b --to pem --out p7b.pem", 0, &["3 certificates"]),
            ("convert chain.der.p7b --to pem --out der.pem", 0, &["3 certificates"]),
            ("convert leaf.crt intermediate.crt root.crt --to pem --out chain.pem", 0, &[]),
            ("convert with-crl.p7b --to parts --out parts", 0, &["CRL", "with-crl-2.crl"]),
            (
                "convert signed.p7m --to pem --out s.pem",
                0,
                &["left out what is signed in it: plain data", "signatures were not verified"],
            ),
            ("convert enveloped.p7m --to pem", 1, &["found an encrypted message"]),
            ("convert dh.params.pem --to pem", 1, &["found Diffie-Hellman parameters and no key"]),
            (
                "convert leaf.crt leaf.key intermediate.crt root.crt leaf.crt --to p7b --out made.p7b",
                0,
                &["left out 1 objects", "PKCS#7: 3 certificates"],
            ),
            ("convert made.p7b --to pem --out again.pem", 0, &[]),
            ("convert root.crt root.crl --to p7b --der --out made.der.p7b", 0, &["certificate, CRL"]),
            ("convert leaf.key --to p7b --out none", 1, &["expected certificates or CRLs for PKCS#7, found none"]),
            ("convert web.jks --password-file pass --to pem --out jks.pem", 0, &["3 certificates"]),
            (
                "convert store.jks --password-file pass --to pem --out x",
                1,
                &["not its key other", "keytool -keypasswd"],
            ),
            ("convert store.jks --to pem --out x", 1, &["is encrypted, and no password is given"]),
            ("convert store.jks --password-file wrong --to pem --out x", 1, &["the password does not open it"]),
            ("convert trusted.jks --to pem --out trusted.pem", 0, &["changes to it cannot be detected"]),
            ("convert web.jks --password-file pass --to p12 --out web.p12 --out-password-file pass2", 0, &["PKCS#12"]),
            ("inspect web.p12 --password-file pass2", 0, &["private keys:       1"]),
            ("convert ssh.rsa --to pkcs8 --out ssh.rsa.pem", 0, &["PKCS#8"]),
            ("convert ssh.p256 --to sec1 --out ssh.p256.pem", 0, &[]),
            ("convert ssh.ed25519 --to pem --out ssh.ed25519.pem", 0, &["!labelled"]),
            ("convert ssh.locked --password-file pass --to pem --out ssh.locked.pem", 0, &[]),
            ("convert ssh.locked --to pem --out x", 1, &["is encrypted, and no password is given", "--password-file"]),
            ("convert ssh.locked --password-file wrong --to pem --out x", 1, &["the password does not open it"]),
            ("convert ssh.rsa.pub --to spki --out ssh.rsa.spki", 0, &[]),
            ("convert ssh.rsa --to spki --out ssh.rsa.spki2", 0, &[]),
            ("convert rsa.old-aes256.key --password-file pass --to pkcs1 --out old.pem", 0, &["!DES"]),
            ("convert rsa.old-des.key --password-file pass --to pkcs1 --out olddes.pem", 0, &["encrypted with DES"]),
            (
                "convert rsa.old-des3.key --to pkcs1 --out x",
                1,
                &["is encrypted, and no password is given", "--password-file"],
            ),
            (
                "convert rsa.old-des3.key --password-file wrong --to pkcs1 --out x",
                1,
                &["the password does not open it"],
            ),
            ("convert dsa.key --to pkcs8 --out dsa.pem", 0, &["!labelled"]),
        ],
    );
    for (one, other) in [
        ("p7b.pem", "chain.pem"),
        ("der.pem", "chain.pem"),
        ("again.pem", "chain.pem"),
        ("ssh.rsa.spki", "ssh.rsa.spki2"),
        ("old.pem", "rsa.key"),
        ("olddes.pem", "rsa.key"),
        ("trusted.pem", "root.crt"),
        ("dsa.pem", "dsa.pkcs8.key"),
    ] {
        assert_eq!(place.read(one), place.read(other), "{one}, {other}");
    }
    // What is of another kind does not keep a directory from being converted.
    for name in ["enveloped.p7m", "ts.response.der", "rsa.pvk", "dh.params.pem", "chain.p7b"] {
        place.write(&format!("many/{name}"), fs::read(place.path(name)).unwrap());
    }
    hold(
        &place,
        &[(
            "convert many --to pem --out made/",
            0,
            &["found an encrypted message", "found a timestamp response", "PVK"],
        )],
    );
    assert_eq!(place.read("made/chain.pem"), place.read("chain.pem"));
    assert!(place.read("made.p7b").starts_with("-----BEGIN PKCS7-----\n"));
    assert!(!place.path("x").exists() && !place.path("none").exists());
}

#[test]
fn check_expiration_reads_every_form() {
    let place = place();
    let at = "--at 2026-12-31";
    let check = |words: &str, status, said: &'static [&'static str]| {
        let command: &'static str = format!("check-expiration {words} {at}").leak();
        hold(&place, &[(command, status, said)]);
    };
    check("chain.p7b", 0, &["ok: 3 certificates"]);
    check("with-crl.p7b", 0, &["ok: 2 certificates"]);
    check("modern.p12", 4, &["the PKCS#12 file is encrypted, and no password is given (--password-file)"]);
    check("modern.p12 --password-file pass", 0, &["ok: 3 certificates"]);
    check("modern.p12 --password-file wrong -o wide", 4, &["PKCS#12 file: the password does not open it"]);
    check("store.jks -o wide", 0, &["ok: 5 certificates", "store.jks[web]"]);
    check("store.jceks --password-file pass", 0, &["ok: 5 certificates"]);
    check("store.jceks --password-file wrong", 4, &["the password does not open it"]);
    check("secret.jceks", 4, &["found a secret key"]);
    // Walked over, all of them, and DER whatever it is called.
    let walked = Place::new();
    for (from, to) in [
        ("forms/chain.der.p7b", "a.p7c"),
        ("forms/trusted.jks", "cacerts"),
        ("convert/empty-password.p12", "b.pfx"),
        ("forms/rsa.pvk", "c.pvk"),
        ("forms/ssh.rsa", "id_rsa"),
    ] {
        walked.write(&format!("d/{to}"), fs::read(repository("fixtures").join(from)).unwrap());
    }
    for name in ["e.cer", "f.der", "g.crt", "h"] {
        kpki(&place, &format!("convert leaf.crt --to der --out {name}.der")).status(0);
        walked.write(&format!("d/{name}"), fs::read(place.path(&format!("{name}.der"))).unwrap());
    }
    let run = walked.kpki(&["check-expiration", "d", "--at", "2026-12-31", "-o", "wide"]).status(0);
    for name in ["a.p7c", "b.pfx[web]", "cacerts[röot]", "e.cer", "f.der", "g.crt", "\nh "] {
        assert!(run.stdout.contains(name), "{name}: {}", run.stdout);
    }
    // One that stays locked is not passed over in silence.
    walked.write("d/locked.p12", fs::read(repository("fixtures/convert/modern.p12")).unwrap());
    let run = walked.kpki(&["check-expiration", "d", "--at", "2026-12-31"]).status(4);
    assert!(run.stdout.contains("no password is given"), "{}", run.stdout);
    walked.write("pass", "secret\n");
    // An empty password is no answer to the others.
    let run =
        walked.kpki(&["check-expiration", "d/locked.p12", "--at", "2026-12-31", "--password-file", "pass"]).status(0);
    assert!(!run.stdout.contains("secret"), "{}", run.stdout);
}

#[test]
fn keys_kpki_does_not_sign_with_are_refused_by_name() {
    let place = place();
    place.write("p.yaml", "apiVersion: kpki/v1\nkind: ClusterProfile\nnodes: [{name: a, addresses: [10.0.0.1], roles: [control-plane]}]\n");
    for (key, named) in [
        ("ed448.key", "Ed448"),
        ("p521.key", "ECDSA-P521"),
        ("dsa.key", "DSA-1024"),
        ("rsa-pss.key", "RSASSA-PSS-2048"),
        ("p256.explicit.key", "EC with explicit parameters (256 bits)"),
        ("ssh.rsa", "OPENSSH PRIVATE KEY (kpki inspect shows its kind, convert --to pkcs8 rewrites it)"),
        ("rsa.old-aes256.key", "found an encrypted one (kpki convert --to pkcs8 opens it with --password-file)"),
    ] {
        let run = kpki(&place, &format!("sign leaf.csr --usage server --ca-cert root.crt --ca-key {key} --out x"));
        assert_eq!(run.status, 1, "{key}: {}", run.stderr);
        // One that is encrypted would sign with its passphrase.
        let refused = if key == "rsa.old-aes256.key" { "it is encrypted, and there is no passphrase" } else { named };
        assert!(run.stderr.contains(refused), "{key}: {}", run.stderr);
        let _ = fs::remove_dir_all(place.path("t"));
        place.write("t/pki/ca.crt", fs::read(place.path("root.crt")).unwrap());
        place.write("t/pki/ca.key", fs::read(place.path(key)).unwrap());
        fs::set_permissions(place.path("t/pki/ca.key"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let run = place.kpki(&["init", "--profile", "p.yaml", "--dir", "t", "--at", NOW]);
        assert_eq!(run.status, 1, "{key}: {}", run.stderr);
        assert!(run.stderr.contains(named), "{key}: {}", run.stderr);
    }
    let run =
        kpki(&place, "sign ed448.csr --usage server --san a.example --ca-cert root.crt --ca-key root.key --out x");
    assert!(run.status == 1 && run.stderr.contains("found Ed448"), "{}", run.stderr);
}

/// AD CS answers with PKCS#7, in any order, and some authorities put a CRL in.
#[test]
fn import_takes_pkcs7() {
    let place = Place::new();
    copy_tree(&repository("fixtures/cases/import-leaf-not-first"), &place.path(""));
    copy_tree(&repository(CHAIN), &place.path("more"));
    hold(
        &place,
        &[
            ("convert revfull.crt --to p7b --der --out rev.p7b", 0, &["PKCS#7"]),
            ("convert chain.crt more/root.crl --to p7b --out crl.p7b", 0, &["CRL"]),
            ("convert more/root.crl --to p7b --out only.p7b", 0, &["CRL"]),
            (
                "import only.p7b --dir tree --at 2026-11-27T00:00:00Z",
                1,
                &["expected a certificate in PKCS#7, found none, but a CRL"],
            ),
            ("import rev.p7b --dir tree --dry-run --at 2026-11-27T00:00:00Z", 0, &["put in order"]),
            ("import crl.p7b --dir tree --at 2026-11-27T00:00:00Z", 0, &["its CRL is left out"]),
        ],
    );
    assert!(place.read("tree/pki/apiserver.crt").starts_with("-----BEGIN CERTIFICATE-----"));
}

/// Parts of sentences that only parsers say.
const JARGON: &[&str] = &[
    "NomError",
    "UnexpectedTag",
    "ErrorKind",
    "Error(",
    "Err(",
    "Some(",
    "None)",
    "InvalidDate",
    "InvalidSPKI",
    "Incomplete",
    "Failure(",
    "Parsing",
    "other DER",
    "NotDer",
    "IO error",
    "os error",
    "BadDer",
    "Unspecified",
    "KeyRejected",
    "ScanError",
    "while scanning",
    "while parsing",
    "did not find expected",
    "panicked",
    "Context",
    "DerTypeId",
    "Utf8Error",
    "InvalidHeader",
];

fn is_plain(text: &str, what: &str) {
    for word in JARGON {
        assert!(!text.contains(word), "{word:?}: {what}\n{text}");
    }
    let counted = text.split("requires ").skip(1).any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    assert!(!counted && !text.contains(" { "), "{what}\n{text}");
}

/// Cut, changed and wrongly labelled inputs of every form through the verbs that read files.
#[test]
fn no_sentence_is_a_parsers() {
    let place = place();
    let mut names = Vec::new();
    let mut seed = 1u64;
    let mut next = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below.max(1)
    };
    let mut files: Vec<_> =
        [FORMS, CHAIN].iter().flat_map(|dir| fs::read_dir(repository(dir)).unwrap()).collect::<Result<_, _>>().unwrap();
    files.sort_by_key(fs::DirEntry::path);
    for (number, file) in files.iter().enumerate() {
        let bytes = fs::read(file.path()).unwrap();
        let mut shapes: Vec<Vec<u8>> = Vec::new();
        for _ in 0..4 {
            shapes.push(bytes[..next(bytes.len())].to_vec());
            let mut changed = bytes.clone();
            for _ in 0..=next(3) {
                let at = next(changed.len());
                changed[at] = u8::try_from(next(256)).unwrap();
            }
            shapes.push(changed);
        }
        // Its DER changed, under every label.
        if let Ok(blocks) = kpki::encoding::pem::read(&bytes)
            && let Some(block) = blocks.first()
        {
            let mut der = block.contents.to_vec();
            for label in [
                "CERTIFICATE",
                "X509 CRL",
                "CERTIFICATE REQUEST",
                "PUBLIC KEY",
                "PRIVATE KEY",
                "PKCS7",
                "OPENSSH PRIVATE KEY",
            ] {
                shapes.push(kpki::encoding::pem::write(label, &der).as_bytes().to_vec());
            }
            let at = next(der.len());
            der[at] = der[at].wrapping_add(1);
            shapes.push(der.clone());
            let label = block.label.known().unwrap_or("CERTIFICATE");
            shapes.push(kpki::encoding::pem::write(label, &der).as_bytes().to_vec());
        }
        for (shape, bytes) in shapes.into_iter().enumerate() {
            let name = format!("m/{number}-{shape}");
            place.write(&name, bytes);
            names.push(name);
        }
    }
    for chunk in names.chunks(200) {
        let mut words: Vec<&str> = vec!["inspect", "--password-file", "pass"];
        words.extend(chunk.iter().map(String::as_str));
        let run = place.kpki(&words);
        assert!(matches!(run.status, 0 | 1), "{}", run.status);
        is_plain(&run.stderr, "inspect");
        let run = place.kpki(&["inspect"].iter().copied().chain(chunk.iter().map(String::as_str)).collect::<Vec<_>>());
        is_plain(&run.stderr, "inspect");
    }
    let run = place.kpki(&["check-expiration", "m", "-o", "wide", "--at", NOW, "--password-file", "pass"]);
    is_plain(&format!("{}{}", run.stdout, run.stderr), "check-expiration");
    // A place of their own: what is there is compared before and after every run.
    let small = Place::new();
    for name in ["root.crt", "root.key", "root.crl", "leaf.csr", "pass"] {
        small.write(name, fs::read(place.path(name)).unwrap());
    }
    for name in names.iter().filter(|_| next(12) == 0) {
        small.write("x", fs::read(place.path(name)).unwrap());
        for command in [
            "convert x --to pem --password-file pass",
            "sign x --usage server --san a.example --ca-cert root.crt --ca-key root.key --out -",
            "sign leaf.csr --usage server --ca-cert x --ca-key x --out -",
            "crl show x",
            "profile validate x",
            "crl check x --crl root.crl --ca root.crt",
        ] {
            let run = kpki(&small, command);
            assert!((0..=5).contains(&run.status), "{command}: {}", run.stderr);
            is_plain(&run.stderr, command);
        }
    }
}

/// kpki signs with no encrypted key that a node reads: whatever would, names the command that opens it, and that command does.
#[test]
fn an_encrypted_key_of_an_authority_is_opened_as_printed() {
    let place = Place::new();
    place.write("password", "secret\n");
    place.write("e/pki/ca.crt", fs::read(repository("fixtures/forms/rsa.crt")).unwrap());
    place.write("e/pki/ca.key", fs::read(repository("fixtures/forms/rsa.old-aes256.key")).unwrap());
    let profile = text("fixtures/kubeadm/v1.36-default-rsa2048/kubeadm.yaml");
    let [csr, leaf] = ["convert/leaf.csr", "convert/leaf.crt"].map(|name| text(&format!("fixtures/{name}")));
    let sign = ["sign", &csr, "--usage", "client", "--subject", "CN=a", "--out", "-", "--ca-cert", "e/pki/ca.crt"];
    let expose = "kpki key expose ca --yes --key-passphrase-file FILE --dir e";
    let convert = "kpki convert e/pki/ca.key --to pkcs8 --password-file FILE --out KEY";
    for (words, command) in [
        (&["init", "--dir", "e", "--profile", &profile][..], expose),
        (&["crl", "update", "ca", "--dir", "e"], expose),
        (&["kubeconfig", "user", "jane", "--dir", "e"], expose),
        (&["revoke", "--cert", &leaf, "--dir", "e", "--yes"], expose),
    ] {
        let run = place.kpki(words).fails(1);
        let said = run.stderr.lines().any(|line| line.starts_with("hint: ") && line.ends_with(command));
        assert!(said, "{words:?}: {}", run.stderr);
    }
    let run = place.kpki(&[&sign[..], &["--ca-key", "e/pki/ca.key"]].concat()).fails(1);
    assert!(run.stderr.contains("hint: give it with --key-passphrase-file FILE"), "{}", run.stderr);
    let words = convert.replace("FILE", "password").replace("KEY", "KEY.pem");
    let words: Vec<&str> = words.split(' ').skip(1).collect();
    place.kpki(&words).ok();
    assert!(place.read("KEY.pem").starts_with("-----BEGIN PRIVATE KEY-----\n"));
    fs::set_permissions(place.path("password"), fs::Permissions::from_mode(0o600)).unwrap();
    let words = expose.replace("FILE", "password");
    place.kpki(&words.split(' ').skip(1).collect::<Vec<_>>()).ok();
    let half = |name: &str| kpki::ca::PrivateKey::from_pem(place.read(name).as_bytes()).unwrap().public_pem();
    assert_eq!(half("e/pki/ca.key"), half("KEY.pem"));
}

/// What is wrong with a file is said as what it is, and what helps.
#[test]
fn check_expiration_says_what_opens_or_mends_a_file() {
    let place = Place::new();
    let fixture = |name: &str| fs::read(repository(&format!("fixtures/{name}"))).unwrap();
    place.write("a.p12", fixture("convert/modern.p12"));
    place.write("wrong", "another\n");
    place.write("cut.p12", &fixture("convert/modern.p12")[..500]);
    place.write("cut.jks", &fixture("forms/store.jks")[..500]);
    place.write("der.key", fixture("convert/leaf.pkcs8.der"));
    let password = "    give its password: --password-file FILE or --password-env VARIABLE\n    \
                    see what is in it: kpki inspect a.p12 --password-file FILE\n";
    for (words, said) in [
        (&["a.p12"][..], password),
        (&["a.p12", "--password-file", "wrong"], password),
        (&["cut.p12"], "expected a whole PKCS#12 file, found one whose end is missing\n"),
        (&["cut.jks"], "expected a whole Java KeyStore, found one whose end is missing\n"),
        (&["cut.jks"], "    restore it, or move it away\n"),
        (&["der.key"], "found a private key in DER (kpki convert --to pkcs8 makes PEM of it)\n"),
    ] {
        let run = place.kpki(&[&["check-expiration"], words].concat()).status(4);
        assert!(run.stdout.contains(said), "{words:?}: {}", run.stdout);
    }
}
