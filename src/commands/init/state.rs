//! kpki's own state in `DIR/.kpki/`: the profile as it was used and the choices of the command line, so that a verb that is
//! given no profile finds both. And the cluster directory's `manifest.json`.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::commands::survey;
use crate::error::Error;
use crate::files::{self, Dir, RelPath};
use crate::plan::init::{self as plan, Item, What};
use crate::plan::layout::{DEFAULT_DIR, DEFAULT_KUBELET_DIR, Layout, Place};
use crate::profile::Profile;
use crate::store::{self, FileChange, RootId, Roots};

/// Below `.kpki/`.
pub const PROFILE: &str = "profile.yaml";
pub const STATE: &str = "state.json";
/// Below DIR.
pub const MANIFEST: &str = "manifest.json";

/// What a run remembers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// The profile, byte for byte.
    pub profile: Vec<u8>,
    pub node: Option<String>,
    pub hostname: Option<String>,
    pub kubelet_dir: Option<PathBuf>,
    pub kubelet_serving: bool,
    pub advertise_address: Option<IpAddr>,
}

impl State {
    /// The state in a directory; `None`: there is none. Hooks come with it, so that of a stranger is an error.
    pub fn read(main: &Path) -> Result<Option<Self>, Error> {
        let Some(dir) = survey::open(main)? else { return Ok(None) };
        let Some(kpki) = store::own(&dir)? else { return Ok(None) };
        let file = |name: &str| {
            store::check_own(&kpki, name)?;
            read(&kpki, name)
        };
        let Some(profile) = file(PROFILE)? else { return Ok(None) };
        let choices = match file(STATE)? {
            None => Value::Null,
            Some(bytes) => serde_json::from_slice(&bytes).map_err(|why| {
                Error::new(format!("cannot read {}", main.join(".kpki").join(STATE).display()))
                    .because(why)
                    .hint("give the profile again with --profile: it replaces the recorded one")
            })?,
        };
        let text = |key: &str| choices.get(key).and_then(Value::as_str).map(str::to_owned);
        Ok(Some(Self {
            profile,
            node: text("node"),
            hostname: text("hostname"),
            kubelet_dir: text("kubeletDir").map(PathBuf::from),
            kubelet_serving: choices.get("kubeletServing").and_then(Value::as_bool).unwrap_or(false),
            advertise_address: text("advertiseAddress").and_then(|address| address.parse().ok()),
        }))
    }

    /// state.json.
    pub fn document(&self) -> String {
        let value = json!({
            "apiVersion": "kpki/v1",
            "kind": "State",
            "node": self.node,
            "hostname": self.hostname,
            "kubeletDir": self.kubelet_dir.as_ref().map(|dir| dir.display().to_string()),
            "kubeletServing": self.kubelet_serving,
            "advertiseAddress": self.advertise_address.map(|address| address.to_string()),
        });
        pretty(&value)
    }
}

/// Where the recorded profile lies, for messages.
pub fn path(main: &Path) -> PathBuf {
    main.join(".kpki").join(PROFILE)
}

fn read(dir: &Dir, path: &str) -> Result<Option<Vec<u8>>, Error> {
    match files::read(dir, &RelPath::parse(path)?, 4 << 20)? {
        files::FileState::Missing => Ok(None),
        files::FileState::File { bytes, .. } => Ok(Some(bytes.to_vec())),
    }
}

/// Whether exactly these files lie there already.
pub fn is_recorded(roots: &Roots, files: &[FileChange]) -> Result<bool, Error> {
    let Some(dir) = survey::open(&roots.main)? else { return Ok(false) };
    for file in files {
        let path = match file.root {
            RootId::State => format!(".kpki/{}", file.path),
            RootId::Main | RootId::Kubelet => file.path.to_string(),
        };
        if read(&dir, &path)?.as_deref() != Some(file.bytes.as_slice()) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Which file of a cluster directory is shared and which is one node's, and where it belongs on that node.
pub fn manifest(profile: &Profile, pki: &str, items: &[Item]) -> String {
    let mut files = Vec::new();
    for item in items {
        for (place, secret) in [(item.private.as_ref(), true), (Some(&item.public), plan::mode(items, item) == 0o600)] {
            let Some(place) = place else { continue };
            let scope = match (&item.node, &item.what) {
                (None, _) | (_, What::Copy { .. }) => "shared",
                _ => "node-local",
            };
            files.push(json!({
                "path": place.path,
                "entry": item.name,
                "scope": scope,
                "node": item.node,
                "installs": item.node.as_deref().and_then(|node| installs(place, node, pki, &profile.certificates_dir)),
                "mode": if secret { "0600" } else { "0644" },
            }));
        }
    }
    pretty(&json!({"apiVersion": "kpki/v1", "kind": "Manifest", "clusterName": profile.cluster_name, "files": files}))
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

fn pretty(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

/// How a layout is called in reports.
pub fn layout_name(layout: &Layout) -> &'static str {
    match layout {
        Layout::Node { .. } => "node",
        Layout::Cluster => "cluster",
    }
}
