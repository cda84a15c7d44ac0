//! No verb leaves a key or a password in its memory: gdb stops it at its very last system call, and a core of it is searched.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{SMALL, decode_base64, files, kpki, mode, program, quick_scratch, run, write};

/// So many bytes of a secret in one place are a find.
const NEEDLE: usize = 16;
const PASSWORD: &str = "swordfish-Tr0ub4dor&3-correct-horse-battery";
const CERTIFICATE_KEY: &str = "9f2c71d05a8be3641c0f7a92de58b3461177aa40c2e95d3b8f60412d7c9ea5b3";

/// Pieces of secrets, each with what it is of.
pub struct Needles {
    pieces: HashMap<[u8; NEEDLE], String>,
    /// By their first three bytes: whether there is such a piece.
    begin: Vec<u64>,
    /// The PEM blocks they are of.
    blocks: BTreeSet<String>,
}

impl Needles {
    /// Of the passwords.
    pub fn new() -> Self {
        let mut needles = Self { pieces: HashMap::new(), begin: vec![0; 1 << 18], blocks: BTreeSet::new() };
        needles.add(PASSWORD.as_bytes(), 1, "password");
        needles.add(CERTIFICATE_KEY.as_bytes(), 1, "certificate key");
        needles.add(&hex(CERTIFICATE_KEY), 1, "certificate key");
        needles
    }

    /// Of every key below a directory.
    fn look(&mut self, dir: &Path) {
        for file in files(dir) {
            let Ok(text) = fs::read_to_string(&file) else { continue };
            let embedded = text.split(|c: char| c.is_whitespace() || c == '"');
            let embedded = embedded.filter(|word| word.starts_with("LS0tLS1CRUdJTi")).map(decode_base64);
            let embedded = embedded.filter_map(|bytes| String::from_utf8(bytes).ok());
            for text in [text.clone()].into_iter().chain(embedded) {
                for block in blocks(&text) {
                    if self.blocks.insert(block.clone()) {
                        self.key(&block, &file.strip_prefix(dir).unwrap().display().to_string());
                    }
                }
            }
        }
    }

    /// A PEM block with a private key.
    fn key(&mut self, block: &str, from: &str) {
        let body: String = block.lines().filter(|line| !line.contains("-----")).collect();
        let der = decode_base64(&body);
        for number in numbers(&der) {
            self.add(&number, 4, &format!("{from}, big endian"));
            let limbs: Vec<u8> = number.iter().rev().copied().collect();
            self.add(&limbs, 4, &format!("{from}, little endian"));
            self.base64(&number, &format!("{from}, base64"));
            // In a kubeconfig or a Secret the PEM is base64 again: of this number, and the line ends that are between.
            let at = der.windows(number.len()).position(|window| window == number).unwrap();
            let [begin, end] = [at, at + number.len()].map(|at| at * 4 / 3);
            let line = |at: usize| block.find('\n').unwrap() + 1 + at + at / 64;
            self.base64(&block.as_bytes()[line(begin) + 4..line(end) - 4], &format!("{from}, base64 twice"));
        }
    }

    /// The characters these bytes alone decide, wherever they begin in what is encoded.
    fn base64(&mut self, bytes: &[u8], what: &str) {
        for before in 0..3 {
            let text = encode_base64(&[&vec![0; before][..], bytes].concat());
            let (begin, end) = ((before * 8).div_ceil(6), (before + bytes.len()) * 8 / 6);
            self.add(&text.as_bytes()[begin..end], 4, what);
        }
    }

    pub fn add(&mut self, secret: &[u8], step: usize, what: &str) {
        for piece in secret.windows(NEEDLE).step_by(step) {
            let begin = first(piece);
            self.begin[begin >> 6] |= 1 << (begin & 63);
            self.pieces.insert(piece.try_into().unwrap(), what.to_owned());
        }
    }

    /// What is found in a core: what it is of, and where.
    pub fn found(&self, core: &[u8]) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut begin = 0;
        for (at, byte) in core.iter().enumerate() {
            begin = (begin << 8 | usize::from(*byte)) & 0xff_ffff;
            // It begins two bytes before this one.
            if self.begin[begin >> 6] >> (begin & 63) & 1 == 1 && at >= 2 {
                let piece = core.get(at - 2..at - 2 + NEEDLE);
                let what = piece.and_then(|piece| self.pieces.get(piece));
                let place = what.and_then(|what| Some(format!("{:#x}: {what}", address(core, at - 2)?)));
                found.extend(place);
            }
        }
        found
    }
}

/// The address of what is at this offset of a core (ELF, 64 bits, little endian). `None`: it is no memory, but a register: what
/// a cipher of the crypto library worked on may stand there until the process is gone.
fn address(core: &[u8], offset: usize) -> Option<usize> {
    let number = |at: usize, bytes: usize| {
        core[at..at + bytes].iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
    };
    let headers = (0..number(56, 2)).map(|index| number(32, 8) + index * number(54, 2));
    // PT_LOAD is 1.
    let segments =
        headers.filter(|at| number(*at, 4) == 1).map(|at| (number(at + 8, 8), number(at + 16, 8), number(at + 32, 8)));
    let mut segments = segments.filter(|(begin, _, size)| (*begin..begin + size).contains(&offset));
    segments.next().map(|(begin, address, _)| address + offset - begin)
}

fn first(piece: &[u8]) -> usize {
    usize::from(piece[0]) << 16 | usize::from(piece[1]) << 8 | usize::from(piece[2])
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn encode_base64(bytes: &[u8]) -> String {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let three = |three: &[u8]| {
        let bits = three.iter().fold(0, |bits, byte| bits << 8 | usize::from(*byte)) << (8 * (3 - three.len()));
        (0..=three.len()).map(move |digit| char::from(digits[bits >> (18 - 6 * digit) & 63])).collect::<String>()
    };
    bytes.chunks(3).map(three).collect()
}

/// Every PEM block with a private key that no password locks.
fn blocks(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("-----BEGIN") && line.contains("PRIVATE KEY") && !line.contains("ENCRYPTED") {
            let body: Vec<&str> = lines.by_ref().take_while(|line| !line.starts_with("-----END")).collect();
            found.push(format!("{line}\n{}\n", body.join("\n")));
        }
    }
    found
}

/// The secret numbers of a key: an EC scalar, or everything of an RSA key but modulus and public exponent.
fn numbers(der: &[u8]) -> Vec<Vec<u8>> {
    let parts = parts(&parts(der)[0].1);
    match parts.iter().map(|(tag, _)| *tag).collect::<Vec<_>>()[..] {
        // ECPrivateKey (RFC 5915).
        [0x02, 0x04, ..] => vec![parts[1].1.clone()],
        // PrivateKeyInfo (RFC 5208).
        [0x02, 0x30, 0x04, ..] => numbers(&parts[2].1),
        // RSAPrivateKey (RFC 8017).
        [0x02, 0x02, 0x02, 0x02, ..] => parts[3..].iter().map(|(_, bytes)| bytes.clone()).collect(),
        ref other => panic!("no key: {other:?}"),
    }
}

/// The elements of DER in a row.
fn parts(mut der: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut parts = Vec::new();
    while let [tag, length, rest @ ..] = der {
        let more = usize::from(length & 0x7f) * usize::from(length >> 7);
        let length = match more {
            0 => usize::from(*length),
            _ => rest[..more].iter().fold(0, |length, byte| length << 8 | usize::from(*byte)),
        };
        parts.push((*tag, rest[more..more + length].to_vec()));
        der = &rest[more + length..];
    }
    parts
}

/// What memory holds when the program comes to one of these system calls, and the status it was about to exit with.
pub fn core_at(calls: &str, command: &Command, core: &Path) -> (Vec<u8>, i32, String) {
    let status = if cfg!(target_arch = "aarch64") { "$x0" } else { "$rdi" };
    let mut gdb = program("gdb");
    gdb.args(["-q", "-nx", "-batch", "-ex", "set startup-with-shell off", "-ex", "set debuginfod enabled off"]);
    // The expressions below are C, whatever the program is written in.
    gdb.args(["-ex", "set language c"]);
    gdb.args(["-ex", &format!("catch syscall {calls}"), "-ex", "run", "-ex", &format!("gcore {}", core.display())]);
    gdb.args(["-ex", &format!("printf \"\\nSTATUS %d\\n\", (int){status}"), "-ex", "kill", "--args"]);
    gdb.arg(command.get_program()).args(command.get_args()).current_dir(command.get_current_dir().unwrap());
    let ran = run(&mut gdb);
    let said = format!("{}\n{}", ran.out, ran.err);
    let bytes = fs::read(core).unwrap_or_else(|why| panic!("{command:?}: no core: {why}: {said}"));
    fs::remove_file(core).unwrap();
    let status = said.lines().find_map(|line| line.strip_prefix("STATUS ")?.parse().ok());
    (bytes, status.unwrap_or_else(|| panic!("{command:?}: {said}")), said)
}

struct Trial {
    dir: PathBuf,
    core: PathBuf,
    needles: Needles,
    finds: Vec<String>,
}

impl Trial {
    fn command(&self, words: &str) -> Command {
        let mut command = kpki();
        command.args(words.split_whitespace()).current_dir(&self.dir);
        command
    }

    /// Runs one verb and searches what is left of it, for the keys that were there before and those that are there now.
    fn verb(&mut self, words: &str) {
        self.needles.look(&self.dir);
        let (core, status, said) = core_at("exit_group", &self.command(words), &self.core);
        if status != 0 {
            self.finds.push(format!("kpki {words}: exit status {status}: {said}"));
        }
        self.needles.look(&self.dir);
        let found = self.needles.found(&core);
        if !found.is_empty() {
            self.finds.push(format!("kpki {words}: {found:#?}"));
        }
    }
}

fn search(algorithm: &str) {
    let place = quick_scratch();
    let dir = place.path().join("work");
    fs::create_dir(&dir).unwrap();
    mode(&dir, 0o755);
    let algorithm = format!("encryptionAlgorithm: {algorithm}\n");
    write(dir.join("small.yaml"), format!("{SMALL}{algorithm}"));
    write(
        dir.join("cluster.yaml"),
        format!("{SMALL}  - name: w1\n    roles: [worker]\n    addresses: [10.0.0.21]\n{algorithm}"),
    );
    write(dir.join("password"), PASSWORD);
    write(dir.join("certificate-key"), CERTIFICATE_KEY);
    mode(&dir.join("certificate-key"), 0o600);
    let mut trial = Trial { core: place.path().join("core"), dir, needles: Needles::new(), finds: Vec::new() };
    run(&mut trial.command("init -p cluster.yaml -d cluster")).expect_ok("init");

    for words in [
        "init -p small.yaml -d tree",
        "init -p small.yaml -d tree --dry-run",
        "check-expiration -d tree",
        "renew all -d tree",
        "renew apiserver admin.conf --reuse-key -d tree",
        "kubeconfig user jane --group developers -d tree --out jane.conf",
        "kubeconfig user jane --group developers -d tree",
        "csr apiserver admin.conf -d tree --out requests",
        "sign requests/pki/apiserver.csr --as apiserver -d tree --out apiserver.crt",
        "import apiserver.crt --requests requests -d tree",
        "hold etcd-peer -d tree",
        "release etcd-peer -d tree",
        "revoke apiserver --reason superseded -d tree",
        "crl update -d tree",
        "renew all --due -d tree",
        "restore -d tree --force",
        "export cp1 -d cluster --out cp1.tar.gz",
        "export cp1 -d cluster --out cp1.tar",
        "export --verify cp1 -d cluster/nodes/cp1 --archive cp1.tar.gz",
        "inspect tree/pki/ca.key tree/admin.conf",
        "convert tree/admin.conf --to parts --out admin/",
        "convert tree/pki/ca.crt admin/client.crt admin/client.key --to kubeconfig --server https://10.0.0.1:6443 --out a.conf",
        "convert tree/pki --to der --out der/",
        "convert tree/pki/ca.key --to pkcs8 --out ca.pkcs8",
        "convert tree/pki/ca.key --to pkcs8",
        "convert ca.pkcs8 --to pem --out ca.pem",
        "convert tree/pki/ca.key --to pkcs8-encrypted --out-password-file password --out ca.enc",
        "convert ca.enc --to pkcs8 --password-file password --out ca.dec",
        "convert tree/pki/apiserver.crt tree/pki/apiserver.key --to p12 --out-password-file password --out a.p12",
        "convert tree/pki/apiserver.crt tree/pki/apiserver.key --to p12 --legacy --out-password-file password --out l.p12",
        "convert a.p12 --to parts --password-file password --out a/",
        "convert l.p12 --to pem --password-file password --out l.pem",
        "convert tree/pki/apiserver.crt tree/pki/apiserver.key --bundle haproxy --out web.pem",
        "convert tree/pki/ca.crt tree/pki/ca.key --as kubernetes-secret --name ca --out secret.yaml",
        "convert tree/pki/ca.crt tree/pki/ca.key --as istio-cacerts --out istio.yaml",
        "convert tree --as kubeadm-certs --certificate-key-file certificate-key --out certs.yaml",
        "backup -d tree --out tree.kpki --password-file password",
        "backup verify tree.kpki -d tree --password-file password",
        "backup restore tree.kpki -d again --password-file password",
    ] {
        trial.verb(words);
    }
    assert!(trial.finds.is_empty(), "{}", trial.finds.join("\n"));
    // Every key of two trees, and those of the renewals.
    assert!(trial.needles.blocks.len() > 50, "{} keys", trial.needles.blocks.len());
}

#[test]
fn nothing_of_p256_keys_is_left_in_memory() {
    search("ECDSA-P256");
}

#[test]
fn nothing_of_p384_keys_is_left_in_memory() {
    search("ECDSA-P384");
}

#[test]
fn nothing_of_rsa_keys_is_left_in_memory() {
    search("RSA-2048");
}

/// The search can fail: in the middle of a run the key is there, as numbers and as text.
#[test]
fn keys_that_are_in_memory_are_found() {
    let place = quick_scratch();
    let dir = place.path().join("work");
    write(dir.join("small.yaml"), SMALL);
    let mut trial =
        Trial { core: place.path().join("core"), dir: dir.clone(), needles: Needles::new(), finds: Vec::new() };
    run(&mut trial.command("init -p small.yaml -d tree")).expect_ok("init");
    for (words, what) in [
        ("convert tree/pki/ca.key --to pkcs8 --out ca.pkcs8", "base64"),
        ("convert tree/pki/ca.key --to pkcs8 --der --out ca.der", "big endian"),
        ("convert tree/admin.conf --to pem --out admin.pem", "base64 twice"),
        ("renew apiserver -d tree", "little endian"),
    ] {
        let (core, ..) = core_at("fsync fdatasync", &trial.command(words), &trial.core);
        trial.needles.look(&dir);
        let found = trial.needles.found(&core);
        assert!(found.iter().any(|found| found.ends_with(what)), "kpki {words}: {found:?}");
    }
}
