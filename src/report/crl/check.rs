//! `kpki crl check`: what the CRLs say of certificates.

use std::io::{self, Write};

use serde::Serialize;
use time::OffsetDateTime;

use crate::report::form::{Report, Screen};
use crate::report::json::{Name, instant, instant_if_any, lower_case};
use crate::report::table::{end, revoked, table};

/// What the CRLs say of some certificates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename = "RevocationCheck")]
pub struct CrlCheck {
    #[serde(serialize_with = "instant")]
    pub at: OffsetDateTime,
    /// The worst of all certificates.
    pub answer: Answer,
    pub certificates: Vec<CheckedCertificate>,
    pub lists: Vec<CheckedCrl>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckedCertificate {
    pub name: String,
    pub issuer: String,
    /// Hexadecimal.
    #[serde(serialize_with = "lower_case")]
    pub serial: String,
    pub answer: Answer,
    pub reason: Option<&'static str>,
    #[serde(rename = "revocationDate", serialize_with = "instant_if_any")]
    pub since: Option<OffsetDateTime>,
    #[serde(rename = "invalidityDate", serialize_with = "instant_if_any")]
    pub invalid_since: Option<OffsetDateTime>,
    /// Which CRL decided.
    pub list: Option<String>,
    /// Why there is no answer.
    pub why: Vec<String>,
    /// What Kubernetes would not go along with.
    pub remarks: Vec<String>,
    #[serde(rename = "lookedAt")]
    pub looks: Looks,
}

/// What was looked at beside the CRLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Looks {
    /// Those of the certificate and of everything above it.
    pub dates: Look,
    /// Signatures and names up to an authority that is trusted, and their constraints.
    pub path: Look,
    /// Whether everything above it may sign certificates; whether CRLs, the remarks on a CRL say.
    #[serde(rename = "issuersRights")]
    pub rights: Look,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Look {
    Ok,
    Wrong,
    NotLookedAt,
}

/// Ordered: a later one decides the exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    Good,
    /// The CRL is stale.
    Stale,
    /// Unknown is not good.
    Unknown,
    Held,
    Revoked,
}

impl Answer {
    pub const ALL: [Self; 5] = [Self::Good, Self::Stale, Self::Unknown, Self::Held, Self::Revoked];
}

/// One CRL that was evaluated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckedCrl {
    pub path: String,
    pub issuer: String,
    pub state: CrlState,
    #[serde(rename = "crlNumber")]
    pub number: Option<String>,
    #[serde(serialize_with = "instant")]
    pub this_update: OffsetDateTime,
    #[serde(serialize_with = "instant_if_any")]
    pub next_update: Option<OffsetDateTime>,
    pub entries: u64,
    pub problems: Vec<String>,
}

/// Ordered: a later one is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CrlState {
    Fresh,
    /// It decides, and goes stale soon.
    Ending,
    Stale,
    /// Nothing it says is believed.
    Unusable,
}

impl CrlCheck {
    pub fn new(at: OffsetDateTime, certificates: Vec<CheckedCertificate>, lists: Vec<CheckedCrl>) -> Self {
        let answer = certificates.iter().map(|one| one.answer).max().unwrap_or(Answer::Unknown);
        Self { at, answer, certificates, lists }
    }

    /// What was looked at beside the CRLs, and of how many certificates not.
    fn looked_at(&self) -> String {
        let looks = |of: fn(&Looks) -> Look| self.certificates.iter().map(move |one| of(&one.looks));
        let all = [
            ("dates", looks(|one| one.dates)),
            ("path", looks(|one| one.path)),
            ("issuer's rights", looks(|one| one.rights)),
        ];
        let count = |looks: &mut dyn Iterator<Item = Look>| looks.filter(|look| *look == Look::NotLookedAt).count();
        let (mut seen, mut missed) = (vec!["CRLs".to_owned()], Vec::new());
        for (what, mut looks) in all {
            match count(&mut looks) {
                0 => seen.push(what.to_owned()),
                missing => missed.push(format!("{what} of {missing}")),
            }
        }
        let missed = if missed.is_empty() { String::new() } else { format!("; not looked at: {}", missed.join(", ")) };
        format!("looked at: {}{missed}", seen.join(", "))
    }

    /// A CRL that decided something goes stale soon.
    pub fn is_ending(&self) -> bool {
        let decided = |list: &CheckedCrl| self.certificates.iter().any(|one| one.list.as_ref() == Some(&list.path));
        self.lists.iter().any(|list| list.state == CrlState::Ending && decided(list))
    }
}

/// From this many certificates on, the good ones are left out.
const MANY: usize = 25;

impl Report for CrlCheck {
    fn text(&self, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
        let total = self.certificates.len();
        let count = |answer| self.certificates.iter().filter(|one| one.answer == answer).count();
        let parts = Answer::ALL.into_iter().rev().map(|answer| (answer, count(answer))).filter(|(_, count)| *count > 0);
        let parts: Vec<String> = parts.map(|(answer, count)| format!("{count} {}", Name(answer))).collect();
        let noun = if total == 1 { "certificate" } else { "certificates" };
        writeln!(out, "{}: {} of {total} {noun}", Name(self.answer), parts.join(", "))?;
        writeln!(out, "{}", self.looked_at())?;
        let shown = |one: &&CheckedCertificate| screen.wide || total < MANY || one.answer != Answer::Good;
        let mut rows = self.certificates.iter().filter(shown).map(certificate).peekable();
        if rows.peek().is_some() {
            writeln!(out)?;
            table(out, screen.width, &["CERTIFICATE", "ANSWER", "SERIAL", "SINCE", "REASON"], rows)?;
        }
        if !self.lists.is_empty() {
            writeln!(out)?;
            let header = ["CRL", "STATE", "NUMBER", "ENTRIES", "NEXT UPDATE", "REMARKS"];
            table(out, screen.width, &header, self.lists.iter().map(|list| crl(list, self.at)))?;
        }
        Ok(())
    }
}

fn certificate(one: &CheckedCertificate) -> [String; 5] {
    let reason: Vec<&str> =
        one.reason.into_iter().chain(one.why.iter().chain(&one.remarks).map(String::as_str)).collect();
    let reason = reason.join("; ");
    [one.name.clone(), Name(one.answer).to_string(), one.serial.clone(), revoked(one.since, one.invalid_since), reason]
}

fn crl(one: &CheckedCrl, at: OffsetDateTime) -> [String; 6] {
    [
        one.path.clone(),
        Name(one.state).to_string(),
        one.number.clone().unwrap_or_default(),
        one.entries.to_string(),
        one.next_update.map(|next| end(next, at)).unwrap_or_default(),
        one.problems.join("; "),
    ]
}
