//! What the components serve: as a table, and in documents.

use std::io::{self, Write};

use serde::Serialize;
use time::OffsetDateTime;

use crate::live::Version;
use crate::report::form::Screen;
use crate::report::json::{instant, lower_case};
use crate::report::table::{counted, end, first_of, line, table};
use crate::verify::served::{Ends, Facts, Live, Row, Source, State};

/// Of one cluster, as documents have it.
#[derive(Debug, Serialize)]
pub struct Served {
    endpoints: Vec<Document>,
    /// They listen on loopback of other machines.
    elsewhere: Vec<String>,
}

impl Served {
    pub fn of(live: &Live) -> Self {
        Self {
            endpoints: live.rows.iter().map(Document::of).collect(),
            elsewhere: live.elsewhere.iter().map(ToString::to_string).collect(),
        }
    }
}

/// A row.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    endpoint: String,
    /// `None`: an extra certificate's program.
    component: Option<&'static str>,
    address: String,
    /// Who says that it is there: `node`, `loopback`, `controlPlaneEndpoint`, `given`, `file`, `externalEtcd`.
    named_by: &'static str,
    file: Option<String>,
    state: &'static str,
    why: Option<String>,
    served: Option<Certificate>,
    on_disk: Option<OnDisk>,
    tls: Option<&'static str>,
    /// `None`: it asks for no client certificate.
    client_authorities: Option<Vec<String>>,
    steps: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Certificate {
    subject: String,
    issuer: String,
    #[serde(serialize_with = "lower_case")]
    serial: String,
    #[serde(serialize_with = "instant")]
    not_after: OffsetDateTime,
    /// `ok`, `ending`, `expired`, `not yet valid`.
    validity: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct OnDisk {
    path: String,
    #[serde(serialize_with = "lower_case")]
    serial: String,
    #[serde(serialize_with = "instant")]
    not_after: OffsetDateTime,
}

const fn validity(ends: Ends) -> &'static str {
    match ends {
        Ends::Later => "ok",
        Ends::Soon => "ending",
        Ends::Expired => "expired",
        Ends::NotYetValid => "not yet valid",
    }
}

impl Document {
    fn of(row: &Row) -> Self {
        let (named_by, file) = match &row.endpoint.source {
            Source::Node => ("node", None),
            Source::Loopback => ("loopback", None),
            Source::ControlPlaneEndpoint => ("controlPlaneEndpoint", None),
            Source::Given => ("given", None),
            Source::File(path) => ("file", Some(path.clone())),
            Source::ExternalEtcd => ("externalEtcd", None),
        };
        let certificate = |facts: &Facts| Certificate {
            subject: facts.subject.clone(),
            issuer: facts.issuer.clone(),
            serial: facts.serial.clone(),
            not_after: facts.not_after,
            validity: validity(row.ends),
        };
        let on_disk = |(path, facts): &(String, Facts)| OnDisk {
            path: path.clone(),
            serial: facts.serial.clone(),
            not_after: facts.not_after,
        };
        Self {
            endpoint: row.endpoint.id.to_string(),
            component: row.endpoint.listener.map(|listener| listener.component),
            address: row.endpoint.peer.to_string(),
            named_by,
            file,
            state: row.state.name(),
            why: Some(row.why.clone()).filter(|why| !why.is_empty()),
            served: row.served.as_ref().map(certificate),
            on_disk: row.on_disk.as_ref().map(on_disk),
            tls: row.version.map(Version::name),
            client_authorities: row.client_authorities.clone(),
            steps: row.repair.clone(),
        }
    }
}

/// In one sentence whether everything new is being served; the table, and what else is to be said of its rows. What is wrong with
/// them is among the findings.
pub fn text(live: &Live, screen: Screen, is_brief: bool, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out)?;
    line(out, verdict(live))?;
    let all = screen.wide || !is_brief && live.rows.len() < MANY;
    let mut shown = live.rows.iter().filter(|row| all || !is_fine(row)).peekable();
    if shown.peek().is_some() {
        let header: &[&str] = if screen.wide { &WIDE } else { &NARROW };
        table(out, screen.width, header, shown.map(|row| cells(row, screen)))?;
    }
    let mut remarks: Vec<(&str, Vec<String>)> = Vec::new();
    for row in live.rows.iter().filter(|row| all && is_fine(row) && !row.why.is_empty()) {
        match remarks.iter_mut().find(|(why, _)| *why == row.why) {
            Some((_, ids)) => ids.push(row.endpoint.id.to_string()),
            None => remarks.push((&row.why, vec![row.endpoint.id.to_string()])),
        }
    }
    for (why, ids) in remarks {
        line(out, format_args!("- {}: {why}", first_of(&ids, SHOWN)))?;
    }
    if !live.elsewhere.is_empty() {
        let names: Vec<String> = live.elsewhere.iter().map(ToString::to_string).collect();
        line(out, format_args!("- not asked, they listen on loopback of their nodes: {}", first_of(&names, SHOWN)))?;
    }
    Ok(())
}

/// There is nothing to do about it.
fn is_fine(row: &Row) -> bool {
    matches!(row.state, State::Same | State::NothingOnDisk) && row.ends == Ends::Later
}

/// From this many rows on, those that are fine are left out.
const MANY: usize = 25;
const SHOWN: usize = 4;
const NARROW: [&str; 5] = ["ENDPOINT", "ADDRESS", "SERVED", "EXPIRES", "ASKS FOR CLIENTS OF"];
const WIDE: [&str; 9] =
    ["ENDPOINT", "ADDRESS", "SERVED", "EXPIRES", "ASKS FOR CLIENTS OF", "SERIAL", "SUBJECT", "ISSUER", "TLS"];

fn cells(row: &Row, screen: Screen) -> Vec<String> {
    let of = |fact: fn(&Facts) -> &String| row.served.as_ref().map(|served| fact(served).clone()).unwrap_or_default();
    let state = match row.ends {
        Ends::Later => row.state.name().to_owned(),
        ends => format!("{}, {}", row.state.name(), validity(ends)),
    };
    let clients = match (&row.client_authorities, &row.served) {
        (Some(names), _) if names.is_empty() => "any authority".to_owned(),
        (Some(names), _) => first_of(names, SHOWN),
        (None, Some(_)) => "none".to_owned(),
        (None, None) => String::new(),
    };
    let expires = row.served.as_ref().map(|served| end(served.not_after, screen.now)).unwrap_or_default();
    let mut cells = vec![row.endpoint.id.to_string(), row.endpoint.peer.to_string(), state, expires, clients];
    if screen.wide {
        cells.extend([of(|served| &served.serial), of(|served| &served.subject), of(|served| &served.issuer)]);
        cells.push(row.version.map(Version::name).unwrap_or_default().to_owned());
    }
    cells
}

/// `served: everything on disk is being served (6 endpoints: 4 same, 2 nothing on disk)`.
fn verdict(live: &Live) -> String {
    let names = |state: State| {
        let of = live.rows.iter().filter(|row| row.state == state).map(|row| row.endpoint.id.to_string());
        first_of(&of.collect::<Vec<_>>(), SHOWN)
    };
    let counts: Vec<String> = State::ALL
        .into_iter()
        .map(|state| (state, live.count(state)))
        .filter(|(_, count)| *count > 0)
        .map(|(state, count)| format!("{count} {}", state.name()))
        .collect();
    let all = format!("{}: {}", counted(live.rows.len(), "endpoint"), counts.join(", "));
    let count = |state| live.count(state);
    match () {
        () if live.rows.is_empty() => "served: no endpoint is known that may be asked".to_owned(),
        () if count(State::Other) > 0 => format!("served: not what is on disk at {} ({all})", names(State::Other)),
        () if count(State::Older) > 0 => format!("served: still the old one at {} ({all})", names(State::Older)),
        () if count(State::Unreachable) + count(State::NotCompared) > 0 => format!("served: not all is known ({all})"),
        () if count(State::Same) == 0 => format!("served: nothing of it is on disk ({all})"),
        () if live.rows.iter().any(is_absent) => {
            let absent = live.rows.iter().filter(|row| is_absent(row)).map(|row| row.endpoint.id.to_string());
            let absent = first_of(&absent.collect::<Vec<_>>(), SHOWN);
            format!("served: everything on disk is being served; not on disk is that of {absent} ({all})")
        }
        () => format!("served: everything new is being served ({all})"),
    }
}

/// It serves what lies in a file on its node, and not here.
fn is_absent(row: &Row) -> bool {
    let in_a_file = ["apiserver", "etcd-server", "etcd-peer"].contains(&row.endpoint.id.name.as_str());
    row.state == State::NothingOnDisk && in_a_file
}
