use super::*;
use crate::encoding::base64;
use crate::inventory::content::alone as objects;
use proptest::prelude::*;
use rustix::fs::{CWD, FileType, Mode};
use std::os::unix::fs::symlink;

fn ca() -> Vec<u8> {
    bytes("v1.36-default-rsa2048/etc-kubernetes/pki/ca.crt")
}

fn secret(name: &str, indent: &str) -> String {
    let leaf = bytes("v1.36-default-rsa2048/etc-kubernetes/pki/apiserver.crt");
    let lines = [
        "apiVersion: v1".to_owned(),
        "kind: Secret".to_owned(),
        format!("metadata: {{name: {name}, namespace: web}}"),
        "type: kubernetes.io/tls".to_owned(),
        format!("data:\n{indent}  tls.crt: {}", base64::encode(&leaf).as_str()),
        format!("  ca.crt: {}\n{indent}  tls.key: AAAA", base64::encode(&ca()).as_str()),
    ];
    lines.iter().map(|line| format!("{indent}{line}\n")).collect()
}

#[test]
fn what_lies_in_a_directory_is_found_by_content() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let put = |name: &str, bytes: &[u8]| std::fs::write(at(name), bytes).unwrap();
    let key = bytes("v1.36-default-rsa2048/etc-kubernetes/pki/ca.key");
    let der = crate::x509::parse_pem_bundle(&ca()).unwrap().remove(0).der;
    std::fs::create_dir_all(at("deep/er")).unwrap();
    put("a.txt", &ca());
    put("b", &der);
    put("c.pem", &[ca(), key.clone()].concat());
    put("d.pem", &[key.clone(), ca()].concat());
    put("deep/er/conf", &bytes("v1.36-default-rsa2048/etc-kubernetes/admin.conf"));
    put("e.pem", &ca()[..300]);
    put("f.key", &ca());
    put("g.pem", &key);
    put("h.md", b"-----BEGIN\nkubernetes.io/tls Secret, current-context of users\n");
    put("i.bin", &[0; 9000]);
    put("j.yaml", format!("---\n{}---\nkind: ConfigMap\n", secret("one", "")).as_bytes());
    let in_list = |name: &str| secret(name, "  ").replacen(' ', "-", 1);
    let list = format!("apiVersion: v1\nkind: List\nitems:\n{}{}", in_list("two"), in_list("three"));
    put("k.yaml", list.as_bytes());
    put("l.csr", b"-----BEGIN CERTIFICATE REQUEST-----\nZm9v\n-----END CERTIFICATE REQUEST-----\n");
    put("m.der", &der[..200]);
    std::fs::File::create(at("n")).unwrap().set_len(2 << 30).unwrap();
    rustix::fs::mknodat(CWD, at("o"), FileType::Fifo, Mode::RUSR, 0).unwrap();
    symlink(".", at("deep/loop")).unwrap();
    symlink("r", at("r")).unwrap();
    symlink("nowhere", at("s")).unwrap();
    symlink("a.txt", at("t")).unwrap();
    let tree = directory(dir.path(), None);
    let wanted = [
        ("a.txt", Kind::Authority),
        ("b", Kind::Authority),
        ("c.pem", Kind::Authority),
        ("d.pem", Kind::Authority),
        ("deep/er/conf", Kind::Kubeconfig),
        ("deep/er/conf[ca]", Kind::KubeconfigAuthority),
        ("e.pem", Kind::Certificate),
        ("j.yaml[document 1: Secret web/one tls.crt]", Kind::Secret),
        ("j.yaml[document 1: Secret web/one ca.crt]", Kind::Secret),
        ("k.yaml[Secret web/two tls.crt]", Kind::Secret),
        ("k.yaml[Secret web/two ca.crt]", Kind::Secret),
        ("k.yaml[Secret web/three tls.crt]", Kind::Secret),
        ("k.yaml[Secret web/three ca.crt]", Kind::Secret),
        ("m.der", Kind::Certificate),
        ("t", Kind::Authority),
    ];
    let found: Vec<_> = tree.items.iter().map(|item| (item.name.as_str(), item.kind)).collect();
    assert_eq!(found, wanted);
    for item in &tree.items {
        assert_eq!(matches!(item.name.as_str(), "e.pem" | "m.der"), !matches!(item.reading, Reading::Certificate(_)));
    }
    assert!(
        facts(item(&tree, "j.yaml[document 1: Secret web/one tls.crt]")).issuer_not_after.is_some(),
        "linked across files"
    );
    // The same reader for a file that was named; nothing is passed over then.
    for (name, kind) in wanted {
        let file = name.split('[').next().unwrap();
        let alone = super::tree(&Request::new(at(file), Form::File));
        assert!(alone.items.iter().any(|item| item.kind == kind), "{name}");
    }
    for name in ["g.pem", "h.md", "i.bin", "l.csr", "n", "o", "r", "s", "nothing", "deep"] {
        let alone = super::tree(&Request::new(at(name), Form::File));
        assert_eq!(alone.items.len(), 1, "{name}");
        unreadable(&alone.items[0]);
    }
    let json = serde_json::json!({"kind": "Secret", "type": "kubernetes.io/tls", "metadata": {"name": "x"},
        "data": {"tls.crt": base64::encode(&ca()).as_str()}});
    put("u.json", serde_json::to_string_pretty(&json).unwrap().as_bytes());
    assert_eq!(names(&super::tree(&Request::new(at("u.json"), Form::File))), ["u.json[Secret x tls.crt]"]);
}

#[test]
fn trees_in_a_directory_are_trees() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["b", "a", "c/etc/kubernetes"] {
        std::fs::create_dir_all(dir.path().join(name)).unwrap();
        copy_to("v1.36-default-rsa2048", &dir.path().join(name));
    }
    let roots = |path: &Path| -> Vec<_> {
        requests(path, None, 2)
            .unwrap()
            .iter()
            .map(|r| (r.root.strip_prefix(dir.path()).unwrap().display().to_string(), r.form))
            .collect()
    };
    let mut wanted =
        vec![("a".to_owned(), Form::Node), ("b".to_owned(), Form::Node), ("c/etc/kubernetes".to_owned(), Form::Node)];
    assert_eq!(roots(dir.path()), wanted);
    std::fs::write(dir.path().join("loose.pem"), ca()).unwrap();
    wanted.push((String::new(), Form::Directory));
    assert_eq!(roots(dir.path()), wanted);
    assert_eq!(names(&directory(dir.path(), None)), ["loose.pem"]);
    assert!(requests(&dir.path().join("nothing"), None, 2).is_none());
    assert_eq!(requests(&dir.path().join("loose.pem"), None, 2).unwrap()[0].form, Form::File);
    let found = requests(dir.path(), None, 2).unwrap();
    let trees = all(&found, 3, &mut |_, _| (), |_, tree| Some(tree)).unwrap();
    assert_eq!(trees.iter().map(|tree| tree.items.len()).collect::<Vec<_>>(), [15, 15, 15, 1]);
}

/// A CRL of the cluster's authority with many entries, as DER; signed by nobody.
fn list(entries: usize) -> Vec<u8> {
    crl(&[7; 20], entries)
}

fn crl(serial: &[u8], entries: usize) -> Vec<u8> {
    use crate::encoding::tlv;
    let algorithm = tlv::sequence(&[tlv::write(tlv::OBJECT_IDENTIFIER, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2])]);
    let issuer = crate::encoding::name::write(&crate::blueprint::Name::of("kubernetes", &[])).unwrap();
    let time = tlv::write(tlv::UTC_TIME, b"261120000000Z");
    let entry = tlv::sequence(&[tlv::integer(serial), time.clone()]);
    let entries = tlv::write(tlv::SEQUENCE, &entry.repeat(entries));
    let signed = tlv::sequence(&[&tlv::integer(&[1]), &algorithm, &issuer, &time, &time, &entries]);
    tlv::sequence(&[signed, algorithm, tlv::bit_string(&[9; 70])])
}

#[test]
fn lists_of_any_length_are_counted() {
    let dir = copy("v1.36-default-rsa2048");
    // Nobody signed these CRLs; without the authorities that is not looked at.
    for authority in ["ca", "front-proxy-ca", "etcd/ca"] {
        std::fs::remove_file(dir.path().join(format!("pki/{authority}.crt"))).unwrap();
    }
    for (entries, name) in [(3, "pki/ca.crl"), (90_000, "pki/front-proxy-ca.crl"), (90_001, "pki/etcd/ca.crl")] {
        let der = list(entries);
        let text = crate::encoding::pem::write("X509 CRL", &der);
        let bytes = if entries == 90_000 { der.as_slice() } else { text.as_bytes() };
        std::fs::write(dir.path().join(name), bytes).unwrap();
    }
    let tree = node(dir.path());
    for (name, entries) in [("ca.crl", 3), ("front-proxy-ca.crl", 90_000), ("etcd-ca.crl", 90_001)] {
        let item = item(&tree, name);
        match &item.reading {
            Reading::Crl(facts) => assert_eq!((facts.entries, facts.issuer.as_str()), (entries, "CN=kubernetes")),
            other => panic!("{name}: {other:?}"),
        }
        assert!(item.optional && item.kind == Kind::Crl);
    }
    // Truncated anywhere, it is reported.
    let text = crate::encoding::pem::write("X509 CRL", &list(90_001));
    for length in [100, 70_000, 1_500_000, text.len() - 30, text.len() - 20] {
        std::fs::write(dir.path().join("pki/ca.crl"), &text.as_bytes()[..length]).unwrap();
        unreadable(item(&node(dir.path()), "ca.crl"));
    }
}

#[test]
fn a_crl_that_its_authority_did_not_sign_revokes_nothing() {
    let dir = copy("v1.36-default-rsa2048");
    let pem = bytes("v1.36-default-rsa2048/etc-kubernetes/pki/apiserver.crt");
    let serial = crate::x509::parse_pem_bundle(&pem).unwrap().remove(0).serial;
    let forged = crl(&serial, 1);
    let wanted = crate::x509::Wanted::new([serial.as_slice()]);
    assert!(
        crate::x509::CrlLookup::read(&forged, &wanted).unwrap().named(&serial).is_some(),
        "it names the certificate"
    );
    std::fs::write(dir.path().join("pki/ca.crl"), &forged).unwrap();
    let tree = node(dir.path());
    let why = unreadable(item(&tree, "ca.crl"));
    assert!(why.starts_with("the CRL is not the issuer's: "), "{why}");
    assert_eq!(facts(item(&tree, "apiserver")).revoked, None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn any_bytes_are_pieces_or_none(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = objects(&bytes);
    }

    #[test]
    fn any_mutation_is_read(which in 0usize..5, at in any::<prop::sample::Index>(), with in prop::collection::vec(any::<u8>(), 0..4), cut in 0usize..4) {
        let mut bytes = match which {
            0 => ca(),
            1 => bytes("v1.36-default-rsa2048/etc-kubernetes/admin.conf"),
            2 => secret("x", "").into_bytes(),
            3 => list(3),
            _ => crate::x509::parse_pem_bundle(&ca()).unwrap().remove(0).der,
        };
        let at = at.index(bytes.len());
        let end = (at + cut).min(bytes.len());
        bytes.splice(at..end, with);
        let _ = objects(&bytes);
        bytes.truncate(at);
        let _ = objects(&bytes);
    }
}

/// A kind, what its manifest says with a certificate at `@`, and how its rows are called.
#[test]
fn certificates_in_manifests_are_found_wherever_kubernetes_keeps_them() {
    let secret = "kind: Secret\nmetadata: {name: x, namespace: n}\n";
    let encoded = base64::encode(&ca());
    let der = base64::encode(&crate::x509::parse_pem_bundle(&ca()).unwrap().remove(0).der);
    let text = String::from_utf8(ca()).unwrap().replace('\n', "\n    ");
    let conf = base64::encode(&bytes("v1.36-default-rsa2048/etc-kubernetes/admin.conf"));
    for (manifest, rows) in [
        (format!("{secret}data: {{any: {}}}", *encoded), vec!["f[Secret n/x any]"]),
        (format!("{secret}data: {{any: {}, other: aGk=}}", *der), vec!["f[Secret n/x any]"]),
        (format!("{secret}stringData:\n  a.pem: |\n    {text}"), vec!["f[Secret n/x a.pem]"]),
        (format!("{secret}data: {{value: {}}}", *conf), vec!["f[Secret n/x value]", "f[Secret n/x value: ca]"]),
        (format!("{secret}data: {{a: !!binary {}}}", *base64::encode(encoded.as_bytes())), vec!["f[Secret n/x a]"]),
        (format!("kind: Secret\nx: &x {}\ndata: {{a: *x}}", *encoded), vec!["f[Secret (no name) a]"]),
        (
            format!("kind: ConfigMap\nmetadata: {{name: kube-root-ca.crt}}\ndata:\n  ca.crt: |\n    {text}"),
            vec!["f[ConfigMap kube-root-ca.crt ca.crt]"],
        ),
        (
            format!("kind: SecretList\nitems: [{{metadata: {{name: a}}, data: {{b: {}}}}}, {{kind: Other}}]", *encoded),
            vec!["f[Secret a b]"],
        ),
        (
            format!(
                "kind: MutatingWebhookConfiguration\nwebhooks: [{{}}, {{clientConfig: {{caBundle: {}}}}}]",
                *encoded
            ),
            vec!["f[MutatingWebhookConfiguration (no name) webhooks[1].clientConfig.caBundle]"],
        ),
        (format!("kind: APIService\nspec: {{caBundle: {}}}", *encoded), vec!["f[APIService (no name) spec.caBundle]"]),
        (
            format!(
                "kind: A\n---\nkind: CustomResourceDefinition\nspec: {{conversion: {{webhook: {{clientConfig: {{caBundle: {}}}}}}}}}",
                *encoded
            ),
            vec!["f[document 2: CustomResourceDefinition (no name) spec.conversion.webhook.clientConfig.caBundle]"],
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("f"), &manifest).unwrap();
        let found = tree(&Request::new(dir.path().join("f"), Form::File));
        assert_eq!(names(&found), rows, "{manifest}");
        assert!(found.items.iter().all(|item| matches!(item.reading, Reading::Certificate(_))), "{manifest}");
        assert_eq!(
            found.notes.len(),
            usize::from(
                manifest.contains("aGk=") || manifest.contains("kind: Other") || manifest.contains("kind: A\n")
            ),
            "{manifest}"
        );
        // The same by walking.
        assert_eq!(names(&directory(dir.path(), None)), rows, "{manifest}");
    }
}

#[test]
fn what_is_no_certificate_where_one_has_to_be_is_said() {
    for (data, why) in [
        ("ca.crt: aGVsbG8=", "expected a certificate, found nothing of the kind"),
        ("ca.crt: '%'", "expected base64, found something else"),
        (
            "tls.crt: LS0tLS1CRUdJTiBQVUJMSUMgS0VZLS0tLS0KLS0tLS1FTkQgUFVCTElDIEtFWS0tLS0tCg==",
            "expected a certificate, found PUBLIC KEY",
        ),
    ] {
        let found = objects(format!("kind: Secret\nmetadata: {{name: x}}\ndata: {{{data}}}").as_bytes());
        let [object] = found.as_slice() else { panic!("{data}: {found:?}") };
        assert!(matches!(&object.reading, Reading::Unreadable(found) if found.to_string() == why), "{object:?}");
    }
}
