//! What an archive of `kpki export` holds: the node's, and nothing of the safe host or of another node. And what the jobs of a
//! node that was installed from it then see.

use std::collections::BTreeSet;
use std::fs;

use kpki::blueprint::Algorithm;
use kpki::profile::{CaKeys, Command, DeployHook, ExtraAuthority, NodeRole, Overrides, Profile, Source, load, render};
use serde_json::{Value, json};

use super::export::{members, unpack, verify};
use super::harness::{NOW, Place, Run, repository};

const DAY_1: &str = "2026-11-21T00:00:00Z";
/// Certificates of a year are due, and in their warning window.
const LATER: &str = "2027-10-25T00:00:00Z";

const PROFILE: &str = "apiVersion: kpki/v1\nkind: ClusterProfile\nclusterName: prod\ncontrolPlaneEndpoint: lb.example.com\n\
    nodes:\n- {name: cp1, addresses: [10.0.0.1]}\n- {name: cp2, addresses: [10.0.0.2]}\n\
    - {name: w1, roles: [worker], addresses: [10.0.0.9], hooks: {deploy: {default: reload-w1}}}\n\
    - {name: lb1, roles: [load-balancer]}\n\
    extraCertificates:\n- {name: metrics, usages: [client], nodes: [w1]}\n\
    - {name: haproxy, usages: [server, client], certSANs: [lb.example.com], nodes: [load-balancer]}\n";

fn made(extra: &str) -> Place {
    let place = Place::new();
    place.write("p.yaml", format!("{PROFILE}{extra}"));
    place.init(&["--profile", "p.yaml", "--dir", "c"]).ok();
    place
}

fn on(place: &Place, words: &[&str]) -> Run {
    place.kpki(&[words, &["--dir", "c", "--at", DAY_1]].concat())
}

fn export(place: &Place, node: &str) -> Run {
    on(place, &["export", node, "--out", &format!("{node}.tar"), "--force"])
}

fn manifest(place: &Place, archive: &str) -> Value {
    serde_json::from_slice(&members(&place.path(archive))["etc/kubernetes/kpki-node.json"].6).unwrap()
}

fn content(place: &Place, archive: &str, path: &str) -> Option<Vec<u8>> {
    members(&place.path(archive)).get(path).map(|member| member.6.clone())
}

/// A cluster's profile with words in it that only the safe host, and words that only one node may know.
fn marked(text: &str, ca_keys: CaKeys) -> Profile {
    let source = Source { name: "p.yaml", bytes: text.as_bytes() };
    let mut profile = load(source, &Overrides::default()).unwrap().profile;
    let shell = |text: &str| Command::Shell(text.to_owned());
    profile.ca_keys = ca_keys;
    // Nothing here depends on it, and keys of RSA take long.
    profile.algorithm = Algorithm::EcdsaP256;
    profile.certificates.values_mut().for_each(|options| options.algorithm = None);
    profile.authorities.values_mut().for_each(|options| options.algorithm = None);
    profile.renewal.hooks.pre = Some(shell("safe-host-pre"));
    profile.renewal.hooks.post =
        Some(Command::Program(vec!["/safe-host/post".to_owned(), "safe-host-word".to_owned()]));
    profile.renewal.hooks.deploy.insert("etcd".to_owned(), DeployHook::Run(shell("safe-host-deploy")));
    profile.renewal.hooks.deploy.insert("default".to_owned(), DeployHook::Run(shell("safe-host-default")));
    profile.copies = vec!["/safe-host/copy".to_owned()];
    for node in &mut profile.nodes {
        let own = |what: &str| shell(&format!("node-of-{}-{what}", node.name));
        node.hooks.pre = Some(own("pre"));
        node.hooks.post = Some(own("post"));
        node.hooks.deploy.insert("kubelet".to_owned(), DeployHook::Run(own("deploy")));
    }
    // Nobody has signed those.
    profile.extra_certificates.retain(|extra| matches!(extra.authority, ExtraAuthority::InTree(_)));
    profile
}

fn profiles() -> Vec<(String, String)> {
    let mut all = Vec::new();
    for folder in ["profiles", "fixtures/profiles"] {
        for entry in fs::read_dir(repository(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|end| end == "yaml") {
                all.push((path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    all.sort();
    assert!(all.len() >= 8, "{}", all.len());
    all
}

fn has(bytes: &[u8], word: &str) -> bool {
    bytes.windows(word.len()).any(|window| window == word.as_bytes())
}

/// Lines in the middle of a key file, which nothing else contains.
fn key_line(place: &Place, file: &str) -> Option<String> {
    let text = fs::read_to_string(place.path(file)).ok()?;
    Some(text.lines().nth(2).unwrap().to_owned())
}

#[test]
fn every_archive_of_every_profile_holds_the_nodes_own_and_nothing_else() {
    let (mut archives, mut with_keys) = (0, 0);
    for ((name, text), ca_keys) in profiles().into_iter().flat_map(|one| CaKeys::ALL.map(|keys| (one.clone(), keys))) {
        let place = Place::new();
        let profile = marked(&text, ca_keys);
        place.write("p.yaml", render(&profile));
        place.kpki(&["init", "--profile", "p.yaml", "--dir", "c", "-q", "--at", NOW]).status(0);
        let keys: Vec<String> = ["ca", "front-proxy-ca", "etcd/ca"]
            .iter()
            .filter_map(|ca| key_line(&place, &format!("c/pki/{ca}.key")))
            .collect();
        assert!(keys.len() >= 2, "{name}");
        for (node, without) in profile.nodes.iter().flat_map(|node| [(node, false), (node, true)]) {
            let said = format!("{name}, {ca_keys:?}, {}, without: {without}", node.name);
            let words = ["export", &node.name, "--out", "a.tar", "--force", "-q", "--dir", "c", "--at", NOW];
            let without_keys = if without { &["--without-ca-keys"][..] } else { &[] };
            place.kpki(&[&words[..], without_keys].concat()).status(0);
            let bytes = fs::read(place.path("a.tar")).unwrap();
            assert!(!has(&bytes, "safe-host"), "{said}");
            for other in &profile.nodes {
                for what in ["pre", "post", "deploy"] {
                    let word = format!("node-of-{}-{what}", other.name);
                    assert_eq!(has(&bytes, &word), other.name == node.name, "{said}: {word}");
                }
            }
            let goes = ca_keys == CaKeys::ControlPlane && node.is(NodeRole::ControlPlane) && !without;
            for key in &keys {
                assert_eq!(has(&bytes, key), goes, "{said}");
            }
            for path in members(&place.path("a.tar")).keys() {
                let own =
                    ["etc/kubernetes/.kpki/", "etc/kubernetes/.kpki/profile.yaml", "etc/kubernetes/.kpki/state.json"];
                assert!(!path.contains(".kpki") || own.contains(&path.as_str()), "{said}: {path}");
                assert!(goes || !path.ends_with("ca.key"), "{said}: {path}");
            }
            archives += 1;
            with_keys += usize::from(goes);
        }
    }
    assert!(archives > 60 && with_keys > 8, "{archives} {with_keys}");
}

#[test]
fn the_crls_of_a_nodes_authorities_go_with_them() {
    let place = made("");
    // None yet: nothing about them, as of 0.1.0.
    export(&place, "cp1").ok();
    assert!(manifest(&place, "cp1.tar").get("lists").is_none());
    on(&place, &["revoke", "w1/metrics", "-q"]).status(0);
    on(&place, &["revoke", "cp2/etcd-peer", "-q"]).status(0);
    on(&place, &["revoke", "cp2/etcd-server", "-q"]).status(0);
    let files = |node: &str| {
        let report =
            on(&place, &["export", node, "--out", &format!("{node}.tar"), "--force", "-o", "json"]).ok().json();
        let all = report["files"].as_array().unwrap().clone();
        let lists = all.into_iter().filter(|file| file["entry"].as_str().unwrap().contains(".crl"));
        lists.map(|file| json!([file["entry"], file["path"], file["mode"]])).collect::<Vec<_>>()
    };
    let ca = json!(["ca.crl", "/etc/kubernetes/pki/ca.crl", "0644"]);
    let etcd = [
        json!(["etcd-ca.crl", "/etc/kubernetes/pki/etcd/ca.crl", "0644"]),
        json!(["etcd-ca.crl.der", "/etc/kubernetes/pki/etcd/ca.crl.der", "0644"]),
    ];
    let of_workers = [ca];
    assert_eq!(files("cp1"), [&of_workers[..], &etcd].concat());
    assert_eq!(files("w1"), of_workers);
    assert_eq!(files("lb1"), of_workers);
    for (path, file) in [
        ("etc/kubernetes/pki/ca.crl", "c/pki/ca.crl"),
        ("etc/kubernetes/pki/etcd/ca.crl", "c/pki/etcd/ca.crl"),
        ("etc/kubernetes/pki/etcd/ca.crl.der", "c/pki/etcd/ca.crl.der"),
    ] {
        assert_eq!(content(&place, "cp1.tar", path).unwrap(), fs::read(place.path(file)).unwrap(), "{path}");
    }
    let lists = manifest(&place, "cp1.tar")["lists"].clone();
    let said: Vec<Value> =
        lists.as_array().unwrap().iter().map(|one| json!([one["authority"], one["path"], one["number"]])).collect();
    assert_eq!(
        said,
        [
            json!(["ca", "/etc/kubernetes/pki/ca.crl", "1"]),
            json!(["etcd-ca", "/etc/kubernetes/pki/etcd/ca.crl", "2"]),
            json!(["etcd-ca", "/etc/kubernetes/pki/etcd/ca.crl.der", "2"]),
        ]
    );
    // One CRL in two forms.
    assert_eq!(lists[1]["fingerprint"], lists[2]["fingerprint"]);
    // A backup of the node sees that they are new.
    assert_eq!(members(&place.path("cp1.tar"))["etc/kubernetes/pki/ca.crl"].5, 1_795_219_200);
}

#[test]
fn the_newest_issue_goes_and_one_that_cannot_be_used_does_not() {
    let place = made("");
    on(&place, &["revoke", "w1/metrics", "-q"]).status(0);
    let (own, shared) = (place.path("c/nodes/w1/pki/ca.crl"), place.path("c/pki/ca.crl"));
    let first = fs::read(&own).unwrap();
    on(&place, &["crl", "update", "-q"]).status(0);
    let second = fs::read(&shared).unwrap();
    let packed = || {
        export(&place, "w1").ok();
        content(&place, "w1.tar", "etc/kubernetes/pki/ca.crl")
    };
    for (mine, everybodys) in
        [(Some(&first), Some(&second)), (Some(&second), Some(&first)), (None, Some(&second)), (Some(&second), None)]
    {
        for (path, bytes) in [(&own, mine), (&shared, everybodys)] {
            let _ = fs::remove_file(path);
            bytes.into_iter().for_each(|bytes| fs::write(path, bytes).unwrap());
        }
        assert!(packed().unwrap() == second);
    }
    fs::remove_file(&own).unwrap();
    assert_eq!(packed(), None);

    on(&place, &["revoke", "cp1/front-proxy-client", "-q"]).status(0);
    let foreign = fs::read(place.path("c/pki/front-proxy-ca.crl")).unwrap();
    for (bytes, why) in [
        (foreign, "expected the issuer"),
        (b"no CRL".to_vec(), "expected a CRL"),
        ([first.as_slice(), &second].concat(), "expected one CRL of each authority, found 2 of one"),
    ] {
        fs::write(&own, bytes).unwrap();
        let run = on(&place, &["export", "w1", "--out", "new.tar"]).fails(1);
        assert!(
            run.stderr.starts_with("error: cannot use the CRL c/nodes/w1/pki/ca.crl: nothing was written\n"),
            "{}",
            run.stderr
        );
        assert!(run.stderr.contains(why), "{why}: {}", run.stderr);
    }
    // Those of the others.
    on(&place, &["export", "lb1", "--out", "lb1.tar"]).ok();
}

#[test]
fn an_archive_says_which_state_it_was_made_from() {
    let place = made("");
    let issue = |node: &str| {
        export(&place, node).ok();
        let issue = manifest(&place, &format!("{node}.tar"))["issue"].clone();
        (issue["revision"].as_u64().unwrap(), issue["nonce"].as_str().unwrap().to_owned())
    };
    let lines = || u64::try_from(place.read("c/.kpki/journal.jsonl").lines().count()).unwrap();
    let first = issue("w1");
    assert_eq!((first.0, first.1.len()), (lines(), 64));
    assert_eq!(issue("w1"), first);
    let all: BTreeSet<String> = ["cp1", "cp2", "w1", "lb1"].map(|node| issue(node).1).into();
    assert_eq!(all.len(), 4);
    // Another certificate, another CRL, another word in the node's profile.
    let mut seen = BTreeSet::from([first.1.clone()]);
    on(&place, &["renew", "w1/metrics", "-q"]).status(0);
    let renewed = issue("w1");
    assert!(renewed.0 == lines() && renewed.0 > first.0 && seen.insert(renewed.1));
    on(&place, &["revoke", "cp2/admin.conf", "-q"]).status(0);
    let revoked = issue("w1");
    assert!(revoked.0 > renewed.0 && seen.insert(revoked.1));
    place.write("p.yaml", format!("{PROFILE}crl: {{validity: 9d}}\n"));
    on(&place, &["init", "--profile", "p.yaml", "-q"]).status(0);
    let changed = issue("w1");
    assert!(changed.0 > revoked.0 && seen.insert(changed.1));
    // What is not the node's changes nothing in its archive.
    place.write("p.yaml", format!("{PROFILE}crl: {{validity: 9d}}\nrenewal: {{hooks: {{post: true}}}}\n"));
    on(&place, &["init", "--profile", "p.yaml", "-q"]).status(0);
    assert!(!seen.insert(issue("w1").1));
}

/// The words that reach the node are its renewal.hooks, and it knows whose tree it is.
#[test]
fn the_jobs_of_a_node_see_what_it_has() {
    for (keys, signs) in [("control-plane", true), ("none", false)] {
        let place = made(&format!("caKeys: {keys}\n"));
        for (node, all, own) in [("cp1", 13, "apiserver"), ("w1", 3, "metrics"), ("lb1", 1, "haproxy")] {
            export(&place, node).ok();
            unpack(&place.path(&format!("{node}.tar")), &place.path(node));
            let dir = format!("{node}/etc/kubernetes");
            let profile = place.read(&format!("{dir}/.kpki/profile.yaml"));
            assert!(profile.starts_with(&format!("# Made by kpki export for {node}. ")), "{profile}");
            assert_eq!(profile.contains("reload-w1"), node == "w1", "{profile}");
            verify(&place, &dir, &[node]).ok();
            let kubelet = format!("{node}/var/lib/kubelet/pki");
            let job =
                |words: &[&str], at: &str| place.kpki(&[words, &["--kubelet-dir", &kubelet, "--at", at]].concat());
            let check = |at: &str| job(&["check-expiration", &dir, "-o", "json"], at);
            // Nothing is missing, nothing is ignored.
            assert_eq!(check(DAY_1).ok().json()["verdict"]["state"], "ok", "{node}");
            place.kpki(&["verify", &dir, "--at", DAY_1]).ok();
            job(&["renew", "all", "--due", "--dir", &dir], DAY_1).ok();
            let report = check(LATER).status(3).json();
            let rows = report["certificates"].as_array().unwrap();
            let due: Vec<&str> =
                rows.iter().filter(|row| row["state"] == "warning").map(|row| row["name"].as_str().unwrap()).collect();
            assert!(due.contains(&own) && due.len() == all, "{node}: {due:?}");
            let renew = ["renew", "all", "--due", "--safe-host", "ops1", "--dir", &dir];
            let run = job(&[&renew[..], &["--dry-run"]].concat(), LATER).status(0);
            if signs && node == "cp1" {
                assert!(
                    run.stdout.contains("apiserver") && !run.stderr.contains("ops1"),
                    "{}{}",
                    run.stdout,
                    run.stderr
                );
                continue;
            }
            // The host that can.
            let (said, rest) = run
                .stderr
                .split_once("Until then renew on ops1, and bring the files here: kpki renew all --due")
                .unwrap_or_else(|| panic!("{}", run.stderr));
            assert!(said.contains(own) && rest.contains("kpki export"), "{}", run.stderr);
        }
    }
}

#[test]
fn a_node_renews_with_its_own_hooks_and_nobody_elses() {
    let place = Place::new();
    let log = place.path("log").display().to_string();
    let hooks = |what: &str| format!("{{pre: 'echo {what}-pre >> {log}', post: 'echo {what}-post >> {log}'}}");
    let (safe, own) = (hooks("safe"), hooks("own"));
    place.write(
        "p.yaml",
        format!(
            "apiVersion: kpki/v1\nkind: ClusterProfile\ncontrolPlaneEndpoint: lb.example.com\nrenewal: {{hooks: {safe}}}\nnodes:\n\
             - {{name: cp1, addresses: [10.0.0.1], hooks: {own}}}\n- {{name: cp2, addresses: [10.0.0.2]}}\n"
        ),
    );
    place.init(&["--profile", "p.yaml", "--dir", "c"]).ok();
    // Here only this host's run.
    on(&place, &["renew", "cp1/admin.conf", "-q"]).status(0);
    let log = place.read("log");
    assert!(log.contains("safe-pre") && !log.contains("own"), "{log}");
    fs::remove_file(place.path("log")).unwrap();
    for node in ["cp1", "cp2"] {
        export(&place, node).ok();
        unpack(&place.path(&format!("{node}.tar")), &place.path(node));
        let dir = format!("{node}/etc/kubernetes");
        place.kpki(&["renew", "admin.conf", "-q", "--dir", &dir, "--at", DAY_1]).status(0);
    }
    assert_eq!(place.read("log"), "own-pre\nown-post\n");
    // The next archive has the next profile, and takes nothing else of the node's own.
    let own = || {
        let mut own = super::harness::tree(&place.path("cp1/etc/kubernetes/.kpki"));
        own.retain(|name, _| name != "lock");
        let profile = own.remove("profile.yaml").unwrap().1;
        (own, String::from_utf8(profile).unwrap())
    };
    let (before, first) = own();
    assert!(before.contains_key("journal.jsonl") && before.keys().any(|name| name.starts_with("generations/")));
    let text = place.read("p.yaml").replace("own-post", "next-post");
    place.write("p.yaml", text);
    on(&place, &["init", "--profile", "p.yaml", "-q"]).status(0);
    export(&place, "cp1").ok();
    unpack(&place.path("cp1.tar"), &place.path("cp1"));
    let (after, next) = own();
    assert_eq!(after, before);
    assert_eq!(next, first.replace("own-post", "next-post"));
    place.kpki(&["history", "--dir", "cp1/etc/kubernetes"]).ok();
}

#[test]
fn a_load_balancer_holds_the_cluster_ca_and_its_own_certificates() {
    let place = made("");
    let names: Vec<String> = super::harness::names(&place.path("c/nodes/lb1"));
    assert_eq!(names, ["pki/ca.crt", "pki/haproxy.crt", "pki/haproxy.key"]);
    place.init(&["--dir", "c"]).ok();
    let report = on(&place, &["export", "lb1", "--out", "lb1.tar", "-o", "json"]).ok().json();
    assert_eq!(report["caKeys"], false);
    let report = place.kpki(&["check-expiration", "c", "--at", DAY_1, "-o", "json"]).ok().json();
    assert_eq!((&report["verdict"]["state"], &report["advice"]), (&json!("ok"), &json!([])));
    let run = place.kpki(&["check-expiration", "c", "--at", DAY_1]).ok();
    let lb = run.stdout.split("node lb1: ").nth(1).unwrap();
    assert!(lb.contains("haproxy") && !lb.contains("MISSING"), "{lb}");
    // No client of the cluster, and no server but its own.
    let run = place.kpki(&["verify", "c", "--at", DAY_1, "-o", "json"]).ok();
    assert!(!run.stdout.contains("lb1/kubelet"), "{}", run.stdout);
    let run = on(&place, &["renew", "all", "--dry-run"]).status(0);
    let of_it: Vec<&str> = run.stdout.lines().filter(|line| line.contains("lb1/")).collect();
    assert!(of_it.len() == 1 && of_it[0].contains("lb1/haproxy"), "{}", run.stdout);
    on(&place, &["renew", "lb1/haproxy"]).status(0);
    on(&place, &["renew", "lb1/kubelet.conf"]).fails(2);
}

/// A changed profile has no line in the journal, and the archive before it is the older one all the same.
#[test]
fn an_archive_from_before_the_profile_changed_is_older() {
    let place = Place::new();
    let profile = |keys: &str| {
        format!(
            "apiVersion: kpki/v1\nkind: ClusterProfile\ncontrolPlaneEndpoint: lb.example.com\ncaKeys: {keys}\nnodes:\n\
             - {{name: cp1, addresses: [10.0.0.1]}}\n- {{name: cp2, addresses: [10.0.0.2]}}\n"
        )
    };
    place.write("p.yaml", profile("control-plane"));
    place.init(&["--profile", "p.yaml", "--dir", "c"]).ok();
    let export = |to: &str| drop(place.kpki(&["export", "cp1", "--dir", "c", "--out", to, "--at", NOW]).ok());
    let unpack = |from: &str| place.kpki(&["unpack", from, "--node", "cp1", "--dir", "n/etc/kubernetes", "--at", NOW]);
    export("a.tar");
    // The same state is the same archive.
    export("a2.tar");
    assert_eq!(fs::read(place.path("a.tar")).unwrap(), fs::read(place.path("a2.tar")).unwrap());
    unpack("a.tar").status(0);
    place.write("p.yaml", profile("none"));
    place.init(&["--profile", "p.yaml", "--dir", "c"]).status(0);
    export("b.tar");
    unpack("b.tar").status(0);
    fs::remove_file(place.path("n/etc/kubernetes/pki/ca.key")).unwrap();
    let run = unpack("a.tar").fails(1);
    assert!(run.stderr.contains("older"), "{}", run.stderr);
    assert!(!place.path("n/etc/kubernetes/pki/ca.key").exists());
}
