//! What the files of an authority show of a rotation that nobody recorded.

use super::context::Context;
use crate::ca::PrivateKey;
use crate::error::Error;
use crate::plan::rotate::found::{self, Found, Unclear};
use crate::plan::rotate::number_of;
use crate::tree::file;
use crate::tree::rotation::{Identity, Phase, Rotating};
use crate::workspace::rotation::files;
use crate::workspace::rotation::record::{self, Kept};
use crate::x509::{Certificate, parse_authority};

/// What the files show of it, with the number of the newest; `None`: there are none. `word`: the phase, where they do
/// not tell.
pub(super) fn shown(
    context: &Context<'_>,
    rotating: Rotating,
    word: Option<Phase>,
) -> Result<Option<(u32, Found<Identity>)>, Error> {
    let Some(place) = files::own_public(context.session, rotating) else { return Ok(None) };
    let survey = &context.snapshot.survey;
    let Some(bytes) = file(survey, Some(&place)) else { return Ok(None) };
    let roots = &context.session.tree.roots;
    let path = place.full(roots).display().to_string();
    all_the_same(context, rotating, bytes, &path)?;
    let key = context.key(rotating)?.map(|pem| context.opened(rotating, pem)).transpose()?.map(|key| key.spki_der());
    let unclear = |why: Unclear| unclear(context, rotating, &path, &why);
    match rotating {
        Rotating::Authority(_) => {
            let all = parse_authority(bytes).unwrap_or_default();
            let found = found::authority(&all, key.as_deref(), word).map_err(unclear)?;
            let newest = match &found {
                Found::One(own) | Found::Two { new: own, .. } => own.first(),
            };
            let number = newest.map_or(1, |one| number_of(&one.subject));
            Ok(Some((number, identities(found, Identity::of_certificate))))
        }
        Rotating::ServiceAccount => {
            let kept = |which| -> Result<Option<Vec<u8>>, Error> {
                let pem = record::key(roots, rotating, which)?;
                Ok(pem.map(|pem| PrivateKey::from_pem(&pem)).transpose()?.map(|key| key.spki_der()))
            };
            let (next, previous) = (kept(Kept::Next)?, kept(Kept::Previous)?);
            let all = context.service_account();
            let found = found::service_account(&all, key.as_deref(), (next.as_deref(), previous.as_deref()), word);
            Ok(Some((2, identities(found.map_err(unclear)?, |spki: &Vec<u8>| Identity::of_public_key(spki)))))
        }
    }
}

fn identities<T>(found: Found<T>, of: impl Fn(&T) -> Identity) -> Found<Identity> {
    let all = |own: Vec<T>| own.iter().map(&of).collect();
    match found {
        Found::One(own) => Found::One(all(own)),
        Found::Two { phase, old, new } => Found::Two { phase, old: all(old), new: all(new) },
    }
}

/// Every copy says the same, or no phase is true of the tree.
fn all_the_same(context: &Context<'_>, rotating: Rotating, bytes: &[u8], path: &str) -> Result<(), Error> {
    let survey = &context.snapshot.survey;
    let certificates = |bytes: &[u8]| -> Vec<Vec<u8>> {
        parse_authority(bytes).unwrap_or_default().into_iter().map(|one: Certificate| one.der).collect()
    };
    let differs = |found: &[u8]| match rotating {
        Rotating::Authority(_) => certificates(found) != certificates(bytes),
        Rotating::ServiceAccount => found != bytes,
    };
    let copies = files::present(files::of(context.session, rotating)?, survey);
    let others: Vec<String> = copies
        .iter()
        .filter(|held| !held.is_key && file(survey, Some(&held.place)).is_some_and(&differs))
        .map(|held| held.place.full(&context.session.tree.roots).display().to_string())
        .collect();
    if others.is_empty() {
        return Ok(());
    }
    let error = Error::new(format!("the files of {rotating} are not of one phase: nothing was recorded"));
    let error = others.iter().fold(error, |error, other| error.because(format!("{other} differs from {path}")));
    Err(error.hint(format!("copy {path} over the others, or restore it from a backup, then record again")))
}

fn unclear(context: &Context<'_>, rotating: Rotating, path: &str, why: &Unclear) -> Error {
    let error = Error::new(format!("the rotation of {rotating} cannot be told from {path}")).because(why);
    let origin = &context.session.target.origin;
    match why {
        Unclear::NoOrder => error.hint(format!(
            "if the first one is the old one: {}",
            origin.command("rotate record", &[rotating.name()], &["--phase", "prepared"])
        )),
        Unclear::NotFirst(_) => error.hint("put the one that signs first, in every copy, then record again"),
        Unclear::KeyOfNone => error.hint("put the key of the first one in its place, or restore both from a backup"),
        Unclear::Several(_) => error.hint("take those out that nobody needs, in every copy, then record again"),
        Unclear::Empty => error.hint("restore it from a backup"),
    }
}
