//! The tree at work: rustls shakes hands with the certificates as the components would, and refuses who must be refused.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};

use super::facts::decode;
use super::harness::{Place, single};

struct Identity {
    certificates: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

fn certificates(pem: &[u8]) -> Vec<CertificateDer<'static>> {
    pem::parse_many(pem).unwrap().into_iter().map(|block| block.into_contents().into()).collect()
}

fn key(pem: &[u8]) -> PrivateKeyDer<'static> {
    let block = pem::parse(pem).unwrap();
    match block.tag() {
        "RSA PRIVATE KEY" => PrivateKeyDer::Pkcs1(block.into_contents().into()),
        "EC PRIVATE KEY" => PrivateKeyDer::Sec1(block.into_contents().into()),
        other => panic!("{other}"),
    }
}

fn pair(root: &Path, stem: &str) -> Identity {
    let read = |end: &str| std::fs::read(root.join(format!("{stem}.{end}"))).unwrap();
    Identity { certificates: certificates(&read("crt")), key: key(&read("key")) }
}

fn kubeconfig(root: &Path, name: &str) -> Identity {
    let text = std::fs::read_to_string(root.join(name)).unwrap();
    let data = |field: &str| {
        let line = text.lines().find_map(|line| line.trim().strip_prefix(field)).unwrap();
        decode(line.trim_start_matches(':'))
    };
    Identity { certificates: certificates(&data("client-certificate-data")), key: key(&data("client-key-data")) }
}

fn roots(root: &Path, ca: &str) -> Arc<RootCertStore> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(&std::fs::read(root.join(ca)).unwrap()) {
        store.add(certificate).unwrap();
    }
    Arc::new(store)
}

/// A handshake over memory with mutual authentication, then one byte each way.
fn shake(
    server: Identity,
    clients: Arc<RootCertStore>,
    client: Option<Identity>,
    servers: Arc<RootCertStore>,
    name: &str,
) -> Result<(), rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(clients, Arc::clone(&provider)).build().unwrap();
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(server.certificates, server.key)?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(servers);
    let client = match client {
        Some(identity) => builder.with_client_auth_cert(identity.certificates, identity.key)?,
        None => builder.with_no_client_auth(),
    };
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut client = ClientConnection::new(Arc::new(client), name)?;
    let mut server = ServerConnection::new(Arc::new(server))?;
    client.writer().write_all(b"?").unwrap();
    for _ in 0..10 {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire).unwrap();
        }
        let mut sent = wire.as_slice();
        while !sent.is_empty() {
            server.read_tls(&mut sent).unwrap();
            server.process_new_packets()?;
        }
        let mut wire = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut wire).unwrap();
        }
        let mut sent = wire.as_slice();
        while !sent.is_empty() {
            client.read_tls(&mut sent).unwrap();
            client.process_new_packets()?;
        }
        let mut byte = [0];
        if server.reader().read(&mut byte).is_ok_and(|n| n == 1) {
            return Ok(());
        }
    }
    panic!("the handshake does not end");
}

#[test]
fn components_accept_one_another_and_nobody_else() {
    for algorithm in ["ECDSA-P256", "ECDSA-P384", "RSA-2048"] {
        let place = Place::new();
        place.write("p.yaml", single(&format!("encryptionAlgorithm: {algorithm}\n")));
        // Real time: rustls asks the clock.
        place.kpki(&["init", "--profile", "p.yaml", "--dir", "k8s"]).ok();
        let root = &place.path("k8s");
        let (ca, etcd, front) =
            (|| roots(root, "pki/ca.crt"), || roots(root, "pki/etcd/ca.crt"), || roots(root, "pki/front-proxy-ca.crt"));
        let apiserver = || pair(root, "pki/apiserver");

        for conf in ["admin.conf", "super-admin.conf", "kubelet.conf", "controller-manager.conf", "scheduler.conf"] {
            for name in ["cp1", "kubernetes", "kubernetes.default.svc.cluster.local", "10.0.0.11", "10.96.0.1"] {
                shake(apiserver(), ca(), Some(kubeconfig(root, conf)), ca(), name).unwrap();
            }
        }
        shake(pair(root, "kubelet/kubelet"), ca(), Some(pair(root, "pki/apiserver-kubelet-client")), ca(), "cp1")
            .unwrap();
        shake(apiserver(), front(), Some(pair(root, "pki/front-proxy-client")), ca(), "kubernetes").unwrap();
        for client in ["pki/apiserver-etcd-client", "pki/etcd/healthcheck-client", "pki/etcd/peer"] {
            for name in ["cp1", "localhost", "127.0.0.1", "::1", "10.0.0.11"] {
                shake(pair(root, "pki/etcd/server"), etcd(), Some(pair(root, client)), etcd(), name).unwrap();
            }
        }
        shake(pair(root, "pki/etcd/peer"), etcd(), Some(pair(root, "pki/etcd/peer")), etcd(), "10.0.0.11").unwrap();

        let refused = |result: Result<(), rustls::Error>, why: &str| assert!(result.is_err(), "{algorithm}: {why}");
        refused(shake(apiserver(), ca(), None, ca(), "kubernetes"), "no client certificate");
        refused(shake(apiserver(), ca(), Some(kubeconfig(root, "admin.conf")), ca(), "elsewhere"), "another name");
        refused(shake(apiserver(), ca(), Some(kubeconfig(root, "admin.conf")), ca(), "10.0.0.12"), "another address");
        refused(shake(apiserver(), ca(), Some(apiserver()), ca(), "kubernetes"), "a server as a client");
        refused(shake(apiserver(), ca(), Some(pair(root, "pki/etcd/peer")), ca(), "kubernetes"), "etcd's client");
        refused(
            shake(
                pair(root, "pki/etcd/server"),
                etcd(),
                Some(pair(root, "pki/apiserver-kubelet-client")),
                etcd(),
                "cp1",
            ),
            "the cluster's client at etcd",
        );
        refused(
            shake(pair(root, "pki/apiserver-kubelet-client"), ca(), Some(kubeconfig(root, "admin.conf")), ca(), "cp1"),
            "a client as a server",
        );
    }
}
