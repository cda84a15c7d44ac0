//! The files of an entry whose certificate somebody else has signed.

use zeroize::Zeroizing;

use crate::ca::PrivateKey;
use crate::error::{self, Error};
use crate::kubeconfig::{self, NewCredentials};
use crate::plan::item::{Access, What};
use crate::plan::renew::Credential;
use crate::store::FileChange;
use crate::tree::{Survey, file};
use crate::x509::Certificate;

/// A certificate for a key that is here.
#[derive(Debug)]
pub struct Put<'a> {
    pub credential: &'a Credential,
    pub key: &'a PrivateKey,
    /// The key is not the one in use.
    pub is_fresh: bool,
    /// Of a kubeconfig without a certificate.
    pub access: Option<&'a Access>,
    pub leaf: &'a Certificate,
    /// What follows it in its file.
    pub chain: &'a [Certificate],
    /// What a kubeconfig trusts.
    pub trusted: &'a [Certificate],
}

impl Put<'_> {
    /// Key before certificate, directly after each other; or the kubeconfig. `survey`: the tree.
    ///
    /// # Errors
    /// A kubeconfig cannot be edited, or nothing says which server it is for.
    pub fn changes(&self, survey: &Survey) -> Result<Vec<FileChange>, Error> {
        let pem: String = std::iter::once(self.leaf).chain(self.chain).map(Certificate::to_pem).collect();
        let public = &self.credential.public;
        let Some(private) = &self.credential.private else {
            return Ok(vec![public.change(0o600, self.kubeconfig(survey, &pem)?)?]);
        };
        let mut changes = Vec::new();
        if self.is_fresh {
            changes.push(private.change(0o600, Zeroizing::new(self.key.to_pem().as_bytes().to_vec()))?);
        }
        changes.push(public.change(0o644, Zeroizing::new(pem.into_bytes()))?);
        Ok(changes)
    }

    /// The existing kubeconfig with new credentials, or a new one.
    fn kubeconfig(&self, survey: &Survey, certificate: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
        let credential = self.credential;
        let key = self.key.to_pem();
        let bundle: String = self.trusted.iter().map(Certificate::to_pem).collect();
        let there = file(survey, Some(&credential.public)).filter(|bytes| kubeconfig::read(bytes).is_ok());
        if let Some(there) = there {
            let new = NewCredentials {
                certificate,
                key: self.is_fresh.then_some(key.as_str()),
                authority: Some(&bundle),
                server: None,
            };
            return kubeconfig::replace(there, &new).map_err(|why| error::not_replaced(&credential.public, why));
        }
        let access = match (&credential.wanted, self.access) {
            (Some((What::Kubeconfig(_, access), _)), _) => access,
            (_, Some(access)) => access,
            _ => {
                return Err(Error::new(format!("the server of {} is unknown", credential.id))
                    .hint("give the profile with --profile FILE"));
            }
        };
        let text = access.kubeconfig(&bundle, certificate, &key);
        Ok(Zeroizing::new(text.as_bytes().to_vec()))
    }
}
