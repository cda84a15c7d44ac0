//! Commands that repair, each as it is typed.

use super::cluster::{Cluster, File, Part, Tree};
use super::findings::id;
use crate::catalog::CaId;
use crate::files::shell_path;
use crate::profile::{CaKeys, KeyFrom, KeyOptions, PassphraseFrom, Signing};
use crate::tree::origin::ProfileAt;

/// A new key and certificate for the file's entry, like the one that is there. Nothing where its authority's key is not here and no
/// issuer is asked: a request for somebody else repairs nothing yet.
pub fn renew(cluster: &Cluster<'_>, tree: &Tree, file: &File) -> Vec<String> {
    renew_with(cluster, tree, file, &[])
}

/// The same for certificates that are no authority's.
pub fn renew_leaf(is_authority: bool, cluster: &Cluster<'_>, tree: &Tree, file: &File) -> Vec<String> {
    if is_authority { Vec::new() } else { renew(cluster, tree, file) }
}

fn renew_with(cluster: &Cluster<'_>, tree: &Tree, file: &File, options: &[&str]) -> Vec<String> {
    let has_issuer = |authority| cluster.profile.is_some_and(|profile| profile.issuer(authority).is_some());
    let is_signed = file.authority.is_some_and(|authority| is_here(cluster, tree, authority) || has_issuer(authority));
    let command = || cluster.origin.command("renew", &[id(tree, file).to_string()], options);
    if is_signed { vec![command()] } else { Vec::new() }
}

/// The key of an authority can be used: a plain one, one that is encrypted where only kpki reads it, or the profile's.
fn is_here(cluster: &Cluster<'_>, tree: &Tree, authority: CaId) -> bool {
    let shared = cluster.trees.iter().find(|tree| tree.is_shared);
    let signing = cluster.profile.and_then(|profile| profile.authorities.get(&authority)?.signing.as_ref());
    match signing {
        Some(Signing::Key(KeyOptions { from: KeyFrom::Tree, .. })) | None => {}
        Some(Signing::Key(_) | Signing::Signer(_)) => return true,
        Some(Signing::Issuer(_)) => return false,
    }
    let may_be_encrypted = shared.is_some() && cluster.profile.is_none_or(|profile| profile.ca_keys == CaKeys::Nowhere);
    let key = shared.unwrap_or(tree).file(authority.name(), Part::Key).and_then(File::key);
    key.is_some_and(|key| !key.is_encrypted || may_be_encrypted)
}

/// Without a profile kpki does not know what a certificate should be, and a new one would be like the old one.
fn has_profile(cluster: &Cluster<'_>) -> bool {
    matches!(cluster.origin.profile, ProfileAt::File(_) | ProfileAt::Recorded)
}

/// By the profile, which has names that the certificate lacks.
pub fn renew_by_profile(cluster: &Cluster<'_>, tree: &Tree, file: &File) -> Vec<String> {
    if has_profile(cluster) { renew(cluster, tree, file) } else { Vec::new() }
}

/// By the profile, which lacks names that the certificate has.
pub fn prune(cluster: &Cluster<'_>, tree: &Tree, file: &File) -> Vec<String> {
    if has_profile(cluster) { renew_with(cluster, tree, file, &["--prune-sans"]) } else { Vec::new() }
}

/// By the profile alone: nothing of the old one is kept but its file, under another name.
pub fn replace(cluster: &Cluster<'_>, tree: &Tree, file: &File) -> Vec<String> {
    let renew = renew_by_profile(cluster, tree, file);
    if renew.is_empty() { renew } else { [vec![aside(&file.path)], renew].concat() }
}

/// What is missing is made.
pub fn make(cluster: &Cluster<'_>, tree: &Tree, file: &File) -> Vec<String> {
    match file.part {
        Part::Certificate | Part::Kubeconfig => renew_by_profile(cluster, tree, file),
        // A node's copy of what the cluster directory has.
        Part::Authority if tree.in_cluster && has_profile(cluster) => vec![init(cluster)],
        _ => Vec::new(),
    }
}

/// In the place of one that cannot be read.
pub fn restore(cluster: &Cluster<'_>, tree: &Tree, file: &File) -> Vec<String> {
    match (file.part, file.authority) {
        (Part::Certificate | Part::Kubeconfig, _) => replace(cluster, tree, file),
        (Part::Crl | Part::CrlDer, Some(authority)) => new_crl(cluster, tree, authority, &file.path),
        (Part::SignerFile, _) => make_anew(cluster, file),
        _ => Vec::new(),
    }
}

/// A file that kpki makes of others is made again.
pub fn make_anew(cluster: &Cluster<'_>, file: &File) -> Vec<String> {
    if has_profile(cluster) { vec![aside(&file.path), init(cluster)] } else { Vec::new() }
}

fn init(cluster: &Cluster<'_>) -> String {
    const NAMES: [&str; 0] = [];
    cluster.origin.command("init", &NAMES, &[])
}

fn aside(path: &str) -> String {
    format!("mv {} {}", shell_path(path), shell_path(format!("{path}.wrong")))
}

/// Takes an entry off its authority's list again.
pub fn release(cluster: &Cluster<'_>, tree: &Tree, file: &File) -> Vec<String> {
    vec![cluster.origin.command("release", &[id(tree, file).to_string()], &[])]
}

/// The next CRL of an authority.
pub fn next_crl(cluster: &Cluster<'_>, tree: &Tree, authority: CaId) -> Vec<String> {
    let command = || cluster.origin.command("crl update", &[authority.name()], &[]);
    if is_here(cluster, tree, authority) { vec![command()] } else { Vec::new() }
}

/// The same for one that is no successor of what is there.
pub fn new_crl(cluster: &Cluster<'_>, tree: &Tree, authority: CaId, path: &str) -> Vec<String> {
    let next = next_crl(cluster, tree, authority);
    if next.is_empty() { next } else { [vec![aside(path)], next].concat() }
}

/// Whether a command is about entries of the catalogue, which a tree of another tool does not have.
pub fn is_of_catalogue(command: &str) -> bool {
    ["kpki renew ", "kpki init ", "kpki release ", "kpki crl ", "kpki key "]
        .iter()
        .any(|verb| command.starts_with(verb))
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

/// Has the key of an authority encrypted, where the recorded profile says caKeys: none.
pub fn protect(cluster: &Cluster<'_>, authority: CaId) -> Vec<String> {
    let signing = cluster.profile.and_then(|profile| profile.authorities.get(&authority)?.signing.as_ref());
    let passphrase = match signing {
        Some(Signing::Key(KeyOptions { passphrase: Some(PassphraseFrom::File(path)), .. })) => {
            ["--key-passphrase-file", path]
        }
        Some(Signing::Key(KeyOptions { passphrase: Some(PassphraseFrom::Variable(name)), .. })) => {
            ["--key-passphrase-env", name]
        }
        _ => ["--key-passphrase-file", "FILE"],
    };
    let tree = cluster.origin.recorded();
    let protect = tree.command("key protect", &[authority.name()], &passphrase);
    match cluster.origin.profile {
        ProfileAt::Recorded => vec![protect],
        _ => vec![init(cluster), protect],
    }
}

pub fn chown(uid: u32, path: &str) -> String {
    format!("chown {uid} {}", shell_path(path))
}

/// Reads and completes what an interrupted run left.
pub fn complete(root: &str) -> String {
    format!("kpki check-expiration {}", shell_path(root))
}
