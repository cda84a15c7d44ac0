//! `kpki crl check`: certificates, their issuers' CRLs, the answers. Reads only, and never a key.

use super::answer::{certificate_row, list_row};
use super::check_request::Request;
use super::gather::Gathered;
use super::known::Known;
use super::lists::List;
use crate::error::Error;
use crate::files::{self, FileError};
use crate::inventory;
use crate::report::crl::{CheckedCrl, CrlCheck};
use crate::x509::revocation::Strictness;
use crate::x509::{CrlLookup, Wanted};
use std::collections::BTreeSet;
use std::path::Path;

pub fn run(request: &Request) -> Result<CrlCheck, Error> {
    let mut gathered = Gathered::default();
    gathered.take(request)?;
    for path in &request.authorities {
        gathered.authority(path)?;
    }
    gathered.lists.extend(request.lists.iter().cloned());
    let Gathered { certificates, authorities: mut anchors, mut intermediates, lists } = gathered;
    let mut seen = BTreeSet::new();
    anchors.retain(|one| seen.insert(one.fingerprint));
    intermediates.retain(|one| seen.insert(one.fingerprint));
    let strictness = if request.strict { Strictness::Strict } else { Strictness::Lenient };
    let known = Known { anchors, intermediates, at: request.at, strictness };
    // Those above are asked about, too, where they sign another's CRL.
    let all = certificates.iter().map(|(_, one)| one).chain(known.all());
    let wanted = Wanted::new(all.map(|one| one.serial.as_slice()));
    let mut ders = Vec::new();
    for path in &lists {
        ders.extend(der(path)?.into_iter().map(|der| (path, der)));
    }
    let mut read = Vec::new();
    for (path, der) in &ders {
        let listed = CrlLookup::read(der, &wanted)
            .map_err(|why| Error::new(format!("cannot use the CRL {}", path.display())).because(why))?;
        read.push((der.as_slice(), listed));
    }
    let lists: Vec<List<'_>> = read.iter().map(|one| List::new(one, &known)).collect();
    let shown: Vec<CheckedCrl> = ders
        .iter()
        .zip(&lists)
        .map(|((path, _), list)| list_row(&path.display().to_string(), list, request.at))
        .collect();
    let answers = certificates.iter().map(|one| certificate_row(one, &known, &lists, &read, &shown)).collect();
    Ok(CrlCheck::new(request.at, answers, shown))
}

fn der(path: &Path) -> Result<Vec<Vec<u8>>, Error> {
    let failed = |why: String| Error::new(format!("cannot use the CRL {}", path.display())).because(why);
    match files::look(path) {
        Ok(Some(source)) => inventory::crls(&source).map_err(|why| failed(why.to_string())),
        Ok(None) => Err(FileError::new(files::Op::Read, path, files::Kind::Missing).into()),
        Err(kind) => Err(failed(kind.to_string())),
    }
}
