//! What an issuer is told beside the request.

use serde::Serialize;
use time::OffsetDateTime;

use crate::blueprint::{Oid, San};
use crate::clock::rfc3339;
use crate::error::Error;
use crate::plan::csr_manifest::usage_names;
use crate::plan::renew::Credential;
use crate::profile::ExtraAuthority;
use crate::x509::certificate::hex;
use crate::x509::{Request, sha256};

/// The issuer's variables and their meaning.
pub const VARIABLES: [(&str, &str); 6] = [
    ("KPKI_REQUEST", "What is wanted, as one line of JSON."),
    (
        "KPKI_REQUEST_SHA256",
        "SHA-256 of the request's DER in lower-case hexadecimal: by it an issuer knows a request again.",
    ),
    ("KPKI_AUTHORITY", "The authority that is to sign: ca, etcd-ca, front-proxy-ca or external."),
    ("KPKI_ENTRY", "The name of the entry, such as apiserver."),
    ("KPKI_NODE", "The name of its node."),
    ("KPKI_CLUSTER", "The name of the cluster."),
];

/// One certificate that is wanted.
#[derive(Debug)]
pub struct Question<'a> {
    pub credential: &'a Credential,
    pub cluster: Option<&'a str>,
    pub request: &'a Request,
    pub now: OffsetDateTime,
    pub until: OffsetDateTime,
}

/// The value of KPKI_REQUEST.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    version: u8,
    cluster: Option<&'a str>,
    authority: &'a str,
    entry: &'a str,
    node: Option<&'a str>,
    subject: String,
    common_name: Option<String>,
    organizations: Vec<String>,
    dns_names: Vec<&'a str>,
    ip_addresses: Vec<String>,
    key_usages: Vec<&'static str>,
    extended_key_usages: Vec<&'static str>,
    lifetime_seconds: i64,
    not_after: String,
}

impl Question<'_> {
    pub fn variables(&self) -> Result<Vec<(&'static str, String)>, Error> {
        let Self { credential, cluster, request, now, until } = self;
        let authority = credential.authority.map_or(ExtraAuthority::EXTERNAL, |authority| authority.name());
        let home = credential.wanted.as_ref().map(|(_, home)| home.as_str());
        let node = credential.id.node.as_deref().or(home);
        let names = usage_names(request.key_usage.unwrap_or_default(), &request.extended_key_usages);
        let document = Document {
            version: 1,
            cluster: *cluster,
            authority,
            entry: &credential.id.name,
            node,
            subject: request.subject.to_string(),
            common_name: request.subject.common_name(),
            organizations: request.subject.values(&Oid::ORGANIZATION),
            dns_names: request.sans.iter().filter_map(dns).collect(),
            ip_addresses: request.sans.iter().filter_map(ip).collect(),
            key_usages: names.of_key,
            extended_key_usages: names.extended,
            lifetime_seconds: (*until - *now).whole_seconds(),
            not_after: rfc3339(*until),
        };
        let document = serde_json::to_string(&document)
            .map_err(|why| Error::new("cannot write the request of an issuer as JSON").because(why))?;
        let variables = [
            ("KPKI_REQUEST", document),
            ("KPKI_REQUEST_SHA256", hex(&sha256(&request.der), "").to_lowercase()),
            ("KPKI_AUTHORITY", authority.to_owned()),
            ("KPKI_ENTRY", credential.id.name.clone()),
        ];
        let node = node.map(|node| ("KPKI_NODE", node.to_owned()));
        let cluster = cluster.map(|cluster| ("KPKI_CLUSTER", cluster.to_owned()));
        Ok(variables.into_iter().chain(node).chain(cluster).collect())
    }
}

const fn dns(name: &San) -> Option<&str> {
    match name {
        San::Dns(name) => Some(name.as_str()),
        _ => None,
    }
}

fn ip(name: &San) -> Option<String> {
    match name {
        San::Ip(address) => Some(address.to_string()),
        _ => None,
    }
}
