//! `profiles/`: every one of them is planned, issued, shown and read back.

use std::fs;

use super::facts::{self, File};
use super::harness::{Place, repository, text};

fn all() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(repository("profiles"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".yaml"))
        .collect();
    names.sort();
    names
}

#[test]
fn every_profile_of_the_repository_is_planned_and_issued() {
    let names = all();
    for wanted in ["dual-stack", "external-etcd", "ha-load-balancer", "rsa-legacy", "short-lived-lab", "single-node"] {
        assert!(names.contains(&format!("{wanted}.yaml")), "{names:?}");
    }
    for name in names {
        let place = Place::new();
        let path = text(&format!("profiles/{name}"));
        let plan = place.init(&["--profile", &path, "--dir", "k8s", "--dry-run", "-o", "json"]).ok().json();
        let made = place.init(&["--profile", &path, "--dir", "k8s", "-o", "json"]).ok().json();
        let entries = |report: &serde_json::Value| {
            report["entries"]
                .as_array()
                .unwrap()
                .iter()
                .map(|e| (e["name"].clone(), e["subject"].clone(), e["sans"].clone()))
                .collect::<Vec<_>>()
        };
        let planned = entries(&plan);
        for (plan, made) in planned.iter().zip(entries(&made)) {
            assert_eq!(plan.0, made.0, "{name}");
            // A copy's certificate is known once it is made.
            assert!(plan.1.is_null() || *plan == made, "{name}: {plan:?} {made:?}");
        }
        assert!(place.init(&["--dir", "k8s"]).ok().stdout.starts_with("nothing to do"), "{name}");
    }
}

#[test]
fn a_shown_profile_makes_the_same_tree() {
    for name in all() {
        let place = Place::new();
        let shown = place.kpki(&["profile", "show", &text(&format!("profiles/{name}"))]).ok().stdout;
        place.write("shown.yaml", &shown);
        assert_eq!(shown, place.kpki(&["profile", "show", "shown.yaml"]).ok().stdout, "{name}");
        let plan = |path: &str| {
            place.init(&["--profile", path, "--dir", "k8s", "--dry-run", "-o", "json"]).ok().json()["entries"].clone()
        };
        assert_eq!(plan(&text(&format!("profiles/{name}"))), plan("shown.yaml"), "{name}");
    }
}

#[test]
fn the_starting_point_is_valid() {
    let place = Place::new();
    let text = place.kpki(&["profile", "new"]).ok().stdout;
    assert!(text.lines().filter(|line| line.trim_start().starts_with('#')).count() >= 8);
    place.write("new.yaml", text);
    let run = place.kpki(&["profile", "validate", "new.yaml"]).ok();
    assert!(run.stdout.starts_with("new.yaml: valid: cluster "), "{}", run.stdout);
    place.init(&["--profile", "new.yaml", "--dir", "k8s"]).ok();
}

#[test]
fn the_balanced_set_covers_every_master_and_the_balancer() {
    let place = Place::new();
    place.init(&["--profile", &text("profiles/ha-load-balancer.yaml"), "--dir", "c"]).ok();
    let facts = facts::read_certificates(&place.path("c/nodes"));
    let servers: Vec<_> = facts.iter().filter(|(name, _)| name.ends_with("pki/apiserver.crt")).collect();
    assert_eq!(servers.len(), 3);
    for (name, file) in servers {
        let File::Certificates(list) = file else { panic!() };
        for address in ["192.168.1.1", "192.168.1.2", "192.168.1.3", "192.168.1.100", "10.96.0.1"] {
            assert!(list[0].sans.contains(&format!("IP:{address}")), "{name}: {address}: {:?}", list[0].sans);
        }
    }
}

/// As shipped, and with nothing said of the windows: they are capped by the lifetime.
#[test]
fn no_profile_is_near_its_end_at_birth_and_what_is_critical_is_due() {
    for name in all() {
        let shipped = fs::read_to_string(repository(&format!("profiles/{name}"))).unwrap();
        let silent: String =
            shipped.lines().filter(|line| !line.starts_with("expiration: {")).fold(String::new(), |mut text, line| {
                text.push_str(line);
                text.push('\n');
                text
            });
        let variants = if silent == shipped { vec![silent] } else { vec![shipped, silent] };
        for profile in variants {
            born_well(&name, &profile);
        }
    }
}

fn born_well(name: &str, profile: &str) {
    let place = Place::new();
    place.write("p.yaml", profile);
    place.init(&["--profile", "p.yaml", "--dir", "k8s"]).ok();
    let day = profile.contains("certificateValidityPeriod: 24h");
    let born: time::OffsetDateTime = time::macros::datetime!(2026-11-20 22:00 UTC);
    let mut dues = 0;
    for step in 0..24 {
        let at = born + if day { time::Duration::hours(step) } else { time::Duration::days(step * 15) };
        let at = at.format(&time::format_description::well_known::Rfc3339).unwrap();
        let check = place.kpki(&["check-expiration", "--dir", "k8s", "--at", &at, "-o", "json"]).json();
        let certificates = check["certificates"].as_array().unwrap();
        let renew = ["renew", "all", "--due", "--dry-run", "--dir", "k8s", "--at", &at, "-o", "json"];
        let renew = place.kpki(&renew).json();
        let due: Vec<_> = renew["trees"][0]["entries"].as_array().unwrap().iter().collect();
        let due: Vec<_> = due.iter().filter(|entry| entry["action"] == "renew").collect();
        dues += due.len();
        for one in certificates.iter().filter(|one| !["ok", "absent"].contains(&one["state"].as_str().unwrap())) {
            assert!(step > 0, "{name}: {} is {} when it is made", one["name"], one["state"]);
            let is_due = due.iter().any(|entry| entry["name"] == one["name"] && entry["node"] == one["node"]);
            assert!(one["state"] == "warning" || is_due, "{name} {at}: {} is {}", one["name"], one["state"]);
        }
    }
    assert!(dues > 0, "{name}: nothing became due");
}
