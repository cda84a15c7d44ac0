//! What a safe host knows of its nodes: `.kpki/nodes/NODE.json`, the last receipt that was accepted, and
//! `.kpki/nodes/shipped/NODE.json`, what `export` packed last.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::manifest::Issue;
use super::receipt::{Held, HeldList, Receipt};
use crate::error::Error;
use crate::files::RelPath;
use crate::store::{FileChange, JsonError, RootId, Roots};
use crate::workspace::survey;

/// Below `.kpki/`.
pub const DIRECTORY: &str = "nodes";
/// A node may be called `a.shipped`, so what was packed has a directory of its own.
const SHIPPED: &str = "nodes/shipped";
const MODE: u32 = 0o600;

/// What was packed for a node last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shipped {
    pub kind: Kind,
    pub node: String,
    /// When it was packed, RFC 3339 in UTC.
    pub time: String,
    /// What the archive says of itself.
    pub issue: Option<Issue>,
    /// The entries and lists that were in it.
    pub entries: Vec<Held>,
    pub lists: Vec<HeldList>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    #[default]
    NodeShipment,
}

fn path(directory: &str, node: &str) -> Result<RelPath, Error> {
    let name = RelPath::parse(node).ok().filter(|name| name.components().count() == 1);
    let name =
        name.ok_or_else(|| Error::new(format!("{} is no name of a node", crate::encoding::shown::named(node))))?;
    Ok(RelPath::parse(format!("{directory}/{name}.json"))?)
}

fn read<T>(
    roots: &Roots,
    path: &RelPath,
    parse: impl FnOnce(&[u8]) -> Result<T, Box<dyn std::error::Error>>,
) -> Result<Option<T>, Error> {
    let Some(bytes) = survey::read(roots, RootId::State, path)? else { return Ok(None) };
    let parsed = parse(&bytes).map_err(|why| {
        let full = roots.path_of(RootId::State, path);
        Error::new(format!("cannot read {}", full.display()))
            .because(why)
            .hint("move it away; the next receipt or archive of the node takes its place")
    });
    parsed.map(Some)
}

/// The files of a node below `.kpki/`, whether they are there or not.
pub fn files(node: &str) -> Result<[RelPath; 2], Error> {
    Ok([path(DIRECTORY, node)?, path(SHIPPED, node)?])
}

/// The last receipt that was accepted; `None`: none was.
pub fn receipt(roots: &Roots, node: &str) -> Result<Option<Receipt>, Error> {
    read(roots, &path(DIRECTORY, node)?, |bytes| Ok(Receipt::parse(bytes)?))
}

/// What was packed last; `None`: nothing was.
pub fn shipped(roots: &Roots, node: &str) -> Result<Option<Shipped>, Error> {
    read(roots, &path(SHIPPED, node)?, |bytes| Ok(serde_json::from_slice(bytes).map_err(JsonError::from)?))
}

/// The file of an accepted receipt.
pub fn receipt_change(receipt: &Receipt) -> Result<FileChange, Error> {
    change(path(DIRECTORY, &receipt.node)?, receipt.render()?)
}

/// The file of what was packed.
pub fn shipped_change(shipped: &Shipped) -> Result<FileChange, Error> {
    let text = serde_json::to_string_pretty(shipped).map_err(JsonError::from);
    let text = text.map_err(|why| Error::new("cannot write what was packed").because(why))?;
    change(path(SHIPPED, &shipped.node)?, text + "\n")
}

fn change(path: RelPath, text: String) -> Result<FileChange, Error> {
    Ok(FileChange { root: RootId::State, path, mode: MODE, bytes: Zeroizing::new(text.into_bytes()), replace: true })
}
