//! Whether a node gets the steps of a rotation in their order: who is to sign there was trusted there before, and who has signed is
//! trusted still. Pure; of any kind of key.

/// A step whose files the node has never had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missed {
    Prepare,
    Switch,
}

/// `held` and `given`: the keys in an authority's file on the node and in the archive, the signer's first.
pub fn missed<T: PartialEq>(held: &[T], given: &[T]) -> Option<Missed> {
    let (before, after) = (held.first()?, given.first()?);
    if before == after {
        return None;
    }
    match (held.contains(after), given.contains(before)) {
        (false, _) => Some(Missed::Prepare),
        (true, false) => Some(Missed::Switch),
        (true, true) => None,
    }
}

/// Whether one content of an authority's file becomes the other by a step: the keys are others, or in another order, and of one
/// cluster.
pub fn is_step<T: PartialEq>(before: &[T], after: &[T]) -> bool {
    before != after && before.iter().any(|key| after.contains(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_forth_and_back_is_taken_alone() {
        let (none, prepared, switched, retired): (&[_], &[_], &[_], &[_]) = (&["o"], &["o", "n"], &["n", "o"], &["n"]);
        let all = [none, prepared, switched, retired];
        let apart = |one: &&[&str], other: &&[&str]| {
            let at = |file: &&[&str]| all.iter().position(|known| known == file).unwrap();
            at(one).abs_diff(at(other))
        };
        for held in all {
            assert_eq!(missed(held, &[]), None);
            assert_eq!(missed(&[], held), None);
            for given in all {
                // Two steps at once.
                assert_eq!(is_step(held, given), (1..3).contains(&apart(&held, &given)), "{held:?} {given:?}");
                assert_eq!(missed(held, given).is_some(), apart(&held, &given) > 1, "{held:?} {given:?}");
            }
        }
        assert_eq!(missed(none, switched), Some(Missed::Prepare));
        assert_eq!(missed(prepared, retired), Some(Missed::Switch));
        assert_eq!(missed(none, retired), Some(Missed::Prepare));
        // What else is trusted does not count.
        assert_eq!(missed(&["o", "x"], &["o", "n", "x"]), None);
    }
}
