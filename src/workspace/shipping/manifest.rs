//! `kpki-node.json`: whose files these are, by what is no secret of them. It is beside them on the node; Kubernetes does not read it.

use std::net::IpAddr;

use serde::{Deserialize, Deserializer, Serialize, de};

use super::digest::Sha256;
use crate::files::RelPath;
use crate::plan::node::Fingerprints;
use crate::plan::shipping;
use crate::store::JsonError;
use crate::workspace::journal::number_of;

/// Below `/etc/kubernetes`.
pub const NAME: &str = "kpki-node.json";
/// A few kilobytes.
pub const LARGEST: u64 = 1 << 20;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    #[serde(default)]
    pub api_version: ApiVersion,
    pub kind: Kind,
    #[serde(rename = "clusterName")]
    pub cluster: String,
    pub node: String,
    /// The addresses of its API server and etcd.
    pub address: Option<IpAddr>,
    /// `None`: of 0.1.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issue: Option<Issue>,
    pub entries: Vec<Exported>,
    /// The CRLs, one for each file. Those of 0.1.0 had none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lists: Vec<ExportedList>,
}

/// Which state of the safe host an archive was made from. The same state always makes the same archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Issue {
    /// Of two archives of a node the later has the higher one: the safe host's state (`journal::revision`), or more.
    pub revision: u64,
    /// The digest of everything else in the archive that is no secret. A receipt repeats it.
    pub nonce: Sha256,
    /// The phase of a rotation in progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// kubelet.conf is to embed its certificate on the node, too, whatever it names there: the kubelet's own one is of an authority
    /// that is being replaced.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub embeds: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ApiVersion {
    #[default]
    #[serde(rename = "kpki/v1")]
    V1,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    #[default]
    NodeManifest,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Exported {
    #[serde(rename = "entry")]
    pub name: String,
    /// On the node, absolute: certificate, public key or kubeconfig.
    #[serde(deserialize_with = "absolute")]
    pub path: String,
    /// The key file, if exported.
    #[serde(default, deserialize_with = "absolute_if_any")]
    pub key: Option<String>,
    certificates: Vec<Sha256>,
    public_key: Option<Sha256>,
    /// Of sa.pub: every key in the order of the file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    public_keys: Vec<Sha256>,
    server: Option<String>,
}

/// A CRL in the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportedList {
    /// The authority's entry: ca, front-proxy-ca, etcd-ca.
    pub authority: String,
    /// On the node, absolute.
    #[serde(deserialize_with = "absolute")]
    pub path: String,
    /// Decimal.
    pub number: Option<String>,
    /// Of its DER, whatever the form of the file.
    pub fingerprint: Sha256,
}

impl Exported {
    pub fn new(name: String, path: String, key: Option<String>, prints: Fingerprints) -> Self {
        let certificates = prints.certificates.into_iter().map(Sha256).collect();
        let (public_key, server) = (prints.public_key.map(Sha256), prints.server);
        let public_keys = prints.public_keys.into_iter().map(Sha256).collect();
        Self { name, path, key, certificates, public_key, public_keys, server }
    }

    pub fn prints(&self) -> Fingerprints {
        Fingerprints {
            certificates: self.certificates.iter().map(|print| print.0).collect(),
            public_key: self.public_key.map(|print| print.0),
            public_keys: self.public_keys.iter().map(|print| print.0).collect(),
            server: self.server.clone(),
        }
    }
}

impl ExportedList {
    pub fn issue(&self) -> shipping::Issue {
        shipping::Issue { number: self.number.as_deref().and_then(number_of), fingerprint: self.fingerprint.0 }
    }
}

impl Manifest {
    pub fn render(&self) -> serde_json::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    pub fn parse(bytes: &[u8]) -> Result<Self, JsonError> {
        Ok(serde_json::from_slice(bytes)?)
    }
}

fn absolute<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    match text.strip_prefix('/').is_some_and(|path| RelPath::parse(path).is_ok()) {
        true => Ok(text),
        false => Err(de::Error::custom("expected an absolute path of plain names")),
    }
}

fn absolute_if_any<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    struct Path(#[serde(deserialize_with = "absolute")] String);
    Ok(Option::<Path>::deserialize(from)?.map(|path| path.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_is_not_whole_is_not() {
        let manifest = Manifest {
            api_version: ApiVersion::V1,
            kind: Kind::NodeManifest,
            cluster: "prod".to_owned(),
            node: "cp1".to_owned(),
            address: Some("10.0.0.1".parse().unwrap()),
            issue: Some(Issue { revision: 42, nonce: Sha256([2; 32]), phase: None, embeds: false }),
            entries: vec![Exported::new(
                "ca".to_owned(),
                "/etc/kubernetes/pki/ca.crt".to_owned(),
                None,
                Fingerprints { certificates: vec![[0xab; 32]], public_key: Some([1; 32]), ..Fingerprints::default() },
            )],
            lists: vec![ExportedList {
                authority: "ca".to_owned(),
                path: "/etc/kubernetes/pki/ca.crl".to_owned(),
                number: Some("7".to_owned()),
                fingerprint: Sha256([0xcd; 32]),
            }],
        };
        let text = manifest.render().unwrap();
        assert_eq!(Manifest::parse(text.as_bytes()).unwrap(), manifest);
        for (from, to) in [
            ("NodeManifest", "Manifest"),
            ("\"node\"", "\"nodes\""),
            ("10.0.0.1", "10.0.0"),
            ("/etc/kubernetes/pki/ca.crt", "/etc/../shadow"),
            ("/etc/kubernetes/pki/ca.crt", "pki/ca.crt"),
            ("abab", "abxb"),
            ("abab", "ab"),
            ("/etc/kubernetes/pki/ca.crl", "/etc/kubernetes/../ca.crl"),
            ("cdcd", "cd"),
        ] {
            assert!(Manifest::parse(text.replacen(from, to, 1).as_bytes()).is_err(), "{from} {to}");
        }
        for end in 0..text.trim_end().len() {
            assert!(Manifest::parse(&text.as_bytes()[..end]).is_err(), "{end}");
        }
    }

    #[test]
    fn the_manifest_of_0_1_0_is_read_and_written_byte_for_byte() {
        let text = include_str!("../../../fixtures/state/0.1.0/kpki-node.json");
        assert_eq!(Manifest::parse(text.as_bytes()).unwrap().render().unwrap(), text);
    }
}
