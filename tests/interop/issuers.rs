//! The ready-made issuers with the real programs: cfssl serve, kubectl before a stand-in for certificates.k8s.io, lego and pebble.
//! Commands, configurations and profiles are those of examples/issuers/README.md; what comes back is imported by kpki.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::readers::{Real, local, real};
use crate::support::{
    Ran, SMALL, Server, files_ending, free_port, kpki, program, project, run, say, scratch, within, write,
};
use crate::worked::Worked;

#[track_caller]
fn ours(dir: &Path, words: &[&str], code: i32) -> Ran {
    run(kpki().current_dir(dir).args(words)).expect_code(code, format_args!("kpki {words:?}"))
}

/// A pair for TLS at 127.0.0.1, or for a client.
fn pair(stem: &Path) {
    let path = |end: &str| stem.with_extension(end).to_str().unwrap().to_owned();
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", &path("key")];
    let certificate = ["-x509", "-days", "2", "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"];
    say("openssl", ["req", "-out", &path("crt")].into_iter().chain(key).chain(certificate));
}

/// A tree whose authority `stem` is elsewhere, with requests for these entries; the authority's key.
fn external(dir: &Path, stem: &str, entries: &[&str]) -> PathBuf {
    write(dir.join("p.yaml"), SMALL);
    ours(dir, &["init", "--profile", "p.yaml", "--dir", "t"], 0);
    let key = dir.join("authority.key");
    fs::rename(dir.join("t/pki").join(format!("{stem}.key")), &key).unwrap();
    ours(dir, &[&["csr", "--dir", "t"], entries].concat(), 0);
    key
}

/// What kpki tells an issuer of a request, in the environment.
fn asked(entry: &str, authority: &str, request: &Path) -> Value {
    let text = say("openssl", ["req", "-in", request.to_str().unwrap(), "-noout", "-text", "-nameopt", "multiline"]);
    let values = |key: &str| {
        let of_key =
            text.lines().filter_map(|line| line.trim().split_once(" = ").filter(|(name, _)| name.trim() == key));
        of_key.map(|(_, value)| value.to_owned()).collect::<Vec<_>>()
    };
    let names = |kind: &str| {
        let all = text.split([',', '\n']).filter_map(|name| name.trim().strip_prefix(kind).map(str::to_owned));
        all.collect::<Vec<_>>()
    };
    let usages = [("Web Server Authentication", "server auth"), ("Web Client Authentication", "client auth")];
    let usages: Vec<&str> = usages.into_iter().filter(|(long, _)| text.contains(long)).map(|(_, name)| name).collect();
    json!({
        "version": 1, "entry": entry, "authority": authority, "subject": "of the request",
        "commonName": values("commonName").concat(), "organizations": values("organizationName"),
        "dnsNames": names("DNS:"), "ipAddresses": names("IP Address:"),
        "keyUsages": ["digital signature"], "extendedKeyUsages": usages, "lifetimeSeconds": 31_536_000,
    })
}

/// The key by which an issuer knows a request again.
fn digest(request: &Path) -> String {
    let digest = "openssl req -in \"$1\" -outform DER | sha256sum | cut -d' ' -f1";
    say("sh", ["-c", digest, "sh", request.to_str().unwrap()]).trim().to_owned()
}

/// Runs an issuer as kpki does.
fn ask(words: &[String], asked: &Value, request: &Path) -> Ran {
    let (issuer, rest) = words.split_first().unwrap();
    let mut command = Command::new(issuer);
    command.args(rest).current_dir("/").env("KPKI_REQUEST", asked.to_string());
    command.env("KPKI_REQUEST_SHA256", digest(request)).env("HOME", request.parent().unwrap());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It may refuse without reading.
    let _ = child.stdin.take().unwrap().write_all(&fs::read(request).unwrap());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { code: output.status.code(), signal: None, out: text(&output.stdout), err: text(&output.stderr) }
}

#[track_caller]
fn refuses(words: &[String], asked: &Value, request: &Path, because: &[&str]) {
    let ran = ask(words, asked, request).expect_code(1, format_args!("{words:?}"));
    assert_eq!(ran.out, "");
    for text in because {
        assert!(ran.err.contains(text), "{text}: {}", ran.err);
    }
}

/// The server of the README with this authority, and the README for it.
fn serve_cfssl(dir: &Path, key: &Path, ca: &Path) -> (Worked, Server) {
    let port = free_port("127.0.0.1").to_string();
    let worked = Worked::installed("issuers", dir)
        .instead("ca.example.com", "127.0.0.1")
        .instead("8888", port.clone())
        .instead("/etc/cfssl", dir.join("server").to_str().unwrap());
    let server = dir.join("server");
    write(server.join("config.json"), worked.block("json", "profiles"));
    fs::rename(key, server.join("ca.key")).unwrap();
    fs::copy(ca, server.join("ca.crt")).unwrap();
    pair(&server.join("tls"));
    pair(&dir.join("etc/client"));
    fs::copy(server.join("tls.crt"), dir.join("etc/ca-of-tls.crt")).unwrap();
    fs::copy(dir.join("etc/client.crt"), server.join("clients.crt")).unwrap();
    let mut serve = program("sh");
    serve.args(["-c", &worked.block("sh", "cfssl serve")]);
    let mut running = Server::start(&mut serve, dir.join("cfssl.log"));
    running.listening(format!("127.0.0.1:{port}"));

    (worked, running)
}

#[test]
fn cfssl_signs_by_the_profile_of_the_usages() {
    let place = scratch();
    let dir = place.path();
    let entries = ["etcd-server", "etcd-healthcheck-client"];
    let key = external(dir, "etcd/ca", &entries);
    let (worked, running) = serve_cfssl(dir, &key, &dir.join("t/pki/etcd/ca.crt"));
    let server = dir.join("server");
    let issuer = worked.words("issuer", "issuers/cfssl");
    let mut files = vec!["import", "--dir", "t"];
    let names = ["server.crt", "client.crt"];
    for (entry, name) in entries.iter().zip(names) {
        let request = dir.join(format!("t/.kpki/requests/pki/etcd/{}.csr", entry.trim_start_matches("etcd-")));
        let chain = ask(&issuer, &asked(entry, "etcd-ca", &request), &request).expect_ok(entry).out;
        assert!(chain.starts_with("-----BEGIN CERTIFICATE-----"), "{chain}");
        write(dir.join(name), chain);
        files.push(name);
    }
    ours(dir, &files, 0);
    let request = dir.join("request.csr");
    ours(dir, &["csr", "etcd-peer", "--dir", "t"], 0);
    fs::copy(dir.join("t/.kpki/requests/pki/etcd/peer.csr"), &request).unwrap();
    let of_peer = asked("etcd-peer", "etcd-ca", &request);
    // The profile that is named instead, and a chain behind the leaf.
    let chain = server.join("ca.crt").to_str().unwrap().to_owned();
    let with =
        |words: &[&str]| [&issuer[..], &words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()].concat();
    let said = ask(&with(&["--peer", "server", "--chain", &chain]), &of_peer, &request).expect_ok("chain").out;
    assert_eq!(said.matches("BEGIN CERTIFICATE").count(), 2);
    write(dir.join("peer.crt"), said);
    let ran = ours(dir, &["import", "peer.crt", "--dir", "t"], 1);
    assert!(ran.err.contains("clientAuth"), "{}", ran.err);

    refuses(&with(&["--peer", "nothing"]), &of_peer, &request, &["did not sign with its profile nothing"]);
    refuses(&with(&["--url", "http://127.0.0.1"]), &of_peer, &request, &["expected --url https://HOST:PORT"]);
    refuses(&with(&["--bundle", "x"]), &of_peer, &request, &["unknown option --bundle"]);
    let untrusted = with(&["--cacert", dir.join("etc/client.crt").to_str().unwrap()]);
    refuses(&untrusted, &of_peer, &request, &["self-signed certificate", "no answer from https://127.0.0.1:"]);
    let stranger =
        with(&["--cert", server.join("tls.crt").to_str().unwrap(), "--key", server.join("tls.key").to_str().unwrap()]);
    refuses(&stranger, &of_peer, &request, &["no answer from https://127.0.0.1:"]);
    drop(running);
    refuses(&issuer, &of_peer, &request, &["no answer from https://127.0.0.1:"]);
}

/// A cluster directory of the profile without its `authorities`, and the whole profile beside it; the authority's key is taken out.
fn cluster(dir: &Path, profile: &str, stem: &str) -> PathBuf {
    let plain = profile.split("caKeys:").next().unwrap();
    write(dir.join("plain.yaml"), format!("{plain}caKeys: none\n"));
    write(dir.join("profile.yaml"), profile);
    ours(dir, &["init", "--profile", "plain.yaml", "--dir", "cluster"], 0);
    let key = dir.join("authority.key");
    fs::rename(dir.join("cluster/pki").join(format!("{stem}.key")), &key).unwrap();
    key
}

const RENEW: [&str; 6] = ["renew", "all", "--profile", "profile.yaml", "--dir", "cluster"];

#[test]
fn kpki_has_certificates_issued_by_cfssl() {
    let place = scratch();
    let dir = place.path();
    let profile = fs::read_to_string(project("examples/issuers/README.md")).unwrap();
    let profile = profile.split("```yaml\n").find(|block| block.contains("issuers/cfssl")).unwrap();
    let key = cluster(dir, profile.split("```").next().unwrap(), "etcd/ca");
    let (worked, running) = serve_cfssl(dir, &key, &dir.join("cluster/pki/etcd/ca.crt"));
    write(dir.join("profile.yaml"), worked.block("yaml", "issuers/cfssl"));
    let leaf = dir.join("cluster/nodes/cp1/pki/etcd/server.crt");
    let before = fs::read(&leaf).unwrap();
    let said = ours(dir, &RENEW, 0);
    assert!(said.out.starts_with("renewed 13 of 13 certificates"), "{}", said.out);
    let (ca, leaf) =
        (dir.join("cluster/pki/etcd/ca.crt").to_str().unwrap().to_owned(), leaf.to_str().unwrap().to_owned());
    assert_ne!(before, fs::read(&leaf).unwrap());
    say("openssl", ["verify", "-CAfile", &ca, &leaf]);
    ours(dir, &["verify", "cluster"], 0);
    // Without its server the requests wait, and what is here is renewed.
    drop(running);
    let before = fs::read(&leaf).unwrap();
    let said = ours(dir, &RENEW, 5);
    assert!(format!("{}{}", said.out, said.err).contains("cfssl: no answer from https://127.0.0.1:"), "{said:?}");
    assert_eq!(before, fs::read(&leaf).unwrap());
}

/// The stand-in for an API server, and a user's kubeconfig for it.
struct Api {
    server: Server,
    dir: PathBuf,
    port: String,
}

impl Api {
    /// With the authority that its signers sign with.
    fn start(dir: &Path, key: &Path, ca: &Path) -> Self {
        let (api, port) = (dir.join("api"), free_port("127.0.0.1").to_string());
        fs::create_dir(&api).unwrap();
        pair(&api.join("tls"));
        fs::rename(key, api.join("ca.key")).unwrap();
        fs::copy(ca, api.join("ca.crt")).unwrap();
        write(api.join("token"), "a-token");
        let mut serve = program("python3");
        serve.arg(project("tests/interop/csr_api.py")).arg(&port).arg(&api);
        let mut server = Server::start(&mut serve, dir.join("api.log"));
        server.listening(format!("127.0.0.1:{port}"));
        let url = format!("https://127.0.0.1:{port}");
        let text = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{"name": "c", "cluster": {"server": url, "certificate-authority": api.join("tls.crt")}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "users": [{"name": "u", "user": {"token": "a-token"}}],
        });
        write(dir.join("etc/requester.conf"), text.to_string());
        Self { server, dir: api, port }
    }

    /// As `kubectl certificate approve` and `deny`, which speak protobuf, as the stand-in does not.
    fn judge(&self, name: &str, how: &str) {
        let condition = json!({"type": how, "status": "True", "reason": "ByHand", "message": "Looked at"});
        let body = json!({"status": {"conditions": [condition]}}).to_string();
        let path = format!("apis/certificates.k8s.io/v1/certificatesigningrequests/{name}/approval");
        let cacert = self.dir.join("tls.crt").to_str().unwrap().to_owned();
        let words = ["--fail", "--silent", "--show-error", "-X", "PUT", "-H", "Authorization: Bearer a-token"];
        let url = format!("https://127.0.0.1:{}/{path}", self.port);
        say("curl", words.into_iter().chain(["--cacert", &cacert, "--data", &body, &url]));
    }
}

#[test]
fn kubernetes_signs_once_it_was_approved() {
    let place = scratch();
    let dir = place.path();
    let key = external(
        dir,
        "ca",
        &["kubelet-serving", "scheduler.conf", "kubelet.conf", "apiserver", "admin.conf", "super-admin.conf"],
    );
    let api = Api::start(dir, &key, &dir.join("t/pki/ca.crt"));
    let worked = Worked::installed("issuers", dir);
    let issuer = worked.words("issuer", "issuers/kubernetes");
    let conf = dir.join("etc/requester.conf");
    let kubectl = |words: &[&str]| run(program("kubectl").arg("--kubeconfig").arg(&conf).args(words).env("HOME", dir));
    let request = |path: &str| dir.join("t/.kpki/requests").join(path);

    let mut files = vec!["import", "--dir", "t"];
    for (entry, path, file, signer) in [
        ("kubelet-serving", "kubelet/kubelet.csr", "serving.crt", "kubernetes.io/kubelet-serving"),
        ("kubelet.conf", "kubelet.conf.csr", "kubelet.crt", "kubernetes.io/kube-apiserver-client-kubelet"),
        ("scheduler.conf", "scheduler.conf.csr", "scheduler.crt", "kubernetes.io/kube-apiserver-client"),
    ] {
        let request = request(path);
        let of_it = asked(entry, "ca", &request);
        let first = ask(&issuer, &of_it, &request).expect_code(75, entry);
        let name = first.err.lines().last().and_then(|line| line.rsplit(' ').next()).unwrap().to_owned();
        assert!(first.err.ends_with(&format!("waits for: kubectl certificate approve {name}\n")), "{}", first.err);
        // Again: the same object, and no second one.
        let again = ask(&issuer, &of_it, &request).expect_code(75, entry);
        assert!(again.err.contains(&name) && again.out.is_empty(), "{again:?}");
        let made: Value =
            serde_json::from_str(&kubectl(&["get", "csr", &name, "-o", "json"]).expect_ok("get").out).unwrap();
        assert_eq!(
            (&made["spec"]["signerName"], &made["spec"]["expirationSeconds"]),
            (&json!(signer), &json!(31_536_000))
        );
        api.judge(&name, "Approved");
        write(dir.join(file), ask(&issuer, &of_it, &request).expect_ok(entry).out);
        files.push(file);
    }
    ours(dir, &files, 0);

    // The role of the README is enough.
    let log = fs::read_to_string(api.dir.join("requests.log")).unwrap();
    let verbs: std::collections::BTreeSet<&str> = log
        .lines()
        .filter(|line| line.contains("/certificatesigningrequests"))
        .filter(|line| !line.ends_with("/approval"))
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    assert_eq!(verbs.into_iter().collect::<Vec<_>>(), ["GET", "POST"]);
    assert!(worked.block("yaml", "ClusterRole").contains("verbs: [create, get]\n"));

    let with = |words: &[&str]| {
        [&issuer[..1], &words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>(), &issuer[1..]].concat()
    };
    // Denied.
    let admin = request("admin.conf.csr");
    let of_admin = asked("admin.conf", "ca", &admin);
    let name = ask(&issuer, &of_admin, &admin).expect_code(75, "admin.conf").err;
    let name = name.lines().last().and_then(|line| line.rsplit(' ').next()).unwrap().to_owned();
    api.judge(&name, "Denied");
    refuses(&issuer, &of_admin, &admin, &[&format!("{name} was not signed: Denied: ByHand Looked at")]);
    // What no signer signs, and what the API refuses.
    let server = request("pki/apiserver.csr");
    let of_server = asked("cp1/apiserver", "ca", &server);
    refuses(&issuer, &of_server, &server, &["no signer of Kubernetes signs this: cp1/apiserver of ca", "server auth"]);
    refuses(&with(&["--signer", "example.com/none"]), &of_server, &server, &["spec.signerName", "cannot create"]);
    let masters = request("super-admin.conf.csr");
    refuses(&issuer, &asked("super-admin.conf", "ca", &masters), &masters, &["no signer of Kubernetes signs this"]);
    drop(api.server);
    refuses(&issuer, &of_admin, &admin, &["kubectl cannot read certificatesigningrequests/kpki-"]);
}

/// An ACME server that asks this machine, whatever the name, and its directory.
fn pebble(dir: &Path) -> (Vec<Server>, Vec<String>) {
    let [http, listen, manage, dns, control] = [(); 5].map(|()| free_port("127.0.0.1"));
    pair(&dir.join("acme"));
    let at = |port: u16| format!("127.0.0.1:{port}");
    let config = json!({"pebble": {
        "listenAddress": at(listen), "managementListenAddress": at(manage), "httpPort": http, "tlsPort": 1,
        "certificate": dir.join("acme.crt"), "privateKey": dir.join("acme.key"), "ocspResponderURL": "",
    }});
    let config = write(dir.join("pebble.json"), config.to_string());
    let mut answers = program("pebble-challtestsrv");
    answers.args(["-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-http01", "", "-https01", "", "-tlsalpn01", ""]);
    answers.args(["-dns01", &at(dns), "-management", &at(control)]);
    let mut answers = Server::start(&mut answers, dir.join("dns.log"));
    answers.listening(at(control));
    let mut serve = program("pebble");
    serve.arg("-config").arg(config).args(["-dnsserver", &at(dns)]);
    serve.envs([("PEBBLE_VA_NOSLEEP", "1"), ("PEBBLE_WFE_NONCEREJECT", "0")]);
    let mut server = Server::start(&mut serve, dir.join("pebble.log"));
    server.listening(at(listen));
    let cacert = dir.join("acme.crt");
    let root = say(
        "curl",
        ["--silent", "--fail", "--cacert", cacert.to_str().unwrap(), &format!("https://{}/roots/0", at(manage))],
    );
    write(dir.join("root.crt"), root);
    let options = ["--http", "--http.port", &at(http), "--server", &format!("https://{}/dir", at(listen))];
    (vec![answers, server], options.map(str::to_owned).into())
}

#[test]
fn an_acme_server_signs_an_extra_certificate_only() {
    let place = scratch();
    let dir = place.path();
    let (servers, options) = pebble(dir);
    let worked = Worked::installed("issuers", dir);
    let issuer = dir.join("lib/issuers/acme").to_str().unwrap().to_owned();
    let account = dir.join("account").to_str().unwrap().to_owned();
    let root = dir.join("root.crt").to_str().unwrap().to_owned();
    let listed = options.iter().map(|option| format!("\"{option}\"")).collect::<Vec<_>>().join(", ");
    let worked = worked
        .instead("    certSANs: [api.example.com]", format!("    certSANs: [api.example.com]\n    root: {root}"))
        .instead("/var/lib/kpki/acme", account.clone())
        .instead("--http]", format!("{listed}]"));
    write(dir.join("profile.yaml"), worked.block("yaml", "authority: external"));
    let bin = Path::new(env!("CARGO_BIN_EXE_kpki")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let cacert = dir.join("acme.crt").to_str().unwrap().to_owned();
    let variables = [("PATH", path), ("LEGO_CA_CERTIFICATES", cacert.clone())];
    worked.sh_in(dir, "kpki init --profile profile.yaml", &variables.each_ref());
    let chain = fs::read_to_string(dir.join("cluster/pki/public.crt")).unwrap();
    assert_eq!(chain.matches("BEGIN CERTIFICATE").count(), 2);
    let leaf = dir.join("cluster/pki/public.crt").to_str().unwrap().to_owned();
    say("openssl", ["verify", "-CAfile", &root, "-untrusted", &leaf, "-verify_hostname", "api.example.com", &leaf]);
    assert!(dir.join("account/accounts").is_dir() && !dir.join("account/certificates").exists());

    let request = dir.join("cluster/.kpki/requests/pki/apiserver.csr");
    ours(dir, &["csr", "apiserver", "--profile", "profile.yaml", "--dir", "cluster"], 0);
    let words: Vec<String> = [issuer, "--cacert".to_owned(), cacert, account].into_iter().chain(options).collect();
    let of_server = asked("cp1/apiserver", "ca", &request);
    refuses(
        &words,
        &of_server,
        &request,
        &["cp1/apiserver is a certificate of the cluster itself", "extra certificate"],
    );
    let without_names = json!({"entry": "public", "dnsNames": []});
    refuses(&words, &without_names, &request, &["public has no DNS name"]);
    refuses(&words[..1], &without_names, &request, &["usage: acme"]);
    let of_public = json!({"entry": "public", "dnsNames": ["api.example.com"]});
    drop(servers);
    refuses(&words, &of_public, &request, &["lego did not get a certificate for public"]);
}

/// A run asks, somebody approves, and the next run has the certificates.
#[test]
fn kpki_has_certificates_issued_by_the_signers_of_kubernetes() {
    let place = scratch();
    let dir = place.path();
    let worked = Worked::installed("issuers", dir);
    let key = cluster(dir, &format!("{SMALL}{}", worked.block("yaml", "issuers/kubernetes")), "ca");
    let api = Api::start(dir, &key, &dir.join("cluster/pki/ca.crt"));
    let names = ["cp1/kubelet-serving", "cp1/scheduler.conf", "cp1/apiserver"];
    let renew = |code| ours(dir, &[&["renew"], &names[..], &RENEW[2..]].concat(), code);
    let read = |path: &str| fs::read(dir.join("cluster/nodes/cp1").join(path)).unwrap();
    let files = ["kubelet/kubelet.crt", "scheduler.conf", "pki/apiserver.crt"];
    let before = files.map(read);
    let said = renew(5);
    let said = format!("{}{}", said.out, said.err);
    assert!(said.contains("no signer of Kubernetes signs this: apiserver of ca"), "{said}");
    assert_eq!(before, files.map(read));
    let requests = files_ending(&dir.join("cluster/.kpki/requests"), ".csr");
    assert_eq!(requests.len(), 3);
    for request in requests.iter().filter(|request| !request.ends_with("apiserver.csr")) {
        api.judge(&format!("kpki-{}", digest(request)), "Approved");
    }
    renew(5);
    let after = files.map(read);
    assert!(before[0] != after[0] && before[1] != after[1] && before[2] == after[2]);
    assert_eq!(files_ending(&dir.join("cluster/.kpki/requests"), ".csr").len(), 1);
}

/// The same before the real API server and the real signers.
#[test]
fn the_real_signers_of_kubernetes_sign() {
    let (Some(apiserver), Some(manager)) = (real("KUBE_APISERVER"), real("KUBE_CONTROLLER_MANAGER")) else { return };
    let real = Real::start(&apiserver, &local());
    let _manager = real.manager(&manager, &real.tree.path("pki/ca.crt"), "manager.log");
    let issuer = project("examples/issuers/kubernetes").to_str().unwrap().to_owned();
    let conf = real.tree.path("super-admin.conf").to_str().unwrap().to_owned();
    let server = format!("https://{}", real.address);
    let words: Vec<String> = [&issuer, "--kubeconfig", &conf, "--server", &server].map(str::to_owned).into();
    ours(&real.tree.dir, &["csr", "kubelet-serving", "kubelet.conf", "scheduler.conf", "--dir", "."], 0);
    for (entry, path) in [
        ("kubelet-serving", "kubelet/kubelet.csr"),
        ("kubelet.conf", "kubelet.conf.csr"),
        ("scheduler.conf", "scheduler.conf.csr"),
    ] {
        let request = real.tree.path(".kpki/requests").join(path);
        let of_it = asked(entry, "ca", &request);
        let waits = ask(&words, &of_it, &request).expect_code(75, entry);
        let name = waits.err.lines().last().and_then(|line| line.rsplit(' ').next()).unwrap().to_owned();
        real.kubectl(&["certificate", "approve", &name]).expect_ok("approve");
        let is_signed = || ask(&words, &of_it, &request).ok();
        assert!(within(Duration::from_secs(60), is_signed), "{entry}");
        let chain = write(real.place.path().join("chain.crt"), ask(&words, &of_it, &request).out);
        let ca = real.tree.path("pki/ca.crt");
        say("openssl", ["verify", "-CAfile", ca.to_str().unwrap(), chain.to_str().unwrap()]);
        ours(&real.tree.dir, &["import", chain.to_str().unwrap(), "--dir", "."], 0);
    }
}
