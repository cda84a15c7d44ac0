//! The tree that kubeadm's directories name: certificates in `--cert-dir`, kubeconfigs in `--kubeconfig-dir`.

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::files;
use crate::profile::{CertificatesDir, GATHERED, Profile};
use crate::tree::layout::DEFAULT_DIR;
use crate::workspace::profiles;
use crate::workspace::state::{Choices, State};

/// As on kubeadm's command line.
#[derive(Debug, Clone, Default)]
pub struct KubeadmDirs {
    pub certificates: Option<PathBuf>,
    pub kubeconfigs: Option<PathBuf>,
    /// A kubeadm configuration or a profile; `-` is standard input.
    pub config: Option<PathBuf>,
    pub node: Option<String>,
    pub hostname: Option<String>,
}

/// What shows that a directory without a profile is a node's: kubeadm writes each of them.
const KUBECONFIGS: [&str; 4] = ["admin.conf", "controller-manager.conf", "scheduler.conf", "kubelet.conf"];

impl KubeadmDirs {
    /// kpki has one directory for both. That of the kubeconfigs, where its certificates are in the other one: in its `pki`, or
    /// where its profile has them.
    pub fn tree(&self) -> Result<PathBuf, Error> {
        let (etc, given) = (PathBuf::from(DEFAULT_DIR), self.kubeconfigs.clone());
        let Some(pki) = &self.certificates else {
            let dir = given.unwrap_or(etc);
            return self.follows_config(&dir).map(|()| dir);
        };
        if let Some(dir) = given {
            let found = self.certificates_of(&dir)?;
            return if same(&found, pki) { Ok(dir) } else { Err(self.apart(pki, &dir, &found)) };
        }
        if same(&self.certificates_of(&etc)?, pki) {
            return Ok(etc);
        }
        // `pki` alone is below the current directory.
        let above = std::path::absolute(pki).ok().and_then(|pki| pki.parent().map(Path::to_owned)).unwrap_or_default();
        let dir = pki.parent().filter(|dir| !dir.as_os_str().is_empty()).map_or(above, Path::to_owned);
        let found = self.certificates_of(&dir)?;
        if !same(&found, pki) {
            return Err(self.apart(pki, &dir, &found));
        }
        // kubeadm would go on with the kubeconfigs of this machine.
        if KUBECONFIGS.iter().any(|name| files::what(None, &dir.join(name)).is_some()) {
            return Ok(dir);
        }
        Err(Error::usage(format!("there are no kubeconfigs beside --cert-dir {}", pki.display()))
            .because(format!("expected {} in {}, as kubeadm makes them", KUBECONFIGS.join(", "), dir.display()))
            .hint("say where they are, or are to be, with --kubeconfig-dir DIR"))
    }

    /// Refuses a configuration whose certificates are elsewhere, where those gathered below `dir` would be taken. One with kubeadm's
    /// own directory means a copy of it as well.
    fn follows_config(&self, dir: &Path) -> Result<(), Error> {
        let Some(profile) = self.config.as_ref().and(self.profile(dir)?) else { return Ok(()) };
        let (stated, taken) = (PathBuf::from(&profile.certificates_dir), dir.join(GATHERED));
        let is_gathered = profile.certificates_in(&absolute(dir)) == CertificatesDir::Gathered;
        if !is_gathered || same(&stated, &taken) {
            return Ok(());
        }
        let (beside, stated, taken) = (stated.parent().unwrap_or(&stated).display(), stated.display(), taken.display());
        Err(Error::usage(format!(
            "the configuration has the certificates in {stated}, and those in {taken} would be taken"
        ))
        .because(format!("its certificatesDir is not where {} has them", dir.display()))
        .hint(format!("if the second are meant, say so: --cert-dir {taken}"))
        .hint(format!(
            "if the first are, with their kubeconfigs in {beside}: --cert-dir {stated}, and no --kubeconfig-dir"
        )))
    }

    /// Where the certificates of the tree in `dir` are.
    fn certificates_of(&self, dir: &Path) -> Result<PathBuf, Error> {
        let of = |profile: Profile| profile.certificates_in(&absolute(dir)).path(dir);
        Ok(self.profile(dir)?.map_or_else(|| dir.join(GATHERED), of))
    }

    /// The profile that is given, or recorded in `dir`. What is wrong with it the verb says.
    fn profile(&self, dir: &Path) -> Result<Option<Profile>, Error> {
        let fresh = || Choices {
            hostname: self.hostname.clone(),
            node: self.node.clone(),
            advertise_address: profiles::advertised(dir),
            ..Choices::default()
        };
        let profile = match self.config.as_deref() {
            Some(file) => Some((State { profile: profiles::read(file)?, choices: fresh() }, profiles::name(file))),
            None => State::read(dir)?.map(|state| (state, dir.display().to_string())),
        };
        let loaded = profile.and_then(|(state, name)| profiles::load_state(&state, &name).ok());
        Ok(loaded.map(|loaded| loaded.profile))
    }

    fn apart(&self, pki: &Path, dir: &Path, found: &Path) -> Error {
        let what = format!("--cert-dir {} and the kubeconfigs in {} are not one tree", pki.display(), dir.display());
        let error = Error::usage(what).because(format!("expected its certificates in {}", found.display()));
        // Only a node's own directory, or that of its file system, has them where certificatesDir says.
        let helps = self.config.is_none() && absolute(dir).ends_with(DEFAULT_DIR.trim_start_matches('/'));
        let configured = "certificates outside of DIR/pki are found by certificatesDir of a configuration: give it with --config FILE";
        helps
            .then_some(configured)
            .into_iter()
            .fold(error, Error::hint)
            .hint("for a copy of both, name them together: --cert-dir DIR/pki --kubeconfig-dir DIR")
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// By their names: neither needs to exist.
fn same(one: &Path, other: &Path) -> bool {
    absolute(one) == absolute(other)
}
