//! Files that hold others: a manifest with Secrets, ConfigMaps or CA bundles. Everything else is for the reader of one file.

use super::load::{self, LoadError, Loaded};
use super::names;
use crate::encoding::pem_blocks::blocks;
use crate::encoding::shown::named;
use crate::encoding::yaml;
use crate::error::Error;
use crate::files::{self, Kind};
use crate::inventory::looks_like_manifest;
use crate::manifest::{self, Object, Value};
use crate::workspace::passwords::Passwords;

/// `name`: for messages.
pub fn load(name: &str, bytes: &[u8], passwords: &mut dyn Passwords) -> Result<Loaded, LoadError> {
    if let Some(encoding) = files::utf16(bytes) {
        return Err(LoadError::Nothing(Error::new(format!("{name}: {}", Kind::Utf16(encoding)))));
    }
    // A PEM file is not YAML, and a long one would be refused for its length.
    if !bytes.trim_ascii_start().starts_with(b"-----BEGIN ")
        && looks_like_manifest(bytes)
        && let Some(loaded) = manifest(name, bytes, passwords)?
    {
        return Ok(loaded);
    }
    load::load(name, bytes, passwords)
}

/// `None`: there is no object in it whose fields are known.
fn manifest(name: &str, bytes: &[u8], passwords: &mut dyn Passwords) -> Result<Option<Loaded>, LoadError> {
    let stream = yaml::read_as_kubectl(bytes);
    let objects = manifest::objects(&stream.documents);
    let objects: Vec<_> = objects.iter().filter_map(|object| Some((object, manifest::values(object)?))).collect();
    if objects.is_empty() {
        return Ok(None);
    }
    if let Some(fault) = stream.faults.first() {
        let at = format!("{name}:{}:{}", fault.mark.line, fault.mark.column);
        return Err(LoadError::Broken(Error::new(format!("{at}: {}", fault.flaw))));
    }
    let mut loaded = Loaded { is_manifest: true, ..Loaded::default() };
    let mut left = Vec::new();
    for (object, values) in &objects {
        let of_many = (objects.len() > 1).then_some(*object);
        // A server's certificate comes before what it is verified by.
        let (first, rest): (Vec<_>, Vec<_>) = values.iter().partition(|value| value.key == "tls.crt");
        for value in first.into_iter().chain(rest) {
            let label = format!("{object} ({})", named(&value.key));
            match of_value(&format!("{name}: {label}"), value, passwords)? {
                Some(inner) => add(&mut loaded, inner, of_many, &value.key),
                None => left.push(label),
            }
        }
    }
    match (loaded.objects.is_empty(), left.is_empty()) {
        (true, _) => {
            let what =
                format!("{name}: expected a certificate, key, CRL or signing request in the manifest, found none");
            let error = Error::new(what);
            Err(LoadError::Nothing(if left.is_empty() { error } else { error.because(looked_at(&left)) }))
        }
        (false, true) => Ok(Some(loaded)),
        (false, false) => {
            loaded.notes.push(format!("{name}: {}", looked_at(&left)));
            Ok(Some(loaded))
        }
    }
}

fn looked_at(left: &[String]) -> String {
    format!("nothing to convert is in {}", left.join(", "))
}

/// `None`: something else, such as a password.
fn of_value(name: &str, value: &Value<'_>, passwords: &mut dyn Passwords) -> Result<Option<Loaded>, LoadError> {
    let must = [".crt", ".key", ".pem", "caBundle"].iter().any(|end| value.key.ends_with(end));
    let Ok(bytes) = value.bytes() else {
        return match must {
            true => Err(LoadError::Broken(Error::new(format!("{name}: expected base64, found something else")))),
            false => Ok(None),
        };
    };
    match load::load(name, &bytes, passwords) {
        Ok(inner) => Ok(Some(inner)),
        Err(LoadError::Nothing(_)) => Ok(None),
        // Text before the first block may be broken in any way.
        Err(LoadError::Broken(_)) if !must && blocks(&bytes).next().is_none() && bytes.first() != Some(&0x30) => {
            Ok(None)
        }
        Err(why) => Err(why),
    }
}

/// `of_many`: the object's name is needed to tell the parts apart.
fn add(loaded: &mut Loaded, inner: Loaded, of_many: Option<&Object<'_>>, key: &str) {
    let stem = file_name(names::stem(key));
    let stem = match of_many {
        Some(object) => format!("{}-{stem}", file_name(object.name.unwrap_or(&object.kind))),
        None => stem,
    };
    for mut object in inner.objects {
        object.name = Some(match object.name {
            Some(part) if inner.kubeconfig.is_some() => format!("{stem}-{part}"),
            _ => stem.clone(),
        });
        loaded.objects.push(object);
    }
    loaded.notes.extend(inner.notes);
    loaded.kubeconfig = loaded.kubeconfig.take().or(inner.kubeconfig);
}

/// What Kubernetes takes as a name or a key is the name of a file; nothing else leads out of a directory.
fn file_name(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let name: String = text.trim_start_matches('.').chars().map(plain).collect();
    if name.is_empty() { "value".to_owned() } else { name }
}

/// How many objects a file holds, where no password is given.
#[cfg(feature = "internals")]
pub fn count(bytes: &[u8]) -> usize {
    load("a file", bytes, &mut crate::workspace::passwords::NoPasswords).map_or(0, |loaded| loaded.objects.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_out_of_a_directory() {
        for (text, name) in [
            ("tls", "tls"),
            ("..", "value"),
            ("../../etc/passwd", "-..-etc-passwd"),
            ("webhooks[0].clientConfig", "webhooks-0-.clientConfig"),
            ("a\0b", "a-b"),
            ("", "value"),
        ] {
            assert_eq!(file_name(text), name, "{text:?}");
        }
    }
}
