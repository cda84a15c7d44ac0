//! Where a report may be written: it replaces what is there.

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::files::{self, FileState};
use crate::report::{Check, CheckForm};
use crate::store;

/// Reports are far smaller; a larger file is not looked through.
const LARGEST: u64 = 64 << 20;

/// Of PEM files, and of kubeconfigs.
const KEYS: [&[u8]; 2] = [b"PRIVATE KEY-----", b"client-key-data:"];

/// Writes a report atomically and world-readable, for node_exporter's user among others; never over what belongs to a tree, or a key.
pub fn write(path: &Path, report: &Check, form: CheckForm) -> Result<(), Error> {
    check(path, report)?;
    let mut bytes = Vec::new();
    report.write(form, &mut bytes).map_err(|why| Error::new("cannot write the report").because(why))?;
    Ok(store::replace_file(path, &bytes, 0o644)?)
}

/// Refuses a file inside one of the trees, and one with a private key.
fn check(path: &Path, report: &Check) -> Result<(), Error> {
    let refused = |why: String| {
        Err(Error::new(format!("a report is not written to {}", path.display()))
            .because(why)
            .hint("give a file outside of the trees, such as /var/lib/node_exporter/textfile_collector/kpki.prom"))
    };
    let file = files::real(path);
    let trees = report.trees.iter().filter(|tree| tree.origin.is_tree());
    for dir in trees.flat_map(|tree| [PathBuf::from(&tree.origin.dir), tree.origin.pki()]) {
        if file.starts_with(files::real(&dir)) {
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
