//! What a rotation in progress says about an archive: files of the switch do not go where those of the preparation are not in force.

use super::source::Source;
use crate::clock::parse_instant;
use crate::error::Error;
use crate::plan::item::Item;
use crate::tree::Layout;
use crate::tree::rotation::{Phase, Record, Rotation};
use crate::workspace::shipping::nodes;
use time::OffsetDateTime;

/// Refuses a node that trusts the old authority alone, as far as is known: what the new one has signed would be refused there.
pub fn refuse(source: &Source<'_>, record: &Record) -> Result<(), Error> {
    let (node, roots) = (&source.request.node, &source.tree.roots);
    // A node that had nothing before gets everything at once.
    let packed = nodes::shipped(roots, node)?.map(|one| one.time);
    let seen = nodes::receipt(roots, node)?.map(|one| one.time);
    let had_files = |rotation: &&Rotation| packed.iter().chain(&seen).any(|time| is_before(time, &rotation.since));
    // A worker has files of the cluster CA alone.
    let is_here = |rotation: &&Rotation| {
        let name = rotation.authority.name();
        let own = |item: &&Item| source.layout != Layout::Cluster || item.id.node.is_some();
        source.items.iter().filter(own).any(|item| item.id.name == name)
    };
    // One that came back from its retirement is trusted everywhere.
    let is_new = |one: &&Rotation| one.phase == Phase::Switched && !one.restored;
    let switched = record.rotations.iter().filter(is_new).filter(is_here);
    let waits: Vec<&str> = switched
        .filter(|one| !one.confirmations.iter().any(|yes| yes.node == *node))
        .filter(had_files)
        .map(|one| one.authority.name())
        .collect();
    if waits.is_empty() {
        return Ok(());
    }
    let origin = source.tree.origin();
    Err(Error::new(format!("cannot export {node}: nobody has confirmed that it trusts the new authorities"))
        .because(format!("{} of this archive would meet programs there that trust the old one alone", waits.join(", ")))
        .hint(format!(
            "take the switch back, and bring the files of the preparation there: {}",
            origin.command("rotate back", &[""; 0], &[])
        ))
        .hint(format!("if it trusts both already, say so: {}", origin.command("rotate confirm", &[node], &[]))))
}

fn is_before(time: &str, since: &str) -> bool {
    let at = |text: &str| parse_instant(text, OffsetDateTime::UNIX_EPOCH);
    matches!((at(time), at(since)), (Some(time), Some(since)) if time < since)
}
