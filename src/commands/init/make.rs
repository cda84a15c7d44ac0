//! From decisions to bytes, all in memory: keys in parallel on all cores, then the authorities, then what they sign.
//! Every certificate has been re-read, compared with its blueprint and verified by the other crypto library when it
//! leaves `ca`.

use super::job::{Job, Made, Signing, file, pair};
use crate::blueprint::Algorithm;
use crate::ca::{self, Issuer, PrivateKey};
use crate::error::Error;
use crate::plan::decision::{Decision, Making, Reconciled};
use crate::plan::item::{Item, What, public_mode};
use crate::tree::{self, Issuers, Place, Survey};
use crate::workspace::{Progress, RunArgs};
use crate::x509::parse_pem_bundle;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// Makes everything that was decided, in the items' order.
pub fn make(
    items: &[Item],
    reconciled: Reconciled,
    survey: &Survey,
    issuers: Issuers,
    run: &RunArgs,
    progress: Progress<'_>,
) -> Result<Vec<Made>, Error> {
    let Reconciled { decisions, .. } = reconciled;
    let (threads, now) = (run.threads, run.now);
    let makings: Vec<(Option<Making>, bool)> = decisions.into_iter().map(making).collect();
    let mut keys = keys(&makings, threads, progress)?;
    let mut signing = Signing::of(issuers);
    let mut made: Vec<Made> = Vec::with_capacity(items.len());
    made.resize_with(items.len(), Made::default);

    // Authorities first: the rest needs their certificates.
    for (index, (item, (making, replace))) in items.iter().zip(&makings).enumerate() {
        if let (What::Authority(authority), Some(Making::Authority(_, blueprint))) = (&item.what, making) {
            let key = take(&mut keys, index)?;
            let signed = ca::self_sign(blueprint, &key)?;
            let done = pair(item, &signed, key.to_pem(), *replace);
            signing.add(*authority, Issuer::new(vec![signed.certificate], key)?);
            set(&mut made, index, done);
        }
    }

    let jobs: Vec<Job<'_>> = items
        .iter()
        .zip(&makings)
        .enumerate()
        .filter_map(|(index, (item, (making, replace)))| {
            let key = keys.remove(&index)?;
            Some(Job { index, item, making: making.as_ref()?, replace: *replace, key })
        })
        .collect();
    let results = ca::parallel_map(&jobs, threads, |job| job.run(&signing, now))?;
    for (job, done) in jobs.iter().zip(results) {
        set(&mut made, job.index, done);
    }

    for (index, (item, (making, replace))) in items.iter().zip(&makings).enumerate() {
        let done = match making {
            Some(Making::PublicHalf(half)) => {
                let bytes = Zeroizing::new(half.clone().into_bytes());
                Made { certificate: None, files: vec![file(&item.public, public_mode(&item.what), bytes, *replace)] }
            }
            Some(Making::SignerFile { of }) => {
                let source = Source { items, made: &made, survey };
                let bytes = source.signer(*of).ok_or_else(|| Error::new("ca.crt was removed during the run"))?;
                Made { certificate: None, files: vec![file(&item.public, public_mode(&item.what), bytes, *replace)] }
            }
            Some(Making::Copy { of, public, private }) => {
                let source = Source { items, made: &made, survey };
                copy(item, *of, (*public, *private), *replace, &source)
            }
            _ => continue,
        };
        set(&mut made, index, done);
    }
    Ok(made)
}

fn making(decision: Decision) -> (Option<Making>, bool) {
    match decision {
        Decision::Make(making) => (Some(making), false),
        Decision::Replace(making, _) => (Some(making), true),
        Decision::Keep | Decision::Conflict(..) | Decision::NoKey(..) => (None, false),
    }
}

fn set(made: &mut [Made], index: usize, done: Made) {
    if let Some(slot) = made.get_mut(index) {
        *slot = done;
    }
}

/// A key for every item that needs one, by index.
fn keys(
    makings: &[(Option<Making>, bool)],
    threads: usize,
    progress: Progress<'_>,
) -> Result<BTreeMap<usize, PrivateKey>, Error> {
    let wanted: Vec<(usize, Algorithm)> = makings
        .iter()
        .enumerate()
        .filter_map(|(index, (making, _))| match making {
            Some(Making::Authority(algorithm, _) | Making::Certificate(algorithm, _) | Making::KeyPair(algorithm)) => {
                Some((index, *algorithm))
            }
            _ => None,
        })
        .collect();
    let algorithms: Vec<Algorithm> = wanted.iter().map(|(_, algorithm)| *algorithm).collect();
    let keys = ca::generate_keys(&algorithms, threads, progress)?;
    Ok(wanted.into_iter().map(|(index, _)| index).zip(keys).collect())
}

fn take(keys: &mut BTreeMap<usize, PrivateKey>, index: usize) -> Result<PrivateKey, Error> {
    keys.remove(&index).ok_or_else(|| Error::new("no key was generated for an authority").hint("report this as a bug"))
}

struct Source<'a> {
    items: &'a [Item],
    made: &'a [Made],
    survey: &'a Survey,
}

impl Source<'_> {
    /// The first certificate of an authority's file.
    fn signer(&self, of: usize) -> Option<Zeroizing<Vec<u8>>> {
        let bundle = self.bytes(of, Some(&self.items.get(of)?.public))?;
        let first = parse_pem_bundle(&bundle).ok()?.into_iter().next()?;
        Some(Zeroizing::new(first.to_pem().into_bytes()))
    }

    /// The bytes of a shared place: made in this run, or existing.
    fn bytes(&self, of: usize, place: Option<&Place>) -> Option<Zeroizing<Vec<u8>>> {
        let place = place?;
        let made = self.made.get(of).into_iter().flat_map(|made| &made.files).find(|file| file.place == *place);
        let existing = || tree::file(self.survey, Some(place)).map(|bytes| Zeroizing::new(bytes.to_vec()));
        made.map(|file| file.bytes.clone()).or_else(existing)
    }
}

fn copy(item: &Item, of: usize, (public, private): (bool, bool), replace: bool, source: &Source<'_>) -> Made {
    let Some(shared) = source.items.get(of) else { return Made::default() };
    let mut files = Vec::new();
    if let (true, Some(place), Some(bytes)) = (private, &item.private, source.bytes(of, shared.private.as_ref())) {
        files.push(file(place, 0o600, bytes, replace));
    }
    if let (true, Some(bytes)) = (public, source.bytes(of, Some(&shared.public))) {
        files.push(file(&item.public, public_mode(&shared.what), bytes, replace));
    }
    let certificate = source.made.get(of).and_then(|made| made.certificate.clone());
    Made { certificate, files }
}
