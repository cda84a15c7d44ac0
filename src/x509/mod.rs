//! The read side: bytes in, owned facts out, and what other people's code says about a signature or a chain. Parsing by
//! x509-parser, signatures by ring, chains by rustls-webpki: none of them is what `ca` signs with.

pub mod bundle;
pub mod certificate;
pub mod chain;
pub mod compare;
pub mod crl;
pub mod crl_entry;
pub mod crl_lookup;
pub mod crl_problem;
mod crl_scope;
mod crl_walk;
pub mod csr;
mod distribution;
pub mod dsa;
mod extension;
mod key;
pub mod name_constraints;
mod names;
pub mod ordered;
mod parse_error;
pub mod path;
mod path_error;
pub mod policies;
pub mod revocation;
mod text;
mod time;
pub mod verify;

pub use crate::encoding::public_key::{KeyKind, OtherKey};
pub use crate::encoding::sniff::{Der, sniff};
pub use bundle::{BundleError, crls_beside, parse_authority, parse_bundle, parse_pem_bundle, parse_roots};
pub use certificate::Certificate;
pub use chain::{ChainError, Usage, valid_for_name, verify_for};
pub use compare::{Mismatch, compare};
pub use crl::{Crl, CrlError, Scope};
pub use crl_lookup::{CrlLookup, Wanted, all_revoked};
pub use crl_problem::Problem;
pub use crl_walk::Walker;
pub use csr::{Request, RequestError};
pub use key::{key_identifier, key_kind, sha256, weak_exponent};
pub use names::{same_name, same_name_der};
pub use ordered::Ordered;
pub use parse_error::ParseError;
pub use path::PathError;
pub use text::decimal;
pub use verify::{VerifyError, is_signature_of, made_signature};
