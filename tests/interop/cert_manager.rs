//! The commands of docs/cert-manager.md as they stand. kubectl is a stand-in that keeps what it is given; openssl signs as
//! cert-manager would.

use std::fs;
use std::path::Path;

use crate::support::{SMALL, decode_base64, kpki, mode, run, say, scratch, write};
use crate::worked::{Variable, Worked};

/// What of kubectl the guide uses, with the objects in the current directory.
const KUBECTL: &str = r#"#!/bin/sh
set -eu
case "$*" in
  'create -f -') cat >created.yaml ;;
  'create -f requests.yaml') cp requests.yaml created.yaml ;;
  'wait --for=condition=Ready --timeout=5m -f requests.yaml') [ -d issued ] ;;
  'get -f requests.yaml -o name') ls issued | sed 's,^,certificaterequest.cert-manager.io/,' ;;
  'get -n pki certificaterequest.cert-manager.io/'*' -o jsonpath={.status.certificate}')
    name=${4#*/}
    base64 -w 0 "issued/$name"
    ;;
  *) echo "kubectl $*" >&2; exit 1 ;;
esac
"#;

fn path_with_kpki(dir: &Path) -> Variable {
    let kubectl = write(dir.join("bin/kubectl"), KUBECTL);
    mode(&kubectl, 0o755);
    let kpki = Path::new(env!("CARGO_BIN_EXE_kpki")).parent().unwrap();
    let path = std::env::var("PATH").unwrap();
    ("PATH", format!("{}:{}:{path}", dir.join("bin").display(), kpki.display()))
}

#[test]
fn an_authority_is_made_for_cert_manager() {
    let place = scratch();
    let dir = place.path();
    let at = |name: &str| dir.join(name).to_str().unwrap().to_owned();
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", &at("root.key")];
    let root = ["req", "-x509", "-days", "3000", "-subj", "/CN=Root", "-out", &at("root.crt")];
    let usage = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"];
    say("openssl", root.into_iter().chain(key).chain(usage));
    let guide = Worked::of("docs/cert-manager.md");
    guide.sh_in(dir, "workloads.key", &[&path_with_kpki(dir)]);
    let secret = fs::read_to_string(dir.join("created.yaml")).unwrap();
    let parts = dir.join("parts");
    let words = ["convert", "created.yaml", "--to", "parts", "--out", "parts/"];
    run(kpki().current_dir(dir).args(words)).expect_ok("convert");
    assert!(secret.contains("kind: Secret\nmetadata:\n  name: workloads-ca\n  namespace: cert-manager\n"), "{secret}");
    assert!(guide.block("yaml", "ClusterIssuer").contains("    secretName: workloads-ca\n"));
    // What cert-manager signs with it is valid below the root, within its names.
    for (name, is_valid) in [("a.example.com", true), ("a.example.net", false)] {
        let config =
            write(dir.join("leaf.ext"), format!("subjectAltName=DNS:{name}\nbasicConstraints=critical,CA:FALSE\n"));
        let request = ["req", "-new", "-nodes", "-newkey", "rsa:2048", "-keyout", &at("leaf.key"), "-subj", "/CN=leaf"];
        say("openssl", request.into_iter().chain(["-out", &at("leaf.csr")]));
        let signer = [at("parts/tls.crt"), at("parts/tls.key")];
        let sign = ["x509", "-req", "-in", &at("leaf.csr"), "-CA", &signer[0], "-CAkey", &signer[1], "-days", "30"];
        say("openssl", sign.into_iter().chain(["-extfile", config.to_str().unwrap(), "-out", &at("leaf.crt")]));
        let mut verify = crate::support::program("openssl");
        verify.args(["verify", "-CAfile"]).arg(parts.join("ca.crt")).arg("-untrusted").arg(parts.join("tls.crt"));
        let ran = run(verify.arg(dir.join("leaf.crt")));
        assert_eq!(ran.ok(), is_valid, "{name}: {}", ran.err);
    }
}

#[test]
fn cert_manager_signs_requests_of_kpki() {
    let place = scratch();
    let dir = place.path();
    write(dir.join("cluster.yaml"), SMALL);
    run(kpki().current_dir(dir).args(["init", "--profile", "cluster.yaml", "--dir", "cluster"])).expect_ok("init");
    fs::rename(dir.join("cluster/pki/etcd/ca.key"), dir.join("ca.key")).unwrap();
    let path = path_with_kpki(dir);
    let guide = Worked::of("docs/cert-manager.md");
    guide.sh_in(dir, "kpki csr ", &[&path]);
    let requests = fs::read_to_string(dir.join("created.yaml")).unwrap();
    let field = |document: &str, name: &str| {
        let line = document.lines().find_map(|line| line.strip_prefix(&format!("  {name}: ")).map(str::to_owned));
        line.unwrap_or_else(|| panic!("{name}: {document}"))
    };
    for document in requests.split("---\n") {
        let request = write(dir.join("request.csr"), decode_base64(&field(document, "request")));
        let issued = dir.join("issued").join(field(document, "name"));
        fs::create_dir_all(issued.parent().unwrap()).unwrap();
        let ca = ["cluster/pki/etcd/ca.crt", "ca.key"].map(|name| dir.join(name).to_str().unwrap().to_owned());
        let words = ["x509", "-req", "-in", request.to_str().unwrap(), "-CA", &ca[0], "-CAkey", &ca[1], "-days", "365"];
        let words = words.into_iter().chain(["-copy_extensions", "copyall", "-out", issued.to_str().unwrap()]);
        say("openssl", words);
    }
    guide.sh_in(dir, "kubectl wait", &[&path]);
    let ran = run(kpki().current_dir(dir).args(["init", "--dir", "cluster"])).expect_ok("init");
    assert!(ran.out.starts_with("nothing to do"), "{}", ran.out);
    for (leaf, issued) in [("server", "etcd-server-"), ("peer", "etcd-peer-")] {
        let here = fs::read(dir.join(format!("cluster/pki/etcd/{leaf}.crt"))).unwrap();
        let mut files = fs::read_dir(dir.join("issued")).unwrap().map(|entry| entry.unwrap().path());
        let it = files.find(|file| file.file_name().unwrap().to_str().unwrap().starts_with(issued)).unwrap();
        assert_eq!(here, fs::read(it).unwrap());
    }
}
