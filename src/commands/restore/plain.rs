//! A generation from before a key was encrypted, or moved elsewhere, does not bring it back in plain.

use super::request::Request;
use crate::catalog::CaId;
use crate::encoding::pem;
use crate::error::Error;
use crate::files::RelPath;
use crate::keys;
use crate::store::PriorFile;
use crate::tree::entry_path::entry_of_path;
use crate::workspace::key_places::KeyPlace;
use crate::workspace::{TreeDir, profiles, survey};

/// Refuses to put a plain key where an encrypted one is, or where the profile says that the key is not in the tree.
pub fn refuse_plain(request: &Request, tree: &TreeDir, prior: &[PriorFile]) -> Result<(), Error> {
    let profile = profiles::recorded(&request.dir).ok().flatten().map(|(_, profile)| profile);
    let (mut why, mut protect, mut elsewhere) = (Vec::new(), Vec::new(), false);
    for authority in CaId::ALL {
        let held = prior.iter().filter(|one| is_plain_key(one, authority));
        let paths: Vec<String> =
            held.map(|one| tree.roots.path_of(one.root, &one.path).display().to_string()).collect();
        let Some(own) = tree.directories.authority(authority).1.filter(|_| !paths.is_empty()) else { continue };
        let name = authority.name();
        if let Some(place) = KeyPlace::elsewhere(profile.as_ref(), authority) {
            let at = format!("{} {}", place.name(), place.at().unwrap_or_default());
            why.extend(
                paths.iter().map(|path| format!("{path} would hold the key of {name}, which is elsewhere: {at}")),
            );
            elsewhere = true;
            protect.push(name);
            continue;
        }
        let now = survey::read(&tree.roots, own.root_id(), &RelPath::parse(own.path.as_str())?)?;
        if now.is_some_and(|bytes| keys::is_encrypted(&bytes)) {
            why.extend(
                paths.iter().map(|path| format!("{path} would hold the key of {name} in plain, which is encrypted")),
            );
            protect.push(name);
        }
    }
    if why.is_empty() {
        return Ok(());
    }
    let origin = request.origin();
    let error = Error::new(format!("the restore would bring keys in {} back in plain", request.dir.display()));
    let mut error = why.into_iter().fold(error, Error::because);
    if !protect.is_empty() {
        let command = origin.command("key protect", &protect, &[]);
        error = error.hint(format!("encrypt what the generations keep, then restore: {command}"));
    }
    match elsewhere {
        true => {
            Err(error.hint(format!("choose a generation since then: {}", origin.command("history", &[""; 0], &[]))))
        }
        false => Err(error),
    }
}

/// In the place of the authority's key, on whatever node.
fn is_plain_key(one: &PriorFile, authority: CaId) -> bool {
    let stem = one.path.as_str().strip_suffix(".key").unwrap_or_default();
    let is_its = entry_of_path(&format!("{stem}.crt")).is_some_and(|id| id.name == authority.name());
    let is_plain = |bytes: &[u8]| pem::holds_private_key(bytes) && !keys::is_encrypted(bytes);
    is_its && one.content.as_ref().is_some_and(|(_, bytes)| is_plain(bytes))
}
