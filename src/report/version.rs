//! What `kpki version` says.

use std::io::{self, Write};

use serde::Serialize;

use super::form::{Report, Screen};

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind")]
pub struct Version {
    pub version: &'static str,
    /// Of the source, where the build was told it (`KPKI_COMMIT`).
    pub commit: Option<&'static str>,
    /// As rustc names it.
    pub target: &'static str,
    pub compiler: &'static str,
    /// Those that sign, verify, parse and speak TLS.
    pub libraries: Vec<Library>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Library {
    pub name: &'static str,
    pub version: &'static str,
}

impl Version {
    /// `libraries`: "NAME VERSION,...".
    pub fn new(commit: Option<&'static str>, libraries: &'static str) -> Self {
        let libraries = libraries.split(',').filter_map(|one| one.split_once(' '));
        Self {
            version: env!("CARGO_PKG_VERSION"),
            commit: commit.filter(|commit| !commit.is_empty()),
            target: env!("KPKI_TARGET"),
            compiler: env!("KPKI_COMPILER"),
            libraries: libraries.map(|(name, version)| Library { name, version }).collect(),
        }
    }

    /// Of this program.
    pub fn of_this() -> Self {
        Self::new(option_env!("KPKI_COMMIT"), env!("KPKI_LIBRARIES"))
    }
}

impl Report for Version {
    fn text(&self, _: Screen, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "kpki {}", self.version)?;
        if let Some(commit) = self.commit {
            writeln!(out, "commit    {commit}")?;
        }
        writeln!(out, "target    {}", self.target)?;
        writeln!(out, "compiler  {}", self.compiler)?;
        for (at, Library { name, version }) in self.libraries.iter().enumerate() {
            let heading = if at == 0 { "libraries" } else { "" };
            writeln!(out, "{heading:9} {name} {version}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commit_is_said_if_the_build_was_told_it() {
        let text = |version: &Version| {
            let mut out = Vec::new();
            let now = time::OffsetDateTime::UNIX_EPOCH;
            version.text(Screen { now, width: None, wide: false }, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        let with = text(&Version::new(Some("0123abc"), "ring 0.17.14,rcgen 0.14.10"));
        assert!(with.contains("\ncommit    0123abc\n"), "{with}");
        assert!(with.ends_with("\nlibraries ring 0.17.14\n          rcgen 0.14.10\n"), "{with}");
        for none in [None, Some("")] {
            assert!(!text(&Version::new(none, "ring 0.17.14")).contains("commit"));
        }
    }
}
