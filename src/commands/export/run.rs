//! Read and check everything of the node, then pack it.

use super::request::{Part, Request};
use super::{behind, collect, own, source};
use crate::encoding::archive::{self, Member};
use crate::encoding::pem;
use crate::error::Error;
use crate::report::export::{Export, ExportedFile};
use crate::tree::layout::{DEFAULT_DIR, DEFAULT_KUBELET_DIR};
use crate::workspace::rotation::state;
use crate::workspace::shipping::digest::Sha256;
use crate::workspace::shipping::manifest::Issue;
use std::collections::BTreeSet;
use zeroize::Zeroizing;

/// The archive holds keys.
pub struct Exported {
    pub report: Export,
    pub bytes: Zeroizing<Vec<u8>>,
    pub issue: Option<Issue>,
    /// Of every certificate in it.
    pub prints: BTreeSet<Sha256>,
}

impl std::fmt::Debug for Exported {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Exported({} bytes)", self.bytes.len())
    }
}

/// Reads and checks everything of the node, then packs it.
pub fn run(request: &Request) -> Result<Exported, Error> {
    let source = source::Source::open(request)?;
    let (survey, notes) = source.read(request.now)?;
    state::settled_in(&source.tree, request.now)?;
    let mut read = collect::collect(&source, &survey, notes)?;
    behind::refuse_older(&source)?;
    own::add(&source, &mut read)?;
    let mut parts = read.parts;
    parts.sort_by(|a, b| a.path.cmp(&b.path));
    if let Some(part) = parts.iter().find(|part| {
        (part.mode & 0o077 != 0 || pem::is_called_public(&part.path)) && pem::holds_private_key(&part.bytes)
    }) {
        return Err(Error::new(format!(
            "cannot export {}: a private key is in {}, which is readable for everybody",
            request.node, part.path
        ))
        .hint(format!("leave only the certificate of {} in its file; nothing was written", part.entry)));
    }
    let bytes = pack(&parts, &source.profile.certificates_dir, read.newest, request.gzip)?;
    let prints = read.manifest.entries.iter().flat_map(|one| one.prints().certificates).map(Sha256).collect();
    Ok(Exported {
        issue: read.manifest.issue,
        prints,
        report: Export {
            node: request.node.clone(),
            cluster: source.profile.cluster_name.clone(),
            directory: request.dir.display().to_string(),
            out: request.out.clone(),
            bytes: bytes.len(),
            ca_keys: read.ca_keys,
            files: parts
                .iter()
                .map(|p| ExportedFile { path: p.path.clone(), entry: p.entry.clone(), mode: p.mode })
                .collect(),
            notes: read.notes,
        },
        bytes,
    })
}

/// The same files always give the same bytes: sorted, owned by root, with the notBefore of the newest certificate as
/// mtime (`newest`, in seconds since 1970): tar warns about 1970, and a backup of the node must see that the files are
/// new.
fn pack(parts: &[Part], certificates_dir: &str, newest: u64, gzip: bool) -> Result<Zeroizing<Vec<u8>>, Error> {
    let below = |path: &str| path.trim_start_matches('/').to_owned();
    let mut directories = BTreeSet::new();
    for part in parts {
        let mut path = part.path.as_str();
        while let Some((parent, _)) = path.rsplit_once('/') {
            if is_above(parent, certificates_dir) {
                break;
            }
            directories.insert(below(parent));
            path = parent;
        }
    }
    let files: Vec<(String, &Part)> = parts.iter().map(|part| (below(&part.path), part)).collect();
    let kpki = below(&own::kpki());
    let mode = |path: &String| if *path == kpki { own::KPKI_MODE } else { 0o755 };
    let directories = directories.iter().map(|path| Member { path, mode: mode(path), content: None });
    let files_of = files.iter().map(|(path, part)| Member { path, mode: part.mode, content: Some(&part.bytes) });
    let mut members: Vec<Member<'_>> = directories.chain(files_of).collect();
    members.sort_by(|a, b| a.path.cmp(b.path));
    let failed = |why: archive::ArchiveError| Error::new("cannot make the archive").because(why);
    let bytes = archive::write(&members, newest, gzip).map_err(failed)?;
    // The archive unpacks to the files that were read.
    let back = archive::read(&bytes).map_err(failed)?;
    let fits = |(one, (path, part)): (&archive::Content, &(String, &Part))| {
        one.path == *path && one.mode == part.mode && one.bytes == part.bytes
    };
    if back.len() != files.len() || !back.iter().zip(&files).all(fits) {
        return Err(Error::new("the archive differs from the files that were packed").hint("report this as a bug"));
    }
    Ok(bytes)
}

/// Directories of the operating system: unpacking does not change their modes.
fn is_above(directory: &str, certificates_dir: &str) -> bool {
    let parents = |dir: &str| dir.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'));
    directory.is_empty() || [DEFAULT_DIR, DEFAULT_KUBELET_DIR, certificates_dir].into_iter().any(parents)
}
