//! Any directory: what lies in it, by content.

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::load::{self, Loader};
use super::piece::{self, Piece, Place};
use super::{Kind, Tree, content, request};
use crate::files;

/// What a walk comes upon.
#[derive(Debug)]
pub enum Met {
    /// A directory of kubeadm's shape; the walk does not go in.
    Node(PathBuf),
    Cluster(PathBuf),
    /// A file, or a symlink to whatever.
    File(PathBuf),
    /// A directory that cannot be listed.
    Failed(PathBuf, String),
}

/// File systems that are none.
const NEVER: &[&str] = &["/proc", "/sys", "/dev"];

/// Walks in the order of names. Symlinked directories are not entered, so that the walk ends; keys are not even mentioned.
pub fn scan(root: &Path, met: &mut dyn FnMut(Met)) {
    let mut walk = WalkDir::new(root).sort_by_file_name().into_iter();
    while let Some(entry) = walk.next() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let path = error.path().unwrap_or(root).to_owned();
                let why =
                    error.io_error().map_or_else(|| "it contains itself".to_owned(), |why| lower(&why.to_string()));
                met(Met::Failed(path, format!("cannot list it: {why}")));
                continue;
            }
        };
        let path = entry.path();
        if entry.file_type().is_dir() {
            if entry.depth() == 0 {
                continue;
            }
            if NEVER.iter().any(|never| path == Path::new(never)) {
                walk.skip_current_dir();
            } else if request::is_cluster(path) {
                met(Met::Cluster(path.to_owned()));
                walk.skip_current_dir();
            } else if request::is_node(path) {
                met(Met::Node(path.to_owned()));
                walk.skip_current_dir();
            }
        } else if path.extension().is_none_or(|extension| extension != "key") {
            met(Met::File(path.to_owned()));
        }
    }
}

fn lower(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

/// The names of the directories in a directory, in order.
pub fn directories(root: &Path) -> Vec<String> {
    let entries = WalkDir::new(root).min_depth(1).max_depth(1).sort_by_file_name().into_iter().filter_map(Result::ok);
    entries.filter(|entry| entry.file_type().is_dir()).map(|e| e.file_name().to_string_lossy().into_owned()).collect()
}

/// Everything below a directory, each item named by its path there.
pub fn directory(root: &Path) -> Tree {
    let mut loader = Loader::default();
    let mut found = Vec::new();
    scan(root, &mut |met| match met {
        Met::File(path) => read(&mut loader, root, &path, load::Met::Walked, &mut found),
        Met::Failed(path, why) => push(root, &path, vec![Piece::broken(Kind::Certificate, 0, why)], &mut found),
        Met::Node(_) | Met::Cluster(_) => {}
    });
    Tree { root: root.display().to_string(), cluster: None, node: None, items: piece::linked(found) }
}

/// Everything in one file. A file without any of it is an item that says so.
pub fn file(path: &Path) -> Tree {
    let mut found = Vec::new();
    read(&mut Loader::default(), path, path, load::Met::Named, &mut found);
    Tree { root: path.display().to_string(), cluster: None, node: None, items: piece::linked(found) }
}

type Found = Vec<(super::Item, Option<super::facts::Link>)>;

fn read(loader: &mut Loader, root: &Path, path: &Path, met: load::Met, found: &mut Found) {
    let walked = met == load::Met::Walked;
    let pieces = match files::look(path) {
        Ok(Some(source)) => match loader.pieces(&source, met, |bytes| kept(bytes, met)) {
            Ok(pieces) => pieces,
            Err(why) => vec![Piece::broken(Kind::Certificate, 0, why)],
        },
        // Gone between listing and reading, or a symlink that leads nowhere.
        Ok(None) if walked => Vec::new(),
        Ok(None) => vec![Piece::broken(Kind::Certificate, 0, "expected a file, found none")],
        // Pipes, sockets, devices and symlinks to directories are nobody's certificate.
        Err(files::Kind::NotAFile(_) | files::Kind::Io(_)) if walked => Vec::new(),
        Err(kind) => vec![Piece::broken(Kind::Certificate, 0, load::refusal(&kind))],
    };
    push(root, path, pieces, found);
}

fn kept(bytes: &[u8], met: load::Met) -> Vec<Piece> {
    let pieces = content::pieces(bytes);
    if pieces.is_empty() && met == load::Met::Named {
        let instead = content::instead(bytes);
        return vec![Piece::broken(
            Kind::Certificate,
            0,
            format!("expected a certificate, CRL, kubeconfig or Secret, found {instead}"),
        )];
    }
    pieces
}

fn push(root: &Path, path: &Path, pieces: Vec<Piece>, found: &mut Found) {
    if pieces.is_empty() {
        return;
    }
    let below = path.strip_prefix(root).ok().filter(|below| !below.as_os_str().is_empty());
    let name = match below {
        Some(below) => below.display().to_string(),
        None => path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned()),
    };
    let path = path.display().to_string();
    let place = Place { name: &name, path: &path, authority: None, optional: false, externally_managed: false };
    found.extend(pieces.into_iter().map(|piece| piece::item(piece, place)));
}
