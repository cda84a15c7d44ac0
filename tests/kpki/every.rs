//! `kpki renew --every` and `--metrics-file`: a run that is repeated until a signal, and the metrics after each.

use std::fs;
use std::fs::File;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::harness::{NOW, Place, single};

/// No test waits so long, however busy the machine is.
const LIMIT: Duration = Duration::from_secs(300);

/// kpki in the background, by the machine's clock.
struct Repeated<'p> {
    place: &'p Place,
    child: Child,
}

impl<'p> Repeated<'p> {
    fn start(place: &'p Place, words: &[&str]) -> Self {
        Self::reads(place, words, Stdio::null())
    }

    /// With this as its standard input.
    fn reads(place: &'p Place, words: &[&str], stdin: Stdio) -> Self {
        let to = |name: &str| File::create(place.path(name)).unwrap();
        let mut kpki = Command::new(env!("CARGO_BIN_EXE_kpki"));
        kpki.args(words).current_dir(place.path("")).env_clear().stdin(stdin);
        let child = kpki.stdout(to("out")).stderr(to("err")).spawn().unwrap();
        Self { place, child }
    }

    /// Waits until this is so, while it goes on.
    #[track_caller]
    fn until(&mut self, is_so: impl Fn(&Place) -> bool) {
        let began = Instant::now();
        while !is_so(self.place) {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && began.elapsed() < LIMIT, "{ended:?}\n{}", self.place.read("err"));
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// SIGTERM: tests in the background of a shell ignore SIGINT, and so does what they start. Of the others `signals.rs` knows.
    fn ends(mut self) -> i32 {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        self.child.wait().unwrap().code().unwrap()
    }
}

impl Drop for Repeated<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Its leaves have expired, by whatever clock; its authorities have years.
fn expired() -> Place {
    let place = Place::new();
    place.write("p.yaml", single(""));
    place.kpki(&["init", "--profile", "p.yaml", "--dir", "k8s", "--at", "-400d"]).ok();
    place
}

fn has(place: &Place, file: &str, text: &str) -> bool {
    fs::read_to_string(place.path(file)).is_ok_and(|found| found.contains(text))
}

#[test]
fn it_renews_says_so_and_goes_on_until_a_signal() {
    let place = expired();
    let before = place.read("k8s/pki/apiserver.crt");
    let words = ["renew", "all", "--due", "--every", "1s", "--dir", "k8s", "--metrics-file", "kpki.prom"];
    let mut kpki = Repeated::start(&place, &words);
    kpki.until(|place| has(place, "out", "nothing was renewed, 13 certificates were checked"));
    let out = place.read("out");
    assert!(out.starts_with("renewed 13 of 13 certificates"), "{out}");
    assert_ne!(before, place.read("k8s/pki/apiserver.crt"));
    kpki.until(|place| has(place, "kpki.prom", "state=\"expired\"} 0\n"));
    assert_eq!(fs::metadata(place.path("kpki.prom")).unwrap().permissions().mode() & 0o777, 0o644);
    // What happens next is said each time, and nothing else.
    let err = place.read("err");
    assert!(err.lines().count() >= 2 && err.lines().all(|line| line.starts_with("next run: 2")), "{err}");
    assert_eq!(kpki.ends(), 143);
}

#[test]
fn a_run_that_fails_is_said_and_the_next_one_succeeds() {
    let place = expired();
    fs::rename(place.path("k8s"), place.path("away")).unwrap();
    let words = ["renew", "all", "--due", "--every", "1s", "--dir", "k8s", "--metrics-file", "kpki.prom", "-q"];
    let mut kpki = Repeated::start(&place, &words);
    // When it begins, and after a run, beside the failure of the run.
    kpki.until(|place| place.read("err").matches("error: ").count() > 3);
    assert!(!place.path("kpki.prom").exists());
    fs::rename(place.path("away"), place.path("k8s")).unwrap();
    kpki.until(|place| has(place, "kpki.prom", "state=\"expired\"} 0\n"));
    assert!(!has(&place, "err", "next run"), "{}", place.read("err"));
    assert_eq!(kpki.ends(), 143);
    assert_eq!(place.read("out"), "");
}

#[test]
fn while_it_waits_it_has_shown_how_it_is_and_renewed_nothing() {
    let place = expired();
    let before = place.read("k8s/pki/apiserver.crt");
    let words = ["renew", "all", "--due", "--every", "9000d", "--dir", "k8s", "--metrics-file", "kpki.prom"];
    let mut kpki = Repeated::start(&place, &words);
    kpki.until(|place| has(place, "err", "next run: "));
    assert!(has(&place, "kpki.prom", "state=\"expired\"} 13\n"), "{}", place.read("kpki.prom"));
    assert_eq!(kpki.ends(), 143);
    assert_eq!(place.read("k8s/pki/apiserver.crt"), before);
}

/// Standard input can be read once; each run and the metrics have the profile that was in it.
#[test]
fn a_profile_on_standard_input_holds_for_every_run() {
    let place = expired();
    place.write("new.yaml", single("apiServer: {certSANs: [api.example.com]}\n"));
    let words =
        ["renew", "all", "--due", "--every", "1s", "--profile", "-", "--dir", "k8s", "--metrics-file", "kpki.prom"];
    let profile = File::open(place.path("new.yaml")).unwrap();
    let mut kpki = Repeated::reads(&place, &words, profile.into());
    kpki.until(|place| place.read("out").matches("nothing was renewed, 13 certificates were checked").count() > 1);
    let out = place.read("out");
    assert!(out.contains("renewed 13 of 13 certificates"), "{out}");
    assert!(place.read("k8s/.kpki/profile.yaml").contains("api.example.com"));
    assert!(!has(&place, "err", "error: "), "{}", place.read("err"));
    assert_eq!(kpki.ends(), 143);
}

/// Each node has a time of its own, and a process that is started again has the same.
#[test]
fn the_nodes_name_decides_when() {
    let place = expired();
    let next = |node: &str| {
        let words = ["renew", "all", "--due", "--every", "9000d", "--dir", "k8s", "--node", node];
        let mut kpki = Repeated::start(&place, &words);
        kpki.until(|place| has(place, "err", "Z\n"));
        let said = place.read("err");
        kpki.ends();
        said
    };
    assert_eq!(next("cp1"), next("cp1"));
    assert_ne!(next("cp1"), next("cp2"));
}

#[test]
fn once_the_metrics_are_written_after_a_failure_too() {
    let place = expired();
    let due = ["renew", "all", "--due", "--dir", "k8s", "--at", NOW, "--metrics-file"];
    // Without the key of an authority it is another host's to renew.
    fs::rename(place.path("k8s/pki/etcd/ca.key"), place.path("ca.key")).unwrap();
    place.kpki(&[&due[..], &["kpki.prom"]].concat()).status(5);
    assert!(has(&place, "kpki.prom", "state=\"expired\"} 4\n"), "{}", place.read("kpki.prom"));
    fs::rename(place.path("ca.key"), place.path("k8s/pki/etcd/ca.key")).unwrap();
    // And metrics that cannot be written are a failure, whatever was renewed.
    let run = place.kpki(&[&due[..], &["no/kpki.prom"]].concat()).status(1);
    assert!(run.stdout.starts_with("renewed 4 of 13 certificates"), "{}", run.stdout);
    assert!(run.stderr.contains("no/kpki.prom") || run.stderr.contains("no: "), "{}", run.stderr);
    // Also of a run that says by its status that something was renewed.
    let named = ["renew", "apiserver", "--detailed-exitcode", "--dir", "k8s", "--at", NOW, "--metrics-file"];
    place.kpki(&[&named[..], &["kpki.prom"]].concat()).status(10);
    place.kpki(&[&named[..], &["no/kpki.prom"]].concat()).status(1);
    place.kpki(&[&due[..], &["kpki.prom"]].concat()).ok();
    assert!(has(&place, "kpki.prom", "state=\"expired\"} 0\n"));
}

#[test]
fn metrics_and_reports_replace_no_key_and_nothing_of_a_tree() {
    let place = expired();
    fs::copy(place.path("k8s/pki/ca.key"), place.path("kept.key")).unwrap();
    fs::copy(place.path("k8s/admin.conf"), place.path("kept.conf")).unwrap();
    std::os::unix::fs::symlink("k8s/pki", place.path("link")).unwrap();
    place.write("password", "a password\n");
    place.kpki(&["convert", "kept.key", "--to", "der", "--out", "kept.der"]).ok();
    place.kpki(&["convert", "k8s/pki/ca.crt", "--to", "der", "--out", "kept.crt"]).ok();
    let p12 = [
        "convert",
        "kept.key",
        "k8s/pki/ca.crt",
        "--to",
        "p12",
        "--out",
        "kept.p12",
        "--out-password-file",
        "password",
    ];
    place.kpki(&p12).ok();
    let check = ["check", "k8s", "--at", NOW, "-o", "prometheus", "--output-file"];
    let renew = ["renew", "apiserver", "--dir", "k8s", "--at", NOW, "--metrics-file"];
    for (file, why) in [
        ("k8s/pki/ca.key", "inside the tree k8s"),
        ("k8s/pki/new.prom", "inside the tree k8s"),
        ("link/new.prom", "inside the tree k8s"),
        ("k8s/kpki.prom", "inside the tree k8s"),
        ("k8s/.kpki/journal.jsonl", "inside the tree k8s"),
        ("kept.key", "a private key"),
        ("kept.conf", "a private key"),
        ("kept.der", "it is a private key, and no report"),
        ("kept.p12", "it is a PKCS#12 file, and no report"),
        ("kept.crt", "it is a certificate in DER, and no report"),
    ] {
        let run = place.kpki(&[&check[..], &[file]].concat()).fails(1);
        assert!(run.stderr.contains(why) && run.stderr.contains("hint: give a file outside"), "{file}: {}", run.stderr);
        // Before anything is renewed.
        let before = place.files();
        let run = place.kpki(&[&renew[..], &[file]].concat()).fails(1);
        assert!(run.stderr.contains(why), "{file}: {}", run.stderr);
        assert!(place.files() == before, "{file}");
    }
    place.write("old.prom", "kpki_up 0\n");
    place.kpki(&[&renew[..], &["old.prom"]].concat()).status(0);
    assert!(has(&place, "old.prom", "state=\"expired\"}"));
}

#[test]
fn what_cannot_be_repeated_is_refused_at_once() {
    let place = expired();
    for (words, said) in [
        ("renew all --every 1s", "--due"),
        ("renew all --due --every 0s", "a duration of a second or more"),
        ("renew all --due --every 1s --at 2027-01-02", "--at"),
        ("renew all --due --every 1s --dry-run", "--dry-run"),
        ("renew all --due --every 1s --detailed-exitcode", "--detailed-exitcode"),
        ("renew all --due --dry-run --metrics-file m", "--dry-run"),
        ("renew ca --due --every 1s", "--due, --prune-sans and --safe-host are not for authorities"),
        ("renew all apiserver --due --every 1s", "all cannot be combined with other names"),
    ] {
        let words: Vec<&str> = words.split(' ').chain(["--dir", "k8s"]).collect();
        let run = place.kpki(&words).fails(2);
        assert!(run.stderr.contains(said), "{words:?}: {}", run.stderr);
    }
}
