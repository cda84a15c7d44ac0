//! Trees, read whole: every file with its owner and mode, and what is in it as values. Reads only, and without a lock.

mod content;
mod journal;
mod kubeconfigs;
mod layouts;
mod one;

use std::path::{Path, PathBuf};

use one::{node_name, read};
use time::OffsetDateTime;

use crate::catalog::paths::{KUBELET_CONF, ROTATED_CLIENT, SIGNER_ENTRY};
use crate::catalog::releases::KnownRelease;
use crate::catalog::{CaId, Entry, Files};
use crate::error::Error;
use crate::files;
use crate::inventory::{self, ExpectedFile, Form, Places, Request};
use crate::profile::Profile;
use crate::store::Roots;
use crate::verify::layouts::Recognised;
use crate::verify::{Cluster, Content, File, Part, Tree};
use crate::workspace::rotation::record;
use crate::workspace::targets::Target;

/// The static pods of kubeadm that read certificates.
const MANIFESTS: [&str; 4] = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"];

/// One cluster directory with its nodes, or one node's kubernetes directory, among those a target names.
#[derive(Debug)]
pub struct Unit<'t> {
    target: &'t Target,
    pub root: PathBuf,
    /// Empty: there is no tree, only other files.
    requests: Vec<Request<'t>>,
    /// Another tool's.
    layout: Option<Recognised>,
}

/// What a target names; `None`: it does not exist.
pub fn units(target: &Target) -> Option<Vec<Unit<'_>>> {
    if target.is_beside_trees {
        let root = target.root.clone();
        return Some(vec![Unit { target, root, requests: Vec::new(), layout: None }]);
    }
    let mut units: Vec<Unit<'_>> = Vec::new();
    let is_ours = target.profile.is_some() || files::what(None, &target.root.join(".kpki")).is_some();
    if let Some(layout) = (!is_ours).then(|| layouts::recognise(&target.root)).flatten() {
        let root = target.root.clone();
        return Some(vec![Unit { target, root, requests: Vec::new(), layout: Some(layout) }]);
    }
    for one in target.requests(1)? {
        let one = target.refine(one);
        let is_tree = matches!(one.form, Form::Node | Form::Shared);
        match units.last_mut() {
            Some(last) if one.cluster_dir.as_ref().is_some_and(|dir| *dir == last.root) => last.requests.push(one),
            _ => units.push(Unit {
                target,
                root: one.root.clone(),
                requests: if is_tree { vec![one] } else { Vec::new() },
                layout: None,
            }),
        }
    }
    Some(units)
}

impl<'t> Unit<'t> {
    /// Reads all of it; `None`: it is no tree.
    pub fn cluster(&self, at: OffsetDateTime) -> Option<Cluster<'t>> {
        if let Some(layout) = self.layout {
            return Some(layouts::cluster(&self.root, layout, at));
        }
        let first = self.requests.first()?;
        let profile = first.profile;
        Some(Cluster {
            root: self.root.display().to_string(),
            profile,
            origin: self.target.origin_of(first),
            layout: None,
            release: profile.map_or_else(KnownRelease::default, Profile::release),
            trees: self.requests.iter().map(tree).collect(),
            // One that cannot be read is a finding of its own.
            record: record::read(&self.roots()).unwrap_or_default(),
            journal: Some(journal::read(&self.root, &self.roots())),
            at,
        })
    }

    /// Why it is judged without its profile.
    pub fn profile_error(&self) -> Option<&Error> {
        self.target.profile_error.as_ref()
    }

    /// The record of its rotations, why it cannot be read, and the command that says how to go on.
    pub fn damaged_rotations(&self) -> Option<(String, String, String)> {
        let why = record::read(&self.roots()).err()?.why.join("; ");
        let path = format!("{}/.kpki/rotation.json", self.root.display());
        let status = self.requests.first().map(|first| self.target.origin_of(first));
        Some((path, why, status?.command("rotate status", &[""; 0], &[])))
    }

    /// Where an interrupted run would have left its mark.
    pub fn roots(&self) -> Roots {
        self.target.roots(&self.root)
    }
}

/// One node's tree, or the shared part of a cluster directory.
fn tree(request: &Request<'_>) -> Tree {
    let places = Places::of(request);
    let mut files: Vec<(File, Option<&'static Entry>, Option<bool>)> = Vec::new();
    for expected in &places.files {
        let one = public(expected, &places);
        let key = key_of(expected, &one);
        files.push((one, expected.entry, expected.required));
        if let Some(key) = key {
            files.push((key, None, Some(false)));
        }
    }
    for (stem, part) in [("sa.pub", Part::PublicKeys), ("sa.key", Part::Key)] {
        files.push((file("sa", part, None, &places.pki.join(stem), &places), None, Some(false)));
    }
    if request.form == Form::Node {
        let kubelet = places.kubelet();
        let manifests = request.root.join("manifests");
        let further = MANIFESTS.map(|name| (name, Part::Manifest, manifests.join(format!("{name}.yaml"))));
        let rotated = (KUBELET_CONF, Part::RotatedPair, kubelet.join(ROTATED_CLIENT));
        let config = kubelet.parent().map(|above| ("kubelet", Part::KubeletConfig, above.join("config.yaml")));
        for (entry, part, path) in further.into_iter().chain([rotated]).chain(config) {
            let one = file(entry, part, None, &path, &places);
            if !matches!(one.content, Content::Missing) {
                files.push((one, None, Some(false)));
            }
        }
    }
    Tree {
        root: request.root.display().to_string(),
        node: request
            .node
            .clone()
            .filter(|_| request.form == Form::Node)
            .or_else(|| node_name(files.iter().map(|(file, ..)| file))),
        is_shared: request.form == Form::Shared,
        in_cluster: request.cluster_dir.is_some(),
        certificates: places.certificates(),
        owner: files::owner(&request.root),
        files: decided(files),
    }
}

/// Decides what must be there where no profile says it, and drops what is not there and need not be.
fn decided(files: Vec<(File, Option<&'static Entry>, Option<bool>)>) -> Vec<File> {
    let there = |file: &File| !matches!(file.content, Content::Missing);
    let is_there = |entry: &Entry| files.iter().any(|(file, of, _)| there(file) && of.is_some_and(|of| of == entry));
    let is_key = |stem: &str| {
        let path = format!("/{stem}.key");
        files.iter().any(|(file, ..)| file.part == Part::Key && there(file) && file.path.ends_with(&path))
    };
    let requires = inventory::required(&is_there, &is_key);
    let decide = |(file, entry, required): (File, Option<&'static Entry>, Option<bool>)| File {
        required: required.unwrap_or_else(|| entry.is_some_and(&requires)),
        ..file
    };
    files.into_iter().map(decide).collect()
}

/// The file with the certificates, the CRL or the kubeconfig.
fn public(expected: &ExpectedFile, places: &Places) -> File {
    let part = match expected.kind {
        inventory::Kind::Crl if expected.is_der => Part::CrlDer,
        inventory::Kind::Crl => Part::Crl,
        inventory::Kind::Kubeconfig => Part::Kubeconfig,
        _ if expected.name == SIGNER_ENTRY => Part::SignerFile,
        inventory::Kind::Authority => Part::Authority,
        _ => Part::Certificate,
    };
    let authority = expected.authority.or_else(|| expected.entry.and_then(Entry::authority));
    let mut last = None;
    for path in &expected.paths {
        let one = file(&expected.name, part, authority, path, places);
        if !matches!(one.content, Content::Missing) {
            return one;
        }
        last = last.or(Some(one));
    }
    last.unwrap_or_else(|| file(&expected.name, part, authority, Path::new(""), places))
}

/// The key beside a pair's certificate.
fn key_of(expected: &ExpectedFile, public: &File) -> Option<File> {
    if !matches!(public.part, Part::Certificate | Part::Authority) {
        return None;
    }
    let path = match (public.path.strip_suffix(".crt"), expected.entry.map(|entry| entry.files)) {
        (Some(stem), _) => PathBuf::from(format!("{stem}.key")),
        // The kubelet keeps both in one file.
        (None, Some(Files::KubeletPair(_))) => return None,
        (None, _) => PathBuf::from(&public.path).with_extension("key"),
    };
    let authority = public.authority.filter(|_| public.part == Part::Authority);
    Some(read(&expected.name, Part::Key, authority, &path, |bytes| content::of(Part::Key, bytes)))
}

fn file(entry: &str, part: Part, authority: Option<CaId>, path: &Path, places: &Places) -> File {
    read(entry, part, authority, path, |bytes| match part {
        Part::Kubeconfig => kubeconfigs::read(bytes, &|path| {
            let referred = places.referred(path);
            (referred.path, referred.optional)
        }),
        part => content::of(part, bytes),
    })
}
