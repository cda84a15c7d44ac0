//! The same work on many things, on several threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// A thread that was helping panicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a thread ended before its work")]
pub struct Died;

/// The results of `work` for each index below `count`, in order, without those that are `None`. Threads take the next index
/// as they become free, because one piece may take ten times as long as another. The calling thread works too, so this
/// succeeds even where no thread can be started; it calls `between` after each of its pieces with the number of all pieces
/// that are done.
pub fn map<R, F>(count: usize, threads: usize, work: F, between: impl FnMut(usize)) -> Result<Vec<R>, Died>
where
    R: Send,
    F: Fn(usize) -> Option<R> + Sync,
{
    map_with(count, threads, || (), |(), index| work(index), between)
}

/// The same, with something that each thread makes once and works with, such as a buffer.
pub fn map_with<S, R, F>(
    count: usize,
    threads: usize,
    tool: impl Fn() -> S + Sync,
    work: F,
    mut between: impl FnMut(usize),
) -> Result<Vec<R>, Died>
where
    R: Send,
    F: Fn(&mut S, usize) -> Option<R> + Sync,
{
    let next = AtomicUsize::new(0);
    let finished = AtomicUsize::new(0);
    let pieces = |between: &mut dyn FnMut(usize)| {
        let (mut done, mut tool) = (Vec::new(), tool());
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return done;
            }
            if let Some(result) = work(&mut tool, index) {
                done.push((index, result));
            }
            between(finished.fetch_add(1, Ordering::Relaxed).saturating_add(1));
        }
    };
    let pieces = &pieces;
    let mut done = thread::scope(|scope| {
        let helpers = threads.min(count).saturating_sub(1);
        let started: Vec<_> = (0..helpers)
            .map_while(|_| thread::Builder::new().spawn_scoped(scope, move || pieces(&mut |_| ())).ok())
            .collect();
        let mut done = pieces(&mut between);
        for helper in started {
            done.append(&mut helper.join().map_err(|_| Died)?);
        }
        Ok(done)
    })?;
    done.sort_unstable_by_key(|(index, _)| *index);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_kept_and_every_index_is_met_once() {
        for threads in [0, 1, 2, 3, 16, 1000] {
            let mut last = 0;
            let doubled = map(500, threads, |index| (index != 7).then_some(index * 2), |done| last = done).unwrap();
            let wanted: Vec<_> = (0..500).filter(|index| *index != 7).map(|index| index * 2).collect();
            assert_eq!(doubled, wanted, "{threads}");
            assert!(last <= 500);
        }
        assert_eq!(map(0, 4, Some, |_| ()), Ok(vec![]));
    }

    #[test]
    fn each_thread_makes_its_tool_once() {
        for threads in [1, 3] {
            let made = AtomicUsize::new(0);
            let work = |tool: &mut usize, index| {
                *tool += 1;
                Some((index, *tool))
            };
            let tool = || {
                made.fetch_add(1, Ordering::Relaxed);
                0
            };
            let uses = map_with(100, threads, tool, work, |_| ()).unwrap();
            assert_eq!(made.into_inner(), threads);
            assert_eq!(uses.iter().map(|(index, _)| *index).collect::<Vec<_>>(), (0..100).collect::<Vec<_>>());
            // A tool that did `n` pieces was used for the first one, the second one, and so on.
            let firsts = uses.iter().filter(|(_, uses)| *uses == 1).count();
            assert!((1..=threads).contains(&firsts), "{firsts}");
        }
    }
}
