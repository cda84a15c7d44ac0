//! Pending requests: key and signing request of an entry, side by side, away from the files in use.
//!
//! They are in `DIR/.kpki/requests/` under the tree's own paths (`pki/apiserver.key` and `.csr`, `admin.conf` and
//! `admin.conf.csr`), or in a directory from the command line. An existing key is used and never overwritten: a request
//! that was sent to an authority must not lose its key. While a new authority whose key is elsewhere is prepared, what it has signed
//! waits beside its request (`pki/apiserver.crt`, `admin.conf.crt`) until the switch.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::blueprint::{Blueprint, KeyUsage, Role};
use crate::ca::{self, PrivateKey, Signer};
use crate::error::Error;
use crate::files::{BadPath, RelPath};
use crate::kubeconfig;
use crate::plan::item::Access;
use crate::plan::renew::CsrTemplate;
use crate::store::{FileChange, RootId, Roots};
use crate::tree::EntryId;
use crate::tree::layout::{Place, Root};
use crate::workspace::{Progress, survey};
use crate::x509::{KeyKind, Request, key_kind};
use time::OffsetDateTime;

/// Below `.kpki`.
const REQUESTS: &str = "requests";

/// The place of requests.
#[derive(Debug, Clone)]
pub enum Site {
    /// With the tree they are for.
    Tree(Roots),
    /// In a directory of their own.
    Out(Roots),
}

impl Site {
    pub fn out(dir: &Path) -> Self {
        Self::Out(Roots::alone(dir))
    }

    pub const fn roots(&self) -> &Roots {
        match self {
            Self::Tree(roots) | Self::Out(roots) => roots,
        }
    }

    /// The request's files for an entry at these places.
    pub fn files(&self, public: &Place, private: Option<&Place>) -> Result<Files, BadPath> {
        let below = |place: &Place, path: &str| {
            // As where all of them are below one directory.
            let directory = match place.root {
                Root::Main => "",
                Root::Kubelet => "kubelet/",
                Root::Certificates => "pki/",
            };
            match self {
                Self::Tree(_) => RelPath::parse(format!("{REQUESTS}/{directory}{path}")),
                Self::Out(_) => RelPath::parse(format!("{directory}{path}")),
            }
        };
        let stem = public.path.strip_suffix(".crt").unwrap_or(&public.path);
        Ok(Files {
            root: match self {
                Self::Tree(_) => RootId::State,
                Self::Out(_) => RootId::Main,
            },
            key: below(public, private.map_or(public.path.as_str(), |place| &place.path))?,
            request: below(public, &format!("{stem}.csr"))?,
            certificate: below(public, &format!("{stem}.crt"))?,
            embedded: private.is_none(),
        })
    }

    /// A file's path for messages.
    pub fn shown(&self, root: RootId, path: &RelPath) -> String {
        match self {
            Self::Tree(roots) | Self::Out(roots) => roots.path_of(root, path).display().to_string(),
        }
    }
}

/// The two files of one request.
#[derive(Debug, Clone)]
pub struct Files {
    pub root: RootId,
    /// The key, or the kubeconfig that holds it.
    pub key: RelPath,
    pub request: RelPath,
    /// What was signed for it, where that is not put in place at once: before a rotation's switch.
    pub certificate: RelPath,
    embedded: bool,
}

/// An existing request.
#[derive(Debug)]
pub struct Waiting {
    pub key: PrivateKey,
    /// The request; `None`: there is a key, and no request that can be read.
    pub request: Option<Request>,
    /// Of a kubeconfig.
    pub access: Option<Access>,
}

/// Reads a request and its key; `None`: there is no key.
pub fn waiting(site: &Site, files: &Files) -> Result<Option<Waiting>, Error> {
    let Some(bytes) = survey::read(site.roots(), files.root, &files.key)? else { return Ok(None) };
    let shown = site.shown(files.root, &files.key);
    let unusable = |why: &dyn std::fmt::Display| {
        Error::new(format!("cannot use the key in {shown}"))
            .because(why)
            .hint("move it away to have a new key made; a certificate for the old one cannot be used then")
    };
    let (key, access) = held_key(&bytes, files.embedded).map_err(|why| unusable(&why))?;
    let request = survey::read(site.roots(), files.root, &files.request)?;
    let request = request.and_then(|bytes| Request::read_file(&bytes).ok()?.into_iter().next());
    Ok(Some(Waiting { key, request, access }))
}

/// The files of a request that waits in a tree for an entry at these places; `None`: none does.
pub fn waiting_in(roots: &Roots, public: &Place, private: Option<&Place>) -> Result<Option<Waits>, Error> {
    let site = Site::Tree(roots.clone());
    let files = site.files(public, private)?;
    let path = |path: &RelPath| roots.path_of(files.root, path);
    let waits = survey::read(roots, files.root, &files.key)?.is_some();
    Ok(waits.then(|| Waits { key: path(&files.key), request: path(&files.request) }))
}

/// Where the two files of a request that waits are.
#[derive(Debug)]
pub struct Waits {
    pub key: PathBuf,
    pub request: PathBuf,
}

/// A private key, by itself or in a kubeconfig, which need not have a certificate yet.
pub fn held_key(bytes: &[u8], embedded: bool) -> Result<(PrivateKey, Option<Access>), Box<dyn std::error::Error>> {
    if !embedded {
        return Ok((PrivateKey::from_pem(bytes)?, None));
    }
    let pending = kubeconfig::pending(bytes)?;
    Ok((PrivateKey::from_pem(&pending.key)?, Some(Access::from(pending))))
}

/// A request to be made.
#[derive(Debug)]
pub struct CsrSpec<'a> {
    pub id: EntryId,
    pub public: &'a Place,
    pub private: Option<&'a Place>,
    pub template: &'a CsrTemplate,
    /// `--key`.
    pub key: Option<PrivateKey>,
}

/// What an authority without its key here is to sign: requests that wait beside the tree for `kpki import`.
#[derive(Debug)]
pub struct External<'a> {
    pub site: Site,
    /// Entry, public and private place, and what is asked for.
    pub wanted: Vec<(&'a EntryId, &'a Place, Option<&'a Place>, CsrTemplate)>,
}

impl External<'_> {
    fn specs(&self) -> Vec<CsrSpec<'_>> {
        let spec =
            |(id, public, private, template)| CsrSpec { id: EntryId::clone(id), public, private, template, key: None };
        self.wanted.iter().map(|(id, public, private, template)| spec((*id, *public, *private, template))).collect()
    }

    /// Of some entries.
    #[must_use]
    pub fn only(&self, is_wanted: impl Fn(&EntryId) -> bool) -> Self {
        Self { site: self.site.clone(), wanted: self.wanted.iter().filter(|(id, ..)| is_wanted(id)).cloned().collect() }
    }

    /// Every request exists already.
    pub fn is_waiting(&self) -> Result<bool, Error> {
        are_waiting(&self.site, &self.specs())
    }

    pub fn make(&self, threads: usize, progress: Progress<'_>) -> Result<Vec<Made>, Error> {
        make(&self.site, self.specs(), threads, progress)
    }
}

/// The result for one request.
#[derive(Debug)]
pub struct Made {
    pub id: EntryId,
    pub request: Request,
    /// It exists already, byte for byte.
    pub is_kept: bool,
    /// The key existed before.
    pub is_old_key: bool,
    pub paths: Vec<PathBuf>,
    pub changes: Vec<FileChange>,
}

/// Whether every request exists already, byte for byte.
fn are_waiting(site: &Site, specs: &[CsrSpec<'_>]) -> Result<bool, Error> {
    for spec in specs {
        let there = waiting(site, &site.files(spec.public, spec.private)?)?;
        let says = |waiting: Waiting| {
            let blueprint = spec.template.blueprint_for(waiting.key.algorithm());
            waiting.request.is_some_and(|request| is_for(&request, &blueprint, &waiting.key))
        };
        if !there.is_some_and(says) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_for(request: &Request, blueprint: &Blueprint, key: &PrivateKey) -> bool {
    ca::asks_for(request, blueprint) && key.made(request) && request.signature_valid == Some(true)
}

/// Makes every missing request, in memory.
pub fn make(site: &Site, specs: Vec<CsrSpec<'_>>, threads: usize, progress: Progress<'_>) -> Result<Vec<Made>, Error> {
    let mut jobs = Vec::with_capacity(specs.len());
    for spec in specs {
        let files = site.files(spec.public, spec.private)?;
        let waiting = waiting(site, &files)?;
        if let (Some(given), Some(waiting)) = (&spec.key, &waiting)
            && given.spki_der() != waiting.key.spki_der()
        {
            let shown = site.shown(files.root, &files.key);
            return Err(
                Error::new(format!("{shown} holds another key than --key")).hint("move it away, or leave --key out")
            );
        }
        jobs.push((spec, files, waiting));
    }
    let wanted: Vec<_> = jobs
        .iter()
        .filter(|(spec, _, waiting)| spec.key.is_none() && waiting.is_none())
        .map(|(spec, ..)| spec.template.algorithm)
        .collect();
    let mut fresh = ca::generate_keys(&wanted, threads, progress)?.into_iter();
    let mut made = Vec::with_capacity(jobs.len());
    for (mut spec, files, waiting) in jobs {
        let given = spec.key.take();
        let (key, old) = match (waiting, given) {
            (Some(waiting), _) => (waiting.key, Some(waiting.request)),
            (None, Some(key)) => (key, None),
            (None, None) => match fresh.next() {
                Some(key) => (key, None),
                None => {
                    return Err(Error::new("fewer keys were made than requested").hint("report this as a bug"));
                }
            },
        };
        made.push(one(site, &spec, &files, &key, old)?);
    }
    Ok(made)
}

/// The request for a key that stays where it is: nothing but the request is written.
pub fn of_signer(site: &Site, spec: &CsrSpec<'_>, key: &dyn Signer) -> Result<Made, Error> {
    let files = site.files(spec.public, spec.private)?;
    if survey::read(site.roots(), files.root, &files.key)?.is_some() {
        let shown = site.shown(files.root, &files.key);
        return Err(Error::new(format!("{shown} holds a key, and that of {} is kept elsewhere", spec.id))
            .hint("move it away: a certificate for it would be one of another key"));
    }
    let made = ca::request(&spec.template.blueprint_for(key.algorithm()), key)?;
    let change = FileChange {
        root: files.root,
        path: files.request.clone(),
        mode: 0o600,
        bytes: Zeroizing::new(made.pem.into_bytes()),
        replace: true,
    };
    Ok(Made {
        id: spec.id.clone(),
        request: made.request,
        is_kept: false,
        is_old_key: true,
        paths: vec![site.roots().path_of(files.root, &files.request)],
        changes: vec![change],
    })
}

/// A request for such a key that waits already, and asks for the same.
pub fn waits_for_signer(site: &Site, spec: &CsrSpec<'_>, spki_der: &[u8]) -> Result<Option<Made>, Error> {
    let files = site.files(spec.public, spec.private)?;
    let Ok(KeyKind::Known(algorithm)) = key_kind(spki_der) else { return Ok(None) };
    let there = survey::read(site.roots(), files.root, &files.request)?;
    let there = there.and_then(|bytes| Request::read_file(&bytes).ok()?.into_iter().next());
    let blueprint = spec.template.blueprint_for(algorithm);
    let is_same = |request: &Request| {
        request.spki_der == spki_der && ca::asks_for(request, &blueprint) && request.signature_valid == Some(true)
    };
    let paths = vec![site.roots().path_of(files.root, &files.request)];
    let made =
        |request| Made { id: spec.id.clone(), request, is_kept: true, is_old_key: true, paths, changes: Vec::new() };
    Ok(there.filter(is_same).map(made))
}

/// `old`: the key existed, with this request or none.
fn one(
    site: &Site,
    spec: &CsrSpec<'_>,
    files: &Files,
    key: &PrivateKey,
    old: Option<Option<Request>>,
) -> Result<Made, Error> {
    let blueprint = spec.template.blueprint_for(key.algorithm());
    let is_old_key = old.is_some();
    let kept = old.flatten().filter(|request| is_for(request, &blueprint, key));
    let is_kept = kept.is_some();
    let file = |path: &RelPath, bytes: &[u8], replace| FileChange {
        root: files.root,
        path: path.clone(),
        mode: 0o600,
        bytes: Zeroizing::new(bytes.to_vec()),
        replace,
    };
    let mut changes = Vec::new();
    if !is_old_key {
        let pem = key.to_pem();
        let text = match &spec.template.access {
            Some(access) if files.embedded => access.kubeconfig("", "", &pem),
            _ => pem,
        };
        changes.push(file(&files.key, text.as_bytes(), false));
    }
    let request = match kept {
        Some(request) => request,
        None => {
            let made = ca::request(&blueprint, key)?;
            changes.push(file(&files.request, made.pem.as_bytes(), true));
            made.request
        }
    };
    let shown = |path: &RelPath| site.roots().path_of(files.root, path);
    Ok(Made {
        id: spec.id.clone(),
        request,
        is_kept,
        is_old_key,
        paths: vec![shown(&files.request), shown(&files.key)],
        changes,
    })
}

/// A request as a blueprint, if neither profile nor certificate decides.
pub fn blueprint_of(request: &Request, now: OffsetDateTime) -> Blueprint {
    Blueprint {
        subject: request.subject.clone(),
        not_before: now,
        not_after: now,
        role: Role::EndEntity,
        key_usage: request.key_usage.unwrap_or(KeyUsage::DIGITAL_SIGNATURE),
        extended_key_usages: request.extended_key_usages.clone(),
        sans: request.sans.clone(),
        permitted: Vec::new(),
    }
}
