//! kpki: the PKI and certificate lifecycle tool for Kubernetes. The modules and their dependencies are described in
//! ARCHITECTURE.md and checked by `tests/architecture/`.

pub mod audit;
pub mod blueprint;
pub mod ca;
pub mod catalog;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod encoding;
pub mod encrypted;
pub mod error;
pub mod files;
pub mod hooks;
pub mod inventory;
pub mod kubeconfig;
pub mod parallel;
pub mod plan;
pub mod profile;
pub mod report;
pub mod revocation;
pub mod run;
pub mod store;
pub mod tree;
pub mod workspace;
pub mod x509;
