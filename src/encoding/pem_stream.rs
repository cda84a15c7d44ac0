//! PEM of any size in pieces of any size: the blocks of one label are decoded as they come, all others passed over. For what
//! is no secret; [`crate::encoding::pem`] is for keys and for whole files.

use crate::encoding::base64;
use crate::encoding::pem_label::Label;
use crate::encoding::pem_scan::{self, Boundary, Line};

/// Base64 gathered before it is decoded; a multiple of four.
const CHUNK: usize = 1 << 16;
/// As long as the BEGIN and END lines of any label get; what is longer is text.
const LINE: usize = 128;

/// What was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    Begin,
    /// The next bytes of the block.
    Der(&'a [u8]),
    /// The block is over; what came before is worth nothing where it is broken.
    End(Result<(), Broken>),
}

/// Why a block is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    #[error("expected padded standard base64")]
    NotBase64,
    /// Its END line is another's, or missing.
    #[error("expected an END line, found none")]
    NoEnd,
    #[error("expected a BEGIN line, found one that only looks like it")]
    NotABoundary,
}

/// Takes a text; [`Stream::finish`] must be called at its end.
#[derive(Debug)]
pub struct Stream {
    label: Vec<u8>,
    /// In a block of this label.
    inside: bool,
    /// A line that may begin or end a block, as far as it has come.
    line: Vec<u8>,
    /// In the middle of a line of base64.
    in_line: bool,
    /// Base64 without white space that is not decoded yet.
    text: Vec<u8>,
    der: Vec<u8>,
    /// Padding was met: nothing may follow.
    padded: bool,
    broken: bool,
}

impl Stream {
    pub fn new(label: &str) -> Self {
        Self {
            label: label.as_bytes().to_vec(),
            inside: false,
            line: Vec::new(),
            in_line: false,
            text: Vec::new(),
            der: Vec::new(),
            padded: false,
            broken: false,
        }
    }

    pub fn feed(&mut self, mut piece: &[u8], on: &mut impl FnMut(Event<'_>)) {
        while !piece.is_empty() {
            if self.inside && self.line.is_empty() {
                piece = self.base64(piece, on);
            }
            piece = self.gather(piece, on);
        }
    }

    pub fn finish(mut self, on: &mut impl FnMut(Event<'_>)) {
        self.line_is_over(on);
        if self.inside {
            on(Event::End(Err(Broken::NoEnd)));
        }
    }

    /// Up to a line that begins with a hyphen, which no base64 does.
    fn base64<'p>(&mut self, mut piece: &'p [u8], on: &mut impl FnMut(Event<'_>)) -> &'p [u8] {
        loop {
            if !self.in_line {
                piece = piece.trim_ascii_start();
                if matches!(piece, [] | [b'-', ..]) {
                    return piece;
                }
                let before = piece.len();
                // Lines as everybody writes them are taken as a whole.
                while let Some((line, after)) = pem_scan::whole_line(piece) {
                    self.text.extend_from_slice(line);
                    piece = after;
                    if self.text.len() >= CHUNK {
                        self.decode(on);
                    }
                }
                if piece.len() < before {
                    continue;
                }
            }
            let end = piece.iter().position(|octet| *octet == b'\n');
            let (data, rest) = piece.split_at_checked(end.unwrap_or(piece.len())).unwrap_or((piece, &[]));
            self.text.extend(data.iter().filter(|octet| !octet.is_ascii_whitespace()));
            if self.text.len() >= CHUNK {
                self.decode(on);
            }
            self.in_line = end.is_none();
            if self.in_line {
                return rest;
            }
            piece = rest;
        }
    }

    /// Whole groups of four; what is left waits for more.
    fn decode(&mut self, on: &mut impl FnMut(Event<'_>)) {
        let whole = self.text.len() / 4 * 4;
        let text = self.text.get(..whole).unwrap_or_default();
        self.der.clear();
        if text.is_empty() || self.broken {
            self.text.drain(..whole);
            return;
        }
        match base64::decode_into(text, &mut self.der) {
            Ok(()) if !self.padded => on(Event::Der(&self.der)),
            _ => self.broken = true,
        }
        self.padded = text.ends_with(b"=");
        self.text.drain(..whole);
    }

    /// The rest of a line that is not taken as base64.
    fn gather<'p>(&mut self, piece: &'p [u8], on: &mut impl FnMut(Event<'_>)) -> &'p [u8] {
        let end = piece.iter().position(|octet| *octet == b'\n');
        let (line, after) =
            piece.split_at_checked(end.map_or(piece.len(), |end| end.saturating_add(1))).unwrap_or((piece, &[]));
        let room = LINE.saturating_sub(self.line.len());
        self.line.extend(line.iter().take(room));
        if end.is_some() {
            self.line_is_over(on);
        }
        after
    }

    fn line_is_over(&mut self, on: &mut impl FnMut(Event<'_>)) {
        let line = std::mem::take(&mut self.line);
        let meaning = pem_scan::line(self.inside.then_some(&self.label), &line);
        match meaning {
            // A hyphen is no base64.
            Line::Text => self.broken |= self.inside && !line.is_empty(),
            Line::End => {
                self.decode(on);
                let whole = !self.broken && self.text.is_empty();
                on(Event::End(if whole { Ok(()) } else { Err(Broken::NotBase64) }));
                self.inside = false;
            }
            Line::Nearly(boundary, label) => {
                if boundary == Boundary::Begin && label == Label::of(&self.label) {
                    on(Event::Begin);
                    on(Event::End(Err(Broken::NotABoundary)));
                }
            }
            Line::Begin(_) | Line::OtherEnd(_) | Line::Hyphens => {
                if self.inside {
                    on(Event::End(Err(Broken::NoEnd)));
                }
                self.inside = meaning == Line::Begin(&self.label);
                if self.inside {
                    self.text.clear();
                    (self.in_line, self.padded, self.broken) = (false, false, false);
                    on(Event::Begin);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::{pem, pem_blocks};
    use proptest::prelude::*;

    /// Every block, however the text is cut.
    fn blocks(text: &[u8], size: usize) -> Vec<Result<Vec<u8>, Broken>> {
        let (mut found, mut open) = (Vec::new(), Vec::new());
        let mut on = |event: Event<'_>| match event {
            Event::Begin => open.clear(),
            Event::Der(der) => open.extend_from_slice(der),
            Event::End(end) => found.push(end.map(|()| open.clone())),
        };
        let mut stream = Stream::new("A B");
        text.chunks(size.max(1)).for_each(|piece| stream.feed(piece, &mut on));
        stream.finish(&mut on);
        found
    }

    #[test]
    fn blocks_are_found_whatever_the_editor_left() {
        let written = pem::write_public("A B", &[7; 200]);
        let one_line = format!("-----BEGIN A B-----\n{}\n-----END A B-----", base64::encode(&[7; 200]).as_str());
        for text in [
            written.clone(),
            written.replace('\n', "\r\n"),
            format!("\u{feff}{written}"),
            format!("text - with\n-----BEGIN C-----\nZm9v\n-----END C-----\n{}", written.trim_end()),
            written.replace('\n', "\n  "),
            one_line,
        ] {
            for size in [1, 3, 64, 65, 1000] {
                assert_eq!(blocks(text.as_bytes(), size), [Ok(vec![7; 200])], "{size} {text}");
            }
        }
    }

    #[test]
    fn broken_blocks_say_so() {
        for (body, broken) in [
            ("Zm9\n-----END A B-----\n", Broken::NotBase64),
            ("Zg==Zg==\n-----END A B-----\n", Broken::NotBase64),
            ("Zm9v!\n-----END A B-----\n", Broken::NotBase64),
            ("Zm9v\n-----END A C-----\n", Broken::NoEnd),
            ("Zm9v\n", Broken::NoEnd),
            ("Zm9v\n-----END A B--", Broken::NoEnd),
            ("Zm9v-----END A B-----\n", Broken::NoEnd),
            ("-Zm9v\n-----END A B-----\n", Broken::NotBase64),
        ] {
            let text = format!("-----BEGIN A B-----\n{body}");
            for size in [1, 4, 1000] {
                assert_eq!(blocks(text.as_bytes(), size), [Err(broken)], "{body}");
            }
        }
        assert_eq!(blocks(b"-----BEGIN A B-----", 100), [Err(Broken::NoEnd)]);
    }

    #[test]
    fn padding_in_the_middle_is_seen_across_chunks() {
        let text = format!("-----BEGIN A B-----\n{}Zg==\nZm9v\n-----END A B-----\n", "Zm9v".repeat(CHUNK / 4 - 1));
        assert_eq!(blocks(text.as_bytes(), 4096), [Err(Broken::NotBase64)]);
    }

    proptest! {
        #[test]
        fn any_mutation_reads_as_the_whole_does(at in 0usize..400, octet in any::<u8>(), size in 1usize..90) {
            let one = pem::write_public("A B", &[0x5a; 80]);
            let mut text = format!("{one}{}{one}", pem::write_public("C", &[1; 9])).into_bytes();
            let at = at % text.len();
            text[at] = octet;
            let whole: Vec<Vec<u8>> = pem_blocks::blocks(&text)
                .filter_map(|block| block.ok().filter(|raw| raw.is("A B"))?.decode().ok())
                .map(|block| block.contents.to_vec())
                .collect();
            let pieces: Vec<Vec<u8>> = blocks(&text, size).into_iter().filter_map(Result::ok).collect();
            // Headers of old keys (a colon before the base64) are no part of what a stream reads.
            prop_assert!(pieces == whole || octet == b':', "{:?} {:?}", pieces, whole);
        }
    }
}
