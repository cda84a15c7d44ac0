//! The key of a new authority: made here and kept as the old one's is, or where the profile names one for it.

use super::context::{Context, Planned, certificates};
use super::profile;
use crate::blueprint::Algorithm;
use crate::ca::{Signer, same_key};
use crate::catalog::CaId;
use crate::error::Error;
use crate::files;
use crate::keys::{Fresh, KeyFault, Owner};
use crate::plan::rotate::move_it;
use crate::store::OuterFile;
use crate::tree::rotation::{KeyPlace, Rotating};
use crate::x509::Certificate;
use std::sync::Arc;

/// A key of which nothing is written yet.
#[derive(Debug)]
pub(super) enum Born {
    /// It is made when it is known which kind: in the tree.
    Tree,
    /// By this source of the profile; `None`: nothing is made now.
    Source(String, Option<Fresh>),
}

/// Where it is to be. `wanted`: the kind that is asked for. `None`: it cannot be used now, which is said in `planned`.
pub(super) fn of(
    context: &Context<'_>,
    (rotating, wanted): (Rotating, Option<Algorithm>),
    planned: &mut Planned,
) -> Option<Born> {
    let Rotating::Authority(authority) = rotating else { return Some(Born::Tree) };
    let ring = &context.session.tree.keys;
    let signer = context.snapshot.certificate(authority);
    let source = ring.next_place(authority).filter(|_| !is_signing(context, authority));
    let Some(source) = source else {
        let keys: Vec<_> = signer.map(|one| (one, context.key(rotating).ok().flatten())).into_iter().collect();
        // What is made is encrypted with what opens the present one.
        let is_here = keys.iter().any(|(_, key)| key.is_some());
        return (!is_here || context.opens(rotating, &keys, planned)).then_some(Born::Tree);
    };
    if !context.is_making() {
        return Some(Born::Source(source.to_owned(), None));
    }
    match ring.to_come().fresh(authority, wanted.or_else(|| stated(context, authority))) {
        Ok(next) => Some(Born::Source(source.to_owned(), Some(next))),
        Err(why) => {
            let hint = why.why.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
            planned.left.push(format!("{rotating} stays as it is: the new one: {why}{hint}"));
            None
        }
    }
}

/// The profile's `next` is the authority that signs now: it was switched to, and the profile was not changed after that.
pub(super) fn is_signing(context: &Context<'_>, authority: CaId) -> bool {
    let signer = context.snapshot.certificate(authority);
    signer.is_some_and(|one| context.session.tree.keys.owner(authority, one) == Owner::Next)
}

/// The next steps follow the recorded profile, and that is another one.
pub(super) fn unrecorded(context: &Context<'_>, authority: CaId) -> Option<(String, String)> {
    let source = context.session.tree.keys.next_place(authority)?;
    let (origin, name) = (&context.session.target.origin, authority.name());
    context.session.target.unrecorded.is_some().then(|| {
        (
            format!(
                "the profile names the key of the new {name} ({source}), and this tree records another profile, which the next \
                 steps follow"
            ),
            format!("record it first: {}", origin.command("renew", &["all"], &["--due"])),
        )
    })
}

/// Why a new authority has no place for its key, with what helps.
pub(super) fn unnamed(context: &Context<'_>, authority: CaId) -> Option<(String, String)> {
    if let Some(cause) = unrecorded(context, authority) {
        return Some(cause);
    }
    let (place, name) = (context.place(authority)?, authority.name());
    match context.session.tree.keys.next_place(authority) {
        Some(source) if is_signing(context, authority) => Some((
            format!("{name} signs with the key that the profile names for the authority to come"),
            format!("{}; then {}", move_it(authority, source), profile::lines(authority)),
        )),
        Some(_) => None,
        None => Some((
            format!(
                "the key of {name} is not in the tree ({place}), and the profile does not say where that of the new one is to be"
            ),
            profile::lines(authority),
        )),
    }
}

impl Born {
    pub const fn is_elsewhere(&self) -> bool {
        matches!(self, Self::Source(..))
    }

    /// The source, if it has the key of this certificate.
    pub fn source_of(&self, certificate: &Certificate) -> Option<String> {
        match self {
            Self::Source(source, Some(Fresh::There(signer))) if signer.is_key_of(certificate) => Some(source.clone()),
            // Nothing is opened in a run that writes nothing.
            Self::Source(source, None) => Some(source.clone()),
            _ => None,
        }
    }

    /// The key itself, and where it is by the record. `usual`: the kind of a key that is made.
    pub fn signer(
        self,
        context: &Context<'_>,
        (authority, old): (CaId, &Certificate),
        usual: Algorithm,
        planned: &mut Planned,
    ) -> Result<(Box<dyn Signer>, KeyPlace), Error> {
        let (source, fresh) = match self {
            Self::Tree => return Ok((Box::new(context.generate(usual)?), KeyPlace::Here)),
            Self::Source(source, fresh) => (source, fresh),
        };
        let signer: Box<dyn Signer> = match fresh {
            None => Box::new(context.generate(usual)?),
            Some(Fresh::There(signer)) if signer.is_key_of(old) => {
                return Err(same(context, authority, &source));
            }
            Some(Fresh::There(signer)) => match shared(context, (authority, old), &*signer, planned) {
                Some(other) => return Err(one_for_two(authority, other, &source)),
                None => signer,
            },
            Some(Fresh::Made(birthplace)) => {
                let key = Arc::new(context.generate(usual)?);
                if let Some(path) = birthplace.file.clone() {
                    if planned.outer.iter().any(|outer| files::real(&outer.path) == files::real(&path)) {
                        return Err(one_for_two(authority, "another authority", &source));
                    }
                    files::trusted(&path)?;
                    let contents = birthplace.contents(&key);
                    let bytes = contents.map_err(|why| KeyFault { authority, at: source.clone(), why })?;
                    // An emergency signs with it before its file is there.
                    context.session.tree.keys.to_come().keep_open(authority, Arc::clone(&key));
                    planned.outer.push(OuterFile { path, mode: 0o600, bytes, replace: false });
                }
                Box::new(key)
            }
        };
        Ok((signer, KeyPlace::Source(source)))
    }
}

/// The kind of key that the profile states for this authority.
fn stated(context: &Context<'_>, authority: CaId) -> Option<Algorithm> {
    context.session.profile()?.authorities.get(&authority)?.algorithm
}

/// Another authority that has this key or is to have it, and did not have the old one already.
fn shared(
    context: &Context<'_>,
    (authority, old): (CaId, &Certificate),
    signer: &dyn Signer,
    planned: &Planned,
) -> Option<&'static str> {
    let is_new = |other: &CaId| {
        let rotations = planned.record.rotations.iter().filter(|one| one.authority == Rotating::Authority(*other));
        rotations.flat_map(|one| certificates(&one.new)).any(|one| signer.is_key_of(&one))
    };
    let has = |other: CaId, is: &dyn Fn(&Certificate) -> bool| context.snapshot.bundle(other).iter().any(is);
    let others = CaId::ALL.into_iter().filter(|other| *other != authority);
    let mut others = others.filter(|other| !has(*other, &|one| same_key(&one.spki_der, &old.spki_der)));
    others.find(|other| is_new(other) || has(*other, &|one| signer.is_key_of(one))).map(CaId::name)
}

fn one_for_two(authority: CaId, other: &str, source: &str) -> Error {
    let name = authority.name();
    Error::new(format!("the key of the new {name} cannot be used: nothing was written"))
        .because(format!("{source}: expected a key of its own, found that of {other}"))
        .because("who trusts the one would trust what the other has signed")
        .hint(format!("name another one below authorities.{name}.next in the profile"))
}

fn same(context: &Context<'_>, authority: CaId, source: &str) -> Error {
    let name = authority.name();
    Error::new(format!("the key of the new {name} cannot be used: nothing was written"))
        .because(format!("{source}: expected a new key, found that of the authority that signs now"))
        .hint("name another one below next in the profile")
        .hint(format!(
            "or renew the authority with its key: {}",
            context.session.target.origin.command("renew", &[name], &[])
        ))
}
