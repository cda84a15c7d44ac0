use proptest::prelude::*;

use super::super::group::Unread;
use super::super::token::Token;
use super::*;
use crate::encoding::base64::{encode, url};

const CA: &str = include_str!("../../../fixtures/kubeadm/v1.36-default-rsa2048/etc-kubernetes/pki/ca.crt");
const OTHER: &str = include_str!("../../../fixtures/kubeadm/v1.36-default-rsa2048/etc-kubernetes/pki/etcd/ca.crt");
const CONF: &str = include_str!("../../../fixtures/kubeadm/v1.36-default-rsa2048/etc-kubernetes/admin.conf");

fn der(pem: &str) -> Vec<u8> {
    crate::encoding::pem::read(pem.as_bytes()).unwrap()[0].contents.to_vec()
}

fn b64(text: impl AsRef<[u8]>) -> String {
    encode(text.as_ref()).to_string()
}

fn certificate(pem: &str) -> Piece {
    Piece::Certificate(der(pem))
}

/// Where each group is, and its pieces.
fn found(text: impl AsRef<[u8]>) -> Vec<(String, Vec<Piece>)> {
    groups(text.as_ref()).into_iter().map(|group| (group.within.join("/"), group.pieces)).collect()
}

fn alone(pieces: Vec<Piece>) -> Vec<(String, Vec<Piece>)> {
    vec![(String::new(), pieces)]
}

/// Wrapped lines with this end, such as `\n    `.
fn broken_at(text: &str, width: usize, end: &str) -> String {
    text.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap()).collect::<Vec<_>>().join(end)
}

#[test]
fn a_certificate_is_found_however_it_is_wrapped() {
    let gzip = {
        use std::io::Write as _;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(CA.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    for text in [
        CA.to_owned(),
        CA.replace('\n', "\r\n"),
        CA.replace('\n', "\r"),
        CA.replace('\n', "\n      "),
        CA.replace('\n', ""),
        CA.replace('\n', "\\n"),
        CA.replace('\n', "\\\\r\\\\n"),
        format!("\u{feff}# the authority: of kubernetes\n{CA}"),
        b64(CA),
        b64(CA.replace('\n', "\r\n")),
        b64(b64(CA)),
        b64(b64(b64(CA))),
        b64(der(CA)),
        format!("  {}\n", b64(CA)),
        broken_at(&b64(CA), 76, "\n"),
        broken_at(&b64(CA), 64, "\r\n"),
        broken_at(&b64(CA), 64, "\\n"),
        b64(gzip.as_slice()),
        b64(b64(gzip.as_slice())),
    ] {
        assert_eq!(found(&text), alone(vec![certificate(CA)]), "{text}");
    }
    assert_eq!(found(der(CA)), alone(vec![certificate(CA)]));
    assert_eq!(found(gzip), alone(vec![certificate(CA)]));
}

#[test]
fn what_stands_together_is_one_bundle_and_what_has_a_key_of_its_own_is_not() {
    let both = alone(vec![certificate(CA), certificate(OTHER)]);
    for text in [
        format!("{CA}{OTHER}"),
        format!("{OTHER}{CA}"),
        format!("# Label: \"kubernetes\"\n{CA}\n# Issuer: CN=etcd-ca\n# Label: \"etcd\"\n{OTHER}"),
        b64(format!("{CA}\r\n\r\n{OTHER}")),
    ] {
        let mut pieces = found(&text);
        pieces[0].0 = String::new();
        pieces[0].1.sort_by_key(|piece| *piece != certificate(CA));
        assert_eq!(pieces, both, "{text}");
    }
    let escaped = |pem: &str| pem.replace('\n', "\\n");
    let json = format!(r#"{{"data":{{"ca.crt":"{}","etcd.crt":"{}"}}}}"#, escaped(CA), escaped(OTHER));
    let expected =
        vec![("ca.crt".to_owned(), vec![certificate(CA)]), ("etcd.crt".to_owned(), vec![certificate(OTHER)])];
    assert_eq!(found(&json), expected);
    assert_eq!(found(json.replace('"', "\\\"")), expected);
    let yaml = |pem: &str| pem.replace('\n', "\n  ");
    assert_eq!(found(format!("ca.crt: |\n  {}\netcd.crt: |-\n  {}\n", yaml(CA), yaml(OTHER))), expected);
    let data = format!("ca.crt: {}\netcd.crt: >-\n  {}\n", b64(CA), broken_at(&b64(OTHER), 70, "\n  "));
    assert_eq!(found(data), expected);
}

#[test]
fn a_kubeconfig_is_found_with_its_fields() {
    let fields: Vec<String> = found(CONF).into_iter().map(|(within, _)| within).collect();
    assert_eq!(fields, ["certificate-authority-data", "client-certificate-data"]);
    let wrapped: Vec<String> = found(b64(b64(CONF))).into_iter().map(|(within, _)| within).collect();
    assert_eq!(wrapped, fields);
    assert_eq!(found(CONF)[0].1, [certificate(CA)]);
}

#[test]
fn public_keys_and_tokens_are_found() {
    let sa = include_str!("../../../fixtures/kubeadm/v1.36-default-rsa2048/etc-kubernetes/pki/sa.pub");
    assert_eq!(found(sa), alone(vec![Piece::PublicKey(der(sa))]));
    let claims = br#"{"sub":"system:serviceaccount:a:b"}"#;
    let token = format!("{}.{}.c2lnbmF0dXJl", url(br#"{"alg":"RS256","kid":"k"}"#), url(claims));
    let piece = Token { kid: Some("k".to_owned()), ends: None, is_service_account: true };
    let expected = |within: &str| vec![(within.to_owned(), vec![Piece::Token(piece.clone())])];
    assert_eq!(found(&token), expected(""));
    assert_eq!(found(b64(&token)), expected(""));
    assert_eq!(found(format!("users:\n- user:\n    token: {token}\n")), expected("token"));
    assert_eq!(found(format!("curl -H 'Authorization: Bearer {token}'")), expected(""));
    assert_eq!(found(format!("kubectl --token={token}")), expected("token"));
}

#[test]
fn what_cannot_be_looked_into_is_said() {
    let cut = CA.get(..CA.len() / 2).unwrap();
    assert!(found(cut).iter().any(|(_, pieces)| pieces.contains(&Piece::Unread(Unread::BrokenPem))));
    let damaged = CA.replacen("MII", "M!I", 1);
    assert_eq!(found(&damaged), alone(vec![Piece::Unread(Unread::BrokenPem)]));
    let jks = [&[0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2][..], &[0; 60]].concat();
    assert_eq!(found(b64(&jks)), alone(vec![Piece::Unread(Unread::Locked)]));
    assert_eq!(found([&[0x1f, 0x8b, 8][..], &[0; 60]].concat()), alone(vec![Piece::Unread(Unread::BrokenGzip)]));
    let mut deep = CA.to_owned();
    (0..DEEPEST + 2).for_each(|_| deep = b64(&deep));
    assert_eq!(found(deep), alone(vec![Piece::Unread(Unread::Deep)]));
}

#[test]
fn private_keys_requests_and_plain_texts_are_passed_over() {
    for text in [
        include_str!("../../../fixtures/kubeadm/v1.36-default-rsa2048/etc-kubernetes/pki/ca.key"),
        "a sentence that is long enough to be looked at, with /a/path/of/a/file/that/is/long/and/has/no/end",
        "sha256:9f86d081884c7d659a2feaa0c55ad0159f86d081884c7d659a2feaa0c55ad015",
        "-----BEGIN CERTIFICATE",
        "-----BEGIN -----BEGIN ",
        "",
    ] {
        assert_eq!(found(text), vec![], "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, rng_seed: proptest::test_runner::RngSeed::Fixed(16), ..ProptestConfig::default() })]

    /// Never a panic, and what comes out is no more than what went in, unless it was compressed.
    #[test]
    fn whatever_the_bytes_reading_ends(bytes in prop::collection::vec(any::<u8>(), 0..400), at in any::<prop::sample::Index>(), wraps in 0usize..3) {
        let text = CA.as_bytes();
        let cut = at.index(text.len());
        let mut mixed = [&bytes, text.get(..cut).unwrap(), &bytes, text.get(cut..).unwrap()].concat();
        (0..wraps).for_each(|_| mixed = b64(&mixed).into_bytes());
        groups(&bytes);
        let size: usize = groups(&mixed).iter().flat_map(|group| &group.pieces).map(|piece| match piece {
            Piece::Certificate(der) | Piece::PublicKey(der) => der.len(),
            _ => 0,
        }).sum();
        prop_assert!(size <= mixed.len());
    }

    #[test]
    fn a_certificate_in_any_text_is_found(before in "[ -~]{0,80}", after in "[ -~]{0,80}", wraps in 0usize..4) {
        let mut text = format!("{before}\n{CA}\n{after}");
        (0..wraps).for_each(|_| text = b64(&text));
        let all: Vec<Piece> = groups(text.as_bytes()).into_iter().flat_map(|group| group.pieces).collect();
        prop_assert!(all.contains(&certificate(CA)), "{}", text);
    }
}
