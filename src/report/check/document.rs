//! JSON and YAML: kubeadm's `CertificateExpirationInfo`, field by field with the same meaning, and ours under further keys.
//! What has no date says null, never 0. Rows are made as they are written.

use serde::{Serialize, Serializer};
use time::OffsetDateTime;

use super::advice::{self, Finding};
use super::cells::{self, Block};
use super::result::{Check, Interruption};
use super::select::Rows;
use crate::audit::{Counts, Judged, JudgedTree, Note, Policy, State, Verdict};
use crate::catalog::CaId;
use crate::inventory::Reading;
use crate::report::json::{instant, instant_if_any};
use crate::revocation::{Reason, Revoked};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Document<'a> {
    kind: &'static str,
    api_version: &'static str,
    certificates: Items<'a>,
    certificate_authorities: Items<'a>,
    crls: Items<'a>,
    #[serde(serialize_with = "instant")]
    at: OffsetDateTime,
    verdict: Summary<'a>,
    #[serde(serialize_with = "trees")]
    trees: &'a [JudgedTree],
    advice: Vec<Finding>,
    interrupted_runs: &'a [Interruption],
}

pub fn of<'a>(check: &'a Check, rows: &'a [Rows<'a>]) -> Document<'a> {
    let items = |block| Items { rows, block };
    let Verdict { state, counts, .. } = &check.verdict;
    Document {
        kind: "CertificateExpirationInfo",
        api_version: "output.kubeadm.k8s.io/v1alpha3",
        certificates: items(Block::Certificate),
        certificate_authorities: items(Block::Authority),
        crls: items(Block::Crl),
        at: check.at,
        verdict: Summary { state: state.name(), total: counts.total(), counts },
        trees: &check.trees,
        advice: check.advice.iter().map(advice::finding).collect(),
        interrupted_runs: &check.interruptions,
    }
}

struct Items<'a> {
    rows: &'a [Rows<'a>],
    block: Block,
}

impl Serialize for Items<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let all = self.rows.iter().flat_map(|(tree, items)| items.iter().map(move |judged| (*tree, *judged)));
        to.collect_seq(all.filter(|(_, judged)| cells::block(judged) == self.block).map(|(t, j)| Item::of(t, j)))
    }
}

/// kubeadm's fields in kubeadm's order, then ours.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Item<'a> {
    name: &'a str,
    #[serde(serialize_with = "instant_if_any")]
    expiration_date: Option<OffsetDateTime>,
    residual_time: Option<i64>,
    externally_managed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    ca_name: Option<&'static str>,
    missing: bool,
    state: &'static str,
    r#type: &'static str,
    cluster: Option<&'a str>,
    node: Option<&'a str>,
    path: &'a str,
    position: usize,
    optional: bool,
    notes: Vec<Remark>,
    #[serde(flatten)]
    content: Content<'a>,
}

#[derive(Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
enum Content<'a> {
    Missing {},
    Unreadable {
        reason: String,
    },
    Certificate {
        subject: &'a str,
        issuer: &'a str,
        sans: &'a [String],
        usages: &'a [String],
        serial: &'a str,
        algorithm: &'a str,
        sha256: String,
        #[serde(serialize_with = "instant")]
        not_before: OffsetDateTime,
        #[serde(flatten)]
        revocation: Option<Revocation>,
    },
    Crl {
        issuer: &'a str,
        crl_number: Option<&'a str>,
        #[serde(serialize_with = "instant")]
        this_update: OffsetDateTime,
        entries: u64,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Revocation {
    #[serde(serialize_with = "instant")]
    revocation_date: OffsetDateTime,
    revocation_reason: &'static str,
}

#[derive(Serialize)]
struct Remark {
    note: &'static str,
    #[serde(serialize_with = "instant_if_any", skip_serializing_if = "Option::is_none")]
    date: Option<OffsetDateTime>,
}

impl<'a> Item<'a> {
    fn of(tree: &'a JudgedTree, judged: &'a Judged) -> Self {
        let item = &judged.item;
        let there = cells::is_there(judged);
        let signed = there && cells::block(judged) != Block::Authority;
        Self {
            name: &item.name,
            expiration_date: judged.expires,
            residual_time: judged.residual,
            externally_managed: there && item.externally_managed,
            ca_name: item.authority.filter(|_| signed).map(CaId::name),
            missing: item.reading == Reading::Missing,
            state: judged.state.name(),
            r#type: cells::type_name(item.kind),
            cluster: tree.cluster.as_deref(),
            node: tree.node.as_deref(),
            path: &item.path,
            position: item.position,
            optional: item.optional,
            notes: judged.notes.iter().map(remark).collect(),
            content: Content::of(&item.reading),
        }
    }
}

impl<'a> Content<'a> {
    fn of(reading: &'a Reading) -> Self {
        match reading {
            Reading::Missing => Self::Missing {},
            Reading::Unreadable(why) => Self::Unreadable { reason: why.to_string() },
            Reading::Certificate(facts) => Self::Certificate {
                subject: &facts.subject,
                issuer: &facts.issuer,
                sans: &facts.sans,
                usages: &facts.usages,
                serial: &facts.serial,
                algorithm: &facts.algorithm,
                sha256: cells::hex(&facts.fingerprint),
                not_before: facts.not_before,
                revocation: facts.revoked.as_deref().map(revocation),
            },
            Reading::Crl(facts) => Self::Crl {
                issuer: &facts.issuer,
                crl_number: facts.number.as_deref(),
                this_update: facts.this_update,
                entries: facts.entries,
            },
        }
    }
}

fn revocation(revoked: &Revoked) -> Revocation {
    Revocation { revocation_date: revoked.at, revocation_reason: revoked.reason.unwrap_or(Reason::Unspecified).name() }
}

const fn remark(note: &Note) -> Remark {
    match note {
        Note::OutlivesAuthority { until } => Remark { note: "outlives-authority", date: Some(*until) },
        Note::CutsRenewalsShort { wanted } => Remark { note: "cuts-renewals-short", date: Some(*wanted) },
        Note::SharedAuthority { .. } => Remark { note: "shared-authority", date: None },
        Note::KubeletEmbedsAnother => Remark { note: "kubelet-embeds-another", date: None },
        Note::Repeated => Remark { note: "repeated", date: None },
        Note::TooOld { since, .. } => Remark { note: "too-old", date: Some(*since) },
        Note::Serial => Remark { note: "serial-number", date: None },
        Note::Replaced => Remark { note: "replaced", date: None },
        Note::Successor => Remark { note: "successor", date: None },
        Note::Retiring => Remark { note: "retiring", date: None },
        Note::SignedByRetiring => Remark { note: "signed-by-retiring", date: None },
    }
}

#[derive(Serialize)]
struct Summary<'a> {
    state: &'static str,
    total: usize,
    #[serde(serialize_with = "counts")]
    counts: &'a Counts,
}

fn counts<S: Serializer>(counts: &Counts, to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(State::ALL.map(|state| (state.name(), counts.get(state))))
}

#[derive(Serialize)]
struct Tree<'a> {
    root: &'a str,
    cluster: Option<&'a str>,
    node: Option<&'a str>,
    state: &'static str,
    total: usize,
    #[serde(serialize_with = "thresholds")]
    thresholds: &'a Policy,
}

fn thresholds<S: Serializer>(policy: &Policy, to: S) -> Result<S::Ok, S::Error> {
    let Policy { warning, critical, ca_warning, ca_critical, .. } = policy;
    let all = [("warning", warning), ("critical", critical), ("caWarning", ca_warning), ("caCritical", ca_critical)];
    to.collect_map(all.map(|(key, limit)| (key, limit.threshold.to_string())))
}

fn trees<S: Serializer>(trees: &[JudgedTree], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(trees.iter().map(|tree| {
        let counted = Counts::of(&tree.items);
        Tree {
            root: &tree.root,
            cluster: tree.cluster.as_deref(),
            node: tree.node.as_deref(),
            state: counted.worst().name(),
            total: counted.total(),
            thresholds: &tree.policy,
        }
    }))
}
