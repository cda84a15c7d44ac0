//! What a tree's journal says was issued for a node, its own words and those of the node's receipts, whatever lies in the tree
//! now.

use time::OffsetDateTime;

use super::Snapshot;
use super::journal::{CertificateLine, Line};
use crate::catalog::{self, CaId};
use crate::clock::parse_instant;
use crate::error;
use crate::plan::revoke::serial_of_hex;
use crate::tree::{Authority, EntryId};

/// A certificate that is still valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// `NODE/NAME`.
    pub name: String,
    pub authority: CaId,
    /// Its issuer's place in the authority's file.
    pub rank: usize,
    /// Content octets.
    pub serial: Vec<u8>,
}

/// Every certificate of the node that has not expired, also those that were replaced since; and which of them cannot be
/// revoked here, with why.
pub fn of_node(lines: &[Line], node: &str, snapshot: &Snapshot, now: OffsetDateTime) -> (Vec<Issued>, Vec<String>) {
    let (mut all, mut left) = (Vec::<Issued>::new(), Vec::new());
    for line in lines {
        let Line::Certificate(line) = line else { continue };
        let is_its = line.entry.split_once('/').is_some_and(|(of, _)| of == node);
        let end = parse_instant(&line.not_after, OffsetDateTime::UNIX_EPOCH);
        if !is_its || end.is_some_and(|end| end < now) {
            continue;
        }
        let said = format!("{} {} is left out", line.entry, line.serial);
        let Some(serial) = serial_of_hex(&line.serial) else {
            left.push(format!("{said}: the journal has no serial number for it"));
            continue;
        };
        let Some((authority, rank)) = issuer(line, snapshot) else {
            left.push(format!("{said}: its issuer is {}", line.issuer));
            continue;
        };
        let state = snapshot.authorities.get(&authority);
        if !state.is_some_and(Authority::is_local) {
            left.push(format!("{said}: {}", error::left_by(authority, state)));
        } else if !all.iter().any(|one| (one.authority, one.rank) == (authority, rank) && one.serial == serial) {
            all.push(Issued { name: line.entry.clone(), authority, rank, serial });
        }
    }
    (all, left)
}

/// Two authorities may have one name: then the entry says which one is meant.
fn issuer(line: &CertificateLine, snapshot: &Snapshot) -> Option<(CaId, usize)> {
    let in_file = |id: CaId| {
        let at = snapshot.bundle(id).iter().position(|one| one.subject.to_string() == line.issuer)?;
        Some((id, at))
    };
    let by_entry = catalog::find(EntryId::bare_name(&line.entry)).and_then(|entry| entry.signer);
    by_entry.and_then(in_file).or_else(|| CaId::ALL.into_iter().find_map(in_file))
}
