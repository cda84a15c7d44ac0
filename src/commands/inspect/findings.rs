//! The objects and problems found in a file.

use super::describe;
use crate::ca::{CaError, PrivateKey};
use crate::encoding::key::{Container, KeyError, KeyMaterial};
use crate::encoding::pem::{self, PemError};
use crate::encoding::pem_blocks::{Raw, blocks};
use crate::report::inspect::Object;
use crate::x509::{Certificate, Crl, Der, Request, key_kind, sniff};

/// Further objects of one file are counted, not shown.
const MOST: usize = 10_000;

#[derive(Debug, Default)]
pub struct Findings {
    pub objects: Vec<Object>,
    pub problems: Vec<String>,
}

impl Findings {
    pub fn problem(&mut self, why: impl ToString) {
        if self.problems.len() < MOST {
            self.problems.push(why.to_string());
        }
    }

    pub fn add<E: std::fmt::Display>(&mut self, object: Result<Object, E>, owner: Option<&str>) {
        match object {
            Ok(_) if self.objects.len() >= MOST => {}
            Ok(object) => self.objects.push(Object { owner: owner.map(str::to_owned), ..object }),
            Err(why) => match owner {
                Some(owner) => self.problem(format!("{owner}: {why}")),
                None => self.problem(why),
            },
        }
    }

    pub fn der(&mut self, bytes: &[u8]) {
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

    /// DER that is the value of something.
    pub fn der_of(&mut self, bytes: &[u8], owner: &str) {
        let mut inner = Self::default();
        inner.der(bytes);
        inner.objects.into_iter().for_each(|object| self.add::<String>(Ok(object), Some(owner)));
        inner.problems.into_iter().for_each(|why| self.add(Err(why), Some(owner)));
    }

    /// Every block; `owner` is the object that contains the text.
    pub fn pem(&mut self, bytes: &[u8], owner: Option<&str>) {
        for block in blocks(bytes) {
            match block {
                Ok(raw) => self.block(&raw, owner),
                Err(why) => self.add::<PemError>(Err(why), owner),
            }
        }
    }

    pub fn block(&mut self, raw: &Raw<'_>, owner: Option<&str>) {
        let label = raw.label();
        let block = match raw.decode() {
            Ok(block) => block,
            Err(why) => return self.add::<PemError>(Err(why), owner),
        };
        let der = block.certificate().unwrap_or(&block.contents);
        match label.known().unwrap_or_default() {
            _ if label.is_certificate() => self.add(Certificate::parse(der).map(|c| describe::certificate(&c)), owner),
            "X509 CRL" => self.add(Crl::parse(der).map(|crl| describe::crl(&crl)), owner),
            "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => {
                self.add(Request::parse(der).map(|request| describe::request(&request)), owner);
            }
            "PUBLIC KEY" => self.add(describe::public_key(der), owner),
            // OpenSSL writes the curve before the key, which has it too.
            "EC PARAMETERS" => {}
            _ if raw.is_private_key() && (block.encrypted || label.is("ENCRYPTED PRIVATE KEY")) => {
                self.add::<String>(Ok(describe::encrypted_key(&label.to_string())), owner);
            }
            "" if raw.is_private_key() => self.add::<KeyError>(Err(KeyError::UnknownContainer(label)), owner),
            known if raw.is_private_key() => self.add(private_key(pem::write(known, der).as_bytes()), owner),
            _ => self.add::<String>(Err(format!("a PEM block of another kind: {label}")), owner),
        }
    }
}

fn private_key(pem: &[u8]) -> Result<Object, CaError> {
    let container = KeyMaterial::from_pem(pem)?;
    let key = PrivateKey::from_pem(pem)?;
    Ok(describe::private_key(pem_label(pem), container.algorithm(), &key.spki_der()))
}

fn pem_label(pem: &[u8]) -> Option<&'static str> {
    blocks(pem).flatten().next()?.label().known()
}
