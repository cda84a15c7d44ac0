//! The selected certificates: by entry, by file, or by serial number. Each must be issued by an authority of this tree,
//! which its signature shows.

use std::path::Path;

use super::{file, issuer, known};
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
    /// Its issuer's place in the authority's file: 0 is the one that signs now.
    pub rank: usize,
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
    /// Which list it is for.
    pub const fn list(&self) -> (CaId, usize) {
        (self.authority, self.rank)
    }

    /// The name for messages and the journal.
    pub fn label(&self) -> String {
        self.name.clone().unwrap_or_else(|| format!("{} of {}", serial_text(&self.serial), self.authority.name()))
    }
}

impl Selector<'_> {
    pub fn select(&self, session: &Session<'_>, snapshot: &Snapshot) -> Result<Selection, Error> {
        let (verb, mut selected, mut left) = (self.verb.name(), Vec::<Selected>::new(), Vec::new());
        let mut add = |one: Selected| {
            let is_same = |other: &Selected| other.list() == one.list() && other.serial == one.serial;
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
                            let why = error::left_by(one.authority, snapshot.authorities.get(&one.authority));
                            left.push(format!("{id} is left out: {why}"));
                        }
                        Ok(Err(why)) => left.push(format!("{id} is left out: {why}")),
                        Err(error) => return Err(error),
                    }
                }
            }
            // What the node has made itself, and what was replaced, is valid as well.
            for one in known {
                let issued::Issued { name, authority, rank, serial } = one;
                add(Selected { name: Some(name), authority, rank, serial, of_node: true, of_journal: true });
            }
            left.extend(not);
        }
        for name in names {
            let credential = named(self.verb, name, session)?;
            let certificate = certificate_of(credential, &snapshot.survey).ok_or_else(|| {
                Error::new(format!("cannot {verb} {name}: its certificate is missing or cannot be read")).hint(
                    "give the certificate itself with --cert FILE, or its number with --serial HEX --authority NAME",
                )
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
            if snapshot.certificate(authority).is_none() {
                let state = snapshot.authorities.get(&authority);
                return Err(error::no_signer(authority, state, &session.target.origin));
            }
            let mut found = None;
            for (rank, issuer) in snapshot.bundle(authority).iter().enumerate() {
                if let Some(name) = known::entry(session, snapshot, issuer, &serial)? {
                    found = Some((name, rank));
                    break;
                }
            }
            let (name, rank) = match found {
                Some(found) => found,
                None if self.unknown_serial => (None, 0),
                None => return Err(error::serial_unknown(self.verb, &serial_text(&serial), authority)),
            };
            add(Selected { name, authority, rank, serial, of_node: false, of_journal: false });
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
    let serial = certificate.serial.clone();
    let of =
        |(authority, rank)| Selected { name: Some(name), authority, rank, serial, of_node: false, of_journal: false };
    Ok(issuer::of(certificate, snapshot, session)?.map(of))
}
