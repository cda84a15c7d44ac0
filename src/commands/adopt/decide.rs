//! From the nodes' files to everything that is going to be written, or every reason why nothing is. Nothing is written here.

use std::collections::BTreeMap;

use super::request::Request;
use crate::catalog::CaId;
use crate::catalog::paths::SUPER_ADMIN_CONF;
use crate::error::Error;
use crate::files::FileState;
use crate::plan::adopt::assemble::{Assembled, Sources};
use crate::plan::adopt::belongs::strangers;
use crate::plan::adopt::cluster::Guess;
use crate::plan::adopt::left::{Left, left};
use crate::plan::adopt::lists::Lists;
use crate::plan::adopt::shared::shared;
use crate::plan::adopt::{Member, NodeFiles, Refusal, derive};
use crate::plan::decision::Reconciled;
use crate::plan::init as plan;
use crate::plan::item::Item;
use crate::plan::reconcile::reconcile;
use crate::profile::{Etcd, Overrides, Profile};
use crate::store::FileChange;
use crate::tree::layout::DEFAULT_DIR;
use crate::tree::{Layout, authorities};
use crate::workspace::state::{Choices, State};
use crate::workspace::tree_dir::Shape;
use crate::workspace::{TreeDir, profiles, record};

pub struct Adoption {
    pub members: Vec<Member>,
    pub profile: Profile,
    pub layout: Layout,
    pub tree: TreeDir,
    pub guesses: Vec<Guess>,
    pub assembled: Assembled,
    pub left: Vec<Left>,
    /// What the profile would make otherwise, item by item.
    pub items: Vec<Item>,
    pub decided: Reconciled,
    pub own_files: Vec<FileChange>,
    /// Of the profile that was given.
    pub warnings: Vec<String>,
}

pub fn decide(request: &Request, inputs: Vec<Result<NodeFiles, Error>>) -> Result<Adoption, Error> {
    let given = request.profile.as_deref().map(|path| {
        profiles::check(path)?;
        let bytes = profiles::read(path)?;
        let loaded = profiles::load(&profiles::name(path), &bytes, &Overrides::default())?;
        Ok::<_, Error>((bytes, loaded))
    });
    let given = given.transpose()?;
    let members = members(inputs)?;
    let etcd = match &given {
        Some((_, loaded)) => matches!(loaded.profile.etcd, Etcd::Local { .. }),
        None => members.iter().any(|member| member.is_etcd),
    };
    let (shared, mut refusals) = shared(&members, etcd);
    let others: Vec<Refusal> = members.iter().flat_map(|member| strangers(member, &shared, etcd)).collect();
    // What a node of another cluster holds follows from that.
    let follows = |other: &Refusal| refusals.iter().any(|refusal| other.follows(refusal));
    let own: Vec<Refusal> = others.into_iter().filter(|other| !follows(other)).collect();
    refusals.extend(own);
    if !refusals.is_empty() {
        return Err(refused(refusals));
    }
    let (profile, text, guesses, warnings) = match given {
        None => {
            let derived = derive::profile(&members, &shared, etcd).map_err(refused)?;
            (derived.profile, derived.text.into_bytes(), derived.guesses, Vec::new())
        }
        Some((bytes, loaded)) => {
            let warnings = loaded.warnings.iter().map(ToString::to_string).collect();
            fits(&loaded.profile, &members)?;
            (loaded.profile, bytes, Vec::new(), warnings)
        }
    };
    let layout = Layout::of(&profile, None);
    let tree = TreeDir::new(&request.directory, Some(&profile), Shape::Cluster)?;
    let lists = Lists::of(&members, &shared);
    let mut items = plan::items(&profile, &layout, &tree.directories);
    let certificates = shared.authorities.get(&CaId::Cluster).map_or(0, |found| found.bundle.len());
    if profile.signer_file || certificates > 1 {
        plan::add_signer_files(&mut items, &profile, &layout, &tree.directories);
    }
    let state = State { profile: text, choices: Choices::default() };
    let own_files = record::own_files(&state, &profile, &layout, &tree, &items)?;
    let assembled =
        Sources { members: &members, shared: &shared, lists: &lists }.assemble(&items, &layout, &tree.directories);
    let left = left(&members, &assembled);
    let places = plan::places(&items).cloned().collect::<Vec<_>>();
    let survey = assembled.survey(places.into_iter());
    // Who has removed it meant to.
    items.retain(|item| item.id.name != SUPER_ADMIN_CONF || survey.get(&item.public) != Some(&FileState::Missing));
    let authorities = authorities::authorities(&survey, &tree.directories, &tree.keys);
    let decided = reconcile(&profile, &items, &survey, &authorities, request.run.now, false);
    Ok(Adoption { members, profile, layout, tree, guesses, assembled, left, items, decided, own_files, warnings })
}

/// Whose files they are; kubeadm's first node first, then the control plane, etcd, and the workers.
fn members(inputs: Vec<Result<NodeFiles, Error>>) -> Result<Vec<Member>, Error> {
    let (mut members, mut refusals, mut errors) = (Vec::new(), Vec::new(), Vec::new());
    for input in inputs {
        match input.map(Member::of) {
            Ok(Ok(member)) => members.push(member),
            Ok(Err(refusal)) => refusals.push(refusal),
            Err(error) => errors.push(error),
        }
    }
    let mut seen: BTreeMap<&str, &Member> = BTreeMap::new();
    for member in &members {
        if let Some(first) = seen.insert(&member.name, member) {
            let (first, second) = (first.files.input.clone(), member.files.input.clone());
            refusals.push(Refusal::Twice { name: member.name.clone(), first, second });
        }
    }
    if let Some((first, other)) =
        members.first().and_then(|first| Some((first, members.iter().find(|one| one.own != first.own)?)))
    {
        refusals.push(Refusal::OtherDirectory {
            first: first.files.input.clone(),
            second: other.files.input.clone(),
            one: first.pki().to_owned(),
            other: other.pki().to_owned(),
        });
    }
    // Who cannot be read may have been one.
    if errors.is_empty() && refusals.is_empty() && !members.iter().any(|member| member.is_control_plane) {
        refusals.push(Refusal::NoControlPlane);
    }
    if !errors.is_empty() || !refusals.is_empty() {
        let mut error = refused(refusals);
        for one in errors {
            error.why.push(one.to_string());
            error.hints.extend(one.hints);
        }
        return Err(error);
    }
    members.sort_by_key(|member| (!member.is_first(), !member.is_control_plane, !member.is_etcd));
    Ok(members)
}

/// Whether a profile that was given is of these nodes.
fn fits(profile: &Profile, members: &[Member]) -> Result<(), Error> {
    let mut refusals = Vec::new();
    let known = profile.nodes.iter().map(|node| node.name.as_str()).collect::<Vec<_>>().join(", ");
    for member in members.iter().filter(|member| profile.node(&member.name).is_none()) {
        refusals.push(Refusal::NotInProfile { name: member.name.clone(), known: known.clone() });
    }
    let found = members.first().map(|member| member.pki().to_owned()).unwrap_or_default();
    if profile.certificates_below() != Some(&found) {
        let wanted = profile.certificates_dir.clone();
        refusals.push(Refusal::CertificatesDir { wanted, found: format!("{DEFAULT_DIR}/{found}") });
    }
    if refusals.is_empty() { Ok(()) } else { Err(refused(refusals)) }
}

fn refused(refusals: Vec<Refusal>) -> Error {
    let error = Error::new("cannot adopt these nodes: nothing was written");
    error.causes(refusals.iter().map(|one| (one.to_string(), one.hint())))
}
