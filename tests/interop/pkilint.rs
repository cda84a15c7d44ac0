//! pkilint's reading of RFC 5280, over every certificate and every pair of issuer and subject.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;

use crate::support::{Made, decode_base64, files_ending, program, project, say, scratch, write};

/// Lines of files to findings.
fn lint(lines: &[String]) -> Vec<Value> {
    let mut child = program("python3")
        .arg(project("tests/interop/lint.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all((lines.join("\n") + "\n").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "pkilint (pip install pkilint): {wrong}");
    assert!(!wrong.contains("Failed to load"), "{wrong}");
    serde_json::from_str(&said).unwrap_or_else(|why| panic!("{why}: {said}"))
}

/// Every certificate of a tree as a file, those of kubeconfigs included.
fn certificates(tree: &Made, out: &Path) -> Vec<PathBuf> {
    let mut found = files_ending(&tree.dir, ".crt");
    for (i, conf) in files_ending(&tree.dir, ".conf").into_iter().enumerate() {
        let text = std::fs::read_to_string(&conf).unwrap();
        let line = text.lines().find(|line| line.contains("client-certificate-data:")).unwrap();
        let name = conf.file_name().unwrap().to_string_lossy();
        let bytes = decode_base64(line.split_once(':').unwrap().1.trim());
        found.push(write(out.join(format!("{i}-{name}.crt")), bytes));
    }
    found
}

fn signer(tree: &Made, certificate: &Path) -> PathBuf {
    let issuer =
        say("openssl", ["x509", "-noout", "-issuer", "-nameopt", "RFC2253", "-in", certificate.to_str().unwrap()]);
    let stem = ["front-proxy-ca", "etcd-ca"].into_iter().find(|name| issuer.contains(&format!("CN={name}")));
    tree.path(match stem {
        Some("etcd-ca") => "pki/etcd/ca.crt",
        Some(_) => "pki/front-proxy-ca.crt",
        None => "pki/ca.crt",
    })
}

fn judge(tree: &Made) {
    let out = scratch();
    let found = certificates(tree, out.path());
    // The same bytes lie on many nodes.
    let mut seen = BTreeSet::new();
    let different: Vec<&PathBuf> = found.iter().filter(|path| seen.insert(std::fs::read(path).unwrap())).collect();
    assert!(different.len() > 12, "{different:?}");
    let mut lines: Vec<String> = different.iter().map(|path| path.display().to_string()).collect();
    // A self-signed authority needs no authorityKeyIdentifier (RFC 5280 section 4.2.1.1); the chain linter wants one.
    let pairs = different.iter().map(|path| (signer(tree, path), path));
    let pairs = pairs.filter(|(signer, path)| std::fs::read(signer).unwrap() != std::fs::read(path).unwrap());
    lines.extend(pairs.map(|(signer, path)| format!("{}\t{}", signer.display(), path.display())));
    let wrong: Vec<Value> = lint(&lines)
        .into_iter()
        // Names without a dot, such as kubernetes.
        .filter(|finding| finding["code"] != "pkix.invalid_domain_name_syntax")
        .collect();
    assert!(wrong.is_empty(), "{}", serde_json::to_string_pretty(&wrong).unwrap());
}

#[test]
fn an_ecdsa_tree_has_no_finding() {
    judge(&Made::from(&project("profiles/single-node.yaml"), &[]));
}

#[test]
fn an_rsa_tree_has_no_finding() {
    judge(&Made::from(&project("profiles/rsa-legacy.yaml"), &[]));
}

#[test]
fn an_ha_tree_has_no_finding() {
    judge(&Made::from(&project("profiles/ha-load-balancer.yaml"), &[]));
}

#[test]
fn a_dual_stack_tree_has_no_finding() {
    judge(&Made::from(&project("profiles/dual-stack.yaml"), &[]));
}

/// The judge can say no: a subject under another authority.
#[test]
fn a_wrong_pair_is_found() {
    let (one, other) = (crate::support::SMALL, crate::support::SMALL);
    let (one, other) = (Made::of_text(one, &[]), Made::of_text(other, &[]));
    let line = format!("{}\t{}", one.path("pki/ca.crt").display(), other.path("pki/apiserver.crt").display());
    assert!(!lint(&[line]).is_empty());
}
