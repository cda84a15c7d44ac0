//! Step 2: the new authority signs, and has signed everything in the tree; both are trusted.

use super::by_source;
use super::context::{Context, Planned, certificates, public_keys};
use super::cross::Cross;
use super::elsewhere;
use super::gate::{self, Passing};
use super::request::SwitchOptions;
use crate::catalog::CaId;
use crate::clock::rfc3339;
use crate::error::Error;
use crate::plan::rotate::Trusted;
use crate::report::rotate as report;
use crate::store::RootId;
use crate::tree::rotation::{KeyPlace, Kubelets, Phase, Rotating, Rotation, Way};
use crate::workspace::journal::{self, Line};
use crate::workspace::rotation::alive;
use crate::workspace::rotation::change::{Content, Target};
use crate::workspace::rotation::files::IN_KUBECONFIGS;
use crate::workspace::rotation::record::{self, Kept};

pub(super) fn plan(context: &Context<'_>, options: &SwitchOptions) -> Result<Planned, Error> {
    let mut planned = Planned::of(&context.record);
    planned.reuse_key = options.reuse_keys;
    let of_cluster = context.session.credentials.iter().any(|one| one.id.node.is_some());
    let usual = if of_cluster { Kubelets::Embed } else { Kubelets::Wait };
    let kubelets = options.kubelets.unwrap_or(usual);
    planned.kubelets = Some(kubelets);
    let mut rotations = Vec::new();
    for rotation in context.in_phase(Phase::Prepared)? {
        if by_source::opens(context, &rotation, &mut planned)? {
            rotations.push(rotation);
        }
    }
    let passing = Passing { confirm_all: options.confirm_all, not_before: options.not_before_override };
    gate::check(context, (&mut rotations, Way::Forth), passing, &mut planned)?;
    let lines = journal::read(&context.session.tree.roots)?;
    for mut rotation in rotations {
        if options.reuse_keys {
            same_algorithm(&rotation)?;
        }
        if rotation.authority == Rotating::Authority(IN_KUBECONFIGS) {
            rotation.kubelets = Some(kubelets);
        }
        planned.warnings.extend(with_their_owners(context, &lines, &rotation));
        one(context, options, rotation, &mut planned)?;
    }
    Ok(planned)
}

/// A certificate of another kind of authority is made with new keys: the reason for the change is most often the old kind.
fn same_algorithm(rotation: &Rotation) -> Result<(), Error> {
    let kind = |identities| certificates(identities).into_iter().next().map(|one| one.key);
    match (kind(&rotation.old), kind(&rotation.new)) {
        (Some(old), Some(new)) if old != new => {
            Err(Error::new(format!("{}: the keys cannot be kept, because the algorithm changes", rotation.authority))
                .because(format!("the old authority has {old}, the new one {new}"))
                .hint("leave --reuse-keys out: new keys are made"))
        }
        _ => Ok(()),
    }
}

/// Certificates outside the tree go on working until the old authority is retired.
fn with_their_owners(context: &Context<'_>, lines: &[Line], rotation: &Rotation) -> Option<String> {
    let all = alive::handed_out(context.session, lines, rotation);
    let named: Vec<String> = all.iter().map(|one| format!("{} (until {})", one.name, rfc3339(one.ends))).collect();
    (!named.is_empty()).then(|| {
        format!(
            "of the old {}, with their owners, who need new ones before it is retired: {}",
            rotation.authority,
            named.join(", ")
        )
    })
}

fn one(context: &Context<'_>, options: &SwitchOptions, rotation: Rotation, planned: &mut Planned) -> Result<(), Error> {
    let rotating = rotation.authority;
    let roots = &context.session.tree.roots;
    match (&rotation.new_key, rotating) {
        (KeyPlace::Elsewhere, Rotating::Authority(authority)) => {
            return external(context, authority, options, rotation, planned);
        }
        (KeyPlace::Source(_), Rotating::Authority(authority)) => {
            by_source::plan(context, authority, (&rotation, options.cross_sign), planned)?;
            switched(context, rotation, planned);
            return Ok(());
        }
        _ => {}
    }
    let next = record::key(roots, rotating, Kept::Next)?.ok_or_else(|| {
        Error::new(format!(
            "the key of the new {rotating} is missing: {}/{rotating}.next.key",
            roots.main.join(".kpki").join(record::DIRECTORY).display()
        ))
        .hint(format!(
            "restore it from a backup, or take the preparation back: {}",
            context.session.target.origin.command("rotate back", &[rotating.name()], &[])
        ))
    })?;
    let previous = context.key(rotating)?.ok_or_else(|| {
        Error::new(format!("the key of {rotating} is not here: nothing was written"))
            .hint("switch where it is: what comes after needs it, and so does the way back")
    })?;
    planned.own.push(record::key_change(rotating, Kept::Previous, previous.to_vec().into())?);
    planned.removals.push((RootId::State, record::key_path(rotating, Kept::Next)?));
    let content = match rotating {
        Rotating::Authority(authority) => {
            planned.reissue.push(authority);
            let (old, new) = (certificates(&rotation.old), certificates(&rotation.new));
            if options.cross_sign {
                planned.cross.push(Cross::of(authority, (&old, &new), Some(previous))?);
            }
            Content::Authority(authority, Trusted::both(&new, &old))
        }
        Rotating::ServiceAccount => {
            Content::ServiceAccount(Trusted::both(&public_keys(&rotation.new), &public_keys(&rotation.old)))
        }
    };
    planned.targets.push(Target { content, key: Some(next) });
    switched(context, rotation, planned);
    Ok(())
}

/// The key of the new one is with its owner: everything is signed by it already, or waits for that.
fn external(
    context: &Context<'_>,
    authority: CaId,
    options: &SwitchOptions,
    mut rotation: Rotation,
    planned: &mut Planned,
) -> Result<(), Error> {
    refused_elsewhere(&rotation, options)?;
    let (old, new) = (certificates(&rotation.old), certificates(&rotation.new));
    let content = || Content::Authority(authority, Trusted::both(&new, &old));
    if !elsewhere::is_signed(context, authority, (&mut rotation, content()), planned)? {
        // Who has confirmed, and what was passed over, stays.
        rotation.kubelets = None;
        planned.record.set(rotation);
        return Ok(());
    }
    match context.key(rotation.authority)? {
        Some(previous) => {
            planned.own.push(record::key_change(rotation.authority, Kept::Previous, previous.to_vec().into())?);
        }
        None => rotation.old_key = KeyPlace::Elsewhere,
    }
    planned.reissue.push(authority);
    planned.targets.push(Target { content: content(), key: None });
    switched(context, rotation, planned);
    Ok(())
}

/// What only who has the key can do.
fn refused_elsewhere(rotation: &Rotation, options: &SwitchOptions) -> Result<(), Error> {
    let asked = [
        (options.reuse_keys, "--reuse-keys", "new keys are made for the requests"),
        (options.cross_sign, "--cross-sign", "its certificates come with the chain that its owner gives them"),
    ];
    match asked.into_iter().find(|(is_asked, ..)| *is_asked) {
        Some((_, option, why)) => {
            let what = format!("{option} is not for {}: its new key is elsewhere", rotation.authority);
            Err(Error::usage(what).because(why).hint(format!("leave {option} out")))
        }
        None => Ok(()),
    }
}

/// Report, record and journal.
fn switched(context: &Context<'_>, mut rotation: Rotation, planned: &mut Planned) {
    planned.rows.push(report::Row::of(&rotation, Some(Phase::Switched)));
    (rotation.phase, rotation.since) = (Phase::Switched, rfc3339(context.request.run.now));
    rotation.signed_since.get_or_insert_with(|| rotation.since.clone());
    rotation.generations.extend(context.generation.iter().map(|name| (Phase::Switched, name.clone())));
    planned.journal.push(context.line(&rotation, Vec::new()));
    planned.record.set(rotation);
}
