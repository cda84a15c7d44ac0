//! From a blueprint to a signing request: what somebody else's authority is asked for.

use crate::blueprint::{Blueprint, Role};
use crate::ca::{CaError, PrivateKey};
use crate::encoding::certificate::SignatureAlgorithm;
use crate::encoding::extension::name_constraints;
use crate::encoding::request as der;
use crate::x509::Request;

/// A request that was read again, asks for what its blueprint says, and verifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRequest {
    pub request: Request,
    pub pem: String,
}

/// A request signed by the key it is about.
pub fn request(blueprint: &Blueprint, key: &PrivateKey) -> Result<SignedRequest, CaError> {
    let spki = key.spki_der();
    let algorithm = SignatureAlgorithm::of(key.algorithm());
    let to_be_signed = der::to_be_signed(blueprint, &spki).map_err(CaError::Encode)?;
    let signed = der::signed(&to_be_signed, algorithm, &key.sign(&to_be_signed)?);
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
    let role = match (request.is_ca, request.path_len) {
        (false, None) => Some(Role::EndEntity),
        (true, None) => Some(Role::Authority { path_len: None }),
        (true, Some(length)) => u8::try_from(length).ok().map(|length| Role::Authority { path_len: Some(length) }),
        (false, Some(_)) => None,
    };
    request.subject == blueprint.subject
        && role == Some(blueprint.role)
        && request.key_usage.unwrap_or_default() == blueprint.key_usage
        && request.extended_key_usages == blueprint.extended_key_usages
        && request.sans == blueprint.sans
        && request.name_constraints == name_constraints(&blueprint.permitted)
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
