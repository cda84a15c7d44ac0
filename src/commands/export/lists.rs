//! The revocation lists on a node, compared with those that its manifest says were exported.

use std::path::Path;

use crate::files;
use crate::inventory;
use crate::plan::node::{Finding, Judged, NodeEntry, NodeFile, certificates};
use crate::plan::node_lists::{Found, judge};
use crate::plan::shipping::Issue;
use crate::workspace::shipping::manifest::{ExportedList, Manifest};
use crate::workspace::shipping::node_entries::NodeRootfs;
use crate::x509::{Certificate, Crl, sha256};

/// One for each file. `entries`: what else is there, with the authorities.
pub fn judged(host: &NodeRootfs, manifest: &Manifest, entries: &[NodeEntry]) -> Vec<Judged> {
    let one = |list: &ExportedList| {
        let path = host.find(&list.path);
        let authority = entries.iter().find(|one| one.name == list.authority);
        let issuers = authority.map(issuers).unwrap_or_default();
        let (findings, renewed) = match read(&path, &issuers) {
            Ok(found) => judge(&list.issue(), &found),
            Err(finding) => (vec![finding], false),
        };
        Judged { name: format!("{}.crl", list.authority), path: path.display().to_string(), findings, renewed }
    };
    manifest.lists.iter().map(one).collect()
}

fn issuers(authority: &NodeEntry) -> Vec<Certificate> {
    match &authority.public {
        NodeFile::File(bytes) => certificates(authority.entry, bytes),
        _ => Vec::new(),
    }
}

/// None where there is no file.
fn read(path: &Path, issuers: &[Certificate]) -> Result<Vec<Found>, Finding> {
    let Some(source) = files::look(path).map_err(Finding::Unreadable)? else { return Ok(Vec::new()) };
    let broken = |why: &dyn std::fmt::Display| Finding::NoList(why.to_string());
    let lists = inventory::crls(&source).map_err(|why| broken(&why))?;
    let found = |der: &Vec<u8>| {
        let crl = Crl::parse(der).map_err(|why| broken(&why))?;
        let is_signed = issuers.iter().any(|one| crl.signed_by(der, one).is_ok());
        Ok(Found { issue: Issue { number: crl.edition(), fingerprint: sha256(der) }, is_signed })
    };
    lists.iter().map(found).collect()
}
