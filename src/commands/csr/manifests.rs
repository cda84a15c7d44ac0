//! Requests as manifests for cert-manager.

use super::wanted::Wanted;
use crate::error::Error;
use crate::plan::certificate_request::{self, Asked, Issuer};
use crate::workspace::requests::Made;

/// One document for each request, those that waited already too.
pub fn manifests(made: &[Made], wanted: &[Wanted], issuer: &Issuer) -> Result<String, Error> {
    let mut documents = Vec::with_capacity(made.len());
    for one in made {
        let of_it = wanted.iter().find(|wanted| wanted.id == one.id);
        let Some(template) = of_it.and_then(|wanted| wanted.template.as_ref().ok()) else { continue };
        let asked = Asked { id: &one.id, request: &one.request, lifetime: template.lifetime };
        let manifest = certificate_request::manifest(asked, issuer).map_err(|why| {
            Error::new(why.to_string()).hint("leave it out, and have the owner of its authority sign the .csr file")
        })?;
        documents.push(manifest);
    }
    Ok(documents.join("---\n"))
}
