//! What an external authority signs: keys and requests, which wait beside the tree until `kpki import`.

use crate::commands::Progress;
use crate::commands::requests::{self, Made, Site, Wish};
use crate::error::Error;
use crate::plan::decision::{Decision, Making, Reconciled};
use crate::plan::init::{Item, What};
use crate::plan::renew::{Ask, Names};
use crate::store::Roots;

pub struct External<'a> {
    site: Site,
    wanted: Vec<(&'a Item, Ask)>,
}

impl<'a> External<'a> {
    pub fn of(items: &'a [Item], decided: &Reconciled, roots: &Roots) -> Self {
        let ask = |(item, decision): (&'a Item, &Decision)| match decision {
            Decision::NoKey(_, Making::Certificate(algorithm, blueprint)) => {
                let access = match &item.what {
                    What::Kubeconfig(_, access) => Some(access.clone()),
                    _ => None,
                };
                let (algorithm, blueprint) = (*algorithm, blueprint.clone());
                let lifetime = blueprint.not_after - blueprint.not_before;
                Some((item, Ask { algorithm, blueprint, names: Names::default(), lifetime, old: None, access }))
            }
            _ => None,
        };
        let wanted = items.iter().zip(&decided.decisions).filter_map(ask).collect();
        Self { site: Site::Tree(roots.clone()), wanted }
    }

    fn wishes(&self) -> Vec<Wish<'_>> {
        let wishes = self.wanted.iter().map(|(item, ask)| Wish {
            node: item.node.as_deref(),
            name: &item.name,
            public: &item.public,
            private: item.private.as_ref(),
            ask,
            key: None,
        });
        wishes.collect()
    }

    /// Every request waits already.
    pub fn is_there(&self) -> Result<bool, Error> {
        requests::are_there(&self.site, &self.wishes())
    }

    pub fn make(&self, threads: usize, progress: Progress<'_>) -> Result<Vec<Made>, Error> {
        requests::make(&self.site, self.wishes(), threads, progress)
    }
}
