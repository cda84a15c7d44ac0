//! The question before a revocation: on a terminal only, and nothing happens without a yes.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::harness::{NOW, Place, at_any_time, single};

/// What was shown on the terminal, stdout and the status. `typed` is sent when the question is there.
fn on_terminal(place: &Place, words: &[&str], typed: &str) -> (String, String, i32) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    // Not the terminal of this session: whoever reads from that in the background is stopped.
    let no_controlling_terminal = rustix::fs::OFlags::NOCTTY.bits().cast_signed();
    let mut options = OpenOptions::new();
    options.read(true).write(true).custom_flags(no_controlling_terminal);
    let slave = options.open(name.to_str().unwrap()).unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_kpki"))
        .args(at_any_time(words))
        .current_dir(place.path(""))
        .env_clear()
        .env("TERM", "dumb")
        .stdin(slave.try_clone().unwrap())
        .stderr(slave)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // The parent's ends of the terminal went with the command, so that reading ends with the program.
    let (mut terminal, mut shown, mut sent) = (File::from(master), Vec::new(), false);
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = terminal.read(&mut buffer) {
        shown.extend_from_slice(&buffer[..read]);
        if !sent && String::from_utf8_lossy(&shown).contains("[y/N] ") {
            sent = true;
            // A question that was not expected is answered with the end of input.
            let typed = if typed.is_empty() { "\u{4}" } else { typed };
            terminal.write_all(typed.as_bytes()).unwrap();
        }
    }
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace("\r\n", "\n");
    (text(shown), text(output.stdout), output.status.code().unwrap_or(-1))
}

fn made() -> Place {
    let place = Place::new();
    place.write("p.yaml", single(""));
    place.init(&["-p", "p.yaml", "-d", "d"]).ok();
    place
}

const REVOKE: &[&str] = &["revoke", "etcd-peer", "apiserver", "--reason", "keyCompromise", "-d", "d", "--at", NOW];

#[test]
fn a_revocation_is_asked_for_on_a_terminal() {
    let place = made();
    let before = place.files();
    for typed in ["\n", "n\n", "yep\n", "\u{4}"] {
        let (shown, out, status) = on_terminal(&place, REVOKE, typed);
        assert_eq!((status, out.as_str()), (1, ""), "{shown}");
        assert!(shown.contains("to be revoked: apiserver, serial "), "{shown}");
        assert!(shown.contains(" of etcd-ca, reason keyCompromise\n"), "{shown}");
        assert!(shown.contains("error: nothing was revoked"), "{shown}");
        assert!(place.files() == before, "{typed:?} changed the tree");
    }
    let (shown, out, status) = on_terminal(&place, REVOKE, "y\n");
    assert_eq!(status, 0, "{shown}{out}");
    assert!(place.path("d/pki/ca.crl").exists() && place.path("d/pki/etcd/ca.crl").exists());
    // Nothing is left to ask about.
    let (shown, _, status) = on_terminal(&place, REVOKE, "");
    assert_eq!((status, shown.contains("[y/N]")), (0, false), "{shown}");
}

#[test]
fn what_can_be_undone_or_is_meant_is_not_asked_for() {
    for words in [
        &["hold", "etcd-peer"][..],
        &["revoke", "etcd-peer", "--yes"],
        &["revoke", "etcd-peer", "-y"],
        &["revoke", "etcd-peer", "--dry-run"],
        &["release", "etcd-peer"],
        &["crl", "update", "all"],
    ] {
        let words = [words, &["-d", "d", "--at", NOW]].concat();
        let (shown, out, status) = on_terminal(&made(), &words, "");
        assert_eq!((status, shown.contains("[y/N]")), (0, false), "{words:?} {shown}{out}");
    }
    // A hold that is made permanent is.
    let place = made();
    place.kpki(&["hold", "etcd-peer", "-d", "d", "--at", NOW]).status(0);
    let (shown, _, status) = on_terminal(&place, &["revoke", "etcd-peer", "-d", "d", "--at", NOW], "no\n");
    assert_eq!((status, shown.contains("to be revoked: etcd-peer, serial ")), (1, true), "{shown}");
    // A job has no terminal, and does not hang.
    place.kpki(&["revoke", "etcd-peer", "-d", "d", "--at", NOW]).status(0);
}
