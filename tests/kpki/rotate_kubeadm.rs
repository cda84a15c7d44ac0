//! Somebody runs kubeadm on a node in the middle of a rotation (`certs renew all`, `init phase kubeconfig`): it signs with X.key as the
//! first certificate of X.crt, takes the first key of sa.pub for that of sa.key, and writes that first certificate alone
//! into the kubeconfigs that it renews (pki_helpers.go, renewal/readwriter.go). In every phase that has to be the signer.

use rcgen::{
    CertificateParams, DistinguishedName, DnType, DnValue, ExtendedKeyUsagePurpose, Issuer, KeyIdMethod, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{PrivateKeyDer, UnixTime};
use x509_parser::prelude::{FromDer as _, ParsedExtension, X509Certificate};

use super::harness::{NOW, Place, copy_tree};

const PROFILE: &str = "\
apiVersion: kpki/v1
kind: ClusterProfile
clusterName: c
controlPlaneEndpoint: api.example.com:6443
caKeys: control-plane
nodes:
- {name: cp1, addresses: [10.0.0.1]}
- {name: cp2, addresses: [10.0.0.2]}
- {name: w1, roles: [worker], addresses: [10.0.1.1]}
";
const AUTHORITIES: [&str; 3] = ["ca", "front-proxy-ca", "etcd/ca"];
/// (what a step is called, its words, when)
const STEPS: [(&str, &[&str], &str); 4] = [
    ("none", &[], NOW),
    ("prepared", &["prepare", "all", "--signer-file-in-use"], "2026-11-21T22:00:00Z"),
    ("switched", &["switch", "--confirm-all", "--not-before-override"], "2026-11-22T22:00:00Z"),
    ("retired", &["retire", "--confirm-all", "--not-before-override"], "2026-11-23T22:00:00Z"),
];

fn blocks(text: &str) -> Vec<Vec<u8>> {
    pem::parse_many(text).unwrap().into_iter().map(pem::Pem::into_contents).collect()
}

/// What kubeadm loads as an authority: a certificate and a key that belong together.
struct Signer {
    certificate: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
}

impl Signer {
    fn load(place: &Place, pki: &str, authority: &str) -> Self {
        let certificate = blocks(&place.read(&format!("{pki}/{authority}.crt"))).remove(0);
        let key = PrivateKeyDer::from_pem_slice(place.read(&format!("{pki}/{authority}.key")).as_bytes()).unwrap();
        let key = KeyPair::from_der_and_sign_algo(&key, &rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let (_, read) = X509Certificate::from_der(&certificate).unwrap();
        let own = read.public_key().subject_public_key.data.as_ref();
        assert_eq!(
            own,
            rcgen::PublicKeyData::der_bytes(&key),
            "{pki}/{authority}: the first certificate is another key's"
        );
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        for attribute in read.subject().iter_attributes() {
            let text = attribute.as_str().unwrap();
            let printable = attribute.attr_value().tag() == x509_parser::asn1_rs::Tag::PrintableString;
            let value = if printable { DnValue::PrintableString(text.try_into().unwrap()) } else { text.into() };
            params.distinguished_name.push(DnType::CommonName, value);
        }
        let id = read.extensions().iter().find_map(|one| match one.parsed_extension() {
            ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0.to_vec()),
            _ => None,
        });
        params.key_identifier_method = KeyIdMethod::PreSpecified(id.unwrap());
        Self { issuer: Issuer::new(params, key), certificate }
    }

    /// A client certificate of it, in DER, and its key in PEM.
    fn sign(&self, name: &str) -> (Vec<u8>, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let now = time::OffsetDateTime::parse(NOW, &time::format_description::well_known::Rfc3339).unwrap();
        (params.not_before, params.not_after) = (now, now + time::Duration::days(365));
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.der().to_vec(), pem::encode(&pem::Pem::new("PRIVATE KEY", key.serialize_der())))
    }
}

/// Whether somebody who holds this bundle accepts a client that shows this.
fn accepts(bundle: &str, leaf: &[u8]) -> bool {
    let bundle: Vec<_> = blocks(bundle).into_iter().map(rustls::pki_types::CertificateDer::from).collect();
    let anchors: Vec<_> = bundle.iter().map(|one| webpki::anchor_from_trusted_cert(one).unwrap()).collect();
    let leaf = rustls::pki_types::CertificateDer::from(leaf.to_vec());
    let leaf = webpki::EndEntityCert::try_from(&leaf).unwrap();
    // In the middle of the rotation.
    let at = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_795_557_600));
    let usage = webpki::KeyUsage::client_auth();
    leaf.verify_for_usage(webpki::ALL_VERIFICATION_ALGS, &anchors, &[], at, usage, None, None).is_ok()
}

/// A kubeconfig as kubeadm writes it back.
fn renewed(conf: &str, signer: &Signer, name: &str) -> String {
    let (certificate, key) = signer.sign(name);
    let pem = |der: &[u8]| pem::encode(&pem::Pem::new("CERTIFICATE", der));
    let fields = [
        ("certificate-authority-data: ", pem(&signer.certificate)),
        ("client-certificate-data: ", pem(&certificate)),
        ("client-key-data: ", key),
    ];
    let line = |line: &str| {
        let field = fields.iter().find_map(|(field, text)| Some((line.find(field)? + field.len(), text)));
        field.map_or_else(
            || line.to_owned(),
            |(end, text)| {
                format!("{}{}", line.split_at(end).0, kpki::encoding::base64::encode(text.as_bytes()).as_str())
            },
        ) + "\n"
    };
    conf.lines().map(line).collect()
}

#[test]
fn kubeadm_signs_with_the_signer_in_every_phase() {
    let place = Place::new();
    place.write("c.yaml", PROFILE);
    place.init(&["--profile", "c.yaml", "--dir", "c"]).status(0);
    let mut signers = Vec::new();
    for (phase, words, at) in STEPS {
        if !words.is_empty() {
            place.kpki(&[&["rotate"], words, &["--dir", "c", "--at", at]].concat()).status(0);
        }
        // Every node gets the files of the phase: a worker, which has the cluster CA alone, too.
        for node in ["cp1", "cp2", "w1"] {
            let archive = format!("{node}-{phase}.tar.gz");
            place.kpki(&["export", node, "--out", &archive, "--dir", "c", "--at", at]).status(0);
        }
        for node in ["cp1", "cp2"] {
            let pki = format!("c/nodes/{node}/pki");
            for authority in AUTHORITIES {
                let signer = Signer::load(&place, &pki, authority);
                let (leaf, _) = signer.sign("kubernetes-admin");
                // Whoever the phase has reached accepts it, workers included.
                for holder in ["cp1", "cp2", "w1"] {
                    let bundle = place.path(&format!("c/nodes/{holder}/pki/{authority}.crt"));
                    if let Ok(bundle) = std::fs::read_to_string(bundle) {
                        assert!(accepts(&bundle, &leaf), "{phase}: {authority} of {node} at {holder}");
                    }
                }
                if (node, authority) == ("cp1", "ca") {
                    signers.push(signer.certificate);
                }
            }
            // The first key of sa.pub, of the same kind, is that of sa.key.
            let first = blocks(&place.read(&format!("{pki}/sa.pub"))).remove(0);
            let key = PrivateKeyDer::from_pem_slice(place.read(&format!("{pki}/sa.key")).as_bytes()).unwrap();
            let key = KeyPair::from_der_and_sign_algo(&key, &rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
            assert!(first.ends_with(rcgen::PublicKeyData::der_bytes(&key)), "{phase}: sa of {node}");
        }
    }
    let [none, prepared, switched, retired] = &signers[..] else { panic!("{}", signers.len()) };
    assert!(
        none == prepared && prepared != switched && switched == retired,
        "the signer changes with the switch alone"
    );
}

/// kubeadm leaves the first certificate alone in the kubeconfigs that it renews: until that is mended, the next phase would be
/// met with a bundle of the one before.
#[test]
fn what_kubeadm_shortens_is_seen_and_mended() {
    for (number, (phase, ..)) in STEPS.iter().enumerate().skip(1).take(2) {
        let place = Place::new();
        place.write("c.yaml", PROFILE);
        place.init(&["--profile", "c.yaml", "--dir", "c"]).status(0);
        let mut now = NOW;
        for (_, words, at) in &STEPS[1..=number] {
            place.kpki(&[&["rotate"], *words, &["--dir", "c", "--at", at]].concat()).status(0);
            now = at;
        }
        copy_tree(&place.path("c/nodes/cp1"), &place.path("node"));
        let bundle = place.read("node/pki/ca.crt");
        assert_eq!(blocks(&bundle).len(), 2, "{phase}");
        let signer = Signer::load(&place, "node/pki", "ca");
        for (conf, name) in
            [("admin.conf", "kubernetes-admin"), ("controller-manager.conf", "system:kube-controller-manager")]
        {
            let conf = format!("node/{conf}");
            place.write(&conf, renewed(&place.read(&conf), &signer, name));
        }
        let short = ["admin.conf", "controller-manager.conf"].map(|conf| place.read(&format!("node/{conf}")));
        let said = place.kpki(&["check-expiration", "node", "--at", now]).status(4);
        assert!(said.stdout.contains("2 kubeconfigs do not trust all authorities of ca.crt"), "{phase}: {said:?}");
        let said = place.kpki(&["verify", "node", "--at", now]).status(4);
        assert_eq!(said.stdout.matches("expected all 2 certificates of ca.crt").count(), 2, "{phase}: {said:?}");
        place.kpki(&["renew", "all", "--due", "--dir", "node", "--at", now]).status(0);
        for (conf, short) in ["admin.conf", "controller-manager.conf"].iter().zip(short) {
            let mended = place.read(&format!("node/{conf}"));
            let data = |text: &str, field: &str| {
                let line = text.lines().find_map(|line| line.trim().strip_prefix(field)).unwrap();
                String::from_utf8(kpki::encoding::base64::decode(line.as_bytes()).unwrap().to_vec()).unwrap()
            };
            assert_eq!(data(&mended, "certificate-authority-data: "), bundle, "{phase}: {conf}");
            let field = "client-certificate-data: ";
            assert_eq!(data(&mended, field), data(&short, field), "{phase}: the credential of {conf} stays");
        }
        place.kpki(&["check-expiration", "node", "--at", now]).status(0);
    }
}
