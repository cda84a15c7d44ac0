//! Where a report may be written: it replaces what is there.

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::files::{self, FileState};
use crate::report::Check;

/// Reports are far smaller; a larger file is not looked through.
const LARGEST: u64 = 64 << 20;

/// Of PEM files, and of kubeconfigs.
const KEYS: [&[u8]; 2] = [b"PRIVATE KEY-----", b"client-key-data:"];

/// Refuses a file inside one of the trees, and one with a private key.
pub fn check(path: &Path, check: &Check) -> Result<(), Error> {
    let refused = |why: String| {
        Err(Error::new(format!("a report is not written to {}", path.display()))
            .because(why)
            .hint("give a file outside of the trees, such as /var/lib/node_exporter/textfile_collector/kpki.prom"))
    };
    let file = real(path);
    let trees = check.trees.iter().filter(|tree| tree.origin.is_tree());
    for dir in trees.flat_map(|tree| [PathBuf::from(&tree.origin.dir), tree.origin.pki()]) {
        if file.starts_with(real(&dir)) {
            return refused(format!("it is inside the tree {}", dir.display()));
        }
    }
    match files::read_input(path, LARGEST) {
        Ok(FileState::File { bytes, .. }) if KEYS.iter().any(|key| contains(&bytes, key)) => {
            refused("there is a private key in it".to_owned())
        }
        _ => Ok(()),
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Without symlinks in the directory that it is in.
fn real(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    if let Ok(real) = std::fs::canonicalize(&absolute) {
        return real;
    }
    match (absolute.parent().map(std::fs::canonicalize), absolute.file_name()) {
        (Some(Ok(above)), Some(name)) => above.join(name),
        _ => absolute,
    }
}
