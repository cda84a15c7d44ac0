//! DSA signatures (FIPS 186-4 section 4.7), verified and never made: Kubernetes refuses them, so they count only where nothing but
//! RFC 5280 is asked ([`Algorithms::Rfc5280`]). All numbers are public, so the time that they take may tell them.
//!
//! [`Algorithms::Rfc5280`]: crate::x509::verify::Algorithms

use std::borrow::Cow;

use num_bigint::BigUint;
use ring::digest::{self, digest};

use crate::blueprint::Oid;
use crate::encoding::algorithm::{self, AlgorithmIdentifier};
use crate::encoding::certificate::SignedParts;
use crate::encoding::public_key::{DSA, KeyKind, OtherKey};
use crate::encoding::tlv::{self, Element, Fields, NotDer};
use crate::x509::certificate::Certificate;
use crate::x509::key::key_kind;

/// How dsa-with-SHA1 (RFC 3279 section 2.2.2), -SHA256 (RFC 5758 section 3.1), -SHA384 and -SHA512 hash; ring has no SHA-224.
const HASHES: [(&str, &digest::Algorithm); 4] = [
    ("1.2.840.10040.4.3", &digest::SHA1_FOR_LEGACY_USE_ONLY),
    ("2.16.840.1.101.3.4.3.2", &digest::SHA256),
    ("2.16.840.1.101.3.4.3.3", &digest::SHA384),
    ("2.16.840.1.101.3.4.3.4", &digest::SHA512),
];

/// The bits of p and q (FIPS 186-4 section 4.2). No key of another size is computed with.
const SIZES: [(u64, u64); 4] = [(1024, 160), (2048, 224), (2048, 256), (3072, 256)];

/// Whether a signature algorithm is DSA with a hash that is known here.
pub fn is_dsa(signature: &Oid) -> bool {
    hash(signature).is_some()
}

fn hash(signature: &Oid) -> Option<&'static digest::Algorithm> {
    HASHES.into_iter().find(|(oid, _)| *oid == signature.0).map(|(_, hash)| hash)
}

/// Whether the key in `spki` made the signature; `None`: it is not DSA, or its key or hash is none that is known here.
pub(super) fn verify(parts: &SignedParts<'_>, signature: &Oid, spki: &[u8]) -> Option<bool> {
    let hash = hash(signature)?;
    let key = Key::read(spki).ok().filter(Key::is_sound)?;
    Some(key.made(digest(hash, parts.signed).as_ref(), parts.signature).unwrap_or(false))
}

/// The domain parameters and the public key (FIPS 186-4 sections 4.1 and 4.2).
struct Key {
    p: BigUint,
    q: BigUint,
    g: BigUint,
    y: BigUint,
}

impl Key {
    fn read(spki: &[u8]) -> Result<Self, NotDer> {
        let (parameters, bits) = parts(spki)?;
        match tlv::children(parameters.ok_or(NotDer)?.raw, tlv::SEQUENCE)?.as_slice() {
            [p, q, g] => {
                let y = number(tlv::single(tlv::octets(bits)?)?)?;
                Ok(Self { p: number(*p)?, q: number(*q)?, g: number(*g)?, y })
            }
            _ => Err(NotDer),
        }
    }

    /// Of a size that is known, g and y above 1 and below p.
    fn is_sound(&self) -> bool {
        let one = BigUint::from(1u8);
        let is_inside = |number: &BigUint| *number > one && *number < self.p;
        SIZES.contains(&(self.p.bits(), self.q.bits())) && is_inside(&self.g) && is_inside(&self.y)
    }

    /// Section 4.7; `None`: the signature is not two numbers above 0 and below q.
    fn made(&self, hash: &[u8], signature: &[u8]) -> Option<bool> {
        let Self { p, q, g, y } = self;
        let [r, s] = <[Element<'_>; 2]>::try_from(tlv::children(signature, tlv::SEQUENCE).ok()?).ok()?;
        let (r, s) = (number(r).ok()?, number(s).ok()?);
        let zero = BigUint::ZERO;
        if r == zero || s == zero || r >= *q || s >= *q {
            return None;
        }
        let w = s.modinv(q)?;
        // The leftmost bits of the hash, as many as q has, which is whole octets.
        let octets = usize::try_from(q.bits() / 8).ok()?;
        let z = BigUint::from_bytes_be(hash.get(..octets).unwrap_or(hash));
        let (u1, u2) = (z * &w % q, &r * w % q);
        Some(g.modpow(&u1, p) * y.modpow(&u2, p) % p % q == r)
    }
}

fn number(element: Element<'_>) -> Result<BigUint, NotDer> {
    tlv::unsigned(element).map(BigUint::from_bytes_be)
}

/// The parameters of a DSA key, where it has some, and its BIT STRING.
fn parts(spki: &[u8]) -> Result<(Option<Element<'_>>, Element<'_>), NotDer> {
    let mut fields = Fields::inside(spki, tlv::SEQUENCE)?;
    let algorithm = AlgorithmIdentifier::read(fields.element()?.raw)?;
    let bits = fields.element()?;
    fields.end()?;
    if algorithm.id != DSA {
        return Err(NotDer);
    }
    Ok((algorithm.parameters.filter(|one| one.tag != tlv::NULL), bits))
}

/// A path from its anchor down, where a DSA key without parameters has those of the key above it (RFC 3279 section 2.3.2, RFC 5280
/// section 6.1.4 (d) to (f)).
pub fn inherited<'p>(path: &[&'p Certificate]) -> Vec<Cow<'p, Certificate>> {
    let mut whole: Vec<Cow<'p, Certificate>> = Vec::with_capacity(path.len());
    for certificate in path {
        let heir = whole.last().and_then(|above| heir(certificate, &above.spki_der));
        whole.push(heir.map_or(Cow::Borrowed(*certificate), Cow::Owned));
    }
    whole
}

/// Whether a key has to inherit parameters: it is DSA, and of no known size.
pub fn is_heir(certificate: &Certificate) -> bool {
    matches!(&certificate.key, KeyKind::Other(OtherKey::Algorithm(_)))
        && parts(&certificate.spki_der).is_ok_and(|(parameters, _)| parameters.is_none())
}

fn heir(certificate: &Certificate, above: &[u8]) -> Option<Certificate> {
    if !is_heir(certificate) {
        return None;
    }
    let ((parameters, _), (_, bits)) = (parts(above).ok()?, parts(&certificate.spki_der).ok()?);
    let spki_der = tlv::sequence(&[algorithm::write(DSA, parameters?.raw).as_slice(), bits.raw]);
    Some(Certificate { key: key_kind(&spki_der).ok()?, spki_der, ..certificate.clone() })
}

#[cfg(test)]
#[path = "dsa_tests.rs"]
mod tests;
