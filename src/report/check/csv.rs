//! CSV: RFC 4180's quoting, a header, one line per item. Lines end in LF: `cut` and `awk` read it, spreadsheets do, too.

use std::borrow::Cow;
use std::io::{self, Write};

use super::cells;
use super::result::Check;
use crate::audit::{Judged, JudgedTree, State};
use crate::clock::rfc3339;
use crate::inventory::Reading;

const HEADER: &str = "cluster,node,name,type,state,expirationDate,residualTime,caName,externallyManaged,missing,notBefore,\
                      subject,issuer,sans,serial,algorithm,sha256,path,reason";

pub fn write(check: &Check, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{HEADER}")?;
    for one in &check.interruptions {
        let state = if one.open { State::Warning } else { State::Ok };
        let (name, path, text) = (quoted("interrupted run"), quoted(&one.directory), quoted(&one.text));
        writeln!(out, ",,{name},run,{},,,,,,,,,,,,,{path},{text}", state.name())?;
    }
    for (tree, items) in check.selected() {
        for judged in items {
            for (i, cell) in row(tree, judged).iter().enumerate() {
                write!(out, "{}{}", if i == 0 { "" } else { "," }, quoted(cell))?;
            }
            writeln!(out)?;
        }
    }
    Ok(())
}

fn row<'a>(tree: &'a JudgedTree, judged: &'a Judged) -> [Cow<'a, str>; 19] {
    let item = &judged.item;
    let certificate = cells::certificate(judged);
    let start = match &item.reading {
        Reading::Certificate(facts) => Some(facts.not_before),
        Reading::Crl(facts) => Some(facts.this_update),
        Reading::Missing | Reading::Unreadable(_) => None,
    };
    let reason = match &item.reading {
        Reading::Unreadable(why) => why.to_string(),
        _ => String::new(),
    };
    [
        tree.cluster.as_deref().unwrap_or_default().into(),
        tree.node.as_deref().unwrap_or_default().into(),
        item.name.as_str().into(),
        cells::type_name(item.kind).into(),
        judged.state.name().into(),
        judged.expires.map(rfc3339).unwrap_or_default().into(),
        judged.residual.map(|seconds| seconds.to_string()).unwrap_or_default().into(),
        cells::authority(judged).into(),
        item.externally_managed.to_string().into(),
        (item.reading == Reading::Missing).to_string().into(),
        start.map(rfc3339).unwrap_or_default().into(),
        certificate.map_or("", |facts| &facts.subject).into(),
        cells::issuer(judged).into(),
        certificate.map(|facts| facts.sans.join(" ")).unwrap_or_default().into(),
        certificate.map_or("", |facts| &facts.serial).into(),
        certificate.map_or("", |facts| &facts.algorithm).into(),
        certificate.map(|facts| cells::hex(&facts.fingerprint)).unwrap_or_default().into(),
        item.path.as_str().into(),
        reason.into(),
    ]
}

/// A record is one line here: a line break inside a value is shown as what it is not, a character.
pub fn quoted(cell: &str) -> Cow<'_, str> {
    let harmless = |byte: &u8| (b' '..0x7f).contains(byte) && *byte != b',' && *byte != b'"';
    if cell.bytes().all(|byte| harmless(&byte)) && !cell.starts_with(' ') && !cell.ends_with(' ') {
        return cell.into();
    }
    let cell: String = cell.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if cell.contains([',', '"']) || cell.starts_with(' ') || cell.ends_with(' ') {
        return format!("\"{}\"", cell.replace('"', "\"\"")).into();
    }
    cell.into()
}
