//! The selected certificates: by entry, by file, or by serial number. Each must be issued by an authority of this tree,
//! which its signature shows.

use std::path::Path;

use super::{file, known};
use crate::catalog::CaId;
use crate::error::{self, Error};
use crate::plan::renew::{Credential, certificate_of};
use crate::plan::revoke::{Verb, serial_of_hex};
use crate::tree::Authority;
use crate::tree::EntryId;
use crate::workspace::journal::{self, serial_text};
use crate::workspace::{Session, Snapshot, issued};
use crate::x509::Certificate;

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
    /// It was not named itself, but with all of its node's.
    pub of_node: bool,
    /// Only the journal knows it: the node has renewed it since, has it elsewhere, or its files are gone.
    pub of_journal: bool,
}

/// What a command line selects.
#[derive(Debug, Default)]
pub struct Selection {
    pub all: Vec<Selected>,
    /// What of `NODE/all` is left out, and why.
    pub left: Vec<String>,
}

impl Selected {
    /// The name for messages and the journal.
    pub fn label(&self) -> String {
        self.name.clone().unwrap_or_else(|| format!("{} of {}", serial_text(&self.serial), self.authority.name()))
    }
}

impl Selector<'_> {
    pub fn select(&self, session: &Session<'_>, snapshot: &Snapshot) -> Result<Selection, Error> {
        let (verb, mut selected, mut left) = (self.verb.name(), Vec::<Selected>::new(), Vec::new());
        let mut add = |one: Selected| {
            let is_same = |other: &Selected| other.authority == one.authority && other.serial == one.serial;
            if !selected.iter().any(is_same) {
                selected.push(one);
            }
        };
        let (nodes, names): (Vec<&String>, Vec<&String>) =
            self.names.iter().partition(|name| EntryId::whole_node(name).is_some());
        let lines = journal::read(&session.tree.roots)?;
        for name in nodes {
            let node = EntryId::whole_node(name).unwrap_or_default();
            let (known, not) = issued::of_node(&lines, node, snapshot, session.run.now);
            let must = known.is_empty() || session.only.is_some();
            for credential in all_named(self.verb, name, session, must)? {
                let id = credential.id.to_string();
                let own = certificate_of(credential, &snapshot.survey);
                for certificate in own.iter().chain(credential.rotated(session.run.now)) {
                    match of_certificate(id.clone(), certificate, snapshot, session) {
                        Ok(Ok(one)) if snapshot.authorities.get(&one.authority).is_some_and(Authority::is_local) => {
                            add(Selected { of_node: true, ..one });
                        }
                        Ok(Ok(one)) => {
                            let name = one.authority.name();
                            left.push(format!("{id} is left out: the key of its authority {name} is not in this tree"));
                        }
                        Ok(Err(why)) => left.push(format!("{id} is left out: {why}")),
                        Err(error) => return Err(error),
                    }
                }
            }
            // What the node has made itself, and what was replaced, is valid as well.
            for one in known {
                let issued::Issued { name, authority, serial } = one;
                add(Selected { name: Some(name), authority, serial, of_node: true, of_journal: true });
            }
            left.extend(not);
        }
        for name in names {
            let credential = named(self.verb, name, session)?;
            let certificate = certificate_of(credential, &snapshot.survey).ok_or_else(|| {
                Error::new(format!("cannot {verb} {name}: its certificate is missing or cannot be read"))
                    .hint("give the certificate itself with --cert FILE, or its number with --serial HEX --ca CA")
            })?;
            let id = credential.id.to_string();
            let ours =
                |found: Result<Selected, String>| found.map_err(|why| error::not_of_this_tree(self.verb, &id, why));
            add(ours(of_certificate(id.clone(), &certificate, snapshot, session)?)?);
            // What the kubelet uses in its place is its node's credential as well.
            if let Some(used) = credential.rotated(session.run.now) {
                add(ours(of_certificate(id.clone(), used, snapshot, session)?)?);
            }
        }
        if let Some(path) = self.certificate {
            let name = path.display().to_string();
            let found = of_certificate(name.clone(), &file::read(path)?, snapshot, session)?;
            add(found.map_err(|why| error::not_of_this_tree(self.verb, &name, why))?);
        }
        if let Some((text, authority)) = self.serial {
            let serial = serial_of_hex(text).ok_or_else(|| {
                Error::usage(format!("--serial {text:?} is not a serial number"))
                    .hint("give it in hexadecimal, as kpki inspect and openssl x509 -serial show it")
            })?;
            let issuer = snapshot.certificate(authority);
            let issuer = issuer.ok_or_else(|| {
                error::no_signer(authority, snapshot.authorities.get(&authority), &session.target.origin)
            })?;
            let name = match known::entry(session, snapshot, issuer, &serial)? {
                Some(name) => name,
                None if self.unknown_serial => None,
                None => return Err(error::serial_unknown(self.verb, &serial_text(&serial), authority)),
            };
            add(Selected { name, authority, serial, of_node: false, of_journal: false });
        }
        Ok(Selection { all: selected, left })
    }
}

/// Every entry of a node that has one. `must`: it is unknown otherwise.
fn all_named<'s>(verb: Verb, name: &str, session: &'s Session<'_>, must: bool) -> Result<Vec<&'s Credential>, Error> {
    let of = |one: &&Credential| one.id.is_named(name) && !session.is_left_out(&one.id);
    let found: Vec<&Credential> = session.credentials.iter().filter(of).collect();
    if must && found.is_empty() {
        session.check_node(name)?;
        return Err(error::unknown_name(verb, name, &session.known_names()));
    }
    Ok(found)
}

/// One entry: a name that several nodes have is ambiguous.
fn named<'s>(verb: Verb, name: &str, session: &'s Session<'_>) -> Result<&'s Credential, Error> {
    let found: Vec<&Credential> =
        session.credentials.iter().filter(|one| one.id.is_named(name) && !session.is_left_out(&one.id)).collect();
    match found.as_slice() {
        [only] => Ok(only),
        [] => {
            let bare = EntryId::bare_name(name);
            if crate::catalog::find(bare).is_some_and(|entry| entry.signer.is_none()) {
                return Err(error::not_revocable(verb, bare));
            }
            session.check_node(name)?;
            Err(error::unknown_name(verb, name, &session.known_names()))
        }
        several => Err(error::ambiguous(name, &several.iter().map(|one| one.id.to_string()).collect::<Vec<_>>())),
    }
}

/// The certificate of an authority of this tree, or why it is none.
fn of_certificate(
    name: String,
    certificate: &Certificate,
    snapshot: &Snapshot,
    session: &Session<'_>,
) -> Result<Result<Selected, String>, Error> {
    let is_signed = |id: &CaId| snapshot.certificate(*id).is_some_and(|issuer| certificate.issued_by(issuer).is_ok());
    if let Some(authority) = CaId::ALL.into_iter().find(is_signed) {
        return Ok(Ok(Selected {
            name: Some(name),
            authority,
            serial: certificate.serial.clone(),
            of_node: false,
            of_journal: false,
        }));
    }
    // It may be the issuer.
    let unusable = |id: &CaId| matches!(snapshot.authorities.get(id), Some(Authority::Unusable(_)));
    if let Some(authority) = CaId::ALL.into_iter().find(unusable) {
        return Err(error::no_signer(authority, snapshot.authorities.get(&authority), &session.target.origin));
    }
    let mut earlier = CaId::ALL.into_iter().flat_map(|id| snapshot.bundle(id).iter().skip(1));
    Ok(Err(match earlier.any(|issuer| certificate.issued_by(issuer).is_ok()) {
        true => {
            format!("its issuer {} is still trusted, but is not the signing authority any more", certificate.issuer)
        }
        false => format!("its issuer is {}", certificate.issuer),
    }))
}
