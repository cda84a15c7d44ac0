//! One file, or bytes.

use std::path::Path;

use super::blocks::alone;
use super::findings::{Findings, what};
use super::{containers, documents};
use crate::catalog::paths::SIGNER_FILE;
use crate::encoding::pem;
use crate::error::Error;
use crate::report::inspect::File;
use crate::workspace::passwords::Passwords;
use zeroize::Zeroizing;

/// What one file holds; one that could not be read is never an error of the whole run. `path` is what it is called.
pub fn file(path: String, bytes: Result<Zeroizing<Vec<u8>>, Error>, passwords: &mut dyn Passwords) -> File {
    match bytes {
        Ok(bytes) => content(path, &bytes, passwords),
        Err(error) => File { path, objects: Vec::new(), problems: vec![error.what] },
    }
}

fn content(path: String, bytes: &[u8], passwords: &mut dyn Passwords) -> File {
    let mut found = Findings { name: path.clone(), passwords, objects: Vec::new(), problems: Vec::new() };
    let taken = containers::read(bytes, &mut found)
        || (bytes.first() == Some(&0x30) && found.der(bytes, None))
        || documents::read(Path::new(&path), bytes, &mut found);
    if !taken {
        found.pem(bytes, None);
    }
    if found.objects.is_empty() && found.problems.is_empty() {
        let other =
            if bytes.is_empty() { "an empty file".to_owned() } else { alone(bytes).unwrap_or_else(|| what(bytes)) };
        found.problem(format!("expected a certificate, key, CRL, signing request or kubeconfig, found {other}"));
    }
    let holds_certificate = found.objects.iter().any(|object| object.kind.ends_with("certificate"));
    if path.ends_with(".crt") && holds_certificate && pem::holds_private_key(bytes) {
        found.problem("a private key is in a file that is called a certificate: who may read one has the other");
    }
    let certificates = found.objects.iter().filter(|object| object.kind.ends_with("certificate")).count();
    if Path::new(&path).file_name().is_some_and(|name| name == SIGNER_FILE) && certificates != 1 {
        found.problem(format!(
            "expected exactly one certificate, the one that signs, found {certificates}: kube-controller-manager accepts no other \
             number in --cluster-signing-cert-file"
        ));
    }
    File { path, objects: found.objects, problems: found.problems }
}
