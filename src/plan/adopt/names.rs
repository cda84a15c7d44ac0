//! Whose files they are: the node's name, from everything that says it.

use super::files::NodeFiles;
use super::refusal::Refusal;
use crate::catalog::find;
use crate::catalog::paths::{KUBELET_CONF, ROTATED_CLIENT};
use crate::kubeconfig::{self, Credentials};
use crate::manifest::Flags;
use crate::profile::is_node_name;
use crate::tree::leaf::leaf;
use crate::tree::{Directories, Place, Root};

/// A kubelet's user.
const USER: &str = "system:node:";

/// The node's name. `stated`: what the command line says is believed where the files say nothing else.
pub fn name(input: &NodeFiles, own: &Directories) -> Result<String, Refusal> {
    let mut found: Vec<(String, String)> = Vec::new();
    for (name, place) in said(input, own) {
        if !found.iter().any(|(known, _)| *known == name) {
            found.push((name, input.shown(&place)));
        }
    }
    let whole = || input.input.clone();
    let name = match (&input.stated, found.as_slice()) {
        (Some(stated), []) => stated.clone(),
        (Some(stated), found) if found.iter().any(|(name, _)| name == stated) => stated.clone(),
        (Some(stated), _) => return Err(Refusal::OtherName { input: whole(), stated: stated.clone(), found }),
        (None, []) => return Err(Refusal::NoName(whole())),
        (None, [(name, _)]) => name.clone(),
        (None, _) => return Err(Refusal::Names { input: whole(), found }),
    };
    // It becomes a directory.
    if is_node_name(&name) { Ok(name) } else { Err(Refusal::BadName { input: whole(), found: name }) }
}

/// Every name that a file says, and the file.
fn said(input: &NodeFiles, own: &Directories) -> Vec<(String, Place)> {
    let mut said = Vec::new();
    let main = |path: &str| Place { root: Root::Main, path: path.to_owned() };
    let user = |text: &str| text.strip_prefix(USER).map(str::to_owned);
    let conf = main(KUBELET_CONF);
    if let Some(read) = input.bytes(&conf).and_then(|bytes| kubeconfig::read(bytes).ok()) {
        let certified = match &read.credentials {
            Credentials::Embedded { certificate, .. } => leaf(certificate).and_then(|leaf| leaf.common_name()),
            Credentials::Files { .. } => None,
        };
        // A kubelet that joined calls itself `default-auth`.
        said.extend(certified.as_deref().and_then(user).or_else(|| user(&read.user)).map(|name| (name, conf)));
    }
    let rotated = Place { root: Root::Kubelet, path: ROTATED_CLIENT.to_owned() };
    let common = |place: &Place| input.bytes(place).and_then(leaf)?.common_name();
    said.extend(common(&rotated).as_deref().and_then(user).map(|name| (name, rotated)));
    for entry in ["etcd-server", "etcd-peer"].into_iter().filter_map(find) {
        let (place, _) = own.files("", entry.files);
        said.extend(common(&place).map(|name| (name, place)));
    }
    let manifest = main("manifests/etcd.yaml");
    let flags = input.bytes(&manifest).and_then(Flags::read);
    said.extend(flags.and_then(|flags| Some((flags.get("name")?.to_owned(), manifest))));
    said
}
