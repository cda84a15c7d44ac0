//! Requests and externally signed certificates with openssl, cfssl and keytool, both ways.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{SMALL, files_ending, kpki, program, run, say, scratch, texts, write};

#[track_caller]
fn ours(dir: &Path, words: &[&str], code: i32) -> String {
    run(kpki().current_dir(dir).args(words)).expect_code(code, format_args!("kpki {words:?}")).out
}

#[track_caller]
fn openssl(dir: &Path, words: &[&str]) -> String {
    let ran = run(program("openssl").current_dir(dir).args(words)).expect_ok(format_args!("openssl {words:?}"));
    ran.out + &ran.err
}

/// A corporate root and an authority below it, by openssl.
fn corporate(dir: &Path) {
    openssl(dir, &["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "root.key"]);
    openssl(
        dir,
        &[
            "req",
            "-x509",
            "-new",
            "-key",
            "root.key",
            "-sha256",
            "-days",
            "3650",
            "-subj",
            "/O=Corp/CN=Root",
            "-out",
            "root.crt",
        ],
    );
    openssl(
        dir,
        &[
            "req",
            "-new",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-keyout",
            "middle.key",
            "-subj",
            "/O=Corp/CN=Middle",
            "-out",
            "middle.csr",
        ],
    );
    write(
        dir.join("ca.ext"),
        "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n",
    );
    openssl(
        dir,
        &[
            "x509",
            "-req",
            "-in",
            "middle.csr",
            "-CA",
            "root.crt",
            "-CAkey",
            "root.key",
            "-CAcreateserial",
            "-days",
            "3000",
            "-extfile",
            "ca.ext",
            "-out",
            "middle.crt",
        ],
    );
    let text = |name: &str| fs::read_to_string(dir.join(name)).unwrap();
    write(dir.join("bundle.crt"), text("middle.crt") + &text("root.crt"));
}

/// The corporate authority signs every request below `t/.kpki/requests`; the names of the results.
fn sign_all(dir: &Path, chain: Option<&str>) -> Vec<String> {
    let mut signed = Vec::new();
    for csr in files_ending(&dir.join("t/.kpki/requests"), ".csr") {
        let csr = csr.to_str().unwrap();
        assert!(openssl(dir, &["req", "-in", csr, "-noout", "-verify"]).contains("verify OK"), "{csr}");
        let out = format!("signed-{}.crt", signed.len());
        openssl(
            dir,
            &[
                "x509",
                "-req",
                "-in",
                csr,
                "-CA",
                "middle.crt",
                "-CAkey",
                "middle.key",
                "-CAcreateserial",
                "-days",
                "400",
                "-sha256",
                "-copy_extensions",
                "copyall",
                "-out",
                &out,
            ],
        );
        if let Some(chain) = chain {
            let text = fs::read_to_string(dir.join(&out)).unwrap() + &fs::read_to_string(dir.join(chain)).unwrap();
            write(dir.join(&out), text);
        }
        signed.push(out);
    }
    signed
}

/// The tree trusts an intermediate with its root behind it, or only the root, with the intermediate in every leaf's file.
#[test]
fn openssl_is_the_corporate_authority() {
    for (trusted, chain) in [("bundle.crt", None), ("root.crt", Some("middle.crt"))] {
        let scratch = scratch();
        let dir = scratch.path();
        corporate(dir);
        write(dir.join("p.yaml"), SMALL);
        fs::create_dir_all(dir.join("t/pki")).unwrap();
        fs::copy(dir.join(trusted), dir.join("t/pki/ca.crt")).unwrap();
        ours(dir, &["init", "--profile", "p.yaml", "--dir", "t"], 5);
        let signed = sign_all(dir, chain);
        let mut words = vec!["import", "--dir", "t"];
        words.extend(signed.iter().map(String::as_str));
        ours(dir, &words, 0);
        assert!(ours(dir, &["init", "--dir", "t"], 0).starts_with("nothing to do"));
        for leaf in ["pki/apiserver.crt", "pki/apiserver-kubelet-client.crt", "kubelet/kubelet.crt"] {
            let leaf = format!("t/{leaf}");
            openssl(dir, &["verify", "-CAfile", "t/pki/ca.crt", "-untrusted", &leaf, &leaf]);
        }
        let check: Value = serde_json::from_str(&ours(dir, &["check-expiration", "t", "-o", "json"], 0)).unwrap();
        assert!(check.to_string().contains("\"externallyManaged\":true"), "{check}");
        // A new one beside the running tree, signed and put in place.
        ours(dir, &["renew", "apiserver", "admin.conf", "--dir", "t"], 5);
        let before = fs::read(dir.join("t/pki/apiserver.crt")).unwrap();
        let signed = sign_all(dir, chain);
        assert_eq!(signed.len(), 2);
        ours(dir, &["import", "--dir", "t", &signed[0], &signed[1]], 0);
        assert_ne!(before, fs::read(dir.join("t/pki/apiserver.crt")).unwrap());
        openssl(
            dir,
            &["verify", "-CAfile", "t/pki/ca.crt", "-untrusted", "t/pki/apiserver.crt", "t/pki/apiserver.crt"],
        );
    }
}

/// The three authorities below a root that openssl made and that kpki signs with.
#[test]
fn openssl_verifies_authorities_below_an_offline_root() {
    let scratch = scratch();
    let dir = scratch.path();
    corporate(dir);
    write(dir.join("p.yaml"), SMALL);
    fs::create_dir(dir.join("t")).unwrap();
    ours(dir, &["csr", "ca", "front-proxy-ca", "etcd-ca", "--profile", "p.yaml", "--dir", "t"], 0);
    for (name, stem) in [("ca", "ca"), ("front-proxy-ca", "front-proxy-ca"), ("etcd-ca", "etcd/ca")] {
        let (csr, out) = (format!("t/.kpki/requests/pki/{stem}.csr"), format!("{name}.crt"));
        ours(
            dir,
            &[
                "sign",
                &csr,
                "--intermediate",
                "--as",
                name,
                "--profile",
                "p.yaml",
                "--dir",
                "t",
                "--permit-dns",
                "cp1,localhost,kubernetes,default,svc,local",
                "--permit-ip",
                "10.0.0.0/8,127.0.0.1,::1",
                "--ca-cert",
                "root.crt",
                "--ca-key",
                "root.key",
                "--out",
                &out,
            ],
            0,
        );
        let shown = openssl(dir, &["x509", "-in", &out, "-noout", "-text"]);
        assert!(shown.contains("pathlen:0") && shown.contains("X509v3 Name Constraints: critical"), "{shown}");
        assert!(shown.contains("IP:10.0.0.0/255.0.0.0") && shown.contains("DNS:cp1"), "{shown}");
    }
    ours(dir, &["import", "ca.crt", "front-proxy-ca.crt", "etcd-ca.crt", "--profile", "p.yaml", "--dir", "t"], 0);
    ours(dir, &["init", "--profile", "p.yaml", "--dir", "t", "--allow-shared-ca"], 0);
    for (leaf, authority) in [
        ("apiserver", "ca"),
        ("front-proxy-client", "front-proxy-ca"),
        ("etcd/server", "etcd/ca"),
        ("etcd/peer", "etcd/ca"),
    ] {
        openssl(dir, &["verify", "-CAfile", &format!("t/pki/{authority}.crt"), &format!("t/pki/{leaf}.crt")]);
    }
}

/// Requests with everything that other programs put into them.
#[test]
fn requests_of_openssl_keytool_and_cfssl_are_signed() {
    let scratch = scratch();
    let dir = scratch.path();
    write(dir.join("p.yaml"), SMALL);
    ours(dir, &["init", "--profile", "p.yaml", "--dir", "t"], 0);
    write(
        dir.join("openssl.cnf"),
        "[req]\ndistinguished_name=dn\nattributes=attributes\nreq_extensions=ext\nprompt=no\n[dn]\nO=team\nCN=web\n\
         [attributes]\nchallengePassword=secret99\nunstructuredName=x\n[ext]\nsubjectAltName=DNS:web.example.com,IP:10.0.0.7\n\
         basicConstraints=CA:TRUE\nextendedKeyUsage=codeSigning\n",
    );
    openssl(
        dir,
        &[
            "req",
            "-new",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-keyout",
            "o.key",
            "-config",
            "openssl.cnf",
            "-out",
            "openssl.csr",
        ],
    );
    openssl(
        dir,
        &[
            "req",
            "-new",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-384",
            "-nodes",
            "-keyout",
            "e.key",
            "-subj",
            "/CN=web",
            "-outform",
            "DER",
            "-out",
            "der.csr",
        ],
    );
    openssl(
        dir,
        &["req", "-new", "-newkey", "rsa:1024", "-nodes", "-keyout", "w.key", "-subj", "/CN=web", "-out", "weak.csr"],
    );
    openssl(
        dir,
        &["req", "-new", "-newkey", "ed25519", "-nodes", "-keyout", "d.key", "-subj", "/CN=web", "-out", "ed.csr"],
    );
    let store = ["-alias", "web", "-keystore", "k.p12", "-storepass", "changeit", "-storetype", "PKCS12"];
    let keytool = |words: &[&str]| {
        run(program("keytool").current_dir(dir).args(words).args(store)).expect_ok(format_args!("keytool {words:?}"));
    };
    keytool(&["-genkeypair", "-keyalg", "RSA", "-keysize", "2048", "-dname", "CN=web,O=team"]);
    keytool(&["-certreq", "-ext", "san=dns:web.example.com", "-file", "keytool.csr"]);
    let json = r#"{"CN": "web", "hosts": ["web.example.com"], "key": {"algo": "ecdsa", "size": 256}, "names": [{"O": "team"}]}"#;
    write(dir.join("web.json"), json);
    let made = run(program("cfssl").current_dir(dir).args(["genkey", "web.json"])).expect_ok("cfssl genkey").out;
    let made: Value = serde_json::from_str(&made).unwrap();
    write(dir.join("cfssl.csr"), made["csr"].as_str().unwrap());
    for name in ["openssl", "der", "keytool", "cfssl"] {
        let csr = format!("{name}.csr");
        let said =
            ours(dir, &["sign", &csr, "--usage", "server", "--san", "web.example.com", "--dir", "t", "-o", "json"], 0);
        let said: Value = serde_json::from_str(&said).unwrap();
        let refused = texts(&said["entries"][0]["refused"]);
        if name == "openssl" {
            for wish in
                ["a CA certificate (--intermediate makes one)", "the name 10.0.0.7", "the usage 1.3.6.1.5.5.7.3.3"]
            {
                assert!(refused.contains(&wish.to_owned()), "{refused:?}");
            }
        } else {
            assert_eq!(refused, Vec::<String>::new(), "{name}");
        }
        let certificate = format!("{name}.crt");
        openssl(
            dir,
            &[
                "verify",
                "-CAfile",
                "t/pki/ca.crt",
                "-purpose",
                "sslserver",
                "-verify_hostname",
                "web.example.com",
                &certificate,
            ],
        );
        let key = say("openssl", ["x509", "-in", dir.join(&certificate).to_str().unwrap(), "-noout", "-pubkey"]);
        let form = if name == "der" { "DER" } else { "PEM" };
        let asked =
            say("openssl", ["req", "-in", dir.join(&csr).to_str().unwrap(), "-inform", form, "-noout", "-pubkey"]);
        assert_eq!(key, asked, "{name}");
    }
    for name in ["weak.csr", "ed.csr"] {
        let ran = run(kpki().current_dir(dir).args([
            "sign",
            name,
            "--usage",
            "server",
            "--san",
            "a.example.com",
            "--dir",
            "t",
        ]));
        assert!(ran.expect_code(1, name).err.contains("expected a key of RSA-2048"), "{name}");
    }
}

/// cfssl signs what kpki asks for.
#[test]
fn cfssl_is_the_corporate_authority() {
    let scratch = scratch();
    let dir = scratch.path();
    write(dir.join("p.yaml"), SMALL);
    ours(dir, &["init", "--profile", "p.yaml", "--dir", "t"], 0);
    fs::rename(dir.join("t/pki/etcd/ca.key"), dir.join("corp.key")).unwrap();
    let config = r#"{"signing": {"default": {"expiry": "8760h"}, "profiles": {"peer": {"expiry": "8760h",
        "usages": ["signing", "key encipherment", "server auth", "client auth"]}}}}"#;
    write(dir.join("config.json"), config);
    ours(dir, &["csr", "etcd-server", "etcd-peer", "--dir", "t"], 0);
    let mut files = Vec::new();
    for name in ["server", "peer"] {
        let csr = format!("t/.kpki/requests/pki/etcd/{name}.csr");
        let words = [
            "sign",
            "-ca",
            "t/pki/etcd/ca.crt",
            "-ca-key",
            "corp.key",
            "-config",
            "config.json",
            "-profile",
            "peer",
            &csr,
        ];
        let signed = run(program("cfssl").current_dir(dir).args(words)).expect_ok("cfssl sign").out;
        let signed: Value = serde_json::from_str(&signed).unwrap();
        files.push(format!("{name}.crt"));
        write(dir.join(format!("{name}.crt")), signed["cert"].as_str().unwrap());
    }
    ours(dir, &["import", &files[0], &files[1], "--dir", "t"], 0);
    openssl(dir, &["verify", "-CAfile", "t/pki/etcd/ca.crt", "t/pki/etcd/server.crt", "t/pki/etcd/peer.crt"]);
    assert!(ours(dir, &["init", "--dir", "t"], 0).starts_with("nothing to do"));
}
