//! A node gets the steps of a rotation one after another, and a step that was taken back is not held for old files.

use super::compare::{self, Action, Step};
use super::contents::{Contents, What};
use super::place::Home;
use crate::catalog::CaId;
use crate::encoding::{pem, raw_key};
use crate::error::{self, Error};
use crate::plan::rotate::{self, missed};
use crate::plan::unpack::Older;
use crate::tree::rotation::{Phase, Rotating};
use crate::workspace::rotation::phases::of_manifest;
use crate::x509::Certificate;

/// The authority was replaced in an emergency: it has nothing in common with the one that lies there.
pub fn is_emergency(contents: &Contents, entry: &str) -> bool {
    let phase = Rotating::parse(entry).and_then(|one| of_manifest(&contents.manifest).get(one));
    phase == Some(Phase::Emergency)
}

/// The steps that the archive would leave out, as sentences.
pub fn left_out(home: &Home, contents: &Contents, steps: &[Step<'_>]) -> Result<Vec<String>, Error> {
    let mut whys = Vec::new();
    for step in steps.iter().filter(|step| step.part.what == What::Public && step.action == Action::Replace) {
        let Some(rotating) = Rotating::parse(&step.part.entry) else { continue };
        if is_emergency(contents, &step.part.entry) {
            continue;
        }
        let step_left = match rotating {
            Rotating::Authority(_) => missed(&keys(&step.held), &keys(&step.given)),
            Rotating::ServiceAccount => {
                let there = compare::there(home, &step.target)?.unwrap_or_default();
                missed(&public_keys(&there), &public_keys(&step.bytes))
            }
        };
        whys.extend(step_left.map(|missed| error::step_left_out(&step.part.entry, missed)));
    }
    Ok(whys)
}

/// The archive takes the node a step on: what lies there is not put back.
pub fn is_step(steps: &[Step<'_>]) -> bool {
    let is_one = |step: &&Step<'_>| match Rotating::parse(&step.part.entry) {
        Some(Rotating::Authority(_)) => rotate::is_step(&keys(&step.held), &keys(&step.given)),
        Some(Rotating::ServiceAccount) | None => false,
    };
    steps
        .iter()
        .filter(|step| step.part.what == What::Public && step.action == Action::Replace)
        .any(|step| is_one(&step))
}

/// A step that was taken back brings older files: those of the authority that signs again. They are not older than what a later
/// archive of the same safe host replaces.
pub fn take_back(steps: &mut [Step<'_>]) {
    let is_bundle = |step: &Step<'_>| step.part.what == What::Public && CaId::parse(&step.part.entry).is_some();
    let former: Vec<Certificate> = steps
        .iter()
        .filter(|step| is_bundle(step) && step.action == Action::Replace)
        .filter_map(|step| {
            let (before, after) = (step.held.first()?, step.given.first()?);
            (before.spki_der != after.spki_der).then(|| before.clone())
        })
        .collect();
    for step in steps.iter_mut().filter(|step| matches!(step.older, Some(Older::Certificate { .. }))) {
        let is_back = match is_bundle(step) {
            true => step.given.first().is_some_and(|signer| step.held.iter().any(|one| one.der == signer.der)),
            false => step.held.first().is_some_and(|leaf| former.iter().any(|one| leaf.signed_by(one).is_ok())),
        };
        if is_back {
            step.older = None;
            step.there = None;
        }
    }
}

fn keys(certificates: &[Certificate]) -> Vec<&[u8]> {
    certificates.iter().map(|one| one.spki_der.as_slice()).collect()
}

fn public_keys(bytes: &[u8]) -> Vec<Vec<u8>> {
    pem::read(bytes).map(|blocks| raw_key::public_keys(&blocks)).unwrap_or_default()
}
