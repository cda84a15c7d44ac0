//! The files that a command runs, as far as its words show them: programs by name or path, and scripts that are given to an
//! interpreter. What those run in turn is their owner's business.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::files::{self, TrustError};
use crate::profile::Command;

/// Where programs are looked up without a PATH of our own, as dash does.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// After which a command begins.
const KEYWORDS: [&str; 10] = ["if", "then", "else", "elif", "while", "until", "do", "!", "{", "exec"];
/// What runs a file that need not be executable.
const INTERPRETERS: [&str; 9] = [".", "source", "sh", "bash", "dash", "python", "python3", "perl", "ruby"];

/// Refuses a command whose programs somebody else could have written.
pub fn check(command: &Command, path: Option<&OsStr>) -> Result<(), TrustError> {
    let path = path.unwrap_or_else(|| OsStr::new(DEFAULT_PATH));
    for file in files_of(&words(command), |name| found(name, path), files::is_executable) {
        files::trusted(&file)?;
        // The interpreter of a script may be a script itself; the kernel follows four.
        let mut script = file;
        for _ in 0..4 {
            let Some(interpreter) = interpreter(&script) else { break };
            files::trusted(&interpreter)?;
            script = interpreter;
        }
    }
    Ok(())
}

/// What runs a script, by its first line.
fn interpreter(script: &Path) -> Option<PathBuf> {
    let mut start = [0; 256];
    let filled = files::look(script).ok()??.fill(&mut start, 0).ok()?;
    let line = start.get(..filled)?.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let words = line.trim_ascii().split(u8::is_ascii_whitespace);
    words.into_iter().next().map(|word| Path::new("/").join(OsStr::from_bytes(word)))
}

/// A word of a command, and whether a command begins with it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Word {
    text: String,
    is_first: bool,
}

fn words(command: &Command) -> Vec<Word> {
    match command {
        Command::Shell(text) => split(text),
        Command::Program(words) => {
            words.iter().enumerate().map(|(at, text)| Word { text: text.clone(), is_first: at == 0 }).collect()
        }
    }
}

/// The words of a shell's text: quotes and backslashes are read, nothing is expanded.
fn split(text: &str) -> Vec<Word> {
    let (mut words, mut word, mut is_first) = (Vec::new(), None::<String>, true);
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\\', None | Some('"')) => word.get_or_insert_default().extend(chars.next()),
            (c, Some(q)) if c == q => quote = None,
            ('\'' | '"', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, None) if c.is_whitespace() || ";|&()<>`".contains(c) => {
                if let Some(text) = word.take() {
                    let begins = is_first && KEYWORDS.contains(&text.as_str());
                    words.push(Word { text, is_first });
                    is_first = begins;
                }
                is_first |= "\n;|&(`".contains(c);
            }
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word.map(|text| Word { text, is_first }));
    words
}

/// The files among the words.
fn files_of(
    words: &[Word],
    found: impl Fn(&str) -> Option<PathBuf>,
    is_executable: impl Fn(&Path) -> bool,
) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut is_script = false;
    for Word { text, is_first } in words {
        let path = Path::new(text);
        if *is_first {
            is_script = path.file_name().and_then(OsStr::to_str).is_some_and(|name| INTERPRETERS.contains(&name));
        }
        match text.contains('/') {
            // Hooks run in /.
            true if *is_first || is_script || is_executable(path) => files.push(Path::new("/").join(path)),
            false if *is_first => files.extend(found(text)),
            _ => {}
        }
    }
    files
}

/// The program that a name stands for.
fn found(name: &str, path: &OsStr) -> Option<PathBuf> {
    let directories = path.to_str()?.split(':');
    directories.map(|dir| Path::new("/").join(dir).join(name)).find(|file| files::is_executable(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_and_scripts_are_found_among_the_words() {
        let found = |name: &str| (!["if", "then", "fi", "exec"].contains(&name)).then(|| Path::new("/bin").join(name));
        let is_executable = |path: &Path| path.starts_with("/opt");
        for (text, files) in [
            ("/opt/hook.sh a b", &["/opt/hook.sh"][..]),
            ("/srv/hook a", &["/srv/hook"]),
            ("  systemctl restart x", &["/bin/systemctl"]),
            ("sh /srv/hook.sh", &["/bin/sh", "/srv/hook.sh"]),
            ("/bin/sh -e '/srv/my hook'", &["/bin/sh", "/srv/my hook"]),
            ("/bin/sh -e /srv/my\\ hook", &["/bin/sh", "/srv/my hook"]),
            ("echo /opt/a;/srv/b&&c|d", &["/bin/echo", "/opt/a", "/srv/b", "/bin/c", "/bin/d"]),
            ("echo x >> /srv/log", &["/bin/echo"]),
            ("if test -e /srv/x\nthen \"/srv/y\"; fi", &["/bin/test", "/srv/y"]),
            ("exec ./a `b`", &["/./a", "/bin/b"]),
            ("./a", &["/./a"]),
            ("env x=1 /opt/a", &["/bin/env", "/opt/a"]),
            ("", &[]),
        ] {
            let expected: Vec<PathBuf> = files.iter().map(PathBuf::from).collect();
            assert_eq!(files_of(&split(text), found, is_executable), expected, "{text}");
        }
        let words = words(&Command::Program(vec!["/opt/a".into(), "b c".into(), "/opt/d".into()]));
        assert_eq!(files_of(&words, found, is_executable), [PathBuf::from("/opt/a"), PathBuf::from("/opt/d")]);
    }

    #[test]
    #[allow(clippy::disallowed_methods)] // scripts are laid out by hand
    fn the_interpreter_of_a_script_is_its_first_lines() {
        let dir = tempfile::tempdir().unwrap();
        for (text, expected) in [
            ("#!/bin/sh\ntrue\n", Some("/bin/sh")),
            ("#! /usr/bin/env python3\n", Some("/usr/bin/env")),
            ("#!relative\n", Some("/relative")),
            ("true\n", None),
            ("", None),
        ] {
            let script = dir.path().join("script");
            std::fs::write(&script, text).unwrap();
            assert_eq!(interpreter(&script), expected.map(PathBuf::from), "{text}");
        }
        let (open, script) = (dir.path().join("open"), dir.path().join("script"));
        std::fs::write(&open, "").unwrap();
        std::fs::set_permissions(&open, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
        std::fs::write(&script, format!("#!{}\n", open.display())).unwrap();
        std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        assert!(check(&Command::Program(vec![script.display().to_string()]), None).is_err());
    }

    #[test]
    fn a_name_is_looked_up_in_the_path() {
        assert_eq!(found("sh", OsStr::new("/no/such:/bin")), Some("/bin/sh".into()));
        assert_eq!(found("sh", OsStr::new("/no/such")), None);
        assert!(check(&Command::Shell("sh -c true".into()), None).is_ok());
    }
}
