//! `kpki inspect`: whatever lies in a file, told in full. Of a private key: its kind and the identifier of its public half,
//! never a number of its own.

mod describe;
mod documents;
mod findings;
mod run;

pub use run::file;
