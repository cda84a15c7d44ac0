//! The key sources of one tree.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use zeroize::Zeroizing;

use super::args::{GivenKey, KeyArgs};
use super::command::{CommandSigner, Commands, Question, Turns};
use super::fault::{KeyFault, Why};
use super::issuer::{self, Order, Unissued};
use super::material::{self, LARGEST, read_private};
use super::opened::OpenedKey;
use super::owners::{Owner, Owners};
use super::passphrase;
use super::source::{KeyAt, Source, next_sources, sources};
use crate::blueprint::Algorithm;
use crate::ca::{CaError, PrivateKey, SignerFault};
use crate::catalog::CaId;
use crate::profile::{CaKeys, CertificatesDir, PassphraseFrom, Profile, SignerOptions};
use crate::programs::Ended;
use crate::tree::authorities::{KeySources, Sources};
use crate::x509::{Certificate, KeyKind};

/// Where the keys of a tree's authorities are that are no plain files of it.
#[derive(Debug, Clone)]
pub struct KeyRing {
    pub(super) shared: Arc<Shared>,
    /// Those that the profile names for the authorities that are to take their place.
    pub(super) successors: Arc<Shared>,
    pub(super) owners: Arc<Owners>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) sources: BTreeMap<CaId, Source>,
    pub(super) commands: Arc<Commands>,
    pub(super) turns: BTreeMap<CaId, Arc<Turns>>,
    /// What was typed; a fault: nobody could be asked, or it does not open the key.
    asked: Mutex<BTreeMap<CaId, Result<Zeroizing<String>, KeyFault>>>,
    /// Keys from commands and files outside the tree: they are read once in a run.
    opened: Mutex<BTreeMap<CaId, Result<Arc<PrivateKey>, KeyFault>>>,
}

impl KeyRing {
    /// `is_cluster`: a cluster directory, whose own pki/ no node reads.
    pub fn new(dir: &Path, profile: Option<&Profile>, args: &KeyArgs, is_cluster: bool) -> Self {
        // What control-plane nodes get copies of is plain.
        let encrypted = is_cluster && profile.is_none_or(|profile| profile.ca_keys == CaKeys::Nowhere);
        if let Some(profile) = profile {
            args.secrets.hide_those_of(profile);
        }
        if let Some(PassphraseFrom::Variable(name)) = &args.passphrase {
            args.secrets.add([name.as_str()]);
        }
        let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_path_buf());
        let commands = Commands {
            pki: pki(&dir, profile, is_cluster),
            args: args.clone(),
            dir,
            cluster: profile.map(|profile| profile.cluster_name.clone()),
            failed: Mutex::default(),
        };
        let commands = Arc::new(commands);
        let shared = |sources| Arc::new(Shared::of(sources, Arc::clone(&commands)));
        Self {
            shared: shared(sources(profile, args, encrypted)),
            successors: shared(next_sources(profile, args)),
            owners: Arc::new(Owners::stated(profile)),
        }
    }

    /// How an authority signs, for reports; `None`: by a plain file of the tree.
    pub fn described(&self, authority: CaId) -> Option<String> {
        match self.shared.sources.get(&authority)? {
            Source::Key { from: KeyAt::Tree, .. } => None,
            Source::Key { from, .. } => Some(format!("its key comes from {}", from.shown(""))),
            Source::Signer(options) => {
                Some(format!("signs through {}", options.command.first().map_or("", String::as_str)))
            }
            Source::Issuer(options) => {
                Some(format!("issues through {}", options.command.first().map_or("", String::as_str)))
            }
        }
    }

    /// How many signers have failed in this run.
    pub fn failed(&self) -> usize {
        held(&self.shared.commands.failed).len()
    }

    /// Asks for the passphrases that these authorities need, before the lock. `file`: the tree's own key file.
    pub fn ask(&self, needed: &BTreeSet<CaId>, file: impl Fn(CaId) -> Option<Zeroizing<Vec<u8>>>) {
        for authority in needed {
            self.shared.ask(*authority, file(*authority).as_deref().map(Vec::as_slice));
            self.successors.ask(*authority, None);
        }
    }

    /// The passphrase of an authority's key, as it is stated or was typed; `None`: neither.
    pub fn passphrase(&self, authority: CaId) -> Result<Option<Zeroizing<String>>, KeyFault> {
        let Some(Source::Key { passphrase, .. }) = self.shared.sources.get(&authority) else { return Ok(None) };
        self.shared.passphrase(authority, passphrase.as_ref())
    }

    /// The authority's key is elsewhere, or encrypted. `file`: the tree's own key file.
    pub fn is_source(&self, authority: CaId, file: Option<&[u8]>) -> bool {
        match self.shared.sources.get(&authority) {
            Some(Source::Key { from: KeyAt::Tree, .. }) => file.is_some_and(material::is_encrypted),
            source => source.is_some(),
        }
    }

    /// Asks a program for a certificate.
    pub fn issued(&self, order: &Order<'_>) -> Result<Zeroizing<Vec<u8>>, Unissued> {
        issuer::ask(&self.shared.commands, order)
    }

    /// Somebody has to be asked for a passphrase of this authority's key. `file`: the tree's own.
    pub fn is_asked(&self, authority: CaId, file: Option<&[u8]>) -> bool {
        self.shared.is_asked(authority, file) || self.successors.is_asked(authority, None)
    }
}

impl KeySources for KeyRing {
    fn of(&self, authority: CaId, certificate: &Certificate, file: Option<&[u8]>) -> Sources {
        match self.owners.of(authority, certificate) {
            Owner::Own => self.shared.signer(authority, certificate, file),
            Owner::Next => self.successors.signer(authority, certificate, file),
            Owner::Unknown => Sources::Missing,
        }
    }
}

/// The directory of the files of a tree's authorities.
fn pki(dir: &Path, profile: Option<&Profile>, is_cluster: bool) -> PathBuf {
    match profile.map(|profile| profile.certificates_in(dir)) {
        Some(CertificatesDir::Outside(path)) if !is_cluster => path,
        place => dir.join(place.as_ref().and_then(CertificatesDir::below).unwrap_or("pki")),
    }
}

/// Reads a key when it is called.
type Opening = Box<dyn Fn() -> Result<Arc<PrivateKey>, KeyFault> + Send + Sync>;

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn of(sources: BTreeMap<CaId, Source>, commands: Arc<Commands>) -> Self {
        let turns = sources.iter().filter_map(|(authority, source)| match source {
            Source::Signer(signer) => Some((*authority, Arc::new(Turns::of(signer.parallel)))),
            Source::Key { .. } | Source::Issuer(_) => None,
        });
        let turns = turns.collect();
        Self { sources, commands, turns, asked: Mutex::default(), opened: Mutex::default() }
    }

    /// How the authority with this certificate signs.
    fn signer(self: &Arc<Self>, authority: CaId, certificate: &Certificate, file: Option<&[u8]>) -> Sources {
        let (Some(source), KeyKind::Known(algorithm)) = (self.sources.get(&authority), &certificate.key) else {
            return Sources::Tree;
        };
        match source {
            Source::Signer(options) => {
                let spki_der = certificate.spki_der.clone();
                self.command(authority, options, (*algorithm, spki_der))
                    .map_or(Sources::Missing, |signer| Sources::Signer(Box::new(signer)))
            }
            Source::Issuer(_) => Sources::Issuer,
            Source::Key { from: KeyAt::Tree, .. } if !file.is_some_and(material::is_encrypted) => Sources::Tree,
            Source::Key { .. } => Sources::Signer(Box::new(OpenedKey {
                authority,
                algorithm: *algorithm,
                certificate: certificate.clone(),
                open: self.opening(authority, certificate.clone(), file),
                key: OnceLock::new(),
            })),
        }
    }

    fn opening(self: &Arc<Self>, authority: CaId, certificate: Certificate, file: Option<&[u8]>) -> Opening {
        let shared = Arc::clone(self);
        let file = file.map(|bytes| Zeroizing::new(bytes.to_vec()));
        Box::new(move || {
            let key = shared.open(authority, file.as_deref().map(Vec::as_slice))?;
            match key.matches(&certificate) {
                true => Ok(key),
                false => Err(shared.fault(authority, Why::OtherKey)),
            }
        })
    }

    /// A signer with this public key.
    pub fn command(
        &self,
        authority: CaId,
        options: &SignerOptions,
        (algorithm, spki_der): (Algorithm, Vec<u8>),
    ) -> Option<CommandSigner> {
        Some(CommandSigner {
            commands: Arc::clone(&self.commands),
            authority,
            options: options.clone(),
            algorithm,
            spki_der,
            turns: Arc::clone(self.turns.get(&authority)?),
        })
    }

    /// The path of the tree's own key file.
    fn own_file(&self, authority: CaId) -> String {
        self.commands.pki.join(format!("{}.key", authority.stem())).display().to_string()
    }

    pub fn fault(&self, authority: CaId, why: Why) -> KeyFault {
        let at = match self.sources.get(&authority) {
            Some(Source::Key { from, .. }) => from.shown(&self.own_file(authority)),
            Some(Source::Signer(options)) => options.shown(),
            Some(Source::Issuer(_)) | None => self.own_file(authority),
        };
        KeyFault { authority, at, why }
    }

    /// A key elsewhere that was made in this run: its file is written with the rest.
    pub fn keep_open(&self, authority: CaId, key: Arc<PrivateKey>) {
        held(&self.opened).insert(authority, Ok(key));
    }

    /// The key of an authority. `file`: the tree's own.
    pub fn open(&self, authority: CaId, file: Option<&[u8]>) -> Result<Arc<PrivateKey>, KeyFault> {
        let Some(Source::Key { from, passphrase }) = self.sources.get(&authority) else {
            return Err(self.fault(authority, Why::Missing));
        };
        if matches!(from, KeyAt::Tree) {
            return self.opened(authority, file, from, passphrase.as_ref());
        }
        if let Some(known) = held(&self.opened).get(&authority) {
            return known.clone();
        }
        let opened = self.opened(authority, None, from, passphrase.as_ref());
        held(&self.opened).insert(authority, opened.clone());
        opened
    }

    fn opened(
        &self,
        authority: CaId,
        file: Option<&[u8]>,
        from: &KeyAt,
        stated: Option<&PassphraseFrom>,
    ) -> Result<Arc<PrivateKey>, KeyFault> {
        let fault = |why| self.fault(authority, why);
        let pem = self.pem(authority, file, from).map_err(fault)?;
        if !material::is_encrypted(&pem) {
            return material::open(&pem, None).map(Arc::new).map_err(fault);
        }
        let passphrase = self.passphrase(authority, stated)?.ok_or_else(|| fault(Why::NoPassphrase))?;
        material::open(&pem, Some(&passphrase)).map(Arc::new).map_err(fault)
    }

    pub(super) fn passphrase(
        &self,
        authority: CaId,
        stated: Option<&PassphraseFrom>,
    ) -> Result<Option<Zeroizing<String>>, KeyFault> {
        match stated {
            Some(stated) => {
                passphrase::stated(stated, &self.commands.args).map(Some).map_err(|why| self.fault(authority, why))
            }
            None => held(&self.asked).get(&authority).cloned().transpose(),
        }
    }

    fn pem(&self, authority: CaId, file: Option<&[u8]>, from: &KeyAt) -> Result<Zeroizing<Vec<u8>>, Why> {
        match from {
            KeyAt::Tree => file.map(|bytes| Zeroizing::new(bytes.to_vec())).ok_or(Why::Missing),
            KeyAt::Given(GivenKey::Pem(bytes)) => Ok(bytes.clone()),
            KeyAt::Given(GivenKey::File(path)) => read_private(path, LARGEST),
            KeyAt::Command(words, timeout) => self.commands.ask(Question {
                words,
                authority,
                variables: &[],
                input: &[],
                limit: LARGEST as usize,
                timeout: Duration::from_secs(timeout.as_seconds()),
                is_shown: false,
            }),
        }
    }

    /// A passphrase is needed that nothing states, as far as can be seen before the lock. `file`: the tree's own.
    fn is_asked(&self, authority: CaId, file: Option<&[u8]>) -> bool {
        let Some(Source::Key { from, passphrase: None }) = self.sources.get(&authority) else { return false };
        let is_known = matches!(from, KeyAt::Command(..)) || held(&self.asked).contains_key(&authority);
        !is_known && self.pem(authority, file, from).is_ok_and(|pem| material::is_encrypted(&pem))
    }

    /// Asks for a passphrase that nothing states, where it can be seen before the lock that one is needed.
    fn ask(&self, authority: CaId, file: Option<&[u8]>) {
        let Some(Source::Key { from, passphrase }) = self.sources.get(&authority) else { return };
        if let Some(stated) = passphrase {
            return passphrase::read_ahead(stated, &self.commands.args);
        }
        if matches!(from, KeyAt::Command(..)) || held(&self.asked).contains_key(&authority) {
            return;
        }
        let Ok(pem) = self.pem(authority, file, from) else { return };
        if material::is_encrypted(&pem) {
            let typed = self.typed(authority, &pem, from);
            held(&self.asked).insert(authority, typed);
        }
    }

    fn typed(&self, authority: CaId, pem: &[u8], from: &KeyAt) -> Result<Zeroizing<String>, KeyFault> {
        let cluster = self.commands.cluster.as_ref().map(|cluster| format!(" of {cluster}")).unwrap_or_default();
        let at = from.shown(&self.own_file(authority));
        let prompt = format!("Passphrase of the key of {}{cluster} ({at}): ", authority.name());
        passphrase::typed(&prompt, pem, &self.commands.args).map_err(|why| self.fault(authority, why))
    }
}

impl From<KeyFault> for CaError {
    fn from(fault: KeyFault) -> Self {
        match fault.why {
            Why::Ended(Ended::Stopped(stopped)) | Why::Said(Ended::Stopped(stopped), _) => stopped.into(),
            _ => Self::Signer(fault.into()),
        }
    }
}

impl From<KeyFault> for SignerFault {
    fn from(fault: KeyFault) -> Self {
        let hint = fault.why.hint();
        Self::new(fault, hint)
    }
}
