//! `kpki kubeconfig user`.

use std::os::unix::fs::PermissionsExt;

use super::facts::{self, File};
use super::harness::{NOW, Place, Run, repository, single, tree};

fn made() -> Place {
    let place = Place::new();
    place.write("p.yaml", single("controlPlaneEndpoint: lb.example.com:8443\n"));
    place.init(&["--profile", "p.yaml", "--dir", "k8s"]).ok();
    place
}

fn user(place: &Place, words: &[&str]) -> Run {
    place.kpki(&[&["kubeconfig", "user", "--dir", "k8s", "--at", NOW], words].concat())
}

#[test]
fn a_user_gets_a_short_credential_that_the_journal_knows() {
    let place = made();
    let before = tree(&place.path("k8s"));
    let run =
        user(&place, &["jane", "--group", "developers", "--group", "on-call", "--out", "jane/jane.conf"]).status(1);
    assert_eq!(
        run.stderr,
        "error: cannot open jane: no such file or directory\nhint: check the path; a relative one is looked up from the current directory\n"
    );
    // Refused before anything was signed or recorded.
    assert!(tree(&place.path("k8s")) == before);
    let run = user(&place, &["jane", "--group", "developers", "--group", "on-call", "--out", "jane.conf"]).ok();
    let said = "jane.conf: a kubeconfig for jane until 2026-11-21T06:00:00Z\n";
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), (said, ""));
    assert_eq!(place.path("jane.conf").metadata().unwrap().permissions().mode() & 0o7777, 0o600);
    place.write("only/jane.conf", place.read("jane.conf"));
    let read = facts::read(&place.path("only"));
    let File::Kubeconfig(conf) = &read["jane.conf"].1 else { panic!() };
    let [leaf] = conf.client.as_slice() else { panic!() };
    assert_eq!(leaf.not_after - leaf.not_before, 8 * 3600 + 300);
    let names: Vec<&str> = leaf.subject.iter().flatten().map(|(_, _, text)| text.as_str()).collect();
    assert_eq!(names, ["on-call", "developers", "jane"]);
    assert!(conf.shape.contains("server: https://lb.example.com:8443") && conf.shape.contains("jane@kubernetes"));

    let journal = place.read("k8s/.kpki/journal.jsonl");
    let last: serde_json::Value = serde_json::from_str(journal.lines().last().unwrap()).unwrap();
    assert_eq!((&last["command"], &last["entry"]), (&"kubeconfig".into(), &"jane".into()));
    // Nothing else has changed.
    let after = tree(&place.path("k8s"));
    let changed: Vec<_> = before.iter().filter(|(name, file)| after.get(*name) != Some(file)).map(|(n, _)| n).collect();
    assert!(changed.iter().all(|name| [".kpki/journal.jsonl", ".kpki/lock"].contains(&name.as_str())), "{changed:?}");

    let run = user(&place, &["jane", "--group", "developers", "--out", "jane.conf"]).fails(1);
    assert!(run.stderr.contains("exists already") && run.stderr.contains("--force"), "{}", run.stderr);
    user(&place, &["jane", "--group", "developers", "--out", "jane.conf", "--force"]).ok();
}

#[test]
fn masters_are_asked_for_twice_and_names_are_names() {
    let place = made();
    let run = user(&place, &["root", "--group", "system:masters"]).fails(1);
    assert!(run.stdout.is_empty() && run.stderr.contains("--allow-system-masters"), "{}", run.stderr);
    let run = user(&place, &["root", "--group", "system:masters", "--allow-system-masters"]).ok();
    assert!(run.stdout.starts_with("apiVersion: v1\n"));
    // RFC 5280 appendix A.1, ub-common-name and ub-organization-name: in characters.
    let (longest, longer) = ("\u{e4}".repeat(64), "\u{e4}".repeat(65));
    user(&place, &[&longest, "--group", &longest]).ok();
    for (words, status) in [
        (&[&longer, "--group", "a"][..], 2),
        (&["a", "--group", &longer], 2),
        (&["", "--group", "a"], 2),
        (&["a\nb", "--group", "a"], 2),
        (&["a", "--group", ""], 2),
        (&["a", "--group", "b", "--validity", "0s"], 2),
        (&["a", "--group", "b", "--validity", "soon"], 2),
        (&["a", "--group", "b", "--dir", "nowhere"], 2),
    ] {
        assert!(user(&place, words).fails(status).stdout.is_empty(), "{words:?}");
    }
    let warned = user(&place, &["system:x"]).warns();
    assert!(warned.stderr.contains("no group") && warned.stderr.contains("Kubernetes keeps"), "{}", warned.stderr);
}

#[test]
fn a_key_can_stay_with_its_owner() {
    let place = made();
    let folder = repository("fixtures/kubeadm/v1.36-generate-csr");
    let csr = walkdir::WalkDir::new(folder)
        .into_iter()
        .filter_map(Result::ok)
        .find(|entry| entry.path().ends_with("apiserver.csr"))
        .unwrap();
    let run = user(&place, &["jane", "--group", "developers", "--csr", csr.path().to_str().unwrap()]).ok();
    assert!(run.stdout.contains("    client-key: jane.key\n") && !run.stdout.contains("client-key-data"));
    let broken = place.write("broken.csr", std::fs::read_to_string(csr.path()).unwrap().replace("A", "B"));
    let run = user(&place, &["jane", "--group", "developers", "--csr", broken.to_str().unwrap()]).fails(1);
    assert!(run.stdout.is_empty() && run.stderr.contains("cannot use the request"), "{}", run.stderr);
}

#[test]
fn without_the_authoritys_key_there_is_nothing() {
    let place = made();
    std::fs::remove_file(place.path("k8s/pki/ca.key")).unwrap();
    let run = user(&place, &["jane", "--group", "developers"]).fails(1);
    assert!(run.stderr.contains("the key of the cluster CA is not in k8s"), "{}", run.stderr);
}

#[test]
fn the_servers_address_is_one_wherever_it_comes_from() {
    let place = made();
    for bad in [
        "http://lb:6443",
        "lb:6443",
        "https://",
        "https://lb:6443\n  insecure-skip-tls-verify: true",
        "https://a b",
        "https://lb:0",
    ] {
        let run = user(&place, &["jane", "--server", bad]).fails(2);
        assert!(run.stdout.is_empty() && run.stderr.contains("expected https://HOST:PORT"), "{bad:?}: {}", run.stderr);
    }
    let run = user(&place, &["jane", "--server", "https://[2001:db8::1]:6443/k8s"]).warns();
    assert!(run.stdout.contains("server: https://[2001:db8::1]:6443/k8s\n"), "{}", run.stdout);
    // Without a profile, that of admin.conf.
    std::fs::remove_dir_all(place.path("k8s/.kpki")).unwrap();
    let admin = place.read("k8s/admin.conf").replace("server: https://lb", "server: http://lb");
    place.write("k8s/admin.conf", admin);
    let run = user(&place, &["jane"]).fails(2);
    assert!(run.stderr.contains("the server in admin.conf is http://lb"), "{}", run.stderr);
}

#[test]
fn no_file_of_the_tree_is_written_over() {
    let place = made();
    std::os::unix::fs::symlink("k8s/pki", place.path("link")).unwrap();
    let before = tree(&place.path("k8s"));
    for out in [
        "k8s/admin.conf",
        "k8s/pki/../kubelet.conf",
        "k8s/pki/ca.key",
        "k8s/pki/etcd/ca.crt",
        "k8s/pki/jane.conf",
        "k8s/.kpki/profile.yaml",
        "link/apiserver.crt",
    ] {
        let run = user(&place, &["jane", "--out", out, "--force"]).fails(1);
        assert!(run.stderr.contains("belongs to the tree k8s"), "{out}: {}", run.stderr);
    }
    assert!(tree(&place.path("k8s")) == before);
    std::fs::create_dir(place.path("users")).unwrap();
    for out in ["k8s/jane.conf", "admin.conf", "users/ca.crt"] {
        user(&place, &["jane", "--out", out, "--force"]).warns();
    }
}
