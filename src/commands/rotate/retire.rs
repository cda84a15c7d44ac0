//! Step 3: nothing trusts the old authority any more.

use super::context::{Context, Planned, certificates, public_keys};
use super::gate::{self, Passing};
use super::request::RetireOptions;
use super::{cross, forget, profile};
use crate::catalog::CaId;
use crate::clock::rfc3339;
use crate::error::Error;
use crate::files::RelPath;
use crate::plan::rotate::Trusted;
use crate::report::rotate as report;
use crate::tree::rotation::{Phase, Retired, Rotating, Rotation, Way};
use crate::workspace::rotation::change::{Content, Target};
use crate::workspace::rotation::files;

pub(super) fn plan(context: &Context<'_>, options: &RetireOptions) -> Result<Planned, Error> {
    let mut planned = Planned::of(&context.record);
    let mut rotations = context.in_phase(Phase::Switched)?;
    let passing = Passing { confirm_all: options.confirm_all, not_before: options.not_before_override };
    gate::check(context, (&mut rotations, Way::Forth), passing, &mut planned)?;
    // An emergency has no phase in between, and has interrupted everything already.
    let emergencies = context.emergencies();
    planned.warnings.extend(gate::unconfirmed(context, &emergencies)?);
    rotations.extend(emergencies);
    for rotation in rotations {
        one(context, rotation, &mut planned)?;
    }
    if options.forget {
        let mut forgotten = Vec::new();
        let just_now = rfc3339(context.request.run.now);
        for retired in planned.record.retired.clone().iter().filter(|one| one.since == just_now) {
            forget::one(context, retired, &mut planned)?;
            forgotten.push(retired.authority);
        }
        planned.warnings.extend(forget::on_nodes(context, &forgotten)?);
    }
    Ok(planned)
}

fn one(context: &Context<'_>, rotation: Rotation, planned: &mut Planned) -> Result<(), Error> {
    let tree = (context.session, &context.snapshot.survey);
    planned.own.extend(cross::removed(tree, rotation.authority, &certificates(&rotation.old))?);
    let content = match rotation.authority {
        Rotating::Authority(authority) => {
            let trusted = Trusted::alone(&certificates(&rotation.new), &certificates(&rotation.old));
            Content::Authority(authority, trusted)
        }
        Rotating::ServiceAccount => {
            Content::ServiceAccount(Trusted::alone(&public_keys(&rotation.new), &public_keys(&rotation.old)))
        }
    };
    if rotation.phase == Phase::Emergency && rotation.authority == Rotating::Authority(CaId::Cluster) {
        let all = files::trust_files(context.session, &context.snapshot.survey);
        let paths = all.into_iter().filter_map(|place| Some((place.root_id(), RelPath::parse(place.path).ok()?)));
        planned.removals.extend(paths);
    }
    planned.targets.push(Target { content, key: None });
    planned.rows.push(report::Row::of(&rotation, None));
    planned.journal.push(context.line(&rotation, Vec::new()));
    planned.record.take(rotation.authority);
    planned.warnings.extend(profile::moves(context.session, &rotation));
    let Rotation { authority, number, phase, since, old, new, signed_since, new_key, old_key, .. } = rotation;
    planned.record.retired.retain(|one| one.authority != authority);
    planned.record.retired.push(Retired {
        authority,
        number,
        since: rfc3339(context.request.run.now),
        old,
        new,
        generation: context.generation.clone(),
        signed_since: signed_since.or(Some(since)),
        new_key,
        old_key,
        emergency: phase == Phase::Emergency,
    });
    Ok(())
}
