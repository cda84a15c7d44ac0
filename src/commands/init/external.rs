//! Entries of an external authority: keys and requests beside the tree, for `kpki import`.

use crate::blueprint::BACK_DATE;
use crate::plan::decision::{Decision, Making, Reconciled};
use crate::plan::item::Item;
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
