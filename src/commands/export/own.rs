//! What kpki itself needs on the node: what of the profile is the node's, whose tree it is, and the manifest.

use super::collect::Read;
use super::phase;
use super::request::Part;
use super::source::Source;
use crate::catalog::CaId;
use crate::error::Error;
use crate::profile::{CaKeys, Profile, node_document};
use crate::tree::layout::DEFAULT_DIR;
use crate::tree::phases::Phases;
use crate::tree::rotation::{Kubelets, Phase, Record, Rotating};
use crate::workspace::rotation::record;
use crate::workspace::shipping::digest::Sha256;
use crate::workspace::shipping::manifest::{self, Issue};
use crate::workspace::shipping::{nodes, nonce};
use crate::workspace::state::{self, Choices, State};
use crate::workspace::{journal, profiles};
use zeroize::Zeroizing;

/// Of the directory that they are in: nobody else looks into it.
pub const KPKI_MODE: u32 = 0o700;

/// kpki's own directory on a node.
pub fn kpki() -> String {
    format!("{DEFAULT_DIR}/.kpki")
}

/// Adds profile, state and manifest. The same tree always gives the same.
pub fn add(source: &Source<'_>, read: &mut Read) -> Result<(), Error> {
    let node = &source.request.node;
    let profile = match source.request.without_ca_keys {
        true => Profile { ca_keys: CaKeys::Nowhere, ..source.profile.clone() },
        false => source.profile.clone(),
    };
    let choices = Choices { node: Some(node.clone()), ..Choices::default() };
    let state = State { profile: node_document(&profile, node).into_bytes(), choices };
    // One that is too long for a profile is not sent.
    profiles::load_state(&state, &format!("{}/{}", kpki(), state::PROFILE))?;
    let document = state.document()?.into_bytes();
    for (name, entry, bytes) in [(state::PROFILE, "profile", state.profile), (state::STATE, "state", document)] {
        let (path, entry) = (format!("{}/{name}", kpki()), entry.to_owned());
        read.parts.push(Part { path, mode: 0o600, entry, bytes: Zeroizing::new(bytes) });
    }
    let record = record::read(&source.tree.roots)?;
    phase::refuse(source, &record)?;
    let phases = Phases::of(&record);
    let phase = (!phases.is_empty()).then(|| phases.to_string());
    let phase = (phase.as_ref(), embeds(&record));
    let known = journal::revision(&source.tree.roots)?;
    // The same state keeps its number. Another one gets a higher number, also where the journal has no line for what is different,
    // such as a changed profile: the archive that was made before is the older one.
    match nodes::shipped(&source.tree.roots, node)?.and_then(|shipped| shipped.issue) {
        Some(last) if last.revision >= known => {
            if number(read, last.revision, phase)? != last.nonce {
                number(read, last.revision.saturating_add(1), phase)?;
            }
        }
        _ => drop(number(read, known, phase)?),
    }
    let bytes = Zeroizing::new(render(read)?);
    let path = format!("{DEFAULT_DIR}/{}", manifest::NAME);
    read.parts.push(Part { path, mode: 0o644, entry: "manifest".to_owned(), bytes });
    Ok(())
}

/// Kubelets are to have a certificate of the new authority at once.
fn embeds(record: &Record) -> bool {
    record.of(Rotating::Authority(CaId::Cluster)).is_some_and(|one| match one.phase {
        Phase::Switched => one.kubelets == Some(Kubelets::Embed),
        Phase::Emergency => true,
        Phase::Prepared => false,
    })
}

/// Numbers the archive, and returns its nonce.
fn number(read: &mut Read, revision: u64, (phase, embeds): (Option<&String>, bool)) -> Result<Sha256, Error> {
    let issue = |nonce| Some(Issue { revision, nonce, phase: phase.cloned(), embeds });
    read.manifest.issue = issue(Sha256([0; 32]));
    let files = read.parts.iter().map(|part| (part.path.as_str(), part.bytes.as_slice()));
    let nonce = nonce::of(&render(read)?, files);
    read.manifest.issue = issue(nonce);
    Ok(nonce)
}

fn render(read: &Read) -> Result<Vec<u8>, Error> {
    let text = read.manifest.render();
    Ok(text.map_err(|why| Error::new("cannot write the manifest").because(why))?.into_bytes())
}
