//! From decisions to bytes, all in memory: keys on all cores, then certificates.

use zeroize::Zeroizing;

use crate::blueprint::Algorithm;
use crate::ca::{self, CaError, Issuer, PrivateKey, Signed};
use crate::error::{self, Error};
use crate::kubeconfig::{self, NewCredentials};
use crate::plan::renew::{Credential, Decision, Key, Kubeconfig, Renewal};
use crate::store::FileChange;
use crate::tree::{EntryId, Issuers, Survey, file};
use crate::workspace::{Progress, RunArgs};
use crate::x509::Certificate;

/// The new files of one credential.
#[derive(Debug)]
pub struct Made {
    pub id: EntryId,
    pub certificate: Certificate,
    /// Key before certificate, directly after each other.
    pub changes: Vec<FileChange>,
}

/// Makes every renewal, in the credentials' order.
pub fn make<'d>(
    run: &RunArgs,
    decided: impl Iterator<Item = (&'d Credential, &'d Decision)>,
    survey: &Survey,
    issuers: &Issuers,
    progress: Progress<'_>,
) -> Result<Vec<Made>, Error> {
    let renewals: Vec<(&Credential, &Renewal)> = decided
        .filter_map(|(credential, decision)| match decision {
            Decision::Renew(renewal) => Some((credential, &**renewal)),
            _ => None,
        })
        .collect();
    let is_new = |renewal: &Renewal| matches!(renewal.key, Key::New);
    let algorithms: Vec<Algorithm> =
        renewals.iter().filter(|(_, renewal)| is_new(renewal)).map(|(_, renewal)| renewal.algorithm).collect();
    let mut fresh = ca::generate_keys(&algorithms, run.threads, progress)?.into_iter();
    let mut jobs = Vec::with_capacity(renewals.len());
    for (credential, renewal) in renewals {
        let issuer = credential.authority.and_then(|authority| issuers.get(authority)).ok_or(CaError::EmptyBundle)?;
        let (kept, fresh) = match &renewal.key {
            Key::New => (None, fresh.next()),
            Key::Same(key) => (Some(&**key), None),
        };
        jobs.push(Job { credential, renewal, issuer, kept, fresh, survey });
    }
    let mut between = |done| progress(done, jobs.len());
    let signed = ca::parallel_watched(&jobs, issuers.threads(run.threads), |job| job.sign(run.now), &mut between)?;
    jobs.iter().zip(signed).map(|(job, signed)| job.made(&signed)).collect()
}

struct Job<'a> {
    credential: &'a Credential,
    renewal: &'a Renewal,
    issuer: &'a Issuer,
    kept: Option<&'a PrivateKey>,
    fresh: Option<PrivateKey>,
    survey: &'a Survey,
}

impl Job<'_> {
    fn key(&self) -> Result<&PrivateKey, CaError> {
        self.kept.or(self.fresh.as_ref()).ok_or(CaError::Generate(self.renewal.algorithm))
    }

    fn sign(&self, now: time::OffsetDateTime) -> Result<Signed, CaError> {
        // A name that no TLS client can use was in the old certificate too, and is kept.
        let names = &self.renewal.names.added;
        ca::issue_for_peers_by(&self.renewal.blueprint, &self.key()?.spki_der(), self.issuer, now, names)
    }

    fn made(&self, signed: &Signed) -> Result<Made, Error> {
        let mut pem = signed.pem.clone();
        pem.extend(self.renewal.chain.iter().map(Certificate::to_pem));
        let fresh = self.fresh.as_ref().map(PrivateKey::to_pem);
        let public = &self.credential.public;
        let changes = match &self.renewal.kubeconfig {
            None => {
                let key = self.credential.private.as_ref().zip(fresh);
                let key = key.map(|(place, key)| place.change(0o600, Zeroizing::new(key.as_bytes().to_vec())));
                let certificate = public.change(0o644, Zeroizing::new(pem.into_bytes()));
                key.into_iter().chain([certificate]).collect::<Result<_, _>>()?
            }
            Some(Kubeconfig::Edit { authority, server }) => {
                let bundle = authority.then(|| self.issuer.bundle_pem());
                let key = fresh.as_ref().map(|key| key.as_str());
                let (authority, server) = (bundle.as_deref(), server.as_deref());
                vec![
                    public
                        .change(0o600, self.edited(&NewCredentials { certificate: &pem, key, authority, server })?)?,
                ]
            }
            Some(Kubeconfig::New(access)) => {
                let key = self.key()?.to_pem();
                let text = access.kubeconfig(&self.issuer.bundle_pem(), &pem, &key);
                vec![public.change(0o600, Zeroizing::new(text.as_bytes().to_vec()))?]
            }
        };
        Ok(Made { id: self.credential.id.clone(), certificate: signed.certificate.clone(), changes })
    }

    /// The existing kubeconfig with the new credential.
    fn edited(&self, new: &NewCredentials<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
        let bytes = file(self.survey, Some(&self.credential.public)).ok_or_else(|| {
            Error::new(format!("{} was removed during the run", self.credential.id)).hint("run the command again")
        })?;
        kubeconfig::replace(bytes, new).map_err(|why| error::not_replaced(&self.credential.public, why))
    }
}
