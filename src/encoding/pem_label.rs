//! Labels of PEM blocks. Where the lines of a file were lost, the whole key stands on the BEGIN line, in the place of the
//! label. So a label is one of a table, or only its length is known: what is not in the table cannot be printed by anybody.

use std::fmt;

/// RFC 7468, and what OpenSSL, OpenSSH, GnuPG and others write.
const KNOWN: &[&str] = &[
    "CERTIFICATE",
    "X509 CERTIFICATE",
    "TRUSTED CERTIFICATE",
    "ATTRIBUTE CERTIFICATE",
    "CERTIFICATE REQUEST",
    "NEW CERTIFICATE REQUEST",
    "X509 CRL",
    "PRIVATE KEY",
    "ENCRYPTED PRIVATE KEY",
    "RSA PRIVATE KEY",
    "EC PRIVATE KEY",
    "DSA PRIVATE KEY",
    "ANY PRIVATE KEY",
    "OPENSSH PRIVATE KEY",
    "SSH2 ENCRYPTED PRIVATE KEY",
    "TSS2 PRIVATE KEY",
    "PUBLIC KEY",
    "RSA PUBLIC KEY",
    "DSA PUBLIC KEY",
    "SSH2 PUBLIC KEY",
    "EC PARAMETERS",
    "DH PARAMETERS",
    "X9.42 DH PARAMETERS",
    "DSA PARAMETERS",
    "PKCS7",
    "PKCS #7 SIGNED DATA",
    "CMS",
    "SSL SESSION PARAMETERS",
    "PGP PUBLIC KEY BLOCK",
    "PGP PRIVATE KEY BLOCK",
    "PGP MESSAGE",
    "PGP SIGNATURE",
    "AGE ENCRYPTED FILE",
    "OpenVPN Static key V1",
];
const HYPHENS: &[u8] = b"-----";

/// What kind of block it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    Known(&'static str),
    Unknown {
        bytes: usize,
        /// It ends as those of private keys do.
        private_key: bool,
        /// The BEGIN line holds another BEGIN or END: line breaks were lost.
        joined: bool,
    },
}

impl Label {
    pub fn of(text: &[u8]) -> Self {
        match KNOWN.iter().find(|known| known.as_bytes() == text) {
            Some(known) => Self::Known(known),
            None => Self::Unknown {
                bytes: text.len(),
                private_key: text.ends_with(b"PRIVATE KEY"),
                joined: text.windows(HYPHENS.len()).any(|part| part == HYPHENS),
            },
        }
    }

    /// The one of the table with these words, in any case and with any spaces.
    pub fn like(text: &[u8]) -> Option<Self> {
        let words = |text: &[u8]| -> Vec<Vec<u8>> {
            let words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
            words.map(<[u8]>::to_ascii_uppercase).collect()
        };
        // Longer than any of the table, so not worth a copy.
        let wanted = Some(text).filter(|text| text.len() <= 64).map(words)?;
        KNOWN.iter().find(|known| words(known.as_bytes()) == wanted).map(|known| Self::Known(known))
    }

    pub fn is(self, label: &str) -> bool {
        self.known() == Some(label)
    }

    pub const fn known(self) -> Option<&'static str> {
        match self {
            Self::Known(label) => Some(label),
            Self::Unknown { .. } => None,
        }
    }

    /// RFC 7468's label, and those that OpenSSL reads as well.
    pub fn is_certificate(self) -> bool {
        ["CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"].iter().any(|label| self.is(label))
    }

    /// Of PKCS#7 and CMS (RFC 7468 sections 8 and 9), and OpenSSL's old one.
    pub fn is_pkcs7(self) -> bool {
        ["PKCS7", "CMS", "PKCS #7 SIGNED DATA"].iter().any(|label| self.is(label))
    }

    pub fn is_private_key(self) -> bool {
        match self {
            Self::Known(label) => label.ends_with("PRIVATE KEY"),
            Self::Unknown { private_key, .. } => private_key,
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(label) => f.write_str(label),
            Self::Unknown { joined: true, .. } => {
                f.write_str("a BEGIN line with more behind it, as when line breaks are lost")
            }
            Self::Unknown { bytes, .. } => write!(f, "an unknown label of {bytes} bytes"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_labels_of_the_table_are_printed() {
        let one_line = "PRIVATE KEY-----MIGHAgEAMBMGByqGSM49-----END PRIVATE KEY";
        let lost = "a BEGIN line with more behind it, as when line breaks are lost";
        for (text, shown, private) in [
            ("CERTIFICATE", "CERTIFICATE", false),
            ("EC PRIVATE KEY", "EC PRIVATE KEY", true),
            ("certificate", "an unknown label of 11 bytes", false),
            ("MIGHAgEAMBMGByqGSM49", "an unknown label of 20 bytes", false),
            ("MIGHAgEA PRIVATE KEY", "an unknown label of 20 bytes", true),
            (one_line, lost, true),
            ("", "an unknown label of 0 bytes", false),
        ] {
            let label = Label::of(text.as_bytes());
            assert_eq!((label.to_string().as_str(), label.is_private_key()), (shown, private), "{text}");
            assert!(!format!("{label:?}").contains("MIGH"));
        }
    }
}
