//! `--keep-newer`: what the node has renewed itself stays, its key and its certificate together.

use super::compare::{Action, Step};
use super::contents::What;
use crate::catalog::{self, CaId, Files};
use crate::plan::unpack::{Older, kept_kubeconfig};
use crate::x509::Certificate;

/// Whether this difference alone is none with `--keep-newer`: authorities and what the profile says are the archive's.
pub fn is_kept(one: &Older) -> bool {
    match one {
        Older::Certificate { entry, .. } => CaId::parse(entry).is_none(),
        Older::List { .. } => true,
        Older::Revision { .. } => false,
    }
}

/// Keeps the entries that are newer there and by authorities that the archive has. The others stay older, and are refused.
pub fn newer(steps: &mut [Step<'_>]) {
    let bundles = steps.iter().filter(|step| step.part.what == What::Public && CaId::parse(&step.part.entry).is_some());
    let authorities: Vec<Certificate> = bundles.flat_map(|step| step.given.iter().cloned()).collect();
    let is_known = |leaf: &Certificate| authorities.iter().any(|issuer| leaf.signed_by(issuer).is_ok());
    let stays = |step: &&Step<'_>| {
        let of_entry = |one: &Older| matches!(one, Older::Certificate { .. }) && is_kept(one);
        step.older.as_ref().is_some_and(of_entry) && step.held.first().is_some_and(is_known)
    };
    let names: Vec<String> = steps.iter().filter(stays).map(|step| step.part.entry.clone()).collect();
    let own =
        |step: &&mut Step<'_>| names.contains(&step.part.entry) && matches!(step.part.what, What::Key | What::Public);
    for step in steps.iter_mut().filter(own) {
        step.older = None;
        step.kept = true;
        let is_kubeconfig =
            catalog::find(&step.part.entry).is_some_and(|one| matches!(one.files, Files::Kubeconfig(_)));
        // It trusts what the archive's trusts.
        match step.there.take().filter(|_| is_kubeconfig).and_then(|held| kept_kubeconfig(&held, &step.part.bytes)) {
            Some(bytes) => step.bytes = bytes,
            None => step.action = Action::Keep,
        }
        step.given.clone_from(&step.held);
    }
}
