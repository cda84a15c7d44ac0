//! Whether a PKI is right: the rules as data, what they are judged on as values, and what they find. Pure: who looks is
//! `workspace::subject`, who shakes hands `handshake`.

mod finding;
mod rule;
mod subject;

pub use finding::{Finding, Ignored, NotLookedAt, Place, Verification};
pub use rule::{RULES, Rule, Severity, rule};
pub use subject::{Cluster, Content, File, Key, Kubeconfig, Metadata, Part, Secret, Tree};
