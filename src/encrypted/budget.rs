//! A file states how often a password is to be hashed; this is the upper bound.

use super::EncryptionError;

/// A file may ask for this many iterations altogether: some seconds of one core.
pub const MOST_ITERATIONS: u64 = 10_000_000;

/// What is left of [`MOST_ITERATIONS`].
#[derive(Debug)]
pub struct Budget(u64);

impl Budget {
    pub const fn full() -> Self {
        Self(MOST_ITERATIONS)
    }

    /// Before the work, never after it. The iterations as the libraries take them: far fewer than 2^32 are left.
    pub fn spend(&mut self, iterations: u64) -> Result<u32, EncryptionError> {
        match (self.0.checked_sub(iterations), u32::try_from(iterations)) {
            (Some(left), Ok(count)) => {
                self.0 = left;
                Ok(count)
            }
            _ => Err(EncryptionError::TooMuchWork {
                asked: (MOST_ITERATIONS - self.0).saturating_add(iterations),
                most: MOST_ITERATIONS,
            }),
        }
    }
}
