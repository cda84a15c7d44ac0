//! A file or standard input as a stream of any length, for what is read without ever being in memory whole.

use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};

use zeroize::Zeroizing;

use super::error::Kind;
use super::look::Source;
use super::text::utf16;

/// What is read at once, in bytes.
const PIECE: usize = 128 << 10;

/// UTF-8's byte order mark, which Windows writes before text.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Its buffer is wiped: what passes through may be a key.
pub struct Stream {
    fd: OwnedFd,
    buffer: Zeroizing<Vec<u8>>,
    /// What of the buffer was not handed out yet.
    start: usize,
    end: usize,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stream")
    }
}

impl Stream {
    fn over(fd: OwnedFd) -> Self {
        Self { fd, buffer: Zeroizing::new(vec![0; PIECE]), start: 0, end: 0 }
    }

    pub fn of(source: Source) -> Self {
        Self::over(source.into_fd())
    }

    /// Over what is open already, such as standard input.
    ///
    /// # Errors
    /// There is no file descriptor left.
    pub fn open(fd: impl AsFd) -> Result<Self, Kind> {
        Ok(Self::over(rustix::io::dup(fd)?))
    }

    /// How it begins: all of it where it is short. To be called first. A byte order mark is passed over; text in UTF-16 is an
    /// error.
    pub fn head(&mut self) -> Result<&[u8], Kind> {
        while self.end < self.buffer.len() && self.more(self.end)? > 0 {}
        if self.buffer.get(..self.end).is_some_and(|head| head.starts_with(BOM)) {
            self.start = BOM.len();
        }
        let head = self.buffer.get(self.start..self.end).unwrap_or_default();
        utf16(head).map_or(Ok(head), |encoding| Err(Kind::Utf16(encoding)))
    }

    /// Reads behind what is in the buffer; how much, 0 at the end.
    fn more(&mut self, from: usize) -> Result<usize, Kind> {
        let room = self.buffer.get_mut(from..).unwrap_or_default();
        let read = rustix::io::retry_on_intr(|| rustix::io::read(&self.fd, &mut *room))?;
        self.end = from + read;
        Ok(read)
    }

    /// All that is left of it, at most `max` bytes.
    pub fn rest(mut self, max: u64) -> Result<Zeroizing<Vec<u8>>, Kind> {
        let limit = usize::try_from(max).unwrap_or(usize::MAX);
        let mut all: Zeroizing<Vec<u8>> = Zeroizing::new(Vec::new());
        loop {
            let piece = self.buffer.get(self.start..self.end).unwrap_or_default();
            if all.len() + piece.len() > limit {
                return Err(Kind::TooLarge(max));
            }
            if all.len() + piece.len() > all.capacity() {
                // A new buffer rather than a longer one: growing in place may leave a copy of a key behind.
                let mut larger = Zeroizing::new(Vec::with_capacity((all.len() + piece.len()) * 2));
                larger.extend_from_slice(&all);
                all = larger;
            }
            all.extend_from_slice(piece);
            self.start = 0;
            if self.more(0)? == 0 {
                return Ok(all);
            }
        }
    }
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.start == self.end {
            self.start = 0;
            self.more(0).map_err(|kind| io::Error::other(kind.to_string()))?;
        }
        let piece = self.buffer.get(self.start..self.end).unwrap_or_default();
        let length = piece.len().min(into.len());
        if let (Some(to), Some(from)) = (into.get_mut(..length), piece.get(..length)) {
            to.copy_from_slice(from);
        }
        self.start += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::super::look::look;
    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods)] // a test lays out its files by hand
    fn a_stream_gives_every_byte_once() {
        let tmp = tempfile::tempdir().unwrap();
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 7] {
            let bytes: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let path = tmp.path().join("f");
            std::fs::write(&path, &bytes).unwrap();
            let open = || Stream::of(look(&path).unwrap().unwrap());
            let mut stream = open();
            assert_eq!(stream.head().unwrap(), &bytes[..length.min(PIECE)]);
            let mut found = Vec::new();
            stream.read_to_end(&mut found).unwrap();
            assert!(found == bytes, "{length}");
            let mut stream = open();
            stream.head().unwrap();
            assert!(stream.rest(length as u64).unwrap().as_slice() == bytes, "{length}");
            if length > 0 {
                assert_eq!(open().rest(length as u64 - 1).unwrap_err(), Kind::TooLarge(length as u64 - 1));
            }
        }
    }
}
