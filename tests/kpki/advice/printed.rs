//! Every place that prints a command has a row that runs it, and every command that is mentioned anywhere exists.

use std::collections::BTreeMap;
use std::fs;

use kpki::cli;
use kpki::cli::renamed::{RENAMED, Renamed};

use super::errors;
use crate::harness::repository;

/// How many commands a file prints, and which rows of `errors` run them; `check`: the faults of a tree.
const PRINTED: &[(&str, usize, &[&str])] = &[
    ("commands/convert/run.rs", 1, &["nothing to convert"]),
    ("commands/convert/trust.rs", 1, &["a trust bundle of a key"]),
    ("commands/crl/show.rs", 1, &["no CRL"]),
    ("commands/csr/elsewhere.rs", 1, &[ISSUER]),
    ("commands/csr/run.rs", 1, &["the same as a request"]),
    (
        "commands/export/behind.rs",
        3,
        &["older than on the node", "renewed on the node", "one that its node has renewed"],
    ),
    ("commands/export/verify.rs", 2, &["a cluster directory verified", NO_HOST_NAME]),
    ("commands/export/phase.rs", 2, &[ROTATED]),
    ("commands/init/resolve.rs", 2, &["no profile", "one node of a cluster directory made alone"]),
    ("commands/key/refusals.rs", 2, &[KEYS]),
    ("commands/kubeconfig/run.rs", 1, &["no request for a user"]),
    ("commands/renew/external.rs", 2, &["requested and due", "due on a node without keys"]),
    ("commands/renew_authority/summary.rs", 4, &["an authority that was renewed too late"]),
    ("workspace/notify/rollback.rs", 1, &[ROLLED_BACK, TAKEN_BACK]),
    ("commands/renew/record.rs", 2, &["a profile that is not recorded", "a name that was taken out"]),
    ("commands/nodes/accept.rs", 1, &["a receipt of another cluster"]),
    ("workspace/shipping/given.rs", 1, &["no receipt"]),
    (
        "commands/nodes/next.rs",
        4,
        &[
            "a node without a receipt",
            "a node that was shipped",
            "a receipt to be merged",
            "a receipt that contradicts",
            "renewed on its node",
            "a list that a node has signed",
        ],
    ),
    (
        "commands/nodes/summary.rs",
        2,
        &["a list that is not in its receipt", "a list that is too large for its receipt"],
    ),
    ("commands/nodes/status.rs", 1, &["the nodes of one node's tree"]),
    ("commands/renew/summary.rs", 1, &["held and not renewed"]),
    ("commands/restore/choose.rs", 2, &["no such generation", "nothing but made"]),
    ("commands/restore/phase.rs", 2, &[ROTATED]),
    ("commands/restore/plain.rs", 2, &[KEYS]),
    ("commands/restore/run.rs", 4, &["revoked since", "one half was kept"]),
    ("commands/rotate/confirm.rs", 3, &[GATES]),
    ("commands/rotate/gate.rs", 2, &["a switch that nodes have not confirmed", GATES]),
    ("commands/rotate/next.rs", 1, &[ROTATING]),
    ("commands/rotate/status.rs", 4, &[GATES]),
    ("commands/rotate/words.rs", 3, &["a switch that nodes have not confirmed", GATES]),
    ("commands/rotate/back.rs", 2, &[TAKEN_BACK]),
    ("commands/rotate/born.rs", 2, &[SOURCES]),
    ("commands/rotate/words.rs", 3, &["a switch that nodes have not confirmed"]),
    ("commands/rotate/back.rs", 1, &[TAKEN_BACK]),
    ("commands/import/waiting.rs", 2, &[EXTERNAL]),
    ("commands/rotate/elsewhere.rs", 4, &[EXTERNAL]),
    ("commands/rotate/status_parts.rs", 1, &[EXTERNAL]),
    ("commands/rotate/context.rs", 2, &[ROTATING]),
    ("commands/rotate/summary.rs", 1, &[SWITCHED]),
    ("commands/rotate/switch.rs", 1, &[SWITCHED]),
    ("commands/rotate/emergency.rs", 4, &[EMERGENCY]),
    ("commands/rotate/emergency_new.rs", 1, &[EMERGENCY]),
    ("commands/rotate/forget.rs", 3, &[FORGOTTEN]),
    ("commands/rotate/record.rs", 1, &[RECORDED]),
    ("commands/rotate/shown.rs", 1, &[RECORDED]),
    ("commands/rotate/scan/sought.rs", 1, &["junk that is sought"]),
    ("commands/rotate/prepare/asked.rs", 2, &[ROTATING]),
    ("commands/rotate/prepare/again.rs", 1, &["a controller manager that nobody has looked at"]),
    ("commands/rotate/prepare/authority.rs", 1, &[ROTATING]),
    ("commands/rotate/prepare/given.rs", 2, &["the old authority, given as the new one", ROTATING]),
    ("commands/rotate/prepare/ready.rs", 6, &["an authority that ends within the waits", ROTATING]),
    ("commands/rotate/prepare/whole.rs", 1, &[RENEWED]),
    ("commands/sign/jobs.rs", 1, &["nothing to sign"]),
    ("commands/unpack/identity.rs", 1, &[NO_HOST_NAME]),
    ("commands/sign/terms.rs", 2, &["an entry of an external authority", ISSUER]),
    ("cli/generate.rs", 2, &["no such page", "not a row: tests/kpki/docs.rs compares the two"]),
    (
        "error/export.rs",
        4,
        &[
            "missing for an export",
            "different for an export",
            "a name that was added, for an export",
            "an export with a CRL that has ended",
        ],
    ),
    (
        "error/import.rs",
        9,
        &[
            "nothing to import",
            "imported without a key",
            "several in one file",
            "imported too late",
            "imported unlike its request",
            "imported without an authority",
            EXTERNAL,
            ISSUER,
        ],
    ),
    ("error/nouns.rs", 3, &["a locked key", "a profile with a mistake", "not a row: tests/kpki/forms.rs opens a key"]),
    (
        "error/plan.rs",
        9,
        &[
            "an authority with its issuer",
            "requests before they are recorded",
            "a private key in ca.crt",
            "another algorithm",
            "a name that was added",
            "another endpoint",
            "an authority that was requested",
            "requested and made here",
            ISSUER,
        ],
    ),
    (
        "error/renew.rs",
        11,
        &[
            "an authority with its issuer, to renew",
            "an authority that was requested, to renew",
            "a node without a tree",
            "requested by name",
            "missing and made by name",
            "another issuer's",
            "files that are missing",
            "an authority that has expired",
            "an authority that ends with all it signed",
            "an authority of a node",
            "another authority on a node",
        ],
    ),
    ("error/renew_authority.rs", 5, &["an authority that would end earlier", "an authority without its key, to renew"]),
    ("error/revoke.rs", 3, &["no CRL in its place", "a number that nobody knows", "released and revoked"]),
    ("inventory/marks.rs", 1, &["a CRL that etcd does not read"]),
    ("error/unpack.rs", 2, &["an archive with another list"]),
    ("report/adopt.rs", 1, &["adopted", "adopted with a gap"]),
    ("report/backup/restored.rs", 1, &["restored from a backup"]),
    ("report/check/steps.rs", 13, &[CHECK]),
    ("report/export.rs", 3, &[EXPORTED]),
    ("report/history.rs", 1, &["restored"]),
    ("report/init/table.rs", 1, &["made without a key"]),
    ("report/remove_node/table.rs", 2, &["a node was removed", "a node was removed and comes back"]),
    ("report/renew/table.rs", 1, &["renewed"]),
    ("report/requests/table.rs", 2, &["requested before there is a tree", "imported"]),
    ("report/revoke/table.rs", 1, &["revoked and in use", "held on one node", "all of a node revoked"]),
    (
        "report/ship.rs",
        1,
        &["a node was added", "renewed in a cluster directory", "a node was removed", "all of a node revoked"],
    ),
    ("report/unpack.rs", 1, &["unpacked"]),
    ("verify/judge.rs", 1, &[NO_COMMAND]),
    ("verify/repair.rs", 5, &[VERIFY]),
    ("verify/rules/state.rs", 1, &[NO_COMMAND]),
    ("workspace/rotation/state.rs", 2, &[GATES]),
    ("workspace/profiles.rs", 1, &["a profile that is a directory"]),
    ("workspace/rotation/record.rs", 1, &[RECORDED]),
    ("workspace/rotation/remarks.rs", 3, &[ROTATED]),
];

const GATES: &str =
    "not a row: tests/kpki/rotate_{gate,confirm,status}.rs; kpki rotate status has an exit status of its own";
const ISSUER: &str = "not a row: tests/kpki/issuer.rs runs what is printed";
const KEYS: &str = "not a row: tests/kpki/key_verb.rs";
const ROTATED: &str = "not a row: tests/kpki/rotate_verbs.rs";
const TAKEN_BACK: &str = "not a row: tests/kpki/rotate_back.rs";
const EXTERNAL: &str = "not a row: tests/kpki/rotate_external.rs";
const EMERGENCY: &str = "not a row: tests/kpki/rotate_emergency.rs";
const SWITCHED: &str = "not a row: tests/kpki/rotate_switch.rs";
const FORGOTTEN: &str = "not a row: tests/kpki/rotate_forget.rs";
const RECORDED: &str = "not a row: tests/kpki/rotate_record.rs";
const CHECK: &str = "not a row: tests/kpki/advice/check.rs";
const VERIFY: &str = "not a row: tests/kpki/verify_trees/repair.rs";
const NO_COMMAND: &str = "not a row: it names the verb for other files, and no command";
const SOURCES: &str = "not a row: tests/kpki/rotate_sources.rs records the profile, and renews with its key";
const ROTATING: &str = "not a row: tests/kpki/rotate_prepare.rs, and the steps that it names have tests of their own";
const RENEWED: &str = "not a row: what another authority has signed is renewed in tests/kpki/renew";
const NO_HOST_NAME: &str = "not a row: every machine that tests has a name";
const ROLLED_BACK: &str = "not a row: a disk that fails while a hook does; what it names is what `renewed` runs";
const EXPORTED: &str = "not a row: it is unpacked to /, and is run with a directory in its place by `exported` below";

/// The text of the program, without comments and tests.
fn sources() -> BTreeMap<String, String> {
    let root = repository("src");
    let mut all = BTreeMap::new();
    for entry in walkdir::WalkDir::new(&root).sort_by_file_name() {
        let path = entry.unwrap().into_path();
        let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        if name.ends_with(".rs") && !name.ends_with("tests.rs") && !name.contains("tests/") {
            let text = fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned();
            let is_code = |line: &&str| !line.trim_start().starts_with("//");
            all.insert(name, text.lines().filter(is_code).collect::<Vec<_>>().join("\n"));
        }
    }
    assert!(all.len() > 300, "{}", all.len());
    all
}

fn printed(text: &str) -> usize {
    const MARKS: [&str; 8] = [
        ": kpki ",
        "tree.command(",
        "origin.command(",
        "origin.renewal(",
        "command_by_profile(",
        "command_for_fleet(",
        "renew_and_ship(",
        "[ship(",
    ];
    let composed = text.matches("ProfileAt::Recorded).command(").count();
    let line = |line: &str| MARKS.iter().map(|mark| line.matches(mark).count()).sum::<usize>();
    text.lines().map(line).sum::<usize>() + composed
}

#[test]
fn what_prints_a_command_has_a_row_that_runs_it() {
    let rows = errors::names();
    let mut found = BTreeMap::new();
    for (name, text) in sources() {
        // The words of help are examples, of a tree that the reader knows.
        let is_help = name.starts_with("cli/") && name != "cli/generate.rs";
        let count = printed(&text);
        if count > 0 && !is_help && !["tree/origin.rs", "tree/safe_host.rs"].contains(&name.as_str()) {
            found.insert(name, count);
        }
    }
    let known: BTreeMap<String, usize> = PRINTED.iter().map(|(name, count, _)| ((*name).to_owned(), *count)).collect();
    assert_eq!(found, known, "a command was added or removed: give it a row");
    for (name, _, run) in PRINTED {
        assert!(!run.is_empty(), "{name}");
        for one in run.iter().filter(|one| !one.starts_with("not a row: ")) {
            assert!(rows.contains(one), "{name}: there is no row {one:?}");
        }
    }
}

/// The command of kpki behind each mention of it: its verb, and the options behind that in the same sentence.
fn mentions(text: &str) -> Vec<(Vec<String>, Vec<String>)> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("kpki ") {
        let before = text[..at].chars().next_back().unwrap_or(' ');
        if before.is_alphanumeric() || "-_/.".contains(before) {
            continue;
        }
        let line = text[at + 5..].lines().next().unwrap_or_default();
        let line = line.split(['`', '"', ';', '|', ')', '(', '>']).next().unwrap_or_default();
        let line = line.split("kpki ").next().unwrap_or_default();
        let mut verb = Vec::new();
        let mut options = Vec::new();
        for word in line.split_whitespace() {
            let ends = word.ends_with([',', '.', ':']);
            let word = word.trim_end_matches([',', '.', ':', '\\', '\'', ']']);
            if let Some(option) = word.trim_start_matches('[').strip_prefix("--") {
                options.push(option.split('=').next().unwrap_or_default().to_owned());
            } else if options.is_empty() && verb.len() < 2 {
                verb.push(word.to_owned());
            }
            if ends {
                break;
            }
        }
        found.push((verb, options));
    }
    found
}

#[test]
fn every_command_that_is_mentioned_exists() {
    let mut texts = sources();
    for name in [
        "README.md",
        "CHANGELOG.md",
        "ARCHITECTURE.md",
        "docs/add-a-name.md",
        "docs/fleet-in-ci.md",
        "docs/install.md",
        "docs/renewal-policy.md",
        "docs/replacing-an-authority.md",
        "docs/take-over-a-kubeadm-cluster.md",
        "docs/cert-manager.md",
        "docs/renew-in-kubernetes.md",
        "deploy/README.md",
        "examples/signers/README.md",
        "examples/issuers/README.md",
    ] {
        texts.insert(name.to_owned(), fs::read_to_string(repository(name)).unwrap());
    }
    texts.extend(crate::documents::pages());
    for entry in fs::read_dir(repository("man")).unwrap() {
        let path = entry.unwrap().path();
        texts.insert(path.display().to_string(), fs::read_to_string(path).unwrap().replace("\\-", "-"));
    }
    let program = cli::command();
    let mut seen = 0;
    for (name, text) in texts {
        for (verb, options) in mentions(&text) {
            let Some(mut command) = verb.first().and_then(|word| program.find_subcommand(word)) else { continue };
            if let Some(inner) = verb.get(1).and_then(|word| command.find_subcommand(word)) {
                command = inner;
            }
            seen += 1;
            for option in options.iter().filter(|option| !["help", "version", ""].contains(&option.as_str())) {
                let is_it = |argument: &clap::Arg| {
                    let aliases = argument.get_all_aliases().unwrap_or_default();
                    argument.get_long() == Some(option) || aliases.contains(&option.as_str())
                };
                // What was said of earlier releases stays as it was.
                let was = |row: &Renamed| row.old == format!("--{option}") && row.verbs.contains(&command.get_name());
                let is_known = command.get_arguments().any(is_it) || name == "CHANGELOG.md" && RENAMED.iter().any(was);
                assert!(is_known, "{name}: kpki {} has no --{option}", verb.join(" "));
            }
        }
    }
    assert!(seen > 400, "{seen}");
}
