//! `kpki import`: certificates that somebody else signed, put in place. Match each with its key, judge all, publish.

mod authority;
mod place;

use std::path::{Path, PathBuf};
use std::time::Duration;

use time::OffsetDateTime;

use crate::ca::PrivateKey;
use crate::commands::facts::facts;
use crate::commands::renew::Request as Looking;
use crate::commands::renew::tree::Tree;
use crate::commands::requests::{self, Files, Site};
use crate::commands::restarts::restarts;
use crate::commands::{csr, journal};
use crate::error::{self, Error};
use crate::files::{self, FileError, FileState, Kind, Op, RelPath};
use crate::kubeconfig;
use crate::plan::decision::{FileState as There, Survey};
use crate::plan::import::{self as plan, Expected};
use crate::plan::init::Access;
use crate::plan::renew::{self, Credential, CsrDecision, CsrTemplate, Names, Signer, Signers};
use crate::report::requests::{RequestEntry, Requests, Verb};
use crate::store::{self, Commit, FileChange, Locking, RootId, TreeLock};
use crate::x509::{Certificate, Request as Asking, parse_pem_bundle};

/// The command line, checked.
#[derive(Debug, Clone)]
pub struct Request {
    pub files: Vec<PathBuf>,
    pub dir: Option<PathBuf>,
    pub profile: Option<PathBuf>,
    pub node: Option<String>,
    pub kubelet_dir: Option<PathBuf>,
    pub hostname: Option<String>,
    /// The entry they are for, where the key does not say it.
    pub entry: Option<String>,
    /// Where `kpki csr --out` put keys and requests.
    pub requests: Option<PathBuf>,
    pub dry_run: bool,
    pub now: OffsetDateTime,
    pub lock_wait: Duration,
}

/// Everything that lies there.
struct Seen<'a> {
    tree: &'a Tree<'a>,
    survey: Survey,
    signers: Signers,
    keys: Vec<Candidate>,
}

/// A key that waits for a certificate, or has one.
struct Candidate {
    /// Among the tree's credentials.
    index: usize,
    key: PrivateKey,
    source: Source,
    /// What its request asks for.
    request: Option<Asking>,
    /// Of a kubeconfig without a certificate.
    access: Option<Access>,
}

enum Source {
    /// Staged with the tree; it goes when the certificate is in place.
    Staged(Files),
    /// In a directory a person named.
    Out,
    /// The key that is in use.
    InPlace,
}

/// What one file became.
#[derive(Default)]
struct Placed {
    entry: RequestEntry,
    certificate: Option<Certificate>,
    changes: Vec<FileChange>,
    removals: Vec<(RootId, RelPath)>,
}

/// Puts everything in place, or nothing, and says exactly why not.
pub fn run(request: &Request) -> Result<Requests, Error> {
    let paths: Vec<PathBuf> = request.dir.iter().cloned().collect();
    let profiles: Vec<PathBuf> = request.profile.iter().cloned().collect();
    let (target, mut warnings) =
        csr::one_target(&paths, &profiles, request.kubelet_dir.as_deref(), request.hostname.as_deref())?;
    let looking = Looking {
        node: request.node.clone(),
        hostname: request.hostname.clone(),
        planned: false,
        ..Looking::looking(request.now)
    };
    let tree = Tree::open(&looking, &target)?;
    let hold =
        if request.dry_run { None } else { Some(TreeLock::acquire_and_recover(&tree.roots, request.lock_wait)?.0) };
    let seen = Seen::look(&tree, request.requests.as_deref(), &mut warnings)?;
    let mut placed: Vec<Placed> = Vec::new();
    let mut refused = Vec::new();
    for file in &request.files {
        match seen.one(file, request, &mut warnings)? {
            Ok(one) if one.certificate.is_some() && placed.iter().any(|other| same(other, &one)) => {
                refused
                    .push((file.display().to_string(), vec!["another of the files is for the same entry".to_owned()]));
            }
            Ok(one) => placed.push(one),
            Err(why) => refused.push((file.display().to_string(), why)),
        }
    }
    if !refused.is_empty() {
        return Err(error::unwelcome(&refused));
    }
    let generation = match &hold {
        Some(hold) => publish(&tree, &mut placed, hold, request.now)?,
        None => None,
    };
    let entries: Vec<RequestEntry> = placed.into_iter().map(|one| one.entry).collect();
    let put = entries.iter().filter(|entry| entry.action == "import");
    Ok(Requests {
        verb: Verb::Import,
        directory: Some(target.root.display().to_string()),
        dry_run: request.dry_run,
        generation,
        restart: restarts(put.map(|entry| (entry.node.as_deref(), entry.name.as_str()))),
        entries,
        warnings,
    })
}

fn same(one: &Placed, other: &Placed) -> bool {
    (&one.entry.node, &one.entry.name) == (&other.entry.node, &other.entry.name)
}

fn id(entry: &RequestEntry) -> String {
    entry.node.as_ref().map_or_else(|| entry.name.clone(), |node| format!("{node}/{}", entry.name))
}

/// One transaction; the name under which the old files are kept.
fn publish(
    tree: &Tree<'_>,
    placed: &mut [Placed],
    hold: &TreeLock,
    now: OffsetDateTime,
) -> Result<Option<String>, Error> {
    let put = || placed.iter().filter_map(|one| Some((id(&one.entry), one.certificate.as_ref()?)));
    let journal: Vec<String> = put().map(|(id, certificate)| journal::line("import", &id, certificate, now)).collect();
    let entries: Vec<String> = put().map(|(id, _)| id).collect();
    if entries.is_empty() {
        return Ok(None);
    }
    let receipt = store::publish(&Commit {
        roots: &tree.roots,
        changes: placed.iter_mut().flat_map(|one| std::mem::take(&mut one.changes)).collect(),
        removals: placed.iter_mut().flat_map(|one| std::mem::take(&mut one.removals)).collect(),
        journal,
        note: Some(journal::note("import", &entries, now)),
        keep_generations: Some(tree.keep_generations()),
        dir_mode: 0o755,
        generation: &journal::generation("import", now),
        locking: Locking::Held(hold),
    })?;
    Ok(receipt.generation)
}

impl<'a> Seen<'a> {
    fn look(tree: &'a Tree<'a>, out: Option<&Path>, warnings: &mut Vec<String>) -> Result<Self, Error> {
        let (survey, signers) = tree.read()?;
        let staged = Site::Tree(tree.roots.clone());
        let out = out.map(Site::out);
        let mut keys = Vec::new();
        for (index, credential) in tree.credentials.iter().enumerate() {
            for site in std::iter::once(&staged).chain(&out) {
                let files = site.files(&credential.public, credential.private.as_ref())?;
                match requests::waiting(site, &files) {
                    Ok(None) => {}
                    Ok(Some(requests::Waiting { key, request, access })) => {
                        let source = match site {
                            Site::Tree(_) => Source::Staged(files),
                            Site::Out(_) => Source::Out,
                        };
                        keys.push(Candidate { index, key, source, request, access });
                    }
                    // It may not be the one that is needed.
                    Err(error) => warnings.push(error.what),
                }
            }
            keys.extend(in_place(index, credential, &survey));
        }
        Ok(Self { tree, survey, signers, keys })
    }

    /// One file, or why it may not be put in place.
    fn one(
        &self,
        file: &Path,
        request: &Request,
        warnings: &mut Vec<String>,
    ) -> Result<Result<Placed, Vec<String>>, Error> {
        let bundle = match bundle(file)? {
            Ok(bundle) => bundle,
            Err(why) => return Ok(Err(vec![why])),
        };
        let Some((leaf, rest)) = bundle.split_first() else { return Ok(Err(vec!["no certificate in it".to_owned()])) };
        let named = request.entry.as_deref();
        if leaf.is_ca {
            return authority::place(self, &bundle, named, request.now);
        }
        let matching = match self.matching(leaf, named) {
            Ok(matching) => matching,
            Err(why) => return Ok(Err(vec![why])),
        };
        let Some(credential) = self.tree.credentials.get(matching.index) else { return Ok(Err(Vec::new())) };
        let Some(ask) = self.ask(credential, matching) else {
            let why = format!("nothing says what {} is to be; give the profile with --profile FILE", credential.id());
            return Ok(Err(vec![why]));
        };
        let verdict = plan::judge(
            leaf,
            rest,
            &Expected {
                blueprint: &ask.blueprint_for(matching.key.algorithm()),
                dispensable: &ask.names.surplus,
                authority: credential.authority,
                signer: self.signers.get(&credential.authority).and_then(Signer::certificate),
                now: request.now,
            },
        );
        if !verdict.objections.is_empty() {
            let mut why = vec![format!("it is for the key of {}", credential.id())];
            why.extend(verdict.objections.iter().map(error::objection));
            return Ok(Err(why));
        }
        if !verdict.surplus.is_empty() {
            warnings.push(format!(
                "{} carries more than was asked for: {}",
                credential.id(),
                verdict.surplus.join(", ")
            ));
        }
        if !verdict.lost.is_empty() {
            let lost: Vec<String> = verdict.lost.iter().map(ToString::to_string).collect();
            warnings.push(format!("{} loses names that it has now: {}", credential.id(), lost.join(", ")));
        }
        self.place(credential, matching, &ask, leaf, rest).map(Ok)
    }

    /// The key a certificate is about. The one that waits goes before the one in use.
    fn matching(&self, leaf: &Certificate, named: Option<&str>) -> Result<&Candidate, String> {
        let is_named = |candidate: &&Candidate| {
            let credential = self.tree.credentials.get(candidate.index);
            credential.is_some_and(|one| named.is_none_or(|name| one.id() == name || one.name == name))
        };
        let mut all: Vec<&Candidate> =
            self.keys.iter().filter(is_named).filter(|candidate| candidate.key.matches(leaf)).collect();
        if all.iter().any(|one| one.index != all.first().map_or(0, |first| first.index)) {
            // One key for several entries: the name decides.
            let says = |candidate: &&Candidate| {
                candidate.request.as_ref().is_some_and(|request| request.subject.says_the_same(&leaf.subject))
            };
            all.retain(says);
        }
        let first = all.first().map(|first| first.index);
        if all.iter().any(|one| Some(one.index) != first) {
            return Err("its key is that of several entries; say which it is for with --as NAME".to_owned());
        }
        let of = named.map(|name| format!(" of {name}")).unwrap_or_default();
        all.into_iter().next().ok_or_else(|| {
            format!("no key{of} that waits for a certificate or is in use belongs to it (subject {})", leaf.subject)
        })
    }

    /// What it is to be: as the profile or the one before says, else as its request says.
    fn ask(&self, credential: &Credential, candidate: &Candidate) -> Option<Box<CsrTemplate>> {
        let mut rules = self.tree.rules();
        rules.named = true;
        if let CsrDecision::CsrTemplate(ask) =
            renew::ask(credential, &self.tree.all, &self.signers, &self.survey, &rules)
        {
            return Some(ask);
        }
        let request = candidate.request.as_ref()?;
        let blueprint = requests::blueprint_of(request, self.tree.request.now);
        let access = candidate.access.clone();
        let algorithm = candidate.key.algorithm();
        Some(Box::new(CsrTemplate {
            algorithm,
            blueprint,
            names: Names::default(),
            lifetime: renew::YEAR,
            old: None,
            access,
        }))
    }

    fn file(&self, place: &crate::plan::layout::Place) -> Option<&[u8]> {
        match self.survey.get(place) {
            Some(There::File { bytes, .. }) => Some(bytes),
            Some(There::Missing) | None => None,
        }
    }
}

/// The key an entry has now.
fn in_place(index: usize, credential: &Credential, survey: &Survey) -> Option<Candidate> {
    let place = credential.private.as_ref().unwrap_or(&credential.public);
    let Some(There::File { bytes, .. }) = survey.get(place) else { return None };
    let (pem, access) = if credential.is_kubeconfig() {
        let kubeconfig::Pending { cluster, user, server, key } = kubeconfig::pending(bytes).ok()?;
        (key, Some(Access { cluster, user, server, preferences: false }))
    } else {
        (bytes.clone(), None)
    };
    let key = PrivateKey::from_pem(&pem).ok()?;
    Some(Candidate { index, key, source: Source::InPlace, request: None, access })
}

/// The certificates of a file: PEM, or one in DER.
fn bundle(file: &Path) -> Result<Result<Vec<Certificate>, String>, Error> {
    let bytes = match files::read_input(file, 4 << 20)? {
        FileState::Missing => return Err(FileError::new(Op::Read, file, Kind::Missing).into()),
        FileState::File { bytes, .. } => bytes,
    };
    if bytes.first() == Some(&0x30) {
        return Ok(Certificate::parse(&bytes).map(|one| vec![one]).map_err(|why| why.to_string()));
    }
    Ok(parse_pem_bundle(&bytes).map_err(|why| why.to_string()))
}

fn row(credential: &Credential, action: &'static str, leaf: &Certificate, old: Option<&Certificate>) -> RequestEntry {
    RequestEntry {
        node: credential.node.clone(),
        name: credential.name.clone(),
        action,
        algorithm: Some(leaf.key.to_string()),
        facts: Some(facts(leaf)),
        old: old.map(facts),
        ..RequestEntry::default()
    }
}
