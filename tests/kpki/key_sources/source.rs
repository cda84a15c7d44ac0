//! A cluster directory whose cluster CA has its key in one of the places.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::thread;

use kpki::ca::{PrivateKey, Purpose, Signer};
use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::{at, made_at, profile};
use crate::harness::{Place, Run, tree};

pub const PASSPHRASE: &str = "correct horse battery";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A plain file outside the tree, 0400.
    File,
    /// The tree's own file, encrypted, with --key-passphrase-file.
    Encrypted,
    /// A file elsewhere, encrypted, with passphraseEnv.
    Variable,
    /// A command that writes it, encrypted.
    Command,
    /// A command that signs.
    Signer,
    /// --authority-key ca=-
    Stdin,
    /// --authority-key ca=PIPE, encrypted.
    Pipe,
}

pub const SOURCES: &[Source] =
    &[Source::File, Source::Encrypted, Source::Variable, Source::Command, Source::Signer, Source::Stdin, Source::Pipe];

pub struct Made {
    pub place: Place,
    pub source: Source,
    /// The key, in plain.
    pub pem: String,
    locked: String,
}

fn mode(place: &Place, path: &str, mode: u32) {
    fs::set_permissions(place.path(path), fs::Permissions::from_mode(mode)).unwrap();
}

fn script(place: &Place, name: &str, text: &str) -> String {
    let path = place.write(name, format!("#!/bin/sh\n{text}"));
    mode(place, name, 0o755);
    path.display().to_string()
}

pub fn made(source: Source) -> Made {
    let place = Place::new();
    place.write("p.yaml", profile(""));
    place.kpki(&["init", "--at", made_at(), "-p", "p.yaml", "-d", "c"]).ok();
    place.write("secure/ca.key", place.read("c/pki/ca.key"));
    place.write("pass", format!("{PASSPHRASE}\n"));
    mode(&place, "secure", 0o700);
    mode(&place, "secure/ca.key", 0o400);
    mode(&place, "pass", 0o600);
    let lock = ["convert", "secure/ca.key", "--to", "pkcs8-encrypted", "--out-password-file", "pass"];
    place.kpki(&[&lock[..], &["--out", "secure/locked.key"]].concat()).ok();
    let (pem, locked) = (place.read("secure/ca.key"), place.read("secure/locked.key"));
    place.write("jane.csr", super::verbs::request());
    match source {
        Source::Encrypted => _ = place.write("c/pki/ca.key", &locked),
        _ => fs::remove_file(place.path("c/pki/ca.key")).unwrap(),
    }
    let path = |name: &str| place.path(name).display().to_string();
    let runs = path("secure/runs");
    let stated = match source {
        Source::File => format!("key: {{file: {}}}", path("secure/ca.key")),
        Source::Variable => format!("key: {{file: {}, passphraseEnv: CA_PASS}}", path("secure/locked.key")),
        Source::Command => {
            // No child gets a passphrase.
            let text = format!(
                "test -z \"$CA_PASS\" || exit 9\nprintf x >>{runs}\nexec /bin/cat {}\n",
                path("secure/locked.key")
            );
            format!("key: {{command: [{}], passphraseEnv: CA_PASS}}", script(&place, "secure/key", &text))
        }
        Source::Signer => {
            let (asked, answer) = (pipe(&place, "secure/asked"), pipe(&place, "secure/answer"));
            sign(pem.clone(), asked.clone(), answer.clone());
            let text = format!(
                "test \"$KPKI_AUTHORITY $KPKI_SIGN_ALGORITHM $KPKI_SIGN_INPUT\" = \"ca ecdsa-sha256 message\" || exit 9\n\
                 printf x >>{runs}\n/bin/cat >{}\nexec /bin/cat {}\n",
                asked.display(),
                answer.display()
            );
            format!("signer: {{command: [{}], input: message}}", script(&place, "secure/sign", &text))
        }
        Source::Encrypted | Source::Stdin | Source::Pipe => String::new(),
    };
    if !stated.is_empty() {
        place.write("p.yaml", profile(&format!("authorities:\n  ca:\n    {stated}\n")));
        let words = ["renew", "all", "--due", "-p", "p.yaml", "-d", "c", "--at", made_at()];
        let run = place.kpki(&words).status(0);
        assert!(run.wrote && run.stdout.contains("recorded p.yaml"), "{}{}", run.stdout, run.stderr);
    }
    Made { place, source, pem, locked }
}

pub fn pipe(place: &Place, name: &str) -> PathBuf {
    mknodat(CWD, place.path(name), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    place.path(name)
}

/// What signs everything that comes through one pipe into another, until the pipes are gone.
fn sign(pem: String, asked: PathBuf, answer: PathBuf) {
    thread::spawn(move || {
        let key = PrivateKey::from_pem(pem.as_bytes()).unwrap();
        while let Ok(message) = fs::read(&asked) {
            let signature = Signer::sign(&key, &message, Purpose::Certificate).unwrap();
            if fs::write(&answer, signature).is_err() {
                break;
            }
        }
    });
}

impl Made {
    /// These words about the tree, with what opens the key.
    pub fn kpki(&self, words: &[&str]) -> Run {
        let pipe = self.place.path("secure/pipe");
        let given = format!("ca={}", pipe.display());
        let (flags, stdin): (Vec<&str>, &[u8]) = match self.source {
            Source::Encrypted => (vec!["--key-passphrase-file", "pass"], b""),
            Source::Stdin => (vec!["--authority-key", "ca=-"], self.pem.as_bytes()),
            Source::Pipe => (vec!["--authority-key", &given, "--key-passphrase-file", "pass"], b""),
            _ => (vec![], b""),
        };
        let is_reader = ["nodes", "import"].contains(&words[0]) && words.get(1) != Some(&"remove");
        let flags = if is_reader { vec![] } else { flags };
        let writer = (self.source == Source::Pipe && !flags.is_empty()).then(|| {
            let _ = fs::remove_file(&pipe);
            mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
            let (pipe, text) = (pipe.clone(), self.locked.clone());
            // Who reads nothing of it has refused the command line.
            thread::spawn(move || fs::write(pipe, text))
        });
        let words = at(&[words, &["--dir", "c"], &flags].concat());
        let run = self.place.kpki_in(&words, if is_reader { b"" } else { stdin }, &[("CA_PASS", PASSPHRASE)]);
        drop(writer);
        run
    }

    /// How often a command was run.
    pub fn runs(&self) -> usize {
        fs::read(self.place.path("secure/runs")).map_or(0, |runs| runs.len())
    }

    /// No secret is in what was said, and no plain key in the tree.
    #[track_caller]
    pub fn leaks_nothing(&self, run: &Run, said: &str) {
        let line = self.pem.lines().nth(1).unwrap();
        for text in [line, PASSPHRASE] {
            assert!(!run.stdout.contains(text) && !run.stderr.contains(text), "{said}");
            let holds = |bytes: &[u8]| bytes.windows(text.len()).any(|part| part == text.as_bytes());
            let found = tree(&self.place.path("c")).into_iter().find(|(_, (_, bytes))| holds(bytes));
            assert_eq!(found.map(|(name, _)| name), None, "{said}");
        }
    }
}
