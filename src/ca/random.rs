//! The one source of random octets: serial numbers, salts, keys of ciphers.

use crate::ca::CaError;

/// From the system's generator.
pub fn random<const N: usize>() -> Result<[u8; N], CaError> {
    let mut octets = [0; N];
    aws_lc_rs::rand::fill(&mut octets).map_err(|_| CaError::Randomness)?;
    Ok(octets)
}
