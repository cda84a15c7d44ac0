//! Octets as people read them.

/// Hexadecimal capitals.
pub fn hex(bytes: &[u8], separator: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble & 15)).map_or('0', |digit| char::from(*digit));
    let mut text = String::with_capacity(bytes.len() * (2 + separator.len()));
    for byte in bytes {
        if !text.is_empty() {
            text.push_str(separator);
        }
        text.push(digit(byte >> 4));
        text.push(digit(*byte));
    }
    text
}

/// The content octets of an INTEGER in decimal; serial numbers have up to 160 bits, old ones may be negative.
pub fn decimal(content: &[u8]) -> String {
    let negative = content.first().is_some_and(|first| first & 0x80 != 0);
    // Two's complement: the magnitude is the complement plus one.
    let mut limbs: Vec<u32> = Vec::new();
    let mut digits: Vec<u8> = content.iter().map(|octet| if negative { !octet } else { *octet }).collect();
    if negative {
        for octet in digits.iter_mut().rev() {
            let (sum, carry) = octet.overflowing_add(1);
            *octet = sum;
            if !carry {
                break;
            }
        }
    }
    // Base 10^9, least significant first.
    for octet in digits {
        let mut carry = u64::from(octet);
        for limb in &mut limbs {
            let value = u64::from(*limb) * 256 + carry;
            *limb = u32::try_from(value % 1_000_000_000).unwrap_or(0);
            carry = value / 1_000_000_000;
        }
        if carry > 0 {
            limbs.push(u32::try_from(carry).unwrap_or(0));
        }
    }
    let mut text = String::from(if negative { "-" } else { "" });
    let mut limbs = limbs.iter().rev();
    text.push_str(&limbs.next().unwrap_or(&0).to_string());
    for limb in limbs {
        use std::fmt::Write as _;
        let _ = write!(text, "{limb:09}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_in_decimal() {
        for (octets, text) in [
            (&[][..], "0"),
            (&[0], "0"),
            (&[1], "1"),
            (&[0x7f], "127"),
            (&[0x80], "-128"),
            (&[0xff], "-1"),
            (&[0, 0x80], "128"),
            (&[0x3b, 0x9a, 0xca, 0x00], "1000000000"),
            (&[1, 0, 0, 0, 0, 0, 0, 0, 0], "18446744073709551616"),
            (&[0x01, 0x63, 0x45, 0x78, 0x5d, 0x8a, 0x00, 0x07], "100000000000000007"),
        ] {
            assert_eq!(decimal(octets), text, "{octets:?}");
        }
    }
}
