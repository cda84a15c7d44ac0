//! PEM (RFC 7468): labelled base64 between two lines. Read tolerantly where people and editors leave traces (text around
//! blocks, CRLF, a byte order mark, a missing last newline), never silently: a block that begins and does not end is an
//! error, not the end of the file.

use zeroize::Zeroizing;

use crate::encoding::base64;
pub use crate::encoding::pem_blocks::{Block, PemError, listed};
use crate::encoding::pem_blocks::{LIMIT, blocks};
pub use crate::encoding::pem_label::Label;
use crate::encoding::pem_scan::{first_line, whole_line};

/// Whether one of the blocks of `input` is the block `wanted` holds.
pub fn contains(input: &[u8], wanted: &str) -> bool {
    match (read(input), read(wanted.as_bytes())) {
        (Ok(blocks), Ok(wanted)) => wanted.first().is_some_and(|wanted| blocks.contains(wanted)),
        _ => false,
    }
}

/// Whether a private key is in a text, also where lines were lost or the block is broken. A file that others may read is not
/// to have one.
pub fn holds_private_key(input: &[u8]) -> bool {
    const END: &[u8] = b"PRIVATE KEY-----";
    let mut rest = input;
    while !rest.is_empty() {
        let line;
        (line, rest) = match whole_line(rest) {
            Some((_, after)) => (&[][..], after),
            None => first_line(rest),
        };
        if line.windows(END.len()).any(|part| part == END) {
            return true;
        }
    }
    false
}

/// How many lines begin a private key.
pub fn private_keys(input: &[u8]) -> usize {
    const END: &[u8] = b"PRIVATE KEY-----";
    let begins = |line: &&[u8]| {
        line.windows(11).any(|part| part == b"-----BEGIN ") && line.windows(END.len()).any(|part| part == END)
    };
    input.split(|byte| matches!(byte, b'\n' | b'\r')).filter(begins).count()
}

/// A file of this name is for everybody, whatever its mode.
pub fn is_called_public(path: &str) -> bool {
    [".crt", ".pub", ".csr", ".crl"].iter().any(|end| path.ends_with(end))
}

/// Every block in order; none is not an error here.
pub fn read(input: &[u8]) -> Result<Vec<Block>, PemError> {
    if input.len() > LIMIT {
        return Err(PemError::TooLarge { found: input.len() });
    }
    blocks(input).map(|block| block.and_then(|raw| raw.decode())).collect()
}

/// A public text with `new` in every certificate's block that holds `old`, both DER, and every other byte as it was; `None`: no
/// block holds it.
///
/// # Errors
/// A block is broken, or the text is too large.
pub fn replaced(input: &[u8], old: &[u8], new: &[u8]) -> Result<Option<Vec<u8>>, PemError> {
    if input.len() > LIMIT {
        return Err(PemError::TooLarge { found: input.len() });
    }
    let pem = write_public("CERTIFICATE", new);
    let lines: Vec<&str> = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let (mut text, mut at) = (Vec::with_capacity(input.len() + pem.len()), 0);
    for raw in blocks(input) {
        let raw = raw?;
        if !raw.is_certificate() || raw.decode()?.certificate() != Some(old) {
            continue;
        }
        let body = raw.body();
        let end = if input.get(body.clone()).unwrap_or_default().contains(&b'\r') { "\r\n" } else { "\n" };
        text.extend_from_slice(input.get(at..body.start).unwrap_or_default());
        lines.iter().for_each(|line| text.extend([line.as_bytes(), end.as_bytes()].concat()));
        at = body.end;
    }
    text.extend_from_slice(input.get(at..).unwrap_or_default());
    Ok((at > 0).then_some(text))
}

/// As Go writes it, so as kubeadm does: lines of 64 characters, each ended by a newline.
pub fn write(label: &str, der: &[u8]) -> Zeroizing<String> {
    let text = base64::encode(der);
    let mut pem = Zeroizing::new(String::with_capacity(text.len() + text.len() / 64 + 2 * label.len() + 36));
    pem.push_str("-----BEGIN ");
    pem.push_str(label);
    pem.push_str("-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, tail) = rest.split_at_checked(64).unwrap_or((rest, ""));
        pem.push_str(line);
        pem.push('\n');
        rest = tail;
    }
    pem.push_str("-----END ");
    pem.push_str(label);
    pem.push_str("-----\n");
    pem
}

/// The same for certificates, requests and public keys. The `pem` crate leaves copies of what it writes in memory: not for keys.
pub fn write_public(label: &str, der: &[u8]) -> String {
    let config = ::pem::EncodeConfig::new().set_line_ending(::pem::LineEnding::LF);
    ::pem::encode_config(&::pem::Pem::new(label, der), config)
}

/// How many lines of a large PEM are encoded at once.
const LINES: usize = 256;

/// The same for CRLs, which may be large: one pass, and no copies of the whole.
pub fn write_large(label: &str, der: &[u8]) -> String {
    let mut pem = String::with_capacity(der.len() / 48 * 65 + 2 * label.len() + 128);
    for part in ["-----BEGIN ", label, "-----\n"] {
        pem.push_str(part);
    }
    // Many lines at once: each by itself would take the slow path of the encoder for half of its bytes.
    let mut text = String::with_capacity(64 * LINES);
    for part in der.chunks(48 * LINES) {
        text.clear();
        base64::append(part, &mut text);
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (line, tail) = rest.split_at_checked(64).unwrap_or((rest, ""));
            pem.push_str(line);
            pem.push('\n');
            rest = tail;
        }
    }
    for part in ["-----END ", label, "-----\n"] {
        pem.push_str(part);
    }
    pem
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TWO: &str = "# a comment\n-----BEGIN A-----\nZm9v\nYmFy\n-----END A-----\ntext\n-----BEGIN B C-----\nZg==\n-----END B C-----";

    #[test]
    fn one_certificate_is_replaced_where_it_stands() {
        let one = |der: &[u8]| write_public("CERTIFICATE", der);
        let (old, new, other) = (vec![0x30, 1, 7], [&[0x30, 0x81, 0x80][..], &[9; 0x80]].concat(), vec![0x30, 1, 8]);
        let bundle = |first: &[u8], third: &[u8]| {
            format!("# ours\n{}text\n{}{}# end", one(first), one(&other), one(third)).into_bytes()
        };
        assert_eq!(replaced(&bundle(&other, &old), &old, &new), Ok(Some(bundle(&other, &new))));
        assert_eq!(replaced(&bundle(&old, &old), &old, &new), Ok(Some(bundle(&new, &new))));
        assert_eq!(replaced(&bundle(&other, &other), &old, &new), Ok(None));
        assert_eq!(replaced(b"", &old, &new), Ok(None));
        let crlf = |der: &[u8]| String::from_utf8(bundle(der, &old)).unwrap().replace('\n', "\r\n").into_bytes();
        let all_new = String::from_utf8(bundle(&new, &new)).unwrap().replace('\n', "\r\n").into_bytes();
        assert_eq!(replaced(&crlf(&old), &old, &new), Ok(Some(all_new)));
        assert!(replaced(b"-----BEGIN CERTIFICATE-----\nZm9v\n", &old, &new).is_err());
        // Other blocks with the same bytes are none of ours.
        let label = write_public("X509 CRL", &old);
        assert_eq!(replaced(label.as_bytes(), &old, &new), Ok(None));
    }

    #[test]
    fn blocks_are_found_whatever_the_editor_left() {
        let crlf = TWO.replace('\n', "\r\n");
        let bom = format!("\u{feff}{}", TWO.trim_start_matches("# a comment\n"));
        let indented = TWO.replace('\n', "\n    ");
        for text in [TWO, &crlf, &bom, &indented] {
            let blocks = read(text.as_bytes()).unwrap();
            let found: Vec<_> = blocks.iter().map(|b| (b.label, b.contents.as_slice())).collect();
            assert_eq!(found, [(Label::of(b"A"), &b"foobar"[..]), (Label::of(b"B C"), b"f")], "{text}");
        }
        assert_eq!(read(b"").unwrap(), []);
        assert_eq!(read(b"no block here\n").unwrap(), []);
    }

    #[test]
    fn a_broken_block_is_named() {
        let label = || Label::of(b"A");
        for (text, error) in [
            ("-----BEGIN A-----\nZm9v\n", PemError::Unterminated { position: 1, label: label() }),
            ("-----BEGIN A-----", PemError::Unterminated { position: 1, label: label() }),
            (
                "-----BEGIN A-----\nZm9v\n-----BEGIN A-----\nZm9v\n-----END A-----\n",
                PemError::Unterminated { position: 1, label: label() },
            ),
            (
                "-----BEGIN A-----\nZm9v\n-----END B-----\n",
                PemError::WrongEnd { position: 1, label: label(), found: Label::of(b"B") },
            ),
            ("-----BEGIN A-----\nZm9\n-----END A-----\n", PemError::NotBase64 { position: 1, label: label() }),
            ("text\n-----END A-----\n", PemError::NoBegin { line: 2, label: label() }),
            ("a -----BEGIN A-----\nZm9v\n-----END A-----\n", PemError::NoBegin { line: 3, label: label() }),
            (
                "-----BEGIN B-----\n-----END B-----\n-----BEGIN A-----\n!\n-----END A-----\n",
                PemError::NotBase64 { position: 2, label: label() },
            ),
        ] {
            assert_eq!(read(text.as_bytes()), Err(error), "{text}");
        }
    }

    #[test]
    fn headers_of_old_encrypted_keys_are_seen() {
        let text = "-----BEGIN A-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nZm9v\n-----END A-----\n";
        let blocks = read(text.as_bytes()).unwrap();
        assert!(blocks[0].encrypted && blocks[0].contents.as_slice() == b"foo");
    }

    #[test]
    fn a_private_key_is_found_wherever_it_is() {
        for (text, holds) in [
            (
                "-----BEGIN CERTIFICATE-----\nZm9v\n-----END CERTIFICATE-----\n-----BEGIN EC PRIVATE KEY-----\nZm9v\n",
                true,
            ),
            ("key: \"-----BEGIN PRIVATE KEY-----\\nZm9v\"", true),
            ("-----BEGIN ENCRYPTED PRIVATE KEY-----", true),
            ("-----BEGIN PUBLIC KEY-----\nZm9v\n-----END PUBLIC KEY-----\n", false),
            ("the PRIVATE KEY is elsewhere PPP", false),
            ("", false),
        ] {
            assert_eq!(holds_private_key(text.as_bytes()), holds, "{text}");
        }
    }

    #[test]
    fn nothing_secret_in_debug() {
        assert_eq!(format!("{:?}", read(TWO.as_bytes()).unwrap()[0]), "Block(an unknown label of 1 bytes, 6 bytes)");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(label in "[A-Z][A-Z ]{0,20}[A-Z]", der in prop::collection::vec(any::<u8>(), 0..300)) {
            let text = write(&label, &der);
            prop_assert_eq!(&write_public(&label, &der), text.as_str());
            prop_assert_eq!(&write_large(&label, &der), text.as_str());
            prop_assert!(text.lines().all(|line| line.len() <= 64));
            let blocks = read(text.as_bytes()).unwrap();
            prop_assert_eq!(blocks.len(), 1);
            prop_assert_eq!(blocks[0].label, Label::of(label.as_bytes()));
            prop_assert_eq!(blocks[0].contents.as_slice(), der.as_slice());
        }

        #[test]
        fn any_bytes_are_read_or_refused(input in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = read(&input);
        }

        #[test]
        fn any_mutation_is_read_or_refused(cut in 0..TWO.len(), byte in any::<u8>()) {
            let mut input = TWO.as_bytes().to_vec();
            let _ = read(&input[..cut]);
            input[cut] = byte;
            let _ = read(&input);
        }
    }
}
