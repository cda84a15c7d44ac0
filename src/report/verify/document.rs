//! The document that machines read.

use serde::Serialize;
use time::OffsetDateTime;

use super::result::Verify;
use super::served::Served;
use crate::report::json::instant;
use crate::verify::{Edge as Shaken, Finding, Half, ROWS, Verification};

#[derive(Serialize)]
#[serde(tag = "kind", rename = "Verification")]
pub struct Document<'a> {
    #[serde(serialize_with = "instant")]
    at: OffsetDateTime,
    /// `ok`, or the severity of the worst finding that counts; `incomplete` if there is none and something was not looked at.
    state: &'static str,
    clusters: Vec<Cluster<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Cluster<'a> {
    directory: &'a str,
    cluster: Option<&'a str>,
    /// The tool whose layout it has, if it is neither kubeadm's nor kpki's.
    #[serde(skip_serializing_if = "Option::is_none")]
    layout: Option<&'static str>,
    looked_at: Counts,
    findings: Vec<One<'a>>,
    not_looked_at: Vec<NotLookedAt<'a>>,
    edges: Vec<Edge<'a>>,
    /// `null` without `--live`.
    served: Option<Served>,
}

#[derive(Serialize)]
struct Counts {
    files: usize,
    certificates: usize,
    keys: usize,
    crls: usize,
}

#[derive(Serialize)]
struct One<'a> {
    rule: &'static str,
    severity: &'static str,
    path: &'a str,
    /// `NAME`, or `NODE/NAME` in a cluster directory.
    entry: Option<String>,
    /// Which certificate of the file, from 0.
    position: Option<usize>,
    what: &'static str,
    found: &'a str,
    why: &'static str,
    repair: &'static str,
    commands: &'a [String],
    /// What only follows from it.
    follows: Vec<Self>,
    ignored: Option<Ignored<'a>>,
}

#[derive(Serialize)]
struct Ignored<'a> {
    reason: Option<&'a str>,
}

#[derive(Serialize)]
struct NotLookedAt<'a> {
    path: &'a str,
    why: &'a str,
}

/// One client and one server, and what each says of the other's certificate.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Edge<'a> {
    number: u8,
    what: &'static str,
    client: String,
    server: String,
    /// What the client dials.
    names: Vec<String>,
    state: &'static str,
    by_client: Said<'a>,
    by_server: Said<'a>,
}

#[derive(Serialize)]
struct Said<'a> {
    result: &'static str,
    why: Option<&'a str>,
}

impl<'a> Document<'a> {
    pub fn of(verify: &'a Verify) -> Self {
        Self { at: verify.at, state: verify.state(), clusters: verify.clusters.iter().map(cluster).collect() }
    }
}

fn cluster(of: &Verification) -> Cluster<'_> {
    Cluster {
        directory: &of.root,
        cluster: of.cluster.as_deref(),
        layout: of.layout,
        looked_at: Counts { files: of.files, certificates: of.certificates, keys: of.keys, crls: of.crls },
        findings: of.findings.iter().map(finding).collect(),
        not_looked_at: of.not_looked_at.iter().map(|one| NotLookedAt { path: &one.path, why: &one.why }).collect(),
        edges: of.edges.iter().map(edge).collect(),
        served: of.served.as_ref().map(Served::of),
    }
}

fn finding(of: &Finding) -> One<'_> {
    One {
        rule: of.rule.id,
        severity: of.rule.severity.name(),
        path: &of.place.path,
        entry: of.place.entry.as_ref().map(ToString::to_string),
        position: of.place.position,
        what: of.rule.what,
        found: &of.found,
        why: of.rule.why,
        repair: of.rule.repair,
        commands: &of.repair,
        follows: of.follows.iter().map(finding).collect(),
        ignored: of.ignored.as_ref().map(|ignored| Ignored { reason: ignored.reason.as_deref() }),
    }
}

fn edge(of: &Shaken) -> Edge<'_> {
    Edge {
        number: of.number,
        what: ROWS.iter().find(|row| row.number == of.number).map_or("", |row| row.what),
        client: of.client.to_string(),
        server: of.server.to_string(),
        names: of.names.iter().map(ToString::to_string).collect(),
        state: of.state().name(),
        by_client: said(&of.by_client),
        by_server: said(&of.by_server),
    }
}

fn said(half: &Half) -> Said<'_> {
    Said { result: half.name(), why: half.why() }
}
