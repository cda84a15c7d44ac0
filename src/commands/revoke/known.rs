//! Whether a tree has ever issued a serial number: its journal, its files, and the files its generations keep say so.

use crate::commands::journal::serial_text;
use crate::commands::lists;
use crate::commands::renew::tree::Tree;
use crate::error::Error;
use crate::inventory::{self, Reading};
use crate::x509::Certificate;

/// `None`: never seen; the inner one is the entry's name, where one is known.
pub fn entry(tree: &Tree<'_>, issuer: &Certificate, serial: &[u8]) -> Result<Option<Option<String>>, Error> {
    let serial = serial_text(serial);
    let by = issuer.subject.to_string();
    for line in lists::journal(tree)? {
        let text = |key: &str| line.get(key).and_then(serde_json::Value::as_str);
        if text("serial") == Some(serial.as_str()) && text("issuer") == Some(by.as_str()) && text("crlNumber").is_none()
        {
            return Ok(Some(text("entry").map(str::to_owned)));
        }
    }
    let generations = tree.roots.main.join(".kpki/generations");
    let profile = tree.target.profile.as_ref();
    for (root, profile) in [(&tree.target.root, profile), (&generations, None)] {
        for request in inventory::requests(root, profile).unwrap_or_default() {
            for item in inventory::tree(&tree.target.refine(request)).items {
                if let Reading::Certificate(facts) = &item.reading
                    && facts.serial == serial
                    && facts.issuer == by
                {
                    return Ok(Some(Some(item.name)));
                }
            }
        }
    }
    Ok(None)
}
