//! The requests to sign, and their output files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::cfssl;
use super::manifest;
use super::request::Request;
use crate::blueprint::{Blueprint, KeyUsage, Role};
use crate::ca::{self, PrivateKey};
use crate::error::Error;
use crate::files::{self, What, shell_path};
use crate::plan::csr_manifest::Asked;
use crate::store::{self, OuterFile, OutputDir};
use crate::workspace::{Locked, Transaction, survey};
use crate::x509;

/// A larger file is neither a request nor an authority's certificate.
pub const LARGEST: u64 = 4 << 20;

/// One request to sign.
pub struct Job {
    /// The file's name without its extension.
    pub name: String,
    pub file: PathBuf,
    pub request: x509::Request,
    /// What the manifest it is in asks for.
    pub asked: Option<Asked>,
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
                .hint(format!("show it with: kpki inspect {}", shell_path(file)))
        };
        // The output is named after the file, never after a name in the request.
        let name = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        if request.csr_json {
            let wanted = cfssl::read(&bytes).map_err(|why| refused(why.to_string()))?;
            let key = PrivateKey::generate(wanted.algorithm)?;
            let made = ca::request(&of_json(&wanted, request), &key)?;
            let (file, request) = (file.clone(), made.request);
            jobs.push(Job { name, file, request, asked: None, made: Some((key, made.pem)) });
            continue;
        }
        let (bytes, asked) = manifest::request(bytes)
            .map_err(|why| why.hint().into_iter().fold(refused(why.to_string()), Error::hint))?;
        match x509::Request::read_file(&bytes).map_err(|why| refused(why.to_string()))?.as_slice() {
            [one] => jobs.push(Job { name, file: file.clone(), request: one.clone(), asked, made: None }),
            several => return Err(refused(format!("expected one signing request, found {}", several.len()))),
        }
    }
    Ok(jobs)
}

/// cfssl's JSON counts as flags: its names are granted too. A flag replaces what it says, as cfssl's own -cn and -hostname
/// do.
fn of_json(wanted: &cfssl::Wanted, request: &Request) -> Blueprint {
    let stated = &request.stated;
    let sans = if stated.request_names { &wanted.sans } else { &stated.sans };
    Blueprint {
        subject: stated.subject.as_ref().unwrap_or(&wanted.subject).clone(),
        not_before: request.run.now,
        not_after: request.run.now,
        role: Role::EndEntity,
        key_usage: KeyUsage::DIGITAL_SIGNATURE,
        extended_key_usages: stated.usages.clone(),
        sans: sans.clone(),
        permitted: Vec::new(),
    }
}

/// Where the outputs go: decided once.
pub enum Place {
    Beside,
    Into(PathBuf),
    As(PathBuf),
    StandardOutput,
}

impl Place {
    pub fn of(request: &Request) -> Self {
        match &request.out {
            None => Self::Beside,
            Some(out) if out == Path::new("-") => Self::StandardOutput,
            // A name that ends with a slash is a directory's, whether it is there or not.
            Some(out)
                if request.files.len() > 1
                    || out.as_os_str().as_encoded_bytes().ends_with(b"/")
                    || files::what(None, out) == Some(What::Directory) =>
            {
                Self::Into(out.clone())
            }
            Some(out) => Self::As(out.clone()),
        }
    }

    /// The directory of the outputs, if it has to be made.
    pub fn make_dir(&self, request: &Request) -> Result<Option<OutputDir>, Error> {
        match self {
            Self::Into(out) if !request.run.dry_run => Ok(Some(OutputDir::make(out)?)),
            _ => Ok(None),
        }
    }

    /// Nothing can be in the way in a directory that a dry run does not make.
    fn is_there(&self) -> bool {
        !matches!(self, Self::Into(out) if files::what(None, out).is_none())
    }

    fn path(&self, job: &Job, end: &str) -> Option<PathBuf> {
        let name = format!("{}.{end}", job.name);
        match self {
            Self::Beside => Some(job.file.with_file_name(name)),
            Self::Into(out) => Some(out.join(name)),
            Self::As(out) if end == "crt" => Some(out.clone()),
            Self::As(out) => Some(out.with_extension(end)),
            Self::StandardOutput => None,
        }
    }

    /// The directory of the outputs whose transaction it is, if no tree signs and there are several; `None`: one or none.
    pub fn home(&self, request: &Request) -> Option<PathBuf> {
        let first = request.files.first().filter(|_| request.csr_json || request.files.len() > 1)?;
        let home = match self {
            Self::Beside => first.parent()?,
            Self::Into(out) => out,
            Self::As(out) => out.parent()?,
            Self::StandardOutput => return None,
        };
        Some(if home == Path::new("") { Path::new(".") } else { home }.to_path_buf())
    }
}

/// Refuses, before anything is written, what writing these files would refuse.
pub fn check(place: &Place, outs: &[OuterFile]) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    for OuterFile { path, .. } in outs {
        if !seen.insert(path) {
            return Err(Error::usage(format!(
                "two requests would be written to {}; nothing was written",
                path.display()
            ))
            .hint("sign them one by one, each with its own --out"));
        }
        if place.is_there() {
            store::check_file(path, false)?;
        }
    }
    Ok(())
}

/// All files and the journal's lines, or nothing.
pub fn write(
    locked: Option<&Locked<'_>>,
    request: &Request,
    journal: Vec<String>,
    outer: Vec<OuterFile>,
) -> Result<(), Error> {
    let Some(locked) = locked else {
        // One at the most: several have a transaction.
        let write = |out: &OuterFile| Ok(store::create_file(&out.path, &out.bytes, out.mode)?);
        return outer.iter().try_for_each(write);
    };
    locked.commit("sign", request.run.now, Transaction { journal, outer, ..Transaction::default() })?;
    Ok(())
}

/// The output files of one request. Existing files are never overwritten.
pub fn outs(place: &Place, job: &Job, pem: &str) -> Result<Vec<OuterFile>, Error> {
    let out = |end: &str, mode, bytes: &[u8]| {
        let (path, bytes) = (place.path(job, end)?, Zeroizing::new(bytes.to_vec()));
        Some(OuterFile { path, mode, bytes, replace: false })
    };
    let mut outs = Vec::new();
    if let Some((key, pem)) = &job.made {
        outs.extend(out("key", 0o600, key.to_pem().as_bytes()));
        outs.extend(out("csr", 0o644, pem.as_bytes()));
    }
    outs.extend(out("crt", 0o644, pem.as_bytes()));
    match outs.iter().find(|out| files::what(None, &out.path).is_some()) {
        Some(OuterFile { path, .. }) => {
            Err(Error::new(format!("{} exists already; nothing was written", path.display()))
                .hint("move it away, or give another place with --out"))
        }
        None => Ok(outs),
    }
}
