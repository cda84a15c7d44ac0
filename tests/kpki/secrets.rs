//! No output ever holds bytes of a secret: keys, tokens and passwords in a hundred mangled shapes, in the place of every file that
//! every verb reads, in every form of output. Whatever is said is searched for any 8 bytes of the secret, as text, DER and
//! hexadecimal digits.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use kpki::clock::Clock;
use kpki::run::run;

use super::harness::{Place, copy_tree, environment, repository, single};
use super::mangled::{Shape, shapes};

const SPAN: usize = 8;

/// What must not be seen.
pub struct Secret {
    /// A PEM file, or a line.
    pub text: String,
    /// Its base64 without lines; of a line the line.
    pub body: String,
    pub der: Vec<u8>,
    pub hex: String,
    watch: Watch,
}

/// What is looked for: any 8 bytes, and any 16 hexadecimal digits.
#[derive(Clone, Default)]
struct Watch {
    parts: HashSet<u64>,
    digits: HashSet<u128>,
}

impl Watch {
    fn is_in(&self, output: &[u8]) -> bool {
        let lower = output.to_ascii_lowercase();
        parts(output).any(|part| self.parts.contains(&part)) || digits(&lower).any(|part| self.digits.contains(&part))
    }
}

fn parts(bytes: &[u8]) -> impl Iterator<Item = u64> {
    bytes.windows(SPAN).map(|part| u64::from_be_bytes(part.try_into().unwrap()))
}

fn digits(bytes: &[u8]) -> impl Iterator<Item = u128> {
    bytes.windows(2 * SPAN).map(|part| u128::from_be_bytes(part.try_into().unwrap()))
}

impl Secret {
    /// From PEM, whatever has become of its lines.
    pub fn of_pem(text: &str) -> Self {
        let mut body = String::new();
        for piece in text.replace("\\n", "\n").split("-----") {
            if !piece.starts_with("BEGIN") && !piece.starts_with("END") {
                body.extend(piece.chars().filter(|c| c.is_ascii_alphanumeric() || "+/=".contains(*c)));
            }
        }
        let der = kpki::encoding::base64::decode(body.as_bytes()).map(|der| der.to_vec()).unwrap_or_default();
        Self::new(text, body, der)
    }

    /// A password or token.
    pub fn of_line(text: &str) -> Self {
        Self::new(text, text.to_owned(), text.as_bytes().to_vec())
    }

    fn new(text: &str, body: String, der: Vec<u8>) -> Self {
        let hex: String = der.iter().map(|octet| format!("{octet:02x}")).collect();
        let parts = parts(body.as_bytes()).chain(parts(&der)).collect();
        let watch = Watch { parts, digits: digits(hex.as_bytes()).collect() };
        assert!(watch.parts.len() >= 4 && watch.digits.len() >= 4);
        Self { text: text.to_owned(), body, der, hex, watch }
    }

    /// The same block under another label.
    pub fn relabelled(&self, label: &str) -> String {
        let lines = self.body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap());
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.collect::<Vec<_>>().join("\n"))
    }

    pub fn is_in(&self, output: &[u8]) -> bool {
        self.watch.is_in(output)
    }
}

#[test]
fn eight_bytes_of_a_secret_are_found_and_seven_are_not() {
    let key = fs::read_to_string(repository("fixtures/convert/leaf.key")).unwrap();
    let secret = Secret::of_pem(&key);
    assert!(secret.der.len() > 100 && secret.der[0] == 0x30);
    let said = |text: &str| secret.is_in(format!("error: found {text}").as_bytes());
    assert!(said(&secret.body[20..28]) && !said(&secret.body[20..27]));
    assert!(said(&secret.hex[20..36]) && said(&secret.hex[20..36].to_uppercase()) && !said(&secret.hex[20..35]));
    assert!(secret.is_in(&[b"x", &secret.der[9..17]].concat()) && !secret.is_in(&secret.der[9..16]));
    let lost = key.replace('\n', "\\n");
    assert_eq!(Secret::of_pem(&lost).der, secret.der);
}

/// Of every verb the ways in which it reads one file, `s`, which take turns; `t` is a tree. `{check}`, `{form}`, `{to}`: each form in turn.
const FILES: &[&[&str]] = &[
    &["inspect s", "inspect s -o json"],
    &["check-expiration s -o {check}", "check-expiration t --profile s -o {check}"],
    &[
        "convert s --to {to} --out o",
        "convert s c/root.crt --bundle haproxy --out o",
        "convert c/leaf.crt s --as kubernetes-secret --name a --out o",
        "convert c/plain.p12 --to pem --password-file s --out o",
        "convert t --as kubeadm-certs --certificate-key-file s --out o -o json",
    ],
    &["csr apiserver --dir t --key s --out o -o {form} --dry-run"],
    &[
        "sign s --usage server --san a.example --dir t --out o -o {form} --dry-run",
        "sign s --csr-json --usage client --dir t --out o -o {form} --dry-run",
        "sign c/leaf.csr --usage client --ca-cert s --ca-key s --out o --dry-run",
        "sign c/leaf.csr --usage client --ca-cert c/root.crt --ca-key s --out o --dry-run",
    ],
    &["kubeconfig user jane --csr s --dir t --out o"],
    &["import s --dir t -o {form} --dry-run", "import s --as ca --dir t -o {form} --dry-run"],
    &["profile validate s", "profile show s", "profile import-cfssl s"],
    &["init --profile s --dir n -o {form} --dry-run"],
    &["renew all --profile s --dir t -o {form} --dry-run"],
    &["crl check s --ca c/root.crt -o {form}", "crl check c/leaf.crt --ca s --crl s -o {form}", "crl show s -o {form}"],
    &["revoke s --dir t -o {form} --dry-run", "hold s --dir t --dry-run"],
    &["export --verify cp1 --dir t --archive s -o {form}", "export --verify cp1 --dir t --manifest s -o {form}"],
];

/// What reads a tree in which one file is the secret; `F` is that file.
const TREES: &[&str] = &[
    "check-expiration t -o {check}",
    "renew all --dir t -o {form} --dry-run",
    "init --profile p.yaml --dir t -o {form} --dry-run",
    "csr all --dir t -o {form} --dry-run",
    "revoke apiserver --dir t -o {form} --dry-run",
    "crl update --dir t -o {form} --dry-run",
    "kubeconfig user jane --dir t --out o",
    "sign c/leaf.csr --usage client --dir t --out o -o {form} --dry-run",
    "history --dir t -o {form}",
    "history --issued --dir t -o {form}",
    "restore --dir t -o {form} --dry-run",
    "export cp1 --dir t --out o -o {form}",
    "export --verify cp1 --dir t -o {form}",
    "convert t --as kubeadm-certs --out o -o json",
    "convert t --to der --out o -o json",
    "inspect F -o json",
];
const PLACES: &[&str] = &[
    "pki/ca.key",
    "pki/ca.crt",
    "pki/apiserver.crt",
    "pki/apiserver.key",
    "pki/sa.key",
    "pki/sa.pub",
    "pki/ca.crl",
    "admin.conf",
    "kubelet.conf",
    ".kpki/state.json",
    ".kpki/profile.yaml",
    ".kpki/journal.jsonl",
    ".kpki/commit",
    ".kpki/owed.json",
];

const KUBECONFIGS: &[&str] = &["admin.conf", "kubelet.conf"];

const CHECK: &[&str] = &["table", "wide", "json", "yaml", "csv", "timeline", "html", "prometheus", "nagios"];
const FORM: &[&str] = &["table", "wide", "json", "yaml"];
const TO: &[&str] = &["pem", "der", "pkcs1", "sec1", "pkcs8", "spki", "parts", "p12", "kubeconfig"];

/// Keys first; in documents only these, because a valid profile may show a short name by rights.
fn secrets() -> Vec<Secret> {
    let pem = |name: &str| Secret::of_pem(&fs::read_to_string(repository("fixtures/convert").join(name)).unwrap());
    vec![
        pem("leaf.key"),
        pem("rsa.key"),
        pem("ed25519.key"),
        pem("leaf.aes128-sha256.key"),
        Secret::of_line("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
        Secret::of_line("q7fz2k.4h8d0s6m1x9c3v5b"),
        Secret::of_line("Xk7pLq9vT2mZr4wBn8sD"),
        Secret::of_line("eyJhbGciOiJSUzI1NiIsImtpZCI6IkQzbHhQdSJ9.eyJpc3MiOiJrdWJlcm5ldGVzL3NlcnZpY2VhY2NvdW50In0"),
    ]
}
/// P-256 and RSA: a line of Ed25519 is as short as a name.
const LONG_KEYS: usize = 2;

/// Numbers that look random and are always the same.
fn seeded() -> impl FnMut() -> usize {
    let mut state = 0x2026_1126_u64;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap()
    }
}

struct Runner<'a> {
    place: &'a Place,
    watch: &'a Watch,
    base: &'a Path,
    /// To take each form in turn.
    count: usize,
    leaks: Vec<String>,
    statuses: HashSet<u8>,
}

impl Runner<'_> {
    /// In this process: five thousand programs would take a minute to start.
    fn run(&mut self, command: &str, what: &str) {
        self.count += 1;
        let turn = |words: &[&'static str]| words[self.count % words.len()];
        let command = command.replace("{check}", turn(CHECK)).replace("{form}", turn(FORM)).replace("{to}", turn(TO));
        let is_path = |word: &str| ["s", "t", "o", "n", "p.yaml"].contains(&word) || word.contains('/');
        let words = command.split(' ').map(|word| match is_path(word) {
            true => self.place.path(word).into_os_string(),
            false => OsString::from(word),
        });
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let status = run(std::iter::once("kpki".into()).chain(words), &environment(Clock::System), &mut out, &mut err);
        self.statuses.insert(status);
        for (stream, bytes) in [("stdout", &out), ("stderr", &err)] {
            if self.watch.is_in(bytes) {
                let text = String::from_utf8_lossy(bytes).chars().take(400).collect::<String>();
                self.leaks.push(format!("{what}: kpki {command}: {stream}: {text}"));
            }
        }
        // What was refused wrote nothing.
        if [0, 5, 10].contains(&status) {
            for made in ["o", "n"] {
                let path = self.place.path(made);
                let _ = fs::remove_file(&path);
                let _ = fs::remove_dir_all(&path);
            }
            if command.contains("--dir") {
                self.tree();
            }
        }
    }

    fn tree(&self) {
        let tree = self.place.path("t");
        let _ = fs::remove_dir_all(&tree);
        copy_tree(self.base, &tree);
    }

    /// One shape in the place of everything: each verb reads it as a file, and half of them as one file of a tree.
    fn shape(&mut self, index: usize, shape: &Shape) {
        self.place.write("s", &shape.bytes);
        for ways in FILES {
            self.run(ways[(index + ways.len()) % ways.len()], &shape.name);
        }
        // A kubeconfig's fields are read only where one is expected.
        let (places, all) = match shape.name.starts_with("a kubeconfig") {
            true => (KUBECONFIGS, true),
            false => (std::slice::from_ref(&PLACES[index % PLACES.len()]), false),
        };
        for file in places {
            for (at, command) in TREES.iter().enumerate() {
                if all || (at + index / PLACES.len()).is_multiple_of(2) {
                    self.place.write(&format!("t/{file}"), &shape.bytes);
                    self.run(&command.replace('F', &format!("t/{file}")), &format!("{} as {file}", shape.name));
                }
            }
            self.tree();
        }
    }
}

#[test]
fn no_output_holds_eight_bytes_of_a_secret() {
    let secrets = secrets();
    let all = shapes(|index, keys| &secrets[index % if keys { LONG_KEYS } else { secrets.len() }], seeded());
    assert!(all.len() >= 100, "{}", all.len());
    let base = Place::new();
    base.write("p.yaml", single(""));
    base.init(&["--profile", "p.yaml", "--dir", "t", "--node", "cp1"]).status(0);
    let base = base.path("t");
    let mut watch = Watch::default();
    for secret in &secrets {
        watch.parts.extend(&secret.watch.parts);
        watch.digits.extend(&secret.watch.digits);
    }
    let work = |half: usize| {
        let place = Place::new();
        place.write("p.yaml", single(""));
        copy_tree(&repository("fixtures/convert"), &place.path("c"));
        let (leaks, statuses) = (Vec::new(), HashSet::new());
        let mut runner = Runner { place: &place, watch: &watch, base: &base, count: half, leaks, statuses };
        runner.tree();
        for (index, shape) in all.iter().enumerate().filter(|(index, _)| index % 2 == half) {
            runner.shape(index, shape);
        }
        (runner.leaks, runner.statuses, runner.count)
    };
    let work = &work;
    let halves: Vec<_> = std::thread::scope(|scope| {
        let threads = [0, 1].map(|half| scope.spawn(move || work(half)));
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let leaks: Vec<String> = halves.iter().flat_map(|(leaks, ..)| leaks.clone()).collect();
    assert!(
        leaks.is_empty(),
        "{} of {} runs:\n{}",
        leaks.len(),
        halves.iter().map(|half| half.2).sum::<usize>(),
        leaks.join("\n")
    );
    // Not every run stops at the first look: some succeed, some refuse, some find the command line wrong.
    let statuses: HashSet<u8> = halves.iter().flat_map(|(_, statuses, _)| statuses.clone()).collect();
    assert!([0, 1, 2, 4].iter().all(|status| statuses.contains(status)), "{statuses:?}");
}
