//! The nodes of a rotation: which of them hold its files, and on which the present phase is in force.

use super::alive::certificate;
use super::files;
use crate::catalog::paths::{DEFAULT_DIR, KUBELET_CONF};
use crate::error::Error;
use crate::files::RelPath;
use crate::plan::renew::certificate_of;
use crate::plan::rotate::in_force::{self, Component, Missing};
use crate::plan::shipping::Facts;
use crate::profile::Profile;
use crate::store::RootId;
use crate::tree::file;
use crate::tree::layout::Layout;
use crate::tree::rotation::{Confirmation, Kubelets, Phase, Rotating, Rotation};
use crate::workspace::shipping::collect::{self, Collect};
use crate::workspace::shipping::manifest;
use crate::workspace::shipping::receipt::{Held, Receipt, Running, comparable, instant};
use crate::workspace::{Session, Snapshot, survey};
use crate::x509::certificate::hex;
use std::path::Path;

/// Whether a phase is in force on a node, and who says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    Confirmed(Confirmation),
    /// Its receipt of this instant shows it.
    Receipt(String),
    /// It was confirmed, and a later receipt shows that it is not.
    Contradicts {
        time: String,
        missing: Vec<Missing>,
    },
    /// `missing`: as its receipt of this phase shows; empty without one.
    No {
        missing: Vec<Missing>,
    },
}

impl Shown {
    pub const fn is_in_force(&self) -> bool {
        matches!(self, Self::Confirmed(_) | Self::Receipt(_))
    }
}

/// The nodes with files of an authority, and those of the profile that are to have some and have no tree yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holders {
    pub nodes: Vec<String>,
    pub absent: Vec<String>,
}

pub fn holders(session: &Session<'_>, snapshot: &Snapshot, rotating: Rotating) -> Result<Holders, Error> {
    let held = files::of(session, rotating)?;
    let is_there = |one: &&files::Held| file(&snapshot.survey, Some(&one.place)).is_some();
    if let Some(name) = own_name(session, snapshot) {
        let is_held = held.iter().any(|one| is_there(&one));
        return Ok(Holders { nodes: if is_held { vec![name] } else { Vec::new() }, absent: Vec::new() });
    }
    let mut found = Holders::default();
    for one in held.iter().filter(|one| !one.is_key) {
        let Some(node) = &one.id.node else { continue };
        let list = if is_there(&one) { &mut found.nodes } else { &mut found.absent };
        if !list.contains(node) {
            list.push(node.clone());
        }
    }
    let Holders { nodes, absent } = &mut found;
    absent.retain(|node| !nodes.contains(node));
    Ok(found)
}

/// The node of a node's own tree; `None`: a cluster directory.
pub fn own_name(session: &Session<'_>, snapshot: &Snapshot) -> Option<String> {
    match &session.layout {
        Some(Layout::Node { name }) => return Some(name.clone()),
        Some(Layout::Cluster) => return None,
        None if session.credentials.iter().any(|one| one.id.node.is_some()) => return None,
        None => {}
    }
    let kubelet = session.credentials.iter().find(|one| one.id.name == KUBELET_CONF);
    let name = kubelet.and_then(|one| certificate_of(one, &snapshot.survey)?.common_name());
    let name = name.and_then(|name| name.strip_prefix("system:node:").map(str::to_owned));
    Some(name.or_else(|| session.target.node.clone()).unwrap_or_else(|| "node".to_owned()))
}

/// A node's own tree whose files come from a safe host: the rotation is recorded there.
pub fn is_of_a_safe_host(session: &Session<'_>) -> Result<bool, Error> {
    Ok(survey::read(&session.tree.roots, RootId::Main, &RelPath::parse(manifest::NAME)?)?.is_some())
}

/// What is missing on a node for the phase of a rotation, by its receipt.
pub fn missing(session: &Session<'_>, rotation: &Rotation, receipt: &Receipt) -> Result<Vec<Missing>, Error> {
    let entries = match (session.profile(), &session.layout) {
        (Some(profile), Some(Layout::Cluster)) => collect::of_cluster(&session.target.root, profile, &receipt.node)?.0,
        // It is looked at itself.
        _ => receipt.entries.clone(),
    };
    let (ours, theirs) = comparable(&entries, receipt);
    let components = receipt.components.iter().map(|one| Component {
        name: &one.component,
        current: match one.running {
            _ if one.is_current() => Some(true),
            Running::Unknown => None,
            _ => Some(false),
        },
    });
    let components: Vec<Component<'_>> = components.collect();
    let node = in_force::Node {
        ours: &ours,
        theirs: &theirs,
        components: &components,
        release: session.profile().map(Profile::release).unwrap_or_default().release,
        old_kubelet: has_old_kubelet(rotation, receipt),
        restored: rotation.restored,
        kubelet_waits: rotation.kubelets == Some(Kubelets::Wait) && receipt.kubelet_client.is_some(),
    };
    let mut all = in_force::missing(rotation.authority, rotation.phase, &node);
    // Back in prepared, the certificates of the new authority have to go before its trust does.
    let is_back = rotation.phase == Phase::Prepared && rotation.signed_since.is_some();
    let is_clusters = rotation.authority == Rotating::Authority(files::IN_KUBECONFIGS);
    if is_back && is_clusters && has_old_kubelet(&rotation.turned(), receipt) {
        all.push(Missing::Kubelet);
    }
    Ok(all)
}

/// Its kubelet uses a certificate of the old authority. Two authorities of one name have different keys.
pub fn has_old_kubelet(rotation: &Rotation, receipt: &Receipt) -> bool {
    let Some(client) = &receipt.kubelet_client else { return false };
    let (Some(old), Some(new)) =
        (rotation.old.first().and_then(certificate), rotation.new.first().and_then(certificate))
    else {
        return false;
    };
    let id = |one: &crate::x509::Certificate| one.subject_key_id.as_ref().map(|id| hex(id, "").to_lowercase());
    match (&client.issuer_key_id, id(&old), id(&new)) {
        (Some(issuer), Some(old), _) if *issuer == old => true,
        (Some(issuer), _, Some(new)) if *issuer == new => false,
        _ => client.issuer == old.subject.to_string() && old.subject != new.subject,
    }
}

/// What a node without a receipt of the phase may still have to do.
pub fn unseen(session: &Session<'_>, rotation: &Rotation, node: &str) -> Result<Vec<Missing>, Error> {
    let (Some(profile), Some(Layout::Cluster)) = (session.profile(), &session.layout) else { return Ok(Vec::new()) };
    let (entries, _) = collect::of_cluster(&session.target.root, profile, node)?;
    let facts: Vec<Facts> = entries.iter().map(Held::facts).collect();
    let release = profile.release().release;
    let (restored, kubelet_waits) = (rotation.restored, rotation.kubelets == Some(Kubelets::Wait));
    let node = in_force::Node {
        ours: &facts,
        theirs: &facts,
        components: &[],
        release,
        old_kubelet: false,
        restored,
        kubelet_waits,
    };
    Ok(in_force::missing(rotation.authority, rotation.phase, &node))
}

/// A receipt of the present phase: one that was made before it began shows nothing.
pub fn is_of_phase(rotation: &Rotation, receipt: &Receipt) -> bool {
    instant(&receipt.time) >= instant(&rotation.since)
}

/// Whether the phase is in force on a node, by the record and by its last receipt.
pub fn shown(
    session: &Session<'_>,
    rotation: &Rotation,
    node: &str,
    receipt: Option<&Receipt>,
) -> Result<Shown, Error> {
    let receipt = receipt.filter(|receipt| is_of_phase(rotation, receipt));
    let confirmed = rotation.confirmed(node);
    let Some(receipt) = receipt else {
        return Ok(confirmed.map_or(Shown::No { missing: Vec::new() }, |one| Shown::Confirmed(one.clone())));
    };
    let missing = missing(session, rotation, receipt)?;
    let is_later = |one: &&Confirmation| instant(&receipt.time) > instant(&one.time);
    // Nobody but a person can know what a receipt cannot show.
    let contradicts = missing.iter().any(|one| !matches!(one, Missing::Unknown(_)));
    Ok(match confirmed {
        Some(one) if contradicts && is_later(&one) => Shown::Contradicts { time: receipt.time.clone(), missing },
        Some(one) => Shown::Confirmed(one.clone()),
        None if missing.is_empty() => Shown::Receipt(receipt.time.clone()),
        None => Shown::No { missing },
    })
}

/// A node's own tree, looked at where it is: as its receipt would be. Of a copy the processes of this machine say nothing.
pub fn own_receipt(session: &Session<'_>, node: &str) -> Result<Receipt, Error> {
    let dir = &session.target.root;
    let proc = Path::new(if dir == Path::new(DEFAULT_DIR) { "/proc" } else { "/dev/null" });
    let request = Collect { dir, node, profile: session.profile(), now: session.run.now, proc };
    collect::collect(&request)
}

/// Until when kubelets may use certificates of the old authority, where they are waited for. A node that shows nothing may have one
/// with the longest life that the signer gives.
pub fn kubelets_until(rotation: &Rotation, receipts: &[(String, Option<Receipt>)]) -> Option<time::OffsetDateTime> {
    let is_waited = rotation.phase == Phase::Switched && rotation.kubelets == Some(Kubelets::Wait);
    if !is_waited || rotation.authority != Rotating::Authority(files::IN_KUBECONFIGS) {
        return None;
    }
    let old = rotation.old.first().and_then(certificate)?;
    let longest = instant(&rotation.since)?.saturating_add(SIGNER.duration()).min(old.not_after);
    let until = |receipt: &Option<Receipt>| match receipt.as_ref().filter(|one| is_of_phase(rotation, one)) {
        None => Some(longest),
        Some(receipt) if has_old_kubelet(rotation, receipt) => {
            receipt.kubelet_client.as_ref().and_then(|client| instant(&client.not_after))
        }
        Some(_) => None,
    };
    receipts.iter().filter_map(|(_, receipt)| until(receipt)).max()
}

/// --cluster-signing-duration of kube-controller-manager, unless it is set.
const SIGNER: crate::clock::Span = crate::clock::Span::hours(8760);
