//! The real kube-apiserver in the place of its stand-in, where somebody has it (`KUBE_APISERVER`), and the objects that the clients
//! ask it for: a service account, a pod on each node for its log, an APIService.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use serde_json::{Value, json};

use super::components::{Behind, Files};
use super::control_plane::kubeconfig;
use super::wire::ask;
use crate::support::Server;

pub fn program() -> Option<PathBuf> {
    let path = PathBuf::from(std::env::var_os("KUBE_APISERVER")?);
    assert!(path.is_file(), "KUBE_APISERVER={} is no file", path.display());
    Some(path)
}

/// Not `admin.conf`, whose rights come from a binding that nobody makes here.
const ADMIN: &str = "super-admin.conf";

/// Everybody who is known may do everything: what is looked at is who is known.
pub fn start(program: PathBuf, files: &Files, at: SocketAddr, etcd: &[SocketAddr], log: PathBuf) -> Server {
    let file = |name: &str| files.path(name).display().to_string();
    let members: Vec<_> = etcd.iter().map(|at| format!("https://{at}")).collect();
    let mut command = Command::new(program);
    for (flag, value) in [
        ("etcd-servers", members.join(",")),
        ("etcd-cafile", file("pki/etcd/ca.crt")),
        ("etcd-certfile", file("pki/apiserver-etcd-client.crt")),
        ("etcd-keyfile", file("pki/apiserver-etcd-client.key")),
        ("client-ca-file", file("pki/ca.crt")),
        ("tls-cert-file", file("pki/apiserver.crt")),
        ("tls-private-key-file", file("pki/apiserver.key")),
        ("requestheader-client-ca-file", file("pki/front-proxy-ca.crt")),
        ("requestheader-allowed-names", "front-proxy-client".to_owned()),
        ("requestheader-username-headers", "X-Remote-User".to_owned()),
        ("requestheader-group-headers", "X-Remote-Group".to_owned()),
        ("requestheader-extra-headers-prefix", "X-Remote-Extra-".to_owned()),
        ("proxy-client-cert-file", file("pki/front-proxy-client.crt")),
        ("proxy-client-key-file", file("pki/front-proxy-client.key")),
        ("kubelet-client-certificate", file("pki/apiserver-kubelet-client.crt")),
        ("kubelet-client-key", file("pki/apiserver-kubelet-client.key")),
        ("kubelet-certificate-authority", file("pki/ca.crt")),
        ("service-account-key-file", file("pki/sa.pub")),
        ("service-account-signing-key-file", file("pki/sa.key")),
        ("service-account-issuer", "https://kubernetes.default.svc.cluster.local".to_owned()),
        ("service-cluster-ip-range", "10.96.0.0/12".to_owned()),
        ("authorization-mode", "AlwaysAllow".to_owned()),
        ("anonymous-auth", "false".to_owned()),
        ("disable-admission-plugins", "ServiceAccount".to_owned()),
        ("bind-address", at.ip().to_string()),
        ("advertise-address", at.ip().to_string()),
        ("secure-port", at.port().to_string()),
    ] {
        command.arg(format!("--{flag}={value}"));
    }
    Server::start(&mut command, log)
}

/// Made once, through one of the API servers.
pub fn objects(at: SocketAddr, files: &Files, behind: &Behind) {
    let admin = kubeconfig(files, ADMIN);
    let make = |path: &str, object: &Value| {
        let said = ask(at, &admin, &format!("POST {path}"), "", &object.to_string()).unwrap();
        assert!(matches!(said.status, 201 | 409), "{path}: {said:?}");
    };
    let named = |name: &str| json!({ "name": name });
    make("/api/v1/namespaces/default/serviceaccounts", &json!({ "metadata": named("default") }));
    for (node, at) in &behind.kubelets {
        let addresses = json!([{ "type": "InternalIP", "address": at.ip().to_string() }]);
        let endpoints = json!({ "kubeletEndpoint": { "Port": at.port() } });
        let status = json!({ "addresses": addresses, "daemonEndpoints": endpoints });
        make("/api/v1/nodes", &json!({ "metadata": named(node), "status": status }));
        let containers = json!([{ "name": "c", "image": "none" }]);
        let spec = json!({ "nodeName": node, "containers": containers, "automountServiceAccountToken": false });
        make("/api/v1/namespaces/default/pods", &json!({ "metadata": named(node), "spec": spec }));
    }
    let spec = json!({ "type": "ExternalName", "externalName": "localhost" });
    make("/api/v1/namespaces/default/services", &json!({ "metadata": named("extension"), "spec": spec }));
    let service = json!({ "namespace": "default", "name": "extension", "port": behind.extension.port() });
    let spec = json!({
        "group": "example.com", "version": "v1", "groupPriorityMinimum": 1000, "versionPriority": 10,
        "service": service, "caBundle": super::by_hand::base64(&behind.ca_bundle),
    });
    make("/apis/apiregistration.k8s.io/v1/apiservices", &json!({ "metadata": named("v1.example.com"), "spec": spec }));
}

/// What extension API servers are told to trust, out of its config map.
pub fn look_at_request_header(at: SocketAddr, files: &Files, behind: &Behind) {
    let path = "GET /api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication";
    let said = ask(at, &kubeconfig(files, ADMIN), path, "", "").unwrap();
    let map: Value = serde_json::from_str(&said.body).unwrap_or_else(|why| panic!("{why}: {said:?}"));
    let bundle = map["data"]["requestheader-client-ca-file"].as_str().unwrap_or_default();
    Arc::clone(&behind.request_header).set(bundle.as_bytes());
}

/// `kubectl delete configmap`
pub fn delete_request_header(at: SocketAddr, files: &Files) {
    let path = "DELETE /api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication";
    let said = ask(at, &kubeconfig(files, ADMIN), path, "", "").unwrap();
    assert_eq!(said.status, 200, "{said:?}");
}
