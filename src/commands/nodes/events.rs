//! What was revoked, held and released by the nodes' journals and lists, as the entries of an authority's next list.

use std::collections::BTreeMap;

use crate::error::Error;
use crate::plan::list_merge::{Difference, Event, difference, merged};
use crate::plan::revoke::serial_of_hex;
use crate::revocation::Revoked;
use crate::workspace::Session;
use crate::workspace::crls::TreeCrl;
use crate::workspace::journal::{CrlLine, Line};
use crate::workspace::remembered::SameAuthority;
use crate::workspace::shipping::receipt::{Receipt, instant};
use crate::x509::Certificate;

/// What is added and removed, and the nodes' lines that say so, each with its node.
pub type Changed = (Vec<Revoked>, Vec<Vec<u8>>, Vec<(String, CrlLine)>);

/// What the lines of the receipts, and the other lists in them, change on this list.
pub fn changes(
    session: &Session<'_>,
    crl: &TreeCrl,
    issuer: &Certificate,
    (signers, other): (&[&Receipt], &[(&str, CrlLine)]),
    own: &[Line],
) -> Result<Changed, Error> {
    let same = SameAuthority::of(own, issuer);
    let of_issuer = |line: &'_ Line| match line {
        Line::Crl(line) if same.has_issued(line) => Some((serial_of_hex(line.serial.as_deref()?)?, line.clone())),
        _ => None,
    };
    let mut said: BTreeMap<Vec<u8>, Vec<(Option<String>, CrlLine)>> = BTreeMap::new();
    for one in signers {
        for (serial, line) in one.journal.iter().filter_map(of_issuer) {
            said.entry(serial).or_default().push((Some(one.node.clone()), line));
        }
    }
    for (node, line) in other {
        let Some(serial) = line.serial.as_deref().and_then(serial_of_hex) else { continue };
        said.entry(serial).or_default().push((Some((*node).to_owned()), line.clone()));
    }
    for (serial, line) in own.iter().filter_map(of_issuer) {
        said.entry(serial).and_modify(|lines| lines.push((None, line)));
    }
    let serials: Vec<&[u8]> = said.keys().map(Vec::as_slice).collect();
    let listed = crl.entries(&session.tree, &serials)?;
    let (mut additions, mut removals, mut lines) = (Vec::new(), Vec::new(), Vec::new());
    for ((serial, all), listed) in said.iter().zip(&listed) {
        let event = |(_, line): &(_, CrlLine)| Some(Event { at: instant(&line.time)?, entry: line.revoked(serial) });
        let events: Vec<Event> = all.iter().filter_map(event).collect();
        let wanted = match difference(listed.as_ref(), merged(listed.as_ref(), &events)) {
            Difference::None => continue,
            Difference::Add(entry) => Some(entry),
            Difference::Remove => None,
        };
        let says_so = |(node, line): &&(Option<String>, CrlLine)| node.is_some() && line.revoked(serial) == wanted;
        let by = all.iter().filter(says_so).max_by(|a, b| a.1.time.cmp(&b.1.time));
        lines.extend(by.and_then(|(node, line)| Some((node.clone()?, line.clone()))));
        match wanted {
            Some(entry) => additions.push(entry),
            None => removals.push(serial.clone()),
        }
    }
    Ok((additions, removals, lines))
}
