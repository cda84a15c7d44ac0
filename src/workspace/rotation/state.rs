//! How far the rotations of a tree are: what is recorded, and whether the files say the same.

use super::change;
use super::files::{self, Held};
use super::nodes;
use super::record::{self, Kept};
use crate::ca::PrivateKey;
use crate::encoding::{pem, raw_key};
use crate::error::Error;
use crate::files::RelPath;
use crate::plan::rotate::are_generations;
use crate::plan::rotate::phase::{self, Seen};
use crate::store::RootId;
use crate::tree::rotation::{Identity, Phase, Record, Rotating};
use crate::tree::{EntryId, Origin, file};
use crate::workspace::{Absent, RunArgs, Session, Snapshot, TreeArgs, TreeDir, targets};
use crate::x509::parse_authority;
use std::time::Duration;
use time::OffsetDateTime;

/// What is recorded, and what of the tree contradicts it.
#[derive(Debug, Clone, Default)]
pub struct State {
    pub record: Record,
    /// Files of the authorities that are of another phase.
    pub misfits: Vec<Misfit>,
    /// Kubeconfigs that trust anything but what ca.crt holds, and ca-signer.crt without the signer: `kpki renew` writes them again.
    pub behind: Vec<EntryId>,
}

/// A file that is not what the recorded phase makes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    pub authority: Rotating,
    pub node: Option<String>,
    /// As the operator finds it.
    pub path: String,
    pub why: String,
}

impl State {
    /// Refuses where record and files disagree.
    ///
    /// # Errors
    /// Every file that does, and how to go on.
    pub fn check(&self, origin: &Origin) -> Result<(), Error> {
        if self.misfits.is_empty() {
            return Ok(());
        }
        let error = Error::new("the files are not of the phase that is recorded: nothing was written");
        let said = self.misfits.iter().map(|one| format!("{}: {}", one.path, one.why));
        let status = origin.command("rotate status", &[""; 0], &[]);
        let record = origin.command("rotate record", &[""; 0], &[]);
        Err(said
            .fold(error, Error::because)
            .hint(format!("see how it stands: {status}"))
            .hint(format!("put the files back (kpki restore, a backup); or record what they say: {record}")))
    }
}

/// Refuses where a rotation is recorded and the files say otherwise: nothing is signed by them and none is packed until that is
/// settled.
///
/// # Errors
/// As [`State::check`].
pub fn settled(session: &Session<'_>) -> Result<(), Error> {
    match record::read(&session.tree.roots)?.rotations.is_empty() {
        true => Ok(()),
        false => look(session)?.check(&session.target.origin),
    }
}

/// The same of a tree by its directory.
///
/// # Errors
/// As [`State::check`].
pub fn settled_in(tree: &TreeDir, now: OffsetDateTime) -> Result<(), Error> {
    if record::read(&tree.roots)?.rotations.is_empty() {
        return Ok(());
    }
    let trees = TreeArgs { dirs: vec![tree.roots.main.clone()], ..TreeArgs::default() };
    let run = RunArgs { now, lock_wait: Duration::ZERO, threads: 1, dry_run: true };
    let (target, _) = targets::one(&trees)?;
    settled(&Session::open(&trees, &run, &target, Absent::Refused)?)
}

/// The state of a tree that is looked at for this alone.
pub fn look(session: &Session<'_>) -> Result<State, Error> {
    let snapshot = session.tree.peek(change::all_places(session)?.iter())?;
    of(session, &snapshot, record::read(&session.tree.roots)?)
}

/// The state of a tree. `snapshot`: with [`change::all_places`].
pub fn of(session: &Session<'_>, snapshot: &Snapshot, record: Record) -> Result<State, Error> {
    let mut misfits = Vec::new();
    let is_of_a_safe_host = nodes::is_of_a_safe_host(session)?;
    for rotating in Rotating::ALL {
        let (phase, old, new) = match (record.of(rotating), retired(&record, rotating)) {
            (Some(one), _) => (Some(one.phase), &one.old, &one.new),
            // What came after may have been replaced since by other means.
            (None, Some((old, new))) if holds(session, snapshot, rotating, old)? => (None, old, new),
            (None, _) => {
                misfits.extend(unrecorded(session, snapshot, (rotating, is_of_a_safe_host))?);
                continue;
            }
        };
        let pair = (digests(old), digests(new));
        for held in files::present(files::of(session, rotating)?, &snapshot.survey) {
            misfits.extend(misfit(session, snapshot, rotating, (phase, (&pair.0, &pair.1)), &held));
        }
    }
    let is_rotating = record.of(Rotating::Authority(files::IN_KUBECONFIGS)).is_some();
    let behind = if is_rotating { change::followers(session, snapshot, &[], &[], &[]) } else { Vec::new() };
    Ok(State { record, misfits, behind: behind.into_iter().map(|one| one.id).collect() })
}

/// What shows that a rotation was begun which nothing records. A further authority in a file, which somebody trusts there, is none.
fn unrecorded(
    session: &Session<'_>,
    snapshot: &Snapshot,
    (rotating, is_of_a_safe_host): (Rotating, bool),
) -> Result<Option<Misfit>, Error> {
    let roots = &session.tree.roots;
    let misfit = |root, path: &RelPath, why: &str| {
        let path = roots.path_of(root, path).display().to_string();
        Some(Misfit { authority: rotating, node: None, path, why: why.to_owned() })
    };
    // A request waits for its certificate before anything is recorded.
    if record::key(roots, rotating, Kept::Next)?.is_some() && record::request(roots, rotating)?.is_none() {
        let path = record::key_path(rotating, Kept::Next)?;
        return Ok(misfit(RootId::State, &path, "the key of a rotation that nothing records"));
    }
    let place = files::own_public(session, rotating);
    let Some(place) = place.filter(|_| !is_of_a_safe_host) else { return Ok(None) };
    let all = parse_authority(file(&snapshot.survey, Some(&place)).unwrap_or_default()).unwrap_or_default();
    if !are_generations(&all.iter().map(|one| &one.subject).collect::<Vec<_>>()) {
        return Ok(None);
    }
    let path = RelPath::parse(place.path.as_str())?;
    Ok(misfit(place.root_id(), &path, "two authorities, of a rotation that nothing records"))
}

fn retired(record: &Record, rotating: Rotating) -> Option<(&Vec<Identity>, &Vec<Identity>)> {
    let one = record.retired.iter().rfind(|one| one.authority == rotating)?;
    Some((&one.old, &one.new))
}

/// A file has the signer of an authority that was retired.
fn holds(session: &Session<'_>, snapshot: &Snapshot, rotating: Rotating, old: &[Identity]) -> Result<bool, Error> {
    let Some(signer) = digests(old).into_iter().next() else { return Ok(false) };
    let held = files::present(files::of(session, rotating)?, &snapshot.survey);
    Ok(held.iter().filter(|one| !one.is_key).any(|one| content(snapshot, rotating, one).contains(&signer)))
}

fn misfit(
    session: &Session<'_>,
    snapshot: &Snapshot,
    rotating: Rotating,
    (phase, pair): (Option<Phase>, (&[String], &[String])),
    held: &Held,
) -> Option<Misfit> {
    let why = match held.is_key {
        false => of_public(snapshot, rotating, (phase, pair), held)?,
        true => of_key(snapshot, rotating, held)?,
    };
    let path = session.tree.roots.path_of(held.place.root_id(), &RelPath::parse(held.place.path.as_str()).ok()?);
    let path = path.display().to_string();
    Some(Misfit { authority: rotating, node: held.id.node.clone(), path, why })
}

fn of_public(
    snapshot: &Snapshot,
    rotating: Rotating,
    (phase, pair): (Option<Phase>, (&[String], &[String])),
    held: &Held,
) -> Option<String> {
    let found = content(snapshot, rotating, held);
    if phase::fits(phase, pair, &found) {
        return None;
    }
    let said = phase.map_or("retired", Phase::name);
    let what = match phase::seen(pair, &found) {
        Seen::Other if found.is_empty() => "nothing that can be read",
        seen => seen.words(),
    };
    Some(format!("{rotating} is {said}: expected {}, found {what}", phase::expected(phase)))
}

/// The key is the signer's, the first of its file, in every phase.
fn of_key(snapshot: &Snapshot, rotating: Rotating, held: &Held) -> Option<String> {
    let public = held.public.as_ref()?;
    let key = PrivateKey::from_pem(file(&snapshot.survey, Some(&held.place))?).ok()?;
    let first = match rotating {
        Rotating::Authority(_) => {
            parse_authority(file(&snapshot.survey, Some(public))?).ok()?.into_iter().next()?.spki_der
        }
        Rotating::ServiceAccount => {
            let blocks = pem::read(file(&snapshot.survey, Some(public))?).ok()?;
            raw_key::public_keys(&blocks).into_iter().next()?
        }
    };
    (key.spki_der() != first).then(|| format!("it is not the key of the first one in {}", public.path))
}

/// Certificates by their fingerprint, public keys by theirs.
fn content(snapshot: &Snapshot, rotating: Rotating, held: &Held) -> Vec<String> {
    let bytes = file(&snapshot.survey, Some(&held.place)).unwrap_or_default();
    match rotating {
        Rotating::Authority(_) => {
            let all = parse_authority(bytes).unwrap_or_default();
            digests(&all.iter().map(Identity::of_certificate).collect::<Vec<_>>())
        }
        Rotating::ServiceAccount => {
            let keys = pem::read(bytes).map(|blocks| raw_key::public_keys(&blocks)).unwrap_or_default();
            digests(&keys.iter().map(|spki| Identity::of_public_key(spki)).collect::<Vec<_>>())
        }
    }
}

/// What tells them apart.
pub fn digests(identities: &[Identity]) -> Vec<String> {
    identities.iter().map(|one| one.digest().to_owned()).collect()
}
