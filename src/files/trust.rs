//! Whose files are trusted: those that decide what kpki runs and signs. What anybody but root and this user could have
//! written is not, and neither is what anybody else could put in its place: every directory on the way is judged, too,
//! and so is every directory on the way of a symlink.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Component, Path, PathBuf};
use std::sync::Mutex;

use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;

use super::dir::Dir;
use super::error::{FileError, Kind, Op};
use super::facts::{Facts, What};
use super::shell_path;

/// As the kernel: so many symlinks on one way.
const MOST_LINKS: u32 = 40;
const LOOK: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Untrusted(Box<Untrusted>),
}

/// Somebody else owns it or can write to it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} is not trusted: {}expected this user or root as its owner and no write permission for others, found owner \
     {owner} and mode {mode:04o}",
    .named.display(),
    if self.is_above() { format!("because of {}: ", .path.display()) } else { String::new() }
)]
pub struct Untrusted {
    /// What is to be trusted.
    pub named: PathBuf,
    /// The file or the directory on the way to it that is not.
    pub path: PathBuf,
    pub owner: u32,
    /// Permission bits.
    pub mode: u32,
    /// Whose trust it is.
    pub us: u32,
    pub flaw: Flaw,
}

/// What is wrong with an owner and a mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flaw {
    /// It belongs to another user.
    pub owner: bool,
    /// The permissions to write that are too many, out of `0o022`.
    pub write: u32,
}

impl Untrusted {
    /// It is a directory on the way that is not trusted.
    fn is_above(&self) -> bool {
        !std::path::absolute(&self.named).is_ok_and(|named| named == self.path)
    }

    /// The commands that mend it.
    pub fn remedy(&self) -> String {
        let path = shell_path(&self.path);
        let recursive = if self.path.ends_with(".kpki") { "-R " } else { "" };
        let user = if self.us == 0 { "root".to_owned() } else { self.us.to_string() };
        let chown = self.flaw.owner.then(|| format!("chown {recursive}{user} {path}"));
        let whose = match self.flaw.write {
            0 => None,
            0o020 => Some("g"),
            0o002 => Some("o"),
            _ => Some("go"),
        };
        let chmod = whose.map(|whose| format!("chmod {recursive}{whose}-w {path}"));
        chown.into_iter().chain(chmod).collect::<Vec<_>>().join("; ")
    }

    /// The next steps.
    pub fn hints(&self) -> Vec<String> {
        let mut hints = vec![format!("check its contents, then mend it: {}", self.remedy())];
        if self.is_above() {
            hints.push(format!("or move {} to a directory that nobody else can write to", self.named.display()));
        }
        if self.flaw.owner && self.is_above() {
            hints.push(format!("or run kpki as its owner, user {}", self.owner));
        }
        hints
    }
}

/// Owner, group and mode of a file or directory.
#[derive(Debug, Clone, Copy)]
struct Access {
    uid: u32,
    gid: u32,
    mode: u32,
}

/// Whether something is trusted by this user. `entry`: it is a directory, and the owner of what is looked up in it, which a
/// sticky directory protects from everybody else.
///
/// A user's private group, which has the user's own number (as useradd makes it), is the user: with umask 002, which goes
/// with such groups, everything can be written by it. Root has no such group.
fn judge(access: Access, entry: Option<u32>, us: u32) -> Result<(), Flaw> {
    let Access { uid, gid, mode } = access;
    let is_ours = |owner: u32| owner == 0 || owner == us;
    let is_private_group = us != 0 && uid == us && gid == us;
    let is_protected = mode & 0o1000 != 0 && entry.is_some_and(is_ours);
    let write = match (is_protected, is_private_group) {
        (true, _) => 0,
        (false, true) => mode & 0o002,
        (false, false) => mode & 0o022,
    };
    let flaw = Flaw { owner: !is_ours(uid), write };
    if flaw.owner || flaw.write != 0 { Err(flaw) } else { Ok(()) }
}

/// Directories to which a trusted way without symlinks led. Only root and this user can change anything on it, so it is not
/// walked again for every file of a tree.
static KNOWN: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Checks what a path leads to, and every directory on the way. `false`: there is nothing, and nobody else can put something
/// there.
pub fn trusted(path: &Path) -> Result<bool, TrustError> {
    let us = rustix::process::geteuid().as_raw();
    let failed = |why: &std::io::Error| FileError::new(Op::Inspect, path, Kind::from(why));
    let full = std::path::absolute(path).map_err(|why| failed(&why))?;
    let (mut here, mut left) = match full.parent().zip(full.file_name()) {
        Some((parent, name)) if KNOWN.lock().is_ok_and(|known| known.contains(parent)) => {
            (Here::directory(parent.to_path_buf())?, vec![name.to_owned()])
        }
        _ => (Here::directory("/".into())?, steps(&full)),
    };
    let mut links = 0;
    while let Some(name) = left.pop() {
        let Some(next) = here.open(&name)? else {
            here.judge(path, Some(us), us)?;
            return Ok(false);
        };
        if name == ".." {
            here = next;
            continue;
        }
        // In a sticky directory it is the owner of the file that has to change, not the mode of the directory.
        let is_theirs = next.facts.uid != 0 && next.facts.uid != us;
        if here.facts.mode & 0o1000 != 0 && is_theirs && next.facts.what != What::Symlink {
            next.judge(path, None, us)?;
        }
        here.judge(path, Some(next.facts.uid), us)?;
        if next.facts.what != What::Symlink {
            if let (What::Directory, Ok(mut known)) = (next.facts.what, KNOWN.lock()) {
                known.insert(next.path.clone());
            }
            here = next;
            continue;
        }
        links += 1;
        if links > MOST_LINKS {
            return Err(FileError::new(Op::Inspect, path, Kind::Io(Errno::LOOP)).into());
        }
        let target = next.target()?;
        if target.is_absolute() {
            here = Here::directory("/".into())?;
        }
        left.extend(steps(&target));
    }
    here.judge(path, None, us)?;
    Ok(true)
}

/// Checks a name in a directory that is trusted itself. One that does not exist is fine.
pub fn trusted_entry(dir: &Dir, name: &str) -> Result<(), TrustError> {
    let Some(facts) = dir.facts(name)? else { return Ok(()) };
    let path = dir.path_of(name);
    of_facts(&facts, &path, &path, None, rustix::process::geteuid().as_raw())
}

/// The names of a path, the first one last.
fn steps(path: &Path) -> Vec<OsString> {
    let names = path.components().rev().filter_map(|step| match step {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    });
    names.collect()
}

fn of_facts(facts: &Facts, named: &Path, path: &Path, entry: Option<u32>, us: u32) -> Result<(), TrustError> {
    let Facts { uid, gid, mode, .. } = *facts;
    judge(Access { uid, gid, mode }, entry, us).map_err(|flaw| {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        TrustError::Untrusted(Box::new(Untrusted { named: named.to_path_buf(), path, owner: uid, mode, us, flaw }))
    })
}

/// Something on the way: open, with its own path, which has no symlink in it.
struct Here {
    fd: OwnedFd,
    facts: Facts,
    path: PathBuf,
}

impl Here {
    fn directory(path: PathBuf) -> Result<Self, FileError> {
        let fd = rustix::fs::openat(CWD, &path, LOOK, Mode::empty());
        Self::of(fd.map_err(|errno| FileError::of(Op::Open, &path, errno))?, path)
    }

    fn of(fd: OwnedFd, path: PathBuf) -> Result<Self, FileError> {
        let facts = Facts::of_open(&fd).map_err(|errno| FileError::of(Op::Inspect, &path, errno))?;
        Ok(Self { fd, facts, path })
    }

    /// `None`: there is no such name.
    fn open(&self, name: &OsStr) -> Result<Option<Self>, FileError> {
        let above = || self.path.parent().unwrap_or(&self.path).to_path_buf();
        let path = if name == ".." { above() } else { self.path.join(name) };
        match rustix::fs::openat(&self.fd, name, LOOK, Mode::empty()) {
            Ok(fd) => Self::of(fd, path).map(Some),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(errno) => Err(FileError::of(Op::Open, &path, errno)),
        }
    }

    fn target(&self) -> Result<PathBuf, FileError> {
        let target = rustix::fs::readlinkat(&self.fd, "", Vec::new());
        let target = target.map_err(|errno| FileError::of(Op::Inspect, &self.path, errno))?;
        Ok(OsString::from_vec(target.into_bytes()).into())
    }

    fn judge(&self, named: &Path, entry: Option<u32>, us: u32) -> Result<(), TrustError> {
        of_facts(&self.facts, named, &self.path, entry, us)
    }
}

#[cfg(test)]
#[path = "trust_tests.rs"]
mod tests;
