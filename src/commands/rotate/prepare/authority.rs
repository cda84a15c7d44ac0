//! A new authority: made here, or given.

use super::super::born::Born;
use super::super::context::{Context, Planned};
use super::super::request::{PrepareOptions, SignerFile};
use super::{given, ready, request};
use crate::ca::{self, PrivateKey};
use crate::catalog::CaId;
use crate::clock::rfc3339;
use crate::error::Error;
use crate::plan::rotate::{self as plan, Trusted, Waits, Wishes, number_of};
use crate::report::rotate as report;
use crate::tree::rotation::{Identity, KeyPlace, Phase, Rotating, Rotation};
use crate::workspace::rotation::change::{Content, Target};
use crate::workspace::rotation::{journal, record};
use crate::x509::Certificate;

/// Where the key of the new one is.
pub(super) enum New<'k> {
    Here(&'k PrivateKey),
    /// Where the profile names it.
    Source(String),
    /// In `.kpki/rotation/` already, where it waited for its certificate.
    Waiting,
    Elsewhere,
}

pub(super) fn add(
    context: &Context<'_>,
    options: &PrepareOptions,
    (id, born): (CaId, Born),
    planned: &mut Planned,
) -> Result<(), Error> {
    let rotating = Rotating::Authority(id);
    let old = plan::own_part(context.authority(id)?.bundle());
    let signer = old.first().ok_or_else(|| Error::new(format!("{rotating} has no certificate")))?;
    said(context, id, &old, planned);
    if let Some(path) = &options.new_ca {
        let given = given::read(context, options, (id, &born), path, &old)?;
        planned.warnings.extend(given.warning);
        planned.removals.extend(given.waited.then(|| record::request_path(rotating)).transpose()?);
        let source = given.certificates.first().and_then(|one| born.source_of(one));
        let new = match (&given.key, given.waited, source) {
            (Some(key), ..) => New::Here(key),
            (None, true, _) => New::Waiting,
            (None, false, Some(source)) => {
                planned.removals.push(record::request_path(rotating)?);
                New::Source(source)
            }
            (None, false, None) => New::Elsewhere,
        };
        let first = given.certificates.first();
        let from_name = first.map_or(1, |one| number_of(&one.subject));
        let number = from_name.max(next(context, rotating, signer)?);
        return prepared(context, options, planned, (rotating, number), (old, given.certificates), new);
    }
    let wishes =
        Wishes { algorithm: options.algorithm, validity: options.validity, keep_subject: options.keep_subject };
    let (now, profile) = (context.request.run.now, context.session.profile());
    let successor = plan::authority(id, signer, profile, wishes, now).map_err(|plan::Inexpressible| {
        Error::new(format!("{rotating} has name constraints that kpki does not write"))
            .because("expected permitted DNS names and networks alone")
            .hint("have the new authority made where this one was, and give its certificate with --new-ca FILE --new-key KEY")
    })?;
    planned
        .warnings
        .extend(successor.lost.iter().map(|lost| format!("the new {rotating} does not have of the old one: {lost}")));
    if !signer.is_self_issued() {
        return request::add(context, options, (id, born), signer, &successor, planned);
    }
    let ends = successor.blueprint.not_after;
    let needed = now.saturating_add(Waits::of(profile).whole());
    if ends <= needed {
        return Err(Error::usage(format!("the new {rotating} would end at {}", rfc3339(ends)))
            .because(format!("expected an end after {}, when both waits can be over", rfc3339(needed)))
            .hint("give a longer --validity, or one in the profile"));
    }
    let first = signer.clone();
    let (signer, place) = born.signer(context, (id, &first), successor.algorithm, planned)?;
    let new = vec![ca::self_sign(&successor.blueprint, &*signer)?.certificate];
    let number = match options.keep_subject {
        true => successor.number.max(next(context, rotating, &first)?),
        false => successor.number,
    };
    let key = match (place, signer.private_key()) {
        (KeyPlace::Source(source), _) => New::Source(source),
        (_, Some(key)) => New::Here(key),
        (_, None) => New::Elsewhere,
    };
    prepared(context, options, planned, (rotating, number), (old, new), key)
}

/// One more than the last, by its name or by what is recorded.
fn next(context: &Context<'_>, rotating: Rotating, signer: &Certificate) -> Result<u32, Error> {
    let last = journal::last_number(&context.session.tree.roots, &context.record, rotating)?;
    Ok(last.max(number_of(&signer.subject)).saturating_add(1))
}

/// What else is in the file stays trusted, and is named.
fn said(context: &Context<'_>, id: CaId, old: &[Certificate], planned: &mut Planned) {
    let bundle = context.snapshot.bundle(id);
    let further: Vec<String> =
        bundle.iter().filter(|one| !old.contains(one)).map(|one| one.subject.to_string()).collect();
    if !further.is_empty() {
        let record = context.session.target.origin.command("rotate record", &[""; 0], &[]);
        planned.warnings.push(format!(
            "{}'s file holds further certificates, which stay trusted: {}; if they are of a rotation that was begun by hand, record \
             it instead: {record}",
            id.name(),
            further.join(", ")
        ));
    }
}

fn prepared(
    context: &Context<'_>,
    options: &PrepareOptions,
    planned: &mut Planned,
    (rotating, number): (Rotating, u32),
    (old, new): (Vec<Certificate>, Vec<Certificate>),
    key: New<'_>,
) -> Result<(), Error> {
    let Rotating::Authority(id) = rotating else { return Ok(()) };
    if let Some((old, new)) = old.first().zip(new.first()) {
        planned.rows.push(report::Row {
            authority: rotating,
            from: None,
            to: Some(Phase::Prepared),
            old: old.subject.to_string(),
            old_ends: Some(rfc3339(old.not_after)),
            new: Some(new.subject.to_string()),
            new_ends: Some(rfc3339(new.not_after)),
        });
    }
    let identities = |all: &[Certificate]| all.iter().map(Identity::of_certificate).collect();
    let both = (identities(&old), identities(&new));
    let in_use = id == CaId::Cluster && options.signer_file == SignerFile::InUse;
    planned.targets.push(Target { content: Content::Authority(id, Trusted::both(&old, &new)), key: None });
    if id == CaId::Cluster && ready::is_cluster(context) {
        planned.own.extend(super::signer_file::manifest(context)?);
    }
    record(context, planned, rotating, (number, both), key, in_use)
}

/// The record, the key and the journal's line.
pub(super) fn record(
    context: &Context<'_>,
    planned: &mut Planned,
    authority: Rotating,
    (number, (old, new)): (u32, (Vec<Identity>, Vec<Identity>)),
    key: New<'_>,
    signer_file_in_use: bool,
) -> Result<(), Error> {
    let phase = Phase::Prepared;
    let rotation = Rotation {
        authority,
        number,
        phase,
        since: rfc3339(context.request.run.now),
        old,
        new,
        new_key: match &key {
            New::Elsewhere => KeyPlace::Elsewhere,
            New::Source(source) => KeyPlace::Source(source.clone()),
            New::Here(_) | New::Waiting => KeyPlace::Here,
        },
        old_key: authority
            .authority()
            .and_then(|id| context.place(id))
            .map_or(KeyPlace::Here, |place| KeyPlace::Source(place.to_owned())),
        signer_file_in_use,
        kubelets: None,
        generations: context.generation.iter().map(|name| (phase, name.clone())).collect(),
        confirmations: Vec::new(),
        overrides: Vec::new(),
        signed_since: None,
        restored: false,
    };
    if let New::Here(key) = key {
        let pem = context.kept(authority, key)?;
        planned.own.push(record::key_change(authority, record::Kept::Next, pem)?);
    }
    planned.journal.push(context.line(&rotation, Vec::new()));
    planned.record.set(rotation);
    Ok(())
}
