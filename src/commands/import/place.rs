//! The files that a certificate and its key become.

use zeroize::Zeroizing;

use super::candidates::{Candidate, Source};
use super::importing::{Importing, Placed, row};
use crate::error::{self, Error};
use crate::kubeconfig::{self, NewCredentials};
use crate::plan::import as plan;
use crate::plan::item::What;
use crate::plan::renew::{Credential, CsrTemplate};
use crate::report::requests::RequestEntry;
use crate::tree::Place;
use crate::x509::{Certificate, parse_pem_bundle};

impl Importing<'_> {
    pub(super) fn place(
        &self,
        credential: &Credential,
        candidate: &Candidate,
        template: &CsrTemplate,
        leaf: &Certificate,
        rest: &[Certificate],
    ) -> Result<Placed, Error> {
        let paths = self.session.tree.display_paths(credential.places());
        let old = template.old.as_deref();
        let trusted = credential.authority.map(|authority| self.snapshot.bundle(authority)).unwrap_or_default();
        let chain = plan::kept_chain(rest, trusted);
        let is_there = match old {
            Some(old) if old.der != leaf.der => false,
            Some(_) if credential.is_kubeconfig() => true,
            Some(_) => self.holds(&credential.public, leaf, &chain),
            None => false,
        };
        if matches!(candidate.source, Source::InPlace) && is_there {
            let entry = RequestEntry { paths, ..row(credential, "keep", leaf, None) };
            return Ok(Placed { entry, ..Placed::default() });
        }
        let mut pem = leaf.to_pem();
        pem.extend(chain.iter().map(Certificate::to_pem));
        let fresh = match candidate.source {
            Source::InPlace => None,
            Source::Staged(_) | Source::Out => Some(candidate.key.to_pem()),
        };
        let mut changes = Vec::new();
        match &credential.private {
            Some(private) => {
                if let Some(key) = &fresh {
                    changes.push(private.change(0o600, Zeroizing::new(key.as_bytes().to_vec()))?);
                }
                changes.push(credential.public.change(0o644, Zeroizing::new(pem.into_bytes()))?);
            }
            None => {
                let bundle: String = trusted.iter().map(Certificate::to_pem).collect();
                let text = self.kubeconfig(credential, candidate, &pem, &bundle)?;
                changes.push(credential.public.change(0o600, text)?);
            }
        }
        let removals = match &candidate.source {
            Source::Staged(files) => vec![(files.root, files.key.clone()), (files.root, files.request.clone())],
            Source::Out | Source::InPlace => Vec::new(),
        };
        let entry = RequestEntry { paths, ..row(credential, "import", leaf, old) };
        Ok(Placed { entry, certificate: Some(leaf.clone()), changes, removals, ..Placed::default() })
    }

    /// The file has these certificates and no others.
    fn holds(&self, place: &Place, leaf: &Certificate, chain: &[Certificate]) -> bool {
        let there = self.file(place).and_then(|bytes| parse_pem_bundle(bytes).ok()).unwrap_or_default();
        there.iter().eq([leaf].into_iter().chain(chain))
    }

    /// The existing kubeconfig with new credentials, or a new one.
    fn kubeconfig(
        &self,
        credential: &Credential,
        candidate: &Candidate,
        certificate: &str,
        bundle: &str,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let key = candidate.key.to_pem();
        let fresh = !matches!(candidate.source, Source::InPlace);
        let there = self.file(&credential.public).filter(|bytes| kubeconfig::read(bytes).is_ok());
        if let Some(there) = there {
            let new = NewCredentials {
                certificate,
                key: fresh.then_some(key.as_str()),
                authority: Some(bundle),
                server: None,
            };
            return kubeconfig::replace(there, &new).map_err(|why| error::not_replaced(&credential.public, why));
        }
        let access = match (&credential.wanted, &candidate.access) {
            (Some((What::Kubeconfig(_, access), _)), _) | (_, Some(access)) => access,
            _ => {
                return Err(Error::new(format!("the server of {} is unknown", credential.id))
                    .hint("give the profile with --profile FILE"));
            }
        };
        let text = access.kubeconfig(bundle, certificate, &key);
        Ok(Zeroizing::new(text.as_bytes().to_vec()))
    }
}
