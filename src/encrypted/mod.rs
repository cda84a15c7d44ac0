//! What a password locks: encrypted PKCS#8 (RFC 5958), PKCS#12 (RFC 7292), and the files kubeadm uploads for a joining
//! control-plane node. aws-lc-rs does the work; the two ciphers it has dropped, which old files still carry, come from des and
//! rc2. Salts and initialisation vectors are arguments: this room draws nothing.
//!
//! A file says itself how often a password is to be hashed, so every reader here has a bound it does not pass.

mod cipher;
mod derive;
mod error;
pub mod kubeadm;
mod params;
pub mod pkcs12;
pub mod pkcs8;
mod scheme;

pub use error::EncryptionError;

/// A file may ask for this many iterations altogether: some seconds of one core.
pub const MOST_ITERATIONS: u64 = 10_000_000;

/// What is left of [`MOST_ITERATIONS`].
#[derive(Debug)]
struct Budget(u64);

impl Budget {
    const fn full() -> Self {
        Self(MOST_ITERATIONS)
    }

    /// Before the work, never after it.
    fn spend(&mut self, iterations: u64) -> Result<(), EncryptionError> {
        match self.0.checked_sub(iterations) {
            Some(left) => {
                self.0 = left;
                Ok(())
            }
            None => Err(EncryptionError::TooMuchWork {
                asked: (MOST_ITERATIONS - self.0).saturating_add(iterations),
                most: MOST_ITERATIONS,
            }),
        }
    }
}

/// What is tried for a password: without one, and for an empty one, both the empty and the absent password, which PKCS#12
/// tells apart (RFC 7292 appendix B.1: two zero octets, or none at all).
fn tries(password: Option<&str>) -> Vec<Option<&str>> {
    match password {
        None | Some("") => vec![Some(""), None],
        given => vec![given],
    }
}
