//! Clusters whose authorities are OpenBao's: their keys in transit, or the authority in its PKI.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::{Bao, feed, program_path};
use crate::support::{Ran, files_ending, kpki, program, run, say};
use crate::tree::snapshot;

const NODES: &str = "\
apiVersion: kpki/v1
kind: ClusterProfile
clusterName: prod
caKeys: none
controlPlaneEndpoint: 10.0.0.10:6443
nodes:
  - {name: cp1, addresses: [10.0.0.11]}
  - {name: cp2, addresses: [10.0.0.12]}
";
/// Name of the authority, and its files.
const AUTHORITIES: [(&str, &str); 3] =
    [("ca", "pki/ca"), ("front-proxy-ca", "pki/front-proxy-ca"), ("etcd-ca", "pki/etcd/ca")];

impl Bao {
    fn kpki(&self, words: &str) -> Ran {
        run(kpki().args(words.split(' ')).current_dir(self.place.path()))
    }

    /// A file with a token that may do this and nothing else.
    fn limited(&self, policy: &str) -> PathBuf {
        self.put("sys/policies/acl/kpki", json!({ "policy": policy }));
        let made = self.put("auth/token/create", json!({"policies": ["kpki"], "no_default_policy": true}));
        self.file("token", made["auth"]["client_token"].as_str().unwrap())
    }

    /// The profile with all authorities signing by transit, each by the key of the given name.
    fn signing(&self, token: &Path, keys: [&str; 3]) -> String {
        let mut profile = format!("{NODES}authorities:\n");
        for ((name, _), key) in AUTHORITIES.iter().zip(keys) {
            let (program, address, token) = (program_path(), self.address(), token.display());
            let program = program.display();
            writeln!(profile, "  {name}:\n    signer: [{program}, sign, --key, {key}, --address, \"{address}\", --token-file, {token}]").unwrap();
        }
        profile
    }
}

/// Every certificate of the nodes below its authority's, by openssl.
#[track_caller]
fn judged_by_openssl(dir: &Path) {
    let mut count = 0;
    for (name, signer) in [
        ("pki/apiserver", "pki/ca"),
        ("pki/apiserver-kubelet-client", "pki/ca"),
        ("kubelet/kubelet", "pki/ca"),
        ("pki/front-proxy-client", "pki/front-proxy-ca"),
        ("pki/etcd/server", "pki/etcd/ca"),
        ("pki/apiserver-etcd-client", "pki/etcd/ca"),
    ] {
        for certificate in files_ending(&dir.join("nodes"), &format!("/{name}.crt")) {
            let ca = dir.join(format!("{signer}.crt"));
            let certificate = certificate.to_str().unwrap();
            say(
                "openssl",
                ["verify", "-x509_strict", "-CAfile", ca.to_str().unwrap(), "-untrusted", certificate, certificate],
            );
            count += 1;
        }
    }
    assert_eq!(count, 12);
}

/// Its keys go into transit, as `bao transit import` takes them, and leave the host.
fn moved_to_transit(bao: &Bao, dir: &Path) {
    bao.put("sys/mounts/transit", json!({"type": "transit"}));
    for (name, stem) in AUTHORITIES {
        let key = dir.join(format!("{stem}.key"));
        let der = say("openssl", ["pkcs8", "-topk8", "-nocrypt", "-in", key.to_str().unwrap()]);
        let base64: String = der.lines().filter(|line| !line.starts_with('-')).collect();
        let file = bao.file("wrapped", base64);
        let mut command = program("bao");
        command.args(["transit", "import", &format!("transit/keys/{name}")]).arg(format!("@{}", file.display()));
        command.arg("type=ecdsa-p256").env("BAO_ADDR", bao.address()).env("BAO_TOKEN", super::ROOT);
        run(command.env("HOME", bao.place.path())).expect_ok(name);
        fs::remove_file(file).unwrap();
        fs::remove_file(key).unwrap();
    }
}

#[test]
fn keys_that_were_moved_to_transit_sign() {
    let bao = Bao::start();
    bao.file("plain.yaml", NODES);
    bao.kpki("init --profile plain.yaml --dir tree").expect_ok("init");
    let dir = bao.path("tree");
    moved_to_transit(&bao, &dir);
    let token = bao.limited("path \"transit/sign/*\" { capabilities = [\"update\"] }");
    bao.file("profile.yaml", bao.signing(&token, ["ca", "front-proxy-ca", "etcd-ca"]));
    let before = fs::read(dir.join("nodes/cp1/pki/apiserver.crt")).unwrap();
    let renew = "renew all --profile profile.yaml --dir tree";
    bao.kpki(renew).expect_ok(renew);
    assert_ne!(fs::read(dir.join("nodes/cp1/pki/apiserver.crt")).unwrap(), before);
    judged_by_openssl(&dir);
    bao.kpki("verify tree").expect_ok("verify");
    bao.kpki("crl update --dir tree").expect_ok("crl update");
    for (_, stem) in AUTHORITIES {
        assert!(!dir.join(format!("{stem}.key")).exists());
    }

    // The key of another authority is noticed, and the tree stays as it was.
    bao.file("wrong.yaml", bao.signing(&token, ["etcd-ca", "front-proxy-ca", "etcd-ca"]));
    let before = snapshot(&dir);
    let ran = bao.kpki("renew cp1/apiserver --profile wrong.yaml --dir tree");
    assert!(!ran.ok() && before == snapshot(&dir), "{ran:?}");
    // So are a token that may not, and a server that is sealed: both are said.
    bao.put("sys/policies/acl/kpki", json!({"policy": "path \"transit/sign/other\" { capabilities = [\"update\"] }"}));
    let ran = bao.kpki("renew cp1/apiserver --dir tree");
    assert!(!ran.ok() && (ran.out.clone() + &ran.err).contains("permission denied"), "{ran:?}");
    bao.put("sys/seal", serde_json::Value::Null);
    let ran = bao.kpki("renew cp1/apiserver --dir tree");
    assert!(!ran.ok() && (ran.out.clone() + &ran.err).contains("sealed"), "{ran:?}");
    assert!(before == snapshot(&dir));
}

/// An authority whose certificate is here and whose key is in the server: what waits is carried there and back by hand.
#[test]
fn requests_of_an_external_authority_are_answered() {
    let bao = Bao::start();
    let root = bao.authority("", "pki", "kubernetes");
    let role = json!({"allow_any_name": true, "enforce_hostnames": false, "key_type": "any", "basic_constraints_valid_for_non_ca": true});
    bao.put("pki/roles/node", role);
    bao.file("profile.yaml", NODES);
    bao.file("tree/pki/ca.crt", fs::read(root).unwrap());
    bao.kpki("init --profile profile.yaml --dir tree").expect_code(5, "init");
    let dir = bao.path("tree");
    let wanted = json!({"version": 1, "lifetimeSeconds": 365 * 86_400}).to_string();
    let requests = files_ending(&dir.join(".kpki/requests"), ".csr");
    assert_eq!(requests.len(), 15);
    // A role that drops the organization of admin.conf would take its rights.
    let admin = dir.join(".kpki/requests/nodes/cp1/admin.conf.csr");
    let role = feed(bao.vault("issue --role node").env("KPKI_REQUEST", &wanted), &fs::read(&admin).unwrap()).ok();
    bao.file("role.crt", role);
    let ran = bao.kpki("import role.crt --dir tree").expect_code(1, "import");
    assert!(ran.err.contains("found `CN=kubernetes-admin`"), "{ran:?}");
    let mut words = "import --dir tree".to_owned();
    for (number, request) in requests.iter().enumerate() {
        let chain = feed(bao.vault("issue").env("KPKI_REQUEST", &wanted), &fs::read(request).unwrap()).ok();
        bao.file(&format!("{number}.crt"), chain);
        write!(words, " {number}.crt").unwrap();
    }
    let ran = bao.kpki(&words).expect_ok("import");
    assert!(!ran.err.contains("warning"), "{ran:?}");
    judged_by_openssl(&dir);
    bao.kpki("verify tree").expect_ok("verify");
}
