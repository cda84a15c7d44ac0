//! Below another authority, the new one is signed by that: its key is made here, and a request waits for its certificate.

use super::super::born::Born;
use super::super::context::{Context, Planned};
use super::super::request::PrepareOptions;
use super::again;
use crate::ca::{self, Signer};
use crate::catalog::CaId;
use crate::error::Error;
use crate::files::shell_path;
use crate::plan::rotate::Successor;
use crate::store::RootId;
use crate::tree::rotation::{KeyPlace, Rotating};
use crate::workspace::rotation::record::{self, Kept};
use crate::x509::Certificate;

/// A key that waits is used again: a request that was sent to an authority must not lose its key.
pub(super) fn add(
    context: &Context<'_>,
    options: &PrepareOptions,
    (id, born): (CaId, Born),
    old: &Certificate,
    successor: &Successor,
    planned: &mut Planned,
) -> Result<(), Error> {
    let (rotating, roots) = (Rotating::Authority(id), &context.session.tree.roots);
    let (root, path) = record::request_path(rotating)?;
    let shown = roots.path_of(root, &path).display().to_string();
    let waiting = record::key(roots, rotating, Kept::Next)?.map(|pem| context.opened(rotating, &pem)).transpose()?;
    if let Some(key) = waiting.as_ref().filter(|key| options.algorithm.is_some_and(|wanted| key.algorithm() != wanted))
    {
        let files = [record::key_path(rotating, Kept::Next)?, path.clone()];
        let files = files.map(|path| shell_path(roots.path_of(RootId::State, &path)));
        return Err(Error::new(format!("a key of {} waits for its certificate: {shown}", key.algorithm()))
            .hint(format!("leave --algorithm out; or, if nobody signs it any more: rm {}", files.join(" "))));
    }
    let is_kept = waiting.is_some() || born.is_elsewhere();
    if !is_kept || record::request(roots, rotating)?.is_none() {
        let (signer, place): (Box<dyn Signer>, _) = match waiting {
            Some(key) => (Box::new(key), None),
            None => {
                let (signer, place) = born.signer(context, (id, old), successor.algorithm, planned)?;
                (signer, Some(place))
            }
        };
        let request = ca::request(&successor.blueprint, &*signer)?;
        if let (Some(KeyPlace::Here), Some(key)) = (place, signer.private_key()) {
            planned.own.push(record::key_change(rotating, Kept::Next, context.kept(rotating, key)?)?);
        }
        planned.own.push(record::request_change(rotating, request.pem)?);
    }
    let wanted = PrepareOptions { new_ca: Some("FILE".into()), ..PrepareOptions::default() };
    planned.left.push(format!(
        "{rotating} was signed by {}: have {shown} signed there, with what stands above it in one file, then: {}",
        old.issuer,
        again::one(context, &wanted, rotating)
    ));
    Ok(())
}
