//! Whom a check trusts, and what is wrong with the path of a certificate: what was looked at, and why an authority that was given
//! cannot serve.

use std::borrow::Cow;

use time::OffsetDateTime;

use crate::blueprint::Name;
use crate::report::crl::{Look, Looks};
use crate::x509::dsa;
use crate::x509::path::{Dates, Links, Path, Revocation, ValidationInput, Violation, validate};
use crate::x509::policies::PolicyInput;
use crate::x509::revocation::Strictness;
use crate::x509::verify::Algorithms;
use crate::x509::{Certificate, KeyKind, OtherKey, PathError, VerifyError, same_name};

pub struct Known {
    pub anchors: Vec<Certificate>,
    /// Believed where they lead to an anchor.
    pub intermediates: Vec<Certificate>,
    pub at: OffsetDateTime,
    pub strictness: Strictness,
}

impl Known {
    pub fn all(&self) -> impl Iterator<Item = &Certificate> + Clone {
        self.anchors.iter().chain(&self.intermediates)
    }

    pub fn input<'k>(&'k self, revocation: Option<Revocation<'k>>) -> ValidationInput<'k> {
        let Self { anchors, intermediates, at, .. } = self;
        let (links, dates, policies) = (Links::Rfc5280, Dates::All, PolicyInput::default());
        ValidationInput { anchors, intermediates, at: *at, links, dates, policies, revocation }
    }

    /// The path of a certificate, whatever the CRLs say.
    pub fn path<'k>(&'k self, certificate: &'k Certificate) -> Result<Path<'k>, PathError> {
        validate(certificate, self.input(None))
    }

    /// With the parameters that its key has from the authority above it.
    pub fn whole<'k>(&'k self, certificate: &'k Certificate) -> Cow<'k, Certificate> {
        let path = dsa::is_heir(certificate).then(|| self.path(certificate).ok()).flatten();
        let whole = path.and_then(|path| dsa::inherited(&path.certificates).pop());
        whole.unwrap_or(Cow::Borrowed(certificate))
    }

    /// Of whom the CRLs are asked for: also of an issuer that is not trusted, whose CRL may still say that it is revoked.
    pub fn issuer<'k>(&'k self, certificate: &Certificate, path: Option<&Path<'k>>) -> Option<&'k Certificate> {
        path.and_then(Path::issuer)
            .or_else(|| self.all().find(|one| certificate.issued_with(one, Algorithms::Rfc5280).is_ok()))
    }

    /// Why a path does not hold, in words about what was given.
    pub fn why(&self, certificate: &Certificate, error: &PathError) -> String {
        let named = |name| self.all().find(|one| same_name(&one.subject, name));
        match error {
            PathError::NoPath { issuer } if named(issuer).is_none() => {
                format!("its issuer {issuer} was not given: give it with --ca")
            }
            PathError::NoPath { issuer } => {
                format!(
                    "no path leads from its issuer {issuer} to an authority that is trusted: give that one with --ca"
                )
            }
            PathError::Invalid { subject, violation: Violation::Signature(why), .. } => {
                let of_subject = |one: &&Certificate| same_name(&one.subject, subject);
                let signed = self.intermediates.iter().find(of_subject).unwrap_or(certificate);
                named(&signed.issuer).map_or_else(|| error.to_string(), |issuer| cannot_serve(issuer, subject, why))
            }
            PathError::Invalid { .. } => error.to_string(),
        }
    }
}

/// Why the authority of this name did not sign what names it.
fn cannot_serve(issuer: &Certificate, subject: &Name, why: &VerifyError) -> String {
    let name = &issuer.subject;
    match (why, &issuer.key) {
        (VerifyError::Unsupported { .. }, KeyKind::Other(OtherKey::Rsa { bits: ..2048 })) => {
            format!(
                "the key of {name} is too weak to verify anything with: expected RSA from 2048 bits, found {}",
                issuer.key
            )
        }
        (VerifyError::Signature, _) => {
            format!(
                "{name} was given with another key than the one that signed {subject}: give the right one with --ca"
            )
        }
        _ => format!("{name} cannot serve: {why}"),
    }
}

/// What was looked at on the way to this answer: [`validate`] judges signatures first, then rights, constraints, dates.
pub fn looks(judged: Result<&Path<'_>, &PathError>, certificate: &Certificate, at: OffsetDateTime) -> Looks {
    use Look::{NotLookedAt, Ok as Fine, Wrong};
    let own = if certificate.is_valid_at(at) { NotLookedAt } else { Wrong };
    let (path, rights, dates) = match judged {
        Ok(_) => (Fine, Fine, Fine),
        Err(PathError::NoPath { .. }) => (NotLookedAt, NotLookedAt, own),
        Err(PathError::Invalid { violation, .. }) => match violation {
            Violation::Signature(_) => (Wrong, NotLookedAt, own),
            Violation::NotAuthority | Violation::NoKeyCertSign | Violation::PathLength => (NotLookedAt, Wrong, own),
            Violation::Forbidden(_)
            | Violation::Policy(_)
            | Violation::UnknownCritical(_)
            | Violation::Unevaluated(_) => (Wrong, Fine, own),
            Violation::NotYetValid { .. } | Violation::Expired { .. } => (Fine, Fine, Wrong),
            Violation::Revocation(_) => (Fine, Fine, Fine),
        },
    };
    Looks { dates, path, rights }
}
