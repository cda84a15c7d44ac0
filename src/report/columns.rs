//! Rows as columns that fit a screen: cells are broken at blanks; where that is not enough columns are left out that a table can
//! do without; where that is not enough either, each row is a paragraph. A word is never broken.

use comfy_table::{ContentArrangement, Table, presets};

use super::fold::{columns, fold, longest_piece, paragraph};
use super::form::Width;

/// How a table is laid out.
#[derive(Debug, Clone, Copy)]
pub struct Layout<'a> {
    pub header: &'a [&'a str],
    /// What a narrow screen can do without, by title; the first is left out first.
    pub optional: &'a [&'a str],
    /// Whose cells are not broken at blanks either, by title.
    pub whole: &'a [&'a str],
    /// Blanks between columns.
    pub gap: usize,
    /// The least width of a column with its gap.
    pub least: usize,
    pub width: Width,
}

/// Lines without blanks at their ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arranged<'a> {
    /// `None`: rows are paragraphs, which name what they show.
    pub header: Option<String>,
    /// The lines of each row.
    pub rows: Vec<Vec<String>>,
    /// The titles of what was left out.
    pub left_out: Vec<&'a str>,
}

impl<'a> Layout<'a> {
    /// As kubectl draws columns.
    pub const fn new(header: &'a [&'a str], optional: &'a [&'a str], width: Width) -> Self {
        Self { header, optional, whole: &[], gap: 2, least: 0, width }
    }

    pub fn arrange(&self, rows: &[Vec<String>]) -> Arranged<'a> {
        let cell = |row: &'_ Vec<String>, at: usize| row.get(at).map_or(0, |cell| columns(cell));
        let natural: Vec<usize> = self
            .header
            .iter()
            .enumerate()
            .map(|(at, title)| rows.iter().map(|row| cell(row, at)).max().unwrap_or(0).max(columns(title)))
            .collect();
        let all: Vec<usize> = (0..self.header.len()).collect();
        let Some(most) = self.width.map(usize::from) else { return self.columns(rows, &all, &natural, Vec::new()) };
        let least: Vec<usize> = self
            .header
            .iter()
            .enumerate()
            .map(|(at, title)| {
                let longest = rows
                    .iter()
                    .filter_map(|row| row.get(at))
                    .map(|cell| if self.whole.contains(title) { columns(cell) } else { longest_piece(cell) })
                    .max();
                longest.unwrap_or(0).max(columns(title))
            })
            .collect();
        let total = |shown: &[usize], widths: &[usize]| -> usize {
            let last = shown.last().copied();
            shown.iter().map(|at| self.padded(widths.get(*at).copied().unwrap_or(0), Some(*at) == last)).sum()
        };
        let (mut shown, mut left_out) = (all, Vec::new());
        for title in self.optional {
            if total(&shown, &least) <= most {
                break;
            }
            if let Some(at) = self.header.iter().position(|one| one == title) {
                shown.retain(|one| *one != at);
                left_out.push(*title);
            }
        }
        if total(&shown, &least) > most {
            return self.paragraphs(rows, most);
        }
        // The widest columns are narrowed first, all to one width.
        let narrowed = |to: usize| -> Vec<usize> {
            natural.iter().zip(&least).map(|(natural, least)| to.clamp(*least, (*natural).max(*least))).collect()
        };
        let widest = natural.iter().copied().max().unwrap_or(0);
        let to = (0..=widest).rev().find(|to| total(&shown, &narrowed(*to)) <= most).unwrap_or(0);
        self.columns(rows, &shown, &narrowed(to), left_out)
    }

    /// The width of a column with its gap.
    fn padded(&self, width: usize, is_last: bool) -> usize {
        if is_last { width } else { (width + self.gap).max(self.least) }
    }

    fn columns(&self, rows: &[Vec<String>], shown: &[usize], widths: &[usize], left_out: Vec<&'a str>) -> Arranged<'a> {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        let last = shown.last().copied();
        let titles = shown.iter().map(|at| {
            let title = self.header.get(*at).copied().unwrap_or_default();
            let least = if Some(*at) == last { 0 } else { self.least.saturating_sub(self.gap) };
            pad(title, least)
        });
        table.set_header(titles);
        let heights: Vec<usize> = rows
            .iter()
            .map(|row| {
                let cell = |at: &usize| {
                    let (width, text) =
                        (widths.get(*at).copied().unwrap_or(0), row.get(*at).map_or("", String::as_str));
                    if columns(text) <= width { text.to_owned() } else { paragraph(text, 0, width).join("\n") }
                };
                let cells: Vec<String> = shown.iter().map(cell).collect();
                let height = cells.iter().map(|cell| cell.split('\n').count()).max().unwrap_or(1);
                table.add_row(cells);
                height
            })
            .collect();
        for column in table.column_iter_mut() {
            column.set_padding((0, u16::try_from(self.gap).unwrap_or(u16::MAX)));
        }
        let mut lines = table.lines().map(|line| line.trim_end().to_owned());
        let header = lines.next();
        let rows = heights.into_iter().map(|height| lines.by_ref().take(height).collect()).collect();
        Arranged { header, rows, left_out }
    }

    /// The first cell, and below it each of the others that says something, with its title.
    fn paragraphs(&self, rows: &[Vec<String>], most: usize) -> Arranged<'a> {
        let longest = self.header.iter().skip(1).map(|title| columns(title)).max().unwrap_or(0);
        let lines = |row: &Vec<String>| {
            let rest = self.header.iter().zip(row).skip(1).filter(|(_, cell)| !cell.is_empty());
            let rest = rest.flat_map(|(title, cell)| fold(&format!("  {}  {cell}", pad(title, longest)), most));
            row.first().cloned().into_iter().chain(rest).collect()
        };
        Arranged { header: None, rows: rows.iter().map(lines).collect(), left_out: Vec::new() }
    }
}

fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(text))))
}

/// What a reader is told of columns that have no room.
pub fn left_out(titles: &[&str]) -> Option<String> {
    match titles {
        [] => None,
        [one] => Some(format!("(no room for {one}: a wider terminal or -o wide shows it)")),
        [first @ .., last] => {
            Some(format!("(no room for {} and {last}: a wider terminal or -o wide shows them)", first.join(", ")))
        }
    }
}

#[cfg(test)]
#[path = "columns_tests.rs"]
mod tests;
