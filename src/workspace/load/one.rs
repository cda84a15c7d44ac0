//! One file with its owner and mode; and which node's files they are.

use std::path::Path;

use super::content;
use crate::catalog::CaId;
use crate::catalog::paths::KUBELET_CONF;
use crate::files::{self, FileState, Kind, What};
use crate::verify::{Content, File, Metadata, Part};

/// A certificate bundle, a kubeconfig or a manifest is no larger, in bytes.
const LARGEST: u64 = 4 << 20;

/// With what is in it, as values.
pub fn read(
    entry: &str,
    part: Part,
    authority: Option<CaId>,
    path: &Path,
    content: impl FnOnce(&[u8]) -> Content,
) -> File {
    let link = files::link(path).map(|target| target.display().to_string());
    let (metadata, content) = match bytes(path, part) {
        Ok(FileState::Missing) if link.is_some() => {
            (None, Content::Broken("expected a file, found a symlink to nothing".to_owned()))
        }
        Ok(FileState::Missing) => (None, Content::Missing),
        Ok(FileState::File { bytes, mode, uid, gid }) => (Some(Metadata { mode, uid, gid, link }), content(&bytes)),
        Err(kind) if kind == Kind::PermissionDenied => (None, Content::Closed(kind.to_string())),
        Err(kind) => (None, Content::Broken(kind.to_string())),
    };
    File {
        entry: entry.to_owned(),
        part,
        path: path.display().to_string(),
        authority,
        required: false,
        metadata,
        content,
    }
}

/// A CRL may be large, and nothing else.
fn bytes(path: &Path, part: Part) -> Result<FileState, Kind> {
    let largest = if matches!(part, Part::Crl | Part::CrlDer) { content::LARGEST_CRL } else { LARGEST };
    match files::read_input(path, largest) {
        // Below what is no directory there is nothing.
        Err(why) if files::what(None, path).is_none_or(|what| what == What::Unknown) && why.kind == Kind::Missing => {
            Ok(FileState::Missing)
        }
        read => read.map_err(|why| why.kind),
    }
}

/// The name that most of kubelet.conf and etcd's two certificates say; of as many the kubelet's.
pub fn node_name<'f>(files: impl Iterator<Item = &'f File> + Clone) -> Option<String> {
    let said = |entry: &str, part: Part, before: &str| {
        let file = files.clone().find(|file| file.entry == entry && file.part == part)?;
        file.certificates().first()?.common_name()?.strip_prefix(before).map(str::to_owned)
    };
    let names = [
        said(KUBELET_CONF, Part::Kubeconfig, "system:node:"),
        said("etcd-server", Part::Certificate, ""),
        said("etcd-peer", Part::Certificate, ""),
    ];
    let votes = |name: &String| names.iter().flatten().filter(|other| *other == name).count();
    // The last of those with most votes counts.
    names.iter().rev().flatten().max_by_key(|name| votes(name)).cloned()
}
