//! Authorities that are not here, and a program that has their certificates issued: scripts that call the program under test with
//! another tree's authority.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use kpki::x509::{Request, parse_pem_bundle, sha256};
use rustix::process::{Pid, Signal, kill_process};

use super::harness::{NOW, Place, Run, single};

/// Within the last month of what was made at NOW.
const DUE: &str = "2027-11-10T00:00:00Z";
/// One entry, whose subject has an organization.
const ENTRY: &str = "cp1/admin.conf";

const NODES: &str = "apiVersion: kpki/v1\nkind: ClusterProfile\nclusterName: prod\ncaKeys: none\n\
    controlPlaneEndpoint: 10.0.0.10:6443\nnodes:\n- {name: cp1, addresses: [10.0.0.11]}\n";

/// Writes down what it is asked for, and does what the file `mode` says, or `mode.ENTRY`.
const ISSUER: &str = r#"
dir=DIR/work.$KPKI_ENTRY.$$
mkdir "$dir"
cat > "$dir/r.csr"
cp "$dir/r.csr" "DIR/csr.$KPKI_ENTRY"
echo "$KPKI_REQUEST_SHA256" >> "DIR/asked.$KPKI_ENTRY"
echo "$KPKI_NODE/$KPKI_ENTRY" >> DIR/asked
printf '%s\n' "$KPKI_REQUEST" > "DIR/json.$KPKI_ENTRY"
env | grep '^KPKI_\|^SECRET' | cut -d= -f1 | sort > DIR/variables
at=$(cat DIR/at)
sign() {
  rm -f "$dir/c.crt"
  KPKI sign "$dir/r.csr" --at "$at" --allow-future --out "$dir/c.crt" "$@" > "$dir/log" 2>&1 || { cat "$dir/log" >&2; exit 3; }
  cat "$dir/c.crt"
}
good() { sign --as "$KPKI_NODE/$KPKI_ENTRY" --dir DIR/twin; }
by_hand() { sign --ca-cert DIR/twin/pki/ca.crt --ca-key DIR/twin/pki/ca.key "$@"; }
mode=DIR/mode.$KPKI_ENTRY
[ -e "$mode" ] || mode=DIR/mode
case $(cat "$mode") in
  good) good ;;
  pending) echo 'waits for approval' >&2; exit 75 ;;
  fails) echo 'no such role' >&2; exit 3 ;;
  silent) exit 4 ;;
  control) printf 'first\033[2J\r\n\tsec\001ond\n' >&2; exit 1 ;;
  long) head -c 100000 /dev/zero | tr '\0' x >&2; exit 1 ;;
  garbage) echo hello ;;
  nothing) ;;
  stranger) sign --as "$KPKI_NODE/$KPKI_ENTRY" --dir DIR/stranger ;;
  other-key) cat DIR/twin/nodes/cp1/pki/apiserver.crt ;;
  authority) cat DIR/twin/pki/ca.crt ;;
  two) good; cat DIR/twin/nodes/cp1/pki/apiserver.crt ;;
  no-organization) by_hand --usage client --subject CN=kubernetes-admin ;;
  other-usage) by_hand --usage server --subject O=kubeadm:cluster-admins,CN=kubernetes-admin ;;
  short) by_hand --usage client --subject O=kubeadm:cluster-admins,CN=kubernetes-admin --validity 30d ;;
  huge) head -c 1000000000 /dev/zero ;;
  hang) sleep 1000 ;;
  late) trap '' TERM; good > "$dir/late"; sleep 6; cat "$dir/late" ;;
  killed) kill -9 $$ ;;
  partial) good | head -c 300 ;;
  failing-late) good; exit 9 ;;
  chained) good; cat DIR/twin/pki/ca.crt ;;
  until-go) touch DIR/begun; while [ ! -e DIR/go ]; do sleep 0.05; done; good ;;
esac
"#;

/// A profile whose cluster CA is with an issuer. `more`: fields of the issuer.
fn profile(place: &Place, more: &str) -> String {
    let issuer = place.path("issuer.sh");
    NODES.to_owned() + &format!("authorities:\n  ca:\n    issuer: {{command: [/bin/sh, {}]{more}}}\n", issuer.display())
}

fn mode(place: &Place, mode: &str) {
    place.write("mode", mode);
}

/// The authority's owner in `twin`, a stranger, and a profile for a cluster directory `c` with the owner's certificate in it.
fn begun(more: &str) -> Place {
    let place = Place::new();
    let script = ISSUER.replace("KPKI sign", &format!("{} sign", env!("CARGO_BIN_EXE_kpki")));
    place.write("issuer.sh", script.replace("DIR", place.path("").to_str().unwrap().trim_end_matches('/')));
    place.write("twin.yaml", NODES);
    place.write("p.yaml", profile(&place, more));
    place.write("at", NOW);
    mode(&place, "good");
    for tree in ["twin", "stranger"] {
        place.init(&["-p", "twin.yaml", "-d", tree]).ok();
    }
    place.kpki(&["import", "twin/pki/ca.crt", "--as", "ca", "-p", "p.yaml", "-d", "c", "--at", NOW]).ok();
    place
}

/// The same with the whole tree.
fn made(more: &str) -> Place {
    let place = begun(more);
    place.init(&["-p", "p.yaml", "-d", "c"]).ok();
    fs::remove_file(place.path("asked")).unwrap();
    place
}

fn at(place: &Place, at: &str, words: &[&str]) -> Run {
    place.write("at", at);
    place.kpki(&[words, &["-d", "c", "--at", at]].concat())
}

fn renew(place: &Place) -> Run {
    at(place, DUE, &["renew", ENTRY])
}

fn asked(place: &Place) -> Vec<String> {
    let path = place.path("asked");
    if path.exists() { place.read("asked").lines().map(str::to_owned).collect() } else { Vec::new() }
}

/// What the issuer was given for an entry, every time.
fn digests(place: &Place, entry: &str) -> BTreeSet<String> {
    place.read(&format!("asked.{entry}")).lines().map(str::to_owned).collect()
}

/// Everything that components read, and the journal.
fn in_use(place: &Place) -> Vec<(String, (u32, Vec<u8>))> {
    let is_used = |name: &str| {
        ["c/nodes/", "c/pki/"].iter().any(|below| name.starts_with(below)) || name == "c/.kpki/journal.jsonl"
    };
    place.files().into_iter().filter(|(name, _)| is_used(name)).collect()
}

#[test]
fn a_tree_is_made_and_renewed_by_an_issuer() {
    let place = begun("");
    let run = place.init(&["-p", "p.yaml", "-d", "c"]).ok();
    assert!(run.stdout.starts_with("created 20, replaced 0, kept 1 entry: cluster prod"), "{}", run.stdout);
    let by_ca = ["apiserver", "apiserver-kubelet-client", "admin.conf", "super-admin.conf", "kubelet.conf"];
    let by_ca = by_ca.into_iter().chain(["controller-manager.conf", "scheduler.conf", "kubelet-serving"]);
    let by_ca: Vec<String> = by_ca.map(|name| format!("cp1/{name}")).collect();
    assert_eq!(asked(&place), by_ca);
    let lines = place.read("c/.kpki/journal.jsonl");
    let of_init = |id: &String| lines.contains(&format!("\"command\":\"init\",\"entry\":\"{id}\""));
    assert!(by_ca.iter().all(of_init), "{lines}");
    // One transaction, and no request is left.
    let run = place.kpki(&["history", "-d", "c", "-o", "json"]).ok();
    let commands: Vec<String> =
        run.json()["generations"].as_array().unwrap().iter().map(|one| one["command"].to_string()).collect();
    assert_eq!(commands.iter().filter(|command| *command == "\"init\"").count(), 1, "{commands:?}");
    assert!(!place.files().keys().any(|name| name.starts_with("c/.kpki/requests/") && !name.ends_with('/')));
    place.kpki(&["export", "cp1", "-d", "c", "--out", "cp1.tar", "--at", NOW]).ok();
    // Again: nobody is asked.
    place.init(&["-d", "c"]).ok();
    at(&place, NOW, &["renew", "all", "--due"]).ok();
    assert_eq!(asked(&place).len(), 8);

    let old = place.read("c/nodes/cp1/pki/apiserver.crt");
    let run = at(&place, DUE, &["renew", "all", "--due", "-o", "json"]).ok();
    let report = run.json();
    let entries = report["trees"][0]["entries"].as_array().unwrap();
    for entry in entries.iter().filter(|entry| entry["action"] != "keep") {
        let (name, action) = (entry["name"].as_str().unwrap(), &entry["action"]);
        assert_eq!(action, "renew", "{entry}");
        let by_issuer = by_ca.contains(&format!("cp1/{name}"));
        assert_eq!(entry["reasons"][0] == "issued by /bin/sh", by_issuer, "{entry}");
        assert!(entry["new"]["serial"].is_string(), "{entry}");
    }
    assert_eq!(asked(&place).len(), 16);
    assert_ne!(old, place.read("c/nodes/cp1/pki/apiserver.crt"));
    assert!(report["trees"][0]["restart"].to_string().contains("kube-scheduler"), "{report}");
    assert_eq!(report["trees"][0]["ship"], serde_json::json!(["cp1"]));
    place.kpki(&["export", "cp1", "-d", "c", "--out", "renewed.tar", "--at", DUE]).ok();
    at(&place, DUE, &["renew", "all", "--due"]).ok();
    assert_eq!(asked(&place).len(), 16);
}

/// What waits is asked for by the next run, also what is made only by name; nothing is packed that is not complete.
#[test]
fn all_that_waits_is_asked_for_again_by_a_scheduled_run() {
    let place = begun("");
    mode(&place, "pending");
    let run = place.init(&["-p", "p.yaml", "-d", "c"]).status(5);
    assert!(!run.stdout.contains("kpki export"), "{}", run.stdout);
    assert_eq!(asked(&place).len(), 8);
    let quiet = place.init(&["-d", "c", "-q"]).status(5);
    let says = "error: c: cp1/apiserver and 7 more: /bin/sh: it has no answer yet: waits for approval; its request waits, and the next run asks again\n";
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", says));
    fs::remove_file(place.path("asked")).unwrap();
    let run = at(&place, NOW, &["renew", "all", "--due"]).status(5);
    assert!(!run.stdout.contains("kpki export"), "{}", run.stdout);
    assert_eq!(asked(&place).len(), 8);
    assert_eq!(digests(&place, "super-admin.conf").len(), 1);
    // All but one: what is there of the node is not all of it.
    mode(&place, "good");
    place.write("mode.apiserver", "pending");
    let run = at(&place, NOW, &["renew", "all", "--due"]).status(5);
    assert!(run.stdout.starts_with("renewed 7 of ") && !run.stdout.contains("kpki export"), "{}", run.stdout);
    assert!(place.path("c/nodes/cp1/super-admin.conf").exists());
    fs::remove_file(place.path("mode.apiserver")).unwrap();
    let run = at(&place, NOW, &["renew", "all", "--due"]).ok();
    assert!(run.stdout.contains("    kpki export cp1 --out cp1.tar.gz --dir c\n"), "{}", run.stdout);
    place.kpki(&["export", "cp1", "-d", "c", "--out", "cp1.tar.gz", "--at", NOW]).ok();
    // One that was taken away is no request.
    fs::remove_file(place.path("c/nodes/cp1/super-admin.conf")).unwrap();
    let run = at(&place, NOW, &["renew", "all", "--due"]).ok();
    assert!(run.stdout.contains("made only by name") && asked(&place).len() == 17, "{}", run.stdout);
}

/// What it is told, field by field.
#[test]
fn an_issuer_knows_what_is_wanted() {
    let place = made("");
    let wanted = |entry: &str| -> serde_json::Value {
        let text = place.read(&format!("json.{entry}"));
        assert_eq!(text.lines().count(), 1);
        serde_json::from_str(&text).unwrap()
    };
    let names =
        ["cp1", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"];
    assert_eq!(
        wanted("apiserver"),
        serde_json::json!({
            "version": 1, "cluster": "prod", "authority": "ca", "entry": "apiserver", "node": "cp1",
            "subject": "CN=kube-apiserver", "commonName": "kube-apiserver", "organizations": [],
            "dnsNames": names, "ipAddresses": ["10.96.0.1", "10.0.0.11", "10.0.0.10"],
            "keyUsages": ["digital signature"], "extendedKeyUsages": ["server auth"],
            "lifetimeSeconds": 31_536_000, "notAfter": "2027-11-20T22:00:00Z",
        })
    );
    assert_eq!(
        wanted("kubelet.conf"),
        serde_json::json!({
            "version": 1, "cluster": "prod", "authority": "ca", "entry": "kubelet.conf", "node": "cp1",
            "subject": "O=system:nodes, CN=system:node:cp1", "commonName": "system:node:cp1",
            "organizations": ["system:nodes"], "dnsNames": [], "ipAddresses": [],
            "keyUsages": ["digital signature"], "extendedKeyUsages": ["client auth"],
            "lifetimeSeconds": 31_536_000, "notAfter": "2027-11-20T22:00:00Z",
        })
    );
    let variables = ["AUTHORITY", "CLUSTER", "DIR", "ENTRY", "NODE", "REQUEST", "REQUEST_SHA256"];
    let variables: String = variables.iter().map(|name| format!("KPKI_{name}\n")).collect();
    assert_eq!(place.read("variables"), variables);
    let request = Request::read_file(place.read("csr.apiserver").as_bytes()).unwrap().remove(0);
    let digest: String = sha256(&request.der).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(digests(&place, "apiserver"), BTreeSet::from([digest]));
    assert_eq!(place.read("csr.apiserver"), request.to_pem());
    // The same for a renewal, and nothing outlives the authority.
    at(&place, "2036-06-01T00:00:00Z", &["renew", ENTRY]).status(0);
    let wanted = wanted("admin.conf");
    assert_eq!(wanted["notAfter"], "2036-11-17T22:00:00Z", "{wanted}");
    assert_eq!(wanted["lifetimeSeconds"], 14_680_800, "{wanted}");
}

/// Whatever an issuer does, nothing in use changes, and the same request waits.
#[test]
fn what_is_not_issued_waits() {
    let place = made(", timeout: 3s");
    let before = in_use(&place);
    for (what, says) in [
        (
            "pending",
            "/bin/sh: it has no answer yet: waits for approval; its request waits, and the next run asks again",
        ),
        ("fails", "/bin/sh: it ended with exit status 3: no such role;"),
        ("silent", "/bin/sh: it ended with exit status 4;"),
        ("control", "/bin/sh: it ended with exit status 1: first\u{fffd}[2J; sec\u{fffd}ond;"),
        ("garbage", "/bin/sh: its answer is refused: "),
        ("nothing", "/bin/sh: it ended without an answer;"),
        ("stranger", "it does not chain to the tree's ca.crt"),
        ("other-key", "no key of cp1/admin.conf in use or of a pending request belongs to it"),
        ("authority", "no key of cp1/admin.conf in use or of a pending request belongs to it"),
        ("two", "expected one certificate with its chain, found 2"),
        (
            "no-organization",
            "expected the subject `O=kubeadm:cluster-admins, CN=kubernetes-admin`, found `CN=kubernetes-admin`",
        ),
        ("other-usage", "expected the extended key usage clientAuth"),
        ("huge", "/bin/sh: it answered with more than 262144 octets;"),
        ("hang", "/bin/sh: it did not answer in time, and was ended"),
        ("late", "/bin/sh: it did not answer in time, and was ended"),
        ("killed", "/bin/sh: it was ended by signal 9;"),
        ("partial", "/bin/sh: its answer is refused: "),
        ("failing-late", "/bin/sh: it ended with exit status 9;"),
    ] {
        mode(&place, what);
        let run = at(&place, DUE, &["renew", ENTRY, "-o", "json"]).status(5);
        let row = &run.json()["trees"][0]["entries"][0];
        assert_eq!(row["action"], "left", "{what}: {row}");
        assert_eq!(row["reasons"].as_array().unwrap().len(), 1, "{what}: {row}");
        let why = row["reasons"][0].as_str().unwrap();
        assert!(why.contains(says), "{what}: {why}");
        assert!(why.ends_with("its request waits, and the next run asks again"), "{what}: {why}");
        assert!(in_use(&place) == before, "{what}");
        assert!(place.path("c/.kpki/requests/nodes/cp1/admin.conf.csr").exists(), "{what}");
        assert!(!run.stderr.contains('\u{1b}'), "{what}: {}", run.stderr);
    }
    // Much of what it says is not kept.
    mode(&place, "long");
    let run = renew(&place).status(5);
    assert!(run.stdout.contains("xxx") && run.stdout.len() < 20_000, "{}", run.stdout.len());
    mode(&place, "short");
    let run = renew(&place).warns();
    let says = "cp1/admin.conf ends in 30d, asked for were 365d: its issuer decides it";
    assert!(run.stderr.contains(says), "{}", run.stderr);
    assert!(run.stdout.contains("renewed 1 of 1 certificate"), "{}", run.stdout);
    // The first is that of init; all others are one.
    assert_eq!(digests(&place, "admin.conf").len(), 2);
    assert!(!place.path("c/.kpki/requests/nodes/cp1/admin.conf.csr").exists());
    let lines = place.read("c/.kpki/journal.jsonl");
    assert_eq!(lines.matches("\"command\":\"renew\"").count(), 1, "{lines}");
}

/// A server that dates nothing back signs after the run began, and its clock may be ahead.
#[test]
fn what_begins_a_little_later_than_the_run_is_taken() {
    let place = made("");
    let before = in_use(&place);
    // Certificates are dated back by five minutes.
    let signed_at = |at: &str, status: i32| {
        place.write("at", at);
        place.kpki(&["renew", ENTRY, "-d", "c", "--at", DUE]).status(status)
    };
    let run = signed_at("2027-11-10T00:10:01Z", 5);
    assert!(run.stdout.contains("it is not valid before 2027-11-10T00:05:01Z"), "{}", run.stdout);
    let run = signed_at("2028-11-10T00:00:00Z", 5);
    assert!(run.stdout.contains("it is not valid before 2028-11-09T23:55:00Z"), "{}", run.stdout);
    assert!(in_use(&place) == before);
    let run = signed_at("2027-11-10T00:10:00Z", 0);
    assert!(run.stdout.contains("renewed 1 of 1 certificate"), "{}", run.stdout);
    at(&place, "2027-11-10T00:05:00Z", &["renew", ENTRY, "--due"]).ok();
}

/// A server that is away holds the lock no longer than three requests take.
#[test]
fn one_that_does_not_answer_is_asked_no_more() {
    let place = made(", timeout: 1s");
    mode(&place, "hang");
    let names = ["admin.conf", "super-admin.conf", "kubelet.conf", "controller-manager.conf", "scheduler.conf"];
    let run = at(&place, DUE, &[&["renew"], &names[..]].concat()).status(5);
    assert_eq!(run.stdout.matches("it did not answer in time, and was ended").count(), 3, "{}", run.stdout);
    let says = "it was not asked, because it did not answer the last 3 requests in time; its request waits";
    assert_eq!(run.stdout.matches(says).count(), 2, "{}", run.stdout);
    assert_eq!(asked(&place).len(), 3);
    mode(&place, "good");
    at(&place, DUE, &[&["renew"], &names[..]].concat()).ok();
    assert_eq!(asked(&place).len(), 8);
}

/// A root or an authority's own certificate behind the leaf is as with `import`.
#[test]
fn a_chain_with_its_authority_is_taken() {
    let place = made("");
    mode(&place, "chained");
    at(&place, DUE, &["renew", "cp1/apiserver"]).ok();
    assert_eq!(parse_pem_bundle(place.read("c/nodes/cp1/pki/apiserver.crt").as_bytes()).unwrap().len(), 1);
}

#[test]
fn good_answers_are_put_in_place_while_others_wait() {
    let place = begun("");
    for (entry, what) in [("scheduler.conf", "pending"), ("kubelet.conf", "stranger"), ("apiserver", "fails")] {
        place.write(&format!("mode.{entry}"), what);
    }
    let run = place.init(&["-p", "p.yaml", "-d", "c"]).status(5);
    assert!(run.stdout.contains("3 wait for an external authority"), "{}", run.stdout);
    assert!(
        run.stdout.contains("cp1/scheduler.conf: /bin/sh: it has no answer yet: waits for approval"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("cp1/apiserver: /bin/sh: it ended with exit status 3: no such role"), "{}", run.stdout);
    assert!(!run.stdout.contains("Have the authority's owner sign"), "{}", run.stdout);
    let there = |name: &str| place.path(&format!("c/nodes/cp1/{name}")).exists();
    assert!(there("admin.conf") && there("pki/etcd/server.crt") && there("kubelet/kubelet.crt"));
    assert!(!there("scheduler.conf") && !there("kubelet.conf") && !there("pki/apiserver.crt"));
    // By init and by renew, which asks for what waits, due or not.
    place.write("mode.apiserver", "good");
    let run = place.init(&["-d", "c", "-o", "json"]).status(5);
    let report = run.json();
    assert_eq!(report["outcome"], "completed");
    let row =
        |name: &str| report["entries"].as_array().unwrap().iter().find(|row| row["name"] == name).unwrap().clone();
    assert_eq!((&row("apiserver")["action"], &row("scheduler.conf")["action"]), (&"create".into(), &"request".into()));
    assert_eq!(row("apiserver")["reasons"], serde_json::json!(["issued by /bin/sh"]));
    place.write("mode.scheduler.conf", "good");
    let run = at(&place, NOW, &["renew", "all", "--due"]).status(5);
    assert!(run.stdout.contains("renewed 1 of 13 certificates"), "{}", run.stdout);
    place.write("mode.kubelet.conf", "good");
    place.init(&["-d", "c"]).ok();
    for entry in ["apiserver", "scheduler.conf", "kubelet.conf"] {
        assert_eq!(digests(&place, entry).len(), 1, "{entry}");
    }
}

#[test]
fn what_waits_is_asked_for_although_nothing_is_due() {
    let place = made("");
    mode(&place, "pending");
    at(&place, NOW, &["renew", ENTRY]).status(5);
    for _ in 0..2 {
        let run = at(&place, NOW, &["renew", "all", "--due"]).status(5);
        assert!(run.stdout.starts_with("nothing was renewed, 13 certificates were checked"), "{}", run.stdout);
    }
    assert_eq!(asked(&place), [ENTRY; 3]);
    // Only said.
    let run = at(&place, NOW, &["renew", "all", "--due", "--dry-run"]).status(5);
    assert!(run.stdout.contains("/bin/sh would be asked for it") && !run.wrote, "{}", run.stdout);
    mode(&place, "good");
    at(&place, NOW, &["renew", "all", "--due"]).ok();
    assert_eq!(asked(&place).len(), 4);
    // The first is that of init.
    assert_eq!(digests(&place, "admin.conf").len(), 2);
    at(&place, NOW, &["renew", "all", "--due"]).ok();
    assert_eq!(asked(&place).len(), 4);
    // A request that was signed by hand meanwhile waits no more.
    mode(&place, "pending");
    at(&place, NOW, &["renew", ENTRY]).status(5);
    let csr = "c/.kpki/requests/nodes/cp1/admin.conf.csr";
    place.kpki(&["sign", csr, "--as", ENTRY, "-d", "twin", "--at", NOW, "--out", "by-hand.crt"]).status(0);
    at(&place, NOW, &["import", "by-hand.crt"]).status(0);
    at(&place, NOW, &["renew", "all", "--due"]).ok();
    assert_eq!(asked(&place).len(), 5);
}

#[test]
fn a_dry_run_asks_nobody() {
    let place = begun("");
    let run = place.init(&["-p", "p.yaml", "-d", "c", "--dry-run"]).status(0);
    assert!(run.stdout.contains("cp1/apiserver and 7 more: /bin/sh would be asked for it"), "{}", run.stdout);
    assert!(!run.wrote && asked(&place).is_empty());
}

#[test]
fn the_authoritys_certificate_comes_first() {
    let place = begun("");
    let run = place.init(&["-p", "p.yaml", "-d", "new"]).fails(1);
    assert!(run.stderr.contains("ca: its certificate is not here, and its key is with its issuer"), "{}", run.stderr);
    let says = "put its certificate in place first: kpki import CERT --as ca --profile p.yaml --dir new";
    assert!(run.stderr.contains(says), "{}", run.stderr);
    assert!(asked(&place).is_empty() && !place.path("new").exists());
    let words = ["import", "twin/nodes/cp1/pki/apiserver.crt", "-p", "p.yaml", "-d", "new", "--at", NOW];
    place.kpki(&words).fails(1);
    assert!(!place.path("new").exists());
    // A key of it that lies here is not used.
    fs::copy(place.path("twin/pki/ca.key"), place.path("c/pki/ca.key")).unwrap();
    place.init(&["-p", "p.yaml", "-d", "c"]).ok();
    assert_eq!(asked(&place).len(), 8);
    fs::remove_file(place.path("c/pki/ca.crt")).unwrap();
    fs::remove_file(place.path("c/pki/ca.key")).unwrap();
    let run = at(&place, DUE, &["renew", ENTRY]).status(5);
    assert!(run.stdout.contains("put it in place: kpki import CERT --as ca --dir c"), "{}", run.stdout);
    let run = at(&place, DUE, &["csr", "ca"]).fails(1);
    assert!(run.stderr.contains("and put that in place: kpki import CERT --as ca --dir c"), "{}", run.stderr);
    place.kpki(&["import", "twin/pki/ca.crt", "--as", "ca", "--dir", "c", "--at", DUE]).status(0);
}

#[test]
fn several_are_asked_for_at_the_same_time() {
    let place = begun(", parallel: 8");
    // Each goes on when all have begun.
    let begun = place.path("begun.");
    let wait =
        format!("touch {0}$KPKI_ENTRY; while [ \"$(ls {0}* | wc -l)\" -lt 8 ]; do sleep 0.05; done\n", begun.display());
    let script = place.read("issuer.sh");
    place.write("issuer.sh", wait + &script);
    place.init(&["-p", "p.yaml", "-d", "c"]).ok();
    assert_eq!(asked(&place).len(), 8);
}

/// A run in the background, until the issuer has begun.
fn in_background(place: &Place, words: &[&str]) -> std::process::Child {
    mode(place, "until-go");
    place.write("at", DUE);
    let mut child = Command::new(env!("CARGO_BIN_EXE_kpki"))
        .args(words)
        .args(["-d", "c", "--at", DUE, "--allow-future"])
        .current_dir(place.path(""))
        .env_clear()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    for _ in 0..6000 {
        if place.path("begun").exists() {
            return child;
        }
        thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    panic!("the issuer was not asked");
}

#[test]
fn nobody_is_asked_twice_at_the_same_time() {
    let place = made("");
    let child = in_background(&place, &["renew", ENTRY]);
    let run = at(&place, DUE, &["renew", ENTRY, "--lock-timeout", "0s"]).status(1);
    assert!(run.stderr.contains("error: "), "{}", run.stderr);
    assert_eq!(asked(&place), [ENTRY]);
    place.write("go", "");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    at(&place, DUE, &["renew", ENTRY, "--due"]).ok();
    assert_eq!(asked(&place), [ENTRY]);
}

/// Killed, or asked to end: the next run asks with the same request.
#[test]
fn a_run_that_was_ended_asks_for_nothing_new() {
    for signal in [Signal::KILL, Signal::TERM] {
        let place = made("");
        let before = in_use(&place);
        let mut child = in_background(&place, &["renew", ENTRY]);
        kill_process(Pid::from_child(&child), signal).unwrap();
        let status = child.wait().unwrap();
        if signal == Signal::TERM {
            assert_eq!(status.code(), Some(143));
        }
        assert!(in_use(&place) == before);
        // Of a killed run, it may have gone on.
        place.write("go", "");
        mode(&place, "good");
        at(&place, DUE, &["renew", ENTRY]).ok();
        assert_eq!(digests(&place, "admin.conf").len(), 2, "{signal:?}");
        assert!(in_use(&place) != before);
    }
    // Before there is a tree.
    let place = begun("");
    let child = in_background(&place, &["init", "-p", "p.yaml"]);
    kill_process(Pid::from_child(&child), Signal::KILL).unwrap();
    child.wait_with_output().unwrap();
    assert!(!place.path("c/nodes").exists());
    place.write("go", "");
    mode(&place, "good");
    // The next run knows the profile, whichever verb it is.
    assert_eq!(place.read("c/.kpki/profile.yaml"), place.read("p.yaml"));
    at(&place, DUE, &["init", "-p", "p.yaml"]).ok();
    for entry in ["apiserver", "admin.conf", "kubelet.conf"] {
        assert_eq!(digests(&place, entry).len(), 1, "{entry}");
    }
}

#[test]
fn hooks_run_for_what_was_issued() {
    let place = made("");
    let log = place.path("log");
    let hooks = format!(
        "renewal:\n  hooks: {{pre: 'echo pre $KPKI_ENTRIES >> {0}', deploy: {{default: 'echo $KPKI_COMPONENT $KPKI_ENTRIES >> {0}'}}, \
         post: 'echo post $KPKI_RESULT >> {0}'}}\n",
        log.display()
    );
    place.write("hooks.yaml", profile(&place, "") + &hooks);
    mode(&place, "pending");
    at(&place, DUE, &["renew", "cp1/scheduler.conf", "-p", "hooks.yaml"]).status(5);
    assert!(!log.exists(), "nothing was changed");
    mode(&place, "good");
    at(&place, DUE, &["renew", "cp1/scheduler.conf", "-p", "hooks.yaml"]).status(0);
    let said = place.read("log");
    assert!(said.starts_with("pre cp1/scheduler.conf\nkube-scheduler "), "{said}");
    assert!(said.ends_with("post renewed\n"), "{said}");
    // A pre hook that fails: nothing is changed, and the next run asks again.
    let before = in_use(&place);
    place.write("failing.yaml", profile(&place, "") + "renewal:\n  hooks: {pre: 'exit 3'}\n");
    at(&place, DUE, &["renew", "cp1/scheduler.conf", "-p", "failing.yaml"]).status(1);
    assert!(in_use(&place) == before);
    at(&place, DUE, &["renew", "all", "--due", "--no-hooks"]).status(0);
    // The first is that of init, the second that of the first renewal.
    assert_eq!(digests(&place, "scheduler.conf").len(), 3);
}

/// A program that somebody else could have written is not run.
#[test]
fn the_program_is_trusted_or_not_run() {
    use std::os::unix::fs::PermissionsExt;
    let place = made("");
    fs::set_permissions(place.path("issuer.sh"), fs::Permissions::from_mode(0o666)).unwrap();
    let run = renew(&place).status(5);
    assert!(run.stdout.contains("issuer.sh"), "{}", run.stdout);
    assert!(asked(&place).is_empty());
}

/// What is printed about entries that an issuer signs asks the issuer when it is run.
#[test]
fn what_is_advised_asks_the_issuer() {
    let place = made("");
    let run_it = |command: &str| {
        let words: Vec<String> = command.split(' ').skip(1).map(str::to_owned).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let _ = fs::remove_file(place.path("asked"));
        place.write("at", DUE);
        let run = place.kpki(&[&words[..], &["--at", DUE]].concat()).status(0);
        (asked(&place), run)
    };
    // check-expiration, of what ends and of what is missing.
    fs::remove_file(place.path("c/nodes/cp1/pki/apiserver-kubelet-client.crt")).unwrap();
    let words = ["check-expiration", "c", "--at", DUE, "--exit-zero"];
    let table = place.kpki(&words).status(0).stdout;
    assert!(!table.contains("kpki csr"), "{table}");
    let document = place.kpki(&[&words[..], &["-o", "json"]].concat()).json();
    let advice = document["advice"].as_array().unwrap();
    let of = |problem: &str| -> String {
        let one =
            advice.iter().find(|one| one["problem"] == problem).unwrap_or_else(|| panic!("{problem}: {document}"));
        let steps = one["steps"].as_array().unwrap().iter().map(|step| step.as_str().unwrap());
        let mut commands = steps.filter_map(|step| step.split_once(": kpki renew ")).map(|(_, rest)| rest);
        format!("kpki renew {}", commands.next().unwrap_or_else(|| panic!("{one}")))
    };
    let (missing, ending) = (of("missing"), of("externally-managed"));
    // verify, of the same.
    let run = place.kpki(&["verify", "c", "--at", DUE, "-o", "json"]);
    let findings = run.json()["clusters"][0]["findings"].clone();
    let lost = findings.as_array().unwrap().iter().find(|one| one["rule"] == "file/missing").unwrap().clone();
    assert_eq!(lost["commands"][0], "kpki renew cp1/apiserver-kubelet-client --dir c", "{lost}");
    for (command, entry) in [(missing, "cp1/apiserver-kubelet-client"), (ending, "cp1/apiserver")] {
        let (asked, _) = run_it(&command);
        assert!(asked.iter().any(|one| one == entry), "{command}: {asked:?}");
    }
    // init, of a certificate that lacks a name.
    place.write("names.yaml", place.read("p.yaml") + "apiServer: {certSANs: [new.example.com]}\n");
    let run = place.kpki(&["init", "-p", "names.yaml", "-d", "c", "--at", DUE]).fails(1);
    let (_, command) =
        run.stderr.split_once("have the issuer asked for new ones: ").unwrap_or_else(|| panic!("{run:?}"));
    assert!(!run.stderr.contains("kpki csr"), "{}", run.stderr);
    place.write("twin.yaml", NODES.to_owned() + "apiServer: {certSANs: [new.example.com]}\n");
    place.kpki(&["renew", "cp1/apiserver", "-p", "twin.yaml", "-d", "twin", "--at", NOW]).status(0);
    place.init(&["-p", "twin.yaml", "-d", "twin"]).status(0);
    let (asked, _) = run_it(command.lines().next().unwrap());
    assert_eq!(asked, ["cp1/apiserver"]);
    assert!(
        certificate(&place, "c/nodes/cp1/pki/apiserver.crt")
            .sans
            .iter()
            .any(|name| name.to_string().contains("new.example"))
    );
    // import, of a certificate whose key is nowhere.
    let words = ["import", "twin/nodes/cp1/pki/apiserver.crt", "--as", "cp1/apiserver", "-d", "c", "--at", NOW];
    let run = place.kpki(&words).fails(1);
    let (_, command) =
        run.stderr.split_once("its issuer asked for a certificate of a new key: ").unwrap_or_else(|| panic!("{run:?}"));
    assert_eq!(run_it(command.lines().next().unwrap()).0, ["cp1/apiserver"]);
    // And of one that has ended.
    mode(&place, "pending");
    at(&place, DUE, &["renew", ENTRY]).status(5);
    let csr = "c/.kpki/requests/nodes/cp1/admin.conf.csr";
    let words = ["sign", csr, "--as", ENTRY, "-d", "twin", "--at", NOW, "--out", "old.crt"];
    place.kpki(&words).status(0);
    mode(&place, "good");
    let run = place.kpki(&["import", "old.crt", "-d", "c", "--at", "2028-11-10T00:00:00Z"]).fails(1);
    let (_, command) =
        run.stderr.split_once("have its issuer asked for a new one: ").unwrap_or_else(|| panic!("{run:?}"));
    assert_eq!(run_it(command.lines().next().unwrap()).0, [ENTRY]);
}

fn certificate(place: &Place, path: &str) -> kpki::x509::Certificate {
    parse_pem_bundle(place.read(path).as_bytes()).unwrap().remove(0)
}

/// Of an external authority, for an extra certificate.
#[test]
fn an_extra_certificate_has_its_own_issuer() {
    let place = Place::new();
    let extra = |more: &str| {
        format!(
            "extraCertificates:\n- {{name: lb, authority: external, root: {}, usages: [server], certSANs: [lb.example.com], \
             path: lb/public{more}}}\n",
            place.path("public/pki/ca.crt").display()
        )
    };
    place.write("public.yaml", single("authorities: {ca: {subject: {O: [Public Trust]}}}\n"));
    place.init(&["-p", "public.yaml", "-d", "public"]).ok();
    let script = format!(
        "cat > {0}/r.csr; echo $KPKI_AUTHORITY $KPKI_ENTRY $KPKI_NODE >> {0}/asked; printf '%s' \"$KPKI_REQUEST\" > {0}/json\n\
         [ -e {0}/go ] || exit 75\nrm -f {0}/c.crt\n{1} sign {0}/r.csr --ca-cert {0}/public/pki/ca.crt --ca-key {0}/public/pki/ca.key \
         --usage server --request-names --subject CN=lb.example.com --validity 90d --at {NOW} --allow-future --out {0}/c.crt >&2 && \
         cat {0}/c.crt\n",
        place.path("").to_str().unwrap().trim_end_matches('/'),
        env!("CARGO_BIN_EXE_kpki")
    );
    let issuer = place.write("acme.sh", script);
    place.write("p.yaml", single(&extra(&format!(", issuer: [/bin/sh, {}]", issuer.display()))));
    // Also where there is nothing yet.
    let run = place.init(&["-p", "p.yaml", "-d", "t"]).status(5);
    assert!(run.stdout.contains("lb: /bin/sh: it has no answer yet"), "{}", run.stdout);
    assert!(run.stdout.starts_with("created 17 entries: 1 waits for an external authority"), "{}", run.stdout);
    place.write("go", "");
    let run = place.init(&["-d", "t"]).warns();
    assert!(run.stderr.contains("lb ends in 90d, asked for were 365d: its issuer decides it"), "{}", run.stderr);
    assert_eq!(place.read("asked"), "external lb cp1\nexternal lb cp1\n");
    let wanted: serde_json::Value = serde_json::from_str(&place.read("json")).unwrap();
    assert_eq!((&wanted["authority"], &wanted["node"]), (&"external".into(), &"cp1".into()));
    assert!(place.read("t/pki/lb/public.crt").starts_with("-----BEGIN CERTIFICATE"));
    place.init(&["-d", "t"]).ok();
    // No authority of the tree signs for it by hand.
    place.write("lb.csr", super::key_sources::request());
    let run = place.kpki(&["sign", "lb.csr", "--as", "lb", "-d", "t", "--at", NOW]).fails(1);
    let command = "have its issuer asked with: kpki renew lb --dir t";
    assert!(run.stderr.contains(command), "{}", run.stderr);
    place.kpki(&["renew", "lb", "--dir", "t", "--at", NOW]).status(0);
    // With roots that do not know it, it waits.
    place.write("system.yaml", place.read("p.yaml").replace("public/pki/ca.crt", "t/pki/ca.crt"));
    let run = place.kpki(&["renew", "lb", "-d", "t", "-p", "system.yaml", "--at", NOW]).status(5);
    assert!(run.stdout.contains("it does not chain to a root in "), "{}", run.stdout);
    // On the cluster's address a public certificate breaks what trusts only the cluster's CA.
    let endpoint = "controlPlaneEndpoint: lb.example.com:6443\n";
    place.write("endpoint.yaml", place.read("p.yaml") + endpoint);
    let run = place.kpki(&["profile", "validate", "endpoint.yaml"]).status(2);
    let text = format!("{}{}", run.stdout, run.stderr);
    assert!(
        text.contains("components of the cluster trust nothing but its own CA there, found lb.example.com"),
        "{text}"
    );
    // By hand it may be had.
    place.write("by-hand.yaml", single(&(extra("") + endpoint)));
    place.kpki(&["profile", "validate", "by-hand.yaml"]).ok();
}

#[test]
fn ready_made_issuers_are_shown_as_programs() {
    let place = Place::new();
    for (issuer, shown) in [
        (
            "{vault: {address: 'https://v.example.com:8200', mount: pki/prod, role: node, caFile: /etc/v.crt, tokenFile: /run/token, namespace: team}, parallel: 4}",
            "command: [kpki-vault, issue, --address, https://v.example.com:8200, --mount, pki/prod, --role, node, --ca-file, /etc/v.crt, --token-file, /run/token, --namespace, team]\n      parallel: 4\n      timeout: 1m0s\n",
        ),
        (
            "{cfssl: {url: 'https://c.example.com:8888', caFile: /etc/c.crt, profile: node}, timeout: 10s}",
            "command: [/usr/lib/kpki/issuers/cfssl, --url, https://c.example.com:8888, --cacert, /etc/c.crt, --server, node, --client, node, --peer, node]\n      parallel: 1\n      timeout: 10s\n",
        ),
        (
            "{kubernetes: {kubeconfig: /root/approver.conf}}",
            "command: [/usr/lib/kpki/issuers/kubernetes, --kubeconfig, /root/approver.conf]\n      parallel: 1\n      timeout: 1m0s\n",
        ),
    ] {
        place.write("p.yaml", NODES.to_owned() + &format!("authorities: {{ca: {{issuer: {issuer}}}}}\n"));
        let run = place.kpki(&["profile", "show", "p.yaml"]).ok();
        let plain = run.stdout.replace('"', "");
        assert!(plain.contains(shown), "{}", run.stdout);
        place.write("shown.yaml", &run.stdout);
        assert_eq!(place.kpki(&["profile", "show", "shown.yaml"]).ok().stdout, run.stdout);
    }
}
