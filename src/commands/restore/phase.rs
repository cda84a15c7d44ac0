//! What a restore may not undo: a step of a rotation. Files, keys, record and the nodes move on together; `kpki rotate back` knows
//! how.

use super::request::Request;
use crate::error::Error;
use crate::store::{self, Generation, Roots};
use crate::tree::entry_path::entry_of_path;
use crate::tree::rotation::Rotating;

/// Refuses to go back to before a step that has changed who signs or who is trusted.
pub fn refuse_across(request: &Request, roots: &Roots, name: &str) -> Result<(), Error> {
    let all = store::generations(roots)?;
    let mut undone = all.iter().take(all.iter().position(|one| one.name == name).map_or(0, |at| at.saturating_add(1)));
    let Some(step) = undone.rfind(|one| is_step(one)) else { return Ok(()) };
    let origin = request.origin();
    Err(Error::new(format!("{name} is from before a step of a rotation: nothing was restored"))
        .because(format!("{} has changed which authorities sign and are trusted, on every node", step.name))
        .hint(format!("take a step of the rotation back: {}", origin.command("rotate back", &[""; 0], &[])))
        .hint(format!("or choose a generation since then: {}", origin.command("history", &[""; 0], &[]))))
}

/// One of `kpki rotate` that has written the certificate of an authority, or sa.pub.
fn is_step(generation: &Generation) -> bool {
    let verb = generation.name.split_once('-').map_or("", |(_, verb)| verb);
    let is_authority = |path: &str| {
        let id = entry_of_path(path);
        path.ends_with("sa.pub") || id.is_some_and(|id| Rotating::parse(&id.name).is_some())
    };
    let mut paths = generation.kept.iter().chain(&generation.created);
    verb.starts_with("rotate-") && paths.any(|(_, path)| is_authority(path.as_str()))
}
