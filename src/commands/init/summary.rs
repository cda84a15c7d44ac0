//! The report: one row for each item, from its blueprint, its new files or its existing files.

use super::evaluate::{Evaluation, context};
use super::job::Made;
use super::keys;
use super::request::Request;
use super::resolve::Resolved;
use crate::blueprint::Name;
use crate::catalog::CaId;
use crate::error::Error;
use crate::plan::decision::{Decision, Making, Reconciled};
use crate::plan::item::{Item, What};
use crate::plan::outside::Outside;
use crate::profile::{KeyOptions, Signing};
use crate::report::facts::{facts, of_blueprint};
use crate::report::{self, Facts, Outcome};
use crate::tree::{Layout, Place, Survey, file, leaf};
use crate::workspace::{TreeDir, signer_file, state, targets};
use crate::x509::{Certificate, parse_pem_bundle};

/// The rows and the warnings.
pub fn report(
    request: &Request,
    resolved: &Resolved,
    evaluation: &Evaluation,
    outcome: Outcome,
) -> Result<report::Init, Error> {
    let profile = &resolved.loaded.profile;
    Ok(report::Init {
        directory: request.directory.display().to_string(),
        cluster: profile.cluster_name.clone(),
        layout: state::layout_name(&resolved.layout),
        node: match &resolved.layout {
            Layout::Node { name } => Some(name.clone()),
            Layout::Cluster => None,
        },
        outcome,
        generation: None,
        bootstrap_manifests: None,
        items: items(&resolved.items, evaluation, &resolved.tree),
        unattended: unattended(resolved, evaluation),
        left_to_renew: evaluation.left_to_renew(),
        warnings: warnings(request, resolved, evaluation)?,
        closed: closed(resolved, evaluation),
    })
}

/// Who signs with a key that is no plain file here.
fn closed(resolved: &Resolved, evaluation: &Evaluation) -> Vec<&'static str> {
    let is_closed = |id: &CaId| resolved.tree.keeps_key_elsewhere(&evaluation.snapshot, *id);
    keys::signers(&resolved.items, &evaluation.decided).into_iter().filter(is_closed).map(CaId::name).collect()
}

/// In the profile, in what is there, and what a node that has left the profile left behind.
fn warnings(request: &Request, resolved: &Resolved, evaluation: &Evaluation) -> Result<Vec<String>, Error> {
    let (loaded, main) = (&resolved.loaded, &resolved.tree.roots.main);
    let mut lines: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
    lines.extend(crate::error::notices(&evaluation.decided.notices, &context(request, resolved)));
    lines.extend(signing(resolved, evaluation)?);
    lines.extend(resolved.tree.gathered().filter(|_| resolved.layout != Layout::Cluster));
    if resolved.layout == Layout::Cluster {
        lines.extend(targets::strays(main, &loaded.profile, &resolved.origin));
    }
    Ok(lines)
}

/// Which certificate kube-controller-manager signs with.
fn signing(resolved: &Resolved, evaluation: &Evaluation) -> Result<Vec<String>, Error> {
    let (profile, tree) = (&resolved.loaded.profile, &resolved.tree);
    let decided = resolved.items.iter().zip(&evaluation.decided.decisions);
    let written = decided.filter(|(item, decision)| {
        matches!(item.what, What::SignerFile { .. }) && matches!(decision, Decision::Make(_) | Decision::Replace(..))
    });
    let written: Vec<Place> = written.map(|(item, _)| item.public.clone()).collect();
    let bases = signer_file::bases(Some(profile), &resolved.layout, &[]);
    let certificates = evaluation.snapshot.bundle(CaId::Cluster).len().max(1);
    signer_file::notices(tree, Some(profile), &bases, certificates, &written)
}

/// Authorities whose new keys are encrypted, and whose passphrase a scheduled run does not find in the profile.
fn unattended(resolved: &Resolved, evaluation: &Evaluation) -> Vec<&'static str> {
    let is_stated = |authority: &CaId| {
        let options = resolved.loaded.profile.authorities.get(authority);
        let signing = options.and_then(|options| options.signing.as_ref());
        matches!(signing, Some(Signing::Key(KeyOptions { passphrase: Some(_), .. })))
    };
    let sealed = keys::new(&resolved.items, &evaluation.decided).into_iter();
    let sealed = sealed.filter(|authority| resolved.tree.keys.is_sealed(*authority) && !is_stated(authority));
    sealed.map(CaId::name).collect()
}

fn items(items: &[Item], evaluation: &Evaluation, tree: &TreeDir) -> Vec<report::Item> {
    let Evaluation { snapshot, decided, .. } = evaluation;
    items
        .iter()
        .zip(&decided.decisions)
        .map(|(item, decision)| {
            let making = match decision {
                Decision::Make(making) | Decision::Replace(making, _) => Some(making),
                _ => None,
            };
            let waiting = match decision {
                Decision::NoKey(_, making) => Some(making),
                _ => None,
            };
            let existing = existing(item, &snapshot.survey);
            report::Item {
                id: item.id.clone(),
                action: action(decision),
                algorithm: making
                    .or(waiting)
                    .map(algorithm)
                    .unwrap_or_else(|| existing.as_ref().map(|c| c.key.to_string())),
                facts: making
                    .and_then(|making| planned(item, making, decided))
                    .or_else(|| existing.as_ref().map(facts)),
                paths: tree.display_paths(item.places()),
                key: item.what.authority().and_then(|authority| {
                    let is_sealed = making.is_some() && tree.keys.is_sealed(authority);
                    tree.keys.described(authority).or_else(|| is_sealed.then(|| "its key is encrypted".to_owned()))
                }),
                reasons: match decision {
                    Decision::Replace(_, differences) => differences.iter().map(crate::error::difference).collect(),
                    Decision::NoKey(signer, _) => {
                        std::iter::once(crate::error::outside(signer)).chain(snapshot.fault(*signer)).collect()
                    }
                    _ => Vec::new(),
                },
                has_issuer: false,
            }
        })
        .collect()
}

/// Serial numbers and fingerprints exist only after signing.
pub fn add_made(items: &mut [report::Item], made: &[Made]) {
    for (item, made) in items.iter_mut().zip(made) {
        if let Some(certificate) = &made.certificate {
            item.facts = Some(facts(certificate));
        }
    }
}

const fn action(decision: &Decision) -> &'static str {
    match decision {
        Decision::Make(_) => "create",
        Decision::Replace(..) => "replace",
        Decision::NoKey(Outside::Closed(_), _) => "left",
        Decision::NoKey(..) => "request",
        Decision::Keep | Decision::Conflict(..) => "keep",
    }
}

fn algorithm(making: &Making) -> Option<String> {
    match making {
        Making::Authority(algorithm, _) | Making::Certificate(algorithm, _) | Making::KeyPair(algorithm) => {
            Some(algorithm.to_string())
        }
        Making::PublicHalf(_) | Making::SignerFile { .. } | Making::Copy { .. } => None,
    }
}

fn planned(item: &Item, making: &Making, reconciled: &Reconciled) -> Option<Facts> {
    let (Making::Authority(_, blueprint) | Making::Certificate(_, blueprint)) = making else { return None };
    let issuer = match item.signer() {
        None => blueprint.subject.clone(),
        Some(authority) => match reconciled.signers.get(&authority).and_then(|signer| signer.certificate()) {
            Some(certificate) => certificate.subject.clone(),
            None => Name::of(authority.common_name(), &[]),
        },
    };
    Some(of_blueprint(blueprint, &issuer))
}

/// The existing certificate.
fn existing(item: &Item, survey: &Survey) -> Option<Certificate> {
    let bytes = file(survey, Some(&item.public))?;
    match &item.what {
        What::Kubeconfig(..) => leaf::embedded(bytes)?.into_iter().next(),
        _ => parse_pem_bundle(bytes).ok()?.into_iter().next(),
    }
}
