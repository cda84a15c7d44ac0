//! Whether a node's tree is one of several that share their authorities: what replaces an authority there would make each node an
//! authority of its own. Pure: what lies there in, what shows it out.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::blueprint::San;
use crate::kubeconfig::host;
use crate::manifest::Flags;
use crate::profile::{NodeRole, Profile};
use crate::x509::Certificate;

/// What lies in a node's tree.
#[derive(Debug, Default)]
pub struct Found<'a> {
    /// kpki-node.json: `kpki unpack` has brought the files here.
    pub is_shipped: bool,
    pub profile: Option<&'a Profile>,
    /// Static pods of etcd and kube-apiserver.
    pub etcd: Option<Flags>,
    pub api_server: Option<Flags>,
    /// The certificate of the API server, and those of etcd here.
    pub serving: Option<&'a Certificate>,
    pub own: Vec<&'a Certificate>,
    /// The servers in the kubeconfigs here.
    pub servers: Vec<String>,
}

/// What shows that there are others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Several {
    Shipped,
    /// Control-plane nodes of the profile.
    Profile(Vec<String>),
    /// Members of etcd.
    Members(Vec<String>),
    /// In the names of the API server, and neither of this node, of the service nor of the endpoint.
    Addresses(Vec<IpAddr>),
}

/// `None`: nothing here says that there are others. kubeadm's first control-plane node knows of no other: without a profile a balancer's
/// address in its kubeconfigs is all there is to see.
pub fn several(found: &Found<'_>) -> Option<Several> {
    if found.is_shipped {
        return Some(Several::Shipped);
    }
    let members = members(found.etcd.as_ref());
    if members.len() > 1 {
        return Some(Several::Members(members));
    }
    if let Some(profile) = found.profile {
        let nodes = profile.nodes.iter().filter(|node| node.is(NodeRole::ControlPlane));
        let nodes: Vec<String> = nodes.map(|node| node.name.clone()).collect();
        // A profile says which names an API server has, and why.
        return (nodes.len() > 1).then_some(Several::Profile(nodes));
    }
    let further = addresses(found);
    (!further.is_empty()).then_some(Several::Addresses(further))
}

/// `NAME=URL,NAME=URL`.
fn members(etcd: Option<&Flags>) -> Vec<String> {
    let all = etcd.and_then(|flags| flags.get("initial-cluster")).unwrap_or_default();
    let names = all.split(',').filter_map(|one| one.split_once('=')).map(|(name, _)| name.trim().to_owned());
    names.collect::<BTreeSet<_>>().into_iter().collect()
}

fn addresses(found: &Found<'_>) -> Vec<IpAddr> {
    let mut known: BTreeSet<IpAddr> = found.own.iter().flat_map(|one| ips(one)).collect();
    let flag = |name: &str| found.api_server.as_ref().and_then(|flags| flags.get(name));
    known.extend(flag("advertise-address").and_then(|address| address.parse::<IpAddr>().ok()));
    known.extend(found.servers.iter().filter_map(|url| host(url)?.trim_matches(['[', ']']).parse::<IpAddr>().ok()));
    let is_known = |address: &IpAddr| known.contains(address) || address.is_loopback() || may_be_service(*address);
    found.serving.into_iter().flat_map(ips).filter(|address| !is_known(address)).collect()
}

fn ips(one: &Certificate) -> impl Iterator<Item = IpAddr> {
    let ip = |san: &San| if let San::Ip(address) = san { Some(*address) } else { None };
    one.sans.iter().filter_map(ip)
}

/// The service `kubernetes` has the first address of its network.
fn may_be_service(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.octets()[3] == 1,
        IpAddr::V6(address) => address.segments()[7] == 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::parse_pem_bundle;

    #[allow(clippy::disallowed_methods)] // fixtures
    fn read(path: &str) -> Certificate {
        let path = format!("{}/fixtures/kubeadm/{path}", env!("CARGO_MANIFEST_DIR"));
        parse_pem_bundle(&std::fs::read(path).unwrap()).unwrap().remove(0)
    }

    fn flags(words: &str) -> Option<Flags> {
        let pod = format!("apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: x\n    command: [x, {words}]\n");
        Flags::read(pod.as_bytes())
    }

    #[test]
    fn further_nodes_show_in_what_lies_here() {
        let profile = |nodes: &str| {
            let text = format!(
                "apiVersion: kpki/v1\nkind: ClusterProfile\ncontrolPlaneEndpoint: lb.example.com\nnodes:\n{nodes}"
            );
            let source = crate::profile::Source { name: "p", bytes: text.as_bytes() };
            crate::profile::load(source, &crate::profile::Overrides::default()).unwrap().profile
        };
        let one = profile("- {name: a, addresses: [10.0.0.1]}\n- {name: w, roles: [worker]}\n");
        let two = profile("- {name: a, addresses: [10.0.0.1]}\n- {name: b, addresses: [10.0.0.2]}\n");
        let member = || flags("'--initial-cluster=a=https://10.0.0.1:2380'");
        let members = || flags("'--initial-cluster=a=https://10.0.0.1:2380,b=https://10.0.0.2:2380'");
        let names = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        for (found, expected) in [
            (Found::default(), None),
            (Found { is_shipped: true, ..Found::default() }, Some(Several::Shipped)),
            (Found { etcd: member(), ..Found::default() }, None),
            (Found { etcd: members(), ..Found::default() }, Some(Several::Members(names(&["a", "b"])))),
            (Found { profile: Some(&one), ..Found::default() }, None),
            (Found { profile: Some(&two), ..Found::default() }, Some(Several::Profile(names(&["a", "b"])))),
        ] {
            assert_eq!(several(&found), expected, "{found:?}");
        }
    }

    #[test]
    fn an_address_of_nobody_here_is_another_nodes() {
        let folder = "v1.36-default-rsa2048/etc-kubernetes/pki";
        let (serving, etcd) = (read(&format!("{folder}/apiserver.crt")), read(&format!("{folder}/etcd/server.crt")));
        let own: Vec<IpAddr> = ips(&serving).collect();
        assert!(!own.is_empty());
        let with = |address: &str| Certificate {
            sans: [serving.sans.clone(), vec![San::Ip(address.parse().unwrap())]].concat(),
            ..serving.clone()
        };
        for (address, servers, api_server, expected) in [
            ("10.0.0.12", &[][..], None, true),
            ("10.0.0.12", &["https://10.0.0.12:6443"][..], None, false),
            ("fd00::12", &["https://[fd00::12]:6443"][..], None, false),
            ("fd00::12", &[][..], None, true),
            ("10.0.0.12", &[][..], flags("--advertise-address=10.0.0.12"), false),
            ("127.0.0.1", &[][..], None, false),
            ("10.96.0.1", &[][..], None, false),
        ] {
            let serving = with(address);
            let servers = servers.iter().map(|one| (*one).to_owned()).collect();
            let found = Found { serving: Some(&serving), own: vec![&etcd], servers, api_server, ..Found::default() };
            let wanted = expected.then(|| Several::Addresses(vec![address.parse().unwrap()]));
            assert_eq!(several(&found), wanted, "{address}");
        }
    }
}
