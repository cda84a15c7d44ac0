//! For people: a verdict, a row for each cluster, and the changes of those that change.

use std::io::{self, Write};

use super::document::{Action, Cluster, Outcome, Plan};
use super::groups::{self, Line};
use crate::report::form::{Report, Screen};
use crate::report::table::{counted, line, table};

const HEADER: [&str; 7] = ["CLUSTER", "PLAN", "PROFILE", "MAKE", "RENEW", "CRLS", "LEFT"];

impl Report for Plan {
    fn text(&self, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
        line(out, verdict(self))?;
        writeln!(out)?;
        table(out, screen.width, &HEADER, self.clusters.iter().map(row))?;
        let shown = |cluster: &&Cluster| screen.wide || cluster.outcome != Outcome::Nothing;
        for cluster in self.clusters.iter().filter(shown) {
            let lines = groups::lines(cluster, screen.wide);
            if lines.is_empty() {
                continue;
            }
            writeln!(out)?;
            line(out, heading(cluster))?;
            let cells = |one: Line| [format!("  {}", one.action), one.what, one.why];
            table(out, screen.width, &["  DO", "WHAT", "WHY"], lines.into_iter().map(cells))?;
        }
        let silent = self.clusters.iter().filter(|one| one.outcome == Outcome::Nothing && !one.warnings.is_empty());
        match silent.count() {
            0 => Ok(()),
            _ if screen.wide => Ok(()),
            some => {
                writeln!(out)?;
                let warn = if some == 1 { "has" } else { "have" };
                line(
                    out,
                    format_args!(
                        "{} with nothing to do {warn} warnings: {} -o wide",
                        counted(some, "cluster"),
                        self.command
                    ),
                )
            }
        }
    }
}

pub(super) fn verdict(plan: &Plan) -> String {
    let all = plan.clusters.len();
    let parts = [
        (Outcome::Wrong, "with a wrong profile"),
        (Outcome::Refused, "refused or not readable"),
        (Outcome::Nothing, "with nothing to do"),
    ];
    let parts = parts.into_iter().map(|(outcome, words)| (plan.count(outcome), words)).filter(|(count, _)| *count > 0);
    let parts: String = parts.map(|(count, words)| format!("; {count} {words}")).collect();
    let changes = plan.count(Outcome::Changes);
    format!("{changes} of {} would change{parts}", counted(all, "cluster"))
}

pub(super) fn heading(cluster: &Cluster) -> String {
    let name = cluster.cluster_name.iter().map(|name| format!("cluster {name}"));
    let name = name.filter(|_| cluster.cluster_name.as_ref() != Some(&cluster.name));
    let place = Some(&cluster.directory).filter(|directory| **directory != cluster.name);
    let parts: Vec<String> = name.chain(place.map(|place| format!("in {place}"))).collect();
    match parts.is_empty() {
        true => cluster.name.clone(),
        false => format!("{}: {}", cluster.name, parts.join(", ")),
    }
}

pub(super) fn row(cluster: &Cluster) -> [String; 7] {
    let count = |action| match cluster.count(action) {
        0 => "-".to_owned(),
        some => some.to_string(),
    };
    [
        cluster.name.clone(),
        cluster.outcome.word().to_owned(),
        cluster.profile.word().to_owned(),
        count(Action::Make),
        count(Action::Renew),
        count(Action::Sign),
        count(Action::Left),
    ]
}
