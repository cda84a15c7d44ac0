//! From profile and catalogue to blueprints: kubeadm's subjects, usages and dates, and our deliberate differences.

use time::{Duration, OffsetDateTime, PrimitiveDateTime};

use crate::blueprint::{Algorithm, Blueprint, ExtendedKeyUsage, KeyUsage, Name, Oid, Role};
use crate::catalog::{CaId, Entry, Subject};
use crate::clock::Span;
use crate::plan::item::What;
use crate::plan::sans;
use crate::profile::{ExtraCertificate, Node, Profile, Stated, SubjectAttributes};
use crate::x509::Certificate;

pub use crate::blueprint::BACK_DATE;

/// The validity of the issuer: a leaf's must be within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    pub not_before: OffsetDateTime,
    pub not_after: OffsetDateTime,
}

impl Bounds {
    pub const fn of(signer: &Certificate) -> Self {
        Self { not_before: signer.not_before, not_after: signer.not_after }
    }

    /// Of a signer that is not there: it decides the dates.
    pub fn of_request(now: OffsetDateTime) -> Self {
        Self { not_before: now - BACK_DATE, not_after: PrimitiveDateTime::MAX.assume_utc() }
    }
}

/// A CA that signs itself.
pub fn authority(profile: &Profile, authority: CaId, now: OffsetDateTime) -> (Algorithm, Blueprint) {
    let options = profile.authorities.get(&authority);
    let algorithm = options.and_then(|o| o.algorithm).unwrap_or(profile.algorithm);
    let validity = options.and_then(|o| o.validity).unwrap_or(profile.ca_validity);
    let attributes = options.map(|o| o.subject.clone()).unwrap_or_default();
    let usage = KeyUsage::DIGITAL_SIGNATURE.and(KeyUsage::KEY_CERT_SIGN).and(KeyUsage::CRL_SIGN);
    let blueprint = Blueprint {
        subject: authority_name(authority, &attributes),
        not_before: now - BACK_DATE,
        not_after: now + validity.duration(),
        role: Role::Authority { path_len: options.and_then(|o| o.path_len) },
        key_usage: with_encipherment(usage, algorithm),
        extended_key_usages: Vec::new(),
        sans: sans::authority(authority),
        permitted: options.map(|o| o.permitted.clone()).unwrap_or_default(),
    };
    (algorithm, blueprint)
}

/// RSA keys may encipher (RFC 5246 key exchange), EC keys may not (RFC 5480 section 3).
pub fn with_encipherment(usage: KeyUsage, algorithm: Algorithm) -> KeyUsage {
    if algorithm.is_rsa() { usage.and(KeyUsage::KEY_ENCIPHERMENT) } else { usage }
}

/// In Go's order, which is kubeadm's: C, O, OU, L, ST, CN.
fn authority_name(authority: CaId, attributes: &SubjectAttributes) -> Name {
    let values = |list: &[String], oid: Oid, name: Name| {
        let list: Vec<&str> = list.iter().map(String::as_str).collect();
        name.with(&oid, &list)
    };
    let name = values(&attributes.country, Oid::COUNTRY, Name::default());
    let name = values(&attributes.organization, Oid::ORGANIZATION, name);
    let name = values(&attributes.organizational_unit, Oid::ORGANIZATIONAL_UNIT, name);
    let name = values(&attributes.locality, Oid::LOCALITY, name);
    let name = values(&attributes.state, Oid::STATE, name);
    name.with(&Oid::COMMON_NAME, &[authority.common_name()])
}

/// The algorithm of an entry that is not an authority.
pub fn algorithm(profile: &Profile, entry: &Entry) -> Algorithm {
    profile.certificates.get(entry.name).and_then(|o| o.algorithm).unwrap_or(profile.algorithm)
}

/// A catalogue leaf on one node.
pub fn leaf(profile: &Profile, node: &Node, entry: &Entry, now: OffsetDateTime, signer: Bounds) -> Blueprint {
    Blueprint {
        subject: subject(profile, node, entry.subject),
        role: Role::EndEntity,
        key_usage: with_encipherment(KeyUsage::DIGITAL_SIGNATURE, algorithm(profile, entry)),
        extended_key_usages: entry.usages.to_vec(),
        sans: sans::sans(entry.sans, profile, node),
        permitted: Vec::new(),
        ..dated(now, entry_validity(profile, entry).duration(), signer)
    }
}

/// What the profile makes of an item that an authority signs, on the node that is its home.
pub fn signed(
    profile: &Profile,
    what: &What,
    home: Option<&str>,
    now: OffsetDateTime,
    signer: Bounds,
) -> Option<(Algorithm, Blueprint)> {
    match what {
        What::Leaf(entry) | What::Kubeconfig(entry, _) => {
            Some((algorithm(profile, entry), leaf(profile, profile.node(home?)?, entry, now, signer)))
        }
        What::Extra(added) => Some(extra(profile, added, now, signer)),
        What::Authority(_) | What::ServiceAccount(_) | What::SignerFile { .. } | What::Copy { .. } => None,
    }
}

/// A client that is the same in every tree, even without a profile.
pub fn client(
    subject: Name,
    usages: &[ExtendedKeyUsage],
    algorithm: Algorithm,
    now: OffsetDateTime,
    validity: Duration,
    signer: Bounds,
) -> Blueprint {
    Blueprint {
        subject,
        key_usage: with_encipherment(KeyUsage::DIGITAL_SIGNATURE, algorithm),
        extended_key_usages: usages.to_vec(),
        ..dated(now, validity, signer)
    }
}

/// A certificate the profile adds.
pub fn extra(
    profile: &Profile,
    extra: &ExtraCertificate,
    now: OffsetDateTime,
    signer: Bounds,
) -> (Algorithm, Blueprint) {
    let algorithm = extra.algorithm.unwrap_or(profile.algorithm);
    let organizations: Vec<&str> = extra.organizations.iter().map(String::as_str).collect();
    let blueprint = Blueprint {
        subject: Name::of(&extra.common_name, &organizations),
        role: Role::EndEntity,
        key_usage: with_encipherment(KeyUsage::DIGITAL_SIGNATURE, algorithm),
        extended_key_usages: extra.usages.clone(),
        sans: sans::listed(&extra.sans),
        permitted: Vec::new(),
        ..dated(now, extra.validity.unwrap_or(profile.validity).duration(), signer)
    };
    (algorithm, blueprint)
}

fn entry_validity(profile: &Profile, entry: &Entry) -> Span {
    profile.certificates.get(entry.name).and_then(|o| o.validity).unwrap_or(profile.validity)
}

/// The lifetime of an item, before it is shortened to its signer's notAfter.
pub fn validity(profile: &Profile, what: &What) -> Span {
    match what {
        What::Leaf(entry) | What::Kubeconfig(entry, _) => entry_validity(profile, entry),
        What::Extra(extra) => extra.validity.unwrap_or(profile.validity),
        What::Authority(authority) => {
            profile.authorities.get(authority).and_then(|o| o.validity).unwrap_or(profile.ca_validity)
        }
        What::ServiceAccount(_) | What::SignerFile { .. } | What::Copy { .. } => Span::seconds(0),
    }
}

/// The kind of its key; `None`: it has none of its own.
pub fn algorithm_of(profile: &Profile, what: &What) -> Option<Algorithm> {
    match what {
        What::Leaf(entry) | What::Kubeconfig(entry, _) => Some(algorithm(profile, entry)),
        What::Extra(extra) => Some(extra.algorithm.unwrap_or(profile.algorithm)),
        What::Authority(authority) => {
            Some(profile.authorities.get(authority).and_then(|o| o.algorithm).unwrap_or(profile.algorithm))
        }
        What::ServiceAccount(_) | What::SignerFile { .. } | What::Copy { .. } => None,
    }
}

/// Whether the profile says algorithm and validity itself, of all certificates or of this one.
pub fn stated(profile: &Profile, what: &What) -> Stated {
    let (algorithm, validity) = match what {
        What::Leaf(entry) | What::Kubeconfig(entry, _) => {
            let options = profile.certificates.get(entry.name);
            (options.and_then(|options| options.algorithm), options.and_then(|options| options.validity))
        }
        What::Extra(extra) => (extra.algorithm, extra.validity),
        What::Authority(authority) => {
            let options = profile.authorities.get(authority);
            (options.and_then(|options| options.algorithm), options.and_then(|options| options.validity))
        }
        What::ServiceAccount(_) | What::SignerFile { .. } | What::Copy { .. } => (None, None),
    };
    let all = profile.stated;
    let of_kind = if matches!(what, What::Authority(_)) { all.ca_validity } else { all.validity };
    Stated { algorithm: all.algorithm || algorithm.is_some(), validity: of_kind || validity.is_some(), ..all }
}

/// A leaf's dates, cut to its signer's (RFC 5280 section 6.1 checks every certificate of a path at the same instant, so
/// a leaf is never valid outside it).
fn dated(now: OffsetDateTime, validity: Duration, signer: Bounds) -> Blueprint {
    Blueprint {
        subject: Name::default(),
        not_before: (now - BACK_DATE).max(signer.not_before),
        not_after: (now + validity).min(signer.not_after),
        role: Role::EndEntity,
        key_usage: KeyUsage::default(),
        extended_key_usages: Vec::new(),
        sans: Vec::new(),
        permitted: Vec::new(),
    }
}

fn subject(profile: &Profile, node: &Node, rule: Subject) -> Name {
    match rule {
        Subject::Authority(authority) => Name::of(authority.common_name(), &[]),
        Subject::Fixed(name, organization) => Name::of(name, organization.at(profile.kubernetes_version).as_slice()),
        Subject::NodeName => Name::of(&node.name, &[]),
        Subject::Node => Name::of(&node_user(node), &["system:nodes"]),
        Subject::None => Name::default(),
    }
}

/// What the node authorizer calls a node.
pub fn node_user(node: &Node) -> String {
    format!("system:node:{}", node.name)
}
