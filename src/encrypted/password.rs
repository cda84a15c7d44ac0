//! A password, and which ones are tried.

use std::fmt;

use zeroize::Zeroizing;

use super::EncryptionError;

/// Never shown, wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Zeroizing<String>);

impl Password {
    pub const fn new(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(redacted)")
    }
}

/// What `open` gives with the password; without one, and for an empty one, both the empty and the absent password are tried,
/// which PKCS#12 tells apart (RFC 7292 appendix B.1: two zero octets, or none at all).
pub fn first_that_fits<T>(
    password: Option<&str>,
    mut open: impl FnMut(Option<&str>) -> Result<T, EncryptionError>,
) -> Result<T, EncryptionError> {
    match password {
        None | Some("") => match open(Some("")) {
            Err(EncryptionError::WrongPassword) => open(None),
            other => other,
        },
        given => open(given),
    }
}
