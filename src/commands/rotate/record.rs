//! The record of a rotation that was begun by hand or by another tool, or whose record was lost: what the files say is written down.

use super::by_source;
use super::context::{Context, Planned};
use super::request::RecordOptions;
use super::shown;
use crate::ca::PrivateKey;
use crate::catalog::CaId;
use crate::clock::rfc3339;
use crate::error::Error;
use crate::plan::rotate::found::Found;
use crate::report::rotate as report;
use crate::tree::rotation::{Identity, KeyPlace, Phase, Retired, Rotating, Rotation};
use crate::workspace::rotation::record::{self, Kept};
use crate::workspace::survey;

pub(super) fn plan(context: &Context<'_>, options: &RecordOptions) -> Result<Planned, Error> {
    let mut planned = Planned::of(&context.record);
    let named = &context.request.authorities;
    for rotating in if named.is_empty() { &Rotating::ALL[..] } else { named } {
        let Some(found) = shown::shown(context, *rotating, options.phase)? else { continue };
        one(context, *rotating, found, options, &mut planned)?;
    }
    Ok(planned)
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
            let Rotation { number, phase, old, new, signed_since, new_key, old_key, .. } = rotation;
            if starts(&new, &own) {
                let emergency = phase == Phase::Emergency;
                planned.record.retired.push(Retired {
                    authority: rotating,
                    number,
                    since,
                    old,
                    new,
                    generation: None,
                    signed_since,
                    new_key,
                    old_key,
                    emergency,
                });
            }
            Ok(())
        }
        (Found::Two { phase, old, new }, Some(rotation))
            if rotation.phase == phase && starts(&rotation.old, &old) && starts(&rotation.new, &new) =>
        {
            Ok(())
        }
        (Found::Two { phase, old, new }, recorded) => {
            let sources = by_source::of(context, rotating, (&old, &new))?;
            let new_key = match sources.new {
                Some(source) => KeyPlace::Source(source),
                None => new_key(context, rotating, (phase, &new), options, planned)?,
            };
            // Who signs now has signed; what was before is known by the record alone.
            let signed = (phase == Phase::Switched).then(|| since.clone());
            let rotation = Rotation {
                authority: rotating,
                number,
                phase,
                since,
                old,
                new,
                new_key,
                old_key: sources.old.map_or(KeyPlace::Here, KeyPlace::Source),
                signer_file_in_use: recorded.as_ref().is_some_and(|one| one.signer_file_in_use),
                kubelets: recorded.as_ref().and_then(|one| one.kubelets),
                generations: std::collections::BTreeMap::new(),
                confirmations: Vec::new(),
                overrides: Vec::new(),
                signed_since: recorded.as_ref().and_then(|one| one.signed_since.clone()).or(signed),
                restored: recorded.as_ref().is_some_and(|one| one.restored),
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
) -> Result<KeyPlace, Error> {
    let is_its = |key: &PrivateKey| {
        new.first().is_some_and(|one| one.public_key == Identity::of_public_key(&key.spki_der()).public_key)
    };
    let present = context.key(rotating)?;
    if phase != Phase::Prepared {
        return Ok(if present.is_some() { KeyPlace::Here } else { KeyPlace::Elsewhere });
    }
    let next = record::key(&context.session.tree.roots, rotating, Kept::Next)?;
    if let Some(next) = next
        && is_its(&context.opened(rotating, &next)?)
    {
        return Ok(KeyPlace::Here);
    }
    let origin = &context.session.target.origin;
    let Some(path) = &options.new_key else {
        if present.is_none() && matches!(rotating, Rotating::Authority(CaId::Cluster | CaId::FrontProxy | CaId::Etcd)) {
            return Ok(KeyPlace::Elsewhere);
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
    planned.own.push(record::key_change(rotating, Kept::Next, context.kept(rotating, &key)?)?);
    Ok(KeyPlace::Here)
}
