//! One of kubeadm's trees, and hand-made things in it.

use time::macros::datetime;
use zeroize::Zeroizing;

use super::*;
use crate::catalog::releases::KnownRelease;
use crate::encoding::pem_blocks::blocks;
use crate::tree::Origin;
use crate::tree::rotation::Record;
use crate::verify::{Part, Secret};
use crate::x509::parse_bundle;

macro_rules! kubeadm {
    ($name:literal) => {
        include_bytes!(concat!("../../fixtures/kubeadm/v1.36-default-rsa2048/etc-kubernetes/pki/", $name))
    };
}

fn certificates(pem: &[u8]) -> Vec<Certificate> {
    parse_bundle(pem).unwrap()
}

fn key(pem: &[u8], is_encrypted: bool) -> Key {
    let public = if is_encrypted { None } else { Half::of(pem) };
    let kind = public.is_some().then(|| KeyKind::rsa(2048));
    Key { public, kind, is_encrypted, pem: Secret(Zeroizing::new(pem.to_vec())) }
}

fn file(path: &str, content: Content) -> File {
    File {
        entry: path.split('.').next().unwrap().to_owned(),
        part: Part::Certificate,
        path: path.to_owned(),
        authority: None,
        required: true,
        metadata: None,
        content,
    }
}

fn cluster(files: Vec<File>) -> Cluster<'static> {
    let node = Some("cp1".to_owned());
    Cluster {
        record: Record::default(),
        journal: None,
        root: "t".to_owned(),
        profile: None,
        origin: Origin::default(),
        layout: None,
        release: KnownRelease::default(),
        trees: vec![Tree {
            root: "t".to_owned(),
            node,
            is_shared: false,
            in_cluster: false,
            certificates: None,
            owner: None,
            files,
        }],
        at: datetime!(2026-11-20 22:00 UTC),
    }
}

fn pair(all: &[u8], key: Option<Key>) -> Content {
    Content::Certificates { certificates: certificates(all), key }
}

fn places<T>(found: &Found<T>) -> Vec<(&str, Option<usize>)> {
    found.places.iter().map(|place| (place.path.as_str(), place.position)).collect()
}

#[test]
fn everything_is_there_once_with_all_its_places() {
    let (ca, leaf) = (kubeadm!("ca.crt"), kubeadm!("apiserver.crt"));
    let both = [leaf.as_slice(), ca.as_slice()].concat();
    let subject = cluster(vec![
        file("ca.crt", pair(ca, None)),
        file("ca.key", Content::Key(key(kubeadm!("ca.key"), false))),
        file("apiserver.crt", pair(&both, Some(key(kubeadm!("apiserver.key"), false)))),
        file("locked.key", Content::Key(key(b"anything", true))),
        file("other.key", Content::Key(key(b"anything", true))),
        file("gone.crt", Content::Missing),
        file("broken.crt", Content::Broken("expected a certificate".to_owned())),
        file("sa.pub", Content::PublicKeys(vec![certificates(ca)[0].spki_der.clone(), b"no key".to_vec()])),
        file("ca.crl", Content::Crls(vec![b"no CRL".to_vec()])),
    ]);
    let found = inventory(&subject);
    let (authority, server) = (certificates(ca)[0].fingerprint, certificates(leaf)[0].fingerprint);
    assert_eq!(found.certificates.len(), 2);
    assert_eq!(places(&found.certificates[&authority]), [("apiserver.crt", Some(1)), ("ca.crt", Some(0))]);
    assert_eq!(
        found.certificates[&authority].places.first().unwrap().entry.as_ref().unwrap().to_string(),
        "cp1/apiserver"
    );
    // The authority's own signature is no dependency.
    assert!(found.certificates[&authority].facts.issuers.is_empty());
    assert_eq!(found.certificates[&server].facts.issuers, BTreeSet::from([authority]));
    assert_eq!(found.public_keys.len(), 2);
    let public = found.certificates[&authority].facts.public_key.unwrap();
    assert_eq!(
        places(&found.public_keys[&public]),
        [("apiserver.crt", Some(1)), ("ca.crt", Some(0)), ("sa.pub", None)]
    );
    // A private key has its public half's digest; one that states none is its path's.
    assert_eq!(found.private_keys.len(), 4);
    let own = &found.private_keys[&public];
    assert_eq!((places(own), own.facts.states_public, own.facts.is_encrypted), (vec![("ca.key", None)], true, false));
    let own = &found.private_keys[&found.certificates[&server].facts.public_key.unwrap()];
    assert_eq!(places(own), [("apiserver.crt", None)]);
    let locked = found.private_keys.values().filter(|key| key.facts.is_encrypted).collect::<Vec<_>>();
    assert!(locked.iter().all(|key| !key.facts.states_public && key.facts.kind.is_none() && key.places.len() == 1));
    assert_eq!(locked.len(), 2);
    assert!(found.crls.is_empty());
}

#[test]
fn kubeconfigs_and_crls_are_looked_into() {
    let (ca, client) = (kubeadm!("ca.crt"), kubeadm!("apiserver-kubelet-client.crt"));
    let kubeconfig = Kubeconfig {
        server: "https://a".to_owned(),
        server_name: None,
        is_insecure: false,
        authority: certificates(ca),
        certificates: certificates(client),
        certificate_file: None,
        key: Some(key(kubeadm!("apiserver-kubelet-client.key"), false)),
        others: Vec::new(),
        not_here: Vec::new(),
    };
    let crl = include_bytes!("../../fixtures/cases/crl-not-the-authoritys/tree/pki/ca.crl");
    let crl = blocks(crl).next().unwrap().unwrap().decode().unwrap().contents.to_vec();
    let found = inventory(&cluster(vec![
        file("admin.conf", Content::Kubeconfig(Box::new(kubeconfig))),
        file("ca.crl", Content::Crls(vec![crl])),
    ]));
    assert_eq!((found.certificates.len(), found.public_keys.len(), found.private_keys.len()), (2, 2, 1));
    // It is another authority's.
    let crl = found.crls.values().next().unwrap();
    assert_eq!((places(crl), crl.facts.issuers.len()), (vec![("ca.crl", None)], 0));
}

#[test]
fn what_two_clusters_have_is_joined() {
    let one = |path: &str| inventory(&cluster(vec![file(path, pair(kubeadm!("ca.crt"), None))]));
    let mut joined = one("a.crt");
    joined.join(one("b.crt"));
    joined.join(inventory(&cluster(vec![file("c.crt", pair(kubeadm!("etcd/ca.crt"), None))])));
    let all: Vec<_> = joined.certificates.values().map(places).collect();
    assert_eq!(all.len(), 2);
    assert!(all.contains(&vec![("a.crt", Some(0)), ("b.crt", Some(0))]) && all.contains(&vec![("c.crt", Some(0))]));
    assert_eq!(joined.public_keys.len(), 2);
}
