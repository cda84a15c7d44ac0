//! Look, refuse; under the lock look again, sign the CRLs, commit.

use super::files;
use super::held;
use super::next_profile::{Next, next};
use super::request::Request;
use super::revocation::{self, Revocation};
use crate::catalog::CaId;
use crate::error::Error;
use crate::files::RelPath;
use crate::profile::{NodeRole, Profile};
use crate::report::remove_node::Removed;
use crate::store::{self, RootId};
use crate::tree::entry_path::entry_of_path;
use crate::tree::{Issuers, Layout};
use crate::workspace::targets::{self, Target};
use crate::workspace::{Absent, Session, Snapshot, Transaction, TreeArgs, profiles, record, signer_file, survey};

const COMMAND: &str = "nodes-remove";

/// Removes a node.
pub fn run(request: &Request) -> Result<Removed, Error> {
    let trees = TreeArgs { dirs: vec![request.dir.clone()], keys: request.keys.clone(), ..TreeArgs::default() };
    let (target, mut warnings) = targets::one(&trees)?;
    let session = Session::open(&trees, &request.run, &target, Absent::Refused)?;
    let (state, recorded) = profiles::recorded(&request.dir)?.ok_or_else(|| no_profile(request))?;
    if session.layout != Some(Layout::Cluster) {
        return Err(Error::usage(format!("{} is one node's own tree", request.dir.display()))
            .hint("give the cluster directory with --dir"));
    }
    check_name(request, &recorded)?;
    let next = next(request, &state, &recorded)?;
    let removing = Removing { request, session: &session, target: &target, recorded: &recorded, next };
    if request.run.dry_run {
        let snapshot = session.tree.or_interrupted(session.peek())?;
        let looked = removing.look(&snapshot, None)?;
        store::check_writable(&session.tree.roots, &looked.places(&removing.own_files()?))?;
        warnings.extend(session.tree.left_by_interrupted()?);
        return Ok(removing.report(looked, None, warnings));
    }
    session.tree.recover(request.run.lock_wait)?;
    let signers = removing.look(&session.peek()?, None)?.revocation.signers;
    let locked = session.lock_to_sign(signers)?;
    let (snapshot, issuers) = session.read(&locked)?;
    let mut looked = removing.look(&snapshot, Some(&issuers))?;
    let own = removing.own_files()?;
    store::check_writable(&session.tree.roots, &looked.places(&own))?;
    let mut changes = std::mem::take(&mut looked.revocation.changes);
    changes.extend(own);
    let entries = looked.files.iter().filter_map(|(_, path)| entry_of_path(path.as_str())).map(|id| id.to_string());
    let transaction = Transaction {
        changes,
        removals: looked.files.clone(),
        journal: std::mem::take(&mut looked.revocation.journal),
        entries: Some(entries.collect()),
        ..Transaction::default()
    };
    let generation = locked.commit(COMMAND, request.run.now, transaction)?;
    files::prune(&session.tree, &request.node);
    Ok(removing.report(looked, generation, warnings))
}

struct Removing<'a> {
    request: &'a Request,
    session: &'a Session<'a>,
    target: &'a Target,
    recorded: &'a Profile,
    next: Next,
}

/// What is there of the node.
struct Looked {
    files: Vec<(RootId, RelPath)>,
    revocation: Revocation,
}

impl Looked {
    fn places(&self, own: &[store::FileChange]) -> Vec<(RootId, RelPath, bool)> {
        let own = own.iter().map(|one| (one.root, one.path.clone(), true));
        let others = self.revocation.places.iter().chain(&self.files).map(|(root, path)| (*root, path.clone(), true));
        own.chain(others).collect()
    }
}

impl Removing<'_> {
    fn look(&self, snapshot: &Snapshot, issuers: Option<&Issuers>) -> Result<Looked, Error> {
        let files = files::of_node(&self.session.tree, &self.request.node)?;
        let mut revocation = match self.request.revoke {
            true => {
                let held = held::held(self.session, snapshot, &files, &self.request.node)?;
                revocation::revoke(self.session, snapshot, issuers, held, COMMAND)?.without(&self.request.node)
            }
            false => Revocation::default(),
        };
        // The next issue of a list goes beside every copy of its authority, but not into what is removed.
        let its = format!("nodes/{}/", self.request.node);
        revocation.changes.retain(|change| change.root != RootId::Main || !change.path.as_str().starts_with(&its));
        Ok(Looked { files, revocation })
    }

    /// kpki's own files, of the profile without the node.
    fn own_files(&self) -> Result<Vec<store::FileChange>, Error> {
        let (tree, Next { state, profile, .. }) = (&self.session.tree, &self.next);
        let items = signer_file::items(profile, &Layout::Cluster, tree)?;
        record::own_files(state, profile, &Layout::Cluster, tree, &items)
    }

    fn report(&self, looked: Looked, generation: Option<String>, warnings: Vec<String>) -> Removed {
        let (request, Looked { files, revocation }) = (self.request, looked);
        let was_master = self.recorded.node(&request.node).is_some_and(|node| node.is(NodeRole::ControlPlane));
        let is_there = |stem: &str| files.iter().any(|(_, path)| path.as_str().ends_with(&format!("/pki/{stem}.key")));
        let keys = CaId::ALL.map(|id| (id.name(), id.stem())).into_iter().chain([("sa", "sa")]);
        Removed {
            dry_run: request.run.dry_run,
            directory: self.target.root.display().to_string(),
            cluster: self.recorded.cluster_name.clone(),
            node: request.node.clone(),
            generation,
            keys: keys.filter(|(_, stem)| is_there(stem)).map(|(name, _)| name.to_owned()).collect(),
            files: files.iter().map(|(root, path)| shown(*root, path)).collect(),
            profile: request.profile.as_ref().map(|path| path.display().to_string()),
            is_rewritten: self.next.is_rewritten,
            was_control_plane: was_master,
            entries: revocation.entries,
            lists: revocation.lists,
            ship: revocation.nodes.into_iter().collect(),
            left: revocation.left,
            warnings: warnings.into_iter().chain(revocation.warnings).collect(),
        }
    }
}

fn shown(root: RootId, path: &RelPath) -> String {
    if root == RootId::State { format!(".kpki/{path}") } else { path.to_string() }
}

fn no_profile(request: &Request) -> Error {
    Error::new(format!("{} records no profile", request.dir.display()))
        .because("expected a cluster directory that kpki init made")
        .hint("give it with --dir")
}

/// A name is a node's in the profile, or one that has left it and still has a directory.
fn check_name(request: &Request, recorded: &Profile) -> Result<(), Error> {
    let node = &request.node;
    let on_disk = survey::names(&request.dir, "nodes")?;
    if recorded.node(node).is_some() || on_disk.contains(node) {
        return Ok(());
    }
    let names: Vec<&str> = recorded.nodes.iter().map(|node| node.name.as_str()).collect();
    Err(Error::usage(format!("there is no node {node:?} in {}", request.dir.display()))
        .because(format!("it has {}", names.join(", ")))
        .hint("give one of these"))
}
