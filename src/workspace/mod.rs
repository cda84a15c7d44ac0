//! A tree on disk: its selection, its recorded state, its lock, its transaction. The I/O of every verb.

pub mod args;
pub mod authority_files;
pub mod backup;
pub mod crl_file;
pub mod crl_issue;
pub mod crls;
pub mod generations;
pub mod importing;
pub mod interrupted;
pub mod issued;
pub mod issuing;
pub mod journal;
pub mod key_copies;
pub mod key_journal;
pub mod key_outside;
pub mod key_places;
pub mod known_keys;
pub mod kubeadm_tree;
pub mod load;
pub mod notify;
pub mod out_file;
pub mod passwords;
pub mod pending;
pub mod profiles;
pub mod put;
pub mod record;
pub mod recorded;
pub mod referred;
pub mod reissue;
pub mod remembered;
pub mod requests;
pub mod roots;
pub mod rotation;
pub mod scan;
pub mod session;
pub mod shipping;
pub mod signer_file;
pub mod state;
pub mod survey;
pub mod targets;
mod transaction;
pub mod tree_dir;

/// Called on the caller's thread with how many of how many parts of a long work are done.
pub type Progress<'a> = &'a mut dyn FnMut(usize, usize);

pub use args::{RunArgs, TreeArgs};
pub use session::{Absent, Session};
pub use transaction::Transaction;
pub use tree_dir::{Locked, Snapshot, TreeDir};
