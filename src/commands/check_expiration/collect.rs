//! STAND-IN, until `inventory` reads trees itself: a kubernetes directory by the catalogue, nothing else.

use crate::catalog::{Authority, ENTRIES, Entry, Files};
use crate::commands::survey;
use crate::error::Error;
use crate::files::{self, Dir, FileError, RelPath};
use crate::inventory::{Attributes, CertificateFacts, Item, Kind, Reading, Tree};
use crate::kubeconfig::{self, Credentials};
use crate::x509::{Certificate, parse_pem_bundle};

use super::targets::Target;

pub fn collect(target: &Target) -> Result<Vec<Tree>, Error> {
    let Some(dir) = survey::open(&target.root)? else {
        return Err(FileError::new(files::Op::Open, &target.root, files::Kind::Missing).into());
    };
    let root = target.root.display().to_string();
    let ends = |authority: Authority| {
        let path = format!("pki/{}.crt", authority.stem());
        match certificate(&dir, &path, false) {
            Reading::Certificate(facts) => Some(facts.not_after),
            _ => None,
        }
    };
    let has = |path: &str| bytes(&dir, path).is_ok_and(|bytes| bytes.is_some());
    let items: Vec<Item> = ENTRIES
        .iter()
        .filter_map(|entry| {
            let (path, kind) = match entry.files {
                Files::Pair(stem) if entry.authority().is_some() => (format!("pki/{stem}.crt"), Kind::Authority),
                Files::Pair(stem) => (format!("pki/{stem}.crt"), Kind::Certificate),
                Files::Kubeconfig(name) => (name.to_owned(), Kind::Kubeconfig),
                Files::KubeletPair(stem) => (format!("kubelet/{stem}.crt"), Kind::Certificate),
                Files::KeyPair(_) => return None,
            };
            let outside = target.kubelet_dir.as_ref().filter(|_| matches!(entry.files, Files::KubeletPair(_)));
            let mut reading = match outside.map(|outside| (outside, survey::open(outside))) {
                None => certificate(&dir, &path, kind == Kind::Kubeconfig),
                Some((_, Ok(Some(outside)))) => certificate(&outside, "kubelet.crt", false),
                Some((_, Ok(None))) => Reading::Missing,
                Some((_, Err(error))) => Reading::Unreadable(error.to_string()),
            };
            if let (Reading::Certificate(facts), Some(signer)) = (&mut reading, entry.signer) {
                facts.issuer_not_after = ends(signer);
            }
            let signer = entry.signer.or(entry.authority());
            let key = signer.map(|signer| format!("pki/{}.key", signer.stem()));
            Some(Item {
                name: entry.name.to_owned(),
                path: outside.map_or(format!("{root}/{path}"), |outside| format!("{}/kubelet.crt", outside.display())),
                kind,
                position: 0,
                authority: entry.signer,
                optional: optional(entry, has("pki/etcd/ca.crt")),
                externally_managed: key.is_some_and(|key| !has(&key)),
                reading,
            })
        })
        .collect();
    let items = if items.iter().all(|item| item.reading == Reading::Missing) { Vec::new() } else { items };
    let cluster = target.profile.as_ref().map(|profile| profile.cluster_name.clone());
    Ok(vec![Tree { root, cluster, node: target.node.clone(), items }])
}

fn optional(entry: &Entry, etcd: bool) -> bool {
    ["super-admin.conf", "kubelet.conf", "kubelet-serving"].contains(&entry.name) || (entry.etcd && !etcd)
}

fn bytes(dir: &Dir, path: &str) -> Result<Option<Vec<u8>>, Error> {
    Ok(match files::read(dir, &RelPath::parse(path)?, 4 << 20)? {
        files::Found::Missing => None,
        files::Found::File { bytes, .. } => Some(bytes.to_vec()),
    })
}

fn certificate(dir: &Dir, path: &str, embedded: bool) -> Reading {
    let bytes = match bytes(dir, path) {
        Ok(None) => return Reading::Missing,
        Ok(Some(bytes)) => bytes,
        Err(error) => return Reading::Unreadable(error.what),
    };
    let pem = match embedded {
        false => bytes,
        true => match kubeconfig::read(&bytes) {
            Ok(kubeconfig::Read { credentials: Credentials::Embedded { certificate, .. }, .. }) => certificate,
            Ok(_) => return Reading::Unreadable("its certificate is in another file".to_owned()),
            Err(error) => return Reading::Unreadable(error.to_string()),
        },
    };
    match parse_pem_bundle(&pem) {
        Err(error) => Reading::Unreadable(error.to_string()),
        Ok(bundle) => match bundle.first() {
            None => Reading::Unreadable("no certificate in it".to_owned()),
            Some(certificate) => Reading::Certificate(Box::new(facts(certificate))),
        },
    }
}

fn facts(certificate: &Certificate) -> CertificateFacts {
    let cn = |name: &crate::blueprint::Name| Attributes {
        cn: name.common_name().unwrap_or_default(),
        ..Attributes::default()
    };
    CertificateFacts {
        subject: certificate.subject.to_string(),
        issuer: certificate.issuer.to_string(),
        subject_attributes: cn(&certificate.subject),
        issuer_attributes: cn(&certificate.issuer),
        sans: certificate.sans.iter().map(ToString::to_string).collect(),
        usages: certificate.extended_key_usages.iter().map(|usage| format!("{usage:?}")).collect(),
        is_ca: certificate.is_ca,
        serial: certificate.serial_hex().to_lowercase(),
        serial_decimal: certificate
            .serial
            .iter()
            .fold(0_u128, |n, byte| n.wrapping_mul(256) + u128::from(*byte))
            .to_string(),
        algorithm: certificate.key.to_string(),
        fingerprint: certificate.fingerprint,
        not_before: certificate.not_before,
        not_after: certificate.not_after,
        issuer_not_after: None,
    }
}
