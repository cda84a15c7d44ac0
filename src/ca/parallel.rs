//! Work that can fail, on several threads.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::ca::CaError;
use crate::parallel;
use crate::signals;

/// What `work` gives for each item, in the order of the items; the first error in that order. `between` is called on the calling
/// thread with how many are done.
pub fn parallel_watched<T, R, F>(
    items: &[T],
    threads: usize,
    work: F,
    between: &mut dyn FnMut(usize),
) -> Result<Vec<R>, CaError>
where
    T: Sync,
    R: Send,
    F: Fn(&T) -> Result<R, CaError> + Sync,
{
    let failed = AtomicUsize::new(usize::MAX);
    let piece = |index: usize| {
        // After a failure only the items before it are still of interest.
        let item = items.get(index).filter(|_| index < failed.load(Ordering::Relaxed))?;
        let result = signals::check().map_err(CaError::from).and_then(|()| work(item));
        if result.is_err() {
            failed.fetch_min(index, Ordering::Relaxed);
        }
        Some(result)
    };
    parallel::map(items.len(), threads, piece, between).map_err(|parallel::Died| CaError::Worker)?.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::NoRandomBytes;

    #[test]
    fn order_is_kept_and_the_first_error_wins() {
        let items: Vec<u64> = (0..500).collect();
        for threads in [0, 1, 2, 3, 16, 1000] {
            let doubled = parallel_watched(&items, threads, |item| Ok(item * 2), &mut |_| ()).unwrap();
            assert!(doubled.iter().zip(&items).all(|(a, b)| *a == b * 2) && doubled.len() == 500, "{threads}");
            let work = |item: &u64| match item {
                0..250 => Ok(()),
                250 => Err(CaError::EmptyBundle),
                _ => Err(NoRandomBytes.into()),
            };
            let error = parallel_watched(&items, threads, work, &mut |_| ());
            assert_eq!(error, Err(CaError::EmptyBundle), "{threads}");
        }
        assert_eq!(parallel_watched(&[0u8; 0], 4, |_| Ok(()), &mut |_| ()), Ok(vec![]));
    }
}
