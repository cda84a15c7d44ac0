//! `kpki rotate scan`: the old authority is found wherever it hides in a cluster's objects, and nothing secret is shown.

use std::fs;

use kpki::encoding::base64;
use serde_json::{Value, json};

use super::harness::{NOW, Place, Run, single};

const PROFILE: &str = "encryptionAlgorithm: ECDSA-P256\n";

/// Trees of two clusters: what `o` holds is old, what `n` holds replaces it.
struct Two(Place);

impl Two {
    fn new() -> Self {
        let place = Place::new();
        place.write("p.yaml", single(PROFILE));
        place.init(&["-p", "p.yaml", "--dir", "o"]).ok();
        place.init(&["-p", "p.yaml", "--dir", "n"]).ok();
        Self(place)
    }

    fn old(&self, file: &str) -> String {
        self.0.read(&format!("o/{file}"))
    }

    fn new_one(&self, file: &str) -> String {
        self.0.read(&format!("n/{file}"))
    }

    /// Old and new authority in one file.
    fn both(&self) -> String {
        self.old("pki/ca.crt") + &self.new_one("pki/ca.crt")
    }

    /// A token by the old service account key, as far as anybody sees who does not verify it.
    fn token(&self, claims: &str) -> String {
        let run = self.0.kpki(&["inspect", "o/pki/sa.pub", "-o", "json"]).ok();
        let hash = run.json()["files"][0]["objects"][0]["keySha256"].as_str().unwrap().replace(':', "");
        let octets: Vec<u8> =
            (0..hash.len()).step_by(2).map(|at| u8::from_str_radix(&hash[at..at + 2], 16).unwrap()).collect();
        let kid = base64::url(&octets);
        let part = |text: &str| base64::url(text.as_bytes());
        let header = format!(r#"{{"alg":"ES256","kid":"{kid}"}}"#);
        format!("{}.{}.{}", part(&header), part(claims), base64::url(SIGNATURE.as_bytes()))
    }

    fn scan(&self, words: &[&str], stdin: &[u8]) -> Run {
        self.0.kpki_with(&[&["rotate", "scan", "--at", NOW], words].concat(), stdin)
    }

    /// A dump on standard input, with what is old.
    fn dump(&self, objects: &[Value]) -> Run {
        let dump = list(objects).to_string();
        self.scan(&["-", "--old", "o/pki/ca.crt", "--old", "o/pki/sa.pub", "-o", "json"], dump.as_bytes())
    }
}

const SIGNATURE: &str = "a signature that nobody may see, of sixty-four octets or more......";

fn b64(text: impl AsRef<[u8]>) -> String {
    base64::encode(text.as_ref()).to_string()
}

fn list(objects: &[Value]) -> Value {
    json!({"apiVersion": "v1", "items": objects, "kind": "List", "metadata": {"resourceVersion": ""}})
}

/// As kubectl prints it: the data before the name.
fn object(kind: &str, namespace: &str, name: &str, field: &str, value: Value) -> Value {
    let mut found = json!({"apiVersion": "v1"});
    found[field] = value;
    found["kind"] = json!(kind);
    found["metadata"] = json!({"name": name});
    if !namespace.is_empty() {
        found["metadata"]["namespace"] = json!(namespace);
    }
    found
}

/// Object, field and what it is.
fn finds(run: &Run) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let place =
        |row: &Value| format!("{} {}/{}", text(&row["objectKind"]), text(&row["namespace"]), text(&row["name"]));
    let rows = run.json()["finds"].as_array().unwrap().clone();
    rows.iter().map(|row| (place(row), text(&row["field"]), text(&row["what"]))).collect()
}

#[test]
fn the_old_authority_is_found_wherever_it_hides() {
    let two = Two::new();
    let (ca, crlf) = (two.old("pki/ca.crt"), two.old("pki/ca.crt").replace('\n', "\r\n"));
    let conf = two.old("admin.conf");
    let token = two.token(r#"{"sub":"system:serviceaccount:web:ci"}"#);
    let bound = two.token(r#"{"sub":"system:serviceaccount:web:ci","exp":1795212000}"#);
    let applied = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"ca.crt": ca}}).to_string();
    let webhook = json!([{"name": "a.example.com", "clientConfig": {"caBundle": b64(two.new_one("pki/ca.crt"))}},
                         {"name": "b.example.com", "clientConfig": {"caBundle": b64(&crlf)}}]);
    let mut annotated = object("ConfigMap", "web", "applied", "data", json!({}));
    annotated["metadata"]["annotations"] = json!({"kubectl.kubernetes.io/last-applied-configuration": applied});
    let objects = [
        object("ValidatingWebhookConfiguration", "", "hooks", "webhooks", webhook),
        object("APIService", "", "v1.a", "spec", json!({"caBundle": b64(&ca)})),
        object(
            "CustomResourceDefinition",
            "",
            "x",
            "spec",
            json!({"conversion": {"webhook": {"clientConfig": {"caBundle": b64(&ca)}}}}),
        ),
        object("ConfigMap", "web", "kube-root-ca.crt", "data", json!({"ca.crt": crlf})),
        object(
            "ConfigMap",
            "kube-system",
            "extension-apiserver-authentication",
            "data",
            json!({"client-ca-file": two.both()}),
        ),
        object("ConfigMap", "web", "text", "data", json!({"kubeconfig": conf})),
        object("Secret", "web", "conf", "data", json!({"config": b64(&conf)})),
        object("Secret", "web", "twice", "data", json!({"config": b64(b64(&conf))})),
        object(
            "Secret",
            "web",
            "tls",
            "data",
            json!({"tls.crt": b64(two.old("pki/apiserver.crt")), "tls.key": b64(two.old("pki/apiserver.key"))}),
        ),
        object("Secret", "web", "ci", "data", json!({"token": b64(&token), "namespace": b64("web")})),
        object("Pod", "web", "p", "spec", json!({"containers": [{"env": [{"name": "TOKEN", "value": bound}]}]})),
        annotated,
        object(
            "Secret",
            "web",
            "other",
            "data",
            json!({"ca.crt": b64(two.new_one("pki/ca.crt")), "tls.crt": b64(two.new_one("pki/apiserver.crt"))}),
        ),
    ];
    let run = two.dump(&objects).status(4);
    let expected = [
        ("ValidatingWebhookConfiguration /hooks", "webhooks[1].clientConfig.caBundle", "trusts-old-only"),
        ("APIService /v1.a", "spec.caBundle", "trusts-old-only"),
        ("CustomResourceDefinition /x", "spec.conversion.webhook.clientConfig.caBundle", "trusts-old-only"),
        ("ConfigMap web/kube-root-ca.crt", "data.ca.crt", "trusts-old-only"),
        // Nothing is said of a new one: it holds the old one.
        ("ConfigMap kube-system/extension-apiserver-authentication", "data.client-ca-file", "trusts-old-only"),
        ("ConfigMap web/text", "data.kubeconfig: certificate-authority-data", "trusts-old-only"),
        ("ConfigMap web/text", "data.kubeconfig: client-certificate-data", "signed-by-old"),
        ("Secret web/conf", "data.config: certificate-authority-data", "trusts-old-only"),
        ("Secret web/conf", "data.config: client-certificate-data", "signed-by-old"),
        ("Secret web/twice", "data.config: certificate-authority-data", "trusts-old-only"),
        ("Secret web/twice", "data.config: client-certificate-data", "signed-by-old"),
        ("Secret web/tls", "data.tls.crt", "signed-by-old"),
        ("Secret web/ci", "data.token", "token"),
        ("Pod web/p", "spec.containers[0].env[0].value", "token"),
        (
            "ConfigMap web/applied",
            "metadata.annotations.kubectl.kubernetes.io/last-applied-configuration: ca.crt",
            "trusts-old-only",
        ),
    ];
    let found = finds(&run);
    let found: Vec<_> =
        found.iter().map(|(place, field, what)| (place.as_str(), field.as_str(), what.as_str())).collect();
    assert_eq!(found, expected);
    let report = run.json();
    assert_eq!((&report["objects"], &report["summary"]["notRead"]), (&json!(13), &json!(0)), "{report}");
    assert_eq!(report["finds"][12]["expirationDate"], Value::Null);
    assert_eq!(report["finds"][13]["expirationDate"], "2026-11-20T22:00:00Z");
    let patch = r#"kubectl -n web patch secret ci --type=json -p '[{"op":"remove","path":"/data/token"}]'"#;
    let delete = "kubectl -n kube-system delete configmap extension-apiserver-authentication";
    assert_eq!(report["next"], json!([delete, patch]));
    // The same as YAML, as several documents, and as a file: the same finds.
    let yaml = objects.iter().map(Value::to_string).collect::<Vec<_>>().join("\n---\n");
    two.0.write("dump.yaml", format!("---\n{yaml}\n"));
    two.0.write("dump.json", objects.iter().map(Value::to_string).collect::<Vec<_>>().join("\n"));
    for file in ["dump.yaml", "dump.json"] {
        let again = two.scan(&[file, "--old", "o/pki/ca.crt", "--old", "o/pki/sa.pub", "-o", "json"], b"").status(4);
        assert_eq!(finds(&again), finds(&run), "{file}");
    }
    for form in ["table", "wide", "json", "yaml"] {
        let run = two.scan(&["dump.json", "--old", "o/pki/ca.crt", "--old", "o/pki/sa.pub", "-o", form], b"").status(4);
        let key = two.old("pki/apiserver.key").replace('\n', "");
        for secret in [
            &token,
            &bound,
            &b64(SIGNATURE),
            &base64::url(SIGNATURE.as_bytes()),
            &key[40..80].to_owned(),
            &b64(&conf)[..60].to_owned(),
        ] {
            assert!(
                !run.stdout.contains(secret.as_str()) && !run.stderr.contains(secret.as_str()),
                "{form}: {}",
                run.stdout
            );
        }
        assert!(
            !run.stdout.contains("eyJ") && !run.stdout.contains("MII") && !run.stdout.contains("LS0t"),
            "{}",
            run.stdout
        );
    }
}

#[test]
fn a_bundle_with_the_new_one_is_not_in_the_way() {
    let two = Two::new();
    let root = |namespace: &str, pem: String| {
        object("ConfigMap", namespace, "kube-root-ca.crt", "data", json!({"ca.crt": pem}))
    };
    let words = ["-", "--old", "o/pki/ca.crt", "--new", "n/pki/ca.crt"];
    let dump = |objects: &[Value]| list(objects).to_string().into_bytes();
    let good = [root("a", two.both()), root("b", two.both()), root("c", two.new_one("pki/ca.crt"))];
    let run = two.scan(&words, &dump(&good)).ok();
    assert_eq!(
        run.stdout,
        "rotation of kubernetes: nothing is in the way in 3 objects\nfound: 2 trust both, 1 trusts the new one only\n"
    );
    let bad = [root("a", two.both()), root("b", two.old("pki/ca.crt"))];
    let run = two.scan(&words, &dump(&bad)).status(4);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(lines[0], "rotation of kubernetes: 1 place in the way in 2 objects");
    assert_eq!(lines[1], "found: 1 trusts the old one only, 1 trusts both");
    assert_eq!(lines[4], "ConfigMap b/kube-root-ca.crt  data.ca.crt  trusts the old kubernetes only  in 10y");
    assert_eq!(lines.len(), 5, "{}", run.stdout);
    // A leaf of the old authority is what is to be expected before the switch.
    let leaf = object(
        "Secret",
        "a",
        "tls",
        "data",
        json!({"tls.crt": b64(two.old("pki/apiserver.crt") + &two.old("pki/ca.crt"))}),
    );
    two.scan(&words, &dump(&[leaf])).ok();
}

#[test]
fn what_is_not_looked_at_is_said_and_counted() {
    let two = Two::new();
    let words = ["--old", "o/pki/ca.crt"];
    let not_read = |stdin: &[u8], words: &[&str]| {
        let run = two.scan(words, stdin).status(1);
        let lines: Vec<String> =
            run.stdout.lines().filter(|line| line.starts_with("not looked at: ")).map(str::to_owned).collect();
        assert!(!lines.is_empty(), "{}{}", run.stdout, run.stderr);
        lines.join("\n")
    };
    let stdin = |text: &str| not_read(text.as_bytes(), &["-", words[0], words[1]]);
    let secret = "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IHNlY3JldA==";
    let whole = list(&[object("Secret", "a", "b", "data", json!({"x": secret}))]).to_string();
    for (text, expected) in [
        (" \n", "found nothing"),
        ("NAME   DATA   AGE\nkube-root-ca.crt   1   3d\n", "expected objects in JSON or YAML"),
        (&list(&[]).to_string(), "a list without any"),
        ("{\"kind\":\"SecretList\",\"items\":null}", "a list without any"),
        (&whole[..whole.len() - 30], "the JSON is cut off"),
        (&whole.replace("\"kind\"", "kind"), "expected JSON, found something else"),
        (
            &list(&[object("Secret", "a", "b", "data", json!({"ca.crt": secret}))]).to_string(),
            "Secret a/b data.ca.crt: expected a certificate",
        ),
        (
            &list(&[object(
                "Secret",
                "a",
                "b",
                "data",
                json!({"truststore.jks": b64([&[0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2][..], &[0; 60]].concat())}),
            )])
            .to_string(),
            "a keystore behind a password",
        ),
        (&two.old("pki/ca.crt")[..300], "damaged or cut off"),
        ("kind: Secret\ndata: [\n", "line "),
        (
            &two.new_one("kubelet.conf").replace("client-certificate-data", "client-certificate"),
            "a file that a kubeconfig names",
        ),
    ] {
        let said = stdin(text);
        assert!(said.contains(expected), "{said}");
        assert!(!said.contains("c2Vj") && !said.contains("MII"), "{said}");
    }
    two.0.write("user.conf", two.new_one("admin.conf").replace("client-certificate-data", "client-certificate"));
    let said = not_read(b"", &["user.conf", words[0], words[1]]);
    assert!(said.contains("user.conf: a file that a kubeconfig names") && !said.contains("LS0t"), "{said}");
    let said = not_read(b"", &["nowhere.json", words[0], words[1]]);
    assert!(said.contains("nowhere.json: expected a file, found none"), "{said}");
    // Something that was found outweighs what could not be read.
    two.scan(&["nowhere.json", "o/pki/ca.crt", words[0], words[1]], b"").status(4);
    let nothing = two.scan(&["-", "--old", "o/admin.conf.missing"], b"x").fails(1);
    assert!(nothing.stderr.contains("expected a file, found none"), "{}", nothing.stderr);
    two.scan(&["o", "--old", "o/pki/ca.crt", "--old", "o/pki/sa.pub", "--new", "n/pki/ca.crt"], b"").fails(2);
    two.scan(&["o", "--old", "o/pki/apiserver.crt"], b"").fails(1);
    two.scan(&["o", "--old", "o/pki/sa.key"], b"").fails(1);
    let none = two.scan(&["o", "--dir", "o"], b"").fails(1);
    assert!(none.stderr.contains("nothing is being rotated"), "{}", none.stderr);
}

#[test]
fn directories_are_walked_and_kubeconfigs_followed() {
    let two = Two::new();
    two.0.write("d/sub/haproxy.cfg", "{ this is no JSON\n");
    two.0.write("d/sub/bundle.pem", two.both());
    two.0.write("d/notes.txt", "nothing");
    two.0.write("d/binary", [0u8, 1, 2, 3].repeat(100));
    two.0.write("elsewhere/client.crt", two.old("pki/apiserver-kubelet-client.crt"));
    let conf = two.new_one("admin.conf");
    let start = conf.find("    client-certificate-data").unwrap();
    let end = start + conf[start..].find('\n').unwrap();
    two.0.write(
        "d/user.conf",
        format!("{}    client-certificate: ../elsewhere/client.crt{}", &conf[..start], &conf[end..]),
    );
    std::os::unix::fs::symlink("../o", two.0.path("d/link")).unwrap();
    let words = ["d", "--old", "o/pki/ca.crt", "-o", "json"];
    let run = two.scan(&words, b"").status(4);
    let report = run.json();
    let found: Vec<(&str, &str)> = report["finds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["source"].as_str().unwrap(), row["what"].as_str().unwrap()))
        .collect();
    assert_eq!(found, [("d/sub/bundle.pem", "trusts-old-only"), ("d/../elsewhere/client.crt", "signed-by-old")]);
    assert!(run.stderr.contains("symlinks are not followed, and it has 1"), "{}", run.stderr);
    fs::remove_dir_all(two.0.path("d")).unwrap();
    two.0.write("d/notes.txt", "nothing");
    two.scan(&words, b"").ok();
}

/// What the tree has recorded decides what is sought, and what of it is in the way.
#[test]
fn the_record_of_the_tree_says_what_is_sought() {
    let two = Two::new();
    let old = two.both().replace(&two.new_one("pki/ca.crt"), "");
    let leaf = two.old("pki/apiserver.crt");
    let token = two.token(r#"{"sub":"system:serviceaccount:web:ci"}"#);
    let rotate = |words: &[&str]| two.0.kpki(&[&["rotate"], words, &["--dir", "o", "--at", NOW]].concat()).status(0);
    rotate(&["prepare", "ca", "sa", "--signer-file-in-use"]);
    let both = two.old("pki/ca.crt");
    assert!(both.starts_with(&old) && both.len() > old.len());
    let root = |pem: &str| object("ConfigMap", "a", "kube-root-ca.crt", "data", json!({"ca.crt": pem}));
    let used = [
        object("Secret", "a", "tls", "data", json!({"tls.crt": b64(&leaf)})),
        object("Secret", "a", "ci", "data", json!({"token": b64(&token)})),
    ];
    let status = |objects: &[Value]| {
        let run = two.scan(&["-", "--dir", "o"], list(objects).to_string().as_bytes());
        assert!(run.stdout.starts_with("rotation of ca, sa: "), "{}{}", run.stdout, run.stderr);
        run.status
    };
    assert_eq!((status(&[root(&old)]), status(&[root(&both)]), status(&used)), (4, 0, 0));
    rotate(&["switch", "--confirm-all", "--not-before-override"]);
    assert_eq!((status(&[root(&old)]), status(&[root(&both)])), (4, 0));
    assert_eq!((status(&used[..1]), status(&used[1..])), (4, 4));
    rotate(&["retire", "--confirm-all", "--not-before-override"]);
    assert_eq!((status(&[root(&both)]), status(&[root(&two.old("pki/ca.crt"))])), (4, 0));
}

/// Random bytes, and dumps with random bytes in them: an answer, in any form, and no panic.
#[test]
fn whatever_the_bytes_there_is_an_answer() {
    let two = Two::new();
    let dump = list(&[object("ConfigMap", "a", "b", "data", json!({"ca.crt": two.old("pki/ca.crt")}))])
        .to_string()
        .into_bytes();
    let mut state = 0x2545_f491_4f6c_dd1du64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for round in 0..60 {
        let mut bytes = dump.clone();
        for _ in 0..=round % 7 {
            let at = random() as usize % bytes.len();
            match random() % 3 {
                0 => bytes[at] = random() as u8,
                1 => bytes.truncate(at.max(1)),
                _ => bytes.insert(at, b"{[\"\\:,0"[random() as usize % 7]),
            }
        }
        if round % 5 == 0 {
            bytes = (0..300).map(|_| random() as u8).collect();
        }
        let run = two.scan(&["-", "--old", "o/pki/ca.crt"], &bytes);
        assert!([0, 1, 4].contains(&run.status), "{round}: {} {}", run.status, run.stderr);
        assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    }
}

/// A long dump is not kept in memory: the peak of the process stays far below the dump's size.
#[test]
fn a_long_dump_needs_little_memory() {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let two = Two::new();
    let item = object(
        "Secret",
        "web",
        "x",
        "data",
        json!({"blob": b64(vec![7; 60_000]), "tls.crt": b64(two.new_one("pki/ca.crt"))}),
    )
    .to_string();
    let last = object("ConfigMap", "web", "last", "data", json!({"ca.crt": two.old("pki/ca.crt")})).to_string();
    let count = 64 * 1024 * 1024 / item.len();
    let mut child = Command::new(env!("CARGO_BIN_EXE_kpki"))
        .args(["rotate", "scan", "-", "--old", "o/pki/ca.crt", "-o", "json", "--at", NOW])
        .current_dir(two.0.path(""))
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"{\"items\":[").unwrap();
    for _ in 0..count {
        input.write_all(item.as_bytes()).unwrap();
        input.write_all(b",").unwrap();
    }
    // Nothing more is needed once the items are over: this is the peak.
    let peak = peak(child.id());
    input.write_all(format!("{last}],\"kind\":\"List\"}}").as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["objects"], &report["summary"]["oldOnly"]), (&json!(count + 1), &json!(1)));
    assert!(peak < 32 * 1024, "{peak} kB");
}

/// The most memory a process has had, in kB (proc_pid_status(5)).
fn peak(process: u32) -> usize {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
