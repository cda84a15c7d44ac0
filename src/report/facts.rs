//! What a certificate says, or will say, as reports show it.

use crate::blueprint::{Blueprint, ExtendedKeyUsage, Name, San};
use crate::report::Facts;
use crate::report::requests::RequestedFacts;
use crate::x509::{Certificate, Request};

pub fn of_blueprint(blueprint: &Blueprint, issuer: &Name) -> Facts {
    Facts {
        subject: blueprint.subject.to_string(),
        issuer: issuer.to_string(),
        sans: blueprint.sans.iter().map(San::to_string).collect(),
        usages: usages(&blueprint.extended_key_usages),
        not_before: blueprint.not_before,
        not_after: blueprint.not_after,
        serial: None,
        fingerprint: None,
    }
}

pub fn facts(certificate: &Certificate) -> Facts {
    Facts {
        subject: certificate.subject.to_string(),
        issuer: certificate.issuer.to_string(),
        sans: certificate.sans.iter().map(San::to_string).collect(),
        usages: usages(&certificate.extended_key_usages),
        not_before: certificate.not_before,
        not_after: certificate.not_after,
        serial: Some(certificate.serial_hex()),
        fingerprint: Some(certificate.fingerprint_hex()),
    }
}

/// What a request asks for.
pub fn requested(request: &Request) -> RequestedFacts {
    RequestedFacts {
        subject: request.subject.to_string(),
        sans: request.sans.iter().map(ToString::to_string).collect(),
        usages: usages(&request.extended_key_usages),
        authority: request.is_ca,
    }
}

fn usages(usages: &[ExtendedKeyUsage]) -> Vec<String> {
    usages.iter().map(|usage| usage.name().to_owned()).collect()
}
