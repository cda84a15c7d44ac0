//! The API server's, the kubelet's and the load balancer's pairs in TLS servers that are not ours.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::support::{Made, SMALL, Server, decode_base64, free_port, mode, program, project, run, scratch, write};

/// `openssl s_server` with a pair (without ending), asking every client for a certificate of `clients`.
fn serve(pair: &Path, clients: &Path, log: &Path) -> (Server, String) {
    let address = format!("127.0.0.1:{}", free_port("127.0.0.1"));
    let mut command = program("openssl");
    command
        .args(["s_server", "-www", "-quiet", "-Verify", "3", "-verify_return_error", "-accept", &address, "-CAfile"])
        .arg(clients)
        .arg("-cert")
        .arg(pair.with_extension("crt"))
        .arg("-key")
        .arg(pair.with_extension("key"));
    let mut server = Server::start(&mut command, log.join("server.log"));
    server.listening(&address);
    (server, address)
}

/// What `openssl s_client` gets for a GET; `names` are -verify_hostname and -verify_ip.
pub fn get(address: &str, ca: &Path, client: Option<(&Path, &Path)>, names: &[&str]) -> String {
    let mut command = program("openssl");
    command.args(["s_client", "-quiet", "-verify_return_error", "-connect", address, "-CAfile"]).arg(ca).args(names);
    if let Some((certificate, key)) = client {
        command.arg("-cert").arg(certificate).arg("-key").arg(key);
    }
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The server may have hung up already.
    let _ = child.stdin.take().unwrap().write_all(b"GET / HTTP/1.0\r\n\r\n");
    let output = child.wait_with_output().unwrap();
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

pub const SERVED: &str = "HTTP/1.0 200 ok";

/// Certificate and key out of a kubeconfig.
pub fn credentials(config: &Path, out: &Path) -> (PathBuf, PathBuf) {
    let text = std::fs::read_to_string(config).unwrap();
    let field = |name: &str| {
        let line = text.lines().find(|line| line.contains(&format!("{name}:"))).unwrap();
        decode_base64(line.split_once(':').unwrap().1.trim())
    };
    let name = config.file_name().unwrap().to_string_lossy();
    (
        write(out.join(format!("{name}.crt")), field("client-certificate-data")),
        write(out.join(format!("{name}.key")), field("client-key-data")),
    )
}

#[test]
fn an_api_server_is_trusted_and_trusts_its_clients() {
    let place = scratch();
    let tree = Made::from(&project("profiles/single-node.yaml"), &[]);
    let ca = tree.path("pki/ca.crt");
    let (_server, address) = serve(&tree.path("pki/apiserver"), &ca, place.path());

    let names: [&[&str]; 5] = [
        &["-verify_hostname", "kubernetes"],
        &["-verify_hostname", "kubernetes.default.svc.cluster.local", "-verify_ip", "10.96.0.1"],
        &["-verify_hostname", "kubernetes", "-verify_ip", "10.0.0.11"],
        &["-verify_hostname", "cp1"],
        &["-verify_ip", "10.0.0.11"],
    ];
    let mut clients: Vec<(PathBuf, PathBuf)> =
        vec![(tree.path("pki/apiserver-kubelet-client.crt"), tree.path("pki/apiserver-kubelet-client.key"))];
    for config in ["admin.conf", "super-admin.conf", "kubelet.conf", "controller-manager.conf", "scheduler.conf"] {
        clients.push(credentials(&tree.path(config), place.path()));
    }
    for (certificate, key) in &clients {
        let said = get(&address, &ca, Some((certificate, key)), names[0]);
        assert!(said.contains(SERVED), "{}: {said}", certificate.display());
    }
    for names in names {
        let said = get(&address, &ca, Some((&clients[0].0, &clients[0].1)), names);
        assert!(said.contains(SERVED), "{names:?}: {said}");
    }
    for wrong in [&["-verify_hostname", "evil.example.com"], &["-verify_ip", "10.0.0.12"]] {
        let said = get(&address, &ca, Some((&clients[0].0, &clients[0].1)), wrong);
        assert!(!said.contains(SERVED), "{wrong:?}: {said}");
    }

    // Nobody, another cluster's client, this cluster's etcd client, a serving certificate as a client's.
    let stranger = Made::of_text(SMALL, &[]);
    let pair = |tree: &Made, stem: &str| (tree.path(&format!("{stem}.crt")), tree.path(&format!("{stem}.key")));
    assert!(!get(&address, &ca, None, names[0]).contains(SERVED));
    for (certificate, key) in [
        pair(&stranger, "pki/apiserver-kubelet-client"),
        pair(&tree, "pki/apiserver-etcd-client"),
        pair(&tree, "pki/front-proxy-client"),
        pair(&tree, "pki/apiserver"),
        pair(&tree, "kubelet/kubelet"),
    ] {
        let said = get(&address, &ca, Some((&certificate, &key)), names[0]);
        assert!(!said.contains(SERVED), "{}: {said}", certificate.display());
    }
}

#[test]
fn a_kubelet_is_trusted_by_the_api_server() {
    let place = scratch();
    let tree = Made::from(&project("profiles/ha-load-balancer.yaml"), &[]);
    let ca = tree.path("pki/ca.crt");
    for (node, address) in [("cp1", "192.168.1.1"), ("worker1", "192.168.1.11")] {
        let base = tree.path(&format!("nodes/{node}"));
        let (_server, listening) = serve(&base.join("kubelet/kubelet"), &base.join("pki/ca.crt"), place.path());
        let client = tree.path("nodes/cp2/pki/apiserver-kubelet-client");
        let (certificate, key) = (client.with_extension("crt"), client.with_extension("key"));
        let client = Some((certificate.as_path(), key.as_path()));
        let said = get(&listening, &ca, client, &["-verify_hostname", node, "-verify_ip", address]);
        assert!(said.contains(SERVED), "{node}: {said}");
        let said = get(&listening, &ca, client, &["-verify_hostname", "kubernetes"]);
        assert!(!said.contains(SERVED), "a kubelet is no API server: {said}");
    }
}

#[test]
fn the_front_proxys_client_is_its_authoritys() {
    let place = scratch();
    let tree = Made::of_text(SMALL, &[]);
    let ca = tree.path("pki/front-proxy-ca.crt");
    let (_server, address) = serve(&tree.path("pki/apiserver"), &ca, place.path());
    let client = (tree.path("pki/front-proxy-client.crt"), tree.path("pki/front-proxy-client.key"));
    let said = get(&address, &tree.path("pki/ca.crt"), Some((&client.0, &client.1)), &[]);
    assert!(said.contains(SERVED), "{said}");
    let (certificate, key) = credentials(&tree.path("admin.conf"), place.path());
    assert!(!get(&address, &tree.path("pki/ca.crt"), Some((&certificate, &key)), &[]).contains(SERVED));
}

/// HAProxy terminating TLS before three API servers, with the extra certificates of the profile.
#[test]
fn haproxy_takes_the_load_balancers_certificates() {
    let place = scratch();
    let tree = Made::from(&project("profiles/ha-load-balancer.yaml"), &[]);
    let pki = tree.path("nodes/cp1/pki");
    let bundle = |name: &str| {
        let read = |end: &str| std::fs::read_to_string(pki.join(format!("{name}.{end}"))).unwrap();
        let path = write(place.path().join(format!("{name}.pem")), read("crt") + &read("key"));
        mode(&path, 0o600);
        path
    };
    let (own, check, ca) = (bundle("haproxy"), bundle("haproxy-check"), pki.join("ca.crt"));
    let (port, behind) = (free_port("127.0.0.1"), free_port("127.0.0.1"));
    let config = format!(
        "defaults\n  mode http\n  timeout connect 5s\n  timeout client 5s\n  timeout server 5s\n\
         frontend api\n  bind 127.0.0.1:{port} ssl crt {own} ca-file {ca} verify required\n  default_backend masters\n\
         backend masters\n  server cp1 127.0.0.1:{behind} ssl verify required verifyhost cp1 sni str(cp1) \
         ca-file {ca} crt {check}\n",
        own = own.display(),
        ca = ca.display(),
        check = check.display(),
    );
    let config = write(place.path().join("haproxy.cfg"), config);
    let checked = run(program("haproxy").arg("-c").arg("-f").arg(&config)).expect_ok("haproxy -c");
    assert!(!format!("{}{}", checked.out, checked.err).contains("[ALERT]"), "{checked:?}");

    // And through it to an API server that asks for HAProxy's client certificate.
    let mut server = program("openssl");
    server
        .args(["s_server", "-www", "-quiet", "-Verify", "3", "-verify_return_error"])
        .args(["-accept", &format!("127.0.0.1:{behind}"), "-CAfile"])
        .arg(&ca)
        .arg("-cert")
        .arg(pki.join("apiserver.crt"))
        .arg("-key")
        .arg(pki.join("apiserver.key"));
    let mut api = Server::start(&mut server, place.path().join("api.log"));
    api.listening(format!("127.0.0.1:{behind}"));
    let mut haproxy = program("haproxy");
    let mut haproxy = Server::start(haproxy.arg("-db").arg("-f").arg(&config), place.path().join("haproxy.log"));
    let address = format!("127.0.0.1:{port}");
    haproxy.listening(&address);
    let (certificate, key) = credentials(&tree.path("nodes/cp2/admin.conf"), place.path());
    let names = ["-verify_hostname", "k8s-api.example.com", "-verify_ip", "192.168.1.100"];
    let said = get(&address, &ca, Some((&certificate, &key)), &names);
    assert!(said.contains("200"), "{said}\n{}\n{}", haproxy.log(), api.log());
}
