//! A rotation that nobody recorded, as the files show it: begun by hand, or by another tool, or the record was lost. Who signs is
//! told by the key; of two, the new one is the one that begins later.

use time::OffsetDateTime;

use super::bundle::own_part;
use crate::tree::rotation::Phase;
use crate::x509::Certificate;

/// What the file of an authority, or sa.pub, shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found<T> {
    /// One authority: nothing is being rotated.
    One(Vec<T>),
    Two {
        phase: Phase,
        old: Vec<T>,
        new: Vec<T>,
    },
}

/// Why it cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unclear {
    #[error("expected one or two authorities, found nothing that can be read")]
    Empty,
    #[error("expected one or two authorities, found {0}: which of them belong together cannot be told")]
    Several(usize),
    #[error("expected the key of the first one, found the key of none of them")]
    KeyOfNone,
    #[error("expected the key of the first one, found the key of number {0}: the signer has to stand first")]
    NotFirst(usize),
    #[error(
        "which of the two is the new one cannot be told: they begin at the same time, or nothing says when they begin"
    )]
    NoOrder,
}

/// `key`: the SubjectPublicKeyInfo of the signing key, where that is here. `phase`: the operator's word, where the files do not tell.
pub fn authority(
    file: &[Certificate],
    key: Option<&[u8]>,
    phase: Option<Phase>,
) -> Result<Found<Certificate>, Unclear> {
    let key_at = |key: &[u8]| file.iter().position(|one| one.spki_der == key);
    signer_is_first(key.map(key_at))?;
    let groups = groups(file);
    let begins = |group: &[Certificate]| group.first().map(|one| one.not_before);
    told(groups, begins, phase)
}

/// `file`: public keys, SubjectPublicKeyInfo in DER. `next`, `previous`: of the keys that kpki keeps for the way on and back.
pub fn service_account(
    file: &[Vec<u8>],
    key: Option<&[u8]>,
    (next, previous): (Option<&[u8]>, Option<&[u8]>),
    phase: Option<Phase>,
) -> Result<Found<Vec<u8>>, Unclear> {
    let key_at = |key: &[u8]| file.iter().position(|one| one == key);
    signer_is_first(key.map(key_at))?;
    let is_second = |key: Option<&[u8]>| key.is_some_and(|key| file.get(1).is_some_and(|one| one == key));
    let phase = match (is_second(next), is_second(previous)) {
        (true, false) => Some(Phase::Prepared),
        (false, true) => Some(Phase::Switched),
        _ => phase,
    };
    told(file.iter().map(|one| vec![one.clone()]).collect(), |_| None, phase)
}

fn signer_is_first(at: Option<Option<usize>>) -> Result<(), Unclear> {
    match at {
        None | Some(Some(0)) => Ok(()),
        Some(Some(other)) => Err(Unclear::NotFirst(other.saturating_add(1))),
        Some(None) => Err(Unclear::KeyOfNone),
    }
}

/// Each authority with what stands above it. One that stands above another is none of its own.
fn groups(file: &[Certificate]) -> Vec<Vec<Certificate>> {
    let mut groups: Vec<Vec<Certificate>> = Vec::new();
    for (at, certificate) in file.iter().enumerate() {
        if groups.iter().flatten().any(|one| one.der == certificate.der) {
            continue;
        }
        let others = file.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, one)| one.clone());
        groups.push(own_part(&[certificate.clone()].into_iter().chain(others).collect::<Vec<_>>()));
    }
    groups
}

fn told<T: Clone>(
    groups: Vec<Vec<T>>,
    begins: impl Fn(&[T]) -> Option<OffsetDateTime>,
    phase: Option<Phase>,
) -> Result<Found<T>, Unclear> {
    match <[Vec<T>; 2]>::try_from(groups) {
        Ok([first, second]) => {
            let seen = match begins(&first).zip(begins(&second)) {
                Some((first, second)) if first < second => Some(Phase::Prepared),
                Some((first, second)) if first > second => Some(Phase::Switched),
                _ => None,
            };
            Ok(match seen.or(phase).ok_or(Unclear::NoOrder)? {
                Phase::Prepared => Found::Two { phase: Phase::Prepared, old: first, new: second },
                phase => Found::Two { phase, old: second, new: first },
            })
        }
        Err(groups) => match <[Vec<T>; 1]>::try_from(groups) {
            Ok([only]) => Ok(Found::One(only)),
            Err(groups) if groups.is_empty() => Err(Unclear::Empty),
            Err(groups) => Err(Unclear::Several(groups.len())),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Vec<u8> {
        text.as_bytes().to_vec()
    }

    #[test]
    fn two_public_keys_tell_their_phase_by_the_kept_keys_or_not_at_all() {
        let (a, b, c) = (key("a"), key("b"), key("c"));
        let two = |phase, old: &Vec<u8>, new: &Vec<u8>| {
            Ok(Found::Two { phase, old: vec![old.clone()], new: vec![new.clone()] })
        };
        let (none, word) = (None, Some(Phase::Switched));
        for (file, signing, next, previous, said, expected) in [
            (vec![&a], Some(&a), none, none, None, Ok(Found::One(vec![a.clone()]))),
            (vec![&a, &b], Some(&a), Some(&b), none, None, two(Phase::Prepared, &a, &b)),
            (vec![&b, &a], Some(&b), none, Some(&a), None, two(Phase::Switched, &a, &b)),
            (vec![&b, &a], Some(&b), none, Some(&a), Some(Phase::Prepared), two(Phase::Switched, &a, &b)),
            (vec![&b, &a], Some(&b), none, none, word, two(Phase::Switched, &a, &b)),
            (vec![&a, &b], Some(&a), none, none, None, Err(Unclear::NoOrder)),
            (vec![&a, &b], Some(&a), Some(&c), none, None, Err(Unclear::NoOrder)),
            (vec![&a, &b], Some(&b), Some(&a), none, None, Err(Unclear::NotFirst(2))),
            (vec![&a, &b], Some(&c), none, none, None, Err(Unclear::KeyOfNone)),
            (vec![&a, &b, &c], Some(&a), none, none, word, Err(Unclear::Several(3))),
            (vec![], none, none, none, None, Err(Unclear::Empty)),
        ] {
            let all: Vec<Vec<u8>> = file.into_iter().cloned().collect();
            let slice = |key: Option<&Vec<u8>>| key.cloned();
            let (signing, next, previous) = (slice(signing), slice(next), slice(previous));
            let kept = (next.as_deref(), previous.as_deref());
            assert_eq!(service_account(&all, signing.as_deref(), kept, said), expected, "{all:?}");
        }
    }
}
