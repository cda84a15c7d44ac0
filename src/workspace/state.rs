//! kpki's own state in `DIR/.kpki/`: the profile as used and the options of the command line, so that a verb without
//! `--profile` finds both; and the cluster directory's `manifest.json`.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::files::RelPath;
use crate::plan::init as plan;
use crate::plan::item::{Item, What};
use crate::profile::{Overrides, Profile};
use crate::store::{self, FileChange, JsonError, RootId, Roots};
use crate::tree::layout::{DEFAULT_DIR, DEFAULT_KUBELET_DIR, Layout, Place};
use crate::workspace::survey;

pub use crate::store::MANIFEST;

/// Below `.kpki/`.
pub const PROFILE: &str = "profile.yaml";
pub const STATE: &str = "state.json";

/// The recorded state of a run: the profile and the options of the command line for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// Byte for byte.
    pub profile: Vec<u8>,
    pub choices: Choices,
}

/// The recorded options of the command line, as in `state.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Choices {
    pub node: Option<String>,
    pub hostname: Option<String>,
    pub kubelet_dir: Option<PathBuf>,
    pub kubelet_serving: bool,
    pub advertise_address: Option<IpAddr>,
    /// One authority in two places was accepted.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub allow_shared_ca: bool,
    /// What earlier profiles gave to kubeconfigs as their server, and the recorded one does not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub former_servers: Vec<String>,
}

/// A file of kpki's own, with its type.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a, T> {
    api_version: &'static str,
    kind: &'static str,
    #[serde(flatten)]
    content: &'a T,
}

impl State {
    /// The state in a directory; `None`: there is none. It contains hooks, so that a file of another owner is an error.
    pub fn read(main: &Path) -> Result<Option<Self>, Error> {
        let Some(dir) = survey::open(main)? else { return Ok(None) };
        let Some(kpki) = store::own(&dir)? else { return Ok(None) };
        let file = |name: &str| {
            store::check_own(&kpki, name)?;
            survey::read_below(&kpki, &RelPath::parse(name)?)
        };
        let Some(profile) = file(PROFILE)? else { return Ok(None) };
        let choices = match file(STATE)? {
            None => Choices::default(),
            Some(bytes) => serde_json::from_slice(&bytes).map_err(|why| {
                Error::new(format!("cannot read {}", main.join(".kpki").join(STATE).display()))
                    .because(JsonError::from(why))
                    .hint("give the profile again with --profile: it replaces the recorded one")
            })?,
        };
        Ok(Some(Self { profile: profile.to_vec(), choices }))
    }

    /// Notes the servers that kubeconfigs may still have from earlier profiles. `recorded`: the profile before this one.
    pub fn follow(&mut self, recorded: Option<&Profile>, profile: &Profile) {
        let mut former: BTreeSet<String> = self.choices.former_servers.drain(..).collect();
        former.extend(recorded.map(plan::servers).unwrap_or_default());
        let own = plan::servers(profile);
        self.choices.former_servers = former.into_iter().filter(|server| !own.contains(server)).collect();
    }

    /// state.json.
    pub fn document(&self) -> Result<String, Error> {
        pretty("State", &self.choices)
    }

    /// Completes the options with the recorded ones.
    pub fn overrides(&self) -> Overrides {
        let Choices { node, hostname, kubelet_serving, advertise_address, .. } = &self.choices;
        Overrides {
            hostname: hostname.clone(),
            node_name: node.clone(),
            advertise_address: *advertise_address,
            kubelet_serving: kubelet_serving.then_some(true),
        }
    }
}

/// The layout of a tree that records this profile.
pub fn layout(profile: &Profile, choices: &Choices) -> Layout {
    // For a kubeadm configuration --node names the one node, if the file does not.
    let chosen = if profile.origin.is_kubeadm() { None } else { choices.node.as_deref() };
    Layout::of(profile, chosen)
}

/// Where the recorded profile is, for messages.
pub fn path(main: &Path) -> PathBuf {
    main.join(".kpki").join(PROFILE)
}

/// Whether exactly these files exist already.
pub fn is_recorded(roots: &Roots, files: &[FileChange]) -> Result<bool, Error> {
    let Some(dir) = survey::open(&roots.main)? else { return Ok(false) };
    for file in files {
        let path = match file.root {
            RootId::State => RelPath::parse(format!(".kpki/{}", file.path))?,
            RootId::Main | RootId::Kubelet | RootId::Certificates => file.path.clone(),
        };
        if survey::read_below(&dir, &path)?.as_deref() != Some(&*file.bytes) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// `manifest.json` of a cluster directory: which file is shared and which is one node's, and where it belongs on that
/// node.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Manifest<'a> {
    cluster_name: &'a str,
    files: Vec<ManifestFile<'a>>,
}

#[derive(Serialize)]
struct ManifestFile<'a> {
    path: &'a str,
    entry: &'a str,
    scope: &'static str,
    node: Option<&'a str>,
    installs: Option<String>,
    mode: &'static str,
}

/// The text of `manifest.json`.
pub fn manifest(profile: &Profile, pki: &str, items: &[Item]) -> Result<String, Error> {
    let mut files = Vec::new();
    for item in items {
        let node = item.id.node.as_deref();
        let is_copy = matches!(item.what, What::Copy { .. } | What::SignerFile { .. });
        let public = (&item.public, plan::mode(items, item) == 0o600);
        for (place, is_secret) in item.private.iter().map(|place| (place, true)).chain([public]) {
            files.push(ManifestFile {
                path: &place.path,
                entry: &item.id.name,
                scope: if node.is_none() || is_copy { "shared" } else { "node-local" },
                node,
                installs: node.and_then(|node| installs(place, node, pki, &profile.certificates_dir)),
                mode: if is_secret { "0600" } else { "0644" },
            });
        }
    }
    pretty("Manifest", &Manifest { cluster_name: &profile.cluster_name, files })
}

/// `nodes/cp1/pki/ca.crt` belongs to `/etc/kubernetes/pki/ca.crt` on cp1.
fn installs(place: &Place, node: &str, pki: &str, certificates_dir: &str) -> Option<String> {
    let below = place.path.strip_prefix("nodes/")?.strip_prefix(node)?.strip_prefix('/')?;
    Some(belongs(below, pki, certificates_dir))
}

/// Where a file of a node's directory belongs on the node: its path there is this, seen from that directory.
pub fn belongs(below: &str, pki: &str, certificates_dir: &str) -> String {
    let certificate = below.strip_prefix(pki).and_then(|rest| rest.strip_prefix('/'));
    match (below.strip_prefix("kubelet/"), certificate) {
        (Some(name), _) => format!("{DEFAULT_KUBELET_DIR}/{name}"),
        (None, Some(name)) => format!("{certificates_dir}/{name}"),
        (None, None) => format!("{DEFAULT_DIR}/{below}"),
    }
}

fn pretty(kind: &'static str, content: &impl Serialize) -> Result<String, Error> {
    let document = Document { api_version: "kpki/v1", kind, content };
    let text = serde_json::to_string_pretty(&document);
    let failed = |why| Error::new(format!("cannot write the {kind} document")).because(why);
    Ok(text.map_err(failed)? + "\n")
}

/// The name of a layout in reports.
pub fn layout_name(layout: &Layout) -> &'static str {
    match layout {
        Layout::Node { .. } => "node",
        Layout::Cluster => "cluster",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_of_0_1_0_is_read_and_written_byte_for_byte() {
        for text in [
            include_str!("../../fixtures/state/0.1.0/state.json"),
            include_str!("../../fixtures/state/0.1.0/cluster-state.json"),
        ] {
            let choices: Choices = serde_json::from_str(text).unwrap();
            assert_eq!(State { profile: Vec::new(), choices }.document().unwrap(), text);
        }
    }
}
