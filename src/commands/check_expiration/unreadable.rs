//! A target in which nothing is found or that cannot be read never hides the others.

use crate::audit::{self, JudgedTree, Policy};
use crate::error::Error;
use crate::files::{self, FileError, Op};
use crate::inventory::{self, Item, Kind, Reading, Tree};
use crate::workspace::targets::Target;
use time::OffsetDateTime;

/// The error for a target without certificates.
pub fn nothing(target: &Target, absent: bool, notes: &[String]) -> Error {
    if absent {
        return FileError::new(Op::Open, &target.root, files::Kind::Missing).into();
    }
    let error = Error::new(format!("no certificate was found in {}", target.root.display()));
    if !notes.is_empty() {
        return notes.iter().fold(error, Error::because);
    }
    error.hint("check the path: it is a kubernetes directory, a cluster directory, a file, or a directory to search")
}

/// A target that cannot be read, as one item with the reason.
pub fn unreadable(target: &Target, policy: Policy, at: OffsetDateTime, error: &Error) -> JudgedTree {
    let root = target.root.display().to_string();
    let why = std::iter::once(&error.what).chain(&error.why).cloned().collect::<Vec<_>>().join(": ");
    let item = Item {
        name: root.clone(),
        path: root.clone(),
        kind: Kind::Certificate,
        position: 0,
        authority: None,
        optional: false,
        externally_managed: false,
        has_issuer: false,
        reading: Reading::Unreadable(inventory::Unreadable::Reported(why)),
    };
    let cluster = target.profile.as_ref().map(|profile| profile.cluster_name.clone());
    let tree = Tree { root, cluster, node: None, items: vec![item], notes: Vec::new() };
    audit::judge_tree(tree, policy, target.origin.clone(), at)
}
