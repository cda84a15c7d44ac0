//! Publishes a small fixed tree through the store alone, for the sweep of system calls in `tests/interop/store-sweep.sh`.
//!
//! `publish DIR init|seed|force|renew|recover TAG [KUBELET]`. `init` refuses files that exist, `seed` makes two more, `force`
//! replaces what is there, `renew` removes the two besides, `recover` only finishes what an interrupted run left. Every
//! file, and every one of three lines in the journal, says which run wrote it (TAG), so that a mixed tree can be distinguished from a
//! whole one.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use kpki::files::RelPath;
use kpki::store::{Commit, FileChange, Locking, RootId, Roots, publish, recover};
use zeroize::Zeroizing;

const FILES: [(RootId, &str, u32); 8] = [
    (RootId::Main, "pki/ca.key", 0o600),
    (RootId::Main, "pki/ca.crt", 0o644),
    (RootId::Main, "pki/etcd/ca.key", 0o600),
    (RootId::Main, "pki/etcd/ca.crt", 0o644),
    (RootId::Main, "pki/sa.key", 0o600),
    (RootId::Main, "pki/sa.pub", 0o644),
    (RootId::Main, "admin.conf", 0o600),
    (RootId::State, "profile.yaml", 0o600),
];

#[allow(clippy::disallowed_methods)] // a program of its own
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args_os().filter_map(|text| text.into_string().ok()).collect();
    let (dir, verb, tag, kubelet) = match arguments.as_slice() {
        [_, dir, verb, tag] => (dir, verb.as_str(), tag, None),
        [_, dir, verb, tag, kubelet] => (dir, verb.as_str(), tag, Some(kubelet)),
        _ => {
            say("usage: publish DIR init|seed|force|renew|recover TAG [KUBELET]".to_owned());
            return ExitCode::from(2);
        }
    };
    let roots = Roots { kubelet: kubelet.map(Into::into), ..Roots::alone(dir) };
    let wait = Duration::from_secs(5);
    let done = match verb {
        "recover" => recover(&roots, wait).map(|recovery| format!("{recovery:?}")),
        _ => publish(&Commit {
            roots: &roots,
            changes: changes(tag, kubelet.is_some(), verb),
            dir_mode: 0o755,
            generation: tag,
            locking: Locking::Wait(wait),
            removals: if verb == "renew" {
                surplus(kubelet.is_some()).map(|(root, path, _)| (root, path)).collect()
            } else {
                Vec::new()
            },
            outer: Vec::new(),
            journal: (0..3).map(|number| format!("{{\"run\":\"{tag}\",\"number\":{number}}}")).collect(),
            note: Some(format!("{{\"command\":\"{verb}\"}}")),
            keep_generations: Some(2),
            pinned: Vec::new(),
            erasures: Vec::new(),
            forgets: false,
        })
        .map(|receipt| format!("{receipt:?}")),
    };
    match done {
        Ok(text) => {
            say(text);
            ExitCode::SUCCESS
        }
        Err(error) => {
            say(format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Without `eprintln!`, which panics when the sweep fails its write.
fn say(mut text: String) {
    text.push('\n');
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Files that one run makes and another removes.
fn surplus(kubelet: bool) -> impl Iterator<Item = (RootId, RelPath, u32)> {
    [(RootId::Main, "pki/old.key", 0o600), (RootId::Kubelet, "old.crt", 0o644)]
        .into_iter()
        .filter(move |(root, ..)| kubelet || *root == RootId::Main)
        .filter_map(|(root, path, mode)| Some((root, RelPath::parse(path).ok()?, mode)))
}

fn changes(tag: &str, kubelet: bool, verb: &str) -> Vec<FileChange> {
    let replace = matches!(verb, "force" | "renew");
    let outside = [(RootId::Kubelet, "kubelet.key", 0o600), (RootId::Kubelet, "kubelet.crt", 0o644)];
    FILES
        .into_iter()
        .chain(outside.into_iter().filter(|_| kubelet))
        .filter_map(|(root, path, mode)| Some((root, RelPath::parse(path).ok()?, mode)))
        .chain(surplus(kubelet).filter(|_| verb == "seed"))
        .map(|(root, path, mode)| {
            let bytes = Zeroizing::new(format!("{tag} {path}\n").into_bytes());
            let replace = replace || root == RootId::State;
            FileChange { root, path, mode, bytes, replace }
        })
        .collect()
}
