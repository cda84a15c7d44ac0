//! How one node stands: what is here for it, what was packed, and what its receipt says.

use time::OffsetDateTime;

use super::known::Known;
use super::next::{self, Stands};
use crate::catalog::CaId;
use crate::clock::parse_instant;
use crate::plan::shipping::{self, Delivery, Facts, Listed};
use crate::report::nodes::{ComponentRow, Confirmed, ListRow, ListState, NodeRow, Shipped, Standing};
use crate::workspace::shipping::receipt::{Held, HeldList, KeyState, comparable};

/// What is wrong with the private keys on the node.
#[derive(Default)]
struct Keys {
    missing: Vec<String>,
    wrong: Vec<String>,
    /// Of authorities, where the profile has none.
    not_meant: Vec<String>,
}

impl Known<'_> {
    pub fn row(&self) -> NodeRow {
        let receipt = self.receipt.as_ref();
        let (mut confirmed, mut differing, newer) = self.confirmed();
        let Keys { missing, wrong, not_meant } = self.keys();
        if !missing.is_empty() {
            confirmed = confirmed.max(Confirmed::Older);
            differing.extend(missing.into_iter().filter(|name| !differing.contains(name)).collect::<Vec<_>>());
        }
        let lists = self.lists();
        let mut findings = self.contradictions(&lists);
        if confirmed == Confirmed::Foreign {
            findings.push(format!("its {} is not this cluster's", differing.join(", ")));
        }
        // Everything that contradicts is a key that the archive brings.
        let is_mended_by_unpack = findings.is_empty() && !wrong.is_empty();
        findings.extend(wrong);
        findings.extend(not_meant);
        let components: Vec<ComponentRow> = receipt
            .map(|receipt| &receipt.components)
            .into_iter()
            .flatten()
            .map(|one| ComponentRow {
                component: one.component.clone(),
                running: one.state(),
                current: one.is_current(),
            })
            .collect();
        let behind = |list: &ListRow| matches!(list.state, ListState::Older | ListState::Missing);
        let is_old = matches!(confirmed, Confirmed::None | Confirmed::Older) || lists.iter().any(behind);
        let standing = match () {
            () if !findings.is_empty() => Standing::Contradicts,
            () if is_old || components.iter().any(|one| !one.current) => Standing::Waiting,
            () => Standing::Done,
        };
        let shipped = self.shipped();
        let stands = Stands { standing, shipped, is_old, is_mended_by_unpack, newer: &newer, components: &components };
        let next = next::steps(self, &stands);
        let instant = |text: &String| parse_instant(text, OffsetDateTime::UNIX_EPOCH);
        NodeRow {
            node: self.node.name.clone(),
            roles: self.node.roles.iter().map(|role| role.name()).collect(),
            standing,
            shipped,
            shipped_at: self.shipped.as_ref().and_then(|shipped| instant(&shipped.time)),
            confirmed,
            confirmed_at: receipt.and_then(|receipt| instant(&receipt.time)),
            differing,
            components,
            lists,
            findings,
            next,
        }
    }

    fn shipped(&self) -> Shipped {
        let Some(shipped) = &self.shipped else { return Shipped::Never };
        let facts = |all: &[Held]| all.iter().map(Held::facts).collect::<Vec<Facts>>();
        let entries = shipping::delivery(&facts(&self.entries), &facts(&shipped.entries)).0 == Delivery::Current;
        let print = |lists: &[HeldList], authority: &str| {
            lists.iter().find(|list| list.authority == authority).map(|list| list.fingerprint)
        };
        let lists = self.lists.iter().all(|list| print(&shipped.lists, &list.authority) == Some(list.fingerprint));
        if entries && lists { Shipped::Current } else { Shipped::Older }
    }

    /// The names of what is older, and of what is newer there.
    fn confirmed(&self) -> (Confirmed, Vec<String>, Vec<String>) {
        let Some(receipt) = &self.receipt else { return (Confirmed::None, Vec::new(), Vec::new()) };
        let (ours, theirs) = comparable(&self.entries, receipt);
        let (whole, names) = shipping::delivery(&ours, &theirs);
        let confirmed = match whole {
            Delivery::Current => Confirmed::Current,
            Delivery::Renewed => Confirmed::Renewed,
            Delivery::Older => Confirmed::Older,
            Delivery::Foreign => Confirmed::Foreign,
        };
        (confirmed, names, shipping::newer(&ours, &theirs))
    }

    fn keys(&self) -> Keys {
        let mut keys = Keys::default();
        for there in self.receipt.iter().flat_map(|receipt| &receipt.entries) {
            let name = &there.entry;
            let is_authority = CaId::parse(name).is_some();
            let has_one = || self.entries.iter().any(|one| one.entry == *name && one.key);
            match there.key_state {
                _ if is_authority && there.key && !self.holds_ca_keys => keys.not_meant.push(format!(
                    "the key of {name} is beside {}, and by the profile (caKeys) this node has none: delete it there",
                    there.path
                )),
                Some(KeyState::Other) => keys.wrong.push(format!("the key of {name} is not that of its certificate")),
                Some(KeyState::Unusable) => keys.wrong.push(format!("the key of {name} cannot be used")),
                // An authority's key may be elsewhere.
                Some(KeyState::Matches) => {}
                Some(KeyState::Missing) | None if is_authority || there.key => {}
                Some(KeyState::Missing) | None if has_one() => keys.missing.push(name.clone()),
                Some(KeyState::Missing) => keys.wrong.push(format!("the key of {name} is neither there nor here")),
                None => {}
            }
        }
        keys
    }

    fn lists(&self) -> Vec<ListRow> {
        let Some(receipt) = &self.receipt else { return Vec::new() };
        let row = |authority: CaId| {
            let of = |lists: &[HeldList]| lists.iter().find(|list| list.authority == authority.name()).cloned();
            let (ours, theirs) = (of(&self.lists), of(&receipt.lists));
            let issue = |list: &Option<HeldList>| list.as_ref().map(HeldList::issue);
            let state = match shipping::list(issue(&ours).as_ref(), issue(&theirs).as_ref())? {
                Listed::Same => ListState::Same,
                Listed::Missing => ListState::Missing,
                Listed::Older => ListState::Older,
                Listed::Ahead => ListState::Ahead,
                Listed::Diverging => ListState::Diverging,
            };
            let said = |list: Option<HeldList>| list.map(|list| list.to_string());
            Some(ListRow { authority: authority.name(), state, here: said(ours), there: said(theirs) })
        };
        CaId::ALL.into_iter().filter_map(row).collect()
    }

    fn contradictions(&self, lists: &[ListRow]) -> Vec<String> {
        let mut findings = Vec::new();
        let there = self.receipt.as_ref().and_then(|receipt| receipt.issue.as_ref()).map(|issue| issue.revision);
        if let Some(there) = there.filter(|there| *there > self.revision) {
            findings.push(format!(
                "what it has was packed from state {there} of this directory, which has {}: this is an older copy, and a merge counts on from there",
                self.revision
            ));
        }
        let or_none = |said: &Option<String>| said.clone().unwrap_or_else(|| "none".to_owned());
        for list in lists.iter().filter(|list| matches!(list.state, ListState::Ahead | ListState::Diverging)) {
            let (name, here, there) = (list.authority, or_none(&list.here), or_none(&list.there));
            findings.push(format!("two lists of {name} go apart: here {here}, on the node {there}"));
        }
        findings
    }
}
