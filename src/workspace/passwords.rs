//! Where passwords come from: never the command line.

use zeroize::Zeroizing;

use crate::encrypted::EncryptionError;
use crate::error::Error;

/// The use of a password.
#[derive(Debug, Clone, Copy)]
pub enum Asking<'a> {
    /// Of the file of this name, of which nothing is seen without it.
    Input(&'a str),
    /// Of a file that says something without it, too: nobody is asked on the terminal.
    Optional,
    /// Of what is written.
    Output,
}

/// The sources of passwords.
pub trait Passwords {
    /// `None`: none was given.
    fn ask(&mut self, asking: Asking<'_>) -> Result<Option<Zeroizing<String>>, Error>;
}

/// Nobody is asked.
#[derive(Debug, Clone, Copy)]
pub struct NoPasswords;

impl Passwords for NoPasswords {
    fn ask(&mut self, _: Asking<'_>) -> Result<Option<Zeroizing<String>>, Error> {
        Ok(None)
    }
}

/// Why something stays locked. `given`: there was a password.
pub fn locked(name: &str, why: &EncryptionError, given: bool) -> Error {
    match why {
        EncryptionError::WrongPassword if given => Error::new(format!("{name}: the password does not open it"))
            .hint("give the right one with --password-file or --password-env; if it is right, the file was changed"),
        EncryptionError::WrongPassword => Error::new(format!("{name} is encrypted, and no password is given"))
            .hint("give it with --password-file FILE or --password-env VARIABLE, or run on a terminal to be asked"),
        EncryptionError::TooMuchWork { .. } | EncryptionError::TooMuchMemory { .. } => {
            Error::new(format!("{name}: {why}"))
                .hint("check the origin of the file: no known program writes such parameters")
        }
        _ => Error::new(format!("{name}: {why}")),
    }
}
