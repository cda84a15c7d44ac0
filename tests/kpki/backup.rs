//! `kpki backup`: made, verified, lost, restored; and whatever is not a whole backup is refused.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::{Command, Stdio};

use kpki::cli::ui::Ui;
use kpki::clock::Clock;
use zeroize::Zeroizing;

use super::harness::{NOW, Place, Run, environment, single, tree};

const PROFILE: &str = "apiVersion: kpki/v1\nkind: ClusterProfile\nclusterName: prod\ncontrolPlaneEndpoint: lb.example.com\n\
    encryptionAlgorithm: ECDSA-P256\nnodes:\n- {name: cp1, addresses: [10.0.0.1]}\n- {name: cp2, addresses: [10.0.0.2]}\n\
    - {name: w1, roles: [worker], addresses: [10.0.0.9]}\n";
const LATER: &str = "2026-11-21T22:00:00Z";

/// A cluster directory with a generation and a CRL.
fn made() -> Place {
    let place = Place::new();
    place.write("p.yaml", PROFILE);
    place.write("pass", "correct horse\nnot this line\n");
    place.init(&["--profile", "p.yaml", "--dir", "c"]).ok();
    at(&place, NOW, &["renew", "cp1/apiserver", "--dir", "c"]).status(0);
    at(&place, NOW, &["hold", "cp1/etcd-peer", "--dir", "c"]).status(0);
    place
}

fn at(place: &Place, at: &str, words: &[&str]) -> Run {
    place.kpki(&[words, &["--at", at]].concat())
}

fn backup(place: &Place, words: &[&str]) -> Run {
    let rest = ["--out", "b.kpki", "--password-file", "pass", "--at", NOW];
    place.kpki(&[&["backup", "--dir", "c"], &rest[..], words].concat())
}

fn verify(place: &Place, words: &[&str]) -> Run {
    place.kpki(&[&["backup", "verify", "b.kpki", "--password-file", "pass"], words].concat())
}

fn restore(place: &Place, to: &str, words: &[&str]) -> Run {
    place.kpki(&[&["backup", "restore", "b.kpki", "--dir", to, "--password-file", "pass"], words].concat())
}

/// Everything but the lock, which is nobody's.
fn all(place: &Place, dir: &str) -> BTreeMap<String, (u32, Vec<u8>)> {
    let mut files = tree(&place.path(dir));
    files.remove(".kpki/lock");
    files
}

#[test]
fn a_lost_safe_host_comes_back_and_goes_on() {
    let place = made();
    let run = backup(&place, &[]).ok();
    let said = "backed up cluster prod, in c to b.kpki: ";
    assert!(run.stdout.starts_with(said) && run.stdout.contains("3 of 3 CA keys, encrypted\n"), "{}", run.stdout);
    let file = fs::read(place.path("b.kpki")).unwrap();
    assert_eq!(place.path("b.kpki").metadata().unwrap().permissions().mode() & 0o7777, 0o600);
    let lost = all(&place, "c");
    // Nothing of a key, a name or a profile is in it as it is.
    for (name, (_, bytes)) in lost.iter().filter(|(_, (_, bytes))| bytes.len() > 100) {
        let part = &bytes[40..80];
        assert!(!file.windows(part.len()).any(|window| window == part), "{name}");
    }
    assert!(!file.windows(4).any(|part| part == b"kpki" || part == b"BEGI"));
    verify(&place, &["--dir", "c"]).ok();

    fs::remove_dir_all(place.path("c")).unwrap();
    let run = restore(&place, "new/c", &[]).ok();
    assert!(
        run.stdout.starts_with("restored cluster prod, in c, of 2026-11-20T22:00:00Z, to new/c: "),
        "{}",
        run.stdout
    );
    for said in ["not known here", "higher number", "kpki verify new/c"] {
        assert!(run.stdout.contains(said), "{}", run.stdout);
    }
    assert!(all(&place, "new/c") == lost);
    // An empty directory is as good as none.
    fs::create_dir(place.path("empty")).unwrap();
    restore(&place, "empty", &[]).ok();
    assert!(all(&place, "empty") == lost);

    let journal = place.read("new/c/.kpki/journal.jsonl").lines().count();
    at(&place, LATER, &["renew", "cp2/apiserver", "--dir", "new/c"]).status(0);
    at(&place, LATER, &["revoke", "cp1/etcd-peer", "--dir", "new/c"]).status(0);
    at(&place, LATER, &["export", "cp2", "--dir", "new/c", "--out", "cp2.tar"]).ok();
    assert!(place.read("new/c/.kpki/journal.jsonl").lines().count() > journal + 1);
    assert!(at(&place, LATER, &["crl", "show", "new/c/pki/etcd/ca.crl"]).ok().stdout.contains('2'));
    let history = place.kpki(&["history", "--dir", "new/c"]).ok().stdout;
    assert!(history.contains("20261120T220000Z-renew") && history.contains("20261121T220000Z-renew"), "{history}");
}

#[test]
fn the_report_is_a_document() {
    let place = made();
    let made = backup(&place, &["-o", "json"]).ok().json();
    assert_eq!(
        (&made["kind"], &made["encrypted"], &made["clusterName"]),
        (&"BackupReport".into(), &true.into(), &"prod".into())
    );
    let run = verify(&place, &["--dir", "c", "-o", "json"]).ok().json();
    assert_eq!((&run["kind"], &run["state"]), (&"BackupVerification".into(), &"whole".into()));
    let keys: Vec<&str> =
        run["authorities"].as_array().unwrap().iter().map(|one| one["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["here"; 3]);
    assert_eq!(run["authorities"][2]["crlNumber"], "1");
    assert_eq!((&run["files"], &run["problems"]), (&made["files"], &made["problems"]));
    let run = restore(&place, "new", &["-o", "json"]).ok().json();
    assert_eq!((&run["kind"], &run["to"]), (&"BackupRestored".into(), &"new".into()));
}

#[test]
fn what_would_not_be_a_backup_is_refused_and_nothing_is_written() {
    let place = made();
    place.write("there", "mine");
    place.write("empty", "\n");
    fs::create_dir(place.path("other")).unwrap();
    let to = |out: &'static str| vec!["--dir", "c", "--out", out];
    for (status, words, said) in [
        (1, [to("there"), vec!["--password-file", "pass"]].concat(), "it exists already"),
        (2, to("b.kpki"), "no passphrase is given, and there is no terminal"),
        (2, to("-"), "no passphrase is given, and there is no terminal"),
        (1, [to("b.kpki"), vec!["--password-file", "empty"]].concat(), "the passphrase is empty"),
        (2, [to("b.kpki"), vec!["--password-env", "NONE"]].concat(), "the environment variable NONE is not set"),
        (2, [to("b.kpki"), vec!["--unencrypted"]].concat(), "is not written to a file"),
        (2, [to("-"), vec!["--unencrypted", "-o", "json"]].concat(), "cannot both go to standard output"),
        (1, [to("c/pki/b.kpki"), vec!["--password-file", "pass"]].concat(), "in the tree itself: c/pki"),
        (1, [to("c/b.kpki"), vec!["--password-file", "pass"]].concat(), "in the tree itself: c"),
        (1, vec!["--dir", "other", "--out", "b.kpki", "--password-file", "pass"], "other is no tree"),
        (1, vec!["--dir", "none", "--out", "b.kpki", "--password-file", "pass"], "none: no such file"),
    ] {
        let run = place.kpki(&[&["backup"], &words[..]].concat()).fails(status);
        assert!(run.stderr.contains(said) && run.stderr.contains("hint: "), "{words:?}: {}", run.stderr);
    }
    assert!(!place.path("b.kpki").exists());
    // Nothing is read that is too large, and so nothing of the rest.
    let hole = fs::File::create(place.path("other/hole")).unwrap();
    hole.set_len((1 << 30) + 1).unwrap();
    let words = ["backup", "--dir", "other", "--out", "b.kpki", "--password-file", "pass"];
    let refused = Command::new(env!("CARGO_BIN_EXE_kpki")).args(words).current_dir(place.path("")).output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.starts_with("error: the tree has more than 1024 MiB, with other/hole\n"), "{said}");
    fs::remove_file(place.path("other/hole")).unwrap();
    let words = ["--dir", "c", "--out", "there", "--password-file", "pass", "--force"];
    place.kpki(&[&["backup"], &words[..]].concat()).ok();
    assert_ne!(fs::read(place.path("there")).unwrap(), b"mine");
}

#[test]
fn it_never_restores_over_anything() {
    let place = made();
    backup(&place, &[]).ok();
    place.write("full/mine", "x");
    place.write("file", "x");
    symlink("nowhere", place.path("link")).unwrap();
    for to in ["c", "full", "file", "link"] {
        let run = restore(&place, to, &[]).fails(1);
        assert!(run.stderr.contains("hint: "), "{to}: {}", run.stderr);
    }
    // Refused without a passphrase already.
    let run = place.kpki(&["backup", "restore", "b.kpki", "--dir", "full"]).fails(1);
    assert!(run.stderr.contains("absent or empty"), "{}", run.stderr);
}

#[test]
fn a_wrong_passphrase_and_a_changed_file_are_refused() {
    let place = made();
    backup(&place, &[]).ok();
    place.write("wrong", "correct horses");
    let words = ["backup", "verify", "b.kpki", "--password-file", "wrong"];
    let run = place.kpki(&words).fails(1);
    assert!(run.stderr.starts_with("error: b.kpki: wrong passphrase or damaged\n"), "{}", run.stderr);
    let run = place.kpki(&["backup", "restore", "b.kpki", "--dir", "n", "--password-file", "wrong"]).fails(1);
    assert!(run.stderr.contains("wrong passphrase or damaged"), "{}", run.stderr);
    let run = place.kpki(&["backup", "verify", "b.kpki"]).fails(2);
    assert!(run.stderr.contains("is encrypted, and no passphrase is given"), "{}", run.stderr);

    let whole = fs::read(place.path("b.kpki")).unwrap();
    let end = whole.len();
    // Of the container: header, version, scheme, salt, cost, nonce, tag; of the ciphertext: its first, a middle, its last octet.
    for flipped in [0, 2, 6, 12, 40, 60, 70, 100, 105, 110, 120, 130, end / 2, end - 17, end - 16, end - 1] {
        let mut other = whole.clone();
        other[flipped] ^= 1;
        place.write("b.kpki", other);
        let run = verify(&place, &[]).fails(1);
        let said = ["wrong passphrase or damaged", "is no backup of kpki, or it is damaged"];
        assert!(said.iter().any(|said| run.stderr.contains(said)), "{flipped}: {}", run.stderr);
    }
    for length in [0, 1, 5, 100, 130, end / 2, end - 1] {
        place.write("b.kpki", &whole[..length]);
        verify(&place, &[]).fails(1);
        restore(&place, "n", &[]).fails(1);
    }
    place.write("b.kpki", [whole.as_slice(), b"\0"].concat());
    verify(&place, &[]).fails(1);
}

#[test]
fn verify_says_what_is_missing_and_what_is_newer() {
    let place = made();
    backup(&place, &[]).ok();
    let run = verify(&place, &["--dir", "c"]).ok();
    assert!(run.stdout.starts_with("whole: ") && run.stdout.contains("compared: the same as c\n"), "{}", run.stdout);
    at(&place, LATER, &["renew", "cp2/apiserver", "w1/kubelet.conf", "--dir", "c"]).status(0);
    at(&place, LATER, &["revoke", "cp1/etcd-peer", "--dir", "c"]).status(0);
    let run = verify(&place, &["--dir", "c"]).status(3);
    assert!(run.stdout.starts_with("older than the tree: "), "{}", run.stdout);
    assert!(run.stdout.contains("older than c by 2 certificates and 1 CRL"), "{}", run.stdout);
    verify(&place, &[]).ok();
    // A backup of the newer tree knows what the older one does not.
    backup(&place, &["--force"]).ok();
    fs::rename(place.path("c"), place.path("newer")).unwrap();
    restore(&place, "c", &[]).ok();
    fs::write(place.path("c/.kpki/journal.jsonl"), "").unwrap();
    let run = verify(&place, &["--dir", "c"]).status(3);
    assert!(run.stdout.contains("lines of its journal are not in c"), "{}", run.stdout);
}

#[test]
fn a_tree_that_is_not_whole_is_backed_up_and_said_to_be_so() {
    let lacks = |place: &Place, said: &str| {
        let run = backup(place, &["--force"]).status(4);
        assert!(run.stdout.contains(said), "{}", run.stdout);
        let run = verify(place, &[]).status(4);
        assert!(run.stdout.starts_with("NOT whole: ") && run.stdout.contains(said), "{}", run.stdout);
    };
    let place = made();
    let key = fs::read(place.path("c/pki/etcd/ca.key")).unwrap();
    fs::remove_file(place.path("c/pki/etcd/ca.key")).unwrap();
    lacks(&place, "problem: the key of etcd-ca is missing");
    place.write("c/pki/etcd/ca.key", fs::read(place.path("c/pki/ca.key")).unwrap());
    lacks(&place, "problem: etcd-ca cannot sign: expected the private key");
    place.write("c/pki/etcd/ca.key", &key);
    let journal = place.read("c/.kpki/journal.jsonl");
    place.write("c/.kpki/journal.jsonl", format!("{journal}{{\"time\"\n"));
    lacks(&place, "problem: .kpki/journal.jsonl: 1 of ");
    place.write("c/.kpki/journal.jsonl", journal);
    let list = place.read("c/pki/etcd/ca.crl");
    place.write("c/pki/etcd/ca.crl", "no list");
    lacks(&place, "problem: pki/etcd/ca.crl: ");
    place.write("c/pki/etcd/ca.crl", list);
    backup(&place, &["--force"]).ok();
    let run = restore(&place, "n", &[]).ok();
    assert!(!run.stdout.contains("problem"), "{}", run.stdout);
}

#[test]
fn an_external_authority_has_no_key_in_the_backup() {
    let place = Place::new();
    place.write("p.yaml", single("encryptionAlgorithm: ECDSA-P256\n"));
    place.write("pass", "correct horse");
    place.init(&["--profile", "p.yaml", "--dir", "elsewhere"]).ok();
    // A tree that was made by others: no journal says that it has signed.
    place.init(&["--profile", "p.yaml", "--dir", "c"]).ok();
    fs::remove_dir_all(place.path("c/.kpki")).unwrap();
    fs::remove_file(place.path("c/pki/ca.key")).unwrap();
    let run = backup(&place, &[]).ok();
    assert!(run.stdout.contains("2 of 3 CA keys"), "{}", run.stdout);
    assert!(run.stdout.contains("note: ca is external: its key is not in the tree"), "{}", run.stdout);
    assert!(run.stdout.contains("ca              external"), "{}", run.stdout);
    verify(&place, &[]).ok();
}

#[test]
fn what_is_no_file_is_left_out_and_named() {
    let place = made();
    symlink("pki/ca.crt", place.path("c/link")).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, place.path("c/pipe"), rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    fs::create_dir(place.path("c/hollow")).unwrap();
    fs::set_permissions(place.path("c/hollow"), fs::Permissions::from_mode(0o750)).unwrap();
    let run = backup(&place, &[]).status(5);
    assert!(
        run.stdout.contains("not in it: link (a symlink)") && run.stdout.contains("not in it: pipe (a named pipe)")
    );
    verify(&place, &["--dir", "c"]).ok();
    restore(&place, "n", &[]).status(5);
    let mut expected = all(&place, "c");
    expected.retain(|name, _| !name.ends_with('@'));
    assert!(all(&place, "n") == expected && expected["hollow/"].0 == 0o750);
}

#[test]
fn the_kubelets_own_directory_comes_with_its_tree() {
    let place = Place::new();
    place.write("p.yaml", single("encryptionAlgorithm: ECDSA-P256\n"));
    place.write("pass", "correct horse");
    let kubelet = place.path("k");
    place.init(&["-p", "p.yaml", "-d", "c", "--kubelet-serving", "--kubelet-dir", kubelet.to_str().unwrap()]).status(0);
    let lost = all(&place, "k");
    assert!(lost.keys().any(|name| name.ends_with(".key")), "{:?}", lost.keys());
    backup(&place, &[]).ok();
    verify(&place, &["--dir", "c"]).ok();
    let run = restore(&place, "n", &[]).ok();
    assert!(run.stdout.contains("k is in n/kubelet\n") && run.stdout.contains("give --kubelet-dir"), "{}", run.stdout);
    assert!(all(&place, "n/kubelet") == lost);
    at(&place, LATER, &["renew", "all", "-d", "n", "--kubelet-dir", place.path("n/kubelet").to_str().unwrap()])
        .status(0);
    // Two directories of one name have no place beside each other.
    place.write("c/kubelet/mine", "x");
    backup(&place, &["--force"]).ok();
    let run = restore(&place, "m", &[]).fails(1);
    assert!(run.stderr.contains("two directories would be restored to kubelet/"), "{}", run.stderr);
}

#[test]
fn another_program_encrypts_what_goes_to_a_pipe() {
    let place = made();
    let run = Command::new(env!("CARGO_BIN_EXE_kpki"))
        .args(["backup", "--dir", "c", "--unencrypted", "--out", "-", "--at", NOW])
        .current_dir(place.path(""))
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(run.status.success() && run.stderr.is_empty(), "{run:?}");
    let mut members = BTreeMap::new();
    for entry in tar::Archive::new(run.stdout.as_slice()).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_str().unwrap().to_owned();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
        members.insert(path, (entry.header().mode().unwrap(), bytes));
    }
    let manifest: serde_json::Value = serde_json::from_slice(&members.remove("kpki-backup.json").unwrap().1).unwrap();
    assert_eq!((&manifest["kind"], &manifest["apiVersion"]), (&"Backup".into(), &"kpki/v1".into()));
    members.remove("main/").unwrap();
    let found: BTreeMap<_, _> =
        members.into_iter().map(|(path, member)| (path.strip_prefix("main/").unwrap().to_owned(), member)).collect();
    assert!(found == all(&place, "c"));
    let listed: Vec<&str> =
        manifest["files"].as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap()).collect();
    assert!(listed.contains(&"pki/ca.key") && listed.contains(&".kpki/journal.jsonl"));

    let verified = place.kpki_with(&["backup", "verify", "-", "--dir", "c"], &run.stdout).ok();
    assert!(verified.stdout.contains("NOT encrypted"), "{}", verified.stdout);
    place.kpki_with(&["backup", "restore", "-", "--dir", "n"], &run.stdout).ok();
    assert!(all(&place, "n") == all(&place, "c"));
    // Its digests find what no tag finds here.
    let text = |from: &str, to: &str| {
        let mut other = run.stdout.clone();
        let at = other.windows(from.len()).rposition(|part| part == from.as_bytes()).unwrap();
        other[at..at + to.len()].copy_from_slice(to.as_bytes());
        place.kpki_with(&["backup", "restore", "-", "--dir", "m"], &other).fails(1);
    };
    text("BEGIN", "BEGUN");
    text("main/pki/ca.key", "main/pki/cb.key");
    text("main/pki/ca.key", "../../pki/a.key");
    text("\"sha256\": \"", "\"sha256\": \"x");
    for length in [0, 511, 512, 5000, run.stdout.len() / 2, run.stdout.len() - 1] {
        place.kpki_with(&["backup", "verify", "-"], &run.stdout[..length]).fails(1);
    }
}

#[test]
fn it_waits_for_whoever_is_at_work() {
    let place = made();
    let lock = fs::OpenOptions::new().read(true).write(true).open(place.path("c/.kpki/lock")).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let run = backup(&place, &["--lock-timeout", "0s"]).fails(1);
    assert!(run.stderr.contains("holds the lock c/.kpki/lock"), "{}", run.stderr);
    let words = ["backup", "--dir", "c", "--out", "b.kpki", "--password-file", "pass", "--lock-timeout", "120s"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_kpki"));
    command.args(words).current_dir(place.path("")).env_clear().stdin(Stdio::null()).stdout(Stdio::null());
    let mut waiting = command.spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(200));
    assert!(waiting.try_wait().unwrap().is_none() && !place.path("b.kpki").exists());
    drop(lock);
    assert!(waiting.wait().unwrap().success() && place.path("b.kpki").exists());
}

#[test]
fn the_passphrase_is_typed_twice_on_a_terminal() {
    let place = made();
    let run = |words: &[&str], prompt: kpki::cli::environment::Prompt| {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let at = time::OffsetDateTime::parse(NOW, &time::format_description::well_known::Rfc3339).unwrap();
        let environment = kpki::run::Environment { prompt, ..environment(Clock::Fixed(at)) };
        let mut ui = Ui::new(&environment, &mut out, &mut err);
        let words = ["kpki", "backup"].iter().chain(words).map(|word| {
            let is_path = ["c", "b.kpki"].contains(word);
            if is_path { place.path(word).into_os_string() } else { OsString::from(word) }
        });
        let exit = kpki::cli::dispatch(words, &environment, &mut ui).code();
        (exit, String::from_utf8(err).unwrap())
    };
    let make = ["--dir", "c", "--out", "b.kpki"];
    let (exit, said) = run(&make, |prompt, _| Ok(Some(Zeroizing::new(prompt.to_owned()))));
    assert!(exit == 1 && said.contains("the two passphrases differ") && !place.path("b.kpki").exists(), "{said}");
    let (exit, said) = run(&make, |_, _| Ok(Some(Zeroizing::new("correct horse".to_owned()))));
    assert!(exit == 0 && said.is_empty(), "{said}");
    verify(&place, &["--dir", "c"]).ok();
    let (exit, said) = run(&["verify", "b.kpki"], |prompt, _| {
        assert!(prompt.starts_with("Passphrase of ") && prompt.ends_with("b.kpki: "), "{prompt}");
        Ok(Some(Zeroizing::new("correct horse".to_owned())))
    });
    assert!(exit == 0 && said.is_empty(), "{said}");
}

/// Every verb would look for the certificates where the node has them, and not where they are.
#[test]
fn certificates_from_elsewhere_do_not_go_to_a_directory_that_is_called_as_a_nodes() {
    let place = Place::new();
    place.write("pass", "correct horse\n");
    place.write("p.yaml", single("certificatesDir: /srv/k8s\n"));
    place.init(&["--profile", "p.yaml", "--dir", "r/etc/kubernetes"]).ok();
    assert!(place.path("r/srv/k8s/ca.crt").is_file());
    let words = ["backup", "--dir", "r/etc/kubernetes", "--out", "b.kpki", "--password-file", "pass", "--at", NOW];
    place.kpki(&words).ok();
    let run = restore(&place, "r2/etc/kubernetes", &[]).fails(1);
    assert!(run.stderr.contains("directory of another name"), "{}", run.stderr);
    assert!(!place.path("r2").exists());
    restore(&place, "new", &[]).ok();
    let (old, new) = (place.path("r/srv/k8s/ca.key"), place.path("new/pki/ca.key"));
    assert_eq!(fs::read(old).unwrap(), fs::read(new).unwrap());
    place.kpki(&["verify", "new", "--at", NOW]).ok();
}

#[test]
fn a_backup_is_known_and_a_reader_that_goes_away_has_none() {
    let place = made();
    backup(&place, &[]).ok();
    let run = place.kpki(&["inspect", "b.kpki"]).fails(1);
    assert!(
        run.stderr.contains("an encrypted backup of a tree") || run.stdout.contains("an encrypted backup of a tree")
    );
    let kpki = env!("CARGO_BIN_EXE_kpki");
    let script = format!("{kpki} backup --dir c --out - --password-file pass | true; exit ${{PIPESTATUS[0]}}");
    let run = Command::new("bash").args(["-c", &script]).current_dir(place.path(".")).output().unwrap();
    assert_eq!(run.status.code(), Some(1), "{}", String::from_utf8_lossy(&run.stderr));
    assert!(String::from_utf8_lossy(&run.stderr).contains("its reader has gone"));
}

/// An authority of which neither half is there is no external one.
#[test]
fn a_tree_without_an_authority_of_its_profile_is_not_whole() {
    let place = made();
    for half in ["crt", "key"] {
        fs::remove_file(place.path(&format!("c/pki/ca.{half}"))).unwrap();
    }
    let missing = "ca is missing: its certificate is not in the tree";
    let run = backup(&place, &[]).status(4);
    assert!(run.stdout.contains(missing) || run.stderr.contains(missing), "{}{}", run.stdout, run.stderr);
    let run = verify(&place, &[]).status(4);
    assert!(run.stdout.contains(missing) || run.stderr.contains(missing), "{}{}", run.stdout, run.stderr);
    fs::remove_dir_all(place.path("c/pki")).unwrap();
    backup(&place, &["--force"]).status(4);
    verify(&place, &[]).status(4);
}

/// What others could read in the tree they cannot read in its copy.
#[test]
fn a_key_is_never_restored_wider_than_its_owner() {
    let place = made();
    let open = ["pki/ca.key", "nodes/cp1/admin.conf"];
    for file in open {
        fs::set_permissions(place.path(&format!("c/{file}")), fs::Permissions::from_mode(0o644)).unwrap();
    }
    backup(&place, &[]).status(0);
    let run = restore(&place, "new", &[]).status(0);
    for file in open {
        let said = format!("{file} has a private key and had the mode 0644");
        assert!(run.stdout.contains(&said) || run.stderr.contains(&said), "{}{}", run.stdout, run.stderr);
        assert_eq!(place.path(&format!("new/{file}")).metadata().unwrap().permissions().mode() & 0o7777, 0o600);
    }
    assert_eq!(place.path("new/pki/ca.crt").metadata().unwrap().permissions().mode() & 0o7777, 0o644);
}
