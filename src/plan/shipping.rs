//! A safe host's files and a node's: which of them are the newer ones. By public facts alone, so that a receipt, an archive
//! and a directory are compared in the same way.

use time::OffsetDateTime;

use crate::catalog::CaId;
use crate::catalog::paths::SUPER_ADMIN_CONF;
use crate::revocation::Number;

/// The public side of one entry. Fingerprints are SHA-256.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    pub entry: String,
    pub certificates: Vec<[u8; 32]>,
    /// What a kubeconfig trusts.
    pub authority_data: Vec<[u8; 32]>,
    pub public_key: Option<[u8; 32]>,
    /// Of its first certificate.
    pub not_before: Option<OffsetDateTime>,
}

/// What another place has of an entry that is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compared {
    Same,
    Missing,
    /// An earlier one, or one that is not newer.
    Older,
    /// A later one of the same entry: it was renewed there.
    Newer,
    /// An authority that is not this cluster's: neither a certificate nor the key in common.
    Foreign,
}

/// `theirs`: what the other place has.
pub fn entry(ours: &Facts, theirs: Option<&Facts>) -> Compared {
    let Some(theirs) = theirs else { return Compared::Missing };
    let is_authority = CaId::parse(&ours.entry).is_some();
    let shares = || ours.certificates.iter().any(|one| theirs.certificates.contains(one));
    // A chain and authorities may be written in any order of bytes, but not with other members.
    let certificates = ours.certificates == theirs.certificates && ours.authority_data == theirs.authority_data;
    if certificates && (ours.public_key == theirs.public_key || !ours.certificates.is_empty()) {
        return Compared::Same;
    }
    // An authority that was renewed with its key is still itself.
    let same_key = ours.public_key.is_some() && ours.public_key == theirs.public_key;
    match (ours.not_before, theirs.not_before) {
        _ if is_authority && !same_key => {
            if shares() {
                Compared::Older
            } else {
                Compared::Foreign
            }
        }
        (Some(ours), Some(theirs)) if theirs > ours => Compared::Newer,
        _ => Compared::Older,
    }
}

/// How far a node has what a safe host has for it. Ordered: a later one is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Delivery {
    Current,
    /// Some entries are newer there: the node has renewed them.
    Renewed,
    /// Some are missing or older there.
    Older,
    /// An authority there is another cluster's.
    Foreign,
}

/// The whole, and the entries that are older, missing or foreign.
pub fn delivery(ours: &[Facts], theirs: &[Facts]) -> (Delivery, Vec<String>) {
    let (mut whole, mut names) = (Delivery::Current, Vec::new());
    for one in ours {
        let found = theirs.iter().find(|other| other.entry == one.entry);
        let delivery = match entry(one, found) {
            Compared::Same => continue,
            Compared::Newer => Delivery::Renewed,
            // Who has removed it meant to.
            Compared::Missing if one.entry == SUPER_ADMIN_CONF => continue,
            Compared::Missing | Compared::Older => Delivery::Older,
            Compared::Foreign => Delivery::Foreign,
        };
        whole = whole.max(delivery);
        if delivery > Delivery::Renewed {
            names.push(one.entry.clone());
        }
    }
    (whole, names)
}

/// The entries that are newer there.
pub fn newer(ours: &[Facts], theirs: &[Facts]) -> Vec<String> {
    let there = |one: &Facts| theirs.iter().find(|other| other.entry == one.entry);
    let newer = ours.iter().filter(|one| entry(one, there(one)) == Compared::Newer);
    newer.map(|one| one.entry.clone()).collect()
}

/// One issue of a CRL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// `None`: it has none.
    pub number: Option<Number>,
    pub fingerprint: [u8; 32],
}

/// What another place has of an authority's CRL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    Same,
    Missing,
    Older,
    /// A later issue, which was not signed here.
    Ahead,
    /// The same number, and not the same list.
    Diverging,
}

/// `None`: neither place has one.
pub fn list(ours: Option<&Issue>, theirs: Option<&Issue>) -> Option<Listed> {
    Some(match (ours, theirs) {
        (None, None) => return None,
        (Some(_), None) => Listed::Missing,
        (None, Some(_)) => Listed::Ahead,
        (Some(ours), Some(theirs)) if ours.fingerprint == theirs.fingerprint => Listed::Same,
        (Some(ours), Some(theirs)) => match theirs.number.cmp(&ours.number) {
            std::cmp::Ordering::Less => Listed::Older,
            std::cmp::Ordering::Equal => Listed::Diverging,
            std::cmp::Ordering::Greater => Listed::Ahead,
        },
    })
}

/// Why what is here may not take the place of what is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Behind {
    /// There it is newer.
    Entry(String),
    /// There it has a higher number, or one at all.
    List(CaId),
}

/// Everything that would go back. Empty: nothing would.
pub fn behind(entries: &[(&Facts, Option<&Facts>)], lists: &[(CaId, Option<&Issue>, Option<&Issue>)]) -> Vec<Behind> {
    let newer = entries.iter().filter(|(ours, theirs)| entry(ours, *theirs) == Compared::Newer);
    let ahead = lists.iter().filter(|(_, ours, theirs)| list(*ours, *theirs) == Some(Listed::Ahead));
    newer
        .map(|(ours, _)| Behind::Entry(ours.entry.clone()))
        .chain(ahead.map(|(authority, ..)| Behind::List(*authority)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(entry: &str, certificates: &[u8], data: &[u8], key: u8, second: i64) -> Facts {
        let prints = |all: &[u8]| all.iter().map(|one| [*one; 32]).collect();
        Facts {
            entry: entry.to_owned(),
            certificates: prints(certificates),
            authority_data: prints(data),
            public_key: Some([key; 32]),
            not_before: (second > 0).then(|| OffsetDateTime::from_unix_timestamp(second).unwrap()),
        }
    }

    #[test]
    fn the_newer_one_is_that_of_the_later_not_before() {
        for (ours, theirs, expected) in [
            (facts("apiserver", &[1], &[], 1, 10), facts("apiserver", &[1], &[], 1, 10), Compared::Same),
            (facts("apiserver", &[1], &[], 1, 10), facts("apiserver", &[2], &[], 2, 9), Compared::Older),
            (facts("apiserver", &[1], &[], 1, 10), facts("apiserver", &[2], &[], 2, 10), Compared::Older),
            (facts("apiserver", &[1], &[], 1, 10), facts("apiserver", &[2], &[], 2, 11), Compared::Newer),
            // The same leaf with another chain, or other authorities.
            (facts("apiserver", &[1, 7], &[], 1, 10), facts("apiserver", &[1], &[], 1, 10), Compared::Older),
            (facts("admin.conf", &[1], &[3, 4], 1, 10), facts("admin.conf", &[1], &[3], 1, 10), Compared::Older),
            (facts("ca", &[1], &[], 1, 10), facts("ca", &[2], &[], 2, 99), Compared::Foreign),
            (facts("ca", &[1, 2], &[], 1, 10), facts("ca", &[1], &[], 1, 10), Compared::Older),
            // Renewed with its key here, and there.
            (facts("ca", &[2], &[], 1, 99), facts("ca", &[1], &[], 1, 10), Compared::Older),
            (facts("ca", &[1], &[], 1, 10), facts("ca", &[2], &[], 1, 99), Compared::Newer),
            (facts("ca", &[2, 3], &[], 1, 99), facts("ca", &[1, 3], &[], 1, 10), Compared::Older),
            (facts("sa", &[], &[], 1, 0), facts("sa", &[], &[], 1, 0), Compared::Same),
            (facts("sa", &[], &[], 1, 0), facts("sa", &[], &[], 2, 0), Compared::Older),
        ] {
            assert_eq!(entry(&ours, Some(&theirs)), expected, "{ours:?} {theirs:?}");
        }
        assert_eq!(entry(&facts("sa", &[], &[], 1, 0), None), Compared::Missing);
    }

    #[test]
    fn the_worst_entry_counts_and_is_named() {
        let ours = [facts("ca", &[1], &[], 1, 10), facts("apiserver", &[2], &[], 1, 10)];
        let removed = facts(SUPER_ADMIN_CONF, &[9], &[], 1, 10);
        let (renewed, old) = (facts("apiserver", &[3], &[], 1, 11), facts("apiserver", &[3], &[], 1, 9));
        let foreign = facts("ca", &[5], &[], 5, 10);
        for (theirs, whole, names) in [
            (vec![ours[0].clone(), ours[1].clone()], Delivery::Current, vec![]),
            (vec![ours[0].clone(), renewed.clone()], Delivery::Renewed, vec![]),
            (vec![ours[0].clone(), old], Delivery::Older, vec!["apiserver"]),
            (vec![renewed], Delivery::Older, vec!["ca"]),
            (vec![foreign], Delivery::Foreign, vec!["ca", "apiserver"]),
        ] {
            let ours = [ours[0].clone(), ours[1].clone(), removed.clone()];
            let expected = (whole, names.into_iter().map(str::to_owned).collect());
            assert_eq!(delivery(&ours, &theirs), expected, "{theirs:?}");
        }
    }

    #[test]
    fn a_list_goes_by_its_number_and_two_of_one_number_diverge() {
        let issue = |number: Option<u64>, print| Issue { number: number.map(Number::from), fingerprint: [print; 32] };
        let two = issue(Some(2), 1);
        for (theirs, expected) in [
            (issue(Some(2), 1), Listed::Same),
            (issue(Some(1), 2), Listed::Older),
            (issue(None, 2), Listed::Older),
            (issue(Some(3), 2), Listed::Ahead),
            (issue(Some(2), 2), Listed::Diverging),
        ] {
            assert_eq!(list(Some(&two), Some(&theirs)), Some(expected), "{theirs:?}");
        }
        assert_eq!(list(None, None), None);
        assert_eq!(list(Some(&two), None), Some(Listed::Missing));
        assert_eq!(list(None, Some(&two)), Some(Listed::Ahead));
    }

    #[test]
    fn everything_that_would_go_back_is_named() {
        let (old, new) = (facts("apiserver", &[1], &[], 1, 10), facts("apiserver", &[2], &[], 2, 11));
        let (one, two) = (Number::from(1), Number::from(2));
        let issue = |number: &Number, print| Issue { number: Some(number.clone()), fingerprint: [print; 32] };
        let (first, second) = (issue(&one, 1), issue(&two, 2));
        let all = behind(&[(&old, Some(&new))], &[(CaId::Cluster, Some(&first), Some(&second))]);
        assert_eq!(all, [Behind::Entry("apiserver".to_owned()), Behind::List(CaId::Cluster)]);
        let none = behind(&[(&new, Some(&old))], &[(CaId::Cluster, Some(&second), Some(&first))]);
        assert_eq!(none, []);
        assert_eq!(behind(&[(&old, None)], &[(CaId::Etcd, None, None)]), []);
    }
}
