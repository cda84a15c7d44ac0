//! Whether one side takes the other's certificates: the path by `x509::path`, then what every certificate of it may be used for,
//! then the name. As Go's crypto/x509 does it, which Kubernetes' components are made with.

use time::OffsetDateTime;

use super::names;
use crate::blueprint::{ExtendedKeyUsage, San};
use crate::x509::path::{Dates, Links, ValidationInput, Violation, validate};
use crate::x509::policies::PolicyInput;
use crate::x509::{Certificate, PathError, Usage, VerifyError};

/// anyExtendedKeyUsage (RFC 5280 section 4.2.1.12).
const ANY: &str = "2.5.29.37.0";

/// The authorities that one side trusts: a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust(pub Vec<Certificate>);

/// Why one side refuses the other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    #[error(transparent)]
    Path(PathError),
    #[error("expected the extended key usage {wanted}, found {found}")]
    Usage { wanted: Usage, found: String },
    #[error("expected a certificate for `{wanted}`, found one for {found}")]
    Name { wanted: San, found: String },
    /// RFC 8446 section 4.4.3.
    #[error("expected a handshake signed by the certificate's key, found one signed by another key")]
    Proof,
    #[error("expected a certificate, found none")]
    NoCertificate,
    /// For another reason, in our words.
    #[error("no TLS connection comes about: {0}")]
    Tls(&'static str),
}

impl Reason {
    /// It says what kpki cannot judge, and another program may accept it.
    pub const fn is_unknown(&self) -> bool {
        match self {
            Self::Path(PathError::Invalid { violation, .. }) => {
                matches!(violation, Violation::Signature(VerifyError::Unsupported { .. }) | Violation::Unevaluated(_))
            }
            Self::Tls(_) => true,
            _ => false,
        }
    }
}

impl Trust {
    /// Whether a side that trusts these takes a leaf with what is sent behind it.
    ///
    /// # Errors
    /// What it refuses.
    pub fn accepts(
        &self,
        leaf: &Certificate,
        intermediates: &[Certificate],
        usage: Usage,
        at: OffsetDateTime,
    ) -> Result<(), Reason> {
        let input = ValidationInput {
            anchors: &self.0,
            intermediates,
            at,
            links: Links::Exact,
            dates: Dates::All,
            policies: PolicyInput::default(),
            revocation: None,
        };
        let path = validate(leaf, input).map_err(Reason::Path)?;
        let allowed = |certificate: &&&Certificate| !may_be_used(certificate, usage);
        match path.certificates.iter().find(allowed) {
            Some(certificate) => Err(Reason::Usage { wanted: usage, found: usages(certificate) }),
            None => Ok(()),
        }
    }
}

/// Whether a client that dialled this name takes the certificate for it.
///
/// # Errors
/// Which names there are.
pub fn named(leaf: &Certificate, name: &San) -> Result<(), Reason> {
    let refused = || Reason::Name { wanted: name.clone(), found: names::listed(leaf) };
    names::is_for(leaf, name).then_some(()).ok_or_else(refused)
}

/// Without the extension for everything. Authorities may restrict what is below them, as most verifiers read it.
fn may_be_used(certificate: &Certificate, usage: Usage) -> bool {
    let wanted = match usage {
        Usage::Server => ExtendedKeyUsage::ServerAuth,
        Usage::Client => ExtendedKeyUsage::ClientAuth,
    };
    let stated = &certificate.extended_key_usages;
    stated.is_empty() || stated.iter().any(|one| *one == wanted || one.oid().0 == ANY)
}

fn usages(certificate: &Certificate) -> String {
    let names: Vec<&str> = certificate.extended_key_usages.iter().map(ExtendedKeyUsage::name).collect();
    names.join(", ")
}
