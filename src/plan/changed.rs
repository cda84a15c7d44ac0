//! What a change of the profile leaves to `kpki renew`: certificates without a name that was added, and kubeconfigs with the server of
//! the profile before.

use crate::plan::decision::{Decision, Difference, Notice, Reconciled};
use crate::plan::item::Item;

/// Keeps what lacks nothing but names: a new node beside it is no reason to replace what is in use.
pub fn keep(items: &[Item], former_servers: &[String], decided: &mut Reconciled) {
    for (item, decision) in items.iter().zip(&mut decided.decisions) {
        // What another host has to sign waits for nothing here: it is asked for before the profile is recorded.
        let Decision::Conflict(differences, None) = &*decision else { continue };
        let Some(names) = missing(differences) else { continue };
        decided.notices.push(Notice::LacksNames { item: item.id.to_string(), names });
        *decision = Decision::Keep;
    }
    for notice in &mut decided.notices {
        if let Notice::OtherServer { item, found, wanted } = notice
            && former_servers.contains(found)
        {
            let (item, found, wanted) = (item.clone(), found.clone(), wanted.clone());
            *notice = Notice::FormerServer { item, found, wanted };
        }
    }
}

/// The names, if nothing else is missing.
pub fn missing(differences: &[Difference]) -> Option<Vec<String>> {
    let mut all = Vec::new();
    for difference in differences {
        let Difference::MissingNames(names) = difference else { return None };
        all.extend(names.iter().map(ToString::to_string));
    }
    Some(all)
}
