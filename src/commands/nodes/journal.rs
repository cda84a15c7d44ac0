//! The certificates that a node has issued, as lines of the safe host's journal: `kpki revoke` knows them then.

use std::collections::BTreeSet;

use time::OffsetDateTime;

use super::request::VERB;
use crate::catalog::CaId;
use crate::encoding::base64;
use crate::workspace::Snapshot;
use crate::workspace::journal::{CertificateLine, Line};
use crate::workspace::shipping::receipt::Receipt;
use crate::x509::Certificate;

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

/// What one receipt has that is new; `known` has it afterwards. The lines of a node that `signs` are its own word; of any node,
/// the certificates that an authority of this tree has signed are taken by that signature. Each line names the node.
pub fn added(
    receipt: &Receipt,
    signs: bool,
    known: &mut BTreeSet<Key>,
    snapshot: &Snapshot,
    now: OffsetDateTime,
) -> Added {
    let authorities: Vec<&Certificate> = CaId::ALL.into_iter().flat_map(|id| snapshot.bundle(id)).collect();
    let issuers: BTreeSet<String> = authorities.iter().map(|one| one.subject.to_string()).collect();
    let mut added = Added::default();
    for line in &receipt.journal {
        let Line::Certificate(certificate) = line else {
            added.passed_over += usize::from(!signs);
            continue;
        };
        // A node makes no authority of the cluster's.
        let is_ours = signs && issuers.contains(&certificate.issuer) && CaId::parse(&certificate.entry).is_none();
        if is_ours && known.insert(key(certificate)) {
            added.lines.push(line.clone().told_by(&receipt.node));
        } else {
            added.passed_over += 1;
        }
    }
    for (entry, certificate) in certificates(receipt) {
        if authorities.iter().any(|one| one.der == certificate.der) {
            continue;
        }
        let line = CertificateLine::new(VERB, &entry, &certificate, now);
        // The signature is what costs time.
        let is_ours = !known.contains(&key(&line)) && authorities.iter().any(|one| certificate.issued_by(one).is_ok());
        if is_ours && known.insert(key(&line)) {
            added.lines.push(Line::Certificate(line).told_by(&receipt.node));
        }
    }
    added
}

/// The certificates in a receipt but those of the authorities' own entries, each with its entry.
fn certificates(receipt: &Receipt) -> impl Iterator<Item = (String, Certificate)> {
    let of_nodes = receipt.entries.iter().filter(|one| CaId::parse(&one.entry).is_none());
    let all = of_nodes.flat_map(move |one| one.certificates_der.iter().map(move |text| (receipt.name_of(one), text)));
    all.filter_map(|(entry, text)| {
        let certificate = Certificate::parse(&base64::decode(text.as_bytes()).ok()?).ok()?;
        Some((entry, certificate))
    })
}
