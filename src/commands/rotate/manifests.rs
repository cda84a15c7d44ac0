//! The objects of the cluster that can be made here, for `kubectl apply`: `--apply-manifests`.

use std::path::Path;

use super::request::Request;
use crate::catalog::CaId;
use crate::error::Error;
use crate::files;
use crate::kubeconfig;
use crate::plan::cluster_objects as objects;
use crate::profile::Profile;
use crate::store::OuterFile;
use crate::tree::file;
use crate::tree::rotation::Rotating;
use crate::workspace::{Session, Snapshot};
use crate::x509::Certificate;
use zeroize::Zeroizing;

const CLUSTER_INFO: &str = "cluster-info.yaml";
const ROOT_CA: &str = "kube-root-ca.yaml";
const TRUST_BUNDLE: &str = "cluster-trust-bundle.yaml";
const JOIN_HASH: &str = "join-hash.txt";

/// The API server as admin.conf has it.
pub(super) fn server(session: &Session<'_>, snapshot: &Snapshot) -> Option<String> {
    let conf = session.credentials.iter().find(|one| one.id.name == "admin.conf").map(|one| &one.public);
    let read = kubeconfig::read(file(&snapshot.survey, conf)?).ok()?;
    Some(read.server)
}

/// The files; none without a directory for them, or where the cluster's authority does not change. `after`: the tree as it will be.
pub(super) fn files(
    request: &Request,
    session: &Session<'_>,
    changed: &[Rotating],
    after: &Snapshot,
) -> Result<Vec<OuterFile>, Error> {
    let Some(dir) = &request.options.manifests else { return Ok(Vec::new()) };
    if files::what(None, dir) != Some(files::What::Directory) {
        return Err(Error::new(format!("expected a directory, found none: {}", dir.display()))
            .hint(format!("make it: mkdir {}", files::shell_path(dir))));
    }
    if !changed.contains(&Rotating::Authority(CaId::Cluster)) {
        return Ok(Vec::new());
    }
    let trusted = after.bundle(CaId::Cluster);
    let bundle = objects::bundle(trusted);
    let profile = session.profile();
    let name = profile.map_or("kubernetes", |profile| &profile.cluster_name);
    let release = profile.map(Profile::release).unwrap_or_default().release;
    let mut all = vec![out(dir, ROOT_CA, objects::root_ca(None, &bundle)), out(dir, JOIN_HASH, hashes(trusted))];
    if let Some(server) = server(session, after) {
        all.push(out(dir, CLUSTER_INFO, objects::cluster_info(&server, &bundle)));
    }
    if let Some(version) = objects::trust_bundle_version(release) {
        let text = objects::trust_bundle(&format!("{name}-ca"), None, version, &bundle);
        let text = text.map_err(|why| Error::new(format!("cannot make {TRUST_BUNDLE}")).because(why))?;
        all.push(out(dir, TRUST_BUNDLE, text));
    }
    Ok(all)
}

/// kubeadm join takes the hash of any of them.
fn hashes(trusted: &[Certificate]) -> String {
    trusted.iter().map(|one| format!("--discovery-token-ca-cert-hash {}\n", one.discovery_hash())).collect()
}

fn out(dir: &Path, name: &str, text: String) -> OuterFile {
    OuterFile { path: dir.join(name), mode: 0o644, bytes: Zeroizing::new(text.into_bytes()), replace: true }
}
