//! How a profile states who issues certificates in place of an authority that is not here.

use super::fields::{Fields, Reading};
use super::problem::Mismatch;
use super::signing::IssuerOptions;
use super::signing_fields::{MOST_PARALLEL, command, finish};
use super::values;
use crate::clock::Span;

const TIMEOUT: Span = Span::seconds(60);

/// A ready-made program.
struct Kind {
    /// In the profile.
    field: &'static str,
    words: &'static [&'static str],
    options: &'static [Argument],
}

/// A field of a kind, and the program's options that get its value.
struct Argument {
    field: &'static str,
    flags: &'static [&'static str],
    /// What it is, where the program does not run without it.
    required: Option<&'static str>,
    parse: fn(&str) -> Result<String, Mismatch>,
}

const fn optional(
    field: &'static str,
    flags: &'static [&'static str],
    parse: fn(&str) -> Result<String, Mismatch>,
) -> Argument {
    Argument { field, flags, required: None, parse }
}

const KINDS: [Kind; 3] = [
    Kind {
        field: "vault",
        words: &["kpki-vault", "issue"],
        options: &[
            Argument { field: "address", flags: &["--address"], required: Some("the server's URL"), parse: url },
            optional("mount", &["--mount"], argument),
            optional("role", &["--role"], argument),
            optional("caFile", &["--ca-file"], values::absolute_path),
            optional("tokenFile", &["--token-file"], values::absolute_path),
            optional("namespace", &["--namespace"], argument),
        ],
    },
    Kind {
        field: "cfssl",
        words: &["/usr/lib/kpki/issuers/cfssl"],
        options: &[
            Argument { field: "url", flags: &["--url"], required: Some("the server's URL"), parse: url },
            optional("caFile", &["--cacert"], values::absolute_path),
            optional("profile", &["--server", "--client", "--peer"], argument),
        ],
    },
    Kind {
        field: "kubernetes",
        words: &["/usr/lib/kpki/issuers/kubernetes"],
        options: &[Argument {
            field: "kubeconfig",
            flags: &["--kubeconfig"],
            required: Some("the absolute path of a kubeconfig"),
            parse: values::absolute_path,
        }],
    },
];

/// Of an authority: a program, or one of the ready-made.
pub fn of_authority(fields: &mut Fields<'_>, reading: &mut Reading) -> Option<IssuerOptions> {
    read(fields, &KINDS, reading)
}

/// Of a certificate whose authority is external: a program.
pub fn of_certificate(fields: &mut Fields<'_>, reading: &mut Reading) -> Option<IssuerOptions> {
    read(fields, &[], reading)
}

fn read(fields: &mut Fields<'_>, kinds: &[Kind], reading: &mut Reading) -> Option<IssuerOptions> {
    let (list, mut section) = fields.list_or_section("issuer", reading);
    let inner = section.take("command", reading);
    let words = list.or(inner).and_then(|field| command(&field, reading));
    let made: Vec<Vec<String>> = kinds.iter().map(|kind| of_kind(kind, &mut section, reading)).collect();
    let parallel = section.take("parallel", reading).and_then(|field| field.number(reading, 1, MOST_PARALLEL));
    let timeout = section.value("timeout", reading, values::duration);
    let given = ["command"].into_iter().chain(kinds.iter().map(|kind| kind.field));
    let given: Vec<&str> = given.filter(|key| reading.has(&section.join(key))).collect();
    if let [first, second, ..] = given.as_slice() {
        let all: Vec<&str> = ["command"].into_iter().chain(kinds.iter().map(|kind| kind.field)).collect();
        let expected = format!("one of {}", all.join(", "));
        reading.problem(&section.join(second), Mismatch::new(expected, format!("{first} and {second}")));
    }
    let stated = kinds.iter().zip(made).find(|(kind, _)| given.contains(&kind.field)).map(|(_, words)| words);
    let words = words.or(stated);
    finish(&section, "issuer", fields, words.is_some(), reading);
    section.finish(reading);
    Some(IssuerOptions {
        command: words?,
        parallel: parallel.and_then(|parallel| parallel.try_into().ok()).unwrap_or(1),
        timeout: timeout.unwrap_or(TIMEOUT),
    })
}

/// A ready-made program with its arguments.
fn of_kind(kind: &Kind, fields: &mut Fields<'_>, reading: &mut Reading) -> Vec<String> {
    let is_given = fields.is_present(kind.field);
    let mut section = fields.section(kind.field, reading);
    let mut words: Vec<String> = kind.words.iter().map(|word| (*word).to_owned()).collect();
    for Argument { field, flags, required, parse } in kind.options {
        match (section.take(field, reading), required) {
            (Some(value), _) => {
                let value = value.value(reading, parse).unwrap_or_default();
                words.extend(flags.iter().flat_map(|flag| [(*flag).to_owned(), value.clone()]));
            }
            (None, Some(expected)) if is_given => reading.missing(&section.join(field), expected),
            (None, _) => {}
        }
    }
    section.finish(reading);
    words
}

/// A server's; a password in it would be seen by everybody who can list processes.
fn url(text: &str) -> Result<String, Mismatch> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let is_plain = text.len() <= 1024 && text.bytes().all(|byte| byte.is_ascii_graphic());
    match is_plain && !host.is_empty() && !host.contains('@') {
        true => Ok(text.to_owned()),
        false => Err(Mismatch::value("a URL, https://HOST:PORT, without user and password", text)),
    }
}

/// No program takes it for an option.
fn argument(text: &str) -> Result<String, Mismatch> {
    match text.is_empty() || text.starts_with('-') || text.len() > 1024 || text.chars().any(char::is_control) {
        true => Err(Mismatch::value("a text that does not begin with -", text)),
        false => Ok(text.to_owned()),
    }
}
