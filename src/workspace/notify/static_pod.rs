//! The built-in deploy hook `restart: static-pod`: an annotation of the component's manifest gets a new value, and the kubelet, which
//! watches the directory of manifests, ends the pod and starts it again. One component after another.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::deploys::Deploy;
use crate::catalog::paths::DEFAULT_DIR;
use crate::clock::{Span, rfc3339};
use crate::error::Error;
use crate::files::{self, FileState, What};
use crate::manifest::{annotate, annotation};
use crate::plan::running::{Again, Starts, again};
use crate::signals::{self, Stopped};
use crate::store::{self, RootId, Roots};
use crate::tree::Place;
use crate::tree::layout::Root;
use crate::workspace::shipping::processes;
use crate::workspace::survey;
use crate::workspace::transaction::Transaction;
use crate::workspace::tree_dir::{Locked, TreeDir};

const ANNOTATION: &str = "kpki/generation";
/// How often is looked for the new process.
const TICK: Duration = Duration::from_millis(200);

/// One restart.
pub struct Restart<'a> {
    pub tree: &'a TreeDir,
    pub locked: &'a Locked<'a>,
    pub now: OffsetDateTime,
    pub deploy: &'a Deploy<'a>,
    /// The new value of the annotation.
    pub mark: &'a str,
    /// The generation whose files are new.
    pub generation: &'a str,
    /// How long a new process has to have run; where none can be seen, how long is waited.
    pub wait: Span,
    /// How long it may take until it runs.
    pub limit: Span,
}

/// A component's manifest.
struct Manifest {
    place: Place,
    path: PathBuf,
    mode: u32,
    bytes: Zeroizing<Vec<u8>>,
}

/// Refuses, before anything is changed, what could not be done after it. A manifest that is not there is no reason: with its first files
/// a node has none.
pub fn check(tree: &TreeDir, deploy: &Deploy<'_>) -> Result<(), Error> {
    let can = |manifest: Manifest| {
        let change = manifest.place.change(manifest.mode, edited(&manifest, deploy, "")?)?;
        Ok(store::check_writable(&tree.roots, &[(change.root, change.path, true)])?)
    };
    find(tree, deploy).and_then(|found| found.map_or(Ok(()), can)).map_err(|error| {
        let refused = Error::new(format!("{} could not be restarted: nothing was changed", deploy.component));
        let refused = refused.because(&error.what);
        let refused = Error { hints: error.hints, ..error.why.iter().fold(refused, Error::because) };
        refused.hint("correct it, or skip the hooks with --no-hooks")
    })
}

/// Sets the annotation and waits. `Ok`: how it ended, and what was seen.
pub fn restart(one: &Restart<'_>) -> Result<(String, String), Error> {
    let _held = signals::hold();
    let stopped = |stopped: Stopped| Error::new(stopped.to_string());
    signals::check().map_err(stopped)?;
    let Some(manifest) = find(one.tree, one.deploy)? else {
        let path = place(one.deploy).full(&one.tree.roots);
        if has_replaced(&one.tree.roots, one.generation)? {
            return Err(Error::new(format!("expected its manifest {}, found none", path.display())));
        }
        return Ok((
            "nothing to restart yet".to_owned(),
            format!("these are its first files, and {} is not there\n", path.display()),
        ));
    };
    let bytes = edited(&manifest, one.deploy, one.mark)?;
    let mut said = format!("{}: {ANNOTATION}: {}\n", manifest.path.display(), one.mark);
    let mut before = Vec::new();
    if annotation(&manifest.bytes, ANNOTATION).as_deref() != Some(one.mark) {
        before = processes(one.tree).remove(one.deploy.component.as_str()).unwrap_or_default().seconds;
        // No generation: what is kept would be put back by a restore, over a manifest that has been changed since.
        let changes = vec![manifest.place.change(manifest.mode, bytes)?];
        let transaction = Transaction { changes, forgets: true, ..Transaction::default() };
        one.locked.commit("restart", one.now, transaction)?;
    }
    let changed = files::changed(&manifest.path);
    let look = || again(&one.deploy.component, &before, changed, &processes(one.tree));
    let seconds = |span: Span| Duration::from_secs(span.as_seconds());
    let waited = wait(look, seconds(one.wait), seconds(one.limit), TICK);
    let (ended, seen) = match waited.map_err(|why| stopped(why).because(said.trim_end()))? {
        Waited::Again(at) => {
            let at = OffsetDateTime::from_unix_timestamp(at).map(rfc3339).unwrap_or_default();
            ("restarted by its manifest".to_owned(), format!("it started again at {at} and has run for {}", one.wait))
        }
        Waited::Unseen => {
            // It may not have restarted: the kubelet may be stopped, or the manifest wrong.
            let ended = format!("manifest changed, waited {}", waited_for(one.wait));
            (ended, format!("its process cannot be seen from here: waited {} for it", one.wait))
        }
        Waited::Late => {
            return Err(Error::new(format!("it has not started again, or not stayed up, within {}", one.limit))
                .because(said.trim_end()));
        }
    };
    said.push_str(&seen);
    said.push('\n');
    Ok((ended, said))
}

fn waited_for(wait: Span) -> String {
    match wait.as_seconds() {
        seconds if seconds < 60 => format!("{seconds} s"),
        _ => wait.to_string(),
    }
}

fn place(deploy: &Deploy<'_>) -> Place {
    Place { root: Root::Main, path: format!("manifests/{}.yaml", deploy.component) }
}

/// The manifest; `None`: there is none.
fn find(tree: &TreeDir, deploy: &Deploy<'_>) -> Result<Option<Manifest>, Error> {
    let is_cluster = files::what(None, &tree.roots.main.join("nodes")) == Some(What::Directory);
    if deploy.node.is_some() || is_cluster {
        return Err(Error::new("static pods are restarted on their node, and this is a cluster directory")
            .because("give the hook in nodes[].hooks; kpki export takes it along, and kpki unpack runs it there"));
    }
    let place = place(deploy);
    let path = place.full(&tree.roots);
    let mut found = survey::survey(&tree.roots, std::iter::once(&place))?;
    let Some(FileState::File { bytes, mode, .. }) = found.remove(&place) else { return Ok(None) };
    files::trusted(&path)?;
    Ok(Some(Manifest { place, path, mode, bytes }))
}

fn edited(manifest: &Manifest, deploy: &Deploy<'_>, mark: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    annotate(&manifest.bytes, &deploy.component, ANNOTATION, mark).map(Zeroizing::new).map_err(|why| {
        Error::new(format!("cannot set {ANNOTATION} in {} and nothing else", manifest.path.display())).because(why)
    })
}

/// Whether a generation has replaced files. Before the first files of a tree there is nothing to restart.
fn has_replaced(roots: &Roots, generation: &str) -> Result<bool, Error> {
    let all = store::generations(roots)?;
    let of = all.iter().find(|one| one.name == generation);
    Ok(of.is_some_and(|one| one.kept.iter().any(|(root, _)| *root != RootId::State)))
}

/// The processes of the machine are those of the node's own tree, and of no other.
fn processes(tree: &TreeDir) -> BTreeMap<&'static str, Starts> {
    let is_own = files::real(&tree.roots.main) == Path::new(DEFAULT_DIR);
    if is_own { processes::starts(Path::new("/proc")) } else { BTreeMap::new() }
}

#[derive(Debug, PartialEq, Eq)]
enum Waited {
    /// It started then, and has run long enough since.
    Again(i64),
    Unseen,
    Late,
}

/// Until the same process has been seen for so long, or, where none can be, just for so long.
fn wait(mut look: impl FnMut() -> Again, stays: Duration, limit: Duration, tick: Duration) -> Result<Waited, Stopped> {
    let begun = Instant::now();
    let mut since: Option<(i64, Instant)> = None;
    let mut was_seen = false;
    loop {
        signals::check()?;
        match look() {
            Again::Unseen if !was_seen && begun.elapsed() >= stays => return Ok(Waited::Unseen),
            // What was seen before has ended.
            Again::Unseen | Again::NotYet if was_seen => since = None,
            Again::Unseen => {}
            Again::NotYet => was_seen = true,
            Again::Started(at) => {
                let first = since.filter(|(known, _)| *known == at).map_or_else(Instant::now, |(_, first)| first);
                if first.elapsed() >= stays {
                    return Ok(Waited::Again(at));
                }
                (since, was_seen) = (Some((at, first)), true);
            }
        }
        if begun.elapsed() >= limit.saturating_add(stays) {
            return Ok(Waited::Late);
        }
        std::thread::sleep(tick);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_is_waited_for_until_its_process_stays() {
        use Again::{NotYet, Started, Unseen};
        let (none, long) = (Duration::ZERO, Duration::from_secs(3600));
        let waited = |seen: &[Again], stays, limit| {
            let mut seen = seen.iter().copied();
            let mut looks = 0;
            let look = || {
                looks += 1;
                seen.next().unwrap_or(NotYet)
            };
            (wait(look, stays, limit, none).unwrap(), looks)
        };
        assert_eq!(waited(&[Unseen], none, long), (Waited::Unseen, 1));
        assert_eq!(waited(&[NotYet, NotYet, Started(7)], none, long), (Waited::Again(7), 3));
        assert_eq!(waited(&[NotYet], none, none), (Waited::Late, 1));
        assert_eq!(waited(&[NotYet, Unseen, Started(7)], none, long), (Waited::Again(7), 3));
        // It ends again and again.
        let stays = Duration::from_millis(20);
        let (ended, looks) = waited(&[Started(7), NotYet, Started(8), Started(9)], stays, none);
        assert_eq!(ended, Waited::Late);
        assert!(looks > 4);
    }
}
