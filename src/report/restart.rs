//! What has to happen before a component uses what was changed.

use std::io::{self, Write};

use serde::{Serialize, Serializer};

use super::hook::Hook;
use super::table::line;
use crate::catalog::readers::{self, Action, COMPONENTS, Part, Reader};
use crate::catalog::releases::KnownRelease;
use crate::plan::running::is_sign_of;
use crate::plan::unpack::runs;
use crate::profile::Profile;
use crate::tree::EntryId;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Restart {
    pub node: Option<String>,
    pub component: &'static str,
    /// `restart`, `none`, `copy-again`.
    pub action: &'static str,
    pub why: &'static str,
    /// Of `none`: how long it takes.
    pub within: Option<String>,
    /// What `none` does not cover.
    pub except: Option<&'static str>,
    pub entries: Vec<String>,
    pub command: Option<String>,
    /// The release for which this holds.
    #[serde(rename = "kubernetesVersion", serialize_with = "version")]
    pub kubernetes: KnownRelease,
    #[serde(skip)]
    pub taken_up: Action,
}

fn version<S: Serializer>(kubernetes: &KnownRelease, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&kubernetes.release)
}

/// An entry whose files are new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    pub id: EntryId,
    /// Of a kubeconfig: what it trusts is why, and the only part that counts.
    pub authority_data: bool,
}

impl From<EntryId> for Changed {
    fn from(id: EntryId) -> Self {
        Self { id, authority_data: false }
    }
}

/// They are restarted last: what publishes their file is restarted before.
const PODS: &str = "pods";

/// Each component of each node once, as the catalogue knows its readers, of those that the node's roles have. `changed`: the
/// entries whose files are new.
pub fn restarts(changed: impl Iterator<Item = impl Into<Changed>>, profile: Option<&Profile>) -> Vec<Restart> {
    let kubernetes = profile.map(Profile::release).unwrap_or_default();
    let mut all: Vec<Restart> = Vec::new();
    for Changed { id: EntryId { node, name: entry }, authority_data } in changed.map(Into::into) {
        let is_of = |reader: &&Reader| !authority_data || reader.part == Part::AuthorityData;
        for reader in readers::of(&entry, kubernetes.release).filter(is_of) {
            // Workloads are the cluster's, and not a node's.
            let node = node.clone().filter(|_| reader.component != PODS);
            let same = |other: &&mut Restart| {
                other.node == node && other.component == reader.component && other.action == reader.action.name()
            };
            match all.iter_mut().find(same) {
                Some(known) => known.add(reader, &entry),
                None => all.push(Restart {
                    node,
                    component: reader.component,
                    action: reader.action.name(),
                    why: reader.why,
                    within: reader.action.within(),
                    except: reader.except,
                    entries: vec![entry.clone()],
                    command: readers::command(reader.component).filter(|_| reader.action == Action::Restart),
                    kubernetes,
                    taken_up: reader.action,
                }),
            }
        }
    }
    if let Some(profile) = profile {
        // A node that has left the profile is what its own certificates are.
        let is_shown =
            |one: &Restart| one.entries.iter().any(|entry| is_sign_of(entry, one.component, kubernetes.release));
        let is_there = |one: &Restart, node: &String| match profile.node(node) {
            Some(_) => runs(profile, node, one.component),
            None => is_shown(one),
        };
        all.retain(|one| one.node.as_ref().is_none_or(|node| is_there(one, node)));
    }
    let order = |component: &str| COMPONENTS.iter().position(|known| *known == component);
    all.sort_by_key(|restart| {
        (restart.component == PODS, restart.node.clone(), order(restart.component).unwrap_or(usize::MAX))
    });
    all
}

/// Without the components whose deploy hook has succeeded: it has restarted them. What was not called, or failed, is still asked for.
pub fn still_to_restart(mut restart: Vec<Restart>, hooks: &[Hook]) -> Vec<Restart> {
    let is_of = |hook: &&Hook, one: &Restart| {
        hook.name == "deploy" && hook.node == one.node && hook.component.as_deref() == Some(one.component)
    };
    // After a rollback it is called a second time, and the last call counts.
    let is_done = |one: &Restart| hooks.iter().rfind(|hook| is_of(hook, one)).is_some_and(|hook| hook.succeeded);
    restart.retain(|one| one.action != "restart" || !is_done(one));
    restart
}

impl Restart {
    /// The one that takes the longest decides what is said of several.
    fn add(&mut self, reader: &Reader, entry: &str) {
        if !self.entries.iter().any(|known| known == entry) {
            self.entries.push(entry.to_owned());
        }
        if reader.action > self.taken_up {
            (self.taken_up, self.within, self.why) = (reader.action, reader.action.within(), reader.why);
        }
        self.except = self.except.or(reader.except);
    }
}

/// A component among others that are restarted.
pub fn one_at_a_time(component: &str) -> String {
    match component {
        "etcd" => "etcd (one member at a time, the next when all are healthy)".to_owned(),
        other => other.to_owned(),
    }
}

/// What people have to do, under a headline, and what happens by itself.
pub fn restart_lines(restart: &[Restart], headline: &str, out: &mut dyn Write) -> io::Result<()> {
    let (alone, wanted): (Vec<&Restart>, Vec<&Restart>) = restart.iter().partition(|one| one.action == "none");
    if let Some(first) = wanted.first() {
        let is_restart = |one: &&&Restart| one.action == "restart";
        let several = wanted.iter().filter(is_restart).count() > 1;
        let order = if several { ", one component after another" } else { "" };
        let nodes = wanted.iter().filter(is_restart).any(|one| one.node != first.node);
        let order = if nodes { ", one node after another, one component after another" } else { order };
        writeln!(out, "\n{headline}{order} ({}):", first.kubernetes)?;
    }
    for one in wanted {
        let node = one.node.as_ref().map(|node| format!("on {node}: ")).unwrap_or_default();
        let entries = one.entries.join(", ");
        let what = match (one.component, one.action) {
            ("people", _) => format!("copy {entries} again"),
            ("pods", _) => "restart the workloads".to_owned(),
            (component, _) => format!("restart {}", one_at_a_time(component)),
        };
        line(out, format_args!("- {node}{what}: {} ({entries})", one.why))?;
        one.command.iter().try_for_each(|command| writeln!(out, "    {command}"))?;
    }
    if let Some(first) = alone.first() {
        writeln!(out, "\nUsed without a restart ({}):", first.kubernetes)?;
    }
    for component in COMPONENTS {
        taken_up(component, &alone, out)?;
    }
    Ok(())
}

/// One line for a component, on whatever nodes it runs.
fn taken_up(component: &str, alone: &[&Restart], out: &mut dyn Write) -> io::Result<()> {
    let of = || alone.iter().filter(|one| one.component == component);
    let Some(slowest) = of().max_by_key(|one| one.taken_up) else { return Ok(()) };
    let mut entries: Vec<&str> = of().flat_map(|one| one.entries.iter().map(String::as_str)).collect();
    entries.sort_unstable();
    entries.dedup();
    let within = slowest.within.as_deref().unwrap_or_default();
    line(out, format_args!("- {component}, {within}: {} ({})", slowest.why, entries.join(", ")))?;
    of().find_map(|one| one.except).map_or(Ok(()), |except| line(out, format_args!("  but {except}")))
}
