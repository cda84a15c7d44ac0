//! `kpki unpack` on a node: what may replace what, and what a failed hook undoes.

use std::fs;

use super::harness::{NOW, Place};
use super::unpack::{DIR, PROFILE, YEAR, export, is_in_place, members, renewed, unpack};

/// cp1 has a deploy hook that fails while FAIL is there, kills the run while KILL is there, and else succeeds.
fn with_hook() -> Place {
    let place = Place::new();
    let at = |name: &str| place.path(name).to_str().unwrap().to_owned();
    let hook = format!(
        "addresses: [10.0.0.1], hooks: {{deploy: {{etcd: 'test ! -e {} || kill -9 $PPID; test ! -e {}'}}}}",
        at("KILL"),
        at("FAIL")
    );
    let profile = PROFILE.replace("addresses: [10.0.0.1]", &hook);
    place.write("p.yaml", format!("{profile}renewal: {{onHookFailure: restore}}\n"));
    place.init(&["--profile", "p.yaml", "--dir", "c"]).ok();
    export(&place, "cp1", "cp1.tar", NOW);
    place
}

fn owed(place: &Place) -> bool {
    place.path(&format!("{DIR}/.kpki/owed.json")).exists()
}

#[test]
fn a_first_install_is_never_rolled_back_to_nothing() {
    let place = with_hook();
    place.write("FAIL", "");
    let run = unpack(&place, "cp1.tar", &[]).status(1);
    assert!(run.stdout.contains("The deploy hook of etcd failed"), "{}", run.stdout);
    assert!(!run.stdout.contains("restored"), "{}", run.stdout);
    assert!(run.stderr.contains("has nothing to restore: this run replaced no files"), "{}", run.stderr);
    is_in_place(&place, "cp1.tar");
    assert!(owed(&place));
    // The same again, and one that replaces: only this one is undone.
    unpack(&place, "cp1.tar", &[]).status(1);
    is_in_place(&place, "cp1.tar");
    renewed(&place);
    let run = unpack(&place, "new.tar", &["--at", YEAR]).status(1);
    assert!(run.stdout.contains("and restored the old ones"), "{}", run.stdout);
    is_in_place(&place, "cp1.tar");
    assert!(owed(&place));
    fs::remove_file(place.path("FAIL")).unwrap();
    unpack(&place, "new.tar", &["--at", YEAR]).ok();
    is_in_place(&place, "new.tar");
    assert!(!owed(&place));
}

/// A first install that was killed in its hook is no reason for a later run to take everything away.
#[test]
fn a_rollback_undoes_what_its_own_run_replaced() {
    for renews in [false, true] {
        let place = with_hook();
        place.write("KILL", "");
        unpack(&place, "cp1.tar", &[]).status(-1);
        is_in_place(&place, "cp1.tar");
        fs::remove_file(place.path("KILL")).unwrap();
        place.write("FAIL", "");
        if renews {
            let run = place.kpki(&["renew", "etcd-peer", "--dir", DIR, "--at", YEAR]).status(1);
            assert!(run.stdout.contains("restored"), "{}", run.stdout);
        } else {
            for gone in ["pki/etcd/peer.crt", "pki/etcd/peer.key"] {
                fs::remove_file(place.path(&format!("{DIR}/{gone}"))).unwrap();
            }
            let run = unpack(&place, "cp1.tar", &[]).status(1);
            assert!(run.stderr.contains("nothing to restore"), "{}", run.stderr);
        }
        is_in_place(&place, "cp1.tar");
        assert!(owed(&place));
    }
}
