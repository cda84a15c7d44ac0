//! `kpki inspect`: the contents of a file in full. Of a private key: its algorithm and the identifier of its public
//! key, never private data.

mod blocks;
mod containers;
mod describe;
mod documents;
mod findings;
mod keys;
mod objects;
mod run;

pub use run::file;
