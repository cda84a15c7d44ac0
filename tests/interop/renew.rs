//! `kpki renew` on machines that are not kind, under load, before live servers, and on other days.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crate::hostile::{Immutable, Mounted};
use crate::support::{Made, Ran, SMALL, files_ending, kpki, program, run, say, scratch, write};
use crate::tree::{open_keys, rests, snapshot, whole};

fn renew(dir: &Path, words: &[&str]) -> Ran {
    run(kpki().arg("renew").args(words).arg("-d").arg(dir))
}

fn is_whole(dir: &Path) -> Result<(), String> {
    whole(dir, &dir.join("kubelet"))
}

/// Without kpki's own: whoever fails may have made its directory and removed it again.
fn visible(dir: &Path) -> std::collections::BTreeMap<PathBuf, (u32, u32, u32, Vec<u8>)> {
    snapshot(dir).into_iter().filter(|(path, _)| !path.starts_with(".kpki")).collect()
}

/// From "not one page" to "everything fits".
#[test]
fn a_full_disk_keeps_the_old_tree() {
    let made = Made::of_text(SMALL, &[]);
    let place = scratch();
    let (mut failed, mut done) = (0, 0);
    for room in 0..120 {
        let mount = place.path().join("small");
        let small = Mounted::new(&mount, &["-t", "tmpfs", "-o", "size=8m,mode=0755", "tmpfs"]);
        let dir = mount.join("tree");
        run(program("cp").arg("-a").arg(&made.dir).arg(&dir)).expect_ok("cp");
        let used = say("df", ["--output=used", "-k", mount.to_str().unwrap()]);
        let used: u64 = used.lines().last().unwrap().trim().parse().unwrap();
        small.again(&format!("size={}k", used + 4 * room));
        let before = visible(&dir);
        let ran = renew(&dir, &["all"]);
        assert!(open_keys(&mount).is_empty());
        let marked = dir.join(".kpki/commit").exists();
        if ran.ok() {
            done += 1;
            assert_ne!(visible(&dir), before);
        } else {
            failed += 1;
            assert!(ran.code == Some(1) && ran.err.contains("o space left"), "{room}: {ran:?}");
            if !marked {
                assert!(visible(&dir) == before, "{room} pages: changed in spite of the error");
            }
            small.again("size=8m");
            renew(&dir, &["all", "--due"]).expect_ok(format_args!("{room} pages, with room again"));
            assert_eq!(visible(&dir) == before, !marked, "{room}");
        }
        is_whole(&dir).unwrap();
        assert_eq!(rests(&mount), Vec::<PathBuf>::new(), "{room}");
        if done == 3 {
            break;
        }
    }
    assert!(failed > 5 && done == 3, "{failed} {done}");
}

#[test]
fn a_read_only_tree_is_told_and_needs_nothing_when_nothing_is_due() {
    let made = Made::of_text(SMALL, &[]);
    let before = snapshot(&made.dir);
    let mounted = Mounted::new(&made.dir, &["--bind", made.dir.to_str().unwrap()]);
    mounted.again("ro,bind");
    for words in [&["all"][..], &["all", "--dry-run"], &["apiserver"]] {
        let ran = renew(&made.dir, words).expect_code(1, "read-only");
        assert!(
            ran.err.to_lowercase().contains("read-only") && ran.err.contains(made.dir.to_str().unwrap()),
            "{ran:?}"
        );
    }
    renew(&made.dir, &["all", "--due", "--detailed-exitcode"]).expect_ok("nothing is due");
    renew(&made.dir, &["all", "--due", "--dry-run"]).expect_ok("nothing would be");
    run(kpki().arg("history").arg("-d").arg(&made.dir)).expect_ok("history");
    assert_eq!(snapshot(&made.dir), before);
    drop(mounted);
    renew(&made.dir, &["all"]).expect_ok("writable again");
    is_whole(&made.dir).unwrap();
}

#[test]
fn one_file_that_cannot_be_replaced_stops_all_before_the_first() {
    let made = Made::of_text(SMALL, &[]);
    for held in ["pki/etcd/peer.crt", "scheduler.conf", "pki/etcd"] {
        let held = made.path(held);
        let tried = run(program("chattr").arg("+i").arg(&held));
        if !tried.ok() {
            eprintln!("no immutable files on the file system of {}: {}", held.display(), tried.err);
            return;
        }
        let guard = Immutable(held.clone());
        let before = visible(&made.dir);
        let ran = renew(&made.dir, &["all"]).expect_code(1, held.display());
        let marked = made.path(".kpki/commit").exists();
        assert!(ran.err.contains(held.to_str().unwrap()), "{}", ran.err);
        if !marked {
            assert!(visible(&made.dir) == before, "{}: {}", held.display(), ran.err);
        }
        drop(guard);
        renew(&made.dir, &["all", "--due"]).expect_ok("mutable again");
        is_whole(&made.dir).unwrap();
        assert!(!marked, "{}: decided although it could not be done: {}", held.display(), ran.err);
    }
}

/// Two hundred renewals of one pair, readers that load it all the time: what they see matches, at the latest when they
/// look again.
#[test]
fn readers_always_find_a_pair() {
    const RUNS: usize = 200;
    let made = Made::of_text(SMALL, &[]);
    let (next, done) = (AtomicUsize::new(0), AtomicBool::new(false));
    let [reads, twice, more] = [(); 3].map(|()| AtomicUsize::new(0));
    let matches = || {
        let read = |end: &str| fs::read(made.path(&format!("pki/apiserver.{end}"))).unwrap();
        let (certificate, key) = (pem::parse(read("crt")).unwrap(), pem::parse(read("key")).unwrap());
        let point = &key.contents()[key.contents().len() - 65..];
        certificate.contents().windows(65).any(|window| window == point)
    };
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    reads.fetch_add(1, Ordering::SeqCst);
                    let mut tries = 0;
                    while !matches() {
                        tries += 1;
                        assert!(tries < 20, "no pair in 20 looks");
                        std::thread::sleep(Duration::from_millis(1));
                    }
                    twice.fetch_add(usize::from(tries > 0), Ordering::SeqCst);
                    more.fetch_add(usize::from(tries > 1), Ordering::SeqCst);
                    std::thread::sleep(Duration::from_micros(200));
                }
            });
        }
        let workers: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    while next.fetch_add(1, Ordering::SeqCst) < RUNS {
                        renew(&made.dir, &["apiserver", "--lock-timeout", "10m"]).expect_ok("renew");
                    }
                })
            })
            .collect();
        let ended: Vec<_> = workers.into_iter().map(|worker| worker.join().is_ok()).collect();
        done.store(true, Ordering::SeqCst);
        assert!(ended.iter().all(|ok| *ok));
    });
    let [reads, twice, more] = [reads, twice, more].map(AtomicUsize::into_inner);
    eprintln!("{reads} reads, {twice} looked again, {more} more than once");
    // A writer that loses the processor between its two renames is seen for as long as that lasts.
    assert!(reads > RUNS && more <= twice && more < 10, "{reads} {twice} {more}");
    is_whole(&made.dir).unwrap();
    let journal = fs::read_to_string(made.path(".kpki/journal.jsonl")).unwrap();
    let lines: Vec<&str> = journal.lines().filter(|line| line.contains(r#""command":"renew""#)).collect();
    let serials: BTreeSet<&str> = lines.iter().map(|line| line.split_once(r#""serial":""#).unwrap().1).collect();
    assert_eq!((lines.len(), serials.len()), (RUNS, RUNS));
    assert!(fs::read_dir(made.path(".kpki/generations")).unwrap().count() <= 5);
    assert_eq!(rests(&made.dir), Vec::<PathBuf>::new());
}

/// kpki as of another day, by the clock it reads.
fn on(day: &str, words: &[&str], dir: &Path) -> Ran {
    let mut command = program("faketime");
    command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("TZ", "UTC").arg(day);
    run(command.arg(env!("CARGO_BIN_EXE_kpki")).args(words).arg("-d").arg(dir))
}

#[test]
fn on_other_days_by_the_real_clock() {
    let place = scratch();
    let dir = place.path().join("tree");
    let profile = write(place.path().join("p.yaml"), format!("{SMALL}caCertificateValidityPeriod: 40y\n"));
    let init = ["init", "-p", profile.to_str().unwrap()];
    on("2026-11-20 12:00:00", &init, &dir).expect_ok("init");
    let end = |name: &str| {
        say("openssl", ["x509", "-noout", "-enddate", "-in", dir.join(name).to_str().unwrap()]).trim().to_owned()
    };
    let format = |name: &str| {
        let text = say("openssl", ["asn1parse", "-in", dir.join(name).to_str().unwrap()]);
        ["UTCTIME", "GENERALIZEDTIME"].map(|kind| text.matches(kind).count())
    };
    // A clock before the authority's start: nothing is made that nobody accepts yet.
    let before = visible(&dir);
    let ran = on("2026-11-20 11:00:00", &["renew", "all"], &dir).expect_code(1, "early");
    assert!(ran.err.contains("is not valid before") && ran.err.contains("check the clock"), "{}", ran.err);
    assert!(visible(&dir) == before);
    for (day, wanted, kinds) in [
        ("2028-02-29 12:00:00", "notAfter=Feb 28 12:00:0", [2, 0]),
        ("2048-12-31 12:00:00", "notAfter=Dec 31 12:00:0", [2, 0]),
        ("2049-11-01 12:00:00", "notAfter=Nov  1 12:00:0", [1, 1]),
        ("2050-10-01 12:00:00", "notAfter=Oct  1 12:00:0", [0, 2]),
    ] {
        on(day, &["renew", "all", "--due"], &dir).expect_ok(day);
        for name in ["pki/apiserver.crt", "pki/etcd/peer.crt", "pki/front-proxy-client.crt"] {
            assert!(end(name).starts_with(wanted), "{day}: {}", end(name));
            assert_eq!(format(name), kinds, "{day}: {name}");
        }
        is_whole(&dir).unwrap();
        let again = on(day, &["renew", "all", "--due", "--detailed-exitcode"], &dir).expect_ok("nothing is due");
        assert!(again.out.starts_with("nothing was renewed"), "{}", again.out);
    }
}

/// OpenSSL's and Go's word on a tree that was renewed.
#[test]
fn openssl_and_kubectl_read_what_was_renewed() {
    for algorithm in ["RSA-2048", "ECDSA-P256", "ECDSA-P384"] {
        let made = Made::of_text(&format!("{SMALL}encryptionAlgorithm: {algorithm}\n"), &[]);
        let kept: BTreeSet<PathBuf> = visible(&made.dir).into_keys().collect();
        renew(&made.dir, &["all"]).expect_ok(algorithm);
        assert_eq!(visible(&made.dir).into_keys().collect::<BTreeSet<_>>(), kept);
        let authority = |path: &Path| match path.strip_prefix(&made.dir).unwrap().to_str().unwrap() {
            "pki/front-proxy-client.crt" => "pki/front-proxy-ca.crt",
            name if name.starts_with("pki/etcd/") || name.contains("etcd-client") => "pki/etcd/ca.crt",
            _ => "pki/ca.crt",
        };
        let mut leaves = files_ending(&made.path("pki"), ".crt");
        leaves.push(made.path("kubelet/kubelet.crt"));
        for leaf in leaves.iter().filter(|path| !path.to_string_lossy().ends_with("ca.crt")) {
            let ca = made.path(authority(leaf));
            say("openssl", ["verify", "-x509_strict", "-CAfile", ca.to_str().unwrap(), leaf.to_str().unwrap()]);
            let key = leaf.with_extension("key");
            let of_key = say("openssl", ["pkey", "-pubout", "-in", key.to_str().unwrap()]);
            let of_leaf = say("openssl", ["x509", "-noout", "-pubkey", "-in", leaf.to_str().unwrap()]);
            assert_eq!(of_key, of_leaf, "{}", leaf.display());
        }
        for conf in ["admin", "super-admin", "kubelet", "controller-manager", "scheduler"] {
            let path = made.path(&format!("{conf}.conf"));
            let mut kubectl = program("kubectl");
            kubectl.arg("--kubeconfig").arg(&path).args(["config", "view", "--raw", "-o"]).env("HOME", &made.dir);
            let data = run(kubectl.arg("jsonpath={.users[0].user.client-certificate-data}")).expect_ok(conf).out;
            let leaf = write(made.dir.with_extension("pem"), crate::support::decode_base64(&data));
            let ca = made.path("pki/ca.crt");
            say("openssl", ["verify", "-x509_strict", "-CAfile", ca.to_str().unwrap(), leaf.to_str().unwrap()]);
        }
    }
}

const FOREIGN: &str = "\
[req]
distinguished_name = dn
prompt = no
string_mask = utf8only
utf8 = yes
[dn]
C = DE
0.O = Example GmbH
1.O = zwei
OU = Plattf\u{f6}rm
CN = kube-apiserver
emailAddress = a@example.com
[extensions]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature, nonRepudiation
extendedKeyUsage = serverAuth, clientAuth, emailProtection, 1.2.3.4.5
subjectAltName = DNS:kubernetes, DNS:*.example.com, IP:10.0.0.1, IP:fd00::1, email:a@example.com, URI:spiffe://c/x, \
RID:1.2.3.4, otherName:1.2.3.4;UTF8:hello, dirName:dir
1.3.6.1.4.1.99999.1 = ASN1:UTF8String:own
[dir]
CN = dir
";

/// A certificate nobody's tool for Kubernetes made: its identity stays to the last string type, and what cannot stay is said.
#[test]
fn a_foreign_certificate_keeps_its_identity() {
    let made = Made::of_text(SMALL, &[]);
    let config = write(made.dir.with_extension("cnf"), FOREIGN);
    let [config, request, certificate, key, ca, ca_key] = [
        config,
        made.dir.with_extension("csr"),
        made.path("pki/apiserver.crt"),
        made.path("pki/apiserver.key"),
        made.path("pki/ca.crt"),
        made.path("pki/ca.key"),
    ]
    .map(|path| path.to_str().unwrap().to_owned());
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp384r1", "-nodes", "-keyout", &key];
    say("openssl", [&["req", "-new", "-config", &config, "-out", &request], &curve[..]].concat());
    let by = ["-CA", &ca, "-CAkey", &ca_key, "-days", "100", "-extfile", &config, "-extensions", "extensions"];
    say("openssl", [&["x509", "-req", "-in", &request, "-out", &certificate], &by[..]].concat());
    let facts = || {
        let shown = ["-subject", "-nameopt", "multiline,show_type", "-ext"];
        let one = |extension: &str| {
            say("openssl", [&["x509", "-noout", "-in", &certificate], &shown[..], &[extension]].concat())
        };
        ["subjectAltName", "keyUsage", "extendedKeyUsage", "basicConstraints"].map(one)
    };
    let before = facts();
    let ran = renew(&made.dir, &["apiserver"]).expect_ok("renew");
    assert!(
        ran.err.contains("apiserver loses extensions that kpki does not write: 1.3.6.1.4.1.99999.1"),
        "{}",
        ran.err
    );
    // The profile that made the tree adds its own names, behind what is there.
    let after = facts();
    let names = before[0].trim_end();
    assert!(after[0].starts_with(names), "{names} {}", after[0]);
    assert_eq!(before[1..], after[1..]);
    let text = say("openssl", ["x509", "-noout", "-text", "-in", &certificate]);
    assert!(text.contains("(384 bit)"), "{text}");

    // A kind of key that kpki does not make is skipped, and the report says so.
    say("openssl", ["genpkey", "-algorithm", "ed25519", "-out", &key]);
    say("openssl", ["req", "-new", "-config", &config, "-key", &key, "-out", &request]);
    say("openssl", [&["x509", "-req", "-in", &request, "-out", &certificate], &by[..]].concat());
    let ran = renew(&made.dir, &["apiserver"]).expect_code(5, "ed25519");
    assert!(ran.out.contains("kpki does not make keys of kind Ed25519"), "{}", ran.out);
}
