//! Cells and columns as kubeadm draws them.

use time::OffsetDateTime;
use time::macros::format_description;

use super::result::{Line, Tone};
use crate::audit::{Judged, JudgedTree, State};
use crate::inventory::{CertificateFacts, Kind, Reading};
use crate::profile::ExtraAuthority;
use crate::report::columns::{Layout, left_out};
use crate::report::form::Width;
use crate::report::table::sanitised;

/// `Nov 20, 2027 20:02 UTC`.
pub fn date(at: OffsetDateTime) -> String {
    at.format(format_description!("[month repr:short] [day], [year] [hour]:[minute] UTC")).unwrap_or_default()
}

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 365 * DAY;

/// Residual time as kubeadm prints it since 1.31 (apimachinery `duration.HumanDuration`): the larger the unit, the less of it
/// is shown. Nothing is rounded up.
pub fn human(seconds: i64) -> String {
    let two = |large: i64, a: &str, small: i64, b: &str| match small {
        0 => format!("{large}{a}"),
        _ => format!("{large}{a}{small}{b}"),
    };
    match seconds {
        s if s < -1 => "<invalid>".to_owned(),
        s if s < 0 => "0s".to_owned(),
        s if s < 2 * MINUTE => format!("{s}s"),
        s if s < 10 * MINUTE => two(s / MINUTE, "m", s % MINUTE, "s"),
        s if s < 3 * HOUR => format!("{}m", s / MINUTE),
        s if s < 8 * HOUR => two(s / HOUR, "h", s % HOUR / MINUTE, "m"),
        s if s < 2 * DAY => format!("{}h", s / HOUR),
        s if s < 8 * DAY => two(s / DAY, "d", s % DAY / HOUR, "h"),
        s if s < 2 * YEAR => format!("{}d", s / DAY),
        s if s < 8 * YEAR => two(s / YEAR, "y", s % YEAR / DAY, "d"),
        s => format!("{}y", s / YEAR),
    }
}

/// The first column: kubeadm marks what is missing, we what cannot be read, too.
pub fn name(judged: &Judged) -> String {
    let item = &judged.item;
    let mark = match item.reading {
        Reading::Missing => "!MISSING! ",
        Reading::Unreadable(_) if judged.state == State::Unreadable => "!UNREADABLE! ",
        _ => "",
    };
    match item.position {
        0 => format!("{mark}{}", item.name),
        // Further certificates of a bundle, counted as people do.
        position => format!("{mark}{} #{}", item.name, position + 1),
    }
}

pub fn expires(judged: &Judged) -> String {
    judged.expires.map(date).unwrap_or_default()
}

pub fn residual(judged: &Judged) -> String {
    judged.residual.map(human).unwrap_or_default()
}

/// Whose signature it needs, where there is a certificate to speak of.
pub fn authority(judged: &Judged) -> &'static str {
    match (is_there(judged), judged.item.authority) {
        (true, Some(authority)) => authority.name(),
        (true, None) if judged.item.externally_managed && judged.item.kind == Kind::Certificate => {
            ExtraAuthority::EXTERNAL
        }
        _ => "",
    }
}

pub fn external(judged: &Judged) -> &'static str {
    match (is_there(judged), judged.item.externally_managed) {
        (false, _) => "",
        (true, true) => "yes",
        (true, false) => "no",
    }
}

pub fn issuer(judged: &Judged) -> &str {
    match &judged.item.reading {
        Reading::Certificate(facts) => &facts.issuer,
        Reading::Crl(facts) => &facts.issuer,
        Reading::Missing | Reading::Unreadable(_) => "",
    }
}

pub fn certificate(judged: &Judged) -> Option<&CertificateFacts> {
    match &judged.item.reading {
        Reading::Certificate(facts) => Some(facts),
        _ => None,
    }
}

/// It could be read.
pub const fn is_there(judged: &Judged) -> bool {
    !matches!(judged.item.reading, Reading::Missing | Reading::Unreadable(_))
}

pub fn state(judged: &Judged) -> String {
    judged.state.words().to_owned()
}

/// As documents have it.
pub const fn type_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Certificate => "certificate",
        Kind::Authority => "authority",
        Kind::Kubeconfig => "kubeconfig",
        Kind::KubeconfigAuthority => "kubeconfig-authority",
        Kind::Crl => "crl",
        Kind::Secret => "secret",
    }
}

/// Lower case without colons, as other tools' JSON has it.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let digit = |half: u8| char::from_digit(half.into(), 16).unwrap_or('?');
        text.extend([digit(byte >> 4), digit(byte & 15)]);
        text
    })
}

/// Which of the blocks of the table a row belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Block {
    Certificate,
    Authority,
    Crl,
}

pub fn block(judged: &Judged) -> Block {
    match judged.item.kind {
        Kind::Authority | Kind::KubeconfigAuthority => Block::Authority,
        Kind::Crl => Block::Crl,
        Kind::Certificate | Kind::Kubeconfig | Kind::Secret => Block::Certificate,
    }
}

/// The cluster that a tree is of; one that says of none is its own.
pub fn cluster(tree: &JudgedTree) -> &str {
    tree.cluster.as_deref().unwrap_or(&tree.root)
}

/// `cluster prod, node cp1: DIR`.
pub fn place(tree: &JudgedTree) -> String {
    match (&tree.cluster, &tree.node) {
        (Some(cluster), Some(node)) => format!("cluster {cluster}, node {node}: {}", tree.root),
        (Some(cluster), None) => format!("cluster {cluster}: {}", tree.root),
        (None, Some(node)) => format!("node {node}: {}", tree.root),
        (None, None) => tree.root.clone(),
    }
}

/// A column of items: its title, and a cell of it.
pub type Column = (&'static str, fn(&Judged) -> String);

pub const EXPIRES: Column = ("EXPIRES", expires);
pub const RESIDUAL: Column = ("RESIDUAL TIME", residual);
pub const AUTHORITY: Column = ("CERTIFICATE AUTHORITY", |judged| authority(judged).to_owned());
pub const EXTERNAL: Column = ("EXTERNALLY MANAGED", |judged| external(judged).to_owned());
pub const STATE: Column = ("STATE", state);

pub fn table(columns: &[Column], items: &[&Judged], width: Width) -> Vec<Line> {
    let header: Vec<&str> = columns.iter().map(|(title, _)| *title).collect();
    let row = |judged: &Judged| columns.iter().map(|(_, cell)| cell(judged)).collect();
    lines(&header, &items.iter().map(|judged| (row(judged), Tone::of(judged.state))).collect::<Vec<_>>(), width)
}

/// What a narrow screen can do without.
const OPTIONAL: [&str; 5] = ["EXTERNALLY MANAGED", "PLACES", "CERTIFICATES", "CERTIFICATE AUTHORITY", "RESIDUAL TIME"];

/// Columns as Go's tabwriter makes them for kubeadm: at least 10 wide, 3 blanks between; but no blanks at a line's end.
pub fn lines(header: &[&str], rows: &[(Vec<String>, Tone)], width: Width) -> Vec<Line> {
    let cells: Vec<Vec<String>> =
        rows.iter().map(|(cells, _)| cells.iter().map(|cell| sanitised(cell)).collect()).collect();
    let first = header.first().copied();
    let optional: Vec<&str> = OPTIONAL.into_iter().filter(|title| Some(*title) != first).collect();
    let arranged = Layout { header, optional: &optional, whole: &["CERTIFICATE", EXPIRES.0], gap: 3, least: 10, width }
        .arrange(&cells);
    let rows = arranged.rows.into_iter().zip(rows);
    let rows = rows.flat_map(|(lines, (_, tone))| lines.into_iter().map(|text| Line { text, tone: *tone }));
    let left_out = left_out(&arranged.left_out).map(Line::plain);
    arranged.header.map(Line::plain).into_iter().chain(rows).chain(left_out).collect()
}
