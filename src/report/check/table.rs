//! kubeadm's table, with a verdict above it, a column for the state where there is something to say, and what to do below.

use time::OffsetDateTime;

use super::cells::{self, Block};
use super::result::{Check, Line, Tone};
use super::{advice, fleet, verdict};
use crate::audit::{Judged, JudgedTree, Note, State};
use crate::catalog::CaId;
use crate::inventory::Reading;
use crate::report::table::sanitised;

/// From this many trees on a table begins with a line per cluster and shows the worst items only.
const MANY: usize = 10;

pub fn lines(check: &Check) -> Vec<Line> {
    let mut lines = vec![verdict::line(check)];
    if check.trees.len() >= MANY || (check.trees.len() > 1 && check.selection.top.is_some()) {
        lines.extend(fleet::lines(check));
    } else {
        let selected = check.selected();
        let shown: usize = selected.iter().map(|(_, items)| items.len()).sum();
        for (tree, items) in selected.iter().filter(|(_, items)| !items.is_empty()) {
            lines.push(Line::plain(""));
            if check.trees.len() > 1 {
                lines.push(Line::strong(sanitised(&cells::place(tree))));
            }
            lines.extend(blocks(items));
        }
        lines.extend(verdict::hidden(check, shown));
    }
    lines.extend(notes(check));
    lines.extend(advice::lines(&check.advice));
    lines
}

/// The blocks of one tree: certificates, authorities, revocation lists.
fn blocks(items: &[&Judged]) -> Vec<Line> {
    // kubeadm's table is left as people know it as long as there is nothing to add.
    let with_state = items.iter().any(|judged| judged.state != State::Ok);
    let mut lines = Vec::new();
    for (block, header) in [
        (
            Block::Certificate,
            &["CERTIFICATE", "EXPIRES", "RESIDUAL TIME", "CERTIFICATE AUTHORITY", "EXTERNALLY MANAGED"][..],
        ),
        (Block::Authority, &["CERTIFICATE AUTHORITY", "EXPIRES", "RESIDUAL TIME", "EXTERNALLY MANAGED"][..]),
        (Block::Crl, &["REVOCATION LIST", "EXPIRES", "RESIDUAL TIME", "CERTIFICATE AUTHORITY"][..]),
    ] {
        let rows: Vec<(Vec<String>, Tone)> = items
            .iter()
            .filter(|judged| cells::block(judged) == block)
            .map(|judged| (row(judged, block, with_state), Tone::of(judged.state)))
            .collect();
        if rows.is_empty() {
            continue;
        }
        if !lines.is_empty() {
            lines.push(Line::plain(""));
        }
        let header: Vec<&str> = header.iter().copied().chain(with_state.then_some("STATE")).collect();
        lines.extend(cells::columns(&header, &rows));
    }
    lines
}

fn row(judged: &Judged, block: Block, with_state: bool) -> Vec<String> {
    let mut row = vec![cells::name(judged), cells::expires(judged), cells::residual(judged)];
    match block {
        Block::Certificate => row.extend([cells::authority(judged), cells::external(judged)].map(str::to_owned)),
        Block::Authority => row.push(cells::external(judged).to_owned()),
        Block::Crl => row.push(cells::authority(judged).to_owned()),
    }
    row.extend(with_state.then(|| cells::state(judged).to_owned()));
    row
}

/// What is not in a table: why something cannot be read, and what the neighbours say; once per kind and authority.
fn notes(check: &Check) -> Vec<Line> {
    const MOST: usize = 10;
    let all: Vec<(&JudgedTree, &Judged)> =
        check.trees.iter().flat_map(|tree| tree.items.iter().map(move |judged| (tree, judged))).collect();
    let mut texts: Vec<String> = all
        .iter()
        .filter_map(|(_, judged)| match &judged.item.reading {
            Reading::Unreadable(why) => Some(format!("{}: {why}", judged.item.path)),
            _ => None,
        })
        .collect();
    let unread = texts.len();
    texts.truncate(MOST);
    if unread > MOST {
        texts.push(format!("and {} more that cannot be read", unread - MOST));
    }
    for authority in CaId::ALL {
        let outlives: Vec<_> = all
            .iter()
            .filter(|(_, judged)| judged.item.authority == Some(authority))
            .filter_map(|(_, judged)| outlived(judged).map(|until| (judged, until)))
            .collect();
        if let Some((judged, until)) = outlives.first() {
            let others = match outlives.len() {
                1 => String::new(),
                count => format!(" and {} more", count - 1),
            };
            texts.push(format!(
                "{}{others} would outlive {}, which ends {}: of no use from then on",
                judged.item.name,
                authority.name(),
                cells::date(*until)
            ));
        }
        let short = all
            .iter()
            .filter(|(_, judged)| judged.item.name == authority.name())
            .find_map(|(_, judged)| Some((judged.expires?, cut_short(judged)?)));
        if let Some((end, wanted)) = short {
            texts.push(format!(
                "{} ends {}: certificates it signs at the next renewal would end {}, and are cut short",
                authority.name(),
                cells::date(end),
                cells::date(wanted)
            ));
        }
    }
    let mut lines: Vec<Line> =
        texts.into_iter().map(|text| Line::plain(format!("note: {}", sanitised(&text)))).collect();
    if !lines.is_empty() {
        lines.insert(0, Line::plain(""));
    }
    lines
}

fn outlived(judged: &Judged) -> Option<OffsetDateTime> {
    judged.notes.iter().find_map(|note| match note {
        Note::OutlivesAuthority { until } => Some(*until),
        Note::CutsRenewalsShort { .. } => None,
    })
}

fn cut_short(judged: &Judged) -> Option<OffsetDateTime> {
    judged.notes.iter().find_map(|note| match note {
        Note::CutsRenewalsShort { wanted } => Some(*wanted),
        Note::OutlivesAuthority { .. } => None,
    })
}
