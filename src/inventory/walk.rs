//! Any directory: what lies in it, by content.

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::load::{self, Loader};
use super::object::{self, ParsedObject, Place};
use super::{Kind, Tree, content, request};
use crate::files;

/// What a walk comes upon.
#[derive(Debug)]
pub enum WalkEvent {
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
pub fn scan(root: &Path, met: &mut dyn FnMut(WalkEvent)) {
    let mut walk = WalkDir::new(root).sort_by_file_name().into_iter();
    while let Some(entry) = walk.next() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let path = error.path().unwrap_or(root).to_owned();
                let why =
                    error.io_error().map_or_else(|| "it contains itself".to_owned(), |why| lower(&why.to_string()));
                met(WalkEvent::Failed(path, format!("cannot list it: {why}")));
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
                met(WalkEvent::Cluster(path.to_owned()));
                walk.skip_current_dir();
            } else if request::is_node(path) {
                met(WalkEvent::Node(path.to_owned()));
                walk.skip_current_dir();
            }
        } else if path.extension().is_none_or(|extension| extension != "key") {
            met(WalkEvent::File(path.to_owned()));
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
        WalkEvent::File(path) => read(&mut loader, root, &path, load::ReadMode::Walked, &mut found),
        WalkEvent::Failed(path, why) => {
            push(root, &path, vec![ParsedObject::broken(Kind::Certificate, 0, why)], &mut found)
        }
        WalkEvent::Node(_) | WalkEvent::Cluster(_) => {}
    });
    Tree { root: root.display().to_string(), cluster: None, node: None, items: object::linked(found) }
}

/// Everything in one file. A file without any of it is an item that says so.
pub fn file(path: &Path) -> Tree {
    let mut found = Vec::new();
    read(&mut Loader::default(), path, path, load::ReadMode::Named, &mut found);
    Tree { root: path.display().to_string(), cluster: None, node: None, items: object::linked(found) }
}

type Found = Vec<(super::Item, Option<super::facts::IssuerLink>)>;

fn read(loader: &mut Loader, root: &Path, path: &Path, met: load::ReadMode, found: &mut Found) {
    let walked = met == load::ReadMode::Walked;
    let objects = match files::look(path) {
        Ok(Some(source)) => match loader.objects(&source, met, |bytes| kept(bytes, met)) {
            Ok(objects) => objects,
            Err(why) => vec![ParsedObject::broken(Kind::Certificate, 0, why)],
        },
        // Gone between listing and reading, or a symlink that leads nowhere.
        Ok(None) if walked => Vec::new(),
        Ok(None) => vec![ParsedObject::broken(Kind::Certificate, 0, "expected a file, found none")],
        // Pipes, sockets, devices and symlinks to directories are nobody's certificate.
        Err(files::Kind::NotAFile(_) | files::Kind::Io(_)) if walked => Vec::new(),
        Err(kind) => vec![ParsedObject::broken(Kind::Certificate, 0, load::refusal(&kind))],
    };
    push(root, path, objects, found);
}

fn kept(bytes: &[u8], met: load::ReadMode) -> Vec<ParsedObject> {
    let objects = content::objects(bytes);
    if objects.is_empty() && met == load::ReadMode::Named {
        let instead = content::instead(bytes);
        return vec![ParsedObject::broken(
            Kind::Certificate,
            0,
            format!("expected a certificate, CRL, kubeconfig or Secret, found {instead}"),
        )];
    }
    objects
}

fn push(root: &Path, path: &Path, objects: Vec<ParsedObject>, found: &mut Found) {
    if objects.is_empty() {
        return;
    }
    let below = path.strip_prefix(root).ok().filter(|below| !below.as_os_str().is_empty());
    let name = match below {
        Some(below) => below.display().to_string(),
        None => path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned()),
    };
    let path = path.display().to_string();
    let place = Place { name: &name, path: &path, authority: None, optional: false, externally_managed: false };
    found.extend(objects.into_iter().map(|object| object::item(object, place)));
}
