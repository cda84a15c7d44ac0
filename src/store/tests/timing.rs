//! How long a commit takes and where: `cargo test --release --lib store::tests::timing -- --ignored --nocapture`.

use std::cell::RefCell;
use std::time::Instant;

use super::super::transaction::publish_watched;
use super::*;

#[test]
#[ignore = "a measurement, not a test"]
fn sixteen_pairs_replaced() {
    let tmp = tempfile::tempdir().unwrap();
    let roots = main_only(tmp.path());
    let text = "x".repeat(1000);
    let all = || -> Vec<FileChange> {
        let name = |n: usize, end| format!("pki/{}{n}.{end}", if n.is_multiple_of(3) { "etcd/" } else { "" });
        let pair = |n| {
            [("key", 0o600), ("crt", 0o644)].map(|(end, mode)| change(RootId::Main, &name(n, end), mode, &text, true))
        };
        (0..16).flat_map(pair).collect()
    };
    write(&roots.main.join("own"), "x");
    let mut totals = Vec::new();
    let mut phases: BTreeMap<usize, (String, Duration)> = BTreeMap::new();
    const RUNS: u32 = 40;
    for run in 0..=RUNS {
        let (begun, steps) = (Instant::now(), RefCell::new(Vec::new()));
        let journal = (0..16).map(|n| format!("{n} {text}")).collect();
        let note = Some("{}".to_owned());
        let all = Commit { journal, note, keep_generations: Some(5), ..commit(&roots, all()) };
        let watch = |step| {
            steps.borrow_mut().push((step, begun.elapsed()));
            Ok(())
        };
        publish_watched(&all, &watch).unwrap();
        let total = begun.elapsed();
        if run == 0 {
            continue;
        }
        totals.push(total);
        let mut last = Duration::ZERO;
        for (number, (step, at)) in steps.into_inner().into_iter().enumerate() {
            let phase = phases.entry(number).or_insert_with(|| (format!("{step:?}"), Duration::ZERO));
            phase.1 += at - last;
            last = at;
        }
        phases.entry(usize::MAX).or_insert_with(|| ("end".to_owned(), Duration::ZERO)).1 += total - last;
    }
    totals.sort();
    for (name, spent) in phases.values().filter(|(name, _)| !name.starts_with("Placed") || name == "Placed(1)") {
        println!("{name:12} {:?}", *spent / RUNS);
    }
    println!("median {:?}, least {:?}, most {:?}", totals[20], totals[0], totals[39]);
}
