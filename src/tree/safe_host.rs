//! What a node that cannot sign is to be sent, and how: the commands for the host that has the authorities' keys. Its cluster
//! directory is not known on the node, and stands there as DIR.

use crate::files::{shell_path, shell_word};

/// A node's files brought to it.
pub fn ship(node: &str) -> String {
    ship_from("DIR", node)
}

/// The same, where the cluster directory is known.
pub fn ship_from(dir: &str, node: &str) -> String {
    let (dir, node) = (shell_path(dir), shell_word(node));
    format!("kpki export {node} --dir {dir} --out - | ssh {node} kpki unpack -")
}

/// What is due, renewed there and brought to the node. `node`: where its name is known.
pub fn renew_and_ship(node: Option<&str>) -> String {
    format!("kpki renew all --due --dir DIR && {}", ship(node.unwrap_or("NODE")))
}
