//! What lies in dumps of a cluster's objects, kubeconfigs, directories and files, held against what a rotation replaces. Dumps in
//! JSON are read piece by piece: what is kept in memory is one text and the finds.

mod files;
mod json;
mod objects;
mod seen;
mod walk;
mod yaml;

pub use files::{Input, scan};
