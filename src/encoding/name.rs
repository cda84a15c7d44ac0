//! Distinguished names as DER (RFC 5280 section 4.1.2.4), both ways without loss.

use crate::blueprint::{Attribute, Name};
use crate::encoding::error::EncodeError;
use crate::encoding::oid;
use crate::encoding::tlv::{self, NotDer};

/// The attributes keep the order of the blueprint inside an RDN: [`Name::with`] puts them in the order of a DER SET (X.690
/// section 11.6), and a foreign name in another order must come out as it stood, or its issuer and subject stop matching.
pub fn write(name: &Name) -> Result<Vec<u8>, EncodeError> {
    let rdns = name.0.iter().map(|rdn| write_rdn(rdn)).collect::<Result<Vec<_>, _>>()?;
    Ok(tlv::sequence(&rdns))
}

fn write_rdn(rdn: &[Attribute]) -> Result<Vec<u8>, EncodeError> {
    if rdn.is_empty() {
        return Err(EncodeError::EmptyRdn);
    }
    let attributes = rdn.iter().map(write_attribute).collect::<Result<Vec<_>, _>>()?;
    Ok(tlv::write(tlv::SET, &tlv::concat(&attributes)))
}

fn write_attribute(attribute: &Attribute) -> Result<Vec<u8>, EncodeError> {
    if attribute.tag & tlv::LONG_TAG == tlv::LONG_TAG {
        return Err(EncodeError::AttributeTag(attribute.tag));
    }
    Ok(tlv::sequence(&[oid::write(&attribute.oid)?, tlv::write(attribute.tag, &attribute.value)]))
}

/// Reads a Name; what it gives is written back to the same bytes.
pub fn read(der: &[u8]) -> Result<Name, NotDer> {
    tlv::children(der, tlv::SEQUENCE)?
        .into_iter()
        .map(|rdn| {
            tlv::children(rdn.raw, tlv::SET)?.into_iter().map(|attribute| read_attribute(attribute.raw)).collect()
        })
        .collect::<Result<Vec<Vec<Attribute>>, NotDer>>()
        .map(Name)
}

fn read_attribute(der: &[u8]) -> Result<Attribute, NotDer> {
    match tlv::children(der, tlv::SEQUENCE)?.as_slice() {
        [kind, value] if kind.tag == tlv::OBJECT_IDENTIFIER => {
            let oid = oid::read(kind.content).ok_or(NotDer)?;
            Ok(Attribute { oid, tag: value.tag, value: value.content.to_vec() })
        }
        _ => Err(NotDer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blueprint::Oid;

    fn attribute(oid: &str, tag: u8, value: &[u8]) -> Attribute {
        Attribute { oid: Oid::new(oid), tag, value: value.to_vec() }
    }

    #[test]
    fn kubeadms_shape() {
        let der = write(&Name::of("a", &["bb", "c"])).unwrap();
        let expected = [
            &[0x30, 0x23, 0x31, 0x15][..],
            &[0x30, 0x08, 6, 3, 0x55, 4, 10, 0x13, 1, b'c'],
            &[0x30, 0x09, 6, 3, 0x55, 4, 10, 0x13, 2, b'b', b'b'],
            &[0x31, 0x0a, 0x30, 0x08, 6, 3, 0x55, 4, 3, 0x13, 1, b'a'],
        ]
        .concat();
        assert_eq!(der, expected, "O before CN, both values of O in one SET");
        assert_eq!(read(&der).unwrap().to_string(), "O=c+O=bb, CN=a");
    }

    #[test]
    fn foreign_names_come_out_as_they_went_in() {
        let name = Name(vec![
            vec![attribute("0.9.2342.19200300.100.1.25", 0x16, b"com")],
            vec![attribute("0.9.2342.19200300.100.1.25", 0x16, b"example")],
            vec![attribute("2.5.4.11", 0x13, b"one")],
            vec![attribute("2.5.4.11", 0x0c, "zw\u{f6}lf".as_bytes())],
            vec![attribute("2.5.4.10", 0x14, &[0x47, 0xf6, 0x00])],
            vec![attribute("2.5.4.3", 0x1e, &[0, b'C', 0, b'A']), attribute("1.2.3.4", 0x30, &[5, 0])],
            vec![attribute("2.25.329800735698586629295641978511506172918", 0x04, &[])],
        ]);
        let der = write(&name).unwrap();
        assert_eq!(read(&der), Ok(name));
        assert_eq!(write(&read(&der).unwrap()), Ok(der));
    }

    #[test]
    fn what_cannot_be_written_is_refused() {
        assert_eq!(write(&Name(vec![vec![]])), Err(EncodeError::EmptyRdn));
        assert_eq!(write(&Name(vec![vec![attribute("2.5.4.3", 0x1f, b"x")]])), Err(EncodeError::AttributeTag(0x1f)));
        assert_eq!(write(&Name::default()), Ok(vec![0x30, 0]));
        assert_eq!(read(&[0x30, 0]), Ok(Name::default()));
        assert_eq!(read(&[0x30, 0, 0]), Err(NotDer));
    }
}
