//! Names of output files.

use std::collections::BTreeMap;

use super::request::Output;
use crate::error::Error;

/// Endings that say what a file holds, whatever its framing.
const PLAIN: &[&str] = &["crt", "cer", "pem", "key", "csr", "req", "crl", "pub"];
/// Endings that say only how it is framed.
const FRAMING: &[&str] = &["der", "p12", "pfx", "p7b", "p7c", "jks", "jceks"];

/// The name without its last ending, and the ending in lower case; a name that begins with a dot has none.
fn split(path: &str) -> (&str, String) {
    let name = path.rsplit('/').next().unwrap_or(path);
    match path.rsplit_once('.') {
        Some((stem, ending)) if !ending.contains('/') && !ending.is_empty() && name.len() > ending.len() + 1 => {
            (stem, ending.to_ascii_lowercase())
        }
        _ => (path, String::new()),
    }
}

fn ends_plainly(path: &str) -> bool {
    PLAIN.contains(&split(path).1.as_str())
}

/// `ca.crt.der` -> `ca.crt`, `ca.der` -> `ca.pem`, `web.p12` -> `web.pem`, `ca.crt` -> `ca.crt`, `admin.conf` ->
/// `admin.conf.pem`.
pub fn pem(path: &str) -> String {
    let (stem, ending) = split(path);
    match FRAMING.contains(&ending.as_str()) {
        true if ends_plainly(stem) => stem.to_owned(),
        true => format!("{stem}.pem"),
        false if ends_plainly(path) => path.to_owned(),
        false => format!("{path}.pem"),
    }
}

/// `ca.crt` -> `ca.crt.der`, `ca.pem` -> `ca.der`, `ca.der` -> `ca.der`: a certificate and its key stay two files.
pub fn der(path: &str) -> String {
    let (stem, ending) = split(path);
    match ending.as_str() {
        "pem" => format!("{stem}.der"),
        framing if FRAMING.contains(&framing) => format!("{stem}.der"),
        _ => format!("{path}.der"),
    }
}

/// `ca.key` -> `ca.key.pub`, `sa.pub` -> `sa.pub`.
pub fn public(path: &str) -> String {
    let (stem, ending) = split(path);
    let path = if ending == "der" { stem } else { path };
    if split(path).1 == "pub" { path.to_owned() } else { format!("{path}.pub") }
}

/// `bundle.pem` -> `bundle-2.crt`.
pub fn part(path: &str, number: usize, extension: &str) -> String {
    format!("{}-{number}.{extension}", stem(path))
}

/// Without any ending that says what it holds or how.
pub fn stem(path: &str) -> &str {
    let (stem, ending) = split(path);
    match FRAMING.contains(&ending.as_str()) {
        true if ends_plainly(stem) => split(stem).0,
        _ => stem,
    }
}

/// Each file once: two inputs may be one thing in two forms, such as a CRL with its copy for etcd. Refuses two different files
/// of one name. What is left out is noted.
pub fn once(outputs: Vec<Output>, notes: &mut Vec<String>) -> Result<Vec<Output>, Error> {
    let mut taken: BTreeMap<String, Output> = BTreeMap::new();
    let mut order = Vec::with_capacity(outputs.len());
    for output in outputs {
        match taken.get(&output.path) {
            Some(first) if first.bytes == output.bytes => {
                notes.push(format!("{} and {} are the same in two forms: written once", first.from, output.from));
            }
            Some(first) => {
                return Err(Error::new(format!(
                    "{} and {} would both become {}",
                    first.from, output.from, output.path
                ))
                .hint("rename one of them, or convert them into two directories"));
            }
            None => {
                order.push(output.path.clone());
                taken.insert(output.path.clone(), output);
            }
        }
    }
    Ok(order.iter().filter_map(|path| taken.remove(path)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_predictable() {
        for (path, in_pem, in_der, in_public) in [
            ("ca.crt", "ca.crt", "ca.crt.der", "ca.crt.pub"),
            ("etcd/ca.key", "etcd/ca.key", "etcd/ca.key.der", "etcd/ca.key.pub"),
            ("sa.pub", "sa.pub", "sa.pub.der", "sa.pub"),
            ("sa.pub.der", "sa.pub", "sa.pub.der", "sa.pub"),
            ("a.pem", "a.pem", "a.der", "a.pem.pub"),
            ("a.der", "a.pem", "a.der", "a.pub"),
            ("a.P12", "a.pem", "a.der", "a.P12.pub"),
            ("admin.conf", "admin.conf.pem", "admin.conf.der", "admin.conf.pub"),
            ("x.d/file", "x.d/file.pem", "x.d/file.der", "x.d/file.pub"),
            (".hidden", ".hidden.pem", ".hidden.der", ".hidden.pub"),
        ] {
            assert_eq!((pem(path).as_str(), der(path).as_str()), (in_pem, in_der), "{path}");
            assert_eq!(public(path), in_public, "{path}");
        }
        assert_eq!(part("d/bundle.crt", 2, "crt"), "d/bundle-2.crt");
        assert_eq!(part("ca.crt.der", 1, "crt"), "ca-1.crt");
        assert_eq!(part("kubelet-client-current", 1, "key"), "kubelet-client-current-1.key");
    }

    /// From PEM to DER and back everything is called as before.
    #[test]
    fn names_come_back() {
        for path in ["ca.crt", "ca.key", "sa.pub", "x.csr", "root.crl", "a.pem"] {
            assert_eq!(pem(&der(path)), path);
        }
    }
}
