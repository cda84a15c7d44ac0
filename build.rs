//! What `kpki version` says of the build: target, compiler, and the versions of the libraries that Cargo.lock has. No path and no
//! time, so that two builds give the same bytes.

#![allow(clippy::disallowed_methods, clippy::print_stdout)] // cargo tells a build script by its environment, and reads what it prints

use std::error::Error;
use std::process::Command;
use std::{env, fs};

/// Those that sign, verify, parse and speak TLS.
const LIBRARIES: &[&str] =
    &["aws-lc-rs", "aws-lc-sys", "ring", "rcgen", "rustls", "rustls-webpki", "x509-parser", "cbc", "scrypt"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=Cargo.lock");
    println!("cargo:rerun-if-env-changed=KPKI_COMMIT");
    let lock = fs::read_to_string("Cargo.lock").map_err(|why| format!("Cargo.lock: {why}"))?;
    let versions = LIBRARIES.iter().map(|name| Ok(format!("{name} {}", version(&lock, name)?)));
    let versions: Vec<String> = versions.collect::<Result<_, String>>()?;
    println!("cargo:rustc-env=KPKI_LIBRARIES={}", versions.join(","));
    println!("cargo:rustc-env=KPKI_TARGET={}", env::var("TARGET")?);
    // "rustc 1.95.0 (59807616e 2026-04-14)"
    let compiler = Command::new(env::var("RUSTC")?).arg("--version").output()?.stdout;
    println!("cargo:rustc-env=KPKI_COMPILER={}", String::from_utf8(compiler)?.trim());
    Ok(())
}

/// The version of a package: the line below its name.
fn version(lock: &str, name: &str) -> Result<String, String> {
    let (_, rest) =
        lock.split_once(&format!("name = \"{name}\"\nversion = \"")).ok_or(format!("Cargo.lock has no {name}"))?;
    rest.split('"').next().map(str::to_owned).ok_or(format!("Cargo.lock: {name} has no version"))
}
