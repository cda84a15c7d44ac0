//! Whether a running process takes a replaced file up, against the table of `src/catalog/readers.rs`: etcd, HAProxy, nginx, and where
//! somebody has them kube-apiserver, kube-controller-manager and the kubelet (`KUBE_APISERVER`, `KUBE_CONTROLLER_MANAGER`,
//! `KUBELET`: the path of the program).

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use kpki::catalog::readers::{Action, READERS};

use crate::revoke::{etcdctl, start_etcd, start_this_etcd};
use crate::support::{Made, SMALL, Server, free_port, kpki, mode, program, run, say, scratch, within, write};
use crate::tls::{SERVED, credentials, get};

/// What the table says of a flag or field.
fn action(component: &str, file: &str, setting: &str) -> Action {
    let has = |text: &str, wanted: &str| text.split(", ").any(|one| one == wanted);
    let mut found = READERS
        .iter()
        .filter(|reader| reader.component == component && has(reader.file, file) && has(reader.setting, setting));
    found.next().unwrap_or_else(|| panic!("{component} {file} {setting} is in no row")).action
}

fn on(tree: &Made, words: &[&str]) {
    run(kpki().args(words).arg("--dir").arg(&tree.dir)).expect_ok(format_args!("{words:?}"));
}

pub fn local() -> String {
    SMALL.replace("10.0.0.11", "127.0.0.1")
}

fn url() -> String {
    format!("https://127.0.0.1:{}", free_port("127.0.0.1"))
}

/// Debian's etcd (3.4), and the next release's (3.5) where `NEWER_ETCD` is its path: `.ci/run` unpacks it.
fn of_every_etcd(test: impl Fn(&dyn Fn() -> Command)) {
    test(&|| program("etcd"));
    if let Some(newer) = real("NEWER_ETCD") {
        let version = say(newer.to_str().unwrap(), ["--version"]);
        assert!(!version.contains("etcd Version: 3.4"), "{version}");
        test(&|| Command::new(&newer));
    }
}

/// etcd's own pair at once; its authorities only when it starts.
#[test]
fn etcd_takes_up_what_the_table_says() {
    of_every_etcd(takes_up_what_the_table_says);
}

fn takes_up_what_the_table_says(etcd: &dyn Fn() -> Command) {
    let tree = Made::of_text(&local(), &[]);
    let other = Made::of_text(&local(), &[]);
    on(&tree, &["crl", "update", "etcd-ca"]);
    let (data, client_url, peer_url) = (scratch(), url(), url());
    let client = "pki/apiserver-etcd-client";
    let mut server = start_this_etcd(etcd(), &tree, &client_url, &peer_url, data.path());
    let up = within(Duration::from_secs(40), || etcdctl(&tree, &client_url, client).ok() || server.ended());
    assert!(up && !server.ended(), "{}", server.log());

    let presented = || presented(client_url.strip_prefix("https://").unwrap(), &tree.path(client), data.path());
    let before = presented();
    on(&tree, &["renew", "etcd-server"]);
    assert_ne!(presented(), before);
    assert!(matches!(action("etcd", "etcd-server", "--cert-file"), Action::Itself(_)));

    // A client of another authority, which ca.crt trusts from now on.
    for end in ["crt", "key"] {
        fs::copy(other.path(&format!("{client}.{end}")), tree.path(&format!("pki/other.{end}"))).unwrap();
    }
    let both = [&tree, &other].map(|tree| fs::read_to_string(tree.path("pki/etcd/ca.crt")).unwrap()).concat();
    write(tree.path("pki/etcd/ca.crt"), both);
    let takes = || within(Duration::from_secs(5), || etcdctl(&tree, &client_url, "pki/other").ok());
    assert!(!takes(), "a running etcd knows an authority that it did not start with");
    assert_eq!(action("etcd", "etcd/ca.crt", "--trusted-ca-file"), Action::Restart);
    drop(server);
    let mut server = start_this_etcd(etcd(), &tree, &client_url, &peer_url, data.path());
    let up = within(Duration::from_secs(40), || etcdctl(&tree, &client_url, "pki/other").ok() || server.ended());
    assert!(up && !server.ended(), "{}", server.log());
}

/// Neither dates nor signatures: a stale list goes on naming whom it names, and keeps nobody else out.
#[test]
fn etcd_takes_no_notice_of_a_stale_list() {
    of_every_etcd(takes_no_notice_of_a_stale_list);
}

fn takes_no_notice_of_a_stale_list(etcd: &dyn Fn() -> Command) {
    let tree = Made::of_text(&format!("{}crl: {{validity: 2s}}\n", local()), &[]);
    on(&tree, &["hold", "apiserver-etcd-client"]);
    assert!(tree.path("pki/etcd/ca.crl.der").is_file(), "etcd reads nothing else from 3.6 on");
    std::thread::sleep(Duration::from_secs(4));
    run(kpki().args(["crl", "check", "etcd-peer", "--dir"]).arg(&tree.dir)).expect_code(3, "it is stale");
    let (data, client_url, peer_url) = (scratch(), url(), url());
    let health = "pki/etcd/healthcheck-client";
    let mut server = start_this_etcd(etcd(), &tree, &client_url, &peer_url, data.path());
    let up = within(Duration::from_secs(40), || etcdctl(&tree, &client_url, health).ok() || server.ended());
    assert!(up && !server.ended(), "{}", server.log());
    assert!(!etcdctl(&tree, &client_url, "pki/apiserver-etcd-client").ok());
}

/// The serial number of what a server presents.
fn presented(address: &str, client: &Path, out: &Path) -> String {
    let mut openssl = program("openssl");
    openssl.args(["s_client", "-connect", address, "-cert"]).arg(client.with_extension("crt"));
    let said = run(openssl.arg("-key").arg(client.with_extension("key"))).out;
    let (_, rest) = said.split_once("-----BEGIN CERTIFICATE-----").unwrap_or_else(|| panic!("{said}"));
    let (pem, _) = rest.split_once("-----END CERTIFICATE-----").unwrap();
    let file = write(out.join("presented"), format!("-----BEGIN CERTIFICATE-----{pem}-----END CERTIFICATE-----\n"));
    say("openssl", ["x509", "-noout", "-serial", "-in", file.to_str().unwrap()])
}

/// Serves with the API server's pair to clients of the cluster CA, by a list.
type Serve = fn(&Made, &Path) -> (Server, String);

fn haproxy(tree: &Made, place: &Path) -> (Server, String) {
    let read = |end: &str| fs::read_to_string(tree.path(&format!("pki/apiserver.{end}"))).unwrap();
    let pair = write(place.join("pair.pem"), read("crt") + &read("key"));
    mode(&pair, 0o600);
    let (pki, port) = (tree.path("pki"), free_port("127.0.0.1"));
    let config = format!(
        "defaults\n  mode http\n  timeout connect 5s\n  timeout client 5s\n  timeout server 5s\nfrontend api\n  bind \
         127.0.0.1:{port} ssl crt {pair} ca-file {pki}/ca.crt crl-file {pki}/ca.crl verify required\n  http-request return \
         status 200\n",
        pair = pair.display(),
        pki = pki.display()
    );
    let config = write(place.join("haproxy.cfg"), config);
    start(program("haproxy").arg("-db").arg("-f").arg(config), port, place)
}

fn nginx(tree: &Made, place: &Path) -> (Server, String) {
    let (pki, port) = (tree.path("pki"), free_port("127.0.0.1"));
    let (pki, place_text) = (pki.display(), place.display());
    let config = format!(
        "daemon off; master_process off; pid {place_text}/nginx.pid; error_log stderr;\nevents {{}}\nhttp {{\n access_log off;\n \
         client_body_temp_path {place_text}/b; proxy_temp_path {place_text}/p; fastcgi_temp_path {place_text}/f;\n \
         uwsgi_temp_path {place_text}/u; scgi_temp_path {place_text}/s;\n server {{\n  listen 127.0.0.1:{port} ssl;\n  \
         ssl_certificate {pki}/apiserver.crt; ssl_certificate_key {pki}/apiserver.key;\n  ssl_client_certificate {pki}/ca.crt; \
         ssl_crl {pki}/ca.crl; ssl_verify_client on;\n  location / {{ return 200 ok; }}\n }}\n}}\n"
    );
    let config = write(place.join("nginx.conf"), config);
    start(program("nginx").arg("-p").arg(place).arg("-c").arg(config), port, place)
}

fn start(command: &mut Command, port: u16, place: &Path) -> (Server, String) {
    let address = format!("127.0.0.1:{port}");
    let mut server = Server::start(command, place.join("server.log"));
    server.listening(&address);
    (server, address)
}

fn pair(tree: &Made, stem: &str) -> (PathBuf, PathBuf) {
    (tree.path(&format!("{stem}.crt")), tree.path(&format!("{stem}.key")))
}

/// They read a list when they start or are reloaded, and refuse everybody once it is stale.
#[test]
fn proxies_go_by_the_list_they_started_with_and_refuse_all_by_a_stale_one() {
    for (name, setting, serve) in [("HAProxy", "crl-file", haproxy as Serve), ("nginx", "ssl_crl", nginx as Serve)] {
        assert_eq!(action(name, "ca.crl", setting), Action::Reload);
        let place = scratch();
        let tree = Made::of_text(SMALL, &[]);
        let ca = tree.path("pki/ca.crt");
        on(&tree, &["crl", "update", "ca"]);
        let (bad, good) =
            (pair(&tree, "pki/apiserver-kubelet-client"), credentials(&tree.path("admin.conf"), place.path()));
        let takes = |address: &str, client: &(PathBuf, PathBuf)| {
            let said = get(address, &ca, Some((&client.0, &client.1)), &[]);
            said.contains("200 OK") || said.contains(SERVED)
        };
        let (server, address) = serve(&tree, place.path());
        assert!(takes(&address, &bad) && takes(&address, &good), "{name}: {}", server.log());
        on(&tree, &["revoke", "apiserver-kubelet-client"]);
        assert!(takes(&address, &bad), "{name} has read the list again by itself");
        drop(server);
        let (server, address) = serve(&tree, place.path());
        assert!(!takes(&address, &bad) && takes(&address, &good), "{name}: {}", server.log());
        drop(server);

        let tree = Made::of_text(&format!("{SMALL}crl: {{validity: 2s}}\n"), &[]);
        on(&tree, &["crl", "update", "ca"]);
        std::thread::sleep(Duration::from_secs(4));
        let ca = tree.path("pki/ca.crt");
        let (server, address) = serve(&tree, place.path());
        let (certificate, key) = credentials(&tree.path("admin.conf"), place.path());
        let said = get(&address, &ca, Some((&certificate, &key)), &[]);
        assert!(!said.contains("200 OK") && !said.contains(SERVED), "{name}: {said}\n{}", server.log());
    }
}

/// A program that somebody has to have; without it the test says that it did not run, past the capture of the test's output.
pub fn real(variable: &str) -> Option<PathBuf> {
    let found = std::env::var_os(variable).map(PathBuf::from);
    match &found {
        None => {
            let mut stderr = std::io::stderr();
            writeln!(stderr, "NOT RUN: {variable} is not set, so nothing was seen of the real program").unwrap();
        }
        Some(path) => assert!(path.is_file(), "{variable}={} is no file", path.display()),
    }
    found
}

/// A control plane of real components on loopback addresses.
pub struct Real {
    pub tree: Made,
    pub place: tempfile::TempDir,
    _etcd: Server,
    api: Server,
    pub address: String,
}

impl Real {
    pub fn start(apiserver: &Path, profile: &str) -> Self {
        let place = scratch();
        let tree = Made::of_text(profile, &[]);
        on(&tree, &["crl", "update", "etcd-ca"]);
        let (client_url, peer_url) = (url(), url());
        let etcd = start_etcd(&tree, &client_url, &peer_url, place.path());
        let port = free_port("127.0.0.1");
        let file = |name: &str| tree.path(&format!("pki/{name}")).display().to_string();
        let mut command = Command::new(apiserver);
        for (flag, value) in [
            ("etcd-servers", client_url.clone()),
            ("etcd-cafile", file("etcd/ca.crt")),
            ("etcd-certfile", file("apiserver-etcd-client.crt")),
            ("etcd-keyfile", file("apiserver-etcd-client.key")),
            ("client-ca-file", file("ca.crt")),
            ("tls-cert-file", file("apiserver.crt")),
            ("tls-private-key-file", file("apiserver.key")),
            ("requestheader-client-ca-file", file("front-proxy-ca.crt")),
            ("proxy-client-cert-file", file("front-proxy-client.crt")),
            ("proxy-client-key-file", file("front-proxy-client.key")),
            ("kubelet-client-certificate", file("apiserver-kubelet-client.crt")),
            ("kubelet-client-key", file("apiserver-kubelet-client.key")),
            ("service-account-key-file", file("sa.pub")),
            ("service-account-signing-key-file", file("sa.key")),
            ("service-account-issuer", "https://kubernetes.default.svc.cluster.local".to_owned()),
            ("service-cluster-ip-range", "10.96.0.0/12".to_owned()),
            ("authorization-mode", "Node,RBAC".to_owned()),
            ("bind-address", "127.0.0.1".to_owned()),
            ("advertise-address", "127.0.0.1".to_owned()),
            ("secure-port", port.to_string()),
            ("cert-dir", place.path().display().to_string()),
        ] {
            command.arg(format!("--{flag}={value}"));
        }
        let api = Server::start(&mut command, place.path().join("apiserver.log"));
        let mut real = Self { tree, place, _etcd: etcd, api, address: format!("127.0.0.1:{port}") };
        let up = within(Duration::from_secs(120), || real.ready() || real.api.ended());
        assert!(up && !real.api.ended(), "{}", real.api.log());
        real
    }

    pub fn kubectl(&self, words: &[&str]) -> crate::support::Ran {
        let mut kubectl = program("kubectl");
        kubectl.env_clear().args(["--request-timeout=10s", "--server", &format!("https://{}", self.address)]);
        kubectl.arg("--kubeconfig").arg(self.tree.path("super-admin.conf"));
        run(kubectl.args(words))
    }

    /// A controller manager that signs with this certificate.
    pub fn manager(&self, manager: &Path, signer: &Path, log: &str) -> Server {
        let conf = fs::read_to_string(self.tree.path("controller-manager.conf")).unwrap();
        let conf = conf.replace("https://127.0.0.1:6443", &format!("https://{}", self.address));
        let conf = write(self.place.path().join("controller-manager.conf"), conf);
        let mut command = Command::new(manager);
        command.arg("--kubeconfig").arg(&conf).arg("--cluster-signing-cert-file").arg(signer);
        command.arg("--cluster-signing-key-file").arg(self.tree.path("pki/ca.key"));
        command.arg(format!("--secure-port={}", free_port("127.0.0.1")));
        command.args(["--bind-address=127.0.0.1", "--leader-elect=false", "--cert-dir"]).arg(self.place.path());
        Server::start(&mut command, self.place.path().join(log))
    }

    fn ready(&self) -> bool {
        self.kubectl(&["get", "--raw", "/readyz"]).ok()
    }

    fn presented(&self) -> String {
        presented(&self.address, &self.tree.path("pki/apiserver-kubelet-client"), self.place.path())
    }
}

/// All pairs of a running API server are renewed: it presents the new one by itself, goes on reaching etcd, and no request fails.
#[test]
fn a_real_api_server_takes_up_its_pairs_without_a_restart() {
    let Some(apiserver) = real("KUBE_APISERVER") else { return };
    let mut real = Real::start(&apiserver, &local());
    let before = real.presented();
    on(&real.tree, &["renew", "all"]);
    let Action::Itself(seconds) = action("kube-apiserver", "apiserver", "--tls-cert-file") else { panic!() };
    let time = Duration::from_secs(u64::from(seconds) + 30);
    assert!(within(time, || real.presented() != before), "{}", real.api.log());
    for number in 0..20 {
        let name = format!("n{number}");
        real.kubectl(&["create", "namespace", &name]).expect_ok(name);
    }
    assert!(!real.api.ended(), "{}", real.api.log());
    // The bindings that kubeadm makes give admin.conf its rights.
    let rbac = real.place.path().join("rbac.yaml");
    let mut init = kpki();
    init.arg("init").arg("--dir").arg(&real.tree.dir).arg("--bootstrap-manifests").arg(&rbac);
    run(&mut init).expect_ok("init");
    real.kubectl(&["apply", "-f", rbac.to_str().unwrap()]).expect_ok("apply");
    let mut admin = program("kubectl");
    admin.env_clear().args(["--server", &format!("https://{}", real.address), "--kubeconfig"]);
    run(admin.arg(real.tree.path("admin.conf")).args(["get", "nodes"])).expect_ok("admin.conf");
}

/// Below an intermediate CA it starts with ca-signer.crt, and not with ca.crt.
#[test]
fn a_real_controller_manager_starts_with_the_signer_file_only() {
    let (Some(apiserver), Some(manager)) = (real("KUBE_APISERVER"), real("KUBE_CONTROLLER_MANAGER")) else { return };
    let real = Real::start(&apiserver, &format!("{}controllerManager: {{signerFile: true}}\n", local()));
    // What ca.crt holds below an intermediate: one more certificate.
    let bundle = real.place.path().join("bundle.crt");
    let read = |name: &str| fs::read_to_string(real.tree.path(name)).unwrap();
    write(&bundle, read("pki/ca.crt") + &read("pki/front-proxy-ca.crt"));
    let start = |signer: &Path, log: &str| real.manager(&manager, signer, log);
    let mut with_bundle = start(&bundle, "bundle.log");
    assert!(within(Duration::from_secs(60), || with_bundle.ended()), "{}", with_bundle.log());
    assert!(with_bundle.log().contains("expected 1 certificate"), "{}", with_bundle.log());
    let mut with_signer = start(&real.tree.path("pki/ca-signer.crt"), "signer.log");
    let is_published = || real.kubectl(&["get", "configmap", "kube-root-ca.crt"]).ok();
    assert!(within(Duration::from_secs(60), || is_published() || with_signer.ended()), "{}", with_signer.log());
    assert!(!with_signer.ended(), "{}", with_signer.log());
}

/// A kubelet with its serving pair in files presents the new one by itself, by name and, from 1.36 on, by address.
#[test]
fn a_real_kubelet_takes_up_its_serving_pair() {
    let (Some(apiserver), Some(kubelet)) = (real("KUBE_APISERVER"), real("KUBELET")) else { return };
    let real = Real::start(&apiserver, &local());
    let (place, port) = (real.place.path(), free_port("127.0.0.1"));
    // A socket that accepts and never answers keeps a kubelet without a container runtime alive for a while.
    let socket = place.join("cri.sock");
    let _runtime = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let conf = fs::read_to_string(real.tree.path("kubelet.conf")).unwrap();
    let conf =
        write(place.join("kubelet.conf"), conf.replace("https://127.0.0.1:6443", &format!("https://{}", real.address)));
    let pair = real.tree.path("kubelet/kubelet");
    let config = format!(
        "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\naddress: 127.0.0.1\nport: {port}\nfailCgroupV1: \
         false\nfailSwapOn: false\ncontainerRuntimeEndpoint: unix://{socket}\ntlsCertFile: {pair}.crt\ntlsPrivateKeyFile: \
         {pair}.key\nauthentication:\n  x509:\n    clientCAFile: {ca}\n",
        socket = socket.display(),
        pair = pair.display(),
        ca = real.tree.path("pki/ca.crt").display(),
    );
    let config = write(place.join("kubelet.yaml"), config);
    let mut command = Command::new(&kubelet);
    command.arg("--config").arg(config).arg("--kubeconfig").arg(conf).args(["--hostname-override=cp1", "--root-dir"]);
    let mut server = Server::start(command.arg(place.join("kubelet")), place.join("kubelet.log"));
    server.listening(format!("127.0.0.1:{port}"));
    let address = format!("127.0.0.1:{port}");
    let shown = || presented(&address, &real.tree.path("pki/apiserver-kubelet-client"), place);
    let before = shown();
    on(&real.tree, &["renew", "kubelet-serving"]);
    assert!(within(Duration::from_secs(90), || shown() != before || server.ended()), "{}", server.log());
    assert_ne!(shown(), before);
}
