//! The certificates to check, and the authorities and CRLs for the check.

use super::check_request::Request;
use crate::error::Error;
use crate::files::{self, FileError, What};
use crate::inventory::{self, Item, Kind, Reading};
use crate::kubeconfig::{self, Credentials};
use crate::tree::layout::DEFAULT_DIR;
use crate::workspace::{TreeArgs, survey, targets};
use crate::x509::revocation::states_crl_sign;
use crate::x509::{Certificate, parse_bundle, parse_pem_bundle};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The input of a check.
#[derive(Default)]
pub struct Gathered {
    pub certificates: Vec<(String, Certificate)>,
    pub authorities: Vec<Certificate>,
    /// Further certificates of the files; trusted if they chain to one of the authorities.
    pub intermediates: Vec<Certificate>,
    pub lists: BTreeSet<PathBuf>,
}

impl Gathered {
    pub fn take(&mut self, request: &Request) -> Result<(), Error> {
        let dir = request.trees.dirs.first().map_or(Path::new(DEFAULT_DIR), PathBuf::as_path);
        let mut names: Vec<&str> = Vec::new();
        let mut asked = false;
        for one in &request.whom {
            let path = Path::new(one);
            match files::what(None, path) {
                Some(What::Directory) => self.tree(request, path, None)?,
                Some(_) => {
                    asked = true;
                    self.file(path, request.authorities.is_empty())?;
                }
                None => names.push(one),
            }
        }
        let whole = request.whom.is_empty();
        if !names.is_empty() || whole {
            self.tree(request, dir, (!whole).then_some(&names))?;
        } else if asked && request.authorities.is_empty() && files::what(None, dir).is_some() {
            // Their issuers: the authorities of the tree.
            self.tree(request, dir, Some(&[]))?;
        }
        if self.certificates.is_empty() {
            return Err(Error::new("there is no certificate to check")
                .hint("name files, a directory, or entries of the tree in --dir"));
        }
        Ok(())
    }

    /// A tree's authorities with their CRLs, and its certificates: all, or those of these names.
    pub fn tree(&mut self, request: &Request, dir: &Path, names: Option<&[&str]>) -> Result<(), Error> {
        let trees = TreeArgs { dirs: vec![dir.to_path_buf()], ..request.trees.clone() };
        let resolved = targets::resolve(&trees, 1)?;
        let mut found: BTreeSet<&str> = BTreeSet::new();
        for target in &resolved.targets {
            let Some(requests) = target.requests(1) else {
                return Err(FileError::new(files::Op::Open, &target.root, files::Kind::Missing).into());
            };
            for one in requests {
                let of_cluster = one.cluster_dir.is_some();
                let tree = inventory::tree(&target.refine(one));
                for item in &tree.items {
                    let id = tree.node.as_ref().filter(|_| of_cluster).map(|node| format!("{node}/{}", item.name));
                    let wanted = names.is_none_or(|names| {
                        let named = names.iter().find(|name| **name == item.name || Some(**name) == id.as_deref());
                        found.extend(named);
                        named.is_some()
                    });
                    self.item(item, id.unwrap_or_else(|| item.name.clone()), wanted, request)?;
                }
            }
        }
        match names.unwrap_or_default().iter().find(|name| !found.contains(*name)) {
            Some(name) => {
                Err(Error::usage(format!("{name:?} is neither a file nor a certificate of {}", dir.display()))
                    .hint("give the path of a file, or the tree of the entry with --dir"))
            }
            None => Ok(()),
        }
    }

    pub fn item(&mut self, item: &Item, shown: String, wanted: bool, request: &Request) -> Result<(), Error> {
        if !matches!(item.reading, Reading::Certificate(_)) {
            return Ok(());
        }
        let path = Path::new(&item.path);
        match item.kind {
            Kind::Authority => {
                // The authority is the first certificate of its file, with the CRL beside it.
                if item.position == 0 && request.authorities.is_empty() {
                    self.authority(path)?;
                }
                let list = path.with_extension("crl");
                if request.lists.is_empty() && self.lists_are_new(path) && files::what(None, &list).is_some() {
                    self.lists.insert(list);
                }
            }
            Kind::Certificate | Kind::Kubeconfig if wanted && item.position == 0 => {
                let mut all = certificates(path)?.into_iter();
                self.certificates.extend(all.next().map(|one| (shown, one)));
                self.intermediates.extend(all.filter(may_sign));
            }
            _ => {}
        }
        Ok(())
    }

    /// The nodes of a cluster directory hold copies of the shared authorities' CRLs, which are reported once.
    pub fn lists_are_new(&self, authority: &Path) -> bool {
        let name = authority.file_name();
        let etcd = authority.parent().and_then(Path::file_name).is_some_and(|dir| dir == "etcd");
        !self.lists.iter().any(|list| {
            list.with_extension("crt").file_name() == name
                && list.parent().and_then(Path::file_name).is_some_and(|dir| dir == "etcd") == etcd
        })
    }

    /// Whatever it is: why it cannot serve, its certificates' paths say.
    pub fn authority(&mut self, path: &Path) -> Result<(), Error> {
        self.authorities.extend(certificates(path)?);
        Ok(())
    }

    /// `trusted`: a root in the file itself is, as no other was given.
    pub fn file(&mut self, path: &Path, trusted: bool) -> Result<(), Error> {
        let all = certificates(path)?;
        let alone = all.len() == 1;
        for (position, one) in all.into_iter().enumerate() {
            let name = match position {
                0 => path.display().to_string(),
                other => format!("{} #{}", path.display(), other.saturating_add(1)),
            };
            if may_sign(&one) {
                let is_root = trusted && one.is_ca && one.is_self_issued();
                let own = if is_root { &mut self.authorities } else { &mut self.intermediates };
                own.push(one.clone());
            }
            // A root at the end of a chain is not revoked by its own CRL.
            if alone || !one.is_self_issued() {
                self.certificates.push((name, one));
            }
        }
        Ok(())
    }
}

/// What others may need: an authority, or somebody who signs CRLs for one.
fn may_sign(one: &Certificate) -> bool {
    one.is_ca || states_crl_sign(one)
}

/// Every certificate of a file: PEM, DER, or embedded in a kubeconfig.
pub fn certificates(path: &Path) -> Result<Vec<Certificate>, Error> {
    let bytes = survey::input(path, survey::LARGEST_INPUT)?;
    // A kubeconfig holds its PEM in base64, and no PEM is a kubeconfig.
    let embedded = kubeconfig::read(&bytes).map(|read| read.credentials);
    let bundle = match &embedded {
        Ok(Credentials::Embedded { certificate, .. }) => parse_pem_bundle(certificate),
        _ => parse_bundle(&bytes),
    };
    bundle.map_err(|why| Error::new(format!("cannot read a certificate from {}", path.display())).because(why))
}
