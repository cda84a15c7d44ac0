//! What is written beside the tree: by several runs at once, with leftovers of dead ones, and with nowhere to report it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::harness::{NOW, Place, single};

const EVERY: usize = 12;

fn made() -> Place {
    let place = Place::new();
    place.write("p.yaml", single("controlPlaneEndpoint: lb.example.com:8443\n"));
    place.write("web.json", r#"{"CN": "web", "hosts": ["web.example.com"], "key": {"algo": "ecdsa", "size": 256}}"#);
    place.init(&["--profile", "p.yaml", "--dir", "k8s"]).ok();
    place
}

fn command(place: &Place, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kpki"));
    command.args(words).current_dir(place.path("")).env_clear().stdin(Stdio::null());
    command
}

fn said(output: &Output) -> (i32, String) {
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn lines(place: &Place, verb: &str) -> usize {
    let journal = place.read("k8s/.kpki/journal.jsonl");
    journal.lines().filter(|line| line.contains(&format!("\"command\":\"{verb}\""))).count()
}

fn hidden(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with('.') && name.contains(".kpki-")).collect()
}

#[test]
fn of_many_runs_that_write_one_file_exactly_one_succeeds() {
    let sign = ["sign", "--csr-json", "web.json", "--usage", "server", "--lock-timeout", "60s"];
    let by_files: &[&str] = &["--ca-cert", "k8s/pki/ca.crt", "--ca-key", "k8s/pki/ca.key"];
    let user =
        ["kubeconfig", "user", "jane", "-g", "dev", "-d", "k8s", "--lock-timeout", "60s", "--out", "out/jane.conf"];
    for (words, recorded) in [
        (user.to_vec(), Some("kubeconfig")),
        ([&sign[..], &["-d", "k8s", "-O", "out/web.crt"]].concat(), Some("sign")),
        ([&sign[..], by_files, &["-O", "out/web.crt"]].concat(), None),
        (vec!["export", "cp1", "--dir", "k8s", "--out", "out/cp1.tar"], None),
        (vec!["convert", "k8s/pki/ca.crt", "--to", "der", "--out", "out/ca.der"], None),
    ] {
        let place = made();
        fs::create_dir(place.path("out")).unwrap();
        let running: Vec<_> = (0..EVERY)
            .map(|_| command(&place, &words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
            .collect();
        let ended: Vec<_> = running.into_iter().map(|child| said(&child.wait_with_output().unwrap())).collect();
        assert_eq!(ended.iter().filter(|(status, _)| *status == 0).count(), 1, "{words:?}: {ended:?}");
        for (status, stderr) in ended.iter().filter(|(status, _)| *status != 0) {
            assert!(*status == 1 && stderr.contains("exist"), "{words:?}: {status} {stderr}");
        }
        assert_eq!(hidden(&place.path("out")), [""; 0], "{words:?}");
        if let Some(verb) = recorded {
            assert_eq!(lines(&place, verb), 1, "{words:?}");
        }
    }
}

#[test]
fn two_trees_that_write_one_file_lose_nothing() {
    let place = made();
    place.init(&["--profile", "p.yaml", "--dir", "other"]).ok();
    let user = |dir: &'static str| {
        let words = ["kubeconfig", "user", "jane", "-d", dir, "--out", "jane.conf", "--lock-timeout", "60s"];
        command(&place, &words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let running: Vec<_> = (0..EVERY).map(|n| user(if n % 2 == 0 { "k8s" } else { "other" })).collect();
    let ended: Vec<_> = running.into_iter().map(|child| said(&child.wait_with_output().unwrap())).collect();
    assert_eq!(ended.iter().filter(|(status, _)| *status == 0).count(), 1, "{ended:?}");
    let issued: usize = ["k8s", "other"]
        .iter()
        .map(|dir| place.read(&format!("{dir}/.kpki/journal.jsonl")).matches("\"command\":\"kubeconfig\"").count())
        .sum();
    // A certificate that lost the race behind its commit mark is kept.
    let kept: usize =
        place.files().keys().filter(|name| name.contains("/undelivered/") && name.ends_with(".conf")).count();
    assert_eq!(issued, 1 + kept, "{ended:?}");
}

/// What a run leaves that was killed behind its commit mark, with one file outside the tree.
fn interrupted(place: &Place, out: &str) {
    let kpki = place.path("k8s/.kpki");
    let size = fs::metadata(kpki.join("journal.jsonl")).unwrap().len();
    let out = place.path(out).to_str().unwrap().to_owned();
    place.write("k8s/.kpki/staging/outer-0", "made before");
    place.write("k8s/.kpki/staging/journal", "{\"command\":\"sign\"}\n");
    let mark = serde_json::json!({
        "version": 3, "generation": "20261120T220000Z-sign", "dirMode": 0o755, "kubelet": null, "files": [], "removals": [],
        "journal": size, "keepGenerations": 5, "outer": [{"path": out, "mode": 0o644, "replace": false}],
    });
    place.write("k8s/.kpki/commit", mark.to_string());
}

#[test]
fn a_rerun_says_what_it_has_finished() {
    let place = made();
    fs::create_dir(place.path("out")).unwrap();
    interrupted(&place, "out/web.crt");
    let words = ["sign", "--csr-json", "web.json", "--usage", "server", "-d", "k8s", "-O", "out/web.crt"];
    let run = place.kpki(&words).status(1);
    let said = "caused by: this run has first finished an interrupted one, which has written ";
    assert!(run.stderr.contains("exists already") && run.stderr.contains(said), "{}", run.stderr);
    assert_eq!((place.read("out/web.crt"), lines(&place, "sign")), ("made before".to_owned(), 1));
    // Said once: the next one knows nothing of it.
    assert!(!place.kpki(&words).fails(1).stderr.contains(said));
}

#[test]
fn what_cannot_be_delivered_is_an_error_once_and_does_not_keep_the_tree_from_its_renewal() {
    let place = made();
    interrupted(&place, "gone/web.crt");
    let renew = ["renew", "apiserver", "-d", "k8s"];
    let run = place.kpki(&renew).status(1);
    let kept = "k8s/.kpki/undelivered/20261120T220000Z-sign/web.crt";
    assert!(run.stderr.contains("gone/web.crt could not be put in place"), "{}", run.stderr);
    assert!(run.stderr.contains(&format!("it is kept in {kept}")), "{}", run.stderr);
    assert!(run.stderr.contains(&format!("hint: put it in its place: mv {kept} ")), "{}", run.stderr);
    assert_eq!((place.read(kept), lines(&place, "sign")), ("made before".to_owned(), 1));
    place.kpki(&renew).ok();

    // A run that only looks completes it, too, and says so in its report.
    interrupted(&place, "gone/again.crt");
    let report = place.kpki(&["check-expiration", "k8s"]).status(3);
    let said = "an interrupted run was completed just now: everything is recorded, but ";
    assert!(report.stdout.contains(said) || report.stderr.contains(said), "{}{}", report.stdout, report.stderr);
    place.kpki(&["check-expiration", "k8s"]).ok();
}

#[test]
fn leftovers_of_dead_runs_are_removed_and_those_of_living_ones_are_not() {
    let place = made();
    // What a killed kpki 0.1.0 left in a container, and one of this version; another process is at work on the third.
    let names = [".ca.der.kpki-4-0", ".web.key.kpki-0123456789abcdef", ".web.key.kpki-fedcba9876543210"];
    for name in names {
        place.write(&format!("out/{name}"), "key");
    }
    place.write("out/.notes.kpki-mine", "");
    let living = fs::File::open(place.path("out").join(names[2])).unwrap();
    rustix::fs::flock(&living, rustix::fs::FlockOperation::LockExclusive).unwrap();
    place.kpki(&["convert", "k8s/pki/ca.crt", "--to", "der", "--out", "out/ca.der"]).ok();
    let mut left = hidden(&place.path("out"));
    left.sort();
    assert_eq!(left, [".notes.kpki-mine", names[2]]);
    drop(living);
    place.kpki(&["export", "cp1", "--dir", "k8s", "--out", "out/cp1.tar"]).ok();
    assert_eq!(hidden(&place.path("out")), [".notes.kpki-mine"]);
}

#[test]
fn what_was_done_is_said_when_standard_output_cannot_be_written() {
    let place = Place::new();
    place.write("p.yaml", single("controlPlaneEndpoint: lb.example.com:8443\n"));
    place.write("web.json", r#"{"CN": "web", "hosts": ["web.example.com"], "key": {"algo": "ecdsa", "size": 256}}"#);
    let full = |words: &[&str]| {
        let out = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        said(&command(&place, words).stdout(out).output().unwrap())
    };
    for (words, status, told) in [
        (vec!["init", "-p", "p.yaml", "-d", "k8s", "--dry-run"], 1, ""),
        (vec!["init", "-p", "p.yaml", "-d", "k8s", "-o", "json"], 6, "created "),
        (vec!["renew", "apiserver", "-d", "k8s"], 6, "apiserver"),
        (vec!["renew", "apiserver", "-d", "k8s", "--detailed-exitcode"], 6, "apiserver"),
        (vec!["hold", "apiserver", "-d", "k8s"], 6, "apiserver"),
        (vec!["crl", "update", "-d", "k8s"], 6, "ca.crl"),
        (vec!["restore", "-d", "k8s"], 6, "restored "),
        (vec!["csr", "apiserver", "-d", "k8s"], 6, "apiserver"),
        (vec!["sign", "--csr-json", "web.json", "--usage", "server", "-d", "k8s"], 6, "web"),
        (vec!["export", "cp1", "--dir", "k8s", "--out", "cp1.tar"], 6, "cp1.tar"),
        (vec!["convert", "k8s/pki/ca.crt", "--to", "der", "--out", "ca.der"], 6, "ca.der"),
        // Nobody has what was to go to standard output.
        (
            vec!["sign", "k8s/.kpki/requests/pki/apiserver.csr", "--as", "apiserver", "-d", "k8s", "-O", "-"],
            1,
            "apiserver",
        ),
        (vec!["kubeconfig", "user", "jane", "-d", "k8s"], 1, "recorded in the journal"),
        (vec!["check-expiration", "k8s"], 1, ""),
        (vec!["history", "-d", "k8s"], 1, ""),
    ] {
        let (found, stderr) = full(&words);
        assert_eq!(found, status, "{words:?}: {stderr}");
        assert!(stderr.contains(told) && stderr.contains("to standard output"), "{words:?}: {stderr}");
    }
    assert!(place.path("k8s/pki/ca.crt").exists() && place.path("web.crt").exists() && place.path("ca.der").exists());
    assert_eq!((lines(&place, "renew"), lines(&place, "kubeconfig")), (2, 1));
    // With -q there is no report to be lost.
    assert_eq!(full(&["renew", "apiserver", "-d", "k8s", "-q"]).0, 0);
}

#[test]
fn a_limit_on_the_size_of_files_is_an_error_and_not_the_end() {
    let place = made();
    let limited = |line: &str| {
        let mut shell = Command::new("/bin/sh");
        let line = format!("ulimit -f 1; exec \"$0\" {line}");
        shell.args(["-c", &line, env!("CARGO_BIN_EXE_kpki")]).current_dir(place.path("")).env_clear();
        said(&shell.output().unwrap())
    };
    let before = place.files();
    for line in
        ["renew all -d k8s", "kubeconfig user jane -d k8s --out jane.conf", "export cp1 --dir k8s --out cp1.tar"]
    {
        let (status, stderr) = limited(line);
        assert!(status == 1 && stderr.contains("file too large"), "{line}: {status} {stderr}");
        assert!(place.files() == before, "{line}");
    }
    let (status, stderr) = limited("check-expiration k8s -o json > checked.json");
    assert!(status == 1 && stderr.contains("cannot write to standard output"), "{status} {stderr}");
}

#[test]
fn crls_do_not_use_up_what_can_be_restored() {
    let place = made();
    let leaf = place.read("k8s/pki/apiserver.crt");
    place.kpki(&["renew", "apiserver", "-d", "k8s", "--at", NOW]).ok();
    for _ in 0..5 {
        place.kpki(&["hold", "apiserver-kubelet-client", "-d", "k8s"]).ok();
        place.kpki(&["release", "apiserver-kubelet-client", "-d", "k8s"]).ok();
    }
    let history = place.kpki(&["history", "-d", "k8s", "-o", "json"]).ok().json();
    let names: Vec<&str> =
        history["generations"].as_array().unwrap().iter().map(|one| one["generation"].as_str().unwrap()).collect();
    let of = |verb: &str| names.iter().filter(|name| name.contains(verb)).count();
    assert_eq!((of("-renew"), of("-hold") + of("-release")), (1, 5), "{names:?}");
    // The newest that is not of CRLs.
    place.kpki(&["restore", "-d", "k8s"]).status(0);
    assert_eq!(place.read("k8s/pki/apiserver.crt"), leaf);
}
