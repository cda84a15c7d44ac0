//! `kpki rotate scan`: where the authority that is replaced still is. No byte of what was found.

use std::io::{self, Write};

use serde::Serialize;
use time::OffsetDateTime;

use crate::clock::distance;
use crate::plan::cluster_objects::{NEW_AUTHENTICATION, new_token};
use crate::plan::rotate::scan::{Authority, Match, Question, Sought, TOKEN_KEYS, What};
use crate::report::form::{Report, Screen};
use crate::report::json::instant_if_any;
use crate::report::table::{counted, end, line, lines, table};
use crate::tree::rotation::key_id_of_tokens;
use crate::x509::Certificate;

/// What a scan found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename = "RotationScan", rename_all = "camelCase")]
pub struct Scan {
    pub sought: Vec<SoughtRow>,
    pub files: usize,
    pub objects: usize,
    pub summary: Summary,
    pub finds: Vec<Row>,
    pub not_read: Vec<NotRead>,
    /// Commands that make anew what keeps something of the old one.
    pub next: Vec<String>,
    /// What else is to be said.
    pub notes: Vec<String>,
}

/// An authority, or the service account keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SoughtRow {
    pub authority: String,
    /// Subjects, or `kid`s.
    pub old: Vec<String>,
    pub new: Vec<String>,
    /// What counts: `trusts-new`, `signed-by-old`, `any-old`.
    pub question: &'static str,
}

/// How many places.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// What the question asks for.
    pub counted: usize,
    pub old_only: usize,
    pub old_and_new: usize,
    pub new_only: usize,
    pub signed_by_old: usize,
    pub tokens: usize,
    pub not_read: usize,
}

/// One place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The file, or `standard input`.
    pub source: String,
    /// Of an object.
    pub object_kind: Option<String>,
    pub namespace: Option<String>,
    pub name: Option<String>,
    pub field: String,
    /// `trusts-old-only`, `trusts-old-and-new`, `trusts-new-only`, `signed-by-old`, `token`.
    pub what: &'static str,
    pub authority: String,
    pub subject: Option<String>,
    #[serde(rename = "expirationDate", serialize_with = "instant_if_any")]
    pub ends: Option<OffsetDateTime>,
    /// It is what the question asks for.
    pub counts: bool,
    #[serde(skip)]
    pub place: String,
    #[serde(skip)]
    pub of: What,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotRead {
    pub place: String,
    pub why: String,
}

/// API servers write it, and never drop an authority from it.
const AUTHENTICATION: (&str, &str) = ("kube-system", "extension-apiserver-authentication");

const fn words(what: What) -> &'static str {
    match what {
        What::OldOnly => "trusts-old-only",
        What::OldAndNew => "trusts-old-and-new",
        What::NewOnly => "trusts-new-only",
        What::Signed => "signed-by-old",
        What::Token => "token",
    }
}

impl Row {
    /// `place`: the object or file in words; `source`: the file it is in.
    pub fn new(place: String, source: String, field: String, found: Match) -> Self {
        let Match { what, authority, subject, ends, counts } = found;
        let (object_kind, namespace, name) = (None, None, None);
        Self {
            source,
            object_kind,
            namespace,
            name,
            field,
            what: words(what),
            authority,
            subject,
            ends,
            counts,
            place,
            of: what,
        }
    }

    /// What makes an object anew that the cluster writes. `is_over`: nothing of the authority should be left.
    fn next(&self, is_over: bool) -> Option<String> {
        let (kind, name) = (self.object_kind.as_deref()?, self.name.as_deref()?);
        let namespace = self.namespace.as_deref()?;
        match (kind, self.field.as_str(), self.of) {
            _ if !self.counts => None,
            // A token that ends is renewed by who asked for it.
            ("Secret", "data.token", What::Token) if self.ends.is_none() => new_token(namespace, name),
            ("ConfigMap", ..) if is_over && (namespace, name) == AUTHENTICATION => Some(NEW_AUTHENTICATION.to_owned()),
            _ => None,
        }
    }

    fn what(&self, is_alone: bool) -> String {
        let authority = &self.authority;
        match self.of {
            // Nothing is known of a new one.
            What::OldOnly if is_alone => format!("trusts the old {authority}"),
            What::OldOnly => format!("trusts the old {authority} only"),
            What::OldAndNew => format!("trusts the old and the new {authority}"),
            What::NewOnly => format!("trusts the new {authority} only"),
            What::Signed => {
                let subject = self.subject.as_deref().unwrap_or("a certificate");
                format!("{subject}, signed by the old {authority}")
            }
            What::Token => format!("a token, signed by the old {authority} key"),
        }
    }
}

impl Scan {
    pub fn new(sought: &Sought, finds: Vec<Row>, not_read: Vec<NotRead>) -> Self {
        let count = |what: What| finds.iter().filter(|row| row.of == what).count();
        let summary = Summary {
            counted: finds.iter().filter(|row| row.counts).count(),
            old_only: count(What::OldOnly),
            old_and_new: count(What::OldAndNew),
            new_only: count(What::NewOnly),
            signed_by_old: count(What::Signed),
            tokens: count(What::Token),
            not_read: not_read.len(),
        };
        let is_over = |authority: &str| {
            let of = |one: &Authority| one.name == authority && one.question == Question::AnyOld;
            sought.authorities.iter().any(of)
        };
        let mut next: Vec<String> = Vec::new();
        for command in finds.iter().filter_map(|row| row.next(is_over(&row.authority))) {
            if !next.contains(&command) {
                next.push(command);
            }
        }
        Self { sought: rows(sought), next, files: 0, objects: 0, summary, finds, not_read, notes: Vec::new() }
    }

    /// Of an authority nothing is known but the old certificates.
    fn is_alone(&self, authority: &str) -> bool {
        self.sought.iter().any(|row| row.authority == authority && row.new.is_empty())
    }

    /// What was looked at.
    fn extent(&self) -> String {
        match (self.objects, self.files) {
            (0, files) => counted(files, "file"),
            (objects, 1) => counted(objects, "object"),
            (objects, files) => format!("{} in {}", counted(objects, "object"), counted(files, "file")),
        }
    }
}

fn rows(sought: &Sought) -> Vec<SoughtRow> {
    let subjects = |all: &[Certificate]| all.iter().map(|one| one.subject.to_string()).collect();
    let ids = |all: &[Vec<u8>]| all.iter().map(|key| key_id_of_tokens(key)).collect();
    let authorities = sought.authorities.iter().map(|one| SoughtRow {
        authority: one.name.clone(),
        old: subjects(&one.old),
        new: subjects(&one.new),
        question: question(one.question),
    });
    let keys = sought.token_keys.iter().map(|keys| SoughtRow {
        authority: TOKEN_KEYS.to_owned(),
        old: ids(&keys.old),
        new: ids(&keys.new),
        question: question(keys.question),
    });
    authorities.chain(keys).collect()
}

const fn question(question: Question) -> &'static str {
    match question {
        Question::TrustsNew => "trusts-new",
        Question::SignedByOld => "signed-by-old",
        Question::AnyOld => "any-old",
    }
}

impl Report for Scan {
    fn text(&self, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
        let Summary { counted: open, old_only, old_and_new, new_only, signed_by_old, tokens, not_read } = self.summary;
        // One that was retired may be in its next rotation.
        let mut names: Vec<&str> = self.sought.iter().map(|row| row.authority.as_str()).collect();
        names.dedup();
        let names = names.join(", ");
        let left = if not_read > 0 { format!("; {} not looked at", counted(not_read, "place")) } else { String::new() };
        let extent = self.extent();
        match open {
            0 => line(out, format_args!("rotation of {names}: nothing is in the way in {extent}{left}"))?,
            _ => {
                line(out, format_args!("rotation of {names}: {} in the way in {extent}{left}", counted(open, "place")))?
            }
        }
        let all = [
            (old_only, "trusts the old one only", "trust the old one only"),
            (old_and_new, "trusts both", "trust both"),
            (new_only, "trusts the new one only", "trust the new one only"),
            (signed_by_old, "is signed by the old one", "are signed by the old one"),
            (tokens, "is a token of the old key", "are tokens of the old key"),
        ];
        let some = all.iter().filter(|(count, ..)| *count > 0);
        let some = some.map(|(count, one, many)| format!("{count} {}", if *count == 1 { one } else { many }));
        let some = some.collect::<Vec<_>>().join(", ");
        if !some.is_empty() {
            line(out, format_args!("found: {some}"))?;
        }
        let shown: Vec<&Row> = self.finds.iter().filter(|row| row.counts || screen.wide).collect();
        if !shown.is_empty() {
            writeln!(out)?;
            let cells = shown.iter().map(|row| {
                let ends = match row.ends {
                    Some(at) if screen.wide => end(at, screen.now),
                    Some(at) => distance(screen.now, at),
                    None if row.of == What::Token => "never".to_owned(),
                    None => "-".to_owned(),
                };
                let place = if screen.wide && row.place != row.source {
                    format!("{} ({})", row.place, row.source)
                } else {
                    row.place.clone()
                };
                let field = if row.field.is_empty() { "-".to_owned() } else { row.field.clone() };
                [place, field, row.what(self.is_alone(&row.authority)), ends]
            });
            table(out, screen.width, &["OBJECT", "FIELD", "WHAT", "ENDS"], cells)?;
        }
        lines(out, "next: ", &self.next)?;
        lines(out, "not looked at: ", self.not_read.iter().map(|one| format!("{}: {}", one.place, one.why)))
    }
}
