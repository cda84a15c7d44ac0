//! One line per item with everything that fits on one.

use super::result::{Check, Line, Tone};
use super::{advice, cells, verdict};
use crate::audit::Judged;
use crate::inventory::Reading;
use crate::report::table::sanitised;

pub fn lines(check: &Check) -> Vec<Line> {
    let mut lines = vec![verdict::line(check)];
    let selected = check.selected();
    for (tree, items) in selected.iter().filter(|(_, items)| !items.is_empty()) {
        lines.push(Line::plain(""));
        if check.trees.len() > 1 {
            lines.push(Line::strong(sanitised(&cells::place(tree))));
        }
        let rows: Vec<(Vec<String>, Tone)> = items
            .iter()
            .map(|judged| (COLUMNS.iter().map(|(_, cell)| cell(judged)).collect(), Tone::of(judged.state)))
            .collect();
        lines.extend(cells::columns(&COLUMNS.map(|(title, _)| title), &rows));
    }
    lines.extend(verdict::hidden(check, selected.iter().map(|(_, items)| items.len()).sum()));
    lines.extend(advice::lines(&check.advice));
    lines
}

type Column = (&'static str, fn(&Judged) -> String);

const COLUMNS: [Column; 11] = [
    ("CERTIFICATE", cells::name),
    ("EXPIRES", cells::expires),
    ("RESIDUAL TIME", cells::residual),
    ("STATE", |judged| cells::state(judged).to_owned()),
    ("CERTIFICATE AUTHORITY", |judged| cells::authority(judged).to_owned()),
    ("SUBJECT", |judged| match &judged.item.reading {
        Reading::Certificate(facts) => facts.subject.clone(),
        Reading::Crl(facts) => format!("CRL with {} entries", facts.entries),
        Reading::Unreadable(why) => why.clone(),
        Reading::Missing => String::new(),
    }),
    ("ISSUER", |judged| match &judged.item.reading {
        Reading::Certificate(facts) => facts.issuer.clone(),
        Reading::Crl(facts) => facts.issuer.clone(),
        Reading::Unreadable(_) | Reading::Missing => String::new(),
    }),
    ("NAMES", |judged| cells::certificate(judged).map(|facts| facts.sans.join(",")).unwrap_or_default()),
    ("SERIAL", |judged| match &judged.item.reading {
        Reading::Certificate(facts) => facts.serial.clone(),
        Reading::Crl(facts) => facts.number.clone().unwrap_or_default(),
        Reading::Unreadable(_) | Reading::Missing => String::new(),
    }),
    ("ALGORITHM", |judged| cells::certificate(judged).map(|facts| facts.algorithm.clone()).unwrap_or_default()),
    ("PATH", |judged| judged.item.path.clone()),
];
