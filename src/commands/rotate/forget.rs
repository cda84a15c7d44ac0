//! The keys of retired authorities are destroyed: in `.kpki/rotation/`, and in every generation.

use super::context::{Context, Planned};
use crate::error::Error;
use crate::report::rotate as report;
use crate::store::RootId;
use crate::tree::rotation::{Identity, Record, Retired, Rotating};
use crate::workspace::rotation::erase::{self, Copies, Keys};
use crate::workspace::rotation::journal::RotationLine;
use crate::workspace::rotation::record::{self, Kept};

pub(super) fn plan(context: &Context<'_>) -> Result<Planned, Error> {
    let mut planned = Planned::of(&context.record);
    let named = &context.request.authorities;
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
    Ok(planned)
}

/// Destroys one retired authority's key, and takes the authority out of the record.
pub(super) fn one(context: &Context<'_>, retired: &Retired, planned: &mut Planned) -> Result<(), Error> {
    let Retired { authority, number, old, new, .. } = retired;
    let stay = new.iter().chain(others(&planned.record, *authority));
    let previous = record::key_path(*authority, Kept::Previous)?;
    if record::key(&context.session.tree.roots, *authority, Kept::Previous)?.is_some() {
        planned.destroyed.push(shown(context, &previous));
        planned.removals.push((RootId::State, previous));
    }
    erase(context, &Keys::of(old.iter(), stay), planned)?;
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
pub(super) fn erase(context: &Context<'_>, keys: &Keys, planned: &mut Planned) -> Result<(), Error> {
    let Copies { own, kept, in_use } = erase::copies(&context.session.tree.roots, keys, &context.snapshot.survey)?;
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
