use super::*;
use crate::profile::{Overrides, Profile, Source, load};
use std::os::unix::fs::symlink;

fn profile(text: &str) -> Profile {
    let machine = Overrides { hostname: Some("cp1".into()), ..Overrides::default() };
    load(Source { name: "p", bytes: text.as_bytes() }, &machine).unwrap().profile
}

#[test]
fn every_fixture_says_what_kubeadm_said_of_it() {
    let mut compared = 0;
    for name in std::fs::read_dir(KUBEADM).unwrap().map(|entry| entry.unwrap().file_name()) {
        let name = name.to_str().unwrap();
        let Ok(said) = std::fs::read(fixture(name).join("check-expiration.json")) else { continue };
        let said: serde_json::Value = serde_json::from_slice(&said).unwrap();
        let tree = node(&fixture(name).join("etc-kubernetes"));
        for list in ["certificates", "certificateAuthorities"] {
            for row in said[list].as_array().unwrap() {
                let item = item(&tree, row["name"].as_str().unwrap());
                let missing = row["missing"].as_bool().unwrap();
                assert_eq!(item.reading == Reading::Missing, missing, "{name} {}", item.name);
                assert_eq!(Some(item.externally_managed), row["externallyManaged"].as_bool(), "{name} {}", item.name);
                if missing {
                    assert!(item.optional, "{name} {}", item.name);
                    continue;
                }
                let end = crate::clock::rfc3339(facts(item).not_after);
                assert_eq!(row["expirationDate"].as_str(), Some(end.as_str()), "{name} {}", item.name);
                if let Some(authority) = row.get("caName").and_then(|name| name.as_str()) {
                    assert_eq!(item.authority.map(CaId::name), Some(authority), "{name} {}", item.name);
                    assert!(facts(item).issuer_not_after.is_some(), "{name} {}", item.name);
                }
                compared += 1;
            }
        }
    }
    assert!(compared >= 90, "{compared}");
}

#[test]
fn a_whole_tree_has_exactly_the_catalogues_items() {
    let tree = node(&fixture("v1.36-default-rsa2048/etc-kubernetes"));
    let wanted = [
        "ca",
        "apiserver",
        "apiserver-kubelet-client",
        "front-proxy-ca",
        "front-proxy-client",
        "etcd-ca",
        "etcd-server",
        "etcd-peer",
        "etcd-healthcheck-client",
        "apiserver-etcd-client",
        "admin.conf",
        "super-admin.conf",
        "kubelet.conf",
        "controller-manager.conf",
        "scheduler.conf",
    ];
    assert_eq!(names(&tree), wanted);
    assert_eq!(tree.node.as_deref(), Some("cp1"));
    for item in &tree.items {
        assert_eq!((item.position, item.optional), (0, item.name == "super-admin.conf"), "{}", item.name);
        let wanted = if item.name.ends_with("ca") { Kind::Authority } else { Kind::Certificate };
        let wanted = if item.name.ends_with(".conf") { Kind::Kubeconfig } else { wanted };
        assert_eq!((item.kind, facts(item).is_ca), (wanted, wanted == Kind::Authority), "{}", item.name);
    }
    let old = node(&fixture("v1.20-rsa2048/etc-kubernetes"));
    assert_eq!(facts(item(&old, "ca")).serial, "00");
    assert_eq!(facts(item(&old, "ca")).serial_decimal, "0");
    assert!(item(&old, "super-admin.conf").optional);
}

#[test]
fn an_external_etcd_and_a_worker_lack_nothing() {
    let tree = node(&fixture("v1.36-external-etcd-rsa3072/etc-kubernetes"));
    let missing: Vec<_> = tree.items.iter().filter(|item| item.reading == Reading::Missing).collect();
    assert_eq!(missing.len(), 5);
    assert!(missing.iter().all(|item| item.optional));
    let worker = tempfile::tempdir().unwrap();
    std::fs::create_dir(worker.path().join("pki")).unwrap();
    let from = fixture("v1.36-default-rsa2048/etc-kubernetes");
    for name in ["pki/ca.crt", "kubelet.conf"] {
        std::fs::copy(from.join(name), worker.path().join(name)).unwrap();
    }
    let tree = node(worker.path());
    let required: Vec<_> = tree.items.iter().filter(|item| !item.optional).map(|item| item.name.as_str()).collect();
    assert_eq!(required, ["ca", "kubelet.conf"]);
    assert!(item(&tree, "kubelet.conf").externally_managed);
}

#[test]
fn a_key_is_known_by_its_name_alone() {
    let dir = copy("v1.36-default-rsa2048");
    let key = dir.path().join("pki/ca.key");
    std::fs::remove_file(&key).unwrap();
    assert!(item(&node(dir.path()), "apiserver").externally_managed);
    assert!(item(&node(dir.path()), "ca").externally_managed);
    assert!(!item(&node(dir.path()), "etcd-server").externally_managed);
    // Not a key at all, and nothing that could be opened.
    std::os::unix::net::UnixListener::bind(&key).unwrap();
    assert!(!item(&node(dir.path()), "apiserver").externally_managed);
}

#[test]
fn missing_is_missing_and_nothing_else() {
    let dir = copy("v1.36-default-rsa2048");
    std::fs::remove_file(dir.path().join("pki/apiserver.crt")).unwrap();
    std::fs::remove_file(dir.path().join("scheduler.conf")).unwrap();
    std::fs::remove_dir_all(dir.path().join("pki/etcd")).unwrap();
    let tree = node(dir.path());
    for (name, optional) in [("apiserver", false), ("scheduler.conf", false), ("etcd-server", true)] {
        let item = item(&tree, name);
        assert_eq!((&item.reading, item.optional), (&Reading::Missing, optional), "{name}");
        assert!(!item.externally_managed);
    }
    let nothing = node(&dir.path().join("nothing"));
    assert_eq!(nothing.items.len(), 15);
    assert!(nothing.items.iter().all(|item| item.reading == Reading::Missing));
}

#[test]
fn a_profile_says_what_is_expected() {
    let text = "apiVersion: kpki/v1\nkind: ClusterProfile\nclusterName: prod\nnodes:\n- name: cp1\n  addresses: [10.0.0.11]\n\
                - name: cp2\n  addresses: [10.0.0.12]\nextraCertificates:\n- name: metrics\n  usages: [client]\n  authority: front-proxy-ca\n";
    let profile = profile(text);
    let dir = copy("v1.36-default-rsa2048");
    std::fs::remove_file(dir.path().join("super-admin.conf")).unwrap();
    let read = |name: &str| tree(&Request::node(dir.path(), Some(&profile), Some(name)));
    let first = read("cp1");
    assert_eq!((first.cluster.as_deref(), first.node.as_deref()), (Some("prod"), Some("cp1")));
    // Who removed super-admin.conf meant to.
    for (name, optional) in [("super-admin.conf", true), ("metrics", false), ("kubelet-serving", false)] {
        let item = item(&first, name);
        assert_eq!((&item.reading, item.optional), (&Reading::Missing, optional), "{name}");
    }
    assert_eq!(item(&first, "metrics").authority, Some(CaId::FrontProxy));
    assert!(item(&read("cp2"), "super-admin.conf").optional);
}

/// kubeadm's guide for an external etcd: pki/etcd and apiserver-etcd-client, and no cluster CA.
#[test]
fn a_host_that_only_runs_etcd_needs_no_cluster_authority() {
    let dir = copy("v1.36-default-rsa2048");
    for entry in std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_file() {
            std::fs::remove_file(entry).unwrap();
        }
    }
    let kubelet = bytes("v1.36-default-rsa2048/etc-kubernetes/kubelet.conf");
    for entry in std::fs::read_dir(dir.path().join("pki")).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_file() && !entry.file_name().unwrap().to_str().unwrap().starts_with("apiserver-etcd-client") {
            std::fs::remove_file(entry).unwrap();
        }
    }
    assert!(item(&node(dir.path()), "ca").optional);
    // A kubelet that joined the cluster trusts its authority.
    std::fs::write(dir.path().join("kubelet.conf"), kubelet).unwrap();
    assert!(!item(&node(dir.path()), "ca").optional);
}

/// Certificates beside kubeconfigs are another tool's layout, such as that of k0s: what is in it is read, nothing is missed.
#[test]
fn a_directory_of_another_layout_is_walked() {
    let dir = copy("v1.36-default-rsa2048");
    std::fs::rename(dir.path().join("admin.conf"), dir.path().join("pki/admin.conf")).unwrap();
    let found = requests(&dir.path().join("pki"), None, 2).unwrap();
    assert_eq!(found.iter().map(|request| request.form).collect::<Vec<_>>(), [Form::Directory]);
    let tree = tree(&found[0]);
    assert!(tree.items.iter().all(|item| matches!(item.reading, Reading::Certificate(_))), "{:?}", names(&tree));
    assert!(names(&tree).contains(&"apiserver.crt") && names(&tree).contains(&"etcd/server.crt"));
    // A tree that has lost its pki directory is still a node's.
    std::fs::remove_dir_all(dir.path().join("pki")).unwrap();
    assert_eq!(requests(dir.path(), None, 2).unwrap()[0].form, Form::Node);
}

#[test]
fn a_cluster_directory_is_its_shared_part_and_its_nodes() {
    let dir = tempfile::tempdir().unwrap();
    copy_to("v1.36-ha-ecdsa-cp1", dir.path());
    for name in ["cp2", "cp1"] {
        let node = dir.path().join("nodes").join(name);
        std::fs::create_dir_all(&node).unwrap();
        copy_to("v1.36-ha-ecdsa-cp1", &node);
        std::fs::remove_file(node.join("pki/ca.key")).unwrap();
    }
    let found = requests(dir.path(), None, 2).unwrap();
    let shape: Vec<_> = found.iter().map(|request| (request.form, request.node.as_deref())).collect();
    assert_eq!(shape, [(Form::Shared, None), (Form::Node, Some("cp1")), (Form::Node, Some("cp2"))]);
    let trees = all(&found, 2, &mut |_, _| (), |_, tree| Some(tree)).unwrap();
    assert_eq!(names(&trees[0]), ["ca", "front-proxy-ca", "etcd-ca"]);
    // The key of the authority is in the cluster directory.
    assert!(!item(&trees[1], "apiserver").externally_managed);
}

#[test]
fn the_kubelets_own_files_are_found_where_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("etc/kubernetes");
    let pki = dir.path().join("var/lib/kubelet/pki");
    std::fs::create_dir_all(&root).unwrap();
    std::fs::create_dir_all(&pki).unwrap();
    copy_to("v1.36-default-rsa2048", &root);
    let text = String::from_utf8(bytes("v1.36-default-rsa2048/etc-kubernetes/kubelet.conf")).unwrap();
    let (before, _) = text.split_once("    client-certificate-data").unwrap();
    let current = "/var/lib/kubelet/pki/kubelet-client-current.pem";
    let conf = format!("{before}    client-certificate: {current}\n    client-key: {current}\n");
    std::fs::write(root.join("kubelet.conf"), &conf).unwrap();
    let tree = node(&root);
    assert_eq!(item(&tree, "kubelet.conf").reading, Reading::Missing);
    let mut both = bytes("v1.36-default-rsa2048/etc-kubernetes/pki/apiserver.crt");
    both.extend(bytes("v1.36-default-rsa2048/etc-kubernetes/pki/apiserver.key"));
    std::fs::write(pki.join("kubelet-client-2026.pem"), &both).unwrap();
    symlink("kubelet-client-2026.pem", pki.join("kubelet-client-current.pem")).unwrap();
    std::fs::write(pki.join("kubelet.crt"), bytes("v1.36-default-rsa2048/etc-kubernetes/pki/etcd/ca.crt")).unwrap();
    let tree = node(&root);
    let kubelet = item(&tree, "kubelet.conf");
    assert_eq!(facts(kubelet).subject, "CN=kube-apiserver");
    assert_eq!(kubelet.path, pki.join("kubelet-client-current.pem").display().to_string());
    assert!(item(&tree, "kubelet-serving").optional);
    assert!(!facts(kubelet).kubelet_embeds_another);
    // Whatever kubelet.conf embeds, the kubelet uses its own.
    std::fs::write(root.join("kubelet.conf"), &text).unwrap();
    let kubelet = node(&root);
    let kubelet = item(&kubelet, "kubelet.conf");
    assert_eq!((facts(kubelet).subject.as_str(), facts(kubelet).kubelet_embeds_another), ("CN=kube-apiserver", true));
    assert_eq!(kubelet.path, pki.join("kubelet-client-current.pem").display().to_string());
    std::fs::write(root.join("kubelet.conf"), &conf).unwrap();
    // Elsewhere it is taken from where a person says it is, or it is no finding.
    let request = Request { kubelet_dir: Some(pki), ..Request::node(&root, None, None) };
    assert!(matches!(item(&super::tree(&request), "kubelet.conf").reading, Reading::Certificate(_)));
    std::fs::rename(&root, dir.path().join("copy")).unwrap();
    let tree = node(&dir.path().join("copy"));
    let kubelet = item(&tree, "kubelet.conf");
    assert_eq!((&kubelet.reading, kubelet.optional), (&Reading::Missing, true));
}
