//! Refusals that need more than one field, or know what the value is for.

use std::fmt;

use super::problem::shown;
use crate::clock::Span;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    NodeNameTaken {
        first_line: usize,
    },
    NodeNameReserved,
    AddressTaken {
        node: String,
        line: usize,
    },
    AddressUnspecified {
        found: String,
    },
    AddressMulticast {
        found: String,
    },
    AddressBroadcast {
        found: String,
    },
    /// kubeadm takes global unicast addresses only.
    AddressNotGlobal {
        found: String,
    },
    NoControlPlane,
    NoAddress,
    WorkerAndControlPlane,
    EtcdRoleButExternal,
    EtcdLocalAndExternal,
    EtcdNotOurs,
    EtcdNeedsHttps {
        found: String,
    },
    EtcdPairIncomplete,
    EtcdPairWithoutCa,
    NotAnAuthority {
        name: String,
    },
    IsAnAuthority {
        name: String,
    },
    NoValidity,
    CommonNameFixed,
    CertificateNameIsKubeadms,
    CertificateNameTaken {
        first_line: usize,
    },
    PathIsKubeadms {
        found: String,
    },
    PathTaken {
        first_line: usize,
    },
    ServerWithoutNames,
    NoSuchNode {
        found: String,
        near: Option<String>,
    },
    NoNodeWithRole {
        role: &'static str,
    },
    RenewalTooEarly {
        before: Span,
        validity: Span,
        /// Of certificateValidityPeriod, where it is not the default.
        line: Option<usize>,
    },
    /// A certificate whose own lifetime is not longer than renewal.before, which stands on this line.
    AlwaysDue {
        before: Span,
        validity: Span,
        line: Option<usize>,
    },
    NoAdvertiseAddress,
    /// A worker's JoinConfiguration.
    JoinsAsWorker,
    NoNodeName,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NodeNameTaken { first_line } => {
                write!(f, "expected a name of its own, found one that is taken (line {first_line})")
            }
            Self::NodeNameReserved => f.write_str(
                "expected a node name, found a word that stands for roles (control-plane, etcd, worker, all)",
            ),
            Self::AddressTaken { node, line } => {
                write!(f, "expected an address of its own, found one of node {} (line {line})", shown(node))
            }
            Self::AddressUnspecified { found } => {
                write!(f, "expected the address of a node, found the unspecified address {found}")
            }
            Self::AddressMulticast { found } => {
                write!(f, "expected the address of a node, found the multicast address {found}")
            }
            Self::AddressBroadcast { found } => {
                write!(f, "expected the address of a node, found the broadcast address {found}")
            }
            Self::AddressNotGlobal { found } => {
                write!(f, "expected a global unicast address as kubeadm does, found {found}")
            }
            Self::NoControlPlane => f.write_str("expected at least one node with role control-plane, found none"),
            Self::NoAddress => f.write_str("expected an address on a control-plane or etcd node, found none"),
            Self::WorkerAndControlPlane => f.write_str("expected worker or control-plane, found both"),
            Self::EtcdRoleButExternal => f.write_str("expected no role etcd with etcd.external, found one"),
            Self::EtcdLocalAndExternal => f.write_str("expected either etcd.local or etcd.external, found both"),
            Self::EtcdNotOurs => {
                f.write_str("expected another authority, found etcd-ca, which etcd.external leaves to others")
            }
            Self::EtcdNeedsHttps { found } => {
                write!(f, "expected an https URL beside caFile, certFile and keyFile, found {}", shown(found))
            }
            Self::EtcdPairIncomplete => f.write_str("expected certFile and keyFile together, found one of them"),
            Self::EtcdPairWithoutCa => f.write_str("expected caFile beside certFile and keyFile, found none"),
            Self::NotAnAuthority { name } => {
                write!(f, "expected an authority, found {} (its place is certificates)", shown(name))
            }
            Self::IsAnAuthority { name } => {
                write!(f, "expected a certificate, found the authority {} (its place is authorities)", shown(name))
            }
            Self::NoValidity => {
                f.write_str("expected algorithm only, found a validity: sa is a key pair without certificate")
            }
            Self::CommonNameFixed => f.write_str("expected C, O, OU, L or ST, found CN, which is kubeadm's and fixed"),
            Self::CertificateNameIsKubeadms => {
                f.write_str("expected a name of your own, found one of kubeadm's certificates")
            }
            Self::CertificateNameTaken { first_line } => {
                write!(f, "expected a name of its own, found one that is taken (line {first_line})")
            }
            Self::PathIsKubeadms { found } => {
                write!(f, "expected a path of your own, found {}, which is kubeadm's", shown(found))
            }
            Self::PathTaken { first_line } => {
                write!(f, "expected a path of its own, found one that is taken (line {first_line})")
            }
            Self::ServerWithoutNames => f.write_str("expected certSANs beside usage server, found none"),
            Self::NoSuchNode { found, near } => {
                write!(f, "expected a node or one of control-plane, etcd, worker, all; found {}", shown(found))?;
                near.as_deref().map_or(Ok(()), |near| write!(f, " (did you mean {near}?)"))
            }
            Self::NoNodeWithRole { role } => write!(f, "expected a role that a node has, found {role}, which none has"),
            Self::RenewalTooEarly { before, validity, line } => {
                let line = on_line(*line);
                write!(f, "expected less than certificateValidityPeriod ({validity}{line}), found {before}")
            }
            Self::AlwaysDue { before, validity, line } => {
                let line = on_line(*line);
                write!(f, "expected more than renewal.before ({before}{line}), found {validity}: it would always be due")
            }
            Self::NoAdvertiseAddress => f.write_str(
                "expected the address of the API server, found none; add localAPIEndpoint.advertiseAddress or pass \
                 --apiserver-advertise-address",
            ),
            Self::JoinsAsWorker => f.write_str(
                "expected controlPlane: a worker gets its certificate from the cluster (TLS bootstrap), or from a cluster \
                 directory made from a profile",
            ),
            Self::NoNodeName => {
                f.write_str("expected the name of the node, found none; add nodeRegistration.name or pass --node-name")
            }
        }
    }
}

fn on_line(line: Option<usize>) -> String {
    line.map(|line| format!(", line {line}")).unwrap_or_default()
}
