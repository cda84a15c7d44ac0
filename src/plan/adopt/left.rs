//! What of a node does not go into the cluster directory, and whether that matters.

use super::assemble::Assembled;
use super::member::Member;
use crate::encoding::pem;
use crate::kubeconfig;
use crate::tree::{Place, Root};
use crate::x509::parse_bundle;

/// A file, or several of one directory for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    pub node: String,
    pub path: String,
    pub count: usize,
    pub why: String,
    /// It is a certificate, a key or a kubeconfig that nothing here looks after from now on, or what may be one.
    pub matters: bool,
}

/// Everything that was not taken.
pub fn left(members: &[Member], assembled: &Assembled) -> Vec<Left> {
    let mut all: Vec<Left> = Vec::new();
    for (index, member) in members.iter().enumerate() {
        let mut one = |place: &Place, path: &str, why: &str, matters: bool| {
            let path = member.shown(&Place { root: place.root, path: path.to_owned() });
            match all.iter_mut().find(|left| left.node == member.name && left.path == path && left.why == why) {
                Some(known) => known.count += 1,
                None => all.push(Left { node: member.name.clone(), path, count: 1, why: why.to_owned(), matters }),
            }
        };
        for place in &member.files.passed_over {
            one(place, &place.path, "not looked into: it is of no use elsewhere", false);
        }
        for (place, why) in &member.files.unread {
            one(place, &place.path, why, !is_kubelets_own(place));
        }
        let taken = |place: &Place| assembled.used.contains(&(index, place.clone()));
        let places = member.files.files.keys().filter(|place| !taken(place) && !is_twin(member, place, &taken));
        for place in places {
            let Some(bytes) = member.bytes(place) else { continue };
            if is_kubelets_own(place) {
                one(place, &place.path, "the kubelet's own, which it rotates", false);
            } else if place.root == Root::Main && place.path.starts_with("manifests/") {
                one(place, "manifests", "static pods stay on the node", false);
            } else if place.root == Root::Kubelet && matches!(place.path.as_str(), "kubelet.crt" | "kubelet.key") {
                one(place, &place.path, "signed by the kubelet itself", false);
            } else if holds_credentials(bytes) {
                one(place, &place.path, "no entry of the profile", true);
            } else {
                one(place, &place.path, "no certificate, key or kubeconfig", false);
            }
        }
    }
    all
}

/// A symlink to a file that was taken.
fn is_twin(member: &Member, place: &Place, taken: &dyn Fn(&Place) -> bool) -> bool {
    if !member.files.links.contains(place) {
        return false;
    }
    let others = member.files.files.keys().filter(|other| *other != place && taken(other));
    others.into_iter().any(|other| member.bytes(other) == member.bytes(place))
}

fn is_kubelets_own(place: &Place) -> bool {
    place.root == Root::Kubelet
        && (place.path.starts_with("kubelet-client-") || place.path.starts_with("kubelet-server-"))
}

fn holds_credentials(bytes: &[u8]) -> bool {
    pem::holds_private_key(bytes) || parse_bundle(bytes).is_ok() || kubeconfig::survey(bytes).is_ok()
}
