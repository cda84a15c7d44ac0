//! Items and trees with what was found of them.

use time::OffsetDateTime;

use super::policy::Policy;
use super::state::State;
use crate::catalog::CaId;
use crate::inventory::Item;
use crate::tree::{EntryId, Origin};

/// One item judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    pub item: Item,
    pub state: State,
    /// Seconds until the end, negative once past; `None`: there is nothing to count to.
    pub residual: Option<i64>,
    pub expires: Option<OffsetDateTime>,
    /// None but [`Note::TooOld`] changes the state.
    pub notes: Vec<Note>,
}

/// What follows from other items of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// The certificate ends after its CA: it fails verification from the end of the CA on.
    OutlivesAuthority { until: OffsetDateTime },
    /// The CA ends before the certificates it would sign at their next renewal do: they will be cut short.
    CutsRenewalsShort { wanted: OffsetDateTime },
    /// The CA is another one of the tree as well: what that one's clients are trusted for, this one's are, too.
    SharedAuthority { with: CaId },
    /// The kubelet uses and rotates this one, and kubelet.conf has another.
    KubeletEmbedsAnother,
    /// It stands in its file before.
    Repeated,
    /// It is as old as renewal.maxAge allows, and due since then. With `is_alone` nothing else makes it a warning.
    TooOld { since: OffsetDateTime, is_alone: bool },
    /// Its serial number is negative or 0.
    Serial,
    /// The authority that signs while its successor is made known.
    Replaced,
    /// The authority that is to sign next.
    Successor,
    /// An authority that does not sign any more, and is trusted until everything of it is gone: its end does not count.
    Retiring,
    /// Signed by that one.
    SignedByRetiring,
}

/// One tree, judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedTree {
    /// The directory or file that was looked at.
    pub root: String,
    pub cluster: Option<String>,
    pub node: Option<String>,
    /// By what it was judged: profiles may differ.
    pub policy: Policy,
    /// Where a verb that repairs it finds it and its profile.
    pub origin: Origin,
    pub items: Vec<Judged>,
}

impl JudgedTree {
    /// The id of an entry of it, as verbs take it.
    pub fn id(&self, name: &str) -> EntryId {
        let node = self.node.as_deref().filter(|_| self.origin.is_tree() && self.origin.dir != self.root);
        EntryId::new(node, name)
    }
}
