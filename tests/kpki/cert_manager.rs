//! `kpki csr --as cert-manager`, and the manifests of docs/cert-manager.md: what cert-manager's API takes, and nothing else.

use kpki::encoding::yaml::{Node, Style, Value as Yaml};
use kpki::x509::Request;
use serde_json::{Value, json};

use super::harness::{NOW, Place, single, text};
use super::published::Published;

const PROFILE: &str =
    "extraCertificates:\n- {name: web, usages: [server, client], certSANs: [web.example.com], validity: 90m}\n";

fn place() -> Place {
    let place = Place::new();
    place.write("p.yaml", single(PROFILE));
    place
}

const ASK: [&str; 9] = ["--profile", "p.yaml", "--dir", "t", "--as", "cert-manager", "--issuer", "corp", "--at"];

/// `kpki csr` for these entries, with these words behind.
fn csr(place: &Place, entries: &[&str], words: &[&str]) -> super::harness::Run {
    place.kpki(&[&["csr"], entries, &ASK, &[NOW], words].concat())
}

/// YAML as the JSON that kubectl sends.
fn json(node: &Node) -> Value {
    match &node.value {
        Yaml::Null => Value::Null,
        Yaml::Scalar { text, style: Style::Plain } if ["true", "false"].contains(&text.as_str()) => {
            json!(text.as_str() == "true")
        }
        Yaml::Scalar { text, .. } => json!(text.as_str()),
        Yaml::Sequence(items) => items.iter().map(json).collect(),
        Yaml::Mapping(entries) => {
            Value::Object(entries.iter().map(|entry| (entry.key.clone(), json(&entry.node))).collect())
        }
    }
}

#[track_caller]
fn documents(yaml: &str) -> Vec<Value> {
    let stream = kpki::encoding::yaml::read_as_kubectl(yaml.as_bytes());
    assert!(stream.faults.is_empty(), "{yaml}");
    stream.documents.iter().map(json).collect()
}

#[test]
fn a_request_is_an_object_of_its_api() {
    let place = place();
    let schema = Published::cert_manager();
    let names = ["apiserver", "admin.conf", "etcd-peer", "web", "ca"];
    let run = csr(&place, &names, &["--namespace", "pki"]).ok();
    let made = documents(&run.stdout);
    assert_eq!(made.len(), names.len());
    for (document, (entry, usages, duration, file)) in made.iter().zip([
        ("apiserver", json!(["digital signature", "server auth"]), "8760h", "pki/apiserver"),
        ("etcd-peer", json!(["digital signature", "server auth", "client auth"]), "8760h", "pki/etcd/peer"),
        ("admin.conf", json!(["digital signature", "client auth"]), "8760h", "admin.conf"),
        ("web", json!(["digital signature", "server auth", "client auth"]), "5400s", "pki/web"),
        ("ca", json!(["digital signature", "cert sign", "crl sign"]), "87600h", "pki/ca"),
    ]) {
        schema.holds(&document.to_string());
        let (metadata, spec) = (&document["metadata"], &document["spec"]);
        assert_eq!(metadata["annotations"]["kpki/entry"], entry);
        assert_eq!(metadata["namespace"], "pki");
        let issuer = json!({"name": "corp", "kind": "Issuer", "group": "cert-manager.io"});
        assert_eq!((&spec["issuerRef"], &spec["isCA"]), (&issuer, &json!(entry == "ca")));
        // cert-manager refuses other usages than those of the request.
        assert_eq!((&spec["usages"], &spec["duration"]), (&usages, &json!(duration)), "{entry}");
        let pem = kpki::encoding::base64::decode(spec["request"].as_str().unwrap().as_bytes()).unwrap();
        assert_eq!(pem.as_slice(), place.read(&format!("t/.kpki/requests/{file}.csr")).as_bytes());
        let asked = Request::read_file(&pem).unwrap().remove(0);
        assert!(asked.signature_valid == Some(true) && asked.is_ca == (entry == "ca"), "{entry}");
        // The key is not in it.
        assert!(!document.to_string().contains("PRIVATE"));
    }
    // The same request is the same object, whenever it is written; a new one is another.
    let again = csr(&place, &names, &["--namespace", "pki"]).ok();
    assert_eq!(again.stdout, run.stdout);
    let name = |document: &Value| document["metadata"]["name"].as_str().unwrap().to_owned();
    assert!(name(&made[0]).starts_with("apiserver-") && name(&made[0]).len() == "apiserver-".len() + 16);
    std::fs::remove_file(place.path("t/.kpki/requests/pki/apiserver.key")).unwrap();
    let renewed = documents(&csr(&place, &["apiserver"], &[]).ok().stdout);
    assert!(name(&renewed[0]) != name(&made[0]) && renewed[0]["metadata"].get("namespace").is_none());
}

#[test]
fn the_schema_takes_nothing_else() {
    let place = place();
    let schema = Published::cert_manager();
    let whole = documents(&csr(&place, &["apiserver"], &[]).ok().stdout).remove(0);
    schema.holds(&whole.to_string());
    for (path, value) in [
        ("/apiVersion", json!("cert-manager.io/v1alpha2")),
        ("/kind", json!("CertificateSigningRequest")),
        ("/metadata/name", json!("Apiserver")),
        ("/metadata/other", json!("x")),
        ("/spec/other", json!("x")),
        ("/spec/csr", json!("x")),
        ("/spec/issuerRef", json!({"kind": "Issuer"})),
        ("/spec/duration", json!("365d")),
        ("/spec/request", json!("-----BEGIN")),
        ("/spec/request", json!("")),
        ("/spec/isCA", json!("false")),
        ("/spec/usages", json!(["serverAuth"])),
        ("/spec/usages", json!(["server auth", "server auth"])),
    ] {
        let mut other = whole.clone();
        let (parent, key) = path.rsplit_once('/').unwrap();
        other.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(key.to_owned(), value);
        assert!(schema.refuses(&other), "{path}");
    }
}

#[test]
fn the_manifests_of_the_guide_are_what_cert_manager_reads() {
    let schema = Published::cert_manager();
    let guide = text("docs/cert-manager.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let blocks = guide.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let mut kinds = Vec::new();
    for document in blocks.flat_map(documents) {
        let kind = document["kind"].as_str().unwrap().to_owned();
        if kind != "Role" {
            schema.holds(&document.to_string());
        }
        kinds.push(kind);
    }
    assert_eq!(kinds, ["ClusterIssuer", "Role"]);
    // The Secret of an authority below a root: the chain in tls.crt, the root in ca.crt.
    let place = place();
    place.init(&["--profile", "p.yaml", "--dir", "t"]).ok();
    let words =
        ["convert", "t/pki/ca.crt", "t/pki/ca.key", "--as", "kubernetes-secret", "--name", "ca", "--namespace", "pki"];
    let secret = documents(&place.kpki(&words).ok().stdout).remove(0);
    schema.holds(&secret.to_string());
}

#[test]
fn what_cannot_be_asked_is_refused_and_nothing_is_written() {
    let place = place();
    for (words, status, said) in [
        (&["--issuer", "Corp"][..], 2, "--issuer: expected lower-case letters"),
        (&["--issuer", "corp", "--issuer-kind", "Cluster Issuer"], 2, "--issuer-kind: expected a kind"),
        (&["--issuer", "corp", "--issuer-group", "a/b"], 2, "--issuer-group: expected"),
        (&["--issuer", "corp", "--namespace", "a.b"], 2, "--namespace: expected"),
        (&["--issuer", "corp", "-o", "json"], 2, "a report and manifests cannot both go to standard output"),
        (&[], 2, "--issuer <NAME>"),
    ] {
        let words =
            [&["csr", "apiserver", "--as", "cert-manager", "-p", "p.yaml", "--dir", "t", "--at", NOW], words].concat();
        let run = place.kpki(&words).fails(status);
        assert!(run.stderr.contains(said) && run.stdout.is_empty(), "{words:?}: {}", run.stderr);
        assert!(!run.wrote, "{words:?}");
    }
    let without = ["csr", "apiserver", "--issuer", "corp", "-p", "p.yaml", "--dir", "t"];
    assert!(place.kpki(&without).fails(2).stderr.contains("--as <KIND>"));
    // Nothing is written with --dry-run, and the manifests are of requests that do not exist: none is printed twice the same.
    let run = csr(&place, &["apiserver"], &["--dry-run"]);
    assert!(run.status == 2 && run.stderr.contains("--dry-run"), "{}", run.stderr);
}

#[test]
fn what_has_no_request_is_said_on_standard_error() {
    let place = place();
    place.init(&["--profile", "p.yaml", "--dir", "t"]).ok();
    std::fs::remove_file(place.path("t/pki/apiserver.crt")).unwrap();
    std::fs::remove_file(place.path("t/pki/apiserver.key")).unwrap();
    let run = place.kpki(&["csr", "all", "--dir", "t", "--at", NOW, "--as", "cert-manager", "--issuer", "corp"]);
    let made = documents(&run.stdout);
    assert!(made.iter().all(|document| document["kind"] == "CertificateRequest") && made.len() > 3);
    let is_all = run.status == 0 && run.stderr.is_empty();
    assert!(is_all || (run.status == 5 && run.stderr.contains("warning: ")), "{} {}", run.status, run.stderr);
}
