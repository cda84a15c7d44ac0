//! `kpki-node.json`: which node the files are for, with public data only. It is in `/etc/kubernetes` on the node;
//! Kubernetes does not read it.

use std::net::IpAddr;

use serde_json::{Value, json};

use crate::plan::node::Fingerprints;
use crate::x509::certificate::hex;

/// Below `/etc/kubernetes`.
pub const NAME: &str = "kpki-node.json";
/// A few kilobytes.
pub const LARGEST: u64 = 1 << 20;
const KIND: &str = "NodeManifest";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    pub cluster: String,
    pub node: String,
    /// The addresses of its API server and etcd.
    pub address: Option<IpAddr>,
    pub entries: Vec<Exported>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    pub name: String,
    /// On the node, absolute: certificate, public key or kubeconfig.
    pub path: String,
    /// The key file, if exported.
    pub key: Option<String>,
    pub prints: Fingerprints,
}

impl Manifest {
    pub fn render(&self) -> String {
        let entry = |entry: &Exported| {
            json!({
                "entry": entry.name,
                "path": entry.path,
                "key": entry.key,
                "certificates": entry.prints.certificates.iter().map(print).collect::<Vec<_>>(),
                "publicKey": entry.prints.public_key.as_ref().map(print),
                "server": entry.prints.server,
            })
        };
        let value = json!({
            "apiVersion": "kpki/v1",
            "kind": KIND,
            "clusterName": self.cluster,
            "node": self.node,
            "address": self.address.map(|address| address.to_string()),
            "entries": self.entries.iter().map(entry).collect::<Vec<_>>(),
        });
        let mut text = serde_json::to_string_pretty(&value).unwrap_or_default();
        text.push('\n');
        text
    }

    /// `Err`: the problem as "expected ..., found ...".
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(bytes).map_err(|why| format!("expected JSON: {why}"))?;
        if text(&value, "kind")? != KIND {
            return Err(format!("expected the kind {KIND}, found {}", text(&value, "kind")?));
        }
        let address = match value.get("address").and_then(Value::as_str) {
            None => None,
            Some(text) => Some(text.parse().map_err(|_| format!("expected an address, found {text:?}"))?),
        };
        let entries = value.get("entries").and_then(Value::as_array).ok_or("expected entries, found none")?;
        Ok(Self {
            cluster: text(&value, "clusterName")?,
            node: text(&value, "node")?,
            address,
            entries: entries.iter().map(exported).collect::<Result<_, _>>()?,
        })
    }
}

fn exported(value: &Value) -> Result<Exported, String> {
    let printed = |value: &Value| {
        let bytes = value.as_str().and_then(unhex);
        bytes.ok_or_else(|| format!("expected 64 hexadecimal digits, found {value}"))
    };
    let path = |text: String| {
        let plain = text.strip_prefix('/').is_some_and(|path| crate::files::RelPath::parse(path).is_ok());
        if plain { Ok(text) } else { Err(format!("expected an absolute path of plain names, found {text:?}")) }
    };
    let certificates =
        value.get("certificates").and_then(Value::as_array).ok_or("expected certificates, found none")?;
    Ok(Exported {
        name: text(value, "entry")?,
        path: path(text(value, "path")?)?,
        key: text(value, "key").ok().map(path).transpose()?,
        prints: Fingerprints {
            certificates: certificates.iter().map(printed).collect::<Result<_, _>>()?,
            public_key: value.get("publicKey").filter(|key| !key.is_null()).map(printed).transpose()?,
            server: text(value, "server").ok(),
        },
    })
}

fn text(value: &Value, key: &str) -> Result<String, String> {
    value.get(key).and_then(Value::as_str).map(str::to_owned).ok_or_else(|| format!("expected {key}, found none"))
}

fn print(bytes: &[u8; 32]) -> String {
    hex(bytes, "").to_lowercase()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_is_not_whole_is_not() {
        let manifest = Manifest {
            cluster: "prod".to_owned(),
            node: "cp1".to_owned(),
            address: Some("10.0.0.1".parse().unwrap()),
            entries: vec![Exported {
                name: "ca".to_owned(),
                path: "/etc/kubernetes/pki/ca.crt".to_owned(),
                key: None,
                prints: Fingerprints { certificates: vec![[0xab; 32]], public_key: Some([1; 32]), server: None },
            }],
        };
        let text = manifest.render();
        assert_eq!(Manifest::parse(text.as_bytes()), Ok(manifest));
        for (from, to) in [
            ("NodeManifest", "Manifest"),
            ("\"node\"", "\"nodes\""),
            ("10.0.0.1", "10.0.0"),
            ("/etc/kubernetes/pki/ca.crt", "/etc/../shadow"),
            ("/etc/kubernetes/pki/ca.crt", "pki/ca.crt"),
            ("abab", "abxb"),
            ("abab", "ab"),
        ] {
            assert!(Manifest::parse(text.replacen(from, to, 1).as_bytes()).is_err(), "{from} {to}");
        }
        for end in 0..text.trim_end().len() {
            assert!(Manifest::parse(&text.as_bytes()[..end]).is_err(), "{end}");
        }
    }
}
