//! `kpki inspect`: whatever lies in a file, told in full. Of a private key: its kind and the identifier of its public half,
//! never a number of its own.

mod describe;
mod documents;

use std::path::Path;

use crate::ca::PrivateKey;
use crate::encoding::key::{Container, KeyMaterial};
use crate::encoding::pem::{self, PemError};
use crate::encoding::pem_blocks::{Raw, blocks};
use crate::error::Error;
use crate::files::{self, FileError, Kind, Op};
use crate::report::inspect::{File, Object};
use crate::workspace::survey::LARGEST_INPUT;
use crate::x509::{Certificate, Crl, Der, Request, key_kind, sniff};

/// A revocation list with a million entries, as PEM.
/// More objects of one file are counted, not shown.
const MOST: usize = 10_000;

/// One file; it is never an error of the whole run.
pub fn file(path: &Path) -> File {
    let name = path.display().to_string();
    match files::read_input(path, LARGEST_INPUT) {
        Ok(files::FileState::File { bytes, .. }) => content(name, &bytes),
        Ok(files::FileState::Missing) => unreadable(name, &FileError::new(Op::Read, path, Kind::Missing).into()),
        Err(error) => unreadable(name, &error.into()),
    }
}

/// Why a file has nothing to show.
pub fn unreadable(path: String, error: &Error) -> File {
    File { path, objects: Vec::new(), problems: vec![error.what.clone()] }
}

/// What bytes hold; `path` is what they are called.
pub fn content(path: String, bytes: &[u8]) -> File {
    let mut found = Findings::default();
    if bytes.first() == Some(&0x30) {
        found.der(bytes);
    } else if !documents::read(bytes, &mut found) {
        found.pem(bytes, None);
    }
    if found.objects.is_empty() && found.problems.is_empty() {
        found.problem(match bytes {
            [] => "expected a certificate, key, CRL, signing request or kubeconfig, found an empty file",
            _ => "expected a certificate, key, CRL, signing request or kubeconfig, found nothing of the kind",
        });
    }
    File { path, objects: found.objects, problems: found.problems }
}

#[derive(Debug, Default)]
struct Findings {
    objects: Vec<Object>,
    problems: Vec<String>,
}

impl Findings {
    fn problem(&mut self, why: impl ToString) {
        if self.problems.len() < MOST {
            self.problems.push(why.to_string());
        }
    }

    fn add<E: std::fmt::Display>(&mut self, object: Result<Object, E>, owner: Option<&str>) {
        match object {
            Ok(_) if self.objects.len() >= MOST => {}
            Ok(object) => self.objects.push(Object { owner: owner.map(str::to_owned), ..object }),
            Err(why) => match owner {
                Some(owner) => self.problem(format!("{owner}: {why}")),
                None => self.problem(why),
            },
        }
    }

    fn der(&mut self, bytes: &[u8]) {
        match sniff(bytes) {
            Some(Der::Certificate) => self.add(Certificate::parse(bytes).map(|c| describe::certificate(&c)), None),
            Some(Der::Crl) => self.add(Crl::parse(bytes).map(|crl| describe::crl(&crl)), None),
            Some(Der::Request) => self.add(Request::parse(bytes).map(|request| describe::request(&request)), None),
            None if key_kind(bytes).is_ok() => self.add(describe::public_key(bytes), None),
            None => {
                let containers = [Container::Pkcs8, Container::Pkcs1, Container::Sec1];
                match containers.into_iter().find_map(|container| KeyMaterial::from_der(container, bytes).ok()) {
                    Some(key) => self.add(private_key(key.to_pem().as_bytes()), None),
                    None => self.problem("expected a certificate, key, CRL or signing request, found other DER"),
                }
            }
        }
    }

    /// Every block; `owner` says whose text it is.
    fn pem(&mut self, bytes: &[u8], owner: Option<&str>) {
        for block in blocks(bytes) {
            match block {
                Ok(raw) => self.block(&raw, owner),
                Err(why) => self.add::<PemError>(Err(why), owner),
            }
        }
    }

    fn block(&mut self, raw: &Raw<'_>, owner: Option<&str>) {
        let label = raw.label();
        let block = match raw.decode() {
            Ok(block) => block,
            Err(why) => return self.add::<PemError>(Err(why), owner),
        };
        let der = block.contents.as_slice();
        match label.as_ref() {
            "CERTIFICATE" => self.add(Certificate::parse(der).map(|c| describe::certificate(&c)), owner),
            "X509 CRL" => self.add(Crl::parse(der).map(|crl| describe::crl(&crl)), owner),
            "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => {
                self.add(Request::parse(der).map(|request| describe::request(&request)), owner);
            }
            "PUBLIC KEY" => self.add(describe::public_key(der), owner),
            // OpenSSL puts the curve before the key, which says it again.
            "EC PARAMETERS" => {}
            _ if raw.is_private_key() && (block.encrypted || label == "ENCRYPTED PRIVATE KEY") => {
                self.add::<String>(Ok(describe::encrypted_key(&label)), owner);
            }
            _ if raw.is_private_key() => self.add(private_key(pem::write(&label, der).as_bytes()), owner),
            _ => self.add::<String>(Err(format!("a PEM block of another kind: {label}")), owner),
        }
    }
}

fn private_key(pem: &[u8]) -> Result<Object, String> {
    let container = KeyMaterial::from_pem(pem).map_err(|why| why.to_string())?;
    let key = PrivateKey::from_pem(pem).map_err(|why| why.to_string())?;
    describe::private_key(pem_label(pem).as_deref(), container.algorithm(), &key.spki_der())
}

fn pem_label(pem: &[u8]) -> Option<String> {
    blocks(pem).flatten().next().map(|raw| raw.label().into_owned())
}
