//! What lies in deploy/kubernetes: strictly valid, in an image of nothing but the static binary (`KPKI_STATIC`, which .ci/run sets), and
//! run as in a pod.

mod guide;
mod pod;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use pod::{Pod, objects, of_kind};
use serde_json::Value;

use crate::readers::{Real, local, real};
use crate::support::{kpki, mode, program, project, run, say, scratch, within, write};

const KUSTOMIZATIONS: [&str; 4] = ["node", "safe-host", "overlays/node", "overlays/safe-host"];
const METRICS: &str = "var/lib/node_exporter/textfile_collector/kpki.prom";
const TAG: &str = "v0.2.0";
/// Its leaves live for a year: they have expired, its authorities have not.
const EARLIER: &str = "--at=-400d";

fn deploy(path: &str) -> PathBuf {
    project("deploy/kubernetes").join(path)
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

#[test]
fn manifests_are_strictly_valid() {
    let place = scratch();
    let validate = |yaml: &str| {
        let file = write(place.path().join("all.yaml"), yaml);
        run(program("kubernetes-validate").args(["--strict", "--quiet"]).arg(file))
    };
    for name in KUSTOMIZATIONS {
        let yaml = say("kubectl", [Path::new("kustomize"), &deploy(name)]);
        validate(&yaml).expect_ok(name);
        let wrong = yaml.replace("enableServiceLinks", "enableServiceLink");
        assert!(wrong != yaml && !validate(&wrong).ok(), "{name}: a field that nobody knows is valid");
    }
}

/// By a real API server, which also fills in and checks what no schema says.
#[test]
fn a_real_api_server_takes_the_manifests() {
    let Some(apiserver) = real("KUBE_APISERVER") else { return };
    let real = Real::start(&apiserver, &local());
    for name in KUSTOMIZATIONS {
        let dir = deploy(name);
        let words = ["apply", "--server-side", "--force-conflicts", "--validate=strict", "-k", dir.to_str().unwrap()];
        real.kubectl(&words).expect_ok(name);
    }
}

#[test]
fn pods_have_the_least_rights() {
    for name in KUSTOMIZATIONS {
        let objects = objects(&deploy(name));
        let is_node = name.ends_with("node");
        let level = &of_kind(&objects, "Namespace")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"];
        assert_eq!(level, if is_node { "privileged" } else { "baseline" });
        let pod = Pod::of(&objects, Path::new("/"));
        let spec = &pod.spec;
        for field in ["hostNetwork", "hostPID", "hostIPC", "automountServiceAccountToken", "enableServiceLinks"] {
            assert_eq!(spec[field], false, "{name}: {field}");
        }
        assert_eq!(spec["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
        let own = &pod.container()["securityContext"];
        for (field, value) in
            [("allowPrivilegeEscalation", false), ("privileged", false), ("readOnlyRootFilesystem", true)]
        {
            assert_eq!(own[field], value, "{name}: {field}");
        }
        assert_eq!(own["capabilities"], serde_json::json!({ "drop": ["ALL"] }), "{name}");
        let paths = spec["volumes"].as_array().unwrap().iter().filter_map(|volume| volume["hostPath"]["path"].as_str());
        let paths: Vec<&str> = paths.collect();
        let metrics = Path::new("/").join(METRICS);
        let expected = ["/etc/kubernetes", "/var/lib/kubelet/pki", metrics.parent().unwrap().to_str().unwrap()];
        assert_eq!(paths, if is_node { &expected[..] } else { &[] }, "{name}");
        if is_node {
            assert_eq!(spec["priorityClassName"], "system-node-critical");
            assert_eq!(spec["nodeSelector"]["node-role.kubernetes.io/control-plane"], "");
            assert_eq!(spec["tolerations"], serde_json::json!([{ "operator": "Exists" }]));
        } else {
            let job = &of_kind(&objects, "CronJob")["spec"];
            assert_eq!(job["concurrencyPolicy"], "Forbid");
            assert!(job["startingDeadlineSeconds"].as_u64().unwrap() > 10, "below ten seconds no job is started");
        }
    }
}

fn static_binary() -> PathBuf {
    let path = std::env::var_os("KPKI_STATIC").map(PathBuf::from);
    let path = path.expect("KPKI_STATIC is not set: the static kpki, which .ci/run builds for these tests");
    assert!(path.is_file(), "KPKI_STATIC={} is no file", path.display());
    path
}

fn image(binary: &Path, dir: &Path) -> crate::support::Ran {
    let mut image = std::process::Command::new(deploy("image"));
    run(image.env("SOURCE_DATE_EPOCH", "1700000000").arg(binary).arg(dir).arg(TAG))
}

fn blob(dir: &Path, digest: &Value) -> PathBuf {
    dir.join("blobs/sha256").join(digest.as_str().unwrap().strip_prefix("sha256:").unwrap())
}

/// The image's root file system, as a runtime unpacks it.
fn root_file_system(place: &Path) -> PathBuf {
    let (layout, root) = (place.join("layout"), place.join("root"));
    image(&static_binary(), &layout).expect_ok("image");
    let inspected = say("skopeo", ["inspect", &format!("oci:{}:{TAG}", layout.display())]);
    let inspected: Value = serde_json::from_str(&inspected).unwrap();
    fs::create_dir(&root).unwrap();
    let layers = inspected["Layers"].as_array().unwrap();
    assert_eq!(layers.len(), 1);
    run(program("tar").arg("-xpzf").arg(blob(&layout, &layers[0])).arg("-C").arg(&root)).expect_ok("tar");
    root
}

#[test]
fn the_image_holds_nothing_but_the_binary() {
    let place = scratch();
    let [first, second] = ["one", "two"].map(|name| place.path().join(name));
    for dir in [&first, &second] {
        let said = image(&static_binary(), dir).expect_ok("image").out;
        assert!(said.starts_with("oci:/") && said.contains(&format!(":{TAG} (")), "{said}");
    }
    say("diff", [Path::new("-r"), &first, &second]);
    let name = format!("oci:{}:{TAG}", first.display());
    let config: Value = serde_json::from_str(&say("skopeo", ["inspect", "--config", &name])).unwrap();
    assert_eq!(config["config"]["Entrypoint"], serde_json::json!(["/usr/bin/kpki"]));
    assert_eq!((&config["os"], &config["created"]), (&"linux".into(), &"2023-11-14T22:13:20Z".into()));
    let manifest: Value = serde_json::from_str(&say("skopeo", ["inspect", "--raw", &name])).unwrap();
    let layer = blob(&first, &manifest["layers"][0]["digest"]);
    let listed = say("tar", [Path::new("-tvzf"), &layer]);
    let listed: Vec<Vec<&str>> = listed.lines().map(|line| line.split_whitespace().collect()).collect();
    let listed: Vec<(&str, &str, &str)> = listed.iter().map(|words| (words[0], words[1], words[5])).collect();
    assert_eq!(
        listed,
        [("drwxr-xr-x", "0/0", "usr/"), ("drwxr-xr-x", "0/0", "usr/bin/"), ("-rwxr-xr-x", "0/0", "usr/bin/kpki")]
    );
    // skopeo checks every digest on the way.
    let archive = place.path().join("archive.tar");
    let to = format!("docker-archive:{}:kpki:{TAG}", archive.display());
    say("skopeo", ["copy", "--insecure-policy", "--quiet", &name, &to]);
    let listed = say("skopeo", ["inspect", &format!("docker-archive:{}", archive.display())]);
    assert!(listed.contains("\"Os\": \"linux\""), "{listed}");
}

#[test]
fn what_does_not_run_in_an_empty_image_makes_none() {
    let place = scratch();
    let dir = place.path().join("layout");
    let text = write(place.path().join("text"), "kpki");
    let missing = place.path().join("missing");
    for (binary, said) in [
        (Path::new(env!("CARGO_BIN_EXE_kpki")), "expected a static program, found one that needs a loader"),
        (&text, "expected a program for Linux"),
        (&missing, "found no file"),
    ] {
        let ran = image(binary, &dir).expect_code(1, said);
        assert!(ran.err.contains(said) && !dir.exists(), "{ran:?}");
    }
    let there = image(&static_binary(), place.path()).expect_code(1, "a directory that exists");
    assert!(there.err.contains("expected nothing, found something"), "{there:?}");
}

/// Owner, group and mode of all that is there but kpki's own records.
fn rights(dir: &Path) -> BTreeMap<PathBuf, (u32, u32, u32)> {
    let of = |path: PathBuf| {
        let facts = fs::symlink_metadata(&path).unwrap();
        (path, (facts.uid(), facts.gid(), facts.mode()))
    };
    let all = walkdir::WalkDir::new(dir).into_iter().map(|entry| entry.unwrap().into_path());
    all.filter(|path| !path.components().any(|part| part.as_os_str() == ".kpki")).map(of).collect()
}

/// A node with a tree that is due, made in the pod that has the profile.
fn node(place: &Path, root: &Path) -> (PathBuf, Pod) {
    let with_profile = Pod::of(&objects(&deploy("overlays/node")), place);
    let init = words("init --quiet --profile=/etc/kpki/cluster.yaml --node=cp1 --allow-future");
    with_profile.run(root, &[init, words(EARLIER)].concat()).expect_ok("init");
    (place.join("node"), with_profile)
}

/// The container's words, with a second for its hours.
fn every_second(pod: &Pod) -> Vec<String> {
    let (mut words, mut found) = (pod.words(), 0);
    for word in words.iter_mut().filter(|word| word.starts_with("--every=")) {
        "--every=1s".clone_into(word);
        found += 1;
    }
    assert_eq!(found, 1, "{words:?}");
    words
}

/// The kpki of a container, which is the only child of unshare.
fn terminate(child: &Child) {
    let id = child.id();
    let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
    say("kill", ["-TERM", children.trim()]);
}

#[test]
fn the_daemon_set_renews_a_node_and_leaves_its_metrics() {
    let place = scratch();
    let root = root_file_system(place.path());
    let (node, with_profile) = node(place.path(), &root);
    let base = Pod::of(&objects(&deploy("node")), place.path());
    for pod in [&base, &with_profile] {
        let apiserver = node.join("etc/kubernetes/pki/apiserver.crt");
        if !fs::exists(node.join(METRICS)).unwrap() {
            base.run(&root, &base.probe()).expect_code(4, "what has expired is not ready");
        }
        let (before, certificate) = (rights(&node.join("etc")), fs::read(&apiserver).unwrap());
        let log = fs::File::create(place.path().join("log")).unwrap();
        let mut container = pod.command(&root, &every_second(pod));
        container.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let mut child = container.spawn().unwrap();
        let said = || fs::read_to_string(place.path().join("log")).unwrap();
        let mut ended = || child.try_wait().unwrap().is_some();
        let done = within(Duration::from_secs(120), || said().contains("nothing was renewed") || ended());
        assert!(done && !ended(), "{}", said());
        terminate(&child);
        assert_eq!(child.wait().unwrap().code(), Some(143), "{}", said());
        assert_eq!(fs::read(&apiserver).unwrap() == certificate, !said().contains("renewed 13 of 13"), "{}", said());
        assert_eq!(rights(&node.join("etc")), before);
        base.run(&root, &base.probe()).expect_ok("ready");
        let metrics = fs::read_to_string(node.join(METRICS)).unwrap();
        assert!(metrics.contains("cluster=\"prod\",node=\"cp1\",state=\"expired\"} 0\n"), "{metrics}");
        let facts = fs::metadata(node.join(METRICS)).unwrap();
        assert_eq!((facts.uid(), facts.mode() & 0o7777), (0, 0o644));
    }
    let history = base.run(&root, &words("history")).expect_ok("history").out;
    assert!(history.contains("renew"), "{history}");
}

/// Without capabilities root does not even read them; with the component, each keeps its owner.
#[test]
fn files_of_other_owners_need_the_component() {
    let place = scratch();
    let root = root_file_system(place.path());
    let (node, _) = node(place.path(), &root);
    let etcd = node.join("etc/kubernetes/pki/etcd");
    for name in ["server.crt", "server.key"] {
        chown(etcd.join(name), Some(990), Some(991)).unwrap();
        mode(&etcd.join(name), 0o600);
    }
    let before = rights(&etcd);
    // Its directory is the node_exporter's own.
    let metrics = node.join(METRICS);
    let collector = metrics.parent().unwrap();
    chown(collector, Some(990), None).unwrap();
    let copy = place.path().join("kubernetes");
    say("cp", [Path::new("-r"), &deploy(""), &copy]);
    let overlay = copy.join("overlays/node/kustomization.yaml");
    let text = fs::read_to_string(&overlay).unwrap();
    write(&overlay, text.replace("#components:\n#- ", "components:\n- "));
    let with_component = Pod::of(&objects(overlay.parent().unwrap()), place.path());
    let base = Pod::of(&objects(&deploy("node")), place.path());
    let renew = |pod: &Pod| pod.run(&root, &words(&format!("renew all --due --metrics-file=/{METRICS}")));
    let refused = renew(&base);
    assert!(!refused.ok() && refused.err.contains("etcd/server.crt: permission denied"), "{refused:?}");
    assert!(!metrics.exists());
    renew(&with_component).expect_ok("with the component");
    assert_eq!(rights(&etcd), before);
    assert!(metrics.exists());
    run(kpki().arg("check-expiration").arg("--quiet").arg(etcd.join("server.crt"))).expect_ok("it is new");
}

#[test]
fn the_cron_job_renews_a_cluster_on_its_volume() {
    let place = scratch();
    let root = root_file_system(place.path());
    let pod = Pod::of(&objects(&deploy("overlays/safe-host")), place.path());
    let init = words("init --quiet --profile=/etc/kpki/prod.yaml --dir=/clusters/prod --allow-future");
    pod.run(&root, &[init, words(EARLIER)].concat()).expect_ok("init");
    let clusters = place.path().join("claims/clusters");
    let before = rights(&clusters);
    let ran = pod.run(&root, &pod.words()).expect_ok("renew");
    assert!(ran.out.starts_with("renewed "), "{ran:?}");
    let mut after = rights(&clusters);
    let metrics = after.remove(&clusters.join("kpki.prom")).unwrap();
    assert_eq!((metrics.0, metrics.2 & 0o777), (0, 0o644));
    assert_eq!(after, before);
    let key = fs::metadata(clusters.join("prod/pki/ca.key")).unwrap();
    assert_eq!((key.uid(), key.mode() & 0o777), (0, 0o600));
    pod.run(&root, &words("verify /clusters/prod")).expect_ok("verify");
    // The base looks at every profile on the volume.
    let base = Pod::of(&objects(&deploy("safe-host")), place.path());
    fs::copy(deploy("overlays/safe-host/cluster.yaml"), clusters.join("prod.yaml")).unwrap();
    let ran = base.run(&root, &base.words()).expect_ok("nothing is due");
    assert!(ran.out.contains("nothing was renewed"), "{ran:?}");
}
