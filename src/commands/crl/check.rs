//! `kpki crl check`: certificates, their issuers' CRLs, the answers. Reads only, and never a key.

use super::answer::{broken_path, certificate_row, list_row};
use super::check_request::Request;
use super::gather::Gathered;
use crate::error::Error;
use crate::files::{self, FileError};
use crate::inventory::{self};
use crate::report::crl::{CheckedCrl, CrlCheck};
use crate::x509::revocation::{CrlIssuer, Strictness, Vetted, vet};
use crate::x509::{Certificate, CrlLookup, Wanted, same_name};
use std::collections::BTreeSet;
use std::path::Path;

pub fn run(request: &Request) -> Result<CrlCheck, Error> {
    let mut gathered = Gathered::default();
    gathered.take(request)?;
    for path in &request.authorities {
        gathered.authority(path)?;
    }
    gathered.lists.extend(request.lists.iter().cloned());
    let Gathered { certificates, mut authorities, mut intermediates, lists } = gathered;
    let mut seen = BTreeSet::new();
    authorities.retain(|one| seen.insert(one.fingerprint));
    intermediates.retain(|one| seen.insert(one.fingerprint));
    let anchors = authorities.clone();
    authorities.extend(intermediates.iter().cloned());
    let wanted = Wanted::new(certificates.iter().map(|(_, one)| one.serial.as_slice()));
    let mut rows = Vec::new();
    let (mut read, mut ders) = (Vec::new(), Vec::new());
    for path in &lists {
        for der in der(path)? {
            let listed = CrlLookup::read(&der, &wanted)
                .map_err(|why| Error::new(format!("cannot use the CRL {}", path.display())).because(why))?;
            rows.push(path.display().to_string());
            read.push(listed);
            ders.push(der);
        }
    }
    let strictness = if request.strict { Strictness::Strict } else { Strictness::Lenient };
    // The authority of a CRL: the one of its issuer's name that signed it, otherwise any of that name.
    let vetted: Vec<(Option<usize>, Option<Vetted<'_>>)> = read
        .iter()
        .zip(ders)
        .map(|(listed, der)| {
            let of_name = |one: &&Certificate| same_name(&one.subject, &listed.crl.issuer);
            let by = authorities.iter().filter(of_name);
            let signer = by.clone().find(|one| listed.crl.signed_by(&der, one).is_ok()).or_else(|| by.clone().next());
            let index = signer.and_then(|by| authorities.iter().position(|one| one.fingerprint == by.fingerprint));
            let authority = signer.map(|issuer| CrlIssuer { issuer, delegates: &[], strictness });
            (index, authority.map(|authority| vet(listed, &der, authority, request.at)))
        })
        .collect();
    let lists: Vec<CheckedCrl> = rows
        .iter()
        .zip(&read)
        .zip(&vetted)
        .map(|((path, listed), (_, vetted))| list_row(path, listed, vetted.as_ref(), request.at))
        .collect();
    let answers = certificates
        .iter()
        .map(|(name, one)| {
            let broken = broken_path(one, &intermediates, &anchors, request.at);
            certificate_row(name, one, &authorities, broken, &vetted, &lists)
        })
        .collect();
    Ok(CrlCheck::new(request.at, answers, lists))
}

fn der(path: &Path) -> Result<Vec<Vec<u8>>, Error> {
    let failed = |why: String| Error::new(format!("cannot use the CRL {}", path.display())).because(why);
    match files::look(path) {
        Ok(Some(source)) => inventory::crls(&source).map_err(|why| failed(why.to_string())),
        Ok(None) => Err(FileError::new(files::Op::Read, path, files::Kind::Missing).into()),
        Err(kind) => Err(failed(kind.to_string())),
    }
}
