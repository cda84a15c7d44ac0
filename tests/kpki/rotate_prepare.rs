//! `kpki rotate prepare`: what it refuses, the file to sign with, what a new authority is, and that nothing is written before
//! everything is known.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use kpki::blueprint::Algorithm;
use kpki::encoding::public_key::KeyKind;
use kpki::x509::{Certificate, Request, parse_pem_bundle};

use super::harness::{NOW, Place, Run, copy_tree, repository, single, text};
use super::receipt;

const IN_USE: &str = "--signer-file-in-use";
const FLAG: &str = "--cluster-signing-cert-file=/etc/kubernetes/pki/ca-signer.crt";
const MANIFEST: &str = "t/manifests/kube-controller-manager.yaml";

fn prepare(place: &Place, words: &[&str]) -> Run {
    place.kpki(&[&["rotate", "prepare", "--at", NOW], words].concat())
}

/// A tree of one node in `t`.
fn made(extra: &str) -> Place {
    let place = Place::new();
    place.write("p.yaml", single(extra));
    place.init(&["--profile", "p.yaml", "--dir", "t"]).ok();
    place
}

/// A tree that kubeadm made, without a profile.
fn kubeadm(fixture: &str) -> Place {
    let place = Place::new();
    copy_tree(&repository(&format!("fixtures/kubeadm/{fixture}/etc-kubernetes")), &place.path("t"));
    place
}

fn bundle(place: &Place, path: &str) -> Vec<Certificate> {
    parse_pem_bundle(place.read(path).as_bytes()).unwrap()
}

fn names(place: &Place, path: &str) -> Vec<String> {
    bundle(place, path).iter().filter_map(Certificate::common_name).collect()
}

/// A static pod with these arguments, as kubeadm writes it.
fn pod(place: &Place, arguments: &str) {
    pod_at(place, MANIFEST, arguments);
}

fn pod_at(place: &Place, path: &str, arguments: &str) {
    let text = format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: kube-controller-manager\nspec:\n  containers:\n  - command:\n    - \
         kube-controller-manager\n{arguments}    - --root-ca-file=/etc/kubernetes/pki/ca.crt   # stays\n"
    );
    let path = place.write(path, text);
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

const KUBEADMS: &str = "    - --cluster-signing-cert-file=/etc/kubernetes/pki/ca.crt\n";

#[test]
fn everything_trusts_both_and_the_old_one_signs() {
    let place = made("");
    let leaf = place.read("t/pki/apiserver.crt");
    let key = place.read("t/pki/ca.key");
    let before = place.files();
    let run = prepare(&place, &["all", "--dir", "t", IN_USE, "--dry-run"]).status(0);
    assert!(
        run.stdout.contains("would prepare ca, front-proxy-ca, etcd-ca, sa (nothing was written)"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("10 entries with other trusted certificates"), "{}", run.stdout);
    assert_eq!(place.files(), before);
    let run = prepare(&place, &["all", "--dir", "t", IN_USE]).status(0);
    assert!(run.stdout.contains("10 entries with other trusted certificates"), "{}", run.stdout);
    for (path, expected) in [
        ("t/pki/ca.crt", ["kubernetes", "kubernetes@2"]),
        ("t/pki/front-proxy-ca.crt", ["front-proxy-ca", "front-proxy-ca@2"]),
        ("t/pki/etcd/ca.crt", ["etcd-ca", "etcd-ca@2"]),
    ] {
        assert_eq!(names(&place, path), expected, "{path}");
    }
    assert_eq!(names(&place, "t/pki/ca-signer.crt"), ["kubernetes"]);
    assert_eq!(place.read("t/pki/sa.pub").matches("BEGIN PUBLIC KEY").count(), 2);
    assert_eq!((place.read("t/pki/apiserver.crt"), place.read("t/pki/ca.key")), (leaf, key));
    let files = place.files();
    for name in ["ca", "front-proxy-ca", "etcd-ca", "sa"] {
        let (mode, _) = &files[&format!("t/.kpki/rotation/{name}.next.key")];
        assert_eq!(*mode, 0o600, "{name}");
    }
    assert_eq!(files["t/.kpki/rotation.json"].0, 0o600);
    assert!(!place.read("t/.kpki/rotation.json").contains("PRIVATE"));
    // Again: nothing to do, with the same words or with less.
    for words in [&["all", "--dir", "t", IN_USE][..], &["ca", "--dir", "t"], &["sa", "etcd-ca", "--dir", "t"]] {
        let run = prepare(&place, words).ok();
        assert!(run.stdout.starts_with("nothing to do") && !run.wrote, "{}", run.stdout);
    }
    // But not what was prepared in another way.
    for words in [&["ca", "--keep-subject"][..], &["ca", "--algorithm", "RSA-2048"], &["sa", "--algorithm", "RSA-2048"]]
    {
        let run = prepare(&place, &[words, &["--dir", "t"]].concat()).fails(1);
        assert!(run.stderr.contains("prepared already, otherwise than this asks"), "{}", run.stderr);
        assert!(run.stderr.contains(&format!("kpki rotate back {} --dir t", words[0])), "{}", run.stderr);
    }
}

/// What the second run would refuse is refused by the first one, before it writes ca-signer.crt.
#[test]
fn the_first_run_refuses_what_the_second_one_would() {
    let place = made("");
    place.write("junk.pem", "no certificate\n");
    let run = prepare(&place, &["ca", "--new-ca", "junk.pem", "--dir", "t"]).fails(1);
    assert!(run.stderr.contains("junk.pem"), "{run:?}");
    let run = prepare(&place, &["ca", "--validity", "1h", "--dir", "t"]);
    assert!([1, 2].contains(&run.status) && !run.wrote, "{run:?}");
    assert!(!place.path("t/pki/ca-signer.crt").exists());
}

#[test]
fn the_first_run_writes_the_file_to_sign_with_and_nothing_else() {
    let place = made("");
    let before = place.files();
    let run = prepare(&place, &["ca", "sa", "--dir", "t"]).status(5);
    assert!(run.stdout.contains(FLAG), "{}", run.stdout);
    assert!(
        run.stdout.contains("{name: cluster-signing-cert-file, value: /etc/kubernetes/pki/ca-signer.crt}"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("kpki rotate prepare ca sa --signer-file-in-use --dir t"), "{}", run.stdout);
    assert_eq!(names(&place, "t/pki/ca-signer.crt"), ["kubernetes"]);
    let mut after = place.files();
    after.retain(|name, _| !name.contains(".kpki") && !name.ends_with("ca-signer.crt"));
    let mut rest = before;
    rest.retain(|name, _| !name.contains(".kpki"));
    assert_eq!(after, rest);
    assert!(!place.path("t/.kpki/rotation").exists() && !place.path("t/.kpki/rotation.json").exists());
    // It says so again and writes nothing.
    let run = prepare(&place, &["ca", "--dir", "t"]).status(5);
    assert!(!run.wrote && run.stdout.contains(FLAG), "{}", run.stdout);
    // ca-signer.crt stays one of the tree's files.
    place.init(&["--dir", "t"]).ok();
    place.kpki(&["export", "cp1", "--dir", "t", "--out", "cp1.tar"]).status(0);
    // The others need none of it.
    prepare(&place, &["front-proxy-ca", "etcd-ca", "sa", "--dir", "t"]).ok();
    let run = prepare(&place, &["ca", "--dir", "t", IN_USE]).warns();
    assert!(run.stderr.contains("by your word 1 of 1"), "{}", run.stderr);
    assert!(place.read("t/.kpki/rotation.json").contains("\"signerFileInUse\": true"));
}

#[test]
fn a_profile_that_asks_for_the_file_is_no_proof() {
    let place = Place::new();
    place.write("p.yaml", single("controllerManager: {signerFile: true}\n"));
    place.init(&["--profile", "p.yaml", "--dir", "t"]).warns();
    let run = prepare(&place, &["ca", "--dir", "t"]).status(5);
    assert!(!run.wrote && run.stdout.contains(FLAG), "{}", run.stdout);
}

#[test]
fn the_manifest_says_whether_it_is_in_use() {
    let serving = "    - --cluster-signing-kubelet-serving-cert-file=/etc/kubernetes/pki/ca.crt\n";
    let signer = "    - --cluster-signing-cert-file=/etc/kubernetes/pki/ca-signer.crt\n";
    for (arguments, status) in [
        (KUBEADMS.to_owned(), 5),
        (signer.to_owned(), 0),
        ("    - --cluster-signing-cert-file=/etc/kubernetes/other.crt\n".to_owned(), 0),
        (format!("{signer}{serving}"), 5),
        (String::new(), 0),
        ("    - &x --cluster-signing-cert-file=/etc/kubernetes/pki/ca-signer.crt\n".to_owned(), 5),
    ] {
        let place = made("");
        pod(&place, &arguments);
        let run = prepare(&place, &["ca", "--dir", "t"]).status(status);
        assert_eq!(names(&place, "t/pki/ca.crt").len(), if status == 0 { 2 } else { 1 }, "{arguments}{}", run.stdout);
        assert_eq!(names(&place, "t/pki/ca-signer.crt"), ["kubernetes"], "{arguments}");
    }
}

#[test]
fn the_manifest_is_changed_in_the_same_step_and_in_nothing_else() {
    let place = made("");
    pod(&place, KUBEADMS);
    let before = place.read(MANIFEST);
    let run = prepare(&place, &["ca", "--dir", "t", IN_USE]).fails(1);
    assert!(run.stderr.contains("contradicts") && run.stderr.contains("--edit-manifest --dir t"), "{}", run.stderr);
    prepare(&place, &["ca", "--dir", "t", "--edit-manifest"]).ok();
    assert_eq!(place.read(MANIFEST), before.replace(KUBEADMS, &format!("    - {FLAG}\n")));
    assert_eq!(place.files()[MANIFEST].0, 0o600);
    assert_eq!(names(&place, "t/pki/ca.crt"), ["kubernetes", "kubernetes@2"]);
    // A generation keeps what it was.
    let kept =
        place.files().into_iter().any(|(name, (_, bytes))| name.contains("generations") && bytes == before.as_bytes());
    assert!(kept);
}

#[test]
fn a_manifest_that_cannot_be_changed_exactly_is_left_alone() {
    let shell = "    - sh\n    - -c\n    - exec kcm --cluster-signing-cert-file=/etc/kubernetes/pki/ca.crt\n";
    let anchored = "    - &x --cluster-signing-cert-file=/etc/kubernetes/pki/ca.crt\n";
    for (arguments, says) in [(shell, "in a longer text"), (anchored, "without anchors")] {
        let place = made("");
        pod(&place, arguments);
        let run = prepare(&place, &["ca", "--dir", "t", "--edit-manifest"]).fails(1);
        assert!(run.stderr.contains(says), "{}", run.stderr);
    }
    let place = made("");
    let run = prepare(&place, &["ca", "--dir", "t", "--edit-manifest"]).fails(1);
    assert!(run.stderr.contains("there is nothing to edit"), "{}", run.stderr);
    pod(&place, KUBEADMS);
    fs::set_permissions(place.path(MANIFEST), fs::Permissions::from_mode(0o666)).unwrap();
    let run = prepare(&place, &["ca", "--dir", "t", "--edit-manifest"]).fails(1);
    assert!(run.stderr.contains("is not trusted"), "{}", run.stderr);
}

#[test]
fn kubeadms_configuration_says_it_too() {
    let list = "extraArgs: [{name: cluster-signing-cert-file, value: /etc/kubernetes/pki/ca-signer.crt}]";
    let map = "extraArgs: {cluster-signing-cert-file: /etc/kubernetes/pki/ca-signer.crt}";
    let other = "extraArgs: {cluster-signing-cert-file: /etc/kubernetes/pki/ca.crt}";
    for (version, arguments, status) in [
        ("v1beta4", list, 0),
        ("v1beta3", map, 0),
        ("v1beta3", other, 5),
        ("v1beta4", "extraArgs: [{name: bind-address, value: 127.0.0.1}]", 5),
    ] {
        let place = Place::new();
        let text = format!(
            "apiVersion: kubeadm.k8s.io/{version}\nkind: InitConfiguration\nlocalAPIEndpoint: {{advertiseAddress: 10.0.0.1}}\n\
             nodeRegistration: {{name: cp1}}\n---\napiVersion: kubeadm.k8s.io/{version}\nkind: ClusterConfiguration\n\
             kubernetesVersion: v1.36.2\ncontrollerManager: {{{arguments}}}\n"
        );
        place.write("p.yaml", text);
        place.init(&["--profile", "p.yaml", "--dir", "t"]).ok();
        let run = prepare(&place, &["ca", "--dir", "t"]).status(status);
        assert_eq!(names(&place, "t/pki/ca.crt").len(), if status == 0 { 2 } else { 1 }, "{arguments} {}", run.stdout);
    }
}

#[test]
fn every_control_plane_node_of_a_cluster_directory_gets_the_file() {
    let place = Place::new();
    place.init(&["--profile", &text("profiles/ha-load-balancer.yaml"), "--dir", "c"]).status(0);
    let manifest = place.read("c/manifest.json");
    let run = prepare(&place, &["all", "--dir", "c"]).status(5);
    for node in ["cp1", "cp2", "cp3"] {
        assert!(run.stdout.contains(&format!("left: {node}: set {FLAG}")), "{}", run.stdout);
        assert!(run.stdout.contains(&format!("kpki export {node} ")), "{}", run.stdout);
        assert_eq!(names(&place, &format!("c/nodes/{node}/pki/ca-signer.crt")), ["kubernetes"]);
        assert!(place.read("c/manifest.json").contains(&format!("nodes/{node}/pki/ca-signer.crt")), "{node}");
        place.kpki(&["export", node, "--dir", "c", "--out", "a.tar", "--force"]).status(0);
    }
    assert!(!manifest.contains("ca-signer.crt") && !place.path("c/nodes/worker1/pki/ca-signer.crt").exists());
    let run = prepare(&place, &["all", "--dir", "c", IN_USE]).status(0);
    assert!(run.stdout.contains("kpki export worker1 "), "{}", run.stdout);
    for path in ["c/pki/ca.crt", "c/nodes/cp2/pki/ca.crt", "c/nodes/worker1/pki/ca.crt"] {
        assert_eq!(names(&place, path), ["kubernetes", "kubernetes@2"], "{path}");
    }
    // The new key is on the safe host alone.
    let mut next: Vec<String> = place.files().into_keys().collect();
    next.retain(|name| name.ends_with(".next.key"));
    assert!(next.len() == 4 && next.iter().all(|name| name.starts_with("c/.kpki/rotation/")));
    place.init(&["--dir", "c"]).ok();
}

#[test]
fn what_the_nodes_do_not_sign_with_needs_no_file_of_its_own() {
    let place = Place::new();
    place.write("p.yaml", single("caKeys: none\n"));
    place.init(&["--profile", "p.yaml", "--dir", "c"]).ok();
    prepare(&place, &["ca", "--dir", "c"]).ok();
}

#[test]
fn what_is_refused_is_refused_before_anything_is_written() {
    type Make = fn(&Place);
    let rows: &[(&str, Make, &[&str], &str, &str)] = &[
        (
            "a shipped tree",
            |place| drop(place.write("t/kpki-node.json", "{}")),
            &["ca"],
            "one node of several",
            "replace it there",
        ),
        (
            "a member of several",
            |place| {
                let pod = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - command: [etcd, \
                           '--initial-cluster=a=https://10.0.0.1:2380,b=https://10.0.0.2:2380']\n";
                drop(place.write("t/manifests/etcd.yaml", pod));
            },
            &["sa"],
            "manifests/etcd.yaml has the members a, b",
            "kpki adopt",
        ),
        (
            "a key of another",
            |place| swap(place, "t/pki/front-proxy-ca.key", "t/pki/ca.key"),
            &["ca", IN_USE],
            "ca: ",
            "hint: ",
        ),
        (
            "a leaf of another",
            |place| {
                swap(place, "t/pki/front-proxy-client.crt", "t/pki/apiserver.crt");
                swap(place, "t/pki/front-proxy-client.key", "t/pki/apiserver.key");
            },
            &["sa"],
            "apiserver (pki/apiserver.crt): ",
            "kpki init --force --dir t",
        ),
        (
            "a missing file",
            |place| fs::remove_file(place.path("t/pki/apiserver.key")).unwrap(),
            &["sa"],
            "apiserver",
            "hint: ",
        ),
        (
            "an external one",
            |place| fs::remove_file(place.path("t/pki/ca.key")).unwrap(),
            &["ca"],
            "the key of ca is not here",
            "kpki rotate prepare ca --new-ca FILE --dir t",
        ),
        (
            "a kept key",
            |place| {
                let key = place.read("t/pki/ca.key");
                fs::create_dir_all(place.path("t/.kpki/rotation")).unwrap();
                fs::set_permissions(place.path("t/.kpki/rotation"), fs::Permissions::from_mode(0o700)).unwrap();
                let path = place.write("t/.kpki/rotation/ca.previous.key", key);
                fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
            },
            &["ca"],
            "the key of the last ca is still kept",
            "kpki rotate forget ca --dir t",
        ),
        ("a short validity", |_| {}, &["etcd-ca", "--validity", "1d"], "the new etcd-ca would end at", "--validity"),
        (
            "several, given",
            |_| {},
            &["all", "--new-ca", "x"],
            "--new-ca is the certificate of one authority",
            "name that one alone",
        ),
        (
            "sa, given",
            |_| {},
            &["sa", "--new-ca", "x"],
            "--new-ca is the certificate of one authority",
            "name that one alone",
        ),
    ];
    for (name, make, words, says, hint) in rows {
        let place = made("");
        make(&place);
        let run = prepare(&place, &[*words, &["--dir", "t"]].concat());
        let status = if says.starts_with("--new-ca") || says.contains("would end") { 2 } else { 1 };
        let run = run.fails(status);
        assert!(run.stderr.contains(says) && run.stderr.contains(hint), "{name}: {}", run.stderr);
    }
}

fn swap(place: &Place, from: &str, to: &str) {
    fs::copy(place.path(from), place.path(to)).unwrap();
}

#[test]
fn an_authority_that_ends_within_the_waits_is_renewed_first() {
    let place = made("caCertificateValidityPeriod: 48h\ncertificateValidityPeriod: 48h\n");
    let at =
        |at: &str, words: &[&str]| place.kpki(&[&["rotate", "prepare", "--at", at], words, &["--dir", "t"]].concat());
    let run = at("2026-11-22T12:00:00Z", &["ca", "etcd-ca", IN_USE]).fails(1);
    assert!(
        run.stderr.contains("ca ends at 2026-11-22T22:00:00Z, before both waits can be over at 2026-11-23T13:00:00Z"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("waitBeforeSwitch") && run.stderr.contains("waitBeforeRetire"), "{}", run.stderr);
    assert!(
        run.stderr.contains("kpki renew ca --dir t") && run.stderr.contains("kpki renew etcd-ca --dir t"),
        "{}",
        run.stderr
    );
    let run = at("2026-11-23T12:00:00Z", &["ca"]).fails(1);
    assert!(
        run.stderr.contains("ca ended at 2026-11-22T22:00:00Z") && run.stderr.contains("kpki renew ca --dir t"),
        "{}",
        run.stderr
    );
    at("2026-11-21T12:00:00Z", &["ca", IN_USE, "--validity", "30d"]).status(0);
}

#[test]
fn the_kind_of_key_is_what_is_asked_for_or_stated_or_the_old_one() {
    let kinds = |place: &Place| {
        let key = bundle(place, "t/pki/ca.crt").pop().unwrap().key;
        let sa = place.read("t/.kpki/rotation/sa.next.key");
        (key, sa.contains("RSA PRIVATE KEY"))
    };
    let p256 = KeyKind::Known(Algorithm::EcdsaP256);
    let rsa = KeyKind::Known(Algorithm::Rsa2048);
    for (before, after, words, expected) in [
        ("encryptionAlgorithm: RSA-2048\n", "", &[][..], (rsa.clone(), true)),
        ("encryptionAlgorithm: RSA-2048\n", "encryptionAlgorithm: ECDSA-P256\n", &[], (p256.clone(), false)),
        ("encryptionAlgorithm: RSA-2048\n", "", &["--algorithm", "ECDSA-P256"], (p256, false)),
        ("", "", &["--algorithm", "RSA-2048"], (rsa, true)),
    ] {
        let place = made(before);
        place.write("p.yaml", single(after));
        let words = [&["ca", "sa", "--dir", "t", "--profile", "p.yaml", IN_USE], words].concat();
        prepare(&place, &words).status(0);
        assert_eq!(kinds(&place), expected, "{before}{after}{words:?}");
    }
}

#[test]
fn further_keys_in_sa_pub_stay_behind() {
    let place = made("");
    let other = made("");
    let foreign = other.read("t/pki/sa.pub");
    let own = place.read("t/pki/sa.pub");
    place.write("t/pki/sa.pub", format!("{foreign}{own}"));
    fs::set_permissions(place.path("t/pki/sa.pub"), fs::Permissions::from_mode(0o600)).unwrap();
    prepare(&place, &["sa", "--dir", "t"]).ok();
    let text = place.read("t/pki/sa.pub");
    assert!(text.starts_with(&own) && text.ends_with(&foreign) && text.matches("BEGIN").count() == 3, "{text}");
}

#[test]
fn the_name_is_kept_where_key_identifiers_tell_the_two_apart() {
    let place = made("");
    prepare(&place, &["all", "--dir", "t", IN_USE, "--keep-subject"]).status(0);
    assert_eq!(names(&place, "t/pki/ca.crt"), ["kubernetes", "kubernetes"]);
    place.init(&["--dir", "t"]).ok();
}

#[test]
fn trees_of_kubeadm_need_no_profile() {
    let folders = [("v1.36-default-rsa2048", 4), ("v1.20-rsa2048", 4), ("v1.36-external-etcd-rsa3072", 3)];
    for (folder, count) in folders {
        let place = kubeadm(folder);
        let run = prepare(&place, &["all", "--dir", "t", IN_USE]).status(0);
        assert_eq!(
            run.stderr.contains("etcd-ca is left out: etcd is external"),
            count == 3,
            "{folder}: {}",
            run.stderr
        );
        assert_eq!(place.read("t/.kpki/rotation.json").matches("\"authority\"").count(), count, "{folder}");
        assert_eq!(names(&place, "t/pki/ca.crt"), ["kubernetes", "kubernetes@2"], "{folder}");
    }
    // Addresses that nothing here explains are of other nodes.
    let run = prepare(&kubeadm("v1.36-ha-ecdsa-cp1"), &["ca", "--dir", "t"]).fails(1);
    assert!(run.stderr.contains("one node of several") && run.stderr.contains("kpki adopt"), "{}", run.stderr);
}

#[test]
fn an_external_etcd_has_its_own_authority() {
    let place = Place::new();
    place.init(&["--profile", &text("profiles/external-etcd.yaml"), "--dir", "c"]).status(0);
    let run = prepare(&place, &["all", "--dir", "c", IN_USE]).warns();
    assert!(run.stderr.contains("etcd-ca is left out: etcd is external"), "{}", run.stderr);
    assert!(!place.path("c/.kpki/rotation/etcd-ca.next.key").exists());
    let run = prepare(&place, &["etcd-ca", "--dir", "c"]).fails(1);
    assert!(run.stderr.contains("there is no etcd-ca"), "{}", run.stderr);
}

#[test]
fn the_receipts_of_the_nodes_show_it() {
    let place = receipt::cluster();
    prepare(&place, &["ca", "--dir", "c"]).status(5);
    for (node, file, status) in [("cp1", "ca-signer.crt", 5), ("cp2", "ca.crt", 5), ("cp2", "ca-signer.crt", 0)] {
        receipt::ship(&place, node, &[]);
        let argument = format!("    - --cluster-signing-cert-file=/etc/kubernetes/pki/{file}\n");
        pod_at(&place, &format!("{}/manifests/kube-controller-manager.yaml", receipt::dir(node)), &argument);
        place.write("r.json", "");
        let run = place.kpki(&[
            "export",
            "--verify",
            node,
            "--dir",
            &receipt::dir(node),
            "--receipt",
            "-o",
            "json",
            "--at",
            NOW,
        ]);
        place.write("r.json", run.stdout);
        place.kpki(&["nodes", "merge", "r.json", "--dir", "c", "--at", NOW]).status(0);
        let run = prepare(&place, &["ca", "--dir", "c"]).status(status);
        let is_wrong = file == "ca.crt";
        assert_eq!(
            run.stdout.contains("by the node's receipt it is /etc/kubernetes/pki/ca.crt"),
            is_wrong,
            "{}",
            run.stdout
        );
        assert!(!run.stdout.contains("left: cp1: set"), "{}", run.stdout);
    }
    assert_eq!(names(&place, "c/nodes/cp1/pki/ca.crt"), ["kubernetes", "kubernetes@2"]);
}

/// Another authority in `o`, with its key.
fn with_another(extra: &str) -> Place {
    let place = made(extra);
    place.write("o.yaml", single("authorities: {ca: {subject: {O: [acme]}}}\n"));
    place.init(&["--profile", "o.yaml", "--dir", "o"]).ok();
    place
}

#[test]
fn an_authority_that_was_made_elsewhere_is_given() {
    let given = ["ca", "--dir", "t", IN_USE, "--new-ca", "o/pki/ca.crt"];
    let with_key = [&given[..], &["--new-key", "o/pki/ca.key"]].concat();
    let place = with_another("");
    prepare(&place, &with_key).status(0);
    assert_eq!(bundle(&place, "t/pki/ca.crt")[1].der, bundle(&place, "o/pki/ca.crt")[0].der);
    assert_eq!(place.read("t/.kpki/rotation/ca.next.key"), place.read("o/pki/ca.key"));
    prepare(&place, &with_key).status(0);
    let run = prepare(&place, &["ca", "--dir", "t", "--new-ca", "o/pki/etcd/ca.crt"]).fails(1);
    assert!(run.stderr.contains("another new authority than the one in"), "{}", run.stderr);

    let place = with_another("");
    let run = prepare(&place, &given).warns();
    assert!(run.stderr.contains("it will be an external authority"), "{}", run.stderr);
    assert!(place.read("t/.kpki/rotation.json").contains("\"newKey\": \"elsewhere\""));
    assert!(!place.path("t/.kpki/rotation/ca.next.key").exists());

    let place = with_another("");
    fs::remove_file(place.path("t/pki/ca.key")).unwrap();
    prepare(&place, &given).ok();
    assert!(place.read("t/.kpki/rotation.json").contains("\"newKey\": \"elsewhere\""));
}

#[test]
fn what_was_given_is_judged_before_anything_is_written() {
    type Make = fn(&Place);
    let rows: &[(&str, Make, &[&str], &str)] = &[
        ("its own key", |_| {}, &["t/pki/ca.crt"], "it has the key of the old authority"),
        ("a leaf", |_| {}, &["o/pki/apiserver.crt"], "expected an authority"),
        ("a key", |_| {}, &["o/pki/ca.key"], "expected certificates only"),
        ("nothing", |_| {}, &["none.pem"], "none.pem"),
        ("another key", |_| {}, &["o/pki/ca.crt", "--new-key", "o/pki/sa.key"], "is not its key"),
        (
            "two authorities",
            |place| {
                let both = place.read("o/pki/ca.crt") + &place.read("o/pki/etcd/ca.crt");
                drop(place.write("both.pem", both));
            },
            &["both.pem"],
            "found CN=etcd-ca besides",
        ),
        (
            "a key that others read",
            |place| fs::set_permissions(place.path("o/pki/ca.key"), fs::Permissions::from_mode(0o640)).unwrap(),
            &["o/pki/ca.crt", "--new-key", "o/pki/ca.key"],
            "others can read the key in o/pki/ca.key",
        ),
        (
            "a certificate that others write",
            |place| fs::set_permissions(place.path("o/pki/ca.crt"), fs::Permissions::from_mode(0o666)).unwrap(),
            &["o/pki/ca.crt"],
            "is not trusted",
        ),
    ];
    for (name, make, words, says) in rows {
        let place = with_another("");
        make(&place);
        let run = prepare(&place, &[&["ca", "--dir", "t", IN_USE, "--new-ca"], *words].concat()).fails(1);
        assert!(run.stderr.contains(says), "{name}: {}", run.stderr);
        assert!(!run.stderr.contains("PRIVATE"), "{name}");
    }
}

#[test]
fn below_a_root_a_request_waits_for_its_certificate() {
    let place = Place::new();
    place.write("root.yaml", single(""));
    place.init(&["--profile", "root.yaml", "--dir", "root"]).ok();
    place.write("p.yaml", single("authorities: {ca: {subject: {O: [acme]}}}\n"));
    place.kpki(&["csr", "ca", "--at", NOW, "--profile", "p.yaml", "--dir", "t"]).ok();
    let root = ["--dir", "t", "--profile", "p.yaml", "--ca-cert", "root/pki/ca.crt", "--ca-key", "root/pki/ca.key"];
    let sign = |csr: &str, out: &str| {
        place
            .kpki(&[&["sign", "--at", NOW, csr, "--intermediate", "--as", "ca", "--out", out][..], &root].concat())
            .status(0)
    };
    sign("t/.kpki/requests/pki/ca.csr", "old.crt");
    place.kpki(&["import", "--at", NOW, "old.crt", "--profile", "p.yaml", "--dir", "t"]).status(0);
    place.init(&["--profile", "p.yaml", "--dir", "t"]).status(0);
    let bundle_before = place.read("t/pki/ca.crt");

    let run = prepare(&place, &["ca", "sa", "--dir", "t", IN_USE]).status(5);
    assert!(run.stdout.contains("t/.kpki/rotation/ca.csr signed there"), "{}", run.stdout);
    assert!(run.stdout.contains("kpki rotate prepare ca --new-ca FILE --dir t"), "{}", run.stdout);
    assert_eq!(place.read("t/pki/ca.crt"), bundle_before);
    let request = Request::read_file(place.read("t/.kpki/rotation/ca.csr").as_bytes()).unwrap().remove(0);
    assert_eq!(request.subject.common_name().as_deref(), Some("kubernetes@2"));
    // The key that waits is not made again.
    let key = place.read("t/.kpki/rotation/ca.next.key");
    let run = prepare(&place, &["ca", "--dir", "t", IN_USE]).status(5);
    assert!(!run.wrote, "{}", run.stdout);
    prepare(&place, &["ca", "--dir", "t", IN_USE, "--algorithm", "RSA-2048"]).fails(1);
    let run = prepare(&place, &["ca", "--dir", "t", IN_USE, "--new-ca", "root/pki/etcd/ca.crt"]).fails(1);
    assert!(run.stderr.contains("it is not for the key that waits here"), "{}", run.stderr);

    let key_of = ["--ca-cert", "root/pki/ca.crt", "--ca-key", "root/pki/ca.key"];
    let words = [
        "sign",
        "--at",
        NOW,
        "t/.kpki/rotation/ca.csr",
        "--intermediate",
        "--subject",
        "O=acme,CN=kubernetes@2",
        "--out",
        "new.crt",
    ];
    place.kpki(&[&words[..], &key_of].concat()).status(0);
    let new = bundle(&place, "new.crt");
    place.write("alone.crt", new[0].to_pem());
    let run = prepare(&place, &["ca", "--dir", "t", IN_USE, "--new-ca", "alone.crt"]).fails(1);
    assert!(run.stderr.contains("up to a root"), "{}", run.stderr);
    place.write("chain.crt", new[0].to_pem() + &place.read("root/pki/ca.crt"));
    prepare(&place, &["ca", "--dir", "t", IN_USE, "--new-ca", "chain.crt"]).status(0);
    let subjects: Vec<Option<String>> = bundle(&place, "t/pki/ca.crt").iter().map(Certificate::common_name).collect();
    let named = |name: &str| Some(name.to_owned());
    assert_eq!(subjects, [named("kubernetes"), named("kubernetes"), named("kubernetes@2")]);
    assert_eq!(place.read("t/.kpki/rotation/ca.next.key"), key);
    assert!(!place.path("t/.kpki/rotation/ca.csr").exists());
    prepare(&place, &["ca", "--dir", "t", IN_USE]).ok();
}
