//! Outcomes as plain data, and one file per form they can be shown in. Verbs fill these; nothing here decides or prints.

pub mod adopt;
mod certificate;
mod check;
pub mod convert;
pub mod crl;
pub mod crl_readers;
pub mod export;
pub mod facts;
mod form;
pub mod history;
mod init;
pub mod inspect;
mod json;
pub mod renew;
pub mod requests;
pub mod restart;
pub mod revoke;
mod table;
#[cfg(test)]
mod tests;
pub mod verify;
mod yaml;

pub use certificate::Facts;
pub use check::{Check, CheckForm, Interruption, Line, Selection, Sort, Tone};
pub use form::{Form, Report, Width, write};
pub use init::{Init, Item, Outcome};
pub use table::{counted, is_harmless, sanitised};
