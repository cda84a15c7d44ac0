//! What a journal says of one authority's CRL, whichever of its certificates was in use.

use std::collections::{BTreeMap, BTreeSet};

use super::journal::{CrlLine, Line, fingerprint, key_id, number_of};
use crate::plan::revoke::serial_of_hex;
use crate::revocation::{Number, Revoked};
use crate::x509::Certificate;

/// The fingerprints of an authority's certificates, as far as a journal knows them: a renewal with the same key changes the
/// certificate, and not who has signed.
#[derive(Debug)]
pub struct SameAuthority(BTreeSet<String>);

impl SameAuthority {
    /// Those of its name and key, earlier and later ones (after a restore), and those that they renewed.
    pub fn of(lines: &[Line], authority: &Certificate) -> Self {
        let (key, name) = (key_id(&authority.spki_der), authority.subject.to_string());
        let mut all = BTreeSet::from([fingerprint(authority)]);
        for line in lines {
            let Line::Certificate(line) = line else { continue };
            let is_named = all.contains(&line.fingerprint) || key.is_some() && line.key_id == key;
            if is_named && line.subject == name {
                all.insert(line.fingerprint.clone());
                all.extend(line.renews.clone());
            }
        }
        Self(all)
    }

    /// Whether the CRL of this line is this authority's.
    pub fn has_issued(&self, line: &CrlLine) -> bool {
        self.0.contains(&line.issuer_fingerprint)
    }
}

/// The journal's record of one authority's CRL.
#[derive(Debug, Default)]
pub struct Remembered {
    /// The highest number of an issue.
    pub number: Option<Number>,
    /// The last change of each serial number's entry since a CRL number; `None`: released.
    pub last: BTreeMap<Vec<u8>, Option<Revoked>>,
}

impl Remembered {
    /// There is an issue of this number.
    pub fn raise(&mut self, number: Number) {
        self.number = self.number.take().max(Some(number));
    }
}

/// Lines of issues above `number`; all of them where the CRL has none.
pub fn remembered(lines: &[Line], authority: &Certificate, number: Option<&Number>) -> Remembered {
    let same = SameAuthority::of(lines, authority);
    let mut remembered = Remembered::default();
    for line in lines {
        let Line::Crl(line) = line else { continue };
        let Some(written) = number_of(&line.crl_number).filter(|_| same.has_issued(line)) else {
            continue;
        };
        let above = number.is_none_or(|number| written > *number);
        remembered.number = remembered.number.max(Some(written));
        let Some(serial) = line.serial.as_deref().and_then(serial_of_hex).filter(|_| above) else { continue };
        let revoked = line.revoked(&serial);
        remembered.last.insert(serial, revoked);
    }
    remembered
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revocation::Reason;
    use crate::workspace::journal::{authority_line, crl_line, line};
    use time::OffsetDateTime;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-11-20 22:01:01 +1);

    #[test]
    fn lists_are_brought_up_to_what_the_lines_say() {
        let pem = include_bytes!("../../fixtures/kubeadm/v1.36-default-rsa2048/etc-kubernetes/pki/ca.crt");
        let ca = &crate::x509::parse_pem_bundle(pem).unwrap()[0];
        let revoked = |serial: u8, reason| Revoked {
            serial: vec![0, serial],
            at: datetime!(2026-11-20 21:01:01 UTC),
            reason,
            invalid_since: Some(datetime!(2026-11-01 0:00 UTC)),
            other: Vec::new(),
        };
        let key = Some(Reason::KeyCompromise);
        let crl = |command, number, one: &Revoked| {
            let text = crl_line(command, "x", ca, &Number::from(number), Some(one), NOW);
            serde_json::from_str::<Line>(&text).unwrap()
        };
        let (first, second) = (revoked(0x80, key), revoked(0x81, None));
        let lines = [
            crl("revoke", 254, &first),
            crl("hold", 255, &revoked(0x82, Some(Reason::CertificateHold))),
            crl("revoke", 256, &second),
            crl("release", 257, &revoked(0x82, Some(Reason::CertificateHold))),
            serde_json::from_str(&line("renew", "x", ca, NOW)).unwrap(),
        ];
        let all = remembered(&lines, ca, None);
        assert_eq!(all.number, Some(Number::from(257)));
        let last: Vec<_> = all.last.into_iter().collect();
        assert_eq!(last, [(vec![0, 0x80], Some(first)), (vec![0, 0x81], Some(second.clone())), (vec![0, 0x82], None)]);
        let above = remembered(&lines, ca, Some(&Number::from(255))).last;
        assert_eq!(above.into_iter().collect::<Vec<_>>(), [(vec![0, 0x81], Some(second)), (vec![0, 0x82], None)]);
        let other = Certificate { fingerprint: [0; 32], spki_der: vec![0x30, 0], ..ca.clone() };
        assert_eq!(remembered(&lines, &other, None).number, None);
        for number in [0, 1, 255, 256, u64::MAX] {
            assert_eq!(number_of(&number.to_string()), Some(Number::from(number)));
        }
        assert_eq!(number_of("1x"), None);
    }

    #[test]
    fn a_renewed_authority_is_the_one_it_was() {
        let pem = include_bytes!("../../fixtures/kubeadm/v1.36-default-rsa2048/etc-kubernetes/pki/ca.crt");
        let old = &crate::x509::parse_pem_bundle(pem).unwrap()[0];
        let printed = |octet, one: &Certificate| Certificate { fingerprint: [octet; 32], ..one.clone() };
        let (first, second) = (printed(1, old), printed(2, old));
        let other = Certificate { spki_der: vec![0x30, 0], ..printed(3, old) };
        let read = |text: String| serde_json::from_str::<Line>(&text).unwrap();
        let lines = [
            read(crl_line("crl-update", "ca", old, &Number::from(1), None, NOW)),
            read(authority_line("renew", "ca", (Some(old), &first), NOW)),
            read(crl_line("crl-update", "ca", &first, &Number::from(2), None, NOW)),
            read(authority_line("renew", "ca", (Some(&first), &second), NOW)),
            read(crl_line("crl-update", "ca", &second, &Number::from(3), None, NOW)),
            read(authority_line("import", "ca", (Some(&second), &other), NOW)),
            read(crl_line("crl-update", "ca", &other, &Number::from(9), None, NOW)),
        ];
        // Also before the last renewal, after a restore.
        for one in [old, &first, &second] {
            assert_eq!(remembered(&lines, one, None).number, Some(Number::from(3)));
        }
        assert_eq!(remembered(&lines, &other, None).number, Some(Number::from(9)));
        assert_eq!(remembered(&lines[..1], &first, None).number, None);
        let renews = |line: &Line| matches!(line, Line::Certificate(line) if line.renews.is_some());
        assert_eq!(lines.iter().map(renews).collect::<Vec<_>>(), [false, true, false, true, false, false, false]);
    }
}
