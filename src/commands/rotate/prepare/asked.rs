//! What is still to be prepared of what was named.

use super::super::context::{Context, Planned, certificates};
use super::super::request::PrepareOptions;
use super::given;
use crate::blueprint::Algorithm;
use crate::catalog::CaId;
use crate::encoding::{pem, raw_key};
use crate::error::Error;
use crate::profile::Etcd;
use crate::tree::Authority;
use crate::tree::rotation::{Phase, Rotating, Rotation};
use crate::x509::{KeyKind, key_kind};

/// Those that are not prepared yet.
///
/// # Errors
/// A rotation is further than that, or was prepared in another way than is asked for now.
pub(super) fn named(
    context: &Context<'_>,
    options: &PrepareOptions,
    planned: &mut Planned,
) -> Result<Vec<Rotating>, Error> {
    let all = &context.request.authorities;
    if options.new_ca.is_some() && !matches!(all.as_slice(), [Rotating::Authority(_)]) {
        return Err(Error::usage("--new-ca is the certificate of one authority")
            .because("expected one of ca, front-proxy-ca, etcd-ca")
            .hint("name that one alone; the others in a run of their own"));
    }
    let mut named = Vec::new();
    for rotating in all.iter().copied() {
        match context.record.of(rotating) {
            Some(rotation) if rotation.phase == Phase::Prepared => as_asked(context, options, rotation)?,
            Some(rotation) => return Err(going_on(context, rotation)),
            None if is_elsewhere(context, rotating) => planned.warnings.push(format!(
                "{rotating} is left out: etcd is external, and its authority is rotated where its key is"
            )),
            None if !named.contains(&rotating) => named.push(rotating),
            None => {}
        }
    }
    Ok(named)
}

/// `all` means what this tree has: an external etcd has its own.
fn is_elsewhere(context: &Context<'_>, rotating: Rotating) -> bool {
    let is_external = match context.session.profile().map(|profile| &profile.etcd) {
        Some(Etcd::External { .. }) => true,
        Some(Etcd::Local { .. }) => false,
        None => matches!(context.snapshot.authorities.get(&CaId::Etcd), None | Some(Authority::Missing)),
    };
    let has_key = context.snapshot.authorities.get(&CaId::Etcd).is_some_and(Authority::is_local);
    let is_all = context.request.authorities == Rotating::ALL;
    is_all && rotating == Rotating::Authority(CaId::Etcd) && is_external && !has_key
}

fn going_on(context: &Context<'_>, rotation: &Rotation) -> Error {
    let (origin, name) = (&context.session.target.origin, rotation.authority.name());
    Error::new(format!("{name} is {}: its rotation is not over", rotation.phase))
        .hint(format!("see what it waits for: {}", origin.command("rotate status", &[name], &[])))
}

/// It is prepared; what is asked for now may not be silently another thing.
fn as_asked(context: &Context<'_>, options: &PrepareOptions, rotation: &Rotation) -> Result<(), Error> {
    let name = rotation.authority.name();
    let new = certificates(&rotation.new);
    let mut whys = Vec::new();
    if let Some(path) = &options.new_ca
        && given::certificates(path)?.first().map(|one| &one.der) != new.first().map(|one| &one.der)
    {
        whys.push(format!("another new authority than the one in {}", path.display()));
    }
    if let Some(wanted) = options.algorithm
        && let Some(found) = algorithm(rotation)
        && found != wanted
    {
        whys.push(format!("a new key of {found}, not {wanted}"));
    }
    if options.keep_subject
        && let (Some(new), Some(old)) = (new.first(), certificates(&rotation.old).first())
        && new.subject_der != old.subject_der
    {
        whys.push(format!("the new name {}", new.subject));
    }
    if whys.is_empty() {
        return Ok(());
    }
    let back = context.session.target.origin.command("rotate back", &[name], &[]);
    let error = Error::new(format!("{name} is prepared already, otherwise than this asks"));
    Err(whys
        .into_iter()
        .fold(error, |error, why| error.because(format!("it has {why}")))
        .hint(format!("take that back, then prepare it again: {back}")))
}

fn algorithm(rotation: &Rotation) -> Option<Algorithm> {
    let new = rotation.new.first()?;
    let kind = match certificates(&rotation.new).first() {
        Some(certificate) => certificate.key.clone(),
        None => {
            let spki = pem::read(new.pem.as_bytes()).map(|blocks| raw_key::public_keys(&blocks)).ok()?;
            key_kind(spki.first()?).ok()?
        }
    };
    match kind {
        KeyKind::Known(algorithm) => Some(algorithm),
        KeyKind::Other(_) => None,
    }
}
