//! CycloneDX 1.6 as JSON: the cryptography a cluster depends on, as a bill of materials (CBOM). Facts only: no bytes of a key.

mod components;
mod document;

use std::io::{self, Write};

use components::{Node, Sort, components, property};
use document::{Component, Composition, Dependency, Document, Metadata, Program, Tools};

use super::result::Verify;
use crate::report::json;
use crate::report::table::sanitised;
use crate::verify::Verification;
use crate::verify::inventory::Inventory;
use crate::x509::certificate::hex;
use crate::x509::sha256;

pub fn write(verify: &Verify, out: &mut dyn Write) -> io::Result<()> {
    json::write(&document(verify), "  ", out)
}

fn document(verify: &Verify) -> Document {
    let inventories = &verify.inventories;
    let mut all = Inventory::default();
    inventories.iter().for_each(|inventory| all.join(inventory.clone()));
    let mut clusters: Vec<Node> =
        verify.clusters.iter().zip(inventories).map(|(cluster, inventory)| platform(cluster, inventory)).collect();
    let mut nodes = components(&all);
    // What a tool shows as the subject of the document; of a fleet there is none.
    let subject = (clusters.len() == 1).then(|| clusters.pop()).flatten();
    nodes.splice(0..0, clusters);
    let every = || subject.iter().chain(&nodes);
    let dependencies = every().map(|(component, needs)| Dependency {
        r#ref: component.bom_ref.clone(),
        depends_on: needs.iter().cloned().collect(),
    });
    let incomplete = verify.clusters.iter().filter(|cluster| !cluster.not_looked_at.is_empty());
    Document {
        schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
        bom_format: "CycloneDX",
        spec_version: "1.6",
        serial_number: serial_number(verify, every().map(|(component, _)| component)),
        version: 1,
        dependencies: dependencies.collect(),
        compositions: incomplete
            .map(|cluster| Composition { aggregate: "incomplete", assemblies: [reference(cluster)] })
            .collect(),
        metadata: Metadata {
            timestamp: verify.at,
            tools: Tools {
                components: [Program { r#type: "application", name: "kpki", version: env!("CARGO_PKG_VERSION") }],
            },
            component: subject.map(|(component, _)| component),
        },
        components: nodes.into_iter().map(|(component, _)| component).collect(),
    }
}

fn reference(cluster: &Verification) -> String {
    format!("cluster:{}", sanitised(&cluster.root))
}

/// A cluster, which depends on everything in its files.
fn platform(cluster: &Verification, inventory: &Inventory) -> Node {
    let Inventory { certificates, public_keys, private_keys, crls } = inventory;
    let needs = certificates.keys().map(|digest| Sort::Certificate.reference(digest));
    let needs = needs.chain(public_keys.keys().map(|digest| Sort::PublicKey.reference(digest)));
    let needs = needs.chain(private_keys.keys().map(|digest| Sort::PrivateKey.reference(digest)));
    let needs = needs.chain(crls.keys().map(|digest| Sort::Crl.reference(digest)));
    let not_looked_at = cluster.not_looked_at.iter();
    let not_looked_at = not_looked_at.map(|not| property("kpki:not-looked-at", format!("{}: {}", not.path, not.why)));
    let directory = property("kpki:directory", &cluster.root);
    let component = Component {
        r#type: "platform",
        bom_ref: reference(cluster),
        name: sanitised(cluster.cluster.as_deref().unwrap_or(&cluster.root)),
        evidence: None,
        crypto_properties: None,
        properties: std::iter::once(directory).chain(not_looked_at).collect(),
    };
    (component, needs.collect())
}

/// A UUID of version 8 made from the instant and all references (RFC 9562 appendix B.2): the same document has the same one.
fn serial_number<'a>(verify: &Verify, components: impl Iterator<Item = &'a Component>) -> String {
    let mut text = verify.at.unix_timestamp().to_string();
    for Component { bom_ref, evidence, .. } in components {
        let places = evidence.iter().flat_map(|evidence| &evidence.occurrences);
        let places: String = places.map(|place| format!("\t{}", place.location)).collect();
        text.extend(["\n", bom_ref, &places]);
    }
    let digest = sha256(text.as_bytes());
    let mut bytes = digest.first_chunk::<16>().copied().unwrap_or_default();
    // Version and variant (section 5.8).
    let [_, _, _, _, _, _, version, _, variant, ..] = &mut bytes;
    *version = *version & 0x0f | 0x80;
    *variant = *variant & 0x3f | 0x80;
    let digits = hex(&bytes, "").to_lowercase();
    let mut rest = digits.as_str();
    let mut groups = Vec::new();
    for length in [8, 4, 4, 4, 12] {
        let (group, others) = rest.split_at_checked(length).unwrap_or((rest, ""));
        groups.push(group);
        rest = others;
    }
    format!("urn:uuid:{}", groups.join("-"))
}
