//! What the findings call for, each kind once. Facts only: `report` has the words.

use std::collections::BTreeMap;

use super::judged::{Judged, JudgedTree, Note, Origin};
use super::state::State;
use crate::catalog::paths::{KUBELET_CONF, SIGNER_ENTRY};
use crate::catalog::readers::{Action, COMPONENTS};
use crate::catalog::releases::KnownRelease;
use crate::catalog::{self, CaId, Files, readers};
use crate::encrypted::EncryptionError;
use crate::inventory::{Item, Kind, Reading, Unreadable};

/// Kinds of findings, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Problem {
    AuthorityExpired,
    AuthorityEnding,
    /// An authority or what it signs, and its key is elsewhere.
    ExternalAuthorityEnding,
    External,
    Revoked,
    Held,
    /// The tree's own, past their end.
    Expired,
    /// The kubelet renews its client certificate itself.
    KubeletClientExpired,
    /// One that is not in order in another way: it can be made anew only.
    KubeletClientUnusable,
    NotYetValid,
    /// Kubeconfigs that do not trust all of ca.crt.
    CutAuthorityData,
    /// ca-signer.crt is not what signs.
    SignerFile,
    /// Signed by another authority than the tree's.
    WrongIssuer,
    /// The key beside it is another's; of an authority, and of sa.pub.
    KeyMismatch,
    AuthorityKeyMismatch,
    ServiceAccountMismatch,
    /// The key beside it is not there, or nobody can use it; of an authority.
    KeyUnusable,
    AuthorityKeyUnusable,
    /// A node's copy of what the cluster directory has is another.
    CopyDiffers,
    /// A file begins with a certificate of its chain, so that the key seems to be another's.
    LeafNotFirst,
    AuthorityMissing,
    Missing,
    Unreadable,
    /// Behind a password that was not given, or was not the right one.
    Locked,
    CrlEnding,
    /// etcd's CRL in DER is not its CRL.
    OtherCrl,
    /// The tree's own, near their end.
    Ending,
    /// Found by walking: issued by others.
    Foreign,
    OutlivesAuthority,
    CutsRenewalsShort,
    /// One authority in two places.
    SharedAuthority,
    /// kubelet.conf has another credential than the one the kubelet uses.
    KubeletEmbedsAnother,
    /// One certificate twice in a file.
    Repeated,
    /// A serial number that is no positive number.
    Serial,
}

/// One kind of finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    pub problem: Problem,
    pub count: usize,
    /// In how many trees.
    pub trees: usize,
    /// The first few by name.
    pub names: Vec<String>,
    /// The first one's path, and its tree's origin and root: for the command that is shown in full.
    pub path: String,
    pub origin: Origin,
    pub root: String,
    /// [`Problem::Expired`]: what to repair, in this order, groups of entry names.
    pub order: Vec<(&'static str, Vec<String>)>,
    /// Components that hold what is replaced until they are restarted, in the order in which to restart them.
    pub restart: Vec<&'static str>,
    /// The release for which that holds; of several, the first tree's.
    pub kubernetes: KnownRelease,
}

/// In which order an expired cluster comes back: each needs the ones before it.
pub const REPAIR_ORDER: [(&str, &[&str]); 6] = [
    ("authorities", &["ca", "front-proxy-ca", "etcd-ca"]),
    ("etcd", &["etcd-server", "etcd-peer", "etcd-healthcheck-client", "apiserver-etcd-client"]),
    ("API server", &["apiserver", "apiserver-kubelet-client"]),
    ("front proxy", &["front-proxy-client"]),
    ("kubeconfigs", &["admin.conf", "super-admin.conf", "controller-manager.conf", "scheduler.conf"]),
    ("kubelet", &["kubelet.conf", "kubelet-serving"]),
];

const NAMES: usize = 5;

/// Every kind of finding once, the most urgent first.
pub fn advice(trees: &[JudgedTree]) -> Vec<Advice> {
    let mut found: BTreeMap<Problem, Vec<(&JudgedTree, &Judged)>> = BTreeMap::new();
    for tree in trees {
        for judged in &tree.items {
            for problem in problems(tree, judged) {
                found.entry(problem).or_default().push((tree, judged));
            }
        }
    }
    found.into_iter().filter_map(|(problem, items)| one(problem, &items)).collect()
}

fn one(problem: Problem, items: &[(&JudgedTree, &Judged)]) -> Option<Advice> {
    let (tree, judged) = items.first()?;
    let mut names: Vec<String> = Vec::new();
    for (tree, judged) in items {
        let name = judged.item.owner_of_key().map_or_else(|| name(tree, judged), str::to_owned);
        if names.len() < NAMES && !names.contains(&name) {
            names.push(name);
        }
    }
    let mut roots: Vec<&str> = items.iter().map(|(tree, _)| tree.root.as_str()).collect();
    roots.dedup();
    let replaces = matches!(
        problem,
        Problem::AuthorityExpired
            | Problem::Expired
            | Problem::KubeletClientExpired
            | Problem::KubeletClientUnusable
            | Problem::Ending
            | Problem::Missing
            | Problem::Revoked
            | Problem::WrongIssuer
            | Problem::CutAuthorityData
            | Problem::KeyMismatch
            | Problem::KeyUnusable
    );
    Some(Advice {
        problem,
        count: items.len(),
        trees: roots.len(),
        names,
        path: judged.item.path.clone(),
        origin: tree.origin.clone(),
        root: tree.root.clone(),
        order: if problem == Problem::Expired { order(items) } else { Vec::new() },
        restart: if replaces { restart(items) } else { Vec::new() },
        kubernetes: tree.policy.kubernetes,
    })
}

/// The kubelet's certificates differ from node to node, and so do their faults: as `kpki renew` takes it, `NODE/NAME`.
fn name(tree: &JudgedTree, judged: &Judged) -> String {
    let name = &judged.item.name;
    match (&tree.node, &tree.origin) {
        (Some(node), Origin::Profile { dir, .. } | Origin::Recorded { dir } | Origin::Unknown { dir })
            if *dir != tree.root && name == KUBELET_CONF =>
        {
            format!("{node}/{name}")
        }
        _ => name.clone(),
    }
}

fn order(items: &[(&JudgedTree, &Judged)]) -> Vec<(&'static str, Vec<String>)> {
    let expired = |name: &str| items.iter().any(|(_, judged)| judged.item.name == name);
    let mut order: Vec<(&'static str, Vec<String>)> = REPAIR_ORDER
        .into_iter()
        .map(|(group, names)| {
            (group, names.iter().filter(|name| expired(name)).map(|name| (*name).to_owned()).collect::<Vec<_>>())
        })
        .filter(|(_, names)| !names.is_empty())
        .collect();
    let mut others: Vec<String> = items
        .iter()
        .map(|(_, judged)| judged.item.name.clone())
        .filter(|name| !REPAIR_ORDER.iter().any(|(_, names)| names.contains(&name.as_str())))
        .collect();
    others.sort();
    others.dedup();
    if !others.is_empty() {
        order.push(("further certificates", others));
    }
    order
}

/// A new authority comes with new certificates of everything it signed.
fn restart(items: &[(&JudgedTree, &Judged)]) -> Vec<&'static str> {
    let entries = items.iter().flat_map(|(tree, judged)| {
        let name = judged.item.owner_of_key().unwrap_or(&judged.item.name);
        let signed = CaId::parse(name).map(|ca| catalog::ENTRIES.iter().filter(move |entry| entry.signer == Some(ca)));
        let names = signed.into_iter().flatten().map(|entry| entry.name).chain(std::iter::once(name));
        names.map(|name| (name, tree.policy.kubernetes.release)).collect::<Vec<_>>()
    });
    let held: Vec<&str> = entries
        .flat_map(|(entry, release)| {
            catalog::find(entry).into_iter().flat_map(move |entry| readers::of(entry.name, release))
        })
        .filter(|reader| reader.action == Action::Restart)
        .map(|reader| reader.component)
        .collect();
    COMPONENTS.into_iter().filter(|component| held.contains(component)).collect()
}

fn problems(tree: &JudgedTree, judged: &Judged) -> Vec<Problem> {
    let mut problems: Vec<Problem> = of_state(tree, judged).into_iter().collect();
    problems.extend(judged.notes.iter().map(|note| match note {
        Note::OutlivesAuthority { .. } => Problem::OutlivesAuthority,
        Note::CutsRenewalsShort { .. } => Problem::CutsRenewalsShort,
        Note::SharedAuthority { .. } => Problem::SharedAuthority,
        Note::KubeletEmbedsAnother => Problem::KubeletEmbedsAnother,
        Note::Repeated => Problem::Repeated,
        Note::Serial => Problem::Serial,
    }));
    problems
}

fn is_locked(item: &Item) -> bool {
    use Unreadable::{Locked, NoPassword};
    let Reading::Unreadable(why) = &item.reading else { return false };
    matches!(why, NoPassword(_) | Locked { why: EncryptionError::WrongPassword, .. })
}

fn of_state(tree: &JudgedTree, judged: &Judged) -> Option<Problem> {
    let item = &judged.item;
    let is_signer = item.name == SIGNER_ENTRY;
    let known = item.authority.is_some() || item.externally_managed || is_signer || catalog::find(&item.name).is_some();
    let ours = tree.origin != Origin::Found && known;
    let is_authority = item.kind == Kind::Authority;
    // sa.key has no certificate that could be made again.
    let is_pair = |owner: &str| catalog::find(owner).is_none_or(|entry| !matches!(entry.files, Files::KeyPair(_)));
    let is_key = item.owner_of_key().is_some_and(is_pair);
    Some(match judged.state {
        State::Absent | State::Ok => return None,
        State::NotYetValid => Problem::NotYetValid,
        State::DiffersFromCa if is_signer => Problem::SignerFile,
        State::DiffersFromCa if is_authority => Problem::CopyDiffers,
        State::DiffersFromCa => Problem::CutAuthorityData,
        State::WrongIssuer | State::KeyMismatch | State::Revoked | State::Unreadable | State::Missing
            if rotates(judged) =>
        {
            Problem::KubeletClientUnusable
        }
        State::WrongIssuer => Problem::WrongIssuer,
        State::KeyMismatch if is_authority && CaId::parse(&item.name).is_none() => Problem::LeafNotFirst,
        State::KeyMismatch if is_authority => Problem::AuthorityKeyMismatch,
        State::KeyMismatch if item.reading == Reading::Unreadable(Unreadable::OtherCopy) => Problem::CopyDiffers,
        State::KeyMismatch if matches!(item.reading, Reading::Unreadable(_)) => Problem::ServiceAccountMismatch,
        State::KeyMismatch => Problem::KeyMismatch,
        State::Unreadable if is_locked(item) => Problem::Locked,
        State::Unreadable if matches!(item.reading, Reading::Unreadable(Unreadable::OtherCrl)) => Problem::OtherCrl,
        State::Missing | State::Unreadable if is_key && is_authority => Problem::AuthorityKeyUnusable,
        State::Missing | State::Unreadable if is_key => Problem::KeyUnusable,
        State::Unreadable => Problem::Unreadable,
        State::Revoked => Problem::Revoked,
        State::Held => Problem::Held,
        State::Missing if is_signer => Problem::Missing,
        State::Missing if is_authority => Problem::AuthorityMissing,
        State::Missing if item.externally_managed => Problem::External,
        State::Missing => Problem::Missing,
        State::Warning | State::Critical | State::Expired => match (item.kind, judged.state) {
            (Kind::Crl, _) => Problem::CrlEnding,
            _ if !ours => Problem::Foreign,
            _ if is_authority && item.externally_managed => Problem::ExternalAuthorityEnding,
            (Kind::Authority, State::Expired) => Problem::AuthorityExpired,
            (Kind::Authority, _) => Problem::AuthorityEnding,
            (_, State::Expired) if rotates(judged) => Problem::KubeletClientExpired,
            _ if item.externally_managed => Problem::External,
            (_, State::Expired) => Problem::Expired,
            _ if rotates(judged) => return None,
            _ => Problem::Ending,
        },
    })
}

/// kubelet.conf names the kubelet's own rotating file: near its end the kubelet renews it, past it it cannot.
fn rotates(judged: &Judged) -> bool {
    judged.item.name == KUBELET_CONF && !judged.item.path.ends_with(KUBELET_CONF)
}
