//! A cluster's profile, parsed into something that cannot be wrong. `fields.rs` turns YAML nodes into checked values,
//! `cluster.rs` reads kpki's own kind, `kubeadm.rs` reads kubeadm's documents; the result is a [`Profile`].

mod certificates;
mod checks;
mod cluster;
mod config_map;
mod configuration;
mod defaults;
mod differences;
mod extra;
mod fields;
mod for_node;
mod hooks;
mod issuer_fields;
mod kubeadm;
mod load;
mod model;
mod near;
mod nodes;
mod options;
mod overrides;
mod problem;
mod program_fields;
mod reference;
mod render;
mod renewal;
mod signing;
mod signing_fields;
mod starter;
#[cfg(test)]
mod tests;
mod threshold;
mod values;
mod verify;
mod without;

pub use certificates::{CertificatesDir, GATHERED};
pub use defaults::{CRL_VALIDITY, EXPIRATION, RENEWAL, WAITS};
pub use differences::{Difference, differences};
#[cfg(test)]
pub use for_node::for_node;
pub use for_node::node_document;
pub use hooks::{Command, DeployHook, OnHookFailure};
pub use load::{Loaded, Source, load};
pub use model::{
    AuthorityOptions, CaKeys, Endpoint, Etcd, Expiration, ExtraAuthority, ExtraCertificate, IgnoredRule, Node,
    NodeRole, Origin, Profile, Renewal, Roots, Stated, SubjectAttributes, Subnet,
};
pub use near::{nearest, one_slip_from};
pub use overrides::Overrides;
pub use problem::Problems;
pub use reference::{FieldDoc, field_reference};
pub use render::{render, render_as_stated};
pub use signing::{
    IssuerOptions, KeyFrom, KeyOptions, PassphraseFrom, PublicKeyFrom, SignerInput, SignerOptions, Signing,
};
pub use starter::starter;
#[cfg(test)]
pub use threshold::ThresholdError;
pub use threshold::{MaxAge, Threshold};
pub use values::{country, endpoint, is_subdomain as is_node_name, name_text, permitted_name, san};
