//! Steps of authorities whose keys are where the profile names them, or are encrypted: what has to open for them, and the switch to
//! one of which nothing is in the tree.

use super::context::{Context, Planned, certificates};
use super::cross::Cross;
use crate::ca::PrivateKey;
use crate::catalog::CaId;
use crate::error::Error;
use crate::files::RelPath;
use crate::keys::{KeyFault, Why};
use crate::plan::rotate::Trusted;
use crate::store::RootId;
use crate::tree::file;
use crate::tree::rotation::{Identity, KeyPlace, Phase, Rotating, Rotation};
use crate::workspace::rotation::change::{Content, Target};
use crate::workspace::rotation::files;
use crate::workspace::rotation::record::{self, Kept};

/// The key of the new one opens, and that of the old one, whose lists are still signed.
pub(super) fn opens(context: &Context<'_>, rotation: &Rotation, planned: &mut Planned) -> Result<bool, Error> {
    if rotation.new_key == KeyPlace::Elsewhere {
        return Ok(true);
    }
    let next = record::key(&context.session.tree.roots, rotation.authority, Kept::Next)?;
    let (old, new) = (certificates(&rotation.old), certificates(&rotation.new));
    let old = old.first().map(|one| (one, context.key(rotation.authority).ok().flatten()));
    let new = new.first().map(|one| (one, next.as_deref().map(Vec::as_slice)));
    let keys: Vec<_> = new.into_iter().chain(old.filter(|(_, key)| key.is_some())).collect();
    Ok(context.opens(rotation.authority, &keys, planned))
}

/// The key of the old one opens, where it is going to sign again.
pub(super) fn opens_again(context: &Context<'_>, rotating: Rotating, planned: &mut Planned) -> bool {
    let Some(rotation) = context.record.of(rotating).filter(|one| one.phase == Phase::Switched) else { return true };
    if rotation.old_key == KeyPlace::Elsewhere {
        return true;
    }
    let previous = record::key(&context.session.tree.roots, rotating, Kept::Previous).ok().flatten();
    let old = certificates(&rotation.old);
    let keys: Vec<_> = old.first().map(|one| (one, previous.as_deref().map(Vec::as_slice))).into_iter().collect();
    context.opens(rotating, &keys, planned)
}

/// The key of the new one is where the profile names it: nothing of it is in the tree. What the tree has of the old one's is kept.
pub(super) fn plan(
    context: &Context<'_>,
    authority: CaId,
    (rotation, cross_sign): (&Rotation, bool),
    planned: &mut Planned,
) -> Result<(), Error> {
    let (old, new) = (certificates(&rotation.old), certificates(&rotation.new));
    let previous = context.key(rotation.authority)?;
    if let Some(previous) = previous {
        planned.own.push(record::key_change(rotation.authority, Kept::Previous, previous.to_vec().into())?);
        planned.removals.extend(sealed(context, rotation.authority)?);
    }
    planned.reissue.push(authority);
    if cross_sign {
        planned.cross.push(Cross::of(authority, (&old, &new), previous)?);
    }
    planned.targets.push(Target { content: Content::Authority(authority, Trusted::both(&new, &old)), key: None });
    Ok(())
}

/// Encrypted files of a key that signs no more: they do not say whose key it is.
pub(super) fn sealed(context: &Context<'_>, rotating: Rotating) -> Result<Vec<(RootId, RelPath)>, Error> {
    let survey = &context.snapshot.survey;
    let held = files::present(files::of(context.session, rotating)?, survey).into_iter().filter(|one| one.is_key);
    let held = held.filter(|one| file(survey, Some(&one.place)).is_some_and(|pem| PrivateKey::from_pem(pem).is_err()));
    held.map(|one| Ok((one.place.root_id(), RelPath::parse(one.place.path.as_str())?))).collect()
}

/// The sources of the profile that have the keys of two authorities whose rotation nobody has recorded.
#[derive(Debug, Default)]
pub(super) struct Sources {
    pub old: Option<String>,
    pub new: Option<String>,
}

/// Told by the public keys: what is not in the tree is not external for that.
pub(super) fn of(
    context: &Context<'_>,
    rotating: Rotating,
    (old, new): (&[Identity], &[Identity]),
) -> Result<Sources, Error> {
    let Rotating::Authority(authority) = rotating else { return Ok(Sources::default()) };
    let ring = &context.session.tree.keys;
    let own = ring.own_place(authority).map(str::to_owned);
    // Nothing is opened in a run that writes nothing.
    if !context.is_making() {
        let next = ring.next_place(authority).map(str::to_owned);
        return Ok(Sources { new: next.or_else(|| own.clone()), old: own });
    }
    let of = |identities: &[Identity]| match certificates(identities).first() {
        Some(certificate) => ring.source_of(authority, certificate).map(|source| source.map(str::to_owned)),
        None => Ok(None),
    };
    let (found_old, found_new) = (of(old), of(new));
    match (found_old, found_new) {
        // The signer of today needs no publicKey: it is the other one's.
        (Err(KeyFault { why: Why::NoPublicKey, .. }), Ok(Some(new))) if own.as_ref() != Some(&new) => {
            Ok(Sources { old: own, new: Some(new) })
        }
        (old, new) => Ok(Sources { old: old?, new: new? }),
    }
}
