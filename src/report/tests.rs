//! The documents to the byte: keys, their order, and null where there is nothing.

use time::OffsetDateTime;
use time::macros::datetime;
use zeroize::Zeroizing;

use super::certificate::Side;
use super::restart::Restart;
use super::{Facts, Form, Report, convert, crl, export, history, init, inspect, renew, requests, revoke};
use crate::catalog::readers::Action;
use crate::catalog::releases::KnownRelease;
use crate::tree::EntryId;

const AT: OffsetDateTime = datetime!(2026-11-20 22:00 UTC);

fn text(value: &str) -> String {
    value.to_owned()
}

fn facts() -> Facts {
    Facts {
        subject: text("CN=a"),
        issuer: text("CN=ca"),
        sans: vec![text("a")],
        usages: vec![text("server")],
        not_before: AT,
        not_after: AT,
        serial: Some(text("0A")),
        fingerprint: None,
    }
}

fn restart() -> Restart {
    let entries = vec![text("a")];
    Restart {
        node: None,
        component: "etcd",
        action: "restart",
        why: "w",
        within: None,
        except: None,
        entries,
        command: None,
        kubernetes: KnownRelease::default(),
        taken_up: Action::Restart,
    }
}

#[track_caller]
fn is(report: &impl Report, expected: &str) {
    let mut out = Vec::new();
    super::write(report, Form::Json, AT, None, &mut out).unwrap();
    let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(serde_json::to_string(&value).unwrap(), expected);
    assert!(out.starts_with(b"{\n  \"apiVersion\": \"kpki/v1\",\n  \"kind\": \"") && out.ends_with(b"\n}\n"));
}

#[test]
fn init_says_null_for_what_has_no_certificate() {
    let item = |facts| init::Item { id: EntryId::new(None, "sa"), action: "create", facts, ..init::Item::default() };
    let report = init::Init {
        directory: text("d"),
        cluster: text("c"),
        layout: "cluster",
        node: None,
        outcome: init::Outcome::Created,
        generation: None,
        bootstrap_manifests: None,
        left_to_renew: Vec::new(),
        unattended: Vec::new(),
        items: vec![item(None), item(Some(facts()))],
        warnings: Vec::new(),
        closed: Vec::new(),
    };
    is(
        &report,
        "{\"apiVersion\":\"kpki/v1\",\"kind\":\"InitReport\",\"outcome\":\"created\",\"clusterName\":\"c\",\
         \"directory\":\"d\",\"layout\":\"cluster\",\"node\":null,\"generation\":null,\"entries\":[{\"node\":null,\
         \"name\":\"sa\",\"action\":\"create\",\"algorithm\":null,\"subject\":null,\"issuer\":null,\"sans\":null,\
         \"usages\":null,\"notBefore\":null,\"expirationDate\":null,\"serial\":null,\"sha256\":null,\"paths\":[],\
         \"reasons\":[]},{\"node\":null,\"name\":\"sa\",\"action\":\"create\",\"algorithm\":null,\"subject\":\"CN=a\",\
         \"issuer\":\"CN=ca\",\"sans\":[\"a\"],\"usages\":[\"server\"],\"notBefore\":\"2026-11-20T22:00:00Z\",\
         \"expirationDate\":\"2026-11-20T22:00:00Z\",\"serial\":\"0A\",\"sha256\":null,\"paths\":[],\"reasons\":[]}],\
         \"warnings\":[]}",
    );
}

#[test]
fn renew_judges_its_trees() {
    use super::hook::Hook;
    use renew::{Action, Failure, Outcome, Renew, RenewalEntry, Tree};
    let entry = |action| RenewalEntry { id: EntryId::new(None, "a"), action, ..RenewalEntry::default() };
    let tree = |action| Tree { entries: vec![entry(action)], ..Tree::default() };
    for (trees, outcome, failures) in [
        (vec![], Outcome::Nothing, 0),
        (vec![tree(Action::Keep), tree(Action::NotApplicable)], Outcome::Nothing, 0),
        (vec![tree(Action::Keep), tree(Action::Create)], Outcome::Renewed, 0),
        (vec![Tree { finished: vec![text("a")], ..Tree::default() }], Outcome::Renewed, 0),
        (vec![tree(Action::Skipped), tree(Action::Renew)], Outcome::Partial, 1),
    ] {
        let report = Renew::new(false, trees);
        assert_eq!((report.outcome, report.failures().len()), (outcome, failures));
    }
    let hook = Hook {
        name: text("deploy"),
        node: None,
        component: Some(text("etcd")),
        command: text("restart-etcd"),
        succeeded: false,
        ended: text("exit status 3"),
        seconds: 2,
        output: text("one\ntwo\n"),
    };
    let old = Some(Side { algorithm: text("RSA-2048"), facts: facts() });
    let whole = Tree {
        directory: text("d"),
        entries: vec![RenewalEntry { old, ..entry(Action::Skipped) }],
        restart: vec![restart()],
        hooks: vec![hook],
        failure: Some(Failure { what: text("x"), why: vec![text("y")], hints: Vec::new() }),
        ..Tree::default()
    };
    let report = Renew::new(true, vec![whole]);
    let failures = ["d: x: y", "d: a was not renewed: ", "d: the deploy hook of etcd failed: exit status 3: two"];
    assert_eq!(report.failures(), failures);
    is(
        &report,
        "{\"apiVersion\":\"kpki/v1\",\"kind\":\"RenewReport\",\"dryRun\":true,\"outcome\":\"failed\",\"trees\":[{\
         \"directory\":\"d\",\"clusterName\":null,\"outcome\":\"failed\",\"generation\":null,\"finished\":[],\
         \"rolledBack\":false,\"entries\":[{\"node\":null,\"name\":\"a\",\"action\":\"left\",\"reasons\":[],\
         \"keyReused\":false,\"namesAdded\":[],\"namesRemoved\":[],\"namesSurplus\":[],\"old\":{\
         \"algorithm\":\"RSA-2048\",\"subject\":\"CN=a\",\"issuer\":\"CN=ca\",\"sans\":[\"a\"],\"usages\":[\"server\"],\
         \"notBefore\":\"2026-11-20T22:00:00Z\",\"expirationDate\":\"2026-11-20T22:00:00Z\",\"serial\":\"0A\",\
         \"sha256\":null},\"new\":null,\"paths\":[]}],\"revocationLists\":[],\"restart\":[{\"node\":null,\
         \"component\":\"etcd\",\"action\":\"restart\",\"why\":\"w\",\"within\":null,\"except\":null,\"entries\":[\"a\"],\"command\":null,\"kubernetesVersion\":\"v1.37.0\"}],\"hooks\":[{\
         \"hook\":\"deploy\",\"node\":null,\"component\":\"etcd\",\"command\":\"restart-etcd\",\"succeeded\":false,\"ended\":\"exit status 3\",\
         \"seconds\":2,\"output\":\"one\\ntwo\\n\"}],\"warnings\":[],\"elsewhere\":null,\"failure\":{\"what\":\"x\",\"why\":[\"y\"],\"hints\":[]}}]}",
    );
}

#[test]
fn what_a_hook_has_restarted_is_not_asked_for_again() {
    use super::hook::Hook;
    use super::restart::still_to_restart;
    let hook = |name, node: Option<&str>, component, succeeded| Hook {
        name: text(name),
        node: node.map(text),
        component: Some(text(component)),
        command: text("sh"),
        succeeded,
        ended: text("done"),
        seconds: 0,
        output: String::new(),
    };
    for (hooks, is_asked) in [
        (vec![], true),
        (vec![hook("deploy", None, "etcd", true)], false),
        (vec![hook("deploy", None, "etcd", false)], true),
        (vec![hook("post", None, "etcd", true)], true),
        (vec![hook("deploy", None, "kubelet", true)], true),
        (vec![hook("deploy", Some("cp1"), "etcd", true)], true),
        (vec![hook("deploy", None, "etcd", true), hook("deploy", None, "etcd", false)], true),
    ] {
        assert_eq!(!still_to_restart(vec![restart()], &hooks).is_empty(), is_asked, "{hooks:?}");
    }
    // What is used without a restart is said whatever a hook did.
    let alone = Restart { action: "none", ..restart() };
    assert_eq!(still_to_restart(vec![alone], &[hook("deploy", None, "etcd", true)]).len(), 1);
}

#[test]
fn requests_are_of_three_kinds() {
    use requests::{RequestEntry, RequestedFacts, Requests, Verb};
    let asked = RequestedFacts { subject: text("CN=a"), sans: Vec::new(), usages: Vec::new(), authority: true };
    let entry = RequestEntry {
        id: EntryId::new(None, "a"),
        action: "left",
        asked: Some(asked),
        facts: Some(Facts { serial: None, ..facts() }),
        ..RequestEntry::default()
    };
    for (verb, kind) in [(Verb::Csr, "CsrReport"), (Verb::Sign, "SignReport"), (Verb::Import, "ImportReport")] {
        let report = Requests {
            verb,
            tree: Some(crate::tree::Origin::new("d", crate::tree::ProfileAt::Recorded)),
            out: None,
            directory: None,
            dry_run: false,
            generation: None,
            entries: vec![entry.clone()],
            restart: Vec::new(),
            warnings: Vec::new(),
            left: Vec::new(),
        };
        let expected = "{\"apiVersion\":\"kpki/v1\",\"kind\":\"KIND\",\"directory\":null,\"dryRun\":false,\
             \"generation\":null,\"entries\":[{\"node\":null,\"name\":\"a\",\"action\":\"left\",\"algorithm\":null,\
             \"asked\":{\"subject\":\"CN=a\",\"sans\":[],\"usages\":[],\"authority\":true},\"certificate\":{\
             \"subject\":\"CN=a\",\"issuer\":\"CN=ca\",\"sans\":[\"a\"],\"usages\":[\"server\"],\
             \"notBefore\":\"2026-11-20T22:00:00Z\",\"expirationDate\":\"2026-11-20T22:00:00Z\",\"serial\":null,\
             \"sha256\":null},\"replaces\":null,\"refused\":[],\"added\":[],\"reasons\":[],\"paths\":[]}],\
             \"restart\":[],\"warnings\":[]}";
        is(&report, &expected.replace("KIND", kind));
    }
}

#[test]
fn revocations_and_crls() {
    let entry = revoke::RevocationEntry {
        name: None,
        authority: "ca",
        serial: text("0A"),
        action: revoke::Action::Hold,
        reason: None,
        since: Some(AT),
        invalid_since: None,
    };
    let row = revoke::CrlRow {
        issuer: None,
        name: text("ca.crl"),
        action: revoke::Signing::Skipped,
        why: None,
        number: Some(text("7")),
        this_update: None,
        next_update: Some(AT),
        entries: 3,
        paths: Vec::new(),
    };
    let (entries, lists) = (vec![entry], vec![row]);
    is(
        &revoke::Revocation { verb: "hold", entries, lists, ..revoke::Revocation::default() },
        "{\"apiVersion\":\"kpki/v1\",\"kind\":\"RevocationReport\",\"verb\":\"hold\",\"dryRun\":false,\
         \"directory\":\"\",\"clusterName\":null,\"generation\":null,\"entries\":[{\"name\":null,\"caName\":\"ca\",\
         \"serial\":\"0a\",\"action\":\"hold\",\"reason\":null,\"revocationDate\":\"2026-11-20T22:00:00Z\",\
         \"invalidityDate\":null}],\"lists\":[{\"name\":\"ca.crl\",\"action\":\"left\",\"why\":null,\
         \"crlNumber\":\"7\",\"thisUpdate\":null,\"nextUpdate\":\"2026-11-20T22:00:00Z\",\"entries\":3,\"paths\":[]}],\
         \"inUse\":[],\"warnings\":[],\"notes\":[]}",
    );
    let certificate = crl::CheckedCertificate {
        name: text("a"),
        issuer: text("CN=ca"),
        serial: text("0A"),
        answer: crl::Answer::Stale,
        reason: Some("superseded"),
        since: None,
        invalid_since: None,
        list: Some(text("ca.crl")),
        why: Vec::new(),
        remarks: Vec::new(),
        looks: crl::Looks { dates: crl::Look::Wrong, path: crl::Look::Ok, rights: crl::Look::NotLookedAt },
    };
    let list = crl::CheckedCrl {
        path: text("ca.crl"),
        issuer: text("CN=ca"),
        number: None,
        this_update: AT,
        next_update: None,
        entries: 0,
        state: crl::CrlState::Ending,
        problems: Vec::new(),
    };
    let check = crl::CrlCheck::new(AT, vec![certificate], vec![list]);
    assert!(check.is_ending());
    assert_eq!(crl::CrlCheck::new(AT, Vec::new(), Vec::new()).answer, crl::Answer::Unknown);
    is(
        &check,
        "{\"apiVersion\":\"kpki/v1\",\"kind\":\"RevocationCheck\",\"at\":\"2026-11-20T22:00:00Z\",\"answer\":\"stale\",\
         \"certificates\":[{\"name\":\"a\",\"issuer\":\"CN=ca\",\"serial\":\"0a\",\"answer\":\"stale\",\
         \"reason\":\"superseded\",\"revocationDate\":null,\"invalidityDate\":null,\"list\":\"ca.crl\",\"why\":[],\"remarks\":[],\
         \"lookedAt\":{\"dates\":\"wrong\",\"path\":\"ok\",\"issuersRights\":\"notLookedAt\"}}],\
         \"lists\":[{\"path\":\"ca.crl\",\"issuer\":\"CN=ca\",\"state\":\"ending\",\"crlNumber\":null,\
         \"thisUpdate\":\"2026-11-20T22:00:00Z\",\"nextUpdate\":null,\"entries\":0,\"problems\":[]}]}",
    );
}

#[test]
fn generations() {
    let generation = history::Generation {
        name: text("g"),
        time: text("t"),
        command: text("renew"),
        entries: Vec::new(),
        replaced: Vec::new(),
        created: Vec::new(),
    };
    is(
        &history::History { directory: text("d"), generations: vec![generation], warnings: Vec::new() },
        "{\"apiVersion\":\"kpki/v1\",\"kind\":\"History\",\"directory\":\"d\",\"generations\":[{\"generation\":\"g\",\
         \"time\":\"t\",\"command\":\"renew\",\"entries\":[],\"replaced\":[],\"created\":[]}],\"warnings\":[]}",
    );
    let restored = history::Restored {
        kubelet_dir: None,
        directory: text("d"),
        generation: text("g"),
        kept: None,
        put_back: vec![text("a")],
        removed: Vec::new(),
        lists_left: Vec::new(),
        warnings: Vec::new(),
        restart: vec![restart()],
    };
    is(
        &restored,
        "{\"apiVersion\":\"kpki/v1\",\"kind\":\"RestoreReport\",\"directory\":\"d\",\"generation\":\"g\",\"kept\":null,\
         \"putBack\":[\"a\"],\"removed\":[],\"listsLeft\":[],\"warnings\":[],\"restart\":[{\"node\":null,\
         \"component\":\"etcd\",\"action\":\"restart\",\"why\":\"w\",\"within\":null,\"except\":null,\"entries\":[\"a\"],\"command\":null,\"kubernetesVersion\":\"v1.37.0\"}]}",
    );
}

#[test]
fn archives_and_nodes() {
    let file = export::ExportedFile { path: text("p"), entry: text("e"), mode: 0o600 };
    is(
        &export::Export { node: text("n"), bytes: 9, files: vec![file], ..export::Export::default() },
        "{\"apiVersion\":\"kpki/v1\",\"kind\":\"Export\",\"clusterName\":\"\",\"node\":\"n\",\"directory\":\"\",\
         \"out\":\"\",\"bytes\":9,\"caKeys\":false,\"files\":[{\"path\":\"p\",\"mode\":\"0600\",\"entry\":\"e\"}],\
         \"notes\":[]}",
    );
    use export::NodeState::{Missing, OtherNode, Renewed, Right};
    let row = |state| export::VerifiedEntry { entry: text("e"), path: text("p"), state, findings: vec![text("f")] };
    for (states, outcome) in [
        (vec![], Right),
        (vec![Right, Renewed], Right),
        (vec![Renewed, Missing], Missing),
        (vec![OtherNode, Missing], OtherNode),
    ] {
        assert_eq!(export::NodeState::of(&states.into_iter().map(row).collect::<Vec<_>>()), outcome);
    }
    let verified = export::Verify {
        cluster_dir: None,
        outcome: OtherNode,
        directory: text("d"),
        node: text("n"),
        cluster: None,
        against: None,
        owners: Vec::new(),
        rows: vec![row(OtherNode)],
        rotation: None,
        by_retiring: Vec::new(),
        warnings: Vec::new(),
    };
    is(
        &verified,
        "{\"apiVersion\":\"kpki/v1\",\"kind\":\"NodeVerification\",\"outcome\":\"wrong node\",\"node\":\"n\",\
         \"clusterName\":null,\"directory\":\"d\",\"against\":null,\"owners\":[],\"entries\":[{\"entry\":\"e\",\
         \"path\":\"p\",\"state\":\"wrong node\",\"findings\":[\"f\"]}],\"warnings\":[]}",
    );
}

#[test]
fn files_converted_and_inspected() {
    let written = convert::Written { path: text("p"), holds: text("h"), from: text("f"), bytes: 1, secret: true };
    let report = convert::Convert {
        out: text("o"),
        written: vec![written],
        skipped: vec![convert::Skipped { path: text("s"), why: text("w") }],
        certificate_key: Some(Zeroizing::new(text("00ff"))),
        ..convert::Convert::default()
    };
    is(
        &report,
        "{\"apiVersion\":\"kpki/v1\",\"kind\":\"Conversion\",\"out\":\"o\",\"written\":[{\"path\":\"p\",\"holds\":\"h\",\
         \"from\":\"f\",\"bytes\":1,\"mode\":\"0600\"}],\"skipped\":[{\"path\":\"s\",\"why\":\"w\"}],\"notes\":[],\
         \"kept\":null,\"certificateKey\":\"00ff\"}",
    );
    use inspect::Said;
    let extension = inspect::Extension { oid: text("2.5.29.19"), name: text("basicConstraints"), critical: true };
    let fields = [
        ("text", Said::Text(text("t"))),
        ("number", Said::Number(3)),
        ("flag", Said::Flag(false)),
        ("list", Said::List(vec![text("l")])),
        ("at", Said::Instant(AT)),
        ("extensions", Said::Extensions(vec![extension])),
    ];
    let fields = fields.into_iter().map(|(key, value)| inspect::Field { label: key, key, value }).collect();
    let object = inspect::Object { kind: "certificate", owner: None, fields };
    is(
        &inspect::Inspect {
            keys: Vec::new(),
            files: vec![inspect::File { path: text("p"), objects: vec![object], problems: Vec::new() }],
        },
        "{\"apiVersion\":\"kpki/v1\",\"kind\":\"Inspection\",\"files\":[{\"path\":\"p\",\"objects\":[{\
         \"type\":\"certificate\",\"owner\":null,\"text\":\"t\",\"number\":3,\"flag\":false,\"list\":[\"l\"],\
         \"at\":\"2026-11-20T22:00:00Z\",\"extensions\":[{\"oid\":\"2.5.29.19\",\"name\":\"basicConstraints\",\
         \"critical\":true}]}],\"problems\":[]}]}",
    );
}
