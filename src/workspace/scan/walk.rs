//! The files below a directory. Symlinks are not followed, and the walk is bounded.

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::files::{Kind, What};

/// More than any file system of certificates has.
const MOST: usize = 200_000;
const DEEPEST: usize = 64;
/// Not file systems of files.
const NEVER: &[&str] = &["/proc", "/sys", "/dev"];

/// What a walk comes to.
pub enum Met {
    File(PathBuf),
    /// A directory that cannot be listed, or where the walk ends.
    Failed(PathBuf, String),
}

/// In the order of names; the answer: how many symlinks were passed by.
pub fn files(root: &Path, on: &mut dyn FnMut(Met) -> bool) -> usize {
    let mut links = 0;
    let mut count = 0;
    let enters = |entry: &walkdir::DirEntry| !NEVER.iter().any(|never| entry.path() == Path::new(never));
    for entry in WalkDir::new(root).max_depth(DEEPEST).sort_by_file_name().into_iter().filter_entry(enters) {
        let met = match entry {
            Err(why) => {
                let kind = why.io_error().map(Kind::from).map_or_else(String::new, |kind| format!(": {kind}"));
                Met::Failed(why.path().unwrap_or(root).to_owned(), format!("cannot list it{kind}"))
            }
            Ok(entry) if entry.file_type().is_symlink() => {
                links += 1;
                continue;
            }
            Ok(entry) if entry.file_type().is_dir() && entry.depth() == DEEPEST => {
                Met::Failed(entry.into_path(), format!("it is {DEEPEST} directories deep: not looked into"))
            }
            // Sockets, pipes and devices hold no certificate, and a key is not looked at.
            Ok(entry) if !entry.file_type().is_file() || is_key(entry.path()) => continue,
            Ok(entry) => Met::File(entry.into_path()),
        };
        count += 1;
        if count > MOST {
            on(Met::Failed(root.to_owned(), format!("it has more than {MOST} files: the others are not looked at")));
            return links;
        }
        if !on(met) {
            return links;
        }
    }
    links
}

fn is_key(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "key")
}

/// Whether a path is a directory.
pub fn is_directory(path: &Path) -> bool {
    crate::files::what(None, path) == Some(What::Directory)
}
