//! ca-signer.crt of a node, as the static pod of its kube-controller-manager needs it.

use std::path::Path;

use crate::catalog::CaId;
use crate::catalog::paths::{DEFAULT_CERTIFICATES_DIR, SIGNER_ENTRY, SIGNER_FILE};
use crate::files::{self, FileState};
use crate::inventory::{Form, Item, Kind, Reading, Request, Tree};
use crate::plan::signer_file::{SigningNode, flag};
use crate::profile::NodeRole;
use crate::workspace::signer_file::MANIFEST;

/// The manifest of a static pod, in bytes.
const LARGEST: u64 = 1 << 20;

/// Marks the file as missing where a manifest or the profile asks for it, and notes what is wrong with the flag, as `kpki init` says
/// it.
pub fn look(request: &Request<'_>, tree: &mut Tree) {
    let is_authority = |item: &&Item| item.name == CaId::Cluster.name() && item.kind == Kind::Authority;
    let certificates = tree.items.iter().filter(is_authority);
    let mut certificates = certificates.filter(|item| matches!(item.reading, Reading::Certificate(_)));
    let Some(ca) = certificates.next().filter(|_| request.form == Form::Node) else { return };
    let signer = Path::new(&ca.path).with_file_name(SIGNER_FILE).display().to_string();
    let certificates = certificates.count().saturating_add(1);
    let path = request.root.join(MANIFEST);
    let shown = path.display().to_string();
    let node = SigningNode {
        flag: flag(read(&path).as_deref()),
        manifest: &shown,
        certificates_dir: request.profile.map_or(DEFAULT_CERTIFICATES_DIR, |profile| &profile.certificates_dir),
        certificates,
        exists: tree.items.iter().any(|item| item.name == SIGNER_ENTRY),
        is_new: false,
    };
    let notices = node.notices();
    let is_asked = request.profile.is_some_and(|profile| {
        let node = request.node.as_deref().and_then(|name| profile.node(name));
        profile.signer_file && node.is_none_or(|node| node.is(NodeRole::ControlPlane))
    });
    // Of one certificate the file itself is all that can be wrong.
    let is_named = !SigningNode { certificates: 1, ..node.clone() }.notices().is_empty();
    if !node.exists && (is_asked || is_named) {
        tree.items.push(missing(signer));
        // `kpki init` writes it, unless ca.crt holds one certificate and the profile does not ask.
        if certificates == 1 && !is_asked {
            tree.notes.extend(notices);
        }
    } else {
        tree.notes.extend(notices);
    }
}

fn missing(path: String) -> Item {
    Item {
        name: SIGNER_ENTRY.to_owned(),
        path,
        kind: Kind::Authority,
        position: 0,
        authority: None,
        optional: false,
        externally_managed: false,
        has_issuer: false,
        reading: Reading::Missing,
    }
}

/// What cannot be read is nobody's finding here.
fn read(path: &Path) -> Option<Vec<u8>> {
    match files::read_input(path, LARGEST).ok()? {
        FileState::File { bytes, .. } => Some(bytes.to_vec()),
        FileState::Missing => None,
    }
}
