//! The ready-made signers and key commands with the real programs: SoftHSM through openssl's pkcs11 engine, a TPM (swtpm) through
//! tpm2-tools, age and systemd-creds. Commands and profiles are those of examples/signers/README.md.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{Ran, SMALL, Server, files_ending, kpki, mode, program, run, say, scratch, within, write};
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
    let said = worked.sh("pkcs11-tool", &[&tool]);
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

/// A cluster directory of the profile without its `authorities`, and the whole profile beside it.
fn cluster(dir: &Path, profile: &str) {
    let plain = profile.split("caKeys:").next().unwrap();
    write(dir.join("plain.yaml"), format!("{plain}caKeys: none\n"));
    write(dir.join("profile.yaml"), profile);
    run(kpki().current_dir(dir).args(["init", "--profile", "plain.yaml", "--dir", "cluster"])).expect_ok("init");
}

/// Every verb that signs, with the authority `stem`, whose key is not in the tree: `leaf` is one of its certificates.
fn everything_signs(dir: &Path, tool: Option<&Variable>, stem: &str, leaf: &str) {
    assert!(!dir.join(format!("cluster/pki/{stem}.key")).exists());
    let path = |name: &str| dir.join("cluster").join(name).to_str().unwrap().to_owned();
    let (ca, certificate) = (path(&format!("pki/{stem}.crt")), path(&format!("nodes/cp1/pki/{leaf}.crt")));
    let before = fs::read(&certificate).unwrap();
    let ours = |words: &[&str]| {
        let mut command = kpki();
        command.current_dir(dir).args(words).envs(tool.map(|(name, value)| (name, value)));
        run(&mut command).expect_ok(format_args!("kpki {words:?}"))
    };
    let said = ours(&["renew", "all", "--profile", "profile.yaml", "--dir", "cluster"]);
    assert!(said.out.starts_with("renewed 13 of 13 certificates"), "{}", said.out);
    assert_ne!(before, fs::read(&certificate).unwrap());
    say("openssl", ["verify", "-x509_strict", "-CAfile", &ca, &certificate]);
    // From now on the profile is recorded.
    ours(&["crl", "update", "--dir", "cluster"]);
    let list = path(&format!("pki/{stem}.crl"));
    say("openssl", ["verify", "-x509_strict", "-crl_check", "-CAfile", &ca, "-CRLfile", &list, &certificate]);
    let key = dir.join("web.key");
    let request =
        ["req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=web", "-keyout", key.to_str().unwrap()];
    say("openssl", request.into_iter().chain(["-out", dir.join("web.csr").to_str().unwrap()]));
    let authority = if stem == "ca" { "ca" } else { "etcd-ca" };
    let sign = ["sign", "web.csr", "--usage", "server", "--san", "web.example.com", "--authority", authority];
    ours(&[&sign[..], &["--dir", "cluster"]].concat());
    say("openssl", ["verify", "-CAfile", &ca, dir.join("web.crt").to_str().unwrap()]);
    ours(&["verify", "cluster"]);
    let keys = files_ending(&dir.join("cluster"), "ca.key");
    assert!(keys.iter().all(|key| !key.ends_with(format!("pki/{stem}.key"))), "{keys:?}");
}

#[test]
fn kpki_signs_with_softhsm() {
    let place = scratch();
    let dir = place.path();
    let tool = softhsm(dir);
    let worked = Worked::installed("signers", dir);
    cluster(dir, &worked.block("yaml", "signers/softhsm"));
    worked.sh_in(dir, "softhsm2-util --import", &[&tool]);
    everything_signs(dir, Some(&tool), "ca", "apiserver");
}

#[test]
fn kpki_signs_with_a_tpm() {
    let place = scratch();
    let dir = place.path();
    let (_server, tool) = tpm(dir);
    let worked = Worked::installed("signers", dir);
    cluster(dir, &worked.block("yaml", "signers/tpm"));
    worked.sh_in(dir, "tpm2_import", &[&tool]);
    everything_signs(dir, Some(&tool), "etcd/ca", "etcd/server");
}

#[test]
fn kpki_signs_with_a_key_that_age_or_systemd_creds_decrypts() {
    for (program, command) in [("/usr/bin/age, ", "age-keygen"), ("/usr/bin/systemd-creds, ", "systemd-creds encrypt")]
    {
        let place = scratch();
        let dir = place.path();
        let worked = Worked::installed("signers", dir);
        cluster(dir, &format!("{SMALL}{}", worked.block("yaml", program)));
        worked.sh_in(dir, command, &[]);
        everything_signs(dir, None, "ca", "apiserver");
    }
}
