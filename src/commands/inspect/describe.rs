//! Objects as fields.

use crate::blueprint::{ExtendedKeyUsage, KeyUsage, Oid, San};
use crate::encoding::shown::named;
use crate::report::inspect::{Extension, Field, KEY_KIND, KEY_SHA256, Object, Said};
use crate::x509::{Certificate, Crl, KeyKind, Request, certificate, decimal, key_identifier, key_kind, sha256};

pub fn field(label: &'static str, key: &'static str, value: Said) -> Field {
    Field { label, key, value }
}

pub fn text(label: &'static str, key: &'static str, value: impl ToString) -> Field {
    field(label, key, Said::Text(value.to_string()))
}

/// Octets in hexadecimal, with colons.
fn octets(label: &'static str, key: &'static str, value: &[u8]) -> Field {
    text(label, key, certificate::hex(value, ":").to_lowercase())
}

pub fn object(kind: &'static str, fields: Vec<Field>) -> Object {
    Object { kind, owner: None, fields }
}

pub fn certificate(found: &Certificate) -> Object {
    let mut fields = vec![
        text("subject", "subject", &found.subject),
        text("issuer", "issuer", &found.issuer),
        text("serial", "serial", found.serial_hex().to_lowercase()),
        text("serial (decimal)", "serialDecimal", decimal(&found.serial)),
        field("valid from", "notBefore", Said::Instant(found.not_before)),
        field("valid until", "notAfter", Said::Instant(found.not_after)),
        field("authority", "isCA", Said::Flag(found.is_ca)),
    ];
    if let Some(length) = found.path_len {
        fields.push(field("path length", "pathLength", Said::Number(u64::from(length))));
    }
    fields.extend(usages(found.key_usage, &found.extended_key_usages, &found.sans));
    fields.extend(public(&found.key, &found.spki_der));
    fields.extend(found.subject_key_id.as_ref().map(|id| octets("subject key id", "subjectKeyId", id)));
    fields.extend(found.authority_key_id.as_ref().map(|id| octets("authority key id", "authorityKeyId", id)));
    fields.push(text("signature", "signatureAlgorithm", found.signature_name()));
    fields.push(field("version", "version", Said::Number(u64::from(found.version))));
    fields.extend(extensions(&found.extensions));
    if !found.unknown_critical.is_empty() {
        let unknown = found.unknown_critical.iter().map(ToString::to_string).collect();
        fields.push(field("unknown critical", "unknownCritical", Said::List(unknown)));
    }
    fields.push(octets("SHA-256", "sha256", &found.fingerprint));
    object(if found.is_ca { "CA certificate" } else { "certificate" }, fields)
}

pub fn request(found: &Request) -> Object {
    let mut fields = vec![text("subject", "subject", &found.subject)];
    fields.extend(usages(found.key_usage, &found.extended_key_usages, &found.sans));
    if found.is_ca {
        fields.push(field("authority", "isCA", Said::Flag(true)));
    }
    fields.extend(public(&found.key, &found.spki_der));
    fields.push(text("signature", "signatureAlgorithm", certificate::signature_name(&found.signature_algorithm)));
    fields.push(match found.signature_valid {
        Some(valid) => field("signature valid", "signatureValid", Said::Flag(valid)),
        None => text("signature valid", "signatureValid", "unknown"),
    });
    fields.extend(extensions(&found.extensions));
    object("signing request", fields)
}

pub fn crl(found: &Crl) -> Object {
    let mut fields = vec![
        text("issuer", "issuer", &found.issuer),
        field("this update", "thisUpdate", Said::Instant(found.this_update)),
    ];
    fields.extend(found.next_update.map(|next| field("next update", "nextUpdate", Said::Instant(next))));
    fields.extend(found.number.as_ref().map(|number| text("number", "number", decimal(number))));
    fields.push(field("entries", "entries", Said::Number(found.entries)));
    fields.extend(found.delta.then(|| field("delta", "delta", Said::Flag(true))));
    let scope = found.scope.as_ref();
    fields.extend(scope.map(|_| field("distribution point", "issuingDistributionPoint", Said::Flag(true))));
    fields.extend(found.authority_key_id.as_ref().map(|id| octets("authority key id", "authorityKeyId", id)));
    fields.push(text("signature", "signatureAlgorithm", certificate::signature_name(&found.signature_algorithm)));
    fields.push(field("version", "version", Said::Number(u64::from(found.version))));
    fields.extend(extensions(&found.extensions));
    object("CRL", fields)
}

pub fn public_key(spki: &[u8]) -> Result<Object, &'static str> {
    let kind = key_kind(spki).map_err(|_| "expected a well-formed public key")?;
    Ok(object("public key", public(&kind, spki).collect()))
}

/// A kubeconfig without its certificates, which are objects of their own.
pub fn kubeconfig(found: &crate::kubeconfig::Survey<'_>) -> Object {
    let mut fields = Vec::new();
    if let Some(current) = &found.current {
        fields.push(text("current context", "currentContext", named(current)));
    }
    let contexts = found
        .contexts
        .iter()
        .map(|c| format!("{}: user {} at cluster {}", named(&c.name), named(&c.user), named(&c.cluster)));
    let clusters = found.clusters.iter().map(|cluster| format!("{}: {}", named(&cluster.name), named(&cluster.server)));
    let users = found.users.iter().map(|user| match user.credentials.as_slice() {
        [] => format!("{}: no credentials", named(&user.name)),
        credentials => format!("{}: {}", named(&user.name), credentials.join(", ")),
    });
    fields.push(field("contexts", "contexts", Said::List(contexts.collect())));
    fields.push(field("clusters", "clusters", Said::List(clusters.collect())));
    fields.push(field("users", "users", Said::List(users.collect())));
    object("kubeconfig", fields)
}

/// What of a manifest is not shown.
pub fn left_out(others: Vec<String>) -> Object {
    object("manifest", vec![field("not looked at", "notLookedAt", Said::List(others))])
}

fn usages(usage: Option<KeyUsage>, extended: &[ExtendedKeyUsage], sans: &[San]) -> Vec<Field> {
    let mut fields = Vec::new();
    if let Some(usage) = usage {
        let names = usage.names().into_iter().map(str::to_owned).collect();
        fields.push(field("key usage", "keyUsage", Said::List(names)));
    }
    if !extended.is_empty() {
        let names = extended.iter().map(|usage| usage.name().to_owned()).collect();
        fields.push(field("extended key usage", "extendedKeyUsage", Said::List(names)));
    }
    if !sans.is_empty() {
        let names = sans.iter().map(|san| format!("{}{san}", san_kind(san))).collect();
        fields.push(field("names", "sans", Said::List(names)));
    }
    fields
}

const fn san_kind(san: &San) -> &'static str {
    match san {
        San::Dns(_) => "DNS:",
        San::Ip(_) => "IP:",
        San::Email(_) => "email:",
        San::Uri(_) => "URI:",
        // Says what it is itself.
        San::Other(_) => "",
    }
}

pub fn public(kind: &KeyKind, spki: &[u8]) -> impl Iterator<Item = Field> {
    let id = key_identifier(spki).ok().map(|id| octets("key id (RFC 7093)", "keyId", &id));
    let pin = octets("key SHA-256", KEY_SHA256, &sha256(spki));
    [text("key", KEY_KIND, kind)].into_iter().chain(id).chain([pin])
}

/// The usual names of extensions (RFC 5280 section 4.2 and 5.2).
const EXTENSIONS: &[(&str, &str)] = &[
    ("1.3.6.1.4.1.11129.2.4.2", "signedCertificateTimestamps"),
    ("1.3.6.1.5.5.7.1.1", "authorityInfoAccess"),
    ("1.3.6.1.5.5.7.1.24", "tlsFeature"),
    ("2.16.840.1.113730.1.1", "netscapeCertType"),
    ("2.16.840.1.113730.1.13", "netscapeComment"),
    ("2.5.29.14", "subjectKeyIdentifier"),
    ("2.5.29.15", "keyUsage"),
    ("2.5.29.17", "subjectAltName"),
    ("2.5.29.18", "issuerAltName"),
    ("2.5.29.19", "basicConstraints"),
    ("2.5.29.20", "cRLNumber"),
    ("2.5.29.27", "deltaCRLIndicator"),
    ("2.5.29.28", "issuingDistributionPoint"),
    ("2.5.29.30", "nameConstraints"),
    ("2.5.29.31", "cRLDistributionPoints"),
    ("2.5.29.32", "certificatePolicies"),
    ("2.5.29.33", "policyMappings"),
    ("2.5.29.35", "authorityKeyIdentifier"),
    ("2.5.29.36", "policyConstraints"),
    ("2.5.29.37", "extKeyUsage"),
    ("2.5.29.46", "freshestCRL"),
    ("2.5.29.54", "inhibitAnyPolicy"),
];

fn extensions(found: &[(Oid, bool)]) -> Option<Field> {
    let named = found.iter().map(|(oid, critical)| {
        let name = EXTENSIONS.iter().find(|(known, _)| *known == oid.0).map_or("", |(_, name)| name);
        Extension { oid: oid.to_string(), name: name.to_owned(), critical: *critical }
    });
    (!found.is_empty()).then(|| field("extensions", "extensions", Said::Extensions(named.collect())))
}
