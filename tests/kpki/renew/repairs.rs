//! What is repaired without a signature: the CA data of kubeconfigs whose credential stays, and ca-signer.crt.

use std::fs;

use super::super::harness::{NOW, Place};
use super::{made, renew_at};

const CONFS: [&str; 5] =
    ["admin.conf", "super-admin.conf", "kubelet.conf", "controller-manager.conf", "scheduler.conf"];

fn encoded(place: &Place, path: &str) -> String {
    kpki::encoding::base64::encode(place.read(path).as_bytes()).to_string()
}

/// The CA data of another authority in these kubeconfigs.
fn cut(place: &Place, confs: &[&str]) {
    let (own, other) = (encoded(place, "k8s/pki/ca.crt"), encoded(place, "k8s/pki/front-proxy-ca.crt"));
    for conf in confs {
        let text = place.read(&format!("k8s/{conf}"));
        assert!(text.contains(&own), "{conf}");
        place.write(&format!("k8s/{conf}"), text.replace(&own, &other));
    }
}

/// As `kubeadm init phase kubelet-finalize all` leaves kubelet.conf; the pair it embedded is in `file`.
fn finalized(place: &Place, named: &str, file: &str) {
    let (mut text, mut pem) = (String::new(), String::new());
    for line in place.read("k8s/kubelet.conf").lines() {
        match line.trim_start().split_once("-data: ") {
            Some((key @ ("client-certificate" | "client-key"), data)) => {
                pem += std::str::from_utf8(&kpki::encoding::base64::decode(data.as_bytes()).unwrap()).unwrap();
                text += &format!("    {key}: {named}\n");
            }
            _ => text += &format!("{line}\n"),
        }
    }
    place.write("k8s/kubelet.conf", text);
    place.write(file, pem);
}

#[test]
fn cut_ca_data_is_repaired_where_kubelet_conf_points_to_the_rotated_pair() {
    for names in [&["all", "--due"][..], &["kubelet.conf"], &["all"]] {
        let place = made("");
        finalized(&place, "/var/lib/kubelet/pki/kubelet-client-current.pem", "k8s/kubelet/kubelet-client-current.pem");
        let whole = place.read("k8s/kubelet.conf");
        cut(&place, &["kubelet.conf"]);
        let damaged = place.read("k8s/kubelet.conf");
        renew_at(&place, NOW, &[names, &["--dry-run"]].concat()).ok();
        assert_eq!(place.read("k8s/kubelet.conf"), damaged);
        let run = renew_at(&place, NOW, names).ok();
        assert!(run.stdout.contains("its certificate-authority-data was not ca.crt"), "{}", run.stdout);
        assert_eq!(place.read("k8s/kubelet.conf"), whole);
        // The old one is kept.
        let kept = place.files().into_iter().filter(|(name, _)| name.contains("generations"));
        assert!(kept.map(|(_, (_, bytes))| bytes).any(|bytes| bytes == damaged.as_bytes()), "{names:?}");
        place.kpki(&["check-expiration", "k8s", "--at", NOW]).ok();
        assert!(renew_at(&place, NOW, &["all", "--due"]).ok().stdout.starts_with("nothing was renewed"));
    }
    // Not in a form that can be edited: said, and no success.
    let place = made("");
    finalized(&place, "/var/lib/kubelet/pki/kubelet-client-current.pem", "k8s/kubelet/kubelet-client-current.pem");
    cut(&place, &["kubelet.conf"]);
    let text = place.read("k8s/kubelet.conf").replacen("- cluster:", "- cluster: &mine", 1);
    assert!(text.contains("&mine"));
    place.write("k8s/kubelet.conf", &text);
    renew_at(&place, NOW, &["all", "--due"]).status(5);
    assert_eq!(place.read("k8s/kubelet.conf"), text);
}

#[test]
fn a_kubeconfig_that_names_files_of_the_tree_is_repaired_as_well() {
    let place = made("");
    finalized(&place, "pki/kubelet.crt", "k8s/pki/kubelet.crt");
    let whole = place.read("k8s/kubelet.conf").replace("client-key: pki/kubelet.crt", "client-key: pki/kubelet.key");
    place.write("k8s/kubelet.conf", &whole);
    place.write("k8s/pki/kubelet.key", place.read("k8s/pki/kubelet.crt"));
    let (certificate, key) = place
        .read("k8s/pki/kubelet.crt")
        .split_once("-----BEGIN EC")
        .map(|(a, b)| (a.to_owned(), format!("-----BEGIN EC{b}")))
        .unwrap();
    place.write("k8s/pki/kubelet.crt", &certificate);
    place.write("k8s/pki/kubelet.key", key);
    cut(&place, &["kubelet.conf"]);
    renew_at(&place, NOW, &["all", "--due"]).ok();
    assert_eq!((place.read("k8s/kubelet.conf"), place.read("k8s/pki/kubelet.crt")), (whole, certificate));
}

#[test]
fn without_the_key_of_the_authority_ca_data_is_repaired_all_the_same() {
    for names in [&["all", "--due"][..], &["all"], &CONFS] {
        let place = made("");
        let whole = CONFS.map(|conf| place.read(&format!("k8s/{conf}")));
        fs::remove_file(place.path("k8s/pki/ca.key")).unwrap();
        cut(&place, &CONFS);
        let run = renew_at(&place, NOW, names);
        // `all` asks for the rest, which its authority has to sign.
        let run = if names == ["all"] { run.status(5) } else { run.ok() };
        assert_eq!(run.stdout.matches("was not ca.crt").count(), CONFS.len(), "{}", run.stdout);
        assert_eq!(CONFS.map(|conf| place.read(&format!("k8s/{conf}"))), whole);
        place.kpki(&["check-expiration", "k8s", "--at", NOW]).ok();
    }
}

#[test]
fn a_rotated_pair_that_is_not_well_is_no_success() {
    let place = made("");
    let current = "k8s/kubelet/kubelet-client-current.pem";
    let conf = place.read("k8s/kubelet.conf");
    for (pem, said) in
        [("nothing".to_owned(), "cannot be read"), (place.read("k8s/pki/ca.crt"), "does not hold its own key")]
    {
        place.write(current, &pem);
        let run = renew_at(&place, NOW, &["all", "--due"]).status(5);
        assert!(
            run.stdout.contains("kubelet-client-current.pem") && run.stdout.contains(said),
            "{}{}",
            run.stdout,
            run.stderr
        );
        assert_eq!(place.read("k8s/kubelet.conf"), conf);
    }
}
