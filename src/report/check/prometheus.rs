//! Prometheus text with the metric and label names of x509-certificate-exporter v4, so that its dashboards and alerts work
//! on the textfile collector, too. Absolute timestamps and no client timestamps (the collector refuses a file that has any);
//! every series of a family has all the labels, empty where they do not apply. `cluster` and `node` are ours beside theirs.
//!
//! A family's series stand together and each only once, so every family goes over all items. Their labels are made again each
//! time: kept, those of a fleet would take more memory than everything else. What names subject and issuer is shared.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::rc::Rc;

use super::cells::certificate;
use super::result::Check;
use super::tree_metrics;
use crate::audit::{Judged, JudgedTree, State};
use crate::inventory::{Attributes, CrlFacts, Kind, Reading};
use crate::report::labels::{Labels, head};

/// A family of series, and its value for an item; `None`: the item has no such series.
struct Family {
    name: &'static str,
    help: &'static str,
    value: fn(&Judged) -> Option<i128>,
}

const FAMILIES: [Family; 9] = [
    Family {
        name: "x509_cert_not_after",
        help: "End of the certificate's validity, in seconds since the epoch.",
        value: |judged| certificate(judged).map(|facts| facts.not_after.unix_timestamp().into()),
    },
    Family {
        name: "x509_cert_not_before",
        help: "Start of the certificate's validity, in seconds since the epoch.",
        value: |judged| certificate(judged).map(|facts| facts.not_before.unix_timestamp().into()),
    },
    Family {
        name: "x509_cert_expired",
        help: "1 if the certificate had expired when this was written, 0 otherwise.",
        value: |judged| certificate(judged).map(|_| judged.residual.is_some_and(|left| left < 0).into()),
    },
    Family {
        name: "x509_cert_revoked",
        help: "1 for a certificate that its authority's CRL names, revoked or held.",
        value: |judged| certificate(judged).filter(|_| matches!(judged.state, State::Held | State::Revoked)).map(|_| 1),
    },
    Family {
        name: "x509_cert_error",
        help: "1 if a certificate was expected and could not be had, 0 otherwise.",
        value: |judged| match judged.item.reading {
            Reading::Certificate(_) => Some(0),
            Reading::Missing if judged.state == State::Absent => None,
            Reading::Missing | Reading::Unreadable(_) => Some(1),
            Reading::Crl(_) => None,
        },
    },
    Family {
        name: "x509_crl_next_update",
        help: "End of the CRL's currency, in seconds since the epoch.",
        value: |judged| crl(judged)?.next_update.map(|at| at.unix_timestamp().into()),
    },
    Family {
        name: "x509_crl_this_update",
        help: "When the CRL was issued, in seconds since the epoch.",
        value: |judged| crl(judged).map(|facts| facts.this_update.unix_timestamp().into()),
    },
    Family {
        name: "x509_crl_number",
        help: "Number of the CRL, 0 if it has none.",
        // A number may have 160 bits; Prometheus counts in floats anyway.
        value: |judged| crl(judged).map(|facts| number(facts).parse().unwrap_or(i128::MAX)),
    },
    Family {
        name: "x509_crl_stale",
        help: "1 if the CRL was past its nextUpdate when this was written, 0 otherwise.",
        value: |judged| crl(judged)?.next_update.map(|_| (judged.state == State::Expired).into()),
    },
];

fn crl(judged: &Judged) -> Option<&CrlFacts> {
    match &judged.item.reading {
        Reading::Crl(facts) => Some(facts),
        _ => None,
    }
}

fn number(facts: &CrlFacts) -> &str {
    facts.number.as_deref().unwrap_or("0")
}

pub fn write(check: &Check, out: &mut dyn Write) -> io::Result<()> {
    let selected = check.selected();
    let mut names = BTreeSet::new();
    let items = selected.iter().flat_map(|(tree, items)| items.iter().map(move |judged| (*tree, *judged)));
    let mut items: Vec<Labelled<'_>> = items.map(|(tree, judged)| Labelled::of(tree, judged, &mut names)).collect();
    by_labels(&mut items);
    for family in &FAMILIES {
        series(family, &items, out)?;
    }
    tree_metrics::write(check, out)
}

/// An item with the labels that say whose certificate it is and who signed it; many items have the same.
struct Labelled<'a> {
    tree: &'a JudgedTree,
    judged: &'a Judged,
    names: Rc<str>,
    /// The first digits of its number, with which its labels begin.
    leading: u128,
}

impl<'a> Labelled<'a> {
    fn of(tree: &'a JudgedTree, judged: &'a Judged, known: &mut BTreeSet<Rc<str>>) -> Self {
        let (mut labels, none) = (Labels::default(), Attributes::default());
        let (subject, issuer) = match &judged.item.reading {
            Reading::Certificate(facts) => (Some(&facts.subject_attributes), &facts.issuer_attributes),
            Reading::Crl(facts) => (None, &facts.issuer_attributes),
            Reading::Missing | Reading::Unreadable(_) => (Some(&none), &none),
        };
        if let Some(subject) = subject {
            attributes(&mut labels, SUBJECT, subject);
        }
        attributes(&mut labels, ISSUER, issuer);
        let names = known.get(labels.0.as_str()).cloned().unwrap_or_else(|| labels.0.into());
        known.insert(Rc::clone(&names));
        let digits = leading_label(judged).1.bytes().chain(std::iter::repeat(0)).take(16);
        Self { tree, judged, names, leading: digits.fold(0, |all, digit| (all << 8) | u128::from(digit)) }
    }

    /// The labels as they are written, in the memory of others.
    fn labels(&self, mut text: String) -> String {
        text.clear();
        let (mut labels, item) = (Labels(text), &self.judged.item);
        let (name, number) = leading_label(self.judged);
        labels.add(name, number);
        labels.0.extend([",", &self.names]);
        labels.add("filename", item.path.rsplit_once('/').map_or(item.path.as_str(), |(_, name)| name));
        labels.add("filepath", &item.path);
        let embedded = match item.kind {
            Kind::Kubeconfig => "user",
            Kind::KubeconfigAuthority => "cluster",
            _ => "",
        };
        labels.add("embedded_kind", embedded);
        labels.0.push_str(
            ",embedded_key=\"\",secret_namespace=\"\",secret_name=\"\",secret_key=\"\",configmap_namespace=\"\",\
             configmap_name=\"\",configmap_key=\"\"",
        );
        labels.place(self.tree.cluster.as_deref(), self.tree.node.as_deref());
        labels.0
    }
}

fn leading_label(judged: &Judged) -> (&'static str, &str) {
    match &judged.item.reading {
        Reading::Certificate(facts) => ("serial_number", &facts.serial_decimal),
        Reading::Crl(facts) => ("crl_number", number(facts)),
        Reading::Missing | Reading::Unreadable(_) => ("serial_number", ""),
    }
}

/// In the order of their labels. The number comes first and settles it for most, so that few labels are held at a time.
fn by_labels(items: &mut [Labelled<'_>]) {
    items.sort_by_key(|item| item.leading);
    for same in items.chunk_by_mut(|a, b| a.leading == b.leading) {
        same.sort_by_cached_key(|item| item.labels(String::new()));
    }
}

/// The same certificate twice in one file is one series; of two values that meet in one the smaller holds, so that an alert
/// on what is left errs on the early side.
fn series(family: &Family, items: &[Labelled<'_>], out: &mut dyn Write) -> io::Result<()> {
    let (mut last, mut spare) = (None::<(String, i128)>, String::new());
    let write = |labels: &str, value: i128, out: &mut dyn Write| writeln!(out, "{}{{{labels}}} {value}", family.name);
    for item in items {
        let Some(value) = (family.value)(item.judged) else { continue };
        let next = item.labels(std::mem::take(&mut spare));
        match last.take() {
            Some((labels, other)) if labels == next => {
                last = Some((labels, value.min(other)));
                spare = next;
                continue;
            }
            Some((labels, other)) => {
                write(&labels, other, out)?;
                spare = labels;
            }
            None => head(family.name, family.help, out)?,
        }
        last = Some((next, value));
    }
    last.map_or(Ok(()), |(labels, value)| write(&labels, value, out))
}

const SUBJECT: [&str; 6] = ["subject_C", "subject_ST", "subject_L", "subject_O", "subject_OU", "subject_CN"];
const ISSUER: [&str; 6] = ["issuer_C", "issuer_ST", "issuer_L", "issuer_O", "issuer_OU", "issuer_CN"];

fn attributes(labels: &mut Labels, names: [&str; 6], attributes: &Attributes) {
    let Attributes { c, st, l, o, ou, cn } = attributes;
    for (name, value) in names.into_iter().zip([c, st, l, o, ou, cn]) {
        labels.add(name, value);
    }
}
