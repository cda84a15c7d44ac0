//! kpki's own kind: `apiVersion: kpki/v1`, `kind: ClusterProfile`.

use super::configuration::{self, Dialect};
use super::defaults::{EXPIRATION, WAITS};
use super::fields::{Field, Fields, Reading};
use super::model::{CaKeys, Expiration, Profile, Waits};
use super::overrides::Overrides;
use super::{checks, extra, nodes, options, renewal, values, verify};
use crate::encoding::yaml::Node as Document;

/// `None`: no mapping. A profile with problems is complete nevertheless, and must not be used.
pub fn read(document: &Document, overrides: &Overrides, reading: &mut Reading) -> Option<Profile> {
    let mut fields = Field::root(document, reading).fields(reading)?;
    // Both have been read to find out what the document is.
    fields.take("apiVersion", reading);
    fields.take("kind", reading);
    let mut profile = configuration::read(&mut fields, Dialect::Kpki, reading);
    profile.authorities = options::authorities(&mut fields, reading);
    profile.certificates = options::certificates(&mut fields, reading);
    profile.nodes = nodes::read(&mut fields, &profile.etcd, reading);
    profile.extra_certificates = extra::read(&mut fields, &profile.nodes, &profile.etcd, reading);

    let mut kubelet = fields.section("kubelet", reading);
    let serving = kubelet.boolean("serving", reading);
    profile.kubelet_serving = overrides.kubelet_serving.or(serving).unwrap_or(profile.kubelet_serving);
    kubelet.finish(reading);
    let mut controller_manager = fields.section("controllerManager", reading);
    profile.signer_file = controller_manager.boolean("signerFile", reading).unwrap_or(profile.signer_file);
    controller_manager.finish(reading);
    let ca_keys = fields.value("caKeys", reading, |text| values::choice(&CaKeys::ALL, CaKeys::name, text));
    profile.ca_keys = ca_keys.unwrap_or(profile.ca_keys);
    let mut crl = fields.section("crl", reading);
    profile.crl_validity = crl.value("validity", reading, values::duration).unwrap_or(profile.crl_validity);
    crl.finish(reading);
    profile.renewal = renewal::read(&mut fields, reading);
    profile.rotation = rotation(&mut fields, reading);
    (profile.expiration, profile.copies) = expiration(&mut fields, reading);
    profile.verify_ignore = verify::read(&mut fields, reading);
    fields.finish(reading);

    checks::run(&profile, reading);
    Some(profile)
}

fn rotation(fields: &mut Fields<'_>, reading: &mut Reading) -> Waits {
    let mut section = fields.section("rotation", reading);
    let mut wait = |key, default| section.value(key, reading, values::duration).unwrap_or(default);
    let waits = Waits {
        before_switch: wait("waitBeforeSwitch", WAITS.before_switch),
        before_retire: wait("waitBeforeRetire", WAITS.before_retire),
    };
    section.finish(reading);
    waits
}

fn expiration(fields: &mut Fields<'_>, reading: &mut Reading) -> (Expiration, Vec<String>) {
    let mut section = fields.section("expiration", reading);
    let mut threshold = |key, default| section.value(key, reading, values::threshold).unwrap_or(default);
    let expiration = Expiration {
        warning: threshold("warning", EXPIRATION.warning),
        critical: threshold("critical", EXPIRATION.critical),
        ca_warning: threshold("caWarning", EXPIRATION.ca_warning),
        ca_critical: threshold("caCritical", EXPIRATION.ca_critical),
    };
    let copies = section.values("copies", reading, values::absolute_path);
    section.finish(reading);
    (expiration, copies)
}
