//! kpki: the PKI and certificate lifecycle tool for Kubernetes. The rooms and who may enter which are described in
//! ARCHITECTURE.md and held by `tests/architecture.rs`.

pub mod blueprint;
pub mod ca;
pub mod catalog;
pub mod clock;
pub mod encoding;
pub mod error;
pub mod profile;
pub mod x509;
