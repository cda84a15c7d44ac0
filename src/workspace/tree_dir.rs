//! The directories of a tree, and the only way to change it: [`TreeDir::lock`] recovers an interrupted run and returns
//! a [`Locked`], the only source of an issuer, whose [`Locked::commit`] is the only transaction.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::catalog::CaId;
use crate::error::Error;
use crate::files::{self, RelPath};
use crate::keys::{KeyArgs, KeyRing};
use crate::plan::outside::Outside;
use crate::profile::{CertificatesDir, Profile, RENEWAL};
use crate::signals;
use crate::store::{self, Commit, Locking, OutputDir, Recovery, Roots, StoreError, TreeLock};
use crate::tree::layout::{KUBELET_CERTIFICATE, Layout, kubelet_dir_beside};
use crate::tree::{
    Authorities, Authority, Directories, Former, Issuers, Origin, Place, ProfileAt, Survey, authorities, file,
};
use crate::workspace::rotation::{former, record};
use crate::workspace::state::{self, State};
use crate::workspace::transaction::{Transaction, is_public, public_files};
use crate::workspace::{interrupted, journal, survey};
use crate::x509::Certificate;

/// Directories that kpki makes; those of its own are 0700.
const DIR_MODE: u32 = 0o755;

/// The directories of one tree.
#[derive(Debug, Clone)]
pub struct TreeDir {
    pub roots: Roots,
    pub directories: Directories,
    /// certificatesDir on the node, where that is outside /etc/kubernetes.
    pub certificates_dir: Option<String>,
    /// `None`: no generation is ever removed.
    pub keep_generations: Option<usize>,
    /// Authorities' keys that are no plain files of the tree.
    pub keys: KeyRing,
}

/// What is in a directory.
#[derive(Debug, Clone, Copy)]
pub enum Shape<'a> {
    Cluster,
    /// One node's tree. `kubelet`: the kubelet's own directory, where one is known; `None`: `DIR/kubelet`.
    Node {
        kubelet: Option<&'a Path>,
    },
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
    /// The authorities whose keys are opened with the first look.
    signers: BTreeSet<CaId>,
    /// DIR, made for its lock: goes again after it, unless something was published. The last field.
    _made: Option<OutputDir>,
}

impl TreeDir {
    pub fn new(main: &Path, profile: Option<&Profile>, shape: Shape<'_>) -> Result<Self, Error> {
        // Recorded paths are absolute; DIR may be relative.
        let absolute = std::path::absolute(main).unwrap_or_else(|_| main.to_path_buf());
        let (kubelet, certificates) = match shape {
            Shape::Cluster => (None, in_cluster(profile)),
            Shape::Node { kubelet } => {
                (kubelet, profile.map_or(CertificatesDir::Gathered, |profile| profile.certificates_in(&absolute)))
            }
        };
        let below = match kubelet.map(|dir| dir.strip_prefix(&absolute).map(|below| below.display().to_string())) {
            Some(Ok(below)) if below.is_empty() => {
                return Err(Error::usage("--kubelet-dir is the same directory as --dir").hint("give another one"));
            }
            Some(below) => below.ok(),
            None => Some("kubelet".to_owned()),
        };
        let outside = kubelet.filter(|_| below.is_none()).map(PathBuf::from);
        let pki = certificates.below().map(str::to_owned);
        let certificates = match certificates {
            CertificatesDir::Outside(path) => Some(path),
            CertificatesDir::Below(_) | CertificatesDir::Gathered => None,
        };
        if let Some(path) = certificates.as_ref().filter(|path| outside.as_ref() == Some(path)) {
            return Err(Error::usage(format!("--kubelet-dir is certificatesDir: {}", path.display()))
                .hint("give each a directory of its own"));
        }
        let elsewhere = profile.filter(|profile| profile.certificates_below().is_none());
        let keep = profile.map_or(RENEWAL.keep_generations, |profile| profile.renewal.keep_generations);
        Ok(Self {
            roots: Roots { main: main.to_path_buf(), kubelet: outside, certificates },
            directories: Directories { pki, kubelet: below },
            certificates_dir: elsewhere.map(|profile| profile.certificates_dir.clone()),
            keep_generations: Some(keep),
            keys: KeyRing::new(main, profile, &KeyArgs::default(), matches!(shape, Shape::Cluster)),
        })
    }

    /// The tree that a directory is by what it records. `kubelet`: as the command line says, before what is recorded.
    pub fn recorded(main: &Path, recorded: Option<&(State, Profile)>, kubelet: Option<&Path>) -> Result<Self, Error> {
        let Some((state, profile)) = recorded else {
            let kubelet = kubelet_dir(main, kubelet);
            return Self::new(main, None, Shape::Node { kubelet: kubelet.as_deref() });
        };
        let kubelet = kubelet_dir(main, kubelet.or(state.choices.kubelet_dir.as_deref()));
        let shape = match state::layout(profile, &state.choices) {
            Layout::Cluster => Shape::Cluster,
            Layout::Node { .. } => Shape::Node { kubelet: kubelet.as_deref() },
        };
        Self::new(main, Some(profile), shape)
    }

    /// The same with its authorities' keys where these say.
    #[must_use]
    pub fn with_keys(self, recorded: Option<&(State, Profile)>, keys: &KeyArgs) -> Self {
        let is_cluster =
            recorded.is_some_and(|(state, profile)| state::layout(profile, &state.choices) == Layout::Cluster);
        let keys = KeyRing::new(&self.roots.main, recorded.map(|(_, profile)| profile), keys, is_cluster);
        Self { keys, ..self }
    }

    /// A directory that holds no tree, such as that of `kpki csr --out`.
    pub fn plain(main: &Path) -> Self {
        let directories = Directories::usual();
        let keys = KeyRing::new(main, None, &KeyArgs::default(), false);
        Self { roots: Roots::alone(main), directories, certificates_dir: None, keep_generations: None, keys }
    }

    /// Reads without the lock, from a tree that another run may be changing or has left unfinished.
    pub fn peek<'a>(&self, places: impl Iterator<Item = &'a Place>) -> Result<Snapshot, Error> {
        let own = CaId::ALL.map(|id| self.directories.authority(id));
        let mut survey = survey::survey(&self.roots, places)?;
        let own = own.iter().flat_map(|(public, private)| std::iter::once(public).chain(private));
        // A record that cannot be read is an error of who follows it; by which source an authority signs it says then to nobody.
        if let Ok(record) = record::read(&self.roots) {
            self.keys.learn(&record);
        }
        survey.extend(survey::survey(&self.roots, own.filter(|place| !survey.contains_key(*place)))?);
        let authorities = authorities::authorities(&survey, &self.directories, &self.keys);
        Ok(Snapshot { survey, authorities })
    }

    /// The tree as it will be with other files.
    pub fn with(&self, survey: Survey) -> Snapshot {
        let authorities = authorities::authorities(&survey, &self.directories, &self.keys);
        Snapshot { survey, authorities }
    }

    /// Waits for the lock, and completes or rolls back an interrupted run.
    pub fn lock(&self, wait: Duration) -> Result<Locked<'_>, Error> {
        let (lock, recovery) = TreeLock::acquire_and_recover(&self.roots, wait)?;
        let delivered = match recovery {
            Recovery::Finished { outer, .. } => outer,
            Recovery::Nothing | Recovery::Discarded => Vec::new(),
        };
        Ok(Locked { tree: self, lock: Some(lock), wait, delivered, signers: BTreeSet::new(), _made: None })
    }

    /// Completes or rolls back an interrupted run, if there is one. Returns the files outside the tree that it was to write.
    pub fn recover(&self, wait: Duration) -> Result<Vec<PathBuf>, Error> {
        Ok(if self.is_interrupted()? { self.lock(wait)?.delivered } else { Vec::new() })
    }

    /// Somebody has to be asked for a passphrase of these authorities' keys.
    pub fn is_asked(&self, signers: &BTreeSet<CaId>) -> Result<bool, Error> {
        let survey = self.own_keys(signers)?;
        Ok(signers.iter().any(|id| self.keys.is_asked(*id, file(&survey, self.directories.authority(*id).1.as_ref()))))
    }

    fn own_keys(&self, signers: &BTreeSet<CaId>) -> Result<Survey, Error> {
        let places: Vec<Place> = signers.iter().filter_map(|id| self.directories.authority(*id).1).collect();
        survey::survey(&self.roots, places.iter())
    }

    /// Asks for the passphrases of these authorities' keys. Nobody is asked while the tree is locked.
    pub fn ask_passphrases(&self, signers: &BTreeSet<CaId>) -> Result<(), Error> {
        let survey = self.own_keys(signers)?;
        let file =
            |id| file(&survey, self.directories.authority(id).1.as_ref()).map(|key| Zeroizing::new(key.to_vec()));
        self.keys.ask(signers, file);
        Ok(signals::check()?)
    }

    /// The authority's key is no plain file of the tree.
    pub fn keeps_key_elsewhere(&self, snapshot: &Snapshot, authority: CaId) -> bool {
        let private = self.directories.authority(authority).1;
        self.keys.is_source(authority, file(&snapshot.survey, private.as_ref()))
    }

    /// As [`Self::lock`]; a directory that is absent or empty has no lock: one rename publishes it. But where certificates are
    /// outside, its authorities may be there already, and sign under the lock only.
    pub fn lock_or_create(&self, wait: Duration) -> Result<Locked<'_>, Error> {
        match survey::open(&self.roots.main)? {
            Some(dir) if !dir.list()?.is_empty() => self.lock(wait),
            _ if self.roots.certificates.is_some() => self.lock_made(wait),
            _ => Ok(Locked {
                tree: self,
                lock: None,
                wait,
                delivered: Vec::new(),
                signers: BTreeSet::new(),
                _made: None,
            }),
        }
    }

    /// As [`Self::lock`], and makes DIR for it: what is committed in several steps is locked from the first one on.
    pub fn lock_made(&self, wait: Duration) -> Result<Locked<'_>, Error> {
        let made = OutputDir::make(&self.roots.main)?;
        Ok(Locked { _made: Some(made), ..self.lock(wait)? })
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

    /// How many generations stay, and which of them whatever their number: those that the way back of a rotation needs. With a
    /// record that cannot be read, all.
    fn kept_generations(&self) -> (Option<usize>, Vec<String>) {
        match record::read(&self.roots) {
            Ok(record) => (self.keep_generations, record.pinned()),
            Err(_) => (None, Vec::new()),
        }
    }

    /// The directory of a generation.
    pub fn generation_dir(&self, name: &str) -> PathBuf {
        self.roots.main.join(".kpki/generations").join(name)
    }

    /// The place of a path of the node, if it is below certificatesDir and that is not below /etc/kubernetes.
    pub fn elsewhere(&self, base: &str, path: &str) -> Option<Place> {
        let below = path.strip_prefix(self.certificates_dir.as_ref()?)?.strip_prefix('/')?;
        Some(self.directories.certificate(base, RelPath::parse(below).ok()?.as_str()))
    }

    /// What is to be said of a tree whose certificates are not where its node has them.
    pub fn gathered(&self) -> Option<String> {
        let dir = self.certificates_dir.as_ref().filter(|_| self.roots.certificates.is_none())?;
        let here = self.roots.main.join(self.pki());
        Some(format!("certificatesDir {dir}: the files are in {}, and go to {dir} on the node", here.display()))
    }

    /// The pki directory, for messages.
    pub fn pki(&self) -> String {
        let outside = self.roots.certificates.as_ref().map(|path| path.display().to_string());
        self.directories.pki.clone().or(outside).unwrap_or_default()
    }

    /// By what it records, for messages.
    pub fn origin(&self) -> Origin {
        let pki = self.roots.main.join(self.pki()).display().to_string();
        Origin { pki: Some(pki), ..Origin::new(self.roots.main.display().to_string(), ProfileAt::Recorded) }
    }

    /// A place's path for messages: below DIR, or whole where it is outside.
    pub fn display_path(&self, place: &Place) -> String {
        place.shown(&self.roots)
    }

    pub fn display_paths<'p>(&self, places: impl IntoIterator<Item = &'p Place>) -> Vec<String> {
        places.into_iter().map(|place| self.display_path(place)).collect()
    }
}

/// A cluster directory is no node's file system: every node's tree is whole in it.
fn in_cluster(profile: Option<&Profile>) -> CertificatesDir {
    let below = profile.and_then(Profile::certificates_below);
    below.map_or(CertificatesDir::Gathered, |below| CertificatesDir::Below(below.to_owned()))
}

/// The kubelet's own directory: the given one, or `PREFIX/var/lib/kubelet/pki` for `PREFIX/etc/kubernetes`, unless the kubelet's
/// pair is in `DIR/kubelet` already, where kpki made it before; `None`: `DIR/kubelet`.
pub fn kubelet_dir(main: &Path, chosen: Option<&Path>) -> Option<PathBuf> {
    let default = || {
        let beside = kubelet_dir_beside(std::path::absolute(main).ok()?.to_str()?)?;
        files::what(None, &main.join(KUBELET_CERTIFICATE)).is_none().then(|| PathBuf::from(beside))
    };
    chosen.map(Path::to_path_buf).or_else(default)
}

impl Snapshot {
    /// The certificate of the authority that signs.
    pub fn certificate(&self, authority: CaId) -> Option<&Certificate> {
        self.authorities.get(&authority).and_then(Authority::certificate)
    }

    /// Why the key of the signer of something could not be opened.
    pub fn fault(&self, signer: Outside) -> Option<String> {
        let Outside::Closed(authority) = signer else { return None };
        match self.authorities.get(&authority) {
            Some(Authority::Closed(_, why)) => Some(why.to_string()),
            _ => None,
        }
    }

    /// Every certificate in the authority's file.
    pub fn bundle(&self, authority: CaId) -> &[Certificate] {
        self.authorities.get(&authority).map_or(&[], Authority::bundle)
    }
}

impl Locked<'_> {
    /// These authorities are to sign: their keys are opened when the tree is read, and those that cannot be opened are
    /// [`Authority::Closed`]. Others are opened when they sign, and then it is an error.
    #[must_use]
    pub fn signing(self, signers: BTreeSet<CaId>) -> Self {
        Self { signers, ..self }
    }

    /// It follows a recovery in the same run, which has written these files outside the tree.
    #[must_use]
    pub fn after(mut self, recovered: Vec<PathBuf>) -> Self {
        self.delivered.extend(recovered);
        self
    }

    /// Reads again under the lock, and returns the issuers.
    pub fn read<'a>(&self, places: impl Iterator<Item = &'a Place>) -> Result<(Snapshot, Issuers), Error> {
        self.opened(self.tree.peek(places)?)
    }

    /// Does what signs again where a signer has failed in it, whose authority is [`Authority::Closed`] when the tree is read again;
    /// until no other one fails.
    pub fn without_failed_signers<T>(&self, mut sign: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
        loop {
            let failed = self.tree.keys.failed();
            match sign() {
                Err(_) if self.tree.keys.failed() > failed => {}
                done => return done,
            }
        }
    }

    fn opened(&self, mut snapshot: Snapshot) -> Result<(Snapshot, Issuers), Error> {
        let mut issuers = self.issuers(&snapshot)?;
        for (authority, why) in issuers.open(&self.signers) {
            let bundle = snapshot.bundle(authority).to_vec();
            snapshot.authorities.insert(authority, Authority::Closed(bundle, why));
        }
        signals::check()?;
        Ok((snapshot, issuers))
    }

    /// The tree as it will be with other files, and its issuers: what is signed in the same transaction as what it is signed by.
    pub fn with(&self, survey: Survey) -> Result<(Snapshot, Issuers), Error> {
        self.opened(self.tree.with(survey))
    }

    /// Those that sign, and those that have signed before and are trusted still.
    fn issuers(&self, snapshot: &Snapshot) -> Result<Issuers, Error> {
        let Some(lock) = &self.lock else { return Ok(Issuers::default()) };
        let mut issuers = Issuers::of_locked(&snapshot.survey, &self.tree.directories, &self.tree.keys, lock);
        for authority in CaId::ALL.into_iter().filter(|one| snapshot.bundle(*one).len() > 1) {
            let behind = snapshot.bundle(authority).get(1..).unwrap_or_default();
            if let Some(former) = former::of((&self.tree.roots, &self.tree.keys), authority, behind)? {
                issuers.add_former(&self.tree.keys, authority, &former, lock);
            }
        }
        Ok(issuers)
    }

    /// An authority that signed before; none where the key is not its own.
    pub fn former(&self, authority: CaId, former: &Former) -> Issuers {
        let mut issuers = Issuers::default();
        if let Some(lock) = &self.lock {
            issuers.add_former(&self.tree.keys, authority, former, lock);
        }
        issuers
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
        let Transaction { changes, removals, outer, erasures, forgets, journal, entries } = transaction;
        let (keep_generations, pinned) = self.tree.kept_generations();
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
            keep_generations,
            pinned,
            erasures,
            forgets,
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
