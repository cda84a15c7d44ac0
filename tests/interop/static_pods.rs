//! `restart: static-pod` with real processes, and under every fault (`faults.rs`): a manifest is the old one or has one more annotation,
//! nothing else is ever in the directory that the kubelet watches, and the next run does what was left.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::faults::{self, Fault, Tried};
use crate::support::{Ran, SMALL, kpki, program, project, quick_scratch, run, scratch, write};
use crate::tree::rests;

const PODS: [&str; 2] = ["kube-controller-manager", "kube-scheduler"];
const HOOKS: &str = "renewal: {hooks: {deploy: {default: {restart: static-pod, wait: 1s}}, timeout: 8s}}\n";

/// A node of which the script is init: it has processes of its own and an /etc of its own. In place of the kubelet, a loop
/// ends the component and starts it again a while after its manifest has changed.
const NODE: &str = r#"set -eu
kpki=$1 fixtures=$2 profile=$3 work=$4
mount -t tmpfs -o mode=755 tmpfs /etc
mkdir -m 755 /etc/kubernetes
"$kpki" init -p "$profile" -d /etc/kubernetes --kubelet-dir "$work/kubelet" -q
mkdir -m 755 /etc/kubernetes/manifests
cp "$fixtures/kube-scheduler.yaml" /etc/kubernetes/manifests/
cp "$(command -v sleep)" "$work/kube-scheduler"
"$work/kube-scheduler" 1000 &
pod=$!
sleep 1.2
kubelet() {
  old=$(cat /etc/kubernetes/manifests/kube-scheduler.yaml)
  while [ "$old" = "$(cat /etc/kubernetes/manifests/kube-scheduler.yaml)" ]; do sleep 0.1; done
  kill "$pod"
  exec "$work/kube-scheduler" 1000
}
kubelet &
echo "== seen"
"$kpki" renew scheduler.conf -d /etc/kubernetes --kubelet-dir "$work/kubelet" -o json
echo "== not seen"
status=0
"$kpki" renew scheduler.conf -d /etc/kubernetes --kubelet-dir "$work/kubelet" -o json || status=$?
echo "== $status"
"#;

#[test]
fn a_restart_is_seen_and_one_that_does_not_come_is_a_failure() {
    let area = scratch();
    let profile = write(area.path().join("p.yaml"), format!("{SMALL}{HOOKS}"));
    let mut node = program("unshare");
    node.args(["--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c", NODE, "node"]);
    node.arg(env!("CARGO_BIN_EXE_kpki")).arg(project("fixtures/manifests")).arg(&profile).arg(area.path());
    let ran = run(&mut node).expect_ok("node");
    let (_, rest) = ran.out.split_once("== seen\n").unwrap();
    let (seen, rest) = rest.split_once("== not seen\n").unwrap();
    let (missed, status) = rest.split_once("== ").unwrap();
    let hook = |text: &str| {
        let report: serde_json::Value = serde_json::from_str(text).unwrap_or_else(|why| panic!("{why}: {}", ran.out));
        report["trees"][0]["hooks"][0].clone()
    };
    let (seen, missed) = (hook(seen), hook(missed));
    assert_eq!(seen["ended"], "restarted by its manifest", "{seen}");
    let output = seen["output"].as_str().unwrap();
    assert!(output.contains("it started again at ") && output.contains(" and has run for 1s"), "{seen}");
    assert_eq!(missed["succeeded"], false, "{missed}");
    let ended = missed["ended"].as_str().unwrap();
    assert!(ended.starts_with("it has not started again, or not stayed up, within 8s: "), "{missed}");
    assert_eq!(status.trim(), "1");
}

struct Spot {
    root: PathBuf,
    template: PathBuf,
}

impl Spot {
    fn kpki(&self, words: &[&str]) -> Command {
        let mut command = kpki();
        command.args(words).args(["--lock-timeout", "2s", "-d"]).arg(self.root.join("tree"));
        command
    }

    fn due(&self) -> Ran {
        run(&mut self.kpki(&["renew", "all", "--due"]))
    }

    /// How many manifests have an annotation; anything else that is not as before is said.
    fn marked(&self) -> Result<usize, String> {
        let dir = self.root.join("tree/manifests");
        let mut names: Vec<_> = fs::read_dir(&dir).unwrap().map(|one| one.unwrap().file_name()).collect();
        names.sort();
        if names != PODS.map(|pod| format!("{pod}.yaml")).map(std::ffi::OsString::from) {
            return Err(format!("the kubelet would see {names:?}"));
        }
        let mut marked = 0;
        for pod in PODS {
            let (old, new) = (manifest(pod), fs::read_to_string(dir.join(format!("{pod}.yaml"))).unwrap());
            let more: Vec<&str> = new.lines().filter(|line| !old.contains(line)).collect();
            match more.as_slice() {
                [] if new == old => {}
                ["  annotations:", line] if line.starts_with("    kpki/generation: \"") => {
                    if new.replacen(&format!("  annotations:\n{line}\n"), "", 1) != old {
                        return Err(format!("more has changed: {new}"));
                    }
                    marked += 1;
                }
                _ => return Err(format!("other lines: {more:?}")),
            }
        }
        Ok(marked)
    }

    fn is_new(&self) -> bool {
        let conf = |root: &Path| fs::read(root.join("tree/scheduler.conf")).unwrap();
        conf(&self.root) != conf(&self.template)
    }

    fn judge(&self) -> Result<(), String> {
        self.marked()?;
        let due = self.due();
        if !due.ok() {
            return Err(format!("the next run failed: {:?} {} {}", due.code, due.out, due.err));
        }
        let wanted = if self.is_new() { 2 } else { 0 };
        let marked = self.marked()?;
        if marked != wanted {
            return Err(format!("{marked} restarts after the next run, expected {wanted}"));
        }
        let left = rests(&self.root);
        if !left.is_empty() || self.root.join("tree/.kpki/owed.json").exists() {
            return Err(format!("left behind after the next run: {left:?}"));
        }
        Ok(())
    }
}

fn manifest(pod: &str) -> String {
    fs::read_to_string(project(&format!("fixtures/manifests/{pod}.yaml"))).unwrap()
}

impl faults::Spot for Spot {
    fn prepare(&self) {
        faults::copied(&self.template, &self.root);
    }

    fn command(&self) -> Command {
        self.kpki(&["renew", "controller-manager.conf", "scheduler.conf"])
    }

    fn log(&self) -> PathBuf {
        self.root.with_extension("log")
    }

    fn attempt(&self, fault: &Fault) -> (Ran, bool, Result<(), String>) {
        let (ran, hit) = faults::inject(&self.log(), fault, &self.command());
        (ran, hit, self.judge())
    }
}

/// Where manifests/ is a file system of its own, or read-only, no manifest can be replaced: nothing is renewed either.
const MOUNTED: &str = r#"set -eu
kpki=$1 fixtures=$2 profile=$3 work=$4
"$kpki" init -p "$profile" -d "$work/k8s" -q
mkdir -m 755 "$work/k8s/manifests" "$work/empty"
cp "$fixtures/kube-scheduler.yaml" "$work/k8s/manifests/"
before=$(find "$work/k8s" -type f ! -name lock -exec sha256sum {} + | sort)
refused() {
  status=0
  "$kpki" renew scheduler.conf -d "$work/k8s" || status=$?
  [ "$status" = 1 ] && [ "$before" = "$(find "$work/k8s" -type f ! -name lock -exec sha256sum {} + | sort)" ]
}
mount --bind "$work/k8s/manifests" "$work/k8s/manifests"
mount -o remount,bind,ro "$work/k8s/manifests"
refused
umount "$work/k8s/manifests"
mount -t tmpfs -o mode=755 tmpfs "$work/k8s/manifests"
cp "$fixtures/kube-scheduler.yaml" "$work/k8s/manifests/"
refused
umount "$work/k8s/manifests"
"$kpki" renew scheduler.conf -d "$work/k8s"
"#;

#[test]
fn a_manifest_that_cannot_be_replaced_is_refused_before_anything_is_renewed() {
    let area = scratch();
    let profile = write(area.path().join("p.yaml"), format!("{SMALL}{HOOKS}"));
    let mut node = program("unshare");
    node.args(["--mount", "sh", "-c", MOUNTED, "node"]);
    node.arg(env!("CARGO_BIN_EXE_kpki")).arg(project("fixtures/manifests")).arg(&profile).arg(area.path());
    let ran = run(&mut node).expect_ok("node");
    assert_eq!(ran.err.matches("kube-scheduler could not be restarted: nothing was changed").count(), 2, "{}", ran.err);
    assert!(ran.err.contains("manifests") && ran.out.contains("renewed 1 of 1"), "{}{}", ran.out, ran.err);
}

#[test]
fn a_restart_is_done_or_owed_whatever_fails() {
    let area = quick_scratch();
    let template = area.path().join("template");
    let profile = write(area.path().join("p.yaml"), format!("{SMALL}{HOOKS}"));
    fs::create_dir_all(&template).unwrap();
    run(kpki().arg("init").arg("-p").arg(&profile).arg("-d").arg(template.join("tree"))).expect_ok("init");
    for pod in PODS {
        write(template.join(format!("tree/manifests/{pod}.yaml")), manifest(pod));
    }
    // Each run waits.
    let complaints = faults::sweep_one_in(40, "static pods", Tried::KillsAndErrors, 2, |worker| Spot {
        root: area.path().join(format!("box{worker}")),
        template: template.clone(),
    });
    faults::none(&complaints);
}
