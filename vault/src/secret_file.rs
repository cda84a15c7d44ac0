//! Files that hold a secret or decide who is trusted: bounded, regular, and nobody else's.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags, fstat, open};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::text::shell_path;

/// Who may do what with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// A token or an id: others may not read it. The group may, as with systemd's credentials and Kubernetes' fsGroup.
    Secret,
    /// Whoever replaces it decides which server gets the token.
    Trusted,
    /// Kubernetes' projected tokens are readable by the whole pod.
    OfThePod,
}

impl Rule {
    /// The permissions that are too many.
    fn refused(self) -> u32 {
        match self {
            Self::Secret => 0o027,
            Self::Trusted | Self::OfThePod => 0o022,
        }
    }
}

/// More is a wrong file.
const LONGEST: u64 = 64 << 10;

/// What is to be sent as one value: the file's only line.
pub fn line(path: &Path, rule: Rule) -> Result<Zeroizing<String>, Error> {
    let bytes = read(path, rule, LONGEST)?;
    let text = std::str::from_utf8(&bytes).map(str::trim);
    match text {
        Ok(text) if is_word(text) => Ok(Zeroizing::new(text.to_owned())),
        _ => Err(Error::usage(format!("{}: expected one word on one line", path.display()))),
    }
}

/// As tokens and ids are, and as a header of HTTP can hold it.
pub fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic())
}

/// A symlink is followed, as Kubernetes mounts secrets by them; what is judged is what was opened.
pub fn read(path: &Path, rule: Rule, most: u64) -> Result<Zeroizing<Vec<u8>>, Error> {
    let shown = path.display();
    let failed = |why: &dyn std::fmt::Display| Error::usage(format!("cannot read {shown}")).because(why);
    // A pipe would wait for its writer.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file = open(path, flags, Mode::empty()).map_err(|why| failed(&why))?;
    let stat = fstat(&file).map_err(|why| failed(&why))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(failed(&"expected a regular file"));
    }
    let us = rustix::process::geteuid().as_raw();
    if stat.st_uid != us && stat.st_uid != 0 {
        let why = format!("expected this user or root as its owner, found user {}", stat.st_uid);
        return Err(failed(&why).hint(format!("chown {us} {}", shell_path(path))));
    }
    let mode = stat.st_mode & 0o777;
    if mode & rule.refused() != 0 {
        let (expected, chmod) = match rule {
            Rule::Secret => ("nothing for others and no writing for its group", "g-w,o-rwx"),
            Rule::Trusted | Rule::OfThePod => ("no writing for its group and others", "go-w"),
        };
        let why = format!("expected {expected}, found mode {mode:04o}");
        return Err(failed(&why).hint(format!("chmod {chmod} {}", shell_path(path))));
    }
    let mut bytes = Zeroizing::new(Vec::new());
    File::from(file).take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(|why| failed(&why))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > most {
        return Err(failed(&format!("it is larger than {most} bytes")));
    }
    Ok(bytes)
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)] // tests make files
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn by_mode_and_content() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("token");
        for (mode, text, secret, pod) in [
            (0o600, "s.abc\n", true, true),
            (0o400, " s.abc \r\n", true, true),
            (0o640, "s.abc", true, true),
            (0o644, "s.abc", false, true),
            (0o660, "s.abc", false, false),
            (0o666, "s.abc", false, false),
            (0o600, "", false, false),
            (0o600, "two\nlines", false, false),
            (0o600, "two words", false, false),
            (0o600, "\u{1b}", false, false),
        ] {
            let _ = fs::remove_file(&path);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            for (rule, expected) in [(Rule::Secret, secret), (Rule::OfThePod, pod)] {
                let found = line(&path, rule);
                assert_eq!(found.is_ok(), expected, "{mode:o} {text:?} {rule:?}: {found:?}");
                if let Ok(found) = found {
                    assert_eq!(*found, "s.abc");
                }
            }
        }
    }

    #[test]
    fn only_regular_files_and_bounded() {
        let place = tempfile::tempdir().unwrap();
        let (large, link, fifo) = (place.path().join("large"), place.path().join("link"), place.path().join("fifo"));
        fs::write(&large, vec![b'a'; 70_000]).unwrap();
        fs::set_permissions(&large, fs::Permissions::from_mode(0o600)).unwrap();
        symlink(&large, &link).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, Mode::from_raw_mode(0o600)).unwrap();
        for path in [place.path(), &fifo, &large, &link, Path::new("/dev/zero"), Path::new("/nowhere")] {
            assert!(line(path, Rule::Secret).is_err(), "{}", path.display());
        }
        fs::write(&large, "s.abc").unwrap();
        assert_eq!(*line(&link, Rule::Secret).unwrap(), "s.abc");
    }
}
