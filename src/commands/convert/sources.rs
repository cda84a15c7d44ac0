//! The inputs: files, standard input, whole directories. No symlink in a directory is followed.

use std::path::Path;

use walkdir::WalkDir;
use zeroize::Zeroizing;

use crate::error::Error;
use crate::files::{self, Dir, FileError, FileState, Kind, Op, RelPath, What};
use crate::report::convert::{Convert, Skipped};
use crate::workspace::survey::{self, LARGEST_INPUT};

use super::request::{Input, Request};

/// The size limit of all files: they are in memory until everything is converted.
const LARGEST_ALL: usize = 1 << 30;

/// One file read.
pub struct Source {
    /// What messages call it.
    pub name: String,
    /// Its path below the given directory, or its own name: the output is named after it.
    pub path: String,
    pub bytes: Zeroizing<Vec<u8>>,
}

/// The content may be a key.
impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Source({}, {} bytes)", self.name, self.bytes.len())
    }
}

/// Everything to be converted, and whether a directory was among it.
pub fn read(request: &Request, report: &mut Convert) -> Result<(Vec<Source>, bool), Error> {
    let mut sources = Sources { found: Vec::new(), total: 0 };
    let mut from_tree = false;
    for input in &request.inputs {
        match input {
            Input::Bytes(bytes) => sources.add("standard input".into(), "stdin".into(), bytes.clone())?,
            Input::Path(path) if files::what(None, path) == Some(What::Directory) => {
                from_tree = true;
                tree(path, &mut sources, report)?;
            }
            Input::Path(path) => {
                let bytes = survey::input(path, LARGEST_INPUT)?;
                let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
                sources.add(path.display().to_string(), name, bytes)?;
            }
        }
    }
    Ok((sources.found, from_tree))
}

struct Sources {
    found: Vec<Source>,
    total: usize,
}

impl Sources {
    fn add(&mut self, name: String, path: String, bytes: Zeroizing<Vec<u8>>) -> Result<(), Error> {
        self.total = self.total.saturating_add(bytes.len());
        if self.total > LARGEST_ALL {
            return Err(Error::new(format!("expected at most {LARGEST_ALL} bytes in all files, found more"))
                .hint("convert them in several runs"));
        }
        self.found.push(Source { name, path, bytes });
        Ok(())
    }
}

fn tree(root: &Path, sources: &mut Sources, report: &mut Convert) -> Result<(), Error> {
    let dir = Dir::open_root(root)?;
    // kpki's own state with its replaced files is not converted.
    let walk = WalkDir::new(root).min_depth(1).sort_by_file_name().into_iter();
    for entry in walk.filter_entry(|entry| entry.file_name() != ".kpki") {
        let entry = entry.map_err(|why| {
            let what = format!("cannot list {}", why.path().unwrap_or(root).display());
            match why.io_error() {
                Some(why) => Error::new(what).because(Kind::from(why)),
                None => Error::new(what).because("it contains itself"),
            }
        })?;
        let name = entry.path().display().to_string();
        if entry.file_type().is_dir() {
            continue;
        }
        if !entry.file_type().is_file() {
            let why = if entry.file_type().is_symlink() { "a symlink" } else { "not a regular file" };
            report.skipped.push(Skipped { path: name, why: why.to_owned() });
            continue;
        }
        let below = entry.path().strip_prefix(root).unwrap_or(entry.path());
        let below = below.to_str().ok_or_else(|| Error::new(format!("{name}: expected a name in UTF-8")))?;
        match files::read(&dir, &RelPath::parse(below)?, LARGEST_INPUT)? {
            FileState::File { bytes, .. } => sources.add(name, below.to_owned(), bytes)?,
            FileState::Missing => return Err(FileError::new(Op::Read, entry.path(), Kind::Missing).into()),
        }
    }
    Ok(())
}
