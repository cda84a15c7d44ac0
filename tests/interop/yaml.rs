//! PyYAML reads what kpki writes as YAML.

use std::path::Path;

use serde_json::Value;

use crate::support::{Made, SMALL, files_ending, kpki, profiles, program, project, run, say, scratch, write};

/// A YAML file as PyYAML understands it.
fn load(path: &Path) -> Value {
    let text = say(
        "python3",
        [
            "-c",
            "import sys, json, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1], encoding='utf-8')), default=str))",
            path.to_str().unwrap(),
        ],
    );
    serde_json::from_str(&text).unwrap()
}

#[test]
fn the_yaml_report_is_the_json_report() {
    let place = scratch();
    for profile in profiles() {
        let tree = Made::from(&profile, &[]);
        let report = |form: &str| {
            // Nothing of it depends on when: everything is there and kept.
            let words = ["-o", form];
            let ran = run(kpki().arg("init").arg("--dir").arg(&tree.dir).args(["--dry-run"]).args(words));
            ran.expect_ok(profile.display()).out
        };
        let json: Value = serde_json::from_str(&report("json")).unwrap();
        let yaml = load(&write(place.path().join("report.yaml"), report("yaml")));
        assert_eq!(yaml, json, "{}", profile.display());
    }
}

#[test]
fn kubeconfigs_are_yaml() {
    let tree = Made::of_text(SMALL, &[]);
    for config in files_ending(&tree.dir, ".conf") {
        let kubectl =
            run(program("kubectl").arg("--kubeconfig").arg(&config).args(["config", "view", "--raw", "-o", "json"]))
                .expect_ok("kubectl");
        let mut go: Value = serde_json::from_str(&kubectl.out).unwrap();
        let python = load(&config);
        // Older kubectls add what is empty.
        if python.get("preferences").is_none() {
            go.as_object_mut().unwrap().remove("preferences");
        }
        assert_eq!(python, go, "{}", config.display());
    }
}

/// What `profile show` prints is a profile again, and the same one.
#[test]
fn shown_profiles_are_yaml_and_profiles() {
    let place = scratch();
    for profile in profiles().into_iter().chain(crate::support::fixtures()) {
        let show = |path: &Path| run(kpki().args(["profile", "show"]).arg(path)).expect_ok(path.display()).out;
        let shown = write(place.path().join("shown.yaml"), show(&profile));
        assert!(load(&shown).is_object(), "{}", profile.display());
        assert_eq!(show(&shown), std::fs::read_to_string(&shown).unwrap(), "{}", profile.display());
    }
    let starter = write(place.path().join("new.yaml"), say(env!("CARGO_BIN_EXE_kpki"), ["profile", "new"]));
    assert_eq!(load(&starter), load(&project("profiles/starter.yaml")));
}
