//! Entries of an external authority: keys and requests beside the tree, for `kpki import`.

use super::resolve::Resolved;
use crate::blueprint::BACK_DATE;
use crate::plan::decision::{Decision, Making, Reconciled, Refusal};
use crate::plan::item::{Item, What};
use crate::plan::outside::Outside;
use crate::plan::renew::CsrTemplate;
use crate::store::Roots;
use crate::workspace::requests::{External, Site};

pub fn external<'a>(items: &'a [Item], decided: &Reconciled, roots: &Roots) -> External<'a> {
    let ask = |(item, decision): (&'a Item, &Decision)| {
        let Decision::NoKey(Outside::Key(_) | Outside::Authority, Making::Certificate(algorithm, blueprint)) = decision
        else {
            return None;
        };
        let lifetime = blueprint.not_after - (blueprint.not_before + BACK_DATE);
        let access = item.what.access().cloned();
        let template = CsrTemplate { access, ..CsrTemplate::new(*algorithm, blueprint.clone(), lifetime) };
        Some((&item.id, &item.public, item.private.as_ref(), template))
    };
    let wanted = items.iter().zip(&decided.decisions).filter_map(ask).collect();
    External { site: Site::Tree(roots.clone()), wanted }
}

/// An authority whose issuer has its key is not made in its place.
pub fn not_made(resolved: &Resolved, decisions: &[Decision]) -> Vec<Refusal> {
    let refuse = |(item, decision): (&Item, &Decision)| {
        let (Decision::Make(making) | Decision::Replace(making, _)) = decision else { return None };
        let (Making::Authority(..), What::Authority(authority)) = (making, &item.what) else { return None };
        resolved.loaded.profile.issuer(*authority)?;
        Some(Refusal::AuthorityElsewhere { item: item.id.to_string() })
    };
    resolved.items.iter().zip(decisions).filter_map(refuse).collect()
}
