//! Where rules put what they find.

use super::cluster::{Cluster, File, Tree};
use super::finding::{Finding, NotLookedAt, Place};
use super::rule::Rule;
use crate::tree::EntryId;

#[derive(Debug)]
pub struct Findings<'c> {
    pub cluster: &'c Cluster<'c>,
    pub all: Vec<Finding>,
    pub not_looked_at: Vec<NotLookedAt>,
}

impl<'c> Findings<'c> {
    pub fn new(cluster: &'c Cluster<'c>) -> Self {
        Self { cluster, all: Vec::new(), not_looked_at: Vec::new() }
    }

    /// About a file, or one certificate of it.
    pub fn add(
        &mut self,
        rule: &'static Rule,
        (tree, file): (&Tree, &File),
        position: Option<usize>,
        found: impl Into<String>,
        repair: impl IntoIterator<Item = String>,
    ) {
        self.all.push(Finding {
            rule,
            place: Place { path: file.path.clone(), entry: Some(id(tree, file)), position },
            found: found.into(),
            repair: repair.into_iter().collect(),
            follows: Vec::new(),
            ignored: None,
        });
    }

    pub fn skip(&mut self, file: &File, why: impl Into<String>) {
        self.not_looked_at.push(NotLookedAt { path: file.path.clone(), why: why.into() });
    }
}

/// `NODE/NAME` in a cluster directory.
pub fn id(tree: &Tree, file: &File) -> EntryId {
    EntryId::new(tree.in_cluster.then_some(tree.node.as_deref()).flatten(), &file.entry)
}
