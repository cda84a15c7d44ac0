//! A revocation list as a node's receipt carries it: whose it is, and what it revokes. It is believed by its authority's signature,
//! whatever node it comes from.

use std::borrow::Cow;
use std::path::PathBuf;

use crate::catalog::CaId;
use crate::encoding::base64;
use crate::error::{self, Error};
use crate::files;
use crate::inventory;
use crate::revocation::{Number, Revoked};
use crate::workspace::Snapshot;
use crate::workspace::journal::{CrlLine, serial_text};
use crate::workspace::shipping::given::Given;
use crate::workspace::shipping::receipt::{HeldList, Receipt};
use crate::x509::{Certificate, Crl, all_revoked, sha256};

/// What a list in a receipt turns out to be.
pub enum Theirs {
    /// The authority has signed it: its entries.
    Entries(Vec<CrlLine>),
    /// A former certificate of the authority has: it is no issue of the list here.
    Former,
    /// It is not in the receipt.
    Absent,
    /// It is none of this cluster's, or not the one that the receipt says it is.
    Refused(String),
}

/// Lists that were brought beside the receipts, in DER: those that are too large for one.
pub type Brought = Vec<Vec<u8>>;

/// `issuer`: the authority's certificate; `bundle`: all that are in its file.
pub fn read(list: &HeldList, brought: &Brought, issuer: &Certificate, bundle: &[Certificate]) -> Theirs {
    let refused = |why: &str| Theirs::Refused(why.to_owned());
    let is_it = |der: &&Vec<u8>| sha256(der) == list.fingerprint.0;
    let der = match (&list.crl, brought.iter().find(is_it)) {
        (None, None) => return Theirs::Absent,
        (_, Some(der)) => Cow::Borrowed(der),
        (Some(text), None) => match base64::decode(text.as_bytes()) {
            Ok(der) => Cow::Owned(der.to_vec()),
            Err(why) => return Theirs::Refused(why.to_string()),
        },
    };
    let (crl, entries) = match all_revoked(&der) {
        Ok(read) => read,
        Err(why) => return Theirs::Refused(why.to_string()),
    };
    if sha256(&der) != list.fingerprint.0 || crl.edition() != list.issue().number {
        return refused("it is another one than its number and fingerprint say");
    }
    if crl.delta || crl.scope.is_some() {
        return refused("it is not a list of everything that its authority has revoked");
    }
    if crl.signed_by(&der, issuer).is_ok() {
        return Theirs::Entries(lines(&crl, &entries, issuer));
    }
    match bundle.iter().any(|one| crl.signed_by(&der, one).is_ok()) {
        true => Theirs::Former,
        false => refused("no authority of this cluster has signed it"),
    }
}

/// Whose certificate a number is, a list does not say.
fn lines(crl: &Crl, entries: &[Revoked], issuer: &Certificate) -> Vec<CrlLine> {
    // The line gets the number of the next issue.
    let number = crl.edition().unwrap_or_else(|| Number::from(0));
    let line = |one: &Revoked| {
        let verb = if one.is_hold() { "hold" } else { "revoke" };
        CrlLine::new(verb, &serial_text(&one.serial), issuer, &number, Some(one), one.at)
    };
    entries.iter().map(line).collect()
}

/// Why the lists of a receipt cannot be accepted.
pub fn refusals(receipt: &Receipt, brought: &Brought, snapshot: &Snapshot) -> Vec<String> {
    let mut whys = Vec::new();
    for list in &receipt.lists {
        let Some(id) = CaId::parse(&list.authority) else { continue };
        let Some(issuer) = snapshot.certificate(id) else { continue };
        if let Theirs::Refused(why) = read(list, brought, issuer, snapshot.bundle(id)) {
            whys.push(format!("its list {} of {}: {why}", list.path, id.name()));
        }
    }
    whys
}

/// The lists in these files, each of which one of the receipts names.
pub fn brought(paths: &[PathBuf], given: &[Given]) -> Result<Brought, Error> {
    let mut all = Vec::new();
    for path in paths {
        let refused = |why: String| error::bad_list(path, why);
        let source = files::look(path).map_err(|why| refused(why.to_string()))?;
        let source = source.ok_or_else(|| refused("there is no such file".to_owned()))?;
        let lists = inventory::crls(&source).map_err(|why| refused(why.to_string()))?;
        let is_named = |der: &Vec<u8>| {
            let mut named = given.iter().flat_map(|one| &one.receipt.lists);
            named.any(|list| list.fingerprint.0 == sha256(der))
        };
        if lists.is_empty() || !lists.iter().all(is_named) {
            return Err(refused("expected a list that one of the receipts names by its fingerprint".to_owned()));
        }
        all.extend(lists);
    }
    Ok(all)
}
