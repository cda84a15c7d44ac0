//! Which documents are run, with what stands in for programs that are not here (`how_tos/bin`) and what is there before the first
//! block (`how_tos/NAME.sh`).

use std::fs;

use super::harness::{Place, repository};
use super::how_to::{run, run_file, said};

/// `FILE` or `FILE:NAME`: what stands in for the program of that name.
fn stand_ins(names: &[&'static str]) -> Vec<(&'static str, &'static str)> {
    let read = |name: &&'static str| {
        let (file, program) = name.split_once(':').unwrap_or((name, name));
        let script = fs::read_to_string(repository(&format!("tests/kpki/how_tos/bin/{file}"))).unwrap();
        (program, &*script.leak())
    };
    names.iter().map(read).collect()
}

/// Scripts that are run first.
fn before<'n>(names: &'n [&'n str]) -> impl FnOnce(&Place) + 'n {
    move |place| {
        for name in names {
            let script = fs::read_to_string(repository(&format!("tests/kpki/how_tos/{name}.sh"))).unwrap();
            said(place, &script, 0);
        }
    }
}

#[test]
fn first_cluster() {
    run("first-cluster", &stand_ins(&["on-the-node:kpki", "kubeadm"]), before(&[]));
}

#[test]
fn high_availability() {
    run("ha-with-haproxy-and-keepalived", &stand_ins(&["ssh", "scp", "systemctl"]), before(&[]));
}

#[test]
fn nodes_come_and_go() {
    let place = run("add-replace-remove-a-node", &stand_ins(&["ssh", "systemctl", "kubectl"]), before(&["cluster"]));
    // The profile of the page is the one of the cluster: the load balancer's address is still in every certificate.
    for node in ["cp1", "cp2", "cp3"] {
        let said = place.kpki(&["inspect", &format!("cluster/nodes/{node}/pki/apiserver.crt")]).ok().stdout;
        assert!(said.contains("192.168.1.100"), "{said}");
    }
}

#[test]
fn renewal_as_a_job() {
    run(
        "renew-by-systemd-or-cron",
        &stand_ins(&["ssh", "systemctl", "crictl", "on-the-node:kpki"]),
        before(&["cluster", "node"]),
    );
}

#[test]
fn a_leaver() {
    let place = run("a-leaver", &stand_ins(&["ssh", "kubectl"]), |place| {
        before(&["cluster"])(place);
        // One more of jane's, and another person's whose name begins like hers.
        for (name, file) in [("jane", "before.conf"), ("janet", "janet.conf")] {
            said(place, &format!("kpki kubeconfig user {name} --group developers --dir ./cluster --out {file}"), 0);
        }
    });
    let list = place.kpki(&["crl", "show", "cluster/pki/ca.crl"]).ok().stdout;
    assert!(list.starts_with("cluster/pki/ca.crl: 2 entries\n"), "{list}");
}

#[test]
fn a_compromised_node() {
    run("a-compromised-node", &stand_ins(&["ssh", "kubectl"]), before(&["cluster"]));
}

#[test]
fn the_corporate_ca() {
    run("corporate-ca", &stand_ins(&[]), before(&["corporate"]));
}

#[test]
fn a_dead_cluster() {
    run(
        "dead-cluster-at-night",
        &stand_ins(&["ssh", "systemctl", "crictl", "kubectl"]),
        before(&["expired", "cluster", "rotated"]),
    );
}

#[test]
fn sites_without_a_network() {
    run("air-gapped-sites", &stand_ins(&["ssh", "on-the-node:kpki"]), before(&["cluster", "forget-nodes"]));
}

#[test]
fn a_lost_safe_host() {
    run("backup-and-lost-safe-host", &stand_ins(&["ssh"]), before(&["cluster", "pass"]));
}

#[test]
fn alerts() {
    run("alerts", &stand_ins(&["ssh", "systemctl", "journalctl"]), before(&["cluster"]));
}

#[test]
fn replacing_an_authority() {
    run(
        "replacing-an-authority",
        &stand_ins(&["ssh", "kubectl", "hours-pass:kpki"]),
        before(&["keys", "cluster", "pass", "secure"]),
    );
}

#[test]
fn trees() {
    run("reference/tree", &stand_ins(&["ssh", "kubectl"]), before(&["cluster"]));
}

#[test]
fn safe_host_and_nodes() {
    run("reference/safe-host-and-nodes", &stand_ins(&["ssh"]), before(&["keys", "cluster", "pass"]));
}

#[test]
fn check_expiration() {
    run("reference/check-expiration", &stand_ins(&[]), before(&["demo"]));
}

#[test]
fn verify() {
    run("reference/verify", &stand_ins(&[]), before(&["demo"]));
}

#[test]
fn renewing() {
    run("reference/renewing", &stand_ins(&[]), before(&["demo"]));
}

#[test]
fn revoking() {
    run("reference/revoking", &stand_ins(&[]), before(&["demo"]));
}

#[test]
fn rotation() {
    run("reference/rotation", &stand_ins(&["ssh", "kubectl"]), before(&["cluster", "prepared"]));
}

#[test]
fn converting() {
    run("reference/converting", &stand_ins(&["ssh", "kubectl", "kubeadm"]), before(&["keys", "cluster"]));
}

#[test]
fn the_readme() {
    run_file("README.md", &stand_ins(&[]), before(&["profiles"]));
}

#[test]
fn add_a_name() {
    run("add-a-name", &[], |_| {});
}

/// What kubeadm leaves on a node, but of today.
fn as_kubeadm_made_it(place: &Place, node: &str, config: &str, shared: Option<&str>) {
    if let Some(first) = shared {
        for file in [
            "ca.crt",
            "ca.key",
            "front-proxy-ca.crt",
            "front-proxy-ca.key",
            "sa.key",
            "sa.pub",
            "etcd/ca.crt",
            "etcd/ca.key",
        ] {
            place.write(&format!("{node}/pki/{file}"), fs::read(place.path(&format!("{first}/pki/{file}"))).unwrap());
        }
    }
    let config = repository(&format!("fixtures/kubeadm/{config}/kubeadm.yaml"));
    place.kpki(&["init", "--config", config.to_str().unwrap(), "--dir", node]).status(0);
    fs::remove_dir_all(place.path(&format!("{node}/.kpki"))).unwrap();
}

#[test]
fn take_over_a_kubeadm_cluster() {
    let config = fs::read_to_string(repository("fixtures/kubeadm/v1.36-ha-ecdsa-cp1/kubeadm.yaml")).unwrap();
    let cluster = config.split("---\n").nth(1).unwrap();
    let indented: String = cluster.lines().map(|line| format!("    {line}\n")).collect();
    let map = format!(
        "apiVersion: v1\ndata:\n  ClusterConfiguration: |\n{indented}kind: ConfigMap\nmetadata:\n  name: kubeadm-config\n"
    );
    let kubectl = format!("cat <<'END'\n{map}END");
    let place = run("take-over-a-kubeadm-cluster", &[("kubectl", &kubectl)], |place| {
        as_kubeadm_made_it(place, "cp1", "v1.36-ha-ecdsa-cp1", None);
        as_kubeadm_made_it(place, "cp2", "v1.36-ha-ecdsa-cp2", Some("cp1"));
        for node in ["cp1", "cp2"] {
            let tar = format!(
                "mkdir -p on/etc && cp -a {node} on/etc/kubernetes && tar -czf {node}.tar.gz -C on etc && rm -r on"
            );
            said(place, &tar, 0);
        }
    });
    assert_eq!(place.read("cp1/.kpki/profile.yaml"), map);
    assert!(place.path("cluster/nodes/cp2/pki/apiserver.crt").exists() && place.path("cp2-new.tar.gz").exists());
}

#[test]
fn fleet_in_ci() {
    let place = run("fleet-in-ci", &[("gh", "cp plan.md \"posted-$3\""), ("curl", "cp plan.md posted-note")], |_| {});
    // What the jobs run: the scripts of the document, with the paths of a host, and how the plan is posted.
    let file = |name: &str| fs::read_to_string(place.path(name)).unwrap();
    let (plan, apply) =
        (file("repository/.github/workflows/pki-plan.yml"), file("repository/.github/workflows/pki-apply.yml"));
    let gitlab = file("platform-ci/pki.yml");
    assert!(
        plan.contains("run: sh ci/check proposed/profiles /srv/pki")
            && apply.contains("run: sh ci/apply profiles /srv/pki")
    );
    assert!(
        gitlab.contains("- sh /opt/pki/check profiles /srv/pki")
            && gitlab.contains("- sh /opt/pki/apply profiles /srv/pki")
    );
    let posts = plan.lines().find_map(|line| line.trim().strip_prefix("run: gh ")).unwrap();
    said(&place, &format!("NUMBER=7; gh {posts}"), 0);
    let (_, posts) = gitlab.split_once("  - >-\n").unwrap();
    let (posts, _) = posts.split_once("\napply:").unwrap();
    said(
        &place,
        &format!("PLAN_TOKEN=t CI_API_V4_URL=u CI_PROJECT_ID=1 CI_MERGE_REQUEST_IID=2; {}", posts.replace('\n', " ")),
        0,
    );
    assert_eq!((file("posted-7"), file("posted-note")), (file("plan.md"), file("plan.md")));
    // A cluster in which everything has expired is no failure, one whose profile cannot be read is.
    let (old, apply) = ("repository/profiles/prod.yaml", "sh repository/ci/apply repository/profiles state");
    said(&place, &format!("rm -r state/prod; kpki init --profile {old} --dir state/prod --at=-400d; {apply}"), 0);
    said(&place, &format!("kpki verify state/prod; echo 'kind: Other' > repository/profiles/other.yaml; {apply}"), 1);
}

#[test]
fn renewal_policy() {
    let place = run("renewal-policy", &[], |_| {});
    assert!(place.read("issued.csv").lines().count() > 10);
}
