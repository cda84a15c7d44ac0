//! How a profile states where an authority's key is.

use super::fields::{Field, Fields, Reading};
use super::problem::Mismatch;
use super::program_fields::{MOST_PARALLEL, command, finish};
use super::signing::{KeyFrom, KeyOptions, PassphraseFrom, PublicKeyFrom, SignerInput, SignerOptions, Signing};
use super::{issuer_fields, values};
use crate::clock::Span;

const SIGNER_TIMEOUT: Span = Span::seconds(30);

/// A key's command may have to ask a server.
const KEY_TIMEOUT: Span = Span::seconds(30);

/// key, signer and issuer of one authority.
pub fn read(fields: &mut Fields<'_>, reading: &mut Reading) -> Option<Signing> {
    let present = |key: &str, fields: &Fields<'_>, reading: &Reading| reading.has(&fields.join(key));
    let key = key(fields.section("key", reading), reading);
    let signer = signer(fields, reading);
    let issuer = issuer_fields::of_authority(fields, reading);
    let given: Vec<&str> =
        ["key", "signer", "issuer"].into_iter().filter(|key| present(key, fields, reading)).collect();
    if let [first, second, ..] = given.as_slice() {
        let found = format!("{first} and {second}");
        reading.problem(&fields.join(second), Mismatch::new("one of key, signer and issuer", found));
    }
    let key = key.filter(|_| given.contains(&"key")).map(Signing::Key);
    key.or(signer.map(Signing::Signer)).or(issuer.map(Signing::Issuer))
}

/// next of one authority: a key that is no file of the tree, or a signer.
pub fn next(fields: &mut Fields<'_>, reading: &mut Reading) -> Option<Signing> {
    let mut section = fields.section("next", reading);
    let key = key(section.section("key", reading), reading);
    let signer = signer(&mut section, reading);
    let [at_key, at_signer] = ["key", "signer"].map(|field| section.join(field));
    section.finish(reading);
    match (reading.has(&at_key), reading.has(&at_signer)) {
        (true, true) => {
            reading.problem(&at_signer, Mismatch::new("one of key and signer", "key and signer"));
        }
        (false, false) if reading.has(&fields.join("next")) && reading.is_clean() => {
            reading.missing(&at_key, "where the new key is: key or signer");
        }
        (true, false) => {
            let is_of_tree = key.as_ref().is_some_and(|key| matches!(key.from, KeyFrom::Tree));
            if is_of_tree && reading.is_clean() {
                reading.missing(&format!("{at_key}.file"), "where the new key is: file or command");
            }
            return key.map(Signing::Key);
        }
        (false, _) => {}
    }
    signer.map(Signing::Signer)
}

fn key(mut section: Fields<'_>, reading: &mut Reading) -> Option<KeyOptions> {
    let file = section.value("file", reading, values::absolute_path);
    let words = section.take("command", reading).and_then(|field| command(&field, reading));
    let timeout = section.value("timeout", reading, values::duration);
    let passphrase_file = section.value("passphraseFile", reading, values::absolute_path);
    let variable = section.value("passphraseEnv", reading, variable);
    for (first, second) in [("file", "command"), ("passphraseFile", "passphraseEnv")] {
        if reading.has(&section.join(first)) && reading.has(&section.join(second)) {
            let expected = format!("{first} or {second}");
            reading.problem(&section.join(second), Mismatch::new(expected, "both"));
        }
    }
    if reading.has(&section.join("timeout")) && !reading.has(&section.join("command")) {
        reading.missing(&section.join("command"), "a program and its arguments, beside timeout");
    }
    section.finish(reading);
    let command = words.map(|words| KeyFrom::Command { words, timeout: timeout.unwrap_or(KEY_TIMEOUT) });
    let from = file.map(KeyFrom::File).or(command).unwrap_or(KeyFrom::Tree);
    let passphrase = passphrase_file.map(PassphraseFrom::File).or(variable.map(PassphraseFrom::Variable));
    Some(KeyOptions { from, passphrase })
}

fn signer(fields: &mut Fields<'_>, reading: &mut Reading) -> Option<SignerOptions> {
    let (list, mut section) = fields.list_or_section("signer", reading);
    let inner = section.take("command", reading);
    let words = list.or(inner).and_then(|field| command(&field, reading));
    let input = section.value("input", reading, |text| values::choice(&SignerInput::ALL, SignerInput::name, text));
    let public_key = section.take("publicKey", reading).and_then(|field| public_key(&field, reading));
    let parallel = section.take("parallel", reading).and_then(|field| field.number(reading, 1, MOST_PARALLEL));
    let timeout = section.value("timeout", reading, values::duration);
    finish(&section, "signer", fields, words.is_some(), reading);
    section.finish(reading);
    Some(SignerOptions {
        command: words?,
        input: input.unwrap_or(SignerInput::Digest),
        public_key,
        parallel: parallel.and_then(|parallel| parallel.try_into().ok()).unwrap_or(1),
        timeout: timeout.unwrap_or(SIGNER_TIMEOUT),
    })
}

fn public_key(field: &Field<'_>, reading: &mut Reading) -> Option<PublicKeyFrom> {
    match field.is_list() {
        true => command(field, reading).map(PublicKeyFrom::Command),
        false => field.value(reading, values::absolute_path).map(PublicKeyFrom::File),
    }
}

/// Names that every program needs cannot carry a secret.
fn variable(text: &str) -> Result<String, Mismatch> {
    let is_name = text
        .bytes()
        .enumerate()
        .all(|(at, byte)| byte == b'_' || byte.is_ascii_alphabetic() || (at > 0 && byte.is_ascii_digit()));
    match text {
        "PATH" | "HOME" | "LANG" => Err(Mismatch::value("a variable that holds a passphrase", text)),
        _ if is_name && !text.is_empty() => Ok(text.to_owned()),
        _ => Err(Mismatch::value("the name of an environment variable", text)),
    }
}
