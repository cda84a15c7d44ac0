//! Nodes and extra certificates that are refused, word for word; and what their defaults come to.

use super::*;

#[test]
fn nodes_of_a_profile() {
    for (lines, expected) in [
        ("", "1:1: nodes: expected a list of nodes, found nothing"),
        ("nodes:", "3:1: nodes: expected a list of nodes, found nothing"),
        ("nodes: []", "3:8: nodes: expected at least one node, found nothing"),
        ("nodes: {}", "3:8: nodes: expected a list, found a mapping"),
        ("nodes: [{addresses: [10.0.0.1]}]", "3:9: nodes[0].name: expected the name of the node, found nothing"),
        (
            "nodes: [{name: CP1, addresses: [10.0.0.1]}]",
            "3:16: nodes[0].name: expected a lower-case DNS name (RFC 1123), found CP1",
        ),
        (
            "nodes: [{name: a}]",
            "3:9: nodes[0].addresses: expected an address on a control-plane or etcd node, found none",
        ),
        (
            "nodes: [{name: a, addresses: ~, advertiseAddress: null}]",
            "3:19: nodes[0].addresses: expected an address on a control-plane or etcd node, found none",
        ),
        ("nodes: [{name: a, addresses: [b]}]", "3:31: nodes[0].addresses[0]: expected an IP address, found b"),
        (
            "nodes: [{name: a, addresses: [0.0.0.0]}]",
            "3:31: nodes[0].addresses[0]: expected the address of a node, found the unspecified address 0.0.0.0",
        ),
        (
            "nodes: [{name: a, addresses: [\"ff02::1\"]}]",
            "3:31: nodes[0].addresses[0]: expected the address of a node, found the multicast address ff02::1",
        ),
        (
            "nodes: [{name: a, advertiseAddress: 255.255.255.255}]",
            "3:37: nodes[0].advertiseAddress: expected the address of a node, found the broadcast address 255.255.255.255",
        ),
        (
            "nodes: [{name: a, addresses: [10.0.0.1], bindPort: 0}]",
            "3:52: nodes[0].bindPort: expected a number from 1 to 65535, found 0",
        ),
        (
            "nodes: [{name: a, addresses: [10.0.0.1], bindPort: 64k}]",
            "3:52: nodes[0].bindPort: expected a whole number, found 64k",
        ),
        (
            "nodes: [{name: a, addresses: [10.0.0.1], roles: [control-plain]}]",
            "3:50: nodes[0].roles[0]: expected one of control-plane, etcd, worker, load-balancer, found control-plain (did you mean control-plane?)",
        ),
        (
            "nodes: [{name: a, addresses: [10.0.0.1], roles: []}]",
            "3:49: nodes[0].roles: expected at least one role, found nothing",
        ),
        (
            "nodes: [{name: a, addresses: [10.0.0.1], roles: [worker, control-plane]}]",
            "3:49: nodes[0].roles: expected worker or control-plane, found both",
        ),
        (
            "nodes:\n- {name: a, addresses: [10.0.0.1]}\n- {name: b, roles: [worker, load-balancer]}",
            "5:20: nodes[1].roles: expected load-balancer alone, found another role beside it",
        ),
        (
            "nodes: [{name: a, roles: [load-balancer]}]",
            "3:8: nodes: expected at least one node with role control-plane, found none",
        ),
        (
            "nodes: [{name: a, addresses: [10.0.0.1], hooks: {before: x}}]",
            "3:50: nodes[0].hooks.before: expected a known key, found an unknown one",
        ),
        (
            "nodes: [{name: a, addresses: [10.0.0.1], hooks: {post: [run]}}]",
            "3:57: nodes[0].hooks.post[0]: expected the absolute path of a program, found run",
        ),
        (
            "nodes: [{name: a, roles: [worker]}]",
            "3:8: nodes: expected at least one node with role control-plane, found none",
        ),
        (
            "etcd: {external: {endpoints: [\"https://a\"]}}\nnodes: [{name: a, addresses: [10.0.0.1], roles: [control-plane, etcd]}]",
            "4:49: nodes[0].roles: expected no role etcd with etcd.external, found one",
        ),
        (
            "nodes: [{name: etcd, addresses: [10.0.0.1]}]",
            "3:16: nodes[0].name: expected a node name, found a word that stands for roles (control-plane, etcd, worker, load-balancer, all)",
        ),
        (
            "nodes:\n- {name: a, addresses: [10.0.0.1]}\n- {name: a, roles: [worker]}",
            "5:10: nodes[1].name: expected a name of its own, found one that is taken (line 4)",
        ),
        (
            "nodes:\n- {name: a, addresses: [10.0.0.1]}\n- {name: b, roles: [worker], addresses: [\"::ffff:10.0.0.1\"]}",
            "5:42: nodes[1].addresses[0]: expected an address of its own, found one of node a (line 4)",
        ),
        (
            "nodes: [{name: a, addresses: [10.0.0.1], adresses: []}]",
            "3:42: nodes[0].adresses: expected a known key, found an unknown one (did you mean addresses?)",
        ),
    ] {
        assert_refused(&with_nodes(lines), &[expected]);
    }
}

#[test]
fn extra_certificates_of_a_profile() {
    let one = |entry: &str| with(&format!("extraCertificates: [{{{entry}}}]"));
    for (entry, expected) in [
        ("usages: [client]", "3:21: extraCertificates[0].name: expected a name for the certificate, found nothing"),
        ("name: a", "3:21: extraCertificates[0].usages: expected at least one of server, client, found nothing"),
        (
            "name: a, usages: []",
            "3:39: extraCertificates[0].usages: expected at least one of server, client, found nothing",
        ),
        (
            "name: a, usages: [servr]",
            "3:40: extraCertificates[0].usages[0]: expected server or client, found servr (did you mean server?)",
        ),
        (
            "name: a, usages: [server]",
            "3:21: extraCertificates[0].certSANs: expected certSANs beside usage server, found none",
        ),
        (
            "name: apiserver, usages: [client]",
            "3:28: extraCertificates[0].name: expected a name of your own, found one of kubeadm's certificates",
        ),
        (
            "name: a, usages: [client], path: etcd/server",
            "3:55: extraCertificates[0].path: expected a path of your own, found etcd/server, which is kubeadm's",
        ),
        (
            "name: a, usages: [client], path: ../x",
            "3:55: extraCertificates[0].path: expected a relative path of letters, digits, dots, - and _ without .crt or .key, \
             no part of it starting with a dot, found ../x",
        ),
        (
            "name: a, usages: [client], authority: etcd",
            "3:60: extraCertificates[0].authority: expected one of ca, front-proxy-ca, etcd-ca, external, found etcd",
        ),
        (
            "name: a, usages: [client], root: /r.pem",
            "3:55: extraCertificates[0].root: expected root beside authority external only, found authority ca",
        ),
        (
            "name: a, usages: [client], authority: external, root: r.pem",
            "3:76: extraCertificates[0].root: expected an absolute path without . and .., found r.pem",
        ),
        (
            "name: a, usages: [client], nodes: [cp2]",
            "3:57: extraCertificates[0].nodes[0]: expected a node, or one of control-plane, etcd, worker, load-balancer and all, found cp2 (did you mean cp1?)",
        ),
        (
            "name: a, usages: [client], nodes: [worker]",
            "3:57: extraCertificates[0].nodes[0]: expected a role that a node has, found worker, which none has",
        ),
        (
            "name: a, usages: [client], nodes: []",
            "3:56: extraCertificates[0].nodes: expected at least one node or role, found nothing",
        ),
        (
            "name: a, usages: [client]}, {name: a, usages: [client]",
            "3:57: extraCertificates[1].name: expected a name of its own, found one that is taken (line 3)",
        ),
        (
            "name: a, usages: [client]}, {name: b, path: a, usages: [client]",
            "3:66: extraCertificates[1].path: expected a path of its own, found one that is taken (line 3)",
        ),
    ] {
        assert_refused(&one(entry), &[expected]);
    }
    let external = "etcd: {external: {endpoints: [\"https://a\"]}}\n\
                    extraCertificates: [{name: a, usages: [client], authority: etcd-ca}]";
    assert_refused(
        &with(external),
        &[
            "4:60: extraCertificates[0].authority: expected another authority, found etcd-ca, which etcd.external leaves to others",
        ],
    );
}

#[test]
fn defaults_and_resolution() {
    let profile = load_text(&with_nodes(
        "nodes:\n- {name: a, addresses: [10.0.0.1, 10.0.0.1, 192.168.0.1], advertiseAddress: 192.168.0.01}\n\
         - {name: w, roles: [worker]}\n\
         controlPlaneEndpoint: \"fd00::1\"\n\
         extraCertificates:\n- {name: x, usages: [client, client], nodes: [all, w, control-plane]}",
    ))
    .unwrap()
    .profile;
    assert_eq!(profile.algorithm, Algorithm::EcdsaP256);
    assert_eq!(profile.kubernetes_version, Release::NEWEST);
    assert_eq!(profile.renewal.before, Threshold::PercentLeft(33));
    assert!(profile.kubelet_serving);
    let node = &profile.nodes[0];
    assert_eq!(node.roles, [NodeRole::ControlPlane, NodeRole::Etcd]);
    assert_eq!(node.addresses, ["192.168.0.1".parse::<IpAddr>().unwrap(), "10.0.0.1".parse().unwrap()]);
    assert_eq!(profile.nodes[1].roles, [NodeRole::Worker]);
    assert_eq!(profile.control_plane_endpoint.unwrap().port, None);
    let extra = &profile.extra_certificates[0];
    assert_eq!((extra.common_name.as_str(), extra.path.as_str(), extra.usages.len()), ("x", "x", 1));
    assert_eq!(extra.nodes, ["a", "w"]);
    // Where some node says etcd, no other becomes a member by itself.
    let split = "nodes: [{name: a, addresses: [10.0.0.1]}, {name: e, roles: [etcd], addresses: [10.0.0.2]}]";
    let profile = load_text(&with_nodes(split)).unwrap().profile;
    assert_eq!(profile.nodes[0].roles, [NodeRole::ControlPlane]);
}

#[test]
fn expiration_has_defaults_and_takes_shares_and_lengths() {
    let nodes = "apiVersion: kpki/v1\nkind: ClusterProfile\nnodes: [{name: cp1, addresses: [10.0.0.1]}]\n";
    let read = |text: &str| load_text(&format!("{nodes}{text}")).unwrap().profile.expiration;
    assert_eq!(read(""), EXPIRATION);
    let said = read("expiration: {warning: 20%, critical: 5d, caWarning: 2y, caCritical: 10%}");
    assert_eq!(
        said,
        Expiration {
            warning: Threshold::PercentLeft(20),
            critical: Threshold::Left(Span::days(5)),
            ca_warning: Threshold::Left(Span::days(730)),
            ca_critical: Threshold::PercentLeft(10),
        }
    );
    for text in ["expiration: {warning: 0d}", "expiration: {warning: 100%}", "expiration: {warn: 30d}"] {
        assert!(load_text(&format!("{nodes}{text}")).is_err(), "{text}");
    }
}
