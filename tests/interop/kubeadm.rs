//! The trees of real kubeadm beside kpki's from the same configuration, both as OpenSSL shows them.

use std::path::Path;

use crate::support::{Made, files_ending, fixtures, say};

/// Subject, issuer and the extensions that decide what a certificate is good for.
fn facts(file: &Path, with_constraints: bool) -> String {
    let file = file.to_str().unwrap();
    let mut said =
        say("openssl", ["x509", "-noout", "-subject", "-issuer", "-nameopt", "RFC2253,show_type", "-in", file]);
    for extension in ["keyUsage", "extendedKeyUsage", "basicConstraints", "subjectAltName"] {
        if extension == "basicConstraints" && !with_constraints {
            continue;
        }
        let text = say("openssl", ["x509", "-noout", "-ext", extension, "-in", file]);
        // What differs on purpose, in src/catalog/differences.rs: crl-sign and ec-key-encipherment.
        let text = text.replace(", CRL Sign", "").replace(", Key Encipherment", "");
        said.push_str(&text);
    }
    said
}

#[test]
fn certificates_say_what_kubeadms_say() {
    let mut compared = 0;
    for configuration in fixtures() {
        let theirs = configuration.parent().unwrap().join("etc-kubernetes");
        let tree = Made::from(&configuration, &[]);
        for file in files_ending(&theirs, ".crt") {
            let below = file.strip_prefix(&theirs).unwrap();
            let ours = tree.dir.join(below);
            assert!(ours.exists(), "{}: kubeadm has it, kpki has not", ours.display());
            // Old releases said nothing of basicConstraints on leaves, and gave their CAs no names.
            let old = configuration.to_string_lossy().contains("/v1.20-");
            let (ours, theirs) = (facts(&ours, !old), facts(&file, !old));
            if old && file.to_string_lossy().ends_with("ca.crt") {
                assert!(ours.starts_with(&theirs), "{}\n{ours}\n{theirs}", file.display());
            } else {
                assert_eq!(ours, theirs, "{}", file.display());
            }
            compared += 1;
        }
        // And nothing more than kubeadm's.
        if theirs.join("pki/ca.key").exists() {
            for ours in files_ending(&tree.path("pki"), ".crt") {
                let below = ours.strip_prefix(&tree.dir).unwrap();
                assert!(theirs.join(below).exists(), "{}: kpki has it, kubeadm has not", below.display());
            }
        }
    }
    assert!(compared > 60, "{compared}");
}
