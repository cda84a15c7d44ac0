//! The same work on many things, on several threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::ca::CaError;

/// What `work` gives for each item, in the order of the items; the first error in that order. Threads take the next item as
/// they become free, because the search for primes takes one key ten times as long as another. The calling thread works
/// too, so this succeeds even where no thread can be started.
pub fn parallel_map<T, R, F>(items: &[T], threads: usize, work: F) -> Result<Vec<R>, CaError>
where
    T: Sync,
    R: Send,
    F: Fn(&T) -> Result<R, CaError> + Sync,
{
    let helpers = threads.min(items.len()).saturating_sub(1);
    if helpers == 0 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let failed = AtomicUsize::new(usize::MAX);
    let labour = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            // After a failure only the items before it are still of interest.
            let Some(item) = items.get(index).filter(|_| index < failed.load(Ordering::Relaxed)) else { return done };
            let result = work(item);
            if result.is_err() {
                failed.fetch_min(index, Ordering::Relaxed);
            }
            done.push((index, result));
        }
    };
    let mut done = thread::scope(|scope| {
        let started: Vec<_> =
            (0..helpers).map_while(|_| thread::Builder::new().spawn_scoped(scope, labour).ok()).collect();
        let mut done = labour();
        for helper in started {
            done.extend(helper.join().map_err(|_| CaError::Worker)?);
        }
        Ok(done)
    })?;
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_kept_and_the_first_error_wins() {
        let items: Vec<u64> = (0..500).collect();
        for threads in [0, 1, 2, 3, 16, 1000] {
            let doubled = parallel_map(&items, threads, |item| Ok(item * 2)).unwrap();
            assert!(doubled.iter().zip(&items).all(|(a, b)| *a == b * 2) && doubled.len() == 500, "{threads}");
            let error = parallel_map(&items, threads, |item| match item {
                0..250 => Ok(()),
                250 => Err(CaError::EmptyBundle),
                _ => Err(CaError::Randomness),
            });
            assert_eq!(error, Err(CaError::EmptyBundle), "{threads}");
        }
        assert_eq!(parallel_map(&[0u8; 0], 4, |_| Ok(())), Ok(vec![]));
    }
}
