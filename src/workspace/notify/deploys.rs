//! The deploy hooks of a run that has put new files in place.

use crate::catalog;
use crate::catalog::paths::SIGNER_ENTRY;
use crate::catalog::readers::{Action, COMPONENTS};
use crate::profile::{Command, DeployHook, Profile, Renewal};
use crate::report::restart::restarts;
use crate::tree::EntryId;

const RESTART: &str = Action::Restart.name();

/// One deploy hook to run.
pub struct Deploy<'a> {
    pub hook: &'a DeployHook,
    pub node: Option<String>,
    pub component: String,
    pub action: &'static str,
    pub entries: Vec<String>,
}

impl Deploy<'_> {
    pub fn ids(&self) -> impl Iterator<Item = String> {
        self.entries.iter().map(|name| EntryId::new(self.node.as_deref(), name).to_string())
    }
}

/// `KPKI_RESULT` of the post hook.
pub const fn result(rolled_back: bool, failed: bool) -> &'static str {
    match (rolled_back, failed) {
        (true, _) => "restored",
        (false, true) => "failed",
        (false, false) => "renewed",
    }
}

/// What a report calls a hook: the file name of its program. No arguments, which may hold a secret; nor do assignments before it.
pub fn short_name(command: &Command) -> String {
    let program = match command {
        Command::Program(words) => words.first().map(String::as_str),
        Command::Shell(text) => text.split_whitespace().find(|word| !word.contains('=')),
    };
    let name = program.and_then(|program| program.rsplit('/').next()).unwrap_or_default();
    let is_plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "._-+".contains(c));
    if is_plain { name.to_owned() } else { "sh".to_owned() }
}

/// One call for each component of each node, and one for each extra certificate that has a hook.
/// `runs`: whether a component runs where the files are.
pub fn of<'r>(
    changed: &[EntryId],
    renewal: &'r Renewal,
    profile: &Profile,
    runs: impl Fn(&str) -> bool,
) -> Vec<Deploy<'r>> {
    let known = restarts(changed.iter().cloned(), Some(profile))
        .into_iter()
        .filter(|restart| COMPONENTS.contains(&restart.component) && runs(restart.component));
    let mut all: Vec<Deploy<'r>> = known
        .filter_map(|restart| {
            Some(Deploy {
                hook: renewal.hooks.deploy(restart.component)?,
                node: restart.node,
                component: restart.component.to_owned(),
                action: restart.action,
                entries: restart.entries,
            })
        })
        .collect();
    merge(&mut all);
    // What takes its files up by itself is not restarted for them.
    all.retain(|deploy| matches!(deploy.hook, DeployHook::Run(_)) || deploy.action == RESTART);
    // The reader of an extra certificate is known only from its own hook.
    for extra in changed.iter().filter(|id| is_extra(&id.name)) {
        all.extend(renewal.hooks.deploy(&extra.name).map(|hook| Deploy {
            hook,
            node: extra.node.clone(),
            component: extra.name.clone(),
            action: RESTART,
            entries: vec![extra.name.clone()],
        }));
    }
    all
}

fn is_extra(name: &str) -> bool {
    catalog::find(name).is_none() && name != SIGNER_ENTRY
}

/// One call for each component of each node.
fn merge(all: &mut Vec<Deploy<'_>>) {
    let mut merged: Vec<Deploy<'_>> = Vec::new();
    for deploy in all.drain(..) {
        let same = |other: &&mut Deploy<'_>| other.node == deploy.node && other.component == deploy.component;
        match merged.iter_mut().find(same) {
            Some(known) => {
                known.entries.extend(deploy.entries);
                if deploy.action == RESTART {
                    known.action = deploy.action;
                }
            }
            None => merged.push(deploy),
        }
    }
    *all = merged;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_names_the_program_and_none_of_its_arguments() {
        let shell = |text: &str| short_name(&Command::Shell(text.to_owned()));
        for (text, name) in [
            ("systemctl restart kubelet", "systemctl"),
            ("/usr/local/bin/restart-etcd --token=abc", "restart-etcd"),
            ("TOKEN=abc ./notify", "notify"),
            ("  for i in 1 2; do :; done", "for"),
            ("$(secret) x", "sh"),
            ("TOKEN=abc", "sh"),
        ] {
            assert_eq!(shell(text), name, "{text}");
        }
        let program = ["/opt/a b/notify.sh", "secret"].map(str::to_owned).to_vec();
        assert_eq!(short_name(&Command::Program(program)), "notify.sh");
    }
}
