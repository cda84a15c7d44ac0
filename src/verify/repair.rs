//! Commands that repair, each as it is typed.

use super::cluster::{Cluster, File, Tree};
use super::findings::id;
use crate::audit::Origin;
use crate::files::shell_word;
use crate::tree::EntryId;

fn dir(cluster: &Cluster<'_>) -> String {
    shell_word(&cluster.root)
}

fn profile(cluster: &Cluster<'_>) -> String {
    match &cluster.origin {
        Origin::Profile { file, .. } => format!("--profile {} ", shell_word(file)),
        Origin::Recorded { .. } | Origin::Unknown { .. } | Origin::Found => String::new(),
    }
}

/// A new key and certificate for the file's entry.
pub fn renew(cluster: &Cluster<'_>, tree: &Tree, file: &File) -> String {
    renew_entry(cluster, &id(tree, file))
}

pub fn renew_entry(cluster: &Cluster<'_>, id: &EntryId) -> String {
    format!("kpki renew {} {}--dir {}", shell_word(&id.to_string()), profile(cluster), dir(cluster))
}

/// Takes an entry off its authority's list again.
pub fn release(cluster: &Cluster<'_>, tree: &Tree, file: &File) -> String {
    let name = shell_word(&id(tree, file).to_string());
    format!("kpki release {name} {}--dir {}", profile(cluster), dir(cluster))
}

/// What is missing is made. Without a profile kpki does not know what a tree should be.
pub fn init(cluster: &Cluster<'_>) -> Option<String> {
    match cluster.origin {
        Origin::Profile { .. } | Origin::Recorded { .. } => {
            Some(format!("kpki init {}--dir {}", profile(cluster), dir(cluster)))
        }
        Origin::Unknown { .. } | Origin::Found => None,
    }
}

/// The next CRL of an authority.
pub fn next_crl(cluster: &Cluster<'_>, authority: &str) -> String {
    format!("kpki crl update {authority} {}--dir {}", profile(cluster), dir(cluster))
}

pub fn inspect(path: &str) -> String {
    format!("kpki inspect {}", shell_word(path))
}

pub fn chmod(mode: u32, path: &str) -> String {
    format!("chmod {mode:04o} {}", shell_word(path))
}

pub fn remove(path: &str) -> String {
    format!("rm {}", shell_word(path))
}

pub fn chown(uid: u32, path: &str) -> String {
    format!("chown {uid} {}", shell_word(path))
}

/// Reads and completes what an interrupted run left.
pub fn complete(root: &str) -> String {
    format!("kpki check-expiration {}", shell_word(root))
}
