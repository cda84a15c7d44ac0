//! The switch to an authority whose key is not here: requests for everything that it has to sign wait beside the tree. `kpki import` puts
//! each certificate in place, where both authorities are trusted already; when nothing of the old one is left, the phase changes.

use super::context::{Context, Planned, certificates};
use crate::catalog::CaId;
use crate::error::Error;
use crate::plan::renew::{self as plan, Credential, CsrDecision};
use crate::tree::rotation::Rotation;
use crate::tree::{file, leaf};
use crate::workspace::requests::{External, Site};
use crate::x509::{Certificate, path};

/// Whether everything is signed by the new one; else requests are made, and it is said what they wait for.
pub(super) fn is_signed(
    context: &Context<'_>,
    authority: CaId,
    rotation: &Rotation,
    planned: &mut Planned,
) -> Result<bool, Error> {
    let (session, new) = (context.session, certificates(&rotation.new));
    let of_it = session.credentials.iter().filter(|one| one.authority == Some(authority));
    let waiting: Vec<&Credential> = of_it.filter(|one| is_old(context, one, &new)).collect();
    if waiting.is_empty() {
        return Ok(true);
    }
    let rules = session.identity_rules(false);
    let snapshot = &context.snapshot;
    let ask =
        |one: &&Credential| match plan::ask(one, &session.credentials, &snapshot.authorities, &snapshot.survey, &rules)
        {
            CsrDecision::CsrTemplate(template) => Some(*template),
            CsrDecision::Skipped(_) | CsrDecision::Absent => None,
        };
    let mut wanted = Vec::new();
    for one in &waiting {
        match ask(one) {
            Some(template) => wanted.push((&one.id, &one.public, one.private.as_ref(), template)),
            None => {
                planned.left.push(format!("{}: no request can be made for it; have it signed by its owner", one.id))
            }
        }
    }
    let origin = &session.target.origin;
    let subject = new.first().map(|one| one.subject.to_string()).unwrap_or_default();
    let names: Vec<String> = wanted.iter().map(|(id, ..)| id.to_string()).collect();
    planned.left.push(format!(
        "to be signed by {subject}, from the requests in {}: {}; then, for each certificate: {}",
        session.tree.roots.main.join(".kpki/requests").display(),
        names.join(", "),
        origin.command("import", &["CERT"], &[])
    ));
    planned
        .left
        .push(format!("when all of them are in place: {}", origin.command("rotate switch", &[authority.name()], &[])));
    if context.is_making() {
        let external = External { site: Site::Tree(session.tree.roots.clone()), wanted };
        let made = external.make(context.request.run.threads, &mut |_, _| ())?;
        planned.own.extend(made.into_iter().flat_map(|one| one.changes));
    }
    Ok(false)
}

/// Its certificate is there, and not of the new authority.
fn is_old(context: &Context<'_>, credential: &Credential, new: &[Certificate]) -> bool {
    let bytes = file(&context.snapshot.survey, Some(&credential.public)).unwrap_or_default();
    let bundle = if credential.is_kubeconfig() { leaf::embedded(bytes) } else { leaf::bundle(bytes) };
    let Some((first, chain)) = bundle.as_deref().and_then(<[Certificate]>::split_first) else { return false };
    !first.is_self_issued() && path::judge(first, chain, new, context.request.run.now).is_err()
}
