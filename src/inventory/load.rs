//! From a file to what it holds, with bounded memory: small files in one read, long revocation lists in objects, keys and what
//! cannot be of interest not at all. Buffers are wiped: a kubeconfig holds a key, and so may any PEM file.

use zeroize::Zeroize as _;

use super::Kind;
use super::content::{self, Head};
use super::object::ParsedObject;
use crate::encoding::crl::LABEL;
use crate::encoding::pem_stream::{Event, Stream};
use crate::files::{self, Source, What};
use crate::x509::{Der, Walker};

/// A certificate, kubeconfig or key fits in one read.
const SMALL: usize = 64 << 10;
/// How much is read of a file before it is known to be of interest.
const HEAD: usize = 4 << 10;
/// A text that shows no PEM in its first 64 KB is no longer than this, or it is not read on.
const LARGEST_TEXT: u64 = 4 << 20;
/// PEM that begins with a list and is longer is taken to hold nothing but lists, and read in objects.
const LONG_LIST: u64 = 1 << 20;
/// A bundle with fifty thousand certificates.
const LARGEST: u64 = 64 << 20;

/// How a file was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadMode {
    /// A person or the catalogue named it: whatever keeps it from being read is told.
    Named,
    /// Found while walking: what is not of interest is passed over in silence.
    Walked,
}

/// The buffer one thread reads with.
#[derive(Default)]
pub struct Loader {
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
        self.buffer.zeroize();
    }
}

/// Why a file is not what was wanted, in the house voice.
pub fn refusal(kind: &files::Kind) -> String {
    match kind {
        files::Kind::NotAFile(What::Directory) => "expected a file, found a directory".to_owned(),
        files::Kind::NotAFile(what) => format!("expected a regular file, found {what}"),
        other => format!("cannot read it: {other}"),
    }
}

impl Loader {
    /// The objects in a file, as `read` finds them in its bytes.
    pub fn objects(
        &mut self,
        source: &Source,
        met: ReadMode,
        read: impl FnOnce(&[u8]) -> Vec<ParsedObject>,
    ) -> Result<Vec<ParsedObject>, String> {
        if self.buffer.len() < SMALL {
            self.buffer.resize(SMALL, 0);
        }
        let first = if met == ReadMode::Walked { HEAD } else { SMALL };
        let filled = self.fill(source, 0, first)?;
        let objects = self.whole(source, met, filled, read);
        if let Some(used) = self.buffer.get_mut(..self.used) {
            used.zeroize();
        }
        self.used = 0;
        objects
    }

    fn fill(&mut self, source: &Source, filled: usize, until: usize) -> Result<usize, String> {
        let buffer = self.buffer.get_mut(..until).unwrap_or_default();
        self.used = until;
        let filled = source.fill(buffer, filled).map_err(|kind| refusal(&kind))?;
        self.used = filled;
        Ok(filled)
    }

    fn whole(
        &mut self,
        source: &Source,
        met: ReadMode,
        mut filled: usize,
        read: impl FnOnce(&[u8]) -> Vec<ParsedObject>,
    ) -> Result<Vec<ParsedObject>, String> {
        if met == ReadMode::Walked && filled == HEAD {
            let start = self.buffer.get(..filled).unwrap_or_default();
            let stop = match content::head(start) {
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
        match content::head(start) {
            Head::Pem { crl: true, .. } if source.size() > LONG_LIST => Ok(lists(source, start)?),
            Head::Der(Der::Crl) => Ok(vec![list(source, start)?]),
            head => {
                let largest = if head == Head::Text { LARGEST_TEXT } else { LARGEST };
                if source.size() > largest || head == Head::Other {
                    return match met {
                        ReadMode::Walked => Ok(Vec::new()),
                        ReadMode::Named => {
                            Err(format!("expected at most {largest} bytes, found a file of {}", source.size()))
                        }
                    };
                }
                let mut all = vec![0; usize::try_from(source.size().saturating_add(1)).unwrap_or(SMALL).max(SMALL)];
                if let Some(place) = all.get_mut(..filled) {
                    place.copy_from_slice(start);
                }
                let length = source.fill(&mut all, filled).map_err(|kind| refusal(&kind));
                let objects = length.map(|length| read(all.get(..length).unwrap_or_default()));
                all.zeroize();
                objects
            }
        }
    }
}

/// Whether anything stands behind the private key a file begins with.
fn goes_on_behind(head: &[u8]) -> bool {
    let mut lines = head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    lines.by_ref().any(|line| line.starts_with(b"-----END ")) && lines.any(|line| !line.is_empty())
}

/// A DER list of any length.
fn list(source: &Source, start: &[u8]) -> Result<ParsedObject, String> {
    let mut walker = Walker::default();
    let mut fed = walker.feed(start);
    let mut buffer = vec![0; SMALL];
    while fed.is_ok() {
        let length = source.read(&mut buffer).map_err(|kind| refusal(&kind))?;
        if length == 0 {
            break;
        }
        fed = walker.feed(buffer.get(..length).unwrap_or_default());
    }
    Ok(match fed.and_then(|()| walker.finish()) {
        Ok(crl) => ParsedObject::crl(0, crl),
        Err(why) => ParsedObject::broken(Kind::Crl, 0, why),
    })
}

/// Lists as PEM, of any length and number.
fn lists(source: &Source, start: &[u8]) -> Result<Vec<ParsedObject>, String> {
    let mut lists = Lists::default();
    let mut text = Stream::new(LABEL);
    let mut on = |event: Event<'_>| lists.take(event);
    text.feed(start, &mut on);
    let mut buffer = vec![0; SMALL];
    loop {
        let length = source.read(&mut buffer).map_err(|kind| refusal(&kind))?;
        if length == 0 {
            text.finish(&mut on);
            return Ok(lists.found);
        }
        text.feed(buffer.get(..length).unwrap_or_default(), &mut on);
    }
}

/// The lists among the blocks of a text, as they end.
#[derive(Debug, Default)]
struct Lists {
    found: Vec<ParsedObject>,
    walker: Walker,
    broken: Option<String>,
}

impl Lists {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Begin => (self.walker, self.broken) = (Walker::default(), None),
            Event::Der(der) => {
                if self.broken.is_none() {
                    self.broken = self.walker.feed(der).err().map(|why| why.to_string());
                }
            }
            Event::End(end) => {
                let walker = std::mem::take(&mut self.walker);
                let read = match (self.broken.take(), end) {
                    (Some(why), _) => Err(why),
                    (None, Err(broken)) => Err(broken.to_string()),
                    (None, Ok(())) => walker.finish().map_err(|why| why.to_string()),
                };
                let position = self.found.len();
                self.found.push(match read {
                    Ok(crl) => ParsedObject::crl(position, crl),
                    Err(why) => ParsedObject::broken(Kind::Crl, position, why),
                });
            }
        }
    }
}
