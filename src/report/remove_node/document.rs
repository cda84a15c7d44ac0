use serde::Serialize;

use crate::report::revoke::{CrlRow, RevocationEntry};

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename = "NodeRemovalReport", rename_all = "camelCase")]
pub struct Removed {
    pub dry_run: bool,
    pub directory: String,
    #[serde(rename = "clusterName")]
    pub cluster: String,
    pub node: String,
    /// The generation that keeps its files.
    pub generation: Option<String>,
    /// Below the directory.
    pub files: Vec<String>,
    /// Authorities, and sa, whose keys the node has.
    pub keys: Vec<String>,
    /// The given profile, which is recorded now.
    pub profile: Option<String>,
    /// The recorded profile was written anew without the node.
    #[serde(rename = "profileRewritten")]
    pub is_rewritten: bool,
    pub was_control_plane: bool,
    /// What was revoked.
    pub entries: Vec<RevocationEntry>,
    pub lists: Vec<CrlRow>,
    /// The nodes that are to have the new lists.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ship: Vec<String>,
    /// What was to be revoked and is not, and why.
    pub left: Vec<String>,
    pub warnings: Vec<String>,
}
