//! The directories of a tree, and the only way to change it: [`TreeDir::lock`] recovers an interrupted run and returns
//! a [`Locked`], the only source of an issuer, whose [`Locked::commit`] is the only transaction.

use std::path::{Path, PathBuf};
use std::time::Duration;

use time::OffsetDateTime;

use crate::catalog::CaId;
use crate::encoding::pem;
use crate::error::Error;
use crate::files::RelPath;
use crate::profile::{Profile, RENEWAL};
use crate::store::{self, Commit, FileChange, Locking, OuterFile, Recovery, RootId, Roots, StoreError, TreeLock};
use crate::tree::layout::{DEFAULT_DIR, DEFAULT_KUBELET_DIR};
use crate::tree::{Authorities, Authority, Directories, Issuers, Place, Root, Survey, authorities};
use crate::workspace::{interrupted, journal, survey};
use crate::x509::Certificate;

/// Directories that kpki makes; those of its own are 0700.
const DIR_MODE: u32 = 0o755;

/// The directories of one tree.
#[derive(Debug, Clone)]
pub struct TreeDir {
    pub roots: Roots,
    pub directories: Directories,
    /// `None`: no generation is ever removed.
    pub keep_generations: Option<usize>,
}

/// The public contents of a tree.
#[derive(Debug)]
pub struct Snapshot {
    pub survey: Survey,
    pub authorities: Authorities,
}

/// A locked tree without an unfinished transaction.
#[derive(Debug)]
pub struct Locked<'t> {
    tree: &'t TreeDir,
    /// `None`: the tree does not exist yet, and one rename publishes it.
    lock: Option<TreeLock>,
    wait: Duration,
    /// Files outside the tree that an interrupted run was to write: they are in place now.
    delivered: Vec<PathBuf>,
}

/// One commit: all of it, or nothing.
#[derive(Debug, Default)]
pub struct Transaction {
    pub changes: Vec<FileChange>,
    pub removals: Vec<(RootId, RelPath)>,
    /// Files outside the tree.
    pub outer: Vec<OuterFile>,
    /// Lines of the journal.
    pub journal: Vec<String>,
    /// The entries for `kpki history`; `None`: no generation.
    pub entries: Option<Vec<String>>,
}

impl TreeDir {
    /// `kubelet`: its own directory, where one is known; `None`: `DIR/kubelet`.
    pub fn new(main: &Path, profile: Option<&Profile>, kubelet: Option<&Path>) -> Result<Self, Error> {
        Self::with_pki(main, pki(profile, main)?, profile, kubelet)
    }

    /// The same with a pki directory that is known.
    pub fn with_pki(
        main: &Path,
        pki: String,
        profile: Option<&Profile>,
        kubelet: Option<&Path>,
    ) -> Result<Self, Error> {
        // Recorded paths are absolute; DIR may be relative.
        let absolute = std::path::absolute(main).unwrap_or_else(|_| main.to_path_buf());
        let below = match kubelet.map(|dir| dir.strip_prefix(&absolute).map(|below| below.display().to_string())) {
            Some(Ok(below)) if below.is_empty() => {
                return Err(Error::usage("--kubelet-dir is the same directory as --dir").hint("give another one"));
            }
            Some(below) => below.ok(),
            None => Some("kubelet".to_owned()),
        };
        let outside = kubelet.filter(|_| below.is_none()).map(PathBuf::from);
        let keep = profile.map_or(RENEWAL.keep_generations, |profile| profile.renewal.keep_generations);
        Ok(Self {
            roots: Roots { main: main.to_path_buf(), kubelet: outside },
            directories: Directories { pki, kubelet: below },
            keep_generations: Some(keep),
        })
    }

    /// A directory that holds no tree, such as that of `kpki csr --out`.
    pub fn plain(main: &Path) -> Self {
        let directories = Directories { pki: "pki".to_owned(), kubelet: Some("kubelet".to_owned()) };
        Self { roots: Roots { main: main.to_path_buf(), kubelet: None }, directories, keep_generations: None }
    }

    /// Reads without the lock, from a tree that another run may be changing or has left unfinished.
    pub fn peek<'a>(&self, places: impl Iterator<Item = &'a Place>) -> Result<Snapshot, Error> {
        let own = CaId::ALL.map(|id| self.directories.authority(id));
        let mut survey = survey::survey(&self.roots, places)?;
        let own = own.iter().flat_map(|(public, private)| std::iter::once(public).chain(private));
        survey.extend(survey::survey(&self.roots, own.filter(|place| !survey.contains_key(*place)))?);
        let authorities = authorities::authorities(&survey, &self.directories);
        Ok(Snapshot { survey, authorities })
    }

    /// Waits for the lock, and completes or rolls back an interrupted run.
    pub fn lock(&self, wait: Duration) -> Result<Locked<'_>, Error> {
        let (lock, recovery) = TreeLock::acquire_and_recover(&self.roots, wait)?;
        let delivered = match recovery {
            Recovery::Finished { outer, .. } => outer,
            Recovery::Nothing | Recovery::Discarded => Vec::new(),
        };
        Ok(Locked { tree: self, lock: Some(lock), wait, delivered })
    }

    /// As [`Self::lock`]; a directory that is absent or empty has no lock: one rename publishes it.
    pub fn lock_or_create(&self, wait: Duration) -> Result<Locked<'_>, Error> {
        match survey::open(&self.roots.main)? {
            Some(dir) if !dir.list()?.is_empty() => self.lock(wait),
            _ => Ok(Locked { tree: self, lock: None, wait, delivered: Vec::new() }),
        }
    }

    /// There is a transaction of an interrupted run.
    pub fn is_interrupted(&self) -> Result<bool, Error> {
        Ok(store::interrupted(&self.roots)?)
    }

    /// What interrupted runs left to do, as warnings of a run that does not do it.
    pub fn left_by_interrupted(&self) -> Result<Vec<String>, Error> {
        Ok(interrupted::look(&self.roots)?.iter().map(ToString::to_string).collect())
    }

    /// An error of a run that does not complete an interrupted one, which may be the cause.
    pub fn or_interrupted<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        result.map_err(|error| self.left_by_interrupted().unwrap_or_default().iter().fold(error, Error::because))
    }

    /// An interrupted run has committed but not put every file in place.
    pub fn is_half_done(&self) -> Result<bool, Error> {
        Ok(store::pending(&self.roots)?)
    }

    /// The directory of a generation.
    pub fn generation_dir(&self, name: &str) -> PathBuf {
        self.roots.main.join(".kpki/generations").join(name)
    }

    /// A place's path for messages: below DIR, or in the kubelet's own directory.
    pub fn display_path(&self, place: &Place) -> String {
        match (place.root, &self.roots.kubelet) {
            (Root::Kubelet, Some(kubelet)) => kubelet.join(&place.path).display().to_string(),
            _ => place.path.clone(),
        }
    }

    pub fn display_paths<'p>(&self, places: impl IntoIterator<Item = &'p Place>) -> Vec<String> {
        places.into_iter().map(|place| self.display_path(place)).collect()
    }
}

/// The pki directory below DIR, from certificatesDir.
pub fn pki(profile: Option<&Profile>, main: &Path) -> Result<String, Error> {
    let Some(profile) = profile else { return Ok("pki".to_owned()) };
    match Directories::pki_of(profile) {
        Some(pki) => Ok(pki),
        None if main != Path::new(DEFAULT_DIR) => Ok("pki".to_owned()),
        None => Err(Error::new(format!("certificatesDir {} is outside {DEFAULT_DIR}", profile.certificates_dir))
            .hint("give a directory for the tree with --dir: the certificates go to its pki/")),
    }
}

/// The kubelet's own directory: the given one, or the default for the default DIR.
pub fn kubelet_dir(main: &Path, chosen: Option<&Path>) -> Option<PathBuf> {
    let default = || (main == Path::new(DEFAULT_DIR)).then(|| PathBuf::from(DEFAULT_KUBELET_DIR));
    chosen.map(Path::to_path_buf).or_else(default)
}

impl Snapshot {
    /// The certificate of the authority that signs.
    pub fn certificate(&self, authority: CaId) -> Option<&Certificate> {
        self.authorities.get(&authority).and_then(Authority::certificate)
    }

    /// Every certificate in the authority's file.
    pub fn bundle(&self, authority: CaId) -> &[Certificate] {
        self.authorities.get(&authority).map_or(&[], Authority::bundle)
    }
}

impl Locked<'_> {
    /// Reads again under the lock, and returns the issuers.
    pub fn read<'a>(&self, places: impl Iterator<Item = &'a Place>) -> Result<(Snapshot, Issuers), Error> {
        let snapshot = self.tree.peek(places)?;
        let issuers = match &self.lock {
            Some(lock) => Issuers::of_locked(&snapshot.survey, &self.tree.directories, lock),
            None => Issuers::default(),
        };
        Ok((snapshot, issuers))
    }

    /// An output is in the way. The interrupted run that this one has finished may have made it.
    pub fn in_the_way(&self, error: Error) -> Error {
        if self.delivered.is_empty() {
            return error;
        }
        let files: Vec<String> = self.delivered.iter().map(|path| path.display().to_string()).collect();
        error.because(format!("this run has first finished an interrupted one, which has written {}", files.join(", ")))
    }

    /// The name of the generation that the next commit makes.
    pub fn generation_name(&self, verb: &str, now: OffsetDateTime) -> Result<String, StoreError> {
        let wanted = journal::generation(verb, now);
        self.lock.as_ref().map_or(Ok(wanted.clone()), |lock| lock.generation_name(&wanted))
    }

    /// Commits. Returns the name of the generation with the replaced files; `None`: none was replaced.
    pub fn commit(
        &self,
        verb: &str,
        now: OffsetDateTime,
        transaction: Transaction,
    ) -> Result<Option<String>, StoreError> {
        let Transaction { changes, removals, outer, journal, entries } = transaction;
        // A backup is brought back as it was.
        if verb != "restore" {
            public_files(&changes)?;
        }
        let commit = Commit {
            roots: &self.tree.roots,
            changes,
            removals,
            outer,
            journal,
            note: entries.map(|entries| journal::note(verb, &entries, now)),
            keep_generations: self.tree.keep_generations,
            dir_mode: DIR_MODE,
            generation: &journal::generation(verb, now),
            locking: self.lock.as_ref().map_or(Locking::Wait(self.wait), Locking::Held),
        };
        let receipt = store::publish(&commit)?;
        // What is public needs no `zeroize`, which takes a byte at a time: a CRL may have a hundred million.
        for mut change in commit.changes.into_iter().filter(is_public) {
            drop(std::mem::take(&mut *change.bytes));
        }
        Ok(receipt.generation)
    }
}

/// No private key in a file that others may read, or that is called a certificate or public key, whoever put it there.
fn public_files(changes: &[FileChange]) -> Result<(), StoreError> {
    let leaks = |change: &&FileChange| is_public(change) && pem::holds_private_key(&change.bytes);
    match changes.iter().find(leaks) {
        Some(change) => Err(StoreError::PrivateKey(change.path.as_str().into())),
        None => Ok(()),
    }
}

fn is_public(change: &FileChange) -> bool {
    change.mode & 0o077 != 0 || pem::is_called_public(change.path.as_str())
}
