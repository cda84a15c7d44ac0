//! What comes out of a file, before it has a name in a tree.

use super::facts::{self, IssuerLink};
use super::item::{Item, Kind, Reading};
use super::unreadable::Unreadable;
use crate::catalog::CaId;
use crate::x509::crl_problem::Problem;
use crate::x509::{Certificate, Crl};

/// One certificate or CRL in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedObject {
    pub kind: Kind,
    /// Among the certificates of its file, user or Secret, from 0.
    pub position: usize,
    /// Whose it is, where a file holds several parties: a further user, a Secret's name and key.
    pub within: Option<String>,
    pub reading: Reading,
    pub(super) link: Option<IssuerLink>,
    /// Of a CRL, unless it was only walked over.
    pub(super) der: Option<Vec<u8>>,
    /// `der` was kept when it was read.
    pub(super) was_kept: bool,
    /// The file it was found in or expected at, if that is not the one that was read.
    pub(super) elsewhere: Option<String>,
    /// It need not be there at all.
    pub(super) optional: bool,
}

impl ParsedObject {
    pub(super) fn new(kind: Kind, position: usize, reading: Reading) -> Self {
        Self {
            kind,
            position,
            within: None,
            reading,
            link: None,
            der: None,
            was_kept: false,
            elsewhere: None,
            optional: false,
        }
    }

    pub(super) fn broken(kind: Kind, position: usize, why: Unreadable) -> Self {
        Self::new(kind, position, Reading::Unreadable(why))
    }

    /// `leaf`: what an end entity's certificate is called here.
    pub(super) fn certificate(leaf: Kind, position: usize, certificate: Certificate) -> Self {
        let kind = match leaf {
            Kind::Certificate if certificate.is_ca => Kind::Authority,
            other => other,
        };
        let (facts, link) = facts::certificate(certificate);
        let mut object = Self::new(kind, position, Reading::Certificate(Box::new(facts)));
        object.link = Some(link);
        object
    }

    /// `der`: empty if it is not kept.
    pub(super) fn crl(position: usize, crl: Crl, der: Vec<u8>) -> Self {
        let reading = match crl.unknown_critical.first() {
            // RFC 5280 section 5.2: it is not to be used, by whomever it is.
            Some(unknown) => Reading::Unreadable(Problem::UnknownCritical(unknown.clone()).into()),
            None => Reading::Crl(Box::new(facts::crl(crl))),
        };
        let object = Self::new(Kind::Crl, position, reading);
        let was_kept = !der.is_empty();
        Self { der: was_kept.then_some(der), was_kept, ..object }
    }

    /// The DER of its issuer's name, of a certificate.
    pub(super) fn issuer(&self) -> Option<&Vec<u8>> {
        self.link.as_ref().map(|link| &link.issuer)
    }

    /// Content octets, of a certificate.
    pub(super) fn serial(&self) -> Option<&[u8]> {
        self.link.as_ref().map(|link| link.serial.as_slice())
    }

    pub(super) fn within(mut self, name: &str) -> Self {
        self.within = Some(name.to_owned());
        self
    }
}

/// What is the same for every object of one file.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    pub name: &'a str,
    pub path: &'a str,
    pub authority: Option<CaId>,
    pub optional: bool,
    pub externally_managed: bool,
    pub has_issuer: bool,
}

/// An object and its link become an item; the link is given back beside it.
pub fn item(object: ParsedObject, place: Place<'_>) -> (Item, Option<IssuerLink>) {
    let name = match &object.within {
        Some(within) => format!("{}[{within}]", place.name),
        None => place.name.to_owned(),
    };
    let item = Item {
        name,
        path: object.elsewhere.unwrap_or_else(|| place.path.to_owned()),
        kind: object.kind,
        position: object.position,
        authority: place.authority,
        optional: place.optional || object.optional,
        // What one of the tree's authorities would sign is not managed before it is there; what none of them can sign is.
        externally_managed: place.externally_managed
            && (object.reading != Reading::Missing || place.authority.is_none()),
        has_issuer: place.has_issuer,
        reading: object.reading,
    };
    (item, object.link)
}

/// Fills in when each certificate's authority ends.
pub fn linked(found: Vec<(Item, Option<IssuerLink>)>) -> Vec<Item> {
    let authorities = facts::Authorities::of(found.iter().filter_map(|(_, link)| link.as_ref()));
    let ends: Vec<_> = found.iter().map(|(_, link)| link.as_ref().and_then(|link| authorities.end_for(link))).collect();
    let fill = |((mut item, _), end): ((Item, _), _)| {
        if let Reading::Certificate(facts) = &mut item.reading {
            facts.issuer_not_after = end;
        }
        item
    };
    found.into_iter().zip(ends).map(fill).collect()
}
