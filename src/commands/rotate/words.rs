//! What keeps a step closed, and what a node owes, in words.

use std::collections::BTreeMap;

use crate::catalog::readers;
use crate::clock::rfc3339;
use crate::files::shell_path;
use crate::plan::rotate::gate::Closed;
use crate::plan::rotate::in_force::Missing;
use crate::tree::Origin;
use crate::tree::rotation::Rotation;
use crate::workspace::rotation::standing::Standing;

/// One sentence: which, since when, until when.
pub(super) fn why(closed: &Closed, standing: &Standing) -> String {
    let Rotation { phase, since, .. } = &standing.rotation;
    let given_up = standing.way.gives_up();
    match closed {
        Closed::Unconfirmed(nodes) => {
            format!("it is {phase} since {since}, and not known to be in force on {}", nodes.join(", "))
        }
        Closed::Behind(entries) => format!("other authorities than those of ca.crt are in {}", entries.join(", ")),
        Closed::Wait(until) => {
            let field = if standing.facts.gives_up { "waitBeforeRetire" } else { "waitBeforeSwitch" };
            format!("it is {phase} since {since}, and the wait (rotation.{field}) is over at {}", rfc3339(*until))
        }
        Closed::Clocks(until) => {
            format!("clocks that are behind do not accept the new certificate before {}", rfc3339(*until))
        }
        Closed::Kubelets(until) => format!(
            "kubelets renew their own certificates, and may use those of the {given_up} authority until {}",
            rfc3339(*until)
        ),
        Closed::Alive(all) => {
            let one = |one: &crate::plan::rotate::gate::Alive| format!("{} until {}", one.name, rfc3339(one.ends));
            let all: Vec<String> = all.iter().map(one).collect();
            format!("certificates of the {given_up} authority are still valid: {}", all.join("; "))
        }
    }
}

/// What the record keeps of a gate that was passed.
pub(super) fn details(closed: &Closed) -> Vec<String> {
    match closed {
        Closed::Unconfirmed(nodes) | Closed::Behind(nodes) => nodes.clone(),
        Closed::Wait(until) => vec![format!("wait until {}", rfc3339(*until))],
        Closed::Clocks(until) => vec![format!("clocks until {}", rfc3339(*until))],
        Closed::Kubelets(until) => vec![format!("kubelets until {}", rfc3339(*until))],
        Closed::Alive(all) => all.iter().map(|one| format!("{} until {}", one.name, rfc3339(one.ends))).collect(),
    }
}

/// How nodes are confirmed, each with its command.
pub(super) fn confirm(origin: &Origin, nodes: &[String]) -> Vec<String> {
    let Some(first) = nodes.first() else { return Vec::new() };
    let tree = origin.whole();
    let by_hand = tree.command("rotate confirm", nodes, &[]);
    let receipt = shell_path(format!("{first}.json"));
    let by_receipt = tree.command("rotate confirm", &[first], &["--receipt", &receipt]);
    vec![
        format!(
            "when its files are there and what they need is restarted, by the receipt of each node (kpki export --verify --receipt -o \
             json, there): {by_receipt}"
        ),
        format!("or, having looked yourself: {by_hand}"),
    ]
}

/// How a node that was refused is confirmed. `unknown`: whether nothing but what a receipt cannot show speaks against it.
pub(super) fn not_confirmed(origin: &Origin, unknown: BTreeMap<String, bool>) -> Vec<String> {
    let nodes: Vec<String> = unknown.into_iter().filter(|(_, only)| *only).map(|(node, _)| node).collect();
    let again =
        "when it is done there, make a new receipt on the node: kpki export --verify --receipt -o json".to_owned();
    let by_hand = || {
        let command = origin.whole().command("rotate confirm", &nodes, &[]);
        format!("or, having looked yourself at what the receipt does not show: {command}")
    };
    [again].into_iter().chain((!nodes.is_empty()).then(by_hand)).collect()
}

/// Files first, then components in the order of their restarts.
pub(super) fn place(missing: &Missing) -> usize {
    match missing {
        Missing::Entry(_) => 0,
        Missing::Restart(name) | Missing::Unknown(name) => {
            readers::COMPONENTS.iter().position(|known| known == name).map_or(usize::MAX, |at| at + 1)
        }
        Missing::Kubelet => usize::MAX,
    }
}

/// What is missing on a node, with how it is done there.
pub(super) fn owed(missing: &[Missing]) -> Vec<String> {
    let entries: Vec<&str> = missing
        .iter()
        .filter_map(|one| if let Missing::Entry(name) = one { Some(name.as_str()) } else { None })
        .collect();
    let files =
        (!entries.is_empty()).then(|| format!("files that are not those of this directory: {}", entries.join(", ")));
    let one = |one: &Missing| {
        match one {
        Missing::Entry(_) => None,
        Missing::Restart(component) => {
            let command = readers::command(component).map(|command| format!(": {command}")).unwrap_or_default();
            Some(format!("{component} to restart{command}"))
        }
        Missing::Unknown(component) => {
            let command = readers::command(component).map(|command| format!(": {command}")).unwrap_or_default();
            Some(format!("{component} to restart, unless that was done{command}"))
        }
        Missing::Kubelet => Some(
            "kubelet-client-current.pem is of the authority that signs no more: mv /var/lib/kubelet/pki/kubelet-client-current.pem \
             /var/lib/kubelet/pki/kubelet-client-old.link && systemctl restart kubelet"
                .to_owned(),
        ),
    }
    };
    files.into_iter().chain(missing.iter().filter_map(one)).collect()
}

/// The same in few words.
pub(super) fn owed_short(missing: &[Missing]) -> Vec<String> {
    let of = |pick: fn(&Missing) -> Option<&str>| missing.iter().filter_map(pick).collect::<Vec<_>>().join(", ");
    let groups = [
        ("other files: ", of(|one| if let Missing::Entry(name) = one { Some(name) } else { None })),
        ("restart ", of(|one| if let Missing::Restart(name) = one { Some(*name) } else { None })),
        ("restart, unless done: ", of(|one| if let Missing::Unknown(name) = one { Some(*name) } else { None })),
        (
            "old kubelet certificate: ",
            of(|one| matches!(one, Missing::Kubelet).then_some("kubelet-client-current.pem")),
        ),
    ];
    groups.into_iter().filter(|(_, names)| !names.is_empty()).map(|(what, names)| format!("{what}{names}")).collect()
}

/// Nodes that do not count.
pub(super) fn absent(standing: &Standing) -> Option<String> {
    let Standing { absent, rotation, .. } = standing;
    (!absent.is_empty()).then(|| {
        format!(
            "{}: {} not counted, because there is no tree of it here: {}",
            rotation.authority,
            absent.len(),
            absent.join(", ")
        )
    })
}
