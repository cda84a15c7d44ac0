//! What a node gets of its cluster's profile: an allow-list. Every field is named here, so that a new one does not compile
//! until it is decided who gets it.

use super::defaults::{ALGORITHM, RENEWAL};
use super::hooks::Hooks;
use super::model::{AuthorityOptions, ExtraCertificate, Node, NodeRole, Origin, Profile, Renewal, Stated};
use super::render::render_as_stated;

/// How an authority signs is the safe host's: its paths and programs.
fn public(options: &AuthorityOptions) -> AuthorityOptions {
    let AuthorityOptions { algorithm, validity, subject, permitted, path_len, signing: _, next: _ } = options;
    AuthorityOptions {
        algorithm: *algorithm,
        validity: *validity,
        subject: subject.clone(),
        permitted: permitted.clone(),
        path_len: *path_len,
        signing: None,
        next: None,
    }
}

/// Names, lifetimes, windows and policies of the cluster; of what belongs to single nodes, this node's alone. Not the hooks of
/// the host that has the profile, its paths, and the hooks of other nodes.
pub fn for_node(profile: &Profile, node: &str) -> Profile {
    let Profile {
        origin: _,
        cluster_name,
        kubernetes_version,
        control_plane_endpoint,
        certificates_dir,
        service_subnets,
        dns_domain,
        api_server_sans,
        etcd,
        algorithm,
        validity,
        ca_validity,
        stated,
        authorities,
        certificates,
        extra_certificates,
        kubelet_serving,
        signer_file,
        signing_files: _,
        ca_keys,
        crl_validity,
        renewal,
        rotation,
        expiration,
        copies: _,
        verify_ignore,
        nodes,
    } = profile;
    let Stated { algorithm: is_stated, .. } = *stated;
    let own = profile.node(node);
    Profile {
        origin: Origin::Kpki,
        cluster_name: cluster_name.clone(),
        kubernetes_version: *kubernetes_version,
        control_plane_endpoint: control_plane_endpoint.clone(),
        certificates_dir: certificates_dir.clone(),
        service_subnets: service_subnets.clone(),
        dns_domain: dns_domain.clone(),
        api_server_sans: api_server_sans.clone(),
        etcd: etcd.clone(),
        // kubeadm's default is another one; a renewal does not follow a default.
        algorithm: if is_stated { *algorithm } else { ALGORITHM },
        validity: *validity,
        ca_validity: *ca_validity,
        stated: *stated,
        authorities: authorities.iter().map(|(authority, options)| (*authority, public(options))).collect(),
        certificates: certificates.clone(),
        extra_certificates: extra_certificates.iter().filter_map(|extra| certificate(extra, node)).collect(),
        kubelet_serving: *kubelet_serving,
        signer_file: *signer_file,
        // The node's own manifest says it.
        signing_files: Vec::new(),
        ca_keys: *ca_keys,
        crl_validity: *crl_validity,
        renewal: of_renewal(renewal, own.map_or(RENEWAL.hooks, |own| own.hooks.clone())),
        rotation: *rotation,
        expiration: *expiration,
        copies: Vec::new(),
        verify_ignore: verify_ignore.clone(),
        nodes: nodes.iter().map(|other| shown(other, own)).collect(),
    }
}

/// The document that goes to the node.
pub fn node_document(profile: &Profile, node: &str) -> String {
    format!(
        "# Made by kpki export for {node}. The profile it was made from, on the host with the cluster directory, is the source of\n\
         # truth and not this file: change it there and export {node} again, which replaces this one.\n{}",
        render_as_stated(&for_node(profile, node))
    )
}

/// `None`: other nodes hold it. The roots of an external authority are a path on the node that holds the certificate.
fn certificate(extra: &ExtraCertificate, node: &str) -> Option<ExtraCertificate> {
    let ExtraCertificate {
        name,
        authority,
        // A program of the safe host.
        issuer: _,
        common_name,
        organizations,
        usages,
        sans,
        path,
        algorithm,
        validity,
        nodes,
    } = extra;
    nodes.iter().any(|holder| holder == node).then(|| ExtraCertificate {
        name: name.clone(),
        authority: authority.clone(),
        issuer: None,
        common_name: common_name.clone(),
        organizations: organizations.clone(),
        usages: usages.clone(),
        sans: sans.clone(),
        path: path.clone(),
        algorithm: *algorithm,
        validity: *validity,
        nodes: vec![node.to_owned()],
    })
}

fn of_renewal(renewal: &Renewal, own: Hooks) -> Renewal {
    let Renewal { before, max_age, keep_generations, on_hook_failure, hooks: _ } = renewal;
    Renewal {
        before: *before,
        max_age: *max_age,
        keep_generations: *keep_generations,
        on_hook_failure: *on_hook_failure,
        hooks: own,
    }
}

/// Names, roles and addresses of all nodes decide names and servers. The further names of one are in its own certificates, and
/// in the API server's of every control-plane node.
fn shown(other: &Node, own: Option<&Node>) -> Node {
    let Node { name, roles, advertise_address, bind_port, addresses, sans, hooks: _ } = other;
    let is_own = own.is_some_and(|own| own.name == *name);
    let of_all = own.is_some_and(|own| own.is(NodeRole::ControlPlane)) && other.is(NodeRole::ControlPlane);
    Node {
        name: name.clone(),
        roles: roles.clone(),
        advertise_address: *advertise_address,
        bind_port: *bind_port,
        addresses: addresses.clone(),
        sans: if is_own || of_all { sans.clone() } else { Vec::new() },
        hooks: RENEWAL.hooks,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::tests::load_text;

    const FULL: &str = include_str!("../../fixtures/profiles/everything.yaml");

    /// The words that only the safe host or another node may know.
    const SECRET: [&str; 13] = [
        "safe-pre",
        "safe-deploy",
        "safe-post",
        "/safe/copy",
        "safe-issuer",
        "cp1-pre",
        "cp1-deploy",
        "cp2-pre",
        "cp2-post",
        "worker-deploy",
        "lb-post",
        "lb-pre",
        "cp2-argument",
    ];

    #[test]
    fn each_node_gets_its_own_hooks_and_nobody_elses() {
        let profile = load_text(FULL).unwrap().profile;
        for (node, own) in [
            ("cp1", &["cp1-pre", "cp1-deploy"][..]),
            ("cp2", &["cp2-pre", "cp2-post", "cp2-argument"]),
            ("etcd1", &[]),
            ("w1", &["worker-deploy"]),
            ("lb1", &["lb-pre", "lb-post"]),
        ] {
            let text = node_document(&profile, node);
            for word in SECRET {
                assert_eq!(text.contains(word), own.contains(&word), "{node} {word}\n{text}");
            }
            let back = load_text(&text).unwrap_or_else(|why| panic!("{why}\n{text}")).profile;
            assert_eq!(back, for_node(&profile, node), "{text}");
            assert!(back.nodes.iter().all(|node| node.hooks == RENEWAL.hooks));
            assert_eq!(back.node(node).map(|node| &node.sans), profile.node(node).map(|node| &node.sans));
        }
    }

    #[test]
    fn a_node_knows_its_own_extra_certificates_and_the_names_it_needs() {
        let profile = load_text(FULL).unwrap().profile;
        for (node, extras, names) in [
            ("cp1", &["metrics"][..], &["cp1.names", "cp2.names"][..]),
            ("etcd1", &[], &["etcd1.names"]),
            ("w1", &["metrics", "public"], &["w1.names"]),
            ("lb1", &["haproxy", "public"], &[]),
        ] {
            let given = for_node(&profile, node);
            let found: Vec<&str> = given.extra_certificates.iter().map(|extra| extra.name.as_str()).collect();
            assert_eq!(found, extras, "{node}");
            assert!(given.extra_certificates.iter().all(|extra| extra.nodes == [node]));
            let sans: Vec<String> = given.nodes.iter().flat_map(|node| &node.sans).map(ToString::to_string).collect();
            assert_eq!(sans, names, "{node}");
            let roots = node_document(&profile, node).contains("/roots/public.pem");
            assert_eq!(roots, extras.contains(&"public"), "{node}");
        }
    }

    /// The largest cluster there may be fits into the largest profile that is read, with names as clouds give them.
    #[test]
    fn a_node_of_the_largest_cluster_can_read_its_profile() {
        use std::fmt::Write;
        let mut text =
            "apiVersion: kpki/v1\nkind: ClusterProfile\nnodes:\n- {name: cp1, addresses: [10.255.0.1]}\n".to_owned();
        for one in 1..5000 {
            let (high, low) = (one / 250, one % 250);
            writeln!(
                text,
                "- {{name: ip-10-0-{high}-{low}.eu-central-1.compute.internal, roles: [worker], addresses: [10.0.{high}.{low}]}}"
            )
            .unwrap();
        }
        let profile = load_text(&text).unwrap().profile;
        let document = node_document(&profile, "cp1");
        assert_eq!(load_text(&document).unwrap().profile, profile);
        assert!(document.len() < 1 << 20, "{}", document.len());
    }

    #[test]
    fn what_is_left_to_a_default_stays_left_to_it() {
        let text = "apiVersion: kpki/v1\nkind: ClusterProfile\nnodes: [{name: cp1, addresses: [10.0.0.1]}]\n";
        let profile = load_text(text).unwrap().profile;
        let back = load_text(&node_document(&profile, "cp1")).unwrap().profile;
        assert_eq!(back, profile);
        assert_eq!(back.stated, Stated { algorithm: false, validity: false, ca_validity: false, version: false });
    }
}
