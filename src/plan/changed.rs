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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blueprint::San;
    use crate::catalog::CaId;
    use crate::plan::item::What;
    use crate::plan::outside::Outside;
    use crate::tree::{EntryId, Place, Root};

    #[test]
    fn only_what_lacks_nothing_but_names_is_kept() {
        let names = || Difference::MissingNames(vec![San::Dns("cp4".to_owned())]);
        let place = Place { root: Root::Main, path: "pki/x.crt".to_owned() };
        let item = Item {
            id: EntryId::new(Some("cp1"), "apiserver"),
            home: None,
            what: What::Authority(CaId::Cluster),
            public: place,
            private: None,
        };
        for (differences, outside, is_kept) in [
            (vec![names()], None, true),
            (vec![names(), Difference::KeyMissing], None, false),
            (vec![Difference::KeyMissing], None, false),
            (vec![names()], Some(Outside::Key(CaId::Cluster)), false),
        ] {
            let told = format!("{differences:?} {outside:?}");
            let decisions = vec![Decision::Conflict(differences, outside)];
            let mut decided = Reconciled { decisions, ..Reconciled::default() };
            keep(std::slice::from_ref(&item), &[], &mut decided);
            assert_eq!(matches!(decided.decisions[..], [Decision::Keep]), is_kept, "{told}");
            let notice = Notice::LacksNames { item: "cp1/apiserver".to_owned(), names: vec!["cp4".to_owned()] };
            assert_eq!(decided.notices, if is_kept { vec![notice] } else { Vec::new() }, "{told}");
        }
    }

    #[test]
    fn a_server_of_an_earlier_profile_is_told_from_one_that_a_person_set() {
        let other = |found: &str| Notice::OtherServer {
            item: "admin.conf".to_owned(),
            found: found.to_owned(),
            wanted: "https://new:6443".to_owned(),
        };
        let notices = vec![other("https://old:6443"), other("https://mine:443")];
        let mut decided = Reconciled { notices, ..Reconciled::default() };
        keep(&[], &["https://old:6443".to_owned()], &mut decided);
        assert!(matches!(decided.notices[..], [Notice::FormerServer { .. }, Notice::OtherServer { .. }]));
    }
}
