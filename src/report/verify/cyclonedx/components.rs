//! A component for each thing of an inventory, with what it depends on.

use std::collections::{BTreeMap, BTreeSet};

use super::document::{Asset, Component, CryptoProperties, Evidence, Material, Occurrence, Property, Securing};
use crate::encoding::public_key::KeyKind;
use crate::report::table::sanitised;
use crate::report::verify::location::part_of;
use crate::verify::Place;
use crate::verify::inventory::{CertificateFacts, CrlFacts, Digest, Found, Inventory, PrivateKeyFacts};
use crate::verify::strength::{Primitive, Strength};
use crate::x509::certificate::hex;

/// What sort of thing a reference means.
#[derive(Clone, Copy)]
pub enum Sort {
    Certificate,
    PublicKey,
    PrivateKey,
    Crl,
}

impl Sort {
    const fn name(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::PublicKey => "public-key",
            Self::PrivateKey => "private-key",
            Self::Crl => "crl",
        }
    }

    /// The same in every run, for the same thing.
    pub fn reference(self, digest: &Digest) -> String {
        format!("{}:{}", self.name(), hex(digest, "").to_lowercase())
    }
}

/// A component, and the references of what it depends on.
pub type Node = (Component, BTreeSet<String>);

/// Everything, in the order of an inventory, and the algorithms behind it.
pub fn components(inventory: &Inventory) -> Vec<Node> {
    let mut algorithms = Algorithms::default();
    let mut all = Vec::new();
    all.extend(inventory.certificates.iter().map(|(digest, found)| {
        let key = found.facts.public_key.and_then(|key| inventory.public_keys.get(&key));
        certificate(digest, found, key.map(|key| &key.facts), &mut algorithms)
    }));
    all.extend(inventory.public_keys.iter().map(|(digest, found)| public_key(digest, found, &mut algorithms)));
    all.extend(inventory.private_keys.iter().map(|(digest, found)| {
        let public = found.facts.states_public && inventory.public_keys.contains_key(digest);
        private_key(digest, found, public.then(|| Sort::PublicKey.reference(digest)), &mut algorithms)
    }));
    all.extend(inventory.crls.iter().map(|(digest, found)| crl(digest, found, &mut algorithms)));
    all.extend(algorithms.0.into_values().map(algorithm));
    all
}

/// Those that something uses.
#[derive(Default)]
struct Algorithms(BTreeMap<String, Strength>);

impl Algorithms {
    /// The reference of an algorithm, which from now on is in use, with its hash.
    fn of(&mut self, strength: Strength) -> String {
        strength.hash.map(|hash| self.of(Strength::of_hash(hash)));
        let reference = format!("algorithm:{}", strength.name);
        self.0.insert(reference.clone(), strength);
        reference
    }
}

fn certificate(
    digest: &Digest,
    Found { facts, places }: &Found<CertificateFacts>,
    key: Option<&KeyKind>,
    algorithms: &mut Algorithms,
) -> Node {
    let CertificateFacts { subject, issuer, serial, not_before, not_after, is_ca, signature, public_key, issuers } =
        facts;
    let signature = Strength::of_signature(signature);
    // One of the two is enough.
    let vulnerable = worse(signature.is_vulnerable, key.and_then(|key| Strength::of_key(key).is_vulnerable));
    let signature = algorithms.of(signature);
    let public_key = public_key.map(|key| Sort::PublicKey.reference(&key));
    let issuers = issuers.iter().map(|issuer| Sort::Certificate.reference(issuer));
    let needs = issuers.chain([signature.clone()]).chain(public_key.clone()).collect();
    let asset = Asset::Certificate {
        subject_name: sanitised(subject),
        issuer_name: sanitised(issuer),
        not_valid_before: *not_before,
        not_valid_after: *not_after,
        signature_algorithm_ref: signature,
        subject_public_key_ref: public_key,
        certificate_format: "X.509",
    };
    let name = if subject.is_empty() { "a certificate without a subject" } else { subject };
    let more = [property("kpki:serial-number", serial), property("kpki:authority", yes(*is_ca))];
    (component(Sort::Certificate.reference(digest), name, Some(places), "certificate", asset, vulnerable, more), needs)
}

fn public_key(digest: &Digest, Found { facts, places }: &Found<KeyKind>, algorithms: &mut Algorithms) -> Node {
    let (material, vulnerable) = key("public-key", Some(facts), algorithms);
    let needs = material.algorithm_ref.clone().into_iter().collect();
    let asset = Asset::Material(material);
    let name = format!("{facts} public key");
    (component(Sort::PublicKey.reference(digest), &name, Some(places), MATERIAL, asset, vulnerable, []), needs)
}

fn private_key(
    digest: &Digest,
    Found { facts, places }: &Found<PrivateKeyFacts>,
    public: Option<String>,
    algorithms: &mut Algorithms,
) -> Node {
    let PrivateKeyFacts { kind, is_encrypted, .. } = facts;
    let (material, vulnerable) = key("private-key", kind.as_ref(), algorithms);
    let needs = material.algorithm_ref.clone().into_iter().chain(public).collect();
    let mechanism = if *is_encrypted { "Software" } else { "None" };
    let material = Material { secured_by: Some(Securing { mechanism }), ..material };
    let name = kind.as_ref().map_or_else(|| "private key".to_owned(), |kind| format!("{kind} private key"));
    let asset = Asset::Material(material);
    let more = [property("kpki:encrypted", yes(*is_encrypted))];
    (component(Sort::PrivateKey.reference(digest), &name, Some(places), MATERIAL, asset, vulnerable, more), needs)
}

fn key(r#type: &'static str, kind: Option<&KeyKind>, algorithms: &mut Algorithms) -> (Material, Option<bool>) {
    let strength = kind.map(Strength::of_key);
    let size = strength.as_ref().and_then(|strength| strength.length);
    let vulnerable = strength.as_ref().and_then(|strength| strength.is_vulnerable);
    let algorithm_ref = strength.map(|strength| algorithms.of(strength));
    (Material { r#type, algorithm_ref, size, ..Material::default() }, vulnerable)
}

fn crl(digest: &Digest, Found { facts, places }: &Found<CrlFacts>, algorithms: &mut Algorithms) -> Node {
    let CrlFacts { issuer, number, this_update, next_update, entries, signature, issuers } = facts;
    let signature = Strength::of_signature(signature);
    let vulnerable = signature.is_vulnerable;
    let signature = algorithms.of(signature);
    let issuers = issuers.iter().map(|issuer| Sort::Certificate.reference(issuer));
    let needs = issuers.chain([signature.clone()]).collect();
    // CycloneDX has no kind of its own for it.
    let asset = Asset::Material(Material {
        r#type: "other",
        id: number.clone(),
        algorithm_ref: Some(signature),
        creation_date: Some(*this_update),
        expiration_date: *next_update,
        ..Material::default()
    });
    let more = [property("kpki:entries", entries)];
    let name = format!("CRL of {issuer}");
    (component(Sort::Crl.reference(digest), &name, Some(places), MATERIAL, asset, vulnerable, more), needs)
}

fn algorithm(strength: Strength) -> Node {
    let (primitive, crypto_functions): (_, &[_]) = match strength.primitive {
        Primitive::Signature => ("signature", &["keygen", "sign", "verify"]),
        Primitive::Hash => ("hash", &["digest"]),
        Primitive::KeyAgreement => ("key-agree", &["keygen", "keyderive"]),
        Primitive::Unknown => ("unknown", &["unknown"]),
    };
    let length = strength.length.map(|length| length.to_string());
    let asset = Asset::Algorithm {
        primitive,
        parameter_set_identifier: length.or_else(|| strength.parameter.map(str::to_owned)),
        curve: strength.curve,
        padding: strength.padding,
        crypto_functions,
        classical_security_level: strength.classical,
        nist_quantum_security_level: strength.quantum,
    };
    let needs = strength.hash.map(|hash| format!("algorithm:{hash}")).into_iter().collect();
    let reference = format!("algorithm:{}", strength.name);
    let mut made = component(reference, &strength.name, None, "algorithm", asset, strength.is_vulnerable, []);
    if let Some(properties) = &mut made.crypto_properties {
        properties.oid = strength.oid;
    }
    (made, needs)
}

const MATERIAL: &str = "related-crypto-material";

fn component<const N: usize>(
    bom_ref: String,
    name: &str,
    places: Option<&BTreeSet<Place>>,
    asset_type: &'static str,
    asset: Asset,
    vulnerable: Option<bool>,
    more: [Property; N],
) -> Component {
    let vulnerable = property("kpki:quantum-vulnerable", vulnerable.map_or("unknown", yes));
    Component {
        r#type: "cryptographic-asset",
        bom_ref,
        name: sanitised(name),
        evidence: places.map(|places| Evidence { occurrences: places.iter().map(occurrence).collect() }),
        crypto_properties: Some(CryptoProperties { asset_type, asset, oid: None }),
        properties: std::iter::once(vulnerable).chain(more).collect(),
    }
}

fn occurrence(place: &Place) -> Occurrence {
    Occurrence { location: sanitised(&place.path), additional_context: part_of(place).map(|part| sanitised(&part)) }
}

pub fn property(name: &'static str, value: impl ToString) -> Property {
    Property { name, value: sanitised(&value.to_string()) }
}

const fn yes(is_so: bool) -> &'static str {
    if is_so { "yes" } else { "no" }
}

/// What breaks one of two breaks both.
fn worse(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}
