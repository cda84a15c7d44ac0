//! One tree's directories, each opened once and kept open.

use std::collections::HashMap;
use std::sync::Arc;

use crate::files::{Dir, FileError, Kind, RelPath};

/// A root with the directories below it that were needed so far. The key is the path below the root, empty for the root.
#[derive(Debug)]
pub(super) struct Tree {
    root: Arc<Dir>,
    /// The mode of directories this run makes.
    mode: u32,
    open: HashMap<String, Arc<Dir>>,
    /// Directories whose names changed.
    changed: HashMap<String, Arc<Dir>>,
}

/// How far down a path leads through what exists.
#[derive(Debug)]
pub(super) struct Reached {
    /// The deepest directory that exists.
    pub dir: Arc<Dir>,
    /// It is the one that was asked for.
    pub whole: bool,
}

impl Tree {
    pub fn new(root: Dir, mode: u32) -> Self {
        Self { root: Arc::new(root), mode, open: HashMap::new(), changed: HashMap::new() }
    }

    pub fn root(&self) -> &Arc<Dir> {
        &self.root
    }

    /// Goes as far towards a directory as there are directories; makes nothing.
    pub fn look(&mut self, path: Option<&RelPath>) -> Result<Reached, FileError> {
        let Some(path) = path else { return Ok(Reached { dir: Arc::clone(&self.root), whole: true }) };
        if let Some(dir) = self.open.get(path.as_str()) {
            return Ok(Reached { dir: Arc::clone(dir), whole: true });
        }
        let above = self.look(path.parent().as_ref())?;
        if !above.whole {
            return Ok(above);
        }
        match above.dir.child(path.file_name())? {
            Some(dir) => Ok(Reached { dir: self.remember(path, dir), whole: true }),
            None => Ok(Reached { whole: false, ..above }),
        }
    }

    /// Opens a directory to change the names in it, making what is missing on the way.
    pub fn make(&mut self, path: Option<&RelPath>) -> Result<Arc<Dir>, FileError> {
        let key = path.map_or("", RelPath::as_str);
        if let Some(dir) = self.changed.get(key) {
            return Ok(Arc::clone(dir));
        }
        let dir = match path {
            None => Arc::clone(&self.root),
            Some(path) => self.child(path)?,
        };
        self.changed.insert(key.to_owned(), Arc::clone(&dir));
        Ok(dir)
    }

    fn child(&mut self, path: &RelPath) -> Result<Arc<Dir>, FileError> {
        let reached = self.look(Some(path))?;
        if reached.whole {
            return Ok(reached.dir);
        }
        let above = self.make(path.parent().as_ref())?;
        let dir = match above.make(path.file_name(), self.mode) {
            // Somebody was faster; theirs is as good.
            Err(error) if error.kind == Kind::Exists => above.child(path.file_name())?.ok_or(error)?,
            made => made?,
        };
        Ok(self.remember(path, dir))
    }

    fn remember(&mut self, path: &RelPath, dir: Dir) -> Arc<Dir> {
        let dir = Arc::new(dir);
        self.open.insert(path.as_str().to_owned(), Arc::clone(&dir));
        dir
    }

    /// The directories whose names changed, to be synced.
    pub fn changed(&self) -> impl Iterator<Item = Arc<Dir>> {
        self.changed.values().map(Arc::clone)
    }
}
