//! Lists of revoked certificates between the switch and the retirement: each certificate's entry is on the list of who signed it, and
//! no file has the list of one authority alone while clients of the other are trusted.

use std::fs;

use kpki::x509::{Certificate, Crl, parse_pem_bundle};

use super::harness::{Place, copy_tree};

const AT: [&str; 3] = ["2026-11-22T22:00:00Z", "2026-11-24T22:00:00Z", "2026-11-26T22:00:00Z"];
const PASS: [&str; 2] = ["--confirm-all", "--not-before-override"];
const CLUSTER: &str = "apiVersion: kpki/v1
kind: ClusterProfile
encryptionAlgorithm: ECDSA-P256
controlPlaneEndpoint: api.example.com
nodes:
- {name: cp1, roles: [control-plane], addresses: [10.0.0.11]}
- {name: w1, roles: [worker], addresses: [10.0.0.21]}
- {name: w2, roles: [worker], addresses: [10.0.0.22]}
";
const BOTH: [&str; 2] = ["CN=kubernetes@2", "CN=kubernetes"];

/// Before the switch (`before`), and after it (`d`); there is no list yet.
fn switched() -> Place {
    let place = Place::new();
    place.write("p.yaml", CLUSTER);
    place.init(&["--profile", "p.yaml", "--dir", "d"]).ok();
    place.kpki(&["rotate", "prepare", "all", "--signer-file-in-use", "--dir", "d", "--at", AT[0]]).status(0);
    copy_tree(&place.path("d"), &place.path("before"));
    place.kpki(&[&["rotate", "switch", "--dir", "d", "--at", AT[1]], &PASS[..]].concat()).status(0);
    place
}

/// The lists of a file: who signed each, and how many entries it has.
fn lists(place: &Place, file: &str) -> Vec<(String, u64)> {
    let bytes = fs::read(place.path(file)).unwrap_or_else(|why| panic!("{file}: {why}"));
    let ders = match bytes.first() {
        Some(0x30) => vec![bytes],
        _ => kpki::encoding::pem::read(&bytes).unwrap().iter().map(|block| block.contents.to_vec()).collect(),
    };
    ders.iter().map(|der| Crl::parse(der).unwrap()).map(|crl| (crl.issuer.to_string(), crl.entries)).collect()
}

fn serial(place: &Place, file: &str) -> String {
    let certificate: &Certificate = &parse_pem_bundle(place.read(file).as_bytes()).unwrap()[0];
    certificate.serial.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// Every verb that makes a first list, with the entries that the new authority's and the old one's list have then.
#[test]
fn a_first_list_is_one_of_each_authority() {
    let place = switched();
    let old = serial(&place, "before/nodes/cp1/pki/apiserver-kubelet-client.crt");
    for (words, entries) in [
        (&["revoke", "cp1/apiserver-kubelet-client", "--yes"][..], [1, 0]),
        (&["hold", "cp1/apiserver-kubelet-client"], [1, 0]),
        (&["revoke", "--serial", old.as_str(), "--authority", "ca", "--yes"], [0, 1]),
        (&["crl", "update"], [0, 0]),
        (&["crl", "update", "ca"], [0, 0]),
        // kubelet.conf and the serving certificate of both authorities.
        (&["revoke", "w1/all", "--yes"], [2, 2]),
        (&["nodes", "remove", "w1", "--revoke"], [2, 2]),
    ] {
        copy_tree(&place.path("d"), &place.path("t"));
        let planned = place.kpki(&[words, &["--dir", "t", "--at", AT[1], "--dry-run"]].concat());
        let run = place.kpki(&[words, &["--dir", "t", "--at", AT[1]]].concat());
        assert_eq!((planned.status, run.status), (0, 0), "{words:?}: {planned:?} {run:?}");
        let expected: Vec<(String, u64)> = BOTH.map(str::to_owned).into_iter().zip(entries).collect();
        for base in ["t/pki", "t/nodes/cp1/pki"] {
            assert_eq!(lists(&place, &format!("{base}/ca.crl")), expected, "{words:?} {base}: {run:?}");
        }
        for issuer in BOTH.iter().filter(|_| words[0] != "nodes") {
            for said in [&planned.stdout, &run.stdout] {
                assert!(said.contains(&format!("ca.crl of {issuer}  ")), "{words:?}: {said}");
            }
        }
        let verified = place.kpki(&["verify", "t", "--at", AT[1]]);
        // What is revoked and still in use is found, and nothing else of a list.
        for rule in ["crl/unusable", "crl/stale", "crl/other-der", "crl/other-copy"] {
            assert!(!verified.stdout.contains(rule), "{words:?}: {verified:?}");
        }
        fs::remove_dir_all(place.path("t")).unwrap();
    }
}

/// etcd reads one list and compares numbers alone: the old authority's, which has the clients that are in use.
#[test]
fn etcd_reads_the_list_of_the_old_authority() {
    let place = switched();
    place.kpki(&["crl", "update", "--dir", "d", "--at", AT[1]]).status(0);
    for base in ["d/pki", "d/nodes/cp1/pki"] {
        let der = lists(&place, &format!("{base}/etcd/ca.crl.der"));
        assert_eq!(der, [("CN=etcd-ca".to_owned(), 0)]);
        assert_eq!(lists(&place, &format!("{base}/etcd/ca.crl")).len(), 2);
        assert_eq!(lists(&place, &format!("{base}/front-proxy-ca.crl")).len(), 2);
    }
    place.kpki(&[&["rotate", "retire", "--dir", "d", "--at", AT[2]], &PASS[..]].concat()).status(0);
    assert_eq!(lists(&place, "d/pki/etcd/ca.crl.der"), [("CN=etcd-ca@2".to_owned(), 0)]);
}

/// A list that is missing beside another is due.
#[test]
fn a_list_that_is_missing_beside_another_is_due() {
    let place = switched();
    place.kpki(&["crl", "update", "ca", "--dir", "d", "--at", AT[1]]).status(0);
    let whole = place.read("d/pki/ca.crl");
    let first = whole.find("-----END X509 CRL-----").unwrap() + "-----END X509 CRL-----\n".len();
    for (verb, one) in [
        (&["crl", "update", "--due"][..], &whole[..first]),
        (&["crl", "update", "--due"], &whole[first..]),
        (&["renew", "all", "--due"], &whole[..first]),
        (&["renew", "all", "--due"], &whole[first..]),
    ] {
        copy_tree(&place.path("d"), &place.path("t"));
        place.write("t/pki/ca.crl", one);
        assert_eq!(lists(&place, "t/pki/ca.crl").len(), 1);
        place.kpki(&[verb, &["--dir", "t", "--at", AT[1]]].concat()).status(0);
        let issuers: Vec<String> = lists(&place, "t/pki/ca.crl").into_iter().map(|(issuer, _)| issuer).collect();
        assert_eq!(issuers, BOTH, "{verb:?}");
        fs::remove_dir_all(place.path("t")).unwrap();
    }
}

/// While an authority is only prepared it has signed nothing, and needs no list; without any list none is made.
#[test]
fn nothing_is_made_for_who_signs_nothing() {
    let place = switched();
    place.kpki(&["revoke", "cp1/apiserver-kubelet-client", "--yes", "--dir", "before", "--at", AT[1]]).status(0);
    assert_eq!(lists(&place, "before/pki/ca.crl"), [("CN=kubernetes".to_owned(), 1)]);
    for verb in [&["crl", "update", "--due"][..], &["renew", "all", "--due"]] {
        place.kpki(&[verb, &["--dir", "d", "--at", AT[1]]].concat()).status(0);
        assert!(!place.path("d/pki/ca.crl").exists(), "{verb:?}");
    }
}

/// Who reads lists has to load them at once.
#[test]
fn the_switch_says_to_reload_who_reads_lists() {
    let place = switched();
    let says = |place: &Place, dir: &str| {
        let run = place.kpki(&[&["rotate", "switch", "--dir", dir, "--at", AT[1]], &PASS[..]].concat());
        assert_eq!(run.status, 0, "{run:?}");
        run.stdout.contains("/etc/kubernetes/pki/ca.crl: copy the new file there and reload at once")
    };
    copy_tree(&place.path("before"), &place.path("none"));
    assert!(!says(&place, "none"));
    place.kpki(&["crl", "update", "ca", "--dir", "before", "--at", AT[0]]).status(0);
    assert!(says(&place, "before"));
}
