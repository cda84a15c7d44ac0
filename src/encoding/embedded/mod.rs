//! What is inside a text that may be anything: certificates, public keys and tokens, however they are wrapped - PEM with any line
//! ends, base64 in base64, a kubeconfig in a Secret, an object in an annotation. Of a token nothing is kept but the key it names
//! and its end; of private keys nothing at all.

mod framed;
mod group;
mod look;
mod runs;
mod token;

pub use group::{Group, Piece};
pub use look::groups;
pub use token::Token;
