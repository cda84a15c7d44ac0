//! A signer of kpki: a digest or a message in, the raw signature out, by the transit secrets engine.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::ValueEnum;
use serde_json::{Map, Value};

use crate::answer::Answer;
use crate::environment::Environment;
use crate::error::Error;
use crate::session::Session;

/// A list of revoked certificates may be long; the server itself takes 32 MiB.
pub const LARGEST_INPUT: u64 = 16 << 20;
/// As much as kpki reads of a signer.
const LARGEST_SIGNATURE: usize = 1 << 10;

/// As kpki names them in KPKI_SIGN_ALGORITHM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Algorithm {
    EcdsaSha256,
    EcdsaSha384,
    RsaPkcs1Sha256,
}

/// As kpki names them in KPKI_SIGN_INPUT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Input {
    Digest,
    Message,
}

impl Algorithm {
    /// The hash as the API names it, and the length of its digests.
    fn hash(self) -> (&'static str, usize) {
        match self {
            Self::EcdsaSha256 | Self::RsaPkcs1Sha256 => ("sha2-256", 32),
            Self::EcdsaSha384 => ("sha2-384", 48),
        }
    }
}

/// With which key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    pub mount: String,
    pub key: String,
    /// The latest, where none is named.
    pub version: Option<u32>,
}

/// What is to be signed, and how.
#[derive(Debug)]
pub struct Task<'a> {
    pub algorithm: Algorithm,
    pub input: Input,
    pub bytes: &'a [u8],
}

/// A flag, else kpki's variable.
pub fn setting<T: ValueEnum>(given: Option<T>, environment: &Environment, variable: &str) -> Result<T, Error> {
    if let Some(given) = given {
        return Ok(given);
    }
    let names = || {
        let names = T::value_variants().iter().filter_map(ValueEnum::to_possible_value);
        names.map(|name| name.get_name().to_owned()).collect::<Vec<_>>().join(", ")
    };
    let text = environment.variable(variable).ok_or_else(|| {
        Error::usage(format!("{variable} is not set: expected one of {}", names()))
            .hint("kpki sets it where this program is its signer; by hand there are --algorithm and --input")
    })?;
    T::from_str(&text, false).map_err(|_| Error::usage(format!("{variable}: expected one of {}", names())))
}

impl Task<'_> {
    pub fn check(&self) -> Result<(), Error> {
        let (name, length) = self.algorithm.hash();
        let found = self.bytes.len();
        match self.input {
            Input::Digest if found != length => Err(Error::usage(format!(
                "standard input: expected a digest of {name} of {length} bytes, found {found} bytes"
            ))),
            _ => Ok(()),
        }
    }

    pub fn path(&self, by: &By) -> String {
        format!("{}/sign/{}/{}", by.mount, by.key, self.algorithm.hash().0)
    }

    pub fn body(&self, by: &By) -> Value {
        let mut body = Map::new();
        body.insert("input".to_owned(), STANDARD.encode(self.bytes).into());
        body.insert("prehashed".to_owned(), (self.input == Input::Digest).into());
        match self.algorithm {
            Algorithm::RsaPkcs1Sha256 => body.insert("signature_algorithm".to_owned(), "pkcs1v15".into()),
            _ => body.insert("marshaling_algorithm".to_owned(), "asn1".into()),
        };
        if let Some(version) = by.version {
            body.insert("key_version".to_owned(), version.into());
        }
        Value::Object(body)
    }
}

/// From `vault:v3:BASE64`.
pub fn signature(answer: &Answer, by: &By) -> Result<Vec<u8>, Error> {
    let wrong = |why: &str| Error::failed("the answer is not that of a transit secrets engine").because(why);
    let text = answer.data().and_then(|data| data.get("signature")).and_then(Value::as_str);
    let text = text.ok_or_else(|| wrong("expected \"signature\""))?;
    let parts = text.strip_prefix("vault:v").and_then(|rest| rest.split_once(':'));
    let (version, signature) = parts.ok_or_else(|| wrong("expected a signature as in vault:v1:BASE64"))?;
    let version: u32 = version.parse().map_err(|_| wrong("expected a version of the key in the signature"))?;
    if by.version.is_some_and(|wanted| wanted != version) {
        return Err(wrong(&format!("version {version} of the key signed, which is not the one that was named")));
    }
    let signature = STANDARD.decode(signature).map_err(|_| wrong("the signature is not base64"))?;
    match signature.len() {
        0 => Err(wrong("the signature is empty")),
        length if length > LARGEST_SIGNATURE => {
            Err(wrong(&format!("the signature is larger than {LARGEST_SIGNATURE} bytes")))
        }
        _ => Ok(signature),
    }
}

pub fn run(session: &mut Session<'_>, by: &By, task: &Task<'_>) -> Result<Vec<u8>, Error> {
    signature(&session.post(&task.path(by), &task.body(by))?, by)
}

#[cfg(test)]
#[path = "sign_tests.rs"]
mod tests;
