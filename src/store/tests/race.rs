use std::sync::Barrier;

use super::super::{generations, journal};
use super::*;

const RUNS: usize = 6;

/// The results of runs that all start at once, each with a tag of its own.
fn race(roots: &Roots, replace: bool) -> Vec<(String, Result<Receipt, StoreError>)> {
    let start = Barrier::new(RUNS);
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..RUNS)
            .map(|n| {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    let tag = format!("run{n}");
                    let mut all = commit(roots, changes(roots, &tag, replace));
                    all.journal = vec![tag.clone()];
                    all.note = Some(format!("\"{tag}\""));
                    let result = publish(&all);
                    (tag, result)
                })
            })
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    })
}

#[test]
fn of_many_creators_exactly_one_wins() {
    for place in [main_only, with_kubelet, with_three] {
        for _ in 0..15 {
            let tmp = tempfile::tempdir().unwrap();
            let roots = place(tmp.path());
            let results = race(&roots, false);
            let winners: Vec<&str> =
                results.iter().filter(|(_, result)| result.is_ok()).map(|(tag, _)| tag.as_str()).collect();
            assert_eq!(winners.len(), 1, "{results:?}");
            for (_, result) in &results {
                let expected = matches!(result, Ok(_) | Err(StoreError::MadeMeanwhile(_) | StoreError::Exist(_)));
                assert!(expected, "{result:?}");
            }
            assert_whole(tmp.path(), &roots, winners[0]);
            assert_eq!(journal(&roots).unwrap(), winners);
            assert_eq!(generations(&roots).unwrap()[0].note.as_ref().unwrap(), winners[0]);
        }
    }
}

#[test]
fn of_many_mergers_each_has_its_turn_and_the_tree_is_never_mixed() {
    for _ in 0..8 {
        let tmp = tempfile::tempdir().unwrap();
        let roots = with_three(tmp.path());
        write(&roots.main.join("own"), "x");
        let results = race(&roots, true);
        assert!(results.iter().all(|(_, result)| result.is_ok()), "{results:?}");
        let last = snapshot(&roots.main)["admin.conf"].1.clone().unwrap();
        assert_whole(tmp.path(), &roots, &last);
        let order: Vec<String> = generations(&roots)
            .unwrap()
            .into_iter()
            .rev()
            .map(|g| g.note.unwrap())
            .map(|note| note.as_str().unwrap().to_owned())
            .collect();
        assert_eq!(journal(&roots).unwrap(), order);
        assert_eq!((order.len(), order.last()), (RUNS, Some(&last)));
        let kept = snapshot(&roots.main.join(".kpki/generations"));
        assert_eq!(kept.keys().filter(|path| path.ends_with("main/admin.conf")).count(), RUNS - 1);
    }
}
