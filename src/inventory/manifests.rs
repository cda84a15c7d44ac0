//! Manifests with certificates in them: Secrets, ConfigMaps, the CA bundles of webhooks; one object, a list, or many documents.

use super::around::Around;
use super::item::{Kind, Reading};
use super::object::ParsedObject;
use super::pem::mentions;
use super::unreadable::Unreadable;
use super::{framing, kubeconfigs};
use crate::encoding::contents::Contents;
use crate::encoding::pem_blocks::blocks;
use crate::encoding::shown::named;
use crate::encoding::yaml;
use crate::kubeconfig;
use crate::manifest::{self, Object, Value};

/// Of the kinds in the table of fields.
const KINDS: &[&str] = &[
    "Secret",
    "ConfigMap",
    "WebhookConfiguration",
    "APIService",
    "CustomResourceDefinition",
    "CertificateSigning",
    "TrustBundle",
];
/// How many objects without a certificate are named.
const NAMED: usize = 5;

pub fn looks_like(bytes: &[u8]) -> bool {
    mentions(bytes, "kind") && KINDS.iter().any(|kind| mentions(bytes, kind))
}

/// Keys of values that are keys are passed over, as files of this name are.
const KEY: &str = ".key";

pub fn objects(bytes: &[u8], around: &mut Around<'_>) -> Vec<ParsedObject> {
    let stream = yaml::read_as_kubectl(bytes);
    let mut found = Vec::new();
    let mut others = Vec::new();
    for object in manifest::objects(&stream.documents) {
        let label = object.to_string();
        if let Some(survey) = kubeconfig::survey_of(object.node) {
            let objects = kubeconfigs::found(&survey, around);
            found.extend(objects.into_iter().map(|one| inside(one, &label)));
            continue;
        }
        let Some(values) = manifest::values(&object) else {
            others.push(label);
            continue;
        };
        let mut rest = Vec::new();
        for value in values.iter().filter(|value| !value.key.ends_with(KEY)) {
            match of_value(&object, value, around) {
                Some(objects) => {
                    let label = format!("{label} {}", named(&value.key));
                    found.extend(objects.into_iter().map(|one| inside(one, &label)));
                }
                None => rest.push(named(&value.key)),
            }
        }
        if !rest.is_empty() {
            others.push(format!("{label} ({})", rest.join(", ")));
        }
    }
    // A template or a text that mentions Secrets is none; a manifest of certificates that cannot be read is reported.
    let is_about = || ["tls.crt", "ca.crt", "caBundle"].iter().any(|key| mentions(bytes, key));
    if let Some(fault) = stream.faults.first().filter(|_| is_about() && !mentions(bytes, "{{")) {
        let why = Unreadable::Yaml { at: fault.mark, flaw: fault.flaw.clone() };
        found.push(ParsedObject::broken(Kind::Secret, 0, why));
    }
    if !found.is_empty() {
        around.notes.extend(left_out(&others));
    }
    found
}

fn left_out(others: &[String]) -> Option<String> {
    let first: Vec<&str> = others.iter().take(NAMED).map(String::as_str).collect();
    let more = match others.len() - first.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!first.is_empty()).then(|| format!("no certificate is looked for in {}{more}", first.join(", ")))
}

/// What one value holds; `None`: no certificate, and none was to be expected.
fn of_value(object: &Object<'_>, value: &Value<'_>, around: &mut Around<'_>) -> Option<Vec<ParsedObject>> {
    let kind = if object.kind == "Secret" { Kind::Secret } else { Kind::Certificate };
    let must = manifest::must_hold_a_certificate(&value.key);
    let Ok(bytes) = value.bytes() else {
        return must.then(|| vec![ParsedObject::broken(kind, 0, Unreadable::ValueNotBase64)]);
    };
    if kubeconfigs::looks_like(&bytes)
        && let Some(objects) = around.without_files(|around| kubeconfigs::objects(&bytes, around))
    {
        return Some(objects);
    }
    let mut objects = framing::by_framing(&bytes, kind, around.password);
    // The keystore beside the PEM of the same certificate (cert-manager makes such Secrets) is said to be passed over.
    objects.retain(|object| must || !matches!(object.reading, Reading::Unreadable(Unreadable::NoPassword(_))));
    match objects.is_empty() {
        false => Some(objects),
        true if must => {
            let found = if bytes.trim_ascii().is_empty() { Contents::Nothing } else { Contents::of(&bytes) };
            let why = Unreadable::Unexpected { expected: "a certificate", field: None, found };
            Some(vec![ParsedObject::broken(kind, 0, why)])
        }
        // Keys and requests are passed over, as in any file.
        true => blocks(&bytes).next().map(|_| Vec::new()),
    }
}

fn inside(object: ParsedObject, label: &str) -> ParsedObject {
    let label = match &object.within {
        Some(within) => format!("{label}: {within}"),
        None => label.to_owned(),
    };
    object.within(&label)
}
