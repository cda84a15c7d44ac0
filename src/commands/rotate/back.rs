//! A step back: from prepared to none, from switched to prepared, and after the retirement trust in the old authority again.

use super::by_source;
use super::content::content;
use super::context::{Context, Planned};
use super::gate::{self, Passing};
use super::request::BackOptions;
use super::{elsewhere, forget};
use crate::catalog::CaId;
use crate::clock::rfc3339;
use crate::error::Error;
use crate::report::rotate as report;
use crate::store::RootId;
use crate::tree::rotation::{KeyPlace, Phase, Retired, Rotating, Rotation, Way};
use crate::workspace::rotation::change::Target;
use crate::workspace::rotation::erase::Keys;
use crate::workspace::rotation::prior;
use crate::workspace::rotation::record::{self, Kept};

pub(super) fn plan(context: &Context<'_>, options: &BackOptions) -> Result<Planned, Error> {
    let mut planned = Planned { keep_good: true, ..Planned::of(&context.record) };
    let named = &context.request.authorities;
    let all: Vec<Rotating> = context.record.rotations.iter().map(|one| one.authority).collect();
    let wanted = if named.is_empty() { &all } else { named };
    let wanted: Vec<Rotating> =
        wanted.iter().copied().filter(|one| by_source::opens_again(context, *one, &mut planned)).collect();
    let mut gated: Vec<Rotation> = wanted.iter().filter_map(|one| context.record.of(*one)).cloned().collect();
    gated.retain(Rotation::is_back_gated);
    let passing = Passing { confirm_all: options.confirm_all, not_before: options.not_before_override };
    gate::check(context, (&mut gated, Way::Back), passing, &mut planned)?;
    for rotating in &wanted {
        // With what the gate has noted.
        let checked = gated.iter().find(|one| one.authority == *rotating);
        match (checked.or_else(|| context.record.of(*rotating)), retired(context, *rotating)) {
            (Some(rotation), _) => match rotation.phase {
                Phase::Prepared => to_none(context, rotation, &mut planned)?,
                Phase::Switched => to_prepared(context, rotation.clone(), &mut planned)?,
                Phase::Emergency => return Err(no_way_back(context, *rotating)),
            },
            (None, Some(retired)) => to_switched(context, retired.clone(), &mut planned)?,
            (None, None) => waiting(context, *rotating, &mut planned)?,
        }
    }
    Ok(planned)
}

fn retired<'c>(context: &'c Context<'_>, rotating: Rotating) -> Option<&'c Retired> {
    context.record.retired.iter().rfind(|one| one.authority == rotating)
}

fn no_way_back(context: &Context<'_>, rotating: Rotating) -> Error {
    let origin = &context.session.target.origin;
    Error::new(format!("{rotating} was replaced in an emergency: there is no way back"))
        .because("the old one is trusted by nobody, because its key is in other hands or lost")
        .hint(format!("go on: {}", origin.command("rotate retire", &[rotating.name()], &[])))
}

/// The request of a new authority that others have not signed yet, or nothing.
fn waiting(context: &Context<'_>, rotating: Rotating, planned: &mut Planned) -> Result<(), Error> {
    let roots = &context.session.tree.roots;
    if record::key(roots, rotating, Kept::Next)?.is_none() && record::request(roots, rotating)?.is_none() {
        context.one_in(rotating, Phase::Prepared)?;
        return Ok(());
    }
    remove_next(rotating, planned)?;
    planned.rows.push(report::Row { authority: rotating, ..report::Row::default() });
    Ok(())
}

/// N's key, and the request that was made with it.
fn remove_next(rotating: Rotating, planned: &mut Planned) -> Result<(), Error> {
    planned.removals.push((RootId::State, record::key_path(rotating, Kept::Next)?));
    planned.removals.push(record::request_path(rotating)?);
    Ok(())
}

/// Nothing uses the new one, any more or yet: its key is destroyed.
fn to_none(context: &Context<'_>, rotation: &Rotation, planned: &mut Planned) -> Result<(), Error> {
    let rotating = rotation.authority;
    let content = content(rotating, (&rotation.old, &[]), &rotation.new);
    planned.targets.push(Target { content, key: None });
    remove_next(rotating, planned)?;
    if rotation.new_key == KeyPlace::Elsewhere {
        planned.removals.extend(elsewhere::taken_back(context, rotating)?);
    }
    if let KeyPlace::Source(source) = &rotation.new_key {
        planned
            .warnings
            .push(format!("the key of the new {rotating} is not kpki's to destroy: {source}; destroy it there"));
    }
    let stay = rotation.old.iter().chain(forget::others(&context.record, rotating));
    forget::erase(context, rotating, &Keys::of(rotation.new.iter(), stay), planned)?;
    planned.rows.push(report::Row::of(rotation, None));
    planned.journal.push(context.line(rotation, Vec::new()));
    planned.record.take(rotating);
    Ok(())
}

/// The old one signs again, and what it has signed is put back.
fn to_prepared(context: &Context<'_>, mut rotation: Rotation, planned: &mut Planned) -> Result<(), Error> {
    let rotating = rotation.authority;
    let previous = elsewhere::previous_key(context, &rotation, planned)?;
    if rotation.new_key == KeyPlace::Here {
        let missing = || Error::new(format!("the key of {rotating} is not here")).hint("restore it from a backup");
        let present = context.key(rotating)?.ok_or_else(missing)?;
        planned.own.push(record::key_change(rotating, Kept::Next, present.to_vec().into())?);
    }
    planned.removals.push((RootId::State, record::key_path(rotating, Kept::Previous)?));
    let content = content(rotating, (&rotation.old, &rotation.new), &[]);
    planned.targets.push(Target { content, key: previous });
    if let Rotating::Authority(authority) = rotating {
        planned.reissue.push(authority);
        put_back(context, authority, &rotation, planned)?;
    }
    planned.rows.push(report::Row::of(&rotation, Some(Phase::Prepared)));
    planned.warnings.push(format!(
        "what the new {rotating} has signed for others meanwhile is still accepted: it is trusted until kpki rotate back is run once \
         more, which is refused while such certificates are valid"
    ));
    planned.journal.push(context.line(&rotation, Vec::new()));
    rotation.signed_since.get_or_insert_with(|| rotation.since.clone());
    (rotation.kubelets, rotation.restored) = (None, false);
    if rotation.old_key == KeyPlace::Elsewhere {
        rotation.old_key = KeyPlace::Here;
    }
    planned.record.set(at(context, rotation, Phase::Prepared));
    Ok(())
}

/// What the old one had signed, as the switch has kept it.
fn put_back(context: &Context<'_>, authority: CaId, rotation: &Rotation, planned: &mut Planned) -> Result<(), Error> {
    let session = context.session;
    // The generation that has brought it back from its retirement keeps what the new one had signed.
    let found = match rotation.generations.get(&Phase::Switched).filter(|_| !rotation.restored) {
        Some(name) => {
            let credentials = session.credentials.iter().filter(|one| one.authority == Some(authority));
            prior::before(&session.tree, name, credentials)?
        }
        None => None,
    };
    match found {
        Some(found) => planned.put_back.extend(found),
        None => planned.warnings.push(format!(
            "what {authority} had signed before the switch is not kept any more: everything is made again by the old one",
            authority = authority.name()
        )),
    }
    Ok(())
}

/// The old one is trusted again behind the new one; it does not sign.
fn to_switched(context: &Context<'_>, retired: Retired, planned: &mut Planned) -> Result<(), Error> {
    let Retired { authority, number, since, old, new, signed_since, emergency, new_key, old_key, .. } = retired;
    if emergency {
        return Err(no_way_back(context, authority));
    }
    let place = |recorded: KeyPlace, is_here: bool| match recorded {
        KeyPlace::Source(source) => KeyPlace::Source(source),
        _ if is_here => KeyPlace::Here,
        _ => KeyPlace::Elsewhere,
    };
    let previous = record::key(&context.session.tree.roots, authority, Kept::Previous)?;
    planned.record.retired.retain(|one| one.authority != authority);
    planned.targets.push(Target { content: content(authority, (&new, &old), &[]), key: None });
    let rotation = Rotation {
        authority,
        number,
        phase: Phase::Switched,
        since: String::new(),
        old,
        new,
        new_key: place(new_key, context.key(authority)?.is_some()),
        old_key: place(old_key, previous.is_some()),
        signer_file_in_use: false,
        kubelets: None,
        generations: std::collections::BTreeMap::new(),
        confirmations: Vec::new(),
        overrides: Vec::new(),
        // Of an earlier kpki: at the latest when it was retired.
        signed_since: signed_since.or(Some(since)),
        restored: true,
    };
    planned.rows.push(report::Row { from: None, ..report::Row::of(&rotation, Some(Phase::Switched)) });
    planned.journal.push(context.line(&rotation, Vec::new()));
    planned.record.set(at(context, rotation, Phase::Switched));
    Ok(())
}

/// In another phase from now on: nobody has confirmed it, whatever they had before.
fn at(context: &Context<'_>, mut rotation: Rotation, phase: Phase) -> Rotation {
    (rotation.phase, rotation.since) = (phase, rfc3339(context.request.run.now));
    rotation.confirmations.clear();
    rotation.generations = context.generation.iter().map(|name| (phase, name.clone())).collect();
    rotation
}
