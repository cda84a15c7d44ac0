//! The parts of a status: nodes, dates, instructions, old keys.

use std::collections::BTreeMap;

use time::Duration;

use super::words;
use crate::clock::{length, rfc3339};
use crate::error::Error;
use crate::plan::rotate::gate;
use crate::plan::rotate::in_force::Missing;
use crate::profile::WAITS;
use crate::report::rotate::status::{InForce, Kept, NodeRow, Waits};
use crate::tree::rotation::{ConfirmedBy, KeyPlace, Phase, Retired, Rotation};
use crate::workspace::Session;
use crate::workspace::rotation::ahead;
use crate::workspace::rotation::nodes::Shown;
use crate::workspace::rotation::record;
use crate::workspace::rotation::standing::Standing;
use crate::workspace::shipping::receipt::instant;

/// From then on it is said again that the old key is kept.
const REMINDER: Duration = Duration::days(30);
/// So near its end the old authority is a reason to hurry.
const NEAR: Duration = Duration::days(30);

/// The nodes, with the contradictions among them.
pub(super) fn rows(
    standing: &Standing,
    (nodes, missing): (&mut BTreeMap<String, NodeRow>, &mut BTreeMap<String, Vec<Missing>>),
    findings: &mut Vec<String>,
) {
    let rotating = standing.rotation.authority;
    for (node, shown) in &standing.nodes {
        let row = nodes.entry(node.clone()).or_insert_with(|| NodeRow::of(node));
        let all = missing.entry(node.clone()).or_default();
        let (by, owed) = match shown {
            Shown::Confirmed(one) if one.by == ConfirmedBy::Receipt => (Some("receipt"), &[][..]),
            Shown::Confirmed(_) => (Some("confirmed"), &[][..]),
            Shown::Receipt(_) => (Some("receipt"), &[][..]),
            Shown::No { missing } => (None, missing.as_slice()),
            Shown::Contradicts { time, missing } => {
                let owed = words::owed(missing);
                findings.push(format!(
                    "{node} was confirmed for {rotating}, and its receipt of {time} shows otherwise: {}",
                    owed.join("; ")
                ));
                (None, missing.as_slice())
            }
        };
        row.in_force &= by.is_some();
        row.authorities.push(InForce { authority: rotating, phase: standing.rotation.phase, seen_by: by });
        for one in owed {
            if !all.contains(one) {
                all.push(one.clone());
            }
        }
        all.sort_by_key(words::place);
        (row.owed, row.owed_short) = (words::owed(all), words::owed_short(all));
    }
}

/// The old authority ends before the waits can be over.
pub(super) fn too_late(session: &Session<'_>, standing: &Standing) -> Option<String> {
    let rotation = &standing.rotation;
    let ends = instant(&rotation.old.first()?.certificate.as_ref()?.not_after)?;
    let waits = session.profile().map_or(WAITS, |profile| profile.rotation);
    let opens = gate::opens(&standing.closed, session.run.now);
    let over = match rotation.phase {
        Phase::Prepared => opens.saturating_add(waits.before_retire.duration()),
        Phase::Switched | Phase::Emergency => opens,
    };
    (ends < over).then(|| {
        format!(
            "{}: the old one ends at {}, before the waits are over, at {}",
            rotation.authority,
            rfc3339(ends),
            rfc3339(over)
        )
    })
}

pub(super) fn near(session: &Session<'_>, standing: &Standing) -> Option<String> {
    let ends = instant(&standing.rotation.old.first()?.certificate.as_ref()?.not_after)?;
    let left = ends - session.run.now;
    (left < NEAR && left.is_positive())
        .then(|| format!("the old {} ends in {}", standing.rotation.authority, length(left)))
}

/// The file with what is to be done in the cluster.
pub(super) fn instructions(session: &Session<'_>, phase: Phase) -> Result<Option<String>, Error> {
    let step = match phase {
        Phase::Prepared => "prepare",
        Phase::Switched => "switch",
        Phase::Emergency => "emergency",
    };
    let path = record::instructions_path(&session.tree.roots, step)?;
    Ok(crate::files::what(None, path.as_ref()).map(|_| path))
}

/// The key of an authority that is out of use. A directory that cannot be read has been reported before.
pub(super) fn kept(session: &Session<'_>, retired: &Retired) -> Result<Kept, Error> {
    let key = record::key(&session.tree.roots, retired.authority, record::Kept::Previous)?;
    let old_enough = instant(&retired.since).is_some_and(|since| session.run.now - since >= REMINDER);
    Ok(Kept {
        authority: retired.authority,
        number: retired.number,
        since: retired.since.clone(),
        key: key.is_some(),
        remind: key.is_some() && old_enough,
    })
}

/// What a new authority whose key is elsewhere has still to sign, once it was asked. Without requests the switch makes them.
pub(super) fn signatures(session: &Session<'_>, rotation: &Rotation) -> Result<Option<Waits>, Error> {
    let Some(authority) = rotation.authority.authority().filter(|_| rotation.new_key == KeyPlace::Elsewhere) else {
        return Ok(None);
    };
    let asked = if rotation.phase == Phase::Prepared { ahead::asked(session, authority)? } else { Vec::new() };
    let missing: Vec<String> = asked.iter().filter(|one| !one.is_signed).map(|one| one.id.to_string()).collect();
    let import = session.target.origin.command("import", &["CERT"], &[]);
    Ok((!missing.is_empty()).then(|| Waits {
        why: format!(
            "{} of {} certificates are signed by the new one, whose key is elsewhere; missing: {}; for each: {import}",
            asked.len() - missing.len(),
            asked.len(),
            missing.join(", ")
        ),
        until: None,
        option: None,
    }))
}
