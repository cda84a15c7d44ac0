//! The files on a node: the catalogue's entries and the manifest's, read as the components read them, through symlinks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::manifest::Manifest;
use crate::catalog::paths::{KUBELET_CONF, ROTATED_CLIENT, SIGNER_ENTRY, SIGNER_FILE, SUPER_ADMIN_CONF};
use crate::catalog::{CaId, ENTRIES, Entry, Files};
use crate::files;
use crate::kubeconfig::{self, Credentials};
use crate::plan::node::{NodeEntry, NodeFile};
use crate::profile::{GATHERED, Profile};
use crate::tree::layout::{DEFAULT_DIR, DEFAULT_KUBELET_DIR, KUBELET_CERTIFICATE};

/// A certificate bundle or kubeconfig larger than this is not one.
const LARGEST: u64 = 4 << 20;
/// The kubelet's rotated client certificate and key in one file.
pub const ROTATED: &str = "kubelet-server-current.pem";

/// Maps paths of the node to this machine.
#[derive(Debug)]
pub struct NodeRootfs {
    /// Absolute, without a slash at the end.
    dir: String,
    /// The prefix of `/etc/kubernetes`; `None`: DIR is a copy under another name.
    prefix: Option<String>,
    /// The kubelet's pair is in DIR/kubelet, whatever DIR is called.
    has_kubelet: bool,
    /// certificatesDir of the node.
    certificates: Option<String>,
    /// Of an archive, by their paths on the node: nothing is read from this machine.
    archive: Option<BTreeMap<String, NodeFile>>,
}

impl NodeRootfs {
    pub fn of(dir: &Path) -> Self {
        let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_path_buf());
        let dir = dir.display().to_string().trim_end_matches('/').to_owned();
        let prefix = dir.strip_suffix(DEFAULT_DIR).map(str::to_owned);
        let has_kubelet = files::what(None, &Path::new(&dir).join(KUBELET_CERTIFICATE)).is_some();
        Self { dir, prefix, has_kubelet, certificates: None, archive: None }
    }

    /// With the node's certificatesDir: a copy under another name has that as its `pki/`, wherever the node has it.
    #[must_use]
    pub fn with_certificates(self, dir: &str) -> Self {
        Self { certificates: Some(dir.to_owned()), ..self }
    }

    /// The files of an archive, by their paths on the node.
    pub fn of_archive(files: BTreeMap<String, NodeFile>) -> Self {
        let prefix = Some(String::new());
        Self { dir: String::new(), prefix, has_kubelet: false, certificates: None, archive: Some(files) }
    }

    /// An absolute path of the node; a relative one is below DIR.
    pub fn find(&self, path: &str) -> PathBuf {
        let below = |root: &str| path.strip_prefix(root).and_then(|rest| rest.strip_prefix('/'));
        match (&self.prefix, below(DEFAULT_DIR), below(DEFAULT_KUBELET_DIR)) {
            _ if !path.starts_with('/') => PathBuf::from(format!("{}/{path}", self.dir)),
            (Some(_), _, Some(rest)) if self.has_kubelet => PathBuf::from(format!("{}/kubelet/{rest}", self.dir)),
            (Some(prefix), ..) => PathBuf::from(format!("{prefix}{path}")),
            (None, Some(rest), _) => PathBuf::from(format!("{}/{rest}", self.dir)),
            (None, None, Some(rest)) => PathBuf::from(format!("{}/kubelet/{rest}", self.dir)),
            (None, None, None) => match self.certificates.as_deref().and_then(below) {
                Some(rest) => PathBuf::from(format!("{}/{GATHERED}/{rest}", self.dir)),
                None => PathBuf::from(path),
            },
        }
    }

    /// The path on the node of a file that [`Self::find`] has found.
    pub fn on_node(&self, found: &Path) -> String {
        let found = found.display().to_string();
        let below = |root: &str| Some(found.strip_prefix(root)?.strip_prefix('/')?.to_owned());
        let of_kubelet = below(&format!("{}/kubelet", self.dir)).filter(|_| self.has_kubelet);
        if let Some(rest) = of_kubelet {
            return format!("{DEFAULT_KUBELET_DIR}/{rest}");
        }
        match &self.prefix {
            Some(prefix) => found.strip_prefix(prefix.as_str()).map(str::to_owned),
            None => below(&format!("{}/kubelet", self.dir))
                .map(|rest| format!("{DEFAULT_KUBELET_DIR}/{rest}"))
                .or_else(|| Some(format!("{}/{}", self.certificates.as_ref()?, below(&format!("{}/pki", self.dir))?)))
                .or_else(|| Some(format!("{DEFAULT_DIR}/{}", below(&self.dir)?))),
        }
        .unwrap_or(found)
    }

    pub fn file_at(&self, path: &str) -> NodeFile {
        if let Some(files) = &self.archive {
            return files.get(path).cloned().unwrap_or(NodeFile::Missing);
        }
        match files::read_input(&self.find(path), LARGEST) {
            Ok(files::FileState::Missing) => NodeFile::Missing,
            Ok(files::FileState::File { bytes, .. }) => NodeFile::File(bytes),
            Err(why) => NodeFile::Unreadable(why.kind),
        }
    }
}

/// The sources of the expected entries.
#[derive(Debug)]
pub struct Sources<'a> {
    pub manifest: Option<&'a Manifest>,
    /// The recorded profile of a tree.
    pub profile: Option<&'a Profile>,
    pub node: &'a str,
}

/// Every existing or expected entry, the catalogue's first.
pub fn node_entries(host: &NodeRootfs, sources: &Sources<'_>) -> Vec<NodeEntry> {
    let certificates = sources.profile.map_or("/etc/kubernetes/pki", |profile| &profile.certificates_dir);
    let mut all: Vec<NodeEntry> = ENTRIES.iter().map(|entry| of_entry(host, sources, entry, certificates)).collect();
    let named = |name: &str| ENTRIES.iter().any(|entry| entry.name == name) || name == SIGNER_ENTRY;
    all.push(signer_file(host, sources, certificates));
    for one in sources.manifest.iter().flat_map(|manifest| &manifest.entries).filter(|one| !named(&one.name)) {
        all.push(NodeEntry {
            name: one.name.clone(),
            entry: None,
            path: host.find(&one.path).display().to_string(),
            public: host.file_at(&one.path),
            private: one.key.as_deref().map_or(NodeFile::Missing, |key| host.file_at(key)),
            client: NodeFile::Missing,
            required: true,
            exported: Some(one.prints()),
        });
    }
    // An entry needs the certificate of its authority.
    let signers: Vec<CaId> = all
        .iter()
        .filter(|one| one.public != NodeFile::Missing)
        .filter_map(|one| one.entry.and_then(|entry| entry.signer))
        .collect();
    for one in &mut all {
        one.required |= one.entry.and_then(Entry::authority).is_some_and(|authority| signers.contains(&authority));
    }
    all
}

/// ca-signer.crt, where it is.
fn signer_file(host: &NodeRootfs, sources: &Sources<'_>, certificates: &str) -> NodeEntry {
    let mut entries = sources.manifest.iter().flat_map(|manifest| &manifest.entries);
    let exported = entries.find(|one| one.name == SIGNER_ENTRY);
    let path = exported.map_or_else(|| format!("{certificates}/{SIGNER_FILE}"), |one| one.path.clone());
    NodeEntry {
        name: SIGNER_ENTRY.to_owned(),
        entry: None,
        path: host.find(&path).display().to_string(),
        public: host.file_at(&path),
        private: NodeFile::Missing,
        client: NodeFile::Missing,
        required: exported.is_some(),
        exported: None,
    }
}

fn of_entry(host: &NodeRootfs, sources: &Sources<'_>, entry: &'static Entry, certificates: &str) -> NodeEntry {
    let exported = sources.manifest.and_then(|manifest| manifest.entries.iter().find(|one| one.name == entry.name));
    let (usual, key) = usual(entry, certificates);
    let mut path = exported.map_or(usual, |one| one.path.clone());
    let mut key = exported.and_then(|one| one.key.clone()).unwrap_or(key);
    let mut prints = exported.map(|one| one.prints());
    if let Files::KubeletPair(_) = entry.files {
        let rotated = format!("{DEFAULT_KUBELET_DIR}/{ROTATED}");
        if host.file_at(&rotated) != NodeFile::Missing {
            (path, key, prints) = (rotated.clone(), rotated, None);
        }
    }
    let public = host.file_at(&path);
    let (mut private, mut client) = (NodeFile::Missing, NodeFile::Missing);
    match (entry.files, &public) {
        (Files::Kubeconfig(_), NodeFile::File(bytes)) => {
            let rotated = format!("{DEFAULT_KUBELET_DIR}/{ROTATED_CLIENT}");
            let is_rotated = entry.name == KUBELET_CONF && host.file_at(&rotated) != NodeFile::Missing;
            let files = match kubeconfig::read(bytes).map(|read| read.credentials) {
                Ok(Credentials::Files { certificate, key }) => Some((certificate, key)),
                // The kubelet uses its own, whatever is embedded.
                Ok(Credentials::Embedded { .. }) if is_rotated => Some((rotated.clone(), rotated)),
                _ => None,
            };
            if let Some((certificate, key)) = files {
                (client, private) = (host.file_at(&certificate), host.file_at(&key));
                prints = None;
            }
        }
        (Files::Kubeconfig(_), _) => {}
        _ => private = host.file_at(&key),
    }
    let profiled = sources.profile.and_then(|profile| Some((profile, profile.node(sources.node)?)));
    let required = match (sources.manifest, profiled) {
        _ if entry.name == SUPER_ADMIN_CONF => false,
        (Some(_), _) => exported.is_some(),
        (None, Some((profile, node))) => profile.includes(entry) && profile.holds(node, entry),
        (None, None) => false,
    };
    NodeEntry {
        name: entry.name.to_owned(),
        entry: Some(entry),
        path: host.find(&path).display().to_string(),
        public,
        private,
        client,
        required,
        exported: prints,
    }
}

/// kubeadm's places.
fn usual(entry: &Entry, certificates: &str) -> (String, String) {
    match entry.files {
        Files::Pair(stem) => (format!("{certificates}/{stem}.crt"), format!("{certificates}/{stem}.key")),
        Files::KeyPair(stem) => (format!("{certificates}/{stem}.pub"), format!("{certificates}/{stem}.key")),
        Files::Kubeconfig(name) => (format!("{DEFAULT_DIR}/{name}"), String::new()),
        Files::KubeletPair(stem) => {
            (format!("{DEFAULT_KUBELET_DIR}/{stem}.crt"), format!("{DEFAULT_KUBELET_DIR}/{stem}.key"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_the_node_are_found_where_its_directory_is() {
        for (dir, path, found) in [
            ("/etc/kubernetes", "/etc/kubernetes/pki/ca.crt", "/etc/kubernetes/pki/ca.crt"),
            ("/etc/kubernetes/", "/var/lib/kubelet/pki/kubelet.crt", "/var/lib/kubelet/pki/kubelet.crt"),
            ("/mnt/etc/kubernetes", "/var/lib/kubelet/pki/kubelet.crt", "/mnt/var/lib/kubelet/pki/kubelet.crt"),
            ("/mnt/etc/kubernetes", "/srv/pki/ca.crt", "/mnt/srv/pki/ca.crt"),
            ("/copy", "/etc/kubernetes/pki/ca.crt", "/copy/pki/ca.crt"),
            ("/copy", "/var/lib/kubelet/pki/kubelet.crt", "/copy/kubelet/kubelet.crt"),
            ("/copy", "pki/a.crt", "/copy/pki/a.crt"),
        ] {
            let plain = NodeRootfs::of(Path::new(dir));
            assert_eq!(plain.find(path), PathBuf::from(found), "{dir} {path}");
            let host = NodeRootfs::of(Path::new(dir)).with_certificates("/srv/k8s");
            assert_eq!(host.find(path), PathBuf::from(found), "{dir} {path}");
            if path.starts_with('/') {
                assert_eq!(plain.on_node(Path::new(found)), path, "{dir} {path}");
            }
        }
    }
}
