//! The CRLs that go to a node: those of the authorities that it holds, in every form in which one lies beside the node's copy of
//! the authority or beside the authority in the tree. The newest issue of them takes the place of the others.

use crate::catalog::CaId;
use crate::encoding::crl;
use crate::error::{self, Error};
use crate::tree::Place;
use crate::workspace::crls::{beside, path, read_one};
use crate::workspace::tree_dir::TreeDir;
use crate::x509::{Certificate, Crl};

/// The CRL of one authority for one node.
#[derive(Debug)]
pub struct NodeCrl {
    pub der: Vec<u8>,
    pub crl: Crl,
    /// The files beside the node's copy of the authority; `None`: there is none of this form.
    pem: Option<Place>,
    der_file: Option<Place>,
}

impl NodeCrl {
    /// `copy`: the node's copy of the authority's certificate; `issuer`: what is in it. `None`: there is no CRL.
    ///
    /// # Errors
    /// One of the files is no CRL, or the authority has not signed it.
    pub fn read(tree: &TreeDir, authority: CaId, copy: &Place, issuer: &Certificate) -> Result<Option<Self>, Error> {
        let pem = beside(copy);
        let der = format!("{pem}.der");
        let shared = path(tree, authority);
        let mut newest: Option<(Vec<u8>, Crl)> = None;
        let mut is_there = |own: &str, shared: String| -> Result<bool, Error> {
            let mut places = vec![own.to_owned(), shared];
            places.dedup();
            let mut found = false;
            for place in &places {
                let Some((der, crl)) = read_one(tree, place)? else { continue };
                crl.signed_by(&der, issuer).map_err(|why| error::bad_list(&tree.roots.main.join(place), why))?;
                found = true;
                if newest.as_ref().is_none_or(|(_, known)| known.edition() < crl.edition()) {
                    newest = Some((der, crl));
                }
            }
            Ok(found)
        };
        let has_pem = is_there(&pem, shared.clone())?;
        let has_der = is_there(&der, format!("{shared}.der"))?;
        let at = |path| Place { root: copy.root, path };
        let made = |(bytes, crl)| Self {
            der: bytes,
            crl,
            pem: has_pem.then(|| at(pem.clone())),
            der_file: has_der.then(|| at(der.clone())),
        };
        Ok(newest.map(made))
    }

    /// The file in PEM, and its content.
    pub fn pem(&self) -> Option<(Place, Vec<u8>)> {
        self.pem.clone().map(|place| (place, crl::to_pem(&self.der).into_bytes()))
    }

    pub fn der(&self) -> Option<(Place, Vec<u8>)> {
        self.der_file.clone().map(|place| (place, self.der.clone()))
    }
}
