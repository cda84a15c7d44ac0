//! OpenSSL reads every certificate and key of every profile's and every fixture's tree.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{
    Made, SMALL, decode_base64, files_ending, fixtures, profiles, program, project, run, say, scratch, texts, write,
};

/// A certificate with its key and what its authority is, as plain files.
struct Leaf {
    certificate: PathBuf,
    key: PathBuf,
    authority: PathBuf,
}

/// The authority that signs a file of the pki directory, by kubeadm's layout.
fn authority(base: &Path, certificate: &Path) -> PathBuf {
    let issuer =
        say("openssl", ["x509", "-noout", "-issuer", "-nameopt", "multiline", "-in", certificate.to_str().unwrap()]);
    let common_name = issuer.lines().find_map(|line| line.trim().strip_prefix("commonName")).unwrap_or_default();
    let stem = match common_name.trim_start_matches([' ', '=']) {
        "kubernetes" => "ca",
        "front-proxy-ca" => "front-proxy-ca",
        "etcd-ca" => "etcd/ca",
        other => panic!("{}: issued by {other:?}", certificate.display()),
    };
    base.join(format!("pki/{stem}.crt"))
}

/// Every leaf below one `/etc/kubernetes`, the kubeconfigs' credentials written out as files.
fn leaves(base: &Path, out: &Path) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    for part in ["pki", "kubelet"] {
        if !base.join(part).is_dir() {
            continue;
        }
        for certificate in files_ending(&base.join(part), ".crt") {
            // An authority's, or the one certificate that signs, alone.
            if ["ca.crt", "front-proxy-ca.crt", "ca-signer.crt"].iter().any(|name| certificate.ends_with(name)) {
                continue;
            }
            let key = certificate.with_extension("key");
            leaves.push(Leaf { authority: authority(base, &certificate), certificate, key });
        }
    }
    for entry in fs::read_dir(base).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "conf") {
            leaves.push(credentials(base, &path, out));
        }
    }
    leaves
}

fn credentials(base: &Path, path: &Path, out: &Path) -> Leaf {
    let text = fs::read_to_string(path).unwrap();
    let field = |name: &str| {
        let line = text.lines().find(|line| line.contains(&format!("{name}:"))).unwrap();
        decode_base64(line.split_once(':').unwrap().1.trim())
    };
    let name = path.strip_prefix(base).unwrap().display();
    let ca = fs::read(base.join("pki/ca.crt")).unwrap();
    assert!(field("certificate-authority-data") == ca, "{name}: certificate-authority-data is not ca.crt");
    let here = out.join(format!("{}-{name}", base.file_name().unwrap().to_string_lossy()));
    Leaf {
        certificate: write(here.with_extension("conf.crt"), field("client-certificate-data")),
        key: write(here.with_extension("conf.key"), field("client-key-data")),
        authority: base.join("pki/ca.crt"),
    }
}

/// Verifies, matches and checks everything below one base; returns how many leaves there were.
fn judge(base: &Path) -> usize {
    let out = scratch();
    let found = leaves(base, out.path());
    for leaf in &found {
        let file = leaf.certificate.to_str().unwrap();
        let text = say("openssl", ["x509", "-noout", "-text", "-in", file]);
        for (usage, purpose) in
            [("TLS Web Server Authentication", "sslserver"), ("TLS Web Client Authentication", "sslclient")]
        {
            let verified = run(program("openssl")
                .args(["verify", "-x509_strict", "-purpose", purpose, "-CAfile"])
                .arg(&leaf.authority)
                .arg(file));
            assert_eq!(verified.ok(), text.contains(usage), "{file}: {purpose}: {} {}", verified.out, verified.err);
        }
        assert!(text.contains("X509v3 Basic Constraints: critical\n                CA:FALSE"), "{text}");
        assert!(text.contains("X509v3 Key Usage: critical\n                Digital Signature"), "{text}");
        assert!(text.contains("X509v3 Authority Key Identifier"), "{text}");
        assert!(text.contains("Version: 3 (0x2)"), "{text}");
        matches(&leaf.certificate, &leaf.key);
    }
    for ca in authorities(base) {
        let file = ca.to_str().unwrap();
        say("openssl", ["verify", "-x509_strict", "-CAfile", file, file]);
        let text = say("openssl", ["x509", "-noout", "-text", "-in", file]);
        assert!(text.contains("X509v3 Basic Constraints: critical\n                CA:TRUE\n"), "{text}");
        assert!(text.contains("Certificate Sign, CRL Sign"), "{text}");
        assert!(!text.contains("Extended Key Usage"), "{text}");
        if ca.with_extension("key").exists() {
            matches(&ca, &ca.with_extension("key"));
        }
    }
    found.len()
}

fn authorities(base: &Path) -> Vec<PathBuf> {
    let all = ["pki/ca.crt", "pki/front-proxy-ca.crt", "pki/etcd/ca.crt"];
    all.iter().map(|path| base.join(path)).filter(|path| path.exists()).collect()
}

/// The key is sound and the certificate's; the file says what it is and OpenSSL writes the same bytes.
fn matches(certificate: &Path, key: &Path) {
    let key = key.to_str().unwrap();
    let of_certificate = say("openssl", ["x509", "-noout", "-pubkey", "-in", certificate.to_str().unwrap()]);
    let of_key = say("openssl", ["pkey", "-pubout", "-in", key]);
    assert_eq!(of_certificate, of_key, "{key}");
    sound(key);
}

fn sound(key: &str) {
    let text = fs::read_to_string(key).unwrap();
    let (kind, label) = match text.lines().next() {
        Some("-----BEGIN EC PRIVATE KEY-----") => ("ec", "read EC key\nEC Key valid.\n"),
        Some("-----BEGIN RSA PRIVATE KEY-----") => ("rsa", "RSA key ok\n"),
        other => panic!("{key}: {other:?}"),
    };
    let checked = run(program("openssl").args([kind, "-check", "-noout", "-in", key])).expect_ok(key);
    assert!(format!("{}{}", checked.err, checked.out).contains(label.trim_end()), "{key}: {checked:?}");
    let again = match kind {
        "rsa" => say("openssl", ["rsa", "-traditional", "-in", key]),
        _ => say("openssl", ["ec", "-in", key]),
    };
    assert_eq!(again, text, "{key}: OpenSSL would have written it otherwise");
}

/// Every name and address the report promises, against what a TLS client would accept.
fn names(tree: &Made) -> usize {
    let mut count = 0;
    for entry in tree.entries() {
        let Some(path) = texts(&entry["paths"]).into_iter().find(|path| path.ends_with(".crt")) else { continue };
        let file = tree.path(&path);
        let file = file.to_str().unwrap();
        for san in texts(&entry["sans"]) {
            let (check, name) = match san.parse::<std::net::IpAddr>() {
                Ok(_) => ("-checkip", san.clone()),
                Err(_) => ("-checkhost", san.replace('*', "any")),
            };
            let said = say("openssl", ["x509", "-noout", check, &name, "-in", file]);
            assert!(said.contains("does match certificate"), "{file}: {said}");
            count += 1;
        }
    }
    count
}

#[test]
fn every_profiles_tree_passes() {
    for profile in profiles() {
        let tree = Made::from(&profile, &[]);
        let leaves: usize = tree.bases().iter().map(|base| judge(base)).sum();
        let names = names(&tree);
        assert!(leaves >= 10 && names >= 10, "{}: {leaves} leaves, {names} names", profile.display());
    }
}

#[test]
fn every_fixtures_configuration_gives_a_tree_that_passes() {
    // One of them asks for certificates that live one second.
    for configuration in fixtures().into_iter().filter(|path| !path.to_string_lossy().contains("expired")) {
        let tree = Made::from(&configuration, &[]);
        let leaves = judge(&tree.dir);
        assert!(leaves >= 7, "{}: {leaves} leaves", configuration.display());
        assert!(names(&tree) >= 6);
    }
}

#[test]
fn an_api_server_is_who_the_cluster_says() {
    let accepts = |tree: &Made, path: &str, check: &str, name: &str| {
        let file = tree.path(path);
        say("openssl", ["x509", "-noout", check, name, "-in", file.to_str().unwrap()])
            .contains("does match certificate")
    };
    let single = Made::from(&project("profiles/single-node.yaml"), &[]);
    for name in
        ["cp1", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"]
    {
        assert!(accepts(&single, "pki/apiserver.crt", "-checkhost", name), "{name}");
    }
    for address in ["10.96.0.1", "10.0.0.11"] {
        assert!(accepts(&single, "pki/apiserver.crt", "-checkip", address), "{address}");
    }
    for path in ["pki/etcd/server.crt", "pki/etcd/peer.crt"] {
        for (check, name) in [
            ("-checkhost", "cp1"),
            ("-checkhost", "localhost"),
            ("-checkip", "127.0.0.1"),
            ("-checkip", "::1"),
            ("-checkip", "10.0.0.11"),
        ] {
            assert!(accepts(&single, path, check, name), "{path} {name}");
        }
    }
    assert!(!accepts(&single, "pki/apiserver.crt", "-checkip", "10.0.0.12"), "the check can fail");
    assert!(!accepts(&single, "pki/apiserver.crt", "-checkhost", "cp2"), "the check can fail");

    let ha = Made::from(&project("profiles/ha-load-balancer.yaml"), &[]);
    for node in ["cp1", "cp2", "cp3"] {
        let path = format!("nodes/{node}/pki/apiserver.crt");
        for name in ["k8s-api.example.com", "k8s-api", "kubernetes.default.svc", "cp1", "cp2", "cp3"] {
            assert!(accepts(&ha, &path, "-checkhost", name), "{path} {name}");
        }
        for address in ["192.168.1.100", "192.168.1.1", "192.168.1.2", "192.168.1.3", "10.96.0.1"] {
            assert!(accepts(&ha, &path, "-checkip", address), "{path} {address}");
        }
        let own = format!("nodes/{node}/kubelet/kubelet.crt");
        assert!(accepts(&ha, &own, "-checkhost", node), "{own}");
    }
}

/// One TLV after another with nothing between, before or behind, and nothing a strict reader stumbles over.
#[test]
fn the_der_is_strict() {
    for profile in ["profiles/ha-load-balancer.yaml", "profiles/rsa-legacy.yaml"] {
        let tree = Made::from(&project(profile), &[]);
        for file in files_ending(&tree.dir, ".crt").into_iter().chain(files_ending(&tree.dir, ".key")) {
            let file = file.to_str().unwrap();
            let text = fs::read_to_string(file).unwrap();
            assert!(text.starts_with("-----BEGIN ") && text.ends_with("-----\n"), "{file}");
            assert_eq!(text.matches("-----BEGIN").count(), 1, "{file}");
            assert!(text.lines().all(|line| line.len() <= 64 && line.trim() == line), "{file}");
            say("openssl", ["asn1parse", "-in", file]);
            if file.ends_with(".crt") {
                let again = say("openssl", ["x509", "-in", file]);
                assert_eq!(again, text, "{file}: OpenSSL would have written it otherwise");
            }
        }
    }
}

#[test]
fn the_service_account_pair_belongs_together() {
    for profile in ["profiles/single-node.yaml", "profiles/rsa-legacy.yaml"] {
        let tree = Made::from(&project(profile), &[]);
        for key in files_ending(&tree.dir, "/sa.key") {
            sound(key.to_str().unwrap());
            let public = say("openssl", ["pkey", "-pubout", "-in", key.to_str().unwrap()]);
            assert_eq!(public, fs::read_to_string(key.with_extension("pub")).unwrap(), "{}", key.display());
        }
    }
}

/// A load balancer's own CA, in each container an operator may bring it in.
#[test]
fn authorities_made_by_openssl_are_used() {
    let algorithms: [(&str, &[&str]); 3] = [
        ("EC PRIVATE KEY", &["ecparam", "-genkey", "-noout", "-name", "prime256v1"]),
        ("RSA PRIVATE KEY", &["genrsa", "-traditional", "2048"]),
        ("PRIVATE KEY", &["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp384r1"]),
    ];
    for (label, words) in algorithms {
        let place = scratch();
        let dir = place.path().join("tree");
        let key = say("openssl", words);
        assert!(key.starts_with(&format!("-----BEGIN {label}-----")), "{key}");
        let key = write(dir.join("pki/ca.key"), key);
        crate::support::mode(&key, 0o600);
        let certificate = dir.join("pki/ca.crt");
        let made = say(
            "openssl",
            [
                "req",
                "-x509",
                "-new",
                "-sha256",
                "-days",
                "3650",
                "-subj",
                "/C=DE/O=Example GmbH/CN=kubernetes",
                "-addext",
                "keyUsage=critical,keyCertSign,cRLSign,digitalSignature",
                "-key",
                key.to_str().unwrap(),
            ],
        );
        write(&certificate, &made);
        let before = fs::read(&key).unwrap();
        let profile = write(place.path().join("p.yaml"), SMALL);
        let mut command = crate::support::kpki();
        run(command.arg("init").arg("-p").arg(profile).arg("-d").arg(&dir)).expect_ok(label);
        assert_eq!(fs::read(&key).unwrap(), before);
        assert_eq!(fs::read_to_string(&certificate).unwrap(), made);
        let leaves = files_ending(&dir, ".crt").into_iter().filter(|path| !path.ends_with("ca.crt"));
        let ours: Vec<PathBuf> = leaves
            .filter(|path| path.to_string_lossy().contains("apiserver") || path.ends_with("kubelet.crt"))
            .filter(|path| !path.to_string_lossy().contains("etcd"))
            .collect();
        assert_eq!(ours.len(), 3, "{ours:?}");
        let mut verify = program("openssl");
        run(verify.args(["verify", "-x509_strict", "-CAfile"]).arg(&certificate).args(&ours)).expect_ok(label);
    }
}

/// An intermediate authority below a company's root, as an operator gets it: its certificate first, then the root's.
#[test]
fn an_intermediate_authority_made_by_openssl_is_used() {
    let place = scratch();
    let at = |name: &str| place.path().join(name).to_str().unwrap().to_owned();
    let key = |name: &str| {
        let made = write(at(name), say("openssl", ["ecparam", "-genkey", "-noout", "-name", "prime256v1"]));
        crate::support::mode(&made, 0o600);
    };
    let usage = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"];
    key("root.key");
    let subject = ["-subj", "/O=Example GmbH/CN=Root", "-days", "7300", "-out"];
    let mut root = vec!["req", "-x509", "-new", "-key"];
    let (root_key, root_file) = (at("root.key"), at("root.crt"));
    root.push(&root_key);
    root.extend(subject);
    root.push(&root_file);
    root.extend(usage);
    say("openssl", root);
    key("ca.key");
    let extensions = "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign,digitalSignature\n\
                      subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n";
    write(at("extensions"), extensions);
    say(
        "openssl",
        ["req", "-new", "-key", &at("ca.key"), "-subj", "/O=Example GmbH/CN=kubernetes", "-out", &at("ca.csr")],
    );
    say(
        "openssl",
        [
            "x509",
            "-req",
            "-in",
            &at("ca.csr"),
            "-CA",
            &root_file,
            "-CAkey",
            &root_key,
            "-CAcreateserial",
            "-days",
            "3650",
            "-extfile",
            &at("extensions"),
            "-out",
            &at("ca.crt"),
        ],
    );
    let bundle = fs::read_to_string(at("ca.crt")).unwrap() + &fs::read_to_string(&root_file).unwrap();
    let dir = place.path().join("tree");
    let ca = write(dir.join("pki/ca.crt"), &bundle);
    write(dir.join("pki/ca.key"), fs::read(at("ca.key")).unwrap());
    crate::support::mode(&dir.join("pki/ca.key"), 0o600);
    let profile = write(place.path().join("p.yaml"), SMALL);
    run(crate::support::kpki().arg("init").arg("-p").arg(profile).arg("-d").arg(&dir)).expect_ok("an intermediate");
    assert_eq!(fs::read_to_string(&ca).unwrap(), bundle);
    let out = scratch();
    let leaves = leaves(&dir, out.path());
    let ours: Vec<_> = leaves.iter().filter(|leaf| leaf.authority == ca).collect();
    assert_eq!(ours.len(), 8, "apiserver, its kubelet client, the kubelet and five kubeconfigs");
    for leaf in ours {
        let mut verify = program("openssl");
        run(verify
            .args(["verify", "-x509_strict", "-CAfile", &root_file, "-untrusted"])
            .arg(&ca)
            .arg(&leaf.certificate))
        .expect_ok(leaf.certificate.display());
        matches(&leaf.certificate, &leaf.key);
    }
}

/// RFC 5280 section 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050 on, to the second.
#[test]
fn dates_hold_in_openssls_reading() {
    let at = |instant: &str| Made::of_text(SMALL, &["--at", instant, "--allow-future"]);
    let cases = [
        ("2026-11-20T22:00:00Z", "Nov 20 21:55:00 2026 GMT", "Nov 20 22:00:00 2027 GMT", ["UTCTIME", "UTCTIME"]),
        ("2048-12-31T23:59:59Z", "Dec 31 23:54:59 2048 GMT", "Dec 31 23:59:59 2049 GMT", ["UTCTIME", "UTCTIME"]),
        (
            "2049-01-01T00:00:00Z",
            "Dec 31 23:55:00 2048 GMT",
            "Jan  1 00:00:00 2050 GMT",
            ["UTCTIME", "GENERALIZEDTIME"],
        ),
        (
            "2049-12-31T23:59:59Z",
            "Dec 31 23:54:59 2049 GMT",
            "Dec 31 23:59:59 2050 GMT",
            ["UTCTIME", "GENERALIZEDTIME"],
        ),
        (
            "2050-01-01T00:05:00Z",
            "Jan  1 00:00:00 2050 GMT",
            "Jan  1 00:05:00 2051 GMT",
            ["GENERALIZEDTIME", "GENERALIZEDTIME"],
        ),
    ];
    for (instant, from, until, types) in cases {
        let tree = at(instant);
        let file = tree.path("pki/apiserver.crt");
        let file = file.to_str().unwrap();
        let dates = say("openssl", ["x509", "-noout", "-dates", "-in", file]);
        assert_eq!(dates, format!("notBefore={from}\nnotAfter={until}\n"), "--at {instant}");
        let parsed = say("openssl", ["asn1parse", "-in", file]);
        let found: Vec<&str> = parsed
            .lines()
            .filter_map(|line| ["UTCTIME", "GENERALIZEDTIME"].into_iter().find(|kind| line.contains(kind)))
            .collect();
        assert_eq!(found, types, "--at {instant}");
    }
}
