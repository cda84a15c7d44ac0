//! What was found, and what was not looked at.

use super::edges::edge::Edge;
use super::rule::{Rule, Severity};
use super::served::Live;
use crate::tree::EntryId;

/// Where a finding is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Place {
    /// The file, as a person would type it; of an edge without one, the name of its server.
    pub path: String,
    /// The entry it belongs to.
    pub entry: Option<EntryId>,
    /// Which certificate of the file, from 0; `None`: the file itself.
    pub position: Option<usize>,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub rule: &'static Rule,
    pub place: Place,
    /// What was expected and what was found, in one sentence without a full stop.
    pub found: String,
    /// Commands that repair it, in their order, each as it is typed. Empty: the rule's words are all there is.
    pub repair: Vec<String>,
    /// What only follows from it.
    pub follows: Vec<Self>,
    /// Why it does not count.
    pub ignored: Option<Ignored>,
}

/// Who said that a finding does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignored {
    /// `None`: the command line, which gives no reason.
    pub reason: Option<String>,
}

/// What could not be judged: silence is not success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotLookedAt {
    pub path: String,
    /// Such as "expected a key without a password, found an encrypted one".
    pub why: String,
}

/// Everything that is to be said of one cluster, or of one node's tree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verification {
    /// The directory that was looked at.
    pub root: String,
    pub cluster: Option<String>,
    /// The tool whose layout the directory has, if it is neither kubeadm's nor kpki's.
    pub layout: Option<&'static str>,
    /// The worst first, then by path.
    pub findings: Vec<Finding>,
    pub not_looked_at: Vec<NotLookedAt>,
    /// Every connection that was tried, in the table's order; empty: none was.
    pub edges: Vec<Edge>,
    /// How many files were looked at, and how many certificates, keys and CRLs are in them.
    pub files: usize,
    pub certificates: usize,
    pub keys: usize,
    pub crls: usize,
    /// What its components serve; `None`: they were not asked.
    pub served: Option<Live>,
}

impl Verification {
    /// The worst that counts; `None`: nothing does.
    pub fn severity(&self) -> Option<Severity> {
        let counts = |finding: &&Finding| finding.ignored.is_none();
        self.findings.iter().filter(counts).map(|finding| finding.rule.severity).max()
    }
}
