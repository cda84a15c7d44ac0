//! Whether a tree has ever issued a serial number: its journal, its files, and the files its generations keep say so.

use crate::commands::journal::serial_text;
use crate::commands::renew::tree::Tree;
use crate::commands::{crls, restore, survey};
use crate::error::Error;
use crate::files::{Dir, RelPath};
use crate::plan::decision::Survey;
use crate::plan::renew::certificate_of;
use crate::store;
use crate::x509::Certificate;

/// `None`: never seen; the inner one is the entry's name, where one is known.
pub fn entry(
    tree: &Tree<'_>,
    survey: &Survey,
    issuer: &Certificate,
    serial: &[u8],
) -> Result<Option<Option<String>>, Error> {
    let is_it = |one: &Certificate| one.serial == serial && one.issuer_der == issuer.subject_der;
    let lying = tree.credentials.iter().find(|one| certificate_of(one, survey).is_some_and(|one| is_it(&one)));
    if let Some(credential) = lying {
        return Ok(Some(Some(credential.id())));
    }
    let (text, by) = (serial_text(serial), issuer.subject.to_string());
    for line in crls::journal(tree)? {
        let said = |key: &str| line.get(key).and_then(serde_json::Value::as_str);
        // A revocation alone does not say that it was issued here.
        if said("serial") == Some(&text) && said("issuer") == Some(&by) && said("crlNumber").is_none() {
            return Ok(Some(said("entry").map(str::to_owned)));
        }
    }
    let Some(all) = survey::open(&tree.roots.main.join(".kpki/generations"))? else { return Ok(None) };
    for generation in store::generations(&tree.roots)? {
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

/// No key is opened for this, and no list.
fn may_hold(path: &RelPath) -> bool {
    [".crt", ".pem", ".conf"].iter().any(|end| path.as_str().ends_with(end))
}

fn kept_certificate(all: &Dir, path: &RelPath) -> Result<Option<Certificate>, Error> {
    Ok(survey::read_below(all, path)?.and_then(|bytes| restore::certificate(&bytes)))
}
