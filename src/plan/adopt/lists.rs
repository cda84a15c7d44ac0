//! The CRLs of the authorities: of each the newest that it has signed.

use std::collections::BTreeMap;

use super::member::Member;
use super::shared::Shared;
use crate::catalog::CaId;
use crate::encoding::crl::LABEL;
use crate::encoding::pem;
use crate::encoding::tlv::SEQUENCE;
use crate::revocation::Number;
use crate::tree::Place;
use crate::x509::{Certificate, Crl};

/// `pki/ca.crl` beside `pki/ca.crt`.
pub fn beside(certificate: &str) -> String {
    format!("{}.crl", certificate.strip_suffix(".crt").unwrap_or(certificate))
}

#[derive(Debug)]
pub struct List {
    pub member: usize,
    pub place: Place,
    number: Option<Number>,
}

#[derive(Debug, Default)]
pub struct Lists(pub BTreeMap<CaId, List>);

impl Lists {
    /// Of those that the authority has not signed none is taken; they are among what is left.
    pub fn of(members: &[Member], shared: &Shared) -> Self {
        let mut lists = BTreeMap::new();
        for (authority, found) in &shared.authorities {
            for (member, one) in members.iter().enumerate() {
                let (certificate, _) = one.authority(*authority);
                let place = Place { path: beside(&certificate.path), ..certificate };
                let Some(crl) = one.bytes(&place).and_then(|bytes| signed(bytes, &found.bundle)) else { continue };
                let list = List { member, place, number: crl.edition() };
                match lists.get(authority) {
                    Some(List { number, .. }) if *number >= list.number => {}
                    _ => {
                        lists.insert(*authority, list);
                    }
                }
            }
        }
        Self(lists)
    }
}

fn signed(bytes: &[u8], authorities: &[Certificate]) -> Option<Crl> {
    let der = match bytes.first() {
        Some(&SEQUENCE) => bytes.to_vec(),
        _ => pem::read(bytes).ok()?.into_iter().find(|block| block.label.is(LABEL))?.contents.to_vec(),
    };
    let crl = Crl::parse(&der).ok()?;
    authorities.iter().any(|authority| crl.signed_by(&der, authority).is_ok()).then_some(crl)
}
