//! A cluster that moves: servers of earlier profiles, and nodes that are yet to come.

use super::*;
use crate::plan::renew::{Kubeconfig, Repair, Rewritten, kubeconfigs, not_before_its_tree, without_tree};

const OLD: &str = "https://10.0.0.11:6443";
const WANTED: &str = "https://new.example.com:6443";

/// What an earlier profile gave moves, with a new credential or without one; what a person has set stays.
#[test]
fn a_server_moves_from_what_an_earlier_profile_gave() {
    for (former, endpoint, moves) in [
        (&[OLD][..], "new.example.com:6443", true),
        (&["https://10.0.0.12:6443"], "new.example.com:6443", false),
        (&[], "new.example.com:6443", false),
        // It is what the profile wants.
        (&[OLD], "10.0.0.11:6443", false),
    ] {
        let mut world = World::new().due().profile(&format!("controlPlaneEndpoint: {endpoint}"));
        world.former = former.iter().map(|one| (*one).to_owned()).collect();
        world.kubeconfig("admin.conf", &world.issuer.bundle_pem());
        let server = moves.then(|| WANTED.to_owned());
        let credentials: Vec<Credential> =
            world.credentials().into_iter().filter(|one| one.id.name == "admin.conf").collect();
        let repairs = |decision: Decision| {
            let authorities = authorities(&world.survey, &directories(), &PlainKeys);
            kubeconfigs(&credentials, &[decision], &authorities, &world.survey, &[], &world.former)
        };
        // A server alone is no reason for a signature.
        let kept = world.decide_one(&credentials[0]).unwrap();
        assert!(matches!(kept, Decision::Keep(_)), "{former:?}");
        let written: Vec<Rewritten> = repairs(kept).into_iter().map(|Repair { what, .. }| what).collect();
        let wanted = server.clone().map(|server| Rewritten::Kubeconfig { authority: false, server: Some(server) });
        assert_eq!(written, wanted.into_iter().collect::<Vec<_>>(), "{former:?}");
        // With one it is one edit, and nothing is left to repair.
        world.due = None;
        let renewed = world.renewal("admin.conf");
        let Some(Kubeconfig::Edit { authority: false, server: found }) = &renewed.kubeconfig else { panic!() };
        assert_eq!(*found, server, "{former:?}");
        let authorities = authorities(&world.survey, &directories(), &PlainKeys);
        let decision = Decision::Renew(Box::new(renewed));
        assert_eq!(kubeconfigs(&credentials, &[decision], &authorities, &world.survey, &[], &world.former), []);
    }
}

#[test]
fn a_node_of_which_there_is_no_file_is_left_to_init() {
    let place = |path: &str| Place { root: Root::Main, path: path.to_owned() };
    for (there, is_to_come) in [
        (&[][..], true),
        (&["nodes/cp2/pki/apiserver.crt"], true),
        (&["nodes/cp1/pki/apiserver.key"], false),
        (&["nodes/cp1/admin.conf"], false),
        // Its authorities alone: somebody has begun it.
        (&["nodes/cp1/pki/etcd/ca.crt"], false),
    ] {
        let mut world = World::new();
        there.iter().for_each(|path| world.put(path, "x"));
        let names = ["cp1", "cp2"].map(|name| Some(name.to_owned()));
        let credentials = of_catalogue(&names, &directories());
        let copies = [("cp1".to_owned(), CaId::Etcd, place("nodes/cp1/pki/etcd/ca.crt"))];
        let found = without_tree(&credentials, copies.iter(), &world.survey);
        assert_eq!(found.contains("cp1"), is_to_come, "{there:?}");
        // What no profile asks for is not missing.
        assert!(matches!(not_before_its_tree(&credentials[0], "cp1"), Decision::Absent));
    }
    let wanted = World::new().profile("").credentials();
    let decided = |name: &str| not_before_its_tree(wanted.iter().find(|one| one.id.name == name).unwrap(), "cp1");
    assert!(matches!(decided("apiserver"), Decision::Skipped(Skipped::NodeMissing(node), None) if node == "cp1"));
    assert!(matches!(decided("super-admin.conf"), Decision::Absent));
}
