//! Which passwords are tried.

use super::EncryptionError;

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
