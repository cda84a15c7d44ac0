//! `kpki unpack` on a node.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::harness::{NOW, Place, Run, tree};

pub(super) const PROFILE: &str = "apiVersion: kpki/v1\nkind: ClusterProfile\nclusterName: prod\ncontrolPlaneEndpoint: lb.example.com\n\
    encryptionAlgorithm: ECDSA-P256\nnodes:\n- {name: cp1, addresses: [10.0.0.1]}\n- {name: cp2, addresses: [10.0.0.2]}\n\
    - {name: w1, roles: [worker], addresses: [10.0.0.9]}\n\
    extraCertificates:\n- {name: metrics, commonName: metrics, usages: [client], nodes: [w1]}\n";
pub(super) const YEAR: &str = "2027-10-20T22:00:00Z";
pub(super) const DIR: &str = "n/etc/kubernetes";

/// A cluster directory in `c`, and the archive of each node in `NODE.tar`.
pub(super) fn made(profile: &str) -> Place {
    let place = Place::new();
    place.write("p.yaml", profile);
    place.init(&["--profile", "p.yaml", "--dir", "c"]).ok();
    place.kpki(&["revoke", "cp2/etcd-peer", "--dir", "c", "--at", NOW, "--yes"]).ok();
    for node in ["cp1", "cp2", "w1"] {
        export(&place, node, &format!("{node}.tar"), NOW);
    }
    place
}

pub(super) fn export(place: &Place, node: &str, out: &str, at: &str) {
    place.kpki(&["export", node, "--dir", "c", "--out", out, "--at", at, "--force", "-q"]).ok();
}

/// As cp1 and now, unless the words say another node or instant.
pub(super) fn unpack(place: &Place, archive: &str, words: &[&str]) -> Run {
    let mut all = vec!["unpack", archive, "--dir", DIR];
    for usual in [["--node", "cp1"], ["--at", NOW]] {
        if !words.contains(&usual[0]) {
            all.extend(usual);
        }
    }
    place.kpki(&[&all, words].concat())
}

/// A year passes, everything is renewed on the safe host, and cp1 is exported again to `new.tar`.
pub(super) fn renewed(place: &Place) {
    place.kpki(&["renew", "all", "--dir", "c", "--at", YEAR, "-q"]).ok();
    export(place, "cp1", "new.tar", YEAR);
}

/// Path to (mode, content) of each regular file.
pub(super) type Files = BTreeMap<String, (u32, Vec<u8>)>;

pub(super) fn members(path: &Path) -> Files {
    let bytes = fs::read(path).unwrap();
    let mut found = Files::new();
    for entry in tar::Archive::new(bytes.as_slice()).entries().unwrap() {
        let mut entry = entry.unwrap();
        if entry.header().entry_type() == tar::EntryType::Regular {
            let mut content = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
            let path = entry.path().unwrap().to_str().unwrap().to_owned();
            found.insert(path, (entry.header().mode().unwrap(), content));
        }
    }
    found
}

/// Another archive of these files, with what else `more` appends.
pub(super) fn packed(place: &Place, name: &str, files: &Files, more: impl FnOnce(&mut tar::Builder<Vec<u8>>)) {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, (mode, content)) in files {
        append(&mut builder, path, *mode, content);
    }
    more(&mut builder);
    place.write(name, builder.into_inner().unwrap());
}

pub(super) fn append(builder: &mut tar::Builder<Vec<u8>>, path: &str, mode: u32, content: &[u8]) {
    let mut header = tar::Header::new_ustar();
    header.set_path(path).unwrap();
    header.set_mode(mode);
    header.set_size(content.len() as u64);
    header.set_cksum();
    builder.append(&header, content).unwrap();
}

/// What lies on the node is what the archive has, modes too.
#[track_caller]
pub(super) fn is_in_place(place: &Place, archive: &str) {
    for (path, (mode, content)) in members(&place.path(archive)) {
        let found = place.path(&format!("n/{path}"));
        assert_eq!(fs::metadata(&found).unwrap().permissions().mode() & 0o7777, mode, "{path}");
        if !path.contains(".kpki/") {
            assert!(fs::read(&found).unwrap() == content, "{path}");
        }
    }
}

fn journal(place: &Place) -> Vec<serde_json::Value> {
    let text = place.read(&format!("{DIR}/.kpki/journal.jsonl"));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn unpacked(place: &Place) -> serde_json::Value {
    serde_json::from_str(&place.read(&format!("{DIR}/.kpki/unpacked.json"))).unwrap()
}

#[test]
fn the_first_install_the_same_again_and_the_second_year() {
    let place = made(PROFILE);
    let before = place.files();
    let would = unpack(&place, "cp1.tar", &["--dry-run"]).ok();
    assert!(would.stdout.starts_with("would put ") && !would.wrote && place.files() == before, "{}", would.stdout);

    let run = unpack(&place, "cp1.tar", &[]).ok();
    assert!(run.stdout.starts_with("put ") && !run.stdout.contains("kpki restore"), "{}", run.stdout);
    is_in_place(&place, "cp1.tar");
    let mode = |path: &str| fs::metadata(place.path(path)).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode(&format!("{DIR}/.kpki")), mode(DIR)), (0o700, 0o755));
    let state: serde_json::Value = serde_json::from_str(&place.read(&format!("{DIR}/.kpki/state.json"))).unwrap();
    assert_eq!((&state["node"], &state["kubeletDir"]), (&"cp1".into(), &serde_json::Value::Null));
    let lines = journal(&place);
    assert!(lines.len() > 15 && lines.iter().all(|line| line["command"] == "unpack"), "{lines:?}");
    assert_eq!(lines.iter().filter(|line| line["crlNumber"] == "1").count(), 1, "{lines:?}");
    let manifest: serde_json::Value = serde_json::from_str(&place.read(&format!("{DIR}/kpki-node.json"))).unwrap();
    assert_eq!(unpacked(&place)["issue"], manifest["issue"]);

    // The same again: nothing is written, and that is no failure.
    let again = unpack(&place, "cp1.tar", &[]).ok();
    assert!(again.stdout.starts_with("nothing to do: ") && !again.wrote, "{}", again.stdout);

    renewed(&place);
    let old = place.read(&format!("{DIR}/pki/apiserver.crt"));
    let run = unpack(&place, "new.tar", &["--at", YEAR, "-o", "json"]);
    let receipt = run.ok().json();
    is_in_place(&place, "new.tar");
    assert_eq!((&receipt["kind"], &receipt["node"]), (&"NodeReceipt".into(), &"cp1".into()));
    let generation = unpacked(&place)["generation"].as_str().unwrap().to_owned();
    assert_eq!(generation, "20271020T220000Z-unpack");
    assert_eq!(receipt["generation"], generation.as_str());
    assert_eq!(place.read(&format!("{DIR}/.kpki/generations/{generation}/main/pki/apiserver.crt")), old);
    // Authorities did not change: no line for them.
    assert!(journal(&place).iter().filter(|line| line["entry"] == "ca").count() == 1);
    // And back by the generation, as a table says it.
    let kubelet = place.path("n/var/lib/kubelet/pki").to_str().unwrap().to_owned();
    place.kpki(&["restore", &generation, "--dir", DIR, "--kubelet-dir", &kubelet, "--at", YEAR]).status(0);
    assert_eq!(place.read(&format!("{DIR}/pki/apiserver.crt")), old);
}

#[test]
fn from_standard_input_and_into_another_directory() {
    let place = made(PROFILE);
    let bytes = fs::read(place.path("w1.tar")).unwrap();
    place.kpki_with(&["unpack", "-", "--dir", "copy", "--node", "w1", "--at", NOW], &bytes).ok();
    let found = members(&place.path("w1.tar"));
    for (path, (_, content)) in &found {
        let below = path.strip_prefix("etc/kubernetes/").map(|rest| format!("copy/{rest}"));
        let below =
            below.or_else(|| path.strip_prefix("var/lib/kubelet/pki/").map(|rest| format!("copy/kubelet/{rest}")));
        assert!(fs::read(place.path(&below.unwrap())).unwrap() == *content || path.contains(".kpki"), "{path}");
    }
    // The jobs of the node work with what is there.
    place.kpki(&["renew", "all", "--due", "--dir", "copy", "--at", NOW]).ok();
    place.kpki(&["check-expiration", "copy", "--at", NOW]).ok();
    place.kpki(&["unpack", "-", "--dir", "copy", "--node", "w1", "--at", NOW]).fails(1);
    // A worker restarts no API server.
    let said = place.kpki(&["unpack", "w1.tar", "--dir", "other", "--node", "w1", "--at", NOW]).ok().stdout;
    assert!(said.contains("restart kubelet") && !said.contains("kube-apiserver"), "{said}");
    place.kpki(&["unpack", "w1.tar", "--dir", "c", "--node", "w1", "--at", NOW]).fails(1);
}

#[test]
fn anothers_archive_and_an_older_one_are_refused() {
    let place = made(PROFILE);
    let run = unpack(&place, "cp2.tar", &[]).fails(1);
    assert!(
        run.stderr.contains("cp2.tar is the archive of \"cp2\", and this node is \"cp1\"")
            || run.stderr.contains("archive of cp2"),
        "{}",
        run.stderr
    );
    unpack(&place, "cp1.tar", &["--node", "cp1.example.com"]).fails(1);
    unpack(&place, "cp1.tar", &[]).ok();
    // The node's own certificates are newer: it has signed them itself.
    place.kpki(&["renew", "apiserver", "admin.conf", "--dir", DIR, "--at", YEAR, "-q"]).ok();
    let run = unpack(&place, "cp1.tar", &[]).fails(1);
    for part in
        ["older than what lies on", "apiserver there begins 2027", "admin.conf there begins", "caKeys: control-plane"]
    {
        assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
    }
    unpack(&place, "cp1.tar", &["--force"]).warns();
    is_in_place(&place, "cp1.tar");
    // An archive of the same safe host that was made earlier.
    renewed(&place);
    unpack(&place, "new.tar", &["--at", YEAR]).ok();
    let run = unpack(&place, "cp1.tar", &[]).fails(1);
    assert!(run.stderr.contains("an archive of revision "), "{}", run.stderr);
}

#[test]
fn another_cluster_is_refused() {
    let (place, other) = (made(PROFILE), made(&PROFILE.replace("clusterName: prod", "clusterName: test")));
    unpack(&place, "cp1.tar", &[]).ok();
    fs::copy(other.path("cp1.tar"), place.path("other.tar")).unwrap();
    let run = unpack(&place, "other.tar", &[]).fails(1);
    for part in ["the cluster there is prod", "the ca there", "the etcd-ca there", "no certificate in common"] {
        assert!(run.stderr.replace('"', "").contains(part), "{part}: {}", run.stderr);
    }
    unpack(&place, "other.tar", &["--force"]).warns();
    is_in_place(&place, "other.tar");
}

#[test]
fn a_crl_is_never_replaced_by_an_older_one() {
    let place = made(PROFILE);
    unpack(&place, "cp1.tar", &[]).ok();
    place.kpki(&["crl", "update", "--dir", DIR, "--at", YEAR, "-q"]).status(0);
    let list = place.read(&format!("{DIR}/pki/etcd/ca.crl"));
    let run = unpack(&place, "cp1.tar", &[]).fails(1);
    assert!(
        run.stderr.contains("the CRL of etcd-ca there has the number 2, the archive's the number 1"),
        "{}",
        run.stderr
    );
    let run = unpack(&place, "cp1.tar", &["--force"]).status(0);
    assert!(run.stderr.contains("stays, also with --force"), "{}", run.stderr);
    assert_eq!(place.read(&format!("{DIR}/pki/etcd/ca.crl")), list);
}

/// Each archive is refused with a word for it, and nothing on the disk is another.
#[test]
fn what_export_has_not_packed_is_refused() {
    let place = made(PROFILE);
    let whole = members(&place.path("cp1.tar"));
    let other = members(&place.path("cp2.tar"));
    let name = |path: &str| format!("etc/kubernetes/{path}");
    let certificate = whole[&name("pki/ca.crt")].1.clone();
    type Change<'a> = Box<dyn Fn(&mut Files) + 'a>;
    let set = |path: &'static str, mode, content: Vec<u8>| -> Change<'_> {
        Box::new(move |files: &mut Files| drop(files.insert(name(path), (mode, content.clone()))))
    };
    let without =
        |path: &'static str| -> Change<'_> { Box::new(move |files: &mut Files| drop(files.remove(&name(path)))) };
    let cases: Vec<(&str, Change<'_>)> = vec![
        ("kpki-node.json in it, but it is missing", without("kpki-node.json")),
        ("expected JSON", set("kpki-node.json", 0o644, b"{".to_vec())),
        ("pki/ca.key is missing", without("pki/ca.key")),
        ("manifests/x.yaml is nothing that", set("manifests/x.yaml", 0o644, b"x".to_vec())),
        (".kpki/commit is nothing that", set(".kpki/commit", 0o600, b"{}".to_vec())),
        (".kpki/owed.json is nothing that", set(".kpki/owed.json", 0o600, b"{}".to_vec())),
        ("has the mode 0644, expected 0600", set("pki/ca.key", 0o644, whole[&name("pki/ca.key")].1.clone())),
        ("has the mode 4644, expected 0644", set("pki/ca.crt", 0o4644, certificate.clone())),
        (
            "holds a private key",
            set(
                "pki/apiserver.crt",
                0o644,
                [&whole[&name("pki/apiserver.crt")].1[..], &whole[&name("pki/apiserver.key")].1[..]].concat(),
            ),
        ),
        ("its key does not match it", set("pki/apiserver.key", 0o600, whole[&name("pki/etcd/peer.key")].1.clone())),
        ("not what the manifest says", set("pki/apiserver.crt", 0o644, other[&name("pki/apiserver.crt")].1.clone())),
        ("pki/etcd/ca.crl: expected one CRL", set("pki/etcd/ca.crl", 0o644, b"x".to_vec())),
        ("profile", set(".kpki/profile.yaml", 0o600, b"x".to_vec())),
        ("state.json", set(".kpki/state.json", 0o600, b"x".to_vec())),
        (
            "its profile is not of",
            set(
                ".kpki/profile.yaml",
                0o600,
                String::from_utf8(whole[&name(".kpki/profile.yaml")].1.clone())
                    .unwrap()
                    .replace("clusterName: prod", "clusterName: test")
                    .into_bytes(),
            ),
        ),
    ];
    let manifest = String::from_utf8(whole[&name("kpki-node.json")].1.clone()).unwrap();
    for (says, from, to) in [
        ("is in none of", "/etc/kubernetes/pki/apiserver.crt", "/etc/cron.d/apiserver.crt"),
        ("is not where apiserver belongs", "/etc/kubernetes/pki/apiserver.crt", "/etc/kubernetes/pki/other.crt"),
        ("is not where", "/etc/kubernetes/pki/apiserver.crt", "/etc/kubernetes/manifests/x.yaml"),
        ("is not where", "/etc/kubernetes/pki/apiserver.crt", "/etc/kubernetes/.kpki/unpacked.json"),
        ("other fields or values", "/etc/kubernetes/pki/apiserver.crt", "/etc/kubernetes/../shadow"),
    ] {
        let mut files = whole.clone();
        files.insert(name("kpki-node.json"), (0o644, manifest.replace(from, to).into_bytes()));
        if !to.contains("..") {
            let moved = files.remove(&from[1..]).unwrap();
            files.insert(to[1..].to_owned(), moved);
        }
        packed(&place, "bad.tar", &files, |_| ());
        let run = unpack(&place, "bad.tar", &[]).fails(1);
        assert!(run.stderr.contains(says), "{says}: {}", run.stderr);
    }
    for (says, change) in &cases {
        let mut files = whole.clone();
        change(&mut files);
        packed(&place, "bad.tar", &files, |_| ());
        for words in [&[][..], &["--force"], &["--dry-run"]] {
            let run = unpack(&place, "bad.tar", words);
            assert!(run.status == 1 || run.status == 2, "{says}: {run:?}");
            assert!(!run.wrote && run.stdout.is_empty() && run.stderr.contains(says), "{says}: {}", run.stderr);
            assert!(!run.stderr.contains("PRIVATE KEY-----"), "{}", run.stderr);
        }
    }
    for (kind, path) in [
        (tar::EntryType::Symlink, "etc/kubernetes/pki"),
        (tar::EntryType::Link, "etc/kubernetes/x"),
        (tar::EntryType::Fifo, "etc/kubernetes/x"),
        (tar::EntryType::Block, "etc/kubernetes/x"),
        (tar::EntryType::Regular, "../x"),
    ] {
        packed(&place, "bad.tar", &whole, |builder| {
            let mut header = tar::Header::new_ustar();
            header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
            header.set_entry_type(kind);
            header.set_mode(0o644);
            header.set_size(0);
            header.set_link_name("/etc/passwd").unwrap();
            header.set_cksum();
            builder.append(&header, &[][..]).unwrap();
        });
        unpack(&place, "bad.tar", &[]).fails(1);
    }
    packed(&place, "bad.tar", &whole, |builder| append(builder, "etc/kubernetes/large", 0o644, &vec![0; 9 << 20]));
    unpack(&place, "bad.tar", &[]).fails(1);
    // Whoever could have written the archive could have this node run what he likes.
    fs::set_permissions(place.path("cp1.tar"), fs::Permissions::from_mode(0o666)).unwrap();
    let run = unpack(&place, "cp1.tar", &[]).fails(1);
    assert!(run.stderr.contains("is not trusted"), "{}", run.stderr);
}

/// In this process: a program for each of a thousand archives would take minutes.
#[test]
fn a_damaged_archive_changes_nothing_or_what_it_says_it_does() {
    let place = made(PROFILE);
    unpack(&place, "cp1.tar", &[]).ok();
    renewed(&place);
    let bytes = fs::read(place.path("new.tar")).unwrap();
    let old = tree(&place.path("n"));
    let dir = place.path(DIR);
    let try_it = |damaged: &[u8], what: &str| {
        place.write("damaged.tar", damaged);
        let archive = place.path("damaged.tar");
        let words = [
            "kpki",
            "unpack",
            archive.to_str().unwrap(),
            "--dry-run",
            "--at",
            YEAR,
            "-q",
            "--dir",
            dir.to_str().unwrap(),
        ];
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut environment = super::harness::environment(kpki::clock::Clock::System);
        environment.hostname = Some("cp1".to_owned());
        let words = words.iter().map(std::ffi::OsString::from);
        let status = kpki::run::run(words, &environment, &mut out, &mut err);
        let err = String::from_utf8_lossy(&err).into_owned();
        assert!(!err.contains("panic"), "{what}: {err}");
        status == 0
    };
    assert!(try_it(&bytes, "whole"));
    let step = bytes.len() / 97;
    let mut accepted = 0;
    for at in (0..bytes.len()).step_by(step) {
        assert!(!try_it(&bytes[..at], "cut") || bytes[at..].iter().all(|byte| *byte == 0), "cut at {at}");
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x20;
        accepted += usize::from(try_it(&flipped, "flipped"));
    }
    // Dates, owners and padding of the tar file say nothing.
    assert!(accepted < 40, "{accepted} of 97 damaged archives were taken");
    assert_eq!(tree(&place.path("n")), old);
}

#[test]
fn what_only_the_node_knows_stays() {
    let place = made(PROFILE);
    unpack(&place, "cp1.tar", &["--kubelet-dir", "klet"]).ok();
    assert!(place.path("klet/kubelet.crt").exists() && !place.path("n/var").exists());
    // Hooks of its own, a request, and a renewal.
    let recorded = format!("{DIR}/.kpki/profile.yaml");
    let text = place.read(&recorded);
    let hooks =
        "  hooks:\n    deploy: {etcd: 'echo told >> LOG'}\n".replace("LOG", place.path("log").to_str().unwrap());
    fs::write(place.path(&recorded), text.replace("  hooks:\n", &hooks)).unwrap();
    place.kpki(&["csr", "apiserver", "--dir", DIR, "--at", NOW, "-q"]).status(0);
    let history = journal(&place).len();
    renewed(&place);
    let run = unpack(&place, "new.tar", &["--at", YEAR]).status(0);
    assert!(run.stderr.contains("those that are recorded on this node stay"), "{}", run.stderr);
    assert!(run.stderr.contains("a request of this node for apiserver waits in"), "{}", run.stderr);
    assert_eq!(place.read("log"), "told\n");
    assert!(place.read(&recorded).contains("echo told"));
    assert!(place.path(&format!("{DIR}/.kpki/requests/pki/apiserver.csr")).exists());
    assert!(place.path("klet/kubelet.crt").exists() && !place.path("n/var").exists());
    assert!(journal(&place).len() > history);
    let again = unpack(&place, "new.tar", &["--at", YEAR]).status(0);
    assert!(again.stdout.starts_with("nothing to do"), "{}", again.stdout);
}

/// Hooks of the archive's profile run; a run that was killed while it told components is gone on with by the next.
#[test]
fn hooks_run_and_nobody_is_forgotten() {
    let place = Place::new();
    let log = place.path("log").to_str().unwrap().to_owned();
    let hooks = "hooks: {deploy: {etcd: 'echo etcd >> LOG', kube-apiserver: 'echo api >> LOG; test -e LOG.go || kill -9 $PPID'}, \
                 post: 'echo post $KPKI_RESULT >> LOG'}"
        .replace("LOG", &log);
    place.write("p.yaml", PROFILE.replace("addresses: [10.0.0.1]", &format!("addresses: [10.0.0.1], {hooks}")));
    place.init(&["--profile", "p.yaml", "--dir", "c"]).ok();
    export(&place, "cp1", "cp1.tar", NOW);
    unpack(&place, "cp1.tar", &["--no-hooks"]).ok();
    assert!(!place.path("log").exists());
    renewed(&place);
    unpack(&place, "new.tar", &["--at", YEAR]).status(-1);
    assert_eq!(place.read("log"), "etcd\napi\n");
    is_in_place(&place, "new.tar");
    place.write("log.go", "");
    let run = unpack(&place, "new.tar", &["--at", YEAR]).ok();
    assert!(run.stdout.contains("and its hooks were not all run: "), "{}", run.stdout);
    assert_eq!(place.read("log"), "etcd\napi\netcd\napi\npost renewed\n");
    assert!(!place.path(&format!("{DIR}/.kpki/owed.json")).exists());
}

#[test]
fn a_hook_that_fails_is_told_or_undoes_it() {
    let place = Place::new();
    let failing = PROFILE
        .replace("addresses: [10.0.0.1]", "addresses: [10.0.0.1], hooks: {deploy: {etcd: 'echo broken; exit 1'}}");
    place.write("p.yaml", format!("{failing}renewal: {{onHookFailure: restore}}\n"));
    place.init(&["--profile", "p.yaml", "--dir", "c"]).ok();
    export(&place, "cp1", "cp1.tar", NOW);
    unpack(&place, "cp1.tar", &["--no-hooks"]).ok();
    renewed(&place);
    let receipt = |run: &Run| (run.json()["issue"]["revision"].clone(), run.json()["unpacked"].clone());
    let before = receipt(&unpack(&place, "cp1.tar", &["-o", "json"]).ok());
    let run = unpack(&place, "new.tar", &["--at", YEAR]).status(1);
    for part in ["The deploy hook of etcd failed", "and restored the old ones"] {
        assert!(run.stdout.contains(part), "{part}: {}", run.stdout);
    }
    // The receipt is of what is there, and what has failed is said beside it.
    let run = unpack(&place, "new.tar", &["--at", YEAR, "-o", "json"]).status(1);
    assert!(run.stderr.contains("The deploy hook of etcd failed"), "{}", run.stderr);
    assert_eq!(receipt(&run).0, before.0);
    assert_eq!(
        place.read(&format!("{DIR}/pki/etcd/server.crt")).into_bytes(),
        members(&place.path("cp1.tar"))["etc/kubernetes/pki/etcd/server.crt"].1
    );
}

#[test]
fn what_the_archive_has_no_more_is_named_and_stays() {
    let place = made(PROFILE);
    unpack(&place, "cp1.tar", &[]).ok();
    place.kpki(&["export", "cp1", "--dir", "c", "--out", "less.tar", "--at", NOW, "--without-ca-keys", "-q"]).ok();
    let run = unpack(&place, "less.tar", &[]).status(0);
    for key in ["pki/ca.key", "pki/etcd/ca.key", "pki/front-proxy-ca.key"] {
        assert!(run.stderr.contains(&format!("rm {DIR}/{key}")), "{key}: {}", run.stderr);
        assert!(place.path(&format!("{DIR}/{key}")).exists());
    }
    assert_eq!(run.stderr.matches("is not in the archive").count(), 3, "{}", run.stderr);
}

/// The right bytes in a file that everybody can read are not right.
#[test]
fn a_key_that_others_can_read_is_written_again() {
    let place = made(PROFILE);
    unpack(&place, "cp1.tar", &[]).status(0);
    let keys = ["pki/apiserver.key", "admin.conf"].map(|file| place.path(&format!("{DIR}/{file}")));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    for key in &keys {
        fs::set_permissions(key, fs::Permissions::from_mode(0o644)).unwrap();
    }
    let run = unpack(&place, "cp1.tar", &[]).status(0);
    assert!(run.stdout.starts_with("put 2 of "), "{}", run.stdout);
    assert_eq!(keys.each_ref().map(|key| mode(key)), [0o600; 2]);
    assert!(unpack(&place, "cp1.tar", &[]).status(0).stdout.starts_with("nothing to do"));
}
