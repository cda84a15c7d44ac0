//! When everything ends, at a glance in text: a row for each cluster, or of one cluster for each place, and a column for each month.

use time::{Month, OffsetDateTime};

use super::result::{Check, Line, Tone};
use super::select::Rows;
use super::{clusters, months, verdict};
use crate::audit::{Counts, Judged, JudgedTree, State};
use crate::report::form::Width;
use crate::report::table::sanitised;

/// Of a screen whose width is not known.
const COLUMNS: usize = 80;
const PAST: usize = 5;
const MONTH: usize = 4;
const LATER: usize = 6;
const UNDATED: usize = 5;
const SHORTEST_NAME: usize = 12;
const LEAST_MONTHS: usize = 6;
/// Months that names leave room for: a year's certificates end in the thirteenth.
const MONTHS: usize = 13;
const MOST_MONTHS: usize = 24;
/// Before each name: how its row stands, for those who see no colours.
const MARK: usize = 3;

/// How many end when: before now, in each month, later; and how many have no date although they should.
struct Row {
    name: String,
    worst: State,
    counts: Vec<usize>,
    undated: usize,
}

pub fn lines(check: &Check, width: Width) -> Vec<Line> {
    let selected = check.selected();
    let clusters = clusters::of(&selected);
    let groups: Vec<(String, Vec<&Rows<'_>>)> = match clusters.as_slice() {
        [one] => one.rows.iter().map(|rows| (name(rows.0), vec![*rows])).collect(),
        many => many.iter().map(|one| (one.name.to_owned(), one.rows.clone())).collect(),
    };
    let is_undated = |judged: &&Judged| judged.expires.is_none() && judged.state > State::Ok;
    let with_undated = selected.iter().flat_map(|(_, items)| items).any(is_undated);
    let longest = groups.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let (name_width, months) = layout(width.map_or(COLUMNS, usize::from), longest, with_undated);
    let starts: Vec<OffsetDateTime> = months::from(check.at).take(months + 1).collect();
    let rows: Vec<Row> = groups
        .into_iter()
        .map(|(name, rows)| {
            let items = || rows.iter().flat_map(|(_, items)| items).copied();
            let undated = items().filter(is_undated).count();
            Row { name, worst: Counts::of(items()).worst(), counts: counts(items(), &starts, check.at), undated }
        })
        .collect();
    let mut lines = verdict::lines(check);
    lines.push(Line::plain(""));
    lines.extend(header(&starts, name_width, with_undated));
    lines.extend(rows.iter().map(|row| shown(row, name_width, with_undated)));
    lines.push(Line::plain(""));
    let none = if with_undated { "; none: without a date, missing or unreadable" } else { "" };
    lines.push(Line::plain(format!("! a warning, !! worse{none}")));
    lines.extend(verdict::hidden(check, selected.iter().map(|(_, items)| items.len()).sum()));
    lines
}

/// Of one cluster's rows: the verdict says where it is.
fn name(tree: &JudgedTree) -> String {
    tree.node.as_ref().or(tree.cluster.as_ref()).unwrap_or(&tree.root).clone()
}

/// How wide names are, and how many months there is room for.
fn layout(width: usize, longest: usize, with_undated: bool) -> (usize, usize) {
    let fixed = MARK + PAST + LATER + if with_undated { UNDATED } else { 0 };
    let room = width.max(fixed + SHORTEST_NAME + LEAST_MONTHS * MONTH) - fixed;
    let most = room.saturating_sub(MONTHS * MONTH).max(SHORTEST_NAME);
    let name = longest.clamp(SHORTEST_NAME, most);
    (name, ((room - name) / MONTH).min(MOST_MONTHS))
}

/// The years above the months.
fn header(starts: &[OffsetDateTime], name_width: usize, with_undated: bool) -> [Line; 2] {
    let before = " ".repeat(MARK + name_width);
    let (mut years, mut months) = (format!("{before}{:PAST$}", ""), format!("{before}{:>PAST$}", "past"));
    let (columns, mut last) = (starts.len().saturating_sub(1), None);
    for start in starts.iter().take(columns) {
        // January's needs the place beside a first column of December.
        let is_shown = last != Some(start.year()) && (last.is_some() || start.month() != Month::December);
        let year = Some(start.year()).filter(|_| is_shown);
        last = Some(start.year());
        let year = year.map(|year| year.to_string()).unwrap_or_default();
        years.push_str(&format!("{year:>MONTH$}"));
        months.push_str(&format!("{:>MONTH$}", months::short(*start)));
    }
    months.push_str(&format!("{:>LATER$}", "later"));
    if with_undated {
        months.push_str(&format!("{:>UNDATED$}", "none"));
    }
    [Line::plain(years.trim_end()), Line::strong(months)]
}

/// One for what has ended, one for each month, one for later.
fn counts<'a>(items: impl Iterator<Item = &'a Judged>, starts: &[OffsetDateTime], now: OffsetDateTime) -> Vec<usize> {
    let mut counts = vec![0usize; starts.len() + 1];
    for column in items.filter_map(|judged| judged.expires).map(|end| column(end, starts, now)) {
        if let Some(count) = counts.get_mut(column) {
            *count += 1;
        }
    }
    counts
}

fn column(end: OffsetDateTime, starts: &[OffsetDateTime], now: OffsetDateTime) -> usize {
    if end < now { 0 } else { starts.partition_point(|start| *start <= end) }
}

fn shown(row: &Row, name_width: usize, with_undated: bool) -> Line {
    let tone = Tone::of(row.worst);
    let mark = match tone {
        Tone::Bad => "!!",
        Tone::Warning => "!",
        Tone::Plain | Tone::Strong | Tone::Good => "",
    };
    let name = sanitised(&row.name);
    let name = match name.chars().count() {
        length if length <= name_width => name,
        // The end tells names apart.
        length => std::iter::once('…').chain(name.chars().skip(length - name_width + 1)).collect(),
    };
    let mut text = format!("{mark:<MARK$}{name:<name_width$}");
    let last = row.counts.len().saturating_sub(1);
    for (i, count) in row.counts.iter().enumerate() {
        let width = if i == 0 {
            PAST
        } else if i == last {
            LATER
        } else {
            MONTH
        };
        text.push_str(&format!("{:>width$}", short(*count)));
    }
    if with_undated {
        text.push_str(&format!("{:>UNDATED$}", short(row.undated)));
    }
    Line { text: text.trim_end().to_owned(), tone }
}

/// At most three characters.
fn short(count: usize) -> String {
    match count {
        0 => "·".to_owned(),
        1..1000 => count.to_string(),
        1000..100_000 => format!("{}k", count / 1000),
        _ => "…".to_owned(),
    }
}
