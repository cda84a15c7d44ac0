//! The rules as data. A new room, crate or exception needs a line here first.
//!
//! Every list of exceptions may only shrink: one that is not needed any more fails its test.

/// Rooms from top to bottom. A room imports only from rooms of a lower rank; rooms of one rank do not know each other.
pub const RANKS: &[&[&str]] = &[
    &["main"],
    &["run"],
    &["cli"],
    &["commands"],
    &["workspace"],
    &["report", "error"],
    &["verify"],
    &["plan", "audit", "keys"],
    &["tree"],
    &["ca", "store", "inventory", "programs", "handshake", "live"],
    &["profile"],
    &["kubeconfig", "manifest"],
    &["catalog", "x509", "encrypted"],
    &["encoding"],
    &["blueprint", "revocation", "clock", "files", "parallel", "random"],
    &["signals"],
];

/// `ROOM -> ROOM`, against the ranks.
pub const UPWARD: &[&str] = &[];

/// Which rooms may name which crate. Crates that are not listed may be used anywhere (time, zeroize, thiserror).
pub const CRATES: &[(&str, &[&str])] = &[
    ("rcgen", &["ca"]),
    ("aws_lc_rs", &["ca", "encrypted", "random"]),
    ("cbc", &["encrypted"]),
    ("des", &["encrypted"]),
    ("rc2", &["encrypted"]),
    ("md5", &["encrypted"]),
    ("bcrypt_pbkdf", &["encrypted"]),
    ("scrypt", &["encrypted"]),
    ("x509_parser", &["x509"]),
    ("webpki", &["x509"]),
    ("rustls_pki_types", &["x509", "ca"]),
    ("ring", &["x509"]),
    ("num_bigint", &["x509"]),
    ("rustls", &["handshake", "live"]),
    ("der", &["encoding"]),
    ("pem", &["encoding"]),
    ("base64", &["encoding"]),
    ("saphyr_parser", &["encoding"]),
    ("tar", &["encoding"]),
    ("flate2", &["encoding"]),
    ("signal_hook", &["signals"]),
    ("zeroizing_alloc", &["main"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("unicode_width", &["report"]),
    ("walkdir", &["inventory", "commands", "workspace"]),
    ("rustix", &["files", "store", "run", "programs"]),
    ("serde", &["report", "store", "workspace", "files", "commands", "tree"]),
    ("serde_json", &["report", "store", "commands", "workspace"]),
];

/// Which rooms may name what of the standard library. `a::b` stands anywhere in a path, `a!` is a macro.
pub const EDGES: &[(&str, &[&str])] = &[
    ("std::fs", &["files", "store"]),
    ("std::env", &["run"]),
    ("process::ExitCode", &["main", "run"]),
    ("process::Command", &["programs"]),
    ("std::alloc", &["main"]),
    // encoding, report: the traits only, over bytes in memory or whatever the caller gives.
    ("std::io", &["signals", "run", "cli", "files", "store", "programs", "encoding", "report", "live"]),
    // Addresses are values, which every room may have; connections are not.
    ("net::TcpStream", &["live"]),
    ("net::TcpListener", &[]),
    ("net::UdpSocket", &[]),
    ("net::ToSocketAddrs", &["live"]),
    ("unix::net", &[]),
    ("SystemTime", &["clock"]),
    ("now_utc", &["clock"]),
    // Numbers that a hash map is seeded with are no source of ours.
    ("RandomState", &[]),
    ("rand::fill", &["random"]),
    ("println!", &[]),
    ("eprintln!", &[]),
    ("print!", &[]),
    ("eprint!", &[]),
    ("process::exit", &[]),
];

/// Names of ours that only these files may say. Signing and publishing have one way each.
pub const DOORS: &[(&str, &[&str])] = &[
    ("ca::Issuer::new", &["ca/", "tree/authorities.rs", "commands/sign", "commands/init"]),
    ("store::publish", &["store/", "workspace/"]),
    ("store::Commit", &["store/", "workspace/"]),
    ("store::create_whole", &["store/", "commands/backup"]),
];

/// Files that go past a door today.
pub const PAST_DOORS: &[&str] = &[];

/// `VERB -> VERB` in `commands/`.
pub const KNOWN_VERBS: &[&str] = &[];

/// Files of `commands/` with more than [`LONGEST_VERB`] lines.
pub const LONG_VERBS: &[&str] = &[];

/// Files that are in a circle of imports today.
pub const KNOWN_CIRCLES: &[&str] = &[];

pub const LONGEST_VERB: usize = 200;
pub const LONGEST_FILE: usize = 450;
pub const LONGEST_MAIN: usize = 15;
