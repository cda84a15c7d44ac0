//! What to do next for a node.

use super::known::Known;
use crate::catalog::readers;
use crate::files::{shell_path, shell_word};
use crate::report::nodes::{ComponentRow, Shipped, Standing};
use crate::tree::safe_host::ship_from;
use crate::workspace::shipping::receipt::instant;

/// What a node's row says so far.
pub struct Stands<'a> {
    pub standing: Standing,
    pub shipped: Shipped,
    /// Something on the node is older or missing.
    pub is_old: bool,
    /// Unpacking again puts right what contradicts.
    pub is_mended_by_unpack: bool,
    /// What the node has renewed itself.
    pub newer: &'a [String],
    pub components: &'a [ComponentRow],
}

/// Each a sentence; a command stands last.
pub fn steps(known: &Known<'_>, stands: &Stands<'_>) -> Vec<String> {
    let (dir, node) = (shell_path(known.directory), shell_word(&known.node.name));
    let confirm = format!("on the node, make its receipt: kpki export --verify {node} --receipt -o json");
    let mut next = Vec::new();
    match (stands.standing, &known.unrecorded) {
        (Standing::Done | Standing::Removed, None) => {}
        (_, Some(file)) => next.push(format!("accept its receipt: kpki nodes merge {} --dir {dir}", shell_path(file))),
        (Standing::Contradicts, None) if stands.is_mended_by_unpack => next.extend(shipment(known, stands)),
        (Standing::Contradicts, None) => next.push(format!(
            "on the node, make a new receipt, and merge it here: kpki export --verify {node} --receipt -o json"
        )),
        (Standing::Waiting, None) if stands.is_old && stands.shipped == Shipped::Current && !has_unpacked(known) => {
            next.push(confirm);
        }
        (Standing::Waiting, None) if stands.is_old => next.extend(shipment(known, stands)),
        (Standing::Waiting, None) => {
            for one in stands.components.iter().filter(|one| !one.current) {
                match readers::command(&one.component).filter(|_| one.running == "no") {
                    Some(command) => next.push(format!("on the node, restart {}: {command}", one.component)),
                    None if next.contains(&confirm) => {}
                    None => next.push(confirm.clone()),
                }
            }
        }
    }
    next
}

/// What the node has renewed itself would go back with the archive: it is renewed here first.
fn shipment(known: &Known<'_>, stands: &Stands<'_>) -> Vec<String> {
    let node = &known.node.name;
    let ship = format!("pack it, and unpack it on the node: {}", ship_from(known.directory, node));
    renew_first(known.directory, node, stands.newer).into_iter().chain([ship]).collect()
}

/// `newer`: what the node has renewed itself. `None`: nothing.
pub fn renew_first(directory: &str, node: &str, newer: &[String]) -> Option<String> {
    let names: Vec<String> = newer.iter().map(|entry| shell_word(&format!("{node}/{entry}")).to_string()).collect();
    let (names, dir) = (names.join(" "), shell_path(directory));
    (!newer.is_empty()).then(|| {
        format!(
            "{node} has renewed these itself, so renew them here before you pack it: kpki renew {names} --dir {dir}"
        )
    })
}

/// Its receipt shows what there is since it had what was packed last.
fn has_unpacked(known: &Known<'_>) -> bool {
    let (Some(receipt), Some(shipped)) = (&known.receipt, &known.shipped) else { return false };
    let is_same = receipt.issue.is_some() && receipt.issue == shipped.issue;
    is_same || instant(&receipt.time) > instant(&shipped.time)
}
