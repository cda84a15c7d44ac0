//! `kpki verify` as its user runs it, in the forms that are other people's.

use std::fs;

use serde_json::Value;

use super::harness::{NOW, Place, repository, single};
use super::published::{Published, references_hold};

/// What the program says of a tree that it made, and of the same with a key that it cannot open.
#[test]
fn a_tree_comes_out_in_every_form() {
    let place = Place::new();
    place.write("p.yaml", single(""));
    place.kpki(&["init", "-p", "p.yaml", "--dir", "t", "--at", NOW]).ok();
    let (sarif, cyclonedx) = (Published::sarif(), Published::cyclonedx());
    let read = |form: &str| {
        let words = ["verify", "t", "-o", form, "--at", NOW];
        let (run, again) = (place.kpki(&words), place.kpki(&words));
        assert!(run.stdout == again.stdout && !run.wrote, "{form}");
        (run.status, run.stdout)
    };
    let (clean, document) = read("sarif");
    let value = sarif.holds(&document);
    assert_eq!(value["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap().len(), kpki::verify::all().count());
    assert_eq!(value["runs"][0]["invocations"][0]["executionSuccessful"], true);
    let (status, document) = read("junit");
    let cases = roxmltree::Document::parse(&document).unwrap();
    let count = |tag: &str| cases.descendants().filter(|node| node.has_tag_name(tag)).count();
    assert!(count("testcase") >= kpki::verify::all().count() && count("skipped") == 0);
    assert_eq!(status, clean);
    let (status, document) = read("cyclonedx");
    let value = cyclonedx.holds(&document);
    references_hold(&value);
    assert!(value.get("compositions").is_none());
    assert_eq!(status, clean);
    // No line of any key is in it.
    for name in ["ca.key", "apiserver.key", "sa.key"] {
        let key = place.read(&format!("t/pki/{name}"));
        assert!(key.lines().filter(|line| line.len() > 20).all(|line| !document.contains(line)), "{name}");
    }

    let locked = fs::read(repository("fixtures/convert/leaf.aes256-sha512.key")).unwrap();
    place.write("t/pki/sa.key", locked);
    let (status, document) = read("sarif");
    let value = sarif.holds(&document);
    assert_eq!(value["runs"][0]["invocations"][0]["executionSuccessful"], false);
    assert!(status >= 3);
    let value = cyclonedx.holds(&read("cyclonedx").1);
    assert_eq!(value["compositions"][0]["aggregate"], "incomplete");
    let components = value["components"].as_array().unwrap();
    let is_locked = |component: &&Value| {
        component["properties"].as_array().unwrap().iter().any(|property| {
            (property["name"].as_str(), property["value"].as_str()) == (Some("kpki:encrypted"), Some("yes"))
        })
    };
    let locked: Vec<&Value> = components.iter().filter(is_locked).collect();
    assert_eq!(locked.len(), 1);
    assert_eq!(locked[0]["evidence"]["occurrences"][0]["location"], "t/pki/sa.key");
    // What is no tree is said in every form, too.
    fs::create_dir(place.path("empty")).unwrap();
    for (form, schema) in [("sarif", &sarif), ("cyclonedx", &cyclonedx)] {
        let run = place.kpki(&["verify", "empty", "-o", form, "--at", NOW]);
        schema.holds(&run.stdout);
        assert_eq!(run.status, 4, "{form}");
    }
}

#[test]
fn the_rules_are_shown() {
    let place = Place::new();
    let all = place.kpki(&["verify", "--rules"]).ok().stdout;
    let some = place.kpki(&["verify", "--rules", "--only", "date"]).ok().stdout;
    for rule in kpki::verify::all() {
        let heading = format!("{} ({})\n", rule.id, rule.severity);
        assert!(all.contains(&heading), "{heading}");
        assert_eq!(some.contains(&heading), rule.area() == "date", "{heading}");
    }
    let long = all.lines().filter(|line| line.chars().count() > 80 && line.trim_start().contains(' '));
    assert_eq!(long.collect::<Vec<_>>(), [""; 0]);
    let document = place.kpki(&["verify", "--rules", "-o", "json"]).ok().json();
    assert_eq!(document["rules"].as_array().unwrap().len(), kpki::verify::all().count());
    let refused = "error: expected --rules with -o table, wide, json or yaml, found sarif\n";
    place.run(&["verify", "--rules", "-o", "sarif"]).status(2).stderr(refused).check();
}
