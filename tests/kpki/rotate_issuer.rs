//! The rotation to a new authority of an issuer: the switch leaves requests, a renewal asks the issuer for them, and the next switch puts
//! in place what it has signed.

use std::collections::{BTreeMap, BTreeSet};

use kpki::x509::parse_pem_bundle;

use super::harness::{NOW, Place, Run, tree};

const AT: [&str; 3] = ["2026-11-22T22:00:00Z", "2026-11-24T22:00:00Z", "2026-11-26T22:00:00Z"];
const PASS: [&str; 2] = ["--confirm-all", "--not-before-override"];

const NODES: &str = "apiVersion: kpki/v1\nkind: ClusterProfile\nclusterName: prod\ncaKeys: none\n\
    controlPlaneEndpoint: 10.0.0.10:6443\nnodes:\n- {name: cp1, addresses: [10.0.0.11]}\n";

/// Signs with the authority that the file `owner` names; what has a file `hold.ENTRY` has to wait.
const ISSUER: &str = r#"
dir=DIR/work.$KPKI_ENTRY.$$
mkdir "$dir"
cat > "$dir/r.csr"
echo "$KPKI_ENTRY $KPKI_REQUEST_SHA256" >> DIR/asked
[ ! -e "DIR/hold.$KPKI_ENTRY" ] || exit 75
ca=DIR/$(cat DIR/owner)/pki/ca
PROGRAM sign "$dir/r.csr" --as "$KPKI_NODE/$KPKI_ENTRY" --dir DIR/old --ca-cert "$ca.crt" --ca-key "$ca.key" --at "$(cat DIR/at)" \
  --allow-future --out "$dir/c.crt" > "$dir/log" 2>&1 || { cat "$dir/log" >&2; exit 3; }
cat "$dir/c.crt"
"#;

/// A tree `c` whose cluster CA is with an issuer, its owner's `old`, and the next one of the owner, `new`.
fn made() -> Place {
    let place = Place::new();
    let script = ISSUER.replace("PROGRAM", env!("CARGO_BIN_EXE_kpki"));
    let script = place
        .write("issuer.sh", script.replace("DIR", place.path("").to_str().unwrap().trim_end_matches('/')))
        .display()
        .to_string();
    place.write("old.yaml", NODES);
    place.write("new.yaml", NODES.to_owned() + "authorities: {ca: {subject: {O: [next]}}}\n");
    place.write("p.yaml", NODES.to_owned() + &format!("authorities: {{ca: {{issuer: [/bin/sh, {script}]}}}}\n"));
    place.write("owner", "old");
    place.write("at", NOW);
    for owner in ["old", "new"] {
        place.init(&["-p", &format!("{owner}.yaml"), "-d", owner]).ok();
    }
    place.kpki(&["import", "old/pki/ca.crt", "--as", "ca", "-p", "p.yaml", "-d", "c", "--at", NOW]).ok();
    place.init(&["-p", "p.yaml", "-d", "c"]).ok();
    place
}

fn run(place: &Place, words: &[&str], at: &str, more: &[&str], status: i32) -> Run {
    place.write("at", at);
    place.kpki(&[words, &["-d", "c", "--at", at], more].concat()).status(status)
}

/// What components read.
fn in_use(place: &Place) -> BTreeMap<String, (u32, Vec<u8>)> {
    let mut files = tree(&place.path("c"));
    files.retain(|name, _| !name.starts_with(".kpki"));
    files
}

fn waiting(place: &Place, kind: &str) -> Vec<String> {
    let files = tree(&place.path("c/.kpki/requests"));
    files.keys().filter(|name| name.ends_with(kind)).cloned().collect()
}

/// What the report says of an entry.
fn row<'s>(said: &'s str, entry: &str) -> &'s str {
    said.lines().find(|line| line.starts_with(entry)).unwrap_or_default().trim_end()
}

fn asked(place: &Place) -> Vec<String> {
    let text = std::fs::read_to_string(place.path("asked")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_renewal_asks_the_issuer_for_what_the_switch_needs() {
    let place = made();
    let new = ["--new-ca", "new/pki/ca.crt", "--signer-file-in-use"];
    run(&place, &["rotate", "prepare", "ca"], AT[0], &new, 0);
    let before = in_use(&place);
    let first = asked(&place).len();

    // The switch says who is asked, and by what.
    let said = run(&place, &["rotate", "switch"], AT[1], &PASS, 5).stdout;
    let says = "to be signed by /bin/sh: cp1/apiserver, ";
    assert!(said.contains(says), "{said}");
    assert!(said.contains("; it is asked by: kpki renew all --due --dir c"), "{said}");
    assert!(said.contains("when all are here: kpki rotate switch ca --dir c"), "{said}");
    let requests = waiting(&place, ".csr");
    assert_eq!((requests.len(), asked(&place).len()), (8, first));
    assert!(in_use(&place) == before);

    // The issuer still signs with the old one: nothing of it is used, and the requests wait.
    let run_of = |status| run(&place, &["renew", "all", "--due"], AT[1], &[], status).stdout;
    let said = run_of(5);
    let says = "/bin/sh: its answer is refused: it is signed by the authority that is to be replaced";
    assert!(row(&said, "cp1/apiserver ").contains(says), "{said}");
    assert!(in_use(&place) == before && waiting(&place, ".crt").is_empty());

    // All but one by the new one.
    place.write("owner", "new");
    place.write("hold.scheduler.conf", "");
    let said = run_of(5);
    let says = "issued by /bin/sh: in place with the others, at the switch";
    assert!(row(&said, "cp1/apiserver ").ends_with(says), "{said}");
    assert!(row(&said, "cp1/scheduler.conf ").contains("/bin/sh: it has no answer yet"), "{said}");
    assert!(in_use(&place) == before);
    assert_eq!(waiting(&place, ".crt").len(), 7);
    let said = run(&place, &["rotate", "switch"], AT[1], &PASS, 5).stdout;
    assert!(said.contains("7 of 8 certificates are signed"), "{said}");
    // Only for that one it is asked again.
    let count = asked(&place).len();
    run_of(5);
    assert_eq!(asked(&place).len(), count + 1);
    std::fs::remove_file(place.path("hold.scheduler.conf")).unwrap();
    let said = run_of(5);
    assert!(row(&said, "cp1/scheduler.conf ").ends_with(says), "{said}");
    assert!(in_use(&place) == before);
    // Nobody is asked for what waits for the switch.
    let count = asked(&place).len();
    run_of(0);
    assert_eq!(asked(&place).len(), count);
    // With one request each, from the first time to the last.
    let mut digests: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in &asked(&place)[first..] {
        let (entry, digest) = line.split_once(' ').unwrap();
        digests.entry(entry.to_owned()).or_default().insert(digest.to_owned());
    }
    assert!(digests.len() == 8 && digests.values().all(|all| all.len() == 1), "{digests:?}");

    run(&place, &["rotate", "switch"], AT[1], &PASS, 0);
    assert!(waiting(&place, "").iter().all(|name| name.ends_with('/')));
    let signer = parse_pem_bundle(place.read("new/pki/ca.crt").as_bytes()).unwrap().remove(0);
    let leaf = parse_pem_bundle(place.read("c/nodes/cp1/pki/apiserver.crt").as_bytes()).unwrap().remove(0);
    leaf.signed_by(&signer).unwrap();
    run(&place, &["verify"], AT[1], &[], 0);
    run(&place, &["rotate", "retire"], AT[2], &PASS, 0);
    run(&place, &["verify"], AT[2], &[], 0);
    assert_eq!(asked(&place).len(), count);
}
