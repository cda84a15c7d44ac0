use super::*;
use crate::blueprint::ExtendedKeyUsage;
use crate::ca::{self, PrivateKey};
use crate::profile::{self, Overrides, Source};
use time::Duration;
use time::macros::datetime;

const NOW: OffsetDateTime = datetime!(2026-11-20 22:00 UTC);

fn old(change: fn(&mut Blueprint), algorithm: Algorithm) -> Certificate {
    let mut blueprint = Blueprint {
        subject: Name::of("kubernetes", &[]),
        not_before: NOW - Duration::days(3000),
        not_after: NOW + Duration::days(650),
        role: Role::Authority { path_len: None },
        key_usage: KeyUsage::KEY_CERT_SIGN.and(KeyUsage::CRL_SIGN),
        extended_key_usages: Vec::new(),
        sans: Vec::new(),
        permitted: Vec::new(),
    };
    change(&mut blueprint);
    ca::self_sign(&blueprint, &PrivateKey::generate(algorithm).unwrap()).unwrap().certificate
}

fn profile(more: &str) -> Profile {
    let text =
        format!("apiVersion: kpki/v1\nkind: ClusterProfile\nnodes:\n- name: cp1\n  addresses: [10.0.0.11]\n{more}");
    profile::load(Source { name: "p", bytes: text.as_bytes() }, &Overrides::default()).unwrap().profile
}

#[test]
fn without_a_profile_it_is_like_the_old_one() {
    let subtrees = vec![
        Subtree::Dns("example.com".into()),
        Subtree::Ip { network: "10.0.0.0".parse().unwrap(), prefix: 9 },
        Subtree::Ip { network: "fd00::".parse().unwrap(), prefix: 8 },
    ];
    let constrained = old(
        |one| {
            one.permitted = vec![
                Subtree::Dns("example.com".into()),
                Subtree::Ip { network: "10.0.0.0".parse().unwrap(), prefix: 9 },
                Subtree::Ip { network: "fd00::".parse().unwrap(), prefix: 8 },
            ];
            one.role = Role::Authority { path_len: Some(0) };
        },
        Algorithm::EcdsaP384,
    );
    let made = authority(CaId::Cluster, &constrained, None, Wishes::default(), NOW).unwrap();
    assert_eq!((made.algorithm, made.number), (Algorithm::EcdsaP384, 2));
    assert_eq!(made.blueprint.permitted, subtrees);
    assert_eq!(made.blueprint.role, Role::Authority { path_len: Some(0) });
    assert_eq!(made.blueprint.not_after, NOW - BACK_DATE + Duration::days(3650));
    assert_eq!(made.lost, Vec::<String>::new());
    assert!(made.blueprint.key_usage.contains(KeyUsage::CRL_SIGN));
    let other = Certificate { name_constraints: Some(vec![0x30, 0]), ..constrained.clone() };
    assert_eq!(authority(CaId::Cluster, &other, None, Wishes::default(), NOW).err(), Some(Inexpressible));
    let usages = old(|one| one.extended_key_usages = vec![ExtendedKeyUsage::ServerAuth], Algorithm::EcdsaP256);
    let made = authority(CaId::Cluster, &usages, None, Wishes::default(), NOW).unwrap();
    assert_eq!(made.lost, ["its extended key usages"]);
}

#[test]
fn a_profile_decides_what_it_states() {
    let rsa = old(|one| one.permitted = vec![Subtree::Dns("example.com".into())], Algorithm::Rsa2048);
    for (more, wishes, algorithm, lost) in [
        ("", Wishes::default(), Algorithm::Rsa2048, 1),
        ("encryptionAlgorithm: ECDSA-P384\n", Wishes::default(), Algorithm::EcdsaP384, 1),
        ("authorities: {ca: {algorithm: ECDSA-P256}}\n", Wishes::default(), Algorithm::EcdsaP256, 1),
        (
            "encryptionAlgorithm: ECDSA-P384\n",
            Wishes { algorithm: Some(Algorithm::Rsa3072), ..Wishes::default() },
            Algorithm::Rsa3072,
            1,
        ),
    ] {
        let made = authority(CaId::Cluster, &rsa, Some(&profile(more)), wishes, NOW).unwrap();
        assert_eq!((made.algorithm, made.lost.len()), (algorithm, lost), "{more}");
        assert_eq!(made.blueprint.key_usage.contains(KeyUsage::KEY_ENCIPHERMENT), algorithm.is_rsa(), "{more}");
        assert_eq!(made.blueprint.subject.common_name().as_deref(), Some("kubernetes@2"), "{more}");
    }
    let kept = authority(CaId::Cluster, &rsa, None, Wishes { keep_subject: true, ..Wishes::default() }, NOW).unwrap();
    assert_eq!((kept.blueprint.subject, kept.number), (rsa.subject.clone(), 2));
}
