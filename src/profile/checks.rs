//! What can only be judged with the whole profile at hand. Refusals that concern nodes or extra certificates alone are made
//! where those are read.

use super::fields::Reading;
use super::model::{CaKeys, Etcd, NodeRole, Profile};
use super::problem::Mismatch;
use super::signing::Signing;
use super::threshold::Threshold;
use crate::blueprint::San;
use crate::catalog::{self, CaId, ENTRIES};
use crate::clock::Span;

pub fn run(profile: &Profile, reading: &mut Reading) {
    renewal(profile, reading);
    lifetimes(profile, reading);
    endpoint(profile, reading);
    external_etcd(profile, reading);
    signing(profile, reading);
    issued_names(profile, reading);
}

fn renewal(profile: &Profile, reading: &mut Reading) {
    max_age(profile, reading);
    let Threshold::Left(before) = profile.renewal.before else { return };
    let line = |field: &str| match reading.has(field) {
        true => format!(", line {}", reading.place(field).line),
        false => String::new(),
    };
    let mut refused = Vec::new();
    if before >= profile.validity {
        let (validity, line) = (profile.validity, line("certificateValidityPeriod"));
        let expected = format!("less than certificateValidityPeriod ({validity}{line})");
        refused.push(("renewal.before".to_owned(), Mismatch::new(expected, before.to_string())));
    }
    let certificates = certificates(profile).into_iter();
    for (path, validity) in certificates.filter_map(|(path, _, stated)| Some((path, stated?))) {
        if validity <= before {
            let expected = format!("more than renewal.before ({before}{})", line("renewal.before"));
            refused.push((path, Mismatch::new(expected, format!("{validity}: it would always be due"))));
        }
    }
    for (path, why) in refused {
        reading.problem(&path, why);
    }
}

/// A certificate that is due before it is as old.
fn max_age(profile: &Profile, reading: &mut Reading) {
    let Some(most) = profile.renewal.max_age else { return };
    let (before, validity) = (profile.renewal.before, profile.validity);
    let seconds = |span: Span| i64::try_from(span.as_seconds()).unwrap_or(i64::MAX);
    let due = seconds(validity).saturating_sub(before.seconds(seconds(validity)));
    if seconds(most.0) >= due {
        let most = most.0;
        let text = format!(
            "without effect: certificates ({validity}) are due by renewal.before ({before}) before they are {most} old"
        );
        reading.warn("renewal.maxAge", text);
    }
}

/// Certificates that would outlive their CA: they are shortened, so that the profile's validity does not hold.
fn lifetimes(profile: &Profile, reading: &mut Reading) {
    let ca = |authority| profile.authorities.get(&authority).and_then(|options| options.validity);
    if profile.validity > profile.ca_validity {
        reading.warn(
            first_there(&["certificateValidityPeriod", "caCertificateValidityPeriod"], reading),
            format!(
                "certificates ({}) would outlive their CA ({}) and end with it",
                profile.validity, profile.ca_validity
            ),
        );
    } else {
        for authority in CaId::ALL {
            if let Some(validity) = ca(authority).filter(|validity| profile.validity > *validity) {
                reading.warn(
                    &format!("authorities.{}.validity", authority.name()),
                    format!("certificates ({}) would outlive this CA ({validity}) and end with it", profile.validity),
                );
            }
        }
    }
    for (path, signer, stated) in certificates(profile) {
        let ca_validity = ca(signer).unwrap_or(profile.ca_validity);
        if let Some(validity) = stated.filter(|validity| *validity > ca_validity) {
            reading.warn(
                &path,
                format!(
                    "a certificate of {validity} would outlive its CA {} ({ca_validity}) and ends with it",
                    signer.name()
                ),
            );
        }
    }
}

/// Field, signer and own validity of every certificate that has options in the profile.
fn certificates(profile: &Profile) -> Vec<(String, CaId, Option<Span>)> {
    let entries = profile.certificates.iter().filter_map(|(name, options)| {
        let signer = catalog::find(name)?.signer?;
        Some((format!("certificates.{name}.validity"), signer, options.validity))
    });
    let extra = profile.extra_certificates.iter().enumerate();
    let extra = extra.filter_map(|(i, extra)| {
        Some((format!("extraCertificates[{i}].validity"), extra.authority.in_tree()?, extra.validity))
    });
    entries.chain(extra).collect()
}

fn first_there<'a>(fields: &[&'a str], reading: &Reading) -> &'a str {
    fields.iter().copied().find(|field| reading.has(field)).unwrap_or("")
}

fn endpoint(profile: &Profile, reading: &mut Reading) {
    let control_planes = profile.nodes.iter().filter(|node| node.is(NodeRole::ControlPlane)).count();
    if control_planes > 1 && profile.control_plane_endpoint.is_none() {
        reading.warn(
            "nodes",
            format!(
                "{control_planes} control-plane nodes without controlPlaneEndpoint: \
                 clients reach only the node they are given"
            ),
        );
    }
}

/// Options of certificates that external etcd leaves to others.
fn external_etcd(profile: &Profile, reading: &mut Reading) {
    if matches!(profile.etcd, Etcd::Local { .. }) {
        return;
    }
    let unused = "unused: with etcd.external the certificates of etcd are made elsewhere";
    if profile.authorities.contains_key(&CaId::Etcd) {
        reading.warn("authorities.etcd-ca", unused);
    }
    for entry in ENTRIES.iter().filter(|entry| entry.etcd && profile.certificates.contains_key(entry.name)) {
        reading.warn(&format!("certificates.{}", entry.name), unused);
    }
}

/// What answers at the cluster's address has a certificate of its CA, or no component trusts it.
fn issued_names(profile: &Profile, reading: &mut Reading) {
    let Some(endpoint) = &profile.control_plane_endpoint else { return };
    let is_its = |name: &San| match (name, &endpoint.host) {
        (San::Dns(name), San::Dns(host)) => {
            name == host
                || (name.strip_prefix('*')).is_some_and(|rest| {
                    host.split_once('.').is_some_and(|(_, parent)| rest.strip_prefix('.') == Some(parent))
                })
        }
        (name, host) => name == host,
    };
    for (at, extra) in profile.extra_certificates.iter().enumerate().filter(|(_, extra)| extra.issuer.is_some()) {
        let by_name = extra.common_name == endpoint.host.to_string();
        if let Some(name) = extra.sans.iter().find(|name| is_its(name)).or(by_name.then_some(&endpoint.host)) {
            reading.refuse(
                &format!("extraCertificates[{at}].issuer"),
                "names other than controlPlaneEndpoint's: components of the cluster trust nothing but its own CA there",
                name.to_string(),
            );
        }
    }
}

/// kube-controller-manager and kubeadm read ca.key in plain: a key that is no plain file of the tree is on no node.
fn signing(profile: &Profile, reading: &mut Reading) {
    if profile.ca_keys == CaKeys::Nowhere {
        return;
    }
    for (authority, options) in &profile.authorities {
        let own = options.signing.as_ref().map(Signing::field);
        for field in own.into_iter().chain(options.next.is_some().then_some("next")) {
            reading.refuse(
                &format!("authorities.{}.{field}", authority.name()),
                "caKeys: none beside it, since kube-controller-manager and kubeadm read an authority's key in plain",
                format!("caKeys: {}", profile.ca_keys.name()),
            );
        }
    }
}
