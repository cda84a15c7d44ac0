//! Step 2: the new authority signs, and has signed everything in the tree; both are trusted.

use super::context::{Context, Planned, certificates, public_keys};
use super::gate::{self, Passing};
use super::request::SwitchOptions;
use crate::clock::rfc3339;
use crate::error::Error;
use crate::plan::rotate::Trusted;
use crate::report::rotate as report;
use crate::store::RootId;
use crate::tree::rotation::{Phase, Rotating, Rotation};
use crate::workspace::rotation::change::{Content, Target};
use crate::workspace::rotation::record::{self, Kept};

pub(super) fn plan(context: &Context<'_>, options: &SwitchOptions) -> Result<Planned, Error> {
    let mut planned = Planned::of(&context.record);
    planned.reuse_key = options.reuse_keys;
    let mut rotations = context.in_phase(Phase::Prepared)?;
    let passing = Passing { confirm_all: options.confirm_all, not_before: options.not_before_override };
    gate::check(context, &mut rotations, passing, &mut planned)?;
    for rotation in rotations {
        one(context, rotation, &mut planned)?;
    }
    Ok(planned)
}

fn one(context: &Context<'_>, mut rotation: Rotation, planned: &mut Planned) -> Result<(), Error> {
    let rotating = rotation.authority;
    let roots = &context.session.tree.roots;
    let next = record::key(roots, rotating, Kept::Next)?.ok_or_else(|| {
        Error::new(format!(
            "the key of the new {rotating} is missing: {DIRECTORY}/{rotating}.next.key",
            DIRECTORY = record::DIRECTORY
        ))
        .hint("restore it from a backup, or take the preparation back: kpki rotate back")
    })?;
    let previous = context.key(rotating)?.ok_or_else(|| Error::new(format!("the key of {rotating} is not here")))?;
    planned.own.push(record::key_change(rotating, Kept::Previous, previous.to_vec().into())?);
    planned.removals.push((RootId::State, record::key_path(rotating, Kept::Next)?));
    let content = match rotating {
        Rotating::Authority(authority) => {
            planned.reissue.push(authority);
            let (old, new) = (certificates(&rotation.old), certificates(&rotation.new));
            Content::Authority(authority, Trusted::both(&new, &old))
        }
        Rotating::ServiceAccount => {
            Content::ServiceAccount(Trusted::both(&public_keys(&rotation.new), &public_keys(&rotation.old)))
        }
    };
    planned.targets.push(Target { content, key: Some(next) });
    planned.rows.push(report::Row::of(&rotation, Some(Phase::Switched)));
    (rotation.phase, rotation.since) = (Phase::Switched, rfc3339(context.request.run.now));
    rotation.generations.extend(context.generation.iter().map(|name| (Phase::Switched, name.clone())));
    planned.journal.push(context.line(&rotation, Vec::new()));
    planned.record.set(rotation);
    Ok(())
}
