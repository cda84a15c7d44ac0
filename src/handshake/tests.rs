//! One row for each thing that can be wrong with one half: the handshake names that half and that thing.

use std::sync::Arc;

use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use super::identity::Unusable;
use super::{Client, Identity, Reason, Server, Shaker, Side, TokenError, Trust, signs_for};
use crate::blueprint::ExtendedKeyUsage::{self, ClientAuth, ServerAuth};
use crate::blueprint::{Algorithm, Blueprint, KeyUsage, Name, Oid, Role, San};
use crate::ca::{Issuer, PrivateKey, issue, self_sign};
use crate::x509::Certificate;

const NOW: OffsetDateTime = datetime!(2026-11-20 22:00 UTC);

fn blueprint(name: &str, role: Role) -> Blueprint {
    let authority = matches!(role, Role::Authority { .. });
    Blueprint {
        subject: Name::of(name, &[]),
        not_before: NOW - Duration::days(10),
        not_after: NOW + Duration::days(100),
        role,
        key_usage: if authority { KeyUsage::KEY_CERT_SIGN } else { KeyUsage::DIGITAL_SIGNATURE },
        extended_key_usages: vec![],
        sans: vec![],
        permitted: vec![],
    }
}

fn authority(name: &str) -> Issuer {
    let key = PrivateKey::generate(Algorithm::EcdsaP256).unwrap();
    let signed = self_sign(&blueprint(name, Role::Authority { path_len: None }), &key).unwrap();
    Issuer::new(vec![signed.certificate], key).unwrap()
}

/// A certificate and its key.
#[derive(Clone)]
struct Leaf {
    chain: Vec<Certificate>,
    pem: String,
}

impl Leaf {
    fn of(issuer: &Issuer, usage: ExtendedKeyUsage, change: impl FnOnce(&mut Blueprint)) -> Self {
        Self::with(Algorithm::EcdsaP256, issuer, usage, change)
    }

    fn with(
        algorithm: Algorithm,
        issuer: &Issuer,
        usage: ExtendedKeyUsage,
        change: impl FnOnce(&mut Blueprint),
    ) -> Self {
        let key = PrivateKey::generate(algorithm).unwrap();
        let mut wanted = blueprint("leaf", Role::EndEntity);
        wanted.extended_key_usages = vec![usage];
        wanted.sans = vec![San::Dns("cp1".into()), San::Ip([10, 0, 0, 11].into())];
        change(&mut wanted);
        let signed = issue(&wanted, &key.spki_der(), issuer).unwrap();
        Self { chain: vec![signed.certificate], pem: key.to_pem().to_string() }
    }

    fn identity(&self) -> Identity {
        Identity::new(&self.chain, self.pem.as_bytes()).unwrap()
    }
}

fn trust(issuer: &Issuer) -> Arc<Trust> {
    Arc::new(Trust(vec![issuer.certificate().clone()]))
}

/// Who refuses, and in which words.
fn refused(client: &Leaf, servers: &Arc<Trust>, name: &San, server: &Leaf, clients: &Arc<Trust>) -> Option<String> {
    let client = Client { identity: Some(&client.identity()), servers: Some(servers), name: Some(name) };
    let result = Shaker::new(NOW).shake(client, Server { identity: &server.identity(), clients: Some(clients) });
    result.err().map(|why| why.to_string())
}

/// What, the client, whom it trusts, what it dials, the server, whom that trusts, who refuses.
type Row<'a> = (&'a str, Leaf, &'a Arc<Trust>, San, Leaf, &'a Arc<Trust>, Option<&'a str>);

#[test]
fn each_half_that_is_broken_is_named() {
    let (ca, other) = (authority("kubernetes"), authority("kubernetes"));
    let (ours, theirs) = (trust(&ca), trust(&other));
    let server = |change: &dyn Fn(&mut Blueprint)| Leaf::of(&ca, ServerAuth, change);
    let client = |change: &dyn Fn(&mut Blueprint)| Leaf::of(&ca, ClientAuth, change);
    let same: &dyn Fn(&mut Blueprint) = &|_| ();
    let expired: &dyn Fn(&mut Blueprint) = &|wanted| wanted.not_after = NOW - Duration::days(1);
    let early: &dyn Fn(&mut Blueprint) = &|wanted| wanted.not_before = NOW + Duration::days(1);
    let name = |text: &str| San::Dns(text.to_owned());
    let key_of_another = |leaf: Leaf| Leaf { pem: client(same).pem, ..leaf };
    let (good_server, good_client, cp1) = (server(same), client(same), name("cp1"));
    let foreign = |usage| Leaf::of(&other, usage, |_| ());
    let rows: [Row<'_>; 16] = [
        ("all is well", good_client.clone(), &ours, cp1.clone(), good_server.clone(), &ours, None),
        ("by address", good_client.clone(), &ours, San::Ip([10, 0, 0, 11].into()), good_server.clone(), &ours, None),
        (
            "the server's certificate has expired",
            good_client.clone(),
            &ours,
            cp1.clone(),
            server(expired),
            &ours,
            Some("the client refuses: certificate `CN=leaf`: expired at 2026-11-19T22:00:00Z"),
        ),
        (
            "the server's certificate is not valid yet",
            good_client.clone(),
            &ours,
            cp1.clone(),
            server(early),
            &ours,
            Some("the client refuses: certificate `CN=leaf`: not valid before 2026-11-21T22:00:00Z"),
        ),
        (
            "the client's certificate has expired",
            client(expired),
            &ours,
            cp1.clone(),
            good_server.clone(),
            &ours,
            Some("the server refuses: certificate `CN=leaf`: expired at 2026-11-19T22:00:00Z"),
        ),
        (
            "another name",
            good_client.clone(),
            &ours,
            name("cp2"),
            good_server.clone(),
            &ours,
            Some("the client refuses: expected a certificate for `cp2`, found one for cp1, 10.0.0.11"),
        ),
        (
            "another address",
            good_client.clone(),
            &ours,
            San::Ip([10, 0, 0, 12].into()),
            good_server.clone(),
            &ours,
            Some("the client refuses: expected a certificate for `10.0.0.12`, found one for cp1, 10.0.0.11"),
        ),
        (
            "an address is no name",
            good_client.clone(),
            &ours,
            San::Ip([10, 0, 0, 11].into()),
            server(&|wanted| wanted.sans = vec![San::Dns("10.0.0.11".into())]),
            &ours,
            Some("the client refuses: expected a certificate for `10.0.0.11`, found one for 10.0.0.11"),
        ),
        (
            "the server's usage",
            good_client.clone(),
            &ours,
            cp1.clone(),
            client(same),
            &ours,
            Some("the client refuses: expected the extended key usage serverAuth, found clientAuth"),
        ),
        (
            "the client's usage",
            server(same),
            &ours,
            cp1.clone(),
            good_server.clone(),
            &ours,
            Some("the server refuses: expected the extended key usage clientAuth, found serverAuth"),
        ),
        (
            "any usage is this one, too",
            client(&|wanted| {
                wanted.extended_key_usages = vec![ExtendedKeyUsage::Other(Oid::new("2.5.29.37.0"))];
            }),
            &ours,
            cp1.clone(),
            good_server.clone(),
            &ours,
            None,
        ),
        (
            "the server's authority is another of the same name",
            good_client.clone(),
            &ours,
            cp1.clone(),
            foreign(ServerAuth),
            &ours,
            Some("the client refuses: certificate `CN=leaf`: expected the authority key identifier "),
        ),
        (
            "the client's bundle is another",
            good_client.clone(),
            &theirs,
            cp1.clone(),
            good_server.clone(),
            &ours,
            Some("the client refuses: certificate `CN=leaf`: expected the authority key identifier "),
        ),
        (
            "the server's bundle is another",
            good_client.clone(),
            &ours,
            cp1.clone(),
            good_server.clone(),
            &theirs,
            Some("the server refuses: certificate `CN=leaf`: expected the authority key identifier "),
        ),
        (
            "the server's key",
            good_client.clone(),
            &ours,
            cp1.clone(),
            key_of_another(good_server.clone()),
            &ours,
            Some("the client refuses: expected a handshake signed by the certificate's key"),
        ),
        (
            "the client's key",
            key_of_another(good_client),
            &ours,
            cp1,
            good_server,
            &ours,
            Some("the server refuses: expected a handshake signed by the certificate's key"),
        ),
    ];
    for (what, client, servers, name, server, clients, expected) in rows {
        let found = refused(&client, servers, &name, &server, clients);
        match expected {
            None => assert_eq!(found, None, "{what}"),
            Some(words) => assert!(found.as_ref().is_some_and(|found| found.starts_with(words)), "{what}: {found:?}"),
        }
    }
}

#[test]
fn a_bundle_of_old_and_new_takes_both_and_an_intermediate_is_sent_along() {
    let (old, new) = (authority("kubernetes"), authority("kubernetes@2"));
    let both = Arc::new(Trust(vec![new.certificate().clone(), old.certificate().clone()]));
    let name = San::Dns("cp1".into());
    for issuer in [&old, &new] {
        let (server, client) = (Leaf::of(issuer, ServerAuth, |_| ()), Leaf::of(issuer, ClientAuth, |_| ()));
        assert_eq!(refused(&client, &both, &name, &server, &both), None);
    }
    let key = PrivateKey::generate(Algorithm::EcdsaP256).unwrap();
    let between = blueprint("between", Role::Authority { path_len: None });
    let between = issue(&between, &key.spki_der(), &old).unwrap().certificate;
    let below = Issuer::new(vec![between.clone()], key).unwrap();
    let client = Leaf::of(&old, ClientAuth, |_| ());
    let mut server = Leaf::of(&below, ServerAuth, |_| ());
    assert!(refused(&client, &both, &name, &server, &both).is_some(), "nobody knows the intermediate");
    server.chain.push(between);
    assert_eq!(refused(&client, &both, &name, &server, &both), None);
}

#[test]
fn every_kind_of_key_that_kpki_makes_shakes_hands() {
    let ca = authority("kubernetes");
    let name = San::Dns("cp1".into());
    for algorithm in [Algorithm::Rsa2048, Algorithm::EcdsaP256, Algorithm::EcdsaP384] {
        let server = Leaf::with(algorithm, &ca, ServerAuth, |_| ());
        let client = Leaf::with(algorithm, &ca, ClientAuth, |_| ());
        assert_eq!(refused(&client, &trust(&ca), &name, &server, &trust(&ca)), None, "{algorithm}");
    }
}

#[test]
fn who_shows_nothing_or_asks_for_nothing() {
    let ca = authority("kubernetes");
    let (server, trust) = (Leaf::of(&ca, ServerAuth, |_| ()).identity(), trust(&ca));
    let stranger = Client { identity: None, servers: Some(&trust), name: None };
    let shaker = Shaker::new(NOW);
    let refusal = shaker.shake(stranger, Server { identity: &server, clients: Some(&trust) }).unwrap_err();
    assert_eq!((refusal.by, refusal.why), (Side::Server, Reason::NoCertificate));
    assert_eq!(shaker.shake(stranger, Server { identity: &server, clients: None }), Ok(()));
    let blind = Client { identity: None, servers: None, name: None };
    assert_eq!(shaker.shake(blind, Server { identity: &server, clients: None }), Ok(()));
}

#[test]
fn what_no_handshake_can_be_made_with_is_said() {
    let leaf = Leaf::of(&authority("kubernetes"), ServerAuth, |_| ());
    let encrypted = leaf.pem.replace("EC PRIVATE", "ENCRYPTED PRIVATE");
    let damaged = |why: &str| Err(Unusable::Kind(why.to_owned()));
    let pem = |label: &str, der: &[u8]| crate::encoding::pem::write(label, der).to_string();
    for (key, expected) in [
        (leaf.pem.clone(), Ok(())),
        (String::new(), Err(Unusable::NoKey)),
        (leaf.chain[0].to_pem(), Err(Unusable::NoKey)),
        (encrypted, Err(Unusable::Encrypted)),
        (pem("PRIVATE KEY", b"no key"), damaged("one that is damaged")),
        (pem("EC PRIVATE KEY", &[0x30, 0x80]), damaged("one that is damaged")),
    ] {
        assert_eq!(Identity::new(&leaf.chain, key.as_bytes()).map(|_| ()), expected, "{key}");
    }
    assert_eq!(Identity::new(&[], leaf.pem.as_bytes()).unwrap_err(), Unusable::NoCertificate);
}

#[test]
fn tokens_are_taken_by_who_knows_the_key() {
    for algorithm in [Algorithm::Rsa2048, Algorithm::EcdsaP256, Algorithm::EcdsaP384] {
        let (key, other) = (PrivateKey::generate(algorithm).unwrap(), PrivateKey::generate(algorithm).unwrap());
        let rsa = PrivateKey::generate(Algorithm::Rsa2048).unwrap();
        let pem = key.to_pem();
        let signs = |publics: &[Vec<u8>]| signs_for(pem.as_bytes(), publics);
        assert_eq!(signs(&[key.spki_der()]), Ok(()));
        // In a rotation sa.pub holds the next one, too, of whatever kind.
        assert_eq!(signs(&[rsa.spki_der(), other.spki_der(), key.spki_der()]), Ok(()));
        assert_eq!(signs(&[rsa.spki_der(), other.spki_der()]), Err(TokenError::Unknown("others")));
        assert_eq!(signs(&[b"no key".to_vec()]), Err(TokenError::Unknown("others")));
        assert_eq!(signs(&[]), Err(TokenError::Unknown("none")));
    }
    assert_eq!(signs_for(b"", &[]), Err(TokenError::Unusable(Unusable::NoKey)));
}

/// rcgen makes what kpki does not.
fn foreign(algorithm: &'static rcgen::SignatureAlgorithm) -> (rcgen::KeyPair, rcgen::CertificateParams) {
    let mut wanted = rcgen::CertificateParams::new(vec!["cp1".to_owned()]).unwrap();
    (wanted.not_before, wanted.not_after) = (NOW - Duration::days(10), NOW + Duration::days(10));
    (rcgen::KeyPair::generate_for(algorithm).unwrap(), wanted)
}

#[test]
fn keys_that_kpki_does_not_make_are_shaken_or_named() {
    let p256 = &rcgen::PKCS_ECDSA_P256_SHA256;
    for (of_authority, of_leaf, expected) in [
        (p256, &rcgen::PKCS_ED25519, None),
        (p256, &rcgen::PKCS_ECDSA_P521_SHA512, None),
        (&rcgen::PKCS_ED25519, p256, Some("expected a signature this program can verify")),
        (&rcgen::PKCS_ECDSA_P521_SHA512, p256, Some("expected a signature this program can verify")),
    ] {
        let (above, mut wanted) = foreign(of_authority);
        wanted.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let anchor = wanted.self_signed(&above).unwrap();
        let (key, mut leaf) = foreign(of_leaf);
        leaf.use_authority_key_identifier_extension = true;
        let issuer = rcgen::Issuer::from_params(&wanted, &above);
        let leaf = leaf.signed_by(&key, &issuer).unwrap();
        let parse = |der: &[u8]| Certificate::parse(der).unwrap();
        let trust = Arc::new(Trust(vec![parse(anchor.der())]));
        let server = Identity::new(
            &[parse(leaf.der())],
            crate::encoding::pem::write("PRIVATE KEY", &key.serialize_der()).as_bytes(),
        )
        .unwrap();
        let client = Client { identity: None, servers: Some(&trust), name: Some(&San::Dns("cp1".into())) };
        let result = Shaker::new(NOW).shake(client, Server { identity: &server, clients: None });
        match (result, expected) {
            (Ok(()), None) => {}
            // Neither accepted nor refused: another program may take it.
            (Err(refusal), Some(words)) => {
                assert!(refusal.why.is_unknown() && refusal.why.to_string().contains(words), "{refusal}");
            }
            (result, _) => panic!("{of_authority:?} {of_leaf:?}: {result:?}"),
        }
    }
}
