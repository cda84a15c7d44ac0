//! `kpki export --verify`, on the node: whether the files are this node's.

use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use super::archived::{members, unusable};
use super::{lists, older};
use crate::error::{self, Error};
use crate::files::{self, Dir, FileState, shell_path, shell_word};
use crate::inventory;
use crate::plan::node::{Finding, Identity, Judged, NodeFile, judge, names_one, owners};
use crate::plan::node_keys::not_meant;
use crate::plan::node_phase::by_retiring;
use crate::profile::Profile;
use crate::report::export::{NodeState, VerifiedEntry, Verify};
use crate::tree::layout::DEFAULT_DIR;
use crate::workspace::rotation::phases::of_manifest;
use crate::workspace::shipping::collect::{Collect, collect};
use crate::workspace::shipping::manifest::{self, Manifest};
use crate::workspace::shipping::node_entries::{NodeRootfs, Sources, node_entries};
use crate::workspace::shipping::receipt::Receipt;
use crate::workspace::{TreeDir, profiles, survey};

/// The command line, checked.
#[derive(Debug, Clone)]
pub struct Request {
    /// `None`: the machine's name is used.
    pub node: Option<String>,
    pub hostname: Option<String>,
    pub dir: PathBuf,
    pub manifest: Option<PathBuf>,
    pub archive: Option<PathBuf>,
    pub now: OffsetDateTime,
}

/// Verifies the node's files.
pub fn verify(request: &Request) -> Result<Verify, Error> {
    Dir::open_root(&request.dir)?;
    if inventory::is_cluster(&request.dir) {
        let (dir, node) = (request.dir.display(), request.node.as_deref().unwrap_or("NODE"));
        let of_node = shell_path(request.dir.join("nodes").join(node));
        return Err(Error::new(format!("{dir} is a cluster directory and belongs to no single node"))
            .because("expected one node's kubernetes directory")
            .hint(format!("verify a node's files in it: kpki export --verify {} --dir {of_node}", shell_word(node))));
    }
    let (manifest, against) = manifest_of(request)?;
    // A profile that cannot be read does not prevent the check.
    let recorded = profiles::recorded(&request.dir).ok().flatten().map(|(_, profile)| profile);
    let profile = recorded.as_ref().filter(|_| manifest.is_none());
    let identity = identity(request, manifest.as_ref(), profile)?;
    let sources = Sources { manifest: manifest.as_ref(), profile, node: &identity.node };
    let host = match &recorded {
        Some(profile) => NodeRootfs::of(&request.dir).with_certificates(&profile.certificates_dir),
        None => NodeRootfs::of(&request.dir),
    };
    let found = node_entries(&host, &sources);
    if found.iter().all(|one| one.public == NodeFile::Missing) {
        return Err(Error::new(format!("there are no files of a node in {}", request.dir.display()))
            .hint("give its /etc/kubernetes with --dir"));
    }
    let mut judged = judge(&identity, &found, request.now);
    if let Some(profile) = &recorded {
        not_meant(&mut judged, &found, profile, &identity.node);
    }
    let archive = request.archive.as_deref().filter(|_| request.manifest.is_none());
    let cluster_dir = older::mark(&request.dir, archive, manifest.as_ref(), &found, &mut judged)?;
    judged.extend(manifest.iter().flat_map(|manifest| lists::judged(&host, manifest, &found)));
    // The manifest shows that an archive was unpacked on the wrong machine.
    if let (Some(manifest), Some(path)) = (&manifest, &against)
        && !names_one(&identity.node, &manifest.node, identity.hostname)
    {
        let findings = vec![Finding::OtherNode(manifest.node.clone())];
        judged.insert(0, Judged { name: "manifest".to_owned(), path: path.clone(), findings, renewed: false });
    }
    let phases = manifest.as_ref().map(of_manifest).unwrap_or_default();
    let by_retiring = by_retiring(&found, &phases);
    let rows: Vec<VerifiedEntry> = judged.iter().map(row).collect();
    Ok(Verify {
        outcome: NodeState::of(&rows),
        cluster_dir: cluster_dir.map(|dir| dir.display().to_string()),
        directory: request.dir.display().to_string(),
        node: identity.node.clone(),
        cluster: manifest.map(|m| m.cluster).or(profile.map(|profile| profile.cluster_name.clone())),
        against,
        owners: owners(&judged).into_iter().map(str::to_owned).collect(),
        rows,
        rotation: (!phases.is_empty()).then(|| phases.words()),
        by_retiring,
        warnings: TreeDir::plain(&request.dir).left_by_interrupted()?,
    })
}

/// The receipt of the node whose files were verified: what a safe host is told. `proc`: where processes are seen.
pub fn receipt(request: &Request, node: &str, proc: &Path) -> Result<Receipt, Error> {
    let profile = profiles::recorded(&request.dir)?.map(|(_, profile)| profile);
    collect(&Collect { dir: &request.dir, node, profile: profile.as_ref(), now: request.now, proc })
}

/// The expected manifest: the given one, or the one unpacked with the files.
fn manifest_of(request: &Request) -> Result<(Option<Manifest>, Option<String>), Error> {
    let beside = request.dir.join(manifest::NAME);
    let (path, bytes) = match (&request.manifest, &request.archive) {
        (Some(path), _) => (path.clone(), survey::input(path, manifest::LARGEST)?.to_vec()),
        (None, Some(path)) => (path.clone(), from_archive(path)?),
        (None, None) => match files::read_input(&beside, manifest::LARGEST)? {
            FileState::Missing => return Ok((None, None)),
            FileState::File { bytes, .. } => (beside, bytes.to_vec()),
        },
    };
    let read = Manifest::parse(&bytes).map_err(|why| {
        Error::new(format!("cannot use the manifest in {}", path.display()))
            .because(why)
            .hint("export the node again, or omit the manifest: then the machine's name is used")
    })?;
    Ok((Some(read), Some(path.display().to_string())))
}

fn from_archive(path: &Path) -> Result<Vec<u8>, Error> {
    let members = members(path)?;
    let wanted = format!("{}/{}", DEFAULT_DIR.trim_start_matches('/'), manifest::NAME);
    let found = members.into_iter().find(|member| member.path == wanted);
    found.map(|member| member.bytes.to_vec()).ok_or_else(|| {
        unusable(path, format!("expected {wanted} in it, but it is missing"))
            .hint("give an archive that kpki export made")
    })
}

/// The node's name: the given one, else the machine's, else the manifest's.
fn identity(request: &Request, manifest: Option<&Manifest>, profile: Option<&Profile>) -> Result<Identity, Error> {
    let own = manifest.map(|manifest| manifest.node.as_str());
    let (named, hostname) = match (&request.node, &request.hostname, own) {
        (Some(node), ..) => (node.as_str(), false),
        (None, Some(name), _) => (name.as_str(), true),
        (None, None, Some(node)) => (node, false),
        (None, None, None) => {
            let dir = shell_path(&request.dir);
            return Err(Error::usage("this machine has no host name")
                .hint(format!("give the node's: kpki export --verify NODE --dir {dir}")));
        }
    };
    // The node's own name, if the machine's name is longer or shorter.
    let known = own.into_iter().chain(profile.iter().flat_map(|profile| &profile.nodes).map(|node| node.name.as_str()));
    let node = known.into_iter().find(|known| names_one(known, named, hostname)).unwrap_or(named).to_owned();
    let address = match manifest {
        Some(manifest) if manifest.node == node => manifest.address,
        Some(_) => None,
        None => profile.and_then(|profile| profile.node(&node)).and_then(|node| node.advertise_address),
    };
    Ok(Identity { node, hostname, address })
}

fn row(judged: &Judged) -> VerifiedEntry {
    VerifiedEntry {
        entry: judged.name.clone(),
        path: judged.path.clone(),
        state: judged.findings.iter().map(state_of).max().unwrap_or(match judged.renewed {
            true => NodeState::Renewed,
            false => NodeState::Right,
        }),
        findings: judged.findings.iter().map(error::finding).collect(),
    }
}

fn state_of(finding: &Finding) -> NodeState {
    match finding {
        Finding::OtherNode(_) => NodeState::OtherNode,
        Finding::Missing => NodeState::Missing,
        Finding::Unreadable(_) => NodeState::Unreadable,
        Finding::Older(_) => NodeState::Older,
        _ => NodeState::Mismatch,
    }
}
