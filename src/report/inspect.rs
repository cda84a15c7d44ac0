//! `kpki inspect`: everything in a file, as aligned lines for people or as a document.

use std::io::{self, Write};

use serde::{Serialize, Serializer};
use time::OffsetDateTime;

use super::form::{Report, Screen};
use super::json::instant;
use super::table::{end, line};
use crate::files::shell_path;

/// What several files hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename = "Inspection")]
pub struct Inspect {
    pub files: Vec<File>,
    /// Where keys and certificates were given: whose key is whose.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<KeyOf>,
}

/// A file with a private key, and the files with certificates or requests that have its public key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyOf {
    pub key: String,
    pub belongs_to: Vec<String>,
    /// Its public half is not seen: those with a public key of its kind.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub may_belong_to: Vec<String>,
    /// With a password it is seen.
    #[serde(skip)]
    pub locked: bool,
}

impl Inspect {
    pub fn new(files: Vec<File>) -> Self {
        let of = |wanted: fn(&str) -> bool| {
            let objects = files.iter().flat_map(|file| file.objects.iter().map(move |object| (file, object)));
            objects.filter(|(_, object)| wanted(object.kind)).collect::<Vec<_>>()
        };
        let holders = of(|kind| kind.ends_with("certificate") || kind.ends_with("request"));
        let mut keys: Vec<KeyOf> = Vec::new();
        for (file, key) in of(|kind| kind == "private key").into_iter().filter(|_| !holders.is_empty()) {
            let with = |is_wanted: &dyn Fn(&Object) -> bool| {
                let found = holders.iter().filter(|(_, holder)| is_wanted(holder)).map(|(file, _)| file.path.clone());
                let mut found: Vec<String> = found.collect();
                found.dedup();
                found
            };
            let (public, kind) = (key.said(KEY_SHA256), key.said(KEY_KIND));
            let (belongs_to, may_belong_to) = match public {
                Some(_) => (with(&|holder| holder.said(KEY_SHA256) == public), Vec::new()),
                None => (Vec::new(), with(&|holder| kind.is_none() || holder.said(KEY_KIND) == kind)),
            };
            keys.push(KeyOf { key: file.path.clone(), belongs_to, may_belong_to, locked: kind.is_none() });
        }
        Self { files, keys }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct File {
    pub path: String,
    pub objects: Vec<Object>,
    /// Why there is nothing, or not everything.
    pub problems: Vec<String>,
}

/// A certificate, a key, a CRL: what it is, and what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Object {
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Whose it is, where a file holds several parties.
    pub owner: Option<String>,
    #[serde(flatten, serialize_with = "by_key")]
    pub fields: Vec<Field>,
}

/// The name for people, the key for documents, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub label: &'static str,
    pub key: &'static str,
    pub value: Said,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Said {
    Text(String),
    Number(u64),
    Flag(bool),
    List(Vec<String>),
    #[serde(serialize_with = "instant")]
    Instant(OffsetDateTime),
    Extensions(Vec<Extension>),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Extension {
    pub oid: String,
    /// The usual one; empty: it is not known.
    pub name: String,
    pub critical: bool,
}

fn by_key<S: Serializer>(fields: &[Field], to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(fields.iter().map(|field| (field.key, &field.value)))
}

impl Object {
    fn said(&self, key: &str) -> Option<&Said> {
        self.fields.iter().find(|field| field.key == key).map(|field| &field.value)
    }
}

/// The field that private keys, certificates and requests have in common.
pub const KEY_SHA256: &str = "keySha256";
/// What kind of key it is; of an encrypted one it is not seen.
pub const KEY_KIND: &str = "key";

impl Report for Inspect {
    fn text(&self, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
        for (position, shown) in self.files.iter().enumerate() {
            if position > 0 {
                writeln!(out)?;
            }
            file(shown, screen.now, out)?;
        }
        if !self.keys.is_empty() {
            writeln!(out)?;
        }
        self.keys.iter().try_for_each(|of| line(out, format_args!("{}", verdict(of))))
    }
}

fn verdict(KeyOf { key, belongs_to, may_belong_to, locked }: &KeyOf) -> String {
    match (belongs_to.as_slice(), may_belong_to.as_slice()) {
        ([], []) => format!("{key}: the key of none of the certificates shown"),
        ([], files) if *locked => {
            format!(
                "{key}: whether it is the key of {} is seen with its password (--password-file)",
                files.join(" or ")
            )
        }
        ([], files) => format!(
            "{key}: whether it is the key of {} is not seen: it does not state its public half, which openssl pkey -in {} -pubout \
             works out",
            files.join(" or "),
            shell_path(key)
        ),
        (files, _) => format!("{key}: the key of {}", files.join(", ")),
    }
}

fn file(file: &File, now: OffsetDateTime, out: &mut dyn Write) -> io::Result<()> {
    for (object, number) in file.objects.iter().zip(1..) {
        let position = match file.objects.len() {
            1 => String::new(),
            all => format!(" ({number} of {all})"),
        };
        let owner = object.owner.as_ref().map(|owner| format!(" of {owner}")).unwrap_or_default();
        line(out, format_args!("{}: {}{owner}{position}", file.path, object.kind))?;
        let width = object.fields.iter().map(|field| field.label.len() + 1).max().unwrap_or(0);
        for field in &object.fields {
            let mut label = format!("{}:", field.label);
            for text in lines(&field.value, now) {
                line(out, format_args!("  {label:<width$}  {text}"))?;
                label.clear();
            }
        }
    }
    file.problems.iter().try_for_each(|problem| line(out, format_args!("{}: {problem}", file.path)))
}

fn lines(said: &Said, now: OffsetDateTime) -> Vec<String> {
    match said {
        Said::Text(text) => vec![text.clone()],
        Said::Number(number) => vec![number.to_string()],
        Said::Flag(flag) => vec![if *flag { "yes" } else { "no" }.to_owned()],
        Said::List(list) => list.clone(),
        Said::Instant(at) => vec![end(*at, now)],
        Said::Extensions(list) => list.iter().map(extension).collect(),
    }
}

fn extension(Extension { oid, name, critical }: &Extension) -> String {
    let shown = if name.is_empty() { oid } else { name };
    format!("{shown}{}", if *critical { " (critical)" } else { "" })
}
