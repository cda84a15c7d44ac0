//! `kpki crl`: the lists themselves. Told, checked against, and signed anew before they go stale.

pub mod check;
pub mod show;
pub mod update;
