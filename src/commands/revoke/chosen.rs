//! Which certificates are meant: by name, by themselves, or by number. Each belongs to an authority of this tree, which its
//! signature says.

use std::path::Path;

use super::known;
use crate::catalog::CaId;
use crate::commands::inspect::LARGEST;
use crate::commands::journal::serial_text;
use crate::commands::renew::tree::Tree;
use crate::error::{self, Error};
use crate::files::{self, FileError, Kind, Op};
use crate::plan::decision::Survey;
use crate::plan::renew::{Credential, Signer, Signers, certificate_of};
use crate::plan::revoke::serial_of_hex;
use crate::x509::{Certificate, parse_pem_bundle};

/// What the command line says.
#[derive(Debug, Clone, Copy)]
pub struct Selector<'a> {
    pub names: &'a [String],
    pub certificate: Option<&'a Path>,
    pub serial: Option<(&'a str, CaId)>,
    pub unknown_serial: bool,
}

/// A certificate that is meant.
#[derive(Debug, Clone)]
pub struct Selected {
    /// The entry that was named, or the file.
    pub name: Option<String>,
    pub authority: CaId,
    /// Content octets.
    pub serial: Vec<u8>,
}

impl Selected {
    /// As messages and the journal call it.
    pub fn shown(&self) -> String {
        self.name.clone().unwrap_or_else(|| format!("{} of {}", serial_text(&self.serial), self.authority.name()))
    }
}

pub fn choose(whom: Selector<'_>, tree: &Tree<'_>, survey: &Survey, signers: &Signers) -> Result<Vec<Selected>, Error> {
    let mut chosen: Vec<Selected> = Vec::new();
    let mut add = |one: Selected| {
        let same = |other: &Selected| other.authority == one.authority && other.serial == one.serial;
        if !chosen.iter().any(same) {
            chosen.push(one);
        }
    };
    for name in whom.names {
        let credential = named(name, &tree.credentials)?;
        let certificate = certificate_of(credential, survey).ok_or_else(|| {
            Error::new(format!("cannot revoke {name}: there is no certificate of its own that can be read"))
                .hint("give the certificate itself with --cert FILE, or its number with --serial HEX --ca CA")
        })?;
        add(of_certificate(credential.id(), &certificate, signers)?);
    }
    if let Some(path) = whom.certificate {
        add(of_certificate(path.display().to_string(), &read(path)?, signers)?);
    }
    if let Some((text, authority)) = whom.serial {
        let serial = serial_of_hex(text).ok_or_else(|| {
            Error::usage(format!("--serial {text:?} is no serial number"))
                .hint("give it in hexadecimal, as kpki inspect and openssl x509 -serial show it")
        })?;
        let issuer = signers.get(&authority).and_then(Signer::certificate);
        let issuer = issuer.ok_or_else(|| error::no_signer(authority, signers.get(&authority)))?;
        let name = match known::entry(tree, survey, issuer, &serial)? {
            Some(name) => name,
            None if whom.unknown_serial => None,
            None => return Err(error::serial_unknown(&serial_text(&serial), authority)),
        };
        add(Selected { name, authority, serial });
    }
    Ok(chosen)
}

/// One entry: a name that several nodes have does not say whose is meant.
fn named<'a>(name: &str, all: &'a [Credential]) -> Result<&'a Credential, Error> {
    let found: Vec<&Credential> = all.iter().filter(|one| one.id() == *name || one.name == *name).collect();
    match found.as_slice() {
        [only] => Ok(only),
        [] => {
            let bare = name.rsplit('/').next().unwrap_or(name);
            if crate::catalog::find(bare).is_some_and(|entry| entry.signer.is_none()) {
                return Err(error::not_revocable(bare));
            }
            let mut known: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
            known.sort_unstable();
            known.dedup();
            Err(error::unknown_name(name, &known))
        }
        several => Err(error::ambiguous(name, &several.iter().map(|one| one.id()).collect::<Vec<_>>())),
    }
}

fn of_certificate(name: String, certificate: &Certificate, signers: &Signers) -> Result<Selected, Error> {
    let signed = |authority: &CaId| {
        let by = signers.get(authority).and_then(Signer::certificate);
        by.is_some_and(|by| certificate.signed_by(by).is_ok())
    };
    match CaId::ALL.into_iter().find(signed) {
        Some(authority) => Ok(Selected { name: Some(name), authority, serial: certificate.serial.clone() }),
        None => {
            let earlier = signers
                .values()
                .any(|signer| signer.bundle().iter().skip(1).any(|by| certificate.signed_by(by).is_ok()));
            let why = match earlier {
                true => format!("its issuer {} is still trusted, but its key signs no more", certificate.issuer),
                false => format!("its issuer is {}", certificate.issuer),
            };
            Err(error::not_of_this_tree(&name, why))
        }
    }
}

/// The first certificate of a file, PEM or DER.
fn read(path: &Path) -> Result<Certificate, Error> {
    let bytes = match files::read_input(path, LARGEST)? {
        files::FileState::File { bytes, .. } => bytes,
        files::FileState::Missing => return Err(FileError::new(Op::Read, path, Kind::Missing).into()),
    };
    let first = match bytes.first() {
        Some(0x30) => Certificate::parse(&bytes).map_err(|why| why.to_string()),
        _ => parse_pem_bundle(&bytes)
            .map_err(|why| why.to_string())
            .and_then(|bundle| bundle.into_iter().next().ok_or_else(|| "no certificate in it".to_owned())),
    };
    first.map_err(|why| Error::new(format!("cannot read a certificate from {}", path.display())).because(why))
}
