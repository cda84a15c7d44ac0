//! README and docs/ as a whole: every block is run by a test, every link leads somewhere, and the map has every page.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use super::harness::repository;
use super::how_to::{Block, blocks};

/// The README is what somebody reads first, at one sitting.
const README_LINES: usize = 250;

/// Blocks that another test takes out of a document by a text: the document, the block's number, the test and that text. All
/// other documents are run whole, in their order, by `how_to::run`.
const PARTS: &[(&str, usize, &str, &str)] = &[
    ("docs/cert-manager.md", 1, "tests/interop/cert_manager.rs", "workloads.key"),
    ("docs/cert-manager.md", 2, "tests/interop/cert_manager.rs", "ClusterIssuer"),
    ("docs/cert-manager.md", 3, "tests/interop/cert_manager.rs", "kpki csr "),
    ("docs/cert-manager.md", 4, "tests/interop/cert_manager.rs", "kubectl wait"),
    ("docs/cert-manager.md", 5, "tests/kpki/cert_manager.rs", "Role"),
    ("docs/renew-in-kubernetes.md", 1, "tests/interop/kubernetes/guide.rs", "skopeo copy"),
    ("docs/renew-in-kubernetes.md", 2, "tests/interop/kubernetes/guide.rs", "# on-nodes/kustomization.yaml"),
    ("docs/renew-in-kubernetes.md", 3, "tests/interop/kubernetes/guide.rs", "rollout status"),
    ("docs/renew-in-kubernetes.md", 4, "tests/interop/kubernetes/guide.rs", "ds/kpki"),
    (
        "docs/renew-in-kubernetes.md",
        5,
        "tests/interop/kubernetes/guide.rs",
        "apply -k deploy/kubernetes/overlays/safe-host",
    ),
    ("docs/renew-in-kubernetes.md", 6, "tests/interop/kubernetes/guide.rs", "once first"),
    ("docs/renew-in-kubernetes.md", 7, "tests/interop/kubernetes/guide.rs", "once hour"),
];

/// A page that a script runs as a whole, and what it reads it by. The script counts the blocks.
const BY_SCRIPT: (&str, &str, &str) = ("docs/install.md", "packaging/test", "blocks \"$root/docs/install.md\"");

/// Files below a directory with this ending, by their path in the repository.
fn below(dir: &str, ending: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for entry in walkdir::WalkDir::new(repository(dir)) {
        let entry = entry.unwrap();
        let path = format!("{dir}/{}", entry.path().strip_prefix(repository(dir)).unwrap().display());
        if entry.file_type().is_file() && path.ends_with(ending) && !path.contains("/target/") {
            found.insert(path, fs::read_to_string(entry.path()).unwrap());
        }
    }
    found
}

pub fn pages() -> BTreeMap<String, String> {
    let mut pages = below("docs", ".md");
    pages.insert("README.md".to_owned(), fs::read_to_string(repository("README.md")).unwrap());
    pages
}

/// The blocks of a page that no test runs, and why a row for one is wrong.
fn not_run(
    page: &str,
    text: &str,
    tests: &BTreeMap<String, String>,
    parts: &[(&str, usize, &str, &str)],
) -> Vec<String> {
    let name = page.strip_prefix("docs/").and_then(|name| name.strip_suffix(".md")).unwrap_or(page);
    let calls = [format!("run(\"{name}\","), format!("run_file(\"{page}\",")];
    let is_called = |test: &str| {
        let test: String = test.split_whitespace().collect();
        calls.iter().any(|call| test.contains(call))
    };
    if tests.values().any(|test| is_called(test)) {
        return Vec::new();
    }
    let mut wrong = Vec::new();
    for (index, Block { language, text }) in blocks(text).into_iter().enumerate() {
        let number = index + 1;
        let row = parts.iter().find(|(document, block, ..)| (*document, *block) == (page, number));
        let is_shown = language == "text" && !text.contains("kpki ");
        let is_run = row.is_some_and(|(_, _, test, part)| {
            let test = tests.get(*test).map_or("", String::as_str);
            text.contains(part) && test.contains(page) && test.contains(&format!("\"{part}\""))
        });
        if !is_shown && !is_run {
            wrong.push(format!("{page}: no test runs block {number}: {}", text.lines().next().unwrap_or_default()));
        }
    }
    wrong
}

#[test]
fn every_block_is_run_by_a_test() {
    let mut tests = below("tests/kpki", ".rs");
    tests.extend(below("tests/interop", ".rs"));
    let mut pages = pages();
    let (page, script, reads) = BY_SCRIPT;
    assert!(pages.remove(page).is_some() && fs::read_to_string(repository(script)).unwrap().contains(reads));
    let wrong: Vec<String> = pages.iter().flat_map(|(page, text)| not_run(page, text, &tests, PARTS)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    // What it finds: a block without a test, a row whose text is in another block, a command that is only shown.
    let document = "```sh\nkpki init\n```\n```text\nkpki init\n```\n```text\na tree\n```\n";
    assert_eq!(not_run("docs/x.md", document, &tests, &[]).len(), 2);
    let row = ("docs/x.md", 1, "t.rs", "kpki init");
    let test = |text: &str| BTreeMap::from([("t.rs".to_owned(), text.to_owned())]);
    assert_eq!(not_run("docs/x.md", document, &test("docs/x.md \"kpki init\""), &[row]).len(), 1);
    assert_eq!(not_run("docs/x.md", document, &test("docs/x.md \"kpki renew\""), &[row]).len(), 2);
    assert_eq!(not_run("docs/x.md", document, &test("run(\"x\", &[], |_| {})"), &[]).len(), 0);
}

/// A text without its blocks of code, and each line without what stands in backquotes.
fn prose(text: &str) -> String {
    let mut out = String::new();
    let mut is_code = false;
    for line in text.lines() {
        if line.starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            out.extend(line.split('`').step_by(2));
            out.push('\n');
        }
    }
    out
}

/// The anchors of a page's headings, as forges make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut is_code = false;
    for line in text.lines() {
        is_code ^= line.starts_with("```");
        let title = line.trim_start_matches('#');
        if !is_code && line.starts_with('#') && title.starts_with(' ') {
            let kept = title.trim().to_lowercase().replace(' ', "-");
            found.insert(kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect());
        }
    }
    found
}

fn links(text: &str) -> Vec<String> {
    let ends = prose(text);
    let found = ends.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    found.filter(|link| !link.contains("://") && !link.contains(' ')).map(str::to_owned).collect()
}

/// A link of a page, by its path in the repository, and the anchor.
fn target(page: &str, link: &str) -> (String, String) {
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let from = if file.is_empty() { PathBuf::from(page) } else { Path::new(page).parent().unwrap().join(file) };
    let mut path = Vec::new();
    for part in from.components() {
        match part {
            Component::ParentDir => drop(path.pop()),
            Component::Normal(part) => path.push(part.to_str().unwrap()),
            _ => {}
        }
    }
    (path.join("/"), anchor.to_owned())
}

fn leads_nowhere(page: &str, link: &str) -> bool {
    let (path, anchor) = target(page, link);
    let has_anchor = || fs::read_to_string(repository(&path)).is_ok_and(|text| anchors(&text).contains(&anchor));
    !repository(&path).exists() || !anchor.is_empty() && !has_anchor()
}

#[test]
fn every_link_leads_somewhere() {
    let mut pages = pages();
    for dir in ["deploy", "examples", "vault", "profiles"] {
        pages.extend(below(dir, ".md"));
    }
    for name in ["ARCHITECTURE.md", "CHANGELOG.md"] {
        pages.insert(name.to_owned(), fs::read_to_string(repository(name)).unwrap());
    }
    let mut seen = 0;
    let mut wrong = Vec::new();
    for (page, text) in &pages {
        for link in links(text) {
            seen += 1;
            if leads_nowhere(page, &link) {
                wrong.push(format!("{page}: {link}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(seen > 60, "{seen}");
    for link in ["nothing.md", "README.md#nothing", "../alerts.md"] {
        assert!(leads_nowhere("docs/alerts.md", link), "{link}");
    }
    assert_eq!(links("a [b](c.md) `[d](e)`\n```sh\n[f](g)\n```\n[h](https://example.com)"), ["c.md"]);
}

#[test]
fn the_map_has_every_page_and_the_readme_is_short() {
    let pages = pages();
    let map: BTreeSet<String> =
        links(&pages["docs/README.md"]).iter().map(|link| target("docs/README.md", link).0).collect();
    for page in pages.keys().map(String::as_str) {
        let is_there = page == "docs/README.md" || page == "README.md" || map.contains(page);
        assert!(is_there, "docs/README.md has no link to {page}");
    }
    let lines = pages["README.md"].lines().count();
    assert!(lines < README_LINES, "README.md has {lines} lines: what explains one thing belongs into docs/");
}
