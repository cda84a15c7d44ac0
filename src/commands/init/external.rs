//! Entries of an external authority: keys and requests beside the tree, for `kpki import`.

use crate::error::Error;
use crate::plan::decision::{Decision, Making, Reconciled};
use crate::plan::item::{Item, What};
use crate::plan::renew::{CsrTemplate, Names};
use crate::store::Roots;
use crate::workspace::Progress;
use crate::workspace::requests::{self, CsrSpec, Made, Site};

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
        let specs = self.wanted.iter().map(|(item, template)| CsrSpec {
            id: item.id.clone(),
            public: &item.public,
            private: item.private.as_ref(),
            template,
            key: None,
        });
        specs.collect()
    }

    /// Every request exists already.
    pub fn is_waiting(&self) -> Result<bool, Error> {
        requests::are_waiting(&self.site, &self.specs())
    }

    pub fn make(&self, threads: usize, progress: Progress<'_>) -> Result<Vec<Made>, Error> {
        requests::make(&self.site, self.specs(), threads, progress)
    }
}
