//! What follows from what is served: findings, and what is not known.

use super::endpoint::Skipped;
use super::live::Live;
use super::row::{Ends, Row, State};
use crate::clock::rfc3339;
use crate::verify::rule::Rule;
use crate::verify::rules::served::{ENDING, EXPIRED, OLDER, OTHER};
use crate::verify::{Finding, NotLookedAt, Place};

pub fn findings(live: &Live) -> Vec<Finding> {
    live.rows.iter().flat_map(of_row).collect()
}

pub fn not_looked_at(live: &Live) -> Vec<NotLookedAt> {
    let unknown = live.rows.iter().filter(|row| matches!(row.state, State::Unreachable | State::NotCompared));
    let unknown = unknown.map(|row| NotLookedAt { path: at(row), why: row.why.clone() });
    unknown.chain(live.skipped.iter().map(skipped)).collect()
}

/// `cp1/apiserver at 10.0.0.11:6443`.
fn at(row: &Row) -> String {
    format!("{} at {}", row.endpoint.id, row.endpoint.peer)
}

fn skipped(one: &Skipped) -> NotLookedAt {
    let Skipped { id, peer, path } = one;
    match peer {
        None => NotLookedAt {
            path: id.to_string(),
            why: format!("no address of it is known: give --endpoint {id}=HOST:PORT"),
        },
        Some(peer) => {
            let named = path.as_ref().map(|path| format!("{path} names it, which is ")).unwrap_or_default();
            NotLookedAt {
                path: format!("{id} at {peer}"),
                why: format!(
                    "{named}neither a node of the profile nor its controlPlaneEndpoint: --live-all asks there, too"
                ),
            }
        }
    }
}

fn of_row(row: &Row) -> Vec<Finding> {
    let mut found = Vec::new();
    let Some(served) = &row.served else { return found };
    let place = || Place {
        path: row.on_disk.as_ref().map_or_else(|| at(row), |(path, _)| path.clone()),
        entry: Some(row.endpoint.id.clone()),
        position: None,
    };
    let mut add = |rule: &'static Rule, text: String, repair: Vec<String>| {
        found.push(Finding { rule, place: place(), found: text, repair, follows: Vec::new(), ignored: None });
    };
    let peer = &row.endpoint.peer;
    let expected = row
        .on_disk
        .as_ref()
        .map_or_else(|| "none of another entry's".to_owned(), |(_, facts)| format!("serial {}", facts.serial));
    match row.state {
        // One that has expired is said below, with the same command.
        State::Older if row.ends == Ends::Expired => {}
        State::Older => add(
            &OLDER,
            format!("expected {expected} at {peer}, found serial {}: {}", served.serial, row.why),
            row.repair.clone(),
        ),
        State::Other => {
            add(
                &OTHER,
                format!("expected {expected} at {peer}, found serial {}: {}", served.serial, row.why),
                Vec::new(),
            );
        }
        _ => {}
    }
    let until = rfc3339(served.not_after);
    match row.ends {
        Ends::Later => {}
        Ends::Soon => add(&ENDING, format!("expected a later end at {peer}, found {until}"), row.repair.clone()),
        Ends::Expired => {
            add(&EXPIRED, format!("expected a valid certificate at {peer}, found the end {until}"), row.repair.clone())
        }
        Ends::NotYetValid => {
            add(
                &EXPIRED,
                format!("expected a valid certificate at {peer}, found one that begins later"),
                row.repair.clone(),
            );
        }
    }
    found
}
