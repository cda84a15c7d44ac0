//! The directories of a tree, each opened once and kept open.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::files::{Dir, Facts, FileError, Kind, RelPath};

use super::error::StoreError;
use super::lock::TreeLock;
use super::roots::{KPKI_MODE, RootId};

/// A root with the directories below it that were needed so far. The keys are paths below the root, empty for the root.
#[derive(Debug)]
pub(super) struct OpenDirs {
    root: Arc<Dir>,
    /// The mode of new directories.
    mode: u32,
    /// Of the directory in which new files are prepared.
    home: Option<Facts>,
    open: HashMap<String, Arc<Dir>>,
    /// Directories with a name that changed.
    changed: HashMap<String, Arc<Dir>>,
}

/// How far a path leads through existing directories.
#[derive(Debug)]
pub(super) struct Reached {
    /// The deepest directory that exists.
    pub dir: Arc<Dir>,
    /// It is the one at the end of the path.
    pub whole: bool,
}

impl OpenDirs {
    pub fn new(root: impl Into<Arc<Dir>>, mode: u32) -> Self {
        Self { root: root.into(), mode, home: None, open: HashMap::new(), changed: HashMap::new() }
    }

    /// New files are renamed from a directory with these facts.
    pub fn prepared_in(self, home: Facts) -> Self {
        Self { home: Some(home), ..self }
    }

    /// Whether a rename leads from there to a directory with these facts.
    pub fn takes_renames(&self, here: &Facts) -> bool {
        self.home.is_none_or(|home| (home.device, home.mount) == (here.device, here.mount))
    }

    pub fn root(&self) -> &Arc<Dir> {
        &self.root
    }

    /// Opens what exists of a path, and makes nothing.
    pub fn reach(&mut self, path: Option<&RelPath>) -> Result<Reached, FileError> {
        let Some(path) = path else { return Ok(Reached { dir: Arc::clone(&self.root), whole: true }) };
        if let Some(dir) = self.open.get(path.as_str()) {
            return Ok(Reached { dir: Arc::clone(dir), whole: true });
        }
        let above = self.reach(path.parent().as_ref())?;
        if !above.whole {
            return Ok(above);
        }
        match above.dir.child(path.file_name())? {
            Some(dir) => Ok(Reached { dir: self.remember(path, dir), whole: true }),
            None => Ok(Reached { whole: false, ..above }),
        }
    }

    /// Opens a directory to change the names in it, and makes what is missing of its path.
    pub fn make(&mut self, path: Option<&RelPath>) -> Result<Arc<Dir>, FileError> {
        let reached = self.reach(path)?;
        let dir = match path {
            Some(path) if !reached.whole => {
                let above = self.make(path.parent().as_ref())?;
                let made = match above.make(path.file_name(), self.mode) {
                    // Another process made it first.
                    Err(error) if error.kind == Kind::Exists => above.child(path.file_name())?.ok_or(error)?,
                    made => made?,
                };
                self.remember(path, made)
            }
            _ => reached.dir,
        };
        self.changed.insert(path.map_or("", RelPath::as_str).to_owned(), Arc::clone(&dir));
        Ok(dir)
    }

    fn remember(&mut self, path: &RelPath, dir: Dir) -> Arc<Dir> {
        let dir = Arc::new(dir);
        self.open.insert(path.as_str().to_owned(), Arc::clone(&dir));
        dir
    }

    /// The directories with a name that changed, to be synced.
    pub fn changed(&self) -> impl Iterator<Item = Arc<Dir>> {
        self.changed.values().map(Arc::clone)
    }
}

/// The roots of a tree that is merged into.
#[derive(Debug)]
pub(super) struct OpenRoots {
    main: OpenDirs,
    state: OpenDirs,
    /// Those outside the main directory.
    outside: BTreeMap<RootId, OpenDirs>,
}

impl OpenRoots {
    pub fn open(lock: &TreeLock, outside: Vec<(RootId, Dir)>, dir_mode: u32) -> Result<Self, FileError> {
        let home = lock.kpki.own_facts()?;
        let mut roots = Self {
            main: OpenDirs::new(Arc::clone(&lock.main), dir_mode).prepared_in(home),
            state: OpenDirs::new(Arc::clone(&lock.kpki), KPKI_MODE).prepared_in(home),
            outside: BTreeMap::new(),
        };
        for (root, dir) in outside {
            let home = dir.own_facts()?;
            roots.outside.insert(root, OpenDirs::new(dir, dir_mode).prepared_in(home));
        }
        Ok(roots)
    }

    /// Refuses one directory as two roots, by whatever names: a file of the one would be a file of the other.
    pub fn check_distinct(&self) -> Result<(), StoreError> {
        let mut seen: Vec<(&Arc<Dir>, Facts)> = Vec::new();
        for dir in [&self.main, &self.state].into_iter().chain(self.outside.values()).map(OpenDirs::root) {
            let facts = dir.own_facts()?;
            let same = |(_, other): &&(_, Facts)| (other.inode, other.device) == (facts.inode, facts.device);
            if let Some((other, _)) = seen.iter().find(same) {
                return Err(StoreError::SameRoot(dir.path().to_path_buf(), other.path().to_path_buf()));
            }
            seen.push((dir, facts));
        }
        Ok(())
    }

    pub fn get(&mut self, root: RootId) -> Result<&mut OpenDirs, StoreError> {
        match root {
            RootId::Main => Ok(&mut self.main),
            RootId::State => Ok(&mut self.state),
            RootId::Kubelet | RootId::Certificates => self.outside.get_mut(&root).ok_or(StoreError::NoRoot(root)),
        }
    }

    /// A root outside the main directory, if it has files of this commit.
    pub fn outside(&self, root: RootId) -> Option<&Arc<Dir>> {
        self.outside.get(&root).map(OpenDirs::root)
    }

    /// The directories with a name that changed, to be synced.
    pub fn changed(&self) -> impl Iterator<Item = Arc<Dir>> {
        [&self.main, &self.state].into_iter().chain(self.outside.values()).flat_map(OpenDirs::changed)
    }
}
