//! Any directory or file: what is in it, by content.

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::around::{self, Around};
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
            if !is_entered(path, on) {
                walk.skip_current_dir();
            }
        } else if is_read(path) {
            on(WalkEvent::File(path.to_owned()));
        }
    }
}

/// Keys are not.
pub fn is_read(path: &Path) -> bool {
    path.extension().is_none_or(|extension| extension != "key")
}

/// Whether a directory below is walked, too; else it is passed over, or is a tree.
fn is_entered(path: &Path, on: &mut dyn FnMut(WalkEvent)) -> bool {
    if NEVER.iter().any(|never| path == Path::new(never)) {
        return false;
    }
    if directories::is_cluster(path) {
        on(WalkEvent::Cluster(path.to_owned()));
        return false;
    }
    let is_node = directories::is_node(path);
    if is_node {
        on(WalkEvent::Node(path.to_owned()));
    }
    !is_node
}

/// [`scan`] comes to this directory on its way.
pub fn scan_below(path: &Path, on: &mut dyn FnMut(WalkEvent)) {
    if is_entered(path, on) {
        scan(path, on);
    }
}

/// The names of the directories in a directory, in order.
pub fn directories(root: &Path) -> Vec<String> {
    let entries = WalkDir::new(root).min_depth(1).max_depth(1).sort_by_file_name().into_iter().filter_map(Result::ok);
    entries.filter(|entry| entry.file_type().is_dir()).map(|e| e.file_name().to_string_lossy().into_owned()).collect()
}

/// Everything below a directory, each item named by its path there.
pub fn directory(root: &Path, password: Option<&Password>) -> Tree {
    let mut walk = Walk::new(root, password);
    scan(root, &mut |event| match event {
        WalkEvent::File(path) => walk.read(&path, ReadMode::Walked),
        WalkEvent::Failed(path, why) => walk.push(&path, vec![ParsedObject::broken(Kind::Certificate, 0, why)]),
        WalkEvent::Node(_) | WalkEvent::Cluster(_) => {}
    });
    walk.tree()
}

/// Everything in one file. A file without any of it is one item that cannot be read.
pub fn file(path: &Path, password: Option<&Password>) -> Tree {
    let mut walk = Walk::new(path, password);
    walk.read(path, ReadMode::Named);
    walk.tree()
}

struct Walk<'a> {
    root: &'a Path,
    loader: Loader,
    /// For files that kubeconfigs refer to.
    referred: Loader,
    found: Vec<(Item, Option<IssuerLink>)>,
    notes: Vec<String>,
    password: Option<&'a Password>,
}

impl<'a> Walk<'a> {
    fn new(root: &'a Path, password: Option<&'a Password>) -> Self {
        let (loader, referred) = (Loader::default(), Loader::default());
        Self { root, loader, referred, found: Vec::new(), notes: Vec::new(), password }
    }

    fn tree(self) -> Tree {
        let (root, items) = (self.root.display().to_string(), object::linked(self.found));
        Tree { root, cluster: None, node: None, items, notes: self.notes }
    }

    fn read(&mut self, path: &Path, mode: ReadMode) {
        let walked = mode == ReadMode::Walked;
        let broken = |why| vec![ParsedObject::broken(Kind::Certificate, 0, why)];
        let beside = around::beside(path);
        let mut around = Around::new(&beside, &mut self.referred);
        around.password = self.password;
        let objects = match files::look(path) {
            Ok(Some(source)) => {
                let read = |bytes: &[u8]| contents(bytes, mode, &mut around);
                self.loader.objects(&source, Kind::Certificate, mode, read)
            }
            // Gone between listing and reading, or a symlink that leads nowhere.
            Ok(None) if walked => Vec::new(),
            Ok(None) => broken(Unreadable::NoFile),
            // Pipes, sockets, devices and symlinks to directories hold no certificate.
            Err(files::Kind::NotAFile(_) | files::Kind::Io(_)) if walked => Vec::new(),
            Err(kind) => broken(Unreadable::File(kind)),
        };
        let notes = std::mem::take(&mut around.notes);
        self.notes.extend(notes.into_iter().map(|note| format!("{}: {note}", path.display())));
        self.push(path, objects);
    }

    fn push(&mut self, path: &Path, objects: Vec<ParsedObject>) {
        if objects.is_empty() {
            return;
        }
        let below = path.strip_prefix(self.root).ok().filter(|below| !below.as_os_str().is_empty());
        let name = match below {
            Some(below) => below.display().to_string(),
            None => {
                let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
                name.unwrap_or_else(|| path.display().to_string())
            }
        };
        let path = path.display().to_string();
        let place = Place {
            name: &name,
            path: &path,
            authority: None,
            optional: false,
            externally_managed: false,
            has_issuer: false,
        };
        self.found.extend(objects.into_iter().map(|object| object::item(object, place)));
    }
}

fn contents(bytes: &[u8], mode: ReadMode, around: &mut Around<'_>) -> Vec<ParsedObject> {
    let mut objects = content::objects(bytes, around);
    if mode == ReadMode::Walked {
        // An encrypted message, or what else PKCS#7 is for.
        objects.retain(|object| {
            !matches!(object.reading, Reading::Unreadable(Unreadable::Pkcs7(Pkcs7Error::OtherContent(_))))
        });
    }
    // A kubeconfig without certificates is said to be one.
    if objects.is_empty() && around.notes.is_empty() && mode == ReadMode::Named {
        return vec![pem::unexpected(bytes, Kind::Certificate, "a certificate, CRL, kubeconfig or manifest", None)];
    }
    objects
}
