//! `--bootstrap-manifests`: the ClusterRoleBindings that `kubeadm init` makes in a new cluster.

use std::path::Path;

use super::request::Request;
use crate::catalog::bindings::{self, Binding};
use crate::error::Error;
use crate::files::{self, FileState};
use crate::profile::Profile;
use crate::store;
use crate::workspace::survey;

/// A larger file is none of these.
const LARGEST: u64 = 1 << 20;

/// Refuses what could not be written, before anything is. `None`: it is not asked for.
pub fn manifests(request: &Request, profile: &Profile) -> Result<Option<String>, Error> {
    let Some(path) = &request.bootstrap_manifests else { return Ok(None) };
    if path.as_os_str() == "-" {
        return Err(Error::usage("--bootstrap-manifests needs a file: the report goes to standard output")
            .hint("give a file, such as --bootstrap-manifests rbac.yaml"));
    }
    let all = bindings::of(profile.kubernetes_version);
    if all.is_empty() {
        return Err(Error::usage(format!("Kubernetes {} needs no bindings", profile.kubernetes_version))
            .because("expected a release from v1.29.0 on: before, the certificates are in system:masters")
            .hint("leave --bootstrap-manifests out"));
    }
    let text = all.iter().map(document).collect::<Vec<_>>().join("---\n");
    match files::read_input(path, LARGEST)? {
        FileState::File { bytes, .. } if bytes.as_slice() != text.as_bytes() => {
            return Err(Error::new(format!("{} exists already, with other content", path.display()))
                .hint("give another file with --bootstrap-manifests, or remove this one"));
        }
        // DIR is made with the tree, before the file.
        FileState::Missing if is_new(&request.directory)? && is_in(path, &request.directory) => {}
        _ => store::check_file(path, true)?,
    }
    Ok(Some(text))
}

fn is_new(directory: &Path) -> Result<bool, Error> {
    Ok(survey::open(directory)?.is_none())
}

/// Whether a file stands directly in a directory, as far as their paths say it.
fn is_in(file: &Path, directory: &Path) -> bool {
    let whole = |path: &Path| std::path::absolute(path).ok();
    file.file_name().is_some() && whole(file).as_deref().and_then(Path::parent) == whole(directory).as_deref()
}

pub fn write(path: &Path, text: &str) -> Result<(), Error> {
    Ok(store::replace_file(path, text.as_bytes(), 0o644)?)
}

fn document(binding: &Binding) -> String {
    let Binding { name, role, kind, subject, entry } = binding;
    format!(
        "# {entry} has its rights from this.\n\
         apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata:\n  name: {name}\nroleRef:\n  \
         apiGroup: rbac.authorization.k8s.io\n  kind: ClusterRole\n  name: {role}\nsubjects:\n- apiGroup: \
         rbac.authorization.k8s.io\n  kind: {kind}\n  name: {subject}\n"
    )
}
