//! What a kubeconfig refers to outside itself, and what is to be said of what is not judged.

use std::path::{Path, PathBuf};

use super::item::{Kind, Reading};
use super::load::{Loader, ReadMode};
use super::object::ParsedObject;
use super::unreadable::Unreadable;
use super::{keys, pem};
use crate::encoding::key_public::Half;
use crate::encoding::shown::named;
use crate::encrypted::Password;
use crate::files;

/// Where a path in a kubeconfig leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referred {
    pub path: PathBuf,
    /// It may be missing: the machine it means is another one.
    pub optional: bool,
}

/// Finds the files a kubeconfig names.
pub type Find<'a> = &'a dyn Fn(&str) -> Option<Referred>;

/// What goes with the bytes of one file.
pub struct Around<'a> {
    find: Find<'a>,
    loader: &'a mut Loader,
    pub notes: Vec<String>,
    /// Of what is encrypted.
    pub password: Option<&'a Password>,
}

impl std::fmt::Debug for Around<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Around({} notes)", self.notes.len())
    }
}

/// Of bytes that have no place of their own, such as a value in a Secret.
pub const NOWHERE: Find<'static> = &|_| None;

/// From the directory of a kubeconfig, as kubectl does.
pub fn beside(kubeconfig: &Path) -> impl Fn(&str) -> Option<Referred> {
    let directory = kubeconfig.parent().unwrap_or(Path::new("")).to_owned();
    move |path| Some(Referred { path: directory.join(path), optional: false })
}

impl<'a> Around<'a> {
    pub fn new(find: Find<'a>, loader: &'a mut Loader) -> Self {
        Self { find, loader, notes: Vec::new(), password: None }
    }

    /// The same notes, and no files.
    pub fn without_files<R>(&mut self, work: impl FnOnce(&mut Around<'_>) -> R) -> R {
        let mut inner = Around::new(NOWHERE, self.loader);
        inner.password = self.password;
        let result = work(&mut inner);
        let notes = inner.notes;
        self.notes.extend(notes);
        result
    }

    pub fn note(&mut self, text: String) {
        self.notes.push(text);
    }

    /// The certificates in a file that is named, or that there is none.
    pub fn certificates(&mut self, name: &str, kind: Kind) -> Vec<ParsedObject> {
        let Some(Referred { path, optional }) = (self.find)(name) else {
            self.note(format!("not looked at: the file {}", named(name)));
            return Vec::new();
        };
        let objects = match files::look(&path) {
            Err(why) => vec![ParsedObject::broken(kind, 0, Unreadable::File(why))],
            Ok(None) => vec![ParsedObject { optional, ..ParsedObject::new(kind, 0, Reading::Missing) }],
            Ok(Some(source)) => {
                self.loader.objects(&source, kind, ReadMode::Named, |bytes| pem::wanted(bytes, kind, None))
            }
        };
        objects.into_iter().map(|object| at(object, name, &path)).collect()
    }

    /// Whose key is in a file that is named, where it may be read and says so.
    pub fn half(&mut self, name: &str) -> Option<Half> {
        let source = files::look(&(self.find)(name)?.path).ok()??;
        self.loader.small(&source, Half::of).ok()?
    }

    /// A key's file that is named and is not there, or is of no use. What may not be read may be well.
    pub fn unusable_key(&mut self, name: &str) -> Option<ParsedObject> {
        let Referred { path, optional } = (self.find)(name)?;
        let reading = match files::look(&path) {
            Ok(None) => Reading::Missing,
            Err(files::Kind::PermissionDenied) => return None,
            Err(why) => Reading::Unreadable(Unreadable::File(why)),
            Ok(Some(source)) => {
                Reading::Unreadable(self.loader.small(&source, keys::read).and_then(std::convert::identity).err()?)
            }
        };
        Some(at(ParsedObject { optional, ..ParsedObject::new(Kind::Kubeconfig, 0, reading) }, name, &path))
    }
}

/// A key pasted in the place of a path is none to report.
fn at(object: ParsedObject, name: &str, path: &Path) -> ParsedObject {
    let is_path = named(name) == name;
    ParsedObject { elsewhere: is_path.then(|| path.display().to_string()), ..object }
}
