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
        for cluster in self.clusters.iter().filter(|cluster| screen.wide || cluster.is_told()) {
            let (sentences, rows): (Vec<Line>, Vec<Line>) =
                groups::lines(cluster, screen.wide).into_iter().partition(Line::is_sentence);
            if sentences.is_empty() && rows.is_empty() {
                continue;
            }
            writeln!(out)?;
            line(out, heading(cluster))?;
            if !rows.is_empty() {
                let cells = |one: Line| [format!("  {}", one.action), one.what, one.why];
                table(out, screen.width, &["  DO", "WHAT", "WHY"], rows.into_iter().map(cells))?;
            }
            sentences.iter().try_for_each(|one| line(out, format_args!("  {}: {}", one.action, one.why)))?;
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

#[cfg(test)]
mod tests {
    use super::super::document::{Change, ProfileState, Remark, Verb};
    use super::*;
    use crate::tree::EntryId;
    use time::macros::datetime;

    #[test]
    fn rows_are_no_wider_than_the_screen_and_commands_are_not_broken() {
        let change = |index: usize| Change {
            action: Action::Renew,
            id: EntryId::new(Some("control-plane-1.example.com"), "apiserver-kubelet-client"),
            verb: Verb::Renew,
            reasons: vec![format!("the profile adds api.example.com, {index} and many more names of this cluster")],
            names_added: Vec::new(),
            names_removed: Vec::new(),
        };
        let command =
            "kpki renew apiserver --prune-sans --profile clusters/production-europe-west.yaml --dir clusters/x";
        let cluster = |name: &str, profile| Cluster {
            name: name.to_owned(),
            directory: format!("clusters/{name}"),
            profile,
            changes: (0..4).map(change).collect(),
            warnings: vec![Remark { verb: Verb::Renew, text: format!("take them out with: {command}") }],
            ..Cluster::default()
        };
        let clusters =
            vec![cluster("production-europe-west-number-1", ProfileState::Changed), cluster("b", ProfileState::Gone)];
        let plan = Plan::new(datetime!(2026-11-20 22:00 UTC), clusters, "kpki plan".to_owned());
        let mut text = Vec::new();
        plan.text(Screen { now: plan.at, width: Some(80), wide: false }, &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert_eq!(text.lines().filter(|line| line.ends_with(command)).count(), 2, "{text}");
        let rows = text.lines().filter(|line| !line.starts_with("  warning: "));
        assert!(rows.clone().all(|row| row.chars().count() <= 80), "{text}");
        assert!(rows.count() > 12, "{text}");
    }
}
