//! `kpki crl show`: a CRL in constant memory. It is read once for its header, whose extensions follow the entries, and
//! once for the entries.

use std::path::Path;

use crate::encoding::tlv::NotDer;
use crate::error::Error;
use crate::files::{self, FileError, Op, Source, shell_path};
use crate::inventory;
use crate::report::crl::{CrlEntry, CrlHead};
use crate::revocation::Reason;
use crate::x509::certificate::{hex, signature_name};
use crate::x509::crl::Scope;
use crate::x509::{Crl, crl_entry, decimal};

pub fn head(path: &Path) -> Result<CrlHead, Error> {
    let crl = inventory::walk_crl(&open(path)?, &mut |_| Ok(())).map_err(|why| refused(path, why))?;
    Ok(facts(path, &crl))
}

/// Every entry in the CRL's order.
pub fn entries(path: &Path, each: &mut dyn FnMut(CrlEntry)) -> Result<(), Error> {
    let mut one = |raw: &[u8]| -> Result<(), NotDer> {
        let revoked = crl_entry::Entry::read(raw)?.revoked()?;
        each(CrlEntry {
            serial: hex(
                revoked.serial.strip_prefix(&[0]).filter(|rest| !rest.is_empty()).unwrap_or(&revoked.serial),
                "",
            ),
            since: revoked.at,
            reason: revoked.reason.unwrap_or(Reason::Unspecified).name(),
            invalid_since: revoked.invalid_since,
            more: !revoked.other.is_empty(),
        });
        Ok(())
    };
    inventory::walk_crl(&open(path)?, &mut one).map(drop).map_err(|why| refused(path, why))
}

fn open(path: &Path) -> Result<Source, Error> {
    match files::look(path) {
        Ok(Some(source)) => Ok(source),
        Ok(None) => Err(FileError::new(Op::Read, path, files::Kind::Missing).into()),
        Err(kind) => Err(FileError::new(Op::Read, path, kind).into()),
    }
}

fn refused(path: &Path, why: inventory::Unreadable) -> Error {
    Error::new(format!("cannot read a CRL from {}", path.display()))
        .because(why)
        .hint(format!("show what it holds: kpki inspect {}", shell_path(path)))
}

fn facts(path: &Path, crl: &Crl) -> CrlHead {
    CrlHead {
        path: path.display().to_string(),
        issuer: crl.issuer.to_string(),
        version: crl.version,
        signature: signature_name(&crl.signature_algorithm).to_owned(),
        number: crl.number.as_deref().map(decimal),
        this_update: crl.this_update,
        next_update: crl.next_update,
        authority_key_id: crl.authority_key_id.as_deref().map(|id| hex(id, ":")),
        delta: crl.delta,
        scope: crl.scope.map(scope).unwrap_or_default(),
        unknown_critical: crl.unknown_critical.iter().map(|oid| oid.0.to_string()).collect(),
        entries: crl.entries,
    }
}

fn scope(scope: Scope) -> Vec<&'static str> {
    [
        (scope.distribution_point, "certificates of one distribution point"),
        (scope.only_end_entities, "end entities only"),
        (scope.only_authorities, "authorities only"),
        (scope.only_attribute_certificates, "attribute certificates only"),
        (scope.only_some_reasons, "some reasons only"),
        (scope.indirect, "other issuers' certificates too"),
    ]
    .into_iter()
    .filter(|(is, _)| *is)
    .map(|(_, words)| words)
    .collect()
}
