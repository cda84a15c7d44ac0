//! Over every tree real kubeadm made: what has to stay stays, and the rest is as kubeadm would have renewed it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use super::super::facts::{self, Certificate, File, Kubeconfig};
use super::super::harness::{Place, repository};
use super::{copy_fixture, fixture, renew, report, visible};

type Facts = BTreeMap<String, (u32, File)>;

/// Folder, and how many certificates it has.
const FOLDERS: &[(&str, u64)] = &[
    ("v1.20-rsa2048", 11),
    ("v1.36-default-rsa2048", 12),
    ("v1.36-dualstack-p384", 12),
    ("v1.36-expired", 12),
    ("v1.36-external-etcd-rsa3072", 8),
    ("v1.36-ha-ecdsa-cp1", 12),
    ("v1.36-ha-ecdsa-cp2", 11),
    ("v1.36-renewed", 12),
];

/// What nobody renews: authorities and the service account's keys.
fn is_fixed(name: &str) -> bool {
    ["ca.crt", "ca.key", "sa.key", "sa.pub"].iter().any(|end| name.ends_with(end))
}

#[test]
fn a_renewal_keeps_everything_it_must() {
    for (folder, count) in FOLDERS {
        let place = fixture(folder);
        let (bytes, before) = (visible(&place), facts::read(&place.path("k8s")));
        let run = renew(&place, &["all", "-o", "json"]);
        // What lived for a second lives for a year, and that is said.
        let run = if *folder == "v1.36-expired" { run.warns() } else { run.ok() };
        assert_eq!(run.json()["trees"][0]["outcome"], "renewed", "{folder}");
        let (renewed, after) = (visible(&place), facts::read(&place.path("k8s")));
        assert_eq!(bytes.keys().collect::<Vec<_>>(), renewed.keys().collect::<Vec<_>>(), "{folder}: files");
        let mut leaves = 0;
        for (name, (mode, content)) in &bytes {
            let at = format!("{folder}: {name}");
            assert_eq!(*mode, renewed[name].0, "{at}: mode");
            if name.ends_with('/') {
                continue;
            }
            if is_fixed(name) {
                assert!(*content == renewed[name].1, "{at}: changed");
                continue;
            }
            assert!(*content != renewed[name].1, "{at}: not renewed");
            leaves += u64::from(!name.ends_with(".key"));
            same(&at, folder, &before[name].1, &after[name].1);
        }
        assert_eq!(leaves, *count, "{folder}");
        shapes(folder, &bytes, &renewed);
    }
}

fn same(at: &str, folder: &str, old: &File, new: &File) {
    match (old, new) {
        (File::Certificates(old), File::Certificates(new)) => {
            assert_eq!((old.len(), new.len()), (1, 1), "{at}");
            certificate(at, folder, &old[0], &new[0]);
        }
        (File::Key(..), File::Key(..)) => assert_eq!(old, new, "{at}: kind and container"),
        (File::Kubeconfig(old), File::Kubeconfig(new)) => {
            assert_eq!((&old.shape, &old.key, &old.authority), (&new.shape, &new.key, &new.authority), "{at}");
            certificate(at, folder, &old.client[0], &new.client[0]);
        }
        other => panic!("{at}: {other:?}"),
    }
}

fn certificate(at: &str, folder: &str, old: &Certificate, new: &Certificate) {
    assert_eq!((&old.subject, &old.issuer), (&new.subject, &new.issuer), "{at}");
    assert_eq!((&old.sans, &old.extended_key_usages), (&new.sans, &new.extended_key_usages), "{at}");
    assert_eq!((&old.key, &old.key_usage), (&new.key, &new.key_usage), "{at}");
    assert_eq!((new.is_ca, &new.signature), (false, &old.signature), "{at}");
    assert_eq!(old.authority_key_id, new.authority_key_id, "{at}");
    let lifetime = |one: &Certificate| one.not_after - one.not_before;
    let wanted = if folder == "v1.36-expired" { 365 * 86_400 + 300 } else { lifetime(old) };
    assert_eq!(lifetime(new), wanted, "{at}: lifetime");
    assert!(new.not_before > old.not_before || folder == "v1.36-expired", "{at}");
    assert!((64..=127).contains(&new.serial_bits) && !new.negative_serial, "{at}");
    // basicConstraints (2.5.29.19) and subjectKeyIdentifier (2.5.29.14) are what kubeadm's leaves may lack.
    let known = |one: &Certificate| -> BTreeSet<String> {
        one.extensions.iter().filter(|oid| !["2.5.29.19!", "2.5.29.14"].contains(&oid.as_str())).cloned().collect()
    };
    assert_eq!(known(old), known(new), "{at}: extensions");
}

/// In a kubeconfig every byte but those of certificate and key stays.
fn shapes(folder: &str, old: &BTreeMap<String, (u32, Vec<u8>)>, new: &BTreeMap<String, (u32, Vec<u8>)>) {
    let rest = |bytes: &[u8]| -> Vec<String> {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let other = |line: &&str| !line.contains("client-certificate-data:") && !line.contains("client-key-data:");
        text.split_inclusive('\n').filter(other).map(str::to_owned).collect()
    };
    for (name, (_, bytes)) in old.iter().filter(|(name, _)| name.ends_with(".conf")) {
        assert_eq!(rest(bytes), rest(&new[name].1), "{folder}: {name}");
    }
}

#[test]
fn kinds_and_organizations_of_old_trees_stay() {
    for (folder, kind, container, organization) in [
        ("v1.20-rsa2048", "RSA-2048", "RSA PRIVATE KEY", "system:masters"),
        ("v1.36-default-rsa2048", "RSA-2048", "RSA PRIVATE KEY", "kubeadm:cluster-admins"),
        ("v1.36-external-etcd-rsa3072", "RSA-3072", "RSA PRIVATE KEY", "kubeadm:cluster-admins"),
        ("v1.36-dualstack-p384", "EC-384", "EC PRIVATE KEY", "kubeadm:cluster-admins"),
        ("v1.36-ha-ecdsa-cp1", "EC-256", "EC PRIVATE KEY", "kubeadm:cluster-admins"),
    ] {
        let place = fixture(folder);
        renew(&place, &["all"]).ok();
        let facts = facts::read(&place.path("k8s"));
        let File::Key(label, found) = &facts["pki/apiserver.key"].1 else { panic!() };
        assert_eq!((label.as_str(), found.as_str()), (container, kind), "{folder}");
        let File::Kubeconfig(Kubeconfig { client, .. }) = &facts["admin.conf"].1 else { panic!() };
        assert!(client[0].subject.iter().flatten().any(|(_, _, text)| text == organization), "{folder}: {client:?}");
    }
}

/// The same tree, renewed by kubeadm 1.36.2 and by us: differences are those of the list, and no others.
#[test]
fn as_kubeadm_renews_but_for_the_listed_differences() {
    let place = fixture("v1.36-ha-ecdsa-cp1");
    renew(&place, &["all"]).ok();
    let ours: Facts = facts::read(&place.path("k8s"));
    let theirs: Facts = facts::read(&repository("fixtures/kubeadm/v1.36-renewed/etc-kubernetes"));
    assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
    let mut found = BTreeSet::new();
    for (name, (_, theirs)) in &theirs {
        let (a, b) = match (theirs, &ours[name].1) {
            (File::Certificates(a), File::Certificates(b)) => (&a[0], &b[0]),
            (File::Kubeconfig(a), File::Kubeconfig(b)) => {
                assert_eq!((&a.shape, &a.key, &a.authority), (&b.shape, &b.key, &b.authority), "{name}");
                (&a.client[0], &b.client[0])
            }
            (a, b) => {
                assert_eq!(a, b, "{name}");
                continue;
            }
        };
        if is_fixed(name) {
            assert_eq!(a, b, "{name}");
            continue;
        }
        assert_eq!((&a.subject, &a.issuer, &a.sans), (&b.subject, &b.issuer, &b.sans), "{name}");
        assert_eq!((&a.key, &a.signature), (&b.key, &b.signature), "{name}");
        assert_eq!((&a.extended_key_usages, a.is_ca), (&b.extended_key_usages, b.is_ca), "{name}");
        let mut usage = a.key_usage.clone();
        if usage != b.key_usage {
            usage.remove("keyEncipherment");
            found.insert("ec-key-encipherment");
        }
        assert_eq!(usage, b.key_usage, "{name}");
        if a.subject_key_id.is_none() && b.subject_key_id.is_some() {
            found.insert("leaf-ski");
        }
        if a.serial_bits < 64 && b.serial_bits >= 64 {
            found.insert("serial");
        }
        let lifetime = |one: &Certificate| one.not_after - one.not_before;
        if lifetime(a) != lifetime(b) {
            assert!(name.ends_with(".conf") && lifetime(a).abs_diff(lifetime(b)) < 60, "{name}");
            found.insert("kubeconfig-not-before");
        }
    }
    let listed: BTreeSet<&str> = kpki::catalog::differences::DIFFERENCES.iter().map(|one| one.id).collect();
    assert!(found.is_subset(&listed) && found.contains("serial") && found.contains("leaf-ski"), "{found:?}");
}

/// kubeadm's tree fits its own configuration: nothing is due because a name would be missing or too many.
#[test]
fn kubeadms_own_configuration_makes_nothing_due() {
    for (folder, _) in FOLDERS.iter().filter(|(folder, _)| *folder != "v1.36-expired") {
        let place = fixture(folder);
        let before = super::tree(&place.path("k8s"));
        let config = super::super::harness::text(&format!("fixtures/kubeadm/{folder}/kubeadm.yaml"));
        for more in [&[][..], &["--prune-sans"]] {
            let words = [&["all", "--due", "--detailed-exitcode", "--config", &config], more].concat();
            let run = renew(&place, &words).ok();
            assert!(!run.stderr.contains("--prune-sans"), "{folder}: {}", run.stderr);
        }
        assert_eq!(before, super::tree(&place.path("k8s")), "{folder}");
        // Named one by one it keeps everything as well.
        let run = renew(&place, &["all", "--dry-run", "--config", &config, "-o", "json"]).ok().json();
        for entry in run["trees"][0]["entries"].as_array().unwrap().iter().filter(|one| one["action"] == "renew") {
            for field in ["algorithm", "subject", "sans", "usages"] {
                assert_eq!(entry["old"][field], entry["new"][field], "{folder}: {}", entry["name"]);
            }
        }
    }
}

#[test]
fn an_expired_tree_is_renewed() {
    let place = fixture("v1.36-expired");
    let run = renew(&place, &["all"]).warns();
    let said = "apiserver and 11 more: a lifetime of 1s is too short to be repeated; 365d is used";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    assert_eq!(run.stdout.matches("expired at 2026-11-20T21:06:30Z").count(), 12, "{}", run.stdout);
}

#[test]
fn of_an_external_authority_the_others_go_on() {
    let place = fixture("v1.36-external-ca");
    let before = visible(&place);
    let run = renew(&place, &["all", "-o", "json"]).status(5);
    let report = run.json();
    assert_eq!(report["outcome"], "left");
    let actions = super::actions(&report["trees"][0]);
    let renewed = super::with(&actions, "renew");
    let others = ["apiserver-etcd-client", "etcd-healthcheck-client", "etcd-peer", "etcd-server", "front-proxy-client"];
    assert_eq!(renewed, others);
    assert_eq!(super::with(&actions, "left").len(), 7);
    for entry in report["trees"][0]["entries"].as_array().unwrap().iter().filter(|one| one["action"] == "left") {
        let why = entry["reasons"][0].as_str().unwrap();
        assert!(why.starts_with("its authority is external; have k8s/.kpki/requests/"), "{why}");
        let request = why.split(' ').find(|word| word.ends_with(".csr")).unwrap();
        assert!(place.path(request).is_file() && why.ends_with("kpki import CERT --dir k8s"), "{why}");
    }
    let after = visible(&place);
    for name in ["pki/apiserver.crt", "pki/apiserver.key", "admin.conf", "kubelet.conf"] {
        assert_eq!(before[name], after[name], "{name}");
    }
    // Nothing is due: nothing was left either.
    let due = fixture("v1.36-external-ca");
    renew(&due, &["all", "--due"]).ok();
    // Detailed exit statuses do not hide it.
    renew(&due, &["all", "--detailed-exitcode"]).status(5);
}

#[test]
fn a_bundle_in_ca_crt_goes_into_every_kubeconfig() {
    let place = fixture("v1.36-ha-ecdsa-cp1");
    let next = fs::read_to_string(repository("fixtures/kubeadm/v1.20-rsa2048/etc-kubernetes/pki/ca.crt")).unwrap();
    let bundle = place.read("k8s/pki/ca.crt") + &next;
    place.write("k8s/pki/ca.crt", &bundle);
    // A scheduled run: the kubeconfigs are due because they do not follow ca.crt, and nothing else is.
    let tree = report(&place, &["all", "--due"]);
    let actions = super::actions(&tree);
    let renewed = super::with(&actions, "renew");
    assert_eq!(renewed.len(), 5, "{actions:?}");
    assert!(renewed.iter().all(|name| name.ends_with(".conf")));
    for (name, (_, file)) in facts::read(&place.path("k8s")) {
        if let File::Kubeconfig(conf) = file {
            assert_eq!(conf.authority.len(), 2, "{name}");
        }
    }
    assert_eq!(place.read("k8s/pki/ca.crt"), bundle);
    renew(&place, &["all", "--due", "--detailed-exitcode"]).ok();
}

#[test]
fn other_people_s_lines_in_a_kubeconfig_stay() {
    let place = fixture("v1.36-ha-ecdsa-cp1");
    let own = place.read("k8s/admin.conf");
    let user = "users:\n";
    let other = "# mine\nusers:\n- name: me   # and mine\n  user: {token: abc}\n";
    let text = own.replacen(user, other, 1) + "# the end, without a line end";
    place.write("k8s/admin.conf", &text);
    renew(&place, &["admin.conf"]).ok();
    let new = place.read("k8s/admin.conf");
    let lines = |text: &str| -> Vec<String> {
        text.split('\n').filter(|line| !line.contains("client-")).map(str::to_owned).collect()
    };
    assert_eq!(lines(&text), lines(&new));
    assert!(text != new);
}

#[test]
fn a_kubelet_that_rotates_for_itself_is_left_alone() {
    let place = fixture("v1.36-default-rsa2048");
    let text: String = place
        .read("k8s/kubelet.conf")
        .lines()
        .map(|line| match line.trim_start().split_once("-data: ") {
            Some(("client-certificate", _)) => {
                "    client-certificate: /var/lib/kubelet/pki/kubelet-client-current.pem\n".to_owned()
            }
            Some(("client-key", _)) => "    client-key: /var/lib/kubelet/pki/kubelet-client-current.pem\n".to_owned(),
            _ => format!("{line}\n"),
        })
        .collect();
    place.write("k8s/kubelet.conf", &text);
    let run = renew(&place, &["all"]).ok();
    let said = "it points to /var/lib/kubelet/pki/kubelet-client-current.pem, which the kubelet rotates itself";
    assert!(run.stdout.contains(said), "{}", run.stdout);
    assert_eq!(place.read("k8s/kubelet.conf"), text);
    assert!(!run.stdout.contains("restart kubelet:"), "{}", run.stdout);
}

#[test]
fn nothing_leaks_into_the_journal_or_the_report() {
    let place = Place::new();
    copy_fixture("v1.36-ha-ecdsa-cp1", &place.path("k8s"));
    let run = renew(&place, &["all", "-o", "yaml"]).ok();
    let journal = place.read("k8s/.kpki/journal.jsonl");
    for text in [run.stdout, run.stderr, journal] {
        assert!(!text.contains("PRIVATE KEY") && !text.contains("LS0tLS1CRUdJTiB"), "{text}");
    }
}
