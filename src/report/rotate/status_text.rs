//! `kpki rotate status` for people.

use std::io::{self, Write};

use time::OffsetDateTime;

use super::status::{AuthorityRow, NodeRow, Outcome, Status};
use crate::clock::{distance, length, parse_instant, rfc3339};
use crate::report::form::{Report, Screen};
use crate::report::table::{line, lines, place, table};
use crate::tree::rotation::{Identity, Phase};

impl Report for Status {
    fn text(&self, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
        let place = place(self.cluster.as_deref(), &self.directory);
        let running: Vec<&AuthorityRow> = self.authorities.iter().filter(|one| one.phase.is_some()).collect();
        match (self.outcome, running.is_empty()) {
            (Outcome::Blocked, true) => line(out, format_args!("inconsistent: {place}"))?,
            (_, true) => line(out, format_args!("nothing is being rotated: {place}"))?,
            (outcome, false) => {
                let blocked = if outcome == Outcome::Blocked { "blocked: " } else { "" };
                line(out, format_args!("{blocked}{}: {place}", head(&running, screen.now)))?;
            }
        }
        if !running.is_empty() {
            writeln!(out)?;
            self.tables(&running, screen, out)?;
        }
        lines(out, "finding: ", &self.findings)?;
        lines(out, "waits: ", waits(&running))?;
        lines(out, "to do in the cluster: ", &self.instructions)?;
        lines(out, "next: ", &self.next)
    }
}

impl Status {
    fn tables(&self, running: &[&AuthorityRow], screen: Screen, out: &mut dyn Write) -> io::Result<()> {
        let rows = running.iter().map(|one| authority(one, screen));
        let header = ["AUTHORITY", "PHASE", "SIGNS", "TRUSTED", "OLD ENDS", "NEW ENDS", "NEXT"];
        table(out, screen.width, &header, rows)?;
        let none: Vec<&str> =
            self.authorities.iter().filter(|one| one.phase.is_none()).map(|one| one.authority.name()).collect();
        if !none.is_empty() {
            line(out, format_args!("{}: none", none.join(", ")))?;
        }
        if self.nodes.is_empty() {
            return Ok(());
        }
        writeln!(out)?;
        table(
            out,
            screen.width,
            &["NODE", "PHASE IN FORCE", "SEEN BY", "OWED"],
            self.nodes.iter().map(|one| node(one, screen.wide)),
        )
    }
}

/// Each reason once, with everything that it holds back.
fn waits(running: &[&AuthorityRow]) -> Vec<String> {
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for (authority, wait) in running.iter().flat_map(|one| one.waits_for.iter().map(|wait| (one.authority, wait))) {
        match groups.iter_mut().find(|(why, _)| *why == wait.why) {
            Some((_, names)) => names.push(authority.name()),
            None => groups.push((&wait.why, vec![authority.name()])),
        }
    }
    groups.into_iter().map(|(why, names)| format!("{}: {why}", names.join(", "))).collect()
}

/// `ca, etcd-ca prepared since 2d; sa switched since 3h`
fn head(running: &[&AuthorityRow], now: OffsetDateTime) -> String {
    let mut groups: Vec<(Phase, Option<OffsetDateTime>, Vec<&str>)> = Vec::new();
    for one in running {
        let Some(phase) = one.phase else { continue };
        match groups.iter_mut().find(|(other, since, _)| *other == phase && *since == one.since) {
            Some((.., names)) => names.push(one.authority.name()),
            None => groups.push((phase, one.since, vec![one.authority.name()])),
        }
    }
    let said = groups.into_iter().map(|(phase, since, names)| {
        let since = since.map(|since| format!(" for {}", length(now - since))).unwrap_or_default();
        format!("{} {phase}{since}", names.join(", "))
    });
    said.collect::<Vec<_>>().join("; ")
}

fn authority(one: &AuthorityRow, screen: Screen) -> [String; 7] {
    let name = |identity: &Option<Identity>| identity.as_ref().map(|one| named(one, screen.wide)).unwrap_or_default();
    let ends = |identity: &Option<Identity>| {
        let at = identity.as_ref().and_then(|one| one.certificate.as_ref());
        let at = at.and_then(|all| parse_instant(&all.not_after, screen.now));
        at.map_or_else(|| "-".to_owned(), |at| distance(screen.now, at))
    };
    let (old, new) = (name(&one.old), name(&one.new));
    let (signs, trusted) = match one.phase {
        Some(Phase::Prepared) => (old.clone(), format!("{old}, {new}")),
        Some(Phase::Switched) => (new.clone(), format!("{new}, {old}")),
        Some(Phase::Emergency) | None => (new.clone(), new),
    };
    let phase = one.phase.map_or("none", Phase::name).to_owned();
    [one.authority.name().to_owned(), phase, signs, trusted, ends(&one.old), ends(&one.new), next(one, screen.now)]
}

/// The common name, or the first digits of a `kid`; `wide`: the whole.
fn named(identity: &Identity, wide: bool) -> String {
    match (&identity.certificate, &identity.kid) {
        (Some(one), _) if wide => one.subject.clone(),
        (Some(one), _) => one.subject.rsplit_once("CN=").map_or(one.subject.as_str(), |(_, name)| name).to_owned(),
        (None, Some(kid)) if wide => kid.clone(),
        (None, Some(kid)) => kid.chars().take(8).collect(),
        (None, None) => String::new(),
    }
}

fn next(one: &AuthorityRow, now: OffsetDateTime) -> String {
    let Some(step) = one.next_step else { return "-".to_owned() };
    let mut when = Vec::new();
    if one.unconfirmed > 0 {
        let confirm = if one.unconfirmed == 1 { "confirms" } else { "confirm" };
        when.push(format!("when {} more of {} nodes {confirm}", one.unconfirmed, one.nodes));
    }
    if let Some(at) = one.not_before.filter(|at| *at > now) {
        when.push(format!("from {}", rfc3339(at)));
    }
    if one.waits_for.iter().any(|wait| wait.until.is_none()) && one.unconfirmed == 0 {
        when.push("see below".to_owned());
    }
    if when.is_empty() { step.to_owned() } else { format!("{step}, {}", when.join(", ")) }
}

fn node(one: &NodeRow, wide: bool) -> [String; 4] {
    let mut by: Vec<&str> = one.authorities.iter().filter_map(|one| one.seen_by).collect();
    by.sort_unstable();
    by.dedup();
    let or_none = |text: String| if text.is_empty() { "-".to_owned() } else { text };
    let of = one.authorities.iter().filter(|one| one.seen_by.is_none()).map(|one| one.authority.name());
    let missing: Vec<&str> = of.collect();
    let in_force = match (one.in_force, missing.len() == one.authorities.len()) {
        (true, _) => "yes".to_owned(),
        (false, true) => "no".to_owned(),
        (false, false) => format!("not of {}", missing.join(", ")),
    };
    [
        one.node.clone(),
        in_force,
        or_none(by.join(", ")),
        or_none(if wide { &one.owed } else { &one.owed_short }.join("; ")),
    ]
}
