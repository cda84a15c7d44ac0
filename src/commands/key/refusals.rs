//! What cannot be encrypted or decrypted, all at once, with the way out.

use super::held::Held;
use super::request::Request;
use crate::error::Error;
use crate::files::shell_path;
use crate::tree::Origin;
use crate::workspace::Session;
use crate::workspace::key_places::{KeyPlace, PlainReader, plain_reader};

/// Where a node reads the file, it stays plain.
pub fn refuse_readers(session: &Session<'_>) -> Result<(), Error> {
    let dir = session.target.root.display();
    Err(match plain_reader(session) {
        None => return Ok(()),
        Some(PlainReader::Node) => Error::new(format!("{dir} is one node's own tree: its keys stay plain"))
            .because("kube-controller-manager and kubeadm read pki/ca.key in plain")
            .hint("keep the authorities' keys in a cluster directory with caKeys: none, and only certificates on nodes")
            .hint("or name a key that is elsewhere in the profile: authorities.NAME.key, signer or issuer"),
        Some(PlainReader::Copies) => Error::new(format!("{dir} gives its nodes the authorities' keys, which stay plain"))
            .because("kube-controller-manager and kubeadm read an authority's key in plain, and the profile does not say caKeys: none")
            .hint("say caKeys: none in the profile, record it with kpki init, and remove nodes/NODE/pki/ca.key, front-proxy-ca.key and etcd/ca.key"),
    })
}

/// Of those that are named. `all`: others are passed over. `is_meant`: of keys that the profile has elsewhere.
pub fn refuse_places(
    request: &Request,
    session: &Session<'_>,
    all: &[Held],
    is_meant: fn(&Held) -> bool,
) -> Result<(), Error> {
    let mut refused = Vec::new();
    let is_all = request.authorities.is_empty();
    for held in all.iter().filter(|held| request.is_named(held.authority)) {
        let name = held.authority.name();
        match &held.place {
            KeyPlace::Plain | KeyPlace::Encrypted => {}
            _ if is_all || is_meant(held) => {}
            KeyPlace::Missing => refused.push(format!("there is no {name} here")),
            KeyPlace::External => refused.push(format!("{name} has no key here: its authority is external")),
            other => refused.push(format!(
                "the key of {name} is not in this directory: {} {}",
                other.name(),
                other.at().unwrap_or_default()
            )),
        }
    }
    let is_here = |held: &Held| matches!(held.place, KeyPlace::Plain | KeyPlace::Encrypted) || is_meant(held);
    if is_all && !all.iter().any(is_here) {
        refused.push("no authority has its key here".to_owned());
    }
    if refused.is_empty() {
        return Ok(());
    }
    let origin = &session.target.origin;
    let error = Error::new(format!("{} has no such key: nothing was changed", session.target.root.display()));
    let error = refused.into_iter().fold(error, Error::because);
    Err(error.hint(format!("see where each key is: {}", origin.command("key list", &[""; 0], &[]))))
}

/// Files of the tree that would hold the key in plain beside the encrypted one.
pub fn refuse_strays(session: &Session<'_>, named: &[&Held]) -> Result<(), Error> {
    let roots = &session.tree.roots;
    let strays: Vec<String> = named
        .iter()
        .flat_map(|held| &held.strays)
        .map(|file| roots.path_of(file.root, &file.path).display().to_string())
        .collect();
    if strays.is_empty() {
        return Ok(());
    }
    let error = Error::new("the key would stay in plain in other files of the tree: nothing was changed");
    let error = strays.iter().fold(error, |error, path| error.because(format!("{path} holds it")));
    Err(error.hint(format!(
        "if no node needs them, remove them: rm {}",
        strays.iter().map(|path| shell_path(path).to_string()).collect::<Vec<_>>().join(" ")
    )))
}

/// A key that is not the certificate's is no authority's key.
pub fn another_key(held: &Held, origin: &Origin) -> Error {
    Error::new(format!("{} is not the key of {}'s certificate: nothing was changed", held.path, held.authority.name()))
        .hint(format!("see what is wrong: {}", origin.command("check-expiration", &[""; 0], &[])))
}
