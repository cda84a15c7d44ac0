//! The documents of docs/, run as they stand: each block in its order, in one directory.
//!
//! - `sh`: a script for bash; the first command that fails ends the test.
//! - `console`: every line after `$ ` is run; what stands below it is what it says, line by line. `...` stands for any lines, at
//!   the end of a line for the rest of it; words that tell of time, numbers and fingerprints are not compared. A command that ends
//!   in `# exit status N` ends with that.
//! - `text`: shown only; no command of kpki's.
//! - any other language: a file; its first line is `# FILE`.
//!
//! The directories of `ELSEWHERE` are below the test's.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::harness::{Place, repository};

/// A program that is not here, such as ssh or systemctl: its name and what stands in for it, a script.
type StandIn<'a> = (&'a str, &'a str);

const ELSEWHERE: [&str; 3] = ["/secure/", "/etc/systemd/", "/etc/cron.d/"];

#[derive(Debug, PartialEq)]
pub struct Block {
    pub language: String,
    pub text: String,
}

pub fn blocks(document: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    for line in document.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(language)) => open = Some(Block { language: language.to_owned(), text: String::new() }),
            (Some(_), Some("")) => found.extend(open.take()),
            (Some(block), _) => block.text.extend([line, "\n"]),
            (None, None) => {}
        }
    }
    assert_eq!(open, None, "a block without an end");
    found
}

/// Runs `docs/NAME.md`. `before` prepares the directory.
pub fn run(name: &str, programs: &[StandIn<'_>], before: impl FnOnce(&Place)) -> Place {
    run_file(&format!("docs/{name}.md"), programs, before)
}

/// The same for any document.
pub fn run_file(path: &str, programs: &[StandIn<'_>], before: impl FnOnce(&Place)) -> Place {
    let place = Place::new();
    fs::create_dir(place.path("bin")).unwrap();
    for (program, script) in programs {
        let path = place.write(&format!("bin/{program}"), format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    before(&place);
    let mut document = fs::read_to_string(repository(path)).unwrap();
    for dir in ELSEWHERE {
        document = document.replace(dir, &format!("{}/", place.path(dir.trim_matches('/')).display()));
    }
    let blocks = blocks(&document);
    assert!(!blocks.is_empty(), "{path} has nothing to run");
    for block in blocks {
        match block.language.as_str() {
            "sh" => drop(said(&place, &block.text, 0)),
            "console" => console(&place, &block.text),
            "text" => assert!(!block.text.contains("kpki "), "{path}: a command that is not run: {}", block.text),
            _ => {
                let file = block.text.lines().next().and_then(|line| line.strip_prefix("# "));
                let file = file.unwrap_or_else(|| panic!("{path}: which file? {}", block.text));
                place.write(file, &block.text);
            }
        }
    }
    place
}

pub fn said(place: &Place, script: &str, status: i32) -> String {
    let kpki = Path::new(env!("CARGO_BIN_EXE_kpki")).parent().unwrap();
    let path = format!("{}:{}:/usr/bin:/bin", place.path("bin").display(), kpki.display());
    let mut bash = Command::new("/bin/bash");
    bash.args(["-euo", "pipefail", "-c", script]).current_dir(place.path("")).env("PATH", path).env("COLUMNS", "80");
    let run = bash
        .env("HOME", place.path(""))
        .env("REPOSITORY", repository(""))
        .env("KPKI", env!("CARGO_BIN_EXE_kpki"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert_eq!(run.status.code(), Some(status), "{script}\n{out}{err}");
    format!("{out}{err}")
}

fn console(place: &Place, block: &str) {
    for session in format!("\n{block}").split("\n$ ").skip(1) {
        let (command, shown) = session.split_once('\n').unwrap_or((session, ""));
        let status = command.split_once("# exit status ").map_or(0, |(_, number)| number.trim().parse().unwrap());
        let said = said(place, command, status);
        let mut lines = said.lines();
        let mut any = false;
        for line in shown.lines() {
            if line.trim() == "..." {
                any = true;
                continue;
            }
            let is_it = |other: &str| is_line(line, other);
            let found = if any { lines.any(is_it) } else { lines.next().is_some_and(is_it) };
            assert!(found, "{command}\nshown: {line}\nsaid:\n{said}");
            any = false;
        }
        assert!(any || shown.is_empty() || lines.next().is_none(), "{command} says more than is shown:\n{said}");
    }
}

/// A shown line that ends in `...` is the beginning of a line.
fn is_line(shown: &str, said: &str) -> bool {
    let (shown_words, said) = (words(shown), words(said));
    if shown.ends_with(" ...") { said.starts_with(&shown_words) } else { said == shown_words }
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The words of a line but those that another run has otherwise: all with a digit, months, and what `...` cuts off.
fn words(line: &str) -> Vec<&str> {
    let is_other = |word: &str| word.contains(|c: char| c.is_ascii_digit()) || MONTHS.contains(&word) || word == "...";
    line.split_whitespace().filter(|word| !is_other(word)).collect()
}

#[test]
fn what_is_shown_is_compared() {
    for (shown, said, is_same) in [
        ("ok: 3 nodes, in ./cluster", "ok: 4 nodes, in ./cluster", true),
        ("ends Nov 20, 2027", "ends Mar 1, 2031", true),
        ("ok: 3 nodes", "ok: 3 nodes, and one that waits", false),
        ("ok: ...", "ok: 3 nodes, and one that waits", true),
        ("waiting: ...", "ok: 3 nodes", false),
        ("created in ./a", "created in ./b", false),
    ] {
        assert_eq!(is_line(shown, said), is_same, "{shown} {said}");
    }
    let place = Place::new();
    console(&place, "$ echo one; echo two\n...\ntwo\n$ exit 3    # exit status 3\n");
    for wrong in
        ["$ echo one\ntwo\n", "$ echo one; echo two\none\n", "$ exit 3\n", "$ echo one; echo two\n...\nthree\n"]
    {
        let run = std::panic::catch_unwind(|| console(&place, wrong));
        assert!(run.is_err(), "{wrong}");
    }
}

#[test]
fn add_a_name() {
    run("add-a-name", &[], |_| {});
}

/// What kubeadm leaves on a node, but of today.
fn as_kubeadm_made_it(place: &Place, node: &str, config: &str, shared: Option<&str>) {
    if let Some(first) = shared {
        for file in [
            "ca.crt",
            "ca.key",
            "front-proxy-ca.crt",
            "front-proxy-ca.key",
            "sa.key",
            "sa.pub",
            "etcd/ca.crt",
            "etcd/ca.key",
        ] {
            place.write(&format!("{node}/pki/{file}"), fs::read(place.path(&format!("{first}/pki/{file}"))).unwrap());
        }
    }
    let config = repository(&format!("fixtures/kubeadm/{config}/kubeadm.yaml"));
    place.kpki(&["init", "--config", config.to_str().unwrap(), "--dir", node]).status(0);
    fs::remove_dir_all(place.path(&format!("{node}/.kpki"))).unwrap();
}

#[test]
fn take_over_a_kubeadm_cluster() {
    let config = fs::read_to_string(repository("fixtures/kubeadm/v1.36-ha-ecdsa-cp1/kubeadm.yaml")).unwrap();
    let cluster = config.split("---\n").nth(1).unwrap();
    let indented: String = cluster.lines().map(|line| format!("    {line}\n")).collect();
    let map = format!(
        "apiVersion: v1\ndata:\n  ClusterConfiguration: |\n{indented}kind: ConfigMap\nmetadata:\n  name: kubeadm-config\n"
    );
    let kubectl = format!("cat <<'END'\n{map}END");
    let place = run("take-over-a-kubeadm-cluster", &[("kubectl", &kubectl)], |place| {
        as_kubeadm_made_it(place, "cp1", "v1.36-ha-ecdsa-cp1", None);
        as_kubeadm_made_it(place, "cp2", "v1.36-ha-ecdsa-cp2", Some("cp1"));
        for node in ["cp1", "cp2"] {
            let tar = format!(
                "mkdir -p on/etc && cp -a {node} on/etc/kubernetes && tar -czf {node}.tar.gz -C on etc && rm -r on"
            );
            said(place, &tar);
        }
    });
    assert_eq!(place.read("cp1/.kpki/profile.yaml"), map);
    assert!(place.path("cluster/nodes/cp2/pki/apiserver.crt").exists() && place.path("cp2-new.tar.gz").exists());
}

#[test]
fn fleet_in_ci() {
    let place = run("fleet-in-ci", &[("gh", "cp plan.md \"posted-$3\""), ("curl", "cp plan.md posted-note")], |_| {});
    // What the jobs run: the scripts of the document, with the paths of a host, and how the plan is posted.
    let file = |name: &str| fs::read_to_string(place.path(name)).unwrap();
    let (plan, apply) =
        (file("repository/.github/workflows/pki-plan.yml"), file("repository/.github/workflows/pki-apply.yml"));
    let gitlab = file("platform-ci/pki.yml");
    assert!(
        plan.contains("run: sh ci/check proposed/profiles /srv/pki")
            && apply.contains("run: sh ci/apply profiles /srv/pki")
    );
    assert!(
        gitlab.contains("- sh /opt/pki/check profiles /srv/pki")
            && gitlab.contains("- sh /opt/pki/apply profiles /srv/pki")
    );
    let posts = plan.lines().find_map(|line| line.trim().strip_prefix("run: gh ")).unwrap();
    said(&place, &format!("NUMBER=7; gh {posts}"));
    let (_, posts) = gitlab.split_once("  - >-\n").unwrap();
    let (posts, _) = posts.split_once("\napply:").unwrap();
    said(
        &place,
        &format!("PLAN_TOKEN=t CI_API_V4_URL=u CI_PROJECT_ID=1 CI_MERGE_REQUEST_IID=2; {}", posts.replace('\n', " ")),
    );
    assert_eq!((file("posted-7"), file("posted-note")), (file("plan.md"), file("plan.md")));
}

#[test]
fn renewal_policy() {
    let place = run("renewal-policy", &[], |_| {});
    assert!(place.read("issued.csv").lines().count() > 10);
}
