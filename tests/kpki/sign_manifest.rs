//! CertificateSigningRequests of certificates.k8s.io/v1 as `kpki sign` reads them.

use kpki::blueprint::{Algorithm, Blueprint, KeyUsage, Name, Oid, Role};
use kpki::ca::{self, PrivateKey};
use kpki::encoding::base64;
use kpki::x509::parse_pem_bundle;
use time::macros::datetime;

use super::harness::{NOW, Place, Run, repository};

const TREE: &str = "fixtures/kubeadm/v1.36-ha-ecdsa-cp1/etc-kubernetes/pki";

fn request() -> String {
    let key = PrivateKey::generate(Algorithm::EcdsaP256).unwrap();
    let blueprint = Blueprint {
        subject: Name::default().with(&Oid::COMMON_NAME, &["jane"]),
        not_before: datetime!(2027-01-01 00:00 UTC),
        not_after: datetime!(2027-01-01 00:00 UTC),
        role: Role::EndEntity,
        key_usage: KeyUsage::DIGITAL_SIGNATURE,
        extended_key_usages: Vec::new(),
        sans: Vec::new(),
        permitted: Vec::new(),
    };
    base64::encode(ca::request(&blueprint, &key).unwrap().pem.as_bytes()).to_string()
}

fn manifest(name: &str, spec: &str) -> String {
    let request = request();
    format!(
        "apiVersion: certificates.k8s.io/v1\nkind: CertificateSigningRequest\nmetadata: {{name: {name}}}\nspec:\n  request: {request}\n  {spec}\n"
    )
}

fn sign(place: &Place, file: &str, more: &[&str]) -> Run {
    let authority = |end: &str| repository(TREE).join(format!("ca.{end}")).display().to_string();
    let (cert, key) = (authority("crt"), authority("key"));
    let words = ["sign", file, "--at", NOW, "--ca-cert", &cert, "--ca-key", &key, "--usage", "client"];
    place.kpki(&[&words[..], more].concat())
}

const CLIENT: &str =
    "signerName: kubernetes.io/kube-apiserver-client\n  usages: [client auth, digital signature, key encipherment]";

#[test]
fn a_request_is_signed_as_it_asks() {
    let place = Place::new();
    place.write("jane.yaml", manifest("jane", &format!("{CLIENT}\n  expirationSeconds: 86400")));
    sign(&place, "jane.yaml", &["--validity", "24h"]).ok();
    let signed = parse_pem_bundle(place.read("jane.crt").as_bytes()).unwrap().remove(0);
    assert_eq!(signed.common_name().as_deref(), Some("jane"));
    // One in a list, beside something else, in two documents.
    let item = manifest("jane", CLIENT).replace('\n', "\n    ");
    place.write("list.yaml", format!("apiVersion: v1\nkind: List\nitems:\n  - {item}\n---\nkind: Secret\n"));
    sign(&place, "list.yaml", &["--out", "of-list.crt"]).ok();
    assert!(place.read("of-list.crt").contains("BEGIN CERTIFICATE"));
}

#[test]
fn what_it_asks_for_and_would_not_be_signed_is_refused_in_words() {
    let place = Place::new();
    let denied = format!("{CLIENT}\nstatus: {{conditions: [{{type: Denied, reason: x}}]}}");
    for (spec, more, expected) in [
        (
            "usages: [server auth]",
            &[][..],
            "its spec.usages ask for \"server auth\", which the certificate would not have",
        ),
        ("usages: [server auth]", &[], "its spec.usages do not ask for clientAuth"),
        ("usages: [Client]", &[], "expected a usage of certificates.k8s.io/v1 in spec.usages, found \"Client\""),
        ("expirationSeconds: 3600", &[], "--validity 3600s"),
        ("expirationSeconds: 3600", &["--validity", "2h"], "ask for 3600 seconds, and it would be signed for 7200"),
        ("expirationSeconds: soon", &[], "expected a number of seconds in spec.expirationSeconds, found soon"),
        ("signerName: kubernetes.io/kubelet-serving", &[], "signs serverAuth certificates only"),
        (&denied, &[], "it was denied in its cluster"),
        ("request: '%'", &[], "expected base64 of a PEM request in spec.request"),
        ("request: aGVsbG8=", &[], "expected a signing request, found none"),
    ] {
        place.write("x.yaml", manifest("x", spec));
        let run = sign(&place, "x.yaml", more).status(1);
        assert!(run.stderr.contains(expected) && !run.wrote, "{spec}: {}", run.stderr);
    }
    place.write("x.yaml", manifest("x", CLIENT).replace("certificates.k8s.io/v1", "example.com/v1"));
    assert!(sign(&place, "x.yaml", &[]).status(1).stderr.contains("expected apiVersion certificates.k8s.io/v1"));
    place.write("x.yaml", [manifest("one", CLIENT), manifest("two", CLIENT)].join("---\n"));
    let several = sign(&place, "x.yaml", &[]).status(1).stderr;
    assert!(
        several.contains("found 2: one, two") && several.contains("kubectl get csr NAME -o yaml > NAME.yaml"),
        "{several}"
    );
}
