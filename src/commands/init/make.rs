//! From decisions to bytes, all in memory: keys in parallel on all cores, then the authorities, then what they sign.
//! Every certificate has been re-read, compared with its blueprint and verified by the other crypto library when it
//! leaves `ca`.

use super::job::{Job, Made, Signing, file, public, with_key};
use crate::blueprint::{Algorithm, Blueprint};
use crate::ca::{self, Issuer, PrivateKey, Signer};
use crate::error::Error;
use crate::keys::{Birthplace, Fresh};
use crate::plan::decision::{Decision, Making, Reconciled};
use crate::plan::item::{Item, What, public_mode};
use crate::plan::renew::for_key;
use crate::tree::{self, Issuers, Place, Survey};
use crate::workspace::{Progress, RunArgs};
use crate::x509::parse_pem_bundle;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// Who signs: the authorities that are there, and by the index of its item what becomes the key of each new one.
pub struct Signers {
    pub issuers: Issuers,
    pub fresh: BTreeMap<usize, Fresh>,
}

/// Makes everything that was decided, in the items' order.
pub fn make(
    items: &[Item],
    reconciled: Reconciled,
    survey: &Survey,
    Signers { issuers, mut fresh }: Signers,
    run: &RunArgs,
    progress: Progress<'_>,
) -> Result<Vec<Made>, Error> {
    let Reconciled { decisions, .. } = reconciled;
    let now = run.now;
    let makings: Vec<(Option<Making>, bool)> = decisions.into_iter().map(making).collect();
    let is_made = |index: usize| !matches!(fresh.get(&index), Some(Fresh::There(_)));
    let mut keys = keys(&makings, is_made, run.threads, progress)?;
    let mut signing = Signing::of(issuers);
    let mut made: Vec<Made> = Vec::with_capacity(items.len());
    made.resize_with(items.len(), Made::default);

    // Authorities first: the rest needs their certificates.
    for (index, (item, (making, replace))) in items.iter().zip(&makings).enumerate() {
        if let (What::Authority(authority), Some(Making::Authority(algorithm, blueprint))) = (&item.what, making) {
            let (done, issuer) = match fresh.remove(&index) {
                Some(Fresh::There(signer)) => signed_elsewhere(item, *algorithm, blueprint, signer, *replace)?,
                Some(Fresh::Made(place)) => signed_here(item, blueprint, take(&mut keys, index)?, &place, *replace)?,
                None => signed_here(item, blueprint, take(&mut keys, index)?, &Birthplace::default(), *replace)?,
            };
            signing.add(*authority, issuer);
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
    let mut between = |done| progress(done, jobs.len());
    let threads = signing.issuers.threads(run.threads);
    let results = ca::parallel_watched(&jobs, threads, |job| job.run(&signing, now), &mut between)?;
    for (job, done) in jobs.iter().zip(results) {
        set(&mut made, job.index, done);
    }

    for (index, (item, (making, replace))) in items.iter().zip(&makings).enumerate() {
        let done = match making {
            Some(Making::PublicHalf(half)) => {
                let bytes = Zeroizing::new(half.clone().into_bytes());
                Made { files: vec![file(&item.public, public_mode(&item.what), bytes, *replace)], ..Made::default() }
            }
            Some(Making::SignerFile { of }) => {
                let source = Source { items, made: &made, survey };
                let bytes = source.signer(*of).ok_or_else(|| Error::new("ca.crt was removed during the run"))?;
                Made { files: vec![file(&item.public, public_mode(&item.what), bytes, *replace)], ..Made::default() }
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

/// An authority whose key was made in this run.
fn signed_here(
    item: &Item,
    blueprint: &Blueprint,
    key: PrivateKey,
    place: &Birthplace,
    replace: bool,
) -> Result<(Made, Issuer), Error> {
    let signed = ca::self_sign(blueprint, &key)?;
    let bytes = place.contents(&key).map_err(|why| Error::new("cannot make the key of an authority").because(why))?;
    let made = with_key(item, &signed, &bytes, replace);
    let outside = place.file.clone().map(|path| (path, bytes));
    Ok((Made { outside, ..made }, Issuer::new(vec![signed.certificate], key)?))
}

/// An authority whose key was there.
fn signed_elsewhere(
    item: &Item,
    planned: Algorithm,
    blueprint: &Blueprint,
    signer: Box<dyn Signer>,
    replace: bool,
) -> Result<(Made, Issuer), Error> {
    let signed = ca::self_sign(&for_key(blueprint.clone(), planned, signer.algorithm()), &*signer)?;
    let files = vec![public(item, &signed, replace)];
    let made = Made { certificate: Some(signed.certificate.clone()), files, ..Made::default() };
    Ok((made, Issuer::by(vec![signed.certificate], signer)?))
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
    is_made: impl Fn(usize) -> bool,
    threads: usize,
    progress: Progress<'_>,
) -> Result<BTreeMap<usize, PrivateKey>, Error> {
    let wanted: Vec<(usize, Algorithm)> = makings
        .iter()
        .enumerate()
        .filter(|(index, _)| is_made(*index))
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
    Made { certificate, files, ..Made::default() }
}
