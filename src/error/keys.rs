//! Messages: why an authority's key that is no plain file of the tree does not sign, and what helps.

use super::failure::Error;
use crate::ca::SignerFault;
use crate::catalog::CaId;
use crate::tree::Authority;

/// What one run was to do, and cannot without this key.
pub fn closed(authority: CaId, why: &SignerFault) -> Error {
    let error = Error::new(format!("{} does not sign: nothing was written", authority.name())).because(why);
    why.hint().into_iter().fold(error, Error::hint)
}

/// Why what an authority would have to sign is left out.
pub fn left_by(authority: CaId, state: Option<&Authority>) -> String {
    match state {
        Some(Authority::Closed(_, why)) => why.to_string(),
        _ => format!("the key of its authority {} is not in this tree", authority.name()),
    }
}
