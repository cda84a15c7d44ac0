//! On a node without the authorities' keys: what another host has to renew, and what is broken.

use super::*;

/// A node's tree without the keys of its authorities, 300 days later.
fn node() -> Place {
    let place = made("");
    for key in ["ca.key", "front-proxy-ca.key", "etcd/ca.key"] {
        fs::remove_file(place.path("k8s/pki").join(key)).unwrap();
    }
    place
}

const LATE: &str = "2027-09-16T22:00:00Z";
const EXPIRED: &str = "2027-12-01T00:00:00Z";

fn scheduled(place: &Place, at: &str) -> Run {
    place.kpki(&["renew", "all", "--due", "-q", "--safe-host", "ops1", "--dir", "k8s", "--at", at])
}

#[test]
fn what_another_host_has_to_renew_is_a_warning_that_names_it() {
    let place = node();
    scheduled(&place, NOW).ok();
    let run = scheduled(&place, LATE).status(0);
    assert_eq!(run.stdout, "");
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    for said in [
        "warning: k8s: due, and signed by an authority whose key is not here (ca, etcd-ca, front-proxy-ca): apiserver, ",
        "; the first ends at 2027-11-20T22:00:00Z (in 65d). Until then renew on ops1, and bring the files here: \
         kpki renew all --due --dir DIR && kpki export cp1 --dir DIR --out - | ssh cp1 kpki unpack -\n",
    ] {
        assert!(run.stderr.contains(said), "{}", run.stderr);
    }
    let json =
        place.kpki(&["renew", "all", "--due", "--safe-host", "ops1", "--dir", "k8s", "--at", LATE, "-o", "json"]);
    let json = json.status(0).json();
    assert_eq!(
        (json["outcome"].as_str(), json["trees"][0]["entries"][0]["action"].as_str()),
        (Some("nothing-due"), Some("skip"))
    );
    assert!(json["trees"][0]["elsewhere"].as_str().unwrap().contains("ops1"));
    // Who did not say where the keys are is told that nothing was renewed, and how it may come from another host.
    let run = renew_at(&place, LATE, &["all", "--due"]).status(5);
    assert!(
        run.stderr.contains("Until then renew on the host that has the key (with --safe-host HOST"),
        "{}",
        run.stderr
    );
}

#[test]
fn everything_else_that_is_not_renewed_is_what_it_is() {
    let place = node();
    let run = scheduled(&place, EXPIRED).status(5);
    assert!(run.stderr.contains("error: k8s: apiserver was not renewed: "), "{}", run.stderr);
    // A key that is not the certificate's, inside the window and outside.
    for at in [NOW, LATE] {
        let place = node();
        fs::copy(place.path("k8s/pki/sa.key"), place.path("k8s/pki/apiserver.key")).unwrap();
        let run = scheduled(&place, at).status(5);
        assert!(run.stderr.contains("error: k8s: apiserver was not renewed: "), "{}", run.stderr);
        assert_eq!(run.stderr.contains("renew on ops1"), at == LATE, "{}", run.stderr);
    }
    // A named entry is a wish, and not done.
    let place = node();
    renew_at(&place, LATE, &["apiserver", "--safe-host", "ops1"]).status(5);
}
