//! DSA signatures count for `crl check`, which says so, and for nothing that judges for Kubernetes.

use std::fs;

use kpki::x509::Certificate;

use super::harness::{Place, repository, single};
use super::vectors::{Vector, read};

/// Inside the validity of fixtures/dsa.
const AT: &str = "2026-11-28T12:00:00Z";
/// NIST's CRLs are not about to be stale.
const THEN: &str = "2024-01-01T12:00:00Z";
const REMARK: &str = "signed with DSA, which Kubernetes refuses";

fn of_nist(number: &str) -> Vector {
    read("pkits").into_iter().find(|vector| vector.number() == number).unwrap()
}

/// One bit of a date, of r and of s: there is one second more in what was signed, or another number.
fn flipped(der: &[u8]) -> [Vec<u8>; 3] {
    let date = der.windows(13).position(|text| text == b"100101083000Z").unwrap() + 11;
    // s has at most 23 octets at the end, r as many before it.
    [date, der.len() - 30, der.len() - 1].map(|at| {
        let mut der = der.to_vec();
        der[at] ^= 1;
        der
    })
}

/// NIST's own invalid one (4.1.6) is no DER.
#[test]
fn one_bit_makes_nists_vectors_invalid() {
    for (number, lists) in
        [("4.1.4", &["DSACACRL.crl"][..]), ("4.1.5", &["DSACACRL.crl", "DSAParametersInheritedCACRL.crl"])]
    {
        let vector = of_nist(number);
        let certificates = vector.certificates.clone().unwrap();
        assert_eq!(vector.run(), Ok(()));
        for position in 2..certificates.len() {
            for der in flipped(&certificates[position].der) {
                let mut certificates = certificates.clone();
                certificates[position] = Certificate::parse(&der).unwrap();
                let why = Vector { certificates: Ok(certificates), ..vector.clone() }.run().unwrap_err();
                assert!(why.ends_with("found one that does not verify"), "{number} {position}: {why}");
            }
        }
        for name in lists {
            let list = fs::read(repository(&format!("fixtures/pkits/crls/{name}"))).unwrap();
            let position = vector.lists.iter().position(|one| *one == list).unwrap();
            for der in flipped(&list) {
                let mut lists = vector.lists.clone();
                lists[position] = der;
                let why = Vector { lists, ..vector.clone() }.run().unwrap_err();
                assert!(why.ends_with("may be revoked: no CRL covers it"), "{number} {name}: {why}");
            }
        }
    }
}

/// The path's parameters, too, where a key has none of its own.
#[test]
fn crl_check_says_what_kubernetes_refuses() {
    for number in ["4.1.4", "4.1.5"] {
        let (place, vector) = (Place::new(), of_nist(number));
        let certificates = vector.certificates.unwrap();
        place.write("ca.crt", certificates[0].to_pem());
        place.write("chain.pem", certificates[1..].iter().rev().map(Certificate::to_pem).collect::<String>());
        let names: Vec<String> = (0..vector.lists.len()).map(|number| format!("{number}.crl")).collect();
        let mut words = vec!["crl", "check", "chain.pem", "--strict", "--ca", "ca.crt", "--at", THEN];
        for (name, list) in names.iter().zip(&vector.lists) {
            place.write(name, list);
            words.extend(["--crl", name]);
        }
        let text = place.kpki(&words).ok().stdout;
        assert!(text.starts_with("good: ") && text.contains(REMARK), "{number}: {text}");
        words.extend(["-o", "json"]);
        let json = place.kpki(&words).ok().json();
        let remarks = |list: &str, field: &str| -> Vec<Vec<String>> {
            let of = |one: &serde_json::Value| serde_json::from_value(one[field].clone()).unwrap();
            json[list].as_array().unwrap().iter().map(of).collect()
        };
        let own = REMARK.to_owned();
        let above = format!("C=US, O=Test Certificates 2011, CN=DSA Parameters Inherited CA is {REMARK}");
        let (expected, lists) = match number {
            "4.1.4" => (vec![vec![own.clone()], vec![]], vec![vec![], vec![own]]),
            _ => {
                (vec![vec![own.clone(), above], vec![own.clone()], vec![]], vec![vec![], vec![own.clone()], vec![own]])
            }
        };
        assert_eq!((remarks("certificates", "remarks"), remarks("lists", "problems")), (expected, lists), "{number}");
    }
}

/// fixtures/dsa: a leaf with an EC key, of which nothing but the signature is DSA.
#[test]
fn no_verb_that_judges_for_kubernetes_takes_it() {
    let place = Place::new();
    let fixture = |name: &str| fs::read_to_string(repository(&format!("fixtures/dsa/{name}"))).unwrap();
    place.write("p.yaml", single("encryptionAlgorithm: ECDSA-P256\n"));
    place.write("t/pki/ca.crt", fixture("root.crt"));
    place.write("t/pki/ca.key", fixture("root.key"));
    place.kpki(&["init", "--profile", "p.yaml", "--dir", "t", "--at", AT]).status(0);
    let chain = ["leaf.crt", "middle.crt"].map(fixture).concat();
    place.write("chain.pem", &chain);
    place.write("t/pki/apiserver.crt", chain);
    place.write("t/pki/apiserver.key", fixture("leaf.key"));
    place.write("leaf.crl", fixture("leaf.crl"));
    let refused =
        "expected a signature this program can verify, found algorithm 2.16.840.1.101.3.4.3.2 with a key of DSA-2048";
    let before = place.files();
    for (words, status, says) in [
        (&["init", "--dir", "t", "--at", AT][..], 1, refused),
        (&["export", "--verify", "cp1", "--dir", "t"], 4, refused),
        (&["import", "chain.pem", "--dir", "t", "--at", AT], 1, refused),
        (&["verify", "t", "--at", AT], 4, refused),
        (&["renew", "apiserver", "--dir", "t", "--at", AT], 5, "signed by CN=middle, which is not in this tree"),
    ] {
        let run = place.kpki(words).status(status);
        assert!(format!("{}{}", run.stdout, run.stderr).contains(says), "{words:?}: {run:?}");
    }
    assert_eq!(place.files(), before);
    // The same files by RFC 5280 alone.
    let check = ["crl", "check", "chain.pem", "--ca", "t/pki/ca.crt", "--crl", "leaf.crl", "--at", AT, "-o", "json"];
    let json = place.kpki(&check).json();
    assert_eq!(
        (&json["certificates"][0]["answer"], &json["certificates"][0]["remarks"][0]),
        (&"good".into(), &REMARK.into())
    );
}
