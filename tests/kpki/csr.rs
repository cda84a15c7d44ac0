//! Requests, signing them, and certificates that somebody else signed.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use kpki::blueprint::{Algorithm, Blueprint, ExtendedKeyUsage, KeyUsage, Name, Role, San};
use kpki::ca::{self, PrivateKey};
use kpki::x509::{Request, parse_pem_bundle};
use time::macros::datetime;

use super::harness::{NOW, Place, Run, copy_tree, repository, single, text, tree};

fn at(place: &Place, words: &[&str]) -> Run {
    let (verb, rest) = words.split_first().unwrap();
    place.kpki(&[&[verb, "--at", NOW], rest].concat())
}

fn request(path: &Path) -> Request {
    Request::read_file(&fs::read(path).unwrap()).unwrap().remove(0)
}

/// A tree without the lock's file, which comes and goes.
fn lying(root: &Path) -> BTreeMap<String, (u32, Vec<u8>)> {
    let mut all = tree(root);
    all.retain(|name, _| !name.ends_with(".kpki/lock"));
    all
}

/// Every `.csr` below a directory, relative, without its ending.
fn requests(root: &Path) -> Vec<String> {
    tree(root).into_keys().filter_map(|name| name.strip_suffix(".csr").map(str::to_owned)).collect()
}

#[test]
fn requests_are_those_of_kubeadm() {
    let place = Place::new();
    let fixture = repository("fixtures/kubeadm/v1.36-generate-csr");
    let profile = text("fixtures/kubeadm/v1.36-generate-csr/kubeadm.yaml");
    at(&place, &["csr", "all", "--config", &profile, "--dir", "nowhere", "--out", "out"]).ok();
    let theirs = fixture.join("etc-kubernetes");
    let names = |root: &Path| {
        let all = tree(root).into_keys().filter(|name| !name.ends_with('/'));
        all.collect::<Vec<_>>()
    };
    assert_eq!(names(&place.path("out")), names(&theirs));
    for name in requests(&theirs) {
        let (ours, kubeadms) =
            (request(&place.path(&format!("out/{name}.csr"))), request(&theirs.join(format!("{name}.csr"))));
        assert_eq!(
            (&ours.subject, &ours.sans, &ours.key),
            (&kubeadms.subject, &kubeadms.sans, &kubeadms.key),
            "{name}"
        );
        assert_eq!(ours.signature_valid, Some(true));
        // kubeadm asks for no usages: whoever signs has to know them.
        assert!(!ours.extended_key_usages.is_empty() && ours.key_usage == Some(KeyUsage::DIGITAL_SIGNATURE), "{name}");
    }
    for (name, (mode, _)) in tree(&place.path("out")).iter().filter(|(name, _)| !name.ends_with('/')) {
        assert_eq!(*mode, 0o600, "{name}");
    }
    // A kubeconfig waits as kubeadm's does, word for word but for its key; kubelet.conf talks to the API server that `init`
    // and `renew` make it talk to.
    for name in ["admin.conf", "super-admin.conf", "controller-manager.conf", "scheduler.conf"] {
        let without_key = |text: String| text.split("client-key-data").next().unwrap().to_owned();
        let theirs = fs::read_to_string(theirs.join(name)).unwrap();
        assert_eq!(without_key(place.read(&format!("out/{name}"))), without_key(theirs), "{name}");
    }
    // Again: nothing is made anew, no key is touched.
    let before = lying(&place.path("out"));
    let run = at(&place, &["csr", "all", "--config", &profile, "--dir", "nowhere", "--out", "out"]).ok();
    assert!(run.stdout.starts_with("wrote 0 requests, 12 exist already: out\n"), "{}", run.stdout);
    assert!(before == lying(&place.path("out")));
}

#[test]
fn a_request_says_what_lies_there_and_never_costs_a_key() {
    let place = Place::new();
    copy_tree(&repository("fixtures/kubeadm/v1.36-external-ca/etc-kubernetes"), &place.path("k"));
    let before = lying(&place.path("k"));
    let run = at(&place, &["csr", "apiserver", "admin.conf", "--dir", "k"]).ok();
    assert!(run.stdout.contains("then: kpki import CERT"), "{}", run.stdout);
    let staged = place.path("k/.kpki/requests");
    assert_eq!(requests(&staged), ["admin.conf", "pki/apiserver"]);
    let old = parse_pem_bundle(place.read("k/pki/apiserver.crt").as_bytes()).unwrap().remove(0);
    let asked = request(&staged.join("pki/apiserver.csr"));
    assert_eq!((&asked.subject, &asked.sans, asked.key_usage), (&old.subject, &old.sans, old.key_usage));
    assert_ne!(asked.spki_der, old.spki_der, "a new key");
    let mut after = tree(&place.path("k"));
    after.retain(|name, _| !name.starts_with(".kpki"));
    assert!(before == after, "what is running is untouched");
    // Another key than the one that waits is refused; its own is used.
    let run = at(&place, &["csr", "apiserver", "--dir", "k", "--key", "k/pki/apiserver.key"]).fails(1);
    assert!(run.stderr.contains("holds another key than --key"), "{}", run.stderr);
    let waiting = fs::read(staged.join("pki/apiserver.key")).unwrap();
    fs::remove_file(staged.join("pki/apiserver.csr")).unwrap();
    at(&place, &["csr", "apiserver", "--dir", "k"]).ok();
    assert_eq!(waiting, fs::read(staged.join("pki/apiserver.key")).unwrap());
    assert_eq!(request(&staged.join("pki/apiserver.csr")).spki_der, asked.spki_der);
    at(&place, &["csr", "etcd-peer", "--dir", "k", "--key", "k/pki/etcd/peer.key"]).ok();
    let peer = parse_pem_bundle(place.read("k/pki/etcd/peer.crt").as_bytes()).unwrap().remove(0);
    assert_eq!(request(&staged.join("pki/etcd/peer.csr")).spki_der, peer.spki_der);
    at(&place, &["csr", "all", "--key", "k/pki/etcd/peer.key", "--dir", "k"]).fails(2);
    at(&place, &["csr", "nobody", "--dir", "k"]).fails(2);
    let run = at(&place, &["csr", "ca", "--dir", "k", "-o", "json"]).ok().json();
    assert_eq!(run["entries"][0]["asked"]["authority"], true);
}

/// A tree of one node whose authority is elsewhere: `t`, and `corp/` with its key.
fn external(authority: &str) -> (Place, Vec<&'static str>) {
    let place = Place::new();
    place.write("p.yaml", single(""));
    place.init(&["--profile", "p.yaml", "--dir", "t"]).ok();
    fs::create_dir(place.path("corp")).unwrap();
    let key = place.path(&format!("t/pki/{authority}.key"));
    fs::rename(key, place.path("corp/ca.key")).unwrap();
    let signed = match authority {
        "ca" => vec![
            "apiserver",
            "apiserver-kubelet-client",
            "kubelet-serving",
            "admin.conf",
            "super-admin.conf",
            "kubelet.conf",
            "controller-manager.conf",
            "scheduler.conf",
        ],
        "front-proxy-ca" => vec!["front-proxy-client"],
        _ => vec!["etcd-server", "etcd-peer", "etcd-healthcheck-client", "apiserver-etcd-client"],
    };
    (place, signed)
}

fn path_of(name: &str) -> String {
    match name {
        "kubelet-serving" => "kubelet/kubelet.csr".to_owned(),
        conf if conf.ends_with(".conf") => format!("{conf}.csr"),
        etcd if etcd.starts_with("etcd-") => format!("pki/etcd/{}.csr", etcd.trim_start_matches("etcd-")),
        pair => format!("pki/{pair}.csr"),
    }
}

/// The corporate authority signs every request that waits, each for its entry.
fn sign_all(place: &Place, authority: &str, names: &[&str]) -> Vec<String> {
    let certificate = format!("t/pki/{authority}.crt");
    fs::create_dir_all(place.path("signed")).unwrap();
    for name in names {
        let csr = format!("t/.kpki/requests/{}", path_of(name));
        let out = format!("signed/{name}.crt");
        let _ = fs::remove_file(place.path(&out));
        at(
            place,
            &[
                "sign",
                &csr,
                "--as",
                name,
                "--profile",
                "p.yaml",
                "--dir",
                "t",
                "--ca-cert",
                &certificate,
                "--ca-key",
                "corp/ca.key",
                "--out",
                &out,
            ],
        )
        .ok();
    }
    names.iter().map(|name| format!("signed/{name}.crt")).collect()
}

fn import(place: &Place, files: &[String], more: &[&str]) -> Run {
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    at(place, &[&["import", "--dir", "t"], files.as_slice(), more].concat())
}

#[test]
fn a_tree_below_an_external_authority_is_completed_and_renewed() {
    for authority in ["ca", "front-proxy-ca", "etcd/ca"] {
        let (place, names) = external(authority);
        for name in &names {
            let csr = path_of(name);
            let stem = csr.trim_end_matches(".csr");
            for file in [stem.to_owned(), format!("{stem}.crt"), format!("{stem}.key")] {
                let _ = fs::remove_file(place.path(&format!("t/{file}")));
            }
        }
        // init makes what it can, and requests for the rest.
        let run = place.init(&["--dir", "t"]).status(5);
        assert!(run.stdout.contains("kpki import"), "{authority}: {}", run.stdout);
        assert_eq!(requests(&place.path("t/.kpki/requests")).len(), names.len(), "{authority}");
        let before = lying(&place.path("t"));
        place.init(&["--dir", "t"]).status(5);
        assert!(before == lying(&place.path("t")), "{authority}: a second run changes nothing");
        // import completes it.
        let files = sign_all(&place, authority, &names);
        let dry = import(&place, &files, &["--dry-run"]).ok();
        assert!(
            dry.stdout.starts_with(&format!(
                "would put {} in place",
                if names.len() == 1 { "1 certificate".to_owned() } else { format!("{} certificates", names.len()) }
            )),
            "{}",
            dry.stdout
        );
        assert!(before == lying(&place.path("t")));
        let run = import(&place, &files, &["-o", "json"]).ok();
        assert_eq!(run.json()["entries"].as_array().unwrap().len(), names.len());
        let run = place.init(&["--dir", "t"]).ok();
        assert!(run.stdout.starts_with("nothing to do"), "{authority}: {}", run.stdout);
        assert_eq!(requests(&place.path("t/.kpki/requests")), Vec::<String>::new());
        for file in &files {
            assert_eq!(fs::metadata(place.path(file)).unwrap().permissions().mode() & 0o777, 0o644);
        }
        let check = place.kpki(&["check-expiration", "t", "--at", NOW, "-o", "json"]).json();
        assert!(check.to_string().contains("\"externallyManaged\":true"), "{authority}: {check}");
        assert!(place.read("t/.kpki/journal.jsonl").contains("\"command\":\"import\""));
        // renew asks for new ones beside the running tree, once.
        let before = lying(&place.path("t"));
        let later = "2027-10-20T00:00:00Z";
        let renew = |status| place.kpki(&["renew", "all", "--due", "--at", later, "--dir", "t"]).status(status);
        let run = renew(5);
        assert!(run.stdout.contains("have t/.kpki/requests/"), "{authority}: {}", run.stdout);
        let asked = lying(&place.path("t/.kpki/requests"));
        assert_eq!(requests(&place.path("t/.kpki/requests")).len(), names.len());
        renew(5);
        assert!(asked == lying(&place.path("t/.kpki/requests")), "what waits keeps its key");
        for (name, was) in before.iter().filter(|(name, _)| !name.starts_with(".kpki")) {
            let now = &tree(&place.path("t"))[name];
            let theirs = names.iter().any(|one| {
                let stem = path_of(one).trim_end_matches(".csr").to_owned();
                [stem.clone(), format!("{stem}.crt"), format!("{stem}.key")].contains(name)
            });
            assert!(!theirs || now == was, "{authority}: {name} is running");
        }
        let files = sign_all(&place, authority, &names);
        let run = import(&place, &files, &[]).ok();
        assert!(run.stdout.contains("kpki restore"), "{}", run.stdout);
        assert_eq!(requests(&place.path("t/.kpki/requests")), Vec::<String>::new());
        place.kpki(&["init", "--dir", "t", "--at", later]).ok();
    }
}

/// The names of a request as `--san` takes them.
fn names_of(csr: &Path) -> String {
    let names = request(csr).sans;
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

#[test]
fn what_does_not_fit_is_not_imported() {
    let (place, _) = external("ca");
    at(&place, &["csr", "apiserver", "scheduler.conf", "--dir", "t"]).ok();
    let good = sign_all(&place, "ca", &["apiserver", "scheduler.conf"]);
    let ca = ["--ca-cert", "t/pki/ca.crt", "--ca-key", "corp/ca.key"];
    let sign =
        |csr: &str, out: &str, more: &[&str]| at(&place, &[&["sign", csr, "--out", out], more].concat()).status(0);
    let server = "t/.kpki/requests/pki/apiserver.csr";
    sign(server, "few.crt", &[&["--usage", "server", "--san", "cp1"], &ca[..]].concat());
    sign(server, "client.crt", &[&["--usage", "client", "--request-names"], &ca[..]].concat());
    let names = ["--request-names", "--san", &names_of(&place.path(server))];
    let subject = ["--usage", "server", "--subject", "O=system:masters,CN=kube-apiserver"];
    let masters = [&["sign", server, "--out", "masters.crt"], &subject[..], &names[..], &ca[..]].concat();
    at(&place, &masters).warns();
    sign(server, "authority.crt", &[&["--intermediate"], &ca[..]].concat());
    let etcd = ["--ca-cert", "t/pki/etcd/ca.crt", "--ca-key", "t/pki/etcd/ca.key"];
    at(&place, &[&["sign", server, "--out", "elsewhere.crt", "--usage", "server"], &names[..], &etcd[..]].concat())
        .ok();
    let key = PrivateKey::generate(Algorithm::EcdsaP256).unwrap();
    place.write("stranger.csr", ca::request(&blueprint("x", &[], vec![]), &key).unwrap().pem);
    sign("stranger.csr", "stranger.crt", &[&["--usage", "client"], &ca[..]].concat());
    place.write("nothing.crt", "hello");
    let refused = |name: &str, files: &[&str], instant| {
        let words = [&["import"], files, &["--dir", "t", "--at", instant]].concat();
        place.run(&words).status(1).recorded(&format!("import-refused/{name}"));
    };
    // One that does not fit, and none is put in place.
    for name in ["few", "client", "masters", "authority", "elsewhere", "stranger", "nothing"] {
        refused(name, &[&good[0], &format!("{name}.crt")], NOW);
    }
    refused("twice", &[&good[0], &good[0]], NOW);
    refused("early", &[&good[0]], "2025-01-01");
    refused("late", &[&good[0]], "2028-01-01");
    import(&place, &good, &[]).ok();
    let again = import(&place, &good, &[]).ok();
    assert!(again.stdout.contains("2 certificates are in place already"), "{}", again.stdout);
    assert!(place.read("t/scheduler.conf").contains("certificate-authority-data: "));
}

#[test]
fn the_three_authorities_below_an_offline_root() {
    let place = Place::new();
    place.write("p.yaml", single(""));
    place.init(&["--profile", "p.yaml", "--dir", "offline"]).ok();
    let root = ["--ca-cert", "offline/pki/ca.crt", "--ca-key", "offline/pki/ca.key"];
    fs::create_dir(place.path("t")).unwrap();
    at(&place, &["csr", "ca", "front-proxy-ca", "etcd-ca", "--profile", "p.yaml", "--dir", "t"]).ok();
    let mut files = Vec::new();
    for (name, csr) in [("ca", "pki/ca"), ("front-proxy-ca", "pki/front-proxy-ca"), ("etcd-ca", "pki/etcd/ca")] {
        let csr = format!("t/.kpki/requests/{csr}.csr");
        let out = format!("{name}.crt");
        let permit: &[&str] = if name == "etcd-ca" {
            &["--permit-dns", "cp1,localhost", "--permit-ip", "10.0.0.0/8,127.0.0.0/8,::1"]
        } else {
            &[]
        };
        at(
            &place,
            &[
                &[
                    "sign",
                    &csr,
                    "--intermediate",
                    "--as",
                    name,
                    "--profile",
                    "p.yaml",
                    "--dir",
                    "t",
                    "--validity",
                    "5y",
                    "--out",
                    &out,
                ],
                permit,
                &root[..],
            ]
            .concat(),
        )
        .status(0);
        files.push(out);
    }
    import(&place, &files, &["--profile", "p.yaml"]).warns();
    let bundle = parse_pem_bundle(place.read("t/pki/ca.crt").as_bytes()).unwrap();
    assert_eq!((bundle.len(), bundle[0].path_len, bundle[1].is_self_issued()), (2, Some(0), true));
    assert!(parse_pem_bundle(place.read("t/pki/etcd/ca.crt").as_bytes()).unwrap()[0].name_constraints.is_some());
    place.init(&["--profile", "p.yaml", "--dir", "t", "--allow-shared-ca"]).ok();
    let conf = kpki::kubeconfig::read(place.read("t/admin.conf").as_bytes()).unwrap();
    assert_eq!(parse_pem_bundle(&conf.authority).unwrap(), bundle);
    at(&place, &["renew", "all", "--dir", "t"]).ok();
    place.init(&["--dir", "t"]).ok();
    // What the constraints do not permit is not signed.
    let run = at(&place, &["csr", "apiserver", "--dir", "t"]).ok();
    drop(run);
    let run = at(
        &place,
        &[
            "sign",
            "t/.kpki/requests/pki/apiserver.csr",
            "--usage",
            "server",
            "--san",
            "www.example.com",
            "--authority",
            "etcd-ca",
            "--dir",
            "t",
        ],
    )
    .fails(1);
    assert!(run.stderr.contains("would be refused by a TLS peer"), "{}", run.stderr);
    // Another authority does not take the place of one that signed something.
    at(&place, &["csr", "ca", "--dir", "t"]).ok();
    at(
        &place,
        &[
            "sign",
            "t/.kpki/requests/pki/ca.csr",
            "--intermediate",
            "--as",
            "ca",
            "--dir",
            "t",
            "--out",
            "other.crt",
            root[0],
            root[1],
            root[2],
            root[3],
        ],
    )
    .warns();
    let run = import(&place, &["other.crt".to_owned()], &[]).fails(1);
    assert!(run.stderr.contains("were signed by another authority"), "{}", run.stderr);
}

fn blueprint(name: &str, groups: &[&str], sans: Vec<San>) -> Blueprint {
    Blueprint {
        subject: Name::of(name, groups),
        not_before: datetime!(2026-11-20 22:00 UTC),
        not_after: datetime!(2026-11-20 22:00 UTC),
        role: Role::EndEntity,
        key_usage: KeyUsage::DIGITAL_SIGNATURE,
        extended_key_usages: vec![ExtendedKeyUsage::ClientAuth],
        sans,
        permitted: Vec::new(),
    }
}

#[test]
fn hostile_requests_get_a_clear_answer_and_nothing_else() {
    let place = Place::new();
    place.write("p.yaml", single(""));
    place.init(&["--profile", "p.yaml", "--dir", "t"]).ok();
    let key = PrivateKey::generate(Algorithm::EcdsaP256).unwrap();
    let pem = |wanted: Blueprint| ca::request(&wanted, &key).unwrap().pem;
    let good = pem(blueprint("web", &["team"], vec![]));
    let mut broken = pem::parse(&good).unwrap().contents().to_vec();
    let last = broken.len() - 1;
    broken[last] ^= 1;
    place.write("broken.csr", &broken);
    place.write("many.csr", pem(blueprint("x", &[], (0..1000).map(|i| San::Dns(format!("n{i}.a"))).collect())));
    place.write("nul.csr", pem(blueprint("x", &[], vec![San::Dns("a\0.example.com".into())])));
    place.write("path.csr", pem(blueprint("../../../../tmp/x", &[], vec![])));
    place.write("masters.csr", pem(blueprint("x", &["system:masters"], vec![])));
    place.write(
        "authority.csr",
        pem(Blueprint { role: Role::Authority { path_len: None }, ..blueprint("x", &[], vec![]) }),
    );
    place.write("web.csr", &good);
    place.write("two.csr", [good.as_str(), good.as_str()].concat());
    let words = |file, more: &[&'static str]| [&["sign", file, "--dir", "t", "--usage", "client"], more].concat();
    let sign = |file, more: &[&'static str]| at(&place, &words(file, more));
    for (name, file, more) in [
        ("broken", "broken.csr", &[][..]),
        ("many", "many.csr", &["--request-names"]),
        ("nul", "nul.csr", &["--request-names"]),
        ("masters", "masters.csr", &[]),
        ("two", "two.csr", &[]),
        ("profile", "p.yaml", &[]),
        ("certificate", "t/pki/ca.crt", &[]),
    ] {
        let words = [&words(file, more)[..], &["--at", NOW]].concat();
        place.run(&words).status(1).recorded(&format!("sign-refused/{name}"));
    }
    // Where the output cannot be written, nothing is signed or recorded.
    place.write("other/web.csr", &good);
    // The lock is taken before, and its file made by the first to take it.
    let state = || {
        let mut files = tree(&place.path("t"));
        files.remove(".kpki/lock");
        files
    };
    let before = state();
    let run = sign("web.csr", &["--out", "absent/web.crt"]).fails(1);
    assert!(run.stderr.starts_with("error: cannot open absent: no such file or directory\nhint: "), "{}", run.stderr);
    let run = sign("web.csr", &["other/web.csr", "--out", "other"]).fails(2);
    assert_eq!(
        run.stderr,
        "error: two requests would be written to other/web.crt; nothing was written\n\
         hint: sign them one by one, each with its own --out\n"
    );
    assert!(state() == before);
    assert!(!place.path("other/web.crt").exists());
    let run = sign("authority.csr", &[]).ok();
    assert!(run.stdout.contains("requested and refused:\n- a CA certificate"), "{}", run.stdout);
    let run = sign("path.csr", &["-o", "json"]).ok().json();
    assert_eq!(run["entries"][0]["paths"][0], "path.crt");
    let run = sign("many.csr", &["--dry-run"]).ok();
    assert!(run.stdout.contains("- and 990 more"), "{}", run.stdout);
    let text = sign("web.csr", &["--out", "-"]).ok().stdout;
    let issued = parse_pem_bundle(text.as_bytes()).unwrap();
    assert!(issued.len() == 1 && !issued[0].is_ca && issued[0].subject == Name::of("web", &["team"]));
    let journal = place.read("t/.kpki/journal.jsonl");
    assert!(journal.contains(&issued[0].serial_hex().to_lowercase()) && journal.contains("\"command\":\"sign\""));
    let run = sign("authority.csr", &[]).fails(1);
    assert!(run.stderr.contains("authority.crt exists already"), "{}", run.stderr);
    // As an entry it gets what the entry is, whoever it says it is.
    let run = at(&place, &["sign", "masters.csr", "--as", "scheduler.conf", "--dir", "t", "-o", "json"]).ok().json();
    assert_eq!(run["entries"][0]["certificate"]["subject"], "CN=system:kube-scheduler");
    assert_eq!(run["entries"][0]["refused"][0], "the subject O=system:masters, CN=x");
}

#[test]
fn cfssls_json_gets_key_request_and_certificate() {
    let place = Place::new();
    place.write("p.yaml", single(""));
    place.init(&["--profile", "p.yaml", "--dir", "t"]).ok();
    place.write("web.json", r#"{"CN": "web", "hosts": ["web.example.com", "10.0.0.7"], "key": {"algo": "ecdsa", "size": 384}, "names": [{"O": "team"}]}"#);
    at(&place, &["sign", "--csr-json", "web.json", "--usage", "server", "--dir", "t"]).ok();
    let issued = parse_pem_bundle(place.read("web.crt").as_bytes()).unwrap().remove(0);
    assert_eq!((issued.subject.to_string().as_str(), issued.sans.len()), ("O=team, CN=web", 2));
    assert!(PrivateKey::from_pem(place.read("web.key").as_bytes()).unwrap().matches(&issued));
    assert_eq!(fs::metadata(place.path("web.key")).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(request(&place.path("web.csr")).spki_der, issued.spki_der);
    // A flag replaces what it says, as cfssl's own do; both names are a wish of their own.
    let words = ["sign", "--csr-json", "web.json", "--usage", "server", "--dir", "t", "--san", "a.example.com"];
    for (out, more, subject, sans) in [
        ("host", &[][..], "O=team, CN=web", &["a.example.com"][..]),
        ("name", &["--subject", "CN=other"], "CN=other", &["a.example.com"]),
        ("both", &["--request-names"], "O=team, CN=web", &["a.example.com", "web.example.com", "10.0.0.7"]),
    ] {
        let file = format!("{out}.crt");
        let run = at(&place, &[&words, more, &["--out", &file]].concat()).ok();
        assert!(!run.stdout.contains("requested and refused"), "{}", run.stdout);
        // The path is the certificate's.
        assert!(run.stdout.contains(&file) && !run.stdout.contains(&format!("{out}.key")), "{}", run.stdout);
        let issued = parse_pem_bundle(place.read(&file).as_bytes()).unwrap().remove(0);
        let found: Vec<String> = issued.sans.iter().map(ToString::to_string).collect();
        assert_eq!(
            (issued.subject.to_string().as_str(), found),
            (subject, sans.iter().map(ToString::to_string).collect())
        );
        let asked = request(&place.path(&format!("{out}.csr")));
        assert_eq!(asked.subject, issued.subject);
    }
    place.write("bad.json", r#"{"key": {"algo": "rsa", "size": 512}}"#);
    let run = at(&place, &["sign", "--csr-json", "bad.json", "--usage", "server", "--dir", "t"]).fails(1);
    assert!(run.stderr.contains("expected a key of rsa 2048"), "{}", run.stderr);
    assert!(!place.path("bad.key").exists());
}

/// A directory of requests is no tree.
#[test]
fn requests_elsewhere_leave_nothing_else_behind() {
    let place = Place::new();
    place.write("p.yaml", single(""));
    fs::create_dir(place.path("out")).unwrap();
    place.write("out/mine", "mine");
    let names =
        || -> Vec<String> { tree(&place.path("out")).into_keys().filter(|name| name.contains(".kpki")).collect() };
    for _ in 0..2 {
        at(&place, &["csr", "apiserver", "--profile", "p.yaml", "--dir", "nowhere", "--out", "out"]).ok();
        assert_eq!(names(), [""; 0]);
    }
    place.init(&["--profile", "p.yaml", "--dir", "t"]).ok();
    // Nor is one of converted files.
    fs::create_dir(place.path("parts")).unwrap();
    place.write("parts/mine", "mine");
    place.kpki(&["convert", "t/pki/apiserver.crt", "t/pki/ca.crt", "--to", "der", "--out", "parts"]).status(0);
    assert!(!place.path("parts/.kpki").exists());
    assert!(!place.path("nowhere").exists());
}

/// An authority that was requested elsewhere is not made here: everything below it would have to be replaced later.
#[test]
fn an_authority_that_was_requested_is_not_made_here() {
    let place = Place::new();
    place.write("p.yaml", single(""));
    place.init(&["--profile", "p.yaml", "--dir", "offline"]).ok();
    for (name, path) in [("ca", "pki/ca"), ("front-proxy-ca", "pki/front-proxy-ca"), ("etcd-ca", "pki/etcd/ca")] {
        let dir = format!("t-{name}");
        at(&place, &["csr", name, "--profile", "p.yaml", "--dir", &dir]).ok();
        let (request, key) = (format!("{dir}/.kpki/requests/{path}.csr"), format!("{dir}/.kpki/requests/{path}.key"));
        for more in [&[][..], &["--force"], &["--dry-run"]] {
            let run = place.init(&[&["--profile", "p.yaml", "--dir", &dir], more].concat()).fails(1);
            for said in [
                format!("cannot make the tree in {dir}: an authority waits for its certificate; nothing was written"),
                format!("{name}: another authority is to sign it: its key waits in {key} for a certificate"),
                format!(
                    "have {request} signed, and put the certificate in place: kpki import CERT --profile p.yaml --dir {dir}"
                ),
                format!("put the key of its request aside, and run this again: mv {key} {key}.unused"),
            ] {
                assert!(run.stderr.contains(&said), "{said}\n{}", run.stderr);
            }
        }
    }
    // Signed and put in place it is the one that signs the others.
    let csr = "t-ca/.kpki/requests/pki/ca.csr";
    let root = ["--ca-cert", "offline/pki/ca.crt", "--ca-key", "offline/pki/ca.key"];
    let words =
        ["sign", csr, "--intermediate", "--as", "ca", "--profile", "p.yaml", "--dir", "t-ca", "--validity", "5y"];
    at(&place, &[&words[..], &["--out", "ca.crt"], &root].concat()).status(0);
    at(&place, &["import", "ca.crt", "--profile", "p.yaml", "--dir", "t-ca"]).status(0);
    place.init(&["--profile", "p.yaml", "--dir", "t-ca"]).status(0);
    let bundle = parse_pem_bundle(place.read("t-ca/pki/ca.crt").as_bytes()).unwrap();
    assert_eq!((bundle.len(), bundle[0].is_self_issued()), (2, true), "one of the same name");
    assert_ne!(bundle[0].spki_der, bundle[1].spki_der, "it is signed by another key");
    // Given up, and made here.
    let key = "t-etcd-ca/.kpki/requests/pki/etcd/ca.key";
    fs::rename(place.path(key), place.path(&format!("{key}.unused"))).unwrap();
    place.init(&["--profile", "p.yaml", "--dir", "t-etcd-ca"]).ok();
    assert!(place.path("t-etcd-ca/pki/etcd/ca.key").exists());
}

/// A leaf can be replaced later: it is made, and what waits is said.
#[test]
fn a_leaf_that_was_requested_is_made_here_and_said() {
    let place = Place::new();
    place.write("p.yaml", single(""));
    place.init(&["--profile", "p.yaml", "--dir", "t"]).ok();
    at(&place, &["csr", "apiserver", "admin.conf", "--dir", "t"]).ok();
    let waiting = lying(&place.path("t/.kpki/requests"));
    let said =
        "requests for admin.conf and apiserver wait in .kpki/requests, and the authority here signs all the same";
    let run = at(&place, &["renew", "all", "--dir", "t"]).status(0);
    let all = format!("{}{}", run.stdout, run.stderr);
    let either = said.replace("admin.conf and apiserver", "apiserver and admin.conf");
    assert!(all.contains(said) || all.contains(&either), "{all}");
    assert!(all.contains("put the certificates in place: kpki import CERT... --dir t"), "{all}");
    for file in ["t/pki/apiserver.crt", "t/pki/apiserver.key"] {
        fs::remove_file(place.path(file)).unwrap();
    }
    let run = place.init(&["--dir", "t"]).status(0);
    let all = format!("{}{}", run.stdout, run.stderr);
    assert!(all.contains("a request for apiserver waits in .kpki/requests"), "{all}");
    assert!(waiting == lying(&place.path("t/.kpki/requests")), "no key is lost");
}
