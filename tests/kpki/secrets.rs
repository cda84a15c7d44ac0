//! No output ever holds bytes of a secret: keys, tokens and passwords in a hundred mangled shapes, in the place of every file that
//! every verb reads, in every form of output. Whatever is said is searched for any 8 bytes of the secret, as text, DER and
//! hexadecimal digits.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::harness::{Place, copy_tree, repository, single};
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
    parts: HashSet<Vec<u8>>,
    digits: HashSet<Vec<u8>>,
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
        let windows =
            |bytes: &[u8], size: usize| -> HashSet<Vec<u8>> { bytes.windows(size).map(<[u8]>::to_vec).collect() };
        let mut parts = windows(body.as_bytes(), SPAN);
        parts.extend(windows(&der, SPAN));
        let digits = windows(hex.as_bytes(), 2 * SPAN);
        assert!(parts.len() >= 4 && digits.len() >= 4);
        Self { text: text.to_owned(), body, der, hex, parts, digits }
    }

    /// The same block under another label.
    pub fn relabelled(&self, label: &str) -> String {
        let lines = self.body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap());
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.collect::<Vec<_>>().join("\n"))
    }

    pub fn is_in(&self, output: &[u8]) -> bool {
        let lower = output.to_ascii_lowercase();
        output.windows(SPAN).any(|part| self.parts.contains(part))
            || lower.windows(2 * SPAN).any(|part| self.digits.contains(part))
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

/// Every way in which a verb reads one file, `s`; `t` is a tree. `{check}`, `{form}`, `{to}`: each form in turn.
const FILES: &[&str] = &[
    "inspect s",
    "inspect s -o json",
    "check-expiration s -o {check}",
    "check-expiration t --profile s -o {check}",
    "convert s --to {to} --out o",
    "convert s c/root.crt --bundle haproxy --out o",
    "convert c/leaf.crt s --as kubernetes-secret --name a --out o",
    "convert c/plain.p12 --to pem --password-file s --out o",
    "convert t --as kubeadm-certs --certificate-key-file s --out o -o json",
    "csr apiserver --dir t --key s --out o -o {form}",
    "sign s --usage server --san a.example --dir t --out o -o {form}",
    "sign s --csr-json --usage client --dir t --out o -o {form}",
    "sign c/leaf.csr --usage client --ca-cert s --ca-key s --out o",
    "sign c/leaf.csr --usage client --ca-cert c/root.crt --ca-key s --out o",
    "kubeconfig user jane --csr s --dir t --out o",
    "import s --dir t -o {form}",
    "import s --as ca --dir t -o {form}",
    "profile validate s",
    "profile show s",
    "profile import-cfssl s",
    "init --profile s --dir n -o {form}",
    "renew all --profile s --dir t -o {form}",
    "crl check s --ca c/root.crt -o {form}",
    "crl check c/leaf.crt --ca s --crl s -o {form}",
    "crl show s -o {form}",
    "revoke s --dir t -o {form}",
    "hold s --dir t",
    "export --verify cp1 --dir t --archive s -o {form}",
    "export --verify cp1 --dir t --manifest s -o {form}",
];

/// What reads a tree in which one file is the secret; `F` is that file.
const TREES: &[&str] = &[
    "check-expiration t -o {check}",
    "renew all --dir t -o {form}",
    "init --profile p.yaml --dir t -o {form}",
    "csr all --dir t -o {form}",
    "revoke apiserver --dir t -o {form}",
    "crl update --dir t -o {form}",
    "kubeconfig user jane --dir t --out o",
    "sign c/leaf.csr --usage client --dir t --out o -o {form}",
    "history --dir t -o {form}",
    "restore --dir t -o {form}",
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

const CHECK: &[&str] = &["table", "wide", "json", "yaml", "csv", "prometheus", "nagios"];
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
    secrets: &'a [Secret],
    /// To take each form in turn.
    count: usize,
    leaks: Vec<String>,
    statuses: HashSet<i32>,
}

impl Runner<'_> {
    fn run(&mut self, command: &str, what: &str) {
        self.count += 1;
        let turn = |words: &[&'static str]| words[self.count % words.len()];
        let command = command.replace("{check}", turn(CHECK)).replace("{form}", turn(FORM)).replace("{to}", turn(TO));
        for made in ["o", "n"] {
            let path = self.place.path(made);
            let _ = fs::remove_file(&path);
            let _ = fs::remove_dir_all(&path);
        }
        let output = Command::new(env!("CARGO_BIN_EXE_kpki"))
            .args(command.split(' '))
            .current_dir(self.place.path(""))
            .env_clear()
            .stdin(Stdio::null())
            .output()
            .unwrap();
        self.statuses.insert(output.status.code().unwrap_or(-1));
        for (stream, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
            if self.secrets.iter().any(|secret| secret.is_in(bytes)) {
                let text = String::from_utf8_lossy(bytes).chars().take(400).collect::<String>();
                self.leaks.push(format!("{what}: kpki {command}: {stream}: {text}"));
            }
        }
    }

    fn tree(&self, base: &Path) {
        let tree = self.place.path("t");
        let _ = fs::remove_dir_all(&tree);
        copy_tree(base, &tree);
    }

    /// One shape in the place of everything. Of the many places in a tree each shape takes two, of what reads trees a half.
    fn shape(&mut self, index: usize, shape: &Shape, base: &Path) {
        self.place.write("s", &shape.bytes);
        self.tree(base);
        for command in FILES {
            self.run(command, &shape.name);
        }
        for turn in [0, 7] {
            let file = PLACES[(index + turn) % PLACES.len()];
            for (_, command) in TREES.iter().enumerate().filter(|(at, _)| (at + index / PLACES.len() + turn) % 2 == 0) {
                self.tree(base);
                self.place.write(&format!("t/{file}"), &shape.bytes);
                self.run(&command.replace('F', &format!("t/{file}")), &format!("{} as {file}", shape.name));
            }
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
    let run = |half: usize| {
        let place = Place::new();
        place.write("p.yaml", single(""));
        copy_tree(&repository("fixtures/convert"), &place.path("c"));
        let (leaks, statuses) = (Vec::new(), HashSet::new());
        let mut runner = Runner { place: &place, secrets: &secrets, count: half, leaks, statuses };
        for (index, shape) in all.iter().enumerate().filter(|(index, _)| index % 2 == half) {
            runner.shape(index, shape, &base);
        }
        (runner.leaks, runner.statuses, runner.count)
    };
    let run = &run;
    let halves: Vec<_> = std::thread::scope(|scope| {
        let threads = [0, 1].map(|half| scope.spawn(move || run(half)));
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
    let statuses: HashSet<i32> = halves.iter().flat_map(|(_, statuses, _)| statuses.clone()).collect();
    assert!(
        [0, 1, 2, 4].iter().all(|status| statuses.contains(status))
            && !statuses.contains(&-1)
            && !statuses.contains(&101),
        "{statuses:?}"
    );
}
