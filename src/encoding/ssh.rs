//! OpenSSH's keys: the fields of its wire format (RFC 4251 section 5), and what they are as SubjectPublicKeyInfo and as the
//! containers that the other programs read (RFC 8017, RFC 5915, RFC 8410). No password is known here.

use zeroize::Zeroizing;

use crate::encoding::key_container::{secret_sequence, write_sec1};
use crate::encoding::public_key::{DSA, EC_PUBLIC_KEY, SECP256R1, SECP384R1, SECP521R1};
use crate::encoding::raw_key::rsa_public_to_spki;
use crate::encoding::{algorithm, base64, tlv};

/// The label of a private key's PEM block.
pub const LABEL: &str = "OPENSSH PRIVATE KEY";
const MAGIC: &[u8] = b"openssh-key-v1\0";
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SshError {
    /// The part that is not as OpenSSH writes it.
    #[error("expected an OpenSSH key with a well-formed {0}")]
    Malformed(&'static str),
    /// `sk-...`: the private half never leaves the device.
    #[error("expected a key, found the handle of one on a security key (FIDO)")]
    SecurityKey,
    #[error("expected an OpenSSH key, found an OpenSSH certificate (ssh-keygen -L -f FILE shows it)")]
    Certificate,
    #[error("expected an OpenSSH key of RSA, ECDSA, Ed25519 or DSA, found another kind")]
    OtherKind,
    #[error("expected one key in the file, found {0}")]
    Several(u32),
}

type Result<T> = std::result::Result<T, SshError>;

/// What is left of a text in the wire format.
struct Wire<'a>(&'a [u8]);

impl<'a> Wire<'a> {
    fn number(&mut self, part: &'static str) -> Result<u32> {
        let (number, rest) = self.0.split_first_chunk::<4>().ok_or(SshError::Malformed(part))?;
        self.0 = rest;
        Ok(u32::from_be_bytes(*number))
    }

    fn string(&mut self, part: &'static str) -> Result<&'a [u8]> {
        let length = usize::try_from(self.number(part)?).map_err(|_| SshError::Malformed(part))?;
        let (string, rest) = self.0.split_at_checked(length).ok_or(SshError::Malformed(part))?;
        self.0 = rest;
        Ok(string)
    }

    /// The octets of a positive mpint without its sign octet.
    fn positive(&mut self, part: &'static str) -> Result<&'a [u8]> {
        match self.string(part)? {
            [0, rest @ ..] => Ok(rest),
            [first, ..] if first & 0x80 != 0 => Err(SshError::Malformed(part)),
            all => Ok(all),
        }
    }
}

/// What a type of key is.
enum Kind {
    Rsa,
    /// The curve, its name, and the octets of a coordinate.
    Ecdsa(&'static [u8], &'static [u8], usize),
    Ed25519,
    Dsa,
}

fn kind(name: &[u8]) -> Result<Kind> {
    match name {
        b"ssh-rsa" => Ok(Kind::Rsa),
        b"ecdsa-sha2-nistp256" => Ok(Kind::Ecdsa(SECP256R1, b"nistp256", 32)),
        b"ecdsa-sha2-nistp384" => Ok(Kind::Ecdsa(SECP384R1, b"nistp384", 48)),
        b"ecdsa-sha2-nistp521" => Ok(Kind::Ecdsa(SECP521R1, b"nistp521", 66)),
        b"ssh-ed25519" => Ok(Kind::Ed25519),
        b"ssh-dss" => Ok(Kind::Dsa),
        name if name.windows(10).any(|part| part == b"-cert-v01@") => Err(SshError::Certificate),
        name if name.starts_with(b"sk-") => Err(SshError::SecurityKey),
        _ => Err(SshError::OtherKind),
    }
}

/// SubjectPublicKeyInfo of a public key in the wire format (RFC 4253 section 6.6, RFC 5656, RFC 8709).
fn spki(blob: &[u8]) -> Result<Vec<u8>> {
    const PART: &str = "public key";
    let mut wire = Wire(blob);
    let spki = match kind(wire.string(PART)?)? {
        Kind::Rsa => {
            let (exponent, modulus) = (wire.positive(PART)?, wire.positive(PART)?);
            rsa_public_to_spki(&tlv::sequence(&[tlv::integer(modulus), tlv::integer(exponent)]))
        }
        Kind::Ecdsa(curve, name, _) => {
            if wire.string(PART)? != name {
                return Err(SshError::Malformed("curve"));
            }
            let curve = tlv::write(tlv::OBJECT_IDENTIFIER, curve);
            tlv::sequence(&[algorithm::write(EC_PUBLIC_KEY, &curve), tlv::bit_string(wire.string(PART)?)])
        }
        Kind::Ed25519 => tlv::sequence(&[algorithm::write(ED25519, &[]), tlv::bit_string(wire.string(PART)?)]),
        Kind::Dsa => {
            let numbers = [wire.positive(PART)?, wire.positive(PART)?, wire.positive(PART)?];
            let public = tlv::integer(wire.positive(PART)?);
            let parameters = tlv::sequence(&numbers.map(tlv::integer));
            tlv::sequence(&[algorithm::write(DSA, &parameters), tlv::bit_string(&public)])
        }
    };
    if wire.0.is_empty() { Ok(spki) } else { Err(SshError::Malformed(PART)) }
}

/// The public keys of a text of lines `TYPE BASE64 COMMENT`, each as SubjectPublicKeyInfo. Empty lines and comments are passed over.
pub fn public_keys(text: &[u8]) -> Result<Vec<Vec<u8>>> {
    let lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let keys = lines.filter(|line| !line.is_empty() && !line.starts_with(b"#")).map(|line| {
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let (name, body) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        kind(name)?;
        let blob = base64::decode(body).map_err(|_| SshError::Malformed("base64"))?;
        spki(&blob)
    });
    keys.collect()
}

/// A private key's file before its password.
#[derive(Debug, Clone, Copy)]
pub struct Envelope<'a> {
    /// `none`: it is not encrypted.
    pub cipher: &'a [u8],
    pub derivation: &'a [u8],
    /// Of the derivation: salt and rounds.
    pub salt: &'a [u8],
    pub rounds: u32,
    public: &'a [u8],
    /// The private half, perhaps encrypted.
    pub sealed: &'a [u8],
    /// The code behind it, of ciphers that have one.
    pub tag: &'a [u8],
}

impl<'a> Envelope<'a> {
    /// From the content of its PEM block (OpenSSH's PROTOCOL.key).
    pub fn read(content: &'a [u8]) -> Result<Self> {
        const PART: &str = "frame";
        let mut wire = Wire(content.strip_prefix(MAGIC).ok_or(SshError::Malformed(PART))?);
        let (cipher, derivation, options) = (wire.string(PART)?, wire.string(PART)?, wire.string(PART)?);
        let count = wire.number(PART)?;
        if count != 1 {
            return Err(SshError::Several(count));
        }
        let (public, sealed) = (wire.string(PART)?, wire.string(PART)?);
        let (salt, rounds) = match options {
            [] => (&[][..], 0),
            options => {
                let mut options = Wire(options);
                (options.string(PART)?, options.number(PART)?)
            }
        };
        Ok(Self { cipher, derivation, salt, rounds, public, sealed, tag: wire.0 })
    }

    pub fn is_encrypted(&self) -> bool {
        self.cipher != b"none"
    }

    /// The public half stands outside the encryption.
    pub fn spki(&self) -> Result<Vec<u8>> {
        spki(self.public)
    }
}

/// A private key out of its decrypted half: PKCS#1, SEC1 or PKCS#8. `None`: the two check numbers differ, so it was not
/// decrypted with the right password.
pub fn private_key(plain: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>> {
    const PART: &str = "private key";
    let mut wire = Wire(plain);
    if wire.number(PART)? != wire.number(PART)? {
        return Ok(None);
    }
    let key = match kind(wire.string(PART)?)? {
        Kind::Rsa => {
            let mut numbers = [&[][..]; 6];
            for number in &mut numbers {
                *number = wire.positive(PART)?;
            }
            rsa(numbers)?
        }
        Kind::Ecdsa(curve, _, size) => {
            let (_name, point, scalar) = (wire.string(PART)?, wire.string(PART)?, wire.positive(PART)?);
            let padding = size.checked_sub(scalar.len()).ok_or(SshError::Malformed(PART))?;
            let scalar = Zeroizing::new([&vec![0; padding], scalar].concat());
            let scalar = Zeroizing::new(tlv::write(tlv::OCTET_STRING, &scalar));
            let point = tlv::write(tlv::CONTEXT_CONSTRUCTED | 1, &tlv::bit_string(point));
            write_sec1(&scalar, &tlv::write(tlv::OBJECT_IDENTIFIER, curve), &point)
        }
        Kind::Ed25519 => {
            let (public, both) = (wire.string(PART)?, wire.string(PART)?);
            let seed = both.strip_suffix(public).filter(|seed| seed.len() == 32).ok_or(SshError::Malformed(PART))?;
            let seed = Zeroizing::new(tlv::write(tlv::OCTET_STRING, seed));
            pkcs8(&algorithm::write(ED25519, &[]), &seed)
        }
        Kind::Dsa => {
            let numbers = [wire.positive(PART)?, wire.positive(PART)?, wire.positive(PART)?];
            let (_public, secret) = (wire.positive(PART)?, wire.positive(PART)?);
            let secret = Zeroizing::new(tlv::integer(secret));
            pkcs8(&algorithm::write(DSA, &tlv::sequence(&numbers.map(tlv::integer))), &secret)
        }
    };
    let _comment = wire.string(PART)?;
    // 1, 2, 3, ... up to the cipher's block.
    match wire.0.iter().zip(1u8..).all(|(found, wanted)| *found == wanted) {
        true => Ok(Some(key)),
        false => Err(SshError::Malformed("padding")),
    }
}

fn pkcs8(algorithm: &[u8], key: &[u8]) -> Zeroizing<Vec<u8>> {
    let key = Zeroizing::new(tlv::write(tlv::OCTET_STRING, key));
    secret_sequence(&[&tlv::integer(&[]), algorithm, &key])
}

/// RSAPrivateKey; OpenSSH leaves out d mod (p-1) and d mod (q-1).
fn rsa([modulus, public, private, coefficient, p, q]: [&[u8]; 6]) -> Result<Zeroizing<Vec<u8>>> {
    let exponent = |prime| remainder(private, &minus_one(prime)).ok_or(SshError::Malformed("private key"));
    let (first, second) = (exponent(p)?, exponent(q)?);
    let numbers = [&[][..], modulus, public, private, p, q, &first, &second, coefficient];
    let numbers = numbers.map(|number| Zeroizing::new(tlv::integer(number)));
    Ok(secret_sequence(&numbers.each_ref().map(|number| number.as_slice())))
}

fn minus_one(number: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut number = Zeroizing::new(number.to_vec());
    for octet in number.iter_mut().rev() {
        let (less, borrow) = octet.overflowing_sub(1);
        *octet = less;
        if !borrow {
            break;
        }
    }
    number
}

/// Longer RSA numbers than anybody has: the division below is slow.
const LONGEST: usize = 2048;

/// Of big-endian numbers, bit by bit; `None`: a division by zero, or too long.
fn remainder(number: &[u8], divisor: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let start = divisor.iter().position(|octet| *octet != 0)?;
    let divisor = Zeroizing::new([&[0], divisor.get(start..)?].concat());
    if number.len() > LONGEST || divisor.len() > LONGEST {
        return None;
    }
    let mut left = Zeroizing::new(vec![0u8; divisor.len()]);
    for bit in number.iter().flat_map(|octet| (0..8).rev().map(move |shift| octet >> shift & 1)) {
        let mut carry = bit;
        for octet in left.iter_mut().rev() {
            (*octet, carry) = (*octet << 1 | carry, *octet >> 7);
        }
        if *left >= *divisor {
            let mut borrow = false;
            for (octet, less) in left.iter_mut().zip(divisor.iter()).rev() {
                let (once, first) = octet.overflowing_sub(*less);
                let (twice, second) = once.overflowing_sub(u8::from(borrow));
                (*octet, borrow) = (twice, first || second);
            }
        }
    }
    Some(left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::pem;
    use crate::encoding::raw_key::RawKey;
    use proptest::prelude::*;

    #[allow(clippy::disallowed_methods)] // fixtures
    fn fixture(name: &str) -> Vec<u8> {
        std::fs::read(format!("{}/fixtures/forms/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    }

    fn content(name: &str) -> Zeroizing<Vec<u8>> {
        pem::read(&fixture(name)).unwrap().remove(0).contents
    }

    #[test]
    fn both_halves_of_a_key_agree() {
        for (name, container) in [
            ("ssh.rsa", "RSA PRIVATE KEY"),
            ("ssh.p256", "EC PRIVATE KEY"),
            ("ssh.p384", "EC PRIVATE KEY"),
            ("ssh.p521", "EC PRIVATE KEY"),
            ("ssh.ed25519", "PRIVATE KEY"),
        ] {
            let content = content(name);
            let envelope = Envelope::read(&content).unwrap();
            assert!(!envelope.is_encrypted());
            let public = public_keys(&fixture(&format!("{name}.pub"))).unwrap();
            assert_eq!(public, [envelope.spki().unwrap()], "{name}");
            let key = private_key(envelope.sealed).unwrap().unwrap();
            let key = RawKey::detect(&key).unwrap();
            assert_eq!(key.container().label(), container, "{name}");
            if name != "ssh.ed25519" {
                assert_eq!(key.public(), Some(public[0].clone()), "{name}");
            }
        }
    }

    #[test]
    fn what_is_no_key_is_told() {
        for (text, why) in [
            (&b"sk-ssh-ed25519@openssh.com AAAA x"[..], SshError::SecurityKey),
            (b"ssh-rsa-cert-v01@openssh.com AAAA", SshError::Certificate),
            (b"ssh-xmss AAAA", SshError::OtherKind),
            (b"ssh-rsa !", SshError::Malformed("base64")),
            (b"ssh-rsa", SshError::Malformed("public key")),
        ] {
            assert_eq!(public_keys(text), Err(why));
        }
        let two = [fixture("ssh.rsa.pub"), b"\n# other\n".to_vec(), fixture("ssh.p256.pub")].concat();
        assert_eq!(public_keys(&two).unwrap().len(), 2);
    }

    proptest! {
        #[test]
        fn division_is_division(number in any::<u128>(), divisor in 1u64..) {
            let found = remainder(&number.to_be_bytes(), &divisor.to_be_bytes()).unwrap();
            let found = found.iter().fold(0u128, |all, octet| all << 8 | u128::from(*octet));
            prop_assert_eq!(found, number % u128::from(divisor));
            let less = minus_one(&divisor.to_be_bytes());
            prop_assert_eq!(less.as_slice(), (divisor - 1).to_be_bytes());
        }

        #[test]
        fn any_change_is_read_or_refused(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
            let mut content = content("ssh.p256").to_vec();
            let cut = cut.index(content.len());
            prop_assert!(Envelope::read(&content[..cut]).is_err());
            let at = at.index(content.len());
            content[at] = byte;
            if let Ok(envelope) = Envelope::read(&content) {
                let _ = (envelope.spki(), private_key(envelope.sealed));
            }
        }
    }
}
