//! A generation from before a key was encrypted, or moved elsewhere, does not bring it back in plain.

use super::request::Request;
use crate::catalog::CaId;
use crate::encoding::pem;
use crate::error::Error;
use crate::keys;
use crate::store::PriorFile;
use crate::workspace::key_places::KeyPlace;
use crate::workspace::{TreeDir, profiles, survey};

/// Refuses to put a plain key where an encrypted one is, or where the profile says that the key is not in the tree.
pub fn refuse_plain(request: &Request, tree: &TreeDir, prior: &[PriorFile]) -> Result<(), Error> {
    let profile = profiles::recorded(&request.dir).ok().flatten().map(|(_, profile)| profile);
    let (mut why, mut protect, mut elsewhere) = (Vec::new(), Vec::new(), false);
    for authority in CaId::ALL {
        let Some(place) = tree.directories.authority(authority).1 else { continue };
        let is_it = |one: &&PriorFile| one.root == place.root_id() && one.path.as_str() == place.path;
        let Some(one) = prior.iter().find(is_it) else { continue };
        let is_plain = |bytes: &[u8]| pem::holds_private_key(bytes) && !keys::is_encrypted(bytes);
        if !one.content.as_ref().is_some_and(|(_, bytes)| is_plain(bytes)) {
            continue;
        }
        let (path, name) = (tree.roots.path_of(one.root, &one.path).display().to_string(), authority.name());
        let now = survey::read(&tree.roots, one.root, &one.path)?;
        if let Some(place) = KeyPlace::elsewhere(profile.as_ref(), authority) {
            let at = place.at().unwrap_or_default();
            why.push(format!("{path} would hold the key of {name}, which is elsewhere: {} {at}", place.name()));
            elsewhere = true;
        } else if now.is_some_and(|bytes| keys::is_encrypted(&bytes)) {
            why.push(format!("{path} is encrypted, and would be plain again"));
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
