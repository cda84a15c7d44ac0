//! `kpki unpack` on a node: what may replace what, and what a failed hook undoes.

use std::fs;

use super::harness::{NOW, Place};
use super::unpack::{DIR, PROFILE, YEAR, export, is_in_place, made, members, packed, renewed, unpack};

/// cp1 has a deploy hook that fails while FAIL is there, kills the run while KILL is there, and else succeeds.
fn with_hook() -> Place {
    let place = Place::new();
    let at = |name: &str| place.path(name).to_str().unwrap().to_owned();
    let hook = format!(
        "addresses: [10.0.0.1], hooks: {{deploy: {{etcd: 'test ! -e {} || kill -9 $PPID; test ! -e {}'}}}}",
        at("KILL"),
        at("FAIL")
    );
    let profile = PROFILE.replace("addresses: [10.0.0.1]", &hook);
    place.write("p.yaml", format!("{profile}renewal: {{onHookFailure: restore}}\n"));
    place.init(&["--profile", "p.yaml", "--dir", "c"]).ok();
    export(&place, "cp1", "cp1.tar", NOW);
    place
}

fn owed(place: &Place) -> bool {
    place.path(&format!("{DIR}/.kpki/owed.json")).exists()
}

#[test]
fn a_first_install_is_never_rolled_back_to_nothing() {
    let place = with_hook();
    place.write("FAIL", "");
    let run = unpack(&place, "cp1.tar", &[]).status(1);
    assert!(run.stdout.contains("The deploy hook of etcd failed"), "{}", run.stdout);
    assert!(!run.stdout.contains("restored"), "{}", run.stdout);
    assert!(run.stderr.contains("has nothing to restore: this run replaced no files"), "{}", run.stderr);
    is_in_place(&place, "cp1.tar");
    assert!(owed(&place));
    // The same again, and one that replaces: only this one is undone.
    unpack(&place, "cp1.tar", &[]).status(1);
    is_in_place(&place, "cp1.tar");
    renewed(&place);
    let run = unpack(&place, "new.tar", &["--at", YEAR]).status(1);
    assert!(run.stdout.contains("and restored the old ones"), "{}", run.stdout);
    is_in_place(&place, "cp1.tar");
    assert!(owed(&place));
    fs::remove_file(place.path("FAIL")).unwrap();
    unpack(&place, "new.tar", &["--at", YEAR]).ok();
    is_in_place(&place, "new.tar");
    assert!(!owed(&place));
}

/// A first install that was killed in its hook is no reason for a later run to take everything away.
#[test]
fn a_rollback_undoes_what_its_own_run_replaced() {
    for renews in [false, true] {
        let place = with_hook();
        place.write("KILL", "");
        unpack(&place, "cp1.tar", &[]).status(-1);
        is_in_place(&place, "cp1.tar");
        fs::remove_file(place.path("KILL")).unwrap();
        place.write("FAIL", "");
        if renews {
            let run = place.kpki(&["renew", "etcd-peer", "--dir", DIR, "--at", YEAR]).status(1);
            assert!(run.stdout.contains("restored"), "{}", run.stdout);
        } else {
            for gone in ["pki/etcd/peer.crt", "pki/etcd/peer.key"] {
                fs::remove_file(place.path(&format!("{DIR}/{gone}"))).unwrap();
            }
            let run = unpack(&place, "cp1.tar", &[]).status(1);
            assert!(run.stderr.contains("nothing to restore"), "{}", run.stderr);
        }
        is_in_place(&place, "cp1.tar");
        assert!(owed(&place));
    }
}

#[test]
fn the_recorded_node_counts() {
    let place = made(PROFILE);
    unpack(&place, "cp1.tar", &[]).ok();
    let before = place.files();
    for words in [&["--node", "cp2"][..], &["--node", "cp2", "--dry-run"], &["--node", "cp1"]] {
        let run = unpack(&place, "cp2.tar", words).fails(1);
        assert!(run.stderr.contains("are those of cp1, the archive's of cp2"), "{}", run.stderr);
        assert_eq!(place.files(), before);
    }
    // The manifest alone says it, too.
    fs::remove_dir_all(place.path(&format!("{DIR}/.kpki"))).unwrap();
    unpack(&place, "cp2.tar", &["--node", "cp2"]).fails(1);
    unpack(&place, "cp1.tar", &[]).ok();
    is_in_place(&place, "cp1.tar");
    // No --node: what is recorded says it, whatever the host is called.
    place.kpki(&["unpack", "cp1.tar", "--dir", DIR, "--at", NOW]).ok();
    place.kpki(&["unpack", "cp2.tar", "--dir", DIR, "--at", NOW]).fails(1);
    let run = unpack(&place, "cp2.tar", &["--node", "cp2", "--force"]).warns();
    assert!(run.stderr.contains("replaced all the same (--force)"), "{}", run.stderr);
    is_in_place(&place, "cp2.tar");
}

#[test]
fn what_the_node_has_renewed_stays_with_keep_newer() {
    let place = made(PROFILE);
    unpack(&place, "cp1.tar", &[]).ok();
    place.kpki(&["renew", "apiserver", "scheduler.conf", "--dir", DIR, "--at", YEAR, "-q"]).ok();
    let own = ["pki/apiserver.crt", "pki/apiserver.key", "scheduler.conf"].map(|path| format!("{DIR}/{path}"));
    let held = own.clone().map(|path| place.read(&path));
    // Something is new on the safe host that has to come to the node: a revocation, and another certificate.
    place.kpki(&["revoke", "cp1/etcd-peer", "--dir", "c", "--at", NOW, "--yes"]).ok();
    place.kpki(&["renew", "cp1/etcd-peer", "--dir", "c", "--at", NOW, "-q"]).ok();
    export(&place, "cp1", "new.tar", NOW);
    let run = unpack(&place, "new.tar", &["--at", YEAR]).fails(1);
    let hints: Vec<_> = run.stderr.lines().filter(|line| line.starts_with("hint: ")).collect();
    assert!(
        hints
            .first()
            .is_some_and(|hint| hint.ends_with(&format!(": kpki unpack new.tar --keep-newer --dir {DIR} --node cp1"))),
        "{hints:?}"
    );
    unpack(&place, "new.tar", &["--at", YEAR, "--keep-newer", "--force"]).fails(2);
    let run = unpack(&place, "new.tar", &["--at", YEAR, "--keep-newer"]).ok();
    for entry in ["apiserver", "scheduler.conf"] {
        assert!(run.stdout.contains(&format!("kept {entry}, newer here\n")), "{}", run.stdout);
    }
    assert_eq!(own.map(|path| place.read(&path)), held);
    for (path, (_, content)) in members(&place.path("new.tar")) {
        let kept = ["apiserver.crt", "apiserver.key", "scheduler.conf"].iter().any(|end| path.ends_with(end));
        assert!(
            kept || path.contains(".kpki/") || fs::read(place.path(&format!("n/{path}"))).unwrap() == content,
            "{path}"
        );
    }
    let again = unpack(&place, "new.tar", &["--at", YEAR, "--keep-newer"]).ok();
    assert!(again.stdout.starts_with("nothing to do: ") && !again.wrote, "{}", again.stdout);
    // An archive of an earlier state is none that only a part of is older.
    let run = unpack(&place, "cp1.tar", &["--at", YEAR, "--keep-newer"]).fails(1);
    assert!(run.stderr.contains("an archive of revision ") && !run.stderr.contains("--keep-newer"), "{}", run.stderr);
}

/// What would run a program, go another way or bring another profile on the node, and the manifest does not show.
#[test]
fn what_was_changed_since_it_was_packed_is_refused() {
    let place = made(PROFILE);
    let whole = members(&place.path("cp1.tar"));
    let name = |path: &str| format!("etc/kubernetes/{path}");
    let text = |path: &str| String::from_utf8(whole[&name(path)].1.clone()).unwrap();
    let nonce = text("kpki-node.json");
    let (_, nonce) = nonce.split_once("\"nonce\": \"").unwrap();
    let nonce = nonce.split('"').next().unwrap();
    let sa = text("pki/sa.key");
    let state = text(".kpki/state.json");
    for (says, path, from, to) in [
        ("its nonce is another", ".kpki/profile.yaml", "kind: ClusterProfile", "kind: ClusterProfile # x"),
        ("its nonce is another", "kpki-node.json", nonce, &"0".repeat(64)),
        ("its nonce is another", "kpki-node.json", "\"kind\":", "\"more\": 1, \"kind\":"),
        ("and nothing else", ".kpki/state.json", "\"advertiseAddress\": null", "\"advertiseAddress\": \"10.9.9.9\""),
        ("and nothing else", ".kpki/state.json", "\"kubeletDir\": null", "\"kubeletDir\": \"/root\""),
        ("found users.user.exec", "admin.conf", "  user:\n", "  user:\n    exec: {command: /bin/x}\n"),
        ("insecure-skip-tls-verify", "kubelet.conf", "    server:", "    insecure-skip-tls-verify: true\n    server:"),
        ("found clusters.cluster.proxy-url", "kubelet.conf", "    server:", "    proxy-url: http://x\n    server:"),
        ("expected one private key, found 2", "pki/apiserver.key", "-----BEGIN", &format!("{sa}-----BEGIN")),
    ] {
        let mut files = whole.clone();
        let old = text(path);
        let new = old.replacen(from, to, 1);
        assert_ne!(old, new, "{path}: {state}");
        files.get_mut(&name(path)).unwrap().1 = new.into_bytes();
        packed(&place, "bad.tar", &files, |_| ());
        for words in [&[][..], &["--force"], &["--dry-run"]] {
            let run = unpack(&place, "bad.tar", words).fails(1);
            assert!(run.stderr.contains(says), "{says}: {}", run.stderr);
        }
    }
    for gone in [&["state.json"][..], &["profile.yaml"], &["state.json", "profile.yaml"]] {
        let mut files = whole.clone();
        files.retain(|path, _| !gone.iter().any(|end| path.ends_with(end)));
        packed(&place, "bad.tar", &files, |_| ());
        let run = unpack(&place, "bad.tar", &[]).fails(1);
        assert!(run.stderr.contains("is missing, which the manifest names"), "{}", run.stderr);
    }
    let twice = fs::read(place.path("cp1.tar")).unwrap().repeat(2);
    place.write("bad.tar", twice);
    let run = unpack(&place, "bad.tar", &[]).fails(1);
    assert!(run.stderr.contains("nothing behind its end"), "{}", run.stderr);
    assert!(!place.path("n").exists());
}

/// What undoes a restore or a renewal works as it is printed.
#[test]
fn the_kubelets_directory_is_in_what_is_printed() {
    let place = made(PROFILE);
    unpack(&place, "cp1.tar", &[]).ok();
    let renewed = ["renew", "kubelet.conf", "kubelet-serving", "--dir", DIR, "--kubelet-dir", "n/var/lib/kubelet/pki"];
    let run = place.kpki(&[&renewed[..], &["--at", YEAR]].concat()).ok();
    let undo = |text: &str| text.lines().find_map(|line| line.strip_prefix("undo it with: kpki ")).unwrap().to_owned();
    let restored = place.kpki(&undo(&run.stdout).split(' ').collect::<Vec<_>>()).ok();
    is_in_place(&place, "cp1.tar");
    assert!(undo(&restored.stdout).ends_with(" --kubelet-dir n/var/lib/kubelet/pki"), "{}", restored.stdout);
    place.kpki(&undo(&restored.stdout).split(' ').collect::<Vec<_>>()).ok();
}

#[test]
fn after_a_failed_hook_everything_is_named_once() {
    let place = with_hook();
    place.write(
        "p.yaml",
        place.read("p.yaml").replace("hooks: {deploy: {etcd:", "hooks: {deploy: {default: 'exit 1', etcd:"),
    );
    place.kpki(&["init", "--profile", "p.yaml", "--dir", "c", "--at", NOW, "-q"]).status(0);
    export(&place, "cp1", "cp1.tar", NOW);
    for _ in 0..2 {
        unpack(&place, "cp1.tar", &[]).status(1);
    }
    let run = unpack(&place, "cp1.tar", &[]).status(1);
    let said = "An earlier run put these in place, and its hooks were not all run: ";
    let names = run.stdout.lines().find_map(|line| line.strip_prefix(said)).unwrap();
    let mut names: Vec<_> = names.split(", ").collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert!(all > 5 && names.len() == all, "{names:?}");
}

#[test]
fn a_broken_record_has_a_way_out() {
    let place = made(PROFILE);
    for file in ["unpacked.json", "state.json"] {
        unpack(&place, "cp1.tar", &[]).ok();
        place.write(&format!("{DIR}/.kpki/{file}"), "{");
        let run = unpack(&place, "cp1.tar", &[]).fails(1);
        assert!(!run.stderr.contains("--profile"), "{}", run.stderr);
        let command = run.stderr.lines().rev().find_map(|line| line.strip_prefix("hint: ")).unwrap();
        let (_, command) = command.rsplit_once(": ").unwrap();
        let status =
            std::process::Command::new("sh").args(["-c", command]).current_dir(place.path("")).status().unwrap();
        assert!(status.success(), "{command}");
        unpack(&place, "cp1.tar", &[]).ok();
    }
}
