//! The new key of service accounts: sa.pub trusts both, and the old one goes on signing tokens.

use super::super::context::{Context, Planned, public_keys};
use super::super::request::PrepareOptions;
use super::authority::{self, New};
use crate::blueprint::Algorithm;
use crate::ca::PrivateKey;
use crate::catalog;
use crate::error::Error;
use crate::plan::blueprints;
use crate::plan::item::What;
use crate::plan::rotate::Trusted;
use crate::report::rotate as report;
use crate::tree::rotation::{Identity, Phase, Rotating};
use crate::workspace::rotation::change::{Content, Target};
use crate::workspace::rotation::journal;

pub(super) fn add(context: &Context<'_>, options: &PrepareOptions, planned: &mut Planned) -> Result<(), Error> {
    let rotating = Rotating::ServiceAccount;
    let missing = || Error::new("sa.key is not here").hint("rotate it where the key is");
    let old_key = PrivateKey::from_pem(context.key(rotating)?.ok_or_else(missing)?)?;
    let key = context.generate(algorithm(context, options, &old_key))?;
    let identity = |key: &PrivateKey| vec![Identity::of_public_key(&key.spki_der())];
    let (old, new) = (identity(&old_key), identity(&key));
    let kid = |all: &[Identity]| all.first().and_then(|one| one.kid.clone());
    planned.rows.push(report::Row {
        authority: rotating,
        to: Some(Phase::Prepared),
        old: kid(&old).unwrap_or_default(),
        new: kid(&new).filter(|_| context.is_making()),
        ..report::Row::default()
    });
    let content = Content::ServiceAccount(Trusted::both(&public_keys(&old), &public_keys(&new)));
    planned.targets.push(Target { content, key: None });
    let number = journal::last_number(&context.session.tree.roots, &context.record, rotating)?.saturating_add(1);
    authority::record(context, planned, rotating, (number, (old, new)), New::Here(&key), false)
}

/// The kind of key the profile states, or the old one's.
fn algorithm(context: &Context<'_>, options: &PrepareOptions, old: &PrivateKey) -> Algorithm {
    let stated = || {
        let (profile, entry) = (context.session.profile()?, catalog::find("sa")?);
        let algorithm = blueprints::algorithm(profile, entry);
        let is_own = profile.certificates.get(entry.name).is_some_and(|options| options.algorithm.is_some());
        let what = What::ServiceAccount(algorithm);
        (is_own || blueprints::stated(profile, &what).algorithm).then_some(algorithm)
    };
    options.algorithm.or_else(stated).unwrap_or_else(|| old.algorithm())
}
