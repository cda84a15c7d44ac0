//! One run of kpki with everything that it says and does compared: exit status, stdout, stderr and every file below the
//! place. What is not stated is status 0, no output and no change.
//!
//! ```
//! place.run(&["profile", "validate", "p.yaml"]).stdout("p.yaml: valid: ...\n").check();
//! place.run(&["init", "-p", "p.yaml", "--dir", "t"]).recorded("init");
//! ```
//!
//! A recorded run is compared with `tests/kpki/expected/NAME.txt`; `KPKI_RECORD=1 cargo test` writes these files. What is
//! different in every run - serial numbers, fingerprints, keys, the temporary directory - is replaced by its name in
//! brackets first.

use std::collections::BTreeMap;
use std::fs;

use super::harness::{Place, Run, repository};

type Files = BTreeMap<String, (u32, Vec<u8>)>;

/// A run that has taken place, and what is expected of it.
#[must_use = "nothing is compared before check() or recorded()"]
pub struct Checked<'a> {
    place: &'a Place,
    found: Outcome,
    wanted: Outcome,
}

/// What is compared.
#[derive(Default, PartialEq, Eq)]
struct Outcome {
    command: String,
    status: i32,
    stdout: String,
    stderr: String,
    /// One line for every file that was made (`+`), changed (`~`) or removed (`-`).
    tree: String,
}

impl Place {
    /// Runs kpki with these words.
    pub fn run(&self, words: &[&str]) -> Checked<'_> {
        self.run_with(words, b"")
    }

    /// The same with something on standard input.
    pub fn run_with(&self, words: &[&str], stdin: &[u8]) -> Checked<'_> {
        let before = self.files();
        let Run { status, stdout, stderr, .. } = self.kpki_with(words, stdin);
        let tree = changes(&before, &self.files());
        let command = format!("kpki {}", words.join(" "));
        let normal =
            |text: String| normal(&text.replace(self.path("").to_str().unwrap().trim_end_matches('/'), "[DIR]"));
        let found = Outcome {
            command: normal(command),
            status,
            stdout: normal(stdout),
            stderr: normal(stderr),
            tree: normal(tree),
        };
        let wanted = Outcome { command: found.command.clone(), ..Outcome::default() };
        Checked { place: self, found, wanted }
    }
}

impl<'a> Checked<'a> {
    pub fn status(mut self, status: i32) -> Self {
        self.wanted.status = status;
        self
    }

    pub fn stdout(mut self, text: &str) -> Self {
        text.clone_into(&mut self.wanted.stdout);
        self
    }

    pub fn stderr(mut self, text: &str) -> Self {
        text.clone_into(&mut self.wanted.stderr);
        self
    }

    /// Lines as `+ pki/ca.crt 0644`, `~ .kpki/journal.jsonl 0600 (3 lines)` and `- pki/ca.crl`, in the order of the names.
    pub fn tree(mut self, lines: &str) -> Self {
        lines.clone_into(&mut self.wanted.tree);
        self
    }

    /// Compares with what was stated.
    #[track_caller]
    pub fn check(self) -> &'a Place {
        same(&self.wanted.text(), &self.found.text(), "");
        self.place
    }

    /// Compares with the file of this name, and the status with what was stated.
    #[track_caller]
    pub fn recorded(self, name: &str) -> &'a Place {
        let found = self.found.text();
        assert_eq!(self.found.status, self.wanted.status, "{name}: exit status\n{found}");
        recorded(&format!("expected/{name}.txt"), &found);
        self.place
    }
}

/// Whether what is found is to be written in place of being compared.
pub fn recording() -> bool {
    std::env::var_os("KPKI_RECORD").is_some()
}

/// Compares with a file below `tests/kpki`, or writes it.
#[track_caller]
pub fn recorded(name: &str, found: &str) {
    let path = repository("tests/kpki").join(name);
    if recording() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, found).unwrap();
    }
    let wanted = fs::read_to_string(&path).unwrap_or_default();
    same(&wanted, found, &format!("{name} differs; if it is meant: KPKI_RECORD=1 cargo test --test kpki\n"));
}

#[track_caller]
fn same(wanted: &str, found: &str, hint: &str) {
    assert!(wanted == found, "{hint}{}", difference(wanted, found));
}

/// Both texts; lines that only one of them has are marked.
fn difference(wanted: &str, found: &str) -> String {
    let marked = |text: &str, other: &str, mark: &str| -> String {
        let mark = |line: &str| if other.lines().any(|one| one == line) { "  " } else { mark }.to_owned() + line + "\n";
        text.lines().map(mark).collect()
    };
    format!("\n=== expected\n{}=== found\n{}", marked(wanted, found, "- "), marked(found, wanted, "+ "))
}

impl Outcome {
    fn text(&self) -> String {
        let Self { command, status, stdout, stderr, tree } = self;
        format!("$ {command}\nexit status {status}\n--- stdout\n{stdout}--- stderr\n{stderr}--- tree\n{tree}")
    }
}

fn changes(before: &Files, after: &Files) -> String {
    let line = |mark: char, name: &str, (mode, bytes): &(u32, Vec<u8>)| {
        let lines = if name.ends_with(".jsonl") { bytes.iter().filter(|byte| **byte == b'\n').count() } else { 0 };
        let lines = if lines > 0 { format!(" ({lines} lines)") } else { String::new() };
        format!("{mark} {name} {mode:04o}{lines}\n")
    };
    let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed = names.into_iter().filter_map(|name| match (before.get(name), after.get(name)) {
        (None, Some(new)) => Some(line('+', name, new)),
        (Some(old), Some(new)) if old != new => Some(line('~', name, new)),
        (Some(_), None) => Some(format!("- {name}\n")),
        _ => None,
    });
    changed.collect()
}

/// The text with what is different in every run replaced by its name.
fn normal(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let word = |more: &str| {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !more.contains(c)).unwrap_or(rest.len());
            &rest[..end.max(first.len_utf8())]
        };
        let candidates = [word("+/="), word(":").trim_end_matches(':'), word("")];
        let found = candidates.into_iter().find_map(|word| Some((word, random(word)?)));
        let (word, text) = found.unwrap_or((candidates[2], candidates[2]));
        out.push_str(text);
        rest = &rest[word.len()..];
    }
    // A serial number is now and then a byte shorter, a directory longer, and so would a column be.
    if ["[SERIAL]", "[DIR]"].iter().any(|name| out.contains(name)) { single_spaced(&out) } else { out }
}

/// What a word is that is never the same.
fn random(word: &str) -> Option<&'static str> {
    if is_now(word) {
        return Some("[NOW]");
    }
    let digits = word.replace(':', "");
    let pairs = word.split(':').all(|part| part.len() == 2);
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let mixed = word.contains(char::is_uppercase) && word.contains(char::is_lowercase);
        return (word.len() >= 64 && !word.contains(':') && mixed).then_some("[BASE64]");
    }
    match (digits.len(), digits.bytes().all(|byte| byte.is_ascii_digit())) {
        _ if word.contains(':') && !pairs => None,
        (33..=39, true) | (26..=32, _) => Some("[SERIAL]"),
        (40, _) => Some("[KEY ID]"),
        (64, _) => Some("[SHA-256]"),
        _ => None,
    }
}

/// Whether it is the machine's own time, as generations have it: `restore` has no `--at`.
fn is_now(word: &str) -> bool {
    let format = time::macros::format_description!("[year][month][day]T[hour][minute][second]Z");
    let Ok(time) = time::PrimitiveDateTime::parse(word, format) else { return false };
    (time.assume_utc() - time::OffsetDateTime::now_utc()).abs() < time::Duration::HOUR
}

/// Columns with two spaces between them; the beginning of a line stays.
fn single_spaced(text: &str) -> String {
    let spaced = |line: &str| {
        let body = line.trim_start_matches(' ');
        let cells = body.split("  ").map(|cell| cell.trim_start_matches(' ')).filter(|cell| !cell.is_empty());
        let indent = &line[..line.len() - body.len()];
        format!("{indent}{}", cells.collect::<Vec<_>>().join("  "))
    };
    text.split_inclusive('\n').map(spaced).collect()
}

#[test]
fn only_what_is_random_is_replaced() {
    let serial = "3BC4B9BDFDA8765B749FF61365C2920F";
    let base64 = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUJnRENDQVNlZ0F3SUJBZ0lRZnV5ajRhY2t==";
    for (text, normal_text) in [
        ("a 2026-11-20T22:00:00Z b", "a 2026-11-20T22:00:00Z b"),
        ("10.0.0.11:6443 ::1 0A0B0C v1.37.0", "10.0.0.11:6443 ::1 0A0B0C v1.37.0"),
        ("a/b/c/d/e/pki/etcd/healthcheck-client.crt", "a/b/c/d/e/pki/etcd/healthcheck-client.crt"),
        (&format!("peer      {serial}   x\n  y    z"), "peer  [SERIAL]  x\n  y  z"),
        (&format!("serial {serial}: no"), "serial [SERIAL]: no"),
        ("81666609217517239143306802707880211591", "[SERIAL]"),
        (&vec!["dd"; 20].join(":"), "[KEY ID]"),
        (&vec!["dd"; 32].join(":"), "[SHA-256]"),
        (&"0a".repeat(32), "[SHA-256]"),
        (&format!("data: {base64}\n"), "data: [BASE64]\n"),
    ] {
        assert_eq!(normal(text), normal_text);
    }
}

#[test]
fn a_difference_in_anything_is_found() {
    let place = Place::new();
    place.write("p.yaml", super::harness::single(""));
    let words = ["profile", "validate", "p.yaml"];
    let says = "p.yaml: valid: cluster kubernetes, 1 node\n";
    let passes = |check: &dyn Fn(Checked<'_>)| {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(place.run(&words)))).is_ok()
    };
    assert!(passes(&|run| _ = run.stdout(says).check()));
    assert!(!passes(&|run| _ = run.check()), "stdout");
    assert!(!passes(&|run| _ = run.stdout(says).stderr("x\n").check()), "stderr");
    assert!(!passes(&|run| _ = run.stdout(says).status(1).check()), "status");
    assert!(!passes(&|run| _ = run.stdout(says).tree("+ x 0644\n").check()), "tree");
    let (empty, file) = (Files::new(), |text: &str| Files::from([("a.jsonl".to_owned(), (0o600, text.into()))]));
    assert_eq!(changes(&empty, &file("x\n")), "+ a.jsonl 0600 (1 lines)\n");
    assert_eq!(changes(&file("x\n"), &file("x\ny\n")), "~ a.jsonl 0600 (2 lines)\n");
    assert_eq!(changes(&file("x"), &empty), "- a.jsonl\n");
    assert_eq!(changes(&file("x"), &file("x")), "");
}
