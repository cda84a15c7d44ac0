//! What a restore may not undo: a step of a rotation. Files, keys, record and the nodes move on together; `kpki rotate back` knows
//! how.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::request::Request;
use crate::encoding::{pem, raw_key};
use crate::error::Error;
use crate::files::RelPath;
use crate::plan::rotate;
use crate::store::{self, Generation, RootId, Roots};
use crate::tree::entry_path::entry_of_path;
use crate::tree::rotation::Rotating;
use crate::workspace::survey;
use crate::x509::parse_pem_bundle;

/// Refuses to go back to before a step that has changed who signs or who is trusted.
pub fn refuse_across(request: &Request, roots: &Roots, name: &str) -> Result<(), Error> {
    let all = store::generations(roots)?;
    let end = all.iter().position(|one| one.name == name).map_or(0, |at| at.saturating_add(1));
    let undone = all.get(..end).unwrap_or_default();
    let unpacked = unpacked(roots, undone)?;
    let Some(step) = undone.iter().rfind(|one| is_step(one) || unpacked.contains(&one.name.as_str())) else {
        return Ok(());
    };
    let origin = request.origin();
    let back = match unpacked.contains(&step.name.as_str()) {
        true => {
            "take the step back where the archives are made (kpki rotate back), and unpack the one that is made then"
                .to_owned()
        }
        false => format!("take a step of the rotation back: {}", origin.command("rotate back", &[""; 0], &[])),
    };
    Err(Error::new(format!("{name} is from before a step of a rotation: nothing was restored"))
        .because(format!("{} has changed which authorities sign and are trusted, on every node", step.name))
        .hint(back)
        .hint(format!("or choose a generation since then: {}", origin.command("history", &[""; 0], &[]))))
}

/// One of `kpki rotate` that has written the certificate of an authority, or sa.pub.
fn is_step(generation: &Generation) -> bool {
    let mut paths = generation.kept.iter().chain(&generation.created);
    verb(generation).starts_with("rotate-") && paths.any(|(_, path)| is_authority(path))
}

fn verb(generation: &Generation) -> &str {
    generation.name.split_once('-').map_or("", |(_, verb)| verb)
}

fn is_authority(path: &RelPath) -> bool {
    let id = entry_of_path(path.as_str());
    path.as_str().ends_with("sa.pub") || id.is_some_and(|id| Rotating::parse(&id.name).is_some())
}

/// Those of these generations, the newest first, in which an archive took the node a step on.
fn unpacked<'g>(roots: &Roots, undone: &'g [Generation]) -> Result<Vec<&'g str>, Error> {
    let mut found = Vec::new();
    // What each file held after the generation that is looked at.
    let mut after: BTreeMap<(RootId, RelPath), Vec<Vec<u8>>> = BTreeMap::new();
    for generation in undone {
        for (root, path) in generation.kept.iter().filter(|(_, path)| is_authority(path)) {
            let kept = RelPath::parse(format!("generations/{}/{}/{path}", generation.name, root.name()))?;
            let before = keys(survey::read(roots, RootId::State, &kept)?);
            let file = (*root, path.clone());
            let next = match after.remove(&file) {
                Some(next) => next,
                None => keys(survey::read(roots, *root, path)?),
            };
            if verb(generation).starts_with("unpack") && rotate::is_step(&before, &next) {
                found.push(generation.name.as_str());
            }
            after.insert(file, before);
        }
    }
    Ok(found)
}

/// The public keys of a file of authorities, or of sa.pub, in its order.
fn keys(bytes: Option<Zeroizing<Vec<u8>>>) -> Vec<Vec<u8>> {
    let bytes = bytes.unwrap_or_default();
    let certificates = parse_pem_bundle(&bytes).unwrap_or_default();
    match certificates.is_empty() {
        true => pem::read(&bytes).map(|blocks| raw_key::public_keys(&blocks)).unwrap_or_default(),
        false => certificates.into_iter().map(|one| one.spki_der).collect(),
    }
}
