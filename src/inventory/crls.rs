//! CRLs of any size out of a file, PEM or DER. Only [`crls`], and [`read`] on request, keep the DER in memory.

use super::unreadable::Unreadable;
use crate::encoding::contents::Contents;
use crate::encoding::crl::LABEL;
use crate::encoding::found::{Found, found};
use crate::encoding::pem_stream::{Event, Stream};
use crate::encoding::tlv::{NotDer, SEQUENCE};
use crate::files::Source;
use crate::x509::Crl;
use crate::x509::{CrlError, Walker};

/// In bytes.
const CHUNK: usize = 1 << 18;
/// The largest file whose CRLs are kept as DER, in bytes: five million entries.
pub const LARGEST: u64 = 512 << 20;

/// The DER of every CRL in a file. A file without any is an error.
pub fn crls(source: &Source) -> Result<Vec<Vec<u8>>, Unreadable> {
    if source.size() > LARGEST {
        return Err(Unreadable::TooLarge { limit: LARGEST, size: source.size() });
    }
    let start = start(source)?;
    checked(&start)?;
    let room = room(source, &start);
    let (mut found, mut der) = (Vec::new(), Vec::new());
    events(source, &start, &mut |event| {
        match event {
            Event::Begin => der = Vec::with_capacity(room.saturating_sub(found.iter().flatten().map(Vec::len).sum())),
            Event::Der(more) => der.extend_from_slice(more),
            Event::End(end) => found.push(end.map(|()| std::mem::take(&mut der)).map_err(Unreadable::from)),
        }
        true
    })?;
    if found.is_empty() { Err(nothing(&start)) } else { found.into_iter().collect() }
}

/// The first CRL of a file, in constant memory; `each` is given every entry of it, as a whole element.
pub fn walk<F>(source: &Source, each: &mut F) -> Result<Crl, Unreadable>
where
    F: FnMut(&[u8]) -> Result<(), NotDer>,
{
    let mut reader = Reader::default();
    let start = start(source)?;
    checked(&start)?;
    events(source, &start, &mut |event| reader.take(event, each))?;
    reader.found.into_iter().next().unwrap_or_else(|| Err(nothing(&start))).map(|(crl, _)| crl)
}

/// A CRL and its DER, or why it is none.
pub type Parsed = Result<(Crl, Vec<u8>), Unreadable>;

/// What every CRL of a file says, and its DER if it is to be kept, else nothing; `start`: what was read of the file already.
pub fn read(source: &Source, start: &[u8], keep: bool) -> Result<Vec<Parsed>, Unreadable> {
    let mut reader = Reader { room: keep.then(|| room(source, start)), ..Reader::default() };
    events(source, start, &mut |event| reader.take(event, &mut |_| Ok(())))?;
    Ok(reader.found)
}

fn nothing(start: &[u8]) -> Unreadable {
    Unreadable::Unexpected { expected: "a CRL", field: None, found: Contents::of(start) }
}

/// What is known to be something else is named, and not walked over.
fn checked(start: &[u8]) -> Result<(), Unreadable> {
    match found(start) {
        None | Some(Found::Crl) => Ok(()),
        Some(_) => Err(nothing(start)),
    }
}

fn start(source: &Source) -> Result<Vec<u8>, Unreadable> {
    let mut start = vec![0; CHUNK];
    let filled = source.fill(&mut start, 0)?;
    start.truncate(filled);
    Ok(start)
}

/// DER begins with a SEQUENCE, which no text does.
fn is_der(start: &[u8]) -> bool {
    start.first() == Some(&SEQUENCE)
}

/// How much DER the file holds at the most: 65 octets of a line of PEM are 48 of DER.
fn room(source: &Source, start: &[u8]) -> usize {
    let size = usize::try_from(source.size()).unwrap_or(usize::MAX);
    if is_der(start) { size } else { size / 65 * 48 + 64 }
}

/// The CRLs of a file piece by piece. A file of DER is one, and is read no further once `on` returns false.
fn events(source: &Source, start: &[u8], on: &mut impl FnMut(Event<'_>) -> bool) -> Result<(), Unreadable> {
    let mut text = (!is_der(start)).then(|| Stream::new(LABEL));
    if text.is_none() {
        on(Event::Begin);
    }
    let mut feed = |piece: &[u8]| match &mut text {
        Some(text) => {
            text.feed(piece, &mut |event| _ = on(event));
            true
        }
        None => on(Event::Der(piece)),
    };
    let mut buffer = vec![0; CHUNK];
    let mut wanted = feed(start);
    while wanted {
        let length = source.read(&mut buffer)?;
        if length == 0 {
            break;
        }
        wanted = feed(buffer.get(..length).unwrap_or_default());
    }
    match text {
        Some(text) => text.finish(&mut |event| _ = on(event)),
        None => _ = on(Event::End(Ok(()))),
    }
    Ok(())
}

/// Walks over one CRL after the other.
#[derive(Default)]
struct Reader {
    found: Vec<Parsed>,
    walker: Walker,
    broken: Option<CrlError>,
    /// How much DER to expect in the whole file, if it is kept.
    room: Option<usize>,
    der: Vec<u8>,
}

impl Reader {
    /// `each` is given the entries of the first CRL. The answer: whether the rest of this CRL matters.
    fn take(&mut self, event: Event<'_>, each: &mut impl FnMut(&[u8]) -> Result<(), NotDer>) -> bool {
        match event {
            Event::Begin => {
                (self.walker, self.broken) = (Walker::default(), None);
                self.der = Vec::with_capacity(self.room.unwrap_or(0));
            }
            Event::Der(piece) if self.broken.is_none() => {
                let fed =
                    if self.found.is_empty() { self.walker.feed_each(piece, each) } else { self.walker.feed(piece) };
                self.broken = fed.err();
                if self.room.is_some() {
                    self.der.extend_from_slice(piece);
                }
            }
            Event::Der(_) => {}
            Event::End(end) => {
                let (walker, der) = (std::mem::take(&mut self.walker), std::mem::take(&mut self.der));
                self.room = self.room.map(|room| room.saturating_sub(der.len()));
                self.found.push(match (self.broken.take(), end) {
                    (Some(why), _) => Err(why.into()),
                    (None, Err(why)) => Err(why.into()),
                    (None, Ok(())) => walker.finish().map(|crl| (crl, der)).map_err(Unreadable::from),
                });
            }
        }
        self.broken.is_none()
    }
}
