//! Many trees on all cores.

use super::{Request, Tree};
use crate::parallel;

/// Reads every request; `each` is handed its index and tree as soon as it is read, on whichever thread read it and in no
/// order, so that a caller may keep as little of a tree as it likes. `progress` is called now and then, on the calling thread,
/// with how many are done.
pub fn fleet(
    requests: &[Request<'_>],
    threads: usize,
    each: &(dyn Fn(usize, Tree) + Sync),
    progress: &mut dyn FnMut(usize, usize),
) -> Result<(), parallel::Died> {
    let total = requests.len();
    let work = |index: usize| {
        if let Some(request) = requests.get(index) {
            each(index, super::tree(request));
        }
        None::<()>
    };
    parallel::map(total, threads, work, |done| progress(done, total)).map(|_| ())
}

/// All trees at once, in the order of the requests.
pub fn all(
    requests: &[Request<'_>],
    threads: usize,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Vec<Tree>, parallel::Died> {
    let total = requests.len();
    let work = |index: usize| requests.get(index).map(super::tree);
    parallel::map(total, threads, work, |done| progress(done, total))
}
