//! A kubelet that rotates its client certificate beside a kubelet.conf that embeds another: the kubelet's own is what is used.

use std::fs;
use std::os::unix::fs::symlink;

use super::super::harness::{Place, Run};
use super::{fixture, made, renew, renew_at};

/// Certificate and key of a kubeconfig in one file, as the kubelet keeps them.
fn credential(conf: &str) -> String {
    let of = |key: &str| {
        let data = conf.lines().find_map(|line| line.trim().strip_prefix(key)?.strip_prefix(": ")).unwrap();
        String::from_utf8(kpki::encoding::base64::decode(data.as_bytes()).unwrap().to_vec()).unwrap()
    };
    of("client-certificate-data") + &of("client-key-data")
}

fn check(place: &Place, at: &str) -> (Run, serde_json::Value) {
    let run = place.kpki(&["check-expiration", "k8s", "--at", at, "-o", "json"]);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let all = document["certificates"].as_array().unwrap();
    let kubelet = all.iter().find(|one| one["name"] == "kubelet.conf").unwrap().clone();
    (run, kubelet)
}

#[test]
fn what_the_kubelet_uses_is_shown_and_judged() {
    let place = made("");
    let old = place.read("k8s/kubelet.conf");
    assert_eq!(check(&place, "2028-01-01").1["state"], "expired");
    // The kubelet's own is a year younger.
    renew_at(&place, "2027-11-01", &["all"]).ok();
    let young = credential(&place.read("k8s/kubelet.conf"));
    place.write("k8s/kubelet.conf", &old);
    place.write("k8s/kubelet/kubelet-client-2027.pem", young);
    symlink("kubelet-client-2027.pem", place.path("k8s/kubelet/kubelet-client-current.pem")).unwrap();
    let (_, kubelet) = check(&place, "2028-01-01");
    assert_eq!((&kubelet["state"], &kubelet["notes"][0]["note"]), (&"ok".into(), &"kubelet-embeds-another".into()));
    assert!(kubelet["path"].as_str().unwrap().ends_with("k8s/kubelet/kubelet-client-current.pem"), "{kubelet}");
    let text = place.kpki(&["check-expiration", "k8s", "--at", "2028-01-01"]).stdout;
    assert!(text.contains("on the node: kubeadm init phase kubelet-finalize all"), "{text}");
    // Nor does anything else go by what nobody uses.
    let run = place.kpki(&["init", "--dir", "k8s", "--at", "2027-12-01"]).warns();
    assert!(run.stderr.contains("kubelet.conf embeds another certificate"), "{}", run.stderr);
    place.kpki(&["export", "--verify", "cp1", "--dir", "k8s", "--at", "2027-12-01"]).ok();
    assert_eq!(place.read("k8s/kubelet.conf"), old);
    // Its own has an end too.
    assert_eq!(check(&place, "2028-11-02").1["state"], "expired");
    // One of another authority, and none at all, are findings.
    place.write("other.yaml", super::single(""));
    place.init(&["--profile", "other.yaml", "--dir", "other"]).ok();
    place.write("k8s/kubelet/kubelet-client-2027.pem", credential(&place.read("other/kubelet.conf")));
    assert_eq!(check(&place, "2027-01-01").1["state"], "wrong-issuer");
    let text = place.kpki(&["check-expiration", "k8s", "--at", "2027-01-01"]).stdout;
    assert!(
        text.contains(
            "move it and k8s/kubelet.conf away\n    then make kubelet.conf again: kpki renew kubelet.conf --dir k8s\n"
        ),
        "{text}"
    );
    assert!(!text.contains("kubelet-finalize"), "it is not to be pointed to: {text}");
    place.write("k8s/kubelet/kubelet-client-2027.pem", "");
    assert_eq!(check(&place, "2027-01-01").1["state"], "unreadable");
    // With the key of another, and without any.
    let (own, other) = (credential(&old), credential(&place.read("other/kubelet.conf")));
    let certificate = own.split_inclusive("-----END CERTIFICATE-----\n").next().unwrap();
    let key = other.split_once("-----END CERTIFICATE-----\n").unwrap().1;
    for text in [format!("{certificate}{key}"), certificate.to_owned()] {
        place.write("k8s/kubelet/kubelet-client-2027.pem", text);
        assert_eq!(check(&place, "2027-01-01").1["state"], "key-mismatch");
    }
    // On a copy, the kubelet's absolute symlink leads to the file beside it, or it is said that there is none.
    fs::remove_file(place.path("k8s/kubelet/kubelet-client-current.pem")).unwrap();
    let node = "/var/lib/kubelet/pki/kubelet-client-2027.pem";
    symlink(node, place.path("k8s/kubelet/kubelet-client-current.pem")).unwrap();
    place.write("k8s/kubelet/kubelet-client-2027.pem", own);
    assert_eq!(check(&place, "2027-01-01").1["state"], "ok");
    fs::remove_file(place.path("k8s/kubelet/kubelet-client-2027.pem")).unwrap();
    assert_eq!(check(&place, "2027-01-01").1["state"], "unreadable");
}

#[test]
fn what_it_does_not_use_is_skipped_with_the_reason_until_its_own_has_expired() {
    let place = fixture("v1.36-default-rsa2048");
    let conf = place.read("k8s/kubelet.conf");
    fs::create_dir(place.path("k8s/kubelet")).unwrap();
    place.write("k8s/kubelet/kubelet-client-current.pem", credential(&conf));
    for names in ["all", "kubelet.conf"] {
        let run = renew(&place, &[names]).ok();
        let said = "the kubelet uses kubelet-client-current.pem, which it rotates itself, whatever this file embeds";
        assert!(run.stdout.contains(said) && run.stdout.contains("kubelet-finalize all"), "{}", run.stdout);
        assert_eq!(place.read("k8s/kubelet.conf"), conf);
        assert!(!run.stdout.contains("restart kubelet"), "{}", run.stdout);
    }
    renew_at(&place, "2030-01-01", &["kubelet.conf"]).ok();
    assert_ne!(place.read("k8s/kubelet.conf"), conf);
}
