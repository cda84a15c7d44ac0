//! The metrics of a place as a whole, beside those of its certificates.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use super::result::Check;
use crate::audit::{Counts, JudgedTree, State};
use crate::report::labels::{Labels, head};

/// Labels that say which place it is: x509-certificate-exporter's two, and ours.
type Place = String;

pub fn write(check: &Check, out: &mut dyn Write) -> io::Result<()> {
    let mut sources: BTreeMap<Place, bool> = BTreeMap::new();
    for tree in &check.trees {
        let up = is_up(tree);
        sources.entry(place(tree)).and_modify(|other| *other &= up).or_insert(up);
    }
    if !sources.is_empty() {
        head("x509_source_up", "1 if the place could be looked at, 0 otherwise.", out)?;
    }
    sources.iter().try_for_each(|(place, up)| writeln!(out, "x509_source_up{{{place}}} {}", u8::from(*up)))?;
    states(check, out)?;
    interrupted(check, out)?;
    head("kpki_check_timestamp_seconds", "The instant all this was judged at, in seconds since the epoch.", out)?;
    let clusters: BTreeSet<Option<&str>> = check.trees.iter().map(|tree| tree.cluster.as_deref()).collect();
    clusters.into_iter().try_for_each(|cluster| {
        let mut labels = Labels::default();
        labels.place(cluster, None);
        writeln!(out, "kpki_check_timestamp_seconds{{{}}} {}", labels.0, check.at.unix_timestamp())
    })
}

/// By the thresholds of the place's own profile, which a rule over dates does not know.
fn states(check: &Check, out: &mut dyn Write) -> io::Result<()> {
    let mut counted: BTreeMap<Place, [usize; State::ALL.len()]> = BTreeMap::new();
    for tree in &check.trees {
        let counts = Counts::of(&tree.items);
        let sums = counted.entry(place(tree)).or_default();
        sums.iter_mut().zip(State::ALL).for_each(|(sum, state)| *sum += counts.get(state));
    }
    if !counted.is_empty() {
        head(
            "kpki_certificates",
            "How many certificates and CRLs of a place are in a state, by its own thresholds.",
            out,
        )?;
    }
    for (place, sums) in counted {
        for (state, count) in State::ALL.into_iter().zip(sums).filter(|(state, _)| *state != State::Absent) {
            writeln!(out, "kpki_certificates{{{place},state=\"{}\"}} {count}", state.name())?;
        }
    }
    Ok(())
}

/// Of a cluster directory the run is its own, and those of its places are not.
fn interrupted(check: &Check, out: &mut dyn Write) -> io::Result<()> {
    let open: BTreeSet<&str> = check.interruptions.iter().filter(|one| one.open).map(|one| &*one.directory).collect();
    let cluster = |directory: &str| {
        let tree = check.trees.iter().find(|tree| tree.origin.dir == directory);
        tree.and_then(|tree| tree.cluster.as_deref())
    };
    let mut places: BTreeMap<Place, bool> =
        check.trees.iter().map(|tree| (place(tree), open.contains(&*tree.root))).collect();
    for directory in open.iter().filter(|directory| check.trees.iter().all(|tree| tree.root != **directory)) {
        places.insert(labels(directory, cluster(directory), None), true);
    }
    head(
        "kpki_run_interrupted",
        "1 if an interrupted run of kpki left something to do in the tree, 0 otherwise.",
        out,
    )?;
    places.iter().try_for_each(|(place, left)| writeln!(out, "kpki_run_interrupted{{{place}}} {}", u8::from(*left)))
}

/// Something of it could be read.
fn is_up(tree: &JudgedTree) -> bool {
    tree.items.iter().any(|judged| !matches!(judged.state, State::Missing | State::Unreadable))
}

fn place(tree: &JudgedTree) -> Place {
    labels(&tree.root, tree.cluster.as_deref(), tree.node.as_deref())
}

fn labels(root: &str, cluster: Option<&str>, node: Option<&str>) -> Place {
    let mut labels = Labels::default();
    labels.add("source_kind", "file");
    labels.add("source_name", root);
    labels.place(cluster, node);
    labels.0
}
