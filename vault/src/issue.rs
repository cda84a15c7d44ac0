//! An issuer of kpki: a certificate request in, the chain out, by the PKI secrets engine.

use serde_json::{Map, Value, json};

use crate::answer::Answer;
use crate::environment::Environment;
use crate::error::Error;
use crate::pem_text;
use crate::session::Session;

pub const LARGEST_REQUEST: u64 = 64 << 10;
/// As much as kpki reads of an issuer.
const LARGEST_CHAIN: usize = 256 << 10;

/// Who signs, and how much of the request the server keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    pub mount: String,
    /// One of several issuers of the mount.
    pub issuer: Option<String>,
    pub role: Role,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// `sign-verbatim`: subject, names and usages are the request's.
    None,
    /// `sign-verbatim/ROLE`: the same, with the role's lifetime and issuer.
    Verbatim(String),
    /// `sign/ROLE`: the role decides.
    Deciding(String),
}

impl By {
    pub fn path(&self) -> String {
        let Self { mount, issuer, role } = self;
        let issuer = issuer.as_ref().map_or_else(String::new, |issuer| format!("issuer/{issuer}/"));
        let end = match role {
            Role::None => "sign-verbatim".to_owned(),
            Role::Verbatim(role) => format!("sign-verbatim/{role}"),
            Role::Deciding(role) => format!("sign/{role}"),
        };
        format!("{mount}/{issuer}{end}")
    }
}

/// What kpki wants beside what the request says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    pub seconds: Option<u64>,
    pub key_usages: Vec<String>,
    pub extended_key_usages: Vec<String>,
}

impl Wanted {
    /// From KPKI_REQUEST. Without it, as by hand, the mount's lifetime is taken.
    pub fn of(environment: &Environment) -> Result<Self, Error> {
        match environment.variable("KPKI_REQUEST") {
            Some(text) => Self::parse(&text).map_err(|why| Error::usage("KPKI_REQUEST is wrong").because(why)),
            None => Ok(Self::default()),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let fields: Map<String, Value> =
            serde_json::from_str(text).map_err(|why| format!("expected a JSON object: {why}"))?;
        match fields.get("version").and_then(Value::as_u64) {
            Some(1) => {}
            _ => return Err("expected \"version\": 1".to_owned()),
        }
        let seconds = fields.get("lifetimeSeconds");
        let seconds = seconds.map(|value| value.as_u64().filter(|seconds| *seconds > 0).ok_or("lifetimeSeconds"));
        let seconds = seconds.transpose().map_err(|field| format!("{field}: expected a number of seconds"))?;
        Ok(Self {
            seconds,
            key_usages: usages(&fields, "keyUsages")?,
            extended_key_usages: usages(&fields, "extendedKeyUsages")?,
        })
    }
}

/// Names as in certificates.k8s.io become the server's by losing their spaces: "digital signature", DigitalSignature. It reads
/// them in any case.
fn usages(fields: &Map<String, Value>, field: &str) -> Result<Vec<String>, String> {
    let Some(list) = fields.get(field) else { return Ok(Vec::new()) };
    let names = list.as_array().map(|list| list.iter().map(Value::as_str).collect::<Option<Vec<&str>>>());
    let names = names.flatten().ok_or_else(|| format!("{field}: expected a list of names"))?;
    Ok(names.into_iter().map(|name| name.replace(' ', "")).collect())
}

/// The request as it is sent, from standard input.
pub fn request(input: &[u8]) -> Result<String, Error> {
    let text = std::str::from_utf8(input).ok();
    let block = text.and_then(|text| pem_text::only(text, &["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"]));
    match block {
        Some(block) => Ok(pem_text::written("CERTIFICATE REQUEST", block.contents())),
        None => Err(Error::usage("standard input: expected one certificate request in PEM")),
    }
}

/// Where the request has extensions for its usages, they outweigh what is said here; the server's own are never taken.
pub fn body(request: &str, wanted: &Wanted, role: &Role) -> Value {
    let mut body = Map::new();
    body.insert("csr".to_owned(), request.into());
    body.insert("remove_roots_from_chain".to_owned(), true.into());
    if let Some(seconds) = wanted.seconds {
        body.insert("ttl".to_owned(), format!("{seconds}s").into());
    }
    if let Role::Deciding(_) = role {
        // The name of a user is no DNS name.
        body.insert("exclude_cn_from_sans".to_owned(), true.into());
        return Value::Object(body);
    }
    // CA:FALSE, as it is requested.
    body.insert("basic_constraints_valid_for_non_ca".to_owned(), true.into());
    if !wanted.key_usages.is_empty() || !wanted.extended_key_usages.is_empty() {
        body.insert("key_usage".to_owned(), json!(wanted.key_usages));
        body.insert("ext_key_usage".to_owned(), json!(wanted.extended_key_usages));
    }
    Value::Object(body)
}

/// The leaf, then who signed it, as far as the root, which is not part of it.
pub fn chain(answer: &Answer) -> Result<String, Error> {
    let wrong = |why: &str| Error::failed("the answer is not that of a PKI secrets engine").because(why);
    let data = answer.data().ok_or_else(|| wrong("expected \"data\""))?;
    let leaf = data.get("certificate").and_then(Value::as_str).ok_or_else(|| wrong("expected \"certificate\""))?;
    let above = match data.get("ca_chain") {
        None | Some(Value::Null) => Vec::new(),
        Some(list) => {
            let list = list.as_array().map(|list| list.iter().map(Value::as_str).collect::<Option<Vec<&str>>>());
            list.flatten().ok_or_else(|| wrong("\"ca_chain\": expected a list of texts"))?
        }
    };
    let mut chain: Vec<String> = Vec::new();
    for text in [leaf].into_iter().chain(above) {
        let block = pem_text::only(text, &["CERTIFICATE"]);
        let block = block.ok_or_else(|| wrong("expected one certificate in PEM in each place"))?;
        let written = pem_text::written("CERTIFICATE", block.contents());
        if !chain.contains(&written) {
            chain.push(written);
        }
    }
    let chain = chain.concat();
    if chain.len() > LARGEST_CHAIN {
        return Err(wrong(&format!("the chain is larger than {LARGEST_CHAIN} bytes")));
    }
    Ok(chain)
}

pub fn run(session: &mut Session<'_>, by: &By, request: &str, wanted: &Wanted) -> Result<String, Error> {
    chain(&session.post(&by.path(), &body(request, wanted, &by.role))?)
}

#[cfg(test)]
#[path = "issue_tests.rs"]
mod tests;
