//! Which certificates a tree has, and where.

use super::*;
use crate::plan::renew::authority_copies;
use crate::profile::{ExtraAuthority, Roots};

const TWO: &str = "apiVersion: kpki/v1\nkind: ClusterProfile\ncontrolPlaneEndpoint: api.example.com:6443\n\
                   nodes: [{name: cp1, addresses: [10.0.0.11]}, {name: w1, roles: [worker], addresses: [10.0.0.21]}]\n\
                   extraCertificates:\n\
                   - {name: lb, authority: external, root: /etc/ssl/r.pem, usages: [server], certSANs: [lb.example.com]}\n\
                   - {name: ingress, authority: external, usages: [server], certSANs: [in.example.com]}\n\
                   - {name: haproxy, usages: [client]}\n";

fn of(layout: &Layout) -> Vec<Credential> {
    with("", layout)
}

fn with(further: &str, layout: &Layout) -> Vec<Credential> {
    let text = format!("{TWO}{further}");
    let loaded = load(Source { name: "p.yaml", bytes: text.as_bytes() }, &Overrides::default());
    let profile = loaded.unwrap_or_else(|problems| panic!("{problems}")).profile;
    of_profile(&profile, layout, &directories())
}

fn ids(credentials: &[Credential], wanted: impl Fn(&str) -> bool) -> Vec<String> {
    credentials.iter().filter(|one| wanted(&one.id.name)).map(|one| one.id.to_string()).collect()
}

/// Whether the profile wants one of each or none: one that exists is renewed.
#[test]
fn the_kubelets_serving_certificate_is_of_the_nodes_of_the_tree_and_once_of_each() {
    let node = |name: &str| Layout::Node { name: name.to_owned() };
    for further in ["", "kubelet: {serving: false}\n"] {
        let found = |layout: &Layout| {
            let all = with(further, layout);
            let places: BTreeSet<&Place> = all.iter().map(|one| &one.public).collect();
            assert_eq!(places.len(), all.len());
            ids(&all, |name| name == "kubelet-serving")
        };
        assert_eq!(found(&node("cp1")), ["kubelet-serving"], "{further}");
        assert_eq!(found(&node("w1")), ["kubelet-serving"], "{further}");
        assert_eq!(found(&node("other")), [""; 0], "{further}");
        assert_eq!(found(&Layout::Cluster), ["cp1/kubelet-serving", "w1/kubelet-serving"], "{further}");
    }
}

#[test]
fn a_credential_is_a_pair_or_a_kubeconfig_and_an_external_one_has_roots() {
    let all = of(&Layout::Node { name: "cp1".to_owned() });
    let one = |name: &str| all.iter().find(|one| one.id.name == name).unwrap_or_else(|| panic!("{name}"));
    for (name, places) in [
        ("apiserver", &["pki/apiserver.crt", "pki/apiserver.key"][..]),
        ("admin.conf", &["admin.conf"]),
        ("lb", &["pki/lb.crt", "pki/lb.key"]),
    ] {
        let found: Vec<&str> = one(name).places().map(|place| place.path.as_str()).collect();
        assert_eq!(found, places);
    }
    let file = Roots::File("/etc/ssl/r.pem".to_owned());
    for (name, roots) in
        [("lb", Some(&file)), ("ingress", Some(&Roots::System)), ("haproxy", None), ("apiserver", None)]
    {
        assert_eq!(one(name).roots(), roots, "{name}");
    }
    let in_tree = |credential: &Credential| match &credential.wanted {
        Some((What::Extra(extra), _)) => matches!(extra.authority, ExtraAuthority::InTree(_)),
        _ => false,
    };
    assert!(in_tree(one("haproxy")) && !in_tree(one("lb")));
}

/// The program of its authority, or its own where that is external.
#[test]
fn a_credential_is_issued_by_the_program_of_its_authority_or_its_own() {
    let text = "apiVersion: kpki/v1\nkind: ClusterProfile\nnodes: [{name: cp1, addresses: [10.0.0.11]}]\ncaKeys: none\n\
                authorities: {ca: {issuer: [/ca]}}\nextraCertificates:\n\
                - {name: lb, authority: external, issuer: [/lb], usages: [server], certSANs: [lb.example.com]}\n\
                - {name: ingress, authority: external, usages: [server], certSANs: [in.example.com]}\n";
    let loaded = load(Source { name: "p.yaml", bytes: text.as_bytes() }, &Overrides::default());
    let profile = loaded.unwrap_or_else(|problems| panic!("{problems}")).profile;
    let all = of_profile(&profile, &Layout::Node { name: "cp1".to_owned() }, &directories());
    for (name, program, without_a_profile) in [
        ("apiserver", Some("/ca"), None),
        ("front-proxy-client", None, None),
        ("lb", Some("/lb"), Some("/lb")),
        ("ingress", None, None),
    ] {
        let one = all.iter().find(|one| one.id.name == name).unwrap_or_else(|| panic!("{name}"));
        let of = |profile| one.issuer(profile).map(|issuer| issuer.command.join(" "));
        assert_eq!(of(Some(&profile)).as_deref(), program, "{name}");
        assert_eq!(of(None).as_deref(), without_a_profile, "{name}");
    }
}

#[test]
fn every_node_of_a_cluster_directory_has_copies_of_every_authority() {
    let copies = |layout: &Layout| authority_copies(&of(layout), &directories());
    assert_eq!(copies(&Layout::Node { name: "cp1".to_owned() }), []);
    let found: Vec<(String, CaId, String)> =
        copies(&Layout::Cluster).into_iter().map(|(node, authority, place)| (node, authority, place.path)).collect();
    let of_node = |node: &str| {
        CaId::ALL.map(|authority| (node.to_owned(), authority, format!("nodes/{node}/pki/{}.crt", authority.stem())))
    };
    assert_eq!(found, ["cp1", "w1"].map(of_node).concat());
}
