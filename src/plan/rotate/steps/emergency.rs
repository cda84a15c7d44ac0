//! What only an emergency needs: the old authority is trusted by nobody any more, and whoever had its key may have made himself other
//! ways in.

use super::situation::{Instruction, Restarted, Situation, Step};
use crate::catalog::CaId;
use crate::catalog::paths::TRUST_FILE;
use crate::catalog::readers::command;
use crate::files::{shell_path, shell_word};

const MANAGER: &str = "kube-controller-manager";
const API_SERVER: &str = "kube-apiserver";

/// kube-apiserver reads ca.crt again by itself, and who is connected stays connected: in an emergency it is restarted wherever
/// kube-controller-manager is.
pub fn api_servers(restarts: &[Restarted]) -> Vec<Restarted> {
    let is_there = |node: &Option<String>| restarts.iter().any(|one| one.component == API_SERVER && one.node == *node);
    let managers = restarts.iter().filter(|one| one.component == MANAGER && !is_there(&one.node));
    let of = |one: &Restarted| {
        let why = "who was let in by the old authority stays connected until it is restarted";
        Some(Restarted { component: API_SERVER, why, command: command(API_SERVER)?, ..one.clone() })
    };
    managers.filter_map(of).collect()
}

/// Before anything is restarted.
pub fn first(situation: &Situation<'_>) -> Option<Instruction> {
    if situation.step != Step::Emergency || !situation.rotates(CaId::Cluster) {
        return None;
    }
    let path = on_a_node(situation);
    let mut all = Instruction::new(
        format!(
            "set --root-ca-file={path} of kube-controller-manager on every control-plane node: with the new and the old authority, \
             pods learn the new one before they lose the old one"
        ),
        "pods that run refuse kube-apiserver until they are restarted",
    )
    .of(MANAGER);
    // A node of a cluster directory has no copy of its own.
    if let Some(directory) = situation.directory {
        let of = |node: &String| {
            let (file, node) = (shell_path(format!("{directory}/nodes/{node}/pki/{TRUST_FILE}")), shell_word(node));
            format!("test ! -f {file} || scp {file} {node}:{path}")
        };
        let is_on = |one: &&String| {
            let is_its = |known: &Restarted| known.component == MANAGER && known.node.as_ref() == Some(*one);
            situation.restarts.iter().any(is_its)
        };
        let nodes: Vec<String> = situation.nodes.iter().filter(is_on).cloned().collect();
        all.commands = nodes.iter().map(of).collect();
        all = all.on(&nodes);
    }
    Some(all)
}

/// When the cluster is back.
pub fn last(situation: &Situation<'_>) -> Vec<Instruction> {
    if situation.step != Step::Emergency {
        return Vec::new();
    }
    let dir = shell_path(situation.dir);
    let mut all = vec![
        Instruction::new(
            "look for what a stranger may have left: role bindings, certificate signing requests, tokens, admission webhooks, static pods",
            "whoever had the key keeps another way in",
        )
        .run("kubectl get clusterrolebindings,rolebindings,csr,validatingwebhookconfigurations,mutatingwebhookconfigurations -A"),
    ];
    if situation.rotates(CaId::Cluster) && !situation.rotates_service_account() {
        all.push(
            Instruction::new(
                "replace the service account key as well: who could read secrets and write objects may have made himself tokens",
                "tokens that a stranger has made are valid as long as they say",
            )
            .run(format!("kpki rotate emergency sa --dry-run --dir {dir}")),
        );
    }
    if situation.rotates(CaId::Cluster) && !situation.rotates(CaId::Etcd) {
        all.push(
            Instruction::new(
                "replace etcd-ca as well, if etcd was within reach of whoever had the key, or if both keys lay on one host",
                "whoever has the key of etcd-ca reads and writes everything in etcd",
            )
            .run(format!("kpki rotate emergency etcd-ca --dry-run --dir {dir}")),
        );
    }
    let names: Vec<&str> = situation.authorities.iter().map(|one| one.name()).collect();
    let trust = match situation.rotates(CaId::Cluster) {
        true => format!(", and set --root-ca-file back to ca.crt: {TRUST_FILE} goes"),
        false => String::new(),
    };
    all.push(
        Instruction::new(
            format!("when every pod is restarted, end the emergency{trust}"),
            "the record says that the emergency goes on, and pods go on trusting the old authority",
        )
        .run(format!("kpki rotate retire {} --dir {dir}", names.join(" "))),
    );
    all
}

fn on_a_node(situation: &Situation<'_>) -> String {
    format!("{}/{TRUST_FILE}", situation.certificates_dir.trim_end_matches('/'))
}
