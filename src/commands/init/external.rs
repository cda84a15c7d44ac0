//! What an external authority signs: keys and requests, which wait beside the tree until `kpki import`.

use crate::commands::Progress;
use crate::commands::requests::{self, CsrSpec, Made, Site};
use crate::error::Error;
use crate::plan::decision::{Decision, Making, Reconciled};
use crate::plan::init::{Item, What};
use crate::plan::renew::{CsrTemplate, Names};
use crate::store::Roots;

pub struct External<'a> {
    site: Site,
    wanted: Vec<(&'a Item, CsrTemplate)>,
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
                Some((item, CsrTemplate { algorithm, blueprint, names: Names::default(), lifetime, old: None, access }))
            }
            _ => None,
        };
        let wanted = items.iter().zip(&decided.decisions).filter_map(ask).collect();
        Self { site: Site::Tree(roots.clone()), wanted }
    }

    fn specs(&self) -> Vec<CsrSpec<'_>> {
        let specs = self.wanted.iter().map(|(item, ask)| CsrSpec {
            node: item.node.as_deref(),
            name: &item.name,
            public: &item.public,
            private: item.private.as_ref(),
            ask,
            key: None,
        });
        specs.collect()
    }

    /// Every request waits already.
    pub fn is_there(&self) -> Result<bool, Error> {
        requests::are_there(&self.site, &self.specs())
    }

    pub fn make(&self, threads: usize, progress: Progress<'_>) -> Result<Vec<Made>, Error> {
        requests::make(&self.site, self.specs(), threads, progress)
    }
}
