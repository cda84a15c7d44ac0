//! What check-expiration advises: a broken tree, its commands as they are printed, and the finding is gone.

use std::collections::BTreeSet;
use std::fs;

use kpki::audit::Problem;
use serde_json::Value;

use super::faults::{Ends, FAULTS, Fault, WITHOUT};
use super::sites::{Node, Site};
use super::{Host, commands, signed};
use crate::harness::repository;

#[test]
fn every_kind_of_finding_has_a_fault_or_a_reason() {
    let source = fs::read_to_string(repository("src/audit/problem.rs")).unwrap();
    let variants = source.split_once("pub enum Problem {").unwrap().1.split_once("\n}").unwrap().0;
    let variants: BTreeSet<&str> = variants
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with("//"))
        .map(|line| line.trim_end_matches(','))
        .filter(|name| !name.is_empty())
        .collect();
    let known: BTreeSet<String> = Problem::ALL.iter().map(|problem| format!("{problem:?}")).collect();
    assert_eq!(variants, known.iter().map(String::as_str).collect());
    for problem in Problem::ALL {
        let has_row = FAULTS.iter().any(|fault| fault.problem == problem);
        let reasons = WITHOUT.iter().filter(|(without, _)| *without == problem).count();
        assert_eq!(usize::from(!has_row), reasons, "{problem:?}");
    }
}

/// `AuthorityExpired` is `authority-expired` in documents, but for a few names.
fn document_name(problem: Problem) -> String {
    match problem {
        Problem::External => "externally-managed".to_owned(),
        Problem::Foreign => "issued-elsewhere".to_owned(),
        Problem::Serial => "serial-number".to_owned(),
        _ => {
            let mut name = String::new();
            for c in format!("{problem:?}").chars() {
                if c.is_ascii_uppercase() && !name.is_empty() {
                    name.push('-');
                }
                name.push(c.to_ascii_lowercase());
            }
            name
        }
    }
}

/// The findings of one kind.
fn found(host: &Host, site: Site, problem: Problem) -> Vec<Value> {
    let run = host.sh(&format!("kpki check-expiration {} -o json --exit-zero", site.words()));
    let document: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|e| panic!("{e}: {run:?}"));
    let name = document_name(problem);
    document["advice"].as_array().unwrap().iter().filter(|one| one["problem"] == name.as_str()).cloned().collect()
}

fn steps(found: &[Value]) -> Vec<String> {
    found
        .iter()
        .flat_map(|one| one["steps"].as_array().unwrap())
        .map(|step| step.as_str().unwrap().to_owned())
        .collect()
}

fn broken(fault: &Fault, site: Site) -> (Host, Vec<Node>, Vec<String>) {
    let host = Host::new();
    let nodes = site.make(&host, fault.extra);
    crate::harness::copy_tree(&nodes[0].shared, &host.place.path("safe"));
    for node in &nodes {
        (fault.make)(&host, node);
    }
    host.at(fault.at);
    let found = found(&host, site, fault.problem);
    assert!(!found.is_empty(), "{:?} {site:?} is not found", fault.problem);
    // The table says the same; of many places it says less.
    let table = host.sh(&format!("kpki check-expiration {} --exit-zero", site.words())).stdout;
    let steps = steps(&found);
    for step in &steps {
        assert!(table.contains(&format!("    {step}\n")), "{step} is not in\n{table}");
    }
    (host, nodes, steps)
}

/// Runs the commands of some steps, in their order.
fn follow(host: &Host, nodes: &[Node], fault: &Fault, steps: &[&String]) {
    let all: Vec<String> = steps.iter().flat_map(|step| commands(step)).collect();
    let (shown, other): (Vec<String>, Vec<String>) =
        all.into_iter().partition(|command| command.starts_with("kpki inspect "));
    for command in shown {
        // What is broken is shown as such.
        let said = host.sh(&command.replace("--password-file FILE", "--password-file word"));
        assert!(said.status == Some(0) || said.stderr.contains("expected"), "{said:?}");
    }
    for node in nodes {
        (fault.by_hand)(host, node);
    }
    for command in other {
        let command = command.replace("--profile FILE", "--profile p.yaml");
        let certificates =
            if command.contains(" CERT...") { signed(host, &nodes[0].shared, &safe(&nodes[0])) } else { String::new() };
        let (command, ships) = (command.replace("CERT...", &certificates), command.contains(" | ssh "));
        host.sh(&command.replace("--dir DIR", &format!("--dir {}", safe(&nodes[0])))).ok();
        if ships {
            assert!(host.calls().iter().any(|call| call.ends_with("kpki\nunpack\n-")), "{:?}", host.calls());
            brought(host, &nodes[0]);
        }
    }
}

/// What `kpki unpack` puts on the node: all but the keys of authorities.
fn brought(host: &Host, node: &Node) {
    let from = host.place.path("safe");
    for name in crate::harness::names(&from).iter().filter(|name| !name.ends_with("ca.key") && !name.ends_with('@')) {
        fs::copy(from.join(name), node.shared.join(name)).unwrap();
    }
}

/// Who signs for a tree without a profile needs it all the same.
fn safe(node: &Node) -> String {
    let is_recorded = node.shared.join(".kpki/profile.yaml").exists();
    if is_recorded { "safe".to_owned() } else { "safe --profile p.yaml".to_owned() }
}

fn is_alternative(step: &&String) -> bool {
    step.starts_with("or ")
}

/// Those of one site, so that they run side by side.
fn all_of(site: Site) {
    let mut wrong = Vec::new();
    for fault in FAULTS.iter().filter(|fault| fault.sites.contains(&site)) {
        let result = std::panic::catch_unwind(|| one(fault, site));
        wrong.extend(
            result.err().map(|why| {
                format!("{:?}: {}", fault.problem, why.downcast_ref::<String>().cloned().unwrap_or_default())
            }),
        );
    }
    assert!(wrong.is_empty(), "{site:?}: {} faults\n{}", wrong.len(), wrong.join("\n\n"));
}

fn one(fault: &Fault, site: Site) {
    let (host, nodes, steps) = broken(fault, site);
    let count = steps.iter().flat_map(|step| commands(step)).count();
    assert_eq!(count == 0, fault.ends == Ends::NoCommand, "{steps:#?}");
    let said: Vec<&String> = steps.iter().filter(|step| !is_alternative(step)).collect();
    follow(&host, &nodes, fault, &said);
    let is_gone = |host: &Host| {
        let left = found(host, site, fault.problem);
        assert!(fault.ends != Ends::Gone || left.is_empty(), "{site:?}: {steps:#?} left {left:#?}");
    };
    let has_command = |steps: &[&String]| steps.iter().any(|step| !commands(step).is_empty());
    if has_command(&said) {
        is_gone(&host);
    }
    let other: Vec<&String> = steps.iter().filter(is_alternative).collect();
    if has_command(&other) {
        let (host, nodes, _) = broken(fault, site);
        follow(&host, &nodes, fault, &other);
        is_gone(&host);
    }
}

#[test]
fn of_one_node() {
    all_of(Site::Single);
}

#[test]
fn of_a_cluster_directory() {
    all_of(Site::Cluster);
}

#[test]
fn of_a_fleet() {
    all_of(Site::Fleet);
}

#[test]
fn of_kubeadms_trees_without_a_profile() {
    all_of(Site::Kubeadm);
}

#[test]
fn of_files_in_no_tree() {
    all_of(Site::Loose);
}
