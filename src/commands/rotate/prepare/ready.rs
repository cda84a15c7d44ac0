//! Whether the rotation may begin: every reason why not, at once.

use super::super::born;
use super::super::context::Context;
use super::super::request::PrepareOptions;
use super::{again, whole};
use crate::catalog::CaId;
use crate::clock::rfc3339;
use crate::error::Error;
use crate::plan::renew::certificate_of;
use crate::plan::rotate::{NotReady, Waits, keeps_subject, lasts};
use crate::tree::rotation::Rotating;
use crate::tree::{Authority, Layout};
use crate::workspace::rotation::record::{self, Kept};
use crate::workspace::shipping::one_of_several;
use crate::x509::Certificate;

type Cause = (String, String);

/// # Errors
/// Everything that speaks against it, each with what helps.
pub(super) fn check(context: &Context<'_>, options: &PrepareOptions, named: &[Rotating]) -> Result<(), Error> {
    let session = context.session;
    let names: Vec<&str> = named.iter().map(|one| one.name()).collect();
    let names = names.join(", ");
    let words = format!("kpki rotate prepare {}", names.replace(',', ""));
    one_of_several::refuse(session, &context.snapshot, &words, &names)?;
    let dir = session.target.root.display();
    let mut causes: Vec<Cause> = Vec::new();
    if session.layout.is_none() && !session.copies().is_empty() {
        causes.push((
            format!("{dir} records no profile, so that it is not known which node holds what"),
            "give the profile it was made from with --profile FILE, or take the nodes over: kpki adopt NODE.tar.gz... --dir CLUSTER"
                .to_owned(),
        ));
    }
    for rotating in named {
        causes.extend(unforgotten(context, *rotating)?);
        causes.extend(match rotating {
            Rotating::Authority(id) => of_authority(context, options, *id),
            Rotating::ServiceAccount => of_service_account(context)?,
        });
    }
    let error = Error::new(format!("cannot prepare the rotation of {names} in {dir}: nothing was written"));
    let error = if causes.is_empty() {
        whole::check(context)?.map_or(error.clone(), |(whys, hints)| Error { why: whys, hints, ..error })
    } else {
        error.causes(causes)
    };
    if error.why.is_empty() { Ok(()) } else { Err(error) }
}

/// What the rotation before this one left.
fn unforgotten(context: &Context<'_>, rotating: Rotating) -> Result<Option<Cause>, Error> {
    let roots = &context.session.tree.roots;
    if record::key(roots, rotating, Kept::Previous)?.is_none() {
        return Ok(None);
    }
    let forget = context.session.target.origin.command("rotate forget", &[rotating.name()], &[]);
    Ok(Some((
        format!("the key of the last {rotating} is still kept: .kpki/{}/{rotating}.previous.key", record::DIRECTORY),
        format!("destroy it first: {forget}"),
    )))
}

fn of_authority(context: &Context<'_>, options: &PrepareOptions, id: CaId) -> Vec<Cause> {
    let name = id.name();
    let Some(authority) = context.snapshot.authorities.get(&id) else { return vec![missing(context, name)] };
    match authority {
        Authority::Missing => return vec![missing(context, name)],
        Authority::Unusable(why) => {
            let hint =
                format!("put back what belongs together: {name}'s key and its certificate, the first one of its file");
            return vec![(format!("{name}: {why}"), hint)];
        }
        Authority::External(_) if options.new_ca.is_none() => {
            let hint = again::again(context, &PrepareOptions::default(), &["--new-ca", "FILE"]);
            return vec![(
                format!("the key of {name} is not here"),
                format!(
                    "rotate it where its key is; or have the new authority made there, and give its certificate as FILE: {hint}"
                ),
            )];
        }
        Authority::Closed(_, why) => return vec![(format!("{name}: {why}"), format!("give {name}'s key"))],
        Authority::Local(_) if options.new_ca.is_none() => {
            if let Some(cause) = born::unnamed(context, id) {
                return vec![cause];
            }
        }
        Authority::External(_) | Authority::Local(_) => {
            if let Some(cause) = born::unrecorded(context, id) {
                return vec![cause];
            }
        }
    }
    let Some(signer) = authority.certificate() else { return vec![missing(context, name)] };
    let now = context.request.run.now;
    let mut whys: Vec<NotReady> = lasts(signer, Waits::of(context.session.profile()), now).err().into_iter().collect();
    if options.keep_subject {
        whys.extend(keeps_subject(signer, &leaves(context, id)).err());
    }
    whys.iter().map(|why| words(context, name, why)).collect()
}

fn missing(context: &Context<'_>, name: &str) -> Cause {
    (
        format!("there is no {name}"),
        format!("see what is there: kpki check-expiration {}", context.session.target.root.display()),
    )
}

fn words(context: &Context<'_>, name: &str, why: &NotReady) -> Cause {
    let origin = &context.session.target.origin;
    let renew = || format!("give it a later end with the same key first: {}", origin.command("renew", &[name], &[]));
    match why {
        NotReady::Ended(end) => (
            format!("{name} ended at {}: nothing verifies below it any more, and phases help nobody", rfc3339(*end)),
            format!(
                "with its key here, give it a later end, then renew what is due: {}; with its key lost or in other hands: kpki rotate \
                 emergency {name}",
                origin.command("renew", &[name], &[])
            ),
        ),
        NotReady::EndsTooSoon { end, needed, waits } => (
            format!(
                "{name} ends at {}, before both waits can be over at {} (waitBeforeSwitch {}, waitBeforeRetire {})",
                rfc3339(*end),
                rfc3339(*needed),
                waits.before_switch,
                waits.before_retire
            ),
            renew(),
        ),
        NotReady::NoKeyId => (
            format!(
                "{name} has no subjectKeyIdentifier: with --keep-subject nothing would tell the two authorities apart"
            ),
            "leave --keep-subject out: the new authority gets a name of its own".to_owned(),
        ),
        NotReady::LeavesWithoutKeyId(leaves) => (
            format!(
                "{} of {name} without a keyIdentifier in authorityKeyIdentifier: {}; with --keep-subject nothing would tell whose \
                 they are",
                leaves.len(),
                leaves.join(", ")
            ),
            "leave --keep-subject out: the new authority gets a name of its own".to_owned(),
        ),
    }
}

fn of_service_account(context: &Context<'_>) -> Result<Vec<Cause>, Error> {
    if context.key(Rotating::ServiceAccount)?.is_some() {
        return Ok(Vec::new());
    }
    Ok(vec![("sa.key is not here".to_owned(), "rotate it where the key is".to_owned())])
}

/// The certificates of an authority in this tree, each with its name.
pub(super) fn leaves(context: &Context<'_>, id: CaId) -> Vec<(String, Certificate)> {
    let of = context.session.credentials.iter().filter(|one| one.authority == Some(id));
    let leaf = |one: &crate::plan::renew::Credential| {
        Some((one.id.to_string(), certificate_of(one, &context.snapshot.survey).filter(|leaf| !leaf.is_self_issued())?))
    };
    of.filter_map(leaf).collect()
}

/// A cluster directory whose profile is known.
pub(super) fn is_cluster(context: &Context<'_>) -> bool {
    context.session.layout == Some(Layout::Cluster)
}
