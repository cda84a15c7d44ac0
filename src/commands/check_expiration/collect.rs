//! What each target stands for, and what was found there.

use super::targets::Target;
use crate::audit::JudgedTree;
use crate::error::Error;
use crate::files::{FileError, Kind, Op};
use crate::inventory::{self, Form, Reading, Request};

/// The trees a target stands for: a node's own, a cluster directory's, or all there are in a directory.
pub fn requests(target: &Target) -> Result<Vec<Request<'_>>, Error> {
    let missing = || Error::from(FileError::new(Op::Open, &target.root, Kind::Missing));
    let mut found = inventory::requests(&target.root, target.profile.as_ref()).ok_or_else(missing)?;
    for request in found.iter_mut().filter(|request| request.form == Form::Node && request.root == target.root) {
        request.node = target.node.clone().or_else(|| request.node.take());
        request.kubelet_dir.clone_from(&target.kubelet_dir);
    }
    Ok(found)
}

/// Refuses a path in which there is nothing at all, when no profile says what there should be.
pub fn something(target: &Target, trees: &[JudgedTree]) -> Result<(), Error> {
    let mut items = trees.iter().flat_map(|tree| &tree.items);
    if items.any(|judged| target.profile.is_some() || judged.item.reading != Reading::Missing) {
        return Ok(());
    }
    Err(Error::new(format!("no certificate was found in {}", target.root.display()))
        .hint("check the path: it is a kubernetes directory, a cluster directory, a file, or a directory to be walked"))
}
