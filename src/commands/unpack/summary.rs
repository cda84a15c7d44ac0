//! The report, and the journal's lines.

use super::compare::{Action, Step};
use super::contents::{Contents, What};
use super::evaluate::Evaluation;
use super::phase;
use super::place::Home;
use super::request::Request;
use crate::catalog::CaId;
use crate::plan::unpack::runs;
use crate::profile::Profile;
use crate::report::restart::{Restart, restarts};
use crate::report::unpack::{self as report, Unpack, UnpackedFile};
use crate::tree::EntryId;
use crate::workspace::crl_file::List;
use crate::workspace::journal;
use crate::workspace::shipping::collect::UNPACK;
use time::OffsetDateTime;

/// The report of a run before its commit.
pub fn report(request: &Request, home: &Home, contents: &Contents, evaluation: &Evaluation<'_>) -> Unpack {
    let profile = evaluation.merged.profile.as_ref();
    let changed = evaluation.entries().into_iter().map(|name| EntryId::new(None, &name));
    Unpack {
        dry_run: request.run.dry_run,
        node: contents.manifest.node.clone(),
        cluster: contents.manifest.cluster.clone(),
        directory: request.dir.display().to_string(),
        // DIR records the kubelet's directory, or it is the default of /etc/kubernetes; else it has to be said.
        kubelet_dir: home.kubelet_to_say().map(|dir| dir.display().to_string()),
        archive: request.input.to_string(),
        generation: None,
        files: evaluation.steps.iter().map(|step| file(home, step)).collect(),
        left_over: evaluation.left_over.clone(),
        finished: Vec::new(),
        restart: restart(contents, profile, changed),
        hooks: Vec::new(),
        rolled_back: false,
        is_step: phase::is_step(&evaluation.steps),
        warnings: evaluation.warnings.clone(),
    }
}

/// What has to be restarted, of what runs on the node.
pub fn restart(contents: &Contents, profile: Option<&Profile>, changed: impl Iterator<Item = EntryId>) -> Vec<Restart> {
    let mut all = restarts(changed, profile);
    all.retain(|one| profile.is_none_or(|profile| runs(profile, &contents.manifest.node, one.component)));
    all
}

fn file(home: &Home, step: &Step<'_>) -> UnpackedFile {
    UnpackedFile {
        path: home.shown(&step.target),
        entry: step.part.entry.clone(),
        kept: step.kept,
        action: match step.action {
            Action::Same => report::Action::Same,
            Action::Create => report::Action::Create,
            Action::Replace => report::Action::Replace,
            Action::Keep => report::Action::Keep,
        },
    }
}

/// A line for each certificate and each list that is new on this node.
pub fn journal(evaluation: &Evaluation<'_>, now: OffsetDateTime) -> Vec<String> {
    let mut lines = Vec::new();
    for step in evaluation.steps.iter().filter(|step| step.is_change()) {
        match step.part.what {
            What::Public => {
                let bundle = CaId::parse(&step.part.entry).is_some();
                let given = step.given.iter().take(if bundle { usize::MAX } else { 1 });
                let new = given.filter(|one| !step.held.iter().any(|held| held.der == one.der));
                lines.extend(new.map(|one| journal::line(UNPACK, &step.part.entry, one, now)));
            }
            What::List(authority) => lines.extend(lists(evaluation, step, authority, now)),
            _ => {}
        }
    }
    // PEM and DER of one list are one issue.
    lines.dedup();
    lines
}

fn lists(evaluation: &Evaluation<'_>, step: &Step<'_>, authority: CaId, now: OffsetDateTime) -> Vec<String> {
    let is_it = |step: &&Step<'_>| step.part.what == What::Public && step.part.entry == authority.name();
    let trusted = evaluation.steps.iter().find(is_it).map(|step| step.given.as_slice()).unwrap_or_default();
    let line = |List { der, crl }: &List| {
        let issuer = trusted.iter().find(|one| crl.signed_by(der, one).is_ok())?;
        Some(journal::crl_line(UNPACK, &step.part.entry, issuer, &crl.edition()?, None, now))
    };
    step.lists.iter().filter_map(line).collect()
}
