//! The ClusterRoleBindings that `kubeadm init` makes and that certificates of the tree have no rights without, by release.

use super::entries;
use super::entry::Subject;
use super::releases::Release;

/// One binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    pub name: &'static str,
    /// The ClusterRole.
    pub role: &'static str,
    /// `Group` or `User`.
    pub kind: &'static str,
    pub subject: &'static str,
    /// The entry that has its rights from it.
    pub entry: &'static str,
}

/// Those that are needed: of a certificate in system:masters none is.
pub fn of(release: Release) -> Vec<Binding> {
    let organization = |name: &str| match entries::find(name)?.subject {
        Subject::Fixed(_, organization) => organization.at(release),
        _ => None,
    };
    let mut all = Vec::new();
    if let Some(subject) = organization("admin.conf").filter(|group| *group != MASTERS) {
        all.push(Binding { name: subject, role: "cluster-admin", kind: "Group", subject, entry: "admin.conf" });
    }
    if organization("apiserver-kubelet-client").is_none() {
        all.push(Binding {
            name: "kubeadm:apiserver-kubelet-client",
            role: "system:kubelet-api-admin",
            kind: "User",
            subject: "kube-apiserver-kubelet-client",
            entry: "apiserver-kubelet-client",
        });
    }
    all
}

/// What needs no binding.
const MASTERS: &str = "system:masters";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bindings_follow_the_release() {
        for (release, names) in [
            (Release::of(28, 0), &[][..]),
            (Release::of(29, 0), &["kubeadm:cluster-admins"]),
            (Release::of(36, 0), &["kubeadm:cluster-admins"]),
            (Release::of(36, 1), &["kubeadm:cluster-admins", "kubeadm:apiserver-kubelet-client"]),
            (Release::NEWEST, &["kubeadm:cluster-admins", "kubeadm:apiserver-kubelet-client"]),
        ] {
            assert_eq!(of(release).iter().map(|one| one.name).collect::<Vec<_>>(), names, "{release}");
        }
    }
}
