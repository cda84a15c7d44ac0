//! Step 1: everything trusts the new authority as well, and the old one goes on signing.

use zeroize::Zeroizing;

use super::context::{Context, Planned, public_keys};
use super::request::PrepareOptions;
use crate::ca::{self, PrivateKey};
use crate::catalog::CaId;
use crate::clock::rfc3339;
use crate::error::Error;
use crate::plan::rotate::{self as plan, Trusted, Wishes};
use crate::report::rotate as report;
use crate::tree::Authority;
use crate::tree::rotation::{Identity, NewKey, Phase, Rotating, Rotation};
use crate::workspace::rotation::change::{Content, Target};
use crate::workspace::rotation::record::{self, Kept};
use crate::x509::Certificate;

pub(super) fn plan(context: &Context<'_>, options: &PrepareOptions) -> Result<Planned, Error> {
    let mut planned = Planned::of(&context.record);
    for rotating in &context.request.authorities {
        match context.record.of(*rotating) {
            Some(rotation) if rotation.phase == Phase::Prepared => continue,
            Some(rotation) => {
                return Err(Error::new(format!("{rotating} is {}: its rotation is not over", rotation.phase)));
            }
            None => {}
        }
        match rotating {
            Rotating::Authority(authority) => one(context, options, *authority, &mut planned)?,
            Rotating::ServiceAccount => service_account(context, options, &mut planned)?,
        }
    }
    Ok(planned)
}

fn one(context: &Context<'_>, options: &PrepareOptions, id: CaId, planned: &mut Planned) -> Result<(), Error> {
    let Authority::Local(file) = context.authority(id)? else {
        return Err(Error::new(format!("the key of {} is not here", id.name()))
            .hint("rotate it where its key is, or give the new authority's certificate with --new-ca"));
    };
    let old = plan::own_part(file);
    let signer = old.first().ok_or_else(|| Error::new(format!("{} has no certificate", id.name())))?;
    let wishes =
        Wishes { algorithm: options.algorithm, validity: options.validity, keep_subject: options.keep_subject };
    let now = context.request.run.now;
    let successor = plan::authority(id, signer, context.session.profile(), wishes, now)
        .map_err(|_| Error::new("the name constraints of the old authority cannot be repeated without a profile"))?;
    let subject = successor.blueprint.subject.to_string();
    let ends = rfc3339(successor.blueprint.not_after);
    let row = report::Row {
        new: Some(subject),
        new_ends: Some(ends),
        ..row(Rotating::Authority(id), None, Some(Phase::Prepared), signer)
    };
    planned.rows.push(row);
    if !context.is_making() {
        return Ok(());
    }
    let key = generate(context, successor.algorithm)?;
    let signed = ca::self_sign(&successor.blueprint, &key)?;
    let new = vec![signed.certificate];
    let identities = |all: &[Certificate]| all.iter().map(Identity::of_certificate).collect();
    add(context, planned, Rotating::Authority(id), (successor.number, &key), (identities(&old), identities(&new)))?;
    let content = Content::Authority(id, Trusted::both(&old, &new));
    planned.targets.push(Target { content, key: None });
    Ok(())
}

fn service_account(context: &Context<'_>, options: &PrepareOptions, planned: &mut Planned) -> Result<(), Error> {
    let rotating = Rotating::ServiceAccount;
    let missing = || Error::new("sa.key is not here").hint("rotate it where the key is");
    let pem = context.key(rotating)?.ok_or_else(missing)?;
    let old_key = PrivateKey::from_pem(pem)?;
    let algorithm = options.algorithm.unwrap_or_else(|| old_key.algorithm());
    let old = vec![Identity::of_public_key(&old_key.spki_der())];
    let mut row = report::Row { authority: rotating, to: Some(Phase::Prepared), ..report::Row::default() };
    row.old.clone_from(&old.first().and_then(|one| one.kid.clone()).unwrap_or_default());
    if context.is_making() {
        let key = generate(context, algorithm)?;
        let new = vec![Identity::of_public_key(&key.spki_der())];
        row.new = new.first().and_then(|one| one.kid.clone());
        let number = 2;
        let content = Content::ServiceAccount(Trusted::both(&public_keys(&old), &public_keys(&new)));
        add(context, planned, rotating, (number, &key), (old, new))?;
        planned.targets.push(Target { content, key: None });
    }
    planned.rows.push(row);
    Ok(())
}

fn generate(context: &Context<'_>, algorithm: crate::blueprint::Algorithm) -> Result<PrivateKey, Error> {
    let mut keys = ca::generate_keys(&[algorithm], context.request.run.threads, &mut |_, _| ())?;
    keys.pop().ok_or_else(|| Error::new("no key was generated").hint("report this as a bug"))
}

/// The record, the key and the journal's line.
fn add(
    context: &Context<'_>,
    planned: &mut Planned,
    authority: Rotating,
    (number, key): (u32, &PrivateKey),
    (old, new): (Vec<Identity>, Vec<Identity>),
) -> Result<(), Error> {
    let phase = Phase::Prepared;
    let rotation = Rotation {
        authority,
        number,
        phase,
        since: rfc3339(context.request.run.now),
        old,
        new,
        new_key: NewKey::Here,
        signer_file_in_use: false,
        kubelets: None,
        generations: context.generation.iter().map(|name| (phase, name.clone())).collect(),
        confirmations: Vec::new(),
        overrides: Vec::new(),
    };
    let pem = Zeroizing::new(key.to_pem().as_bytes().to_vec());
    planned.own.push(record::key_change(authority, Kept::Next, pem)?);
    planned.journal.push(context.line(&rotation, Vec::new()));
    planned.record.set(rotation);
    Ok(())
}

/// The row of an authority.
pub(super) fn row(authority: Rotating, from: Option<Phase>, to: Option<Phase>, old: &Certificate) -> report::Row {
    report::Row {
        authority,
        from,
        to,
        old: old.subject.to_string(),
        old_ends: Some(rfc3339(old.not_after)),
        new: None,
        new_ends: None,
    }
}
