//! The record of a rotation that was begun by hand or by another tool, or whose record was lost: what the files say is written down.

use super::context::{Context, Planned};
use super::request::RecordOptions;
use crate::ca::PrivateKey;
use crate::catalog::CaId;
use crate::clock::rfc3339;
use crate::error::Error;
use crate::plan::rotate::found::{self, Found, Unclear};
use crate::plan::rotate::number_of;
use crate::report::rotate as report;
use crate::tree::file;
use crate::tree::rotation::{Identity, NewKey, Phase, Retired, Rotating, Rotation};
use crate::workspace::rotation::files;
use crate::workspace::rotation::record::{self, Kept};
use crate::workspace::survey;
use crate::x509::{Certificate, parse_authority};
use zeroize::Zeroizing;

pub(super) fn plan(context: &Context<'_>, options: &RecordOptions) -> Result<Planned, Error> {
    let mut planned = Planned::of(&context.record);
    let named = &context.request.authorities;
    for rotating in if named.is_empty() { &Rotating::ALL[..] } else { named } {
        let Some((number, shown)) = shown(context, *rotating, options)? else { continue };
        one(context, *rotating, (number, shown), options, &mut planned)?;
    }
    Ok(planned)
}

/// What the files show of it, with the number of the newest; `None`: there are none.
fn shown(
    context: &Context<'_>,
    rotating: Rotating,
    options: &RecordOptions,
) -> Result<Option<(u32, Found<Identity>)>, Error> {
    let Some(place) = files::own_public(context.session, rotating) else { return Ok(None) };
    let survey = &context.snapshot.survey;
    let Some(bytes) = file(survey, Some(&place)) else { return Ok(None) };
    let roots = &context.session.tree.roots;
    let path = place.full(roots).display().to_string();
    all_the_same(context, rotating, bytes, &path)?;
    let key = context.key(rotating)?.map(PrivateKey::from_pem).transpose()?.map(|key| key.spki_der());
    let unclear = |why: Unclear| unclear(context, rotating, &path, &why);
    match rotating {
        Rotating::Authority(_) => {
            let all = parse_authority(bytes).unwrap_or_default();
            let found = found::authority(&all, key.as_deref(), options.phase).map_err(unclear)?;
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
            let found =
                found::service_account(&all, key.as_deref(), (next.as_deref(), previous.as_deref()), options.phase);
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

fn one(
    context: &Context<'_>,
    rotating: Rotating,
    (number, found): (u32, Found<Identity>),
    options: &RecordOptions,
    planned: &mut Planned,
) -> Result<(), Error> {
    let recorded = planned.record.of(rotating).cloned();
    let since = rfc3339(context.request.run.now);
    match (found, recorded) {
        (Found::One(_), None) => Ok(()),
        // An emergency trusts the new one alone.
        (Found::One(own), Some(rotation)) if rotation.phase == Phase::Emergency && starts(&rotation.new, &own) => {
            Ok(())
        }
        (Found::One(own), Some(rotation)) => {
            planned.rows.push(report::Row::of(&rotation, None));
            planned.journal.push(context.line(&rotation, vec![format!("found {}", names(&own))]));
            planned.record.take(rotating);
            let Rotation { number, phase, old, new, .. } = rotation;
            if starts(&new, &own) {
                let emergency = phase == Phase::Emergency;
                let retired = Retired { authority: rotating, number, since, old, new, generation: None, emergency };
                planned.record.retired.push(retired);
            }
            Ok(())
        }
        (Found::Two { phase, old, new }, Some(rotation))
            if rotation.phase == phase && starts(&rotation.old, &old) && starts(&rotation.new, &new) =>
        {
            Ok(())
        }
        (Found::Two { phase, old, new }, recorded) => {
            let new_key = new_key(context, rotating, (phase, &new), options, planned)?;
            let rotation = Rotation {
                authority: rotating,
                number,
                phase,
                since,
                old,
                new,
                new_key,
                signer_file_in_use: recorded.as_ref().is_some_and(|one| one.signer_file_in_use),
                kubelets: recorded.as_ref().and_then(|one| one.kubelets),
                generations: std::collections::BTreeMap::new(),
                confirmations: Vec::new(),
                overrides: Vec::new(),
            };
            let from = recorded.map(|one| one.phase);
            planned.rows.push(report::Row { from, ..report::Row::of(&rotation, Some(phase)) });
            planned.journal.push(context.line(&rotation, Vec::new()));
            planned.record.retired.retain(|one| one.authority != rotating);
            planned.record.set(rotation);
            Ok(())
        }
    }
}

fn starts(one: &[Identity], other: &[Identity]) -> bool {
    one.first().map(|one| &one.pem) == other.first().map(|one| &one.pem)
}

fn names(own: &[Identity]) -> String {
    let of = |one: &Identity| one.certificate.as_ref().map(|one| one.subject.clone()).or(one.kid.clone());
    own.first().and_then(of).unwrap_or_default()
}

/// Where the key of the new one is: before the switch it is given, or lies in kpki's own state.
fn new_key(
    context: &Context<'_>,
    rotating: Rotating,
    (phase, new): (Phase, &[Identity]),
    options: &RecordOptions,
    planned: &mut Planned,
) -> Result<NewKey, Error> {
    let is_its = |key: &PrivateKey| {
        new.first().is_some_and(|one| one.public_key == Identity::of_public_key(&key.spki_der()).public_key)
    };
    let present = context.key(rotating)?;
    if phase != Phase::Prepared {
        return Ok(if present.is_some() { NewKey::Here } else { NewKey::Elsewhere });
    }
    let next = record::key(&context.session.tree.roots, rotating, Kept::Next)?;
    if let Some(next) = next
        && PrivateKey::from_pem(&next).is_ok_and(|key| is_its(&key))
    {
        return Ok(NewKey::Here);
    }
    let origin = &context.session.target.origin;
    let Some(path) = &options.new_key else {
        if present.is_none() && matches!(rotating, Rotating::Authority(CaId::Cluster | CaId::FrontProxy | CaId::Etcd)) {
            return Ok(NewKey::Elsewhere);
        }
        let give = origin.command("rotate record", &[rotating.name()], &["--new-key", "FILE"]);
        return Err(Error::new(format!("the key of the new {rotating} is not here: nothing was recorded"))
            .because(format!("it is prepared: the new one, {}, is to sign next", names(new)))
            .hint(format!("give it: {give}")));
    };
    let key = survey::key(path)?;
    if !is_its(&key) {
        return Err(Error::new(format!("the key in {} is not that of the new {rotating}", path.display()))
            .because(format!("expected the key of {}", names(new)))
            .hint("give the key that was made with its certificate"));
    }
    let pem = Zeroizing::new(key.to_pem().as_bytes().to_vec());
    planned.own.push(record::key_change(rotating, Kept::Next, pem)?);
    Ok(NewKey::Here)
}
