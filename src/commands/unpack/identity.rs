//! Whose archive it is, and which node this is.

use super::contents::Contents;
use super::request::Request;
use crate::error::{self, Error};
use crate::files::shell_path;
use crate::plan::node::names_one;

/// Refuses an archive of another node.
pub fn check(request: &Request, contents: &Contents) -> Result<(), Error> {
    let (named, hostname) = match (&request.node, &request.hostname) {
        (Some(node), _) => (node, false),
        (None, Some(name)) => (name, true),
        (None, None) => {
            let dir = shell_path(&request.dir);
            return Err(Error::usage("this machine has no host name")
                .hint(format!("give the node's: kpki unpack FILE --node NODE --dir {dir}")));
        }
    };
    match names_one(&contents.manifest.node, named, hostname) {
        true => Ok(()),
        false => Err(error::archive_of_another_node(&request.input.to_string(), &contents.manifest.node, named)),
    }
}
