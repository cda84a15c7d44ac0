//! Instants as X.509 writes them.

use time::{OffsetDateTime, UtcOffset};
use x509_parser::prelude::FromDer as _;
use x509_parser::time::ASN1Time;

use crate::encoding::tlv::{self, Element, NotDer};

/// UTCTime or GeneralizedTime.
pub fn time(element: Element<'_>) -> Result<OffsetDateTime, NotDer> {
    match (element.tag, ASN1Time::from_der(element.raw)) {
        (tlv::UTC_TIME | tlv::GENERALIZED_TIME, Ok(([], at))) => Ok(utc(at.to_datetime())),
        _ => Err(NotDer),
    }
}

pub fn utc(at: OffsetDateTime) -> OffsetDateTime {
    at.checked_to_offset(UtcOffset::UTC).unwrap_or(at)
}
