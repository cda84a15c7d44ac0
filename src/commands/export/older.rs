//! Which files on a node are older than what is known of them: by the archive or manifest that they are compared with, and
//! in a cluster directory by its journal.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::archived::members;
use crate::catalog;
use crate::encoding::archive::Content;
use crate::error::Error;
use crate::files::{self, FileState};
use crate::inventory;
use crate::plan::node::{Judged, NewerIn, NodeEntry, certificates};
use crate::plan::node_age::{Known, older};
use crate::store::Roots;
use crate::workspace::journal::{self, Line};
use crate::workspace::shipping::digest::Sha256;
use crate::workspace::shipping::manifest::{self, Manifest};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Adds what is older to the findings. Returns the cluster directory whose journal was looked at. `archive`: of the manifest.
pub fn mark(
    dir: &Path,
    archive: Option<&Path>,
    manifest: Option<&Manifest>,
    found: &[NodeEntry],
    judged: &mut [Judged],
) -> Result<Option<PathBuf>, Error> {
    if let Some(manifest) = manifest {
        let known = match archive {
            Some(path) => by_archive(&members(path)?, manifest),
            None => by_manifest(dir, manifest),
        };
        older(judged, found, &known, NewerIn::Archive);
    }
    let Some((cluster, node)) = cluster_of(dir) else { return Ok(None) };
    older(judged, found, &by_journal(&cluster, &node)?, NewerIn::Journal);
    Ok(Some(cluster))
}

/// The certificates themselves say when they begin.
fn by_archive(members: &[Content], manifest: &Manifest) -> BTreeMap<String, Known> {
    let known = |name: &str, path: &str| {
        let member = members.iter().find(|member| member.path == path.trim_start_matches('/'))?;
        let leaf = certificates(catalog::find(name), &member.bytes).into_iter().next()?;
        Some(Known { newest: leaf.fingerprint, from: Some(leaf.not_before), before: Vec::new() })
    };
    let entries = manifest.entries.iter();
    entries.filter_map(|one| Some((one.name.clone(), known(&one.name, &one.path)?))).collect()
}

/// A manifest without its archive has no dates. That beside the files says what brought them, and which of the two is newer.
fn by_manifest(dir: &Path, manifest: &Manifest) -> BTreeMap<String, Known> {
    let beside = match files::read_input(&dir.join(manifest::NAME), manifest::LARGEST) {
        Ok(FileState::File { bytes, .. }) => Manifest::parse(&bytes).ok(),
        _ => None,
    };
    let revision = |manifest: &Manifest| manifest.issue.as_ref().map(|issue| issue.revision);
    let Some(brought) = beside.filter(|beside| revision(beside) < revision(manifest)) else { return BTreeMap::new() };
    let known = |name: &str, newest: [u8; 32]| {
        let before = brought.entries.iter().find(|one| one.name == name)?.prints().certificates;
        Some(Known { newest, from: None, before: before.into_iter().take(1).collect() })
    };
    let newest = |name: &str, all: Vec<[u8; 32]>| known(name, *all.first()?);
    let entries = manifest.entries.iter();
    entries.filter_map(|one| Some((one.name.clone(), newest(&one.name, one.prints().certificates)?))).collect()
}

/// The cluster directory that this node's directory is in, and the node.
fn cluster_of(dir: &Path) -> Option<(PathBuf, String)> {
    let dir = std::path::absolute(dir).ok()?;
    let (node, nodes) = (dir.file_name()?.to_str()?, dir.parent()?);
    let cluster = nodes.parent().filter(|cluster| nodes.ends_with("nodes") && inventory::is_cluster(cluster))?;
    Some((cluster.to_path_buf(), node.to_owned()))
}

/// By entry of this node; what all nodes share has no node in its name.
fn by_journal(cluster: &Path, node: &str) -> Result<BTreeMap<String, Known>, Error> {
    let mut all: BTreeMap<String, Known> = BTreeMap::new();
    for line in journal::read(&Roots::alone(cluster))? {
        let Line::Certificate(line) = line else { continue };
        let begins = OffsetDateTime::parse(&line.not_before, &Rfc3339);
        let (Some(Sha256(made)), Ok(from)) = (Sha256::parse(&line.fingerprint), begins) else { continue };
        let own = match line.entry.split_once('/') {
            Some((of, name)) if of == node => Some(all.entry(name.to_owned()).or_default()),
            None => Some(all.entry(line.entry.clone()).or_default()),
            // A restored one has its file for an entry.
            Some(_) => all.values_mut().find(|known| known.newest == made || known.before.contains(&made)),
        };
        let Some(known) = own else { continue };
        if known.from.is_some() {
            known.before.push(known.newest);
        }
        (known.newest, known.from) = (made, Some(from));
    }
    Ok(all)
}
