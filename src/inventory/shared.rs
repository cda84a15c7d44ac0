//! Authorities in more than one place: what has to differ and does not, and what has to be a copy and is not.

use std::path::Path;

use super::item::Reading;
use super::load::Loader;
use super::object::ParsedObject;
use super::revoked;
use crate::catalog::CaId;
use crate::encoding::key_public::Half;
use crate::files;

/// Marks authorities that are the cluster's own as well, or each other, by all certificates of both files.
pub fn mark_one(all: &mut [(CaId, bool, &mut Vec<ParsedObject>)]) {
    for (first, second) in CaId::PAIRS {
        let is_one = {
            let links = |wanted| {
                let of = all.iter().filter(move |(id, ..)| *id == wanted);
                of.flat_map(|(_, _, objects)| objects.iter()).filter_map(|object| object.link.as_ref())
            };
            links(first).any(|link| links(second).any(|other| link.is_one_with(other)))
        };
        let own = all.iter_mut().filter(|(id, ..)| is_one && *id == second).find_map(|(_, _, own)| own.first_mut());
        if let Some(Reading::Certificate(facts)) = own.map(|object| &mut object.reading) {
            facts.shared_with = facts.shared_with.or(Some(first));
        }
    }
}

/// Whether sa.key is another one than the cluster directory's.
pub fn is_another(half: &Half, cluster: Option<&Path>, loader: &mut Loader) -> bool {
    let public = cluster.and_then(|dir| files::look(&dir.join("pki/sa.pub")).ok()?);
    public.and_then(|source| loader.small(&source, |text| half.is_in(text)).ok()?) == Some(false)
}

/// Marks a node's copy that is not what the cluster directory has at this path. What cannot be read there is reported there.
pub fn mark_copy(objects: &mut [ParsedObject], path: &Path) {
    let wanted: Vec<[u8; 32]> = revoked::bundle(path).iter().flatten().map(|one| one.fingerprint).collect();
    let print = |object: &ParsedObject| match &object.reading {
        Reading::Certificate(facts) => Some(facts.fingerprint),
        _ => None,
    };
    let differs = !wanted.is_empty() && objects.iter().filter_map(print).ne(wanted);
    if let Some(Reading::Certificate(facts)) = objects.first_mut().map(|object| &mut object.reading) {
        facts.differs_from_ca = differs;
    }
}
