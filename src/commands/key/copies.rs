//! Copies of keys that this directory cannot reach.

use super::held::Held;
use crate::error::Error;
use crate::workspace::Session;
use crate::workspace::shipping::nodes;
use crate::workspace::shipping::receipt::Held as Shipped;

/// The nodes that were given an authority's key, by what was packed for them and by their receipts.
pub fn on_nodes(session: &Session<'_>, held: &Held) -> Result<Vec<String>, Error> {
    let roots = &session.tree.roots;
    let has = |entries: &[Shipped]| entries.iter().any(|one| one.entry == held.authority.name() && one.key);
    let mut found = Vec::new();
    for node in session.profile().into_iter().flat_map(|profile| &profile.nodes) {
        let packed = nodes::shipped(roots, &node.name)?.is_some_and(|shipped| has(&shipped.entries));
        if packed || nodes::receipt(roots, &node.name)?.is_some_and(|receipt| has(&receipt.entries)) {
            found.push(node.name.clone());
        }
    }
    Ok(found)
}

/// What is known of nodes, as messages show it.
pub fn left_on_nodes(session: &Session<'_>, named: &[&Held]) -> Result<Vec<String>, Error> {
    let mut all = Vec::new();
    for held in named {
        let nodes = on_nodes(session, held)?;
        if !nodes.is_empty() {
            let name = held.authority.name();
            all.push(format!(
                "{} had the key of {name} in plain when it was packed or confirmed last",
                nodes.join(", ")
            ));
        }
    }
    Ok(all)
}

/// What no directory knows.
pub fn unreachable() -> Vec<String> {
    [
        "backups (kpki backup) and archives (kpki export) that were made before hold the key as it was then",
        "files outside of this directory, and blocks that a disk keeps after a file is replaced, are not reached",
    ]
    .map(str::to_owned)
    .to_vec()
}
