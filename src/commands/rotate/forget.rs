//! The keys of retired authorities are destroyed: in `.kpki/rotation/`, and in every generation.

use std::collections::{BTreeMap, BTreeSet};

use super::context::{Context, Planned, certificates};
use super::profile;
use crate::error::Error;
use crate::plan::rotate::number_of;
use crate::report::rotate as report;
use crate::store::RootId;
use crate::tree::rotation::{Identity, KeyPlace, Record, Retired, Rotating};
use crate::workspace::rotation::erase::{self, Copies, Keys};
use crate::workspace::rotation::files;
use crate::workspace::rotation::journal::RotationLine;
use crate::workspace::rotation::nodes;
use crate::workspace::rotation::record::{self, Kept};

pub(super) fn plan(context: &Context<'_>) -> Result<Planned, Error> {
    let mut planned = Planned::of(&context.record);
    let named = &context.request.authorities;
    if context.record.is_empty() && nodes::is_of_a_safe_host(context.session)? {
        on_a_node(context, &mut planned)?;
        return Ok(planned);
    }
    let is_named = |one: &Retired| named.is_empty() || named.contains(&one.authority);
    if let Some(missing) = named.iter().find(|name| !context.record.retired.iter().any(|one| one.authority == **name)) {
        let origin = &context.session.target.origin;
        let retire = origin.command("rotate retire", &[missing.name()], &[]);
        let error = Error::new(format!("no {missing} is retired: there is no key to destroy"));
        return Err(match context.record.of(*missing) {
            Some(rotation) => error.because(format!("it is {}", rotation.phase)).hint(format!("retire it: {retire}")),
            None => error.hint(format!("see how it stands: {}", origin.command("rotate status", &[""; 0], &[]))),
        });
    }
    for retired in context.record.retired.iter().filter(|one| is_named(one)) {
        one(context, retired, &mut planned)?;
    }
    let forgotten: Vec<Rotating> = planned.rows.iter().map(|row| row.authority).collect();
    planned.warnings.extend(on_nodes(context, &forgotten)?);
    Ok(planned)
}

/// What unpacking the steps of a rotation has left in a node's generations: keys of authorities that are in none of its files.
fn on_a_node(context: &Context<'_>, planned: &mut Planned) -> Result<(), Error> {
    let (named, now) = (&context.request.authorities, context.request.run.now);
    for rotating in Rotating::ALL.into_iter().filter(|one| named.is_empty() || named.contains(one)) {
        let present = erase::present(context.session, rotating, &context.snapshot.survey);
        for old in erase::unused(context.session, rotating, &present)? {
            let keys = Keys::of([&old].into_iter(), present.iter());
            erase(context, rotating, &keys, planned)?;
            let old = vec![old];
            let number = number(&present);
            planned.journal.push(RotationLine::line(
                "rotate-forget",
                (rotating, number),
                (&old, &present),
                Vec::new(),
                now,
            ));
            planned.rows.push(report::Row::of_forgotten(rotating, &old, &present));
        }
    }
    Ok(())
}

/// As the name of the authority says it.
fn number(present: &[Identity]) -> u32 {
    certificates(present).first().map_or(1, |one| number_of(&one.subject))
}

/// The nodes that keep copies of their own: unpacking a step keeps what it replaces.
pub(super) fn on_nodes(context: &Context<'_>, forgotten: &[Rotating]) -> Result<Vec<String>, Error> {
    if !context.session.is_exported() {
        return Ok(Vec::new());
    }
    let mut groups: BTreeMap<BTreeSet<String>, Vec<&str>> = BTreeMap::new();
    for rotating in forgotten {
        let held = files::present(files::of(context.session, *rotating)?, &context.snapshot.survey);
        let nodes = held.into_iter().filter(|one| one.is_key).filter_map(|one| one.id.node).collect();
        groups.entry(nodes).or_default().push(rotating.name());
    }
    let said = |(nodes, names): (BTreeSet<String>, Vec<&str>)| {
        let nodes: Vec<String> = nodes.into_iter().collect();
        format!(
            "{}: generations on {} keep the old keys; destroy them on each of these, with the files of the retirement in \
             place: kpki rotate forget",
            names.join(", "),
            nodes.join(", ")
        )
    };
    Ok(groups.into_iter().filter(|(nodes, _)| !nodes.is_empty()).map(said).collect())
}

/// Destroys one retired authority's key, and takes the authority out of the record.
pub(super) fn one(context: &Context<'_>, retired: &Retired, planned: &mut Planned) -> Result<(), Error> {
    let Retired { authority, number, old, new, old_key, .. } = retired;
    // The record says which source signs, until the profile does.
    if let Some(moves) = profile::of_retired(context.session, retired) {
        planned.left.push(format!("what is kept of {authority} stays: {moves}"));
        return Ok(());
    }
    let stay = new.iter().chain(others(&planned.record, *authority));
    let previous = record::key_path(*authority, Kept::Previous)?;
    if record::key(&context.session.tree.roots, *authority, Kept::Previous)?.is_some() {
        planned.destroyed.push(shown(context, &previous));
        planned.removals.push((RootId::State, previous));
    }
    let keys = Keys::of(old.iter(), stay);
    erase(context, *authority, &keys, planned)?;
    if let KeyPlace::Source(source) = old_key {
        planned
            .warnings
            .push(format!("the key of the old {authority} is not kpki's to destroy: {source}; destroy it there"));
    }
    planned.rows.push(report::Row::of_retired(retired));
    let at = context.request.run.now;
    planned.journal.push(RotationLine::line("rotate-forget", (*authority, *number), (old, new), Vec::new(), at));
    planned.record.retired.retain(|one| one != retired);
    Ok(())
}

/// The authorities of all other rotations: their keys stay.
pub(super) fn others(record: &Record, rotating: Rotating) -> impl Iterator<Item = &Identity> {
    record.rotations.iter().filter(move |one| one.authority != rotating).flat_map(|one| one.old.iter().chain(&one.new))
}

/// Every copy of these keys that can be reached is destroyed, and what cannot is said.
pub(super) fn erase(
    context: &Context<'_>,
    rotating: Rotating,
    keys: &Keys,
    planned: &mut Planned,
) -> Result<(), Error> {
    // A run that writes nothing asks for no passphrase.
    let open = |pem: &[u8]| context.opened(rotating, pem).ok();
    let Copies { own, kept, in_use, closed } =
        erase::copies(&context.session.tree.roots, rotating, keys, &context.snapshot.survey, &open)?;
    let closed = closed
        .into_iter()
        .filter(|path| context.is_making() && !planned.removals.contains(&(RootId::State, path.clone())));
    let closed: Vec<String> = closed
        .map(|path| {
            format!(
                "{}: the passphrase does not open this key, and whose it is is not known: nothing of it was destroyed",
                shown(context, &path)
            )
        })
        .collect();
    planned.left.extend(closed);
    for path in own {
        if !planned.removals.contains(&(RootId::State, path.clone())) {
            planned.destroyed.push(shown(context, &path));
            planned.removals.push((RootId::State, path));
        }
    }
    planned.destroyed.extend(kept.iter().map(|path| shown(context, path)));
    planned.erasures.extend(kept);
    // The files that this step itself replaces are not left.
    planned.left.extend(in_use.into_iter().map(|path| format!("{path} still holds the key: it is in use there")));
    Ok(())
}

fn shown(context: &Context<'_>, path: &crate::files::RelPath) -> String {
    context.session.tree.roots.path_of(RootId::State, path).display().to_string()
}
