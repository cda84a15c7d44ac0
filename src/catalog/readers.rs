//! Who reads an entry, and what it takes for the new one to be used. kubeadm only says "restart kube-apiserver,
//! kube-controller-manager, kube-scheduler and etcd", whatever was renewed.

/// What has to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// It holds what it read when it started.
    Restart,
    /// It notices by itself.
    Nothing,
    /// The file is copied to where it is used.
    CopyAgain,
}

impl Action {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Restart => "restart",
            Self::Nothing => "none",
            Self::CopyAgain => "copy-again",
        }
    }
}

/// One entry and one of its readers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reader {
    pub entry: &'static str,
    /// A component of the catalogue, or `people`.
    pub component: &'static str,
    pub action: Action,
    pub why: &'static str,
}

const fn reader(entry: &'static str, component: &'static str, action: Action, why: &'static str) -> Reader {
    Reader { entry, component, action, why }
}

const FROM_START: &str = "it holds the client certificate it read when it started";
const HANDSHAKE: &str = "it reads the pair again for new connections";
const COPIES: &str = "copies of the file, such as ~/.kube/config, still hold the old credential";

pub const READERS: &[Reader] = &[
    reader(
        "apiserver",
        "kube-apiserver",
        Action::Nothing,
        "it watches its serving pair and serves the new one within a minute",
    ),
    reader("apiserver-kubelet-client", "kube-apiserver", Action::Restart, FROM_START),
    reader("front-proxy-client", "kube-apiserver", Action::Restart, FROM_START),
    reader("apiserver-etcd-client", "kube-apiserver", Action::Restart, FROM_START),
    reader("etcd-server", "etcd", Action::Nothing, HANDSHAKE),
    reader("etcd-peer", "etcd", Action::Nothing, HANDSHAKE),
    reader("etcd-healthcheck-client", "etcd", Action::Nothing, "probes read it each time they run"),
    reader("admin.conf", "people", Action::CopyAgain, COPIES),
    reader("super-admin.conf", "people", Action::CopyAgain, COPIES),
    reader("kubelet.conf", "kubelet", Action::Restart, FROM_START),
    reader("controller-manager.conf", "kube-controller-manager", Action::Restart, FROM_START),
    reader("scheduler.conf", "kube-scheduler", Action::Restart, FROM_START),
    reader("kubelet-serving", "kubelet", Action::Restart, "it holds the serving pair it read when it started"),
];

/// Who reads an entry.
pub fn of(entry: &str) -> impl Iterator<Item = &'static Reader> {
    READERS.iter().filter(move |reader| reader.entry == entry)
}

/// How a component is restarted on its node: static pods are restarted by the kubelet when their container was removed;
/// deleting the mirror pod with kubectl does nothing.
pub fn command(component: &str) -> Option<String> {
    match component {
        "people" => None,
        "kubelet" => Some("systemctl restart kubelet".to_owned()),
        pod => Some(format!("crictl stop $(crictl ps -q --name '^{pod}$')")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::entries::ENTRIES;

    #[test]
    fn every_certificate_that_can_be_renewed_has_its_readers() {
        for entry in ENTRIES.iter().filter(|entry| entry.signer.is_some()) {
            let readers: Vec<_> = of(entry.name).map(|reader| reader.component).collect();
            let known = if entry.components.is_empty() { &["people"][..] } else { entry.components };
            assert_eq!(readers, known, "{}", entry.name);
        }
        assert!(READERS.iter().all(|reader| ENTRIES.iter().any(|entry| entry.name == reader.entry)));
    }
}
