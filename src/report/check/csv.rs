//! CSV: RFC 4180's quoting, a header, one line per item. Lines end in LF: `cut` and `awk` read it, spreadsheets do, too.

use super::document::{hex, type_name};
use super::{Check, cells};
use crate::audit::{Judged, JudgedTree};
use crate::clock::rfc3339;
use crate::inventory::Reading;

const HEADER: [&str; 19] = [
    "cluster",
    "node",
    "name",
    "type",
    "state",
    "expirationDate",
    "residualTime",
    "caName",
    "externallyManaged",
    "missing",
    "notBefore",
    "subject",
    "issuer",
    "sans",
    "serial",
    "algorithm",
    "sha256",
    "path",
    "reason",
];

pub fn render(check: &Check) -> String {
    let mut text = HEADER.join(",") + "\n";
    for (tree, items) in check.selected() {
        for judged in items {
            let row: Vec<String> = row(tree, judged).iter().map(|cell| quoted(cell)).collect();
            text.push_str(&row.join(","));
            text.push('\n');
        }
    }
    text
}

fn row(tree: &JudgedTree, judged: &Judged) -> [String; HEADER.len()] {
    let item = &judged.item;
    let certificate = match &item.reading {
        Reading::Certificate(facts) => Some(facts),
        _ => None,
    };
    let (not_before, issuer) = match &item.reading {
        Reading::Certificate(facts) => (rfc3339(facts.not_before), facts.issuer.clone()),
        Reading::Crl(facts) => (rfc3339(facts.this_update), facts.issuer.clone()),
        _ => Default::default(),
    };
    [
        tree.cluster.clone().unwrap_or_default(),
        tree.node.clone().unwrap_or_default(),
        item.name.clone(),
        type_name(item.kind).to_owned(),
        judged.state.name().to_owned(),
        judged.expires.map(rfc3339).unwrap_or_default(),
        judged.residual.map(|seconds| seconds.to_string()).unwrap_or_default(),
        cells::authority(judged),
        item.externally_managed.to_string(),
        (item.reading == Reading::Missing).to_string(),
        not_before,
        certificate.map(|facts| facts.subject.clone()).unwrap_or_default(),
        issuer,
        certificate.map(|facts| facts.sans.join(" ")).unwrap_or_default(),
        certificate.map(|facts| facts.serial.clone()).unwrap_or_default(),
        certificate.map(|facts| facts.algorithm.clone()).unwrap_or_default(),
        certificate.map(|facts| hex(&facts.fingerprint)).unwrap_or_default(),
        item.path.clone(),
        match &item.reading {
            Reading::Unreadable(why) => why.to_string(),
            _ => String::new(),
        },
    ]
}

/// A record is one line here: a line break inside a value is shown as what it is not, a character.
pub fn quoted(cell: &str) -> String {
    let cell: String = cell.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if cell.contains([',', '"']) || cell.starts_with(' ') || cell.ends_with(' ') {
        return format!("\"{}\"", cell.replace('"', "\"\""));
    }
    cell
}
