//! A key that the profile or the command line names is outside the tree: what is below it is the tree's own.

use std::path::{Path, PathBuf};

use crate::catalog::CaId;
use crate::error::Error;
use crate::files;
use crate::keys::{GivenKey, KeyArgs};
use crate::profile::{KeyFrom, KeyOptions, Profile, Signing};
use crate::store::Roots;

/// A file that is named as an authority's key.
struct Named {
    authority: CaId,
    /// The field or the option.
    by: String,
    path: PathBuf,
}

/// Refuses a key file in one of the tree's directories.
pub fn refuse_below(roots: &Roots, profile: Option<&Profile>, args: &KeyArgs) -> Result<(), Error> {
    let outside = [&roots.kubelet, &roots.certificates];
    let dirs: Vec<&Path> =
        std::iter::once(roots.main.as_path()).chain(outside.into_iter().flatten().map(PathBuf::as_path)).collect();
    let mut named = given(args).chain(stated(profile));
    let found = named.find_map(|one| Some((dirs.iter().find(|dir| is_below(dir, &one.path))?, one)));
    found.map_or(Ok(()), |(dir, one)| Err(refused(dir, &one)))
}

fn given(args: &KeyArgs) -> impl Iterator<Item = Named> {
    args.keys.iter().filter_map(|(authority, key)| match key {
        GivenKey::File(path) => {
            Some(Named { authority: *authority, by: "--authority-key".to_owned(), path: path.clone() })
        }
        GivenKey::Pem(_) => None,
    })
}

fn stated(profile: Option<&Profile>) -> impl Iterator<Item = Named> {
    let all = profile.into_iter().flat_map(|profile| &profile.authorities);
    all.flat_map(|(authority, options)| {
        let both = [("", options.signing.as_ref()), ("next.", options.next.as_ref())];
        both.into_iter().filter_map(|(next, signing)| match signing {
            Some(Signing::Key(KeyOptions { from: KeyFrom::File(path), .. })) => Some(Named {
                authority: *authority,
                by: format!("authorities.{}.{next}key.file", authority.name()),
                path: PathBuf::from(path),
            }),
            _ => None,
        })
    })
}

/// The name or what it leads to.
fn is_below(dir: &Path, path: &Path) -> bool {
    let name = path.parent().zip(path.file_name()).map(|(parent, name)| files::real(parent).join(name));
    let dir = files::real(dir);
    name.into_iter().chain([files::real(path)]).any(|path| path.starts_with(&dir))
}

fn refused(dir: &Path, Named { authority, by, path }: &Named) -> Error {
    let name = authority.name();
    let error = Error::new(format!("{by} names a file of the tree as the key of {name}: {}", path.display()))
        .because(format!("expected a file outside {}", dir.display()))
        .because("what is in a tree is read by nodes or packed for them, and old copies of it are kept");
    let error = match files::what(None, path) {
        Some(_) => error.hint("move it to a place outside first: it may be the only copy of the key"),
        None => error,
    };
    let out = match by.starts_with("--") {
        true => "name a file outside, or leave the option out for a key that is in its place in the tree",
        false => {
            "name a file outside; or leave file out: the key is then the tree's own, which may be encrypted in a cluster \
             directory (passphraseFile, passphraseEnv)"
        }
    };
    error.hint(out)
}
