//! Every file of a node in a cluster directory.

use crate::error::Error;
use crate::files::{Dir, RelPath, What};
use crate::store::RootId;
use crate::workspace::shipping::nodes;
use crate::workspace::{TreeDir, survey};
use std::path::Path;

/// What belongs to the node: its tree, the requests that wait for it, its receipt and what was packed for it.
pub fn of_node(tree: &TreeDir, node: &str) -> Result<Vec<(RootId, RelPath)>, Error> {
    let mut all = Vec::new();
    for (root, above, below) in [(RootId::Main, "", "nodes"), (RootId::State, ".kpki", "requests/nodes")] {
        let below = format!("{below}/{node}");
        if let Some(dir) = open(&tree.roots.main.join(above).join(&below))? {
            list(&dir, &below, &mut |path| all.push((root, path)))?;
        }
    }
    for path in nodes::files(node)? {
        if survey::read(&tree.roots, RootId::State, &path)?.is_some() {
            all.push((RootId::State, path));
        }
    }
    all.sort();
    Ok(all)
}

fn open(path: &Path) -> Result<Option<Dir>, Error> {
    Ok(survey::open(path)?)
}

fn list(dir: &Dir, below: &str, found: &mut impl FnMut(RelPath)) -> Result<(), Error> {
    for entry in dir.list()? {
        let Some(name) = entry.name.to_str() else {
            return Err(Error::new(format!("{} has a name that is not UTF-8", dir.path().display()))
                .hint("move it away; it is none of kpki's"));
        };
        let path = format!("{below}/{name}");
        match (entry.what, dir.child(name)) {
            (What::Directory | What::Unknown, Ok(Some(inner))) => list(&inner, &path, found)?,
            // The transaction refuses what is no file.
            _ => found(RelPath::parse(path)?),
        }
    }
    Ok(())
}

/// The directories that are empty now. What is left in one is somebody else's.
pub fn prune(tree: &TreeDir, node: &str) {
    for below in ["nodes", ".kpki/requests/nodes"] {
        let above = open(&tree.roots.main.join(below)).ok().flatten();
        if let Some(above) = above {
            prune_below(&above, node);
        }
    }
}

fn prune_below(above: &Dir, name: &str) {
    if let Ok(Some(dir)) = above.child(name) {
        let inner = dir.list().unwrap_or_default();
        inner.iter().filter_map(|entry| entry.name.to_str()).for_each(|name| prune_below(&dir, name));
        // One with something in it stays.
        let _ = above.remove_dir(name);
    }
}
