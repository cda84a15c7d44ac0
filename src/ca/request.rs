//! From a blueprint to a signing request: what somebody else's authority is asked for.

use crate::blueprint::Blueprint;
use crate::ca::{CaError, Purpose, Signer};
use crate::encoding::certificate::{SignatureAlgorithm, signed};
use crate::encoding::extension::name_constraints;
use crate::encoding::request as der;
use crate::x509::Request;
use crate::x509::compare::role;

/// A request that was read again, asks for what its blueprint says, and verifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRequest {
    pub request: Request,
    pub pem: String,
}

/// A request signed by the key it is about.
pub fn request(blueprint: &Blueprint, key: &dyn Signer) -> Result<SignedRequest, CaError> {
    let spki = key.spki_der();
    let algorithm = SignatureAlgorithm::of(key.algorithm());
    let to_be_signed = der::to_be_signed(blueprint, &spki)?;
    let signed = signed(&to_be_signed, algorithm, &key.sign(&to_be_signed, Purpose::Request)?);
    let request = Request::parse(&signed).map_err(CaError::RereadRequest)?;
    if !asks_for(&request, blueprint) || request.spki_der != spki {
        return Err(CaError::DiffersRequest);
    }
    match request.signature_valid {
        Some(true) => Ok(SignedRequest { pem: der::to_pem(&signed), request }),
        _ => Err(CaError::VerifyRequest),
    }
}

/// Whether a request says exactly what a blueprint says; the key is not looked at.
pub fn asks_for(request: &Request, blueprint: &Blueprint) -> bool {
    request.subject == blueprint.subject
        && role(request.is_ca, request.path_len) == Some(blueprint.role)
        && request.key_usage.unwrap_or_default() == blueprint.key_usage
        && request.extended_key_usages == blueprint.extended_key_usages
        && request.sans == blueprint.sans
        && request.name_constraints == name_constraints(&blueprint.permitted)
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
