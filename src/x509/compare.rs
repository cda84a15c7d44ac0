//! Where a certificate says something else than its blueprint: after signing there must be no such place, and a
//! certificate on disk is held against what the profile would make.

use time::{OffsetDateTime, UtcOffset};

use crate::blueprint::{Blueprint, ExtendedKeyUsage, KeyUsage, Name, Role, San};
use crate::clock::rfc3339;
use crate::encoding::extension;
use crate::x509::Certificate;

/// One difference; `wanted` is the blueprint's, `found` the certificate's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// Names are compared byte by byte.
    #[error("expected the subject `{wanted}`, found `{found}`")]
    Subject { wanted: Name, found: Name },
    /// In whole seconds.
    #[error("expected validity from {}, found {}", rfc3339(*.wanted), rfc3339(*.found))]
    NotBefore { wanted: OffsetDateTime, found: OffsetDateTime },
    /// In whole seconds.
    #[error("expected validity until {}, found {}", rfc3339(*.wanted), rfc3339(*.found))]
    NotAfter { wanted: OffsetDateTime, found: OffsetDateTime },
    /// `None`: no role a blueprint can state.
    #[error("expected {}, found {}", role_name(Some(*.wanted)), role_name(*.found))]
    Role { wanted: Role, found: Option<Role> },
    /// `None`: the extension is absent.
    #[error("expected the key usage {}, found {}", key_usage(Some(*.wanted)), key_usage(*.found))]
    KeyUsage { wanted: KeyUsage, found: Option<KeyUsage> },
    /// The blueprint has it.
    #[error("expected the extended key usage {}", .0.name())]
    MissingExtendedKeyUsage(ExtendedKeyUsage),
    /// The certificate has it.
    #[error("unexpected extended key usage {}", .0.name())]
    SurplusExtendedKeyUsage(ExtendedKeyUsage),
    /// The blueprint has it.
    #[error("expected the subject alternative name `{0}`")]
    MissingSan(San),
    /// The certificate has it.
    #[error("unexpected subject alternative name `{0}`")]
    SurplusSan(San),
    /// nameConstraints are others, or there although none were wanted, or not there.
    #[error("expected other name constraints")]
    NameConstraints,
    /// The same values in another order, or some of them twice.
    #[error("expected the {} in another order", .0.name())]
    Order(ListField),
}

/// A field that is a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListField {
    ExtendedKeyUsages,
    Sans,
}

impl ListField {
    const fn name(self) -> &'static str {
        match self {
            Self::ExtendedKeyUsages => "extended key usages",
            Self::Sans => "subject alternative names",
        }
    }
}

fn role_name(role: Option<Role>) -> String {
    match role {
        Some(Role::EndEntity) => "an end entity".into(),
        Some(Role::Authority { path_len: None }) => "an authority".into(),
        Some(Role::Authority { path_len: Some(length) }) => format!("an authority with path length {length}"),
        None => "no such role".into(),
    }
}

fn key_usage(usage: Option<KeyUsage>) -> String {
    match usage.map(KeyUsage::names) {
        Some(names) if !names.is_empty() => names.join(", "),
        _ => "none".into(),
    }
}

/// Every difference, empty when there is none. Keys, serial numbers and issuers are not a blueprint's business.
pub fn compare(certificate: &Certificate, blueprint: &Blueprint) -> Vec<Mismatch> {
    let mut found = Vec::new();
    if certificate.subject != blueprint.subject {
        found.push(Mismatch::Subject { wanted: blueprint.subject.clone(), found: certificate.subject.clone() });
    }
    let (not_before, not_after) = (whole_seconds(blueprint.not_before), whole_seconds(blueprint.not_after));
    if certificate.not_before != not_before {
        found.push(Mismatch::NotBefore { wanted: not_before, found: certificate.not_before });
    }
    if certificate.not_after != not_after {
        found.push(Mismatch::NotAfter { wanted: not_after, found: certificate.not_after });
    }
    let actual_role = certificate.role();
    if actual_role != Some(blueprint.role) {
        found.push(Mismatch::Role { wanted: blueprint.role, found: actual_role });
    }
    if certificate.key_usage.unwrap_or_default() != blueprint.key_usage {
        found.push(Mismatch::KeyUsage { wanted: blueprint.key_usage, found: certificate.key_usage });
    }
    lists(
        &mut found,
        (&blueprint.extended_key_usages, &certificate.extended_key_usages),
        Mismatch::MissingExtendedKeyUsage,
        Mismatch::SurplusExtendedKeyUsage,
        ListField::ExtendedKeyUsages,
    );
    if certificate.name_constraints != extension::name_constraints(&blueprint.permitted) {
        found.push(Mismatch::NameConstraints);
    }
    lists(
        &mut found,
        (&blueprint.sans, &certificate.sans),
        Mismatch::MissingSan,
        Mismatch::SurplusSan,
        ListField::Sans,
    );
    found
}

fn lists<T: Clone + PartialEq>(
    mismatches: &mut Vec<Mismatch>,
    (wanted, found): (&[T], &[T]),
    missing: fn(T) -> Mismatch,
    surplus: fn(T) -> Mismatch,
    listed: ListField,
) {
    if wanted == found {
        return;
    }
    let before = mismatches.len();
    mismatches.extend(wanted.iter().filter(|item| !found.contains(item)).cloned().map(missing));
    mismatches.extend(found.iter().filter(|item| !wanted.contains(item)).cloned().map(surplus));
    if mismatches.len() == before {
        mismatches.push(Mismatch::Order(listed));
    }
}

impl Certificate {
    /// [`role`] of this certificate.
    pub fn role(&self) -> Option<Role> {
        role(self.is_ca, self.path_len)
    }
}

/// basicConstraints as a blueprint states it; `None` where no blueprint can: a path length beyond 255, or one without cA. A
/// certificate without the extension is an end entity's (RFC 5280 section 4.2.1.9).
pub fn role(is_ca: bool, path_len: Option<u32>) -> Option<Role> {
    match (is_ca, path_len.map(u8::try_from)) {
        (false, None) => Some(Role::EndEntity),
        (true, None) => Some(Role::Authority { path_len: None }),
        (true, Some(Ok(length))) => Some(Role::Authority { path_len: Some(length) }),
        (false, Some(_)) | (true, Some(Err(_))) => None,
    }
}

fn whole_seconds(at: OffsetDateTime) -> OffsetDateTime {
    let at = at.checked_to_offset(UtcOffset::UTC).unwrap_or(at);
    at.replace_nanosecond(0).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_differ_in_what_is_missing_and_surplus_or_else_in_order() {
        let san = |name: &&str| San::Dns((*name).to_owned());
        let sans = |names: &[&str]| names.iter().map(san).collect::<Vec<_>>();
        let (missing, surplus) = (|name| Mismatch::MissingSan(san(&name)), |name| Mismatch::SurplusSan(san(&name)));
        let order = Mismatch::Order(ListField::Sans);
        for (wanted, found, mismatches) in [
            (&[][..], &[][..], vec![]),
            (&["a", "b"], &["a", "b"], vec![]),
            (&["a", "b"], &["b"], vec![missing("a")]),
            (&["a"], &["a", "b"], vec![surplus("b")]),
            (&["a", "b"], &["b", "c"], vec![missing("a"), surplus("c")]),
            (&["a", "b"], &["b", "a"], vec![order.clone()]),
            (&["a"], &["a", "a"], vec![order]),
        ] {
            let mut all = Vec::new();
            let both = (sans(wanted), sans(found));
            lists(&mut all, (&both.0, &both.1), Mismatch::MissingSan, Mismatch::SurplusSan, ListField::Sans);
            assert_eq!(all, mismatches, "{wanted:?} {found:?}");
        }
    }
}
