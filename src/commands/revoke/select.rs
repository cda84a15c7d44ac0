//! The selected certificates: by entry, by file, or by serial number. Each must be issued by an authority of this tree,
//! which its signature shows.

use std::path::Path;

use super::known;
use crate::catalog::CaId;
use crate::error::{self, Error};
use crate::plan::renew::{Credential, certificate_of};
use crate::plan::revoke::{Verb, serial_of_hex};
use crate::tree::Authority;
use crate::tree::EntryId;
use crate::workspace::journal::serial_text;
use crate::workspace::{Session, Snapshot, survey};
use crate::x509::ordered::{distinct, end};
use crate::x509::{Certificate, Ordered, parse_bundle};

/// What the command line says.
#[derive(Debug, Clone, Copy)]
pub struct Selector<'a> {
    pub verb: Verb,
    pub names: &'a [String],
    pub certificate: Option<&'a Path>,
    pub serial: Option<(&'a str, CaId)>,
    pub unknown_serial: bool,
}

/// A selected certificate.
#[derive(Debug, Clone)]
pub struct Selected {
    /// The entry or the file.
    pub name: Option<String>,
    pub authority: CaId,
    /// Content octets.
    pub serial: Vec<u8>,
}

impl Selected {
    /// The name for messages and the journal.
    pub fn label(&self) -> String {
        self.name.clone().unwrap_or_else(|| format!("{} of {}", serial_text(&self.serial), self.authority.name()))
    }
}

impl Selector<'_> {
    pub fn select(&self, session: &Session<'_>, snapshot: &Snapshot) -> Result<Vec<Selected>, Error> {
        let (verb, mut selected) = (self.verb.name(), Vec::<Selected>::new());
        let mut add = |one: Selected| {
            let is_same = |other: &Selected| other.authority == one.authority && other.serial == one.serial;
            if !selected.iter().any(is_same) {
                selected.push(one);
            }
        };
        for name in self.names {
            let credential = named(self.verb, name, session)?;
            let certificate = certificate_of(credential, &snapshot.survey).ok_or_else(|| {
                Error::new(format!("cannot {verb} {name}: its certificate is missing or cannot be read"))
                    .hint("give the certificate itself with --cert FILE, or its number with --serial HEX --ca CA")
            })?;
            add(of_certificate(self.verb, credential.id.to_string(), &certificate, snapshot, session)?);
            // What the kubelet uses in its place is its node's credential as well.
            if let Some(used) = credential.rotated(session.run.now) {
                add(of_certificate(self.verb, credential.id.to_string(), used, snapshot, session)?);
            }
        }
        if let Some(path) = self.certificate {
            add(of_certificate(self.verb, path.display().to_string(), &read(path)?, snapshot, session)?);
        }
        if let Some((text, authority)) = self.serial {
            let serial = serial_of_hex(text).ok_or_else(|| {
                Error::usage(format!("--serial {text:?} is not a serial number"))
                    .hint("give it in hexadecimal, as kpki inspect and openssl x509 -serial show it")
            })?;
            let issuer = snapshot.certificate(authority);
            let issuer = issuer.ok_or_else(|| {
                error::no_signer(authority, snapshot.authorities.get(&authority), &session.target.root)
            })?;
            let name = match known::entry(session, snapshot, issuer, &serial)? {
                Some(name) => name,
                None if self.unknown_serial => None,
                None => return Err(error::serial_unknown(self.verb, &serial_text(&serial), authority)),
            };
            add(Selected { name, authority, serial });
        }
        Ok(selected)
    }
}

/// One entry: a name that several nodes have is ambiguous.
fn named<'s>(verb: Verb, name: &str, session: &'s Session<'_>) -> Result<&'s Credential, Error> {
    let found: Vec<&Credential> = session.credentials.iter().filter(|one| one.id.is_named(name) && !session.is_left_out(&one.id)).collect();
    match found.as_slice() {
        [only] => Ok(only),
        [] => {
            let bare = EntryId::bare_name(name);
            if crate::catalog::find(bare).is_some_and(|entry| entry.signer.is_none()) {
                return Err(error::not_revocable(verb, bare));
            }
            Err(error::unknown_name(verb, name, &session.known_names()))
        }
        several => Err(error::ambiguous(name, &several.iter().map(|one| one.id.to_string()).collect::<Vec<_>>())),
    }
}

fn of_certificate(
    verb: Verb,
    name: String,
    certificate: &Certificate,
    snapshot: &Snapshot,
    session: &Session<'_>,
) -> Result<Selected, Error> {
    let is_signed = |id: &CaId| snapshot.certificate(*id).is_some_and(|issuer| certificate.issued_by(issuer).is_ok());
    if let Some(authority) = CaId::ALL.into_iter().find(is_signed) {
        return Ok(Selected { name: Some(name), authority, serial: certificate.serial.clone() });
    }
    // It may be the issuer.
    let unusable = |id: &CaId| matches!(snapshot.authorities.get(id), Some(Authority::Unusable(_)));
    if let Some(authority) = CaId::ALL.into_iter().find(unusable) {
        return Err(error::no_signer(authority, snapshot.authorities.get(&authority), &session.target.root));
    }
    let mut earlier = CaId::ALL.into_iter().flat_map(|id| snapshot.bundle(id).iter().skip(1));
    let why = match earlier.any(|issuer| certificate.issued_by(issuer).is_ok()) {
        true => {
            format!("its issuer {} is still trusted, but is not the signing authority any more", certificate.issuer)
        }
        false => format!("its issuer is {}", certificate.issuer),
    };
    Err(error::not_of_this_tree(verb, &name, why))
}

/// The certificate of a file, PEM or DER: that of the path's end, wherever it stands.
fn read(path: &Path) -> Result<Certificate, Error> {
    let bytes = survey::input(path, survey::LARGEST_INPUT)?;
    let cannot = || Error::new(format!("cannot read a certificate from {}", path.display()));
    let (all, _) = distinct(parse_bundle(&bytes).map_err(|why| cannot().because(why))?);
    let ordered = end(&all).and_then(|at| Ordered::from(all, at)).ok_or_else(cannot)?;
    let mut strangers = ordered.clone().take_strangers();
    match strangers.pop() {
        None => Ok(ordered.leaf),
        Some(other) => Err(Error::new(format!("expected one certificate with its chain in {}", path.display()))
            .because(format!("found {} and {}", ordered.leaf.subject, other.subject))
            .hint("give the file of the one that is meant, or its number with --serial HEX --ca CA")),
    }
}
