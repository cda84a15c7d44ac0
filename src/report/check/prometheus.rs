//! Prometheus text with the metric and label names of x509-certificate-exporter v4, so that its dashboards and alerts work
//! on the textfile collector, too. Absolute timestamps and no client timestamps (the collector refuses a file that has any);
//! every series of a family has all the labels, empty where they do not apply.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::rc::Rc;

use super::Check;
use crate::audit::{Judged, JudgedTree, State};
use crate::inventory::{Attributes, Item, Kind, Reading};

/// The labels of one series as they are written, to its value. The map orders them and keeps each once; families share them.
type Series = BTreeMap<Rc<str>, i128>;

/// Room for the value of a series with what stands around it, and for a family's two lines of comment.
const NUMBER: usize = 24;
const HEAD: usize = 256;

struct Family {
    name: &'static str,
    help: &'static str,
    series: Series,
}

impl Family {
    const fn new(name: &'static str, help: &'static str) -> Self {
        Self { name, help, series: BTreeMap::new() }
    }

    /// The same certificate twice in one file is one series; of two values that meet in one the smaller holds, so that an
    /// alert on what is left errs on the early side.
    fn add(&mut self, labels: &Rc<str>, value: impl Into<i128>) {
        let value = value.into();
        self.series.entry(Rc::clone(labels)).and_modify(|there| *there = value.min(*there)).or_insert(value);
    }
}

struct Families {
    not_after: Family,
    not_before: Family,
    expired: Family,
    revoked: Family,
    error: Family,
    next_update: Family,
    this_update: Family,
    number: Family,
    stale: Family,
    up: Family,
}

pub fn render(check: &Check) -> String {
    let mut families = Families {
        not_after: Family::new("x509_cert_not_after", "End of the certificate's validity, in seconds since the epoch."),
        not_before: Family::new(
            "x509_cert_not_before",
            "Start of the certificate's validity, in seconds since the epoch.",
        ),
        expired: Family::new(
            "x509_cert_expired",
            "1 if the certificate had expired when this was written, 0 otherwise.",
        ),
        revoked: Family::new(
            "x509_cert_revoked",
            "1 for a certificate that its authority's CRL names, revoked or held.",
        ),
        error: Family::new("x509_cert_error", "1 if a certificate was expected and could not be had, 0 otherwise."),
        next_update: Family::new("x509_crl_next_update", "End of the CRL's currency, in seconds since the epoch."),
        this_update: Family::new("x509_crl_this_update", "When the CRL was issued, in seconds since the epoch."),
        number: Family::new("x509_crl_number", "Number of the CRL, 0 if it has none."),
        stale: Family::new(
            "x509_crl_stale",
            "1 if the CRL was past its nextUpdate when this was written, 0 otherwise.",
        ),
        up: Family::new("x509_source_up", "1 if the place could be looked at, 0 otherwise."),
    };
    for (tree, items) in check.selected() {
        families.up.add(&source(tree).into(), i128::from(!unreachable(tree)));
        for judged in items {
            families.item(judged);
        }
    }
    let Families { not_after, not_before, expired, revoked, error, next_update, this_update, number, stale, up } =
        families;
    let families = [not_after, not_before, expired, revoked, error, next_update, this_update, number, stale, up];
    // Reserved at once: a fleet's metrics have tens of megabytes, and growing would hold them twice.
    let line = |family: &Family, labels: &str| family.name.len() + labels.len() + NUMBER;
    let of = |family: &Family| family.series.keys().map(|labels| line(family, labels)).sum::<usize>() + HEAD;
    let mut text = String::with_capacity(families.iter().map(of).sum());
    for family in families {
        if family.series.is_empty() {
            continue;
        }
        let _ = write!(text, "# HELP {name} {}\n# TYPE {name} gauge\n", family.help, name = family.name);
        for (labels, value) in &family.series {
            let _ = writeln!(text, "{}{{{labels}}} {value}", family.name);
        }
    }
    text
}

/// Nothing of it could be read.
fn unreachable(tree: &JudgedTree) -> bool {
    tree.items.iter().all(|judged| matches!(judged.state, State::Missing | State::Unreadable))
}

impl Families {
    fn item(&mut self, judged: &Judged) {
        match &judged.item.reading {
            Reading::Certificate(facts) => {
                let labels = certificate_labels(
                    &judged.item,
                    &facts.serial_decimal,
                    &facts.subject_attributes,
                    &facts.issuer_attributes,
                );
                self.not_after.add(&labels, facts.not_after.unix_timestamp());
                self.not_before.add(&labels, facts.not_before.unix_timestamp());
                self.expired.add(&labels, i128::from(judged.residual.is_some_and(|left| left < 0)));
                if matches!(judged.state, State::Held | State::Revoked) {
                    self.revoked.add(&labels, 1);
                }
                self.error.add(&labels, 0);
            }
            Reading::Crl(facts) => {
                let number = facts.number.clone().unwrap_or_else(|| "0".to_owned());
                let labels = crl_labels(&judged.item, &number, &facts.issuer_attributes);
                if let Some(next) = facts.next_update {
                    self.next_update.add(&labels, next.unix_timestamp());
                    self.stale.add(&labels, i128::from(judged.state == State::Expired));
                }
                self.this_update.add(&labels, facts.this_update.unix_timestamp());
                // A number may have 160 bits; Prometheus counts in floats anyway.
                self.number.add(&labels, number.parse::<i128>().unwrap_or(i128::MAX));
            }
            Reading::Missing if judged.state == State::Ok => {}
            Reading::Missing | Reading::Unreadable(_) => {
                let none = Attributes::default();
                self.error.add(&certificate_labels(&judged.item, "", &none, &none), 1);
            }
        }
    }
}

fn source(tree: &JudgedTree) -> String {
    format!("source_kind=\"file\",source_name=\"{}\"", escaped(&tree.root))
}

fn certificate_labels(item: &Item, serial: &str, subject: &Attributes, issuer: &Attributes) -> Rc<str> {
    let mut labels = Labels::default();
    labels.add("serial_number", serial);
    labels.attributes("subject", subject);
    labels.attributes("issuer", issuer);
    labels.place(item);
    labels.0.into()
}

fn crl_labels(item: &Item, number: &str, issuer: &Attributes) -> Rc<str> {
    let mut labels = Labels::default();
    labels.add("crl_number", number);
    labels.attributes("issuer", issuer);
    labels.place(item);
    labels.0.into()
}

#[derive(Default)]
struct Labels(String);

impl Labels {
    fn add(&mut self, name: &str, value: &str) {
        if !self.0.is_empty() {
            self.0.push(',');
        }
        let _ = write!(self.0, "{name}=\"{}\"", escaped(value));
    }

    fn attributes(&mut self, of: &str, attributes: &Attributes) {
        let Attributes { c, st, l, o, ou, cn } = attributes;
        for (short, value) in [("C", c), ("ST", st), ("L", l), ("O", o), ("OU", ou), ("CN", cn)] {
            self.add(&format!("{of}_{short}"), value);
        }
    }

    fn place(&mut self, item: &Item) {
        self.add("filename", item.path.rsplit_once('/').map_or(item.path.as_str(), |(_, name)| name));
        self.add("filepath", &item.path);
        let embedded = match item.kind {
            Kind::Kubeconfig => "user",
            Kind::KubeconfigAuthority => "cluster",
            _ => "",
        };
        self.add("embedded_kind", embedded);
        self.add("embedded_key", "");
        for name in
            ["secret_namespace", "secret_name", "secret_key", "configmap_namespace", "configmap_name", "configmap_key"]
        {
            self.add(name, "");
        }
    }
}

/// Label values escape the backslash, the quote and the line's end (Prometheus text format 0.0.4); other control characters
/// have no business in one.
fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            c if c.is_control() => text.push('\u{fffd}'),
            c => text.push(c),
        }
    }
    text
}
