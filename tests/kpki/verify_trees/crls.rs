//! Revocation lists.

use time::Duration;

use super::bases::{AT, Tree};
use super::{CLUSTER, KUBEADM, NODE, Row};
use crate::harness::NOW;

const LIST: &str = "pki/ca.crl";
const COPY: &str = "nodes/cp1/pki/ca.crl";
const DER: &str = "pki/etcd/ca.crl.der";

pub const ROWS: &[Row] = &[
    Row::new("a list of another authority", NODE, &[("crl/unusable", LIST)], |tree| {
        tree.write(LIST, tree.crl("front-proxy-ca", AT + Duration::days(20)).to_pem());
    }),
    Row::new("a list that is none", NODE, &[("file/broken", LIST)], |tree| tree.write(LIST, "a\n")),
    Row::new("a list past its nextUpdate", NODE, &[("crl/stale", LIST)], |tree| {
        tree.write(LIST, tree.crl("ca", AT - Duration::hours(1)).to_pem());
    }),
    Row::new("two lists of etcd that differ", NODE, &[("crl/other-der", DER)], |tree| {
        tree.kpki(&["crl", "update", "etcd-ca"]);
        tree.write(DER, tree.crl("etcd/ca", AT + Duration::days(20)).der);
    }),
    Row::new("an older copy on a node", CLUSTER, &[("crl/other-copy", COPY)], |tree| {
        tree.kpki(&["crl", "update", "ca"]);
        let old = tree.read(COPY);
        tree.kpki(&["crl", "update", "ca"]);
        tree.write(COPY, old);
    }),
    Row::new("two lists of one number", CLUSTER, &[("crl/other-copy", COPY)], |tree| {
        tree.kpki(&["crl", "update", "ca"]);
        tree.write(LIST, tree.crl("ca", AT + Duration::days(20)).to_pem());
        for copy in ["nodes/cp2/pki/ca.crl", "nodes/w1/pki/ca.crl"] {
            tree.write(copy, tree.read(LIST));
        }
        tree.write(COPY, tree.crl("ca", AT + Duration::days(19)).to_pem());
    }),
    Row::new("PEM where DER is read", NODE, &[("file/broken", DER)], |tree| {
        tree.kpki(&["crl", "update", "etcd-ca"]);
        tree.write(DER, tree.read("pki/etcd/ca.crl"));
    }),
    Row::new("DER where PEM is read", NODE, &[("file/broken", LIST)], |tree| {
        tree.write(LIST, tree.crl("ca", AT + Duration::days(20)).der);
    }),
    Row::new("revoked", NODE, &[("crl/revoked", "pki/apiserver.crt")], |tree| on_list(tree, "revoke", "apiserver")),
    Row::new("on hold", NODE, &[("crl/revoked", "pki/etcd/peer.crt")], |tree| on_list(tree, "hold", "etcd-peer")),
    Row::new("a list, and no right to sign it", KUBEADM, &[("usage/crl-sign", "pki/ca.crt")], |tree| {
        tree.write(LIST, tree.crl("ca", AT + Duration::days(20)).to_pem());
    })
    .status(3),
];

fn on_list(tree: &Tree, verb: &str, name: &str) {
    tree.place.kpki(&[verb, name, "--dir", "t", "--at", NOW]).status(0);
}
