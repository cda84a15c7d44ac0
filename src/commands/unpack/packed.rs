//! Whether the archive has what export writes, and nothing that a program on the node would run or obey besides.

use super::contents::{Contents, Part, What};
use crate::catalog::{self, Files};
use crate::encoding::{pem, shown::named};
use crate::kubeconfig::{self, Credentials};
use crate::workspace::shipping::digest::Sha256;
use crate::workspace::shipping::manifest::{Issue, Manifest};
use crate::workspace::shipping::nonce;
use crate::workspace::state::{Choices, State};

/// Everything that export would not have written.
pub fn flaws(contents: &Contents) -> Vec<String> {
    let mut whys: Vec<String> = contents.parts.iter().filter_map(|part| part_flaw(part, &contents.manifest)).collect();
    whys.extend(nonce_flaw(contents));
    whys
}

fn part_flaw(part: &Part, manifest: &Manifest) -> Option<String> {
    let is_kubeconfig = || catalog::find(&part.entry).is_some_and(|one| matches!(one.files, Files::Kubeconfig(_)));
    let why = match part.what {
        What::Key => several_keys(&part.bytes),
        What::Public if is_kubeconfig() => kubeconfig_flaw(&part.bytes),
        What::State => state_flaw(&part.bytes, &manifest.node),
        _ => None,
    };
    why.map(|why| format!("{}: {why}", named(&part.path)))
}

fn several_keys(bytes: &[u8]) -> Option<String> {
    let found = pem::private_keys(bytes);
    (found > 1).then(|| format!("expected one private key, found {found}"))
}

fn kubeconfig_flaw(bytes: &[u8]) -> Option<String> {
    if let Some(field) = kubeconfig::foreign_field(bytes).ok()? {
        return Some(format!("expected certificates and keys only, found {}", named(&field)));
    }
    match kubeconfig::read(bytes).ok()?.credentials {
        Credentials::Embedded { key, .. } => several_keys(&key),
        Credentials::Files { .. } => None,
    }
}

/// The node alone: everything else there is the node's own word.
fn state_flaw(bytes: &[u8], node: &str) -> Option<String> {
    let choices = Choices { node: Some(node.to_owned()), ..Choices::default() };
    let wanted = State { profile: Vec::new(), choices }.document().ok()?;
    (wanted.as_bytes() != bytes).then(|| format!("expected the node {} and nothing else", named(node)))
}

/// The manifest says which archive it is of: with another profile, list or address it is another.
fn nonce_flaw(contents: &Contents) -> Option<String> {
    let issue = contents.manifest.issue.clone()?;
    let part = contents.part(What::Manifest)?;
    let without =
        Manifest { issue: Some(Issue { nonce: Sha256([0; 32]), ..issue.clone() }), ..contents.manifest.clone() };
    let files = contents.parts.iter().filter(|part| part.what != What::Manifest);
    let files = files.map(|part| (part.path.as_str(), part.bytes.as_slice()));
    let is_own = nonce::of(without.render().ok()?.as_bytes(), files) == issue.nonce;
    let is_whole = contents.manifest.render().ok()?.as_bytes() == part.bytes.as_slice();
    let is_changed = !is_own || !is_whole;
    is_changed.then(|| format!("{}: its nonce is another archive's: what it brings was changed", named(&part.path)))
}
