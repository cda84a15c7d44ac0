//! What kubeadm changed about the tree from release to release (kubeadm-behaviour section 0), as data. `kubernetesVersion`
//! in the profile chooses; without it the newest rules hold.

use std::fmt;

/// A Kubernetes release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Release {
    pub minor: u32,
    pub patch: u32,
}

impl Release {
    /// The newest release whose tree is known.
    pub const NEWEST: Self = Self { minor: 37, patch: 0 };

    pub const fn of(minor: u32, patch: u32) -> Self {
        Self { minor, patch }
    }

    /// Reads `v1.36.2`, `1.36.2`, `v1.36` and `v1.36.0-rc.1`; labels such as `stable-1` need a network and are not read.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text).strip_prefix("1.")?;
        let core = text.split(['-', '+']).next()?;
        let (minor, patch) = core.split_once('.').unwrap_or((core, "0"));
        let digits =
            |s: &str| (!s.is_empty() && s.bytes().all(|b| b.is_ascii_digit())).then(|| s.parse().ok()).flatten();
        Some(Self { minor: digits(minor)?, patch: digits(patch)? })
    }

    /// The minor that one of kubeadm's labels names (`stable-1.28`, `latest-1.28`, `release/stable-1.28.txt`): the network knows
    /// its newest patch release, and all that is known here about its rules holds for that. `None`: the label names none.
    pub fn of_label(text: &str) -> Option<Self> {
        let minor = text.strip_suffix(".txt").unwrap_or(text).rsplit_once("-1.")?.1;
        let minor = minor.bytes().all(|byte| byte.is_ascii_digit()).then(|| minor.parse().ok()).flatten()?;
        let patch = KUBELET_CLIENT_WITHOUT_O.iter().find(|(known, _)| *known == minor).map_or(0, |(_, patch)| *patch);
        Some(Self { minor, patch })
    }

    /// super-admin.conf exists from 1.29 on.
    pub fn has_super_admin(self) -> bool {
        self >= Self::of(29, 0)
    }

    /// kubelet.conf of a control-plane node points at its own API server from 1.33 on (gate ControlPlaneKubeletLocalMode).
    pub fn has_local_kubelet(self) -> bool {
        self >= Self::of(33, 0)
    }

    /// kubeconfigs print `preferences: {}` up to 1.33.
    pub fn prints_preferences(self) -> bool {
        self < Self::of(34, 0)
    }

    /// apiserver-kubelet-client without an O: 1.37, and the patch releases it was brought back to (PR 138957).
    fn kubelet_client_has_no_organization(self) -> bool {
        match KUBELET_CLIENT_WITHOUT_O.iter().find(|(minor, _)| *minor == self.minor) {
            Some((_, patch)) => self.patch >= *patch,
            None => self.minor >= 37,
        }
    }
}

/// The minors below 1.37 with that change, and the patch release it came with.
const KUBELET_CLIENT_WITHOUT_O: [(u32, u32); 4] = [(33, 12), (34, 8), (35, 5), (36, 1)];

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v1.{}.{}", self.minor, self.patch)
    }
}

/// The release whose rules hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownRelease {
    pub release: Release,
    /// A profile states it; otherwise the newest known one is meant.
    pub is_stated: bool,
}

impl Default for KnownRelease {
    fn default() -> Self {
        Self { release: Release::NEWEST, is_stated: false }
    }
}

impl fmt::Display for KnownRelease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let newest = if self.is_stated { "" } else { ", the newest known: no kubernetesVersion is stated" };
        write!(f, "Kubernetes {}{newest}", self.release)
    }
}

/// Which O a fixed subject carries; the group decides what a client may do, so it follows the release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Organization {
    None,
    Always(&'static str),
    /// admin.conf: `kubeadm:cluster-admins` from 1.29 on, `system:masters` before.
    Admin,
    /// apiserver-kubelet-client: none in current patch releases, `kubeadm:cluster-admins` from 1.29, `system:masters` before.
    ApiServerKubeletClient,
    /// etcd's clients: none from 1.29 on (PR 119859, PR 120521), `system:masters` before.
    EtcdClient,
}

impl Organization {
    pub fn at(self, release: Release) -> Option<&'static str> {
        let old = release < Release::of(29, 0);
        match self {
            Self::None => None,
            Self::Always(name) => Some(name),
            Self::Admin | Self::ApiServerKubeletClient | Self::EtcdClient if old => Some("system:masters"),
            Self::Admin => Some("kubeadm:cluster-admins"),
            Self::ApiServerKubeletClient if release.kubelet_client_has_no_organization() => None,
            Self::ApiServerKubeletClient => Some("kubeadm:cluster-admins"),
            Self::EtcdClient => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_read_as_kubernetes_writes_them() {
        for (text, release) in [
            ("v1.36.2", Some(Release::of(36, 2))),
            ("1.20", Some(Release::of(20, 0))),
            ("v1.36.0-rc.1", Some(Release::of(36, 0))),
            ("v1.30.4+rke2r1", Some(Release::of(30, 4))),
            ("stable-1", None),
            ("v2.0.0", None),
            ("v1.", None),
            ("v1.+3", None),
        ] {
            assert_eq!(Release::parse(text), release, "{text}");
        }
    }

    #[test]
    fn a_label_says_the_minor() {
        for (text, release) in [
            ("stable-1.28", Some(Release::of(28, 0))),
            ("latest-1.36", Some(Release::of(36, 1))),
            ("release/stable-1.33.txt", Some(Release::of(33, 12))),
            ("k8s-stable-1.37", Some(Release::of(37, 0))),
            ("stable-1", None),
            ("stable", None),
            ("https://dl.example.com/stable-1.x", None),
        ] {
            assert_eq!(Release::of_label(text), release, "{text}");
        }
        assert_eq!(Organization::ApiServerKubeletClient.at(Release::of_label("stable-1.35").unwrap()), None);
    }

    #[test]
    fn organizations_follow_the_release() {
        for (release, admin, kubelet_client, etcd_client) in [
            (Release::of(20, 2), Some("system:masters"), Some("system:masters"), Some("system:masters")),
            (Release::of(29, 0), Some("kubeadm:cluster-admins"), Some("kubeadm:cluster-admins"), None),
            (Release::of(33, 11), Some("kubeadm:cluster-admins"), Some("kubeadm:cluster-admins"), None),
            (Release::of(33, 12), Some("kubeadm:cluster-admins"), None, None),
            (Release::of(36, 0), Some("kubeadm:cluster-admins"), Some("kubeadm:cluster-admins"), None),
            (Release::of(36, 2), Some("kubeadm:cluster-admins"), None, None),
            (Release::NEWEST, Some("kubeadm:cluster-admins"), None, None),
        ] {
            assert_eq!(Organization::Admin.at(release), admin, "{release}");
            assert_eq!(Organization::ApiServerKubeletClient.at(release), kubelet_client, "{release}");
            assert_eq!(Organization::EtcdClient.at(release), etcd_client, "{release}");
        }
    }
}
