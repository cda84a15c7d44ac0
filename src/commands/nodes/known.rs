//! What the safe host knows of one node.

use crate::profile::Node;
use crate::workspace::shipping::nodes::Shipped as Shipment;
use crate::workspace::shipping::receipt::{Held, HeldList, Receipt};

/// Everything that is known of a node.
pub struct Known<'a> {
    /// As commands name it.
    pub directory: &'a str,
    pub node: &'a Node,
    pub entries: Vec<Held>,
    pub lists: Vec<HeldList>,
    /// The state of this directory.
    pub revision: u64,
    /// The node has the authorities' keys by the profile.
    pub holds_ca_keys: bool,
    pub shipped: Option<Shipment>,
    pub receipt: Option<Receipt>,
    /// The receipt is not recorded yet: its file.
    pub unrecorded: Option<String>,
}
