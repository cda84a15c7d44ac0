//! One line per item with everything that fits on one.

use super::result::{Check, Line, Tone};
use super::{advice, cells, verdict};
use crate::audit::Judged;
use crate::inventory::Reading;
use crate::report::table::sanitised;

const HEADER: [&str; 11] = [
    "CERTIFICATE",
    "EXPIRES",
    "RESIDUAL TIME",
    "STATE",
    "CERTIFICATE AUTHORITY",
    "SUBJECT",
    "ISSUER",
    "NAMES",
    "SERIAL",
    "ALGORITHM",
    "PATH",
];

pub fn lines(check: &Check) -> Vec<Line> {
    let mut lines = vec![verdict::line(check)];
    let selected = check.selected();
    for (tree, items) in selected.iter().filter(|(_, items)| !items.is_empty()) {
        lines.push(Line::plain(""));
        if check.trees.len() > 1 {
            lines.push(Line::strong(sanitised(&cells::place(tree))));
        }
        let rows: Vec<(Vec<String>, Tone)> = items.iter().map(|judged| (row(judged), Tone::of(judged.state))).collect();
        lines.extend(cells::columns(&HEADER, &rows));
    }
    lines.extend(verdict::hidden(check, selected.iter().map(|(_, items)| items.len()).sum()));
    lines.extend(advice::lines(&check.advice));
    lines
}

fn row(judged: &Judged) -> Vec<String> {
    let (subject, issuer, names, serial, algorithm) = match &judged.item.reading {
        Reading::Certificate(facts) => (
            facts.subject.clone(),
            facts.issuer.clone(),
            facts.sans.join(","),
            facts.serial.clone(),
            facts.algorithm.clone(),
        ),
        Reading::Crl(facts) => (
            format!("CRL with {} entries", facts.entries),
            facts.issuer.clone(),
            String::new(),
            facts.number.clone().unwrap_or_default(),
            String::new(),
        ),
        Reading::Unreadable(why) => (why.clone(), String::new(), String::new(), String::new(), String::new()),
        Reading::Missing => Default::default(),
    };
    vec![
        cells::name(judged),
        cells::expires(judged),
        cells::residual(judged),
        cells::state(judged).to_owned(),
        cells::authority(judged).to_owned(),
        subject,
        issuer,
        names,
        serial,
        algorithm,
        judged.item.path.clone(),
    ]
}
