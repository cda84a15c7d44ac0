//! The report: the nodes, what was concluded, what differs, what was left.

use time::OffsetDateTime;

use super::decide::Adoption;
use super::request::Request;
use crate::encoding::shown::named;
use crate::error::{self, Context};
use crate::plan::decision::{Decision, Difference, Notice};
use crate::report::adopt::{Adopt, Concluded, LeftFile, NodeRow, Outcome};
use crate::tree::{EntryId, Origin, ProfileAt};
use crate::workspace::state;

pub fn report(request: &Request, adoption: &Adoption, outcome: Outcome) -> Adopt {
    let directory = request.directory.display().to_string();
    let origin = Origin::new(directory.clone(), ProfileAt::Recorded);
    let context = Context {
        directory: &request.directory,
        origin: &origin,
        roots: &adoption.tree.roots,
        profile: None,
        force: false,
    };
    let (mut differences, _) = error::unfit(&context, &adoption.items, &adoption.decided);
    let (servers, notices): (Vec<_>, Vec<_>) =
        adoption.decided.notices.iter().cloned().partition(|one| matches!(one, Notice::OtherServer { .. }));
    differences.extend(servers.iter().filter_map(|notice| match notice {
        Notice::OtherServer { item, found, wanted } => {
            Some(format!("{item}: its server is {}, the profile has {wanted}: it is kept", named(found)))
        }
        _ => None,
    }));
    let mut warnings = adoption.warnings.clone();
    warnings.extend(error::notices(&notices, &context));
    Adopt {
        outcome,
        cluster: adoption.profile.cluster_name.clone(),
        layout: state::layout_name(&adoption.layout),
        entries: adoption.assembled.entries.len(),
        nodes: nodes(adoption),
        concluded: adoption
            .guesses
            .iter()
            .map(|guess| Concluded { field: guess.field, value: guess.value.clone(), why: guess.why })
            .collect(),
        differences,
        left: adoption
            .left
            .iter()
            .map(|left| LeftFile {
                node: left.node.clone(),
                path: left.path.clone(),
                count: left.count,
                why: left.why.clone(),
                matters: left.matters,
            })
            .collect(),
        renewable: renewable(adoption),
        has_gaps: has_gaps(adoption),
        tree: origin,
        directory,
        warnings,
    }
}

fn nodes(adoption: &Adoption) -> Vec<NodeRow> {
    let several = adoption.members.len() > 1;
    let row = |member: &crate::plan::adopt::Member| {
        let is_its = |id: &EntryId| id.node.as_ref().map_or(!several, |node| *node == member.name);
        let ends = adoption.assembled.certificates.iter().filter(|(id, _)| is_its(id));
        let first: Option<OffsetDateTime> = ends.map(|(_, certificate)| certificate.not_after).min();
        let prefix = format!("{}/", member.name);
        let is_entry = |entry: &&String| entry.starts_with(&prefix) || (!several && !entry.contains('/'));
        NodeRow {
            node: member.name.clone(),
            from: member.files.input.clone(),
            roles: member.roles().into_iter().map(|role| role.name()).collect(),
            addresses: adoption
                .profile
                .node(&member.name)
                .map(|node| node.addresses.iter().map(ToString::to_string).collect())
                .unwrap_or_default(),
            entries: adoption.assembled.entries.iter().filter(is_entry).count(),
            first_expiry: first,
        }
    };
    adoption.members.iter().map(row).collect()
}

/// A renewal makes it fit: it lacks names or a half, or has ended.
fn is_mended(decision: &Decision) -> bool {
    use Difference::{CertificateMissing, Expired, KeyMissing, MissingNames};
    let is_mended = |one: &Difference| matches!(one, MissingNames(_) | Expired(_) | KeyMissing | CertificateMissing);
    matches!(decision, Decision::Conflict(all, None) if all.iter().all(is_mended))
}

fn renewable(adoption: &Adoption) -> Vec<String> {
    let all = adoption.items.iter().zip(&adoption.decided.decisions);
    let fits = all.filter(|(item, decision)| is_mended(decision) && item.signer().is_some());
    fits.map(|(item, _)| item.id.to_string()).collect()
}

/// Something is missing that `init` makes or copies, and nothing is there that it would refuse.
fn has_gaps(adoption: &Adoption) -> bool {
    let decisions = &adoption.decided.decisions;
    let is_in_the_way = |decision: &Decision| matches!(decision, Decision::Conflict(..)) && !is_mended(decision);
    let is_gap = |decision: &Decision| matches!(decision, Decision::Make(_) | Decision::NoKey(..));
    adoption.decided.refusals.is_empty() && decisions.iter().any(is_gap) && !decisions.iter().any(is_in_the_way)
}
