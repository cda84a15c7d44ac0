//! Advice is taken literally: every command that a report or an error prints is run by a shell, word for word, and what it
//! was printed for is gone.
//!
//! A printed command is the last thing of its line, behind a colon or alone: [`commands`] finds it there.

mod certificates;
mod check;

mod errors;
mod faults;
mod names;
mod nodes;
mod printed;
mod rotate_gate;
mod rotate_prepare;

mod sites;
mod states;
mod summaries;
mod trees;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use kpki::cli;

use super::harness::Place;

/// A machine with kpki in its PATH, and with programs beside it that only note what they were called with.
pub struct Host {
    pub place: Place,
}

/// What a command said.
#[derive(Debug)]
pub struct Said {
    pub command: String,
    pub status: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// What is not run on a machine that tests: each notes its words, one a line, and how its call ends.
const STUBS: [&str; 7] = ["crictl", "systemctl", "kubectl", "kubeadm", "ssh", "scp", "rsync"];

impl Host {
    pub fn new() -> Self {
        Self::around(Place::new())
    }

    /// One with files on it.
    pub fn around(place: Place) -> Self {
        let host = Self { place };
        for stub in STUBS {
            host.program(
                stub,
                &format!(
                    "for word in {stub} \"$@\"; do printf '%s\\n' \"$word\"; done >> \"$CALLS\"; echo >> \"$CALLS\""
                ),
            );
        }
        host.at(super::harness::NOW);
        host
    }

    fn program(&self, name: &str, text: &str) {
        let path = self.place.write(&format!("bin/{name}"), format!("#!/bin/sh\n{text}\n"));
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// From now on it is this instant, for every verb that has one.
    pub fn at(&self, instant: &str) {
        let kpki = env!("CARGO_BIN_EXE_kpki");
        let mut timed = timed();
        // The longer name first.
        timed.sort_by_key(|(verb, _)| !verb.contains(' '));
        let case = |(verb, writes): &(String, bool)| {
            let (words, shift) = if verb.contains(' ') { ("$1 $2", 2) } else { ("$1", 1) };
            let future = if *writes { " --allow-future" } else { "" };
            format!(
                "case \"{words}\" in \"{verb}\") shift {shift}; exec {kpki} {verb} --at {instant}{future} \"$@\";; esac\n"
            )
        };
        // Verbs below one that has an instant, which have none themselves.
        let program = cli::command();
        let is_timed = |name: &str| timed.iter().any(|(verb, _)| verb == name);
        let below = |verb: &clap::Command| -> Vec<String> {
            let names = verb.get_subcommands().map(|one| format!("{} {}", verb.get_name(), one.get_name()));
            names.filter(|name| is_timed(verb.get_name()) && !is_timed(name)).collect()
        };
        let timeless: Vec<String> = program.get_subcommands().flat_map(below).collect();
        let plain = |name: &String| format!("case \"$1 $2\" in \"{name}\") exec {kpki} \"$@\";; esac\n");
        let text = format!(
            "{}{}exec {kpki} \"$@\"",
            timeless.iter().map(plain).collect::<String>(),
            timed.iter().map(case).collect::<String>()
        );
        self.program("kpki", &text);
    }

    /// A command as a person types it.
    pub fn sh(&self, command: &str) -> Said {
        let output = Command::new("sh")
            .args(["-c", command])
            .current_dir(self.place.path("."))
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", self.place.path("bin").display()))
            .env("CALLS", self.place.path("calls"))
            .env("LC_ALL", "C.UTF-8")
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let (status, stdout, stderr) = (output.status.code(), text(output.stdout), text(output.stderr));
        Said { command: command.to_owned(), status, stdout, stderr }
    }

    /// What the stubs were called with, call by call.
    pub fn calls(&self) -> Vec<String> {
        let noted = fs::read_to_string(self.place.path("calls")).unwrap_or_default();
        noted.split_terminator("\n\n").map(str::to_owned).collect()
    }
}

impl Said {
    /// It did what it was printed for.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.status, Some(0), "{}\n{}{}", self.command, self.stdout, self.stderr);
        self
    }
}

/// Has every request below a directory signed by the authorities of a tree that is kept elsewhere; the certificates' paths.
pub fn signed(host: &Host, below: &Path, safe: &str) -> String {
    let mut out = Vec::new();
    for entry in walkdir::WalkDir::new(below).sort_by_file_name() {
        let path = entry.unwrap().into_path();
        if path.extension().is_none_or(|end| end != "csr") {
            continue;
        }
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let name = match path.parent().unwrap().file_name().unwrap().to_str().unwrap() {
            "etcd" => format!("etcd-{stem}"),
            "kubelet" => "kubelet-serving".to_owned(),
            _ => stem,
        };
        host.sh(&format!("kpki sign '{}' --as {name} --dir {safe} --out {name}.pem", path.display())).ok();
        out.push(format!("{name}.pem"));
    }
    out.join(" ")
}

/// The verbs that take `--at`, with the verb above them, and whether they write then.
fn timed() -> Vec<(String, bool)> {
    fn below(command: &clap::Command, path: &str, found: &mut Vec<(String, bool)>) {
        for verb in command.get_subcommands() {
            let path = format!("{path} {}", verb.get_name());
            let takes = |flag| verb.get_arguments().any(|argument| argument.get_id() == flag);
            if takes("at") {
                found.push((path.trim_start().to_owned(), takes("allow_future")));
            }
            below(verb, &path, found);
        }
    }
    let mut found = Vec::new();
    below(&cli::command(), "", &mut found);
    for writer in ["renew", "crl update"] {
        assert!(found.contains(&(writer.to_owned(), true)), "{found:?}");
    }
    found
}

/// With what a printed command begins.
const PROGRAMS: [&str; 13] = [
    "kpki",
    "kubeadm",
    "kubectl",
    "crictl",
    "systemctl",
    "chmod",
    "chown",
    "iconv",
    "mv",
    "tar",
    "openssl",
    "kill",
    "chattr",
];

/// The commands in a text.
pub fn commands(text: &str) -> Vec<String> {
    text.lines().filter_map(command).map(str::to_owned).collect()
}

/// The command of one line: all of it, or what follows the first colon before one.
fn command(line: &str) -> Option<&str> {
    let line = line.trim();
    let is_one = |text: &str| {
        PROGRAMS.iter().any(|program| text.strip_prefix(program).is_some_and(|rest| rest.starts_with(' ')))
    };
    if is_one(line) {
        return Some(line);
    }
    line.match_indices(": ").map(|(at, colon)| &line[at + colon.len()..]).find(|rest| is_one(rest))
}

#[test]
fn a_command_is_found_where_it_stands() {
    for (line, found) in [
        ("hint: renew them: kpki renew all --dir 'a: b'", Some("kpki renew all --dir 'a: b'")),
        ("    crictl stop $(crictl ps -q)", Some("crictl stop $(crictl ps -q)")),
        ("kpkis are many", None),
        ("look at it with kpki inspect", None),
    ] {
        assert_eq!(command(line), found, "{line}");
    }
}

/// The stubs note each word by itself, and the clock is the one that was set.
#[test]
fn the_machine_of_the_tests_is_what_it_says() {
    let host = Host::new();
    host.sh("kubectl apply -f 'a b' \"$(printf 'c\\012d')\"").ok();
    host.sh("systemctl restart kubelet").ok();
    assert_eq!(host.calls(), ["kubectl\napply\n-f\na b\nc\nd", "systemctl\nrestart\nkubelet"]);
    host.place.write("p.yaml", super::harness::single("encryptionAlgorithm: ECDSA-P256\n"));
    host.at("2031-01-01T00:00:00Z");
    let made = host.sh("kpki init --profile p.yaml --dir k8s -o json").ok();
    assert!(made.stdout.contains("2030-12-31T23:55:00Z"), "{}", made.stdout);
}
