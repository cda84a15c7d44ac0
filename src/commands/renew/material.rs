//! From decisions to files, all in memory: keys, then certificates, each verified before it leaves `ca`.

use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::tree::{Seen, Tree};
use crate::blueprint::Algorithm;
use crate::ca::{self, CaError, Issuer, PrivateKey, Signed};
use crate::commands::Progress;
use crate::error::Error;
use crate::files::RelPath;
use crate::kubeconfig::{self, NewCredentials};
use crate::plan::decision::FileState;
use crate::plan::layout::{Place, Root};
use crate::plan::renew::{Credential, Decision, Key, Kubeconfig, Renewal, Signer};
use crate::store::{FileChange, RootId};
use crate::x509::Certificate;

/// What one credential became.
pub struct Made {
    /// Its position among the tree's credentials.
    pub index: usize,
    pub certificate: Certificate,
    /// Key before certificate, back to back.
    pub changes: Vec<FileChange>,
}

/// Makes everything that is to be renewed, in the credentials' order.
pub fn make(
    tree: &Tree<'_>,
    seen: &Seen,
    now: OffsetDateTime,
    threads: usize,
    progress: Progress<'_>,
) -> Result<Vec<Made>, Error> {
    let renewals: Vec<(usize, &Credential, &Renewal)> = tree
        .credentials
        .iter()
        .zip(&seen.decisions)
        .enumerate()
        .filter_map(|(index, (credential, decision))| match decision {
            Decision::Renew(renewal) => Some((index, credential, &**renewal)),
            _ => None,
        })
        .collect();
    let algorithms: Vec<Algorithm> = renewals
        .iter()
        .filter(|(.., renewal)| matches!(renewal.key, Key::New))
        .map(|(.., renewal)| renewal.algorithm)
        .collect();
    let mut fresh = ca::generate_keys(&algorithms, threads, progress)?.into_iter();
    let mut jobs = Vec::with_capacity(renewals.len());
    for (index, credential, renewal) in renewals {
        let Some(Signer::Here(issuer)) = seen.signers.get(&credential.authority) else {
            return Err(CaError::EmptyBundle.into());
        };
        let key = match &renewal.key {
            Key::New => None,
            Key::Same(key) => Some(&**key),
        };
        let fresh = if key.is_none() { fresh.next() } else { None };
        jobs.push(Job { index, credential, renewal, issuer, kept: key, fresh, seen });
    }
    let signed = ca::parallel_map(&jobs, threads, |job| job.sign(now))?;
    jobs.iter().zip(signed).map(|(job, signed)| job.made(&signed)).collect()
}

struct Job<'a> {
    index: usize,
    credential: &'a Credential,
    renewal: &'a Renewal,
    issuer: &'a Issuer,
    kept: Option<&'a PrivateKey>,
    fresh: Option<PrivateKey>,
    seen: &'a Seen,
}

impl Job<'_> {
    fn key(&self) -> Result<&PrivateKey, CaError> {
        self.kept.or(self.fresh.as_ref()).ok_or(CaError::Generate(self.renewal.algorithm))
    }

    fn sign(&self, now: OffsetDateTime) -> Result<Signed, CaError> {
        let signed = ca::issue(&self.renewal.blueprint, &self.key()?.spki_der(), self.issuer)?;
        // A name that no TLS client can dial was the old certificate's as well, and is kept.
        ca::accepted_for(&signed, self.issuer, now, &self.renewal.names.added)?;
        Ok(signed)
    }

    fn made(&self, signed: &Signed) -> Result<Made, Error> {
        let mut pem = signed.pem.clone();
        pem.extend(self.renewal.chain.iter().map(Certificate::to_pem));
        let fresh = self.fresh.as_ref().map(PrivateKey::to_pem);
        let mut changes = Vec::new();
        match &self.renewal.kubeconfig {
            None => {
                if let (Some(place), Some(key)) = (&self.credential.private, &fresh) {
                    changes.push(change(place, 0o600, Zeroizing::new(key.as_bytes().to_vec()))?);
                }
                changes.push(change(&self.credential.public, 0o644, Zeroizing::new(pem.into_bytes()))?);
            }
            Some(Kubeconfig::Edit { authority }) => {
                let bundle = authority.then(|| self.issuer.bundle_pem());
                let new = NewCredentials {
                    certificate: &pem,
                    key: fresh.as_ref().map(|key| key.as_str()),
                    authority: bundle.as_deref(),
                };
                let Some(FileState::File { bytes, .. }) = self.seen.survey.get(&self.credential.public) else {
                    return Err(Error::new(format!("{} is gone", self.credential.id())).hint("run the command again"));
                };
                let edited = kubeconfig::replace(bytes, &new).map_err(|why| {
                    Error::new(format!("cannot replace the credential in {}", self.credential.public.path))
                        .because(why)
                        .hint("look at the file; kubectl config view --raw writes it in its plainest form")
                })?;
                changes.push(change(&self.credential.public, 0o600, edited)?);
            }
            Some(Kubeconfig::New(access)) => {
                let text = kubeconfig::render(&kubeconfig::Kubeconfig {
                    cluster: &access.cluster,
                    user: &access.user,
                    server: &access.server,
                    authority: &self.issuer.bundle_pem(),
                    certificate: &pem,
                    key: kubeconfig::ClientKey::Data(self.key()?.to_pem().as_str()),
                    preferences: access.preferences,
                });
                changes.push(change(&self.credential.public, 0o600, Zeroizing::new(text.as_bytes().to_vec()))?);
            }
        }
        Ok(Made { index: self.index, certificate: signed.certificate.clone(), changes })
    }
}

fn change(place: &Place, mode: u32, bytes: Zeroizing<Vec<u8>>) -> Result<FileChange, Error> {
    Ok(FileChange { root: root(place), path: RelPath::parse(place.path.as_str())?, mode, bytes, replace: true })
}

pub fn root(place: &Place) -> RootId {
    match place.root {
        Root::Main => RootId::Main,
        Root::Kubelet => RootId::Kubelet,
    }
}
