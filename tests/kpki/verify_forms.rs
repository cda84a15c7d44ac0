//! The forms of `kpki verify` that are other people's: held against their published schemas, and to the byte.

use std::fs;

use kpki::catalog::releases::KnownRelease;
use kpki::encoding::key_public::Half;
use kpki::encoding::pem_blocks::blocks;
use kpki::report::verify::{ForeignForm, Verify};
use kpki::tree::rotation::Record;
use kpki::tree::{EntryId, Origin};
use kpki::verify::inventory::{Inventory, inventory};
use kpki::verify::{
    Cluster, Content, File, Finding, Ignored, Key, NotLookedAt, Part, Place, Rule, Secret, Severity, Tree, Verification,
};
use kpki::x509::{KeyKind, parse_bundle};
use serde_json::Value;
use time::macros::datetime;

use super::expect::recorded;
use super::harness::repository;
use super::published::{Published, references_hold};

static EXPIRED: Rule = Rule {
    id: "dates/expired",
    severity: Severity::Error,
    what: "a certificate has expired",
    why: "RFC 5280 section 4.1.2.5",
    repair: "renew it",
    follows: &[],
};
static EDGE: Rule = Rule {
    id: "edge/refused",
    severity: Severity::Error,
    what: "a client and a server refuse each other",
    why: "RFC 8446 section 4.4.2.4",
    repair: "repair what the reason names",
    follows: &["dates/expired"],
};
static MODE: Rule = Rule {
    id: "files/mode",
    severity: Severity::Warning,
    what: "others may read a private key",
    why: "CIS Kubernetes Benchmark 1.1.21",
    repair: "take the permission away",
    follows: &[],
};
static SURPLUS: Rule = Rule {
    id: "names/surplus",
    severity: Severity::Notice,
    what: "a certificate has names that nothing asks for",
    why: "the profile has certSANs",
    repair: "renew it, or add them",
    follows: &[],
};
static CLEAN: Rule = Rule {
    id: "pair/mismatch",
    severity: Severity::Error,
    what: "a key is not its certificate's",
    why: "RFC 8446 section 4.4.3",
    repair: "put the right one back",
    follows: &[],
};
const RULES: [&Rule; 5] = [&EXPIRED, &EDGE, &MODE, &SURPLUS, &CLEAN];

fn finding(rule: &'static Rule, path: &str, entry: &str, found: &str) -> Finding {
    Finding {
        rule,
        place: Place { path: path.to_owned(), entry: Some(EntryId::new(Some("cp1"), entry)), position: None },
        found: found.to_owned(),
        repair: Vec::new(),
        follows: Vec::new(),
        ignored: None,
    }
}

/// Two clusters: one with a finding of every sort and hostile names, one that is clean.
fn verify() -> Verify {
    let expired = "expected an end after 2026-11-20T22:00:00Z, found 2025-11-20T22:00:00Z";
    let edge = |server: &str| finding(&EDGE, server, "apiserver", "expected {ok}, found `certificate has expired` <&>");
    let findings = vec![
        Finding {
            place: Place { position: Some(0), ..finding(&EXPIRED, "prod/pki/a b.crt", "apiserver", "").place },
            repair: vec!["kpki renew apiserver --dir prod".to_owned(), "echo \"<done>\"".to_owned()],
            follows: vec![edge("kubelet -> apiserver"), edge("prod/pki/apiserver.crt")],
            ..finding(&EXPIRED, "", "", expired)
        },
        finding(&EXPIRED, "prod/pki/a b.crt", "apiserver", expired),
        finding(&MODE, "/var/lib/kubelet/pki/kubelet.key", "kubelet", "expected 0600, found 0644\u{1b}[31m\u{202e}"),
        Finding {
            ignored: Some(Ignored { reason: Some("until the audit: \"JIRA-1\"".to_owned()) }),
            ..finding(&MODE, "prod/pki/sa.key", "sa", "expected 0600, found 0640")
        },
        Finding {
            ignored: Some(Ignored { reason: None }),
            ..finding(&MODE, "prod/pki/ca.key", "ca", "expected 0600, found 0640")
        },
        finding(&SURPLUS, "prod/pki/apiserver.crt", "apiserver", "expected no other name, found old.example"),
    ];
    let not = NotLookedAt {
        path: "prod/pki/locked.key".to_owned(),
        why: "expected a key without a password, found an encrypted one".to_owned(),
    };
    let counts = Verification { files: 9, certificates: 6, keys: 2, crls: 1, ..Verification::default() };
    Verify {
        at: datetime!(2026-11-20 22:00 UTC),
        rules: RULES.to_vec(),
        inventories: Vec::new(),
        clusters: vec![
            Verification {
                root: "prod".to_owned(),
                cluster: Some("prod \"1\" & <2>".to_owned()),
                findings,
                not_looked_at: vec![not],
                ..counts.clone()
            },
            Verification { root: "/srv/clusters/test".to_owned(), files: 1, ..counts },
        ],
    }
}

/// Certificates and a key of kubeadm's, as a tree of this directory.
fn inventory_of(root: &str, names: &[&str]) -> Inventory {
    let file = |name: &&str| {
        let fixture = match *name {
            "ca.crl" => repository("fixtures/cases/crl-not-the-authoritys/tree/pki/ca.crl"),
            name => repository("fixtures/kubeadm/v1.36-ha-ecdsa-cp1/etc-kubernetes/pki").join(name),
        };
        let bytes = fs::read(fixture).unwrap();
        let secret = || Secret(bytes.clone().into());
        let content = match name.rsplit('.').next() {
            Some("key") => {
                let public = Half::of(&bytes);
                assert!(public.is_some());
                let kind = Some(KeyKind::Known(kpki::blueprint::Algorithm::EcdsaP256));
                Content::Key(Key { public, kind, is_encrypted: false, pem: secret() })
            }
            Some("crl") => {
                Content::Crls(blocks(&bytes).map(|raw| raw.unwrap().decode().unwrap().contents.to_vec()).collect())
            }
            _ => Content::Certificates { certificates: parse_bundle(&bytes).unwrap(), key: None },
        };
        File {
            entry: name.split('.').next().unwrap().to_owned(),
            part: Part::Certificate,
            path: format!("{root}/pki/{name}"),
            authority: None,
            required: true,
            metadata: None,
            content,
        }
    };
    let tree = Tree {
        root: root.to_owned(),
        node: None,
        is_shared: false,
        in_cluster: false,
        certificates: None,
        owner: None,
        files: names.iter().map(file).collect(),
    };
    inventory(&Cluster {
        journal: None,
        record: Record::default(),
        root: root.to_owned(),
        profile: None,
        layout: None,
        origin: Origin::default(),
        release: KnownRelease::default(),
        trees: vec![tree],
        at: datetime!(2026-11-20 22:00 UTC),
    })
}

const ALL: [&str; 7] =
    ["ca.crt", "ca.key", "ca.crl", "apiserver.crt", "apiserver-kubelet-client.crt", "etcd/ca.crt", "etcd/server.crt"];

fn written(verify: &Verify, form: ForeignForm) -> String {
    let mut out = Vec::new();
    verify.write(form, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn sarif_is_what_oasis_published() {
    let document = written(&verify(), ForeignForm::Sarif);
    let schema = Published::sarif();
    let value = schema.holds(&document);
    recorded("golden/verify/findings.sarif", &document);
    let nothing = Verify { clusters: Vec::new(), rules: Vec::new(), ..verify() };
    schema.holds(&written(&nothing, ForeignForm::Sarif));
    // The schema sees what is wrong.
    for (pointer, wrong) in [
        ("/version", Value::from("2.0")),
        ("/runs/0/results/0/level", Value::from("notice")),
        ("/runs/0/results/0/locations/0/physicalLocation/region/startLine", Value::from(0)),
        ("/runs/0/tool/driver/rules/0/id", Value::Null),
    ] {
        let mut broken = value.clone();
        *broken.pointer_mut(pointer).unwrap() = wrong;
        assert!(schema.refuses(&broken), "{pointer}");
    }
    let run = &value["runs"][0];
    let results = run["results"].as_array().unwrap();
    // What code scanning asks for beyond the schema.
    let mut fingerprints: Vec<&str> = Vec::new();
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
        assert!(result["suppressions"].is_array());
        fingerprints.push(result["partialFingerprints"]["primaryLocationLineHash"].as_str().unwrap());
    }
    fingerprints.sort_unstable();
    fingerprints.dedup();
    assert_eq!(fingerprints.len(), results.len());
    assert_eq!(run["invocations"][0]["executionSuccessful"], false);
}

/// Other words for the same finding, another way to the same directory, other findings before it.
#[test]
fn a_fingerprint_stays_from_run_to_run() {
    let of = |verify: &Verify, path: &str| -> Vec<Value> {
        let document = written(verify, ForeignForm::Sarif);
        let value: Value = serde_json::from_str(&document).unwrap();
        let results = value["runs"][0]["results"].as_array().unwrap().clone();
        let at = |result: &Value| {
            let location = &result["locations"][0]["physicalLocation"]["artifactLocation"];
            location["uri"].as_str().unwrap().ends_with(path)
        };
        results.into_iter().filter(at).map(|result| result["partialFingerprints"].clone()).collect()
    };
    let before = verify();
    let mut after = verify();
    after.clusters[0].root = "/home/a/prod".to_owned();
    after.clusters[0].findings.remove(1);
    for finding in &mut after.clusters[0].findings {
        finding.found = "expected other words".to_owned();
        finding.place.path = finding.place.path.replace("prod/", "/home/a/prod/");
    }
    for path in ["kubelet.key", "sa.key", "ca.key", "apiserver.crt", "a%20b.crt"] {
        let found = of(&before, path);
        assert_eq!(found[..1], of(&after, path), "{path}");
    }
    assert_eq!(of(&before, "a%20b.crt").len(), 2);
}

#[test]
fn junit_counts_what_it_lists() {
    let document = written(&verify(), ForeignForm::Junit);
    recorded("golden/verify/findings.junit.xml", &document);
    let read = roxmltree::Document::parse(&document).unwrap();
    let root = read.root_element();
    let number = |node: roxmltree::Node<'_, '_>, name: &str| node.attribute(name).unwrap().parse::<usize>().unwrap();
    let all = |node: roxmltree::Node<'_, '_>, tag: &str| node.descendants().filter(|n| n.has_tag_name(tag)).count();
    assert_eq!((number(root, "tests"), number(root, "failures")), (all(root, "testcase"), all(root, "failure")));
    let suites: Vec<_> = root.children().filter(|node| node.has_tag_name("testsuite")).collect();
    assert_eq!(suites.len(), 2);
    for suite in &suites {
        for (attribute, tag) in [("tests", "testcase"), ("failures", "failure"), ("skipped", "skipped")] {
            assert_eq!(number(*suite, attribute), all(*suite, tag), "{attribute}");
        }
    }
    // A name twice, also in two suites, would be one test to whoever keeps a history.
    let cases = root.descendants().filter(|node| node.has_tag_name("testcase"));
    let mut names: Vec<_> = cases.map(|node| (node.attribute("classname"), node.attribute("name"))).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), number(root, "tests"));
    assert_eq!(suites[0].attribute("name"), Some("prod \"1\" & <2>"));
    assert_eq!((number(suites[0], "failures"), number(suites[0], "skipped")), (2, 5));
    // Every rule has passed there, and none of those that found something here.
    assert_eq!((all(suites[1], "testcase"), all(suites[1], "failure")), (RULES.len(), 0));
}

#[test]
fn cyclonedx_is_what_ecma_published() {
    let mut verify = verify();
    let test = verify.clusters.pop().unwrap();
    verify.inventories.push(inventory_of("prod", &ALL));
    let document = written(&verify, ForeignForm::CycloneDx);
    let schema = Published::cyclonedx();
    let value = schema.holds(&document);
    recorded("golden/verify/inventory.cdx.json", &document);
    // Of a fleet: what both have is there once.
    verify.clusters.push(test);
    verify.inventories.push(inventory_of("/srv/clusters/test", &ALL[..2]));
    let fleet = schema.holds(&written(&verify, ForeignForm::CycloneDx));
    for (pointer, wrong) in [
        ("/specVersion", Value::from(1)),
        ("/serialNumber", Value::from("urn:uuid:1")),
        ("/components/0/cryptoProperties/assetType", Value::from("certificates")),
        ("/components/0/cryptoProperties/certificateProperties/notValidAfter", Value::from("tomorrow")),
        ("/components/0/name", Value::Null),
    ] {
        let mut broken = value.clone();
        *broken.pointer_mut(pointer).unwrap() = wrong;
        assert!(schema.refuses(&broken), "{pointer}");
    }
    for document in [&value, &fleet] {
        references_hold(document);
    }
    assert_ne!(value["serialNumber"], fleet["serialNumber"]);
    let count = |document: &Value, kind: &str| {
        let components = document["components"].as_array().unwrap().iter();
        components.filter(|component| component["bom-ref"].as_str().unwrap().starts_with(kind)).count()
    };
    for (kind, found) in [("certificate:", 5), ("public-key:", 5), ("private-key:", 1), ("crl:", 1), ("cluster:", 0)] {
        assert_eq!(count(&value, kind), found, "{kind}");
        assert_eq!(count(&fleet, kind), if kind == "cluster:" { 2 } else { found }, "{kind}");
    }
}
