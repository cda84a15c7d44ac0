//! Clusters whose authorities are OpenBao's: their keys in transit, or the authority in its PKI.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::json;

use super::{Bao, feed, program_path};
use crate::support::{Ran, files_ending, kpki, program, project, run, say};
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

/// The code blocks of this language in vault/README.md, with the places of this test.
fn printed(bao: &Bao, language: &str) -> Vec<String> {
    let readme = fs::read_to_string(project("vault/README.md")).unwrap();
    let fence = format!("\n```{language}\n");
    let blocks = readme.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap());
    let here = |block: &str| {
        block
            .replace("/etc/kpki/", &format!("{}/", bao.place.path().display()))
            .replace("/usr/bin/kpki-vault", &program_path().display().to_string())
            .replace("https://vault.example.com:8200", &bao.address())
    };
    blocks.map(here).collect()
}

/// As an administrator types it, in the place of the test.
#[track_caller]
fn typed(bao: &Bao, text: &str) {
    let programs = program_path().parent().unwrap().to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([programs].into_iter().chain(std::env::split_paths(&path))).unwrap();
    let mut shell = program("sh");
    shell.args(["-e", "-c", text]).current_dir(bao.place.path()).env("PATH", path).env("HOME", bao.place.path());
    run(shell.env("BAO_ADDR", bao.address()).env("BAO_TOKEN", super::ROOT)).expect_ok(text);
}

/// The profile of vault/README.md: what is shown for one authority is meant for all three.
fn by_transit(bao: &Bao) -> String {
    let [signer, _] = printed(bao, "yaml").try_into().unwrap();
    let (before, one) = signer.split_once("  ca:\n").unwrap();
    let of = |name: &str| format!("  {name}:\n{}", one.replace("--key, ca,", &format!("--key, {name},")));
    NODES.replace("caKeys: none\n", "") + before + &AUTHORITIES.map(|(name, _)| of(name)).concat()
}

#[track_caller]
fn without_keys(dir: &Path) {
    for (_, stem) in AUTHORITIES {
        assert!(dir.join(format!("{stem}.crt")).exists() && !dir.join(format!("{stem}.key")).exists(), "{stem}");
    }
}

#[test]
fn keys_that_are_born_in_transit_sign() {
    let bao = Bao::start();
    bao.file("cluster.yaml", by_transit(&bao));
    let [token, new, _, _]: [String; 4] = printed(&bao, "sh").try_into().unwrap();
    typed(&bao, &token);
    typed(&bao, &new);
    let dir = bao.path("cluster");
    judged_by_openssl(&dir);
    bao.kpki("verify cluster").expect_ok("verify");
    let before = fs::read(dir.join("nodes/cp2/pki/etcd/peer.crt")).unwrap();
    bao.kpki("renew all --dir cluster").expect_ok("renew");
    assert_ne!(fs::read(dir.join("nodes/cp2/pki/etcd/peer.crt")).unwrap(), before);
    bao.kpki("revoke cp1/etcd-peer --reason superseded --dir cluster").expect_ok("revoke");
    judged_by_openssl(&dir);
    without_keys(&dir);
}

#[test]
fn keys_that_were_moved_to_transit_sign() {
    let bao = Bao::start();
    bao.file("plain.yaml", NODES);
    bao.kpki("init --profile plain.yaml --dir cluster").expect_ok("init");
    let dir = bao.path("cluster");
    let profile = by_transit(&bao);
    bao.file("cluster.yaml", &profile);
    let [token, _, moved, _]: [String; 4] = printed(&bao, "sh").try_into().unwrap();
    typed(&bao, &token);
    let before = fs::read(dir.join("nodes/cp1/pki/apiserver.crt")).unwrap();
    typed(&bao, &moved);
    assert_ne!(fs::read(dir.join("nodes/cp1/pki/apiserver.crt")).unwrap(), before);
    judged_by_openssl(&dir);
    bao.kpki("verify cluster").expect_ok("verify");
    bao.kpki("crl update --dir cluster").expect_ok("crl update");
    without_keys(&dir);

    // The key of another authority is noticed, and the tree stays as it was.
    bao.file("wrong.yaml", profile.replace("--key, ca,", "--key, etcd-ca,"));
    let before = snapshot(&dir);
    let ran = bao.kpki("renew cp1/apiserver --profile wrong.yaml --dir cluster");
    assert!(!ran.ok() && before == snapshot(&dir), "{ran:?}");
    // So are a token that may not, and a server that is sealed: both are said.
    bao.put("sys/policies/acl/kpki", json!({"policy": "path \"transit/sign/other\" { capabilities = [\"update\"] }"}));
    let ran = bao.kpki("renew cp1/apiserver --dir cluster");
    assert!(!ran.ok() && (ran.out.clone() + &ran.err).contains("permission denied"), "{ran:?}");
    bao.put("sys/seal", serde_json::Value::Null);
    let ran = bao.kpki("renew cp1/apiserver --dir cluster");
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
    bao.file("cluster/pki/ca.crt", fs::read(root).unwrap());
    bao.kpki("init --profile profile.yaml --dir cluster").expect_code(5, "init");
    let dir = bao.path("cluster");
    let wanted = json!({"version": 1, "lifetimeSeconds": 365 * 86_400}).to_string();
    let requests = files_ending(&dir.join(".kpki/requests"), ".csr");
    assert_eq!(requests.len(), 15);
    // A role that drops the organization of admin.conf would take its rights.
    let admin = dir.join(".kpki/requests/nodes/cp1/admin.conf.csr");
    let role = feed(bao.vault("issue --role node").env("KPKI_REQUEST", &wanted), &fs::read(&admin).unwrap()).ok();
    bao.file("role.crt", role);
    let ran = bao.kpki("import role.crt --dir cluster").expect_code(1, "import");
    assert!(ran.err.contains("found `CN=kubernetes-admin`"), "{ran:?}");
    let [_, _, _, by_hand]: [String; 4] = printed(&bao, "sh").try_into().unwrap();
    typed(&bao, &by_hand);
    assert!(dir.join("nodes/cp1/admin.conf").exists() && !admin.exists());
    let requests = files_ending(&dir.join(".kpki/requests"), ".csr");
    let mut words = "import --dir cluster".to_owned();
    for (number, request) in requests.iter().enumerate() {
        let chain = feed(bao.vault("issue").env("KPKI_REQUEST", &wanted), &fs::read(request).unwrap()).ok();
        bao.file(&format!("{number}.crt"), chain);
        write!(words, " {number}.crt").unwrap();
    }
    let ran = bao.kpki(&words).expect_ok("import");
    assert!(!ran.err.contains("warning"), "{ran:?}");
    judged_by_openssl(&dir);
    bao.kpki("verify cluster").expect_ok("verify");
}

/// As vault/README.md states it: `init` and `renew` ask the server themselves.
#[test]
fn an_authority_that_is_the_servers_issues() {
    let bao = Bao::start();
    let root = bao.authority("", "pki", "kubernetes");
    bao.put("sys/policies/acl/issuer", json!({"policy": "path \"pki/sign-verbatim\" { capabilities = [\"update\"] }"}));
    let made = bao.put("auth/token/create", json!({"policies": ["issuer"], "no_default_policy": true}));
    bao.file("vault-token", made["auth"]["client_token"].as_str().unwrap());
    let [_, issuer] = printed(&bao, "yaml").try_into().unwrap();
    bao.file("cluster.yaml", NODES.replace("caKeys: none\n", "") + &issuer);
    bao.file("cluster/pki/ca.crt", fs::read(root).unwrap());
    bao.kpki("init --profile cluster.yaml --dir cluster").expect_ok("init");
    let dir = bao.path("cluster");
    judged_by_openssl(&dir);
    bao.kpki("verify cluster").expect_ok("verify");
    let apiserver = dir.join("nodes/cp1/pki/apiserver.crt");
    let before = fs::read(&apiserver).unwrap();
    bao.kpki("renew cp1/apiserver cp1/admin.conf --dir cluster").expect_ok("renew");
    assert_ne!(fs::read(&apiserver).unwrap(), before);

    // A server that is sealed can answer later: what is in use stays, and the request waits for the next run.
    bao.put("sys/seal", serde_json::Value::Null);
    let before = fs::read(&apiserver).unwrap();
    bao.kpki("renew cp1/apiserver --dir cluster").expect_code(5, "renew while it is sealed");
    assert_eq!(fs::read(&apiserver).unwrap(), before);
    let requests = || files_ending(&dir.join(".kpki/requests"), ".csr");
    let waiting: Vec<_> = requests().iter().map(|request| fs::read(request).unwrap()).collect();
    assert_eq!(waiting.len(), 1);
    bao.unseal();
    bao.kpki("renew cp1/apiserver --dir cluster").expect_ok("renew");
    assert_ne!(fs::read(&apiserver).unwrap(), before);
    assert!(requests().is_empty());
    judged_by_openssl(&dir);
    bao.kpki("verify cluster").expect_ok("verify");

    // A role that drops the organization of admin.conf is noticed; the request waits.
    let role = json!({"allow_any_name": true, "enforce_hostnames": false, "key_type": "any", "basic_constraints_valid_for_non_ca": true});
    bao.put("pki/roles/node", role);
    bao.put("sys/policies/acl/issuer", json!({"policy": "path \"pki/sign/node\" { capabilities = [\"update\"] }"}));
    bao.file("role.yaml", NODES.replace("caKeys: none\n", "") + &issuer.replace("issue,", "issue, --role, node,"));
    let ran = bao.kpki("renew cp1/admin.conf --profile role.yaml --dir cluster").expect_code(5, "renew by a role");
    assert!((ran.out.clone() + &ran.err).contains("CN=kubernetes-admin"), "{ran:?}");
    assert_eq!(requests().len(), 1);
}
