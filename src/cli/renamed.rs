//! Flags that have another name since a release: the old name is understood for one release longer, with a warning. What it
//! means is said on the command line before it is parsed, so that help and completions know the new names only.

use std::ffi::{OsStr, OsString};

use super::line;

/// A flag of these verbs.
#[derive(Debug, PartialEq, Eq)]
pub struct Renamed {
    pub verbs: &'static [&'static str],
    pub old: &'static str,
    pub new: &'static str,
}

/// One name has one meaning everywhere: `--ca` is a file with the certificate of an authority, `-n` a node.
pub const RENAMED: &[Renamed] = &[
    Renamed { verbs: &["revoke", "hold", "release"], old: "--ca", new: "--authority" },
    Renamed { verbs: &["sign"], old: "--ca", new: "--intermediate" },
    Renamed { verbs: &["convert"], old: "-n", new: "--namespace" },
];

/// The command line in today's names, and a warning for each earlier one in it.
pub fn current(arguments: Vec<OsString>) -> (Vec<OsString>, Vec<String>) {
    let verb = line::words(&arguments).first().map(|word| (*word).to_owned());
    let mut used: Vec<&Renamed> = Vec::new();
    let mut values_only = false;
    let renamed = arguments.into_iter().map(|argument| {
        values_only |= argument == "--";
        let found = RENAMED.iter().filter(|_| !values_only).find_map(|row| {
            let of_verb = verb.as_deref().is_some_and(|verb| row.verbs.contains(&verb));
            let now = of_verb.then(|| in_place_of(row, &argument)).flatten()?;
            Some((row, now))
        });
        let Some((row, now)) = found else { return argument };
        if !used.contains(&row) {
            used.push(row);
        }
        now
    });
    let renamed = renamed.collect();
    let verb = verb.unwrap_or_default();
    let warning = |row: &&Renamed| {
        format!(
            "{} of kpki {verb} is {} now; the old name is understood in this release and not in the next",
            row.old, row.new
        )
    };
    (renamed, used.iter().map(warning).collect())
}

/// `--ca`, `--ca=ca`, `-n pki` and `-npki`.
fn in_place_of(row: &Renamed, argument: &OsStr) -> Option<OsString> {
    let rest = argument.to_str()?.strip_prefix(row.old)?;
    let is_short = !row.old.starts_with("--");
    match rest.strip_prefix('=') {
        _ if rest.is_empty() => Some(row.new.into()),
        Some(value) => Some(format!("{}={value}", row.new).into()),
        None if is_short => Some(format!("{}={rest}", row.new).into()),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now(line: &str) -> (String, usize) {
        let (words, warnings) = current(line.split(' ').map(OsString::from).collect());
        let words: Vec<_> = words.iter().map(|word| word.to_str().unwrap()).collect();
        (words.join(" "), warnings.len())
    }

    #[test]
    fn old_names_are_understood_and_said_once() {
        for (line, expected, warnings) in [
            ("kpki revoke --serial 1 --ca ca", "kpki revoke --serial 1 --authority ca", 1),
            ("kpki -q hold --ca=ca --ca=x", "kpki -q hold --authority=ca --authority=x", 1),
            ("kpki sign a.csr --ca --ca-cert x", "kpki sign a.csr --intermediate --ca-cert x", 1),
            ("kpki --color never convert x -n pki", "kpki --color never convert x --namespace pki", 1),
            ("kpki convert x -npki", "kpki convert x --namespace=pki", 1),
            ("kpki crl check --ca x", "kpki crl check --ca x", 0),
            ("kpki renew all -n cp1", "kpki renew all -n cp1", 0),
            ("kpki convert --to pem -- -n", "kpki convert --to pem -- -n", 0),
            ("kpki", "kpki", 0),
        ] {
            assert_eq!(now(line), (expected.to_owned(), warnings), "{line}");
        }
    }
}
