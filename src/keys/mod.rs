//! The keys of authorities that are no plain files of the tree: in a file elsewhere, encrypted, written by a command, or kept where
//! a command signs with them or issues in their place. Nothing is opened, asked for or run before something is signed.

mod alone;
mod args;
mod command;
mod fault;
mod fresh;
mod issuer;
mod keyring;
mod material;
mod next;
mod opened;
mod owners;
mod passphrase;
mod pipes;
mod seal;
mod source;

pub use alone::AloneKey;
pub use args::{GivenKey, KeyArgs};
pub use command::SIGNER_VARIABLES;
pub use fault::{KeyFault, Why};
pub use fresh::{Birthplace, Fresh};
pub use issuer::{Order, Silence, Unissued};
pub use keyring::KeyRing;
pub use material::{LARGEST as LARGEST_KEY, is_encrypted, open};
pub use owners::Owner;
pub use passphrase::stated;
pub use pipes::PIPE_WAIT;
pub use seal::seal;
