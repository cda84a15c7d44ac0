//! The ready-made signers and key commands with the real programs: SoftHSM through openssl's pkcs11 engine, a TPM (swtpm) through
//! tpm2-tools, age and systemd-creds. Commands and profiles are those of examples/signers/README.md.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{Ran, Server, mode, program, run, say, scratch, within, write};
use crate::worked::{Variable, Worked};

/// Algorithm, digest of openssl, and what the signed text is.
const ECDSA: (&str, &str) = ("ecdsa-sha256", "sha256");
const ECDSA_384: (&str, &str) = ("ecdsa-sha384", "sha384");
const RSA: (&str, &str) = ("rsa-pkcs1-sha256", "sha256");

/// Runs a signer as kpki does: the digest on stdin, what it is in the environment, `/` as the directory.
fn ask(words: &[String], tool: &Variable, algorithm: &str, digest: &[u8]) -> (Ran, Vec<u8>) {
    let (program, rest) = words.split_first().unwrap();
    let mut command = Command::new(program);
    command.args(rest).current_dir("/").env("KPKI_SIGN_ALGORITHM", algorithm).env("KPKI_SIGN_INPUT", "digest");
    command.env(tool.0, &tool.1).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // It may refuse without reading.
    let _ = child.stdin.take().unwrap().write_all(digest);
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let ran = Ran { code: output.status.code(), signal: None, out: text(&output.stdout), err: text(&output.stderr) };
    (ran, output.stdout)
}

/// Signs a digest; openssl verifies the signature of the text under the public key that the signer names.
#[track_caller]
fn signs(dir: &Path, signer: &[String], public_key: &[String], tool: &Variable, how: (&str, &str)) {
    let text = write(dir.join("text"), format!("{signer:?}"));
    let path = |name: &str| dir.join(name).to_str().unwrap().to_owned();
    say("openssl", ["dgst", &format!("-{}", how.1), "-binary", "-out", &path("digest"), text.to_str().unwrap()]);
    let (ran, signature) = ask(signer, tool, how.0, &fs::read(dir.join("digest")).unwrap());
    ran.expect_ok(format_args!("{signer:?}"));
    assert!(signature.len() <= 1024);
    write(dir.join("signature"), signature);
    let (public, pem) = ask(public_key, tool, "", b"");
    public.expect_ok(format_args!("{public_key:?}"));
    write(dir.join("public.pem"), pem);
    let words = [&path("public.pem"), "-signature", &path("signature"), text.to_str().unwrap()];
    say("openssl", ["dgst", &format!("-{}", how.1), "-verify"].into_iter().chain(words));
}

/// It fails, names why on stderr, and prints nothing that could be taken for a signature.
#[track_caller]
fn refuses(signer: &[String], tool: &Variable, algorithm: &str, because: &[&str]) {
    let (ran, signature) = ask(signer, tool, algorithm, &[7; 32]);
    let ran = ran.expect_code(1, format_args!("{signer:?}"));
    assert!(signature.is_empty(), "{signer:?}");
    for text in because {
        assert!(ran.err.contains(text), "{signer:?}: {text}: {}", ran.err);
    }
}

fn with(words: &[String], from: &str, to: &str) -> Vec<String> {
    let words: Vec<String> = words.iter().map(|word| word.replace(from, to)).collect();
    assert!(words.iter().any(|word| word.contains(to)), "{words:?}");
    words
}

/// A token store of its own.
pub fn softhsm(dir: &Path) -> Variable {
    let tokens = dir.join("tokens");
    fs::create_dir(&tokens).unwrap();
    let text = format!("directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n", tokens.display());
    ("SOFTHSM2_CONF", write(dir.join("softhsm2.conf"), text).to_str().unwrap().to_owned())
}

#[test]
fn softhsm_signs_by_digest() {
    let place = scratch();
    let dir = place.path();
    let tool = softhsm(dir);
    let worked = Worked::installed("signers", dir);
    let said = worked.sh("softhsm2-util", &[&tool]);
    assert!(said.out.contains("-----BEGIN PUBLIC KEY-----"), "{}", said.out);
    let (signer, public) = (worked.words("command", "softhsm"), worked.words("publicKey", "softhsm"));
    signs(dir, &signer, &public, &tool, ECDSA);
    for (kind, name, how) in [("EC:secp384r1", "large", ECDSA_384), ("rsa:2048", "rsa", RSA)] {
        let pin = fs::read_to_string(dir.join("etc/pin")).unwrap();
        let module = "/usr/lib/softhsm/libsofthsm2.so";
        let mut make = program("pkcs11-tool");
        make.args(["--module", module, "--token-label", "kpki", "--login", "--pin", &pin, "--keypairgen"]);
        run(make.args(["--key-type", kind, "--label", name]).env(tool.0, &tool.1)).expect_ok(kind);
        let key = format!("object={name};");
        let (signer, public) = (with(&signer, "object=ca;", &key), with(&public, "object=ca;", &key));
        signs(dir, &signer, &public, &tool, how);
        // The module by its file, without p11-kit.
        let named = [&signer[..1], &["--module".to_owned(), module.to_owned()], &signer[1..]].concat();
        signs(dir, &named, &public, &tool, how);
    }
    let other_key = with(&signer, "object=ca;", "object=nothing;");
    refuses(&other_key, &tool, ECDSA.0, &["object not found", "softhsm: openssl cannot sign with pkcs11:"]);
    let other_token = with(&signer, "token=kpki;", "token=nothing;");
    refuses(&other_token, &tool, ECDSA.0, &["No matching initialized token", "cannot sign"]);
    refuses(&signer, &tool, "ed25519", &["softhsm: cannot sign with 'ed25519' (KPKI_SIGN_ALGORITHM)"]);
    refuses(&with(&signer, "pin-source=file:", "pin-value="), &tool, ECDSA.0, &["pin-source=file:FILE"]);
    refuses(&signer[..1], &tool, ECDSA.0, &["usage: softhsm"]);
    // These would be wrong PINs, and count as such.
    let pin = fs::read_to_string(dir.join("etc/pin")).unwrap();
    write(dir.join("etc/pin"), pin.clone() + "\n");
    refuses(&signer, &tool, ECDSA.0, &["ends with a newline"]);
    write(dir.join("etc/pin"), pin.repeat(2));
    refuses(&signer, &tool, ECDSA.0, &["longer than the 31 characters"]);
}

/// A TPM at a socket of its own.
pub fn tpm(dir: &Path) -> (Server, Variable) {
    let state = dir.join("tpm");
    fs::create_dir(&state).unwrap();
    mode(&state, 0o700);
    let shown = state.to_str().unwrap();
    say("swtpm_setup", ["--tpm2", "--tpmstate", shown, "--overwrite"]);
    let socket = |name: &str| format!("type=unixio,path={shown}/{name}");
    let mut command = program("swtpm");
    command.args(["socket", "--tpm2", "--tpmstate", &format!("dir={shown}"), "--server", &socket("socket")]);
    command.args(["--ctrl", &socket("socket.ctrl"), "--flags", "not-need-init,startup-clear"]);
    let server = Server::start(&mut command, dir.join("swtpm.log"));
    let is_up = || ["socket", "socket.ctrl"].iter().all(|name| state.join(name).exists());
    assert!(within(std::time::Duration::from_secs(20), is_up), "{}", server.log());
    (server, ("TPM2TOOLS_TCTI", format!("swtpm:path={shown}/socket")))
}

#[test]
fn a_tpm_signs_by_digest() {
    let place = scratch();
    let dir = place.path();
    let (_server, tool) = tpm(dir);
    let worked = Worked::installed("signers", dir);
    let said = worked.sh("tpm2_create ", &[&tool]);
    assert!(said.out.contains("-----BEGIN PUBLIC KEY-----"), "{}", said.out);
    let (signer, public) = (worked.words("command", "signers/tpm"), worked.words("publicKey", "signers/tpm"));
    signs(dir, &signer, &public, &tool, ECDSA);
    // Another kind of key, and one with an authorization value.
    let auth = write(dir.join("etc/tpm-auth"), "value").to_str().unwrap().to_owned();
    run(program("tpm2_flushcontext").arg("-t").env(tool.0, &tool.1)).expect_ok("flush");
    let block = worked.block("sh", "tpm2_create ").replace("0x81000010", "0x81000011");
    let block = block.replace("ecc256:ecdsa-sha256", &format!("rsa2048:rsassa-sha256 -p file:{auth}"));
    run(program("sh").args(["-e", "-c", &block]).env(tool.0, &tool.1)).expect_ok(&block);
    let with_auth = [&signer[..1], &["--auth".to_owned(), auth.clone(), "0x81000011".to_owned()]].concat();
    signs(dir, &with_auth, &with(&public, "0x81000010", "0x81000011"), &tool, RSA);

    let other = with(&signer, "0x81000010", "0x81000099");
    refuses(&other, &tool, ECDSA.0, &["the handle is not correct", "tpm: cannot sign with the key 0x81000099"]);
    refuses(&signer, &tool, "rsa-pkcs1-sha256", &["cannot sign with the key 0x81000010"]);
    refuses(&signer, &tool, "", &["tpm: cannot sign with ''"]);
    write(&auth, "value\n");
    refuses(&with_auth, &tool, RSA.0, &["ends with a newline"]);
    write(&auth, "other");
    refuses(&with_auth, &tool, RSA.0, &["authorization", "cannot sign"]);
    let none = ("TPM2TOOLS_TCTI", format!("swtpm:path={}/nothing", dir.display()));
    refuses(&signer, &none, ECDSA.0, &["cannot sign with the key 0x81000010"]);
}

/// What is printed is the key that was encrypted.
#[test]
fn age_and_systemd_creds_print_the_key() {
    let place = scratch();
    let worked = Worked::installed("signers", place.path());
    for (tool, encrypting) in [("age", "age-keygen"), ("systemd-creds", "systemd-creds encrypt")] {
        worked.sh(encrypting, &[]);
        let words = worked.words("command", &format!("/{tool}, "));
        let key = run(Command::new(&words[0]).args(&words[1..]).current_dir("/")).expect_ok(tool).out;
        let key = write(place.path().join("key.pem"), key);
        let shown = say("openssl", ["pkey", "-in", key.to_str().unwrap(), "-noout", "-text"]);
        assert!(shown.contains("prime256v1"), "{tool}: {shown}");
    }
}
