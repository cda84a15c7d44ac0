//! Which items are shown, and in which order. The verdict and the exit status are over all of them.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::cells;
use super::result::{Check, Selection, Sort};
use crate::audit::{Judged, JudgedTree, State};

impl Selection {
    fn shows(&self, judged: &Judged) -> bool {
        let state = self.only.is_empty() || self.only.contains(&judged.state);
        let near = self.within.is_none_or(|within| match judged.residual {
            Some(residual) => i64::try_from(within.as_seconds()).is_ok_and(|within| residual <= within),
            None => judged.state > State::Ok,
        });
        state && near
    }

    fn order(&self, a: &Judged, b: &Judged) -> Ordering {
        let names =
            || (&a.item.name, &a.item.path, a.item.position).cmp(&(&b.item.name, &b.item.path, b.item.position));
        match self.sort {
            Sort::Name => names(),
            Sort::Expiry => by_expiry(a, b).then_with(names),
            Sort::State => b.state.cmp(&a.state).then_with(|| by_expiry(a, b)).then_with(names),
        }
    }
}

/// What has no end although it should comes first, what never ends comes last.
fn by_expiry(a: &Judged, b: &Judged) -> Ordering {
    let key = |judged: &Judged| match (judged.residual, judged.state) {
        (Some(residual), _) => (1, residual),
        (None, State::Absent | State::Ok) => (2, 0),
        (None, _) => (0, 0),
    };
    key(a).cmp(&key(b))
}

/// One tree's rows.
pub type Rows<'a> = (&'a JudgedTree, Vec<&'a Judged>);

impl Check {
    /// What is to be shown, tree by tree; with `--top` only the worst of them all.
    pub fn selected(&self) -> Vec<Rows<'_>> {
        let keep = self.selection.top.map(|top| self.worst(top));
        self.trees
            .iter()
            .map(|tree| {
                let mut items: Vec<&Judged> = tree
                    .items
                    .iter()
                    .filter(|judged| self.selection.shows(judged))
                    .filter(|judged| {
                        keep.as_ref().is_none_or(|keep| keep.iter().any(|(_, kept)| std::ptr::eq(*kept, *judged)))
                    })
                    .collect();
                items.sort_by(|a, b| self.selection.order(a, b));
                (tree, items)
            })
            .collect()
    }

    /// The worst so many of all that are selected, the worst first. Among those of one state the clusters take turns: one that
    /// is all expired does not hide the others.
    pub fn worst(&self, top: usize) -> Vec<(&JudgedTree, &Judged)> {
        let mut all: Vec<_> = self.items().filter(|(_, judged)| self.selection.shows(judged)).collect();
        // Stable: among equals the trees' own order holds.
        all.sort_by(|(_, a), (_, b)| b.state.cmp(&a.state).then_with(|| by_expiry(a, b)));
        let mut turns: BTreeMap<(State, &str), usize> = BTreeMap::new();
        let mut with_turn: Vec<_> = all
            .into_iter()
            .map(|(tree, judged)| {
                let next = turns.entry((judged.state, cells::cluster(tree))).or_default();
                // Of what is ok the date alone counts.
                *next += usize::from(judged.state > State::Ok);
                (*next, tree, judged)
            })
            .collect();
        with_turn.sort_by(|(m, _, a), (n, _, b)| b.state.cmp(&a.state).then(m.cmp(n)));
        with_turn.truncate(top);
        with_turn.into_iter().map(|(_, tree, judged)| (tree, judged)).collect()
    }
}
