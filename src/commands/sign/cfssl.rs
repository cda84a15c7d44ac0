//! cfssl's certificate request in JSON, `{"CN": ..., "hosts": [...], "key": {"algo": ..., "size": ...}, "names":
//! [...]}`.

use serde_json::Value;

use crate::blueprint::{Algorithm, Name, Oid, San};
use crate::profile;

/// Its contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub subject: Name,
    pub sans: Vec<San>,
    pub algorithm: Algorithm,
}

/// Why it is none that can be taken.
#[derive(Debug, thiserror::Error)]
pub enum CfsslError {
    #[error("expected JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("expected a JSON object")]
    NotAnObject,
    #[error("expected printable characters in names, found {0:?}")]
    Name(String),
    #[error("expected a DNS name or an address in hosts, found {0:?}")]
    Host(String),
    #[error("expected a key of rsa 2048, 3072 or 4096, or ecdsa 256 or 384, found {0} {1}")]
    Key(String, u64),
}

pub fn read(bytes: &[u8]) -> Result<Wanted, CfsslError> {
    let value: Value = serde_json::from_slice(bytes)?;
    let Value::Object(_) = value else { return Err(CfsslError::NotAnObject) };
    Ok(Wanted { subject: subject(&value)?, sans: sans(&value)?, algorithm: algorithm(value.get("key"))? })
}

/// In Go's order, so cfssl's: C, O, OU, L, ST, CN.
fn subject(value: &Value) -> Result<Name, CfsslError> {
    let mut name = Name::default();
    let names = value.get("names").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for (key, oid) in [
        ("C", Oid::COUNTRY),
        ("O", Oid::ORGANIZATION),
        ("OU", Oid::ORGANIZATIONAL_UNIT),
        ("L", Oid::LOCALITY),
        ("ST", Oid::STATE),
    ] {
        let values: Vec<&str> =
            names.iter().filter_map(|one| one.get(key)?.as_str()).filter(|text| !text.is_empty()).collect();
        name = name.with(&oid, &values);
    }
    if let Some(common_name) = value.get("CN").and_then(Value::as_str).filter(|text| !text.is_empty()) {
        name = name.with(&Oid::COMMON_NAME, &[common_name]);
    }
    let texts = name.0.iter().flatten();
    match texts.map(|one| one.text().into_owned()).find(|text| text.chars().any(char::is_control)) {
        Some(text) => Err(CfsslError::Name(text)),
        None => Ok(name),
    }
}

fn sans(value: &Value) -> Result<Vec<San>, CfsslError> {
    let hosts = value.get("hosts").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let hosts = hosts.iter().filter_map(Value::as_str).filter(|host| !host.is_empty());
    hosts.map(|host| profile::san(host).map_err(|_| CfsslError::Host(host.to_owned()))).collect()
}

/// Without a key, cfssl makes ECDSA of 256 bits.
fn algorithm(key: Option<&Value>) -> Result<Algorithm, CfsslError> {
    let Some(key) = key else { return Ok(Algorithm::EcdsaP256) };
    let kind = key.get("algo").and_then(Value::as_str).unwrap_or("ecdsa");
    let size = key.get("size").and_then(Value::as_u64).unwrap_or(if kind == "rsa" { 2048 } else { 256 });
    Ok(match (kind, size) {
        ("rsa", 2048) => Algorithm::Rsa2048,
        ("rsa", 3072) => Algorithm::Rsa3072,
        ("rsa", 4096) => Algorithm::Rsa4096,
        ("ecdsa", 256) => Algorithm::EcdsaP256,
        ("ecdsa", 384) => Algorithm::EcdsaP384,
        _ => return Err(CfsslError::Key(kind.to_owned(), size)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cfssls_own_example_is_read() {
        let text =
            br#"{"CN": "example.com", "hosts": ["example.com", "10.0.0.1"], "key": {"algo": "rsa", "size": 2048},
            "names": [{"C": "US", "L": "San Francisco", "O": "Example", "OU": "a", "ST": "California"}, {"OU": "b"}]}"#;
        let wanted = read(text).unwrap();
        assert_eq!(
            wanted.subject.to_string(),
            "C=US, O=Example, OU=a+OU=b, L=San Francisco, ST=California, CN=example.com"
        );
        assert_eq!(wanted.sans, [San::Dns("example.com".into()), San::Ip("10.0.0.1".parse().unwrap())]);
        assert_eq!(wanted.algorithm, Algorithm::Rsa2048);
        assert_eq!(read(b"{\"CN\": \"x\"}").unwrap().algorithm, Algorithm::EcdsaP256);
        for wrong in
            ["", "[]", r#"{"hosts": ["a b"]}"#, r#"{"CN": "a\u0000b"}"#, r#"{"key": {"algo": "rsa", "size": 1024}}"#]
        {
            assert!(read(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
