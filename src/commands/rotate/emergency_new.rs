//! The new authority, or service account key, of an emergency.

use zeroize::Zeroizing;

use super::born::Born;
use super::context::{Context, Planned};
use super::request::EmergencyOptions;
use crate::ca::{self, PrivateKey};
use crate::catalog::CaId;
use crate::error::Error;
use crate::plan::rotate::{self as plan, Wishes};
use crate::tree::rotation::{Identity, KeyPlace, Phase, Rotating, Rotation};
use crate::x509::Certificate;

/// The new one.
pub(super) struct Made {
    pub number: u32,
    /// What is trusted no more.
    pub old: Vec<Identity>,
    pub new: Vec<Identity>,
    /// Its key as the tree keeps it.
    pub key: Option<Zeroizing<Vec<u8>>>,
    pub place: KeyPlace,
}

pub(super) fn new_authority(
    context: &Context<'_>,
    (authority, born): (CaId, Born),
    options: &EmergencyOptions,
    planned: &mut Planned,
) -> Result<Made, Error> {
    let rotating = Rotating::Authority(authority);
    let present = context.authority(authority)?.bundle();
    let identities = |all: &[Certificate]| -> Vec<Identity> { all.iter().map(Identity::of_certificate).collect() };
    // Who signs, then the others of a rotation in progress: all of them are known to whoever has been in this tree.
    let old = match context.record.of(rotating) {
        Some(Rotation { phase: Phase::Prepared, old, new, .. }) => [&old[..], new].concat(),
        Some(Rotation { old, new, .. }) => [&new[..], old].concat(),
        None => identities(&plan::own_part(present)),
    };
    // The name comes after the newest.
    let newest = context.record.of(rotating).and_then(|one| super::context::certificates(&one.new).into_iter().next());
    let signer = newest.as_ref().or(present.first()).ok_or_else(|| {
        Error::new(format!("there is no certificate of {} to replace", authority.name()))
            .hint("restore it from a backup: without it nobody knows whom to trust no more")
    })?;
    let wishes = Wishes { algorithm: options.algorithm, validity: options.validity, keep_subject: false };
    let now = context.request.run.now;
    let successor = plan::authority(authority, signer, context.session.profile(), wishes, now).map_err(|_| {
        Error::new(format!("the new {} cannot be made like the old one", authority.name()))
            .because("it has name constraints that kpki does not write")
            .hint("give the profile with --profile: it says what the authority is to be")
    })?;
    let (signer, place) = born.signer(context, (authority, signer), successor.algorithm, planned)?;
    let new = identities(&[ca::self_sign(&successor.blueprint, &*signer)?.certificate]);
    let own = signer.private_key().filter(|_| place == KeyPlace::Here);
    let key = own.map(|key| context.kept(rotating, key)).transpose()?;
    Ok(Made { number: successor.number, old, new, key, place })
}

pub(super) fn new_key(context: &Context<'_>, options: &EmergencyOptions) -> Result<Made, Error> {
    let present = context.service_account();
    let old: Vec<Identity> = present.iter().map(|spki| Identity::of_public_key(spki)).collect();
    if old.is_empty() {
        return Err(Error::new("there is no sa.pub to replace").hint("make both files anew: kpki init"));
    }
    let present = context.key(Rotating::ServiceAccount)?.and_then(|pem| PrivateKey::from_pem(pem).ok());
    let usual = present.map_or(crate::blueprint::Algorithm::Rsa2048, |key| key.algorithm());
    let key = generate(context, options.algorithm.unwrap_or(usual))?;
    let new = vec![Identity::of_public_key(&key.spki_der())];
    let number = context.record.of(Rotating::ServiceAccount).map_or(1, |one| one.number).saturating_add(1);
    let key = Some(Zeroizing::new(key.to_pem().as_bytes().to_vec()));
    Ok(Made { number, old, new, key, place: KeyPlace::Here })
}

fn generate(context: &Context<'_>, algorithm: crate::blueprint::Algorithm) -> Result<PrivateKey, Error> {
    let mut keys = ca::generate_keys(&[algorithm], context.request.run.threads, &mut |_, _| ())?;
    keys.pop().ok_or_else(|| Error::new("no key was generated").hint("report this as a bug"))
}
