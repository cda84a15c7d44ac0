//! What a tree's files say of each other.

use std::path::PathBuf;

use super::expected::{ETCD_CRL_DER, Expected};
use super::facts::{IssuerLink, leads_to};
use super::found::Found;
use super::item::{Kind, Reading};
use super::object::ParsedObject;
use super::request::Request;
use super::revoked::{self as lists, SharedCrls};
use super::shared;
use super::unreadable::Unreadable;
use crate::blueprint::ExtendedKeyUsage::ServerAuth;
use crate::catalog::CaId;
use crate::catalog::paths::SIGNER_ENTRY;
use crate::files::shell_path;

/// By each authority's CRL, and of a node in a cluster directory also the shared one, whichever is newer.
pub fn revoked(found: &mut [Found], request: &Request<'_>, shared: &SharedCrls) {
    for authority in CaId::ALL {
        let crls = found.iter_mut().filter(|one| one.is_crl_of(authority));
        let own: Vec<Vec<u8>> = crls.flat_map(|one| &mut one.objects).filter_map(|object| object.der.take()).collect();
        let shared = request.shared_file(authority, "crl").map(|path| shared.read(authority, &path));
        let issuer = found.iter().find(|one| {
            one.expected.kind == Kind::Authority && one.expected.name == authority.name() && one.is_there()
        });
        let path = issuer.map(|one| PathBuf::from(&one.path)).or_else(|| request.shared_file(authority, "crt"));
        let ders = || own.iter().chain(shared.iter().flat_map(|shared| shared.iter()));
        if let (Some(path), Some(_)) = (path, ders().next())
            && let Some(issuers) = lists::bundle(&path)
        {
            // While an authority is being replaced the old one and the new one have a list each.
            for issuer in &issuers {
                lists::mark(issuer, ders(), found.iter_mut().flat_map(|one| &mut one.objects));
            }
            let crls = found.iter_mut().filter(|one| one.is_crl_of(authority)).flat_map(|one| &mut one.objects);
            // In the order in which they were taken out.
            for (object, der) in crls.filter(|object| object.was_kept).zip(&own) {
                let mut refused = issuers.iter().map(|issuer| lists::refused(issuer, der));
                let first = refused.next().flatten();
                if let Some(why) = first.filter(|_| refused.all(|one| one.is_some())) {
                    object.reading = Reading::Unreadable(why.into());
                }
            }
        }
    }
}

/// Certificates whose authority is here and did not sign them, directly or through intermediates in their own file.
pub fn wrong_issuers(found: &mut [Found]) {
    for authority in CaId::ALL {
        let own =
            found.iter().find(|one| one.expected.kind == Kind::Authority && one.expected.name == authority.name());
        let own: Vec<IssuerLink> = own.iter().flat_map(|one| &one.objects).filter_map(|one| one.link.clone()).collect();
        let signed = found.iter_mut().filter(|one| one.expected.authority == Some(authority) && !own.is_empty());
        for one in signed {
            let Some(entry) = one.expected.entry else { continue };
            let embedded = one.objects.iter().filter(|object| object.kind != Kind::KubeconfigAuthority);
            let links: Vec<&IssuerLink> = embedded.filter_map(|object| object.link.as_ref()).collect();
            let Some((leaf, intermediates)) = links.split_first() else { continue };
            // A server's certificate of another authority is for its clients to trust; the kubelet may sign its own.
            let has_to = own.iter().any(|authority| authority.is_named_by(leaf)) || !entry.usages.contains(&ServerAuth);
            let wrong = has_to && !leads_to(leaf, intermediates, &own);
            if let Some(Reading::Certificate(facts)) = one.objects.first_mut().map(|object| &mut object.reading) {
                facts.wrong_issuer = wrong;
            }
        }
    }
}

/// Kubeconfigs whose CA data is not all of ca.crt: as `kubeadm certs renew` leaves them below an intermediate CA, or another
/// cluster's. One without CA data trusts the system's authorities. And a ca-signer.crt that is not the certificate that signs alone.
pub fn unlike_ca(found: &mut [Found]) {
    let prints = |objects: &[ParsedObject], is_wanted: &dyn Fn(&ParsedObject) -> bool| -> Vec<[u8; 32]> {
        let of = |object: &ParsedObject| match &object.reading {
            Reading::Certificate(facts) => Some(facts.fingerprint),
            _ => None,
        };
        objects.iter().filter(|object| is_wanted(object)).filter_map(of).collect()
    };
    let ca = found.iter().find(|one| one.expected.name == CaId::Cluster.name());
    let own = ca.map(|ca| prints(&ca.objects, &|_| true)).unwrap_or_default();
    if own.is_empty() {
        return;
    }
    for one in found {
        let differs = match one.expected.kind {
            Kind::Kubeconfig => {
                let is_data = |object: &ParsedObject| {
                    object.kind == Kind::KubeconfigAuthority && object.within.as_deref() == Some(CaId::Cluster.name())
                };
                let data = prints(&one.objects, &is_data);
                !data.is_empty() && !own.iter().all(|print| data.contains(print))
            }
            Kind::Authority if one.expected.name == SIGNER_ENTRY => {
                prints(&one.objects, &|_| true).as_slice() != own.get(..1).unwrap_or_default()
            }
            _ => false,
        };
        if let Some(Reading::Certificate(facts)) = one.objects.first_mut().map(|object| &mut object.reading) {
            facts.differs_from_ca = differs;
        }
    }
}

/// Authorities that are one, and copies of the cluster directory's that are others.
pub fn authorities(found: &mut [Found], request: &Request<'_>) {
    let mut all: Vec<(CaId, bool, &mut Vec<ParsedObject>)> = Vec::new();
    for one in found.iter_mut().filter(|one| one.expected.kind == Kind::Authority) {
        all.extend(CaId::parse(&one.expected.name).map(|id| (id, one.expected.entry.is_some(), &mut one.objects)));
    }
    shared::mark_one(&mut all);
    for (id, _, objects) in all.iter_mut().filter(|(_, is_entry, _)| *is_entry) {
        if let Some(path) = request.shared_file(*id, "crt") {
            shared::mark_copy(objects, &path);
        }
    }
}

/// The CRL that etcd reads from 3.6 on is a copy of ca.crl: as long as it is one, it is no item of its own. Where there is none, that
/// is worth a note: nothing shows whether this etcd reads it.
pub fn etcd_der(found: &mut Vec<Found>, request: &Request<'_>) -> Option<String> {
    let of = |found: &[Found], wanted: &dyn Fn(&Expected) -> bool| {
        found
            .iter()
            .find(|one| wanted(&one.expected))
            .and_then(|one| Some((one.path.clone(), one.objects.first()?.clone())))
    };
    let is_der = |expected: &Expected| expected.name == ETCD_CRL_DER;
    let (path, copy) = of(found, &is_der)?;
    let list = of(found, &|expected| {
        expected.kind == Kind::Crl && expected.authority == Some(CaId::Etcd) && !is_der(expected)
    });
    let list = list.map(|(_, list)| list).filter(|list| matches!(list.reading, Reading::Crl(_)));
    if list.is_none() || matches!(copy.reading, Reading::Unreadable(_)) {
        // Alone it is what there is.
        found.retain(|one| !is_der(&one.expected) || one.is_there());
        return None;
    }
    if copy.reading == Reading::Missing {
        found.retain(|one| !is_der(&one.expected));
        let dir = request.cluster_dir.as_ref().unwrap_or(&request.root).display().to_string();
        return Some(format!(
            "{path} does not exist, and etcd reads nothing else from 3.6 on: kpki crl update etcd-ca --dir {}",
            shell_path(&dir)
        ));
    }
    // Of several lists it is one.
    let is_list = |one: &Found| {
        one.expected.kind == Kind::Crl && one.expected.authority == Some(CaId::Etcd) && !is_der(&one.expected)
    };
    let lists = found.iter().filter(|one| is_list(one)).flat_map(|one| &one.objects);
    if lists.into_iter().any(|list| (&list.reading, &list.der) == (&copy.reading, &copy.der)) {
        found.retain(|one| !is_der(&one.expected));
    } else if let Some(one) = found.iter_mut().find(|one| is_der(&one.expected)) {
        one.objects = vec![ParsedObject::broken(Kind::Crl, 0, Unreadable::OtherCrl)];
    }
    None
}
