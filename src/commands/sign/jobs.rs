//! The requests to sign, and their output files.

use std::collections::BTreeSet;
use std::path::PathBuf;

use zeroize::Zeroizing;

use super::cfssl;
use super::request::Request;
use crate::blueprint::{Blueprint, KeyUsage, Role};
use crate::ca::{self, PrivateKey};
use crate::error::Error;
use crate::files::{self, What};
use crate::store;
use crate::workspace::survey;
use crate::x509;

/// A larger file is neither a request nor an authority's certificate.
pub const LARGEST: u64 = 4 << 20;

/// One request to sign.
pub struct Job {
    /// The file's name without its extension.
    pub name: String,
    pub file: PathBuf,
    pub request: x509::Request,
    /// `--csr-json`: the key that was made, and the request as PEM.
    pub made: Option<(PrivateKey, String)>,
}

/// Reads every request; keys for cfssl's are made here.
pub fn read(request: &Request) -> Result<Vec<Job>, Error> {
    let mut jobs = Vec::new();
    for file in &request.files {
        let bytes = survey::input(file, LARGEST)?;
        let refused = |why: String| {
            Error::new(format!("cannot read {}; nothing was written", file.display()))
                .because(why)
                .hint("show it with: kpki inspect")
        };
        // The output is named after the file, never after a name in the request.
        let name = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        if request.csr_json {
            let wanted = cfssl::read(&bytes).map_err(|why| refused(why.to_string()))?;
            let key = PrivateKey::generate(wanted.algorithm)?;
            let made = ca::request(&of_json(&wanted, request), &key)?;
            jobs.push(Job { name, file: file.clone(), request: made.request, made: Some((key, made.pem)) });
            continue;
        }
        match x509::Request::read_file(&bytes).map_err(|why| refused(why.to_string()))?.as_slice() {
            [one] => jobs.push(Job { name, file: file.clone(), request: one.clone(), made: None }),
            several => return Err(refused(format!("expected one signing request, found {}", several.len()))),
        }
    }
    Ok(jobs)
}

/// cfssl's JSON counts as flags: its names are granted too.
fn of_json(wanted: &cfssl::Wanted, request: &Request) -> Blueprint {
    Blueprint {
        subject: wanted.subject.clone(),
        not_before: request.run.now,
        not_after: request.run.now,
        role: Role::EndEntity,
        key_usage: KeyUsage::DIGITAL_SIGNATURE,
        extended_key_usages: request.stated.usages.clone(),
        sans: wanted.sans.clone(),
        permitted: Vec::new(),
    }
}

pub type Out = (PathBuf, u32, Zeroizing<Vec<u8>>);

/// Refuses, before anything is written, what writing these files would refuse.
pub fn check(outs: &[Out]) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    for (path, ..) in outs {
        if !seen.insert(path) {
            return Err(Error::usage(format!(
                "two requests would be written to {}; nothing was written",
                path.display()
            ))
            .hint("sign them one by one, each with its own --out"));
        }
        store::check_file(path, false)?;
    }
    Ok(())
}

/// The output files of one request. Existing files are never overwritten.
pub fn outs(request: &Request, job: &Job, jobs: usize, pem: &str) -> Result<Vec<Out>, Error> {
    let beside = |end: &str| job.file.with_file_name(format!("{}.{end}", job.name));
    let place = |end: &str| match &request.out {
        None => beside(end),
        Some(out) if jobs > 1 || files::what(None, out) == Some(What::Directory) => {
            out.join(format!("{}.{end}", job.name))
        }
        Some(out) if end == "crt" => out.clone(),
        Some(out) => out.with_extension(end),
    };
    let mut outs: Vec<Out> = Vec::new();
    if let Some((key, pem)) = &job.made {
        outs.push((place("key"), 0o600, Zeroizing::new(key.to_pem().as_bytes().to_vec())));
        outs.push((place("csr"), 0o644, Zeroizing::new(pem.clone().into_bytes())));
    }
    outs.push((place("crt"), 0o644, Zeroizing::new(pem.as_bytes().to_vec())));
    match outs.iter().find(|(path, ..)| files::what(None, path).is_some()) {
        Some((path, ..)) => Err(Error::new(format!("{} exists already; nothing was written", path.display()))
            .hint("move it away, or give another place with --out")),
        None => Ok(outs),
    }
}
