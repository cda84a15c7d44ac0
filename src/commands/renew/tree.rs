//! One tree that is to be renewed: its shape, what is in it, and what is to become of that.

use std::path::{Path, PathBuf};

use super::Request;
use crate::catalog::CaId;
use crate::commands::crls::{self, TreeCrl, TreeCrls};
use crate::commands::targets::Target;
use crate::commands::{place, survey};
use crate::error::{self, Error};
use crate::files::{self, FileError, Op};
use crate::inventory::{self, Form};
use crate::plan::decision::{FileState, Survey};
use crate::plan::layout::{DEFAULT_DIR, DEFAULT_KUBELET_DIR, Directories, Layout, Place, Root};
use crate::plan::renew::{self as plan, Credential, Decision, Rules, Signers};
use crate::profile::{Etcd, Profile, RENEWAL};
use crate::revocation::Revoked;
use crate::store::Roots;
use crate::x509::parse_pem_bundle;

/// What does not change while a run looks and acts.
pub struct Tree<'a> {
    pub request: &'a Request,
    pub target: &'a Target,
    pub directories: Directories,
    pub roots: Roots,
    /// Those that were named, or all.
    pub credentials: Vec<Credential>,
    pub all: Vec<Credential>,
}

/// The tree as it is, and what is to become of each credential.
pub struct Seen {
    pub survey: Survey,
    pub signers: Signers,
    /// One for each credential, in the same order.
    pub decisions: Vec<Decision>,
    /// The authorities' lists, as far as they lie there.
    pub lists: Vec<TreeCrl>,
    /// Credentials that are held.
    pub held: Vec<String>,
    pub unusable_lists: Vec<String>,
}

impl Seen {
    pub fn is_idle(&self) -> bool {
        !self.decisions.iter().any(|decision| matches!(decision, Decision::Renew(_))) && self.due_lists().is_empty()
    }

    /// Lists that are signed anew in the same transaction; with names or without `--due` only certificates are meant.
    pub fn due_lists(&self) -> Vec<&TreeCrl> {
        self.lists.iter().filter(|list| list.due).collect()
    }
}

impl<'a> Tree<'a> {
    pub fn open(request: &'a Request, target: &'a Target) -> Result<Self, Error> {
        if let Some(broken) = &target.profile_error {
            return Err(broken.clone());
        }
        let main = &target.root;
        let profile = target.profile.as_ref();
        let nodes = match profile {
            // Nothing is there yet: the profile says what there will be.
            Some(profile) if request.planned && files::what(None, main).is_none() => planned(request, profile),
            _ => nodes(main, profile)?,
        };
        let pki = place::pki(profile, main)?;
        let kubelet = match (&nodes, &target.kubelet_dir) {
            (Nodes::Several(_), _) => None,
            (Nodes::One, Some(dir)) => Some(dir.clone()),
            (Nodes::One, None) => (main == Path::new(DEFAULT_DIR)).then(|| PathBuf::from(DEFAULT_KUBELET_DIR)),
        };
        let directories = place::directories(main, pki, kubelet.as_deref())?;
        let roots = survey::roots(main, kubelet.as_deref().filter(|_| directories.kubelet.is_none()));
        let all = match (&nodes, profile) {
            (Nodes::Several(names), None) => {
                let names: Vec<Option<String>> = names.iter().cloned().map(Some).collect();
                plan::of_catalogue(&names, &directories)
            }
            (Nodes::One, None) => plan::of_catalogue(&[None], &directories),
            (Nodes::Several(_), Some(profile)) => plan::of_profile(profile, &Layout::Cluster, &directories),
            (Nodes::One, Some(profile)) => {
                let name = node_name(request, target, profile, &directories, &roots)?;
                if let Some((path, found)) = on_disk(profile, &directories, &roots).filter(|(_, found)| *found != name)
                {
                    return Err(error::another_node(main, &name, &path, &found));
                }
                plan::of_profile(profile, &Layout::Node { name }, &directories)
            }
        };
        let credentials = selected(&request.names, &all)?;
        Ok(Self { request, target, directories, roots, credentials, all })
    }

    /// The authorities' certificates as the nodes of a cluster directory hold them.
    pub fn copies(&self) -> Vec<(String, CaId, Place)> {
        plan::authority_copies(&self.all, &self.directories)
    }

    /// Reads everything.
    pub fn survey(&self) -> Result<Survey, Error> {
        let copies = self.copies();
        let authorities: Vec<Place> = CaId::ALL
            .into_iter()
            .flat_map(|authority| {
                let (public, private) = plan::authority_places(authority, &self.directories);
                std::iter::once(public).chain(private)
            })
            .collect();
        let own = self.all.iter().flat_map(|one| std::iter::once(&one.public).chain(one.private.as_ref()));
        let places = own.chain(&authorities).chain(copies.iter().map(|(.., place)| place));
        survey::survey(&self.roots, places)
    }

    /// Everything that is there, unjudged.
    pub fn read(&self) -> Result<(Survey, Signers), Error> {
        let survey = self.survey()?;
        let signers = plan::signers(&survey, &self.directories);
        Ok((survey, signers))
    }

    /// Reads everything and decides, or refuses.
    pub fn look(&self) -> Result<Seen, Error> {
        let (survey, signers) = self.read()?;
        let copies = self.copies();
        let rules = self.rules();
        let others = plan::other_authorities(&copies, &signers, &survey);
        let TreeCrls { mut lists, said: listed, unusable } = crls::all(self, &survey, &signers)?;
        let decide = |(credential, listed): (&Credential, &Option<Revoked>)| {
            let rules_here = plan::rules_for(&rules, listed.as_ref());
            let decision = plan::decide(credential, &self.all, &signers, &survey, &rules_here)?;
            plan::refuse_foreign_ca(
                credential,
                plan::with_revocation_reason(decision, listed.as_ref(), &rules),
                &others,
            )
        };
        let outcomes = self.credentials.iter().zip(&listed).map(decide).collect();
        let decisions = plan::collect_refusals(&self.credentials, outcomes, &survey, rules.named)
            .map_err(|refusals| error::refused(&self.target.root, &refusals))?;
        for list in &mut lists {
            let signer = signers.get(&list.authority);
            let unfit = signer.and_then(|signer| signer.refusal(list.authority, rules.now)).is_some();
            list.due &= self.request.due && !rules.named && !unfit;
        }
        let held = self.credentials.iter().zip(&listed);
        let held = held.filter(|(_, listed)| listed.as_ref().is_some_and(Revoked::is_hold));
        let held = held.map(|(credential, _)| credential.id()).collect();
        Ok(Seen { survey, signers, decisions, lists, held, unusable_lists: unusable })
    }

    /// How many generations stay.
    pub fn keep_generations(&self) -> usize {
        self.target.profile.as_ref().map_or(RENEWAL.keep_generations, |profile| profile.renewal.keep_generations)
    }

    pub fn rules(&self) -> Rules<'_> {
        let profile = self.target.profile.as_ref();
        let window = profile.map_or(RENEWAL.before, |profile| profile.renewal.before);
        Rules {
            profile,
            now: self.request.now,
            due: self.request.due.then_some(window),
            named: !self.request.names.is_empty(),
            prune_sans: self.request.prune_sans,
            reuse_key: self.request.reuse_key,
        }
    }

    /// A place as a person finds it: below DIR, or in the kubelet's own directory.
    pub fn shown(&self, place: &Place) -> String {
        match (place.root, &self.roots.kubelet) {
            (Root::Kubelet, Some(kubelet)) => kubelet.join(&place.path).display().to_string(),
            _ => place.path.clone(),
        }
    }
}

fn planned(request: &Request, profile: &Profile) -> Nodes {
    match Layout::of(profile, request.node.as_deref()) {
        Layout::Node { .. } => Nodes::One,
        Layout::Cluster => Nodes::Several(Vec::new()),
    }
}

enum Nodes {
    One,
    Several(Vec<String>),
}

/// Whose tree it is: one node's, or a cluster directory with its nodes.
fn nodes(main: &Path, profile: Option<&Profile>) -> Result<Nodes, Error> {
    let requests = inventory::requests(main, profile)
        .ok_or_else(|| Error::from(FileError::new(Op::Open, main, files::Kind::Missing)))?;
    let mut names = Vec::new();
    let mut shared = false;
    for request in &requests {
        match request.form {
            Form::Shared if request.root == main => shared = true,
            Form::Node if request.root == main => return Ok(Nodes::One),
            Form::Node if request.cluster_dir.as_deref() == Some(main) => names.extend(request.node.clone()),
            _ => {
                return Err(Error::new(format!("{} is no kubernetes directory", main.display()))
                    .because("expected pki/ and kubeconfigs, or a cluster directory with nodes/")
                    .hint("give the directory above pki/ with --dir")
                    .hint("renew a directory of many clusters with: kpki renew all --profiles DIR"));
            }
        }
    }
    if shared { Ok(Nodes::Several(names)) } else { Ok(Nodes::One) }
}

/// Which of the profile's nodes this tree is.
fn node_name(
    request: &Request,
    target: &Target,
    profile: &Profile,
    directories: &Directories,
    roots: &Roots,
) -> Result<String, Error> {
    let known = |name: &String| profile.node(name).is_some();
    if let Some(name) = &request.node {
        return if known(name) {
            Ok(name.clone())
        } else {
            Err(Error::usage(format!("the profile has no node {name:?}"))
                .because(format!("it has {}", names(profile)))
                .hint("give one of these with --node"))
        };
    }
    if let [only] = profile.nodes.as_slice() {
        return Ok(only.name.clone());
    }
    let said = target.node.clone().filter(known);
    let found = || named_by_certificate(profile, directories, roots);
    let here = || request.hostname.clone().filter(known);
    said.or_else(found).or_else(here).ok_or_else(|| {
        Error::usage(format!("nothing says which of the profile's nodes {} is", target.root.display()))
            .because(format!("it has {}", names(profile)))
            .hint("say it with --node NAME")
    })
}

fn names(profile: &Profile) -> String {
    profile.nodes.iter().map(|node| node.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// The node that its own certificates name, and the file that says so: the kubelet's client, else etcd's server.
fn on_disk(profile: &Profile, directories: &Directories, roots: &Roots) -> Option<(String, String)> {
    let items = plan::of_catalogue(&[None], directories);
    let own = |name: &str| items.iter().find(|one| one.name == name);
    let kubelet = own("kubelet.conf")?;
    let etcd = own("etcd-server").filter(|_| matches!(profile.etcd, Etcd::Local { .. }));
    let survey = survey::survey(roots, std::iter::once(&kubelet.public).chain(etcd.map(|etcd| &etcd.public))).ok()?;
    let name = |one: &Credential| plan::certificate_of(one, &survey)?.common_name();
    let of_kubelet = || Some(name(kubelet)?.strip_prefix("system:node:")?.to_owned());
    let of_etcd = || etcd.and_then(|etcd| Some((etcd.public.path.clone(), name(etcd)?)));
    of_kubelet().map(|name| (kubelet.public.path.clone(), name)).or_else(of_etcd)
}

/// etcd's serving certificate carries the node's name as its CN, and the API server's among its names.
fn named_by_certificate(profile: &Profile, directories: &Directories, roots: &Roots) -> Option<String> {
    let (etcd, _) = directories.pair("", "etcd/server");
    let (server, _) = directories.pair("", "apiserver");
    let survey = survey::survey(roots, [&etcd, &server].into_iter()).ok()?;
    let said: Vec<String> = survey
        .values()
        .filter_map(|found| match found {
            FileState::File { bytes, .. } => parse_pem_bundle(bytes).ok()?.into_iter().next(),
            FileState::Missing => None,
        })
        .flat_map(|leaf| {
            let names: Vec<String> = leaf.sans.iter().map(ToString::to_string).collect();
            leaf.common_name().into_iter().chain(names)
        })
        .collect();
    let mut nodes = profile.nodes.iter().filter(|node| said.contains(&node.name));
    match (nodes.next(), nodes.next()) {
        (Some(only), None) => Some(only.name.clone()),
        _ => None,
    }
}

/// `NODE/NAME`, or NAME on every node that has it.
fn selected(names: &[String], all: &[Credential]) -> Result<Vec<Credential>, Error> {
    if names.is_empty() {
        return Ok(all.to_vec());
    }
    for name in names {
        let bare = name.rsplit('/').next().unwrap_or(name);
        if !all.iter().any(|one| one.id() == *name || one.name == *name) {
            if crate::catalog::find(bare).is_some_and(|entry| entry.signer.is_none()) {
                return Err(error::not_renewable(bare));
            }
            let mut known: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
            known.sort_unstable();
            known.dedup();
            return Err(Error::usage(format!("there is no certificate {name:?} to renew"))
                .because(format!("expected all, or some of {}", known.join(", ")))
                .hint("give NODE/NAME for one node of a cluster directory"));
        }
    }
    let wanted = |one: &&Credential| names.iter().any(|name| one.id() == *name || one.name == *name);
    Ok(all.iter().filter(wanted).cloned().collect())
}
