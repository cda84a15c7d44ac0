//! How every verb reads a profile: one that is given, or the one a tree records.

use std::net::IpAddr;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::error::Error;
use crate::files::{self, FileError, FileState, Kind, Op};
use crate::kubeconfig;
use crate::profile::{self, Loaded, Overrides, Profile, Source};
use crate::workspace::state::{self, State};

/// A profile larger than this is refused before it is read (the parser holds the same limit).
const LARGEST: u64 = 1 << 20;

/// What standard input had, which a process reads once: each run of `--every`, and each verb of a plan, has the same profile.
static STDIN: Mutex<Option<Vec<u8>>> = Mutex::new(None);

/// Whether a profile is read from standard input.
pub fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

/// What commands that are printed call it: nobody else has what was on standard input.
pub fn shown(path: &Path) -> String {
    if is_stdin(path) { "FILE".to_owned() } else { path.display().to_string() }
}

/// What messages about its text call it.
pub fn name(path: &Path) -> String {
    if is_stdin(path) { "standard input".to_owned() } else { path.display().to_string() }
}

/// The bytes of a profile file; `-` is standard input.
pub fn read(path: &Path) -> Result<Vec<u8>, Error> {
    if is_stdin(path) {
        let mut read = STDIN.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = match read.take() {
            Some(bytes) => bytes,
            None => files::read_stdin(LARGEST)?.to_vec(),
        };
        return Ok(read.insert(bytes).clone());
    }
    let unread = |error: FileError| {
        if matches!(error.kind, Kind::Utf16(_)) {
            return Error::from(error);
        }
        let hint = match error.kind {
            Kind::Missing => "check the path; a relative one is looked up from the current directory",
            Kind::PermissionDenied => "run as a user who may read it",
            Kind::TooLarge(_) => "check that it is the intended file: a profile has a few kilobytes",
            _ => "give the path of a YAML file; one can be started with: kpki profile new > cluster.yaml",
        };
        Error::new(error.to_string()).hint(hint)
    };
    match files::read_input(path, LARGEST) {
        Ok(FileState::File { bytes, .. }) => Ok(bytes.to_vec()),
        Ok(FileState::Missing) => Err(unread(FileError::new(Op::Read, path, Kind::Missing))),
        Err(error) => Err(unread(error)),
    }
}

/// The address of the API server of a control-plane node, which the ConfigMap kubeadm-config does not have: its own components are
/// kubeadm's clients of it.
pub fn advertised(dir: &Path) -> Option<IpAddr> {
    let server = |name: &&str| {
        let Ok(FileState::File { bytes, .. }) = files::read_input(&dir.join(name), LARGEST) else { return None };
        kubeconfig::host(&kubeconfig::read(&bytes).ok()?.server)?.parse().ok()
    };
    ["controller-manager.conf", "scheduler.conf"].iter().find_map(server)
}

/// Checks that nobody but this user and root can have written a profile by which something is signed or run.
pub fn check(path: &Path) -> Result<(), Error> {
    if is_stdin(path) {
        return Ok(());
    }
    files::trusted(path).map(|_| ()).map_err(Error::from)
}

/// A profile from its bytes; `name` is what messages call it.
pub fn load(name: &str, bytes: &[u8], overrides: &Overrides) -> Result<Loaded, Error> {
    profile::load(Source { name, bytes }, overrides).map_err(Error::from)
}

/// A profile with the choices that go with it.
pub fn load_state(state: &State, name: &str) -> Result<Loaded, Error> {
    load(name, &state.profile, &state.overrides())
}

/// The profile that a tree records; `None`: it records none.
pub fn recorded(main: &Path) -> Result<Option<(State, Profile)>, Error> {
    let Some(state) = State::read(main)? else { return Ok(None) };
    let profile = load_state(&state, &state::path(main).display().to_string())?.profile;
    Ok(Some((state, profile)))
}
