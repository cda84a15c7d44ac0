//! Any directory or file: what is in it, by content.

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::facts::IssuerLink;
use super::item::{Item, Kind, Reading, Tree};
use super::load::{Loader, ReadMode};
use super::object::{self, ParsedObject, Place};
use super::unreadable::Unreadable;
use super::{content, directories, pem};
use crate::encoding::pkcs7::Pkcs7Error;
use crate::encrypted::Password;
use crate::files;

/// What a walk finds.
#[derive(Debug)]
pub enum WalkEvent {
    /// A directory of kubeadm's shape; the walk does not go in.
    Node(PathBuf),
    Cluster(PathBuf),
    /// A file, or a symlink to whatever.
    File(PathBuf),
    /// A directory that cannot be listed.
    Failed(PathBuf, Unreadable),
}

/// Not file systems of files.
const NEVER: &[&str] = &["/proc", "/sys", "/dev"];

/// Walks in the order of names. Symlinked directories are not entered, so that the walk ends; keys are left out.
pub fn scan(root: &Path, on: &mut dyn FnMut(WalkEvent)) {
    let mut walk = WalkDir::new(root).sort_by_file_name().into_iter();
    while let Some(entry) = walk.next() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let path = error.path().unwrap_or(root).to_owned();
                on(WalkEvent::Failed(path, Unreadable::Listing(error.io_error().map(files::Kind::from))));
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
            } else if directories::is_cluster(path) {
                on(WalkEvent::Cluster(path.to_owned()));
                walk.skip_current_dir();
            } else if directories::is_node(path) {
                on(WalkEvent::Node(path.to_owned()));
                walk.skip_current_dir();
            }
        } else if path.extension().is_none_or(|extension| extension != "key") {
            on(WalkEvent::File(path.to_owned()));
        }
    }
}

/// The names of the directories in a directory, in order.
pub fn directories(root: &Path) -> Vec<String> {
    let entries = WalkDir::new(root).min_depth(1).max_depth(1).sort_by_file_name().into_iter().filter_map(Result::ok);
    entries.filter(|entry| entry.file_type().is_dir()).map(|e| e.file_name().to_string_lossy().into_owned()).collect()
}

/// Everything below a directory, each item named by its path there.
pub fn directory(root: &Path, password: Option<&Password>) -> Tree {
    let mut loader = Loader::default();
    let mut found = Vec::new();
    scan(root, &mut |event| match event {
        WalkEvent::File(path) => read(&mut loader, root, &path, (ReadMode::Walked, password), &mut found),
        WalkEvent::Failed(path, why) => {
            push(root, &path, vec![ParsedObject::broken(Kind::Certificate, 0, why)], &mut found)
        }
        WalkEvent::Node(_) | WalkEvent::Cluster(_) => {}
    });
    Tree { root: root.display().to_string(), cluster: None, node: None, items: object::linked(found) }
}

/// Everything in one file. A file without any of it is one item that cannot be read.
pub fn file(path: &Path, password: Option<&Password>) -> Tree {
    let mut found = Vec::new();
    read(&mut Loader::default(), path, path, (ReadMode::Named, password), &mut found);
    Tree { root: path.display().to_string(), cluster: None, node: None, items: object::linked(found) }
}

type Found = Vec<(Item, Option<IssuerLink>)>;

fn read(
    loader: &mut Loader,
    root: &Path,
    path: &Path,
    (mode, password): (ReadMode, Option<&Password>),
    found: &mut Found,
) {
    let walked = mode == ReadMode::Walked;
    let broken = |why| vec![ParsedObject::broken(Kind::Certificate, 0, why)];
    let objects = match files::look(path) {
        Ok(Some(source)) => loader.objects(&source, Kind::Certificate, mode, |bytes| contents(bytes, mode, password)),
        // Gone between listing and reading, or a symlink that leads nowhere.
        Ok(None) if walked => Vec::new(),
        Ok(None) => broken(Unreadable::NoFile),
        // Pipes, sockets, devices and symlinks to directories hold no certificate.
        Err(files::Kind::NotAFile(_) | files::Kind::Io(_)) if walked => Vec::new(),
        Err(kind) => broken(Unreadable::File(kind)),
    };
    push(root, path, objects, found);
}

fn contents(bytes: &[u8], mode: ReadMode, password: Option<&Password>) -> Vec<ParsedObject> {
    let mut objects = content::objects(bytes, password);
    if mode == ReadMode::Walked {
        // An encrypted message, or what else PKCS#7 is for.
        objects.retain(|object| {
            !matches!(object.reading, Reading::Unreadable(Unreadable::Pkcs7(Pkcs7Error::OtherContent(_))))
        });
    }
    if objects.is_empty() && mode == ReadMode::Named {
        return vec![pem::unexpected(bytes, Kind::Certificate, "a certificate, CRL, kubeconfig or Secret", None)];
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
