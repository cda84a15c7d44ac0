//! The CRLs that go to a node: those of the authorities that it holds, in every form in which one lies beside the node's copy of
//! the authority or beside the authority in the tree. The newest issue of them takes the place of the others.

use crate::catalog::CaId;
use crate::encoding::crl;
use crate::error::{self, Error};
use crate::tree::Place;
use crate::workspace::crl_file::{self, List};
use crate::workspace::crls::place;
use crate::workspace::tree_dir::TreeDir;
use crate::x509::{Certificate, VerifyError};

/// The CRLs of one authority for one node.
#[derive(Debug)]
pub struct NodeCrl {
    /// Never empty. While the authority is being replaced, the new one's and the old one's, each with its issuer's place in the
    /// authority's file.
    lists: Vec<(usize, List)>,
    /// Which of them a file of DER holds: of the authority that was made first.
    first: usize,
    /// The files beside the node's copy of the authority; `None`: there is none of this form.
    pem: Option<Place>,
    der_file: Option<Place>,
}

/// One file with its lists.
#[derive(Debug)]
pub struct CrlFile<'a> {
    pub place: Place,
    pub bytes: Vec<u8>,
    pub lists: Vec<&'a List>,
}

impl NodeCrl {
    /// `copy`: the node's copy of the authority's certificate; `trusted`: what is in it. `None`: there is no CRL.
    ///
    /// # Errors
    /// One of the files is no CRL, or the authority has not signed it.
    pub fn read(tree: &TreeDir, authority: CaId, copy: &Place, trusted: &[Certificate]) -> Result<Option<Self>, Error> {
        let pem = copy.with_end(".crt", ".crl");
        let shared = place(tree, authority);
        let der = |pem: &Place| Place { root: pem.root, path: format!("{}.der", pem.path) };
        let mut lists: Vec<(usize, List)> = Vec::new();
        let mut is_there = |own: Place, shared: Place| -> Result<bool, Error> {
            let mut places = vec![own, shared];
            places.dedup();
            let mut found = false;
            for place in &places {
                let mut ranks = Vec::new();
                for list in crl_file::read(tree, place)? {
                    let bad = |why: &dyn std::fmt::Display| error::bad_list(&place.full(&tree.roots), why);
                    let rank = signer(&list, trusted).map_err(|why| bad(&why))?;
                    if ranks.contains(&rank) {
                        return Err(bad(&"expected one CRL of each authority, found 2 of one"));
                    }
                    ranks.push(rank);
                    found = true;
                    add(&mut lists, rank, list);
                }
            }
            Ok(found)
        };
        let has_der = is_there(der(&pem), der(&shared))?;
        let has_pem = is_there(pem.clone(), shared)?;
        lists.sort_by_key(|(rank, _)| *rank);
        if authority == CaId::Etcd {
            // It reads the first alone.
            lists.sort_by_key(|(rank, _)| trusted.get(*rank).map(|one| one.not_before));
        }
        let since = |(rank, _): &&(usize, List)| trusted.get(*rank).map(|one| one.not_before);
        let first = lists.iter().min_by_key(since).map_or(0, |(rank, _)| *rank);
        let made = Self { lists, first, der_file: has_der.then(|| der(&pem)), pem: has_pem.then_some(pem) };
        Ok((!made.lists.is_empty()).then_some(made))
    }

    pub fn lists(&self) -> impl Iterator<Item = &List> {
        self.lists.iter().map(|(_, list)| list)
    }

    /// The file in PEM, with every list.
    pub fn pem(&self) -> Option<CrlFile<'_>> {
        let text: String = self.lists().map(|list| crl::to_pem(&list.der)).collect();
        Some(CrlFile { place: self.pem.clone()?, bytes: text.into_bytes(), lists: self.lists().collect() })
    }

    /// The file in DER, which holds one list.
    pub fn der(&self) -> Option<CrlFile<'_>> {
        let (_, list) = self.lists.iter().find(|(rank, _)| *rank == self.first)?;
        Some(CrlFile { place: self.der_file.clone()?, bytes: list.der.clone(), lists: vec![list] })
    }
}

/// The newest of each issuer is kept.
fn add(lists: &mut Vec<(usize, List)>, rank: usize, list: List) {
    match lists.iter_mut().find(|(of, _)| *of == rank) {
        None => lists.push((rank, list)),
        Some((_, known)) if known.crl.edition() < list.crl.edition() => *known = list,
        Some(_) => {}
    }
}

/// Who of these signed it; the error is that of the first.
fn signer(list: &List, trusted: &[Certificate]) -> Result<usize, VerifyError> {
    let mut first = None;
    for (rank, one) in trusted.iter().enumerate() {
        match list.crl.signed_by(&list.der, one) {
            Ok(()) => return Ok(rank),
            Err(why) => first = first.or(Some(why)),
        }
    }
    Err(first.unwrap_or(VerifyError::Signature))
}
