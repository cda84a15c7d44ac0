//! The forms over hand-made items: what the fixtures do not have. The fixtures' own are in tests/kpki/check.rs.

use time::Duration;
use time::macros::datetime;

use time::OffsetDateTime;

use super::cells::human;
use super::result::{Check, Selection, Sort};
use super::{CheckForm, advice, csv, document};
use crate::audit::{Advice, Affected, JudgedTree, Policy, Problem, Remedy, State, judge_tree, verdict};
use crate::catalog::CaId;
use crate::catalog::releases::KnownRelease;
use crate::clock::Span;
use crate::inventory::{Attributes, CertificateFacts, CrlFacts, Item, Kind, Reading, Tree, Unreadable};
use crate::tree::{EntryId, Origin, ProfileAt};

pub(super) const AT: OffsetDateTime = datetime!(2026-11-20 22:00 UTC);

pub(super) fn item(name: &str, days: i64) -> Item {
    let facts = CertificateFacts {
        subject: format!("O=\"Acme, Inc\", CN={name}"),
        issuer: "CN=kubernetes".to_owned(),
        subject_attributes: Attributes { cn: format!("{name}\\\"\n"), ..Attributes::default() },
        issuer_attributes: Attributes { cn: "kubernetes".to_owned(), ..Attributes::default() },
        sans: vec!["a".to_owned(), "10.0.0.1".to_owned()],
        usages: vec!["server".to_owned()],
        is_ca: false,
        serial: "0a".to_owned(),
        serial_decimal: "10".to_owned(),
        algorithm: "ECDSA-P256".to_owned(),
        fingerprint: [0xab; 32],
        not_before: AT - Duration::days(365),
        not_after: AT + Duration::days(days),
        issuer_not_after: None,
        wrong_issuer: false,
        shared_with: None,
        differs_from_ca: false,
        kubelet_embeds_another: false,
        other_key: false,
        revoked: None,
    };
    Item {
        name: name.to_owned(),
        path: format!("/k8s/pki/{name}.crt"),
        kind: Kind::Certificate,
        position: 0,
        authority: Some(CaId::Cluster),
        optional: false,
        externally_managed: false,
        has_issuer: false,
        reading: Reading::Certificate(Box::new(facts)),
    }
}

fn crl() -> Item {
    let facts = CrlFacts {
        issuer: "CN=kubernetes".to_owned(),
        issuer_attributes: Attributes { cn: "kubernetes".to_owned(), ..Attributes::default() },
        number: Some("7".to_owned()),
        this_update: AT - Duration::days(29),
        next_update: Some(AT + Duration::days(1)),
        entries: 3,
    };
    let reading = Reading::Crl(Box::new(facts));
    Item { kind: Kind::Crl, path: "/k8s/pki/ca.crl".to_owned(), reading, ..item("ca.crl", 1) }
}

fn damaged() -> Vec<Item> {
    let missing = Item { reading: Reading::Missing, ..item("etcd-peer", 1) };
    let unreadable = Item {
        reading: Reading::Unreadable(Unreadable::Reported("it is a named pipe\x1b[2J".to_owned())),
        ..item("apiserver", 1)
    };
    let second = Item { position: 1, ..item("bundle.pem", 20) };
    let mut authority = Item { kind: Kind::Authority, authority: None, ..item("ca", 100) };
    // Of ten years.
    if let Reading::Certificate(facts) = &mut authority.reading {
        facts.not_before = AT - Duration::days(3550);
    }
    vec![item("admin.conf", 365), item("scheduler.conf", -3), missing, unreadable, second, authority, crl()]
}

pub(super) fn check(trees: &[(&str, Vec<Item>)], selection: Selection) -> Check {
    let judged: Vec<JudgedTree> = trees
        .iter()
        .map(|(cluster, items)| {
            let root = format!("/clusters/{cluster}");
            let origin = Origin::new(root.clone(), ProfileAt::Recorded);
            let cluster = Some((*cluster).to_owned());
            let tree = Tree { root, cluster, node: None, items: items.clone(), notes: Vec::new() };
            judge_tree(tree, Policy::default(), origin, AT)
        })
        .collect();
    let (verdict, advice) = (verdict(&judged), crate::audit::advice(&judged));
    Check { at: AT, as_of: false, trees: judged, verdict, advice, selection, interruptions: Vec::new() }
}

impl Check {
    pub(super) fn text(&self, form: CheckForm) -> String {
        let mut out = Vec::new();
        self.write(form, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }
}

fn one(selection: Selection) -> Check {
    check(&[("prod", damaged())], selection)
}

#[test]
fn residual_time_is_kubeadms() {
    const H: i64 = 3600;
    const D: i64 = 24 * H;
    const Y: i64 = 365 * D;
    for (seconds, text) in [
        (-2, "<invalid>"),
        (-1, "0s"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (125, "2m5s"),
        (599, "9m59s"),
        (600, "10m"),
        (3 * H - 1, "179m"),
        (3 * H, "3h"),
        (3 * H + 60, "3h1m"),
        (8 * H - 1, "7h59m"),
        (8 * H, "8h"),
        (2 * D - 1, "47h"),
        (2 * D, "2d"),
        (2 * D + H, "2d1h"),
        (8 * D - 1, "7d23h"),
        (8 * D, "8d"),
        (2 * Y - 1, "729d"),
        (2 * Y, "2y"),
        (2 * Y + D, "2y1d"),
        (3 * Y - 1, "2y364d"),
        (8 * Y - 1, "7y364d"),
        (8 * Y, "8y"),
        (10 * Y, "10y"),
    ] {
        assert_eq!(human(seconds), text, "{seconds}");
    }
}

#[test]
fn every_kind_of_row_is_in_the_table() {
    let text = one(Selection::default()).text(CheckForm::Table);
    assert!(
        text.starts_with(
            "unreadable: 1 unreadable, 1 missing, 1 expired, 2 critical, 1 warning, 1 ok of 7 certificates; \
             scheduler.conf ended first, 3d ago\n\n\
             CERTIFICATE              EXPIRES                  RESIDUAL TIME   CERTIFICATE AUTHORITY   EXTERNALLY MANAGED   STATE\n\
             admin.conf               Nov 20, 2027 22:00 UTC   365d            ca                      no                   ok\n\
             !UNREADABLE! apiserver                                                                                         unreadable\n\
             bundle.pem #2            Dec 10, 2026 22:00 UTC   20d             ca                      no                   warning\n\
             !MISSING! etcd-peer                                                                                            missing\n\
             scheduler.conf           Nov 17, 2026 22:00 UTC   <invalid>       ca                      no                   expired\n\n\
             CERTIFICATE AUTHORITY   EXPIRES                  RESIDUAL TIME   EXTERNALLY MANAGED   STATE\n\
             ca                      Feb 28, 2027 22:00 UTC   100d            no                   critical\n\n\
             REVOCATION LIST   EXPIRES                  RESIDUAL TIME   CERTIFICATE AUTHORITY   STATE\n\
             ca.crl            Nov 21, 2026 22:00 UTC   24h             ca                      critical\n"
        ),
        "{text}"
    );
    assert!(text.contains("note: /k8s/pki/apiserver.crt: it is a named pipe\u{fffd}[2J\n"), "{text}");
    assert!(text.contains("kpki renew scheduler.conf --dir /clusters/prod\n"), "{text}");
    assert!(!text.contains('\x1b') && !text.lines().any(|line| line.ends_with(' ')));
}

#[test]
fn rows_are_sorted_and_chosen_and_the_verdict_stays() {
    let names = |selection: Selection| -> Vec<String> {
        let check = one(selection);
        assert_eq!(check.verdict.counts.total(), 7);
        let rows = check.selected();
        rows.iter().flat_map(|(_, items)| items.iter().map(|judged| judged.item.name.clone())).collect()
    };
    let sorted = |sort| names(Selection { sort, ..Selection::default() });
    assert_eq!(
        sorted(Sort::Name),
        ["admin.conf", "apiserver", "bundle.pem", "ca", "ca.crl", "etcd-peer", "scheduler.conf"]
    );
    assert_eq!(
        sorted(Sort::Expiry),
        ["apiserver", "etcd-peer", "scheduler.conf", "ca.crl", "bundle.pem", "ca", "admin.conf"]
    );
    assert_eq!(
        sorted(Sort::State),
        ["apiserver", "etcd-peer", "scheduler.conf", "ca.crl", "ca", "bundle.pem", "admin.conf"]
    );
    let only = vec![State::Expired, State::Missing];
    assert_eq!(names(Selection { only, ..Selection::default() }), ["etcd-peer", "scheduler.conf"]);
    let within = Some(Span::days(20));
    assert_eq!(
        names(Selection { within, ..Selection::default() }),
        ["apiserver", "bundle.pem", "ca.crl", "etcd-peer", "scheduler.conf"]
    );
    assert_eq!(names(Selection { top: Some(2), ..Selection::default() }), ["apiserver", "etcd-peer"]);
}

#[test]
fn json_says_null_where_there_is_no_date() {
    let value = {
        let check = one(Selection::default());
        serde_json::to_value(document::of(&check, &check.selected())).unwrap()
    };
    let keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "kind",
            "apiVersion",
            "certificates",
            "certificateAuthorities",
            "crls",
            "at",
            "verdict",
            "trees",
            "advice",
            "interruptedRuns"
        ]
    );
    let certificates = value["certificates"].as_array().unwrap();
    for (name, missing) in [("etcd-peer", true), ("apiserver", false)] {
        let item = certificates.iter().find(|item| item["name"] == name).unwrap();
        assert!(item["expirationDate"].is_null() && item["residualTime"].is_null(), "{item}");
        assert_eq!(item["missing"], missing);
        assert!(item.get("caName").is_none());
    }
    assert_eq!(value["verdict"]["state"], "unreadable");
    assert_eq!(value["crls"][0]["crlNumber"], "7");
}

#[test]
fn csv_quotes_what_needs_it() {
    for (cell, quoted) in [
        ("a", "a"),
        ("a,b", "\"a,b\""),
        ("a \"b\"", "\"a \"\"b\"\"\""),
        ("a\nb", "a\u{fffd}b"),
        (" a", "\" a\""),
        ("", ""),
    ] {
        assert_eq!(csv::quoted(cell), quoted);
    }
    let text = one(Selection::default()).text(CheckForm::Csv);
    assert_eq!(text.lines().count(), 8);
    assert!(text.contains("\"O=\"\"Acme, Inc\"\", CN=admin.conf\""), "{text}");
}

#[test]
fn prometheus_escapes_and_repeats_nothing() {
    let mut twice = damaged();
    twice.push(item("admin.conf", 200));
    let text = check(&[("prod", twice)], Selection::default()).text(CheckForm::Prometheus);
    assert!(text.ends_with('\n'));
    let mut series: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(s, _)| s)
        .collect();
    let count = series.len();
    series.sort_unstable();
    series.dedup();
    assert_eq!(series.len(), count);
    assert!(text.contains("subject_CN=\"admin.conf\\\\\\\"\\n\""), "{text}");
    let not_after =
        text.lines().find(|line| line.starts_with("x509_cert_not_after{") && line.contains("admin.conf")).unwrap();
    // Of two that are one series, the end that comes first.
    assert!(not_after.ends_with(&format!(" {}", (AT + Duration::days(200)).unix_timestamp())), "{not_after}");
    assert!(text.contains("x509_crl_number{crl_number=\"7\","), "{text}");
    for wanted in [
        "x509_cert_error{serial_number=\"\",",
        "x509_source_up{source_kind=\"file\",source_name=\"/clusters/prod\",cluster=\"prod\",node=\"\"} 1",
    ] {
        assert!(text.contains(wanted), "{wanted}");
    }
}

#[test]
fn nagios_is_one_line_with_four_states() {
    let line = |items: Vec<Item>| check(&[("prod", items)], Selection::default()).text(CheckForm::Nagios);
    assert_eq!(line(vec![item("a'b=c", 365)]), "CERTIFICATES OK - 1 ok; a'b=c: 365d left | 'a''b_c'=365;30:;7:;;\n");
    let bad = |days| item("x", days);
    let unreadable = || Item { reading: Reading::Unreadable(Unreadable::Reported("x".to_owned())), ..item("y", 1) };
    for (items, word, status) in [
        (vec![bad(20)], "WARNING", 1),
        (vec![bad(1)], "CRITICAL", 2),
        (vec![bad(-1)], "CRITICAL", 2),
        (vec![bad(20), unreadable()], "UNKNOWN", 3),
        (vec![bad(1), unreadable()], "CRITICAL", 2),
    ] {
        let check = check(&[("prod", items)], Selection::default());
        assert_eq!(check.plugin_status(), status);
        let text = check.text(CheckForm::Nagios);
        assert!(text.starts_with(&format!("CERTIFICATES {word} - ")) && text.lines().count() == 1, "{text}");
    }
    assert!(line(vec![bad(-1)]).contains("'x'=-1;30:;7:;;"));
}

#[test]
fn every_kind_of_finding_has_words_and_steps_whatever_helps() {
    let origins = [
        Origin::new("d", ProfileAt::File("my clusters/p.yaml".to_owned())),
        Origin::new("it's", ProfileAt::Recorded),
        Origin::new("d", ProfileAt::Unknown),
        Origin::new("d", ProfileAt::NoTree),
    ];
    let remedies = [
        Remedy::None,
        Remedy::Renew,
        Remedy::RenewAuthority,
        Remedy::Replace,
        Remedy::Request,
        Remedy::Make,
        Remedy::MakeAnew,
        Remedy::List(CaId::Etcd),
    ];
    let mut said = std::collections::BTreeSet::new();
    for problem in Problem::ALL {
        for (origin, remedy) in origins.iter().flat_map(|origin| remedies.iter().map(move |remedy| (origin, *remedy))) {
            let place = Affected {
                first_end: None,
                origin: origin.clone(),
                path: "d/pki/apiserver.crt".to_owned(),
                root: "d".to_owned(),
                names: vec![EntryId::new(None, "apiserver")],
                ids: vec![EntryId::new(None, "apiserver")],
                due: true,
                by_profile: true,
            };
            let one = Advice {
                problem,
                remedy,
                count: 3,
                trees: 1,
                names: vec!["apiserver".to_owned()],
                places: vec![place],
                order: Vec::new(),
                restart: vec!["kube-apiserver"],
                kubernetes: KnownRelease::default(),
            };
            let value = serde_json::to_value(advice::finding(&one)).unwrap();
            let steps = value["steps"].as_array().unwrap();
            // What helps nothing leaves the restart alone.
            assert!(steps.len() >= 2 || remedy == Remedy::None, "{problem:?} {remedy:?}: {steps:?}");
            said.insert(value["problem"].to_string());
        }
    }
    assert_eq!(said.len(), Problem::ALL.len());
    let words = |origin: usize| {
        let mut check = check(&[("prod", vec![item("apiserver", -1)])], Selection::default());
        check.trees[0].origin = origins[origin].clone();
        serde_json::to_value(advice::finding(&crate::audit::advice(&check.trees)[0])).unwrap()["steps"].to_string()
    };
    // Files found by walking are not kpki's to re-issue.
    assert!(words(3).contains("have its issuer renew"), "{}", words(3));
    assert!(words(0).contains("kpki renew apiserver --profile 'my clusters/p.yaml' --dir d"), "{}", words(0));
    assert!(words(1).contains("kpki renew apiserver --dir 'it'\\\\''s'"), "{}", words(1));
}

/// A command that names one of many clusters helps one of many.
#[test]
fn every_cluster_has_its_command_or_one_command_is_for_all() {
    let trees: Vec<(String, Vec<Item>)> = (0..9).map(|n| (format!("c{n}"), vec![item("apiserver", -1)])).collect();
    let trees: Vec<(&str, Vec<Item>)> = trees.iter().map(|(name, items)| (name.as_str(), items.clone())).collect();
    let mut many = check(&trees, Selection::default());
    let steps = |check: &Check| {
        let advice = crate::audit::advice(&check.trees);
        serde_json::to_value(advice::finding(&advice[0])).unwrap()["steps"].clone()
    };
    let commands: Vec<String> =
        (0..9).map(|n| format!("renew them: kpki renew apiserver --dir /clusters/c{n}")).collect();
    assert_eq!(steps(&many), serde_json::json!(commands));
    let text = many.text(CheckForm::Table);
    assert!(text.contains("/clusters/c4\n    and in 4 further places; -o json has a command for each\n"), "{text}");
    for tree in &mut many.trees {
        tree.origin.fleet = Some("clusters".to_owned());
    }
    let one = "renew them, with all that is due in any cluster: kpki renew all --due --profiles clusters";
    assert_eq!(steps(&many), serde_json::json!([one]));
}

#[test]
fn what_the_neighbours_say_stands_below_the_table() {
    let mut leaf = item("apiserver", 300);
    if let Reading::Certificate(facts) = &mut leaf.reading {
        facts.issuer_not_after = Some(AT + Duration::days(200));
    }
    let second = Item { name: "admin.conf".to_owned(), ..leaf.clone() };
    let authority = Item { kind: Kind::Authority, authority: None, ..item("ca", 400) };
    let text = check(&[("prod", vec![leaf, second, authority])], Selection::default()).text(CheckForm::Table);
    assert!(
        text.contains(
            "\nnote: apiserver and 1 more would outlive ca, which expires Jun 08, 2027 22:00 UTC, and cannot be used after that\n"
        ),
        "{text}"
    );
    assert!(text.contains("note: ca expires Dec 25, 2027 22:00 UTC: certificates of the next renewal"), "{text}");
}
