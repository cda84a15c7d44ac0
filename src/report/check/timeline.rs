//! When everything ends, at a glance in text: a row for each cluster, or of one cluster for each place, and a column for each month.

use time::OffsetDateTime;

use super::result::{Check, Line, Tone};
use super::select::Rows;
use super::{cells, clusters, months, verdict};
use crate::audit::{Counts, Judged, State};
use crate::report::form::Width;
use crate::report::table::sanitised;

/// Of a screen whose width is not known.
const COLUMNS: usize = 80;
const CELL: usize = 5;
const SHORTEST_NAME: usize = 12;
const MOST_MONTHS: usize = 24;
const LEAST_MONTHS: usize = 6;
/// Before each name: how its row stands, for those who see no colours.
const MARK: usize = 3;

/// How often what ends when: before now, in each month, later, and what has no date although it should.
struct Row {
    name: String,
    worst: State,
    counts: Vec<usize>,
}

pub fn lines(check: &Check, width: Width) -> Vec<Line> {
    let width = width.map_or(COLUMNS, usize::from).max(SHORTEST_NAME + MARK + CELL * (LEAST_MONTHS + 3));
    let selected = check.selected();
    let clusters = clusters::of(&selected);
    let groups: Vec<(String, Vec<&Rows<'_>>)> = match clusters.as_slice() {
        [one] => one.rows.iter().map(|rows| (cells::place(rows.0), vec![*rows])).collect(),
        many => many.iter().map(|one| (one.name.to_owned(), one.rows.clone())).collect(),
    };
    let longest = groups.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let name_width = longest.clamp(SHORTEST_NAME, (width / 4).max(SHORTEST_NAME));
    let room = width.saturating_sub(MARK + name_width + 3 * CELL) / CELL;
    let starts: Vec<OffsetDateTime> = months::from(check.at).take(room.min(MOST_MONTHS) + 1).collect();
    let mut lines = verdict::lines(check);
    lines.push(Line::plain(""));
    lines.extend(header(&starts, name_width));
    let rows: Vec<Row> = groups.into_iter().map(|(name, rows)| row(name, &rows, &starts, check.at)).collect();
    lines.extend(rows.iter().map(|row| shown(row, name_width)));
    lines.push(Line::plain(""));
    lines.push(Line::plain("! a warning, !! worse; none: without a date, missing or unreadable"));
    lines.extend(verdict::hidden(check, selected.iter().map(|(_, items)| items.len()).sum()));
    lines
}

/// The years above the months.
fn header(starts: &[OffsetDateTime], name_width: usize) -> [Line; 2] {
    let before = " ".repeat(MARK + name_width);
    let (mut years, mut months) = (format!("{before}{:>CELL$}", ""), format!("{before}{:>CELL$}", "ended"));
    let (columns, mut last) = (starts.len().saturating_sub(1), None);
    for start in starts.iter().take(columns) {
        let year = Some(start.year()).filter(|year| last != Some(*year));
        last = year.or(last);
        years.push_str(&format!("{:>CELL$}", year.map(|year| year.to_string()).unwrap_or_default()));
        months.push_str(&format!("{:>CELL$}", months::short(*start)));
    }
    months.push_str(&format!("{:>CELL$}{:>CELL$}", "later", "none"));
    [Line::plain(years.trim_end()), Line::strong(months)]
}

fn row(name: String, rows: &[&Rows<'_>], starts: &[OffsetDateTime], now: OffsetDateTime) -> Row {
    let items = || rows.iter().flat_map(|(_, items)| items).copied();
    let mut counts = vec![0usize; starts.len() + 2];
    for column in items().filter_map(|judged| column(judged, starts, now)) {
        if let Some(count) = counts.get_mut(column) {
            *count += 1;
        }
    }
    Row { name, worst: Counts::of(items()).worst(), counts }
}

/// The column of an item: 0 has ended, one for each month, one for later, one without a date.
fn column(judged: &Judged, starts: &[OffsetDateTime], now: OffsetDateTime) -> Option<usize> {
    match judged.expires {
        Some(end) if end < now => Some(0),
        Some(end) => Some(starts.partition_point(|start| *start <= end)),
        None if judged.state > State::Ok => Some(starts.len() + 1),
        None => None,
    }
}

fn shown(row: &Row, name_width: usize) -> Line {
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
    for count in &row.counts {
        text.push_str(&format!("{:>CELL$}", short(*count)));
    }
    Line { text: text.trim_end().to_owned(), tone }
}

/// At most four characters.
fn short(count: usize) -> String {
    match count {
        0 => "·".to_owned(),
        1..10_000 => count.to_string(),
        10_000..1_000_000 => format!("{}k", count / 1000),
        _ => "many".to_owned(),
    }
}
