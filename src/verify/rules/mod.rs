//! The rules, an area a file: constants as data, and the pure function that finds what breaks them.

pub mod accounts;
pub mod algorithms;
pub mod chains;
pub mod components;
pub mod crls;
pub mod dates;
pub mod edges;
pub mod files;
pub mod identifiers;
pub mod journal;
pub mod kubeconfigs;
pub mod names;
pub mod pairs;
pub mod rotation;
pub mod served;
pub mod state;
pub mod usages;
