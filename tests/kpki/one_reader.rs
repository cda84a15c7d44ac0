//! What is no block, no file name, no tree or no key is said to be none, by every verb alike.

use super::harness::{NOW, Place, single, text};

fn made() -> Place {
    let place = Place::new();
    place.write("p.yaml", single("controlPlaneEndpoint: lb.example.com:8443\n"));
    place.init(&["--profile", "p.yaml", "--dir", "k8s"]).ok();
    place
}

/// Every verb that reads ca.crt, and the status it ends with.
const READERS: &[(&[&str], i32)] = &[
    (&["inspect", "k8s/pki/ca.crt"], 1),
    (&["check-expiration", "k8s/pki/ca.crt", "--at", NOW], 4),
    (&["check-expiration", "k8s", "--at", NOW], 4),
    (&["init", "--profile", "p.yaml", "--dir", "k8s", "--at", NOW], 1),
    (&["export", "cp1", "--dir", "k8s", "--out", "cp1.tar", "--at", NOW], 1),
    (&["convert", "k8s/pki/ca.crt", "--to", "der", "--out", "out"], 1),
];

#[test]
fn what_only_looks_like_a_block_is_told_by_every_verb() {
    let place = made();
    let (ca, other) = (place.read("k8s/pki/ca.crt"), place.read("k8s/pki/front-proxy-ca.crt"));
    for behind in [
        other.lines().map(|line| format!("> {line}\n")).collect(),
        other.replace("-----", "----"),
        other.replace("-----", "\u{2013}\u{2013}"),
        other.replace("BEGIN", "begin").replace("END", "end"),
        other.replace("BEGIN ", "BEGIN  "),
        format!("\"{}\"", other.trim()),
        "0\u{1}\u{2}\n".to_owned(),
    ] {
        place.write("k8s/pki/ca.crt", format!("{ca}{behind}"));
        let line = format!("line {}: expected", ca.lines().count() + 1);
        for (words, status) in READERS {
            let run = place.kpki(words).status(*status);
            assert!(format!("{}{}", run.stdout, run.stderr).contains(&line), "{words:?} {behind}: {run:?}");
        }
    }
}

#[test]
fn a_certificate_under_another_label_is_refused_with_the_label_and_convert_mends_it() {
    let place = made();
    let (ca, other) = (place.read("k8s/pki/ca.crt"), place.read("k8s/pki/front-proxy-ca.crt"));
    for label in ["FOO", "CERTIFICATE REQUEST"] {
        place.write("k8s/pki/ca.crt", format!("{ca}{}", other.replace("CERTIFICATE", label)));
        let (converting, readers) = READERS.split_last().unwrap();
        for (words, status) in readers {
            let run = place.kpki(words).status(*status);
            let said = format!("{}{}", run.stdout, run.stderr);
            assert!(said.contains("expected the label CERTIFICATE over a certificate"), "{words:?} {label}: {run:?}");
        }
        let _ = converting;
        let run = place.kpki(&["convert", "k8s/pki/ca.crt", "--to", "pem"]).status(0);
        assert_eq!(run.stdout.matches("-----BEGIN CERTIFICATE-----").count(), 2, "{run:?}");
        assert!(run.stderr.contains("its content is used"), "{}", run.stderr);
    }
}

#[test]
fn an_output_with_a_slash_behind_it_or_a_directory_is_no_file() {
    let place = made();
    place.write("old/file", "");
    for out in ["new/", "old", "old/", "new/."] {
        for words in [
            &["export", "cp1", "--dir", "k8s", "--at", NOW, "--out"][..],
            &["export", "cp1", "--dir", "k8s", "--at", NOW, "--force", "--out"],
            &["kubeconfig", "user", "jane", "--dir", "k8s", "--at", NOW, "--out"],
            &["check-expiration", "k8s", "--at", NOW, "--output-file"],
            &["init", "--profile", "p.yaml", "--dir", "fresh", "--at", NOW, "--bootstrap-manifests"],
        ] {
            let run = place.kpki(&[words, &[out]].concat());
            assert!(run.status != 0 && !run.wrote && run.stderr.contains("directory"), "{words:?} {out}: {run:?}");
        }
    }
}

#[test]
fn an_optional_kubeconfig_is_optional_everywhere() {
    let place = made();
    std::fs::remove_file(place.path("k8s/super-admin.conf")).unwrap();
    place.kpki(&["export", "cp1", "--dir", "k8s", "--at", NOW, "--out", "cp1.tar"]).ok();
    place.kpki(&["export", "cp1", "--verify", "--dir", "k8s"]).status(0);
    let run = place.kpki(&["check-expiration", "k8s", "--at", NOW, "-o", "json"]).ok();
    // `missing` is kubeadm's field and says what kubeadm says; the state says that it need not be there.
    let all = run.json();
    let one = all["certificates"].as_array().unwrap().iter().find(|one| one["name"] == "super-admin.conf").unwrap();
    assert_eq!((&one["missing"], &one["state"]), (&true.into(), &"absent".into()));
}

#[test]
fn a_kubeconfig_alone_is_no_tree() {
    let place = made();
    place.write("only/admin.conf", place.read("k8s/admin.conf"));
    let run = place.kpki(&["check-expiration", "only", "--at", NOW]).ok();
    assert!(!run.stdout.contains("MISSING"), "{}", run.stdout);
    place.write("k0s/pki/admin.conf", place.read("k8s/admin.conf"));
    place.write("k0s/pki/ca.crt", place.read("k8s/pki/ca.crt"));
    let run = place.kpki(&["renew", "all", "--dir", "k0s/pki", "--at", NOW]).fails(1);
    assert!(!run.stderr.contains("above pki/"), "{}", run.stderr);
    let run = place.kpki(&["renew", "all", "--dir", "k8s/pki", "--at", NOW]).fails(1);
    assert!(run.stderr.contains("hint: give the directory above pki/: --dir k8s\n"), "{}", run.stderr);
}

#[test]
fn what_is_no_list_of_its_authority_is_none() {
    let place = made();
    place.write("k8s/pki/ca.crl", place.read("k8s/pki/ca.crt"));
    let run = place.kpki(&["check-expiration", "k8s", "--at", NOW]).status(4);
    assert!(format!("{}{}", run.stdout, run.stderr).contains("expected a CRL"), "{run:?}");
    let list = text("fixtures/pkits/crls/UnknownCRLExtensionCACRL.crl");
    let run = place.kpki(&["check-expiration", &list, "--at", NOW]).status(4);
    assert!(
        format!("{}{}", run.stdout, run.stderr).contains("expected no critical extensions but the known"),
        "{run:?}"
    );
}

#[test]
fn a_certificate_without_a_key_that_kubectl_reads_is_a_problem() {
    const ENCRYPTED: &str =
        "LS0tLS1CRUdJTiBFTkNSWVBURUQgUFJJVkFURSBLRVktLS0tLQpNQUE9Ci0tLS0tRU5EIEVOQ1JZUFRFRCBQUklWQVRFIEtFWS0tLS0tCg==";
    const BROKEN: &str = "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1BQT0KLS0tLS1FTkQgUFJJVkFURSBLRVktLS0tLQo=";
    const OLD: &str = "LS0tLS1CRUdJTiBFQyBQUklWQVRFIEtFWS0tLS0tClByb2MtVHlwZTogNCxFTkNSWVBURUQKREVLLUluZm86IEFFUy0yNTYtQ0JDLDAwCgpNQUE9Ci0tLS0tRU5EIEVDIFBSSVZBVEUgS0VZLS0tLS0K";
    let place = made();
    let whole = place.read("k8s/admin.conf");
    let key = whole.lines().find(|line| line.contains("client-key-data: ")).unwrap();
    for (value, said) in [
        ("\"\"", "expected client-key-data"),
        ("null", "expected client-key-data"),
        ("[a]", "expected client-key-data"),
        (ENCRYPTED, "found an encrypted one"),
        (OLD, "found an encrypted one"),
        (BROKEN, "expected a whole private key"),
    ] {
        place.write("k8s/admin.conf", whole.replace(key, &format!("    client-key-data: {value}")));
        for (words, status) in [
            (&["inspect", "k8s/admin.conf"][..], 1),
            (&["check-expiration", "k8s/admin.conf", "--at", NOW], 4),
            (&["check-expiration", "k8s", "--at", NOW], 4),
        ] {
            let run = place.kpki(words).status(status);
            assert!(format!("{}{}", run.stdout, run.stderr).contains(said), "{words:?} {value}: {run:?}");
        }
    }
}
