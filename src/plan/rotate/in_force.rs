//! Whether a node has a phase in force: its files are what the safe host has for it in this phase, and every component that
//! needs a restart for them runs with them. By what a receipt shows; what is unknown is not yes.

use std::collections::BTreeSet;

use super::{is_read_again, is_reordered};
use crate::catalog::paths::{KUBELET_CONF, SIGNER_ENTRY, SUPER_ADMIN_CONF};
use crate::catalog::readers::{self, Action};
use crate::catalog::releases::Release;
use crate::catalog::{self, CaId, Files};
use crate::plan::shipping::{Compared, Facts, entry};
use crate::tree::rotation::{Phase, Rotating};

/// A component as the receipt shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Component<'a> {
    pub name: &'a str,
    /// It uses what is there; `None`: that is not known.
    pub current: Option<bool>,
}

/// What a node shows, beside what the safe host has for it.
#[derive(Debug)]
pub struct Node<'a> {
    pub ours: &'a [Facts],
    pub theirs: &'a [Facts],
    pub components: &'a [Component<'a>],
    pub release: Release,
    /// The kubelet's own client certificate is of the old authority, where each kubelet was to get a new one.
    pub old_kubelet: bool,
    /// The authority was retired, and is trusted again by a step back.
    pub restored: bool,
    /// Its kubelet renews its certificate itself when it is time: kubelet.conf was not made again.
    pub kubelet_waits: bool,
}

/// What is missing on a node for the phase to be in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// An entry that is not there, or another one than here.
    Entry(String),
    /// It holds what it read when it started.
    Restart(&'static str),
    /// Nothing shows whether it does.
    Unknown(&'static str),
    /// kubelet-client-current.pem is of the old authority.
    Kubelet,
}

/// The entries whose files are of one authority: its own, its leaves, and of the cluster's CA every kubeconfig.
fn is_of(rotating: Rotating, name: &str) -> bool {
    if is_bundle(rotating, name) {
        return true;
    }
    let Rotating::Authority(authority) = rotating else { return false };
    if authority == CaId::Cluster && name == SIGNER_ENTRY {
        return true;
    }
    match catalog::find(name) {
        Some(one) => {
            one.signer == Some(authority) || (authority == CaId::Cluster && matches!(one.files, Files::Kubeconfig(_)))
        }
        // An extra certificate of the profile says nothing of its signer.
        None => true,
    }
}

/// The authority's own file.
fn is_bundle(rotating: Rotating, name: &str) -> bool {
    rotating.name() == name
}

/// Everything that is missing; empty: the phase is in force there.
pub fn missing(rotating: Rotating, phase: Phase, node: &Node<'_>) -> Vec<Missing> {
    let mut all = Vec::new();
    let of_it = || node.ours.iter().filter(|one| is_of(rotating, &one.entry));
    for ours in of_it() {
        let theirs = node.theirs.iter().find(|other| other.entry == ours.entry);
        let same = match entry(ours, theirs) {
            Compared::Same => true,
            // Who has removed it meant to.
            Compared::Missing => ours.entry == SUPER_ADMIN_CONF,
            // It was renewed there, and trusts the same.
            Compared::Newer => theirs.is_some_and(|theirs| theirs.authority_data == ours.authority_data),
            Compared::Older | Compared::Foreign => false,
        };
        if !same {
            all.push(Missing::Entry(ours.entry.clone()));
        }
    }
    let is_reordered = is_reordered(phase, node.restored);
    let is_made = |name: &str| {
        !(is_bundle(rotating, name) || name == SIGNER_ENTRY || (name == KUBELET_CONF && node.kubelet_waits))
    };
    let restarted: BTreeSet<&'static str> = of_it()
        .filter(|one| is_read_again(&one.entry, is_reordered, is_made(&one.entry)))
        .flat_map(|one| readers::of(&one.entry, node.release))
        .filter(|reader| reader.action == Action::Restart)
        .map(|reader| reader.component)
        .filter(|name| readers::COMPONENTS.contains(name))
        .collect();
    for name in readers::COMPONENTS.into_iter().filter(|name| restarted.contains(name)) {
        let runs = node.ours.iter().any(|one| crate::plan::running::is_sign_of(&one.entry, name, node.release));
        let shown = node.components.iter().find(|one| one.name == name);
        match shown.and_then(|one| one.current) {
            Some(true) => {}
            Some(false) => all.push(Missing::Restart(name)),
            None if runs => all.push(Missing::Unknown(name)),
            None => {}
        }
    }
    if phase == Phase::Switched && rotating == Rotating::Authority(CaId::Cluster) && node.old_kubelet {
        all.push(Missing::Kubelet);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(entry: &str, certificates: &[u8], data: &[u8]) -> Facts {
        let prints = |all: &[u8]| all.iter().map(|one| [*one; 32]).collect();
        Facts {
            entry: entry.to_owned(),
            certificates: prints(certificates),
            authority_data: prints(data),
            public_key: None,
            not_before: Some(time::OffsetDateTime::UNIX_EPOCH),
        }
    }

    const CA: Rotating = Rotating::Authority(CaId::Cluster);
    const ETCD: Rotating = Rotating::Authority(CaId::Etcd);

    /// A control-plane node with both bundles.
    fn ours() -> Vec<Facts> {
        vec![
            facts("ca", &[1, 2], &[]),
            facts("etcd-ca", &[3, 4], &[]),
            facts("apiserver", &[5], &[]),
            facts("etcd-server", &[6], &[]),
            facts("controller-manager.conf", &[7], &[1, 2]),
        ]
    }

    fn judged(rotating: Rotating, theirs: &[Facts], components: &[(&str, Option<bool>)]) -> Vec<Missing> {
        let components: Vec<Component<'_>> =
            components.iter().map(|(name, current)| Component { name, current: *current }).collect();
        let node = Node {
            ours: &ours(),
            theirs,
            components: &components,
            release: Release::NEWEST,
            old_kubelet: false,
            restored: false,
            kubelet_waits: false,
        };
        missing(rotating, Phase::Prepared, &node)
    }

    #[test]
    fn a_phase_is_in_force_when_files_and_processes_have_it() {
        let yes = [("etcd", Some(true)), ("kube-apiserver", Some(true)), ("kube-controller-manager", Some(true))];
        assert_eq!(judged(CA, &ours(), &yes), []);
        assert_eq!(judged(ETCD, &ours(), &yes), []);
        // Only what the authority's change touches counts.
        let old_etcd = [("etcd", Some(false)), ("kube-apiserver", Some(true)), ("kube-controller-manager", Some(true))];
        assert_eq!(judged(CA, &ours(), &old_etcd), []);
        assert_eq!(judged(ETCD, &ours(), &old_etcd), [Missing::Restart("etcd")]);
        // Unknown is not yes.
        let unknown = [("etcd", None), ("kube-apiserver", Some(true)), ("kube-controller-manager", Some(true))];
        assert_eq!(judged(ETCD, &ours(), &unknown), [Missing::Unknown("etcd")]);
        assert_eq!(judged(ETCD, &ours(), &[]), [Missing::Unknown("etcd"), Missing::Unknown("kube-apiserver")]);
        let mut theirs = ours();
        theirs[0].certificates.truncate(1);
        assert_eq!(judged(CA, &theirs, &yes), [Missing::Entry("ca".to_owned())]);
        assert_eq!(judged(ETCD, &theirs, &yes), []);
        theirs[0] = ours()[0].clone();
        theirs[4].authority_data.pop();
        assert_eq!(judged(CA, &theirs, &yes), [Missing::Entry("controller-manager.conf".to_owned())]);
        theirs.pop();
        assert_eq!(judged(CA, &theirs, &yes), [Missing::Entry("controller-manager.conf".to_owned())]);
    }

    #[test]
    fn a_switch_asks_for_no_restart_for_a_bundle_in_another_order() {
        let ours = vec![
            facts("ca", &[1, 2], &[]),
            facts("etcd-ca", &[3, 4], &[]),
            facts("apiserver-etcd-client", &[5], &[]),
            facts("etcd-server", &[6], &[]),
            facts("etcd-peer", &[7], &[]),
            facts("controller-manager.conf", &[8], &[1, 2]),
            facts("kubelet.conf", &[9], &[1, 2]),
            facts("sa", &[], &[]),
        ];
        let old = readers::COMPONENTS.map(|name| Component { name, current: Some(false) });
        let restarts = |rotating, phase, restored, kubelet_waits| {
            let (release, old_kubelet) = (Release::NEWEST, false);
            let node =
                Node { ours: &ours, theirs: &ours, components: &old, release, old_kubelet, restored, kubelet_waits };
            let named = missing(rotating, phase, &node).into_iter().filter_map(|one| match one {
                Missing::Restart(name) => Some(name),
                _ => None,
            });
            named.collect::<Vec<_>>()
        };
        let sa = Rotating::ServiceAccount;
        for (rotating, phase, restored, waits, expected) in [
            (ETCD, Phase::Prepared, false, false, vec!["etcd", "kube-apiserver"]),
            // Pairs of etcd are read again without a restart.
            (ETCD, Phase::Switched, false, false, vec![]),
            // After a retirement the old one is trusted again only by who has read the bundle.
            (ETCD, Phase::Switched, true, false, vec!["etcd", "kube-apiserver"]),
            (CA, Phase::Switched, false, false, vec!["kube-controller-manager", "kubelet"]),
            (CA, Phase::Switched, false, true, vec!["kube-controller-manager"]),
            (sa, Phase::Switched, false, false, vec!["kube-apiserver", "kube-controller-manager"]),
        ] {
            assert_eq!(restarts(rotating, phase, restored, waits), expected, "{rotating} {phase} {restored} {waits}");
        }
    }

    #[test]
    fn the_kubelets_own_certificate_counts_after_the_switch() {
        let ours = vec![facts("ca", &[1, 2], &[])];
        for (phase, expected) in [(Phase::Prepared, vec![]), (Phase::Switched, vec![Missing::Kubelet])] {
            let node = Node {
                ours: &ours,
                theirs: &ours,
                components: &[],
                release: Release::NEWEST,
                old_kubelet: true,
                restored: false,
                kubelet_waits: false,
            };
            assert_eq!(missing(CA, phase, &node), expected);
        }
    }
}
