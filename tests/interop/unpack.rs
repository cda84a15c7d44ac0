//! `kpki unpack` under every fault (`faults.rs`), before readers that load pairs all the time, and before a real etcd.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crate::faults::{self, Fault, Tried, is_of_loader, killed};
use crate::support::{Made, Ran, SMALL, Server, free_port, kpki, program, quick_scratch, run, scratch, within};
use crate::tree::{open_keys, rests, snapshot, whole};

const NODE: &str = "cp1";

/// Two archives of one node, a renewal of everything between them, from one tree.
fn archives(place: &Path) -> [PathBuf; 2] {
    let made = Made::of_text(SMALL, &[]);
    let export = |name: &str| {
        let out = place.join(name);
        run(kpki().args(["export", NODE, "--force", "-d"]).arg(&made.dir).arg("--out").arg(&out)).expect_ok("export");
        out
    };
    let first = export("first.tar");
    run(kpki().args(["renew", "all", "-d"]).arg(&made.dir)).expect_ok("renew");
    [first, export("second.tar")]
}

fn unpack(archive: &Path, dir: &Path, words: &[&str]) -> Command {
    let mut command = kpki();
    command.arg("unpack").arg(archive).args(["--node", NODE, "--lock-timeout", "2s", "-d"]).arg(dir).args(words);
    command
}

/// What an archive has for a directory that is not called /etc/kubernetes.
fn members(archive: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let bytes = fs::read(archive).unwrap();
    let mut found = BTreeMap::new();
    for entry in tar::Archive::new(bytes.as_slice()).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_path_buf();
        let below = path.strip_prefix("etc/kubernetes").map(Path::to_path_buf);
        let below =
            below.or_else(|_| path.strip_prefix("var/lib/kubelet/pki").map(|rest| Path::new("kubelet").join(rest)));
        let mut content = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
        if let (true, Ok(below)) = (entry.header().entry_type().is_file(), below) {
            found.insert(below, content);
        }
    }
    found.retain(|path, _| !path.starts_with(".kpki"));
    assert!(found.len() > 20);
    found
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Absent,
    Old,
    New,
}

struct Spot {
    root: PathBuf,
    /// `None`: it is the first install.
    first: Option<PathBuf>,
    second: PathBuf,
}

impl Spot {
    fn dir(&self) -> PathBuf {
        self.root.join("tree")
    }

    fn unpack(&self) -> Command {
        unpack(&self.second, &self.dir(), &[])
    }

    /// One of the archives as a whole, or nothing.
    fn state(&self) -> Result<State, String> {
        let found: BTreeMap<PathBuf, Vec<u8>> = match self.dir().exists() {
            false => BTreeMap::new(),
            true => snapshot(&self.dir())
                .into_iter()
                .filter(|(path, file)| !path.starts_with(".kpki") && file.0 & 0o170_000 == 0o100_000)
                .map(|(path, file)| (path, file.3))
                .collect(),
        };
        let state = match (found.is_empty(), &self.first) {
            (true, _) => State::Absent,
            _ if found == members(&self.second) => State::New,
            (_, Some(first)) if found == members(first) => State::Old,
            _ => return Err("a part of one archive".to_owned()),
        };
        if state != State::Absent {
            whole(&self.dir(), &self.dir().join("kubelet"))?;
        }
        Ok(state)
    }

    /// How many lines of unpacking; each certificate once.
    fn journal(&self) -> Result<usize, String> {
        let text = fs::read_to_string(self.dir().join(".kpki/journal.jsonl")).unwrap_or_default();
        let mut prints = Vec::new();
        for line in text.lines() {
            let line: serde_json::Value = serde_json::from_str(line).map_err(|why| format!("{why}: {line}"))?;
            prints.push(line["fingerprint"].as_str().unwrap_or_default().to_owned());
        }
        let all = prints.len();
        prints.sort();
        prints.dedup();
        if prints.len() == all { Ok(all) } else { Err(format!("{all} lines for {} certificates", prints.len())) }
    }
}

impl faults::Spot for Spot {
    fn prepare(&self) {
        if self.root.exists() {
            fs::remove_dir_all(&self.root).unwrap();
        }
        fs::create_dir_all(&self.root).unwrap();
        if let Some(first) = &self.first {
            run(&mut unpack(first, &self.dir(), &[])).expect_ok("the first");
        }
    }

    fn command(&self) -> Command {
        self.unpack()
    }

    fn log(&self) -> PathBuf {
        self.root.with_extension("log")
    }

    fn attempt(&self, fault: &Fault) -> (Ran, bool, Result<(), String>) {
        let before = self.state().unwrap();
        let lines = self.journal().unwrap();
        let (ran, hit) = faults::inject(&self.log(), fault, &self.command());
        let said = judge(self, fault.call, before, lines, &ran);
        (ran, hit, said)
    }
}

/// Everything that must hold after a run that ended anyhow.
fn judge(spot: &Spot, call: &str, before: State, lines: usize, ran: &Ran) -> Result<(), String> {
    let open = open_keys(&spot.root);
    if !open.is_empty() {
        return Err(format!("keys that others can read: {open:?}"));
    }
    let marked = spot.dir().join(".kpki/commit").exists();
    let state = spot.state();
    // 6: the work is done, and its report is on standard error.
    let done = matches!(ran.code, Some(0 | 6));
    if done && (marked || state != Ok(State::New)) {
        return Err(format!("exit {:?}, but {state:?}, mark {marked}", ran.code));
    }
    if !marked {
        let state = state?;
        if state != before && state != State::New {
            return Err(format!("{before:?}, then {state:?}"));
        }
    }
    let refused = ran.code == Some(1) && (ran.err.contains("error: ") || call == "write");
    if !done && !killed(ran) && !is_of_loader(ran) && !refused {
        return Err(format!("{:?} {}", ran.code, ran.err));
    }
    // The same again finishes it, and then there is nothing left to do.
    let again = run(&mut spot.unpack());
    if !again.ok() || spot.state()? != State::New {
        return Err(format!("once more: {:?} {} {}", again.code, again.out, again.err));
    }
    let rests = rests(&spot.root);
    if !rests.is_empty() {
        return Err(format!("left behind after the next run: {rests:?}"));
    }
    let after = spot.journal()?;
    if after <= lines {
        return Err(format!("{after} lines of the journal, {lines} before"));
    }
    let idle = run(&mut spot.unpack());
    match idle.ok() && idle.out.starts_with("nothing to do") && spot.journal()? == after {
        true => Ok(()),
        false => Err(format!("a third time: {idle:?}")),
    }
}

fn sweep(name: &str, is_first: bool) {
    let area = quick_scratch();
    let [first, second] = archives(area.path());
    let complaints = faults::sweep(name, Tried::KillsAndErrors, 2, |worker| Spot {
        root: area.path().join(format!("box{worker}")),
        first: (!is_first).then(|| first.clone()),
        second: second.clone(),
    });
    faults::none(&complaints);
}

#[test]
fn an_unpacking_is_old_or_new_whatever_fails() {
    sweep("unpack", false);
}

#[test]
fn a_first_install_is_nothing_or_everything() {
    sweep("unpack, the first", true);
}

/// Two hundred times, the older archive and the newer by turns: no reader misses a file, reads a part of one, or finds two
/// that do not match when it looks again.
#[test]
fn readers_always_find_a_pair() {
    const RUNS: usize = 200;
    const PAIRS: [&str; 3] = ["pki/apiserver", "pki/etcd/server", "pki/etcd/peer"];
    let place = scratch();
    let archives = archives(place.path());
    let dir = place.path().join("tree");
    run(&mut unpack(&archives[0], &dir, &[])).expect_ok("the first");
    let done = AtomicBool::new(false);
    let [reads, twice, more] = [(); 3].map(|()| AtomicUsize::new(0));
    let matches = |pair: &str| {
        let read = |end: &str| fs::read(dir.join(format!("{pair}.{end}"))).unwrap();
        // A part of a file is no PEM.
        let (certificate, key) = (pem::parse(read("crt")).unwrap(), pem::parse(read("key")).unwrap());
        let point = &key.contents()[key.contents().len() - 65..];
        certificate.contents().windows(65).any(|window| window == point)
    };
    std::thread::scope(|scope| {
        for pair in PAIRS {
            let (done, matches, reads, twice, more) = (&done, &matches, &reads, &twice, &more);
            scope.spawn(move || {
                while !done.load(Ordering::SeqCst) {
                    reads.fetch_add(1, Ordering::SeqCst);
                    let mut tries = 0;
                    while !matches(pair) {
                        tries += 1;
                        assert!(tries < 20, "{pair}: no pair in 20 looks");
                        std::thread::sleep(Duration::from_millis(1));
                    }
                    twice.fetch_add(usize::from(tries > 0), Ordering::SeqCst);
                    more.fetch_add(usize::from(tries > 1), Ordering::SeqCst);
                    std::thread::sleep(Duration::from_micros(200));
                }
            });
        }
        for round in 1..=RUNS {
            let ran = run(&mut unpack(&archives[round % 2], &dir, &["--force", "-q"]));
            if !ran.ok() {
                done.store(true, Ordering::SeqCst);
                panic!("{round}: {ran:?}");
            }
        }
        done.store(true, Ordering::SeqCst);
    });
    let [reads, twice, more] = [reads, twice, more].map(AtomicUsize::into_inner);
    eprintln!("{reads} reads, {twice} looked again, {more} more than once");
    // A writer that loses the processor between its two renames is seen for as long as that lasts.
    assert!(reads > RUNS && more < 10, "{reads} {twice} {more}");
    whole(&dir, &dir.join("kubelet")).unwrap();
    assert_eq!(rests(&dir), Vec::<PathBuf>::new());
}

/// A real etcd reads its pair for every handshake: no connection fails while its files are replaced under it.
#[test]
fn an_etcd_goes_on_serving() {
    let place = scratch();
    let archives = archives(place.path());
    let dir = place.path().join("tree");
    run(&mut unpack(&archives[0], &dir, &[])).expect_ok("the first");
    let url = || format!("https://127.0.0.1:{}", free_port("127.0.0.1"));
    let (client, peer) = (url(), url());
    let file = |name: &str| dir.join("pki/etcd").join(name);
    let mut etcd = program("etcd");
    etcd.env_clear()
        .args([
            "--name",
            NODE,
            "--logger",
            "zap",
            "--log-level",
            "warn",
            "--client-cert-auth",
            "--peer-client-cert-auth",
        ])
        .arg("--data-dir")
        .arg(place.path().join("data"))
        .args(["--listen-client-urls", &client, "--advertise-client-urls", &client])
        .args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer])
        .args(["--initial-cluster", &format!("{NODE}={peer}")]);
    for (flag, name) in [
        ("--cert-file", "server.crt"),
        ("--key-file", "server.key"),
        ("--trusted-ca-file", "ca.crt"),
        ("--peer-cert-file", "peer.crt"),
        ("--peer-key-file", "peer.key"),
        ("--peer-trusted-ca-file", "ca.crt"),
    ] {
        etcd.arg(flag).arg(file(name));
    }
    let mut server = Server::start(&mut etcd, place.path().join("etcd.log"));
    // The client's own pair does not change under it.
    let own = place.path().join("client");
    for end in ["crt", "key"] {
        fs::copy(file("healthcheck-client").with_extension(end), own.with_extension(end)).unwrap();
    }
    let ca = place.path().join("ca.crt");
    fs::copy(file("ca.crt"), &ca).unwrap();
    let put = || {
        let mut etcdctl = program("etcdctl");
        etcdctl.env_clear().env("ETCDCTL_API", "3").args(["--dial-timeout=5s", "--command-timeout=10s", "--endpoints"]);
        etcdctl.arg(&client).arg("--cacert").arg(&ca).arg("--cert").arg(own.with_extension("crt"));
        run(etcdctl.arg("--key").arg(own.with_extension("key")).args(["put", "n", "1"]))
    };
    assert!(within(Duration::from_secs(40), || put().ok() || server.ended()) && put().ok(), "{}", server.log());
    let done = AtomicBool::new(false);
    let puts = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let (done, puts, put) = (&done, &puts, &put);
        let clients: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(move || {
                    while !done.load(Ordering::SeqCst) {
                        puts.fetch_add(1, Ordering::SeqCst);
                        put().expect_ok("put");
                    }
                })
            })
            .collect();
        let ended: Vec<bool> =
            (1..=200).map(|round| run(&mut unpack(&archives[round % 2], &dir, &["--force", "-q"])).ok()).collect();
        done.store(true, Ordering::SeqCst);
        assert!(ended.iter().all(|ok| *ok));
        clients.into_iter().for_each(|client| client.join().unwrap());
    });
    eprintln!("{} connections", puts.into_inner());
    assert!(!server.ended(), "{}", server.log());
}
