//! One tree, or many on all cores.

use super::item::Tree;
use super::request::{Form, Request};
use super::revoked::SharedCrls;
use super::tree as trees;
use super::walk;
use crate::parallel;

/// Everything a request names, as it is now. Never fails: what cannot be read is an item with the reason.
pub fn tree(request: &Request<'_>) -> Tree {
    read(request, &SharedCrls::default())
}

/// All trees, in the order of the requests. `progress` is called now and then, on the calling thread, with how many are done
/// and how many there are.
///
/// # Errors
/// A thread panicked.
pub fn all(
    requests: &[Request<'_>],
    threads: usize,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Vec<Tree>, parallel::Died> {
    let shared = SharedCrls::default();
    let work = |index: usize| requests.get(index).map(|request| read(request, &shared));
    parallel::map(requests.len(), threads, work, |done| progress(done, requests.len()))
}

fn read(request: &Request<'_>, shared: &SharedCrls) -> Tree {
    match request.form {
        Form::Node | Form::Shared => trees::read(request, shared),
        Form::Directory => walk::directory(&request.root, request.password),
        Form::File => walk::file(&request.root, request.password),
    }
}
