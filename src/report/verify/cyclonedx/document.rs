//! The objects of CycloneDX 1.6 (ECMA-424) that a document of ours has, each with the properties that we fill.

use serde::Serialize;
use time::OffsetDateTime;

use crate::report::json::{instant, instant_if_any};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    #[serde(rename = "$schema")]
    pub schema: &'static str,
    pub bom_format: &'static str,
    pub spec_version: &'static str,
    pub serial_number: String,
    pub version: u32,
    pub metadata: Metadata,
    pub components: Vec<Component>,
    pub dependencies: Vec<Dependency>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub compositions: Vec<Composition>,
}

#[derive(Serialize)]
pub struct Metadata {
    #[serde(serialize_with = "instant")]
    pub timestamp: OffsetDateTime,
    pub tools: Tools,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component: Option<Component>,
}

#[derive(Serialize)]
pub struct Tools {
    pub components: [Program; 1],
}

#[derive(Serialize)]
pub struct Program {
    pub r#type: &'static str,
    pub name: &'static str,
    pub version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Component {
    pub r#type: &'static str,
    #[serde(rename = "bom-ref")]
    pub bom_ref: String,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crypto_properties: Option<CryptoProperties>,
    pub properties: Vec<Property>,
}

#[derive(Serialize)]
pub struct Evidence {
    pub occurrences: Vec<Occurrence>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Occurrence {
    pub location: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_context: Option<String>,
}

#[derive(Serialize)]
pub struct Property {
    pub name: &'static str,
    pub value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CryptoProperties {
    pub asset_type: &'static str,
    #[serde(flatten)]
    pub asset: Asset,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oid: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all_fields = "camelCase")]
pub enum Asset {
    #[serde(rename = "certificateProperties")]
    Certificate {
        subject_name: String,
        issuer_name: String,
        #[serde(serialize_with = "instant")]
        not_valid_before: OffsetDateTime,
        #[serde(serialize_with = "instant")]
        not_valid_after: OffsetDateTime,
        signature_algorithm_ref: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        subject_public_key_ref: Option<String>,
        certificate_format: &'static str,
    },
    #[serde(rename = "relatedCryptoMaterialProperties")]
    Material(Material),
    #[serde(rename = "algorithmProperties")]
    Algorithm {
        primitive: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        parameter_set_identifier: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        curve: Option<&'static str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        padding: Option<&'static str>,
        crypto_functions: &'static [&'static str],
        #[serde(skip_serializing_if = "Option::is_none")]
        classical_security_level: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        nist_quantum_security_level: Option<u8>,
    },
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
pub struct Material {
    pub r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub algorithm_ref: Option<String>,
    #[serde(serialize_with = "instant_if_any", skip_serializing_if = "Option::is_none")]
    pub creation_date: Option<OffsetDateTime>,
    #[serde(serialize_with = "instant_if_any", skip_serializing_if = "Option::is_none")]
    pub expiration_date: Option<OffsetDateTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secured_by: Option<Securing>,
}

#[derive(Serialize)]
pub struct Securing {
    pub mechanism: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Dependency {
    pub r#ref: String,
    pub depends_on: Vec<String>,
}

#[derive(Serialize)]
pub struct Composition {
    pub aggregate: &'static str,
    pub assemblies: [String; 1],
}
