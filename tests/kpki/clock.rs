//! A machine whose clock was never set, or is far ahead: nothing is signed or decided by it.

use std::ffi::OsString;

use kpki::clock::Clock;
use kpki::run::run;
use kpki::x509::parse_pem_bundle;
use time::OffsetDateTime;
use time::macros::datetime;

use super::harness::{NOW, Place, environment, single};

/// Status, stdout and stderr of a run on a machine with this clock.
fn at(clock: OffsetDateTime, words: &[&str]) -> (u8, String, String) {
    let machine = environment(Clock::Fixed(clock));
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let words = ["kpki"].iter().chain(words).map(OsString::from);
    let status = run(words, &machine, &mut out, &mut err);
    (status, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

const VERBS: &[&str] = &[
    "init -p P -d N",
    "check-expiration T",
    "renew all -d T",
    "renew all --due -d T --at +1d",
    "revoke apiserver -d T",
    "hold apiserver -d T",
    "crl update all -d T",
    "crl check -d T",
    "csr apiserver -d T",
    "sign CSR --usage server --san a.example.com -d T",
    "import T/pki/ca.crt -d T",
    "kubeconfig user bob -d T --out K",
    "export cp1 -d T --out E",
    "export --verify cp1 -d T",
    "restore -d T",
];

#[test]
fn nothing_is_decided_by_a_clock_that_was_never_set() {
    let place = Place::new();
    place.write("p.yaml", single(""));
    place.init(&["-p", "p.yaml", "-d", "t"]).ok();
    let (tree, profile) = (place.path("t"), place.path("p.yaml"));
    let path = |name: &str| place.path(name).to_str().unwrap().to_owned();
    let before = place.files();
    let words = |verb: &str| -> Vec<String> {
        let word = |word: &str| match word {
            "P" => profile.to_str().unwrap().to_owned(),
            "N" | "K" | "E" | "CSR" => path(&word.to_lowercase()),
            word => word.replacen('T', tree.to_str().unwrap(), usize::from(word.starts_with('T'))),
        };
        verb.split(' ').map(word).collect()
    };
    for (clock, says) in [
        (datetime!(1931-05-06 0:00 UTC), "it says 1931-05-06T00:00:00Z, which is before this release of kpki"),
        (datetime!(1970-01-01 0:00:09 UTC), "it says 1970-01-01T00:00:09Z"),
        (datetime!(2025-12-31 23:59:59 UTC), "it says 2025-12-31T23:59:59Z"),
        (datetime!(8901-01-01 0:00 UTC), "it says 8901-01-01T00:00:00Z, which is too far ahead"),
    ] {
        for verb in VERBS {
            let words = words(verb);
            let (status, out, err) = at(clock, &words.iter().map(String::as_str).collect::<Vec<_>>());
            assert_eq!((status, out.as_str()), (1, ""), "{verb} at {clock}: {err}");
            assert!(
                err.contains("the clock of this machine is wrong") && err.contains(says),
                "{verb} at {clock}: {err}"
            );
        }
    }
    assert!(place.files() == before, "something was written");
    // An instant that is said needs no clock; by this one it is in the future.
    let wrong = datetime!(1970-01-01 0:00 UTC);
    let renew = ["renew", "apiserver", "-d", tree.to_str().unwrap(), "--at", NOW];
    assert_eq!(at(wrong, &renew).0, 2);
    let (status, _, err) = at(wrong, &[&renew[..], &["--allow-future"]].concat());
    assert_eq!((status, err.as_str()), (0, ""));
    for instant in ["1969-12-31", "8901-01-01", "9999-12-31T23:59:59Z"] {
        let (status, _, err) = at(datetime!(2026-11-20 0:00 UTC), &["check-expiration", "--at", instant]);
        assert_eq!(status, 2, "{err}");
        assert!(err.contains("is not an instant in the years 1970 to 8900"), "{err}");
    }
}

/// Every verb that writes what is dated, as typed in a tree.
const WRITERS: &[&str] = &[
    "init -p P -d T",
    "renew apiserver -d T",
    "revoke apiserver -d T",
    "hold etcd-peer -d T",
    "release etcd-peer -d T",
    "crl update all -d T",
    "csr apiserver -d T",
    "sign CSR --usage server --san a.example.com -d T --out C",
    "import CERT -d T",
    "restore -d T",
    "kubeconfig user bob -d T --out K",
];

#[test]
fn an_instant_in_the_future_is_not_written_unless_that_is_said() {
    let place = Place::new();
    place.write("p.yaml", single(""));
    place.init(&["-p", "p.yaml", "-d", "t"]).ok();
    let path = |name: &str| place.path(name).to_str().unwrap().to_owned();
    let before = place.files();
    let now = datetime!(2026-11-20 22:00 UTC);
    let run = |verb: &str, more: &[&str]| {
        let word = |word: &str| match word {
            "P" => path("p.yaml"),
            "T" => path("t"),
            name if name.chars().all(|letter| letter.is_ascii_uppercase()) => path(&name.to_lowercase()),
            word => word.to_owned(),
        };
        let words: Vec<String> = verb.split(' ').map(word).collect();
        at(now, &words.iter().map(String::as_str).chain(more.iter().copied()).collect::<Vec<_>>())
    };
    for verb in WRITERS {
        for instant in ["+400d", "+301s", "2026-11-21", "2026-11-20T22:05:01Z"] {
            // The request and the certificate are not there: nothing was read before this was refused.
            let (status, out, err) = run(verb, &["--at", instant]);
            assert_eq!((status, out.as_str()), (2, ""), "{verb} {instant}: {err}");
            assert!(
                err.contains("is in the future: the clock of this machine says 2026-11-20T22:00:00Z")
                    && err.contains("add --allow-future"),
                "{verb} {instant}: {err}"
            );
            assert_eq!(err.contains("add --dry-run"), !verb.starts_with("kubeconfig"), "{verb}: {err}");
        }
    }
    for verb in ["renew apiserver -d T", "crl update all -d T", "csr apiserver -d T"] {
        let (status, _, err) = run(verb, &["--at", "+400d", "--dry-run"]);
        assert_eq!((status, err.as_str()), (0, ""), "{verb}");
    }
    // Who only looks may look as far as they like.
    for verb in ["check-expiration -d T", "verify -d T"] {
        let (status, out, err) = run(verb, &["--at", "+400d"]);
        assert!(status == 4 && err.is_empty() && out.contains("expired"), "{verb}: {status} {out} {err}");
    }
    assert!(place.files() == before, "something was written");
    assert_eq!(run("renew apiserver -d T", &["--at", "+5m"]).0, 0);
    assert_eq!(run("renew apiserver -d T", &["--at", "+400d", "--allow-future"]).0, 0);
    assert!(place.files() != before);
}

/// UTCTime ends with 2049, and a tree made late reaches beyond it on both sides.
#[test]
fn a_tree_of_any_year_has_its_dates() {
    let place = Place::new();
    place.write("p.yaml", single("certificateValidityPeriod: 900y\ncaCertificateValidityPeriod: 1000y\n"));
    for (year, ends) in [(1970, 2969), (2049, 3048), (2050, 3049), (8900, 9899)] {
        let (tree, instant) = (year.to_string(), format!("{year}-06-01T00:00:00Z"));
        place.kpki(&["init", "-p", "p.yaml", "-d", &tree, "--at", &instant]).ok();
        place.kpki(&["check-expiration", &tree, "--at", &instant]).status(0);
        let authority = parse_pem_bundle(place.read(&format!("{year}/pki/ca.crt")).as_bytes()).unwrap().remove(0);
        assert_eq!((authority.not_before.year(), authority.not_after.year()), (year, ends));
    }
}
