//! Every other verb while a rotation is in progress: by phase, on a cluster directory and on a node's own tree.

use std::collections::BTreeMap;
use std::fs;

use kpki::x509::{Certificate, parse_pem_bundle};

use super::harness::{NOW, Place, Run, copy_tree, single};
use super::rotating::{FILES, holders};

const CLUSTER: &str = "apiVersion: kpki/v1\nkind: ClusterProfile\nencryptionAlgorithm: ECDSA-P256\n\
    controlPlaneEndpoint: api.example.com\nnodes:\n- {name: cp1, roles: [control-plane], addresses: [10.0.0.11]}\n\
    - {name: w1, roles: [worker], addresses: [10.0.0.21]}\n";
/// A day between two steps, and one more.
const STEPS: [&str; 3] = ["2026-11-22T22:00:00Z", "2026-11-24T22:00:00Z", "2026-11-26T22:00:00Z"];
const LATER: &str = "2026-11-28T22:00:00Z";
const PASS: [&str; 2] = ["--confirm-all", "--not-before-override"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    Cluster,
    Node,
}

const LAYOUTS: [Layout; 2] = [Layout::Cluster, Layout::Node];
const PHASES: [&str; 3] = ["prepared", "switched", "retired"];

/// The same tree before the rotation (`none`) and in each phase.
fn phases(layout: Layout) -> Place {
    let place = Place::new();
    let text = match layout {
        Layout::Cluster => CLUSTER.to_owned(),
        Layout::Node => single("encryptionAlgorithm: ECDSA-P256\n"),
    };
    place.write("p.yaml", text);
    place.init(&["--profile", "p.yaml", "--dir", "none"]).ok();
    copy_tree(&place.path("none"), &place.path("prepared"));
    let prepare = ["rotate", "prepare", "all", "--signer-file-in-use", "--dir", "prepared", "--at", STEPS[0]];
    place.kpki(&prepare).status(0);
    copy_tree(&place.path("prepared"), &place.path("switched"));
    place.kpki(&[&["rotate", "switch", "--dir", "switched", "--at", STEPS[1]], &PASS[..]].concat()).status(0);
    copy_tree(&place.path("switched"), &place.path("retired"));
    place.kpki(&[&["rotate", "retire", "--dir", "retired", "--at", STEPS[2]], &PASS[..]].concat()).status(0);
    place
}

/// What one verb does in each phase.
struct Row {
    words: &'static [&'static str],
    status: [i32; 3],
    /// What it says in each phase, on either output; empty: nothing is asked for.
    says: [&'static str; 3],
    /// What it does not say.
    silent: [&'static str; 3],
    writes: bool,
}

const AGAIN: &str = "kpki rotate switch makes these certificates again";
const UNTIL: &str = "until the old one is retired";
const JOINS: &str = "a node that joins with these files";
const ACROSS: &str = "is from before a step of a rotation";

const ROWS: &[Row] = &[
    Row::reads(&["init"], ["nothing to do"; 3]),
    Row::reads(&["init", "--profile", "../p.yaml"], ["nothing to do"; 3]),
    Row::reads(&["verify"], ["nothing found"; 3]),
    Row::reads(&["check-expiration"], ["is trusted beside it, and signs after the switch", "is retiring", ""]),
    Row::reads(&["renew", "all", "--due"], ["nothing was renewed"; 3]),
    Row { says: [AGAIN, "", ""], silent: ["", AGAIN, AGAIN], ..Row::writes(&["renew", "apiserver"]) },
    Row {
        says: [UNTIL, "", ""],
        silent: ["", UNTIL, UNTIL],
        ..Row::writes(&[
            "kubeconfig",
            "user",
            "alice",
            "--group",
            "dev",
            "--out",
            "alice.conf",
            "--force",
            "--server",
            "https://api:6443",
        ])
    },
    Row { status: [1; 3], says: ["kpki rotate back"; 3], ..Row::reads(&["restore"], [ACROSS; 3]) },
    Row::reads(&["history"], ["rotate-prepare", "rotate-switch", "rotate-retire"]),
];

impl Row {
    const fn reads(words: &'static [&'static str], says: [&'static str; 3]) -> Self {
        Self { words, status: [0; 3], says, silent: [""; 3], writes: false }
    }

    const fn writes(words: &'static [&'static str]) -> Self {
        Self { words, status: [0; 3], says: [""; 3], silent: [""; 3], writes: true }
    }
}

fn said(run: &Run) -> String {
    format!("{}{}", run.stdout, run.stderr)
}

#[test]
fn every_verb_knows_the_phase() {
    for layout in LAYOUTS {
        let place = phases(layout);
        for row in ROWS {
            for (at, phase) in PHASES.into_iter().enumerate() {
                let tree = format!("t/{phase}");
                if place.path("t").exists() {
                    fs::remove_dir_all(place.path("t")).unwrap();
                }
                copy_tree(&place.path(phase), &place.path(&tree));
                let profile = row.words.iter().map(|word| if *word == "../p.yaml" { "p.yaml" } else { word });
                let dated: &[&str] = if row.words[0] == "history" { &[] } else { &["--at", LATER] };
                let words: Vec<&str> = profile.chain(["--dir", tree.as_str()]).chain(dated.iter().copied()).collect();
                let run = place.kpki(&words);
                let (said, what) = (said(&run), format!("{layout:?} {phase} {words:?}"));
                assert_eq!(run.status, row.status[at], "{what}: {said}");
                assert!(said.contains(row.says[at]), "{what}: {said}");
                assert!(row.silent[at].is_empty() || !said.contains(row.silent[at]), "{what}: {said}");
                assert_eq!(run.wrote, row.writes, "{what}: {said}");
            }
        }
        let convert = |phase: &str| {
            let from = if layout == Layout::Cluster { format!("{phase}/nodes/cp1") } else { phase.to_owned() };
            said(&place.kpki(&["convert", "--as", "kubeadm-certs", &from, "--out", &format!("{phase}.yaml")]).status(0))
        };
        if layout == Layout::Node {
            assert_eq!(PHASES.map(|phase| convert(phase).contains(JOINS)), [true, true, false]);
        }
    }
}

fn certificates(place: &Place, path: &str) -> Vec<Certificate> {
    parse_pem_bundle(place.read(path).as_bytes()).unwrap()
}

#[test]
fn what_is_renewed_is_by_the_signer_and_nothing_else_changes() {
    for (layout, base) in [(Layout::Cluster, "nodes/cp1/"), (Layout::Node, "")] {
        let place = phases(layout);
        let subject = |one: &Certificate| one.subject.to_string();
        let old = subject(&certificates(&place, "none/pki/ca.crt")[0]);
        for (phase, by_new) in [("prepared", false), ("switched", true), ("retired", true)] {
            let before = place.files();
            place.kpki(&["renew", "apiserver", "scheduler.conf", "--dir", phase, "--at", LATER]).status(0);
            let leaf = &certificates(&place, &format!("{phase}/{base}pki/apiserver.crt"))[0];
            let bundle = certificates(&place, &format!("{phase}/pki/ca.crt"));
            assert!(leaf.signed_by(&bundle[0]).is_ok(), "{layout:?} {phase}");
            assert_eq!(subject(&bundle[0]) != old, by_new, "{layout:?} {phase}");
            let signer = certificates(&place, &format!("{phase}/{base}pki/ca-signer.crt"));
            assert!(signer.len() == 1 && signer[0].der == bundle[0].der, "{layout:?} {phase}");
            for (path, content) in &place.files() {
                let is_new = ["apiserver.crt", "apiserver.key", "scheduler.conf"].iter().any(|end| path.ends_with(end));
                let is_own = path.contains("/.kpki/");
                assert!(is_new || is_own || before.get(path) == Some(content), "{layout:?} {phase} {path}");
            }
            place.kpki(&["verify", "--dir", phase, "--at", LATER]).ok();
        }
    }
}

#[test]
fn a_node_that_is_added_is_of_the_phase() {
    let place = phases(Layout::Cluster);
    let more = "- {name: cp2, roles: [control-plane], addresses: [10.0.0.12]}\n- {name: w2, roles: [worker], addresses: [10.0.0.22]}\n";
    place.write("more.yaml", format!("{CLUSTER}{more}"));
    for phase in PHASES {
        // The names of the added API server are left to a renewal.
        place.kpki(&["init", "--profile", "more.yaml", "--dir", phase, "--at", LATER]).status(5);
        place.kpki(&["renew", "all", "--due", "--dir", phase, "--at", LATER]).status(0);
        for file in ["pki/ca.crt", "pki/etcd/ca.crt", "pki/front-proxy-ca.crt", "pki/sa.pub", "pki/ca-signer.crt"] {
            let of = |node: &str| place.read(&format!("{phase}/nodes/{node}/{file}"));
            assert_eq!(of("cp1"), of("cp2"), "{phase} {file}");
        }
        assert_eq!(place.read(&format!("{phase}/nodes/w2/pki/ca.crt")), place.read(&format!("{phase}/pki/ca.crt")));
        place.kpki(&["verify", "--dir", phase, "--at", LATER]).ok();
        place.kpki(&["export", "cp2", "--dir", phase, "--out", &format!("{phase}.tar"), "--at", LATER]).ok();
    }
}

#[test]
fn without_its_record_the_files_speak_for_themselves() {
    for layout in LAYOUTS {
        let place = phases(layout);
        for phase in ["prepared", "switched"] {
            fs::remove_file(place.path(&format!("{phase}/.kpki/rotation.json"))).unwrap();
            fs::remove_dir_all(place.path(&format!("{phase}/.kpki/rotation"))).unwrap();
            for words in [&["init"][..], &["verify"], &["renew", "all", "--due"], &["check-expiration"]] {
                let run = place.kpki(&[words, &["--dir", phase, "--at", LATER]].concat()).status(0);
                assert!(!run.wrote, "{layout:?} {phase} {words:?}");
            }
            place.kpki(&["renew", "apiserver", "--dir", phase, "--at", LATER]).status(0);
            place.kpki(&["verify", "--dir", phase, "--at", LATER]).ok();
        }
    }
}

#[test]
fn files_of_another_phase_than_the_record_are_found_and_nothing_is_signed() {
    let place = phases(Layout::Cluster);
    let before = place.read("none/nodes/cp1/pki/ca.crt");
    place.write("prepared/nodes/cp1/pki/ca.crt", before);
    for (words, says) in [
        (&["renew", "apiserver"][..], "ca is prepared: expected the old one first and the new one"),
        (&["export", "cp1", "--out", "cp1.tar"], "cp1/ca"),
    ] {
        let run = place.kpki(&[words, &["--dir", "prepared", "--at", LATER]].concat()).status(1);
        assert!(run.stderr.contains(says) && !run.wrote, "{words:?}: {}", run.stderr);
    }
    let run = place.kpki(&["verify", "--dir", "prepared", "--at", LATER, "-o", "json"]).status(4);
    assert!(run.stdout.contains("rotation/other-phase"), "{}", run.stdout);
}

/// The archives of a node, made in each phase from one directory that goes through all of them and back again.
fn archives(place: &Place, node: &str) {
    let run = |words: &[&str], at: &str| {
        place.kpki(&[words, &["--dir", "c", "--at", at]].concat()).status(0);
    };
    let export = |name: &str, at: &str| run(&["export", node, "--out", &format!("{node}-{name}.tar")], at);
    copy_tree(&place.path("none"), &place.path("c"));
    export("none", NOW);
    run(&["rotate", "prepare", "all", "--signer-file-in-use"], STEPS[0]);
    export("prepared", STEPS[0]);
    run(&[&["rotate", "switch"], &PASS[..]].concat(), STEPS[1]);
    export("switched", STEPS[1]);
    run(&[&["rotate", "retire"], &PASS[..]].concat(), STEPS[2]);
    export("retired", STEPS[2]);
}

#[test]
fn a_node_gets_one_step_after_the_other() {
    let place = phases(Layout::Cluster);
    for node in ["cp1", "w1"] {
        if place.path("c").exists() {
            fs::remove_dir_all(place.path("c")).unwrap();
        }
        archives(&place, node);
        let dir = format!("{node}/etc/kubernetes");
        fs::create_dir_all(place.path(node).join("etc")).unwrap();
        let unpack = |name: &str| {
            let (archive, kubelet) = (format!("{node}-{name}.tar"), format!("{node}/kubelet"));
            let words = ["unpack", &archive, "--dir", &dir, "--kubelet-dir", &kubelet, "--node", node, "--no-hooks"];
            place.kpki(&[&words[..], &["--at", LATER]].concat())
        };
        let refused = |name: &str, why: &str| {
            let run = unpack(name).status(1);
            assert!(run.stderr.contains(why) && !run.wrote, "{node} {name}: {}", run.stderr);
        };
        let later = "is of a later step of a rotation";
        unpack("none").status(0);
        refused("switched", later);
        refused("retired", "no certificate in common");
        let first = unpack("prepared").status(0);
        assert!(!first.stdout.contains("undo it with"), "{}", first.stdout);
        refused("retired", later);
        unpack("switched").status(0);
        let files = BTreeMap::from_iter(place.files());
        refused("prepared", "is older than");
        assert_eq!(place.files(), files);
        // What unpack has replaced is not put back across a step.
        let generations = fs::read_dir(place.path(&format!("{dir}/.kpki/generations"))).unwrap();
        let names = generations.map(|one| one.unwrap().file_name().into_string().unwrap());
        let names: Vec<String> = names.filter(|name| name.contains("-unpack")).collect();
        assert!(names.len() >= 2, "{names:?}");
        for generation in names {
            let words =
                ["restore", &generation, "--dir", &dir, "--kubelet-dir", &format!("{node}/kubelet"), "--at", LATER];
            let run = place.kpki(&words).status(1);
            assert!(run.stderr.contains("is from before a step of a rotation") && !run.wrote, "{}", run.stderr);
        }
        let forget = || place.kpki(&["rotate", "forget", "--dir", &dir, "--yes", "--at", LATER]);
        // The old one is trusted still, and a step back would bring its key again.
        assert!(forget().ok().stdout.starts_with("nothing to do"), "{node}");
        let run = unpack("retired").status(0);
        assert!(!run.stdout.contains("ca-signer.crt (ca-signer) lies there"), "{}", run.stdout);
        for (name, _, key) in FILES {
            let (old, new) = (place.read(&format!("none/{key}")), place.read(&format!("c/{key}")));
            let held = |pem: &str| holders(pem, &place.path(&dir)).len();
            assert_eq!(held(&old) > 0, node == "cp1", "{node} {name}");
            assert_eq!(held(&new) > 0, node == "cp1", "{node} {name}");
        }
        let run = forget().status(0);
        assert_eq!(run.stdout.starts_with("nothing to do"), node == "w1", "{}", run.stdout);
        for (name, _, key) in FILES {
            let (old, new) = (place.read(&format!("none/{key}")), place.read(&format!("c/{key}")));
            assert_eq!(holders(&old, &place.path(&dir)), Vec::<String>::new(), "{node} {name}");
            assert_eq!(holders(&new, &place.path(&dir)).is_empty(), node == "w1", "{node} {name}");
        }
        assert!(forget().ok().stdout.starts_with("nothing to do"), "{node}");
    }
}

#[test]
fn a_step_that_was_taken_back_is_unpacked_like_any_other() {
    let place = phases(Layout::Cluster);
    let dir = "cp1/etc/kubernetes";
    fs::create_dir_all(place.path("cp1/etc")).unwrap();
    copy_tree(&place.path("none"), &place.path("c"));
    let ship = |step: &[&str], at: &str, name: &str| {
        place.kpki(&[step, &["--dir", "c", "--at", at]].concat()).status(0);
        let archive = format!("{name}.tar");
        place.kpki(&["export", "cp1", "--dir", "c", "--out", &archive, "--at", at]).status(0);
        let words = ["unpack", &archive, "--dir", dir, "--kubelet-dir", "cp1/kubelet", "--node", "cp1", "--no-hooks"];
        place.kpki(&[&words[..], &["--at", at]].concat()).status(0);
    };
    ship(&["verify"], NOW, "none");
    ship(&["rotate", "prepare", "all", "--signer-file-in-use"], STEPS[0], "prepared");
    let prepared = place.read("cp1/etc/kubernetes/pki/ca.crt");
    ship(&[&["rotate", "switch"], &PASS[..]].concat(), STEPS[1], "switched");
    ship(&["rotate", "back"], STEPS[2], "back");
    assert_eq!(place.read("cp1/etc/kubernetes/pki/ca.crt"), prepared);
    ship(&[&["rotate", "back"], &PASS[..]].concat(), LATER, "over");
}

#[test]
fn the_end_of_what_is_retiring_does_not_count() {
    for layout in LAYOUTS {
        let place = Place::new();
        let own = "caCertificateValidityPeriod: 400d\ncertificateValidityPeriod: 90d\n";
        let text = if layout == Layout::Cluster { format!("{CLUSTER}{own}") } else { single(own) };
        place.write("p.yaml", text);
        place.init(&["--profile", "p.yaml", "--dir", "t"]).status(0);
        let prepare =
            ["rotate", "prepare", "ca", "--signer-file-in-use", "--validity", "10y", "--dir", "t", "--at", STEPS[0]];
        place.kpki(&prepare).status(0);
        // The old authority is near its end, the leaves are not.
        let (end, after) = ("2027-12-20T00:00:00Z", "2028-01-05T00:00:00Z");
        let look = |at: &str| {
            let run = place.kpki(&["check-expiration", "--dir", "t", "--at", at, "-o", "json", "--exit-zero"]);
            let document = run.json();
            let states = |note: &str| -> Vec<String> {
                let all =
                    ["certificates", "certificateAuthorities"].map(|block| document[block].as_array().unwrap().clone());
                let has =
                    |one: &&serde_json::Value| one["notes"].as_array().unwrap().iter().any(|one| one["note"] == note);
                all.concat().iter().filter(has).map(|one| one["state"].as_str().unwrap().to_owned()).collect()
            };
            let advice = document["advice"].as_array().unwrap().clone();
            let steps = advice
                .into_iter()
                .find(|one| one["problem"] == "authority-replaced")
                .map(|one| one["steps"].to_string());
            (states("replaced"), states("successor"), states("retiring"), states("signed-by-retiring"), steps)
        };
        let (replaced, successor, retiring, _, steps) = look(end);
        assert!(
            !replaced.is_empty() && replaced.iter().all(|state| state == "critical" || state == "warning"),
            "{replaced:?}"
        );
        assert!(!successor.is_empty() && successor.iter().all(|state| state == "ok"), "{successor:?}");
        assert!(retiring.is_empty());
        assert!(steps.unwrap().contains("kpki rotate status --dir t"));
        copy_tree(&place.path("t"), &place.path("before"));
        place.kpki(&[&["rotate", "switch", "--dir", "t", "--at", STEPS[1]], &PASS[..]].concat()).status(0);
        let (replaced, successor, retiring, signed, steps) = look(after);
        assert!(!retiring.is_empty() && retiring.iter().all(|state| state == "ok"), "{retiring:?}");
        assert!(replaced.is_empty() && successor.is_empty() && signed.is_empty() && steps.is_none());
        // A credential from before the switch that lies there again.
        let base = if layout == Layout::Cluster { "nodes/cp1/" } else { "" };
        let old = place.read(&format!("before/{base}admin.conf"));
        place.write(&format!("t/{base}admin.conf"), old);
        let (.., signed, _) = look(STEPS[2]);
        assert_eq!(signed.len(), 1);
    }
}

/// Everything that signs or packs stops where the record and the files disagree, also in a file that it does not read itself.
#[test]
fn nothing_is_signed_or_packed_before_record_and_files_agree() {
    let place = phases(Layout::Cluster);
    place.write("more.yaml", format!("{CLUSTER}- {{name: w2, roles: [worker], addresses: [10.0.0.22]}}\n"));
    for phase in ["prepared", "switched"] {
        let right = place.read(&format!("{phase}/nodes/w1/pki/ca.crt"));
        for words in [
            &["export", "cp1", "--out", "cp1.tar", "--force"][..],
            &["kubeconfig", "user", "alice", "--group", "dev", "--out", "alice.conf", "--force"],
            &["init", "--profile", "more.yaml"],
            &["init", "--profile", "more.yaml", "--dry-run"],
            &["renew", "cp1/apiserver"],
        ] {
            place.write(&format!("{phase}/nodes/w1/pki/ca.crt"), place.read("none/nodes/w1/pki/ca.crt"));
            let all = [words, &["--dir", phase, "--at", LATER]].concat();
            let run = place.kpki(&all);
            let expected = "the files are not of the phase that is recorded";
            assert!(run.status == 1 && run.stderr.contains(expected) && !run.wrote, "{phase} {words:?}: {run:?}");
            place.write(&format!("{phase}/nodes/w1/pki/ca.crt"), &right);
        }
        place.kpki(&["export", "cp1", "--out", "cp1.tar", "--force", "--dir", phase, "--at", LATER]).status(0);
    }
}

#[test]
fn a_damaged_record_is_a_finding() {
    for layout in LAYOUTS {
        let place = phases(layout);
        place.kpki(&["verify", "--dir", "prepared", "--at", LATER]).status(0);
        place.write("prepared/.kpki/rotation.json", "{");
        let run = place.kpki(&["verify", "--dir", "prepared", "--at", LATER]).status(4);
        assert!(run.stdout.contains("prepared/.kpki/rotation.json"), "{layout:?} {}", run.stdout);
        assert!(run.stdout.contains("kpki rotate status"), "{layout:?} {}", run.stdout);
    }
}

/// A backup has what a rotation needs to go on, and what comes back goes on.
#[test]
fn what_comes_back_from_a_backup_goes_on() {
    use std::os::unix::fs::PermissionsExt;
    for layout in LAYOUTS {
        let place = phases(layout);
        place.write("password", "a long pass phrase for this test\n");
        let password = ["--password-file", "password"];
        for (phase, key, next, at) in
            [("prepared", "next", "switch", STEPS[1]), ("switched", "previous", "retire", STEPS[2])]
        {
            let file = format!("{phase}.p7e");
            place.kpki(&[&["backup", "--dir", phase, "--out", &file][..], &password].concat()).status(0);
            place.kpki(&[&["backup", "verify", &file, "--dir", phase][..], &password].concat()).status(0);
            let to = format!("{phase}-again");
            place.kpki(&[&["backup", "restore", &file, "--dir", &to][..], &password].concat()).status(0);
            for name in ["ca", "front-proxy-ca", "etcd-ca", "sa"] {
                let path = place.path(&format!("{to}/.kpki/rotation/{name}.{key}.key"));
                let mode = fs::metadata(&path).unwrap_or_else(|why| panic!("{path:?}: {why}")).permissions().mode();
                assert_eq!(mode & 0o777, 0o600, "{path:?}");
            }
            place.kpki(&[&["rotate", next, "--dir", &to, "--at", at], &PASS[..]].concat()).status(0);
            place.kpki(&["verify", "--dir", &to, "--at", LATER]).status(0);
        }
    }
}
