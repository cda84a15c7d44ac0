//! What is not in a table.

use time::OffsetDateTime;

use super::cells;
use super::result::Check;
use crate::audit::{Judged, Note};
use crate::catalog::CaId;
use crate::inventory::Reading;

/// Why something cannot be read, and what the neighbours say; once per kind and authority.
pub fn texts(check: &Check) -> Vec<String> {
    const MOST: usize = 10;
    let unreadable = |judged: &Judged| match &judged.item.reading {
        Reading::Unreadable(why) => Some(format!("{}: {why}", judged.item.path)),
        _ => None,
    };
    let mut texts: Vec<String> = check.items().filter_map(|(_, judged)| unreadable(judged)).collect();
    let unread = texts.len();
    texts.truncate(MOST);
    if unread > MOST {
        texts.push(format!("and {} more that cannot be read", unread - MOST));
    }
    for authority in CaId::ALL {
        let name = authority.name();
        let signed = check.items().filter(|(_, judged)| judged.item.authority == Some(authority));
        let mut outlives = signed.filter_map(|(_, judged)| Some((&judged.item.name, outlived(judged)?)));
        if let Some((first, until)) = outlives.next() {
            let others = match outlives.count() {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let until = cells::date(until);
            texts.push(format!(
                "{first}{others} would outlive {name}, which expires {until}, and cannot be used after that"
            ));
        }
        let mut own = check.items().filter(|(_, judged)| judged.item.name == name);
        if let Some((end, wanted)) = own.find_map(|(_, judged)| Some((judged.expires?, cut_short(judged)?))) {
            let (end, wanted) = (cells::date(end), cells::date(wanted));
            texts.push(format!(
                "{name} expires {end}: certificates of the next renewal would expire {wanted}, and are shortened"
            ));
        }
    }
    texts.extend(rotating(check));
    texts
}

fn outlived(judged: &Judged) -> Option<OffsetDateTime> {
    judged.notes.iter().find_map(|note| match note {
        Note::OutlivesAuthority { until } => Some(*until),
        _ => None,
    })
}

fn cut_short(judged: &Judged) -> Option<OffsetDateTime> {
    judged.notes.iter().find_map(|note| match note {
        Note::CutsRenewalsShort { wanted } => Some(*wanted),
        _ => None,
    })
}

/// What a rotation in progress means for the table: once for each authority and kind.
fn rotating(check: &Check) -> Vec<String> {
    let mut texts = Vec::new();
    for authority in CaId::ALL {
        let name = authority.name();
        let has = |judged: &Judged, note: &Note| judged.notes.contains(note);
        let own = |note: &'static Note| {
            let mut all = check.items().filter(move |(_, one)| one.item.name == name && one.notes.contains(note));
            all.find_map(|(_, judged)| Some((subject(judged)?, cells::date(judged.expires?))))
        };
        texts.extend(own(&Note::Successor).map(|(subject, _)| {
            format!("{name} is being replaced: {subject} is trusted beside it, and signs after the switch")
        }));
        texts.extend(own(&Note::Retiring).map(|(subject, end)| {
            format!("{subject} of {name} is retiring: it signs nothing any more, and its end on {end} does not count")
        }));
        let signed = check.items().filter(|(_, judged)| judged.item.authority == Some(authority));
        let mut left = signed
            .filter(|(_, judged)| has(judged, &Note::SignedByRetiring))
            .map(|(tree, judged)| tree.id(&judged.item.name));
        if let Some(first) = left.next() {
            let others = match left.count() {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            texts.push(format!("{first}{others}: signed by the {name} that is being retired"));
        }
    }
    texts
}

fn subject(judged: &Judged) -> Option<&str> {
    match &judged.item.reading {
        Reading::Certificate(facts) => Some(&facts.subject),
        _ => None,
    }
}
