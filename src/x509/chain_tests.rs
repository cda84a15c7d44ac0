use super::*;
use crate::blueprint::{ExtendedKeyUsage, Role};
use crate::x509::parse_pem_bundle;
use time::macros::datetime;

fn fixture(path: &str) -> Certificate {
    let path = format!(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/kubeadm/{}"), path);
    let pem = std::io::read_to_string(std::fs::File::open(path).unwrap()).unwrap();
    parse_pem_bundle(pem.as_bytes()).unwrap().remove(0)
}

fn tree(tree: &str, path: &str) -> Certificate {
    fixture(&format!("{tree}/etc-kubernetes/pki/{path}"))
}

const TREES: [&str; 5] = [
    "v1.20-rsa2048",
    "v1.36-default-rsa2048",
    "v1.36-external-etcd-rsa3072",
    "v1.36-ha-ecdsa-cp1",
    "v1.36-dualstack-p384",
];

#[test]
fn what_kubeadm_made_is_taken_for_its_use_only() {
    for name in TREES {
        let authority = tree(name, "ca.crt");
        for (path, usage, other) in [
            ("apiserver.crt", Usage::Server, Usage::Client),
            ("apiserver-kubelet-client.crt", Usage::Client, Usage::Server),
        ] {
            let leaf = tree(name, path);
            assert_eq!(verify_for(&leaf, &[], &authority, usage, leaf.not_before), Ok(()), "{name} {path}");
            assert_eq!(verify_for(&leaf, &[], &authority, usage, leaf.not_after), Ok(()), "{name} {path}");
            assert_eq!(
                verify_for(&leaf, &[], &authority, other, leaf.not_before),
                Err(ChainError::ExtendedKeyUsage(other)),
                "{name} {path}"
            );
            let second = time::Duration::SECOND;
            assert_eq!(
                verify_for(&leaf, &[], &authority, usage, leaf.not_after + second),
                Err(ChainError::Expired { link: ChainPart::Path, not_after: leaf.not_after })
            );
            let front_proxy = tree(name, "front-proxy-ca.crt");
            assert_eq!(
                verify_for(&leaf, &[], &front_proxy, usage, leaf.not_before.max(front_proxy.not_before)),
                Err(ChainError::UnknownIssuer),
                "{name} {path}"
            );
        }
    }
}

#[test]
fn the_same_name_with_another_key_is_no_issuer() {
    let leaf = tree("v1.36-ha-ecdsa-cp1", "apiserver.crt");
    let stranger = tree("v1.36-dualstack-p384", "ca.crt");
    assert_eq!(leaf.issuer_der, stranger.subject_der);
    let at = leaf.not_before.max(stranger.not_before);
    assert!(verify_for(&leaf, &[], &stranger, Usage::Server, at).is_err());
    assert!(matches!(leaf.signed_by(&stranger), Err(crate::x509::VerifyError::KeyIdentifier { .. })));
}

#[test]
fn what_webpki_leaves_open_is_closed() {
    let leaf = tree("v1.36-ha-ecdsa-cp1", "apiserver.crt");
    let authority = tree("v1.36-ha-ecdsa-cp1", "ca.crt");
    let at = leaf.not_before;
    let check = |leaf: &Certificate, authority: &Certificate| verify_for(leaf, &[], authority, Usage::Server, at);
    assert_eq!(check(&leaf, &authority), Ok(()));
    let late = datetime!(2200-01-01 0:00 UTC);
    let early = datetime!(2001-01-01 0:00 UTC);
    let mut other = authority.clone();
    other.not_before = late;
    assert_eq!(check(&leaf, &other), Err(ChainError::NotYetValid { link: ChainPart::Anchor, not_before: late }));
    let mut other = authority.clone();
    other.not_after = early;
    assert_eq!(check(&leaf, &other), Err(ChainError::Expired { link: ChainPart::Anchor, not_after: early }));
    let mut other = authority.clone();
    other.is_ca = false;
    assert_eq!(check(&leaf, &other), Err(ChainError::AnchorIsNoAuthority));
    let mut other = authority.clone();
    other.key_usage = Some(KeyUsage::DIGITAL_SIGNATURE);
    assert_eq!(check(&leaf, &other), Err(ChainError::AnchorIsNoAuthority));
    let mut other = leaf.clone();
    other.key_usage = Some(KeyUsage::KEY_ENCIPHERMENT);
    assert_eq!(check(&other, &authority), Err(ChainError::KeyUsage));
    assert_eq!(check(&authority, &authority), Err(ChainError::IsAuthority));
    // An instant before 1970 is an instant before every certificate.
    let before = datetime!(1969-01-01 0:00 UTC);
    assert!(matches!(
        verify_for(&leaf, &[], &authority, Usage::Server, before),
        Err(ChainError::NotYetValid { link: ChainPart::Anchor, .. })
    ));
    assert_eq!((leaf.role(), authority.role()), (Some(Role::EndEntity), Some(Role::Authority { path_len: None })));
    assert_eq!(leaf.extended_key_usages, [ExtendedKeyUsage::ServerAuth]);
}

#[test]
fn names_are_those_of_the_certificate() {
    let leaf = tree("v1.36-dualstack-p384", "apiserver.crt");
    for san in &leaf.sans {
        let dialled = match san {
            San::Dns(name) => San::Dns(name.replace('*', "any")),
            other => other.clone(),
        };
        assert_eq!(valid_for_name(&leaf, &dialled), Ok(()), "{san}");
    }
    let stranger = San::Dns("stranger.example.org".into());
    assert_eq!(valid_for_name(&leaf, &stranger), Err(ChainError::Name(stranger)));
    let address = San::Ip("192.0.2.77".parse().unwrap());
    assert_eq!(valid_for_name(&leaf, &address), Err(ChainError::Name(address)));
    for san in [San::Uri("spiffe://x".into()), San::Dns("not a name".into()), San::Dns(String::new())] {
        assert_eq!(valid_for_name(&leaf, &san), Err(ChainError::NoServerName(san)));
    }
}
