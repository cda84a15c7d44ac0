//! Whether the tree is whole and consistent: what does not fit before a rotation would not after it, and nobody could tell why.

use super::super::context::Context;
use crate::ca::PrivateKey;
use crate::error::{self, Error};
use crate::kubeconfig;
use crate::plan::decision::{Decision, Making};
use crate::plan::init;
use crate::plan::item::{Item, What};
use crate::plan::reconcile::reconcile;
use crate::plan::renew::{Credential, certificate_of, without_tree};
use crate::tree::rotation::Rotating;
use crate::tree::{Authority, Survey, file};
use crate::workspace::signer_file;
use crate::workspace::survey;
use crate::x509::parse_authority;

/// What does not fit, and what helps; `None`: everything does.
type Unfit = Option<(Vec<String>, Vec<String>)>;

/// By the profile as `kpki export` checks a node; without one, by what the files say of each other.
pub(super) fn check(context: &Context<'_>) -> Result<Unfit, Error> {
    let unfit = match (context.session.profile(), &context.session.layout) {
        (Some(profile), Some(layout)) => {
            let session = context.session;
            let items = signer_file::items(profile, layout, &session.tree)?;
            let survey = survey::survey(&session.tree.roots, init::places(&items))?;
            let mut decided =
                reconcile(profile, &items, &survey, &context.snapshot.authorities, context.request.run.now, false);
            let copies = session.copies();
            let to_come = without_tree(&session.credentials, copies.iter(), &context.snapshot.survey);
            for (item, decision) in items.iter().zip(&mut decided.decisions) {
                if is_left_out(item, decision) || item.id.node.as_ref().is_some_and(|node| to_come.contains(node)) {
                    *decision = Decision::Keep;
                }
            }
            let of = error::Context {
                directory: &session.tree.roots.main,
                origin: &session.target.origin,
                profile: Some(profile),
                roots: &session.tree.roots,
                force: false,
            };
            error::unfit(&of, &items, &decided)
        }
        _ => by_itself(context)?,
    };
    Ok(Some(unfit).filter(|(whys, _)| !whys.is_empty()))
}

/// ca-signer.crt is what the preparation makes; super-admin.conf is removed on purpose; no authority of this tree signs an external one.
fn is_left_out(item: &Item, decision: &Decision) -> bool {
    let is_missing = matches!(decision, Decision::Make(_) | Decision::NoKey(..));
    let is_own = !matches!(decision, Decision::Make(Making::Copy { .. }));
    match &item.what {
        What::SignerFile { .. } => is_missing,
        What::Extra(extra) => extra.authority.in_tree().is_none(),
        _ => is_missing && is_own && item.id.name == crate::catalog::paths::SUPER_ADMIN_CONF,
    }
}

fn by_itself(context: &Context<'_>) -> Result<(Vec<String>, Vec<String>), Error> {
    let (session, survey) = (context.session, &context.snapshot.survey);
    let mut whys: Vec<String> = session.credentials.iter().filter_map(|one| misfit(context, one, survey)).collect();
    if let Some(key) = context.key(Rotating::ServiceAccount)? {
        let half = PrivateKey::from_pem(key).map(|key| key.spki_der());
        match half {
            Ok(half) if context.service_account().contains(&half) => {}
            Ok(_) => whys.push("sa: sa.pub does not contain the public key of sa.key".to_owned()),
            Err(why) => whys.push(format!("sa: {why}")),
        }
    }
    let renew = session.target.origin.command("renew", &["all"], &["--due"]);
    Ok((whys, vec![format!("have what is of another authority made again: {renew}")]))
}

fn misfit(context: &Context<'_>, one: &Credential, survey: &Survey) -> Option<String> {
    let leaf = certificate_of(one, survey).filter(|leaf| !leaf.is_self_issued())?;
    let authority =
        context.snapshot.authorities.get(&one.authority?).filter(|one| !matches!(one, Authority::Missing))?;
    let signer = authority.certificate()?;
    if leaf.signed_by(signer).is_err() {
        return Some(format!("{}: it is not signed by {}", one.id, signer.subject));
    }
    let key = match &one.private {
        Some(place) => file(survey, Some(place)).map(<[u8]>::to_vec),
        None => match kubeconfig::read(file(survey, Some(&one.public))?).ok()?.credentials {
            kubeconfig::Credentials::Embedded { key, .. } => Some(key.to_vec()),
            kubeconfig::Credentials::Files { .. } => return None,
        },
    };
    let fits = key.map(zeroize::Zeroizing::new).and_then(|key| Some(PrivateKey::from_pem(&key).ok()?.matches(&leaf)));
    if fits == Some(false) {
        return Some(format!("{}: its key does not match it", one.id));
    }
    let trusted = one.is_kubeconfig().then(|| kubeconfig::read(file(survey, Some(&one.public))?).ok()).flatten()?;
    let trusted = parse_authority(&trusted.authority).unwrap_or_default();
    let other = trusted.first().is_some_and(|first| first.der != signer.der);
    other.then(|| format!("{}: its certificate-authority-data begins with another authority", one.id))
}
