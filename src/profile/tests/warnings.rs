//! Every warning, word for word.

use super::*;

#[test]
fn warnings_of_a_profile() {
    let two = "nodes: [{name: a, addresses: [10.0.0.1]}, {name: b, addresses: [10.0.0.2]}]\n";
    for (text, expected) in [
        (
            format!("{HEAD}{two}"),
            "3: nodes: 2 control-plane nodes without controlPlaneEndpoint: clients reach only the node they are given",
        ),
        (
            format!("{HEAD}nodes: [{{name: a, advertiseAddress: 127.0.0.1}}]"),
            "3: nodes[0].advertiseAddress: no other node reaches 127.0.0.1; kubeadm refuses it as advertiseAddress",
        ),
        (
            with("kubernetesVersion: v1.99.0"),
            "3: kubernetesVersion: v1.99.0 is newer than all known releases; the rules of v1.37.0 hold",
        ),
        (
            with("certificateValidityPeriod: 20y"),
            "3: certificateValidityPeriod: certificates (7300d) would outlive their CA (3650d) and end with it",
        ),
        (
            with("authorities: {ca: {validity: 1d}}"),
            "3: authorities.ca.validity: certificates (365d) would outlive this CA (1d) and end with it",
        ),
        (
            with("certificates: {apiserver: {validity: 20y}}"),
            "3: certificates.apiserver.validity: a certificate of 7300d would outlive its CA ca (3650d) and ends with it",
        ),
        (
            with("extraCertificates: [{name: a, usages: [client], organizations: [\"system:masters\"]}]"),
            "3: extraCertificates[0].organizations: system:masters is above RBAC: the key gives full control of the cluster until the CA changes",
        ),
        (
            with("etcd: {external: {endpoints: [\"https://a\"]}}\nauthorities: {etcd-ca: {}}"),
            "4: authorities.etcd-ca: unused: with etcd.external the certificates of etcd are made elsewhere",
        ),
        (
            format!(
                "{HEAD}nodes:\n- {{name: a, addresses: [10.0.0.1]}}\n- {{name: b, roles: [load-balancer], certSANs: [b.c]}}"
            ),
            "5: nodes[1].certSANs: unused: the names of a load balancer belong to its extraCertificates",
        ),
        (
            format!("{HEAD}nodes: [{{name: {}, addresses: [10.0.0.1]}}]", "a".repeat(63) + ".bb"),
            "3: nodes[0].name: longer than 64 characters: as a CN it breaks the upper bound of RFC 5280",
        ),
    ] {
        assert_eq!(warnings(&text), [expected], "{text}");
    }
}
