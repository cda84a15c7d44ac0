//! The certificates of one file in the order of a path, whatever their order in the file.

use crate::x509::{Certificate, VerifyError};

/// A certificate and what is above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ordered {
    pub leaf: Certificate,
    /// Above the leaf, nearest first, without a root.
    pub intermediates: Vec<Certificate>,
    /// The self-signed end of the path; `None` too where the leaf is it.
    pub root: Option<Certificate>,
    /// Not on the way up.
    pub others: Vec<Certificate>,
}

impl Ordered {
    /// What of `others` is above this certificate.
    pub fn above(leaf: Certificate, mut others: Vec<Certificate>) -> Self {
        let (mut intermediates, mut root) = (Vec::new(), None);
        let mut top = leaf.clone();
        while !top.is_self_issued() {
            let Some(at) = others.iter().position(|issuer| signs(issuer, &top)) else { break };
            let issuer = others.remove(at);
            top = issuer.clone();
            if issuer.is_self_issued() {
                root = Some(issuer);
            } else {
                intermediates.push(issuer);
            }
        }
        Self { leaf, intermediates, root, others }
    }

    /// With the certificate at this place as the leaf; `None`: there is no such place.
    pub fn from(mut certificates: Vec<Certificate>, at: usize) -> Option<Self> {
        (at < certificates.len()).then(|| {
            let leaf = certificates.remove(at);
            Self::above(leaf, certificates)
        })
    }

    /// Takes those out that are on no path at all: another way up (a cross-certificate, a renewed intermediate) stays.
    pub fn take_strangers(&mut self) -> Vec<Certificate> {
        let mut known: Vec<Certificate> = [&self.leaf].into_iter().chain(&self.intermediates).cloned().collect();
        let mut kept = Vec::new();
        while let Some(at) = self.others.iter().position(|other| known.iter().any(|below| signs(other, below))) {
            let other = self.others.remove(at);
            known.push(other.clone());
            kept.push(other);
        }
        std::mem::replace(&mut self.others, kept)
    }

    /// Everything behind the leaf, in order.
    pub fn rest(&self) -> Vec<Certificate> {
        self.intermediates.iter().chain(&self.root).chain(&self.others).cloned().collect()
    }
}

/// Each certificate once, and how many were there more than once.
pub fn distinct(certificates: Vec<Certificate>) -> (Vec<Certificate>, usize) {
    let all = certificates.len();
    let mut kept: Vec<Certificate> = Vec::new();
    for certificate in certificates {
        if !kept.contains(&certificate) {
            kept.push(certificate);
        }
    }
    let dropped = all - kept.len();
    (kept, dropped)
}

/// The one that signed no other, if possible no root; `None`: they sign each other in a circle, or there is none.
pub fn end(certificates: &[Certificate]) -> Option<usize> {
    let end = |one: &Certificate| {
        !certificates.iter().any(|other| other != one && !other.is_self_issued() && signs(one, other))
    };
    let leaf = certificates.iter().position(|one| end(one) && !one.is_self_issued());
    leaf.or_else(|| certificates.iter().position(end))
}

/// By name and signature; a signature with an unknown algorithm counts by its names.
fn signs(issuer: &Certificate, subject: &Certificate) -> bool {
    matches!(subject.signed_by(issuer), Ok(()) | Err(VerifyError::Unsupported { .. }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::parse_pem_bundle;

    /// The root, the intermediate and the leaf of one path, and a stranger.
    fn four() -> [Certificate; 4] {
        let case = include_bytes!("../../fixtures/cases/import-leaf-not-first/revfull.crt");
        let stranger = include_bytes!("../../fixtures/cases/san-other-names/san-many.crt");
        let all = [parse_pem_bundle(case).unwrap(), parse_pem_bundle(stranger).unwrap()].concat();
        all.try_into().unwrap()
    }

    #[test]
    fn every_order_becomes_the_same_path() {
        let [root, middle, leaf, stranger] = four();
        for order in [
            [&leaf, &middle, &root, &stranger],
            [&root, &middle, &leaf, &stranger],
            [&stranger, &root, &leaf, &middle],
            [&middle, &stranger, &leaf, &root],
        ] {
            let all: Vec<Certificate> = order.into_iter().cloned().collect();
            let at = all.iter().position(|one| *one == leaf).unwrap();
            let mut ordered = Ordered::from(all, at).unwrap();
            assert_eq!(ordered.rest(), [middle.clone(), root.clone(), stranger.clone()]);
            assert_eq!(ordered.take_strangers(), std::slice::from_ref(&stranger));
            assert_eq!((ordered.rest(), ordered.leaf), (vec![middle.clone(), root.clone()], leaf.clone()));
        }
        assert_eq!(Ordered::from(vec![root], 1), None);
    }

    #[test]
    fn the_end_of_a_path_signed_no_other() {
        let [root, middle, leaf, stranger] = four();
        let at = |all: &[&Certificate]| end(&all.iter().map(|one| (*one).clone()).collect::<Vec<_>>());
        for (all, found) in [
            (&[&root, &middle, &leaf][..], Some(2)),
            (&[&root, &middle], Some(1)),
            (&[&root], Some(0)),
            (&[&stranger, &leaf], Some(0)),
            (&[], None),
        ] {
            assert_eq!(at(all), found);
        }
        assert_eq!(distinct(vec![leaf.clone(), root.clone(), leaf.clone(), leaf.clone()]), (vec![leaf, root], 2));
    }
}
