//! Requests that wait on the node for a certificate that the archive brings.

use super::compare::Step;
use super::contents::What;
use super::place::{Home, place_of};
use crate::error::Error;
use crate::tree::Place;
use crate::workspace::requests::Site;
use crate::workspace::survey;

/// A warning for each.
pub fn warnings(home: &Home, steps: &[Step<'_>]) -> Result<Vec<String>, Error> {
    let site = Site::Tree(home.tree.roots.clone());
    let mut warnings = Vec::new();
    for step in steps.iter().filter(|step| step.part.what == What::Public && step.is_change()) {
        let public = place_of(&step.target);
        let key = |step: &&Step<'_>| step.part.what == What::Key;
        let private = steps.iter().filter(key).find(|other| other.part.entry == step.part.entry);
        let private: Option<Place> = private.map(|step| place_of(&step.target));
        let files = site.files(&public, private.as_ref())?;
        if survey::read(site.roots(), files.root, &files.request)?.is_some() {
            warnings.push(format!(
                "a request of this node for {} waits in {}; if the archive has its certificate from elsewhere, remove the request \
                 and its key",
                step.part.entry,
                site.shown(files.root, &files.request)
            ));
        }
    }
    Ok(warnings)
}
