//! SIGHUP, SIGINT and SIGTERM in the middle of a run.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::harness::{Place, single, tree};

const LATER: &str = "2026-11-21T00:00:00Z";
const ALL: [(&str, Signal, i32); 3] =
    [("HUP", Signal::HUP, 129), ("INT", Signal::INT, 130), ("TERM", Signal::TERM, 143)];

/// Those that this process does not ignore, because what it starts then ignores them, too: a shell ignores SIGINT for what it
/// runs in the background.
fn all() -> impl Iterator<Item = (&'static str, Signal, i32)> {
    ALL.into_iter().filter(|(_, signal, _)| !mask("self", "SigIgn", *signal))
}

/// A tree with these hooks. LOG: a file; STOP: the hook sends the signal to kpki, and then does not end by itself.
fn made(signal: &str, hooks: &str) -> Place {
    let place = Place::new();
    let stop = format!("echo $$ >> LOG.pids; sleep 10000 & echo $! >> LOG.pids; kill -{signal} $PPID; wait; wait");
    let hooks = hooks.replace("STOP", &stop).replace("LOG", place.path("log").to_str().unwrap());
    place.write("p.yaml", single(&format!("renewal:\n{hooks}")));
    place.init(&["--profile", "p.yaml", "--dir", "k8s"]).ok();
    place
}

/// Nothing that the hooks started is alive. A zombie waits for the first process of the machine.
fn hooks_are_gone(place: &Place) {
    let pids = place.read("log.pids");
    assert_eq!(pids.lines().count(), 2);
    for pid in pids.lines() {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
        let alive = stat.is_ok_and(|stat| !stat.rsplit_once(") ").unwrap().1.starts_with(['Z', 'X']));
        assert!(!alive, "{pid} is alive");
    }
}

/// Everything but the lock, which stays where there is a tree.
fn seen(place: &Place) -> std::collections::BTreeMap<String, (u32, Vec<u8>)> {
    let mut files = tree(&place.path("k8s"));
    files.retain(|name, _| name != ".kpki/lock");
    files
}

#[test]
fn in_the_pre_hook_nothing_is_changed() {
    for (signal, _, status) in all() {
        let place = made(signal, "  hooks: {pre: 'STOP', post: 'echo post >> LOG'}\n");
        let before = seen(&place);
        let run = place.kpki(&["renew", "all", "--dir", "k8s", "--at", LATER]).status(status);
        assert!(
            run.stderr.contains(&format!("the pre hook failed: stopped by SIG{signal}; nothing was changed")),
            "{}",
            run.stderr
        );
        assert_eq!(before, seen(&place));
        assert!(!place.path("log").exists(), "as after any other failure of the pre hook");
        hooks_are_gone(&place);
        place.kpki(&["renew", "all", "--no-hooks", "--dir", "k8s", "--at", LATER, "--lock-timeout", "1s"]).ok();
    }
}

#[test]
fn in_a_deploy_hook_the_renewal_stays_and_the_next_run_tells_the_rest() {
    for (signal, _, status) in all() {
        for more in ["", "  onHookFailure: restore\n"] {
            let hooks = "  hooks: {deploy: {etcd: 'echo etcd >> LOG', kube-apiserver: 'echo api >> LOG; test -e LOG.go || { STOP; }'}, \
                         post: 'echo post $KPKI_RESULT >> LOG'}\n";
            let place = made(signal, &format!("{more}{hooks}"));
            let old = place.read("k8s/pki/apiserver.crt");
            let words = ["renew", "apiserver", "etcd-server", "--dir", "k8s", "--at", LATER];
            let run = place.kpki(&words).status(status);
            let said = format!("deploy hook of kube-apiserver failed: stopped by SIG{signal}");
            assert!(run.stdout.contains(&said), "{}", run.stdout);
            let new = place.read("k8s/pki/apiserver.crt");
            assert_ne!(old, new, "{more}");
            assert_eq!(place.read("log"), "etcd\napi\n");
            hooks_are_gone(&place);
            // Nothing is due but the hooks.
            place.write("log.go", "");
            place.kpki(&["renew", "all", "--due", "--dir", "k8s", "--at", LATER, "--lock-timeout", "1s"]).ok();
            assert_eq!(place.read("log"), "etcd\napi\napi\npost renewed\n");
            assert_eq!(new, place.read("k8s/pki/apiserver.crt"));
            place.kpki(&["renew", "all", "--due", "--dir", "k8s", "--at", LATER]).ok();
            assert_eq!(place.read("log").lines().count(), 4);
        }
    }
}

#[test]
fn in_the_post_hook_all_hooks_stay_due() {
    let place = made("TERM", "  hooks: {deploy: {etcd: 'echo etcd >> LOG'}, post: 'test -e LOG.go || { STOP; }'}\n");
    place.kpki(&["renew", "etcd-server", "--dir", "k8s", "--at", LATER]).status(143);
    hooks_are_gone(&place);
    place.write("log.go", "");
    place.kpki(&["renew", "all", "--due", "--dir", "k8s", "--at", LATER]).ok();
    assert_eq!(place.read("log"), "etcd\netcd\n");
    assert!(!place.path("k8s/.kpki/owed.json").exists());
}

fn plain() -> Place {
    let place = Place::new();
    place.write("p.yaml", single(""));
    place.init(&["--profile", "p.yaml", "--dir", "k8s"]).ok();
    place
}

/// Whether the mask of this name in `/proc/PID/status` has the signal.
fn mask(process: &str, field: &str, signal: Signal) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let mask = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':')).unwrap().trim().to_owned();
    u64::from_str_radix(&mask, 16).unwrap() >> (signal.as_raw() - 1) & 1 == 1
}

/// A run that waits for the lock, which the test holds, once it handles signals.
fn waiting(place: &Place, lock: &Path, before: &str) -> (Child, fs::File) {
    let held = fs::File::options().create(true).truncate(false).write(true).open(lock).unwrap();
    rustix::fs::flock(&held, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let words = format!("{before} exec \"$0\" renew all --dir k8s --at {LATER} --allow-future --lock-timeout 1h");
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &words, env!("CARGO_BIN_EXE_kpki")]).current_dir(place.path(""));
    command.env_clear().process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut run = command.spawn().unwrap();
    while !mask(&run.id().to_string(), "SigCgt", Signal::TERM) {
        assert_eq!(run.try_wait().unwrap(), None, "it ended");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    (run, held)
}

#[test]
fn a_wait_for_the_lock_is_ended() {
    let place = plain();
    for (_, signal, status) in all() {
        let before = seen(&place);
        let (run, _held) = waiting(&place, &place.path("k8s/.kpki/lock"), "");
        kill_process(Pid::from_child(&run), signal).unwrap();
        assert_eq!(run.wait_with_output().unwrap().status.code(), Some(status));
        assert_eq!(before, seen(&place));
    }
}

#[test]
fn what_was_ignored_stays_ignored() {
    let place = plain();
    let from_here = mask("self", "SigIgn", Signal::HUP);
    for (before, ignored) in [("trap '' HUP;", true), ("", from_here)] {
        let (run, _held) = waiting(&place, &place.path("k8s/.kpki/lock"), before);
        let pid = run.id().to_string();
        assert_eq!((mask(&pid, "SigIgn", Signal::HUP), mask(&pid, "SigCgt", Signal::HUP)), (ignored, !ignored));
        kill_process(Pid::from_child(&run), Signal::TERM).unwrap();
        assert_eq!(run.wait_with_output().unwrap().status.code(), Some(143));
    }
}
