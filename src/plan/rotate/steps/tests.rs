use super::*;
use crate::tree::rotation::Kubelets;

const ALL: [Rotating; 4] = Rotating::ALL;

fn restarted(node: Option<&str>, component: &'static str) -> Restarted {
    let command = crate::catalog::readers::command(component).unwrap();
    Restarted { node: node.map(str::to_owned), component, why: "it holds what it read when it started", command }
}

fn situation<'a>(
    step: Step,
    authorities: &'a [Rotating],
    nodes: &'a [String],
    restarts: &'a [Restarted],
) -> Situation<'a> {
    Situation {
        step,
        authorities,
        back_to: None,
        directory: (!nodes.is_empty()).then_some("./c"),
        dir: "./c",
        nodes,
        restarts,
        kubelets: Kubelets::Embed,
        embeds: true,
        embedded: nodes,
        server: Some("https://10.0.0.1:6443"),
        certificates_dir: "/etc/kubernetes/pki",
        join_hashes: &[],
        lists: &[],
        manifests: None,
    }
}

fn whats(all: &[Instruction]) -> String {
    all.iter().map(|one| format!("{}\n", one.what)).collect()
}

/// The order that was tried: files, then etcd, API servers, controller managers and schedulers, kubelets, then what pods trust, and
/// the pods only after that.
#[test]
fn prepare_goes_in_the_safe_order() {
    let nodes = ["cp1".to_owned(), "cp2".to_owned(), "w1".to_owned()];
    let restarts: Vec<Restarted> = ["kubelet", "kube-scheduler", "kube-controller-manager", "kube-apiserver", "etcd"]
        .into_iter()
        .flat_map(|component| [restarted(Some("cp1"), component), restarted(Some("cp2"), component)])
        .collect();
    let all = instructions(&situation(Step::Prepare, &ALL, &nodes, &restarts));
    let at = |wanted: &str| all.iter().position(|one| one.what.contains(wanted)).unwrap_or_else(|| panic!("{wanted}"));
    let order = [
        "bring the new files",
        "restart etcd, one member at a time",
        "restart kube-apiserver",
        "restart kube-controller-manager",
        "restart kube-scheduler",
        "restart kubelet",
        "kube-root-ca.crt of every namespace",
        "restart the workloads",
        "cluster-info",
        "confirm each node",
    ];
    let places: Vec<usize> = order.into_iter().map(at).collect();
    assert!(places.is_sorted(), "{places:?}");
    assert_eq!(all[at("bring the new files")].commands.len(), nodes.len());
    assert!(all.iter().all(|one| !one.skipped.is_empty()), "{all:?}");
}

/// What a step is about is there, and nothing else.
#[test]
fn each_step_says_what_its_authorities_need() {
    let nodes = ["cp1".to_owned()];
    let ca = [Rotating::Authority(CaId::Cluster)];
    let (front, etcd) = ([Rotating::Authority(CaId::FrontProxy)], [Rotating::Authority(CaId::Etcd)]);
    let sa = [Rotating::ServiceAccount];
    for (step, authorities, there, not_there) in [
        (
            Step::Prepare,
            &ca[..],
            &["workloads", "cluster-info", "outside"][..],
            &["extension-apiserver", "etcd/ca.crt", "jwks"][..],
        ),
        (
            Step::Switch,
            &ca,
            &["kubelet-client-current.pem", "new credentials"],
            &["cluster-info", "24 hours", "workloads"],
        ),
        (
            Step::Retire,
            &ca,
            &["extension-apiserver", "cluster-info", "look for the old"],
            &["confirm", "kubeadm-certs"],
        ),
        (Step::Back, &ca, &["kube-root-ca.crt", "kubeadm-certs"], &["confirm", "outside the cluster"]),
        (Step::Retire, &front, &["extension-apiserver"], &["cluster-info", "kube-root-ca.crt"]),
        (Step::Prepare, &etcd, &["etcd/ca.crt", "confirm"], &["cluster-info", "workloads"]),
        (Step::Switch, &sa, &["24 hours", "token secret"], &["cluster-info", "kubelet-client-current.pem"]),
        (Step::Emergency, &sa, &["restart all pods"], &["cluster-info"]),
    ] {
        let text = whats(&instructions(&situation(step, authorities, &nodes, &[])));
        for wanted in there {
            assert!(text.contains(wanted), "{step:?} {authorities:?}: {wanted}\n{text}");
        }
        for unwanted in not_there {
            assert!(!text.contains(unwanted), "{step:?} {authorities:?}: {unwanted}\n{text}");
        }
    }
}

/// Who is connected stays connected, and a worker has no controller manager.
#[test]
fn an_emergency_restarts_every_api_server() {
    let nodes = ["cp1".to_owned(), "w1".to_owned()];
    let ca = [Rotating::Authority(CaId::Cluster)];
    let mut restarts = vec![restarted(Some("cp1"), "kube-controller-manager"), restarted(Some("w1"), "kubelet")];
    restarts.extend(api_servers(&restarts));
    assert_eq!(api_servers(&restarts), []);
    let all = instructions(&situation(Step::Emergency, &ca, &nodes, &restarts));
    let of = |wanted: &str| all.iter().find(|one| one.what.contains(wanted)).unwrap();
    assert_eq!(of("restart kube-apiserver").nodes, ["cp1"]);
    assert_eq!(of("set --root-ca-file").nodes, ["cp1"]);
    assert_eq!(of("set --root-ca-file").commands.len(), 1);
}

#[test]
fn one_nodes_tree_ships_nothing_and_confirms_itself() {
    let restarts = [restarted(None, "etcd")];
    let all = instructions(&situation(Step::Prepare, &ALL, &[], &restarts));
    assert!(!whats(&all).contains("bring the new files"));
    assert!(all.iter().any(|one| one.what == "restart etcd" && one.nodes.is_empty()));
    assert!(all.iter().any(|one| one.commands == ["kpki rotate confirm all --dir ./c"]));
}

/// Nothing else waits for kubelets that ask for a certificate themselves, months later.
#[test]
fn kubelets_that_wait_are_the_last_step() {
    let restarts = [restarted(None, "kube-apiserver")];
    let all = instructions(&Situation { kubelets: Kubelets::Wait, ..situation(Step::Switch, &ALL, &[], &restarts) });
    assert!(all.last().unwrap().what.starts_with("wait until every kubelet"), "{}", whats(&all));
    assert!(!whats(&all).contains("kubelet-client-current.pem exists"));
}
