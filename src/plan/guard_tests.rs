//! What only all decisions together show, on trees with nothing, with some files, and of one node of several.

use time::macros::datetime;
use zeroize::Zeroizing;

use super::*;
use crate::plan::init::items;
use crate::plan::reconcile::reconcile;
use crate::profile::{Overrides, Source, load};
use crate::tree::PlainKeys;
use crate::tree::authorities::authorities;
use crate::tree::layout::Root;
use crate::tree::{Directories, Layout, Place};

const HEAD: &str = "apiVersion: kpki/v1\nkind: ClusterProfile\n";
const ONE: &str = "nodes: [{name: cp1, addresses: [10.0.0.11]}]\n";
const TWO: &str = "controlPlaneEndpoint: lb.example.com\nnodes: [{name: cp1, addresses: [10.0.0.11]}, {name: cp2, addresses: [10.0.0.12]}]\n";

/// The plan for the tree of `node`, or of the whole cluster, in which these files exist (0600, with any bytes).
fn planned(profile: &str, node: Option<&str>, files: &[(&str, u32)]) -> Reconciled {
    let text = format!("{HEAD}{profile}");
    let profile = load(Source { name: "p.yaml", bytes: text.as_bytes() }, &Overrides::default()).unwrap().profile;
    let directories = Directories::usual();
    let layout = node.map_or(Layout::Cluster, |name| Layout::Node { name: name.to_owned() });
    let items = items(&profile, &layout, &directories);
    let place = |path: &str| Place { root: Root::Main, path: path.to_owned() };
    let file = |mode| FileState::File { bytes: Zeroizing::new(b"x".to_vec()), mode, uid: 0, gid: 0 };
    let survey: Survey = files.iter().map(|(path, mode)| (place(path), file(*mode))).collect();
    let authorities = authorities(&survey, &directories, &PlainKeys);
    reconcile(&profile, &items, &survey, &authorities, datetime!(2026-11-20 22:00 UTC), false)
}

#[test]
fn names_that_new_constraints_exclude_are_refused_by_name() {
    let with = |permitted: &str| format!("authorities: {{etcd-ca: {{permittedNames: [{permitted}]}}}}\n{ONE}");
    let refused = |permitted: &str| planned(&with(permitted), None, &[]).refusals;
    assert_eq!(refused("cp1, localhost, 10.0.0.11, 127.0.0.0/8, \"::1\""), []);
    // A kind of which none is listed is not constrained.
    assert_eq!(refused("10.0.0.0/8, 127.0.0.1, \"::1\""), []);
    let names = vec!["127.0.0.1".to_owned(), "::1".to_owned(), "localhost".to_owned()];
    assert_eq!(refused("cp1, 10.0.0.0/8"), [Refusal::NotPermitted { item: "etcd-ca".to_owned(), names }]);
    // What another authority signs does not count.
    assert_eq!(
        planned(&format!("authorities: {{front-proxy-ca: {{permittedNames: [x]}}}}\n{ONE}"), None, &[]).refusals,
        []
    );
    // The names of extra certificates do, each once.
    let extra =
        "extraCertificates: [{name: e, authority: front-proxy-ca, usages: [server], certSANs: [e.example.com, x]}]\n";
    let text = format!("authorities: {{front-proxy-ca: {{permittedNames: [x]}}}}\n{extra}{ONE}");
    let names = vec!["e.example.com".to_owned()];
    assert_eq!(
        planned(&text, None, &[]).refusals,
        [Refusal::NotPermitted { item: "front-proxy-ca".to_owned(), names }]
    );
}

#[test]
fn an_authority_is_not_made_anew_beside_what_the_old_one_signed() {
    for (file, item, still) in [
        ("pki/apiserver.crt", "ca", "apiserver"),
        ("admin.conf", "ca", "admin.conf"),
        ("pki/etcd/peer.crt", "etcd-ca", "etcd-peer"),
        ("pki/front-proxy-client.crt", "front-proxy-ca", "front-proxy-client"),
    ] {
        let refusals = planned(ONE, Some("cp1"), &[(file, 0o600)]).refusals;
        let missing = Refusal::SharedMissing { item: item.to_owned(), still: vec![still.to_owned()] };
        assert_eq!(
            refusals.iter().filter(|one| matches!(one, Refusal::SharedMissing { .. })).collect::<Vec<_>>(),
            [&missing],
            "{file}"
        );
    }
    // In a cluster directory the nodes' copies of the service account key count.
    let refusals = planned(ONE, None, &[("nodes/cp1/pki/sa.pub", 0o644)]).refusals;
    assert_eq!(refusals, [Refusal::SharedMissing { item: "sa".to_owned(), still: vec!["cp1/sa".to_owned()] }]);
}

#[test]
fn only_the_first_control_plane_node_begins_what_all_share() {
    let shared = ["ca", "front-proxy-ca", "etcd-ca", "sa"].map(str::to_owned).to_vec();
    let first = planned(TWO, Some("cp1"), &[]);
    assert_eq!((first.refusals, first.notices), (vec![], vec![Notice::OthersNeedShared { items: shared.clone() }]));
    assert_eq!(planned(TWO, Some("cp2"), &[]).refusals, [Refusal::SharedElsewhere { items: shared }]);
    let alone = planned(ONE, Some("cp1"), &[]);
    assert_eq!((alone.refusals, alone.notices), (vec![], vec![]));
    let cluster = planned(TWO, None, &[]);
    assert_eq!((cluster.refusals, cluster.notices), (vec![], vec![]));
}

#[test]
fn private_keys_that_others_may_read_are_pointed_out() {
    for (file, mode, said) in [
        ("pki/apiserver.key", 0o600, false),
        ("pki/apiserver.key", 0o640, true),
        ("pki/apiserver.key", 0o604, true),
        ("admin.conf", 0o644, true),
        ("admin.conf", 0o600, false),
        ("pki/apiserver.crt", 0o644, false),
    ] {
        let notices = planned(ONE, Some("cp1"), &[(file, mode)]).notices;
        let readable = Notice::Readable { place: Place { root: Root::Main, path: file.to_owned() }, mode };
        assert_eq!(notices.contains(&readable), said, "{file} {mode:o}");
    }
}

#[test]
fn authorities_that_are_one_are_refused_by_name() {
    let read = |path: &str| {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/kubeadm/v1.36-default-rsa2048");
        #[allow(clippy::disallowed_methods)] // fixtures
        let read = |path| std::fs::read(root.join("etc-kubernetes/pki").join(path)).unwrap();
        Zeroizing::new(path.split('+').flat_map(read).collect::<Vec<u8>>())
    };
    let directories = Directories::usual();
    let refused = |ca: &str, front_proxy: &str, etcd: &str| {
        let file = |(path, from): (&str, &str)| {
            let state = FileState::File { bytes: read(from), mode: 0o644, uid: 0, gid: 0 };
            (Place { root: Root::Main, path: format!("pki/{path}") }, state)
        };
        let files = [("ca.crt", ca), ("front-proxy-ca.crt", front_proxy), ("etcd/ca.crt", etcd)].map(file);
        let refusals = shared_authorities(&authorities(&files.into_iter().collect(), &directories, &PlainKeys));
        let names = refusals.iter().map(|refusal| match refusal {
            Refusal::SharedAuthority { item, with } => format!("{item}={with}"),
            other => panic!("{other:?}"),
        });
        names.collect::<Vec<_>>()
    };
    let (ca, front_proxy, etcd) = ("ca.crt", "front-proxy-ca.crt", "etcd/ca.crt");
    assert!(refused(ca, front_proxy, etcd).is_empty());
    assert_eq!(refused(ca, front_proxy, ca), ["etcd-ca=ca"]);
    assert_eq!(refused(ca, ca, etcd), ["front-proxy-ca=ca"]);
    assert_eq!(refused(ca, etcd, etcd), ["etcd-ca=front-proxy-ca"]);
    assert_eq!(refused(ca, ca, ca).len(), 3);
    // Everything in a file is trusted, not its first certificate alone.
    assert_eq!(refused(ca, front_proxy, "etcd/ca.crt+ca.crt"), ["etcd-ca=ca"]);
    assert_eq!(refused("ca.crt+front-proxy-ca.crt", front_proxy, etcd), ["front-proxy-ca=ca"]);
}
