//! One file of CRLs: the list of each authority that is trusted, the signer's first. Readers that check every issuer need all of
//! them in one file while an authority is being replaced (RFC 5280 section 5: a list is of one issuer).

use std::path::Path;

use crate::blueprint::Name;
use crate::error::{self, Error};
use crate::files::RelPath;
use crate::store::{self, RootId};
use crate::tree::layout::Place;
use crate::workspace::survey;
use crate::workspace::tree_dir::TreeDir;
use crate::x509::{Certificate, Crl};
use crate::{files, inventory};

/// One CRL of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    pub der: Vec<u8>,
    pub crl: Crl,
}

/// Every CRL in a file of the tree, in order; none: there is no file.
///
/// # Errors
/// The file cannot be read, or one of them is no CRL.
pub fn read(tree: &TreeDir, place: &Place) -> Result<Vec<List>, Error> {
    let full = place.full(&tree.roots);
    let refused = |why: String| error::bad_list(&full, why);
    let Some(dir) = survey::root(&tree.roots, place.root_id())? else { return Ok(Vec::new()) };
    let found = match files::look_below(&dir, Path::new(&place.path)) {
        Ok(None) => return Ok(Vec::new()),
        Ok(Some(source)) => inventory::crls(&source).map_err(|why| refused(why.to_string()))?,
        Err(kind) => return Err(refused(kind.to_string())),
    };
    let parsed = |der: Vec<u8>| match Crl::parse(&der) {
        Ok(crl) => Ok(List { der, crl }),
        Err(why) => Err(refused(why.to_string())),
    };
    found.into_iter().map(parsed).collect()
}

/// The newest list of an issuer that a generation keeps of a file. What cannot be read there is passed over.
pub fn kept(tree: &TreeDir, place: &Place, issuer: &Certificate) -> Result<Option<List>, Error> {
    let is_it = |(root, path): &&(RootId, RelPath)| *root == place.root_id() && path.as_str() == place.path;
    for generation in store::generations(&tree.roots)? {
        let Some((root, path)) = generation.kept.iter().find(is_it) else { continue };
        let file = tree.generation_dir(&generation.name).join(root.name()).join(path.as_str());
        let all =
            files::look(&file).ok().flatten().and_then(|source| inventory::crls(&source).ok()).unwrap_or_default();
        let lists = all.into_iter().filter_map(|der| Some(List { crl: Crl::parse(&der).ok()?, der }));
        let found = lists.into_iter().find(|list| list.crl.signed_by(&list.der, issuer).is_ok());
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Why the lists of a file are not one of each authority.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotOfEach {
    #[error("expected one CRL of each authority beside it, found one of {0}")]
    Stranger(Name),
    #[error("expected one CRL of {0}, found {1}")]
    Several(Name, usize),
}

/// Whose each list is, by its place in `trusted`; `None`: it names none of them, which is for its readers to refuse.
///
/// # Errors
/// There are several, and two are of one authority, or one is nobody's.
pub fn whose(lists: &[List], trusted: &[Certificate]) -> Result<Vec<Option<usize>>, NotOfEach> {
    let found: Vec<Option<usize>> = lists.iter().map(|list| signer(list, trusted)).collect();
    if lists.len() < 2 {
        return Ok(found);
    }
    for (list, at) in lists.iter().zip(&found) {
        let (of_it, issuer) = (found.iter().filter(|other| *other == at).count(), list.crl.issuer.clone());
        match at {
            Some(_) if of_it == 1 => {}
            Some(_) => return Err(NotOfEach::Several(issuer, of_it)),
            None => return Err(NotOfEach::Stranger(issuer)),
        }
    }
    Ok(found)
}

/// Whom it names. Where that may be several, of one name and without key identifiers, the signature decides.
fn signer(list: &List, trusted: &[Certificate]) -> Option<usize> {
    let named = trusted.iter().enumerate().filter(|(_, one)| list.crl.names_issuer(one));
    let named: Vec<(usize, &Certificate)> = named.collect();
    match named.as_slice() {
        [] => None,
        [(only, _)] => Some(*only),
        several => {
            let signed = several.iter().find(|(_, one)| list.crl.signed_by(&list.der, one).is_ok());
            signed.or(several.first()).map(|(at, _)| *at)
        }
    }
}
