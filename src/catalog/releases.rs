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
        match self.minor {
            33 => self.patch >= 12,
            34 => self.patch >= 8,
            35 => self.patch >= 5,
            36 => self.patch >= 1,
            minor => minor >= 37,
        }
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v1.{}.{}", self.minor, self.patch)
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
