//! The one source of random octets: serial numbers, salts, keys of ciphers, names of temporary files.

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system gave no random bytes")]
pub struct NoRandomBytes;

/// From the system's generator.
pub fn random<const N: usize>() -> Result<[u8; N], NoRandomBytes> {
    let mut octets = [0; N];
    aws_lc_rs::rand::fill(&mut octets).map_err(|_| NoRandomBytes)?;
    Ok(octets)
}
