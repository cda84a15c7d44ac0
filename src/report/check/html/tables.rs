//! The tables of a place.

use std::collections::BTreeMap;
use std::io;

use time::OffsetDateTime;

use super::parts::{Form, Out, class};
use crate::audit::{Judged, JudgedTree, State};
use crate::clock::distance;
use crate::inventory::Reading;
use crate::report::check::cells;
use crate::report::xml::Xml;

pub fn of_tree(tree: &JudgedTree, items: &[&Judged], form: Form, out: Out<'_>) -> io::Result<()> {
    let authority = if form.folded { "" } else { "<th scope=\"col\" class=\"wide\">Authority</th>" };
    writeln!(
        out,
        "<table><caption>{}</caption><thead><tr><th scope=\"col\">Certificate</th><th scope=\"col\">Expires</th>\
         <th scope=\"col\">When</th><th scope=\"col\">State</th>{authority}</tr></thead><tbody>",
        Xml::attribute(&cells::place(tree))
    )?;
    if form.folded {
        folded(items, form, out)?;
    } else {
        items.iter().try_for_each(|judged| row(judged, form, out))?;
    }
    writeln!(out, "</tbody></table>")
}

/// A date without zone, which a line may be broken in.
pub fn date(at: OffsetDateTime) -> String {
    format!("{} {:02}:{:02}", at.date(), at.hour(), at.minute())
}

/// The cells for when something ends.
pub fn end(expires: Option<OffsetDateTime>, now: OffsetDateTime) -> String {
    let cell = |at| format!("<td>{}</td><td>{}</td>", date(at), distance(now, at));
    expires.map_or_else(|| "<td></td><td></td>".to_owned(), cell)
}

/// The cell for the state.
pub fn state(state: State) -> String {
    format!("<td class=\"{}\">{}</td>", class(state), state.words())
}

fn row(judged: &Judged, form: Form, out: Out<'_>) -> io::Result<()> {
    let details = match &judged.item.reading {
        Reading::Certificate(facts) => format!("{}: {}", judged.item.path, facts.subject),
        Reading::Unreadable(why) => format!("{}: {why}", judged.item.path),
        Reading::Crl(_) | Reading::Missing => judged.item.path.clone(),
    };
    writeln!(
        out,
        "<tr><th scope=\"row\">{}<span class=\"muted\">{}</span></th>{}{}<td class=\"wide\">{}</td></tr>",
        Xml::attribute(&cells::name(judged)),
        Xml::attribute(&details),
        end(judged.expires, form.at),
        state(judged.state),
        Xml::attribute(cells::authority(judged)),
    )
}

/// What is in one state and ends together is one row, the worst first. What cannot be read says why.
fn folded(items: &[&Judged], form: Form, out: Out<'_>) -> io::Result<()> {
    let mut groups: BTreeMap<_, Vec<&Judged>> = BTreeMap::new();
    for judged in items {
        let why = match &judged.item.reading {
            Reading::Unreadable(why) => format!(": {why}"),
            _ => String::new(),
        };
        groups.entry((std::cmp::Reverse(judged.state), judged.expires, why)).or_default().push(judged);
    }
    for ((std::cmp::Reverse(one), expires, why), group) in groups {
        let names = group.iter().map(|judged| cells::name(judged)).collect::<Vec<_>>().join(", ");
        let count = if group.len() > 1 { format!("{}: ", group.len()) } else { String::new() };
        writeln!(
            out,
            "<tr><th scope=\"row\">{}</th>{}{}</tr>",
            Xml::attribute(&format!("{count}{names}{why}")),
            end(expires, form.at),
            state(one)
        )?;
    }
    Ok(())
}
