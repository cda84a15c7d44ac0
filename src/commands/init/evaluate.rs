//! The plan compared with the existing files.

use super::external::{self, external};
use super::keys;
use super::request::Request;
use super::resolve::Resolved;
use crate::catalog::paths::KUBELET_CONF;
use crate::error::{self, Context, Error};
use crate::files::RelPath;
use crate::plan::decision::{Decision, Difference, Making, Notice, Reconciled, Refusal};
use crate::plan::item::Item;
use crate::plan::reconcile::reconcile;
use crate::plan::renew::Elsewhere;
use crate::plan::{changed, guard};
use crate::report::Outcome;
use crate::store::RootId;
use crate::workspace::requests::{self, Waits};
use crate::workspace::{Snapshot, referred, state};

pub struct Evaluation {
    pub snapshot: Snapshot,
    pub decided: Reconciled,
    /// What a plan leaves to the renewal that it also shows.
    ended: Vec<String>,
}

/// Decides every item.
pub fn evaluate(request: &Request, resolved: &Resolved, snapshot: Snapshot) -> Result<Evaluation, Error> {
    let (profile, items) = (&resolved.loaded.profile, &resolved.items);
    let Snapshot { survey, authorities } = &snapshot;
    let mut decided = reconcile(profile, items, survey, authorities, request.run.now, request.force);
    unused_credentials(request, resolved, &mut decided);
    if resolved.is_change {
        changed::keep(items, &resolved.former_servers, &mut decided);
    }
    let ended = if request.only_planned { renewed_instead(items, &mut decided) } else { Vec::new() };
    requested(resolved, &mut decided)?;
    decided.refusals.extend(external::not_made(resolved, &decided.decisions));
    if !resolved.allow_shared_ca {
        decided.refusals.extend(guard::shared_authorities(authorities));
    }
    if let Some(refusal) = error::refusal(&context(request, resolved), items, &decided) {
        return Err(refusal);
    }
    keys::check(request, resolved, &decided)?;
    Ok(Evaluation { snapshot, decided, ended })
}

/// Certificates that init would refuse because they have expired, and for nothing else: `renew all --due` makes them again.
fn renewed_instead(items: &[Item], decided: &mut Reconciled) -> Vec<String> {
    let mut ended = Vec::new();
    for (item, decision) in items.iter().zip(&mut decided.decisions) {
        let (Decision::Conflict(differences, _) | Decision::Replace(_, differences)) = &*decision else { continue };
        if !differences.is_empty() && differences.iter().all(|one| matches!(one, Difference::Expired(_))) {
            *decision = Decision::Keep;
            ended.push(item.id.to_string());
        }
    }
    ended
}

/// What a kubelet.conf embeds need not fit where the kubelet has rotated its own: it uses that one.
fn unused_credentials(request: &Request, resolved: &Resolved, decided: &mut Reconciled) {
    let is_used = |difference: &Difference| {
        use Difference::{OtherAccess, Unreadable, WrongAuthorityData};
        matches!(difference, OtherAccess(_) | Unreadable(_) | WrongAuthorityData)
    };
    let confs = resolved.items.iter().zip(&mut decided.decisions).filter(|(item, _)| item.id.name == KUBELET_CONF);
    for (item, decision) in confs {
        let (Decision::Conflict(differences, _) | Decision::Replace(_, differences)) = &*decision else { continue };
        let used = referred::beside(&item.public, &resolved.tree);
        let is_rotated =
            matches!(used, Ok(Some(Elsewhere::Certificate(used))) if used.leaf.not_after >= request.run.now);
        if is_rotated && !differences.iter().any(is_used) {
            *decision = Decision::Keep;
            decided.notices.push(Notice::KubeletUsesItsOwn { item: item.id.to_string() });
        }
    }
}

/// What another authority was asked for: an authority of the tree is not made in its place, everything else can be replaced.
fn requested(resolved: &Resolved, decided: &mut Reconciled) -> Result<(), Error> {
    let mut items = Vec::new();
    for (item, decision) in resolved.items.iter().zip(&decided.decisions) {
        let (Decision::Make(making) | Decision::Replace(making, _)) = decision else { continue };
        let (Making::Authority(..) | Making::Certificate(..)) = making else { continue };
        let waits = requests::waiting_in(&resolved.tree.roots, &item.public, item.private.as_ref())?;
        match (waits, making) {
            (Some(Waits { key, request }), Making::Authority(..)) => {
                let item = item.id.to_string();
                decided.refusals.push(Refusal::AuthorityRequested { item, request, key });
            }
            (Some(_), _) => items.push(item.id.to_string()),
            (None, _) => {}
        }
    }
    if !items.is_empty() {
        decided.notices.push(Notice::Requested { items });
    }
    Ok(())
}

/// The facts about the tree for messages.
pub fn context<'a>(request: &Request, resolved: &'a Resolved) -> Context<'a> {
    Context {
        directory: &resolved.tree.roots.main,
        origin: &resolved.origin,
        profile: Some(&resolved.loaded.profile),
        roots: &resolved.tree.roots,
        force: request.force,
    }
}

impl Evaluation {
    /// Nothing is to be made, every request exists, and kpki's own files are up to date.
    pub fn is_unchanged(&self, resolved: &Resolved) -> Result<bool, Error> {
        let roots = &resolved.tree.roots;
        Ok(self.outcome() == Outcome::Unchanged
            && external(&resolved.items, &self.decided, roots).is_waiting()?
            && state::is_recorded(roots, &resolved.own_files)?)
    }

    /// What `renew` has to make again before everything fits the profile.
    pub fn left_to_renew(&self) -> Vec<String> {
        let item = |notice: &Notice| match notice {
            Notice::LacksNames { item, .. } | Notice::FormerServer { item, .. } => Some(item.clone()),
            _ => None,
        };
        self.decided.notices.iter().filter_map(item).chain(self.ended.iter().cloned()).collect()
    }

    pub fn outcome(&self) -> Outcome {
        let any = |is: fn(&Decision) -> bool| self.decided.decisions.iter().any(is);
        let replaces = any(|decision| matches!(decision, Decision::Replace(..)));
        if !replaces && !any(|decision| matches!(decision, Decision::Make(_))) {
            return Outcome::Unchanged;
        }
        match replaces || any(|decision| matches!(decision, Decision::Keep)) {
            true => Outcome::Completed,
            false => Outcome::Created,
        }
    }

    /// The files to write, and whether they may replace existing ones.
    pub fn places(&self, items: &[Item]) -> Result<Vec<(RootId, RelPath, bool)>, Error> {
        let mut places = Vec::new();
        for (item, decision) in items.iter().zip(&self.decided.decisions) {
            let (making, replace) = match decision {
                Decision::Make(making) => (making, false),
                Decision::Replace(making, _) => (making, true),
                _ => continue,
            };
            let (public, private) = match making {
                Making::PublicHalf(_) => (true, false),
                Making::Copy { public, private, .. } => (*public, *private),
                _ => (true, true),
            };
            let public = public.then_some(&item.public);
            for place in public.into_iter().chain(item.private.as_ref().filter(|_| private)) {
                places.push((place.root_id(), RelPath::parse(place.path.as_str())?, replace));
            }
        }
        Ok(places)
    }
}
