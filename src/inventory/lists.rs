//! Revocation lists of any size out of a file, PEM or DER: the text is never in memory as a whole.

use super::load::refusal;
use crate::encoding::crl::LABEL;
use crate::encoding::pem_stream::{Event, Stream};
use crate::encoding::tlv::NotDer;
use crate::files::Source;
use crate::x509::{Crl, Walker};

const CHUNK: usize = 1 << 18;
/// DER begins with a SEQUENCE, which no text does.
const SEQUENCE: u8 = 0x30;
/// Five million entries.
const LARGEST: u64 = 512 << 20;

const NOTHING: &str = "expected a CRL, found nothing of the kind";

/// The DER of every list in a file; none is an error, in the house voice.
pub fn lists(source: &Source) -> Result<Vec<Vec<u8>>, String> {
    if source.size() > LARGEST {
        return Err(format!("expected at most {LARGEST} bytes, found a file of {}", source.size()));
    }
    let size = usize::try_from(source.size()).unwrap_or_default();
    let mut buffer = vec![0; CHUNK];
    let filled = source.fill(&mut buffer, 0).map_err(|kind| refusal(&kind))?;
    if buffer.first() == Some(&SEQUENCE) {
        buffer.resize(size.max(filled), 0);
        let filled = source.fill(&mut buffer, filled).map_err(|kind| refusal(&kind))?;
        buffer.truncate(filled);
        return Ok(vec![buffer]);
    }
    let mut found: Vec<Result<Vec<u8>, String>> = Vec::new();
    // 65 octets of a line are 48 of DER.
    let room = size / 65 * 48 + 64;
    let mut der = Vec::new();
    text(source, &mut buffer, filled, &mut |event| match event {
        Event::Begin => der = Vec::with_capacity(room.saturating_sub(found.iter().flatten().map(Vec::len).sum())),
        Event::Der(more) => der.extend_from_slice(more),
        Event::End(end) => found.push(end.map(|()| std::mem::take(&mut der)).map_err(|why| why.to_string())),
    })?;
    if found.is_empty() { Err(NOTHING.to_owned()) } else { found.into_iter().collect() }
}

/// The first list of a file, walked over in constant memory; `each` is shown its entries, as whole elements.
pub fn walk<F>(source: &Source, each: &mut F) -> Result<Crl, String>
where
    F: FnMut(&[u8]) -> Result<(), NotDer>,
{
    let mut buffer = vec![0; CHUNK];
    let mut filled = source.fill(&mut buffer, 0).map_err(|kind| refusal(&kind))?;
    let mut walker = Walker::default();
    if buffer.first() == Some(&SEQUENCE) {
        while filled > 0 {
            let object = buffer.get(..filled).unwrap_or_default();
            walker.feed_each(object, each).map_err(|why| why.to_string())?;
            filled = source.read(&mut buffer).map_err(|kind| refusal(&kind))?;
        }
        return walker.finish().map_err(|why| why.to_string());
    }
    let (mut ended, mut broken) = (None, None);
    text(source, &mut buffer, filled, &mut |event| match event {
        Event::Der(der) if ended.is_none() && broken.is_none() => {
            broken = walker.feed_each(der, each).err().map(|why| why.to_string());
        }
        Event::End(end) if ended.is_none() => ended = Some(end.map_err(|why| why.to_string())),
        _ => {}
    })?;
    match (broken, ended) {
        (Some(why), _) | (None, Some(Err(why))) => Err(why),
        (None, None) => Err(NOTHING.to_owned()),
        (None, Some(Ok(()))) => walker.finish().map_err(|why| why.to_string()),
    }
}

fn text(source: &Source, buffer: &mut [u8], mut filled: usize, on: &mut impl FnMut(Event<'_>)) -> Result<(), String> {
    let mut stream = Stream::new(LABEL);
    while filled > 0 {
        stream.feed(buffer.get(..filled).unwrap_or_default(), on);
        filled = source.read(buffer).map_err(|kind| refusal(&kind))?;
    }
    stream.finish(on);
    Ok(())
}
