//! Old and new certificates against every bundle of every phase, by verifiers that are not ours: OpenSSL and rustls-webpki (Go's is
//! in etcd and kubectl).

use std::path::PathBuf;

use rustls::pki_types::UnixTime;
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage};

use super::components::Files;
use super::wire::{certificates, read, roots};
use crate::site::Site;
use crate::support::{decode_base64, program, run, write};

/// (bundle, what its authority signs, by whom it is shown)
const AUTHORITIES: [(&str, &[(&str, Shown)]); 3] = [
    (
        "pki/ca.crt",
        &[
            ("pki/apiserver.crt", Shown::ByServer),
            ("pki/apiserver-kubelet-client.crt", Shown::ByClient),
            ("admin.conf", Shown::ByClient),
            ("controller-manager.conf", Shown::ByClient),
            ("kubelet.conf", Shown::ByClient),
        ],
    ),
    ("pki/front-proxy-ca.crt", &[("pki/front-proxy-client.crt", Shown::ByClient)]),
    (
        "pki/etcd/ca.crt",
        &[
            ("pki/etcd/server.crt", Shown::ByServer),
            ("pki/etcd/peer.crt", Shown::ByServer),
            ("pki/etcd/peer.crt", Shown::ByClient),
            ("pki/etcd/healthcheck-client.crt", Shown::ByClient),
            ("pki/apiserver-etcd-client.crt", Shown::ByClient),
        ],
    ),
];

#[derive(Debug, Clone, Copy)]
enum Shown {
    ByServer,
    ByClient,
}

/// A node's certificates and bundles at one time.
pub struct Kept {
    place: PathBuf,
    /// Of one authority alone.
    only: Option<&'static str>,
}

impl Kept {
    pub fn of(site: &Site, files: &Files, name: &str) -> Self {
        let place = site.path("kept").join(name);
        for (bundle, leaves) in AUTHORITIES {
            write(place.join(bundle), files.read(bundle));
            for (leaf, _) in leaves {
                write(place.join(leaf).with_extension("crt"), certificate(files, leaf));
            }
        }
        Self { place, only: None }
    }

    /// What is of the authority with this bundle alone.
    pub fn of_one(&self, bundle: &'static str) -> Self {
        Self { place: self.place.clone(), only: Some(bundle) }
    }

    /// Whether the certificates are the same.
    pub fn has_certificates_of(&self, other: &Self) -> bool {
        let leaves = AUTHORITIES.iter().flat_map(|(_, leaves)| leaves.iter());
        leaves
            .map(|(leaf, _)| PathBuf::from(leaf).with_extension("crt"))
            .all(|leaf| read(&self.place.join(&leaf)) == read(&other.place.join(&leaf)))
    }

    /// Whether every leaf that is kept here is accepted by who holds each bundle of these.
    #[track_caller]
    pub fn are_accepted(&self, bundles: &[(&Self, bool)]) {
        for (with, wanted) in bundles {
            let own = |bundle: &str| self.only.is_none_or(|only| only == bundle);
            for (bundle, leaves) in AUTHORITIES.into_iter().filter(|(bundle, _)| own(bundle)) {
                let bundle = with.place.join(bundle);
                for (leaf, shown) in leaves {
                    let leaf = self.place.join(leaf).with_extension("crt");
                    let what = format!("{} ({shown:?}) by {}", leaf.display(), bundle.display());
                    assert_eq!(openssl(&bundle, &leaf, *shown), *wanted, "openssl: {what}");
                    assert_eq!(webpki(&bundle, &leaf, *shown), *wanted, "rustls-webpki: {what}");
                }
            }
        }
    }
}

fn certificate(files: &Files, name: &str) -> Vec<u8> {
    let content = files.read(name);
    if !name.ends_with(".conf") {
        return content;
    }
    let text = String::from_utf8(content).unwrap();
    let line = text.lines().find_map(|line| line.trim().strip_prefix("client-certificate-data: "));
    decode_base64(line.unwrap_or_else(|| panic!("{name}: no certificate")))
}

fn openssl(bundle: &std::path::Path, leaf: &std::path::Path, shown: Shown) -> bool {
    let purpose = match shown {
        Shown::ByServer => "sslserver",
        Shown::ByClient => "sslclient",
    };
    let mut openssl = program("openssl");
    openssl.args(["verify", "-x509_strict", "-no-CApath", "-no-CAstore", "-purpose", purpose, "-CAfile"]);
    run(openssl.arg(bundle).arg(leaf)).ok()
}

fn webpki(bundle: &std::path::Path, leaf: &std::path::Path, shown: Shown) -> bool {
    let usage = match shown {
        Shown::ByServer => KeyUsage::server_auth(),
        Shown::ByClient => KeyUsage::client_auth(),
    };
    let leaf = certificates(&read(leaf)).remove(0);
    let leaf = EndEntityCert::try_from(&leaf).unwrap();
    let anchors = roots(&read(bundle)).roots;
    leaf.verify_for_usage(ALL_VERIFICATION_ALGS, &anchors, &[], UnixTime::now(), usage, None, None).is_ok()
}
