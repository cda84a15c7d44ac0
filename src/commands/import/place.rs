//! The files that a certificate and its key become.

use zeroize::Zeroizing;

use super::{Candidate, Placed, Seen, Source, row};
use crate::commands::renew::material::root;
use crate::error::Error;
use crate::files::RelPath;
use crate::kubeconfig::{self, Kubeconfig, NewCredentials};
use crate::plan::import as plan;
use crate::plan::init::What;
use crate::plan::layout::Place;
use crate::plan::renew::{Credential, CsrTemplate, Signer};
use crate::store::FileChange;
use crate::x509::Certificate;

impl Seen<'_> {
    pub(super) fn place(
        &self,
        credential: &Credential,
        candidate: &Candidate,
        ask: &CsrTemplate,
        leaf: &Certificate,
        rest: &[Certificate],
    ) -> Result<Placed, Error> {
        let paths = std::iter::once(&credential.public).chain(credential.private.as_ref());
        let paths = paths.map(|place| self.tree.shown(place)).collect();
        let old = ask.old.as_deref();
        if matches!(candidate.source, Source::InPlace) && old.is_some_and(|old| old.der == leaf.der) {
            let entry = crate::report::requests::RequestEntry { paths, ..row(credential, "keep", leaf, None) };
            return Ok(Placed { entry, ..Placed::default() });
        }
        let trusted = self.signers.get(&credential.authority).map(Signer::bundle).unwrap_or_default();
        let mut pem = leaf.to_pem();
        pem.extend(plan::kept_chain(rest, &trusted).iter().map(Certificate::to_pem));
        let fresh = match candidate.source {
            Source::InPlace => None,
            Source::Staged(_) | Source::Out => Some(candidate.key.to_pem()),
        };
        let mut changes = Vec::new();
        match &credential.private {
            Some(private) => {
                if let Some(key) = &fresh {
                    changes.push(change(private, 0o600, key.as_bytes().to_vec())?);
                }
                changes.push(change(&credential.public, 0o644, pem.into_bytes())?);
            }
            None => {
                let bundle: String = trusted.iter().map(|one| one.to_pem()).collect();
                let text = self.kubeconfig(credential, candidate, &pem, &bundle)?;
                changes.push(FileChange { bytes: text, ..change(&credential.public, 0o600, Vec::new())? });
            }
        }
        let removals = match &candidate.source {
            Source::Staged(files) => vec![(files.root, files.key.clone()), (files.root, files.request.clone())],
            Source::Out | Source::InPlace => Vec::new(),
        };
        let entry = crate::report::requests::RequestEntry { paths, ..row(credential, "import", leaf, old) };
        Ok(Placed { entry, certificate: Some(leaf.clone()), changes, removals })
    }

    /// The one that lies there with new credentials, or a whole one.
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
            let new = NewCredentials { certificate, key: fresh.then_some(key.as_str()), authority: Some(bundle) };
            return kubeconfig::replace(there, &new).map_err(|why| {
                Error::new(format!("cannot replace the credential in {}", credential.public.path))
                    .because(why)
                    .hint("look at the file; kubectl config view --raw writes it in its plainest form")
            });
        }
        let access = match (&credential.wanted, &candidate.access) {
            (Some((What::Kubeconfig(_, access), _)), _) | (_, Some(access)) => access,
            _ => {
                return Err(Error::new(format!("nothing says which server {} talks to", credential.id()))
                    .hint("give the profile with --profile FILE"));
            }
        };
        let text = kubeconfig::render(&Kubeconfig {
            cluster: &access.cluster,
            user: &access.user,
            server: &access.server,
            authority: bundle,
            certificate,
            key: kubeconfig::ClientKey::Data(&key),
            preferences: access.preferences,
        });
        Ok(Zeroizing::new(text.as_bytes().to_vec()))
    }
}

pub(super) fn change(place: &Place, mode: u32, bytes: Vec<u8>) -> Result<FileChange, Error> {
    let path = RelPath::parse(place.path.as_str())?;
    Ok(FileChange { root: root(place), path, mode, bytes: Zeroizing::new(bytes), replace: true })
}
