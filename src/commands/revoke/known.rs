//! Whether a tree has issued a serial number: from its journal, its files, and the files in its generations.

use crate::error::Error;
use crate::plan::renew::certificate_of;
use crate::workspace::journal::{self, Line, serial_text};
use crate::workspace::{Session, Snapshot, generations};
use crate::x509::Certificate;

/// `None`: never seen; the inner one is the entry's name, if known.
pub fn entry(
    session: &Session<'_>,
    snapshot: &Snapshot,
    issuer: &Certificate,
    serial: &[u8],
) -> Result<Option<Option<String>>, Error> {
    let is_it = |one: &Certificate| one.serial == serial && one.names_issuer(issuer);
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
    let kept = generations::kept_certificates(&session.tree.roots)?;
    Ok(kept.into_iter().find(|(_, one)| is_it(one)).map(|(path, _)| Some(path.to_string())))
}
