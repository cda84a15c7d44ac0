//! Base64 as kubeconfigs carry it: the standard alphabet, padded, on one line (RFC 4648 section 4).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

/// The text is not padded standard base64; how far it could be read is left out, because the text may be a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected padded standard base64")]
pub struct Base64Error;

pub fn encode(bytes: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(STANDARD.encode(bytes))
}

/// In the alphabet for URLs, without padding (RFC 4648 section 5); for what is no secret.
pub fn url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Behind what is there already; for what is no secret.
pub fn append(bytes: &[u8], text: &mut String) {
    STANDARD.encode_string(bytes, text);
}

/// Behind what is there already, without white space; for what is no secret.
pub fn decode_into(text: &[u8], bytes: &mut Vec<u8>) -> Result<(), Base64Error> {
    STANDARD.decode_vec(text, bytes).map_err(|_| Base64Error)
}

/// White space anywhere is skipped: YAML folds long values.
pub fn decode(text: &[u8]) -> Result<Zeroizing<Vec<u8>>, Base64Error> {
    // Most texts have none, and a look at every byte takes longer than decoding does.
    on_one_line(text).or_else(|_| {
        let mut compact = Zeroizing::new(Vec::with_capacity(text.len()));
        compact.extend(text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()));
        on_one_line(&compact)
    })
}

/// The reverse of [`url`].
pub fn decode_url(text: &[u8]) -> Result<Zeroizing<Vec<u8>>, Base64Error> {
    let mut bytes = Zeroizing::new(vec![0; text.len().div_ceil(4).saturating_mul(3)]);
    let length = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).map_err(|_| Base64Error)?;
    bytes.truncate(length);
    Ok(bytes)
}

fn on_one_line(text: &[u8]) -> Result<Zeroizing<Vec<u8>>, Base64Error> {
    // Decoded into a buffer of full size: a vector that grows would leave copies of a key behind.
    let mut bytes = Zeroizing::new(vec![0; text.len().div_ceil(4).saturating_mul(3)]);
    let length = STANDARD.decode_slice(text, &mut bytes).map_err(|_| Base64Error)?;
    bytes.truncate(length);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_round_trips_and_refuses_the_rest() {
        for bytes in [&b""[..], b"f", b"fo", b"foo", b"foobar", &[0xff, 0xfe, 0xfd]] {
            assert_eq!(decode(encode(bytes).as_bytes()).unwrap().as_slice(), bytes);
        }
        assert_eq!(encode(b"foobar").as_str(), "Zm9vYmFy");
        assert_eq!(decode(b"Zm9v\n  YmFy\r\n").unwrap().as_slice(), b"foobar");
        for text in [&b"Zg"[..], b"Zg=", b"Zh==", b"Zm9v-", b"Zm9_", b"=", b"Zm9vYg==Zg==", "ü".as_bytes()] {
            assert_eq!(decode(text), Err(Base64Error), "{text:?}");
        }
        assert_eq!(url(&[0xff, 0xfe, 0xfd, 0]), "__79AA");
        assert_eq!(decode_url(b"__79AA").unwrap().as_slice(), [0xff, 0xfe, 0xfd, 0]);
        assert!(decode_url(b"__79AA==").is_err() && decode_url(b"//79AA").is_err());
    }
}
