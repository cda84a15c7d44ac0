//! A certificate in a report.

use serde::Serialize;
use time::OffsetDateTime;

use super::json::instant;

/// What a certificate says. A planned one has no serial number and no fingerprint yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    pub subject: String,
    pub issuer: String,
    pub sans: Vec<String>,
    pub usages: Vec<String>,
    #[serde(serialize_with = "instant")]
    pub not_before: OffsetDateTime,
    #[serde(rename = "expirationDate", serialize_with = "instant")]
    pub not_after: OffsetDateTime,
    pub serial: Option<String>,
    #[serde(rename = "sha256")]
    pub fingerprint: Option<String>,
}

/// The keys of [`Facts`] in a document.
pub const KEYS: [&str; 8] = ["subject", "issuer", "sans", "usages", "notBefore", "expirationDate", "serial", "sha256"];

/// What a certificate is before or after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Side {
    pub algorithm: String,
    #[serde(flatten)]
    pub facts: Facts,
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn an_entry_without_a_certificate_has_the_same_keys() {
        let at = datetime!(2026-11-20 22:00 UTC);
        let facts = Facts {
            subject: String::new(),
            issuer: String::new(),
            sans: Vec::new(),
            usages: Vec::new(),
            not_before: at,
            not_after: at,
            serial: None,
            fingerprint: None,
        };
        let value = serde_json::to_value(facts).unwrap();
        assert!(value.as_object().unwrap().keys().eq(KEYS));
    }
}
