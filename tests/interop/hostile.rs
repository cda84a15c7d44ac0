//! A machine that is not kind: full, read-only and foreign file systems, symlinks in the way, other users, odd umasks,
//! hostile names, twenty runs at once, no network.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::{Made, Ran, SMALL, kpki, mode, program, run, say, scratch, write};
use crate::tree::{open_keys, rests, snapshot, whole};

/// `kpki init` of the small profile, with `before` in front of it.
fn init_by(before: &mut Command, profile: &Path, dir: &Path) -> Ran {
    run(before.arg(env!("CARGO_BIN_EXE_kpki")).arg("init").arg("-p").arg(profile).arg("-d").arg(dir))
}

fn init(profile: &Path, dir: &Path) -> Ran {
    run(kpki().arg("init").arg("-p").arg(profile).arg("-d").arg(dir))
}

fn is_whole(dir: &Path) -> Result<(), String> {
    whole(dir, &dir.join("kubelet"))
}

/// Exit 1, an error with a path in it, and a hint about nothing else than the truth.
#[track_caller]
fn refused(ran: Ran, path: &Path) {
    let ran = ran.expect_code(1, path.display());
    let said = format!("error: {}", ran.err.split_once("error: ").map(|(_, rest)| rest).unwrap_or_default());
    assert!(said.contains(path.to_str().unwrap()), "no word of {}: {}", path.display(), ran.err);
}

/// Unmounts when the test is over.
pub struct Mounted(PathBuf);

impl Mounted {
    pub fn new(place: &Path, words: &[&str]) -> Self {
        fs::create_dir_all(place).unwrap();
        run(program("mount").args(words).arg(place)).expect_ok("mount (needs root)");
        Self(place.to_path_buf())
    }

    pub fn again(&self, options: &str) {
        run(program("mount").args(["-o", &format!("remount,{options}")]).arg(&self.0)).expect_ok("mount -o remount");
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        run(program("umount").arg("-l").arg(&self.0));
    }
}

#[test]
fn no_network_is_needed() {
    let place = scratch();
    let profile = write(place.path().join("p.yaml"), SMALL);
    let dir = place.path().join("tree");
    init_by(program("unshare").arg("-n"), &profile, &dir).expect_ok("unshare -n");
    is_whole(&dir).unwrap();
}

/// From "nothing fits" to "everything fits", in steps of one page.
#[test]
fn a_full_disk_leaves_no_half_tree() {
    let place = scratch();
    let profile = write(place.path().join("p.yaml"), SMALL);
    for mounted_is_tree in [false, true] {
        let (mut failed, mut made) = (0, 0);
        for size in (2..80).map(|pages| pages * 4) {
            let mount = place.path().join("small");
            let small = Mounted::new(&mount, &["-t", "tmpfs", "-o", &format!("size={size}k,mode=0755"), "tmpfs"]);
            let dir = if mounted_is_tree { mount.clone() } else { mount.join("tree") };
            let before = snapshot(&mount);
            let ran = init(&profile, &dir);
            assert!(open_keys(&mount).is_empty());
            let marked = dir.join(".kpki/commit").exists();
            if ran.ok() {
                is_whole(&dir).unwrap();
                made += 1;
            } else {
                failed += 1;
                assert!(ran.err.contains("o space left"), "{size}k: {}", ran.err);
                refused(ran, &mount);
                if !marked {
                    assert_eq!(snapshot(&mount), before, "{size}k: something was left behind");
                }
                small.again("size=4m");
                init(&profile, &dir).expect_ok(format_args!("{size}k, with room again"));
                is_whole(&dir).unwrap();
            }
            assert_eq!(rests(&mount), Vec::<PathBuf>::new(), "{size}k");
            if made == 3 {
                break;
            }
        }
        assert!(failed > 5 && made == 3, "{failed} {made}");
    }
}

#[test]
fn a_read_only_file_system_is_told() {
    let place = scratch();
    let profile = write(place.path().join("p.yaml"), SMALL);
    let fixed = place.path().join("fixed");
    fs::create_dir(&fixed).unwrap();
    init(&profile, &fixed.join("there")).expect_ok("before");
    fs::create_dir(fixed.join("brought")).unwrap();
    write(fixed.join("brought/pki/readme"), "mine");
    let before = snapshot(&fixed);
    let mounted = Mounted::new(&fixed, &["--bind", fixed.to_str().unwrap()]);
    mounted.again("ro,bind");
    for below in ["new", "a/b/new", "brought"] {
        let ran = init(&profile, &fixed.join(below));
        assert!(ran.err.to_lowercase().contains("read-only"), "{}", ran.err);
        refused(ran, &fixed);
    }
    assert_eq!(snapshot(&fixed), before);
    drop(mounted);
    init(&profile, &fixed.join("new")).expect_ok("writable again");
}

/// A tree that is there and fits needs no write access.
#[test]
fn nothing_to_do_needs_nothing_to_write() {
    let place = scratch();
    let profile = write(place.path().join("p.yaml"), SMALL);
    let fixed = place.path().join("fixed");
    fs::create_dir(&fixed).unwrap();
    init(&profile, &fixed.join("tree")).expect_ok("before");
    let mounted = Mounted::new(&fixed, &["--bind", fixed.to_str().unwrap()]);
    mounted.again("ro,bind");
    // Either is honest; a half way is not.
    let ran = init(&profile, &fixed.join("tree"));
    assert!(ran.ok() && ran.out.contains("nothing to do") || ran.err.to_lowercase().contains("read-only"), "{ran:?}");
    let dry = run(kpki().args(["init", "--dry-run", "-p"]).arg(&profile).arg("-d").arg(fixed.join("tree")));
    assert!(dry.ok() || dry.err.to_lowercase().contains("read-only"), "{dry:?}");
}

#[test]
fn symlinks_in_the_way_are_not_followed() {
    let kinds: [(&str, &str); 6] = [
        ("pki", "directory"),
        ("pki/etcd", "directory"),
        (".kpki", "directory"),
        ("pki/apiserver.crt", "file"),
        ("pki/sa.key", "nothing"),
        ("admin.conf", "file"),
    ];
    for (below, kind) in kinds {
        let place = scratch();
        let profile = write(place.path().join("p.yaml"), SMALL);
        let (dir, elsewhere) = (place.path().join("tree"), place.path().join("elsewhere"));
        match kind {
            "directory" => fs::create_dir(&elsewhere).unwrap(),
            "file" => drop(write(&elsewhere, "somebody's")),
            _ => {}
        }
        let link = dir.join(below);
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        symlink(&elsewhere, &link).unwrap();
        let before = snapshot(place.path());
        refused(init(&profile, &dir), &link);
        assert_eq!(snapshot(place.path()), before, "{below}");
    }
}

/// The directory itself may be a symlink: the user named it.
#[test]
fn the_directory_itself_may_be_a_symlink_to_a_directory() {
    let place = scratch();
    let profile = write(place.path().join("p.yaml"), SMALL);
    let (real, link) = (place.path().join("real"), place.path().join("link"));
    fs::create_dir(&real).unwrap();
    symlink(&real, &link).unwrap();
    init(&profile, &link).expect_ok("a symlink as DIR");
    is_whole(&real).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink(), "the symlink was replaced");
    let dangling = place.path().join("dangling");
    symlink(place.path().join("nowhere"), &dangling).unwrap();
    refused(init(&profile, &dangling), &dangling);
    assert!(!place.path().join("nowhere").exists());
}

pub struct Immutable(pub PathBuf);

impl Drop for Immutable {
    fn drop(&mut self) {
        run(program("chattr").arg("-i").arg(&self.0));
    }
}

#[test]
fn an_immutable_place_is_told() {
    let place = scratch();
    let profile = write(place.path().join("p.yaml"), SMALL);
    let dir = place.path().join("tree");
    write(dir.join("pki/readme"), "mine");
    let tried = run(program("chattr").arg("+i").arg(dir.join("pki")));
    if !tried.ok() {
        // A file system that has no such attribute, not a missing program.
        eprintln!("no immutable files on the file system of {}: {}", dir.display(), tried.err);
        return;
    }
    let guard = Immutable(dir.join("pki"));
    let before = snapshot(&dir);
    refused(init(&profile, &dir), &dir);
    assert_eq!(snapshot(&dir), before);
    drop(guard);
    init(&profile, &dir).expect_ok("mutable again");
    is_whole(&dir).unwrap();
}

/// kpki where everybody may run it.
fn public_kpki(place: &Path) -> PathBuf {
    let path = place.join("kpki");
    fs::copy(env!("CARGO_BIN_EXE_kpki"), &path).unwrap();
    mode(&path, 0o755);
    path
}

/// Files one may not read are named as unreadable; the others are judged all the same.
#[test]
fn a_user_without_rights_sees_what_may_be_seen() {
    let place = scratch();
    let profile = write(place.path().join("p.yaml"), SMALL);
    let tree = place.path().join("tree");
    init(&profile, &tree).expect_ok("as root");
    let mut command = program("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(public_kpki(place.path()));
    let ran = run(command.args(["check-expiration", "-o", "csv"]).arg(&tree)).expect_code(4, "without rights");
    let state = |name: &str, state: &str| ran.out.lines().any(|line| line.contains(name) && line.contains(state));
    assert!(state("admin.conf", "unreadable") && state("apiserver,", "ok"), "{}", ran.out);
}

#[test]
fn a_user_without_rights_gets_an_error_and_one_with_rights_a_tree() {
    let place = scratch();
    let profile = write(place.path().join("p.yaml"), SMALL);
    let binary = public_kpki(place.path());
    let nobody = |dir: &Path| {
        let mut command = program("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&binary);
        run(command.arg("init").arg("-p").arg(&profile).arg("-d").arg(dir))
    };
    let (root, own) = (place.path().join("root"), place.path().join("own"));
    fs::create_dir(&root).unwrap();
    fs::create_dir(&own).unwrap();
    std::os::unix::fs::chown(&own, Some(65534), Some(65534)).unwrap();

    init(&profile, &root.join("tree")).expect_ok("as root");
    let before = snapshot(&root);
    refused(nobody(&root.join("new")), &root);
    refused(nobody(&root.join("tree")), &root);
    assert_eq!(snapshot(&root), before);

    nobody(&own.join("tree")).expect_ok("in a directory of its own");
    is_whole(&own.join("tree")).unwrap();
    for file in crate::support::files(&own) {
        assert_eq!(fs::metadata(&file).unwrap().uid(), 65534, "{}", file.display());
    }
}

fn modes(dir: &Path) -> Vec<(PathBuf, u32)> {
    let mut modes: Vec<_> = walkdir::WalkDir::new(dir)
        .into_iter()
        .map(Result::unwrap)
        .map(|entry| {
            let path = entry.path().strip_prefix(dir).unwrap().to_path_buf();
            (path, entry.metadata().unwrap().permissions().mode() & 0o7777)
        })
        .collect();
    modes.sort();
    modes
}

#[test]
fn the_umask_changes_nothing() {
    let place = scratch();
    let profile = write(place.path().join("p.yaml"), SMALL);
    let mut all = Vec::new();
    for (i, umask) in ["022", "000", "077", "777"].into_iter().enumerate() {
        for merge in [false, true] {
            let dir = place.path().join(format!("tree-{i}-{merge}"));
            if merge {
                write(dir.join("notes"), "mine");
            }
            let mut shell = program("sh");
            shell.args(["-c", &format!("umask {umask}; exec \"$@\""), "sh"]);
            init_by(&mut shell, &profile, &dir).expect_ok(format_args!("umask {umask}"));
            is_whole(&dir).unwrap();
            fs::remove_file(dir.join("notes")).ok();
            let mut found = modes(&dir);
            found.retain(|(path, _)| !path.ends_with(".kpki/lock"));
            for (path, _) in &mut found {
                // The name of a generation is the second it was made in.
                if let Ok(below) = path.strip_prefix(".kpki/generations") {
                    let inside: PathBuf = below.iter().skip(1).collect();
                    if below.iter().next().is_some() {
                        *path = Path::new(".kpki/generations/G").join(inside).components().collect();
                    }
                }
            }
            all.push((umask, merge, found));
        }
    }
    let (_, _, first) = &all[0];
    for (umask, merge, found) in &all {
        assert_eq!(found, first, "umask {umask}, merge {merge}");
    }
    for (path, mode) in first {
        let name = path.to_string_lossy();
        let expected = match () {
            () if [".kpki", ".kpki/generations", ".kpki/generations/G"].contains(&&*name) => 0o700,
            () if name.ends_with(".key")
                || name.ends_with(".conf")
                || name.ends_with("sa.pub")
                || name.contains(".kpki/") =>
            {
                0o600
            }
            () if name.ends_with(".crt") => 0o644,
            () => 0o755,
        };
        assert_eq!(*mode, expected, "{name}");
    }
}

#[test]
fn hostile_profiles_are_refused_and_write_nothing() {
    let node = |name: &str| {
        format!("apiVersion: kpki/v1\nkind: ClusterProfile\nnodes:\n  - name: {name}\n    addresses: [10.0.0.1]\n")
    };
    let extra = |rest: &str| format!("{SMALL}extraCertificates:\n  - name: extra\n    usages: [client]\n    {rest}\n");
    let hostile = [
        node("../../etc"),
        node("'a/b'"),
        node("'..'"),
        node("'.'"),
        node("\"a\\0b\""),
        node("\"a\\nb\""),
        node("\"a\\x1b[31m\""),
        node("'-rf'"),
        node("''"),
        node(&"a".repeat(300)),
        node("CP1"),
        extra("path: /etc/passwd"),
        extra("path: ../../escape"),
        extra("path: a/../../escape"),
        extra("path: pki/../ca"),
        extra("path: ca"),
        extra("path: etcd/ca"),
        extra("path: \"a\\0b\""),
        extra("path: .kpki/lock"),
        extra("path: apiserver"),
        extra("commonName: \"evil\\0.example.com\""),
        extra("certSANs: [\"a\\nb\"]"),
        extra("certSANs: [\"*\"]"),
        format!("{SMALL}certificatesDir: ../../x\n"),
        format!("{SMALL}certificatesDir: /etc/kubernetes/../../x\n"),
        format!("{SMALL}clusterName: \"a\\nb: c\"\n"),
        format!("{SMALL}clusterName: a: b\n"),
        format!("{SMALL}unknown: 1\n"),
        "a: &a [*a, *a]\n".to_owned(),
        "{".repeat(100_000),
        String::new(),
        "\0\0\0\0".to_owned(),
    ];
    for (i, text) in hostile.iter().enumerate() {
        let place = scratch();
        let outer = place.path().join("outer");
        fs::create_dir(&outer).unwrap();
        let profile = write(place.path().join("p.yaml"), text);
        let before = snapshot(place.path());
        let shown: String = text.chars().take(400).collect();
        let ran = init(&profile, &outer.join("tree")).expect_code(2, format_args!("profile {i}: {shown}"));
        assert!(ran.err.contains("error: "), "profile {i}: {shown}: {}", ran.err);
        assert!(!ran.err.contains('\x1b') && !ran.err.contains("panicked"), "profile {i}: {}", ran.err);
        assert_eq!(snapshot(place.path()), before, "profile {i}: {shown}");
    }
}

fn together(count: usize, existing: bool) {
    let place = scratch();
    let profile = write(place.path().join("p.yaml"), SMALL);
    let dir = place.path().join("tree");
    if existing {
        write(dir.join("notes"), "mine");
    }
    let children: Vec<_> = (0..count)
        .map(|_| {
            kpki()
                .arg("init")
                .arg("-p")
                .arg(&profile)
                .arg("-d")
                .arg(&dir)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut created = 0;
    for child in children {
        let output = child.wait_with_output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        match output.status.code() {
            Some(0) if out.starts_with("created") => created += 1,
            Some(0) => assert!(out.starts_with("nothing to do"), "{out}"),
            Some(1) => {
                let clear = err.contains("error: ") && err.contains(dir.to_str().unwrap()) && err.contains("hint: ");
                assert!(clear, "{err}");
            }
            other => panic!("{other:?}: {out} {err}"),
        }
    }
    assert_eq!(created, 1, "of {count} runs");
    is_whole(&dir).unwrap();
    assert_eq!(rests(place.path()), Vec::<PathBuf>::new());
    let again = init(&profile, &dir).expect_ok("afterwards");
    assert!(again.out.starts_with("nothing to do"), "{}", again.out);
}

#[test]
fn two_runs_at_once_make_one_tree() {
    for _ in 0..5 {
        together(2, false);
        together(2, true);
    }
}

#[test]
fn twenty_runs_at_once_make_one_tree() {
    together(20, false);
    together(20, true);
}

/// What was there and is nobody's of kpki's stays, byte for byte.
#[test]
fn strangers_files_stay() {
    let place = scratch();
    let profile = write(place.path().join("p.yaml"), SMALL);
    let dir = place.path().join("tree");
    write(dir.join("manifests/kube-apiserver.yaml"), "mine");
    write(dir.join("pki/own.crt"), "mine");
    mode(&dir.join("pki/own.crt"), 0o640);
    let before = snapshot(&dir);
    init(&profile, &dir).expect_ok("around a stranger's files");
    let after = snapshot(&dir);
    for (path, facts) in before {
        assert_eq!(after.get(&path), Some(&facts), "{}", path.display());
    }
}

/// A whole cluster directory is taken as whole by what it was made for: each node's tree is complete by itself.
#[test]
fn a_nodes_tree_can_be_carried_away() {
    let tree = Made::from(&crate::support::project("profiles/ha-load-balancer.yaml"), &[]);
    let place = scratch();
    let there = place.path().join("kubernetes");
    say("cp", ["-a", tree.path("nodes/cp2").to_str().unwrap(), there.to_str().unwrap()]);
    let verify = |file: &str| {
        say(
            "openssl",
            ["verify", "-CAfile", there.join("pki/ca.crt").to_str().unwrap(), there.join(file).to_str().unwrap()],
        )
    };
    for file in ["pki/apiserver.crt", "pki/apiserver-kubelet-client.crt", "kubelet/kubelet.crt"] {
        verify(file);
    }
}
