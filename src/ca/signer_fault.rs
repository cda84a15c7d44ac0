//! The error of a signer that is no part of this room.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// Why a key outside this room did not sign. Two are equal if they say the same.
#[derive(Debug, Clone)]
pub struct SignerFault(Arc<dyn Error + Send + Sync>);

impl SignerFault {
    pub fn new(why: impl Error + Send + Sync + 'static) -> Self {
        Self(Arc::new(why))
    }
}

impl fmt::Display for SignerFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for SignerFault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

impl PartialEq for SignerFault {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl Eq for SignerFault {}
