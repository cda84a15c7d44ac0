//! The tree that kubeadm's directories name: certificates in `--cert-dir`, kubeconfigs in `--kubeconfig-dir`.

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::files;
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
        let Some(pki) = &self.certificates else { return Ok(given.unwrap_or(etc)) };
        if let Some(dir) = given {
            let found = self.certificates_of(&dir)?;
            return if same(&found, pki) { Ok(dir) } else { Err(apart(pki, &dir, &found)) };
        }
        if same(&self.certificates_of(&etc)?, pki) {
            return Ok(etc);
        }
        // `pki` alone is below the current directory.
        let above = std::path::absolute(pki).ok().and_then(|pki| pki.parent().map(Path::to_owned)).unwrap_or_default();
        let dir = pki.parent().filter(|dir| !dir.as_os_str().is_empty()).map_or(above, Path::to_owned);
        let found = self.certificates_of(&dir)?;
        if !same(&found, pki) {
            return Err(apart(pki, &dir, &found));
        }
        // kubeadm would go on with the kubeconfigs of this machine.
        if KUBECONFIGS.iter().any(|name| files::what(None, &dir.join(name)).is_some()) {
            return Ok(dir);
        }
        Err(Error::usage(format!("there are no kubeconfigs beside --cert-dir {}", pki.display()))
            .because(format!("expected {} in {}, as kubeadm makes them", KUBECONFIGS.join(", "), dir.display()))
            .hint("say where they are, or are to be, with --kubeconfig-dir DIR"))
    }

    /// Where the certificates of the tree in `dir` are.
    fn certificates_of(&self, dir: &Path) -> Result<PathBuf, Error> {
        let fresh = || Choices {
            hostname: self.hostname.clone(),
            node: self.node.clone(),
            advertise_address: profiles::advertised(dir),
            ..Choices::default()
        };
        let profile = match self.config.as_deref() {
            // It is read once, by the verb.
            Some(stdin) if profiles::is_stdin(stdin) => None,
            Some(file) => {
                Some((State { profile: profiles::read(file)?, choices: fresh() }, file.display().to_string()))
            }
            None => State::read(dir)?.map(|state| (state, dir.display().to_string())),
        };
        // What is wrong with it the verb says.
        let loaded = profile.and_then(|(state, name)| profiles::load_state(&state, &name).ok());
        let absolute = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
        let gathered = dir.join(crate::profile::GATHERED);
        Ok(loaded.map_or(gathered, |loaded| loaded.profile.certificates_in(&absolute).path(dir)))
    }
}

/// By their names: neither needs to exist.
fn same(one: &Path, other: &Path) -> bool {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    absolute(one) == absolute(other)
}

fn apart(pki: &Path, dir: &Path, found: &Path) -> Error {
    Error::usage(format!("--cert-dir {} and the kubeconfigs in {} are not one tree", pki.display(), dir.display()))
        .because(format!("expected its certificates in {}", found.display()))
        .hint("certificates outside of DIR/pki are found by certificatesDir of a configuration: give it with --config FILE")
        .hint("for a copy of both, name them together: --cert-dir DIR/pki --kubeconfig-dir DIR")
}
