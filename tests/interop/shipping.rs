//! A highly available cluster over two years, as its operators live it: a safe host with the cluster directory, three control-plane
//! nodes, a load balancer and two workers, each with a file system, a host name and processes of its own; archives that travel
//! through pipes, receipts that travel back, and a real etcd on each control-plane node.

use std::fs;
use std::path::PathBuf;

use crate::site::{Etcd, MEMBERS, Site, serial};
use crate::support::{kpki, program, run, say, write};

const FIRST: [&str; 6] = ["cp1", "cp2", "cp3", "lb1", "w1", "w2"];
const SECOND: [&str; 7] = ["cp1", "cp2", "cp4", "lb1", "w1", "w2", "w3"];

const PROFILE: &str = "\
apiVersion: kpki/v1
kind: ClusterProfile
clusterName: prod
controlPlaneEndpoint: api.example.com:8443
caKeys: none
crl: {validity: 400d}
extraCertificates:
- {name: haproxy, usages: [server], certSANs: [api.example.com], nodes: [load-balancer]}
nodes:
- {name: cp1, addresses: [127.0.0.1]}
- {name: cp2, addresses: [127.0.0.2]}
- {name: cp3, addresses: [127.0.0.3]}
- {name: lb1, roles: [load-balancer], addresses: [10.0.0.9]}
- {name: w1, roles: [worker], addresses: [10.0.0.21]}
- {name: w2, roles: [worker], addresses: [10.0.0.22]}
";

/// Every node signs what it needs.
const SIGNERS: &str = "\
apiVersion: kpki/v1
kind: ClusterProfile
clusterName: small
controlPlaneEndpoint: small.example.com:6443
caKeys: control-plane
nodes:
- {name: m1, addresses: [127.0.0.1]}
- {name: m2, addresses: [127.0.0.2]}
";

/// The first installation: everything arrives, and what runs with it is known only where processes are seen.
fn installed(site: &Site) {
    site.safe(&["crl", "update", "--at", "-299d"]).expect_ok("crl update");
    assert_eq!(site.standing("shipped"), (Some(3), vec!["never".to_owned(); 6]));
    site.ship(&FIRST);
    assert_eq!(site.standing("confirmed"), (Some(3), vec!["current".to_owned(); 6]));
    let said = site.safe(&["nodes"]).expect_code(3, "nobody sees a process").out;
    assert!(said.contains("unknown: kubelet") && said.contains("next: w1: on the node"), "{said}");
    site.restart(&FIRST);
    assert_eq!(site.standing("standing"), (Some(0), vec!["done".to_owned(); 6]));
}

/// A year later: all is renewed on the safe host, and arrives under an etcd that serves.
fn a_year_passes(site: &Site, etcd: &mut Etcd) {
    let server = |node: &str| serial(&site.node(node).join("pki/etcd/server.crt"));
    let before: Vec<_> = MEMBERS.iter().map(|(node, _)| server(node)).collect();
    let said = site.on("w1", &["check-expiration", "--at", "+40d"]).expect_code(3, "w1");
    assert!(said.out.contains("kubelet.conf"), "{said:?}");
    let said = site.writes_on("w1", &["renew", "all", "--due", "--safe-host", "safe"]).expect_ok("w1");
    assert!(said.err.contains("due, and signed by an authority whose key is not here"), "{said:?}");
    site.safe(&["renew", "all", "--due"]).expect_ok("renew");
    site.safe(&["crl", "update"]).expect_ok("crl update");
    etcd.serves(|| site.ship(&FIRST));
    for (i, (node, _)) in MEMBERS.iter().enumerate() {
        assert!(server(node) != before[i], "{node}");
        assert_eq!(etcd.shown(i), server(node), "{node}");
        etcd.put(node, &site.node(node).join("pki/apiserver-etcd-client")).expect_ok(node);
    }
    assert!(!etcd.ended(), "{}", etcd.log());
    site.restart(&FIRST);
    assert_eq!(site.standing("standing"), (Some(0), vec!["done".to_owned(); 6]));
    site.verify(&FIRST);
}

/// What is revoked on the safe host is refused on each node from when the list has come there.
fn a_client_is_revoked(site: &Site, etcd: &Etcd) {
    let client = site.node("cp2").join("pki/apiserver-etcd-client");
    site.safe(&["revoke", "cp2/apiserver-etcd-client"]).expect_ok("revoke");
    assert_eq!(site.without_list("etcd-ca"), ["cp1", "cp2", "cp3"]);
    etcd.put("cp1", &client).expect_ok("the list has not come yet");
    site.ship(&["cp1"]);
    assert!(etcd.refuses("cp1", &client), "cp1 takes what is revoked");
    etcd.put("cp2", &client).expect_ok("cp2 has no list yet");
    etcd.put("cp1", &site.node("cp3").join("pki/apiserver-etcd-client")).expect_ok("another client");
    assert_eq!(site.without_list("etcd-ca"), ["cp2", "cp3"]);
    site.ship(&["cp2", "cp3"]);
    assert_eq!(site.without_list("etcd-ca"), Vec::<String>::new());
    assert!(etcd.refuses("cp2", &client), "cp2 takes what is revoked");
    site.safe(&["renew", "cp2/apiserver-etcd-client"]).expect_ok("renew");
    site.ship(&["cp2"]);
    etcd.put("cp1", &client).expect_ok("the new one");
}

/// A control-plane node and a worker more, one is replaced, one leaves; and the load balancer gets another name.
fn nodes_come_and_go(site: &Site, etcd: &Etcd) {
    let old = site.path("client/replaced");
    for end in ["crt", "key"] {
        fs::copy(site.node("cp2").join("pki/apiserver-etcd-client").with_extension(end), old.with_extension(end))
            .unwrap();
    }
    let more = PROFILE.replace("- {name: lb1", "- {name: cp4, addresses: [127.0.0.4]}\n- {name: lb1");
    let more = site.profile(&format!("{more}- {{name: w3, roles: [worker], addresses: [10.0.0.23]}}\n"));
    let said = site.safe(&["init", "--profile", &more]).expect_code(5, "the other masters lack its name");
    assert!(said.err.contains("kpki renew all --due --profile"), "{said:?}");
    site.safe(&["renew", "all", "--due", "--profile", &more]).expect_ok("renew");
    site.safe(&["revoke", "cp2/all"]).expect_ok("revoke");
    site.safe(&["renew", "cp2/all"]).expect_ok("renew");
    fs::remove_dir_all(site.root("cp2")).unwrap();
    let cp3 = serial(&site.cluster().join("nodes/cp3/pki/etcd/peer.crt"));
    site.safe(&["nodes", "remove", "cp3", "--revoke"]).expect_ok("remove");
    let list = run(kpki().args(["crl", "show"]).arg(site.cluster().join("pki/etcd/ca.crl"))).expect_ok("show").out;
    assert!(list.contains(&cp3), "{list}");
    assert!(!site.cluster().join("nodes/cp3").exists());
    let name = fs::read_to_string(site.cluster().join(".kpki/profile.yaml")).unwrap();
    let name = site.profile(&name.replace("api.example.com", "k8s.example.com"));
    site.safe(&["renew", "all", "--due", "--prune-sans", "--profile", &name]).expect_ok("another name");
    site.ship(&SECOND);
    site.restart(&SECOND);
    assert_eq!(site.standing("standing"), (Some(0), vec!["done".to_owned(); 7]));
    site.verify(&SECOND);
    let servers = fs::read_to_string(site.node("w3").join("kubelet.conf")).unwrap();
    assert!(servers.contains("https://k8s.example.com:8443"), "{servers}");
    let names = say(
        "openssl",
        ["x509", "-noout", "-text", "-in", site.node("cp1").join("pki/apiserver.crt").to_str().unwrap()],
    );
    assert!(names.contains("cp4") && !names.contains("cp3") && !names.contains("api.example.com"), "{names}");
    assert!(etcd.refuses("cp1", &old) && etcd.refuses("cp1", &site.node("cp3").join("pki/apiserver-etcd-client")));
    etcd.put("cp1", &site.node("cp2").join("pki/apiserver-etcd-client")).expect_ok("cp2");
    etcd.put("cp1", &site.node("cp4").join("pki/apiserver-etcd-client")).expect_ok("cp4");
}

/// The safe host burns down after a revocation that is in no backup, and comes back with what its nodes know.
fn the_safe_host_is_lost(site: &Site) {
    let text = |path: &PathBuf| path.to_str().unwrap().to_owned();
    let password = text(&write(site.path("password"), "a passphrase of the test"));
    let (ours, age) = (text(&site.path("cluster.kpki")), text(&site.path("cluster.age")));
    site.safe(&["backup", "--out", &ours, "--password-file", &password]).expect_ok("backup");
    let identity = text(&site.path("identity"));
    say("age-keygen", ["-o", &identity]);
    let recipient = say("age-keygen", ["-y", &identity]);
    let kpki_path = env!("CARGO_BIN_EXE_kpki");
    let piped = "\"$0\" backup --dir \"$1\" --unencrypted --out - | age -r \"$2\" > \"$3\"";
    say("sh", ["-c", piped, kpki_path, &text(&site.cluster()), recipient.trim(), &age]);
    let verify = ["backup", "verify", &ours, "--password-file", &password];
    site.safe(&verify).expect_ok("verify");

    let gone = serial(&site.node("w2").join("../../var/lib/kubelet/pki/kubelet.crt"));
    site.safe(&["revoke", "w2/kubelet-serving"]).expect_ok("revoke");
    site.safe(&["renew", "w2/all"]).expect_ok("renew");
    site.ship(&["cp1", "w2"]);
    site.safe(&verify).expect_code(3, "the backup is older");

    fs::remove_dir_all(site.cluster()).unwrap();
    let restore = |backup: &str| vec!["backup".to_owned(), "restore".to_owned(), backup.to_owned()];
    let mut command = kpki();
    command.args(restore(&ours)).args(["--password-file", &password, "--dir"]).arg(site.cluster());
    run(&mut command).expect_ok("restore");
    let again = text(&site.path("again"));
    let piped = "age -d -i \"$1\" \"$2\" | \"$0\" backup restore - --dir \"$3\"";
    say("sh", ["-c", piped, kpki_path, &identity, &age, &again]);
    run(program("diff").args(["-r", "-x", "lock", &text(&site.cluster()), &again])).expect_ok("diff");

    let said = site.merge(&site.receipts(&SECOND)).expect_ok("merge");
    let list = run(kpki().args(["crl", "show"]).arg(site.cluster().join("pki/ca.crl"))).expect_ok("show").out;
    assert!(list.contains(&gone), "a revocation was lost: {said:?} {list}");
    let (code, standing) = site.standing("standing");
    // What the nodes told is known here now: the rest is to be made newer, and shipped.
    assert!(code == Some(3) && standing.iter().all(|one| one == "waiting"), "{standing:?}");
    let archive = text(&site.path("w2.tar.gz"));
    let said = site.safe(&["export", "w2", "--out", &archive]).expect_code(1, "older than on w2");
    assert!(said.err.contains(": kpki renew w2/"), "{said:?}");
    site.safe(&["renew", "all"]).expect_ok("renew");
    site.ship(&SECOND);
    site.restart(&SECOND);
    assert_eq!(site.standing("standing"), (Some(0), vec!["done".to_owned(); 7]));
    site.verify(&SECOND);
}

/// From the nodes alone, as directories and as archives of GNU tar, one cluster directory; it packs what is on them.
fn the_nodes_are_adopted(site: &Site) {
    let nodes: Vec<&str> = SECOND.into_iter().filter(|node| *node != "lb1").collect();
    let archive = |node: &&str| {
        let file = site.path(format!("{node}.adopt.tar.gz"));
        say("tar", ["-czf".as_ref(), file.as_os_str(), "-C".as_ref(), site.root(node).as_os_str(), ".".as_ref()]);
        file
    };
    // No file of the load balancer says its name, and its extra certificate is of no profile.
    let mut balancer = std::ffi::OsString::from("lb1=");
    balancer.push(site.root("lb1"));
    let roots: Vec<PathBuf> = nodes.iter().map(|node| site.root(node)).collect();
    for (name, given) in [("roots", roots), ("archives", nodes.iter().map(archive).collect())] {
        let dir = site.path(name);
        let said = run(kpki().arg("adopt").args(&given).arg(&balancer).arg("--dir").arg(&dir)).expect_code(5, name);
        assert!(said.out.starts_with("adopted 7 nodes of cluster prod"), "{said:?}");
        assert!(
            said.out.contains("pki/haproxy.crt: no entry of the profile") && !said.out.contains("\ndiffers:"),
            "{said:?}"
        );
        assert!(fs::read_to_string(dir.join(".kpki/profile.yaml")).unwrap().contains("roles: [load-balancer]"));
        run(kpki().arg("verify").arg("--dir").arg(&dir)).expect_ok(name);
        for node in &nodes {
            let file = site.path(format!("{name}.{node}.tar.gz"));
            run(kpki().args(["export", node, "--dir"]).arg(&dir).arg("--out").arg(&file)).expect_ok(node);
            let before = fs::read(site.node(node).join("kubelet.conf")).unwrap();
            let unpack = |words: &[&str]| site.on(node, &[&["unpack", file.to_str().unwrap()], words].concat());
            if name != "roots" {
                // The same from archives, byte for byte.
                assert!(unpack(&[]).expect_ok(node).out.starts_with("nothing to do"));
                continue;
            }
            // The journal of this directory begins anew.
            let said = unpack(&[]).expect_code(1, "of another history");
            assert!(said.err.contains("hint: in the latter case see what it would replace with"), "{said:?}");
            let said = unpack(&["--force", "--dry-run"]).expect_ok(node).out;
            let changed: Vec<&str> = said.lines().filter(|line| line.starts_with('/')).collect();
            let is_own = |line: &&str| line.contains("/kpki-node.json ") || line.contains("/.kpki/");
            assert!(!changed.is_empty() && changed.iter().all(is_own), "{said}");
            unpack(&["--force"]).expect_ok(node);
            assert_eq!(fs::read(site.node(node).join("kubelet.conf")).unwrap(), before);
            site.on(node, &["verify"]).expect_ok(node);
        }
    }
}

#[test]
fn a_cluster_lives_for_two_years() {
    let site = Site::new(PROFILE);
    installed(&site);
    let mut etcd = Etcd::start(&site);
    a_year_passes(&site, &mut etcd);
    a_client_is_revoked(&site, &etcd);
    nodes_come_and_go(&site, &etcd);
    the_safe_host_is_lost(&site);
    the_nodes_are_adopted(&site);
}

#[test]
fn nodes_that_sign_are_brought_together() {
    const BOTH: [&str; 2] = ["m1", "m2"];
    let site = Site::new(SIGNERS);
    let first = site.path("m1.first.tar.gz");
    let first = first.to_str().unwrap();
    site.safe(&["export", "m1", "--out", first]).expect_ok("export");
    site.ship(&BOTH);
    // A year later m1 renews itself, and both revoke.
    site.writes_on("m1", &["renew", "all", "--due"]).expect_ok("renew");
    let peer = |node: &str| site.node(node).join("pki/etcd/peer.crt");
    let revoked = BOTH.map(|node| serial(&peer(node)));
    for node in BOTH {
        let said = site.writes_on(node, &["revoke", "etcd-peer"]).expect_ok(node);
        assert!(said.err.contains("only the list of this node was changed"), "{said:?}");
    }
    let client = serial(&site.node("m1").join("pki/apiserver-etcd-client.crt"));
    let by_number = ["revoke", "--serial", &client, "--authority", "etcd-ca"];
    site.safe(&by_number).expect_code(1, "nobody has told the safe host");
    let receipts = site.receipts(&BOTH);
    let texts: Vec<&str> = receipts.iter().map(|path| path.to_str().unwrap()).collect();
    let said = site.safe(&["nodes", "--receipt", texts[0], "--receipt", texts[1]]).expect_code(4, "two lists");
    assert_eq!(said.out.matches("two lists of etcd-ca go apart").count(), 2, "{said:?}");
    site.merge(&receipts).expect_ok("merge");
    let said = site.safe(&by_number).expect_ok("it is known").out;
    assert!(said.contains("m1/apiserver-etcd-client"), "{said}");
    // What is older never comes back.
    let said = site.on("m1", &["unpack", first]).expect_code(1, "an older archive");
    assert!(said.err.contains("is older than what lies on m1: nothing was changed"), "{said:?}");
    let said = site.safe(&["export", "m1", "--out", site.path("m1.tar.gz").to_str().unwrap()]).expect_code(1, "older");
    assert!(said.err.contains(": kpki renew m1/"), "{said:?}");
    site.safe(&["renew", "all"]).expect_ok("renew");
    site.ship(&BOTH);
    for node in BOTH {
        let list = run(kpki().args(["crl", "show"]).arg(site.node(node).join("pki/etcd/ca.crl"))).expect_ok(node).out;
        assert!(revoked.iter().chain([&client]).all(|serial| list.contains(serial)), "{list}");
    }
    site.restart(&BOTH);
    assert_eq!(site.standing("standing"), (Some(0), vec!["done".to_owned(); 2]));
    site.verify(&BOTH);
}
