//! The hermetic integration tests: the program as its user runs it, with stdout, stderr, exit status and the tree on disk
//! compared. Nothing here needs a network or a foreign program.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used
)]

mod adopt;
mod advice;
mod archive;
mod backend;
mod backup;
mod cases;
mod cert_manager;
mod certificates_dir;
mod certs;
mod chains;
mod change;
mod check;
mod clock;
mod constraints;
mod convert;
mod convert_manifests;
mod convert_objects;
mod csr;
mod docs;
mod documents;
mod dsa;
mod every;
mod existing;
mod expect;
mod export;
mod external;
mod facts;
mod flags;
mod forms;
mod handshake;
mod harness;
mod hooks;
mod hostile_programs;
mod how_to;
mod how_tos;
mod html;
mod init;
mod init_keys;
mod inspect;
mod interrupted_import;
mod issued;
mod issuer;
mod key_in_certificate;
mod key_mismatch;
mod key_refusals;
mod key_sources;
mod key_verb;
mod keys_elsewhere;
mod kubeadm;
mod kubeconfig;
mod live;
mod mangled;
mod manifests;
mod metrics;
mod nodes;
mod nodes_lost;
mod one_reader;
mod outputs;
mod pkits;
mod plan;
mod policy;
mod profiles;
mod published;
mod question;
mod receipt;
mod refusals;
mod renew;
mod renew_ca;
mod revoke;
mod rotate_back;
mod rotate_back_gates;
mod rotate_confirm;
mod rotate_emergency;
mod rotate_external;
mod rotate_forget;
mod rotate_gate;
mod rotate_issuer;
mod rotate_kubeadm;
mod rotate_lists;
mod rotate_matrix;
mod rotate_prepare;
mod rotate_property;
mod rotate_record;
mod rotate_scan;
mod rotate_sources;
mod rotate_status;
mod rotate_switch;
mod rotate_verbs;
mod rotating;
mod schema;
mod screens;
mod secrets;
mod servers;
mod sign_manifest;
mod signals;
mod signer_file;
mod spelled;
mod static_pods;
mod suggest;
mod trust;
mod unpack;
mod unpack_kubelet;
mod unpack_rules;
mod utf16;
mod vectors;
mod verbs;
mod verify;
mod verify_edges;
mod verify_forms;
mod verify_live;
mod verify_outputs;
mod verify_trees;
mod words;
mod wrong_issuer;
