//! Which trees are looked at, and which profile describes each.
//!
//! - A PATH is described by the one `--profile`, else by the profile recorded in its `.kpki`, else by none.
//! - `--profile clusters/prod.yaml` without a PATH describes `clusters/prod/` where that exists; a single one otherwise
//!   describes /etc/kubernetes.
//! - `--profiles clusters/` is every `clusters/*.yaml` (or .yml) with its `clusters/NAME/`, and every directory in it that
//!   records a profile of its own.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::Request;
use crate::audit::Origin;
use crate::commands::init::state::{self, State};
use crate::commands::profile as profiles;
use crate::error::Error;
use crate::files::{Dir, What};
use crate::plan::layout::{DEFAULT_DIR, DEFAULT_KUBELET_DIR};
use crate::profile::{Overrides, Profile};

/// One place to look at.
#[derive(Debug)]
pub struct Target {
    pub root: PathBuf,
    pub profile: Option<Profile>,
    /// The node whose tree it is, where that is known.
    pub node: Option<String>,
    /// Where the kubelet of this node keeps its pair; `None`: `kubelet/` in the tree.
    pub kubelet_dir: Option<PathBuf>,
    pub origin: Origin,
}

pub struct Resolved {
    pub targets: Vec<Target>,
    pub warnings: Vec<String>,
}

pub fn resolve(request: &Request) -> Result<Resolved, Error> {
    let mut resolved = Resolved { targets: Vec::new(), warnings: Vec::new() };
    match (request.profiles.as_slice(), request.paths.as_slice()) {
        ([], []) if request.fleet.is_none() => resolved.recorded(request, Path::new(DEFAULT_DIR)),
        ([], paths) => paths.iter().for_each(|path| resolved.recorded(request, path)),
        ([profile], paths @ [_, ..]) => {
            for path in paths {
                resolved.given(request, profile, path.clone())?;
            }
        }
        ([_, _, ..], [_, ..]) => {
            return Err(Error::usage("several --profile cannot describe a PATH together")
                .hint("leave the paths out: clusters/prod.yaml describes clusters/prod/")
                .hint("or give the directory of all profiles with --profiles DIR"));
        }
        (profiles, []) => {
            for profile in profiles {
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
                resolved.given(request, profile, root)?;
            }
        }
    }
    if let Some(dir) = &request.fleet {
        resolved.fleet(request, dir)?;
    }
    Ok(resolved)
}

/// Also by way of a symlink: whoever names a path means what it points to.
fn is_directory(path: &Path) -> bool {
    Dir::open_root(path).is_ok()
}

fn overrides(state: &State) -> Overrides {
    Overrides {
        hostname: state.hostname.clone(),
        node_name: state.node.clone(),
        advertise_address: state.advertise_address,
        kubelet_serving: state.kubelet_serving.then_some(true),
    }
}

impl Resolved {
    /// A profile that was given; the choices recorded with the tree stay, as for `init`.
    fn given(&mut self, request: &Request, file: &Path, root: PathBuf) -> Result<(), Error> {
        let recorded = if is_directory(&root) { State::read(&root).unwrap_or_default() } else { None };
        let state = recorded.unwrap_or_else(|| State { hostname: request.hostname.clone(), ..State::default() });
        let loaded = profiles::load(&file.display().to_string(), &profiles::read(file)?, &overrides(&state))?;
        self.warnings.extend(loaded.warnings.iter().map(ToString::to_string));
        let origin = Origin::Profile { file: file.display().to_string(), dir: root.display().to_string() };
        self.add(request, root, Some(loaded.profile), state, origin);
        Ok(())
    }

    /// A path by itself: with the profile it records, if it records one that can be read.
    fn recorded(&mut self, request: &Request, root: &Path) {
        let dir = root.display().to_string();
        let state = if is_directory(root) { State::read(root) } else { Ok(None) };
        let (profile, state, origin) = match state {
            Ok(Some(state)) => {
                let name = state::path(root).display().to_string();
                match profiles::load(&name, &state.profile, &overrides(&state)) {
                    Ok(loaded) => (Some(loaded.profile), state, Origin::Recorded { dir }),
                    Err(error) => {
                        self.warnings.push(format!("{}: the catalogue's rules hold", error.what));
                        (None, state, Origin::Unknown { dir })
                    }
                }
            }
            Ok(None) => (None, State::default(), Origin::Unknown { dir }),
            Err(error) => {
                self.warnings.push(format!("{}: the catalogue's rules hold", error.what));
                (None, State::default(), Origin::Unknown { dir })
            }
        };
        self.add(request, root.to_path_buf(), profile, state, origin);
    }

    fn add(&mut self, request: &Request, root: PathBuf, profile: Option<Profile>, state: State, origin: Origin) {
        let default = || (root == Path::new(DEFAULT_DIR)).then(|| PathBuf::from(DEFAULT_KUBELET_DIR));
        let kubelet_dir = request.kubelet_dir.clone().or(state.kubelet_dir).or_else(default);
        self.targets.push(Target { root, profile, node: state.node, kubelet_dir, origin });
    }

    fn fleet(&mut self, request: &Request, dir: &Path) -> Result<(), Error> {
        let mut profiles: Vec<PathBuf> = Vec::new();
        let mut trees: Vec<PathBuf> = Vec::new();
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
        for profile in &profiles {
            let tree = profile.with_extension("");
            match self.given(request, profile, tree.clone()) {
                Ok(()) => trees.retain(|other| *other != tree),
                // The tree is looked at all the same.
                Err(error) => self.warnings.push(format!("{}: the catalogue's rules hold", error.what)),
            }
        }
        let unreadable: Vec<PathBuf> = profiles.iter().map(|profile| profile.with_extension("")).collect();
        for tree in trees {
            if unreadable.contains(&tree) || is_directory(&tree.join(".kpki")) {
                self.recorded(request, &tree);
            }
        }
        if self.targets.is_empty() {
            return Err(Error::usage(format!("there is no profile in {}", dir.display()))
                .hint("expected NAME.yaml beside the tree NAME/, or trees made by kpki")
                .hint("give the directory as a PATH to have it walked"));
        }
        Ok(())
    }
}
