//! On the machines: bring the files, restart what does not read them again by itself, confirm.

use super::situation::{Instruction, Situation, Step};
use crate::catalog::CaId;
use crate::catalog::readers::COMPONENTS;
use crate::files::{shell_path, shell_word};
use crate::tree::rotation::{Kubelets, Phase};
use crate::tree::safe_host::ship_from;

/// The files of a cluster directory to every node that has new ones.
pub fn ship(situation: &Situation<'_>) -> Option<Instruction> {
    let directory = situation.directory?;
    if situation.nodes.is_empty() {
        return None;
    }
    let (what, skipped) = match situation.step {
        Step::Prepare => (
            "bring the new files to every node; nothing is signed by the new authority yet",
            "what runs there does not trust the new authority, and refuses everything after the switch",
        ),
        Step::Switch => (
            "bring the new files to the nodes, one control-plane node at a time: serving certificates are used at once, which is the switch",
            "the node goes on with certificates of the old authority, and is cut off when that is retired",
        ),
        Step::Retire => ("bring the new files to every node", "the node goes on trusting the old authority"),
        Step::Back => ("bring the files to every node", "the node stays in the phase that was taken back"),
        Step::Emergency => (
            "bring the new files to all control-plane nodes, then to the others, as fast as possible",
            "whoever has the old key is let in there",
        ),
    };
    let mut ship = Instruction::new(what, skipped).on(situation.nodes);
    ship.commands = situation.nodes.iter().map(|node| ship_from(directory, node)).collect();
    Some(ship.see(format!("kpki nodes --dir {} shows what each node confirms", shell_path(directory))))
}

/// Before the kubelets are restarted: their own certificate would win over the embedded one.
pub fn kubelets_first(situation: &Situation<'_>) -> Option<Instruction> {
    let Situation { step, kubelets, embeds, embedded, .. } = situation;
    let is_back = situation.back_to == Some(Phase::Prepared);
    if !(is_back || matches!(step, Step::Switch | Step::Emergency)) || !situation.rotates(CaId::Cluster) {
        return None;
    }
    if is_back {
        return Some(kubelets_back(situation));
    }
    match kubelets {
        // What they wait for comes after everything else.
        Kubelets::Wait => None,
        Kubelets::Embed if !embeds => None,
        Kubelets::Embed => Some(
            Instruction::new(
                "where kubelet-client-current.pem exists, move it away before the kubelet is restarted: the kubelet adopts the \
                 embedded certificate then, and asks at once for its own",
                "the kubelet goes on with its certificate of the old authority, and is refused after the retirement",
            )
            .on(embedded)
            .of("kubelet")
            .run("mv /var/lib/kubelet/pki/kubelet-client-current.pem /var/lib/kubelet/pki/kubelet-client-old.pem")
            .see(
                "after the restart kubelet-client-current.pem is there again, of the new authority; then kubelet.conf should name it \
                 again: kubeadm init phase kubelet-finalize enable-client-cert-rotation",
            ),
        ),
    }
}

/// With `--kubelets wait`, when all else is done.
pub fn kubelets_last(situation: &Situation<'_>) -> Option<Instruction> {
    let waits = situation.step == Step::Switch && situation.kubelets == Kubelets::Wait;
    (waits && situation.rotates(CaId::Cluster)).then(|| {
        Instruction::new(
            "wait until every kubelet has asked for a new client certificate itself, at 70 to 90 % of its lifetime",
            "a kubelet that still has one of the old authority is refused after the retirement, and its node is NotReady",
        )
        .see("on each node: openssl x509 -noout -issuer -in /var/lib/kubelet/pki/kubelet-client-current.pem")
    })
}

/// The old one signs again, and a kubelet's own certificate may be of the new one.
fn kubelets_back(situation: &Situation<'_>) -> Instruction {
    Instruction::new(
        "where kubelet-client-current.pem is of the new authority, move it away before the kubelet is restarted: it wins over the \
         certificate in kubelet.conf",
        "the kubelet goes on with its certificate of the new authority, and is refused when that is trusted no more",
    )
    .on(situation.embedded)
    .of("kubelet")
    .run("mv /var/lib/kubelet/pki/kubelet-client-current.pem /var/lib/kubelet/pki/kubelet-client-new.pem")
    .see("on each node: openssl x509 -noout -issuer -in /var/lib/kubelet/pki/kubelet-client-current.pem")
}

/// Each component on all of its nodes, one after another; the next when the one before is well.
pub fn restarts(situation: &Situation<'_>) -> Vec<Instruction> {
    let of = |component: &'static str| {
        let all: Vec<_> = situation.restarts.iter().filter(|one| one.component == component).collect();
        let first = all.first()?;
        let nodes: Vec<String> = all.iter().filter_map(|one| one.node.clone()).collect();
        let order = match (component, nodes.len()) {
            (_, 0 | 1) => "",
            ("kubelet", _) if situation.step == Step::Emergency => ", on all nodes as fast as possible",
            // One with new files and one with old files refuse each other.
            ("etcd", _) if situation.step == Step::Emergency => ": stop all members, then start all",
            _ if situation.step == Step::Emergency => ", on all nodes at once",
            ("etcd", _) => ", one member at a time, the next when all are healthy",
            _ => ", one node after another",
        };
        let skipped = format!("{}: {}", component, first.why);
        let restart = Instruction::new(format!("restart {component}{order}"), skipped).on(&nodes).of(component);
        let restart = restart.run(first.command.clone());
        Some(match well(component, situation.certificates_dir) {
            Some(see) => restart.see(see),
            None => restart,
        })
    };
    COMPONENTS.into_iter().filter_map(of).collect()
}

/// How to see that a component is well again.
fn well(component: &str, certificates_dir: &str) -> Option<String> {
    let dir = shell_path(certificates_dir.trim_end_matches('/'));
    Some(match component {
        "etcd" => format!(
            "etcdctl --cacert={dir}/etcd/ca.crt --cert={dir}/etcd/healthcheck-client.crt --key={dir}/etcd/healthcheck-client.key \
             --endpoints=https://127.0.0.1:2379 endpoint health --cluster"
        ),
        "kube-apiserver" => "kubectl get --raw /readyz".to_owned(),
        "kubelet" => "kubectl get nodes".to_owned(),
        _ => format!("kubectl -n kube-system get lease {component} shows a holder"),
    })
}

/// Every node says that the phase is in force.
pub fn confirm(situation: &Situation<'_>) -> Option<Instruction> {
    let next = match (situation.step, situation.back_to) {
        (Step::Prepare, _) => "kpki rotate switch is",
        (Step::Switch, _) => "kpki rotate retire is",
        (Step::Back, Some(Phase::Prepared)) => "kpki rotate switch, and one more kpki rotate back, are",
        (Step::Back, Some(_)) => "kpki rotate retire, and one more kpki rotate back, are",
        _ => return None,
    };
    let dir = shell_path(situation.dir);
    let mut confirm = Instruction::new(
        "confirm each node by its receipt, which shows its files and what has been restarted",
        format!("{next} refused while a node is not confirmed"),
    )
    .on(situation.nodes);
    confirm.commands = match situation.directory {
        Some(_) => {
            let of = |node: &String| {
                let node = shell_word(node);
                format!(
                    "ssh {node} kpki export --verify --receipt -o json | kpki rotate confirm {node} --receipt - --dir {dir}"
                )
            };
            situation.nodes.iter().map(of).collect()
        }
        None => vec![format!("kpki rotate confirm all --dir {dir}")],
    };
    Some(confirm.see(format!("kpki rotate status --dir {dir}")))
}
