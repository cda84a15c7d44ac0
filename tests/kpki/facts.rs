//! What a tree says, read without any of kpki's own code: x509-parser for certificates, plain text for the rest. The same
//! reading serves real kubeadm's trees and ours.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::harness::tree;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    pub subject: Vec<Vec<(String, u32, String)>>,
    pub issuer: Vec<Vec<(String, u32, String)>>,
    pub sans: Vec<String>,
    pub key_usage: BTreeSet<&'static str>,
    pub extended_key_usages: Vec<String>,
    pub is_ca: bool,
    pub path_len: Option<u32>,
    /// nameConstraints: what is permitted, addresses as octets and mask.
    pub permitted: Vec<String>,
    /// Extension identifiers in wire order, `!` for critical.
    pub extensions: Vec<String>,
    pub authority_key_id: Option<Vec<u8>>,
    pub subject_key_id: Option<Vec<u8>>,
    pub signature: String,
    pub key: String,
    pub not_before: i64,
    pub not_after: i64,
    pub serial_bits: u64,
    pub negative_serial: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum File {
    Certificates(Vec<Certificate>),
    /// PEM label and kind of key.
    Key(String, String),
    Kubeconfig(Kubeconfig),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kubeconfig {
    /// The text with all embedded data replaced: keys, order, names, servers.
    pub shape: String,
    pub authority: Vec<Certificate>,
    pub client: Vec<Certificate>,
    pub key: (String, String),
}

/// Every file of a tree but kpki's own state: mode and facts.
pub fn read(root: &Path) -> BTreeMap<String, (u32, File)> {
    read_filtered(root, |name| !name.starts_with(".kpki") && !name.ends_with('/') && name != "manifest.json")
}

fn read_filtered(root: &Path, wanted: impl Fn(&str) -> bool) -> BTreeMap<String, (u32, File)> {
    tree(root)
        .into_iter()
        .filter(|(name, _)| wanted(name))
        .map(|(name, (mode, bytes))| {
            let text = String::from_utf8(bytes).unwrap_or_else(|_| panic!("{name} is not text"));
            let file = file(&name, &text);
            (name, (mode, file))
        })
        .collect()
}

fn file(name: &str, text: &str) -> File {
    if name.ends_with(".conf") {
        return File::Kubeconfig(kubeconfig(text));
    }
    let blocks = pem::parse_many(text).unwrap();
    assert!(text.ends_with('\n') && text.lines().all(|line| line.len() <= 64), "{name}: not as kubeadm writes PEM");
    if blocks.iter().all(|block| block.tag() == "CERTIFICATE") {
        return File::Certificates(blocks.iter().map(|block| certificate(block.contents())).collect());
    }
    assert_eq!(blocks.len(), 1, "{name}");
    File::Key(blocks[0].tag().to_owned(), key_kind(blocks[0].tag(), blocks[0].contents()))
}

pub fn certificate(der: &[u8]) -> Certificate {
    let (rest, x509) = X509Certificate::from_der(der).unwrap();
    assert!(rest.is_empty());
    let mut facts = Certificate {
        subject: name(x509.subject()),
        issuer: name(x509.issuer()),
        sans: Vec::new(),
        key_usage: BTreeSet::new(),
        extended_key_usages: Vec::new(),
        is_ca: false,
        path_len: None,
        permitted: Vec::new(),
        extensions: Vec::new(),
        authority_key_id: None,
        subject_key_id: None,
        signature: x509.signature_algorithm.algorithm.to_id_string(),
        key: public_key(x509.public_key().raw),
        not_before: x509.validity().not_before.timestamp(),
        not_after: x509.validity().not_after.timestamp(),
        serial_bits: x509.tbs_certificate.serial.bits(),
        negative_serial: x509.tbs_certificate.raw_serial()[0] & 0x80 != 0,
    };
    for extension in x509.extensions() {
        let mark = if extension.critical { "!" } else { "" };
        facts.extensions.push(format!("{}{mark}", extension.oid.to_id_string()));
        match extension.parsed_extension() {
            ParsedExtension::SubjectAlternativeName(sans) => {
                facts.sans = sans.general_names.iter().map(general_name).collect();
            }
            ParsedExtension::KeyUsage(usage) => {
                for (set, name) in [
                    (usage.digital_signature(), "digitalSignature"),
                    (usage.non_repudiation(), "contentCommitment"),
                    (usage.key_encipherment(), "keyEncipherment"),
                    (usage.data_encipherment(), "dataEncipherment"),
                    (usage.key_agreement(), "keyAgreement"),
                    (usage.key_cert_sign(), "keyCertSign"),
                    (usage.crl_sign(), "cRLSign"),
                ] {
                    if set {
                        facts.key_usage.insert(name);
                    }
                }
            }
            ParsedExtension::ExtendedKeyUsage(usage) => {
                // The parser keeps no order; the bytes do: serverAuth ends in 1, clientAuth in 2.
                let oids = extension.value.windows(10).filter(|w| w[..9] == [6, 8, 0x2b, 6, 1, 5, 5, 7, 3]);
                facts.extended_key_usages =
                    oids.map(|w| if w[9] == 1 { "serverAuth" } else { "clientAuth" }.to_owned()).collect();
                assert!(usage.other.is_empty() && !usage.any);
            }
            ParsedExtension::BasicConstraints(constraints) => {
                facts.is_ca = constraints.ca;
                facts.path_len = constraints.path_len_constraint;
            }
            ParsedExtension::NameConstraints(constraints) => {
                assert!(constraints.excluded_subtrees.is_none());
                let permitted = constraints.permitted_subtrees.iter().flatten();
                facts.permitted = permitted
                    .map(|subtree| match &subtree.base {
                        GeneralName::DNSName(name) => (*name).to_owned(),
                        GeneralName::IPAddress(block) => format!("{block:?}"),
                        other => panic!("unexpected subtree {other:?}"),
                    })
                    .collect();
            }
            ParsedExtension::SubjectKeyIdentifier(id) => facts.subject_key_id = Some(id.0.to_vec()),
            ParsedExtension::AuthorityKeyIdentifier(id) => {
                facts.authority_key_id = id.key_identifier.as_ref().map(|id| id.0.to_vec());
            }
            other => panic!("unexpected extension {other:?}"),
        }
    }
    facts
}

fn name(name: &x509_parser::x509::X509Name<'_>) -> Vec<Vec<(String, u32, String)>> {
    name.iter()
        .map(|rdn| {
            rdn.iter()
                .map(|a| (a.attr_type().to_id_string(), a.attr_value().tag().0, a.as_str().unwrap().to_owned()))
                .collect()
        })
        .collect()
}

fn general_name(name: &GeneralName<'_>) -> String {
    match name {
        GeneralName::DNSName(dns) => format!("DNS:{dns}"),
        GeneralName::IPAddress(bytes) => match <[u8; 4]>::try_from(*bytes) {
            Ok(v4) => format!("IP:{}", std::net::Ipv4Addr::from(v4)),
            Err(_) => format!("IP:{}", std::net::Ipv6Addr::from(<[u8; 16]>::try_from(*bytes).unwrap())),
        },
        other => panic!("unexpected name {other:?}"),
    }
}

/// Which kind of public key an SPKI holds: RSA by its size, EC by its curve.
fn public_key(spki: &[u8]) -> String {
    let (_, info) = x509_parser::x509::SubjectPublicKeyInfo::from_der(spki).unwrap();
    match info.parsed().unwrap() {
        x509_parser::public_key::PublicKey::RSA(rsa) => format!("RSA-{}", rsa.key_size()),
        x509_parser::public_key::PublicKey::EC(point) => format!("EC-{}", point.key_size()),
        other => panic!("unexpected key {other:?}"),
    }
}

fn key_kind(label: &str, der: &[u8]) -> String {
    match label {
        "PUBLIC KEY" => public_key(der),
        // The lengths of the containers are those of the key: modulus, or curve.
        "RSA PRIVATE KEY" => format!(
            "RSA-{}",
            [(1600, 2048), (2200, 3072)].iter().find(|(n, _)| der.len() < *n).map_or(4096, |(_, bits)| *bits)
        ),
        "EC PRIVATE KEY" => format!("EC-{}", if der.len() < 130 { 256 } else { 384 }),
        other => panic!("unexpected container {other}"),
    }
}

/// `key: value` lines are enough for kubeadm's kubeconfigs.
fn kubeconfig(text: &str) -> Kubeconfig {
    let mut data = BTreeMap::new();
    let mut shape = String::new();
    for line in text.lines() {
        match line.split_once("-data: ") {
            Some((key, value)) => {
                data.insert(key.trim().to_owned(), decode(value));
                shape.push_str(&format!("{key}-data: ...\n"));
            }
            None => shape.push_str(&format!("{line}\n")),
        }
    }
    let certificates =
        |key: &str| pem::parse_many(&data[key]).unwrap().iter().map(|block| certificate(block.contents())).collect();
    let key = pem::parse(&data["client-key"]).unwrap();
    Kubeconfig {
        shape,
        authority: certificates("certificate-authority"),
        client: certificates("client-certificate"),
        key: (key.tag().to_owned(), key_kind(key.tag(), key.contents())),
    }
}

/// Base64, standard alphabet.
pub fn decode(text: &str) -> Vec<u8> {
    let value = |c: u8| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => panic!("not base64"),
    };
    let mut out = Vec::new();
    for chunk in text.trim().as_bytes().chunks(4) {
        let digits: Vec<u8> = chunk.iter().copied().take_while(|c| *c != b'=').map(value).collect();
        let bits = digits.iter().fold(0u32, |bits, d| bits << 6 | u32::from(*d)) << (6 * (4 - digits.len()));
        out.extend(&bits.to_be_bytes()[1..digits.len()]);
    }
    out
}

/// Only the certificates of a tree.
pub fn read_certificates(root: &Path) -> BTreeMap<String, File> {
    read_filtered(root, |name| name.ends_with(".crt")).into_iter().map(|(name, (_, file))| (name, file)).collect()
}
