//! A revocation list as a node's receipt carries it: whose it is, and what it revokes. It is believed by its authority's signature,
//! whatever node it comes from.

use crate::catalog::CaId;
use crate::encoding::base64;
use crate::revocation::{Number, Revoked};
use crate::workspace::Snapshot;
use crate::workspace::journal::{CrlLine, serial_text};
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

/// `issuer`: the authority's certificate; `bundle`: all that are in its file.
pub fn read(list: &HeldList, issuer: &Certificate, bundle: &[Certificate]) -> Theirs {
    let Some(text) = &list.crl else { return Theirs::Absent };
    let refused = |why: &str| Theirs::Refused(why.to_owned());
    let Ok(der) = base64::decode(text.as_bytes()) else { return refused("it is no base64") };
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
pub fn refusals(receipt: &Receipt, snapshot: &Snapshot) -> Vec<String> {
    let mut whys = Vec::new();
    for list in &receipt.lists {
        let Some(id) = CaId::parse(&list.authority) else { continue };
        let Some(issuer) = snapshot.certificate(id) else { continue };
        if let Theirs::Refused(why) = read(list, issuer, snapshot.bundle(id)) {
            whys.push(format!("its list {} of {}: {why}", list.path, id.name()));
        }
    }
    whys
}
