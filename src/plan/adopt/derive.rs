//! The profile that says what is there: by which nothing would be made anew, as far as a profile can say it.

use std::fmt::Write as _;

use super::belongs::is_signed;
use super::cluster::{self, Guess};
use super::lifetimes;
use super::member::Member;
use super::refusal::Refusal;
use super::shared::Shared;
use crate::blueprint::San;
use crate::catalog::paths::{DEFAULT_DIR, KUBELET_SERVING, SIGNER_FILE};
use crate::catalog::{CaId, find};
use crate::encoding::yaml::scalar;
use crate::profile::{CaKeys, Endpoint, Etcd, NodeRole, Overrides, Profile, Source, load, render};

/// In messages.
const NAME: &str = "the profile of these nodes";

#[derive(Debug)]
pub struct Derived {
    pub profile: Profile,
    /// As it is recorded.
    pub text: String,
    pub guesses: Vec<Guess>,
}

/// `members`: kubeadm's first node first. `etcd`: the cluster's own etcd is among them.
pub fn profile(members: &[Member], shared: &Shared, etcd: bool) -> Result<Derived, Vec<Refusal>> {
    let mut guesses = Vec::new();
    let text = base(members, etcd, &mut guesses)?;
    let mut profile = read(&text)?;
    profile.api_server_sans = cluster::common(members, "apiserver", |san| is_implied(san, &profile));
    let members_sans = |entry: &str| cluster::common(members, entry, |san| is_members_own(san, members));
    if let Etcd::Local { server_sans, peer_sans } = &mut profile.etcd {
        (*server_sans, *peer_sans) = (members_sans("etcd-server"), members_sans("etcd-peer"));
    }
    let serving = find(KUBELET_SERVING);
    profile.kubelet_serving =
        serving.is_some_and(|entry| members.iter().any(|member| is_signed(member, entry, shared)));
    if !profile.kubelet_serving {
        let why = match members.iter().any(|member| member.files.with_kubelet) {
            true => "no kubelet has a serving certificate that the cluster's ca signed: each signs its own",
            false => "var/lib/kubelet/pki was not among the files",
        };
        guesses.push(Guess::new("kubelet.serving", false, why));
    }
    profile.signer_file = members.iter().any(|member| member.files.has(&format!("{}/{SIGNER_FILE}", member.pki())));
    let has_key = |authority: CaId| shared.authorities.get(&authority).is_some_and(|found| found.key.is_some());
    if !CaId::ALL.into_iter().any(has_key) {
        profile.ca_keys = CaKeys::Nowhere;
        guesses.push(Guess::new(
            "caKeys",
            CaKeys::Nowhere.name(),
            "no node has the key of an authority: they are external",
        ));
    } else {
        let keyless = shared.authorities.iter().filter(|(_, found)| found.key.is_none());
        let external = |field| Guess::new(field, "external", "no node has its key: it signs elsewhere");
        guesses.extend(keyless.map(|(authority, _)| external(authority.name())));
    }
    guesses.extend(lifetimes::set(&mut profile, members, shared, etcd));
    let text = headed(&render(&profile), &guesses);
    let profile = read(&text)?;
    Ok(Derived { profile, text, guesses })
}

fn read(text: &str) -> Result<Profile, Vec<Refusal>> {
    let source = Source { name: NAME, bytes: text.as_bytes() };
    let loaded = load(source, &Overrides::default());
    loaded.map(|loaded| loaded.profile).map_err(|why| vec![Refusal::Profile(why.to_string())])
}

/// The part of the profile that is text in the files, too: the reader of profiles judges it.
fn base(members: &[Member], etcd: bool, guesses: &mut Vec<Guess>) -> Result<String, Vec<Refusal>> {
    let mut refusals = Vec::new();
    let mut lines = vec!["apiVersion: kpki/v1".to_owned(), "kind: ClusterProfile".to_owned()];
    if let Some(name) = cluster::name(members) {
        lines.push(format!("clusterName: {}", scalar(&name)));
    }
    let (release, guess) = cluster::release(members);
    guesses.extend(guess);
    lines.push(format!("kubernetesVersion: {release}"));
    if let Some(endpoint) = cluster::control_plane_endpoint(members) {
        lines.push(format!("controlPlaneEndpoint: {}", quoted(&endpoint)));
    }
    let pki = members.first().map(|member| member.pki()).unwrap_or_default();
    lines.push(format!("certificatesDir: {}", quoted(&format!("{DEFAULT_DIR}/{pki}"))));
    lines.push("networking:".to_owned());
    if let Some((subnet, guess)) = cluster::service_subnet(members) {
        guesses.extend(guess);
        lines.push(format!("  serviceSubnet: {}", quoted(&subnet)));
    }
    if let Some(domain) = cluster::dns_domain(members) {
        lines.push(format!("  dnsDomain: {}", quoted(&domain)));
    }
    match cluster::external_etcd(members) {
        _ if etcd => {}
        None => refusals.push(Refusal::NoEtcd),
        Some(external) => {
            let endpoints: Vec<String> = external.endpoints.iter().map(|one| quoted(one)).collect();
            lines.extend(["etcd:".to_owned(), "  external:".to_owned()]);
            lines.push(format!("    endpoints: [{}]", endpoints.join(", ")));
            let files =
                [("caFile", external.ca_file), ("certFile", external.cert_file), ("keyFile", external.key_file)];
            let stated = files.iter().filter(|(_, path)| !path.is_empty());
            lines.extend(stated.map(|(key, path)| format!("    {key}: {}", quoted(path))));
        }
    }
    lines.push("nodes:".to_owned());
    for member in members {
        let address = member.advertised();
        if address.is_none() && (member.is_control_plane || member.is_etcd) {
            refusals.push(Refusal::NoAddress(member.files.input.clone()));
        }
        let roles: Vec<&str> = member.roles().into_iter().map(NodeRole::name).collect();
        lines.push(format!("- name: {}", quoted(&member.name)));
        lines.push(format!("  roles: [{}]", roles.join(", ")));
        lines.extend(address.map(|address| format!("  addresses: ['{address}']")));
        let port = member.bind_port().filter(|_| member.is_control_plane);
        lines.extend(port.map(|port| format!("  bindPort: {port}")));
    }
    if refusals.is_empty() { Ok(lines.join("\n") + "\n") } else { Err(refusals) }
}

/// A scalar that a list or mapping in braces cannot break.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace(['\n', '\r'], " ").replace('\'', "''"))
}

/// Whether the API server's certificate has a name without certSANs.
fn is_implied(san: &San, profile: &Profile) -> bool {
    let service = profile.service_subnets.first().map(|subnet| San::Ip(crate::plan::sans::service_address(*subnet)));
    let endpoint = |endpoint: &Endpoint| endpoint.host == *san;
    let is_nodes = |san: &San| {
        let nodes = profile.nodes.iter().filter(|node| node.is(NodeRole::ControlPlane));
        nodes.into_iter().any(|node| match san {
            San::Dns(name) => *name == node.name,
            San::Ip(address) => node.addresses.contains(address),
            _ => false,
        })
    };
    let is_services = |san: &San| match san {
        San::Dns(name) => name == "kubernetes" || name.starts_with("kubernetes.default"),
        san => service.as_ref() == Some(san),
    };
    is_nodes(san) || is_services(san) || profile.control_plane_endpoint.as_ref().is_some_and(endpoint)
}

/// Whether etcd's certificate has a name without certSANs.
fn is_members_own(san: &San, members: &[Member]) -> bool {
    match san {
        San::Dns(name) => name == "localhost" || members.iter().any(|member| member.name == *name),
        San::Ip(address) => address.is_loopback() || members.iter().any(|member| member.advertised() == Some(*address)),
        _ => false,
    }
}

/// What is not certain stands above it.
fn headed(text: &str, guesses: &[Guess]) -> String {
    let mut head = "# Written by kpki adopt, from what was on the nodes.\n".to_owned();
    if !guesses.is_empty() {
        head += "# Concluded, and to be checked:\n";
    }
    for Guess { field, value, why } in guesses {
        let _ = writeln!(head, "# - {field}: {}: {why}", value.replace(['\n', '\r'], " "));
    }
    head + text
}
