//! Serial numbers (RFC 5280 section 4.1.2.2): positive, at most 20 octets, unique per issuer.

use crate::ca::CaError;
use crate::random::random;

/// 16 random octets with the top bit clear: 127 random bits, nothing of the key or the time in them, so that two
/// certificates of one key never share a number (revoking the old one would revoke the new one). The one draw in 128 that
/// begins with a zero octet is drawn again: every number has its full length, and none is zero.
pub fn serial() -> Result<[u8; 16], CaError> {
    loop {
        let mut octets: [u8; 16] = random()?;
        let [first, ..] = &mut octets;
        *first &= 0x7f;
        if *first != 0 {
            return Ok(octets);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn serials_are_positive_full_and_different() {
        let drawn: HashSet<_> = (0..2000).map(|_| serial().unwrap()).collect();
        assert_eq!(drawn.len(), 2000);
        assert!(drawn.iter().all(|serial| (1..0x80).contains(&serial[0])));
    }
}
