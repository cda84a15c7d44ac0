//! What a certificate, key or token that was found somewhere means for a rotation: whether its holder trusts the old authority
//! or the new one, and what was signed with the old key.

use time::OffsetDateTime;

use crate::encoding::embedded::{Group, Piece, Token};
use crate::tree::rotation::key_id_of_tokens;
use crate::x509::{Certificate, VerifyError};

/// What is asked of the places where an authority is found; it follows from how far the rotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Prepared: who does not trust the new authority yet.
    TrustsNew,
    /// Switched: who still shows or uses what the old key signed, or cannot verify what the new one signs.
    SignedByOld,
    /// Retired: where anything of the old authority is left.
    AnyOld,
}

/// An authority that is replaced.
#[derive(Debug, Clone)]
pub struct Authority {
    /// `ca`, or the subject of the old certificate.
    pub name: String,
    pub question: Question,
    /// Certificates of the old key; one that was renewed with its key has several.
    pub old: Vec<Certificate>,
    /// Empty: nothing is known of a new one.
    pub new: Vec<Certificate>,
}

/// The service account key that is replaced; each key as SubjectPublicKeyInfo.
#[derive(Debug, Clone)]
pub struct TokenKeys {
    pub question: Question,
    pub old: Vec<Vec<u8>>,
    pub new: Vec<Vec<u8>>,
}

/// What is looked for.
#[derive(Debug, Clone, Default)]
pub struct Sought {
    pub authorities: Vec<Authority>,
    pub token_keys: Vec<TokenKeys>,
}

/// What something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A bundle, or public keys, with the old one and not the new one.
    OldOnly,
    OldAndNew,
    NewOnly,
    /// A certificate the old authority signed.
    Signed,
    /// A token the old service account key signed.
    Token,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    pub what: What,
    /// The authority's name; `sa` for service account keys.
    pub authority: String,
    /// Of a certificate.
    pub subject: Option<String>,
    /// Of a bundle the last of the authority's certificates in it; `None`: it does not end.
    pub ends: Option<OffsetDateTime>,
    /// It is what the question asks for.
    pub counts: bool,
}

/// What a place holds, and what of it could not be judged.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Judged {
    pub matches: Vec<Match>,
    pub unread: Vec<String>,
}

/// The name that stands for service account keys.
pub const TOKEN_KEYS: &str = "sa";

pub fn judge(sought: &Sought, group: &Group) -> Judged {
    let mut judged = Judged::default();
    let (mut certificates, mut keys, mut tokens) = (Vec::new(), Vec::new(), Vec::new());
    for piece in &group.pieces {
        match piece {
            Piece::Certificate(der) => match Certificate::parse(der) {
                Ok(certificate) => certificates.push(certificate),
                Err(why) => judged.unread.push(why.to_string()),
            },
            Piece::PublicKey(spki) => keys.push(spki),
            Piece::Token(token) => tokens.push(token),
            Piece::Unread(why) => judged.unread.push(why.to_string()),
        }
    }
    for authority in &sought.authorities {
        judged.matches.extend(of_authority(authority, &certificates));
    }
    for sa in &sought.token_keys {
        judged.matches.extend(of_keys(sa, &keys));
        for token in &tokens {
            match &token.kid {
                Some(kid) if sa.old.iter().any(|key| key_id_of_tokens(key) == *kid) => {
                    judged.matches.push(of_token(sa, token))
                }
                None if token.is_service_account => judged.unread.push(
                    "a service account's token without a key ID (kid): which key signed it is not looked at".to_owned(),
                ),
                _ => {}
            }
        }
    }
    judged
}

fn of_authority(authority: &Authority, found: &[Certificate]) -> Vec<Match> {
    let is_of = |known: &[Certificate], one: &Certificate| known.iter().any(|known| known.spki_der == one.spki_der);
    let signed = |one: &&Certificate| {
        let is_itself = is_of(&authority.old, one) || is_of(&authority.new, one);
        !is_itself && authority.old.iter().any(|old| is_signed_by(one, old))
    };
    let mut matches: Vec<Match> = found
        .iter()
        .filter(signed)
        .map(|one| Match {
            what: What::Signed,
            authority: authority.name.clone(),
            subject: Some(one.subject.to_string()),
            ends: Some(one.not_after),
            counts: authority.question != Question::TrustsNew,
        })
        .collect();
    // What is sent with a certificate is a chain, and trusts nobody.
    let is_chain = found.first().is_some_and(|first| signed(&first) && !first.is_ca);
    let of = |known: &[Certificate]| -> Vec<&Certificate> { found.iter().filter(|one| is_of(known, one)).collect() };
    let (old, new) = (of(&authority.old), of(&authority.new));
    let what = trust(!old.is_empty(), !new.is_empty()).filter(|_| !is_chain);
    matches.extend(what.map(|what| Match {
        what,
        authority: authority.name.clone(),
        subject: old.first().or(new.first()).map(|one| one.subject.to_string()),
        ends: old.iter().chain(if old.is_empty() { &new } else { &[][..] }).map(|one| one.not_after).max(),
        counts: trust_counts(authority.question, what),
    }));
    matches
}

fn of_keys(sa: &TokenKeys, found: &[&Vec<u8>]) -> Option<Match> {
    let has = |known: &[Vec<u8>]| found.iter().any(|key| known.contains(key));
    let what = trust(has(&sa.old), has(&sa.new))?;
    let counts = trust_counts(sa.question, what);
    Some(Match { what, authority: TOKEN_KEYS.to_owned(), subject: None, ends: None, counts })
}

fn of_token(sa: &TokenKeys, token: &Token) -> Match {
    Match {
        what: What::Token,
        authority: TOKEN_KEYS.to_owned(),
        subject: None,
        ends: token.ends.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok()),
        counts: sa.question != Question::TrustsNew,
    }
}

const fn trust(old: bool, new: bool) -> Option<What> {
    match (old, new) {
        (true, false) => Some(What::OldOnly),
        (true, true) => Some(What::OldAndNew),
        (false, true) => Some(What::NewOnly),
        (false, false) => None,
    }
}

/// Who trusts the old one alone is in the way in every phase.
const fn trust_counts(question: Question, what: What) -> bool {
    match what {
        What::OldOnly => true,
        What::OldAndNew => matches!(question, Question::AnyOld),
        _ => false,
    }
}

/// A signature of a kind that is not verified is taken for what the name says.
fn is_signed_by(one: &Certificate, authority: &Certificate) -> bool {
    matches!(one.issued_by(authority), Ok(()) | Err(VerifyError::Unsupported { .. }))
}

#[cfg(test)]
#[path = "scan_tests.rs"]
mod tests;
