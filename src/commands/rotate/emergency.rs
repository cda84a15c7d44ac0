//! All at once, because a key is in other hands or lost: the old authority is trusted by nobody any more, and the new one has signed
//! everything. It interrupts the cluster.

use super::born::{self, Born};
use super::by_source;
use super::content::content;
use super::context::{Context, Planned};
use super::emergency_new::{Made, new_authority, new_key};
use super::request::EmergencyOptions;
use crate::catalog::CaId;
use crate::clock::rfc3339;
use crate::error::Error;
use crate::report::rotate as report;
use crate::store::RootId;
use crate::tree::rotation::{Identity, KeyPlace, Kubelets, Phase, Rotating, Rotation};
use crate::workspace::rotation::change::Target;
use crate::workspace::rotation::files;
use crate::workspace::rotation::record::{self, Kept};
use zeroize::Zeroizing;

pub(super) fn plan(context: &Context<'_>, options: &EmergencyOptions) -> Result<Planned, Error> {
    let mut planned = Planned::of(&context.record);
    for rotating in &context.request.authorities {
        if context.record.phase(*rotating) == Some(Phase::Emergency) {
            continue;
        }
        if !options.interrupts && !context.request.run.dry_run {
            return Err(refused(context, *rotating));
        }
        if let Rotating::Authority(authority) = rotating
            && let Some((why, hint)) = born::unnamed(context, *authority)
        {
            return Err(Error::new(format!("cannot replace {rotating}: nothing was written")).because(why).hint(hint));
        }
        if let Some(born) = born::of(context, (*rotating, options.algorithm), &mut planned) {
            one(context, (*rotating, born), options, &mut planned)?;
        }
    }
    Ok(planned)
}

fn refused(context: &Context<'_>, rotating: Rotating) -> Error {
    let (origin, name) = (&context.session.target.origin, [rotating.name()]);
    let what = match rotating {
        Rotating::Authority(CaId::Cluster) => {
            "the API is away for seconds to a minute, nodes are NotReady until their kubelets have the new files, every kubeconfig \
             outside this tree is refused, and every pod has to be restarted"
        }
        Rotating::Authority(CaId::Etcd) => "all etcd members have to be stopped and started: the API is away meanwhile",
        Rotating::Authority(CaId::FrontProxy) => {
            "extension API servers refuse requests until every kube-apiserver is restarted"
        }
        Rotating::ServiceAccount => "every pod gets 401 until its token is renewed, and most have to be restarted",
    };
    let mut error =
        Error::new(format!("an emergency rotation of {rotating} interrupts the cluster: nothing was written"))
            .because(what)
            .hint(format!("see all of it: {}", origin.command("rotate emergency", &name, &["--dry-run"])));
    if let Rotating::Authority(authority) = rotating
        && ends_soon(context, authority)
        && context.authority(authority).is_ok_and(crate::tree::Authority::is_local)
    {
        let renew = origin.command("renew", &name, &[]);
        error = error
            .hint(format!("if only its end is the trouble, and its key is in no other hands, that is enough: {renew}"));
    }
    let has_ended = matches!(rotating, Rotating::Authority(authority) if context.snapshot.certificate(authority).is_some_and(|one| one.not_after < context.request.run.now));
    if !has_ended {
        let prepare = origin.command("rotate prepare", &name, &[]);
        error = error.hint(format!("without an interruption, if its key is in no other hands: {prepare}"));
    }
    let emergency = origin.command("rotate emergency", &name, &["--yes-this-interrupts"]);
    error.hint(format!("its key is in other hands or lost: {emergency}"))
}

fn ends_soon(context: &Context<'_>, authority: CaId) -> bool {
    let soon = context.request.run.now.saturating_add(time::Duration::days(30));
    context.snapshot.certificate(authority).is_some_and(|one| one.not_after < soon)
}

fn one(
    context: &Context<'_>,
    (rotating, born): (Rotating, Born),
    options: &EmergencyOptions,
    planned: &mut Planned,
) -> Result<(), Error> {
    let Made { number, old, new, key, place } = match rotating {
        Rotating::Authority(authority) => new_authority(context, (authority, born), options, planned)?,
        Rotating::ServiceAccount => new_key(context, options)?,
    };
    // What signs now is kept until it is forgotten; what was to sign next has never been used.
    if let Some(present) = context.key(rotating)? {
        planned.own.push(record::key_change(rotating, Kept::Previous, present.to_vec().into())?);
    }
    planned.removals.push((RootId::State, record::key_path(rotating, Kept::Next)?));
    planned.removals.push(record::request_path(rotating)?);
    if key.is_none() {
        planned.removals.extend(by_source::sealed(context, rotating)?);
    }
    planned.targets.push(Target { content: content(rotating, (&new, &[]), &old), key });
    if let Rotating::Authority(authority) = rotating {
        planned.reissue.push(authority);
        planned.kubelets = Some(Kubelets::Embed);
        planned.known.push(Target { content: content(rotating, (&new, &old), &[]), key: None });
    }
    if place == KeyPlace::Here {
        add_lost_key(context, rotating, planned)?;
    }
    if rotating == Rotating::Authority(CaId::Cluster) {
        trust_files(context, &new, &old, planned)?;
    }
    let phase = Phase::Emergency;
    let rotation = Rotation {
        authority: rotating,
        number,
        phase,
        since: rfc3339(context.request.run.now),
        old,
        new,
        new_key: place,
        old_key: rotating
            .authority()
            .and_then(|id| context.place(id))
            .map_or(KeyPlace::Here, |place| KeyPlace::Source(place.to_owned())),
        signer_file_in_use: context.record.of(rotating).is_some_and(|one| one.signer_file_in_use),
        kubelets: None,
        generations: context.generation.iter().map(|name| (phase, name.clone())).collect(),
        confirmations: Vec::new(),
        overrides: Vec::new(),
        signed_since: None,
        restored: false,
    };
    let from = context.record.phase(rotating);
    planned.rows.push(report::Row { from, ..report::Row::of(&rotation, Some(phase)) });
    planned.journal.push(context.line(&rotation, Vec::new()));
    planned.record.set(rotation);
    Ok(())
}

/// Where the key that signs was lost, there is no file to replace.
fn add_lost_key(context: &Context<'_>, rotating: Rotating, planned: &mut Planned) -> Result<(), Error> {
    if context.key(rotating)?.is_some() {
        return Ok(());
    }
    let own = files::of(context.session, rotating)?.into_iter().find(|held| held.is_key);
    planned.missing.extend(own.map(|held| held.place));
    Ok(())
}

/// ca-trust.crt beside each control-plane node's ca.crt: the new one and the old one, for `--root-ca-file` alone.
fn trust_files(context: &Context<'_>, new: &[Identity], old: &[Identity], planned: &mut Planned) -> Result<(), Error> {
    let text: String = new.iter().chain(old).map(|one| one.pem.as_str()).collect();
    for place in files::trust_files(context.session, &context.snapshot.survey) {
        planned.own.push(place.change(0o644, Zeroizing::new(text.clone().into_bytes()))?);
    }
    Ok(())
}
