//! What the file of an authority holds in each phase: who signs first, each certificate once, and whatever else was in the file
//! behind it.

use crate::x509::Certificate;

/// What is in the file, of one kind: certificates, or public keys (SubjectPublicKeyInfo in DER).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trusted<T> {
    /// Who signs, with what stands above.
    pub first: Vec<T>,
    pub second: Vec<T>,
    /// What leaves the file.
    pub gone: Vec<T>,
}

impl<T: Clone + PartialEq> Trusted<T> {
    /// Both are trusted, and the first signs.
    pub fn both(first: &[T], second: &[T]) -> Self {
        Self { first: first.to_vec(), second: second.to_vec(), gone: Vec::new() }
    }

    /// The first alone; the other one leaves.
    pub fn alone(first: &[T], gone: &[T]) -> Self {
        Self { first: first.to_vec(), second: Vec::new(), gone: gone.to_vec() }
    }

    /// The new content of a file that holds these. What belongs to neither stays behind them: somebody put it there.
    pub fn file(&self, present: &[T]) -> Vec<T> {
        let mut all: Vec<T> = Vec::new();
        let rest = present.iter().filter(|one| !self.gone.contains(one));
        for one in self.first.iter().chain(&self.second).chain(rest) {
            if !all.contains(one) {
                all.push(one.clone());
            }
        }
        all
    }
}

/// The signer of a file and the certificates in it that stand above: what of the file is the authority's own.
pub fn own_part(file: &[Certificate]) -> Vec<Certificate> {
    let Some(signer) = file.first() else { return Vec::new() };
    let mut own = vec![signer.clone()];
    while let Some(last) = own.last().filter(|last| !last.is_self_issued()) {
        let signs = |above: &&Certificate| last.names_issuer(above) && last.signed_by(above).is_ok();
        match file.iter().filter(|one| !own.contains(one)).find(signs) {
            Some(above) => own.push(above.clone()),
            None => break,
        }
    }
    own
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signer_is_first_and_nothing_is_there_twice() {
        let (old, new, root, other) = ("old", "new", "root", "other");
        let file = [old, root, other];
        for (trusted, present, expected) in [
            (Trusted::both(&[old, root], &[new]), &file[..], vec![old, root, new, other]),
            (Trusted::both(&[new], &[old, root]), &[old, root, new, other], vec![new, old, root, other]),
            (Trusted::alone(&[new], &[old, root]), &[new, old, root, other], vec![new, other]),
            // One root above both.
            (Trusted::both(&[new, root], &[old, root]), &[old, root, new], vec![new, root, old]),
            (Trusted::alone(&[new, root], &[old, root]), &[new, root, old], vec![new, root]),
            (Trusted::both(&[old], &[new]), &[], vec![old, new]),
        ] {
            assert_eq!(trusted.file(present), expected, "{trusted:?} {present:?}");
        }
    }
}
