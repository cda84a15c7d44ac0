//! Whether a tree has issued a serial number: from its journal, its files, and the files in its generations.

use crate::error::Error;
use crate::files::{Dir, RelPath};
use crate::plan::renew::certificate_of;
use crate::store;
use crate::tree::leaf;
use crate::workspace::journal::{self, Line, serial_text};
use crate::workspace::{Session, Snapshot, survey};
use crate::x509::Certificate;

/// `None`: never seen; the inner one is the entry's name, if known.
pub fn entry(
    session: &Session<'_>,
    snapshot: &Snapshot,
    issuer: &Certificate,
    serial: &[u8],
) -> Result<Option<Option<String>>, Error> {
    let is_it = |one: &Certificate| one.serial == serial && one.issuer_der == issuer.subject_der;
    let present =
        session.credentials.iter().find(|one| certificate_of(one, &snapshot.survey).is_some_and(|one| is_it(&one)));
    if let Some(credential) = present {
        return Ok(Some(Some(credential.id.to_string())));
    }
    let (text, by) = (serial_text(serial), issuer.subject.to_string());
    for line in journal::read(&session.tree.roots)? {
        // A revocation alone does not prove that it was issued here.
        if let Line::Certificate(line) = line
            && (line.serial.as_str(), line.issuer.as_str()) == (&text, &by)
        {
            return Ok(Some(Some(line.entry)));
        }
    }
    let Some(all) = survey::open(&session.tree.roots.main.join(".kpki/generations"))? else { return Ok(None) };
    for generation in store::generations(&session.tree.roots)? {
        let kept = generation.kept.iter().filter(|(_, path)| may_hold(path));
        for (root, path) in kept {
            let below = RelPath::parse(format!("{}/{}/{path}", generation.name, root.name()))?;
            if kept_certificate(&all, &below)?.is_some_and(|one| is_it(&one)) {
                return Ok(Some(Some(path.to_string())));
            }
        }
    }
    Ok(None)
}

/// Keys and CRLs are not read for this.
fn may_hold(path: &RelPath) -> bool {
    [".crt", ".pem", ".conf"].iter().any(|end| path.as_str().ends_with(end))
}

fn kept_certificate(all: &Dir, path: &RelPath) -> Result<Option<Certificate>, Error> {
    Ok(survey::read_below(all, path)?.and_then(|bytes| leaf::leaf(&bytes)))
}
