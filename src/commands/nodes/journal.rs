//! The certificates that a node has issued, as lines of the safe host's journal: `kpki revoke` knows them then.

use std::collections::BTreeSet;

use super::receipts::Given;
use crate::catalog::CaId;
use crate::workspace::Snapshot;
use crate::workspace::journal::{CertificateLine, Line};

/// What one receipt adds.
#[derive(Debug, Default)]
pub struct Added {
    pub lines: Vec<String>,
    /// Lines about certificates that are known here, or that no authority of this tree has issued.
    pub passed_over: usize,
}

/// The issuer's name and the serial number.
type Key = (String, String);

fn key(line: &CertificateLine) -> Key {
    (line.issuer.clone(), line.serial.clone())
}

/// Every certificate in these lines.
pub fn known(lines: &[Line]) -> BTreeSet<Key> {
    let of_certificate = |line: &Line| if let Line::Certificate(line) = line { Some(key(line)) } else { None };
    lines.iter().filter_map(of_certificate).collect()
}

/// The lines of one receipt that are new; `known` has them afterwards. They are the node's word: its name is in each.
pub fn added(given: &Given, known: &mut BTreeSet<Key>, snapshot: &Snapshot) -> Added {
    let issuers: BTreeSet<String> =
        CaId::ALL.into_iter().flat_map(|id| snapshot.bundle(id)).map(|one| one.subject.to_string()).collect();
    let mut added = Added::default();
    for line in &given.receipt.journal {
        let Line::Certificate(certificate) = line else { continue };
        // A node makes no authority of the cluster's.
        let is_ours = issuers.contains(&certificate.issuer) && CaId::parse(&certificate.entry).is_none();
        if is_ours && known.insert(key(certificate)) {
            added.lines.push(line.clone().told_by(&given.receipt.node));
        } else {
            added.passed_over += 1;
        }
    }
    added
}
