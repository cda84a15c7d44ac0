//! Existing material is respected: used, kept, or named with the exact difference.

use std::fs;
use std::os::unix::fs::symlink;

use super::facts::{self, File};
use super::harness::{NOW, Place, repository, single, tree};

/// A tree made by kpki in `k8s`, from `p.yaml`.
fn made(extra: &str) -> Place {
    let place = Place::new();
    place.write("p.yaml", single(extra));
    place.init(&["--profile", "p.yaml", "--dir", "k8s"]).ok();
    place
}

fn remove(place: &Place, names: &[&str]) {
    for name in names {
        fs::remove_file(place.path("k8s").join(name)).unwrap();
    }
}

#[test]
fn an_existing_authority_is_used_in_every_container() {
    // kubeadm's own: PKCS#1 and SEC1.
    for folder in ["v1.20-rsa2048", "v1.36-ha-ecdsa-cp1", "v1.36-dualstack-p384"] {
        let place = Place::new();
        place.write("p.yaml", single(""));
        for file in ["ca.crt", "ca.key"] {
            let source = repository("fixtures/kubeadm").join(folder).join("etc-kubernetes/pki").join(file);
            place.write(&format!("k8s/pki/{file}"), fs::read(source).unwrap());
        }
        let before = (place.read("k8s/pki/ca.crt"), place.read("k8s/pki/ca.key"));
        let run = place.init(&["--profile", "p.yaml", "--dir", "k8s"]).warns();
        assert!(run.stdout.starts_with("created 16, replaced 0, kept 1 "), "{folder}: {}", run.stdout);
        assert_eq!(before, (place.read("k8s/pki/ca.crt"), place.read("k8s/pki/ca.key")));
        let again = place.init(&["--dir", "k8s"]).warns();
        assert!(again.stdout.starts_with("nothing to do"), "{}", again.stdout);
    }
}

/// The difference `whole-ca-bundle`: an intermediate with its chain.
#[test]
fn a_bundle_goes_into_kubeconfigs_as_a_whole() {
    let place = Place::new();
    place.write("p.yaml", single(""));
    let base = "fixtures/kubeadm/v1.36-ha-ecdsa-cp1/etc-kubernetes/pki/";
    let read = |file: &str| fs::read_to_string(repository(base).join(file)).unwrap();
    place.write("k8s/pki/ca.crt", read("ca.crt") + &read("front-proxy-ca.crt"));
    place.write("k8s/pki/ca.key", read("ca.key"));
    place.init(&["--profile", "p.yaml", "--dir", "k8s"]).warns();
    let facts = facts::read(&place.path("k8s"));
    let File::Kubeconfig(conf) = &facts["admin.conf"].1 else { panic!() };
    assert_eq!(conf.authority.len(), 2);

    // The signing certificate must come first.
    let place = Place::new();
    place.write("p.yaml", single(""));
    place.write("k8s/pki/ca.crt", read("front-proxy-ca.crt") + &read("ca.crt"));
    place.write("k8s/pki/ca.key", read("ca.key"));
    let run = place.init(&["--profile", "p.yaml", "--dir", "k8s"]).fails(1);
    assert!(run.stderr.contains("caused by: ca: "), "{}", run.stderr);
}

#[test]
fn an_external_authority_needs_what_it_signs() {
    let place = made("");
    remove(&place, &["pki/ca.key"]);
    // Everything it signed is there: nothing to do.
    let run = place.init(&["--dir", "k8s"]).ok();
    assert!(run.stdout.starts_with("nothing to do"), "{}", run.stdout);
    remove(&place, &["pki/apiserver.crt", "pki/apiserver.key", "scheduler.conf"]);
    // What is missing waits as a request beside the tree; everything else is as it was.
    let before = tree(&place.path("k8s"));
    let run = place.init(&["--dir", "k8s"]).status(5);
    assert!(run.stdout.contains("2 wait for an external authority"), "{}", run.stdout);
    assert!(run.stdout.contains("k8s/.kpki/requests; then: kpki import CERT"), "{}", run.stdout);
    let mut after = tree(&place.path("k8s"));
    let requests: Vec<String> =
        after.keys().filter(|name| name.contains("/requests/") && !name.ends_with('/')).cloned().collect();
    let wanted = ["pki/apiserver.csr", "pki/apiserver.key", "scheduler.conf", "scheduler.conf.csr"];
    assert_eq!(requests, wanted.map(|name| format!(".kpki/requests/{name}")));
    after.retain(|name, _| before.contains_key(name));
    assert!(before == after);
    // A key that waits stays, whatever is said.
    let key = place.read("k8s/.kpki/requests/pki/apiserver.key");
    place.init(&["--dir", "k8s", "--force"]).status(5);
    assert_eq!(key, place.read("k8s/.kpki/requests/pki/apiserver.key"));
    let place = made("");
    remove(&place, &["pki/ca.key"]);
    place.write("p.yaml", single("apiServer: {certSANs: [new.example.com]}\n"));
    let run = place.init(&["--profile", "p.yaml", "--dir", "k8s"]).fails(1);
    assert!(
        run.stderr.contains("missing names: new.example.com; the key of its signer ca is not in this tree"),
        "{}",
        run.stderr
    );
    assert!(!run.stderr.contains("--force"), "{}", run.stderr);
}

#[test]
fn what_does_not_fit_is_named_exactly_and_nothing_is_written() {
    struct Case {
        name: &'static str,
        damage: fn(&Place),
    }
    fn copy(place: &Place, from: &str, to: &str) {
        fs::copy(place.path("k8s").join(from), place.path("k8s").join(to)).unwrap();
    }
    let cases = [
        Case { name: "key mismatch", damage: |p| copy(p, "pki/apiserver-kubelet-client.key", "pki/apiserver.key") },
        Case {
            name: "wrong certificate",
            damage: |p| {
                copy(p, "pki/apiserver-kubelet-client.crt", "pki/apiserver.crt");
                copy(p, "pki/apiserver-kubelet-client.key", "pki/apiserver.key");
            },
        },
        Case {
            name: "wrong issuer",
            damage: |p| {
                copy(p, "pki/etcd/server.crt", "pki/front-proxy-client.crt");
                copy(p, "pki/etcd/server.key", "pki/front-proxy-client.key");
            },
        },
        Case { name: "key missing", damage: |p| fs::remove_file(p.path("k8s/pki/apiserver.key")).unwrap() },
        Case { name: "certificate missing", damage: |p| fs::remove_file(p.path("k8s/pki/apiserver.crt")).unwrap() },
        Case { name: "not PEM", damage: |p| fs::write(p.path("k8s/pki/apiserver.crt"), "hello").unwrap() },
        Case { name: "not YAML", damage: |p| fs::write(p.path("k8s/admin.conf"), "{").unwrap() },
        Case {
            name: "foreign public half",
            damage: |p| {
                fs::write(
                    p.path("k8s/pki/sa.pub"),
                    fs::read(repository("fixtures/kubeadm/v1.36-ha-ecdsa-cp1/etc-kubernetes/pki/sa.pub")).unwrap(),
                )
                .unwrap()
            },
        },
    ];
    for case in cases {
        let place = made("");
        (case.damage)(&place);
        let run = place.run(&["init", "--dir", "k8s", "--at", NOW]);
        run.status(1).recorded(&format!("does-not-fit/{}", case.name.replace(' ', "-")));

        // --force mends exactly that and keeps what it replaced.
        let run = place.init(&["--dir", "k8s", "--force", "-o", "json"]).status(0).json();
        let replaced: Vec<_> = run["entries"].as_array().unwrap().iter().filter(|e| e["action"] == "replace").collect();
        assert_eq!(replaced.len(), 1, "{}: {run}", case.name);
        assert!(!replaced[0]["reasons"].as_array().unwrap().is_empty());
        let generation = run["generation"].as_str().unwrap();
        assert!(place.path("k8s/.kpki/generations").join(generation).is_dir(), "{}", case.name);
        let again = place.init(&["--dir", "k8s"]).ok();
        assert!(again.stdout.starts_with("nothing to do"), "{}: {}", case.name, again.stdout);
    }
}

#[test]
fn a_profile_that_asks_for_more_names_is_a_difference() {
    let place = made("");
    place
        .write("p.yaml", single("controlPlaneEndpoint: lb.example.com:6443\napiServer: {certSANs: [192.168.1.100]}\n"));
    // Where nothing is recorded, the profile may be another tree's.
    let recorded = place.read("k8s/.kpki/profile.yaml");
    fs::remove_file(place.path("k8s/.kpki/profile.yaml")).unwrap();
    let run = place.init(&["--profile", "p.yaml", "--dir", "k8s"]).fails(1);
    assert!(
        run.stderr.contains("caused by: apiserver (pki/apiserver.crt): missing names: lb.example.com, 192.168.1.100\n"),
        "{}",
        run.stderr
    );
    // Nothing was written.
    assert!(!place.path("k8s/.kpki/profile.yaml").exists());
    // A change of the recorded one is renew's, or --force's.
    place.write("k8s/.kpki/profile.yaml", recorded);
    let before = place.read("k8s/pki/apiserver.crt");
    place.init(&["--profile", "p.yaml", "--dir", "k8s"]).status(5);
    assert!(place.read("k8s/.kpki/profile.yaml").contains("lb.example.com"));
    assert_eq!(place.read("k8s/pki/apiserver.crt"), before);
    place.init(&["--profile", "p.yaml", "--dir", "k8s", "--force"]).ok();
    assert_ne!(place.read("k8s/pki/apiserver.crt"), before);
    // Fewer names are no contradiction: the certificate still does its work.
    place.write("p.yaml", single("controlPlaneEndpoint: lb.example.com:6443\n"));
    let run = place.init(&["--profile", "p.yaml", "--dir", "k8s"]).warns();
    assert!(run.stdout.starts_with("nothing to do"), "{}", run.stdout);
}

#[test]
fn an_authority_is_never_replaced() {
    for (gone, says) in [
        ("pki/ca.crt", "ca: pki/ca.key exists but its certificate does not"),
        ("pki/sa.key", "sa: sa.pub exists but sa.key does not"),
    ] {
        let place = made("");
        remove(&place, &[gone]);
        for words in [&["--dir", "k8s"][..], &["--dir", "k8s", "--force"]] {
            let run = place.init(words).fails(1);
            assert!(run.stderr.contains(says), "{}", run.stderr);
        }
    }
    let place = made("");
    fs::write(place.path("k8s/pki/ca.crt"), place.read("k8s/pki/apiserver.crt")).unwrap();
    let run = place.init(&["--dir", "k8s", "--force"]).fails(1);
    assert!(run.stderr.contains("caused by: ca: "), "{}", run.stderr);
    // An authority that has expired signs nothing.
    let place = made("");
    let run = place.kpki(&["init", "--dir", "k8s", "--at", "2040-01-01"]).fails(1);
    assert!(run.stderr.contains("ca: the authority expired at 2036-11-17T22:00:00Z"), "{}", run.stderr);
}

#[test]
fn a_missing_public_half_comes_from_its_key() {
    let place = made("");
    let before = place.read("k8s/pki/sa.pub");
    remove(&place, &["pki/sa.pub"]);
    place.init(&["--dir", "k8s"]).ok();
    assert_eq!(before, place.read("k8s/pki/sa.pub"));
}

#[test]
fn a_kubelet_that_rotates_its_own_certificate_is_left_alone() {
    let place = made("");
    let conf = place.read("k8s/kubelet.conf");
    let rotating: String = conf
        .lines()
        .map(|line| match line.trim().split_once("-data: ") {
            Some(("client-certificate", _)) => {
                "    client-certificate: /var/lib/kubelet/pki/kubelet-client-current.pem\n".to_owned()
            }
            Some(("client-key", _)) => "    client-key: /var/lib/kubelet/pki/kubelet-client-current.pem\n".to_owned(),
            _ => format!("{line}\n"),
        })
        .collect();
    fs::write(place.path("k8s/kubelet.conf"), &rotating).unwrap();
    let run = place.init(&["--dir", "k8s"]).warns();
    assert!(
        run.stderr.contains("warning: kubelet.conf points to the kubelet's own rotating certificate"),
        "{}",
        run.stderr
    );
    assert_eq!(rotating, place.read("k8s/kubelet.conf"));
}

#[test]
fn a_symlink_is_never_followed() {
    let place = Place::new();
    place.write("p.yaml", single(""));
    fs::create_dir_all(place.path("elsewhere")).unwrap();
    fs::create_dir_all(place.path("k8s")).unwrap();
    symlink(place.path("elsewhere"), place.path("k8s/pki")).unwrap();
    let run = place.init(&["--profile", "p.yaml", "--dir", "k8s"]).fails(1);
    assert!(run.stderr.contains("pki") && run.stderr.contains("symlink"), "{}", run.stderr);
    assert_eq!(fs::read_dir(place.path("elsewhere")).unwrap().count(), 0);

    fs::remove_file(place.path("k8s/pki")).unwrap();
    fs::create_dir_all(place.path("k8s/pki")).unwrap();
    symlink(place.path("elsewhere/x"), place.path("k8s/pki/apiserver.key")).unwrap();
    let run = place.init(&["--profile", "p.yaml", "--dir", "k8s"]).fails(1);
    assert!(run.stderr.contains("apiserver.key") && run.stderr.contains("symlink"), "{}", run.stderr);
    assert_eq!(fs::read_dir(place.path("elsewhere")).unwrap().count(), 0);
}

#[test]
fn what_is_no_file_is_named_and_not_read() {
    let place = Place::new();
    place.write("p.yaml", single(""));
    fs::create_dir_all(place.path("k8s/pki/ca.crt")).unwrap();
    let run = place.init(&["--profile", "p.yaml", "--dir", "k8s"]).fails(1);
    assert!(run.stderr.contains("ca.crt") && run.stderr.contains("directory"), "{}", run.stderr);
    place.write("file", "");
    let run = place.init(&["--profile", "p.yaml", "--dir", "file"]).fails(1);
    assert!(run.stderr.contains("error: "), "{}", run.stderr);
}

/// What a company's PKI hands out: an intermediate with its root, made by somebody else's code, the key as PKCS#8.
#[test]
fn a_brought_intermediate_signs_and_its_chain_travels_along() {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
    let authority = |name: &str, constraint| {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, "Example Corp");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(constraint);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.use_authority_key_identifier_extension = true;
        params
    };
    let (root_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let root_params = authority("Root", BasicConstraints::Unconstrained);
    let root = root_params.self_signed(&root_key).unwrap();
    let issuer = Issuer::new(root_params, root_key);
    let intermediate = authority("Kubernetes", BasicConstraints::Constrained(0)).signed_by(&key, &issuer).unwrap();
    let pem = |der: &[u8]| pem::encode(&pem::Pem::new("CERTIFICATE", der));

    let place = Place::new();
    place.write("p.yaml", single(""));
    place.write("k8s/pki/ca.crt", pem(intermediate.der()) + &pem(root.der()));
    place.write("k8s/pki/ca.key", pem::encode(&pem::Pem::new("PRIVATE KEY", key.serialized_der())));
    let run = place.init(&["--profile", "p.yaml", "--dir", "k8s", "-o", "json"]).warns().json();
    assert_eq!(run["entries"][1]["issuer"], "O=Example Corp, CN=Kubernetes");
    assert!(place.init(&["--dir", "k8s"]).warns().stdout.starts_with("nothing to do"));
    // The brought files are not in kubeadm's containers.
    remove(&place, &["pki/ca.crt", "pki/ca.key"]);
    let facts = facts::read(&place.path("k8s"));
    let File::Kubeconfig(conf) = &facts["admin.conf"].1 else { panic!() };
    assert_eq!(conf.authority.len(), 2, "the intermediate and its root");
    assert_eq!(conf.client[0].issuer, conf.authority[0].subject);
    assert_eq!(conf.authority[0].issuer, conf.authority[1].subject);
}

#[test]
fn choices_stay_when_only_the_profile_is_given_again() {
    let place = Place::new();
    let two = "apiVersion: kpki/v1\nkind: ClusterProfile\ncontrolPlaneEndpoint: lb.example.com\nnodes:\n\
               - {name: cp1, addresses: [10.0.0.1]}\n- {name: cp2, addresses: [10.0.0.2]}\n";
    place.write("p.yaml", two);
    place.init(&["--profile", "p.yaml", "--dir", "k8s", "--node", "cp1", "--kubelet-dir", "kubelet-pki"]).warns();
    let again = place.init(&["--profile", "p.yaml", "--dir", "k8s"]).ok();
    assert!(again.stdout.starts_with("nothing to do"), "{}", again.stdout);
    assert!(!place.path("k8s/nodes").exists() && place.path("kubelet-pki/kubelet.crt").exists());
}

#[test]
fn a_new_authority_never_cuts_off_what_an_old_one_signed() {
    let place = made("");
    remove(&place, &["pki/ca.crt", "pki/ca.key"]);
    for words in [&["--dir", "k8s"][..], &["--dir", "k8s", "--force"]] {
        let before = tree(&place.path("k8s"));
        let run = place.init(words).fails(1);
        assert!(
            run.stderr.contains("ca is missing while apiserver, apiserver-kubelet-client and 6 more are still there"),
            "{}",
            run.stderr
        );
        assert_eq!(before, tree(&place.path("k8s")));
    }
    // In a cluster directory the copies on the nodes count, too.
    let place = Place::new();
    place.write("p.yaml", single("caKeys: none\n"));
    place.init(&["--profile", "p.yaml", "--dir", "k8s"]).ok();
    remove(&place, &["pki/sa.key", "pki/sa.pub"]);
    let run = place.init(&["--dir", "k8s", "--force"]).fails(1);
    assert!(run.stderr.contains("sa is missing while cp1/sa is still there"), "{}", run.stderr);
}

/// Makes certificates with somebody else's code, below this tree's CA.
fn foreign(place: &Place, change: impl Fn(&mut rcgen::CertificateParams)) -> (String, String) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::<String>::new()).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.not_before = time::macros::datetime!(2026-01-01 0:00 UTC);
    params.not_after = time::macros::datetime!(2030-01-01 0:00 UTC);
    params.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    change(&mut params);
    let signer = |stem: &str| {
        let key = pem::parse(place.read(&format!("k8s/pki/{stem}.key"))).unwrap();
        let key = rcgen::KeyPair::try_from(&rcgen_key(key)).unwrap();
        let certificate = pem::parse(place.read(&format!("k8s/pki/{stem}.crt"))).unwrap();
        let (_, x509) = <x509_parser::certificate::X509Certificate<'_> as x509_parser::prelude::FromDer<_>>::from_der(
            certificate.contents(),
        )
        .unwrap();
        let mut name = rcgen::DistinguishedName::new();
        let common = x509.subject().iter_common_name().next().unwrap().as_str().unwrap().to_owned();
        name.push(rcgen::DnType::CommonName, rcgen::DnValue::PrintableString(common.as_str().try_into().unwrap()));
        let mut params = rcgen::CertificateParams::default();
        params.distinguished_name = name;
        let ski = x509.iter_extensions().find_map(|e| match e.parsed_extension() {
            x509_parser::extensions::ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0.to_vec()),
            _ => None,
        });
        params.key_identifier_method = rcgen::KeyIdMethod::PreSpecified(ski.unwrap());
        rcgen::Issuer::new(params, key)
    };
    let stem = if params.serial_number.is_some() { "apiserver-kubelet-client" } else { "ca" };
    let certificate = params.signed_by(&key, &signer(stem)).unwrap();
    (as_pem("CERTIFICATE", certificate.der()), as_pem("PRIVATE KEY", key.serialized_der()))
}

fn rcgen_key(block: pem::Pem) -> rustls::pki_types::PrivateKeyDer<'static> {
    rustls::pki_types::PrivateKeyDer::Sec1(block.into_contents().into())
}

fn as_pem(label: &str, der: &[u8]) -> String {
    pem::encode_config(&pem::Pem::new(label, der), pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF))
}

/// What openssl makes from a CSR: UTF8String where Go writes PrintableString. Names are compared, not their encodings.
#[test]
fn a_subject_in_another_string_type_is_the_same_subject() {
    let place = made("");
    let (certificate, key) = foreign(&place, |params| {
        params.distinguished_name.push(rcgen::DnType::CommonName, "kube-apiserver-kubelet-client");
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    });
    place.write("k8s/pki/apiserver-kubelet-client.crt", certificate);
    place.write("k8s/pki/apiserver-kubelet-client.key", key);
    let run = place.init(&["--dir", "k8s"]).ok();
    assert!(run.stdout.starts_with("nothing to do"), "{}", run.stdout);
}

/// A leaf signed by another leaf, sent along as if it were an intermediate.
#[test]
fn a_path_through_a_leaf_is_no_path() {
    let place = made("");
    let (certificate, key) = foreign(&place, |params| {
        params.distinguished_name.push(rcgen::DnType::CommonName, "front-proxy-client");
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
        // Marks who signs: see `foreign`.
        params.serial_number = Some(rcgen::SerialNumber::from(7u64));
    });
    let chain = place.read("k8s/pki/apiserver-kubelet-client.crt");
    place.write("k8s/pki/apiserver-kubelet-client.crt", certificate + &chain);
    place.write("k8s/pki/apiserver-kubelet-client.key", key);
    let run = place.init(&["--dir", "k8s"]).fails(1);
    assert!(
        run.stderr.contains("intermediate `CN=kube-apiserver-kubelet-client`: expected an authority"),
        "{}",
        run.stderr
    );
}

#[test]
fn kubeconfigs_are_held_against_the_profile() {
    let place = made("");
    place.write("p.yaml", single("clusterName: other\ncontrolPlaneEndpoint: lb:6443\n"));
    let run = place.init(&["--profile", "p.yaml", "--dir", "k8s"]).fails(1);
    assert!(run.stderr.contains("admin.conf (admin.conf): its cluster is kubernetes, not other\n"), "{}", run.stderr);
    place.write("p.yaml", single("controlPlaneEndpoint: lb:6443\napiServer: {certSANs: []}\n"));
    let forced = place.init(&["--profile", "p.yaml", "--dir", "k8s", "--force"]).ok();
    assert!(
        forced.stdout.contains("admin.conf is re-issued: its server is https://10.0.0.11:6443, not https://lb:6443"),
        "{}",
        forced.stdout
    );
    assert!(place.read("k8s/admin.conf").contains("server: https://lb:6443\n"));
    // Only the kubelet's own file may point to a rotating certificate.
    let conf = place.read("k8s/admin.conf").replace("client-certificate-data: ", "client-certificate: /x/");
    fs::write(place.path("k8s/admin.conf"), conf.replace("client-key-data: ", "client-key: /x/")).unwrap();
    let run = place.init(&["--dir", "k8s"]).fails(1);
    assert!(
        run.stderr.contains("admin.conf (admin.conf): cannot be read: expected embedded credentials"),
        "{}",
        run.stderr
    );
}

#[test]
fn surplus_names_and_loose_modes_are_said() {
    let place = made("apiServer: {certSANs: [old.example.com]}\n");
    place.write("p.yaml", single(""));
    set_mode(&place, "pki/ca.key", 0o644);
    let run = place.init(&["--profile", "p.yaml", "--dir", "k8s"]).warns();
    assert!(
        run.stderr.contains("warning: apiserver has more than the profile (old.example.com); it is kept"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("warning: pki/ca.key holds a private key and can be read by others (mode 0644); fix it with: chmod 600 k8s/pki/ca.key"), "{}", run.stderr);
}

fn set_mode(place: &Place, name: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(place.path("k8s").join(name), fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_damaged_record_is_replaced_by_a_profile_that_is_given() {
    let place = made("");
    fs::write(place.path("k8s/.kpki/state.json"), "{").unwrap();
    let run = place.init(&["--dir", "k8s"]).fails(1);
    assert!(run.stderr.contains("hint: give the profile again with --profile"), "{}", run.stderr);
    place.init(&["--dir", "k8s", "--profile", "p.yaml"]).ok();
    place.init(&["--dir", "k8s"]).ok();
}

/// What a changed profile says and existing files do not have is said, with the command that changes them.
#[test]
fn a_new_lifetime_or_kind_of_key_touches_nothing_and_that_is_said() {
    let place = made("");
    place.init(&["--profile", "p.yaml", "--dir", "k8s"]).ok();
    let lines = "certificateValidityPeriod: 90d\ncaCertificateValidityPeriod: 20y\nencryptionAlgorithm: RSA-3072\n";
    place.write("p.yaml", single(lines));
    let run = place.init(&["--profile", "p.yaml", "--dir", "k8s"]).warns();
    assert!(run.stdout.starts_with("created 0, replaced 0, kept ") || run.stdout.starts_with("nothing"), "{run:?}");
    for said in [
        "ca, front-proxy-ca and 1 more are valid for 10y, the profile says 20y; kept: what an authority signed",
        "apiserver, apiserver-kubelet-client and 11 more are valid for 365d, the profile says 90d; kept until the next \
         renewal; now with: kpki renew all --profile p.yaml --dir k8s",
        "have a key of kind ECDSA-P256, the profile says RSA-3072; kept until the next renewal; now with: kpki renew all --profile p.yaml --dir k8s",
    ] {
        assert!(run.stderr.contains(said), "{said}\n{}", run.stderr);
    }
    // The command does what is said of it.
    place.kpki(&["renew", "all", "--dir", "k8s", "--at", NOW]).ok();
    let run = place.init(&["--dir", "k8s"]).warns();
    assert!(!run.stderr.contains("until the next renewal"), "{}", run.stderr);
    assert!(run.stderr.contains("the profile says 20y"), "{}", run.stderr);

    // One entry's own lifetime.
    place.write("p.yaml", single("certificates:\n  apiserver: {validity: 30d}\n"));
    let run = place.init(&["--profile", "p.yaml", "--dir", "k8s"]).warns();
    assert!(run.stderr.contains("apiserver is valid for 90d, the profile says 30d;"), "{}", run.stderr);
    assert!(run.stderr.contains("now with: kpki renew apiserver --profile p.yaml --dir k8s"), "{}", run.stderr);
}

/// Keys of another kind than the profile states: a line for all that takes it up at the same time. One that it does not state
/// is the choice of who made the tree.
#[test]
fn keys_of_another_kind_are_said_once() {
    let place = Place::new();
    place.write("p.yaml", single("encryptionAlgorithm: ECDSA-P384\n"));
    place.init(&["--profile", "p.yaml", "--dir", "k8s"]).ok();
    place.write("none.yaml", single(""));
    place.write("other.yaml", single("encryptionAlgorithm: ECDSA-P256\n"));
    place.init(&["--profile", "none.yaml", "--dir", "k8s"]).ok();
    let run = place.init(&["--profile", "other.yaml", "--dir", "k8s"]).warns();
    let said = "have a key of kind ECDSA-P384, the profile says ECDSA-P256; kept: ";
    assert!(run.stderr.lines().count() == 2 && run.stderr.contains(said), "{}", run.stderr);
}
