//! Makes a node's receipt from what is there: its files, its lists, its journal, its components' processes.

use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use super::digest::Sha256;
use super::manifest::{self, Manifest};
use super::node_entries::{NodeRootfs, ROTATED as ROTATED_SERVING, Sources, node_entries};
use super::processes;
use super::receipt::{
    Component, Held, HeldList, KeyState, Kind, KubeletClient, LARGEST_CERTIFICATE, LARGEST_LIST, MOST_CERTIFICATES,
    MOST_LINES, Receipt,
};
use super::unpacked::Unpacked;
use crate::catalog::paths::{
    DEFAULT_CERTIFICATES_DIR, DEFAULT_DIR, DEFAULT_KUBELET_DIR, KUBELET_SERVING, ROTATED_CLIENT,
};
use crate::catalog::readers::COMPONENTS;
use crate::catalog::{CaId, Files};
use crate::clock::rfc3339;
use crate::encoding::{base64, pem};
use crate::error::{self, Error};
use crate::files::{self, FileState};
use crate::inventory;
use crate::kubeconfig;
use crate::manifest::Flags;
use crate::plan::node::{NodeEntry, NodeFile, prints, public_keys};
use crate::plan::node_keys::{self, key_state};
use crate::plan::running::{Changes, Starts, judge};
use crate::profile::{ExtraCertificate, Profile};
use crate::store::{JsonError, Roots};
use crate::workspace::journal::{self, Line};
use crate::x509::certificate::hex;
use crate::x509::{Certificate, Crl, decimal, parse_pem_bundle, sha256};

/// The command whose journal lines an archive has brought.
pub const UNPACK: &str = "unpack";
const LARGEST_FILE: u64 = 1 << 20;

/// Whose receipt it is, and where to look.
#[derive(Debug)]
pub struct Collect<'a> {
    /// The node's `/etc/kubernetes`.
    pub dir: &'a Path,
    pub node: &'a str,
    /// What is recorded in DIR; `None`: nothing.
    pub profile: Option<&'a Profile>,
    pub now: OffsetDateTime,
    /// Where the processes are seen: `/proc`.
    pub proc: &'a Path,
}

/// Reads everything; changes nothing.
pub fn collect(request: &Collect<'_>) -> Result<Receipt, Error> {
    let host = NodeRootfs::of(request.dir);
    let beside = manifest_beside(request.dir)?;
    let unpacked = Unpacked::read(request.dir)?;
    let sources = Sources { manifest: beside.as_ref(), profile: request.profile, node: request.node };
    let found = present(&host, &sources);
    let (journal, journal_left_out) = own_lines(request.dir)?;
    let of_profile = || request.profile.map(|profile| profile.cluster_name.clone());
    // A generation that is restored brings back kpki-node.json with the files of before, and not what kpki remembers.
    let issue = beside.as_ref().and_then(|manifest| manifest.issue.clone());
    let unpacked = unpacked.filter(|unpacked| beside.is_none() || unpacked.issue == issue);
    let issue = issue.or_else(|| unpacked.as_ref()?.issue.clone());
    Ok(Receipt {
        kind: Kind::NodeReceipt,
        cluster: beside.as_ref().map(|manifest| manifest.cluster.clone()).or_else(of_profile),
        node: request.node.to_owned(),
        time: rfc3339(request.now),
        issue,
        generation: unpacked.as_ref().and_then(|unpacked| unpacked.generation.clone()),
        unpacked: unpacked.map(|unpacked| unpacked.time),
        entries: found.iter().map(|one| with_key(one, held(&host, one))).collect(),
        lists: lists(&host, request.profile)?,
        kubelet_client: kubelet_client(&host),
        signing_file: signing_file(&host),
        components: components(request, &found),
        journal,
        journal_left_out,
    })
}

/// What a safe host has for a node in its directory, and the cluster's lists, as the node's receipt names both.
pub fn of_cluster(main: &Path, profile: &Profile, node: &str) -> Result<(Vec<Held>, Vec<HeldList>), Error> {
    let host = NodeRootfs::of(&main.join("nodes").join(node));
    let found = present(&host, &Sources { manifest: None, profile: Some(profile), node });
    // What is here needs no copy in what is recorded of it.
    let without = |held: Held| Held { certificates_der: Vec::new(), ..held };
    let held: Vec<Held> = found.iter().map(|one| without(held(&host, one))).collect();
    let mut lists = lists(&NodeRootfs::of(main), Some(profile))?;
    lists.retain(|list| held.iter().any(|one| one.entry == list.authority));
    lists.iter_mut().for_each(|list| (list.crl, list.crl_left_out) = (None, false));
    Ok((held, lists))
}

/// Every entry that is there.
fn present(host: &NodeRootfs, sources: &Sources<'_>) -> Vec<NodeEntry> {
    let mut found = node_entries(host, sources);
    found.extend(extra_entries(host, sources, &found));
    found.retain(|one| one.public != NodeFile::Missing);
    found
}

/// kpki-node.json beside the files.
fn manifest_beside(dir: &Path) -> Result<Option<Manifest>, Error> {
    let path = dir.join(manifest::NAME);
    let FileState::File { bytes, .. } = files::read_input(&path, manifest::LARGEST)? else { return Ok(None) };
    let unusable = |why: JsonError| Error::new(format!("cannot use the manifest in {}", path.display())).because(why);
    Manifest::parse(&bytes).map(Some).map_err(unusable)
}

/// The profile's extra certificates of this node that came with no archive: they were made here.
fn extra_entries(host: &NodeRootfs, sources: &Sources<'_>, known: &[NodeEntry]) -> Vec<NodeEntry> {
    let Some(profile) = sources.profile else { return Vec::new() };
    let here = |extra: &&ExtraCertificate| extra.nodes.iter().any(|node| node == sources.node);
    let is_new = |extra: &&ExtraCertificate| known.iter().all(|one| one.name != extra.name);
    let entry = |extra: &ExtraCertificate| {
        let path = |end: &str| format!("{}/{}.{end}", profile.certificates_dir, extra.path);
        NodeEntry {
            name: extra.name.clone(),
            entry: None,
            path: host.find(&path("crt")).display().to_string(),
            public: host.file_at(&path("crt")),
            private: host.file_at(&path("key")),
            client: NodeFile::Missing,
            required: false,
            exported: None,
        }
    };
    profile.extra_certificates.iter().filter(here).filter(is_new).map(entry).collect()
}

/// With whether its key is its own.
fn with_key(one: &NodeEntry, held: Held) -> Held {
    let state = key_state(one).or_else(|| held.key.then_some(node_keys::KeyState::Matches));
    Held { key_state: state.map(KeyState::from), ..held }
}

fn held(host: &NodeRootfs, one: &NodeEntry) -> Held {
    let mut held = Held {
        entry: one.name.clone(),
        path: host.on_node(Path::new(&one.path)),
        certificates: Vec::new(),
        authority_data: Vec::new(),
        public_key: None,
        public_keys: Vec::new(),
        not_before: None,
        not_after: None,
        key: matches!(one.private, NodeFile::File(_)),
        certificates_der: Vec::new(),
        key_state: None,
    };
    let NodeFile::File(public) = &one.public else { return held };
    let mut bundle = crate::plan::node::certificates(one.entry, public);
    held.public_key = prints(one.entry, public).public_key.map(Sha256);
    let keys = public_keys(one.entry, public);
    let several = keys.iter().filter(|_| keys.len() > 1);
    held.public_keys = several.map(|spki| Sha256(sha256(spki))).collect();
    if let Some(Files::Kubeconfig(_)) = one.entry.map(|entry| entry.files)
        && let Ok(read) = kubeconfig::read(public)
    {
        let data = parse_pem_bundle(&read.authority).unwrap_or_default();
        held.authority_data = data.iter().map(|certificate| Sha256(certificate.fingerprint)).collect();
        held.key |= matches!(read.credentials, kubeconfig::Credentials::Embedded { .. });
        if let NodeFile::File(client) = &one.client {
            bundle = parse_pem_bundle(client).unwrap_or_default();
            held.public_key = bundle.first().map(|leaf| Sha256(sha256(&leaf.spki_der)));
        }
    }
    held.not_before = bundle.first().map(|leaf| rfc3339(leaf.not_before));
    held.not_after = bundle.first().map(|leaf| rfc3339(leaf.not_after));
    held.certificates = bundle.iter().map(|certificate| Sha256(certificate.fingerprint)).collect();
    let fits = |certificate: &&Certificate| certificate.der.len() <= LARGEST_CERTIFICATE;
    let whole = bundle.iter().take(MOST_CERTIFICATES).filter(fits);
    held.certificates_der = whole.map(|certificate| base64::encode(&certificate.der).to_string()).collect();
    held
}

/// The list beside each authority's certificate.
fn lists(host: &NodeRootfs, profile: Option<&Profile>) -> Result<Vec<HeldList>, Error> {
    let certificates = profile.map_or(DEFAULT_CERTIFICATES_DIR, |profile| &profile.certificates_dir);
    let mut lists = Vec::new();
    for authority in CaId::ALL {
        let path = format!("{certificates}/{}.crl", authority.stem());
        let found = host.find(&path);
        let refused = |why: String| error::bad_list(&found, why);
        let Some(source) = files::look(&found).map_err(|why| refused(why.to_string()))? else { continue };
        for der in inventory::crls(&source).map_err(|why| refused(why.to_string()))? {
            let crl = Crl::parse(&der).map_err(|why| refused(why.to_string()))?;
            lists.push(HeldList {
                authority: authority.name().to_owned(),
                path: path.clone(),
                fingerprint: Sha256(sha256(&der)),
                number: crl.number.as_deref().map(decimal),
                this_update: rfc3339(crl.this_update),
                next_update: crl.next_update.map(rfc3339),
                crl_left_out: der.len() > LARGEST_LIST,
                crl: (der.len() <= LARGEST_LIST).then(|| base64::encode(&der).to_string()),
            });
        }
    }
    Ok(lists)
}

/// The certificate in kubelet-client-current.pem; its key is not looked at.
fn kubelet_client(host: &NodeRootfs) -> Option<KubeletClient> {
    let path = format!("{DEFAULT_KUBELET_DIR}/{ROTATED_CLIENT}");
    let NodeFile::File(bytes) = host.file_at(&path) else { return None };
    let certificate = first_certificate(&bytes)?;
    Some(KubeletClient {
        fingerprint: Sha256(certificate.fingerprint),
        issuer: certificate.issuer.to_string(),
        issuer_key_id: certificate.authority_key_id.as_ref().map(|id| hex(id, "").to_lowercase()),
        not_after: rfc3339(certificate.not_after),
    })
}

/// The key may stand in the same file, before or behind it.
fn first_certificate(bytes: &[u8]) -> Option<Certificate> {
    let blocks = pem::read(bytes).ok()?;
    Certificate::parse(&blocks.iter().find(|block| block.label.is("CERTIFICATE"))?.contents).ok()
}

fn signing_file(host: &NodeRootfs) -> Option<String> {
    let path = host.find(&format!("{DEFAULT_DIR}/manifests/kube-controller-manager.yaml"));
    let Ok(FileState::File { bytes, .. }) = files::read_input(&path, LARGEST_FILE) else { return None };
    Flags::read(&bytes)?.get("cluster-signing-cert-file").map(str::to_owned)
}

/// What the kubelet rotates itself says nothing about its start.
fn components(request: &Collect<'_>, found: &[NodeEntry]) -> Vec<Component> {
    let release = request.profile.map(Profile::release).unwrap_or_default().release;
    let rotated = |one: &&NodeEntry| one.name == KUBELET_SERVING && one.path.ends_with(ROTATED_SERVING);
    let changes: Changes<'_> =
        found.iter().filter(|one| !rotated(one)).map(|one| (one.name.as_str(), changed(one))).collect();
    let starts = processes::starts(request.proc);
    let none = Starts { seconds: Vec::new(), hidden: true };
    let instant = |seconds: i64| OffsetDateTime::from_unix_timestamp(seconds).ok().map(rfc3339);
    let one = |component: &str| {
        let starts = starts.get(component).unwrap_or(&none);
        let judged = judge(component, release, starts, &changes)?;
        Some(Component {
            component: component.to_owned(),
            running: judged.running.into(),
            started: starts.seconds.iter().min().copied().and_then(instant),
            changed: judged.changed.and_then(instant),
            rereads: judged.rereads,
        })
    };
    COMPONENTS.into_iter().filter_map(one).collect()
}

/// When the newest of an entry's files was put in place.
fn changed(one: &NodeEntry) -> Option<i64> {
    let path = PathBuf::from(&one.path);
    let key = path.with_extension("key");
    let own = files::changed(&path)?;
    match one.private {
        NodeFile::File(_) if files::what(None, &key).is_some() => files::changed(&key).map(|key| key.max(own)),
        _ => Some(own),
    }
}

/// The newest lines that no archive has brought, and how many older ones were left out.
fn own_lines(dir: &Path) -> Result<(Vec<Line>, u64), Error> {
    let mut lines = journal::read(&Roots::alone(dir))?;
    lines.retain(|line| line.command() != UNPACK);
    let more = lines.len().saturating_sub(MOST_LINES);
    Ok((lines.split_off(more), u64::try_from(more).unwrap_or(u64::MAX)))
}

#[cfg(test)]
#[path = "collect_tests.rs"]
mod tests;
