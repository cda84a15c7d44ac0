//! `.kpki/rotation.json` and the keys in `.kpki/rotation/`.

use zeroize::Zeroizing;

use crate::error::Error;
use crate::files::{RelPath, shell_path};
use crate::store::{FileChange, JsonError, RootId, Roots};
use crate::tree::rotation::{Record, Rotating, VERSION};
use crate::workspace::survey;

/// Below `.kpki/`.
const FILE: &str = "rotation.json";
pub const DIRECTORY: &str = "rotation";

/// Whose key it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Of the new authority, until the switch.
    Next,
    /// Of the old one, from the switch on.
    Previous,
}

/// The record; without one nothing is being rotated.
///
/// # Errors
/// It is damaged, or of a later kpki.
pub fn read(roots: &Roots) -> Result<Record, Error> {
    let path = RelPath::parse(FILE)?;
    let Some(bytes) = survey::read(roots, RootId::State, &path)? else { return Ok(Record::default()) };
    let full = roots.path_of(RootId::State, &path);
    let refused = |why: String| {
        Error::new(format!("cannot read {}", full.display())).because(why).hint(format!(
            "restore it from a backup; or move it away, and record what the files say: kpki rotate record --dir {}",
            shell_path(&roots.main)
        ))
    };
    let record: Record = serde_json::from_slice(&bytes).map_err(|why| refused(JsonError::from(why).to_string()))?;
    if record.version != VERSION {
        return Err(refused(format!("expected version {VERSION}, found {}", record.version)));
    }
    Ok(record)
}

/// The file of a record. One without anything in it is removed instead: [`path`].
pub fn change(record: &Record) -> Result<FileChange, Error> {
    let text = serde_json::to_string_pretty(record).map_err(JsonError::from);
    let text = text.map_err(|why| Error::new("cannot write the record of the rotation").because(why))?;
    own(FILE, (text + "\n").into_bytes().into())
}

/// The record's own path, for its removal.
pub fn path() -> Result<(RootId, RelPath), Error> {
    Ok((RootId::State, RelPath::parse(FILE)?))
}

/// The path of a key below `.kpki/`.
pub fn key_path(rotating: Rotating, kept: Kept) -> Result<RelPath, Error> {
    let which = match kept {
        Kept::Next => "next",
        Kept::Previous => "previous",
    };
    Ok(RelPath::parse(format!("{DIRECTORY}/{}.{which}.key", rotating.name()))?)
}

/// The key as it lies there, in PEM; `None`: there is none.
pub fn key(roots: &Roots, rotating: Rotating, kept: Kept) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
    survey::read(roots, RootId::State, &key_path(rotating, kept)?)
}

/// The file of a key.
pub fn key_change(rotating: Rotating, kept: Kept, pem: Zeroizing<Vec<u8>>) -> Result<FileChange, Error> {
    own(key_path(rotating, kept)?.as_str(), pem)
}

/// The request of a new authority that another one is to sign, while it waits for its certificate.
pub fn request_path(rotating: Rotating) -> Result<(RootId, RelPath), Error> {
    Ok((RootId::State, RelPath::parse(format!("{DIRECTORY}/{}.csr", rotating.name()))?))
}

/// The request as it lies there, in PEM; `None`: there is none.
pub fn request(roots: &Roots, rotating: Rotating) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
    let (root, path) = request_path(rotating)?;
    survey::read(roots, root, &path)
}

/// The file of a request.
pub fn request_change(rotating: Rotating, pem: String) -> Result<FileChange, Error> {
    own(request_path(rotating)?.1.as_str(), pem.into_bytes().into())
}

/// The instructions of a step.
pub fn instructions_change(step: &str, text: String) -> Result<FileChange, Error> {
    own(&format!("{DIRECTORY}/{step}.md"), text.into_bytes().into())
}

/// Where the instructions of a step are, for messages.
pub fn instructions_path(roots: &Roots, step: &str) -> Result<String, Error> {
    let path = RelPath::parse(format!("{DIRECTORY}/{step}.md"))?;
    Ok(roots.path_of(RootId::State, &path).display().to_string())
}

fn own(path: &str, bytes: Zeroizing<Vec<u8>>) -> Result<FileChange, Error> {
    Ok(FileChange { root: RootId::State, path: RelPath::parse(path)?, mode: 0o600, bytes, replace: true })
}
