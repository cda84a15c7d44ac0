//! A pod's container, run here as a kubelet's runtime would: namespaces of its own, the image as a root file system that is read only,
//! the pod's volumes, user, groups and capabilities, no new privileges and no environment but the pod's. Not its seccomp profile.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::{Ran, mode, program, run, say, write};

/// `ROOT [SOURCE TARGET rw|ro]... -- PROGRAM...`; the program leaves the rest of this machine behind by `chroot`.
const MOUNTS: &str = r#"set -e
mount --make-rprivate /
root=$1
shift
mount --bind "$root" "$root"
while [ "$1" != -- ]; do
  mkdir -p "$root$2"
  mount --bind "$1" "$root$2"
  [ "$3" = rw ] || mount -o remount,bind,ro "$root$2"
  shift 3
done
shift
mkdir -p "$root/proc"
mount -t proc proc "$root/proc"
mount -o remount,bind,ro "$root"
cd /
exec "$@"
"#;

/// The objects that a kustomization gives.
pub fn objects(dir: &Path) -> Vec<Value> {
    const JSON: &str = "import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(sys.argv[1]))))";
    let yaml = say("kubectl", [Path::new("kustomize"), dir]);
    serde_json::from_str(&say("python3", ["-c", JSON, &yaml])).unwrap()
}

pub fn of_kind<'o>(objects: &'o [Value], kind: &str) -> &'o Value {
    objects.iter().find(|object| object["kind"] == kind).unwrap_or_else(|| panic!("no {kind}"))
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// What a pod is made from, and where: a directory that stands for the node's root directory, and its claims.
pub struct Pod {
    pub spec: Value,
    config_maps: Vec<Value>,
    place: PathBuf,
}

impl Pod {
    pub fn of(objects: &[Value], place: &Path) -> Self {
        let daemon_set = objects.iter().find(|object| object["kind"] == "DaemonSet");
        let template = match daemon_set {
            Some(object) => &object["spec"]["template"],
            None => &of_kind(objects, "CronJob")["spec"]["jobTemplate"]["spec"]["template"],
        };
        let config_maps = objects.iter().filter(|object| object["kind"] == "ConfigMap").cloned().collect();
        Self { spec: template["spec"].clone(), config_maps, place: place.to_path_buf() }
    }

    pub fn container(&self) -> &Value {
        let containers = self.spec["containers"].as_array().unwrap();
        assert_eq!(containers.len(), 1);
        &containers[0]
    }

    pub fn words(&self) -> Vec<String> {
        texts(&self.container()["args"]).into_iter().map(|word| word.replace("$(NODE_NAME)", "cp1")).collect()
    }

    /// The words of the readiness probe, behind the program.
    pub fn probe(&self) -> Vec<String> {
        let command = texts(&self.container()["readinessProbe"]["exec"]["command"]);
        assert_eq!(command[0], "/usr/bin/kpki");
        command[1..].to_vec()
    }

    pub fn run(&self, root: &Path, words: &[String]) -> Ran {
        run(&mut self.command(root, words))
    }

    /// The container with these words for the image's entrypoint.
    pub fn command(&self, root: &Path, words: &[String]) -> Command {
        let spec = &self.spec;
        for shared in ["hostNetwork", "hostPID", "hostIPC"] {
            assert_eq!(spec[shared], false, "{shared}");
        }
        let mut unshare = program("unshare");
        unshare.args(["--mount", "--net", "--ipc", "--uts", "--pid", "--fork", "--kill-child"]);
        unshare.args(["/bin/sh", "-c", MOUNTS, "sh"]).arg(root);
        for mount in self.container()["volumeMounts"].as_array().unwrap() {
            let volumes = spec["volumes"].as_array().unwrap();
            let volume = volumes.iter().find(|volume| volume["name"] == mount["name"]).unwrap();
            let access = if mount["readOnly"] == true { "ro" } else { "rw" };
            unshare.arg(self.source(volume)).arg(mount["mountPath"].as_str().unwrap()).arg(access);
        }
        unshare.args(["--", "env", "-i", "HOSTNAME=kpki-x7k2p"]);
        for variable in self.container()["env"].as_array().into_iter().flatten() {
            assert_eq!(variable["valueFrom"]["fieldRef"]["fieldPath"], "spec.nodeName");
            unshare.arg(format!("{}=cp1", variable["name"].as_str().unwrap()));
        }
        let id = |field: &str| spec["securityContext"][field].as_u64();
        unshare.arg(program("capsh").get_program());
        unshare.arg(format!("--chroot={}", root.display())).arg(format!("--drop={}", self.dropped()));
        let [user, group] = ["runAsUser", "runAsGroup"].map(|field| id(field).unwrap());
        assert_eq!(spec["securityContext"]["fsGroup"], Value::Null);
        unshare.args([format!("--groups={group}"), format!("--gid={group}"), format!("--uid={user}")]);
        unshare.args(["--no-new-privs", "--shell=/usr/bin/kpki", "--"]).args(words);
        unshare
    }

    /// All of this machine's capabilities but those that are added again.
    fn dropped(&self) -> String {
        let capabilities = &self.container()["securityContext"]["capabilities"];
        assert_eq!(texts(&capabilities["drop"]), ["ALL"]);
        let added: Vec<String> =
            texts(&capabilities["add"]).iter().map(|name| format!("cap_{}", name.to_lowercase())).collect();
        let all = say("capsh", ["--print"]);
        let all = all.lines().find_map(|line| line.strip_prefix("Bounding set =")).unwrap();
        let dropped: Vec<&str> = all.split(',').filter(|name| !added.iter().any(|one| one == name)).collect();
        assert_eq!(all.split(',').count(), dropped.len() + added.len(), "{all}");
        dropped.join(",")
    }

    /// Where a volume is here, made as the kubelet makes it.
    fn source(&self, volume: &Value) -> PathBuf {
        let name = volume["name"].as_str().unwrap();
        if let Some(path) = volume["hostPath"]["path"].as_str() {
            let source = self.place.join("node").join(path.trim_start_matches('/'));
            fs::create_dir_all(&source).unwrap();
            return source;
        }
        if volume["persistentVolumeClaim"].is_object() {
            let source = self.place.join("claims").join(name);
            fs::create_dir_all(&source).unwrap();
            mode(&source, 0o755);
            return source;
        }
        let wanted = &volume["configMap"]["name"];
        let map = self.config_maps.iter().find(|map| map["metadata"]["name"] == *wanted).unwrap();
        // Two symlinks before each file.
        let source = self.place.join("maps").join(name);
        let _ = fs::remove_dir_all(&source);
        for (file, text) in map["data"].as_object().unwrap() {
            write(source.join("..2026_11_27").join(file), text.as_str().unwrap());
            symlink(Path::new("..data").join(file), source.join(file)).unwrap();
        }
        symlink("..2026_11_27", source.join("..data")).unwrap();
        source
    }
}
