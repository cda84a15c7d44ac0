//! One file, or bytes.

use std::path::Path;

use super::documents;
use super::findings::Findings;
use crate::encoding::pem;
use crate::error::Error;
use crate::report::inspect::File;
use zeroize::Zeroizing;

/// What one file holds; one that could not be read is never an error of the whole run. `path` is what it is called.
pub fn file(path: String, bytes: Result<Zeroizing<Vec<u8>>, Error>) -> File {
    match bytes {
        Ok(bytes) => content(path, &bytes),
        Err(error) => File { path, objects: Vec::new(), problems: vec![error.what] },
    }
}

fn content(path: String, bytes: &[u8]) -> File {
    let mut found = Findings::default();
    if bytes.first() == Some(&0x30) {
        found.der(bytes);
    } else if !documents::read(Path::new(&path), bytes, &mut found) {
        found.pem(bytes, None);
    }
    if found.objects.is_empty() && found.problems.is_empty() {
        found.problem(match bytes {
            [] => "expected a certificate, key, CRL, signing request or kubeconfig, found an empty file",
            _ => "expected a certificate, key, CRL, signing request or kubeconfig, found nothing of the kind",
        });
    }
    let holds_certificate = found.objects.iter().any(|object| object.kind.ends_with("certificate"));
    if path.ends_with(".crt") && holds_certificate && pem::holds_private_key(bytes) {
        found.problem("a private key is in a file that is called a certificate: who may read one has the other");
    }
    File { path, objects: found.objects, problems: found.problems }
}
