//! Where a report may be written: it replaces what is there.

use std::path::{Path, PathBuf};

use crate::encoding::found::found;
use crate::error::Error;
use crate::files::{self, FileState};
use crate::report::{Check, CheckForm};
use crate::store;
use crate::tree::Origin;

/// Reports are far smaller; a larger file is not looked through.
const LARGEST: u64 = 64 << 20;

/// Of PEM files, and of kubeconfigs.
const KEYS: [&[u8]; 2] = [b"PRIVATE KEY-----", b"client-key-data:"];

/// Writes a report atomically and world-readable, for node_exporter's user among others; never over what belongs to a tree, or a key.
pub fn write(path: &Path, report: &Check, form: CheckForm) -> Result<(), Error> {
    check(path, report.trees.iter().map(|tree| &tree.origin))?;
    let mut bytes = Vec::new();
    report.write(form, &mut bytes).map_err(|why| Error::new("cannot write the report").because(why))?;
    Ok(store::replace_file(path, &bytes, 0o644)?)
}

/// Refuses a file inside one of the trees, and one that is no report, such as a key or a certificate.
pub fn check<'a>(path: &Path, trees: impl Iterator<Item = &'a Origin>) -> Result<(), Error> {
    let refused = |why: String| {
        Err(Error::new(format!("a report is not written to {}", path.display()))
            .because(why)
            .hint("give a file outside of the trees, such as /var/lib/node_exporter/textfile_collector/kpki.prom"))
    };
    let file = files::real(path);
    for dir in trees.filter(|origin| origin.is_tree()).flat_map(|origin| [PathBuf::from(&origin.dir), origin.pki()]) {
        if file.starts_with(files::real(&dir)) {
            return refused(format!("it is inside the tree {}", dir.display()));
        }
    }
    if let Ok(FileState::File { bytes, .. }) = files::read_input(path, LARGEST) {
        if KEYS.iter().any(|key| contains(&bytes, key)) {
            return refused("there is a private key in it".to_owned());
        }
        if let Some(found) = found(&bytes) {
            return refused(format!("it is {}, and no report", found.name()));
        }
    }
    Ok(())
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
