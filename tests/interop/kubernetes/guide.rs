//! The commands of docs/renew-in-kubernetes.md as they stand. kubectl is a stand-in that keeps what it is given: what it would run in a
//! pod is run here as in that pod.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::pod::{Pod, objects, of_kind};
use super::{EARLIER, deploy, root_file_system, static_binary, words};
use crate::support::{mode, program, run, say, scratch, write};
use crate::worked::{Variable, Worked};

/// What of kubectl the guide uses. `template.json` is what `create job` takes from the cluster.
const KUBECTL: &str = r#"#!/bin/bash
set -eu
case "$*" in
  'apply -k '*) KUBECTL kustomize "$3" >>applied.yaml ;;
  'apply -f -') cat >job.json ;;
  *' create job '*' --from=cronjob/kpki --dry-run=client -o json') jq --arg name "$5" '.metadata.name = $name' template.json ;;
  *' exec '*' -- /usr/bin/kpki '*)
    all=$*
    printf '%s\n' "${all#*/usr/bin/kpki }" >>executed
    ;;
  '-n kpki rollout status daemonset/kpki' | '-n kpki logs -l app.kubernetes.io/component=node --prefix') ;;
  '-n kpki get pods -l app.kubernetes.io/component=node -o name') echo pod/kpki-of-cp1 ;;
  '-n kpki get pods -o wide' | '-n kpki-safe-host wait --for='*' --timeout=5m job/'* | '-n kpki-safe-host delete job hour') ;;
  *) echo "kubectl $*" >&2; exit 1 ;;
esac
"#;

/// Of skopeo: that there is something to copy.
const SKOPEO: &str = "#!/bin/sh\nset -eu\n[ \"$1 $3\" = 'copy docker://registry.example.com/kpki:v0.2.0' ]\nSKOPEO inspect \"$2\" >copied.json\n";

fn stand_ins(dir: &Path) -> Variable {
    for (name, text) in [("kubectl", KUBECTL), ("skopeo", SKOPEO), ("ssh", "#!/bin/sh\ncat >/dev/null\n")] {
        let text = match name {
            "ssh" => text.to_owned(),
            real => text.replace(&real.to_uppercase(), program(real).get_program().to_str().unwrap()),
        };
        mode(&write(dir.join("bin").join(name), text), 0o755);
    }
    ("PATH", format!("{}:{}", dir.join("bin").display(), std::env::var("PATH").unwrap()))
}

fn executed(dir: &Path) -> Vec<Vec<String>> {
    let lines = fs::read_to_string(dir.join("executed")).unwrap_or_default();
    let _ = fs::remove_file(dir.join("executed"));
    lines.lines().map(words).collect()
}

/// The pod of the job that was applied last.
fn job(dir: &Path) -> (Value, Vec<String>) {
    let file = dir.join("job.json");
    let mut validate = program("kubernetes-validate");
    run(validate.args(["--strict", "--quiet"]).arg(&file)).expect_ok("a job that is valid");
    let job: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let container = &job["spec"]["template"]["spec"]["containers"][0];
    let words = container["args"].as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned());
    (job["metadata"]["name"].clone(), words.collect())
}

#[test]
fn the_guide_is_run_as_it_stands() {
    let place = scratch();
    let dir = place.path();
    let path = stand_ins(dir);
    let root = root_file_system(dir);
    fs::create_dir(dir.join("deploy")).unwrap();
    say("cp", [Path::new("-r"), &deploy(""), &dir.join("deploy/kubernetes")]);
    fs::copy(static_binary(), dir.join("kpki")).unwrap();
    let guide = Worked::of("docs/renew-in-kubernetes.md");
    let sh = |with: &str| guide.sh_in(dir, with, &[&path]);

    sh("skopeo copy");
    assert!(fs::read_to_string(dir.join("copied.json")).unwrap().contains("Layers"));

    // On the nodes.
    write(dir.join("on-nodes/kustomization.yaml"), guide.block("yaml", "# on-nodes/kustomization.yaml"));
    sh("rollout status");
    let applied = fs::read_to_string(dir.join("applied.yaml")).unwrap();
    assert!(applied.contains("image: registry.example.com/kpki:v0.2.0"), "{applied}");
    let with_profile = Pod::of(&objects(&deploy("overlays/node")), dir);
    let init = words("init --quiet --profile=/etc/kpki/cluster.yaml --node=cp1 --allow-future");
    with_profile.run(&root, &[init, words(EARLIER)].concat()).expect_ok("init");
    let on_nodes = Pod::of(&objects(&dir.join("on-nodes")), dir);
    sh("ds/kpki");
    let [look, renew] = executed(dir).try_into().unwrap();
    on_nodes.run(&root, &look).expect_code(4, "it has expired");
    let renewed = on_nodes.run(&root, &renew).expect_ok("a renewal").out;
    assert!(renewed.starts_with("renewed 13 of 13 certificates"), "{renewed}");

    // On a safe host.
    let overlay = dir.join("deploy/kubernetes/overlays/safe-host");
    let cluster = objects(&overlay);
    let template = &of_kind(&cluster, "CronJob")["spec"]["jobTemplate"];
    let metadata = serde_json::json!({ "name": "", "namespace": "kpki-safe-host" });
    let template =
        serde_json::json!({ "apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": template["spec"] });
    write(dir.join("template.json"), template.to_string());
    let safe_host = Pod::of(&cluster, dir);
    sh("apply -k deploy/kubernetes/overlays/safe-host");
    sh("once first");
    let (name, first) = job(dir);
    assert_eq!(name, "first");
    safe_host.run(&root, &first).expect_ok("init");
    sh("once hour");
    let (name, mut hour) = job(dir);
    assert_eq!((name, hour.pop().as_deref()), ("hour".into(), Some("--every=24h")));
    safe_host.run(&root, &hour).expect_ok("renew");
    let [export] = executed(dir).try_into().unwrap();
    let archive = safe_host.run(&root, &export).expect_ok("export");
    assert!(!archive.out.is_empty());
}
