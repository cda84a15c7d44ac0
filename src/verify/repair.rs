//! Commands that repair, each as it is typed.

use super::cluster::{Cluster, File, Tree};
use super::findings::id;
use crate::files::shell_path;
use crate::tree::origin::ProfileAt;

/// A new key and certificate for the file's entry.
pub fn renew(cluster: &Cluster<'_>, tree: &Tree, file: &File) -> String {
    cluster.origin.command("renew", &[id(tree, file).to_string()], &[])
}

/// Takes an entry off its authority's list again.
pub fn release(cluster: &Cluster<'_>, tree: &Tree, file: &File) -> String {
    cluster.origin.command("release", &[id(tree, file).to_string()], &[])
}

/// What is missing is made. Without a profile kpki does not know what a tree should be.
pub fn init(cluster: &Cluster<'_>, options: &[&str]) -> Option<String> {
    const NAMES: [&str; 0] = [];
    match cluster.origin.profile {
        ProfileAt::File(_) | ProfileAt::Recorded => Some(cluster.origin.command("init", &NAMES, options)),
        ProfileAt::Unknown | ProfileAt::NoTree => None,
    }
}

/// The next CRL of an authority.
pub fn next_crl(cluster: &Cluster<'_>, authority: &str) -> String {
    cluster.origin.command("crl update", &[authority], &[])
}

/// Whether a command is about entries of the catalogue, which a tree of another tool does not have.
pub fn is_of_catalogue(command: &str) -> bool {
    ["kpki renew ", "kpki init ", "kpki release ", "kpki crl "].iter().any(|verb| command.starts_with(verb))
}

pub fn inspect(path: &str) -> String {
    format!("kpki inspect {}", shell_path(path))
}

pub fn chmod(mode: u32, path: &str) -> String {
    format!("chmod {mode:04o} {}", shell_path(path))
}

pub fn remove(path: &str) -> String {
    format!("rm {}", shell_path(path))
}

pub fn chown(uid: u32, path: &str) -> String {
    format!("chown {uid} {}", shell_path(path))
}

/// Reads and completes what an interrupted run left.
pub fn complete(root: &str) -> String {
    format!("kpki check-expiration {}", shell_path(root))
}
