//! What the files of all nodes say of the cluster: how it is called and reached, its release, its services, its etcd.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::member::Member;
use crate::blueprint::{Name, San};
use crate::catalog::releases::Release;
use crate::catalog::{Subject, find};
use crate::encoding::yaml::{self, Value};
use crate::kubeconfig;
use crate::profile::endpoint;
use crate::x509::Certificate;

/// What no file says, and was concluded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guess {
    /// Of the profile.
    pub field: &'static str,
    pub value: String,
    pub why: &'static str,
}

impl Guess {
    pub fn new(field: &'static str, value: impl ToString, why: &'static str) -> Self {
        Self { field, value: value.to_string(), why }
    }
}

/// Kubeconfigs that carry the cluster's name; a kubelet that joined calls it otherwise.
const NAMED: [&str; 4] = ["admin.conf", "super-admin.conf", "controller-manager.conf", "scheduler.conf"];

/// As the kubeconfigs call it.
pub fn name(members: &[Member]) -> Option<String> {
    let confs = members.iter().flat_map(|member| NAMED.into_iter().filter_map(|name| member.conf(name)));
    most(confs.map(|read| read.cluster).filter(|name| !name.is_empty()))
}

/// The most frequent; of those that are equally frequent the first.
pub fn most<T: PartialEq>(all: impl Iterator<Item = T>) -> Option<T> {
    let mut counts: Vec<(T, usize)> = Vec::new();
    for one in all {
        match counts.iter_mut().find(|(known, _)| *known == one) {
            Some((_, count)) => *count += 1,
            None => counts.push((one, 1)),
        }
    }
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map(|(one, _)| one)
}

/// Of the image of the API server; else the newest whose certificates have the subjects that are there.
pub fn release(members: &[Member]) -> (Release, Option<Guess>) {
    let tagged = members.iter().filter_map(|member| member.manifest("kube-apiserver")).filter_map(tag);
    if let Some(release) = most(tagged) {
        return (release, None);
    }
    let known = (0..=Release::NEWEST.minor).rev().map(|minor| Release::of(minor, 0));
    let fits =
        |release: &Release| SUBJECTS.iter().all(|entry| members.iter().all(|member| is_of(member, entry, *release)));
    let release = known.into_iter().find(fits).unwrap_or(Release::NEWEST);
    let why = "no manifest of the API server is there; it is the newest release with these subjects";
    (release, Some(Guess::new("kubernetesVersion", release, why)))
}

/// Entries whose subject follows the release.
const SUBJECTS: [&str; 4] =
    ["admin.conf", "apiserver-kubelet-client", "apiserver-etcd-client", "etcd-healthcheck-client"];

fn is_of(member: &Member, name: &str, release: Release) -> bool {
    let (Some(entry), Some(leaf)) = (find(name), member.leaf(name)) else { return true };
    let Subject::Fixed(common_name, organization) = entry.subject else { return true };
    let organizations: Vec<&str> = organization.at(release).into_iter().collect();
    Name::of(common_name, &organizations).says_the_same(&leaf.subject)
}

/// `registry.k8s.io/kube-apiserver:v1.36.2`.
fn tag(manifest: &[u8]) -> Option<Release> {
    let stream = yaml::read(manifest);
    let containers = stream.documents.iter().find_map(|pod| yaml::field(yaml::field(pod, "spec")?, "containers"))?;
    let Value::Sequence(items) = &containers.value else { return None };
    let images = items.iter().filter_map(|container| yaml::text(container, "image"));
    let tags = images.filter_map(|image| image.split('@').next()?.rsplit_once(':')).map(|(_, tag)| tag);
    tags.into_iter().find_map(Release::parse)
}

/// controlPlaneEndpoint: the server of those kubeconfigs that do not go to their own node.
pub fn control_plane_endpoint(members: &[Member]) -> Option<String> {
    let own: Vec<IpAddr> =
        members.iter().filter(|member| member.is_control_plane).filter_map(Member::advertised).collect();
    let of = |member: &Member| {
        let conf = if member.is_control_plane { "admin.conf" } else { "kubelet.conf" };
        let server = member.conf(conf)?.server;
        let address: Option<IpAddr> = kubeconfig::host(&server)?.parse().ok();
        let is_local = match (member.is_control_plane, address) {
            (_, None) => false,
            (true, address) => address == member.advertised(),
            (false, Some(address)) => own.contains(&address),
        };
        let text = server.strip_prefix("https://")?.split('/').next()?.to_owned();
        (!is_local && endpoint(&text).is_ok()).then_some(text)
    };
    most(members.iter().filter_map(of))
}

/// `kubernetes.default.svc.DOMAIN`.
pub fn dns_domain(members: &[Member]) -> Option<String> {
    let names = members.iter().flat_map(api_server_sans);
    most(names.filter_map(|san| match san {
        San::Dns(name) => name.strip_prefix("kubernetes.default.svc.").map(str::to_owned),
        _ => None,
    }))
}

pub fn api_server_sans(member: &Member) -> Vec<San> {
    member.leaf("apiserver").map(|leaf| leaf.sans).unwrap_or_default()
}

/// What installers choose; the service address alone does not say how large the block is.
const SUBNETS: [(&str, &str); 3] =
    [("10.96.0.1", "10.96.0.0/12"), ("10.233.0.1", "10.233.0.0/18"), ("172.20.0.1", "172.20.0.0/16")];

/// networking.serviceSubnet, and whether it is a guess.
pub fn service_subnet(members: &[Member]) -> Option<(String, Option<Guess>)> {
    let flags = members.iter().filter_map(|member| member.flags("kube-apiserver"));
    if let Some(stated) = most(flags.filter_map(|flags| Some(flags.get("service-cluster-ip-range")?.to_owned()))) {
        return Some((stated, None));
    }
    // kubeadm writes the address of the kubernetes service first.
    let address = most(members.iter().filter_map(|member| member.addresses("apiserver").first().copied()))?;
    let known = SUBNETS.iter().find(|(first, _)| first.parse() == Ok(address));
    let subnet = known.map_or_else(|| block(address), |(_, subnet)| (*subnet).to_owned());
    let why =
        "of the address of the kubernetes service, the first of the API server's; how large the block is, no file says";
    Some((subnet.clone(), Some(Guess::new("networking.serviceSubnet", subnet, why))))
}

/// The block whose first address it is.
fn block(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let network = u32::from(address).saturating_sub(1);
            let prefix = [16, 20, 24].into_iter().find(|prefix| network.trailing_zeros() >= 32 - prefix).unwrap_or(28);
            format!("{}/{prefix}", std::net::Ipv4Addr::from(network))
        }
        IpAddr::V6(address) => format!("{}/112", std::net::Ipv6Addr::from(u128::from(address).saturating_sub(1))),
    }
}

/// etcd elsewhere, as the API server's flags have it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExternalEtcd {
    pub endpoints: Vec<String>,
    pub ca_file: String,
    pub cert_file: String,
    pub key_file: String,
}

pub fn external_etcd(members: &[Member]) -> Option<ExternalEtcd> {
    let flags = members
        .iter()
        .filter_map(|member| member.flags("kube-apiserver"))
        .find(|flags| flags.get("etcd-servers").is_some())?;
    let text = |name: &str| flags.get(name).unwrap_or_default().to_owned();
    Some(ExternalEtcd {
        endpoints: text("etcd-servers").split(',').map(str::to_owned).collect(),
        ca_file: text("etcd-cafile"),
        cert_file: text("etcd-certfile"),
        key_file: text("etcd-keyfile"),
    })
}

/// Every certificate of an entry, node by node.
pub fn leaves<'a>(members: &'a [Member], entry: &'a str) -> impl Iterator<Item = Certificate> + 'a {
    members.iter().filter_map(move |member| member.leaf(entry))
}

/// The names that the certificate of each has, beyond those that are meant for every one.
pub fn common(members: &[Member], entry: &str, is_known: impl Fn(&San) -> bool) -> Vec<San> {
    let mut holders: BTreeMap<San, usize> = BTreeMap::new();
    let all: Vec<Certificate> = leaves(members, entry).collect();
    for san in all.iter().flat_map(|leaf| &leaf.sans) {
        *holders.entry(san.clone()).or_default() += 1;
    }
    let of_all = |san: &&San| holders.get(*san) == Some(&all.len());
    let first = all.first().map(|leaf| leaf.sans.as_slice()).unwrap_or_default();
    // What a profile cannot say stays in the certificates that have it.
    let is_sayable =
        |san: &&San| matches!(san, San::Dns(_) | San::Ip(_)) && crate::profile::san(&san.to_string()).is_ok();
    first.iter().filter(of_all).filter(is_sayable).filter(|san| !is_known(san)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_guessed_from_its_first_address() {
        for (address, expected) in [
            ("10.0.0.1", "10.0.0.0/16"),
            ("10.32.0.1", "10.32.0.0/16"),
            ("192.168.16.1", "192.168.16.0/20"),
            ("10.1.2.1", "10.1.2.0/24"),
            ("10.1.2.17", "10.1.2.16/28"),
            ("fd00:10:96::1", "fd00:10:96::/112"),
        ] {
            assert_eq!(block(address.parse().unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn the_release_is_the_images() {
        let pod = |image: &str| format!("spec:\n  containers:\n  - image: {image}\n");
        for (image, expected) in [
            ("registry.k8s.io/kube-apiserver:v1.36.2", Some(Release::of(36, 2))),
            ("registry.example.com:5000/kube-apiserver:v1.30.4@sha256:00", Some(Release::of(30, 4))),
            ("registry.example.com:5000/kube-apiserver", None),
            ("kube-apiserver:latest", None),
        ] {
            assert_eq!(tag(pod(image).as_bytes()), expected, "{image}");
        }
        assert_eq!(tag(b"\t{"), None);
    }

    #[test]
    fn the_most_frequent_wins_and_else_the_first() {
        assert_eq!(most(["a", "b", "b"].into_iter()), Some("b"));
        assert_eq!(most(["a", "b"].into_iter()), Some("a"));
        assert_eq!(most(std::iter::empty::<u8>()), None);
    }
}
