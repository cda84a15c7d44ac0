//! One line per item with everything that fits on one.

use super::cells::{self, AUTHORITY, Column, EXPIRES, RESIDUAL, STATE};
use super::result::{Check, Line};
use super::{advice, verdict};
use crate::inventory::Reading;
use crate::report::table::{counted, sanitised};

pub fn lines(check: &Check) -> Vec<Line> {
    let mut lines = verdict::lines(check);
    let selected = check.selected();
    for (tree, items) in selected.iter().filter(|(_, items)| !items.is_empty()) {
        lines.push(Line::plain(""));
        if check.trees.len() > 1 {
            lines.push(Line::strong(sanitised(&cells::place(tree))));
        }
        lines.extend(cells::table(&COLUMNS, items, None));
    }
    lines.extend(verdict::hidden(check, selected.iter().map(|(_, items)| items.len()).sum()));
    lines.extend(advice::lines(&check.advice));
    lines
}

const COLUMNS: [Column; 11] = [
    ("CERTIFICATE", cells::name),
    EXPIRES,
    RESIDUAL,
    STATE,
    AUTHORITY,
    ("SUBJECT", |judged| match &judged.item.reading {
        Reading::Certificate(facts) => facts.subject.clone(),
        Reading::Crl(facts) => {
            format!("CRL with {}", counted(usize::try_from(facts.entries).unwrap_or(usize::MAX), "entry"))
        }
        Reading::Unreadable(why) => why.to_string(),
        Reading::Missing => String::new(),
    }),
    ("ISSUER", |judged| cells::issuer(judged).to_owned()),
    ("NAMES", |judged| cells::certificate(judged).map(|facts| facts.sans.join(",")).unwrap_or_default()),
    ("SERIAL", |judged| match &judged.item.reading {
        Reading::Certificate(facts) => facts.serial.clone(),
        Reading::Crl(facts) => facts.number.clone().unwrap_or_default(),
        Reading::Unreadable(_) | Reading::Missing => String::new(),
    }),
    ("ALGORITHM", |judged| cells::certificate(judged).map(|facts| facts.algorithm.clone()).unwrap_or_default()),
    ("PATH", |judged| judged.item.path.clone()),
];
