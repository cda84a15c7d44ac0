//! Where a verb finds a tree and its profile, and the commands that a person is told to run there.

use std::path::{Path, PathBuf};

use crate::catalog::CaId;
use crate::files::{shell_path, shell_word};
use crate::profile::GATHERED;

/// A tree as a command line names it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// A node's kubernetes directory or a cluster directory; of files that are in no tree, where they were found.
    pub dir: String,
    pub profile: ProfileAt,
    /// What was said on the command line, and what nothing records.
    pub node: Option<String>,
    pub kubelet_dir: Option<String>,
    /// The directory of its certificates, where that is not its `pki`.
    pub pki: Option<String>,
    /// The directory of many profiles, where the tree is one of its trees.
    pub fleet: Option<String>,
    /// Where the trees of these profiles are, if not beside them.
    pub state: Option<String>,
}

/// Where the profile of a tree is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ProfileAt {
    /// It was given.
    File(String),
    /// In the directory's own `.kpki`.
    Recorded,
    /// It is a kubernetes directory without one.
    #[default]
    Unknown,
    /// It is no tree: files that were found by walking.
    NoTree,
}

impl Origin {
    pub fn new(dir: impl Into<String>, profile: ProfileAt) -> Self {
        Self { dir: dir.into(), profile, ..Self::default() }
    }

    /// Where its certificates are.
    pub fn pki(&self) -> PathBuf {
        self.pki.as_ref().map_or_else(|| Path::new(&self.dir).join(GATHERED), PathBuf::from)
    }

    /// The whole of a cluster directory, of which `--node` chose a part.
    #[must_use]
    pub fn whole(&self) -> Self {
        Self { node: None, ..self.clone() }
    }

    /// For verbs that take the directory alone, and know it by what it records.
    #[must_use]
    pub fn recorded(&self) -> Self {
        Self::new(self.dir.clone(), ProfileAt::Recorded)
    }

    pub fn is_tree(&self) -> bool {
        self.profile != ProfileAt::NoTree
    }

    /// `kpki VERB NAME... OPTION... --profile FILE --dir DIR`, in the words of a shell. `verb`: of kpki, as it is typed.
    pub fn command<N: AsRef<str>>(&self, verb: &str, names: &[N], options: &[&str]) -> String {
        self.composed(verb, names, options, false)
    }

    /// The same for what cannot be done without a profile: where none is known, the person has to name it as FILE.
    pub fn command_by_profile<N: AsRef<str>>(&self, verb: &str, names: &[N], options: &[&str]) -> String {
        self.composed(verb, names, options, true)
    }

    /// The next certificate of an authority for the same key.
    pub fn renewal(&self, authority: CaId) -> String {
        self.whole().command("renew", &[authority.name()], &[])
    }

    /// One command for every tree beside it; `None`: it is no tree of a fleet.
    pub fn command_for_fleet(&self, verb: &str, names: &[&str], options: &[&str]) -> Option<String> {
        let dir = self.fleet.as_ref()?;
        let state = self.state.as_ref().map(|state| format!(" --state {}", shell_path(state))).unwrap_or_default();
        Some(words(verb, names, options) + " --profiles " + &shell_path(dir) + &state)
    }

    fn composed<N: AsRef<str>>(&self, verb: &str, names: &[N], options: &[&str], by_profile: bool) -> String {
        // A node of a cluster directory may be called so that its entries look like options.
        let (first, last) = match names.iter().any(|name| name.as_ref().starts_with('-')) {
            true => (&[][..], names),
            false => (names, &[][..]),
        };
        let mut command = words(verb, first, options);
        match &self.profile {
            ProfileAt::File(file) => command += &format!(" --profile {}", shell_path(file)),
            ProfileAt::Unknown | ProfileAt::NoTree if by_profile => command += " --profile FILE",
            ProfileAt::Recorded | ProfileAt::Unknown | ProfileAt::NoTree => {}
        }
        command += &format!(" --dir {}", shell_path(&self.dir));
        if let Some(node) = &self.node {
            command += &format!(" --node {}", shell_word(node));
        }
        if let Some(dir) = &self.kubelet_dir {
            command += &format!(" --kubelet-dir {}", shell_path(dir));
        }
        if last.is_empty() { command } else { command + " --" + &quoted(last) }
    }
}

fn words<N: AsRef<str>>(verb: &str, names: &[N], options: &[&str]) -> String {
    format!("kpki {verb}{}{}", quoted(names), quoted(options))
}

fn quoted<N: AsRef<str>>(all: &[N]) -> String {
    all.iter().map(|word| format!(" {}", shell_word(word.as_ref()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_names_the_tree_as_it_was_named() {
        let given = Origin {
            node: Some("cp1".to_owned()),
            kubelet_dir: Some("-k".to_owned()),
            fleet: Some("my clusters".to_owned()),
            ..Origin::new("my clusters/a", ProfileAt::File("my clusters/a.yaml".to_owned()))
        };
        let names = ["apiserver", "cp1/etcd $x"];
        for (origin, plain, by_profile) in [
            (
                given.clone(),
                "--profile 'my clusters/a.yaml' --dir 'my clusters/a' --node cp1 --kubelet-dir ./-k",
                "--profile 'my clusters/a.yaml' --dir 'my clusters/a' --node cp1 --kubelet-dir ./-k",
            ),
            (Origin::new("-d", ProfileAt::Recorded), "--dir ./-d", "--dir ./-d"),
            (Origin::new("d", ProfileAt::Unknown), "--dir d", "--profile FILE --dir d"),
        ] {
            let command = |rest: &str| format!("kpki renew apiserver 'cp1/etcd $x' --due {rest}");
            assert_eq!(origin.command("renew", &names, &["--due"]), command(plain));
            assert_eq!(origin.command_by_profile("renew", &names, &["--due"]), command(by_profile));
        }
        assert_eq!(given.recorded().command("key protect", &["ca"], &[]), "kpki key protect ca --dir 'my clusters/a'");
        let recorded = Origin::new("d", ProfileAt::Recorded);
        assert_eq!(recorded.command("release", &["-n/apiserver"], &[]), "kpki release --dir d -- -n/apiserver");
        assert_eq!(recorded.command_for_fleet("renew", &["all"], &["--due"]), None);
        let fleet = given.command_for_fleet("renew", &["all"], &["--due"]);
        assert_eq!(fleet.as_deref(), Some("kpki renew all --due --profiles 'my clusters'"));
        let apart = Origin { state: Some("my trees".to_owned()), ..given };
        let fleet = apart.command_for_fleet("renew", &["all"], &["--due"]);
        assert_eq!(fleet.as_deref(), Some("kpki renew all --due --profiles 'my clusters' --state 'my trees'"));
    }
}
