//! Where the components listen, and what they serve there: kubeadm's defaults.

/// One port of a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listener {
    /// The entry that it serves with; a name of its own where the component makes its certificate in memory.
    pub entry: &'static str,
    /// One of [`super::readers::COMPONENTS`].
    pub component: &'static str,
    pub port: Port,
    pub listens: Listens,
    /// The entry that every node with it holds.
    pub evidence: &'static str,
    /// The flag of its static pod that says another port.
    pub port_flag: Option<&'static str>,
    /// Those that say where it listens, as URLs.
    pub url_flags: &'static [&'static str],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port {
    /// The node's bindPort.
    Api,
    Fixed(u16),
}

/// On which of a node's addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listens {
    /// The node's own and loopback.
    Everywhere,
    /// The node's own only.
    Node,
    Loopback,
}

/// kubeadm's default bindPort.
pub const API_PORT: u16 = 6443;

/// The listener that serves an entry.
pub fn listener(entry: &str) -> Option<&'static Listener> {
    LISTENERS.iter().find(|listener| listener.entry == entry)
}

pub const LISTENERS: &[Listener] = &[
    Listener {
        entry: "apiserver",
        component: "kube-apiserver",
        port: Port::Api,
        listens: Listens::Everywhere,
        evidence: "apiserver",
        port_flag: Some("secure-port"),
        url_flags: &[],
    },
    Listener {
        entry: "etcd-server",
        component: "etcd",
        port: Port::Fixed(2379),
        listens: Listens::Everywhere,
        evidence: "etcd-server",
        port_flag: None,
        url_flags: &["advertise-client-urls", "listen-client-urls"],
    },
    Listener {
        entry: "etcd-peer",
        component: "etcd",
        port: Port::Fixed(2380),
        listens: Listens::Node,
        evidence: "etcd-peer",
        port_flag: None,
        url_flags: &["initial-advertise-peer-urls", "listen-peer-urls"],
    },
    Listener {
        entry: "kubelet-serving",
        component: "kubelet",
        port: Port::Fixed(10250),
        listens: Listens::Everywhere,
        evidence: "kubelet.conf",
        port_flag: None,
        url_flags: &[],
    },
    Listener {
        entry: "controller-manager",
        component: "kube-controller-manager",
        port: Port::Fixed(10257),
        listens: Listens::Loopback,
        evidence: "controller-manager.conf",
        port_flag: Some("secure-port"),
        url_flags: &[],
    },
    Listener {
        entry: "scheduler",
        component: "kube-scheduler",
        port: Port::Fixed(10259),
        listens: Listens::Loopback,
        evidence: "scheduler.conf",
        port_flag: Some("secure-port"),
        url_flags: &[],
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::find;
    use crate::catalog::readers::COMPONENTS;

    #[test]
    fn listeners_are_of_the_catalogue() {
        for listener in LISTENERS {
            assert!(COMPONENTS.contains(&listener.component), "{}", listener.component);
            assert!(find(listener.evidence).is_some(), "{}", listener.evidence);
            // What has no entry is made in memory.
            assert!(find(listener.entry).is_some() || listener.listens == Listens::Loopback, "{}", listener.entry);
        }
    }
}
