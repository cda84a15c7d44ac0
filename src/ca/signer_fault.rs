//! The error of a signer that is no part of this room.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// Why a key outside this room did not sign. Two are equal if they say the same.
#[derive(Debug, Clone)]
pub struct SignerFault {
    why: Arc<dyn Error + Send + Sync>,
    hint: Option<&'static str>,
}

impl SignerFault {
    pub fn new(why: impl Error + Send + Sync + 'static, hint: Option<&'static str>) -> Self {
        Self { why: Arc::new(why), hint }
    }

    /// The next thing to do about it.
    pub const fn hint(&self) -> Option<&'static str> {
        self.hint
    }
}

impl fmt::Display for SignerFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.why.fmt(f)
    }
}

impl Error for SignerFault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.why.source()
    }
}

impl PartialEq for SignerFault {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl Eq for SignerFault {}
