//! What has to be restarted when files change: data of the catalogue, each component of each node once.

use crate::audit::COMPONENTS;
use crate::catalog::readers::{self, Action};
use crate::report::renew::Restart;

/// `changed`: a node of a cluster directory and an entry's name.
pub fn restarts<'a>(changed: impl Iterator<Item = (Option<&'a str>, &'a str)>) -> Vec<Restart> {
    let mut all: Vec<Restart> = Vec::new();
    for (node, entry) in changed {
        for reader in readers::of(entry) {
            let same = |other: &&mut Restart| {
                other.node.as_deref() == node
                    && other.component == reader.component
                    && other.action == reader.action.name()
            };
            match all.iter_mut().find(same) {
                Some(known) => known.entries.push(entry.to_owned()),
                None => all.push(Restart {
                    node: node.map(str::to_owned),
                    component: reader.component,
                    action: reader.action.name(),
                    why: reader.why,
                    entries: vec![entry.to_owned()],
                    command: readers::command(reader.component).filter(|_| reader.action == Action::Restart),
                }),
            }
        }
    }
    let order = |component: &str| COMPONENTS.iter().position(|known| *known == component);
    all.sort_by_key(|restart| (restart.node.clone(), order(restart.component).unwrap_or(usize::MAX)));
    all
}
