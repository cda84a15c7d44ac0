//! The nonce of an archive: which one it is, and that nothing of what it brings was changed since it was packed.

use super::digest::Sha256;
use super::manifest;
use crate::tree::layout::DEFAULT_DIR;
use crate::x509::sha256;

/// The digest of what is no secret: the manifest without it, which has the fingerprints of all entries, then CRLs, profile and
/// state, each with its path and length. `files`: path on the node and content, of all files but the manifest.
pub fn of<'a>(manifest: &[u8], files: impl Iterator<Item = (&'a str, &'a [u8])>) -> Sha256 {
    let own = format!("{DEFAULT_DIR}/.kpki/");
    let is_list = |path: &str| path.ends_with(".crl") || path.ends_with(".crl.der");
    let mut public: Vec<(&str, &[u8])> = files.filter(|(path, _)| path.starts_with(&own) || is_list(path)).collect();
    public.sort_unstable();
    let mut all = Vec::new();
    for (path, bytes) in public.into_iter().chain([(manifest::NAME, manifest)]) {
        all.extend_from_slice(format!("{path} {}\n", bytes.len()).as_bytes());
        all.extend_from_slice(bytes);
    }
    Sha256(sha256(&all))
}
