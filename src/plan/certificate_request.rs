//! A CertificateRequest of cert-manager.io/v1 for a signing request that was made here. Pure.

use std::fmt::Write as _;

use time::Duration;

use crate::encoding::base64;
use crate::encoding::yaml::scalar;
use crate::plan::cluster_objects::is_subdomain;
use crate::plan::csr_manifest;
use crate::tree::EntryId;
use crate::x509::{Request, sha256};

/// Who is asked, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    pub name: String,
    pub kind: String,
    pub group: String,
    /// `None`: that of the `kubectl` that creates it.
    pub namespace: Option<String>,
}

/// A request that was made.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub id: &'a EntryId,
    pub request: &'a Request,
    /// Of the certificate.
    pub lifetime: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    #[error("--{flag}: expected {expected}, found {found:?}")]
    Flag { flag: &'static str, expected: &'static str, found: String },
    #[error("{id}: cert-manager has no word for the extended key usage {usage}")]
    Usage { id: EntryId, usage: String },
}

impl Issuer {
    /// What the API server would refuse.
    pub fn check(&self) -> Result<(), Unfit> {
        const LOWER: &str = "lower-case letters, digits, hyphens and dots (RFC 1123)";
        let is_kind = !self.kind.is_empty() && self.kind.chars().all(|c| c.is_ascii_alphanumeric());
        let namespace = self.namespace.as_deref();
        let is_label = |name: &str| is_subdomain(name) && !name.contains('.') && name.len() <= 63;
        for (flag, fits, expected, found) in [
            ("issuer", is_subdomain(&self.name), LOWER, self.name.as_str()),
            ("issuer-kind", is_kind, "a kind such as Issuer or ClusterIssuer", &self.kind),
            ("issuer-group", is_subdomain(&self.group), LOWER, &self.group),
            ("namespace", namespace.is_none_or(is_label), LOWER, namespace.unwrap_or_default()),
        ] {
            if !fits {
                return Err(Unfit::Flag { flag, expected, found: found.to_owned() });
            }
        }
        Ok(())
    }
}

/// The object, as YAML. cert-manager never changes one: its name has the digest of the request, so that the same request is the
/// same object, and the next one another.
pub fn manifest(asked: Asked<'_>, issuer: &Issuer) -> Result<String, Unfit> {
    let Asked { id, request, lifetime } = asked;
    let names = csr_manifest::usage_names(request.key_usage.unwrap_or_default(), &request.extended_key_usages);
    if let Some(usage) = names.unnamed.first() {
        return Err(Unfit::Usage { id: id.clone(), usage: usage.name().to_owned() });
    }
    let digest: String = sha256(&request.der).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let name = format!("{}-{digest}", id.to_string().replace('/', "."));
    let mut text = format!(
        "apiVersion: cert-manager.io/v1\nkind: CertificateRequest\nmetadata:\n  annotations:\n    kpki/entry: {}\n  name: {}\n",
        scalar(&id.to_string()),
        scalar(&name),
    );
    if let Some(namespace) = &issuer.namespace {
        let _ = writeln!(text, "  namespace: {}", scalar(namespace));
    }
    let _ = write!(
        text,
        "spec:\n  duration: {}\n  isCA: {}\n  issuerRef:\n    group: {}\n    kind: {}\n    name: {}\n  request: {}\n  usages:\n",
        duration(lifetime),
        request.is_ca,
        scalar(&issuer.group),
        scalar(&issuer.kind),
        scalar(&issuer.name),
        *base64::encode(request.to_pem().as_bytes()),
    );
    for usage in names.of_key.iter().chain(&names.extended) {
        let _ = writeln!(text, "  - {usage}");
    }
    Ok(text)
}

/// As Go's time.ParseDuration reads it.
fn duration(lifetime: Duration) -> String {
    match (lifetime.whole_hours(), lifetime.whole_seconds()) {
        (hours, seconds) if hours.checked_mul(3600) == Some(seconds) => format!("{hours}h"),
        (_, seconds) => format!("{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuer() -> Issuer {
        let text = str::to_owned;
        Issuer { name: text("corp"), kind: text("Issuer"), group: text("cert-manager.io"), namespace: None }
    }

    #[test]
    fn lifetimes_are_go_durations() {
        for (seconds, text) in [(3600, "1h"), (31_536_000, "8760h"), (5400, "5400s"), (1, "1s")] {
            assert_eq!(duration(Duration::seconds(seconds)), text);
        }
    }

    #[test]
    fn what_the_api_server_refuses_is_refused() {
        let with = |change: fn(&mut Issuer)| {
            let mut issuer = issuer();
            change(&mut issuer);
            issuer.check().map_err(|why| why.to_string().split(':').next().unwrap_or_default().to_owned())
        };
        assert_eq!(issuer().check(), Ok(()));
        assert_eq!(with(|issuer| issuer.namespace = Some("pki".to_owned())), Ok(()));
        assert_eq!(with(|issuer| issuer.kind = "AWSPCAClusterIssuer".to_owned()), Ok(()));
        for (flag, change) in [
            ("--issuer", (|issuer| issuer.name = "Corp".to_owned()) as fn(&mut Issuer)),
            ("--issuer", |issuer| issuer.name.clear()),
            ("--issuer-kind", |issuer| issuer.kind = "Cluster Issuer".to_owned()),
            ("--issuer-group", |issuer| issuer.group = "a/b".to_owned()),
            ("--namespace", |issuer| issuer.namespace = Some("a.b".to_owned())),
            ("--namespace", |issuer| issuer.namespace = Some("a".repeat(64))),
        ] {
            assert_eq!(with(change), Err(flag.to_owned()));
        }
    }
}
