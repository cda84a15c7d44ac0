//! cfssl's signing profiles (`ca-config.json`) as a profile of kpki. Usages are mapped by a table; settings without an
//! equivalent are reported.

use serde_json::{Map, Value};

use crate::clock::Span;
use crate::encoding::shown::shown;
use crate::store::JsonError;

/// The profile as YAML, and what could not be taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    pub profile: String,
    pub warnings: Vec<String>,
}

/// cfssl's usages and ours; empty: every certificate has it, or the key's algorithm decides.
const USAGES: [(&str, &str); 7] = [
    ("server auth", "server"),
    ("client auth", "client"),
    ("signing", ""),
    ("digital signature", ""),
    ("key encipherment", ""),
    ("cert sign", ""),
    ("crl sign", ""),
];

/// Why it is none that can be taken.
#[derive(Debug, thiserror::Error)]
pub enum CfsslError {
    #[error(transparent)]
    Json(#[from] JsonError),
    #[error("expected the key signing with an object")]
    NoSigning,
    #[error("expected an object for the profile {}", shown(.0))]
    NotAnObject(String),
    #[error("expected a duration such as 8760h as the expiry of {}, found {}", .name, shown(.expiry))]
    Expiry { name: String, expiry: String },
}

/// `{"signing": {"default": {...}, "profiles": {NAME: {"expiry": ..., "usages": [...], "ca_constraint": {...}}}}}`.
///
/// `default.expiry` becomes certificateValidityPeriod; a profile that makes authorities (`ca_constraint.is_ca`) gives
/// caCertificateValidityPeriod; every other one becomes an extra certificate with its usages and its validity.
pub fn read(bytes: &[u8]) -> Result<Imported, CfsslError> {
    let value: Value = serde_json::from_slice(bytes).map_err(JsonError::from)?;
    let signing = value.get("signing").and_then(Value::as_object).ok_or(CfsslError::NoSigning)?;
    let mut warnings = Vec::new();
    let mut head = String::new();
    let default = signing.get("default").and_then(Value::as_object);
    if let Some(default) = default {
        if let Some(expiry) = expiry("default", default)? {
            head.push_str(&format!("certificateValidityPeriod: {expiry}\n"));
        }
        further("default", default, &["expiry", "usages", "ca_constraint"], &mut warnings);
    }
    let none = Map::new();
    let mut extras = String::new();
    for (original, profile) in signing.get("profiles").and_then(Value::as_object).unwrap_or(&none) {
        let name = shown(original);
        let name = name.as_str();
        let profile = profile.as_object().ok_or_else(|| CfsslError::NotAnObject(name.to_owned()))?;
        let expiry = expiry(name, profile)?;
        further(name, profile, &["expiry", "usages", "ca_constraint"], &mut warnings);
        let is_ca =
            profile.get("ca_constraint").and_then(|one| one.get("is_ca")).and_then(Value::as_bool) == Some(true);
        match (is_ca, expiry) {
            (true, Some(expiry)) if !head.contains("caCertificateValidityPeriod") => {
                head.push_str(&format!("caCertificateValidityPeriod: {expiry}\n"));
                warnings.push(format!("{name}: it is for CA certificates; its expiry is used for the cluster's own authorities (kpki sign --intermediate makes an intermediate)"));
            }
            (true, _) => {
                warnings.push(format!("{name}: it is for CA certificates; kpki sign --intermediate makes one"))
            }
            (false, expiry) => extras.push_str(&extra(original, profile, expiry.as_deref(), &mut warnings)),
        }
    }
    let list = if extras.is_empty() { String::new() } else { format!("extraCertificates:\n{extras}") };
    let profile = format!(
        "# From cfssl's signing profiles. Put your nodes, and the names of each certificate, in place.\n\
         apiVersion: kpki/v1\nkind: ClusterProfile\n{head}nodes:\n- name: cp1\n  addresses: [192.0.2.11]\n{list}"
    );
    Ok(Imported { profile, warnings })
}

fn extra(name: &str, profile: &Map<String, Value>, expiry: Option<&str>, warnings: &mut Vec<String>) -> String {
    let (original, name) = (name, shown(name));
    let mut usages = Vec::new();
    let stated = profile.get("usages").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for usage in stated.iter().filter_map(Value::as_str) {
        match USAGES.iter().find(|(theirs, _)| *theirs == usage) {
            Some((_, "")) => {}
            Some((_, ours)) => usages.push(*ours),
            None => warnings.push(format!("{name}: the usage {} has no equivalent in a profile", shown(usage))),
        }
    }
    if usages.is_empty() {
        warnings.push(format!("{name}: it is neither for servers nor for clients, and is skipped"));
        return String::new();
    }
    let plain = plain_name(if name == original { original } else { "" });
    if plain != original {
        warnings.push(format!("{name}: called {plain} here"));
    }
    let mut text = format!("- name: {plain}\n  usages: [{}]\n", usages.join(", "));
    if usages.contains(&"server") {
        text.push_str(&format!("  certSANs: [{plain}.example.com]\n"));
        warnings.push(format!("{name}: replace {plain}.example.com by its names"));
    }
    if let Some(expiry) = expiry {
        text.push_str(&format!("  validity: {expiry}\n"));
    }
    text
}

/// A DNS name in lower case that is no entry of kubeadm's.
fn plain_name(name: &str) -> String {
    let letters =
        name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect::<String>();
    let trimmed: String = letters.trim_matches('-').chars().take(63).collect();
    let plain = if trimmed.is_empty() { "cfssl".to_owned() } else { trimmed.trim_end_matches('-').to_owned() };
    if crate::catalog::find(&plain).is_some() { format!("{plain}-cfssl") } else { plain }
}

fn expiry(name: &str, profile: &Map<String, Value>) -> Result<Option<String>, CfsslError> {
    let Some(expiry) = profile.get("expiry").and_then(Value::as_str).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    Span::parse(expiry)
        .map(|_| Some(expiry.to_owned()))
        .map_err(|_| CfsslError::Expiry { name: name.to_owned(), expiry: expiry.to_owned() })
}

/// auth_key, crl_url, ocsp_url, issuer_urls, name_whitelist, policies and the like.
fn further(name: &str, profile: &Map<String, Value>, known: &[&str], warnings: &mut Vec<String>) {
    let others = profile.keys().filter(|key| !known.contains(&key.as_str()));
    warnings.extend(others.map(|key| format!("{name}: {} has no equivalent in a profile", shown(key))));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Overrides, Source, load};

    const CONFIG: &str = r#"{"signing": {"default": {"expiry": "43800h", "ocsp_url": "http://x"}, "profiles": {
        "server": {"expiry": "8760h", "usages": ["signing", "key encipherment", "server auth"]},
        "Peer 1": {"usages": ["signing", "server auth", "client auth", "code signing"]},
        "intermediate": {"expiry": "26280h", "usages": ["cert sign"], "ca_constraint": {"is_ca": true}},
        "mail": {"usages": ["email protection"]}}}}"#;

    #[test]
    fn signing_profiles_become_a_valid_profile() {
        let imported = read(CONFIG.as_bytes()).unwrap();
        let source = Source { name: "p.yaml", bytes: imported.profile.as_bytes() };
        let profile = load(source, &Overrides::default()).unwrap().profile;
        let names: Vec<&str> = profile.extra_certificates.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["server", "peer-1"]);
        assert_eq!((profile.validity, profile.ca_validity), (Span::hours(43800), Span::hours(26280)));
        assert_eq!(profile.extra_certificates[0].validity, Some(Span::hours(8760)));
        assert_eq!(profile.extra_certificates[1].usages.len(), 2);
        let said = imported.warnings.join("\n");
        for says in [
            "default: ocsp_url has no equivalent",
            "code signing has no equivalent",
            "mail: it is neither",
            "Peer 1: called peer-1",
        ] {
            assert!(said.contains(says), "{says}: {said}");
        }
        for wrong in
            ["", "{}", r#"{"signing": {"profiles": {"x": 1}}}"#, r#"{"signing": {"default": {"expiry": "soon"}}}"#]
        {
            assert!(read(wrong.as_bytes()).is_err(), "{wrong}");
        }
        assert!(read(br#"{"signing": {}}"#).unwrap().warnings.is_empty());
    }
}
