//! One tree, or many on all cores.

use super::item::Tree;
use super::load::Loaders;
use super::request::{Form, Request};
use super::revoked::SharedCrls;
use super::tree as trees;
use super::walk;
use crate::parallel;

/// Everything a request names, as it is now. Never fails: what cannot be read is an item with the reason.
pub fn tree(request: &Request<'_>) -> Tree {
    read(request, &SharedCrls::default(), &mut Loaders::default())
}

/// What `then` makes of each tree on the thread that read it, in the order of the requests. `progress` is called now and then,
/// on the calling thread, with how many are done and how many there are.
///
/// # Errors
/// A thread panicked.
pub fn all<R: Send>(
    requests: &[Request<'_>],
    threads: usize,
    progress: &mut dyn FnMut(usize, usize),
    then: impl Fn(usize, Tree) -> Option<R> + Sync,
) -> Result<Vec<R>, parallel::Died> {
    let shared = SharedCrls::default();
    let work = |loaders: &mut Loaders, index: usize| {
        requests.get(index).and_then(|request| then(index, read(request, &shared, loaders)))
    };
    parallel::map_with(requests.len(), threads, Loaders::default, work, |done| progress(done, requests.len()))
}

fn read(request: &Request<'_>, shared: &SharedCrls, loaders: &mut Loaders) -> Tree {
    match request.form {
        Form::Node | Form::Shared => trees::read(request, shared, loaders),
        Form::Directory => walk::directory(&request.root, request.password),
        Form::File => walk::file(&request.root, request.password),
    }
}
