//! What is selected, cluster by cluster: the worst first, and of one state what ends first.

use std::collections::BTreeMap;

use super::cells;
use super::select::Rows;
use crate::audit::{Counts, Judged};

/// A cluster, or a tree that says of none which it belongs to. Its counts are over everything, whatever is selected.
pub struct Cluster<'a> {
    pub name: &'a str,
    pub rows: Vec<&'a Rows<'a>>,
    pub counts: Counts,
    /// What ends first.
    pub first: Option<&'a Judged>,
}

pub fn of<'a>(rows: &'a [Rows<'a>]) -> Vec<Cluster<'a>> {
    let mut grouped: BTreeMap<&str, Vec<&Rows<'_>>> = BTreeMap::new();
    for row in rows {
        grouped.entry(cells::cluster(row.0)).or_default().push(row);
    }
    let mut clusters: Vec<Cluster<'_>> = grouped.into_iter().map(|(name, rows)| Cluster::new(name, rows)).collect();
    clusters.sort_by(|a, b| {
        let first = |cluster: &Cluster<'_>| cluster.first.and_then(|judged| judged.residual).unwrap_or(i64::MAX);
        b.counts.worst().cmp(&a.counts.worst()).then_with(|| first(a).cmp(&first(b))).then_with(|| a.name.cmp(b.name))
    });
    clusters
}

impl<'a> Cluster<'a> {
    fn new(name: &'a str, rows: Vec<&'a Rows<'a>>) -> Self {
        let items = || rows.iter().flat_map(|(tree, _)| &tree.items);
        let first = items().filter(|judged| judged.residual.is_some()).min_by_key(|judged| judged.residual);
        Self { name, counts: Counts::of(items()), first, rows }
    }

    /// All of it.
    pub fn items(&self) -> impl Iterator<Item = &'a Judged> {
        self.rows.iter().flat_map(|(tree, _)| &tree.items)
    }
}
