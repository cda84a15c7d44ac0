//! `DEK-Info` of an encrypted PEM block (RFC 1421 section 4.6.1.3), as OpenSSL wrote it: a cipher, and its initialisation vector
//! in hexadecimal.

use std::fmt;

/// Only ciphers of the table can be printed: lost line breaks put a key in any place.
const CIPHERS: &[&str] = &[
    "AES-128-CBC",
    "AES-192-CBC",
    "AES-256-CBC",
    "DES-EDE3-CBC",
    "DES-EDE-CBC",
    "DES-CBC",
    "RC2-CBC",
    "BF-CBC",
    "CAST5-CBC",
    "IDEA-CBC",
    "SEED-CBC",
    "ARIA-128-CBC",
    "ARIA-256-CBC",
    "CAMELLIA-128-CBC",
    "CAMELLIA-192-CBC",
    "CAMELLIA-256-CBC",
];

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DekInfo {
    /// OpenSSL's name; `None`: another than the known ones.
    pub cipher: Option<&'static str>,
    pub iv: Vec<u8>,
}

impl DekInfo {
    /// Of a header line; `None`: it is another header, or broken.
    pub fn of_line(line: &[u8]) -> Option<Self> {
        let value = std::str::from_utf8(line.strip_prefix(b"DEK-Info:")?).ok()?;
        let (name, digits) = value.split_once(',')?;
        let digits = digits.trim();
        let pairs = digits.as_bytes().chunks(2).map(|pair| {
            let text =
                std::str::from_utf8(pair).ok().filter(|pair| pair.bytes().all(|digit| digit.is_ascii_hexdigit()));
            u8::from_str_radix(text.filter(|text| text.len() == 2)?, 16).ok()
        });
        // No block is longer than 16 octets.
        let iv: Vec<u8> = pairs.collect::<Option<_>>().filter(|iv: &Vec<u8>| (8..=16).contains(&iv.len()))?;
        Some(Self { cipher: CIPHERS.iter().find(|known| **known == name.trim()).copied(), iv })
    }
}

impl fmt::Display for DekInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.cipher.unwrap_or("an unknown cipher"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_openssl_are_read_and_others_are_not() {
        let iv = vec![0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];
        for (line, cipher) in [
            ("DEK-Info: DES-EDE3-CBC,0123456789ABCDEF", Some("DES-EDE3-CBC")),
            ("DEK-Info:AES-128-CBC, 0123456789abcdef ", Some("AES-128-CBC")),
            ("DEK-Info: MIIEvQIBADANBg,0123456789ABCDEF", None),
        ] {
            assert_eq!(DekInfo::of_line(line.as_bytes()), Some(DekInfo { cipher, iv: iv.clone() }), "{line}");
        }
        for line in [
            "DEK-Info: DES-CBC",
            "DEK-Info: DES-CBC,",
            "DEK-Info: DES-CBC,01",
            "DEK-Info: DES-CBC,0123456789ABCDE",
            "DEK-Info: DES-CBC,+123456789ABCDEF",
            "DEK-Info: DES-CBC,0123456789ABCDEF0123456789ABCDEF00",
            "DEK-Info: DES-CBC,éééééééé",
            "Proc-Type: 4,ENCRYPTED",
        ] {
            assert_eq!(DekInfo::of_line(line.as_bytes()), None, "{line}");
        }
    }
}
