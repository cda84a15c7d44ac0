//! From a file to what it holds, with bounded memory: small files in one read, long CRLs piece by piece, keys and what
//! cannot be of interest not at all. Buffers are wiped: a kubeconfig holds a key, and so may any PEM file.

use std::hint::black_box;

use zeroize::{Zeroize as _, Zeroizing};

use super::crls;
use super::framing::{self, Head};
use super::item::Kind;
use super::object::ParsedObject;
use super::pem::mentions;
use super::unreadable::Unreadable;
use crate::files::{self, Source};
use crate::x509::Der;

/// A certificate, kubeconfig or key fits in one read.
const SMALL: usize = 64 << 10;
/// How much is read of a file before it is known to be of interest.
const HEAD: usize = 4 << 10;
/// A text that shows no PEM in its first 64 KB is no longer than this, or it is not read on.
const LARGEST_TEXT: u64 = 4 << 20;
/// PEM that begins with a CRL and is longer is taken to hold nothing but CRLs, and read piece by piece.
const LONG_CRL: u64 = 1 << 20;
/// A bundle with fifty thousand certificates.
const LARGEST: u64 = 64 << 20;

/// How a file was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadMode {
    /// A person or the catalogue named it: whatever keeps it from being read is reported.
    Named,
    /// Found while walking: what is not of interest is left out.
    Walked,
}

/// The buffer one thread reads with.
#[derive(Default)]
pub struct Loader {
    /// Whether the DER of long CRLs is kept, too.
    keeps_crls: bool,
    buffer: Vec<u8>,
    /// How far it was filled by the file being read.
    used: usize,
}

/// What it read may be a key.
impl std::fmt::Debug for Loader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Loader")
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        self.wipe();
    }
}

/// What one thread reads trees with, one after the other.
#[derive(Debug)]
pub struct Loaders {
    /// For the files of a tree.
    pub own: Loader,
    /// For files that kubeconfigs refer to.
    pub referred: Loader,
}

impl Default for Loaders {
    fn default() -> Self {
        Self { own: Loader::keeping_crls(), referred: Loader::default() }
    }
}

impl Loader {
    /// One that keeps the DER of every CRL.
    fn keeping_crls() -> Self {
        let mut loader = Self::default();
        loader.keeps_crls = true;
        loader
    }

    /// The objects in a file, as `read` finds them in its bytes; a file that cannot be read is one broken `kind`.
    pub fn objects(
        &mut self,
        source: &Source,
        kind: Kind,
        mode: ReadMode,
        read: impl FnOnce(&[u8]) -> Vec<ParsedObject>,
    ) -> Vec<ParsedObject> {
        if self.buffer.len() < SMALL {
            self.buffer.resize(SMALL, 0);
        }
        let first = if mode == ReadMode::Walked { HEAD } else { SMALL };
        let objects = match self.fill(source, 0, first) {
            // A text of any kind that lies about is none of ours.
            Err(Unreadable::File(files::Kind::Utf16(_))) if mode == ReadMode::Walked && !self.is_ours() => {
                Ok(Vec::new())
            }
            filled => filled.and_then(|filled| self.whole(source, mode, filled, read)),
        };
        self.wipe();
        objects.unwrap_or_else(|why| vec![ParsedObject::broken(kind, 0, why)])
    }

    /// What `read` makes of a file of a few kilobytes, such as a key.
    pub fn small<T>(&mut self, source: &Source, read: impl FnOnce(&[u8]) -> T) -> Result<T, Unreadable> {
        if self.buffer.len() < SMALL {
            self.buffer.resize(SMALL, 0);
        }
        let made = match self.fill(source, 0, SMALL) {
            Ok(filled) if filled < SMALL => Ok(read(self.buffer.get(..filled).unwrap_or_default())),
            Ok(_) => Err(Unreadable::TooLarge { limit: SMALL as u64, size: source.size() }),
            Err(why) => Err(why),
        };
        self.wipe();
        made
    }

    /// Not by `zeroize`, which takes a byte at a time: the buffer is wiped after each of a fleet's files.
    fn wipe(&mut self) {
        if let Some(used) = self.buffer.get_mut(..self.used) {
            used.fill(0);
            // So that the compiler does not leave it out.
            black_box(used);
        }
        self.used = 0;
    }

    /// Whether the text in UTF-16 in the buffer is one that would be looked at.
    fn is_ours(&self) -> bool {
        let letters = self.buffer.iter().take(self.used).copied().filter(|byte| *byte != 0);
        let text = Zeroizing::new(letters.collect::<Vec<u8>>());
        mentions(&text, "-----BEGIN ") || mentions(&text, "current-context")
    }

    fn fill(&mut self, source: &Source, filled: usize, until: usize) -> Result<usize, Unreadable> {
        let buffer = self.buffer.get_mut(..until).unwrap_or_default();
        self.used = until;
        let filled = source.fill(buffer, filled)?;
        self.used = filled;
        Ok(filled)
    }

    fn whole(
        &mut self,
        source: &Source,
        mode: ReadMode,
        mut filled: usize,
        read: impl FnOnce(&[u8]) -> Vec<ParsedObject>,
    ) -> Result<Vec<ParsedObject>, Unreadable> {
        if mode == ReadMode::Walked && filled == HEAD {
            let start = self.buffer.get(..filled).unwrap_or_default();
            let stop = match framing::head(start) {
                Head::Other => true,
                Head::Pem { key: true, .. } => !goes_on_behind(start),
                _ => false,
            };
            if stop {
                return Ok(Vec::new());
            }
            filled = self.fill(source, filled, SMALL)?;
        }
        let start = self.buffer.get(..filled).unwrap_or_default();
        if filled < SMALL {
            return Ok(read(start));
        }
        match framing::head(start) {
            Head::Pem { crl: true, .. } if source.size() > LONG_CRL => self.crls(source, start),
            Head::Der(Der::Crl) => self.crls(source, start),
            head => {
                let largest = if head == Head::Text { LARGEST_TEXT } else { LARGEST };
                if source.size() > largest || head == Head::Other {
                    return match mode {
                        ReadMode::Walked => Ok(Vec::new()),
                        ReadMode::Named => Err(Unreadable::TooLarge { limit: largest, size: source.size() }),
                    };
                }
                let mut all = vec![0; usize::try_from(source.size().saturating_add(1)).unwrap_or(SMALL).max(SMALL)];
                if let Some(place) = all.get_mut(..filled) {
                    place.copy_from_slice(start);
                }
                let length = source.fill(&mut all, filled).map_err(Unreadable::File);
                let objects = length.map(|length| read(all.get(..length).unwrap_or_default()));
                all.zeroize();
                objects
            }
        }
    }

    fn crls(&self, source: &Source, start: &[u8]) -> Result<Vec<ParsedObject>, Unreadable> {
        let keep = self.keeps_crls && source.size() <= crls::LARGEST;
        let object = |(position, read)| match read {
            Ok((crl, der)) => ParsedObject::crl(position, crl, der),
            Err(why) => ParsedObject::broken(Kind::Crl, position, why),
        };
        Ok(crls::read(source, start, keep)?.into_iter().enumerate().map(object).collect())
    }
}

/// Whether anything follows the private key a file begins with.
fn goes_on_behind(head: &[u8]) -> bool {
    let mut lines = head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    lines.by_ref().any(|line| line.starts_with(b"-----END ")) && lines.any(|line| !line.is_empty())
}
