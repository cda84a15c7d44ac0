//! The defaults of a profile.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use super::hooks::{Hooks, OnHookFailure};
use super::model::{Expiration, Renewal, Subnet, Waits};
use super::threshold::Threshold;
use crate::blueprint::Algorithm;
use crate::clock::Span;

pub const CLUSTER_NAME: &str = "kubernetes";
pub const SERVICE_SUBNET: Subnet = Subnet { network: IpAddr::V4(Ipv4Addr::new(10, 96, 0, 0)), prefix: 12 };
pub const DNS_DOMAIN: &str = "cluster.local";
/// Smaller and quicker than RSA at the same strength, and every supported Kubernetes reads it.
pub const ALGORITHM: Algorithm = Algorithm::EcdsaP256;
/// kubeadm's.
pub const KUBEADM_ALGORITHM: Algorithm = Algorithm::Rsa2048;
pub const VALIDITY: Span = Span::hours(8760);
pub const CA_VALIDITY: Span = Span::hours(87600);
pub const BIND_PORT: u16 = 6443;
pub const CRL_VALIDITY: Span = Span::days(30);
/// A month and a week, as most alerts have it; authorities earlier, because it takes a while to distribute a new one.
pub const EXPIRATION: Expiration = Expiration {
    warning: Threshold::Left(Span::days(30)),
    critical: Threshold::Left(Span::days(7)),
    ca_warning: Threshold::Left(Span::days(365)),
    ca_critical: Threshold::Left(Span::days(180)),
};
/// Every program that reads the authorities again by itself has done so; bound tokens of the old key are replaced.
pub const WAITS: Waits = Waits { before_switch: Span::hours(1), before_retire: Span::hours(24) };
/// The kubelet sees another manifest at once, or after 20 seconds, and a container has 30 seconds to end.
pub const STATIC_POD_WAIT: Span = Span::seconds(30);
pub const RENEWAL: Renewal = Renewal {
    before: Threshold::PercentLeft(33),
    max_age: None,
    keep_generations: 5,
    on_hook_failure: OnHookFailure::Report,
    hooks: Hooks { pre: None, deploy: BTreeMap::new(), post: None, timeout: Span::seconds(300) },
};
