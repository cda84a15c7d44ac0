//! A rotation in progress: the files are of the phase that the tree records.

use crate::plan::rotate::phase::{expected, fits, seen};
use crate::plan::rotate::unmoved;
use crate::tree::rotation::{Identity, Rotation};
use crate::verify::cluster::{Content, File, Part, Tree};
use crate::verify::findings::Findings;
use crate::verify::rule::{Rule, Severity};

pub const OTHER_PHASE: Rule = Rule {
    id: "rotation/other-phase",
    severity: Severity::Error,
    what: "a file is not what the recorded phase of its authority's rotation makes of it",
    why: "who is trusted and who signs must agree everywhere before the next step (kpki rotate)",
    repair: "see how the rotation stands with kpki rotate status; put the file back, or record what the files say",
    follows: &["file/broken"],
};

pub const NEXT_NOT_MOVED: Rule = Rule {
    id: "rotation/next-not-moved",
    severity: Severity::Warning,
    what: "an authority was replaced, and the profile still names its key as that of the authority to come",
    why: "the record of the rotation is all that says which key signs, and it cannot be rotated again",
    repair: "move the lines of authorities.NAME.next in the profile to authorities.NAME",
    follows: &[],
};

pub const RULES: [&Rule; 2] = [&OTHER_PHASE, &NEXT_NOT_MOVED];

pub fn check(tree: &Tree, findings: &mut Findings<'_>) {
    let cluster = findings.cluster;
    // In a cluster directory its own file, and not each node's copy.
    let lines = cluster.profile.filter(|_| !tree.in_cluster).map(|profile| unmoved(profile, &cluster.record));
    for (authority, lines) in lines.into_iter().flatten() {
        if let Some(file) = tree.file(authority.name(), Part::Authority) {
            findings.add(&NEXT_NOT_MOVED, (tree, file), None, lines, []);
        }
    }
    for rotation in &cluster.record.rotations {
        let own = |file: &&File| matches!(file.part, Part::Authority | Part::PublicKeys) && file.is_there();
        for file in tree.files.iter().filter(own).filter(|file| file.entry == rotation.authority.name()) {
            if let Some(found) = other_phase(rotation, &file.content) {
                findings.add(&OTHER_PHASE, (tree, file), None, found, []);
            }
        }
    }
}

fn other_phase(rotation: &Rotation, content: &Content) -> Option<String> {
    let found: Vec<Identity> = match content {
        Content::Certificates { certificates, .. } => certificates.iter().map(Identity::of_certificate).collect(),
        Content::PublicKeys(keys) => keys.iter().map(|spki| Identity::of_public_key(spki)).collect(),
        _ => return None,
    };
    let digests = |all: &[Identity]| all.iter().map(|one| one.digest().to_owned()).collect::<Vec<_>>();
    let (old, new, found) = (digests(&rotation.old), digests(&rotation.new), digests(&found));
    let (phase, pair) = (Some(rotation.phase), (old.as_slice(), new.as_slice()));
    (!fits(phase, pair, &found)).then(|| {
        let Rotation { authority, phase, .. } = rotation;
        format!("{authority} is {phase}: expected {}, found {}", expected(Some(*phase)), seen(pair, &found).words())
    })
}
