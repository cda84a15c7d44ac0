//! A node's tree in which an authority of the whole cluster signs: what is revoked there, nobody else knows yet, and what replaces an
//! authority there the other nodes do not get.

use std::path::Path;

use super::manifest;
use crate::error::{self, Error};
use crate::files::{self, RelPath, shell_path};
use crate::kubeconfig;
use crate::manifest::Flags;
use crate::plan::renew::certificate_of;
use crate::plan::several::{Found, several};
use crate::profile::{NodeRole, Profile};
use crate::store::RootId;
use crate::tree::file;
use crate::workspace::{Session, Snapshot, survey};

/// What to say after a list was signed in this tree; `None`: it is the only place that signs.
pub fn list_of_one_node(session: &Session<'_>) -> Option<String> {
    let main = &session.target.root;
    if !session.copies().is_empty() || !is_one_of_several(main, session.profile()) {
        return None;
    }
    let command = format!("kpki export --verify --receipt -o json --dir {}", shell_path(main));
    Some(format!(
        "only the list of this node was changed: the other nodes and the host with the cluster directory get it by this node's \
         receipt, which kpki nodes merge takes there: {command}"
    ))
}

/// It was shipped, or its profile has other nodes that sign as well.
fn is_one_of_several(main: &Path, profile: Option<&Profile>) -> bool {
    let signers = profile.map(|profile| profile.nodes.iter().filter(|node| node.is(NodeRole::ControlPlane)).count());
    files::what(None, &main.join(manifest::NAME)).is_some() || signers.is_some_and(|signers| signers > 1)
}

/// Refuses to replace authorities in a node's tree that is one of several. `command`: what was asked
/// for, without `--dir`.
pub fn refuse(session: &Session<'_>, snapshot: &Snapshot, command: &str, authority: &str) -> Result<(), Error> {
    if !session.copies().is_empty() {
        return Ok(());
    }
    let main = &session.target.root;
    let flags = |name: &str| -> Result<Option<Flags>, Error> {
        let path = RelPath::parse(format!("manifests/{name}.yaml"))?;
        Ok(survey::read(&session.tree.roots, RootId::Main, &path)?.and_then(|bytes| Flags::read(&bytes)))
    };
    let survey = &snapshot.survey;
    let leaf = |name: &str| {
        let one = session.credentials.iter().find(|one| one.id.name == name)?;
        certificate_of(one, survey)
    };
    let serving = leaf("apiserver");
    let own: Vec<_> = ["etcd-server", "etcd-peer"].into_iter().filter_map(leaf).collect();
    let server = |bytes: &[u8]| kubeconfig::read(bytes).ok().map(|read| read.server);
    let servers = session.credentials.iter().filter_map(|one| server(file(survey, one.conf())?));
    let found = Found {
        is_shipped: files::what(None, &main.join(manifest::NAME)).is_some(),
        profile: session.profile(),
        etcd: flags("etcd")?,
        api_server: flags("kube-apiserver")?,
        serving: serving.as_ref(),
        own: own.iter().collect(),
        servers: servers.collect(),
    };
    match several(&found) {
        None => Ok(()),
        Some(why) => Err(error::one_of_several(main, authority, &why, command)),
    }
}
