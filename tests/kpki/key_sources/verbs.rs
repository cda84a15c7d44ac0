//! The verbs, and what each of them has to have signed.

use kpki::blueprint::{Algorithm, Blueprint, KeyUsage, Name, Oid, Role};
use kpki::ca::{self, PrivateKey};
use kpki::encoding::base64;
use kpki::kubeconfig::{self, Credentials};
use kpki::x509::{Certificate, Crl, Request, parse_pem_bundle};
use time::macros::datetime;

use super::certificate;
use crate::harness::Place;

pub struct Verb {
    pub name: &'static str,
    pub words: &'static [&'static str],
    pub has_dry_run: bool,
    /// Of a dry run.
    pub dry_status: i32,
    /// With the authority's certificate before the run.
    pub check: fn(&Place, &Certificate, &str),
}

const fn verb(name: &'static str, words: &'static [&'static str], check: fn(&Place, &Certificate, &str)) -> Verb {
    Verb { name, words, has_dry_run: true, dry_status: 0, check }
}

/// In this order in one tree: each of them has something to sign.
pub const VERBS: &[Verb] = &[
    verb("renew", &["renew", "cp1/apiserver"], renewed),
    verb("revoke", &["revoke", "cp1/apiserver", "--reason", "superseded"], listed),
    verb("hold", &["hold", "cp1/apiserver-kubelet-client"], listed),
    verb("release", &["release", "cp1/apiserver-kubelet-client"], listed),
    verb("crl update", &["crl", "update", "ca"], listed),
    verb("sign", &["sign", "jane.csr", "--usage", "client", "--subject", "CN=jane"], signed),
    Verb {
        has_dry_run: false,
        ..verb("kubeconfig user", &["kubeconfig", "user", "jane", "--group", "staff", "--out", "jane.conf"], user)
    },
    verb("renew ca", &["renew", "ca", "--validity", "20y"], authority),
    verb("csr ca", &["csr", "ca"], requested),
];

fn renewed(place: &Place, ca: &Certificate, said: &str) {
    certificate(place, "c/nodes/cp1/pki/apiserver.crt").issued_by(ca).unwrap_or_else(|why| panic!("{said}: {why}"));
}

/// The list of this authority, here and on the nodes.
pub fn listed(place: &Place, ca: &Certificate, said: &str) {
    let text = place.read("c/pki/ca.crl");
    let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    let der = base64::decode(body.as_bytes()).unwrap();
    let list = Crl::parse(&der).unwrap();
    list.signed_by(&der, ca).unwrap_or_else(|why| panic!("{said}: {why}"));
    assert_eq!(list.this_update, datetime!(2026-11-21 22:00 UTC), "{said}");
    assert_eq!(place.read("c/nodes/cp1/pki/ca.crl"), text, "{said}");
}

fn signed(place: &Place, ca: &Certificate, said: &str) {
    certificate(place, "jane.crt").issued_by(ca).unwrap_or_else(|why| panic!("{said}: {why}"));
}

fn user(place: &Place, ca: &Certificate, said: &str) {
    let read = kubeconfig::read(place.read("jane.conf").as_bytes()).unwrap();
    let Credentials::Embedded { certificate, .. } = read.credentials else { panic!("{said}") };
    parse_pem_bundle(&certificate).unwrap()[0].issued_by(ca).unwrap_or_else(|why| panic!("{said}: {why}"));
}

fn authority(place: &Place, old: &Certificate, said: &str) {
    let new = certificate(place, "c/pki/ca.crt");
    assert!(new.spki_der == old.spki_der && new.serial != old.serial && new.not_after > old.not_after, "{said}");
    new.signed_by(&new).unwrap_or_else(|why| panic!("{said}: {why}"));
    assert_eq!(place.read("c/nodes/cp2/pki/ca.crt"), place.read("c/pki/ca.crt"), "{said}");
}

fn requested(place: &Place, ca: &Certificate, said: &str) {
    let one = Request::read_file(place.read("c/.kpki/requests/pki/ca.csr").as_bytes()).unwrap().remove(0);
    assert!(one.spki_der == ca.spki_der && one.signature_valid == Some(true) && one.is_ca, "{said}");
    assert!(!place.path("c/.kpki/requests/pki/ca.key").exists(), "{said}");
}

fn blueprint(name: &str, role: Role, key_usage: KeyUsage) -> Blueprint {
    Blueprint {
        subject: Name::default().with(&Oid::COMMON_NAME, &[name]),
        not_before: datetime!(2026-11-01 00:00 UTC),
        not_after: datetime!(2040-01-01 00:00 UTC),
        role,
        key_usage,
        extended_key_usages: Vec::new(),
        sans: Vec::new(),
        permitted: Vec::new(),
    }
}

pub fn request() -> String {
    let key = PrivateKey::generate(Algorithm::EcdsaP256).unwrap();
    ca::request(&blueprint("jane", Role::EndEntity, KeyUsage::DIGITAL_SIGNATURE), &key).unwrap().pem
}

/// An offline root: `root.crt` and `root.key`.
pub fn root(place: &Place) {
    let key = PrivateKey::generate(Algorithm::EcdsaP256).unwrap();
    let usage = KeyUsage::DIGITAL_SIGNATURE.and(KeyUsage::KEY_CERT_SIGN).and(KeyUsage::CRL_SIGN);
    let root = ca::self_sign(&blueprint("root", Role::Authority { path_len: None }, usage), &key).unwrap();
    place.write("root.crt", root.pem);
    place.write("root.key", &*key.to_pem());
}
