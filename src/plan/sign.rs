//! The terms of a signed request. Pure. Names, usages and role come from the entry or the flags, never from the request
//! alone; other requested attributes are denied and reported.

use time::{Duration, OffsetDateTime};

use crate::blueprint::{Blueprint, ExtendedKeyUsage, KeyUsage, Name, Oid, Role, San, Subtree};
use crate::catalog::CaId;
use crate::encoding::extension;
use crate::plan::blueprints::{BACK_DATE, Bounds};
use crate::plan::csr_manifest::Contradiction;
use crate::plan::names_policy::{self, Meaning, ServerNames};
use crate::plan::renew::CsrTemplate;
use crate::plan::subject::{self, Flaw};
use crate::profile;
use crate::revocation::Reason;
use crate::x509::{KeyKind, Request, weak_exponent};

/// More names than any component of a cluster has.
pub const MOST_NAMES: usize = 200;

/// The terms of the certificate.
#[derive(Debug, Clone)]
pub enum Terms {
    /// An entry of a tree: only the key comes from the request.
    Entry(Box<CsrTemplate>),
    /// From the flags.
    Stated(Stated),
}

#[derive(Debug, Clone, Default)]
pub struct Stated {
    /// `None`: the request's, where it gives no rights.
    pub subject: Option<Name>,
    pub usages: Vec<ExtendedKeyUsage>,
    pub sans: Vec<San>,
    /// The requested names are granted.
    pub request_names: bool,
}

/// An intermediate authority.
#[derive(Debug, Clone, Default)]
pub struct CaConstraints {
    /// `None`: the entry's, else 0.
    pub path_len: Option<u8>,
    /// Empty: the entry's.
    pub permitted: Vec<Subtree>,
}

/// Why a request is not signed at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Declined {
    /// Its signature was not made with its key.
    Signature,
    /// The signature algorithm is unknown.
    UnknownSignature(Oid),
    Key(KeyKind),
    NoSubject,
    /// An RSA public exponent, in decimal.
    Exponent(String),
    /// Its key must not be certified, whatever is stated.
    KnownKey(KnownKey),
    /// A value in the subject that RFC 5280 does not allow.
    BadValue(Flaw),
    /// A name that means something to those who trust the authority must be stated.
    Means(Meaning, Grants),
    TooManyNames(usize),
    /// An invalid name, such as one with a NUL.
    BadName(String),
    /// The manifest it is in asks for something else.
    Asked(Contradiction),
}

/// A key that is known for what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KnownKey {
    /// The authority's of this name.
    Authority(String),
    /// The certificate with this serial number, in hexadecimal, was revoked because others may have its key.
    Compromised { serial: String, reason: Reason },
}

/// What to state so that a name is granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grants {
    /// The whole subject as `--subject` takes it; `None`: it cannot be stated there.
    Subject(Option<String>),
    /// Every such name, for `--san`.
    Names(String),
}

/// By which rules names are judged.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Whose readers trust the certificate.
    pub authority: CaId,
    pub servers: ServerNames,
}

/// A requested attribute that is denied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeniedAttribute {
    Authority,
    Subject(Name),
    Name(San),
    Usage(ExtendedKeyUsage),
    KeyUsage(&'static str),
    Extension(Oid),
}

#[derive(Debug, PartialEq, Eq)]
pub struct Grant {
    pub blueprint: Blueprint,
    pub refused: Vec<DeniedAttribute>,
    /// Names that were not requested.
    pub added: Vec<San>,
    /// The notAfter without the signer's limit.
    pub shortened: Option<OffsetDateTime>,
    /// What was stated, and means something.
    pub meanings: Vec<Meaning>,
}

/// When, and how long.
#[derive(Debug, Clone, Copy)]
pub struct Dates {
    pub now: OffsetDateTime,
    /// `None`: as long as the entry's live, else a year.
    pub validity: Option<Duration>,
    pub signer: Bounds,
}

/// The terms, or every problem of the request.
pub fn grant(
    request: &Request,
    terms: &Terms,
    authority: Option<&CaConstraints>,
    dates: Dates,
    policy: &Policy,
) -> Result<Grant, Vec<Declined>> {
    let mut declined = soundness(request);
    let mut meanings = Vec::new();
    let KeyKind::Known(algorithm) = request.key else { return Err(declined) };
    let (mut path_len, mut permitted) = (None, Vec::new());
    let (subject, sans, usages, default) = match terms {
        Terms::Entry(ask) => {
            let wanted = ask.blueprint_for(algorithm);
            if let Role::Authority { path_len: asked } = wanted.role {
                (path_len, permitted) = (asked, wanted.permitted);
            }
            (wanted.subject, wanted.sans, wanted.extended_key_usages, ask.lifetime)
        }
        Terms::Stated(stated) => {
            let servers = |names: &[San]| match authority {
                // Its name constraints are its limits.
                Some(_) => Vec::new(),
                None => policy.servers.of_names(policy.authority, names, &stated.usages),
            };
            // Whoever states an authority states all that it may sign.
            let usages = if authority.is_some() { &[ExtendedKeyUsage::ServerAuth] } else { stated.usages.as_slice() };
            let of_subject = |subject: &Name| names_policy::of_subject(policy.authority, subject, usages);
            let subject = match &stated.subject {
                Some(subject) => {
                    meanings.extend(of_subject(subject));
                    subject.clone()
                }
                None => {
                    declined.extend(subject::flaws(&request.subject).into_iter().map(Declined::BadValue));
                    let grants = || Grants::Subject(subject::text(&request.subject));
                    declined.extend(of_subject(&request.subject).into_iter().map(|one| Declined::Means(one, grants())));
                    let asked = stated.request_names && !request.sans.is_empty();
                    let nameless = request.subject.0.is_empty() && stated.sans.is_empty() && !asked;
                    declined.extend(nameless.then_some(Declined::NoSubject));
                    request.subject.clone()
                }
            };
            meanings.extend(servers(&stated.sans));
            let mut sans = stated.sans.clone();
            if stated.request_names {
                declined.extend(name_flaws(&request.sans));
                let asked: Vec<San> =
                    dialled(&request.sans).filter(|san| !stated.sans.contains(san)).cloned().collect();
                let known = servers(&asked);
                let values: Vec<&str> = known.iter().map(|one| one.value.as_str()).collect();
                let grants = Grants::Names(values.join(","));
                declined.extend(known.into_iter().map(|one| Declined::Means(one, grants.clone())));
                sans.extend(asked);
            }
            (subject, sans, stated.usages.clone(), Duration::days(365))
        }
    };
    if !declined.is_empty() {
        return Err(declined);
    }
    let key_usage = match authority {
        Some(_) => KeyUsage::DIGITAL_SIGNATURE.and(KeyUsage::KEY_CERT_SIGN).and(KeyUsage::CRL_SIGN),
        None if algorithm.is_rsa() => KeyUsage::DIGITAL_SIGNATURE.and(KeyUsage::KEY_ENCIPHERMENT),
        None => KeyUsage::DIGITAL_SIGNATURE,
    };
    let end = dates.now.saturating_add(dates.validity.unwrap_or(default));
    let blueprint = Blueprint {
        subject,
        not_before: (dates.now - BACK_DATE).max(dates.signer.not_before),
        not_after: end.min(dates.signer.not_after),
        role: authority.map_or(Role::EndEntity, |authority| Role::Authority {
            path_len: authority.path_len.or(path_len).or(Some(0)),
        }),
        key_usage,
        extended_key_usages: if authority.is_some() { Vec::new() } else { usages },
        sans,
        permitted: match authority {
            Some(authority) if !authority.permitted.is_empty() => authority.permitted.clone(),
            Some(_) => permitted,
            None => Vec::new(),
        },
    };
    let added = blueprint.sans.iter().filter(|san| !request.sans.contains(san)).cloned().collect();
    let shortened = (end > dates.signer.not_after).then_some(end);
    Ok(Grant { refused: refused(request, &blueprint), added, shortened, blueprint, meanings })
}

/// What is wrong with a request whatever it is for.
pub fn soundness(request: &Request) -> Vec<Declined> {
    let signature = match request.signature_valid {
        Some(true) => None,
        Some(false) => Some(Declined::Signature),
        None if matches!(request.key, KeyKind::Known(_)) => {
            Some(Declined::UnknownSignature(request.signature_algorithm.clone()))
        }
        None => None,
    };
    let key = match &request.key {
        KeyKind::Known(_) => weak_exponent(&request.spki_der).map(Declined::Exponent),
        weak @ KeyKind::Other(_) => Some(Declined::Key(weak.clone())),
    };
    signature.into_iter().chain(key).collect()
}

fn name_flaws(sans: &[San]) -> Vec<Declined> {
    if sans.len() > MOST_NAMES {
        return vec![Declined::TooManyNames(sans.len())];
    }
    let bad = |san: &San| match san {
        San::Dns(name) => profile::san(name).is_err(),
        San::Ip(_) | San::Email(_) | San::Uri(_) | San::Other(_) => false,
    };
    sans.iter().filter(|san| bad(san)).map(|san| Declined::BadName(san.to_string())).collect()
}

/// A name that a TLS peer connects to.
fn dialled(sans: &[San]) -> impl Iterator<Item = &San> {
    sans.iter().filter(|san| matches!(san, San::Dns(_) | San::Ip(_)))
}

fn refused(request: &Request, blueprint: &Blueprint) -> Vec<DeniedAttribute> {
    let mut denied = Vec::new();
    if request.is_ca && blueprint.role == Role::EndEntity {
        denied.push(DeniedAttribute::Authority);
    }
    if !request.subject.says_the_same(&blueprint.subject) {
        denied.push(DeniedAttribute::Subject(request.subject.clone()));
    }
    denied.extend(request.sans.iter().filter(|san| !blueprint.sans.contains(san)).cloned().map(DeniedAttribute::Name));
    let usages = request.extended_key_usages.iter();
    denied.extend(
        usages.filter(|usage| !blueprint.extended_key_usages.contains(usage)).cloned().map(DeniedAttribute::Usage),
    );
    let surplus = KeyUsage(request.key_usage.unwrap_or_default().0 & !blueprint.key_usage.0);
    denied.extend(surplus.names().into_iter().map(DeniedAttribute::KeyUsage));
    // keyUsage, subjectAltName, basicConstraints, extKeyUsage, and the identifier of the key, which every certificate
    // gets.
    const JUDGED: [&str; 5] = ["2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.37", "2.5.29.14"];
    let constrained = request.name_constraints == extension::name_constraints(&blueprint.permitted);
    let judged = |oid: &Oid| JUDGED.contains(&oid.0.as_ref()) || (constrained && oid.0 == "2.5.29.30");
    let others = request.extensions.iter().map(|(oid, _)| oid).filter(|oid| !judged(oid));
    denied.extend(others.cloned().map(DeniedAttribute::Extension));
    denied
}

#[cfg(test)]
#[path = "sign_tests.rs"]
mod tests;
