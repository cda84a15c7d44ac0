//! SIGTERM at every system call of a run: the tree is the old one or the new one, the exit status says so, and nothing is left
//! behind. Ctrl-C at a password prompt. Who may look into the process.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::faults;
use crate::support::{Ran, SMALL, kpki, mode, program, project, quick_scratch, run, say, scratch, write};
use crate::tree::{open_keys, rests, snapshot, whole};

/// Everything that reads or changes the disk, waits, or begins or ends something.
const CALLS: [&str; 24] = [
    "openat",
    "read",
    "write",
    "pwrite64",
    "fsync",
    "renameat",
    "renameat2",
    "rename",
    "mkdirat",
    "unlinkat",
    "linkat",
    "fchmod",
    "fchown",
    "flock",
    "statx",
    "newfstatat",
    "getdents64",
    "close",
    "poll",
    "futex",
    "clone3",
    "clone",
    "waitid",
    "exit_group",
];
const ENOUGH: usize = 3000;
const HOOKS: &str = "\
renewal:
  hooks:
    pre: 'echo pre >> LOG'
    deploy: {default: 'echo deploy >> LOG'}
    post: 'echo post $KPKI_RESULT >> LOG'
";

#[derive(Debug, Clone, Copy, PartialEq)]
enum Verb {
    /// Where there is no tree.
    Init,
    /// Around an authority that exists.
    Merge,
    Renew,
    Revoke,
    /// One file.
    Convert,
    /// A directory.
    Parts,
}

struct Spot {
    root: PathBuf,
    template: PathBuf,
    verb: Verb,
}

impl Spot {
    fn dir(&self) -> PathBuf {
        self.root.join("tree")
    }

    fn log(&self) -> Vec<String> {
        let log = fs::read_to_string(self.root.join("log")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }

    fn prepare(&self) {
        faults::copied(&self.template, &self.root);
        let tree = self.dir();
        match self.verb {
            Verb::Init => fs::remove_dir_all(&tree).unwrap(),
            Verb::Merge => {
                let keep = ["ca.crt", "ca.key"].map(|name| (name, fs::read(tree.join("pki").join(name)).unwrap()));
                fs::remove_dir_all(&tree).unwrap();
                for (name, bytes) in keep {
                    let path = write(tree.join("pki").join(name), bytes);
                    mode(&path, if name.ends_with("key") { 0o600 } else { 0o644 });
                }
            }
            _ => {}
        }
    }

    fn words(&self, command: &mut Command) {
        let tree = self.dir();
        match self.verb {
            Verb::Init | Verb::Merge => {
                command.args(["init", "--profile"]).arg(self.root.join("profile.yaml")).arg("--dir").arg(tree);
            }
            Verb::Renew => _ = command.args(["renew", "all", "--dir"]).arg(tree),
            Verb::Revoke => _ = command.args(["revoke", "apiserver", "--reason", "superseded", "--dir"]).arg(tree),
            Verb::Convert => {
                command
                    .arg("convert")
                    .arg(tree.join("pki/ca.key"))
                    .args(["--to", "pkcs8", "--out"])
                    .arg(self.root.join("ca.pem"));
            }
            Verb::Parts => {
                let out = self.root.join("parts/");
                command.arg("convert").arg(tree.join("admin.conf")).args(["--to", "parts", "--out"]).arg(out);
            }
        }
    }

    /// What the verb makes is there as a whole.
    fn complete(&self) -> Result<(), String> {
        let lines = |path: &str| fs::read_to_string(self.root.join(path)).map(|text| text.lines().count());
        let is = |holds: bool, what: &str| if holds { Ok(()) } else { Err(what.to_owned()) };
        match self.verb {
            Verb::Convert => is(lines("ca.pem").is_ok_and(|lines| lines == 5), "not a key"),
            Verb::Parts => is(
                ["ca.crt", "client.crt", "client.key"].iter().all(|name| self.root.join("parts").join(name).exists()),
                "parts",
            ),
            Verb::Revoke => is(self.dir().join("pki/ca.crl").exists(), "no CRL")
                .and_then(|()| whole(&self.dir(), &self.dir().join("kubelet"))),
            _ => whole(&self.dir(), &self.dir().join("kubelet")),
        }
    }
}

/// What is wrong after a run that a signal met.
fn wrong(
    spot: &Spot,
    before: &std::collections::BTreeMap<PathBuf, (u32, u32, u32, Vec<u8>)>,
    ran: &Ran,
) -> Option<String> {
    let mut after = snapshot(&spot.root);
    let log = spot.log();
    after.remove(Path::new("log"));
    let old = after == *before;
    // Before signals are handled nothing has begun.
    if ran.signal == Some(15) {
        return (!old || !log.is_empty()).then(|| "killed, but something is different".to_owned());
    }
    if ran.code != Some(143) {
        return Some(format!("exit status {:?}: {}", ran.code, ran.err));
    }
    let rests = rests(&spot.root);
    if !rests.is_empty() || !open_keys(&spot.root).is_empty() {
        return Some(format!("left behind: {rests:?}"));
    }
    let new = spot.complete();
    if !old && new.is_err() {
        let differs: Vec<_> =
            after.iter().filter(|(path, file)| before.get(*path) != Some(file)).map(|(path, _)| path).take(5).collect();
        return Some(format!("neither old nor new ({new:?}): {differs:?} {}", ran.err));
    }
    if spot.verb == Verb::Renew {
        let pre = log.iter().any(|line| line == "pre");
        // A pre hook that was ended itself is no different from one that failed.
        let ended = ran.err.contains("the pre hook failed");
        if old && pre && !ended && !log.contains(&"post failed".to_owned()) {
            return Some(format!("nothing undid what pre did: {log:?} {}", ran.err));
        }
        if !old {
            let mut again = kpki();
            again.args(["renew", "all", "--due", "--lock-timeout", "2s", "--dir"]).arg(spot.dir());
            let again = run(&mut again);
            if !again.ok()
                || spot.log().last().map(String::as_str) != Some("post renewed")
                || !spot.log().contains(&"deploy".to_owned())
            {
                return Some(format!("the hooks that were due did not run: {again:?} {:?}", spot.log()));
            }
        }
    }
    None
}

fn sweep(verb: Verb) {
    let area = quick_scratch();
    let spot = Spot { root: area.path().join("box"), template: area.path().join("template"), verb };
    let log = spot.root.join("log");
    let profile = format!("{SMALL}{}", HOOKS.replace("LOG", log.to_str().unwrap()));
    let profile = write(spot.template.join("profile.yaml"), profile);
    run(kpki().args(["init", "--profile"]).arg(profile).arg("--dir").arg(spot.template.join("tree"))).expect_ok("init");
    let (mut hits, mut news, mut complaints) = (0, 0, Vec::new());
    for call in CALLS {
        for n in 1..ENOUGH {
            spot.prepare();
            let before = snapshot(&spot.root);
            let trace = area.path().join("trace");
            let mut strace = program("strace");
            // The main thread: the commands it runs are not met.
            strace.args(["-qq", "-o"]).arg(&trace).args(["-e", &format!("trace={call}"), "-e"]);
            strace.arg(format!("inject={call}:signal=SIGTERM:when={n}")).arg(env!("CARGO_BIN_EXE_kpki"));
            spot.words(&mut strace);
            let ran = run(&mut strace);
            if !fs::read_to_string(&trace).unwrap().contains("SIGTERM") {
                assert!(ran.ok(), "{verb:?} {call} {n}: no signal, but {ran:?}");
                break;
            }
            hits += 1;
            news += usize::from(spot.complete().is_ok() && snapshot(&spot.root) != before);
            complaints.extend(wrong(&spot, &before, &ran).map(|why| format!("{verb:?} {call} {n}: {why}")));
        }
    }
    eprintln!("{verb:?}: {hits} signals, {news} of them after the work was done");
    assert!(
        complaints.is_empty(),
        "{} of {hits}: {:#?}",
        complaints.len(),
        complaints.iter().take(20).collect::<Vec<_>>()
    );
    assert!(hits > 50 && news > 0 && news < hits, "{hits} signals, {news} new");
}

#[test]
fn a_signal_at_every_step_of_a_new_tree() {
    sweep(Verb::Init);
}

#[test]
fn a_signal_at_every_step_of_a_merge() {
    sweep(Verb::Merge);
}

#[test]
fn a_signal_at_every_step_of_a_renewal() {
    sweep(Verb::Renew);
}

#[test]
fn a_signal_at_every_step_of_a_revocation() {
    sweep(Verb::Revoke);
}

#[test]
fn a_signal_at_every_step_of_a_conversion() {
    sweep(Verb::Convert);
    sweep(Verb::Parts);
}

/// (exit status, the terminal echoes)
#[test]
fn a_prompt_gives_the_terminal_back() {
    let place = scratch();
    let path = |name: &str| place.path().join(name).to_str().unwrap().to_owned();
    say("openssl", ["ecparam", "-genkey", "-noout", "-name", "prime256v1", "-out", &path("plain")]);
    say("openssl", ["pkcs8", "-topk8", "-in", &path("plain"), "-out", &path("locked"), "-passout", "pass:secret"]);
    let script = project("tests/interop/prompt.py");
    for (send, status) in [
        ("\\x03", "130"),
        ("SIGINT", "130"),
        ("SIGTERM", "143"),
        ("SIGHUP", "129"),
        ("secret\\n", "0"),
        ("wrong\\n", "1"),
        ("\\x04", "1"),
    ] {
        let out = path("out");
        let ran = run(program("python3")
            .arg(&script)
            .args([send, env!("CARGO_BIN_EXE_kpki"), "convert", &path("locked")])
            .args(["--to", "pkcs8", "--out", &out]));
        let said: Vec<&str> = ran.out.lines().collect();
        assert_eq!(said.get(..2), Some(&[status, "True"][..]), "{send}: {ran:?}");
        assert!(!ran.out.contains("secret") && !ran.out.contains("wrong\\r"), "{send}: it was echoed: {ran:?}");
        assert_eq!(fs::remove_file(&out).is_ok(), status == "0", "{send}");
    }
}

/// The files of a process that is not dumpable belong to root.
#[test]
fn only_root_looks_into_the_process_but_into_its_hooks_their_user_may() {
    const USER: u32 = 65534;
    let place = scratch();
    let log = place.path().join("log");
    let look = |name: &str, pid: &str| format!("stat -c '{name} %u' /proc/{pid}/environ >> {}", log.display());
    let hook = format!("{}; {}", look("kpki", "$PPID"), look("hook", "$$"));
    write(place.path().join("profile.yaml"), format!("{SMALL}renewal:\n  hooks:\n    pre: \"{hook}\"\n"));
    std::os::unix::fs::chown(place.path(), Some(USER), Some(USER)).unwrap();
    for words in [&["init", "--profile", "profile.yaml"][..], &["renew", "admin.conf"]] {
        let mut command = program("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(env!("CARGO_BIN_EXE_kpki"));
        run(command.args(words).args(["--dir", "tree"]).current_dir(place.path())).expect_ok("kpki");
    }
    assert_eq!(fs::metadata(&log).unwrap().uid(), USER);
    assert_eq!(fs::read_to_string(&log).unwrap(), format!("kpki 0\nhook {USER}\n"));
}
