//! Step 3: nothing trusts the old authority any more.

use super::context::{Context, Planned, certificates, public_keys};
use super::cross;
use super::gate::{self, Passing};
use super::request::RetireOptions;
use crate::clock::rfc3339;
use crate::error::Error;
use crate::plan::rotate::Trusted;
use crate::report::rotate as report;
use crate::tree::rotation::{Phase, Retired, Rotating, Rotation};
use crate::workspace::rotation::change::{Content, Target};

pub(super) fn plan(context: &Context<'_>, options: &RetireOptions) -> Result<Planned, Error> {
    let mut planned = Planned::of(&context.record);
    let mut rotations = context.in_phase(Phase::Switched)?;
    let passing = Passing { confirm_all: options.confirm_all, not_before: options.not_before_override };
    gate::check(context, &mut rotations, passing, &mut planned)?;
    for rotation in rotations {
        one(context, rotation, &mut planned)?;
    }
    Ok(planned)
}

fn one(context: &Context<'_>, rotation: Rotation, planned: &mut Planned) -> Result<(), Error> {
    planned.own.extend(cross::removed(context, rotation.authority, &certificates(&rotation.old))?);
    let content = match rotation.authority {
        Rotating::Authority(authority) => {
            let trusted = Trusted::alone(&certificates(&rotation.new), &certificates(&rotation.old));
            Content::Authority(authority, trusted)
        }
        Rotating::ServiceAccount => {
            Content::ServiceAccount(Trusted::alone(&public_keys(&rotation.new), &public_keys(&rotation.old)))
        }
    };
    planned.targets.push(Target { content, key: None });
    planned.rows.push(report::Row::of(&rotation, None));
    planned.journal.push(context.line(&rotation, Vec::new()));
    planned.record.take(rotation.authority);
    let Rotation { authority, number, old, new, .. } = rotation;
    planned.record.retired.retain(|one| one.authority != authority);
    planned.record.retired.push(Retired {
        authority,
        number,
        since: rfc3339(context.request.run.now),
        old,
        new,
        generation: context.generation.clone(),
    });
    Ok(())
}
