//! A `.kpki` that somebody else made, or can write to, decides nothing.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

use super::harness::{NOW, Place, single, tree};

const NOBODY: u32 = 65534;

/// A tree whose profile has a hook that tells on itself.
fn made() -> Place {
    let place = Place::new();
    let log = place.path("ran");
    place.write("p.yaml", single(&format!("renewal: {{hooks: {{pre: 'touch {}'}}}}\n", log.display())));
    place.init(&["--profile", "p.yaml", "--dir", "k8s"]).ok();
    place
}

/// What changes a tree, or would.
const VERBS: [&[&str]; 7] = [
    &["renew", "all", "--at", NOW],
    &["renew", "all", "--at", NOW, "--dry-run"],
    &["renew", "all", "--at", NOW, "--profile", "p.yaml"],
    &["init", "--at", NOW],
    &["restore"],
    &["history"],
    &["kubeconfig", "user", "jane", "--at", NOW],
];

/// Every verb refuses and names it, no hook runs and nothing is written; whoever only looks goes on with a warning.
fn refused(place: &Place, named: &str, verbs: &[&[&str]]) {
    let before = tree(&place.path("k8s"));
    for verb in verbs {
        let run = place.kpki(&[verb, &["--dir", "k8s"][..]].concat());
        assert_eq!(run.status, 1, "{named} {verb:?}: {}{}", run.stdout, run.stderr);
        assert!(run.stderr.contains(named) && run.stderr.contains("hint: "), "{verb:?}: {}", run.stderr);
    }
    assert!(tree(&place.path("k8s")) == before, "{named}: something was written");
    assert!(!place.path("ran").exists(), "{named}: a hook ran");
    let run = place.kpki(&["check-expiration", "k8s", "--at", NOW]).warns();
    assert!(run.stderr.contains("warning: ") && run.stderr.contains(named), "{}", run.stderr);
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Only root can give files away.
fn is_root(place: &Place) -> bool {
    place.path("k8s").metadata().unwrap().uid() == 0
}

#[test]
fn a_directory_that_others_can_write_to_or_own_is_not_believed() {
    let place = made();
    let kpki = place.path("k8s/.kpki");
    for mode in [0o777, 0o770, 0o1777] {
        chmod(&kpki, mode);
        refused(
            &place,
            &format!(
                "k8s/.kpki is not trusted: expected this user or root as its owner and no write permission for others, found owner {} and mode {mode:04o}",
                kpki.metadata().unwrap().uid()
            ),
            &VERBS,
        );
    }
    chmod(&kpki, 0o755);
    place.kpki(&["renew", "apiserver", "--at", NOW, "--dir", "k8s", "--no-hooks"]).ok();
    if is_root(&place) {
        chmod(&kpki, 0o700);
        chown(&kpki, Some(NOBODY), None).unwrap();
        refused(&place, "found owner 65534 and mode 0700", &VERBS);
        // Whose the directory above is, is their choice.
        chown(&kpki, Some(0), None).unwrap();
        chown(place.path("k8s"), Some(NOBODY), Some(NOBODY)).unwrap();
        place.kpki(&["renew", "all", "--at", NOW, "--dir", "k8s"]).ok();
        assert!(place.path("ran").exists());
    }
}

#[test]
fn a_profile_that_others_can_write_to_or_own_runs_no_hook() {
    for name in ["profile.yaml", "state.json"] {
        let place = made();
        let path = place.path("k8s/.kpki").join(name);
        let verbs = [VERBS[0], VERBS[1], VERBS[3], VERBS[6]];
        chmod(&path, 0o666);
        refused(&place, &format!("k8s/.kpki/{name}"), &verbs);
        if is_root(&place) {
            chmod(&path, 0o600);
            chown(&path, Some(NOBODY), None).unwrap();
            refused(&place, &format!("k8s/.kpki/{name}"), &verbs);
        }
    }
}

#[test]
fn a_commit_mark_of_a_stranger_moves_nothing() {
    let place = made();
    place.write("k8s/.kpki/staging/0", "planted");
    let victim = place.write("victim/pki/kubelet.crt", "theirs");
    let elsewhere = place.path("victim");
    let mark = format!(
        r#"{{"version":1,"generation":"g","dirMode":493,"kubelet":{{"path":"{0}","staging":"pki"}},"files":[
        {{"root":"kubelet","staged":"kubelet.crt","path":"moved","replace":true}}]}}"#,
        elsewhere.display()
    );
    let path = place.write("k8s/.kpki/commit", mark);
    let verbs = [VERBS[0], VERBS[3], VERBS[6]];
    let unmoved = || {
        for verb in verbs {
            let run = place.kpki(&[verb, &["--dir", "k8s"]].concat()).fails(1);
            assert!(run.stderr.contains("k8s/.kpki/commit is not trusted"), "{verb:?}: {}", run.stderr);
            assert!(victim.exists() && !elsewhere.join("moved").exists());
        }
    };
    chmod(&path, 0o666);
    unmoved();
    if is_root(&place) {
        chmod(&path, 0o600);
        chown(&path, Some(NOBODY), None).unwrap();
        unmoved();
    }
}

#[test]
fn what_is_no_directory_is_not_followed() {
    let place = made();
    fs::rename(place.path("k8s/.kpki"), place.path("elsewhere")).unwrap();
    std::os::unix::fs::symlink("../elsewhere", place.path("k8s/.kpki")).unwrap();
    refused(&place, "symlink", &VERBS);
}

/// kubespray's layout.
#[test]
fn a_pki_that_is_a_symlink_is_named_with_the_way_out() {
    let place = made();
    fs::rename(place.path("k8s/pki"), place.path("k8s/ssl")).unwrap();
    std::os::unix::fs::symlink("ssl", place.path("k8s/pki")).unwrap();
    let run = place.kpki(&["renew", "all", "--at", NOW, "--dir", "k8s", "--no-hooks"]).fails(1);
    assert!(run.stderr.contains("hint: give its target in the profile"), "{}", run.stderr);
    assert!(run.stderr.contains("certificatesDir: /etc/kubernetes/ssl"), "{}", run.stderr);
    let lines = "certificatesDir: /etc/kubernetes/ssl\n";
    place.write("ssl.yaml", single(lines));
    place.kpki(&["renew", "all", "--at", NOW, "--dir", "k8s", "--profile", "ssl.yaml"]).ok();
}
