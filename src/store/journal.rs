//! The journal: `.kpki/journal.jsonl`, one line per certificate, only ever appended to.
//!
//! The commit mark records the size of the journal, and only the holder of the lock appends. What is beyond that size when the
//! work is finished is a part of the same lines, and is written again.

use rustix::fs::{Mode, OFlags, SeekFrom};

use crate::files::{self, Dir, Facts, FileError, FileState, Kind, Op, RelPath, What, Written};

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
    let Some(kpki) = trust::open(roots)? else { return Ok(Vec::new()) };
    trust::check_own(&kpki, JOURNAL)?;
    Ok(match files::read(&kpki, &RelPath::parse(JOURNAL)?, u64::MAX)? {
        FileState::Missing => Vec::new(),
        FileState::File { bytes, .. } => String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect(),
    })
}

/// The lines as on disk.
pub(super) fn text(lines: &[String]) -> String {
    lines.iter().flat_map(|line| [line, "\n"]).collect()
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
