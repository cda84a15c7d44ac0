//! On a terminal the passphrase is asked for: once, before the lock, and only where something is signed.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::path::PathBuf;
use std::sync::Mutex;

use kpki::cli::ui::Ui;
use kpki::clock::Clock;
use time::macros::datetime;
use zeroize::Zeroizing;

use super::source::{PASSPHRASE, Source, made};
use super::verbs::VERBS;
use super::{DAY_1, certificate};
use crate::harness::environment;

/// The lock of the tree, and what was asked. A prompt has no surroundings of its own.
static TREE: Mutex<(Option<PathBuf>, Vec<String>)> = Mutex::new((None, Vec::new()));

/// Whoever asks does not hold the lock.
fn typed(prompt: &str, passphrase: &str) -> std::io::Result<Option<Zeroizing<String>>> {
    let mut tree = TREE.lock().unwrap();
    // Before the first lock there is no file.
    if let Some(Ok(lock)) = tree.0.as_ref().map(|lock| OpenOptions::new().read(true).write(true).open(lock)) {
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive).expect("asked under the lock");
    }
    tree.1.push(prompt.to_owned());
    Ok(Some(Zeroizing::new(passphrase.to_owned())))
}

#[test]
fn a_passphrase_is_asked_for_once_and_before_the_lock() {
    let made = made(Source::Encrypted);
    let place = &made.place;
    TREE.lock().unwrap().0 = Some(place.path("c/.kpki/lock"));
    let run = |words: &[&str], prompt: kpki::cli::environment::Prompt| {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let environment =
            kpki::run::Environment { prompt, ..environment(Clock::Fixed(datetime!(2026-11-21 22:00 UTC))) };
        let mut ui = Ui::new(&environment, &mut out, &mut err);
        let dir = place.path("c").display().to_string();
        let path = |word: &&str| match *word {
            word if word.starts_with("jane.") => place.path(word).into_os_string(),
            word => OsString::from(word),
        };
        let words = [&["kpki"], words, &["--dir", &dir, "--at", DAY_1]].concat();
        let status = kpki::cli::dispatch(words.iter().map(path), &environment, &mut ui).code();
        let asked = std::mem::take(&mut TREE.lock().unwrap().1);
        (status, asked, String::from_utf8(err).unwrap())
    };
    let right: kpki::cli::environment::Prompt = |prompt, _| typed(prompt, PASSPHRASE);
    for verb in VERBS {
        if verb.has_dry_run {
            let (status, asked, said) = run(&[verb.words, &["--dry-run"]].concat(), right);
            assert_eq!((status, asked.len()), (0, 0), "{}: {said}", verb.name);
        }
        let ca = certificate(place, "c/pki/ca.crt");
        let (status, asked, said) = run(verb.words, right);
        assert_eq!((status, asked.len()), (0, 1), "{}: {said}", verb.name);
        assert!(asked[0].starts_with("Passphrase of the key of ca of kubernetes ("), "{asked:?}");
        (verb.check)(place, &ca, verb.name);
    }
    // Nothing to sign: nobody is asked.
    for words in [&["release", "cp1/etcd-peer"][..], &["csr", "ca"], &["crl", "update", "--due"], &["revoke", "cp9/x"]]
    {
        let (_, asked, said) = run(words, right);
        assert_eq!(asked.len(), 0, "{words:?}: {said}");
    }
    // Three attempts.
    let (status, asked, said) = run(&["crl", "update", "ca"], |prompt, _| typed(prompt, "wrong"));
    assert_eq!((status, asked.len()), (1, 3), "{said}");
    assert!(said.contains("the passphrase does not open it"), "{said}");
}
