//! Which of some certificates a CRL names: one pass over the bytes, nothing kept of the other entries.

use std::collections::{HashMap, HashSet};
use std::fmt;

use crate::blueprint::Name;
use crate::encoding::tlv::NotDer;
use crate::revocation::{Reason, Revoked, minimal_integer};
use crate::x509::crl::{Crl, CrlError};
use crate::x509::crl_entry::{Entry, EntryAnomaly};
use crate::x509::crl_walk::Walker;
use crate::x509::names::same_name;

/// The serial numbers somebody asks about.
#[derive(Clone)]
pub struct Wanted {
    serials: HashSet<Vec<u8>>,
    /// One bit for each value the last two octets of a wanted number have: most entries are not wanted, and are passed over
    /// without being hashed.
    tails: Vec<u64>,
}

impl fmt::Debug for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wanted({} serial numbers)", self.serials.len())
    }
}

impl Wanted {
    /// Content octets of INTEGERs.
    pub fn new<'a>(serials: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let serials: HashSet<Vec<u8>> = serials.into_iter().map(|serial| minimal_integer(serial).to_vec()).collect();
        let mut tails = vec![0; 1 << 10];
        for serial in &serials {
            let (word, bit) = tail(serial);
            if let Some(word) = tails.get_mut(word) {
                *word |= bit;
            }
        }
        Self { serials, tails }
    }

    pub fn contains(&self, serial: &[u8]) -> bool {
        let serial = minimal_integer(serial);
        let (word, bit) = tail(serial);
        self.tails.get(word).is_some_and(|word| word & bit != 0) && self.serials.contains(serial)
    }
}

/// Which word, and which bit in it.
fn tail(serial: &[u8]) -> (usize, u64) {
    let value = match serial {
        [.., high, low] => usize::from(*high) << 8 | usize::from(*low),
        [low] => usize::from(*low),
        [] => 0,
    };
    (value >> 6, 1 << (value & 63))
}

/// What a CRL says of the wanted, and about itself.
#[derive(Debug, Clone)]
pub struct CrlLookup<'w> {
    pub crl: Crl,
    /// Found in any entry, wanted or not.
    pub anomaly: Option<EntryAnomaly>,
    wanted: &'w Wanted,
    /// By serial number; of those, entries about certificates of other issuers by these.
    named: HashMap<Vec<u8>, Vec<(Option<Name>, CrlMatch)>>,
}

/// A wanted serial number that is on the CRL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrlMatch {
    /// The worst of its entries: an irreversible one before a hold, then the first.
    pub revoked: Revoked,
    /// It stands there more than once.
    pub twice: bool,
}

impl<'w> CrlLookup<'w> {
    /// A CRL that is not wholly well-formed is no CRL: nothing is said about what it names.
    pub fn read(der: &[u8], wanted: &'w Wanted) -> Result<Self, CrlError> {
        let mut walker = Walker::default();
        let mut named = HashMap::new();
        let mut anomaly = None;
        let mut issuer: Option<Name> = None;
        walker.feed_each(der, &mut |raw| {
            let entry = Entry::read(raw)?;
            match entry.anomaly()? {
                Some(EntryAnomaly::CertificateIssuer) => match entry.certificate_issuer() {
                    Ok(about) => {
                        issuer = about;
                        anomaly = anomaly.or(Some(EntryAnomaly::CertificateIssuer));
                    }
                    Err(NotDer) => anomaly = Some(EntryAnomaly::UnknownCritical),
                },
                Some(EntryAnomaly::UnknownCritical) => anomaly = Some(EntryAnomaly::UnknownCritical),
                None => {}
            }
            if wanted.contains(entry.serial) {
                add(&mut named, issuer.as_ref(), entry.revoked()?);
            }
            Ok(())
        })?;
        Ok(Self { crl: walker.finish()?, anomaly, wanted, named })
    }

    /// What it says of this serial number of its own issuer.
    pub fn named(&self, serial: &[u8]) -> Option<&CrlMatch> {
        self.named_by(serial, &self.crl.issuer)
    }

    /// What it says of this serial number of that issuer.
    pub fn named_by(&self, serial: &[u8], issuer: &Name) -> Option<&CrlMatch> {
        let of_issuer =
            |(about, _): &&(Option<Name>, CrlMatch)| same_name(about.as_ref().unwrap_or(&self.crl.issuer), issuer);
        // Its own issuer may be named in words and by silence.
        let found = self.named.get(minimal_integer(serial))?.iter().filter(of_issuer).map(|(_, found)| found);
        found.max_by_key(|found| severity(&found.revoked))
    }

    /// Whether silence about this serial number means that it is not on the CRL.
    pub fn was_asked(&self, serial: &[u8]) -> bool {
        self.wanted.contains(serial)
    }
}

/// Every entry of a CRL that is about certificates of its own issuer alone, as those that kpki signs are.
pub fn all_revoked(der: &[u8]) -> Result<(Crl, Vec<Revoked>), CrlError> {
    let (mut walker, mut all) = (Walker::default(), Vec::new());
    walker.feed_each(der, &mut |raw| {
        let entry = Entry::read(raw)?;
        if entry.anomaly()?.is_some() {
            return Err(NotDer);
        }
        all.push(entry.revoked()?);
        Ok(())
    })?;
    Ok((walker.finish()?, all))
}

fn add(named: &mut HashMap<Vec<u8>, Vec<(Option<Name>, CrlMatch)>>, issuer: Option<&Name>, revoked: Revoked) {
    let serial = minimal_integer(&revoked.serial).to_vec();
    let found = named.entry(serial).or_default();
    let same = |about: &Option<Name>| match (about, issuer) {
        (Some(about), Some(issuer)) => same_name(about, issuer),
        (about, issuer) => about.is_none() && issuer.is_none(),
    };
    match found.iter_mut().find(|(about, _)| same(about)) {
        Some((_, before)) => {
            before.twice = true;
            if severity(&revoked) > severity(&before.revoked) {
                before.revoked = revoked;
            }
        }
        None => found.push((issuer.cloned(), CrlMatch { revoked, twice: false })),
    }
}

/// What cannot be undone outweighs what can.
pub fn severity(revoked: &Revoked) -> u8 {
    match revoked.reason {
        Some(Reason::RemoveFromCrl) => 0,
        Some(Reason::CertificateHold) => 1,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_is_the_number_of_the_last_two_octets() {
        for (serial, wanted) in [
            (&[][..], (0, 1)),
            (&[5], (0, 1 << 5)),
            (&[64], (1, 1)),
            (&[1, 0], (4, 1)),
            (&[9, 0x12, 0x34], (0x1234 >> 6, 1 << 0x34)),
            (&[0xff, 0xff], (1023, 1 << 63)),
        ] {
            assert_eq!(tail(serial), wanted, "{serial:x?}");
        }
    }

    #[test]
    fn what_cannot_be_undone_is_the_worst() {
        for (reason, wanted) in [
            (Some(Reason::RemoveFromCrl), 0),
            (Some(Reason::CertificateHold), 1),
            (Some(Reason::KeyCompromise), 2),
            (None, 2),
        ] {
            let at = time::OffsetDateTime::UNIX_EPOCH;
            let revoked = Revoked { serial: vec![1], at, reason, invalid_since: None, other: Vec::new() };
            assert_eq!(severity(&revoked), wanted, "{reason:?}");
        }
    }
}
