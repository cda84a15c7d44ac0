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

#[derive(Debug)]
pub struct Resolved {
    pub targets: Vec<Target>,
    pub warnings: Vec<String>,
}

pub fn resolve(args: &TreeArgs) -> Result<Resolved, Error> {
    let mut resolved = Resolved { targets: Vec::new(), warnings: Vec::new() };
    match (args.profiles.as_slice(), args.dirs.as_slice()) {
        ([], []) if args.fleet.is_none() => resolved.recorded(args, Path::new(DEFAULT_DIR)),
        ([], paths) => paths.iter().for_each(|path| resolved.recorded(args, path)),
        ([profile], paths @ [_, ..]) => {
            for path in paths {
                resolved.given(args, profile, path.clone())?;
            }
        }
        ([_, _, ..], [_, ..]) => {
            return Err(Error::usage("several --profile cannot describe a PATH together")
                .hint("leave the paths out: clusters/prod.yaml describes clusters/prod/")
                .hint("or give the directory of all profiles with --profiles DIR"));
        }
        (profiles, []) => {
            for profile in profiles {
                check_stem(profile)?;
                let beside = profile.with_extension("");
                let root = match (is_directory(&beside) && beside != *profile, profiles.len()) {
                    (true, _) => beside,
                    (false, 1) => PathBuf::from(DEFAULT_DIR),
                    (false, _) => {
                        return Err(Error::usage(format!("there is no tree for {}", profile.display()))
                            .because(format!("expected the directory {}", beside.display()))
                            .hint("check each profile in a run of its own, with the PATH of its tree"));
                    }
                };
                resolved.given(args, profile, root)?;
            }
        }
    }
    if let Some(dir) = args.fleet.as_deref() {
        resolved.fleet(args, dir)?;
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
    let Resolved { targets, warnings } = resolve(args)?;
    let target = targets.into_iter().next();
    Ok((target.ok_or_else(|| Error::usage("no tree was named").hint("give one with --dir"))?, warnings))
}

impl Resolved {
    /// A given profile with the recorded options of the tree, as for `init`.
    fn given(&mut self, args: &TreeArgs, file: &Path, root: PathBuf) -> Result<(), Error> {
        // A given profile replaces the recorded one, even a damaged one.
        let recorded = if is_directory(&root) { State::read(&root).ok().flatten() } else { None };
        let before = recorded.as_ref().and_then(|state| profiles::load_state(state, "").ok());
        let fresh = || Choices { hostname: args.hostname.clone(), ..Choices::default() };
        let choices = recorded.map_or_else(fresh, |state| state.choices);
        let mut state = State { profile: profiles::read(file)?, choices };
        let loaded = loaded(&mut state, args, file, &root)?;
        self.warnings.extend(loaded.warnings.iter().map(ToString::to_string));
        let before = before.map(|before| before.profile).filter(|before| *before != loaded.profile);
        state.follow(before.as_ref(), &loaded.profile);
        let choices = state.choices.clone();
        self.add(args, root, Some(loaded.profile), choices, ProfileAt::File(profiles::shown(file)));
        if let Some(target) = self.targets.last_mut() {
            target.profile_file = Some(file.to_owned());
            target.distrust = profiles::check(file).err();
            target.unrecorded = before.map(|_| state);
        }
        Ok(())
    }

    /// A path with its recorded profile, if it has one that can be read.
    fn recorded(&mut self, args: &TreeArgs, root: &Path) {
        let dir = root.display().to_string();
        let state = if is_directory(root) { State::read(root) } else { Ok(None) };
        let (choices, loaded) = match state {
            Ok(Some(state)) => {
                let loaded = profiles::load_state(&state, &state::path(root).display().to_string());
                (state.choices, loaded.map(Some))
            }
            Ok(None) => (Choices::default(), Ok(None)),
            Err(error) => (Choices::default(), Err(error)),
        };
        match loaded {
            Ok(Some(loaded)) => {
                self.add(args, root.to_path_buf(), Some(loaded.profile), choices, ProfileAt::Recorded);
            }
            Ok(None) => self.add(args, root.to_path_buf(), None, choices, ProfileAt::Unknown),
            Err(error) => {
                self.warnings.push(format!("{}; the catalogue's rules hold for {dir}", error.what));
                self.add(args, root.to_path_buf(), None, choices, ProfileAt::Unknown);
                self.mark(error);
            }
        }
    }

    fn add(&mut self, args: &TreeArgs, root: PathBuf, profile: Option<Profile>, choices: Choices, at: ProfileAt) {
        let absolute = std::path::absolute(&root).unwrap_or_else(|_| root.clone());
        let pki = profile.as_ref().map(|profile| profile.certificates_in(&absolute).path(&root).display().to_string());
        let origin = Origin {
            node: args.node.clone(),
            kubelet_dir: args.kubelet_dir.as_ref().map(|dir| dir.display().to_string()),
            pki,
            ..Origin::new(root.display().to_string(), at)
        };
        let kubelet_dir = args.kubelet_dir.clone().or(choices.kubelet_dir);
        self.targets.push(Target {
            root,
            profile,
            node: args.node.clone().or(choices.node),
            kubelet_dir,
            origin,
            profile_file: None,
            profile_error: None,
            is_beside_trees: false,
            distrust: None,
            former_servers: choices.former_servers,
            unrecorded: None,
        });
    }

    /// The last target is used without its profile.
    fn mark(&mut self, profile_error: Error) {
        if let Some(target) = self.targets.last_mut() {
            target.profile_error = Some(profile_error);
        }
    }

    fn fleet(&mut self, args: &TreeArgs, dir: &Path) -> Result<(), Error> {
        let before = self.targets.len();
        let (profiles, beside) = listed(dir)?;
        let state = args.state.as_deref();
        let trees = state.map_or(Ok(beside), |state| listed(state).map(|(_, trees)| trees))?;
        let mut described: HashSet<PathBuf> = HashSet::new();
        for profile in &profiles {
            check_stem(profile)?;
            let tree = state.unwrap_or(dir).join(profile.file_stem().unwrap_or_default());
            if !described.insert(tree.clone()) {
                return Err(Error::usage(format!("two profiles describe {}", tree.display()))
                    .because(format!("one of them is {}", profile.display()))
                    .hint("keep NAME.yaml or NAME.yml, not both"));
            }
            if let Err(error) = self.given(args, profile, tree.clone()) {
                // The tree is read anyway, and reported if it does not exist.
                let why = error.why.first().map(|why| format!(": {why}")).unwrap_or_default();
                self.warnings.push(format!("{}{why}; the catalogue's rules hold for {}", error.what, tree.display()));
                self.recorded(args, &tree);
                self.mark(error);
            }
        }
        for tree in trees.iter().filter(|tree| !described.contains(*tree) && is_directory(&tree.join(".kpki"))) {
            self.recorded(args, tree);
        }
        for target in self.targets.iter_mut().skip(before) {
            target.origin.fleet = Some(dir.display().to_string());
            target.origin.state = state.map(|state| state.display().to_string());
        }
        if self.targets.is_empty() {
            return Err(Error::usage(format!("there is no profile in {}", dir.display()))
                .hint("expected NAME.yaml beside the tree NAME/, or trees made by kpki")
                .hint("give the directory as a PATH to have it walked"));
        }
        Ok(())
    }
}
