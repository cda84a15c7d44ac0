//! Outcomes as plain data, and one file per form they can be shown in. Verbs fill these; nothing here decides or prints.

pub mod adopt;
pub mod backup;
mod certificate;
mod check;
mod columns;
pub mod convert;
pub mod crl;
pub mod crl_readers;
pub mod export;
pub mod facts;
pub mod fold;
pub mod form;
pub mod history;
pub mod hook;
mod init;
pub mod inspect;
pub mod issued;
mod json;
pub mod key;
mod labels;
pub mod nodes;
pub mod plan;
pub mod remove_node;
pub mod renew;
pub mod requests;
pub mod restart;
pub mod revoke;
pub mod rotate;
pub mod ship;
pub mod table;
#[cfg(test)]
mod tests;
pub mod unpack;
pub mod verify;
mod version;
mod xml;
mod yaml;

pub use certificate::Facts;
pub use check::{Check, CheckForm, Interruption, Line, Selection, Sort, Tone};
pub use form::{Form, Report, Width, write};
pub use init::{Init, Item, Outcome};
pub use table::{counted, is_harmless, sanitised};
pub use version::Version;
