//! Which phase the file of an authority shows. The files outrank the record: where they disagree, nothing goes on.

use super::bundle::Trusted;
use crate::tree::rotation::Phase;

/// What one file shows of a rotation, with the old authority's certificates (or keys) and the new one's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// The old one alone: before the rotation.
    Old,
    Phase(Phase),
    /// The new one alone: after the rotation, or an emergency.
    New,
    /// None of these: something is missing, or in another order.
    Other,
}

impl Seen {
    /// For a sentence that says what is in the file.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Old => "the old one alone, as before the rotation",
            Self::Phase(Phase::Prepared) => "the old one first and the new one, as in prepared",
            Self::Phase(_) => "the new one first and the old one, as in switched",
            Self::New => "the new one alone, as after the rotation",
            Self::Other => "neither the old nor the new one in any order that a phase has",
        }
    }
}

/// What a file is to hold in a phase, for the same sentence. `None`: the rotation is over.
pub const fn expected(phase: Option<Phase>) -> &'static str {
    match phase {
        Some(Phase::Prepared) => "the old one first and the new one",
        Some(Phase::Switched) => "the new one first and the old one",
        Some(Phase::Emergency) | None => "the new one without the old one",
    }
}

/// Whether the file is what this phase makes of it; what belongs to neither authority may stand behind.
pub fn fits<T: Clone + PartialEq>(phase: Option<Phase>, (old, new): (&[T], &[T]), file: &[T]) -> bool {
    let trusted = match phase {
        Some(Phase::Prepared) => Trusted::both(old, new),
        Some(Phase::Switched) => Trusted::both(new, old),
        Some(Phase::Emergency) | None => Trusted::alone(new, old),
    };
    !file.is_empty() && trusted.file(file) == file
}

/// The phase as the file shows it.
pub fn seen<T: Clone + PartialEq>((old, new): (&[T], &[T]), file: &[T]) -> Seen {
    let shows = |phase| fits(Some(phase), (old, new), file);
    if shows(Phase::Prepared) {
        Seen::Phase(Phase::Prepared)
    } else if shows(Phase::Switched) {
        Seen::Phase(Phase::Switched)
    } else if fits(None, (old, new), file) {
        Seen::New
    } else if fits(None, (new, old), file) {
        Seen::Old
    } else {
        Seen::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_shows_its_phase() {
        let (old, new, root, other) = ("old", "new", "root", "other");
        for (pair, file, expected) in [
            ((&[old][..], &[new][..]), &[old][..], Seen::Old),
            ((&[old], &[new]), &[old, new], Seen::Phase(Phase::Prepared)),
            ((&[old], &[new]), &[old, new, other], Seen::Phase(Phase::Prepared)),
            ((&[old], &[new]), &[new, old], Seen::Phase(Phase::Switched)),
            ((&[old], &[new]), &[new], Seen::New),
            ((&[old], &[new]), &[new, other], Seen::New),
            ((&[old], &[new]), &[old, other, new], Seen::Other),
            ((&[old], &[new]), &[other, old, new], Seen::Other),
            ((&[old], &[new]), &[other], Seen::Other),
            ((&[old], &[new]), &[], Seen::Other),
            ((&[old], &[new]), &[old, new, old], Seen::Other),
            // One root above both.
            ((&[old, root], &[new, root]), &[old, root], Seen::Old),
            ((&[old, root], &[new, root]), &[old, root, new], Seen::Phase(Phase::Prepared)),
            ((&[old, root], &[new, root]), &[new, root, old], Seen::Phase(Phase::Switched)),
            ((&[old, root], &[new, root]), &[new, root], Seen::New),
            ((&[old, root], &[new, root]), &[old, new], Seen::Other),
        ] {
            assert_eq!(seen(pair, file), expected, "{file:?}");
        }
        assert!(fits(Some(Phase::Emergency), (&[old], &[new]), &[new]));
        assert!(!fits(Some(Phase::Emergency), (&[old], &[new]), &[new, old]));
    }
}
