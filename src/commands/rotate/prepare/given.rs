//! `--new-ca FILE`: a new authority that was made elsewhere, with its key (`--new-key`), for a key that waits here, or without one.

use std::path::Path;

use super::super::born::Born;
use super::super::context::Context;
use super::super::request::PrepareOptions;
use super::{again, ready};
use crate::ca::PrivateKey;
use crate::catalog::CaId;
use crate::error::Error;
use crate::files::{self, FileState, shell_path};
use crate::plan::rotate::{Objection, Waits, judge};
use crate::tree::rotation::Rotating;
use crate::workspace::rotation::record::{self, Kept};
use crate::workspace::survey;
use crate::x509::{Certificate, parse_authority};

/// A file of certificates larger than this is not one.
const LARGEST: u64 = 4 << 20;

/// What was given.
pub(super) struct Given {
    /// The new authority, then what stands above it.
    pub certificates: Vec<Certificate>,
    /// Of `--new-key`.
    pub key: Option<PrivateKey>,
    /// Its key waited here.
    pub waited: bool,
    pub warning: Option<String>,
}

/// The certificates in a file.
pub(super) fn certificates(path: &Path) -> Result<Vec<Certificate>, Error> {
    let bytes = survey::input(path, LARGEST)?;
    parse_authority(&bytes).map_err(|why| {
        Error::new(format!("cannot use {}", path.display()))
            .because(why)
            .hint("give the new authority's certificate in PEM, then what stands above it, and no key")
    })
}

/// # Errors
/// Everything that speaks against it as the new authority.
pub(super) fn read(
    context: &Context<'_>,
    options: &PrepareOptions,
    (id, born): (CaId, &Born),
    path: &Path,
    old: &[Certificate],
) -> Result<Given, Error> {
    files::trusted(path)?;
    let certificates = certificates(path)?;
    let (rotating, roots) = (Rotating::Authority(id), &context.session.tree.roots);
    let leaves = ready::leaves(context, id);
    let waits = Waits::of(context.session.profile());
    let objections = judge(&certificates, old, &leaves, waits, context.request.run.now);
    let refused =
        || Error::new(format!("cannot rotate {rotating} to the authority in {}: nothing was written", path.display()));
    if !objections.is_empty() {
        let hint = hint(context, rotating, &objections);
        return Err(objections.iter().fold(refused(), Error::because).hint(hint));
    }
    let fits = |key: &PrivateKey| certificates.first().is_some_and(|one| key.matches(one));
    let mut given = Given { certificates: certificates.clone(), key: None, waited: false, warning: None };
    let waiting = record::key(roots, rotating, Kept::Next)?.map(|pem| context.opened(rotating, &pem)).transpose()?;
    match (&options.new_key, waiting) {
        (Some(file), _) => {
            let key = private(file)?;
            if !fits(&key) {
                return Err(refused()
                    .because(format!("the key in {} is not its key", file.display()))
                    .hint("give the key that belongs to the certificate"));
            }
            given.key = Some(key);
        }
        (None, Some(key)) if fits(&key) => given.waited = true,
        (None, Some(_)) => {
            let (root, request) = record::request_path(rotating)?;
            let request = roots.path_of(root, &request).display().to_string();
            return Err(refused()
                .because(format!("it is not for the key that waits here, which {request} is about"))
                .hint("give the certificate that was made for this request; or the key of the given one with --new-key KEY"));
        }
        (None, None) if certificates.first().is_some_and(|one| born.source_of(one).is_some()) => {}
        (None, None) if context.authority(id)?.is_local() => {
            given.warning = Some(format!(
                "the key of the new {rotating} is not here: it will be an external authority, and the switch will leave requests for \
                 it; if the key can be here, take this back and give it with --new-key KEY: {}",
                context.session.target.origin.command("rotate back", &[rotating.name()], &[])
            ));
        }
        (None, None) => {}
    }
    Ok(given)
}

fn hint(context: &Context<'_>, rotating: Rotating, objections: &[Objection]) -> String {
    let origin = &context.session.target.origin;
    if objections.contains(&Objection::SameKey) {
        return format!("renew it with its key: {}", origin.command("renew", &[rotating.name()], &[]));
    }
    let wanted = PrepareOptions { new_ca: Some("FILE".into()), ..PrepareOptions::default() };
    format!(
        "have a new one made that fits, with what stands above it behind it, as FILE: {}",
        again::one(context, &wanted, rotating)
    )
}

/// Its key; nobody but its owner may read or write it.
fn private(path: &Path) -> Result<PrivateKey, Error> {
    files::trusted(path)?;
    if let FileState::File { mode, .. } = files::read_input(path, LARGEST)?
        && mode & 0o077 != 0
    {
        let mode = mode & 0o777;
        return Err(Error::new(format!("others can read the key in {}", path.display()))
            .because(format!("expected a file for its owner alone, found mode {mode:04o}"))
            .hint(format!("if nobody has read it, mend it: chmod 600 {}", shell_path(path))));
    }
    survey::key(path)
}
