//! What a profile is to say about the keys of a rotation, where they are not in the tree.

use crate::catalog::CaId;
use crate::keys::Owner;
use crate::plan::rotate::move_it;
use crate::tree::rotation::{Identity, KeyPlace, Retired, Rotating, Rotation};
use crate::workspace::Session;
use crate::workspace::rotation::alive;

/// How the new authority's key is named, where nothing names it.
pub(super) fn lines(authority: CaId) -> String {
    format!(
        "name a key for the new one in the profile, below authorities.{}.next: key (file or command), or signer with its publicKey",
        authority.name()
    )
}

/// After the retirement the new one's key is what the profile names for the authority itself.
pub(super) fn moves(session: &Session<'_>, rotation: &Rotation) -> Option<String> {
    of(session, (rotation.authority, &rotation.new, &rotation.new_key))
}

/// The same of one that is retired.
pub(super) fn of_retired(session: &Session<'_>, retired: &Retired) -> Option<String> {
    of(session, (retired.authority, &retired.new, &retired.new_key))
}

fn of(session: &Session<'_>, (rotating, new, place): (Rotating, &[Identity], &KeyPlace)) -> Option<String> {
    let (KeyPlace::Source(source), Some(authority)) = (place, rotating.authority()) else { return None };
    let is_next = session.tree.keys.owner(authority, &alive::certificate(new.first()?)?) == Owner::Next;
    is_next.then(|| move_it(authority, source))
}
