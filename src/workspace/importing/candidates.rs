//! The keys that a certificate can be for: those of pending requests, and those in use.

use std::path::Path;

use crate::ca::PrivateKey;
use crate::error::Error;
use crate::plan::import::Refusal;
use crate::plan::item::Access;
use crate::plan::renew::Credential;
use crate::tree::{Survey, file};
use crate::workspace::Session;
use crate::workspace::requests::{self, Files, Site};
use crate::x509::{Certificate, Request};

/// A key of a pending request or in use.
pub struct Candidate {
    /// Among the tree's credentials.
    pub index: usize,
    pub key: PrivateKey,
    pub source: Source,
    /// Its request.
    pub request: Option<Request>,
    /// Of a kubeconfig without a certificate.
    pub access: Option<Access>,
}

pub enum Source {
    /// In `.kpki/requests`; removed when the certificate is in place.
    Staged(Files),
    /// In a directory from the command line.
    Out,
    /// The key that is in use.
    InPlace,
}

/// Every key. `out`: the directory of `kpki csr --out`. A key that cannot be used is a warning: it may not be the
/// one that is needed.
pub fn read(
    session: &Session<'_>,
    survey: &Survey,
    out: Option<&Path>,
    warnings: &mut Vec<String>,
) -> Result<Vec<Candidate>, Error> {
    let staged = Site::Tree(session.tree.roots.clone());
    let out = out.map(Site::out);
    let mut candidates = Vec::new();
    let all = session.credentials.iter().enumerate();
    for (index, credential) in all.filter(|(_, one)| !session.is_left_out(&one.id)) {
        for site in std::iter::once(&staged).chain(&out) {
            let files = site.files(&credential.public, credential.private.as_ref())?;
            match requests::waiting(site, &files) {
                Ok(None) => {}
                Ok(Some(requests::Waiting { key, request, access })) => {
                    let source = match site {
                        Site::Tree(_) => Source::Staged(files),
                        Site::Out(_) => Source::Out,
                    };
                    candidates.push(Candidate { index, key, source, request, access });
                }
                Err(error) => warnings.push(error.what),
            }
        }
        candidates.extend(in_place(index, credential, survey));
    }
    Ok(candidates)
}

/// The key of a certificate. A pending request has precedence over the key in use.
pub fn matching<'c>(
    candidates: &'c [Candidate],
    credentials: &[Credential],
    leaf: &Certificate,
    named: Option<&str>,
) -> Result<&'c Candidate, Refusal> {
    let is_named = |candidate: &&Candidate| {
        let credential = credentials.get(candidate.index);
        credential.is_some_and(|one| named.is_none_or(|name| one.id.is_named(name)))
    };
    let mut all: Vec<&Candidate> =
        candidates.iter().filter(is_named).filter(|candidate| candidate.key.matches(leaf)).collect();
    if all.iter().any(|one| one.index != all.first().map_or(0, |first| first.index)) {
        // One key for several entries: the name decides.
        let says = |candidate: &&Candidate| {
            candidate.request.as_ref().is_some_and(|request| request.subject.says_the_same(&leaf.subject))
        };
        all.retain(says);
    }
    let first = all.first().map(|first| first.index);
    if all.iter().any(|one| Some(one.index) != first) {
        return Err(Refusal::AmbiguousKey);
    }
    let no_key = || Refusal::NoKey { named: named.map(str::to_owned), subject: leaf.subject.clone() };
    all.into_iter().next().ok_or_else(no_key)
}

/// The key an entry has now.
fn in_place(index: usize, credential: &Credential, survey: &Survey) -> Option<Candidate> {
    let place = credential.private.as_ref().unwrap_or(&credential.public);
    let (key, access) = requests::held_key(file(survey, Some(place))?, credential.is_kubeconfig()).ok()?;
    Some(Candidate { index, key, source: Source::InPlace, request: None, access })
}
