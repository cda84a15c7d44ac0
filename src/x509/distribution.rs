//! Of which certificates, and for which reasons, a CRL speaks (RFC 5280 section 6.3.3 (b) and (d)): the distribution points of the
//! certificate (section 4.2.1.13) held against the CRL's issuingDistributionPoint (section 5.2.5).

use crate::blueprint::{Name, Oid};
use crate::encoding::name;
use crate::encoding::tlv::{self, Element, NotDer};
use crate::x509::crl::Crl;
use crate::x509::names::same_name;
use crate::x509::{Certificate, Scope};

const DISTRIBUTION_POINTS: Oid = Oid(std::borrow::Cow::Borrowed("2.5.29.31"));

/// directoryName of GeneralName.
const DIRECTORY: u8 = 0xa4;
/// fullName and nameRelativeToCRLIssuer of DistributionPointName.
const FULL_NAME: u8 = 0xa0;
const RELATIVE_NAME: u8 = 0xa1;

/// A set of reasons for a revocation: ReasonFlags, bits 1 to 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reasons(u16);

impl Reasons {
    pub const NONE: Self = Self(0);
    pub const ALL: Self = Self(0x1fe);

    /// From the content octets of the BIT STRING.
    fn read(content: &[u8]) -> Result<Self, NotDer> {
        let (_, octets) = content.split_first().ok_or(NotDer)?;
        let bit = |number: usize| octets.get(number / 8).is_some_and(|octet| octet & (0x80 >> (number % 8)) != 0);
        Ok(Self((1..=8).filter(|number| bit(*number)).fold(0, |set, number| set | 1 << number)))
    }

    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn both(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// The distribution points of a certificate, and the one that is always assumed: the whole CRL of its issuer.
#[derive(Debug)]
pub struct Points(Vec<Point>);

#[derive(Debug, Default)]
struct Point {
    /// DistributionPointName, as it stands.
    name: Option<Vec<u8>>,
    reasons: Option<Reasons>,
    /// cRLIssuer: another than the certificate's.
    issuers: Vec<GeneralName>,
}

#[derive(Debug)]
enum GeneralName {
    Directory(Name),
    Other(Vec<u8>),
}

impl Points {
    /// Without those of an extension that cannot be read: then the assumed one alone counts.
    pub fn of(certificate: &Certificate) -> Self {
        let stated = certificate.extension_value(&DISTRIBUTION_POINTS).and_then(|value| points(&value).ok());
        Self(stated.unwrap_or_default().into_iter().chain([Point::default()]).collect())
    }

    /// The reasons for which the CRL would name this certificate.
    pub fn covered(&self, certificate: &Certificate, crl: &Crl) -> Reasons {
        let scope = crl.scope.unwrap_or_default();
        if !scope.covers(certificate.is_ca) {
            return Reasons::NONE;
        }
        let (names, reasons) = match crl.distribution.as_deref().map(|value| issuing(value, &crl.issuer)) {
            None => (None, Reasons::ALL),
            Some(Ok(read)) => read,
            Some(Err(NotDer)) => return Reasons::NONE,
        };
        let speaks =
            |point: &&Point| point.is_of(certificate, crl, scope) && point.is_named(names.as_deref(), &crl.issuer);
        let of_point = |point: &Point| point.reasons.unwrap_or(Reasons::ALL).both(reasons);
        self.0.iter().filter(speaks).map(of_point).fold(Reasons::NONE, Reasons::with)
    }
}

impl Point {
    /// 6.3.3 (b) (1): the CRL's issuer is the one that the point names.
    fn is_of(&self, certificate: &Certificate, crl: &Crl, scope: Scope) -> bool {
        if self.issuers.is_empty() {
            return same_name(&certificate.issuer, &crl.issuer);
        }
        let named = |one: &GeneralName| matches!(one, GeneralName::Directory(name) if same_name(name, &crl.issuer));
        scope.indirect && self.issuers.iter().any(named)
    }

    /// 6.3.3 (b) (2) (i): a CRL for some points has one name with this point in common.
    fn is_named(&self, names: Option<&[GeneralName]>, issuer: &Name) -> bool {
        let Some(names) = names else { return true };
        let resolved = self.name.as_deref().map(|name| resolve(name, issuer).unwrap_or_default());
        let own = resolved.as_deref().unwrap_or(&self.issuers);
        own.iter().any(|one| names.iter().any(|other| one.is(other)))
    }
}

impl GeneralName {
    fn read(element: Element<'_>) -> Result<Self, NotDer> {
        Ok(match element.tag {
            DIRECTORY => Self::Directory(name::read(element.content)?),
            _ => Self::Other(element.raw.to_vec()),
        })
    }

    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Directory(one), Self::Directory(other)) => same_name(one, other),
            (Self::Other(one), Self::Other(other)) => one == other,
            _ => false,
        }
    }
}

fn points(value: &[u8]) -> Result<Vec<Point>, NotDer> {
    let point = |element: Element<'_>| {
        let mut point = Point::default();
        for field in tlv::children(element.raw, tlv::SEQUENCE)? {
            match field.tag {
                0xa0 => point.name = Some(field.content.to_vec()),
                0x81 => point.reasons = Some(Reasons::read(field.content)?),
                0xa2 => point.issuers = general_names(field.content)?,
                _ => return Err(NotDer),
            }
        }
        Ok(point)
    };
    tlv::children(value, tlv::SEQUENCE)?.into_iter().map(point).collect()
}

/// Names, if it has any, and reasons of an issuingDistributionPoint.
fn issuing(value: &[u8], issuer: &Name) -> Result<(Option<Vec<GeneralName>>, Reasons), NotDer> {
    let fields = tlv::children(value, tlv::SEQUENCE)?;
    let field = |tag| fields.iter().find(|field| field.tag == tag);
    let names = field(0xa0).map(|name| resolve(name.content, issuer)).transpose()?;
    let reasons = field(0x83).map(|reasons| Reasons::read(reasons.content)).transpose()?;
    Ok((names, reasons.unwrap_or(Reasons::ALL)))
}

/// A name relative to the CRL's issuer is one more RDN behind it.
fn resolve(name: &[u8], issuer: &Name) -> Result<Vec<GeneralName>, NotDer> {
    let element = tlv::single(name)?;
    match element.tag {
        FULL_NAME => general_names(element.content),
        RELATIVE_NAME => {
            let relative = name::read(&tlv::sequence(&[tlv::write(tlv::SET, element.content)]))?;
            Ok(vec![GeneralName::Directory(Name([issuer.0.clone(), relative.0].concat()))])
        }
        _ => Err(NotDer),
    }
}

fn general_names(content: &[u8]) -> Result<Vec<GeneralName>, NotDer> {
    tlv::elements(content)?.into_iter().map(GeneralName::read).collect()
}

/// The directory names in certificateIssuer of a CRL entry (section 5.3.3).
pub fn certificate_issuer(value: &[u8]) -> Result<Name, NotDer> {
    let names = tlv::children(value, tlv::SEQUENCE)?;
    let directory = names.iter().find(|name| name.tag == DIRECTORY).ok_or(NotDer)?;
    name::read(directory.content)
}
