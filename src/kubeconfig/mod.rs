//! kubeconfig files: kubeadm's shape when written, and the credentials inside when read.

mod contents;
mod document;
mod edit;
mod error;
mod foreign;
mod plain;
mod read;
mod render;
mod server;
mod survey;

pub use contents::{Key, Source, Survey, User};
pub use document::{AUTHORITY, CERTIFICATE, pem};
pub use edit::{NewCredentials, editable, replace, replace_cluster};
pub use error::KubeconfigError;
pub use foreign::foreign_field;
pub use read::{Credentials, Pending, Read, may_name_files, pending, read};
pub use render::{ClientKey, Kubeconfig, render};
pub use server::{host, is_server};
pub use survey::{survey, survey_of};
