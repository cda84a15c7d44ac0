//! One cluster: its profile beside the recorded one, then both verbs.

use super::changes;
use super::request::{One, Request, Verbs};
use crate::error::Error;
use crate::files;
use crate::profile::{Difference, Profile, differences};
use crate::report::plan::{Cluster, Failure, FieldChange, ProfileState, Refused, Rotating, Verb};
use crate::tree::ProfileAt;
use crate::workspace::rotation::record;
use crate::workspace::targets::Target;
use crate::workspace::{RunArgs, TreeArgs, profiles};

pub fn plan(request: &Request, run: &RunArgs, target: &Target, verbs: Verbs<'_>) -> Cluster {
    let file = match &target.origin.profile {
        ProfileAt::File(file) => Some(file.clone()),
        _ => None,
    };
    let directory = target.root.display().to_string();
    let name = target.root.file_name().filter(|_| target.origin.fleet.is_some());
    let mut cluster = Cluster {
        name: name.map_or_else(|| directory.clone(), |name| name.to_string_lossy().into_owned()),
        cluster_name: target.profile.as_ref().map(|profile| profile.cluster_name.clone()),
        directory,
        file,
        ..Cluster::default()
    };
    if let Some(wrong) = &target.profile_error {
        cluster.profile = ProfileState::Wrong;
        cluster.failures.push(refused(Verb::Profile, wrong));
        return cluster;
    }
    let is_there = files::what(None, &target.root).is_some();
    compare(&mut cluster, target, is_there);
    rotations(&mut cluster, target);
    let one = One {
        directory: target.root.clone(),
        profile: target.profile_file.clone(),
        trees: TreeArgs {
            dirs: vec![target.root.clone()],
            profiles: target.profile_file.iter().cloned().collect(),
            fleet: None,
            state: None,
            ..request.trees.clone()
        },
        run: run.clone(),
    };
    // A tree that no profile describes any more is only renewed, as by renew --profiles.
    let is_made = !matches!(cluster.profile, ProfileState::Gone | ProfileState::None);
    let made = if is_made { asked(&mut cluster, Verb::Init, (verbs.init)(&one)) } else { None };
    let is_new = made.as_ref().is_some_and(changes::is_new);
    if let Some(made) = &made {
        changes::of_init(&mut cluster, made);
    }
    // Init makes a new tree whole, and nothing of it is due.
    if !is_new && (is_there || !is_made) {
        let renewed = asked(&mut cluster, Verb::Renew, (verbs.renew)(&one));
        if let Some(tree) = renewed.as_ref().and_then(|report| report.trees.first()) {
            changes::of_renew(&mut cluster, tree);
        }
    }
    if let Some(made) = &made {
        changes::still_unfit(&mut cluster, made);
    }
    cluster.changes.sort_by(|one, other| (one.action, &one.id).cmp(&(other.action, &other.id)));
    cluster
}

/// The given profile beside the recorded one.
fn compare(cluster: &mut Cluster, target: &Target, is_there: bool) {
    let recorded: Option<Profile> = profiles::recorded(&target.root).ok().flatten().map(|(_, profile)| profile);
    cluster.profile = match (&target.origin.profile, &target.profile) {
        (ProfileAt::File(_), _) if !is_there => ProfileState::New,
        (ProfileAt::File(_), Some(given)) => match &recorded {
            None => ProfileState::Unrecorded,
            Some(before) => {
                let field = |one: Difference| FieldChange { field: one.field, removed: one.removed, added: one.added };
                cluster.differences = differences(before, given).into_iter().map(field).collect();
                if before == given { ProfileState::Same } else { ProfileState::Changed }
            }
        },
        (ProfileAt::Recorded, _) if target.origin.fleet.is_some() => ProfileState::Gone,
        (ProfileAt::Recorded, _) => ProfileState::Same,
        _ => ProfileState::None,
    };
}

fn rotations(cluster: &mut Cluster, target: &Target) {
    match record::read(&target.roots(&target.root)) {
        Ok(record) => {
            let rotating = record.rotations.iter();
            cluster.rotations =
                rotating.map(|one| Rotating { name: one.authority.name(), phase: one.phase.name() }).collect();
        }
        Err(why) => cluster.failures.push(refused(Verb::Renew, &why)),
    }
}

/// What a verb answers; what both refuse for the same reason is said once.
fn asked<R>(cluster: &mut Cluster, verb: Verb, answer: Result<R, Error>) -> Option<R> {
    match answer {
        Ok(report) => Some(report),
        Err(why) => {
            let refused = refused(verb, &why);
            if !cluster.failures.iter().any(|known| known.failure == refused.failure) {
                cluster.failures.push(refused);
            }
            None
        }
    }
}

fn refused(verb: Verb, why: &Error) -> Refused {
    let Error { what, why, hints, .. } = why.clone();
    Refused { verb, failure: Failure { what, why, hints } }
}
