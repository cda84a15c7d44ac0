//! Keys that are never certified: those of authorities, and those of certificates that were revoked because others may have
//! them. The journal knows the key of every certificate that was issued here since 0.2.0; those of older ones are found in
//! the tree and in its generations.

use crate::catalog::CaId;
use crate::error::Error;
use crate::files::FileState;
use crate::plan::revoke::serial_of_hex;
use crate::plan::sign::KnownKey;
use crate::revocation::Reason;
use crate::tree::leaf;
use crate::workspace::crls::TreeCrl;
use crate::workspace::generations;
use crate::workspace::journal::{self, Line, key_id, serial_text};
use crate::workspace::tree_dir::{Snapshot, TreeDir};
use crate::x509::Certificate;

const COMPROMISED: [Reason; 3] = [Reason::KeyCompromise, Reason::CaCompromise, Reason::AaCompromise];

/// Whether one of these certificates of an authority has the key.
pub fn of_authority<'a>(spki: &[u8], mut certificates: impl Iterator<Item = &'a Certificate>) -> Option<KnownKey> {
    let id = key_id(spki);
    let found = certificates.find(|one| key_id(&one.spki_der) == id)?;
    Some(KnownKey::Authority(found.subject.to_string()))
}

/// What the tree knows of a key. `except`: an authority that may have a new certificate for its key.
pub fn known_key(
    tree: &TreeDir,
    snapshot: &Snapshot,
    spki: &[u8],
    except: Option<CaId>,
) -> Result<Option<KnownKey>, Error> {
    let others = CaId::ALL.into_iter().filter(|authority| Some(*authority) != except);
    let known = of_authority(spki, others.flat_map(|authority| snapshot.bundle(authority)));
    if known.is_some() {
        return Ok(known);
    }
    let lines = journal::read(&tree.roots)?;
    let issued = issued(tree, snapshot, spki, &lines)?;
    for authority in CaId::ALL {
        for issuer in snapshot.bundle(authority) {
            let by = issuer.subject.to_string();
            let serials: Vec<&[u8]> =
                issued.iter().filter(|(issuer, _)| *issuer == by).map(|(_, serial)| serial.as_slice()).collect();
            if serials.is_empty() {
                continue;
            }
            let crl = TreeCrl::read(tree, authority, issuer, snapshot.bundle(authority), &lines)?;
            let compromised = crl.entries(tree, &serials)?.into_iter().flatten().find_map(|one| {
                let reason = one.reason.filter(|reason| COMPROMISED.contains(reason))?;
                Some(KnownKey::Compromised { serial: serial_text(&one.serial), reason })
            });
            if compromised.is_some() {
                return Ok(compromised);
            }
        }
    }
    Ok(None)
}

/// Issuer and serial number of every certificate that is known to have the key.
fn issued(tree: &TreeDir, snapshot: &Snapshot, spki: &[u8], lines: &[Line]) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let id = key_id(spki);
    let of_lines = lines.iter().filter_map(|line| match line {
        Line::Certificate(line) if line.key_id == id => Some((line.issuer.clone(), serial_of_hex(&line.serial)?)),
        _ => None,
    });
    let present = snapshot.survey.values().filter_map(|state| match state {
        FileState::File { bytes, .. } => leaf::leaf(bytes),
        FileState::Missing => None,
    });
    let kept = generations::kept_certificates(&tree.roots)?.into_iter().map(|(_, certificate)| certificate);
    let with_key = present.chain(kept).filter(|one| key_id(&one.spki_der) == id);
    Ok(of_lines.chain(with_key.map(|one| (one.issuer.to_string(), one.serial))).collect())
}
