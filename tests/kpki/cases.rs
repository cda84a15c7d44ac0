//! What went wrong once, with its smallest input in `fixtures/cases/NAME` and the right result as a row of a table. Every row runs
//! in a fresh copy of its directory; rows of one case do not see each other.

use std::fs;
use std::path::Path;

use super::harness::{Place, Run, copy_tree, repository};
use super::secrets::Secret;

/// One command on one input.
struct Row {
    /// A directory in `fixtures/cases`.
    case: &'static str,
    /// `a >b` is a file of the case that is copied to `b` first; then the command's words.
    command: &'static str,
    status: i32,
    must: &'static [Must],
}

/// What is to be seen.
enum Must {
    /// On stdout or stderr.
    Say(&'static str),
    NotSay(&'static str),
    /// Nothing is made, changed or removed.
    WriteNothing,
    /// No file that others may read, and no output, has any 8 bytes of a key of the case.
    KeepKeys,
    /// A file of this path with this text in it.
    Hold(&'static str, &'static str),
    NotHold(&'static str, &'static str),
}
use Must::{Hold, KeepKeys, NotHold, NotSay, Say, WriteNothing};

const fn row(case: &'static str, command: &'static str, status: i32, must: &'static [Must]) -> Row {
    Row { case, command, status, must }
}

/// Inside the validity of what the cases hold.
const AT: &str = "2026-11-27T00:00:00Z";

const LOST: &str = "as when line breaks are lost";
const BESIDE: &str = "a private key";
const PUT: &str = "put 1 certificate in place";

const TABLE: &[Row] = &[
    row("key-on-one-line", "inspect key-backslash-n.key", 1, &[Say(LOST), KeepKeys, WriteNothing]),
    row("key-on-one-line", "inspect key-cr.key -o json", 1, &[KeepKeys]),
    row("key-on-one-line", "inspect key-glued2.key", 1, &[KeepKeys]),
    row("key-on-one-line", "inspect key-oneline.key", 1, &[Say(LOST), KeepKeys]),
    row("key-on-one-line", "inspect key-spaces.key -o json", 1, &[KeepKeys]),
    row("key-on-one-line", "convert key-cr.key --to der --out x", 1, &[KeepKeys, WriteNothing]),
    row("key-on-one-line", "convert key-glued2.key --to pem --out x", 1, &[KeepKeys, WriteNothing]),
    row("key-on-one-line", "key-oneline.key >t/pki/ca.key renew all --dir t -o json", 1, &[KeepKeys, WriteNothing]),
    row("key-on-one-line", "key-spaces.key >t/pki/ca.key csr apiserver --dir t --key key-spaces.key", 1, &[KeepKeys]),
    row("key-on-one-line", "key-cr.key >t/pki/ca.key check-expiration t -o json", 1, &[KeepKeys]),
    row("key-on-one-line", "crl show key-backslash-n.key", 1, &[KeepKeys]),
    row("key-on-one-line", "profile validate key-oneline.key", 2, &[NotSay("MIG"), KeepKeys]),
    row(
        "ca-crt-with-key",
        "init --profile cl.yaml --dir cl",
        1,
        &[Say(BESIDE), Say("pki/ca.crt"), KeepKeys, WriteNothing],
    ),
    row("ca-crt-with-key", "check-expiration cl", 4, &[Say(BESIDE), KeepKeys, WriteNothing]),
    row("ca-crt-with-key", "inspect cl/pki/ca.crt", 1, &[Say(BESIDE), KeepKeys]),
    row(
        "ca-crt-with-key",
        "kubeconfig user jane --server https://a:6443 --dir cl --out x",
        1,
        &[KeepKeys, WriteNothing],
    ),
    row("ca-crt-with-key", "convert cl --as kubeadm-certs --out x", 1, &[KeepKeys, WriteNothing]),
    row(
        "sign-exponent-3",
        "sign web.csr --usage client --ca-cert ca.crt --ca-key ca.key --out x",
        1,
        &[Say("expected an odd public exponent of more than 65536 (FIPS 186-5), found 3"), WriteNothing],
    ),
    row("super-admin-removed", "check-expiration tree", 0, &[Say("ok: 15 certificates"), NotSay("kpki init")]),
    row("etcd-host", "check-expiration tree", 0, &[Say("ok: 5 certificates"), NotSay("restore")]),
    row(
        "crl-not-the-authoritys",
        "check-expiration tree",
        4,
        &[Say("pki/ca.crl: the CRL is not the issuer's"), WriteNothing],
    ),
    row("k0s-like", "check-expiration pki", 0, &[Say("etcd/server.crt"), NotSay("MISSING")]),
    row("tree-conf-file-refs", "check-expiration tree --at 2027-12-31", 4, &[Say("13 expired")]),
    row(
        "tree-conf-file-refs",
        "renew all --due --dir tree --at 2027-12-31",
        0,
        &[Say("renewed 13 of 13 certificates")],
    ),
    row("renew-missing-name", "renew apiserver --dir tree", 5, &[Say("its authority ca is missing")]),
    row(
        "version-label",
        "init --profile kubeadm.yaml --dir x",
        0,
        &[Say("the rules of v1.28.0 hold"), NotSay("super-admin.conf")],
    ),
    row(
        "sign-hints",
        "sign p521.csr --usage server --san a.example --ca-cert ca.crt --ca-key ca.key --out -",
        1,
        &[Say("found ECDSA-P521"), Say("hint: have the request made with a key of one of these kinds"), WriteNothing],
    ),
    row(
        "sign-hints",
        "sign ed.csr --usage server --san a.example --ca-cert ca.crt --ca-key ca.key --out -",
        1,
        &[Say("found Ed25519"), Say("hint: have the request made with a key of one of these kinds"), WriteNothing],
    ),
    row(
        "sign-hints",
        "sign pss.csr --usage server --san a.example --ca-cert ca.crt --ca-key ca.key --out -",
        1,
        &[Say("rsassaPss"), Say("hint: have the request signed with ECDSA, or with RSA (PKCS #1 v1.5)"), WriteNothing],
    ),
    row(
        "sign-out-dir",
        "sign std.csr --usage server --san web.example.com --ca-cert ca.crt --ca-key ca.key --out new/",
        0,
        &[Say("signed 1 certificate"), Hold("new/std.crt", "BEGIN CERTIFICATE")],
    ),
    row("cert-labels", "inspect trusted-label.crt", 0, &[Say("certificate")]),
    row("cert-labels", "inspect trusted-real.crt", 0, &[Say("certificate")]),
    row("cert-labels", "inspect x509cert.crt", 0, &[Say("certificate")]),
    row("cert-labels", "check-expiration trusted-real.crt", 0, &[Say("ok: 1 certificate;")]),
    row("cert-labels", "check-expiration x509cert.crt", 0, &[Say("ok: 1 certificate;")]),
    row("cert-labels", "convert trusted-real.crt --to pem --out x", 0, &[Hold("x", "BEGIN CERTIFICATE")]),
    row("pem-silent-second-block", "inspect bom-between.crt", 0, &[Say("(2 of 2)")]),
    row("pem-silent-second-block", "inspect x509-label-second.crt", 0, &[Say("(2 of 2)")]),
    row(
        "pem-silent-second-block",
        "inspect nbsp-second.crt",
        1,
        &[Say("line 22: expected a BEGIN line before the END line of CERTIFICATE, found none")],
    ),
    row("pem-silent-second-block", "check-expiration nbsp-second.crt", 4, &[Say("line 22: expected a BEGIN line")]),
    row("p7b", "inspect chain.p7b", 0, &[Say("PKCS#7 (1 of 3)"), Say("(3 of 3)"), WriteNothing]),
    row("p7b", "inspect chain-der.p7b", 0, &[Say("certificates: "), Say("(3 of 3)")]),
    row("p7b", "convert chain.p7b --to pem --out x", 0, &[Say("2 certificates"), Hold("x", "BEGIN CERTIFICATE")]),
    row("p7b", "convert chain-der.p7b --to parts --out d", 0, &[Hold("d/chain-der-2.crt", "BEGIN CERTIFICATE")]),
    row("p7b", "check-expiration chain.p7b", 0, &[Say("ok: 2 certificates")]),
    row("p7b", "check-expiration chain-der.p7b", 0, &[Say("ok: 2 certificates")]),
    row(
        "kubeconfig-file-refs",
        "check-expiration with-ca-data.yaml --at 2027-02-01",
        4,
        &[Say("certs/client.crt"), Say("expired"), WriteNothing],
    ),
    row("kubeconfig-file-refs", "check-expiration k1-minikube-oc.yaml --at 2027-02-01", 4, &[Say("expired")]),
    row(
        "kubeconfig-file-refs",
        "check-expiration k2-docs-multi-nocurrent.yaml --at 2027-02-01",
        4,
        &[Say("k2-docs-multi-nocurrent.yaml[developer]"), Say("user experimenter: username is not judged")],
    ),
    row("kubeconfig-file-refs", "check-expiration k3-webhook-authn.yaml --at 2027-02-01", 4, &[Say("expired")]),
    row("kubeconfig-file-refs", "check-expiration k4-minikube-extensions.yaml --at 2027-02-01", 4, &[Say("[user1]")]),
    row("kubeconfig-file-refs", "check-expiration k4-minikube-extensions.yaml --at 2026-12-01", 0, &[NotSay("kind")]),
    row(
        "kubeconfig-file-refs",
        "k4-minikube-extensions.yaml >x/a.conf check-expiration x",
        4,
        &[Say("x/certs/client.crt"), Say("missing")],
    ),
    row(
        "kubeconfig-file-refs",
        "check-expiration . --at 2027-02-01",
        4,
        &[Say("with-ca-data.yaml "), Say("k1-minikube-oc.yaml ")],
    ),
    row(
        "kubeconfig-file-refs",
        "inspect k1-minikube-oc.yaml",
        0,
        &[Say("certificate of user minikube (certs/client.crt)")],
    ),
    row(
        "kubeconfig-file-refs",
        "k2-docs-multi-nocurrent.yaml >x/a.conf inspect x/a.conf",
        1,
        &[
            Say("user developer: expected a certificate in certs/client.crt, found no such file"),
            Say("the key in certs/client.key"),
        ],
    ),
    row("kubeconfig-data-not-pem", "inspect b64-double.conf", 1, &[Say("client-certificate-data, found base64 of it")]),
    row("kubeconfig-data-not-pem", "inspect der-in-data.conf", 1, &[Say("client-certificate-data, found DER")]),
    row(
        "kubeconfig-data-not-pem",
        "inspect redacted.conf",
        1,
        &[Say("client-key-data, found what kubectl config view")],
    ),
    row("kubeconfig-data-not-pem", "inspect badkey.conf", 1, &[Say("expected base64 in client-key-data")]),
    row("kubeconfig-data-not-pem", "check-expiration b64-double.conf", 4, &[Say("found base64 of it")]),
    row("kubeconfig-data-not-pem", "check-expiration der-in-data.conf", 4, &[Say("found DER")]),
    row("kubeconfig-data-not-pem", "check-expiration redacted.conf", 4, &[Say("kubectl config view")]),
    row(
        "kubeconfig-data-not-pem",
        "check-expiration badkey.conf",
        4,
        &[Say("expected base64 in client-key-data"), NotSay("SECRET")],
    ),
    row(
        "kubeconfig-no-kind",
        "inspect noapi.conf --at 2026-12-01",
        0,
        &[Say("kubeconfig"), NotSay("current-context, found none")],
    ),
    row("kubeconfig-no-kind", "check-expiration noapi.conf", 0, &[Say("noapi.conf "), Say("[ca]")]),
    row("kubeconfig-no-kind", "check-expiration nokind.conf", 0, &[Say("nokind.conf "), Say("[ca]")]),
    row("kubeconfig-no-kind", "inspect noapi.conf nokind.conf", 0, &[Say("certificate of user kubernetes-admin")]),
    row("names-not-utf8", "inspect bmp.crt", 0, &[Say("CN=Straße ☃")]),
    row("names-not-utf8", "inspect t61.crt -o json", 0, &[Say("O=Straße, CN=müller")]),
    row("names-not-utf8", "inspect univ.crt", 0, &[Say("subject:"), Say("CN=")]),
    row("names-not-utf8", "check-expiration . -o prometheus", 0, &[Say("subject_CN=\"müller\"")]),
    row(
        "san-other-names",
        "inspect san-many.crt",
        0,
        &[Say("otherName UPN jdoe@corp.example"), Say("directory name CN=dir"), Say("registered ID 1.2.3.4")],
    ),
    row("san-other-names", "check-expiration san-many.crt -o json", 0, &[Say("otherName UPN jdoe@corp.example")]),
    row(
        "import-leaf-not-first",
        "import rev.crt --dir tree",
        0,
        &[Say("rev.crt: its certificates are put in order: CN=kube-apiserver; O=Corp, CN=Corp Issuing"), Say(PUT)],
    ),
    row("import-leaf-not-first", "import revfull.crt --dir tree", 0, &[Say("put in order"), Say(PUT)]),
    row("import-leaf-not-first", "import chain.crt --dir tree", 0, &[NotSay("warning"), Say(PUT)]),
    row(
        "import-leaf-not-first",
        "import dup.crt --dir tree",
        0,
        &[Say("dup.crt: 2 duplicates are left out"), Say(PUT)],
    ),
    row(
        "import-leaf-not-first",
        "import two.crt --dir tree",
        1,
        &[
            Say("found 2: CN=kube-apiserver (for the key of apiserver), CN=web (for no key of this tree)"),
            Say("hint: put each in a file of its own"),
            WriteNothing,
        ],
    ),
    row("import-leaf-not-first", "revoke --cert two.crt --dir tree", 1, &[Say("found CN=kube-apiserver and CN=web")]),
    // The way out that the error names.
    row(
        "ca-crt-with-key",
        "import cl/pki/ca.crt --as ca --dir cl",
        0,
        &[KeepKeys, NotHold("cl/pki/ca.crt", "PRIVATE"), Hold("cl/pki/ca.crt", "CERTIFICATE")],
    ),
    row(
        "crl-check",
        "crl check good.crt --ca ca.crt --crl ca.crl",
        0,
        &[Say("good: 1 good of 1 certificate"), Say("looked at: CRLs, dates, path, issuer's rights\n")],
    ),
    row("crl-check", "crl check revoked.crt --ca ca.crt --crl ca.crl", 4, &[Say("revoked: 1 revoked")]),
    row("crl-check", "crl check held.crt --ca ca.crt --crl ca.crl", 4, &[Say("held: 1 held")]),
    row("crl-check", "crl check good.crt --ca ca.crt --crl stale.crl", 3, &[Say("stale: 1 stale")]),
    row(
        "crl-check",
        "crl check good.crt --ca ca.crt --crl ending.crl",
        3,
        &[Say("good: 1 good"), Say("it is stale soon")],
    ),
    row(
        "crl-check",
        "crl check good.crt --ca ca.crt",
        1,
        &[Say("unknown: 1 unknown"), Say("no CRL of CN=Kubernetes CA was given")],
    ),
    row(
        "crl-check",
        "crl check good.crt expired.crt --ca ca.crt --crl ca.crl",
        1,
        &[Say("unknown: 1 unknown, 1 good of 2")],
    ),
    row(
        "crl-check",
        "crl check good.crt held.crt expired.crt revoked.crt --ca ca.crt --crl ca.crl",
        4,
        &[Say("revoked: 1 revoked, 1 held, 1 unknown, 1 good of 4")],
    ),
    row(
        "crl-check",
        "crl check good.crt expired.crt --ca ca.crt --crl stale.crl",
        1,
        &[Say("unknown: 1 unknown, 1 stale of 2")],
    ),
    row(
        "crl-check",
        "crl check good.crt held.crt --ca ca.crt --crl stale.crl",
        4,
        &[Say("held: 1 held, 1 stale of 2")],
    ),
    row(
        "crl-check",
        "crl check expired.crt --ca ca.crt --crl ca.crl",
        1,
        &[Say("certificate `CN=expired`: expired at 2026-11-26T00:00:00Z")],
    ),
    row(
        "crl-check",
        "crl check good.crt --ca no-ca.crt --crl ca.crl",
        1,
        &[Say("expected an authority, found none (basicConstraints)"), Say("not looked at: dates of 1, path of 1")],
    ),
    row(
        "crl-check",
        "crl check good.crt --ca no-cert-sign.crt --crl ca.crl",
        1,
        &[Say("expected the key usage keyCertSign, found none")],
    ),
    row(
        "crl-check",
        "crl check good.crt --ca no-crl-sign.crt --crl ca.crl",
        0,
        &[Say("expected a signer with the key usage cRLSign, found one without")],
    ),
    row(
        "crl-check",
        "crl check good.crt --ca no-crl-sign.crt --crl ca.crl --strict",
        1,
        &[Say("expected a signer with the key usage cRLSign, found one without")],
    ),
    row(
        "crl-check",
        "crl check good.crt --ca expired-ca.crt --crl ca.crl",
        1,
        &[Say("authority `CN=Kubernetes CA`: expired at 2026-11-26T00:00:00Z")],
    ),
    row(
        "crl-check",
        "crl check good.crt --ca limited-ca.crt --crl ca.crl",
        1,
        &[Say("its subject is not allowed by the name constraints above it")],
    ),
    row(
        "crl-check",
        "crl check good.crt --ca other-ca.crt --crl ca.crl",
        1,
        &[Say("CN=Kubernetes CA was given with another key than the one that signed CN=good")],
    ),
    row("crl-check", "crl check good.crt --ca other-ca.crt --ca ca.crt --crl ca.crl", 0, &[Say("good: 1 good")]),
    row(
        "crl-check",
        "crl check weak.crt --ca weak-ca.crt --crl ca.crl",
        1,
        &[Say("the key of CN=Kubernetes CA is too weak"), Say("found RSA-1024")],
    ),
    row(
        "crl-check",
        "crl check stranger.crt good.crt --ca ca.crt --crl ca.crl",
        1,
        &[
            Say("its issuer CN=somebody else was not given: give it with --ca"),
            Say("not looked at: dates of 1, path of 1, issuer's rights of 1"),
        ],
    ),
    row("crl-check", "crl check good.crt --ca loud-ca.crt --crl ca.crl", 0, &[Say("good: 1 good")]),
    row("crl-check", "crl check revoked.crt --ca loud-ca.crt --crl loud.crl", 4, &[Say("revoked: 1 revoked")]),
    row("crl-check", "crl check good.crt --ca ca.crt --crl loud.crl", 0, &[Say("good: 1 good")]),
    row(
        "crl-check",
        "crl check pointed.crt lists.crt --ca ca.crt --crl indirect.crl --crl ca.crl",
        0,
        &[Say("good: 2 good")],
    ),
    row(
        "crl-check",
        "crl check pointed.crt --ca ca.crt --ca lists.crt --crl indirect.crl --crl ca.crl",
        0,
        &[Say("good: 1 good")],
    ),
    row(
        "crl-check",
        "crl check pointed.crt lists.crt --ca ca.crt --crl indirect-revoked.crl --crl ca.crl",
        4,
        &[Say("revoked: 1 revoked, 1 good of 2")],
    ),
    row(
        "crl-check",
        "crl check pointed.crt lists.crt --ca ca.crt --crl indirect.crl",
        1,
        &[Say("unknown: 2 unknown of 2")],
    ),
    row(
        "crl-check",
        "crl check good.crt delegate.crt --ca ca.crt --crl delegate.crl --crl ca.crl",
        0,
        &[Say("good: 2 good")],
    ),
    row(
        "crl-check",
        "crl check good.crt delegate.crt --ca ca.crt --crl delegate.crl",
        1,
        &[Say("unknown: 2 unknown of 2")],
    ),
    row(
        "crl-check",
        "crl check revoked.crt delegate.crt --ca ca.crt --crl delegate.crl --crl ca.crl",
        4,
        &[Say("revoked: 1 revoked, 1 good of 2")],
    ),
    row(
        "crl-check",
        "crl check good.crt -o json --ca no-ca.crt --crl ca.crl",
        1,
        &[Say("\"dates\": \"notLookedAt\""), Say("\"path\": \"notLookedAt\""), Say("\"issuersRights\": \"wrong\"")],
    ),
    row(
        "crl-check",
        "crl check good.crt -o json --ca ca.crt --crl ca.crl",
        0,
        &[Say("\"dates\": \"ok\""), Say("\"path\": \"ok\""), Say("\"issuersRights\": \"ok\"")],
    ),
];

#[test]
fn what_went_wrong_once_is_right_now() {
    for Row { case, command, status, must } in TABLE {
        let place = Place::new();
        copy_tree(&repository("fixtures/cases").join(case), &place.path(""));
        let mut words: Vec<&str> = command.split(' ').collect();
        while let Some(to) = words.get(1).and_then(|word| word.strip_prefix('>')) {
            place.write(to, fs::read(place.path(words[0])).unwrap());
            words.drain(..2);
        }
        let timeless = ["inspect", "convert", "profile"].contains(&words[0]) || words.contains(&"--at");
        let at: &[&str] = if timeless { &[] } else { &["--at", AT] };
        let run = place.kpki(&[&words, at].concat());
        let what = format!("{case}: kpki {command}\n{}{}", run.stdout, run.stderr);
        assert_eq!(run.status, *status, "{what}");
        must.iter().for_each(|must| check(must, &place, &run, case, &what));
    }
}

fn check(must: &Must, place: &Place, run: &Run, case: &str, what: &str) {
    let said = |text: &str| run.stdout.contains(text) || run.stderr.contains(text);
    let holds = |file: &str, text: &str| place.read(file).contains(text);
    match must {
        Say(text) => assert!(said(text), "{text:?} is not said: {what}"),
        NotSay(text) => assert!(!said(text), "{text:?} is said: {what}"),
        WriteNothing => assert!(!run.wrote, "something was written: {what}"),
        KeepKeys => keys_are_kept(place, run, &repository("fixtures/cases").join(case), what),
        Hold(file, text) => assert!(holds(file, text), "{file} lacks {text:?}: {what}"),
        NotHold(file, text) => assert!(!holds(file, text), "{file} has {text:?}: {what}"),
    }
}

fn keys_are_kept(place: &Place, run: &Run, case: &Path, what: &str) {
    let keys = walkdir::WalkDir::new(case)
        .into_iter()
        .flatten()
        .filter(|entry| entry.path().extension().is_some_and(|e| e == "key"));
    let mut count = 0;
    for key in keys {
        count += 1;
        let secret = Secret::of_pem(&fs::read_to_string(key.path()).unwrap());
        assert!(
            !secret.is_in(run.stdout.as_bytes()) && !secret.is_in(run.stderr.as_bytes()),
            "a key is printed: {what}"
        );
        if run.wrote {
            for (file, (mode, bytes)) in place.files() {
                let own = case.join(&file).exists();
                assert!(mode & 0o077 == 0 || own || !secret.is_in(&bytes), "a key is in {file}: {what}");
            }
        }
    }
    assert!(count > 0, "{what}: no key to look for");
}

#[test]
fn every_case_has_a_row_and_a_readme() {
    for entry in fs::read_dir(repository("fixtures/cases")).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_dir() {
            let name = entry.file_name().into_string().unwrap();
            assert!(TABLE.iter().any(|row| row.case == name), "{name} has no row");
            assert!(entry.path().join("README").exists(), "{name} has no README");
        }
    }
}
