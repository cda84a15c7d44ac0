//! The rows of the report: what each item is, from its blueprint, from what was made, or from what lies there.

use super::material::Made;
use crate::blueprint::Name;
use crate::commands::facts::{facts, of_blueprint};
use crate::kubeconfig::{self, Credentials};
use crate::plan::decision::{Decision, FileState, Making, Reconciled, Survey};
use crate::plan::init::{Item, What};
use crate::plan::layout::{Place, Root};
use crate::report::{self, Facts};
use crate::store::Roots;
use crate::x509::{Certificate, parse_pem_bundle};

pub fn items(items: &[Item], reconciled: &Reconciled, survey: &Survey, roots: &Roots) -> Vec<report::Item> {
    items
        .iter()
        .zip(&reconciled.decisions)
        .map(|(item, decision)| {
            let making = match decision {
                Decision::Make(making) | Decision::Replace(making, _) => Some(making),
                _ => None,
            };
            let waiting = match decision {
                Decision::NoKey(_, making) => Some(making),
                _ => None,
            };
            let existing = existing(item, survey);
            report::Item {
                node: item.node.clone(),
                name: item.name.clone(),
                action: action(decision),
                algorithm: making
                    .or(waiting)
                    .map(algorithm)
                    .unwrap_or_else(|| existing.as_ref().map(|c| c.key.to_string())),
                facts: making
                    .and_then(|making| planned(item, making, reconciled))
                    .or_else(|| existing.as_ref().map(facts)),
                paths: paths(item, roots),
                reasons: match decision {
                    Decision::Replace(_, differences) => differences.iter().map(crate::error::difference).collect(),
                    Decision::NoKey(authority, _) => vec![format!("the key of {} is not here", authority.name())],
                    _ => Vec::new(),
                },
            }
        })
        .collect()
}

/// Serials and fingerprints are known once things are made.
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
        Decision::NoKey(..) => "request",
        Decision::Keep | Decision::Conflict(..) => "keep",
    }
}

fn algorithm(making: &Making) -> Option<String> {
    match making {
        Making::Authority(algorithm, _) | Making::Certificate(algorithm, _) | Making::KeyPair(algorithm) => {
            Some(algorithm.to_string())
        }
        Making::PublicHalf(_) | Making::Copy { .. } => None,
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

/// The certificate that lies there, if one does.
fn existing(item: &Item, survey: &Survey) -> Option<Certificate> {
    let Some(FileState::File { bytes, .. }) = survey.get(&item.public) else { return None };
    let bundle = match &item.what {
        What::Kubeconfig(..) => match kubeconfig::read(bytes).ok()?.credentials {
            Credentials::Embedded { certificate, .. } => parse_pem_bundle(&certificate).ok()?,
            Credentials::Files { .. } => return None,
        },
        _ => parse_pem_bundle(bytes).ok()?,
    };
    bundle.into_iter().next()
}

/// Certificate first: it is what people look for.
fn paths(item: &Item, roots: &Roots) -> Vec<String> {
    let shown = |place: &Place| match (place.root, &roots.kubelet) {
        (Root::Kubelet, Some(kubelet)) => kubelet.join(&place.path).display().to_string(),
        _ => place.path.clone(),
    };
    std::iter::once(&item.public).chain(item.private.as_ref()).map(shown).collect()
}
