//! Whose archive it is, and which node this is.

use super::contents::Contents;
use super::request::Request;
use crate::error::{self, Error};
use crate::files::{RelPath, shell_path};
use crate::plan::node::names_one;
use crate::store::{RootId, Roots};
use crate::workspace::shipping::manifest::{self, Manifest};
use crate::workspace::state::{self, State};
use crate::workspace::survey;

/// Refuses an archive of another node than that of the command line, that which DIR records, or the host name's. Returns a
/// warning where another one is recorded, and `--force` replaces it.
pub fn check(request: &Request, contents: &Contents, recorded: Option<&State>) -> Result<Option<String>, Error> {
    let (input, given) = (request.input.to_string(), &contents.manifest.node);
    let there = node_there(request, recorded)?;
    let other = there.as_ref().filter(|there| *there != given);
    if let Some(there) = other.filter(|_| !request.force) {
        return Err(error::archive_beside_another_node(&input, given, there, &request.dir));
    }
    let (named, hostname) = match (&request.node, there.as_ref().filter(|_| other.is_none()), &request.hostname) {
        (Some(node), ..) | (None, Some(node), _) => (node, false),
        (None, None, Some(name)) => (name, true),
        (None, None, None) => {
            let dir = shell_path(&request.dir);
            return Err(Error::usage("this machine has no host name")
                .hint(format!("give the node's: kpki unpack FILE --node NODE --dir {dir}")));
        }
    };
    match names_one(given, named, hostname) {
        true => Ok(other.map(|there| {
            format!("{}; replaced all the same (--force)", error::node_there(there, given, &request.dir))
        })),
        false => Err(error::archive_of_another_node(&input, given, named)),
    }
}

/// What DIR records; the archive brings another profile, but the kubelet's directory is known from there alone.
pub fn recorded(request: &Request) -> Result<Option<State>, Error> {
    State::read(&request.dir).map_err(|error| {
        let path = shell_path(request.dir.join(".kpki").join(state::STATE));
        let hint = format!(
            "the archive brings a new one: move it away, and give the kubelet's directory with --kubelet-dir if it is another \
             than the usual one: mv {path} {path}.old"
        );
        // Of a file that somebody else could have written, what it says of itself stands.
        if error.hints.iter().any(|hint| hint.contains("--profile")) { Error { hints: vec![hint], ..error } } else { error }
    })
}

/// The node whose files lie in DIR, as the state or else the manifest there says.
fn node_there(request: &Request, recorded: Option<&State>) -> Result<Option<String>, Error> {
    let noted = recorded.and_then(|state| state.choices.node.clone());
    Ok(noted.or(manifest_there(&Roots::alone(&request.dir))?.map(|manifest| manifest.node)))
}

/// A damaged one says nothing: it is replaced.
pub fn manifest_there(roots: &Roots) -> Result<Option<Manifest>, Error> {
    let bytes = survey::read(roots, RootId::Main, &RelPath::parse(manifest::NAME)?)?;
    Ok(bytes.and_then(|bytes| Manifest::parse(&bytes).ok()))
}
