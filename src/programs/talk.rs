//! What a program is given and what it answers.

use std::io::{self, PipeReader, PipeWriter, Read as _, Write as _};

use zeroize::Zeroizing;

/// Both sides of a conversation. Buffers have their full length from the start, so that no copy is left behind by growing.
pub struct Talk {
    /// `None`: everything is written, or nobody reads it.
    write: Option<PipeWriter>,
    input: Zeroizing<Vec<u8>>,
    written: usize,
    /// `None`: the other end is closed.
    read: Option<PipeReader>,
    /// One octet more than allowed.
    buffer: Zeroizing<Vec<u8>>,
    filled: usize,
}

impl Talk {
    pub fn new(write: PipeWriter, input: &[u8], read: PipeReader, limit: usize) -> Self {
        let buffer = Zeroizing::new(vec![0; limit.saturating_add(1)]);
        let input = Zeroizing::new(input.to_vec());
        Self { write: Some(write), input, written: 0, read: Some(read), buffer, filled: 0 }
    }

    /// It has written more than an answer may have.
    pub fn is_too_long(&self) -> bool {
        self.filled == self.buffer.len()
    }

    pub const fn reading(&self) -> Option<&PipeReader> {
        self.read.as_ref()
    }

    /// What it has written; `None`: too much.
    pub fn answer(mut self) -> Option<Zeroizing<Vec<u8>>> {
        if self.is_too_long() {
            return None;
        }
        self.buffer.truncate(self.filled);
        Some(std::mem::take(&mut self.buffer))
    }

    /// Writes and reads what can be without waiting.
    pub fn go_on(&mut self) {
        self.write();
        self.read();
    }

    fn write(&mut self) {
        while let Some(pipe) = &mut self.write {
            let rest = self.input.get(self.written..).unwrap_or_default();
            match pipe.write(rest) {
                _ if rest.is_empty() => self.write = None,
                Ok(count) => self.written += count,
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => return,
                // It does not read its input: whether that is wrong is seen by its answer.
                Err(_) => self.write = None,
            }
        }
    }

    fn read(&mut self) {
        while let Some(pipe) = &mut self.read {
            let rest = self.buffer.get_mut(self.filled..).unwrap_or_default();
            match pipe.read(rest) {
                Ok(0) => self.read = None,
                Ok(count) => self.filled += count,
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }
}
