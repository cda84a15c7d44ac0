//! The selection of trees, and of the profile for each.
//!
//! - A PATH is described by the one `--profile`, else by the profile recorded in its `.kpki`, else by none.
//! - `--profile clusters/prod.yaml` without a PATH describes `clusters/prod/` if that exists; otherwise a single one
//!   describes /etc/kubernetes.
//! - `--profiles clusters/` is every `clusters/*.yaml` (or .yml) with its `clusters/NAME/`, and every directory in it that
//!   records a profile of its own. With `--state trees/` the trees are `trees/NAME/`.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::files::{Dir, What};
use crate::inventory::{self, Form};
use crate::parallel;
use crate::profile::{CertificatesDir, Loaded, Overrides, Profile};
use crate::store::Roots;
use crate::tree::layout::DEFAULT_DIR;
use crate::tree::{Origin, ProfileAt};
use crate::workspace::args::TreeArgs;
use crate::workspace::state::{self, Choices, State};
use crate::workspace::{profiles, survey};

/// One selected tree, directory or file.
#[derive(Debug)]
pub struct Target {
    pub root: PathBuf,
    pub profile: Option<Profile>,
    /// The node whose tree it is, if known.
    pub node: Option<String>,
    /// The kubelet's own directory, if given.
    pub kubelet_dir: Option<PathBuf>,
    pub origin: Origin,
    /// The file of the profile that is given, as it was named; `-` is standard input.
    pub profile_file: Option<PathBuf>,
    /// Why its profile cannot be used: verbs that only read go on without.
    pub profile_error: Option<Error>,
    /// Its trees are targets of their own; only other files are meant.
    pub is_beside_trees: bool,
    /// Why nothing may be signed or run by its profile, which may still be used to look at the tree.
    pub distrust: Option<Error>,
    /// What earlier profiles gave to kubeconfigs as their server, and this one does not.
    pub former_servers: Vec<String>,
    /// The given profile as it would be recorded: the tree records another.
    pub unrecorded: Option<State>,
}

impl Target {
    /// Node and kubelet directory from the recorded options and the command line.
    pub fn refine<'a>(&self, mut one: inventory::Request<'a>) -> inventory::Request<'a> {
        if one.form == Form::Node && one.cluster_dir.is_none() {
            one.node = self.node.clone().or(one.node);
            one.kubelet_dir.clone_from(&self.kubelet_dir);
        }
        one
    }

    /// Where an interrupted run in one of its trees would have prepared files.
    pub fn roots(&self, main: &Path) -> Roots {
        let absolute = std::path::absolute(main).unwrap_or_else(|_| main.to_path_buf());
        let certificates = match self.profile.as_ref().map(|profile| profile.certificates_in(&absolute)) {
            Some(CertificatesDir::Outside(path)) => Some(path),
            _ => None,
        };
        Roots { kubelet: self.kubelet_dir.clone(), certificates, ..Roots::alone(main) }
    }

    /// What is to be read of it; of a cluster directory with `--node` what its nodes share, and that node.
    pub fn requests(&self, threads: usize) -> Option<Vec<inventory::Request<'_>>> {
        let mut all = inventory::requests(&self.root, self.profile.as_ref(), threads)?;
        if let Some(node) = &self.origin.node {
            all.retain(|one| one.cluster_dir.is_none() || one.node.as_ref() == Some(node));
        }
        Some(all)
    }

    /// Warnings about nodes of a cluster directory that have left its profile.
    pub fn strays(&self) -> Vec<String> {
        match &self.profile {
            Some(profile) if profile.nodes.len() > 1 => strays(&self.root, profile, &self.origin),
            _ => Vec::new(),
        }
    }

    /// Refuses a node that neither the profile nor the cluster directory has.
    fn check_node(&self, node: &str) -> Result<(), Error> {
        let mut known: Vec<&str> =
            self.profile.iter().flat_map(|one| &one.nodes).map(|one| one.name.as_str()).collect();
        let requests = inventory::requests(&self.root, self.profile.as_ref(), 1).unwrap_or_default();
        let of_cluster = requests.iter().filter(|one| one.cluster_dir.is_some()).filter_map(|one| one.node.as_deref());
        known.extend(of_cluster.filter(|name| !known.contains(name)).collect::<Vec<_>>());
        if known.is_empty() || known.contains(&node) {
            return Ok(());
        }
        let what = match &self.profile {
            Some(_) => format!("the profile has no node {node:?}"),
            None => format!("{} has no node {node:?}", self.root.display()),
        };
        Err(Error::usage(what).because(format!("it has {}", known.join(", "))).hint("give one of these with --node"))
    }

    /// How a command names the tree.
    pub fn origin_of(&self, one: &inventory::Request<'_>) -> Origin {
        let dir = one.cluster_dir.as_ref().unwrap_or(&one.root);
        let shown = dir.display().to_string();
        match one.form {
            Form::Directory | Form::File => Origin::new(shown, ProfileAt::NoTree),
            _ if *dir == self.root => self.named(one),
            // A directory that is searched may be a tree with a recorded profile.
            _ if is_directory(&dir.join(".kpki")) => Origin::new(shown, ProfileAt::Recorded),
            _ => Origin::new(shown, ProfileAt::Unknown),
        }
    }

    /// One node's tree by a profile with several: which node it is says nothing else.
    fn named(&self, one: &inventory::Request<'_>) -> Origin {
        let is_given = matches!(self.origin.profile, ProfileAt::File(_));
        let of_several = is_given && self.profile.as_ref().is_some_and(|profile| profile.nodes.len() > 1);
        let node = one.node.clone().filter(|_| of_several && one.form == Form::Node && one.cluster_dir.is_none());
        Origin { node: self.origin.node.clone().or(node), ..self.origin.clone() }
    }
}

#[derive(Debug, Default)]
pub struct Resolved {
    pub targets: Vec<Target>,
    pub warnings: Vec<String>,
}

/// One target, and what is to be said of its profile.
#[derive(Debug)]
struct One {
    target: Target,
    warnings: Vec<String>,
}

/// The targets of a command line, in its order. What they record, and the profiles of `--profiles`, are read on several threads.
pub fn resolve(args: &TreeArgs, threads: usize) -> Result<Resolved, Error> {
    let mut found = match (args.profiles.as_slice(), args.dirs.as_slice()) {
        ([], []) if args.fleet.is_none() => vec![recorded(args, Path::new(DEFAULT_DIR))],
        ([], paths) => parallel::map(paths.len(), threads, |at| Some(recorded(args, paths.get(at)?)), |_| ())?,
        ([profile], paths @ [_, ..]) => {
            paths.iter().map(|path| given(args, profile, path.clone())).collect::<Result<_, _>>()?
        }
        ([_, _, ..], [_, ..]) => {
            return Err(Error::usage("several --profile cannot describe a PATH together")
                .hint("leave the paths out: clusters/prod.yaml describes clusters/prod/")
                .hint("or give the directory of all profiles with --profiles DIR"));
        }
        (profiles, []) => {
            let beside = |profile: &PathBuf| given(args, profile, described(profile, profiles.len())?);
            profiles.iter().map(beside).collect::<Result<Vec<_>, _>>()?
        }
    };
    if let Some(dir) = args.fleet.as_deref() {
        found.extend(fleet(args, dir, threads)?);
        if found.is_empty() {
            return Err(Error::usage(format!("there is no profile in {}", dir.display()))
                .hint("expected NAME.yaml beside the tree NAME/, or trees made by kpki")
                .hint("give the directory as a PATH to have it walked"));
        }
    }
    let mut resolved = Resolved::default();
    for One { target, warnings } in found {
        resolved.targets.push(target);
        resolved.warnings.extend(warnings);
    }
    // Before the first program runs, for whichever tree that is.
    resolved
        .targets
        .iter()
        .filter_map(|target| target.profile.as_ref())
        .for_each(|one| args.keys.secrets.hide_those_of(one));
    if let Some(node) = &args.node {
        resolved.targets.iter().try_for_each(|target| target.check_node(node))?;
    }
    Ok(resolved)
}

/// The tree that a profile without a PATH describes, one of so many.
fn described(profile: &Path, count: usize) -> Result<PathBuf, Error> {
    check_stem(profile)?;
    let beside = profile.with_extension("");
    match (is_directory(&beside) && beside != *profile, count) {
        (true, _) => Ok(beside),
        (false, 1) => Ok(PathBuf::from(DEFAULT_DIR)),
        (false, _) => Err(Error::usage(format!("there is no tree for {}", profile.display()))
            .because(format!("expected the directory {}", beside.display()))
            .hint("check each profile in a run of its own, with the PATH of its tree")),
    }
}

/// A given profile. What a kubeadm configuration leaves out is known: the node by `--node`, its address by its tree.
fn loaded(state: &mut State, args: &TreeArgs, file: &Path, root: &Path) -> Result<Loaded, Error> {
    let load = |choices: &Choices| {
        let overrides = State { profile: Vec::new(), choices: choices.clone() }.overrides();
        let node_name = args.node.clone().or(overrides.node_name);
        profiles::load(&profiles::name(file), &state.profile, &Overrides { node_name, ..overrides })
    };
    let known = state.choices.advertise_address.or_else(|| profiles::advertised(root));
    match (load(&state.choices), known) {
        (Err(_), Some(address)) if state.choices.advertise_address.is_none() => {
            let choices = Choices { advertise_address: Some(address), ..state.choices.clone() };
            let loaded = load(&choices)?;
            state.choices = choices;
            Ok(loaded)
        }
        (loaded, _) => loaded,
    }
}

/// Nodes of a cluster directory that have left its profile.
pub fn strays(root: &Path, profile: &Profile, origin: &Origin) -> Vec<String> {
    let names = survey::names(root, "nodes").unwrap_or_default();
    let strays = names.iter().filter(|name| profile.node(name).is_none());
    let line = |name: &String| {
        let (path, remove) = (root.join("nodes").join(name), origin.whole().command("nodes remove", &[name], &[]));
        format!("{} belongs to no node of the profile; if it has left the cluster: {remove}", path.display())
    };
    strays.map(line).collect()
}

/// Follows symlinks: a path on the command line means its target.
fn is_directory(path: &Path) -> bool {
    Dir::open_root(path).is_ok()
}

/// The profiles and the directories of a directory, each in the order of their names.
fn listed(dir: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>), Error> {
    let (mut profiles, mut trees) = (Vec::new(), Vec::new());
    for entry in Dir::open_root(dir)?.list()? {
        let path = dir.join(&entry.name);
        let is_yaml = path.extension().is_some_and(|end| [OsStr::new("yaml"), OsStr::new("yml")].contains(&end));
        match entry.what {
            What::Directory => trees.push(path),
            _ if is_directory(&path) => trees.push(path),
            _ if is_yaml => profiles.push(path),
            _ => {}
        }
    }
    profiles.sort();
    trees.sort();
    Ok((profiles, trees))
}

/// Refuses a profile whose tree would be the directory itself, or one that it is in: `..yaml` and `...yaml`.
fn check_stem(profile: &Path) -> Result<(), Error> {
    match profile.file_stem() {
        Some(stem) if stem == "." || stem == ".." => {
            Err(Error::usage(format!("the profile {} names no tree", profile.display()))
                .because(format!("expected NAME.yaml beside the tree NAME/, found {stem:?} as the name"))
                .hint("rename it"))
        }
        _ => Ok(()),
    }
}

/// The one tree that a command line names.
pub fn one(args: &TreeArgs) -> Result<(Target, Vec<String>), Error> {
    let Resolved { targets, warnings } = resolve(args, 1)?;
    let target = targets.into_iter().next();
    Ok((target.ok_or_else(|| Error::usage("no tree was named").hint("give one with --dir"))?, warnings))
}

/// A given profile with the recorded options of the tree, as for `init`.
fn given(args: &TreeArgs, file: &Path, root: PathBuf) -> Result<One, Error> {
    // A given profile replaces the recorded one, even a damaged one.
    let recorded = if is_directory(&root) { State::read(&root).ok().flatten() } else { None };
    let before = recorded.as_ref().and_then(|state| profiles::load_state(state, "").ok());
    let fresh = || Choices { hostname: args.hostname.clone(), ..Choices::default() };
    let choices = recorded.map_or_else(fresh, |state| state.choices);
    let mut state = State { profile: profiles::read(file)?, choices };
    let loaded = loaded(&mut state, args, file, &root)?;
    let warnings = loaded.warnings.iter().map(ToString::to_string).collect();
    let before = before.map(|before| before.profile).filter(|before| *before != loaded.profile);
    state.follow(before.as_ref(), &loaded.profile);
    let choices = state.choices.clone();
    let target = Target {
        profile_file: Some(file.to_owned()),
        distrust: profiles::check(file).err(),
        unrecorded: before.map(|_| state),
        ..target(args, root, Some(loaded.profile), choices, ProfileAt::File(profiles::shown(file)))
    };
    Ok(One { target, warnings })
}

/// A path with its recorded profile, if it has one that can be read.
fn recorded(args: &TreeArgs, root: &Path) -> One {
    let state = if is_directory(root) { State::read(root) } else { Ok(None) };
    let (choices, loaded) = match state {
        Ok(Some(state)) => {
            let loaded = profiles::load_state(&state, &state::path(root).display().to_string());
            (state.choices, loaded.map(Some))
        }
        Ok(None) => (Choices::default(), Ok(None)),
        Err(error) => (Choices::default(), Err(error)),
    };
    let root = root.to_path_buf();
    match loaded {
        Ok(Some(loaded)) => {
            let target = target(args, root, Some(loaded.profile), choices, ProfileAt::Recorded);
            One { target, warnings: Vec::new() }
        }
        Ok(None) => One { target: target(args, root, None, choices, ProfileAt::Unknown), warnings: Vec::new() },
        Err(error) => {
            let warnings = vec![format!("{}; the catalogue's rules hold for {}", error.what, root.display())];
            let without = target(args, root, None, choices, ProfileAt::Unknown);
            One { target: Target { profile_error: Some(error), ..without }, warnings }
        }
    }
}

fn target(args: &TreeArgs, root: PathBuf, profile: Option<Profile>, choices: Choices, at: ProfileAt) -> Target {
    let absolute = std::path::absolute(&root).unwrap_or_else(|_| root.clone());
    let pki = profile.as_ref().map(|profile| profile.certificates_in(&absolute).path(&root).display().to_string());
    let origin = Origin {
        node: args.node.clone(),
        kubelet_dir: args.kubelet_dir.as_ref().map(|dir| dir.display().to_string()),
        pki,
        ..Origin::new(root.display().to_string(), at)
    };
    Target {
        root,
        profile,
        node: args.node.clone().or(choices.node),
        kubelet_dir: args.kubelet_dir.clone().or(choices.kubelet_dir),
        origin,
        profile_file: None,
        profile_error: None,
        is_beside_trees: false,
        distrust: None,
        former_servers: choices.former_servers,
        unrecorded: None,
    }
}

/// Each profile of a directory with its tree, then the trees that record a profile of their own.
fn fleet(args: &TreeArgs, dir: &Path, threads: usize) -> Result<Vec<One>, Error> {
    let (profiles, beside) = listed(dir)?;
    let state = args.state.as_deref();
    let trees = state.map_or(Ok(beside), |state| listed(state).map(|(_, trees)| trees))?;
    let mut described: HashSet<PathBuf> = HashSet::new();
    let mut pairs = Vec::new();
    for profile in &profiles {
        check_stem(profile)?;
        let tree = state.unwrap_or(dir).join(profile.file_stem().unwrap_or_default());
        if !described.insert(tree.clone()) {
            return Err(Error::usage(format!("two profiles describe {}", tree.display()))
                .because(format!("one of them is {}", profile.display()))
                .hint("keep NAME.yaml or NAME.yml, not both"));
        }
        pairs.push((Some(profile), tree));
    }
    pairs.extend(trees.into_iter().filter(|tree| !described.contains(tree)).map(|tree| (None, tree)));
    let one = |index: usize| {
        let mut one = match pairs.get(index)? {
            (Some(profile), tree) => given_or_recorded(args, profile, tree),
            (None, tree) if is_directory(&tree.join(".kpki")) => recorded(args, tree),
            (None, _) => return None,
        };
        one.target.origin.fleet = Some(dir.display().to_string());
        one.target.origin.state = state.map(|state| state.display().to_string());
        Some(one)
    };
    Ok(parallel::map(pairs.len(), threads, one, |_| ())?)
}

/// A tree whose profile cannot be used is read anyway, and reported if it does not exist.
fn given_or_recorded(args: &TreeArgs, profile: &Path, tree: &Path) -> One {
    given(args, profile, tree.to_owned()).unwrap_or_else(|error| {
        let why = error.why.first().map(|why| format!(": {why}")).unwrap_or_default();
        let said = format!("{}{why}; the catalogue's rules hold for {}", error.what, tree.display());
        let mut one = recorded(args, tree);
        one.warnings.insert(0, said);
        one.target.profile_error = Some(error);
        one
    })
}
