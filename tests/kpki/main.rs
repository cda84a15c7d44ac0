//! The hermetic integration tests: the program as its user runs it, with stdout, stderr, exit status and the tree on disk
//! compared. Nothing here needs a network or a foreign program.

#![allow(clippy::disallowed_methods)]

mod docs;
mod existing;
mod facts;
mod handshake;
mod harness;
mod init;
mod kubeadm;
mod profiles;
mod refusals;
