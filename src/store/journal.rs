//! The journal: `.kpki/journal.jsonl`, one line per certificate, only ever appended to.
//!
//! The commit mark records the size of the journal, and only the holder of the lock appends. What is beyond that size when the
//! work is finished is a part of the same lines, and is written again.

use rustix::fs::{Mode, OFlags, SeekFrom};
use zeroize::Zeroizing;

use crate::files::{self, Dir, Facts, FileError, FileState, Kind, Op, RelPath, What, Written};

use super::chain;
use super::error::StoreError;
use super::roots::Roots;
use super::trust;

pub(super) const JOURNAL: &str = "journal.jsonl";
/// The new lines while they are prepared, in the staging directory.
pub(super) const LINES: &str = "journal";
pub(super) const JOURNAL_MODE: u32 = 0o600;

/// The lines of the journal, oldest first; none when there is no journal. The last one may be incomplete while a run is at
/// work.
pub fn journal(roots: &Roots) -> Result<Vec<String>, StoreError> {
    Ok(String::from_utf8_lossy(&bytes(roots)?).lines().map(str::to_owned).collect())
}

/// The journal as it is on disk; empty when there is none.
pub fn bytes(roots: &Roots) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    let Some(kpki) = trust::open(roots)? else { return Ok(Zeroizing::default()) };
    trust::check_own(&kpki, JOURNAL)?;
    Ok(read(&kpki)?)
}

fn read(kpki: &Dir) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let path = RelPath::parse(JOURNAL).map_err(|_| FileError::new(Op::Read, kpki.path(), Kind::Missing))?;
    Ok(match files::read(kpki, &path, u64::MAX)? {
        FileState::Missing => Zeroizing::default(),
        FileState::File { bytes, .. } => bytes,
    })
}

/// What a commit does to the journal.
pub(super) struct Growth {
    /// Its size before; `None`: it gets no line.
    pub size: Option<u64>,
    /// The new lines as on disk, each with the digest of the one before it. They are computed here, under the lock and before the mark, so
    /// that a run that finishes this one's work writes the same.
    pub text: String,
    /// The digest of its last line afterwards, for the generation; `None`: it has none.
    pub end: Option<String>,
}

impl Growth {
    pub fn of(kpki: &Dir, lines: &[String]) -> Result<Self, FileError> {
        // First what cannot be appended to.
        let size = size(kpki)?;
        let before = read(kpki)?;
        let text = chain::chained(&before, lines);
        let end = if text.is_empty() { chain::end(&before) } else { chain::end(text.as_bytes()) };
        Ok(Self { size: (!lines.is_empty()).then_some(size), text, end })
    }

    /// Of a tree that is new.
    pub fn new(lines: &[String]) -> Self {
        let text = chain::chained(&[], lines);
        Self { size: None, end: chain::end(text.as_bytes()), text }
    }
}

/// The size of the journal; what cannot be appended to is an error.
pub(super) fn size(kpki: &Dir) -> Result<u64, FileError> {
    Ok(kpki.regular_file(JOURNAL)?.map_or(0, |facts| facts.size))
}

/// Appends the prepared lines to the journal as it was when it had this size. `None`: they are no longer prepared, so an
/// earlier run has appended them. The caller syncs.
pub(super) fn append(kpki: &Dir, staging: &Dir, length: u64) -> Result<Option<Written>, FileError> {
    let lines = RelPath::parse(LINES).map_err(|_| FileError::new(Op::Read, staging.path(), Kind::Missing))?;
    let FileState::File { bytes: lines, .. } = files::read(staging, &lines, u64::MAX)? else { return Ok(None) };
    let path = kpki.path_of(JOURNAL);
    let failed = |errno| FileError::of(Op::Write, &path, errno);
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let fd = rustix::fs::openat(kpki, JOURNAL, flags, Mode::RUSR | Mode::WUSR).map_err(failed)?;
    let facts = Facts::of_open(&fd).map_err(failed)?;
    if facts.what != What::File {
        return Err(FileError::new(Op::Write, &path, Kind::NotAFile(facts.what)));
    }
    if facts.size == 0 {
        rustix::fs::fchmod(&fd, Mode::from_raw_mode(JOURNAL_MODE)).map_err(failed)?;
    }
    if facts.size > length {
        rustix::fs::ftruncate(&fd, length).map_err(failed)?;
    }
    // It is shorter only when another program has truncated it.
    let end = facts.size.min(length);
    if let Some(last) = end.checked_sub(1) {
        let mut byte = [b'\n'];
        rustix::io::retry_on_intr(|| rustix::io::pread(&fd, &mut byte, last)).map_err(failed)?;
        rustix::fs::seek(&fd, SeekFrom::Start(end)).map_err(failed)?;
        if byte != *b"\n" {
            // An incomplete line of another program must not become the beginning of the first new one.
            files::write_all(&fd, b"\n").map_err(failed)?;
        }
    }
    files::write_all(&fd, &lines).map_err(failed)?;
    Ok(Some(Written { fd, path }))
}
