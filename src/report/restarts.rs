//! What has to be restarted when files change: data of the catalogue, each component of each node once.

use crate::audit::COMPONENTS;
use crate::catalog::readers::{self, Action};
use crate::report::renew::Restart;
use crate::tree::EntryId;

/// `changed`: the entries whose files are new.
pub fn restarts(changed: impl Iterator<Item = EntryId>) -> Vec<Restart> {
    let mut all: Vec<Restart> = Vec::new();
    for EntryId { node, name: entry } in changed {
        for reader in readers::of(&entry) {
            let same = |other: &&mut Restart| {
                other.node == node && other.component == reader.component && other.action == reader.action.name()
            };
            match all.iter_mut().find(same) {
                Some(known) => known.entries.push(entry.clone()),
                None => all.push(Restart {
                    node: node.clone(),
                    component: reader.component,
                    action: reader.action.name(),
                    why: reader.why,
                    entries: vec![entry.clone()],
                    command: readers::command(reader.component).filter(|_| reader.action == Action::Restart),
                }),
            }
        }
    }
    let order = |component: &str| COMPONENTS.iter().position(|known| *known == component);
    all.sort_by_key(|restart| (restart.node.clone(), order(restart.component).unwrap_or(usize::MAX)));
    all
}
