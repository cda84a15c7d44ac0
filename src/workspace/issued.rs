//! What the journal knows to be issued to a node: what its files do not have any more, or never had here.

use crate::catalog::CaId;
use crate::clock::parse_instant;
use crate::error::Error;
use crate::plan::revoke::serial_of_hex;
use crate::tree::Authority;
use crate::workspace::journal::{self, Line};
use crate::workspace::{Session, Snapshot};
use time::OffsetDateTime;

/// A certificate that has not expired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    pub entry: String,
    pub authority: CaId,
    pub serial: Vec<u8>,
}

/// Those of the authorities whose keys are here.
pub fn to_node(session: &Session<'_>, snapshot: &Snapshot, node: &str) -> Result<Vec<Issued>, Error> {
    let mut all = Vec::new();
    for line in journal::read(&session.tree.roots)? {
        let Line::Certificate(line) = line else { continue };
        let is_its = line.entry.split_once('/').is_some_and(|(of, _)| of == node);
        let end = parse_instant(&line.not_after, OffsetDateTime::UNIX_EPOCH);
        if !is_its || end.is_some_and(|end| end < session.run.now) {
            continue;
        }
        let signs = |id: &CaId| {
            let is_local = snapshot.authorities.get(id).is_some_and(Authority::is_local);
            is_local && snapshot.certificate(*id).is_some_and(|by| by.subject.to_string() == line.issuer)
        };
        if let (Some(authority), Some(serial)) = (CaId::ALL.into_iter().find(signs), serial_of_hex(&line.serial)) {
            all.push(Issued { entry: line.entry, authority, serial });
        }
    }
    Ok(all)
}
