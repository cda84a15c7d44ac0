//! Directories, files, clusters and nodes with names that a shell reads otherwise: a printed command is about them, and about
//! nothing else.

use std::fs;

use super::sites::{Site, single};
use super::{Host, commands};
use crate::harness::copy_tree;

/// Each would leave a file `pwned` somewhere, or be an option, or several words.
const NAMES: [&str; 12] = [
    "a b",
    "it's",
    "$(touch pwned)",
    "`touch pwned`",
    "a;touch pwned;",
    "a\"b",
    "-x",
    "--force",
    "été–日本",
    "a\nb",
    "*",
    "a&touch pwned#~",
];

/// The commands that check-expiration prints for a directory, and whether it finds something.
fn advised(host: &Host, words: &[&str]) -> Vec<String> {
    let run = host.place.kpki(&[&["check-expiration", "--exit-zero", "--at", crate::harness::NOW], words].concat());
    assert_eq!(run.status, 0, "{}", run.stderr);
    let all = commands(&run.stdout);
    all.into_iter().filter(|command| !command.starts_with("kpki inspect ")).collect()
}

#[track_caller]
fn unharmed(host: &Host) {
    for entry in walkdir::WalkDir::new(host.place.path(".")) {
        let path = entry.unwrap().into_path();
        assert!(path.file_name().is_none_or(|name| name != "pwned"), "{}", path.display());
    }
}

fn swap(host: &Host, root: &str) {
    let at = |name: &str| host.place.path(&format!("{root}/pki/{name}.key"));
    let (one, other) = (at("apiserver"), at("front-proxy-client"));
    let (first, second) = (fs::read(&one).unwrap(), fs::read(&other).unwrap());
    fs::write(one, second).unwrap();
    fs::write(other, first).unwrap();
}

#[test]
fn of_a_directory() {
    let made = Host::new();
    Site::Single.make(&made, "");
    for name in NAMES {
        let host = Host::new();
        copy_tree(&made.place.path("k8s"), &host.place.path(name));
        swap(&host, name);
        let dir = format!("--dir={name}");
        let found = advised(&host, &[&dir]);
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        let said = host.sh(&found[0]).ok();
        // What a summary advises: take it back.
        for command in commands(&said.stdout).iter().filter(|command| command.starts_with("kpki ")) {
            host.sh(command).ok();
        }
        host.sh(&found[0]).ok();
        assert_eq!(advised(&host, &[&dir]), [""; 0], "{name}");
        // Each error and summary that names the directory.
        for words in [
            &["restore", "nothing", &dir][..],
            &["revoke", "etcd-peer", &dir],
            &["release", "etcd-peer", &dir],
            &["csr", "apiserver", &dir],
        ] {
            let run = host.place.kpki(&[words, &["--at", crate::harness::NOW]].concat());
            let printed = commands(&(run.stderr.clone() + &run.stdout));
            assert!(
                words[0] == "restore" || words[0] == "release" || !printed.is_empty() || words[0] == "csr",
                "{run:?}"
            );
            for command in printed {
                assert!(!command.contains('\u{fffd}'), "{command}");
                if !command.contains("CERT") {
                    host.sh(&command).ok();
                }
            }
        }
        unharmed(&host);
    }
}

/// A node's name comes from the disk: a cluster directory of another tool needs no profile.
#[test]
fn of_a_node() {
    let made = Host::new();
    Site::Single.make(&made, "");
    for name in NAMES {
        let host = Host::new();
        copy_tree(&made.place.path("k8s/pki"), &host.place.path("c/pki"));
        for node in [name, "other"] {
            copy_tree(&made.place.path("k8s"), &host.place.path(&format!("c/nodes/{node}")));
            fs::remove_dir_all(host.place.path(&format!("c/nodes/{node}/.kpki"))).unwrap();
        }
        swap(&host, &format!("c/nodes/{name}"));
        let other = fs::read(host.place.path("c/nodes/other/pki/apiserver.crt")).unwrap();
        let found = advised(&host, &["c"]);
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        host.sh(&found[0]).ok();
        assert_eq!(advised(&host, &["c"]), [""; 0], "{name}");
        assert!(fs::read(host.place.path("c/nodes/other/pki/apiserver.crt")).unwrap() == other, "{name}");
        unharmed(&host);
    }
}

/// The profiles of a fleet are files beside the trees.
#[test]
fn of_a_fleet_and_its_clusters() {
    let made = Host::new();
    Site::Single.make(&made, "");
    for fleet in ["$(touch pwned) fleet", "-fleet"] {
        let host = Host::new();
        for name in NAMES {
            host.place.write(&format!("{fleet}/{name}.yaml"), single(""));
            copy_tree(&made.place.path("k8s"), &host.place.path(&format!("{fleet}/{name}")));
            fs::remove_file(host.place.path(&format!("{fleet}/{name}/pki/etcd/peer.crt"))).unwrap();
        }
        let words = format!("--profiles={fleet}");
        // A command for each: what is missing is made by name.
        for _ in 0..NAMES.len() {
            let found = advised(&host, &[&words]);
            let Some(first) = found.first() else { break };
            host.sh(first).ok();
        }
        assert_eq!(advised(&host, &[&words]), [""; 0]);
        // And one for all.
        for name in NAMES {
            swap(&host, &format!("{fleet}/{name}"));
        }
        let found = advised(&host, &[&words]);
        assert_eq!(found.len(), 1, "{found:?}");
        host.sh(&found[0]).ok();
        assert_eq!(advised(&host, &[&words]), [""; 0]);
        unharmed(&host);
    }
}
