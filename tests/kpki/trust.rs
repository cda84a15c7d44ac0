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
    place.path(".").metadata().unwrap().uid() == 0
}

/// Whose permission to write is too much, as chmod takes it: a user's private group is the user.
fn others(place: &Place) -> &'static str {
    let facts = place.path(".").metadata().unwrap();
    if facts.uid() != 0 && facts.uid() == facts.gid() { "o" } else { "go" }
}

#[test]
fn a_directory_that_others_can_write_to_or_own_is_not_believed() {
    let place = made();
    let kpki = place.path("k8s/.kpki");
    for mode in [0o777, 0o770, 0o1777] {
        if mode == 0o770 && others(&place) == "o" {
            continue;
        }
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
    }
}

/// Whoever owns a directory above can put another `.kpki` in its place.
#[test]
fn a_directory_above_that_others_can_write_to_or_own_is_not_believed_either() {
    let place = made();
    chmod(&place.path("k8s"), 0o777);
    refused(&place, "k8s/.kpki is not trusted: because of ", &VERBS);
    let run = place.kpki(&["renew", "all", "--at", NOW, "--dir", "k8s"]).fails(1);
    assert!(
        run.stderr.contains(&format!("chmod {}-w {}", others(&place), place.path("k8s").display())),
        "{}",
        run.stderr
    );
    chmod(&place.path("k8s"), 0o755);
    if is_root(&place) {
        chown(place.path("k8s"), Some(NOBODY), Some(NOBODY)).unwrap();
        refused(&place, "found owner 65534 and mode 0755", &VERBS);
    }
    // No tree is begun that nobody trusts later.
    fs::create_dir(place.path("open")).unwrap();
    chmod(&place.path("open"), 0o777);
    for words in [&["--dir", "open/k8s"][..], &["--dir", "open/k8s", "--dry-run"], &["--dir", "open"]] {
        let run = place.init(&[&["--profile", "p.yaml"], words].concat()).fails(1);
        assert!(run.stderr.contains("is not trusted: because of ") && !run.wrote, "{}", run.stderr);
    }
    chmod(&place.path("open"), 0o1777);
    place.init(&["--profile", "p.yaml", "--dir", "open/k8s"]).ok();
}

/// What a profile is used for decides whether it has to be trusted.
#[test]
fn a_given_profile_that_others_can_write_to_signs_and_runs_nothing() {
    let place = made();
    fs::create_dir(place.path("clusters")).unwrap();
    chmod(&place.path("clusters"), 0o755);
    fs::rename(place.path("k8s"), place.path("clusters/k8s")).unwrap();
    fs::rename(place.path("p.yaml"), place.path("clusters/k8s.yaml")).unwrap();
    place.write("a.csr", "");
    let profile = place.path("clusters/k8s.yaml");
    let verbs: [&[&str]; 8] = [
        &["renew", "all", "--profiles", "clusters"],
        &["renew", "all", "--profile", "clusters/k8s.yaml", "--dry-run"],
        &["init", "--profile", "clusters/k8s.yaml", "--dir", "new"],
        &["init", "--profile", "clusters/k8s.yaml", "--dir", "clusters/k8s"],
        &["csr", "apiserver", "--profile", "clusters/k8s.yaml"],
        &["sign", "a.csr", "--as", "apiserver", "--profile", "clusters/k8s.yaml"],
        &["crl", "update", "--profile", "clusters/k8s.yaml"],
        &["revoke", "apiserver", "--profile", "clusters/k8s.yaml"],
    ];
    let refused = |named: &str, hint: &str| {
        for verb in verbs {
            let run = place.kpki(&[verb, &["--at", NOW]].concat());
            let said = format!("{}{}", run.stdout, run.stderr);
            assert_eq!(run.status, 1, "{named} {verb:?}: {said}");
            assert!(said.contains(named) && said.contains(hint), "{verb:?}: {said}");
            assert!(!run.wrote && !place.path("ran").exists(), "{verb:?}: {said}");
        }
        // Whoever looks may use it: it may be a ConfigMap's.
        place.kpki(&["check-expiration", "--profiles", "clusters", "--at", NOW]).ok();
        place.kpki(&["profile", "validate", "clusters/k8s.yaml"]).ok();
    };
    chmod(&profile, 0o666);
    refused("clusters/k8s.yaml is not trusted: expected", &format!("chmod {}-w {}", others(&place), profile.display()));
    if others(&place) == "go" {
        chmod(&profile, 0o664);
        refused("mode 0664", &format!("chmod g-w {}", profile.display()));
    }
    chmod(&profile, 0o644);
    // A link is as good as what it leads to.
    fs::create_dir(place.path("open")).unwrap();
    chmod(&place.path("open"), 0o777);
    fs::rename(&profile, place.path("open/real.yaml")).unwrap();
    std::os::unix::fs::symlink("../open/real.yaml", &profile).unwrap();
    refused(
        "k8s.yaml is not trusted: because of ",
        &format!("chmod {}-w {}", others(&place), place.path("open").display()),
    );
    chmod(&place.path("open"), 0o755);
    if is_root(&place) {
        chmod(&place.path("clusters"), 0o1777);
        chown(place.path("open/real.yaml"), Some(NOBODY), None).unwrap();
        refused("k8s.yaml is not trusted: ", "chown root ");
        chown(place.path("open/real.yaml"), Some(0), None).unwrap();
        fs::remove_file(&profile).unwrap();
        fs::copy(place.path("open/real.yaml"), &profile).unwrap();
        chown(&profile, Some(NOBODY), None).unwrap();
        refused("clusters/k8s.yaml is not trusted: expected", &format!("chown root {}", profile.display()));
        chown(&profile, Some(0), None).unwrap();
        chmod(&place.path("clusters"), 0o755);
    }
    place.kpki(&["renew", "all", "--profiles", "clusters", "--at", NOW]).ok();
    assert!(place.path("ran").exists());
}

#[test]
fn the_program_of_a_hook_that_others_can_write_to_is_not_run() {
    let place = Place::new();
    let ran = place.path("ran");
    let hook = place.write("bin/hook", format!("#!/bin/sh\ntouch {}\n", ran.display()));
    let script = place.write("bin/script", format!("touch {}\n", ran.display()));
    chmod(&script, 0o644);
    for (at, command) in [
        (&hook, format!("pre: '{} a b'", hook.display())),
        (&hook, format!("post: ['{}']", hook.display())),
        (&hook, format!("deploy: {{default: 'true && {}'}}", hook.display())),
        (&script, format!("pre: sh {}", script.display())),
    ] {
        place.write("p.yaml", single(&format!("renewal: {{hooks: {{{command}}}}}\n")));
        chmod(&hook, 0o755);
        let _ = fs::remove_dir_all(place.path("k8s"));
        place.init(&["--profile", "p.yaml", "--dir", "k8s"]).ok();
        let renew = ["renew", "admin.conf", "apiserver", "--at", NOW, "--dir", "k8s"];
        let refused = |hint: &str| {
            let run = place.kpki(&renew).fails(1);
            assert!(!run.wrote && !ran.exists(), "{command}: {}", run.stderr);
            for said in ["a hook's program ", " is not trusted: ", "; nothing was changed", hint, "--no-hooks"] {
                assert!(run.stderr.contains(said), "{command}: {said}: {}", run.stderr);
            }
        };
        let mode = at.metadata().unwrap().permissions().mode() & 0o777;
        chmod(at, 0o777);
        refused(&format!("chmod {}-w {}", others(&place), at.display()));
        chmod(at, mode);
        chmod(&place.path("bin"), 0o777);
        refused(&format!("chmod {}-w {}", others(&place), place.path("bin").display()));
        chmod(&place.path("bin"), 0o755);
        if is_root(&place) {
            chown(at, Some(NOBODY), None).unwrap();
            refused(&format!("chown root {}", at.display()));
            chown(at, Some(0), None).unwrap();
        }
        place.kpki(&renew).ok();
        assert!(ran.exists(), "{command}");
        fs::remove_file(&ran).unwrap();
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
