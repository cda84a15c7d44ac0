//! The phases of the rotations in progress as one line, as an archive carries it to its node: `ca=prepared,sa=prepared`.

use std::collections::BTreeMap;
use std::fmt;

use super::rotation::{Phase, Record, Rotating};

/// Empty: nothing is being rotated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Phases(BTreeMap<Rotating, Phase>);

impl Phases {
    pub fn of(record: &Record) -> Self {
        Self(record.rotations.iter().map(|one| (one.authority, one.phase)).collect())
    }

    /// What cannot be read is of a later kpki, and says nothing here.
    pub fn parse(line: &str) -> Self {
        let one = |part: &str| {
            let (authority, phase) = part.split_once('=')?;
            let phase = Phase::ALL.into_iter().find(|known| known.name() == phase)?;
            Some((Rotating::parse(authority)?, phase))
        };
        Self(line.split(',').filter_map(one).collect())
    }

    pub fn get(&self, authority: Rotating) -> Option<Phase> {
        self.0.get(&authority).copied()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = (Rotating, Phase)> {
        self.0.iter().map(|(authority, phase)| (*authority, *phase))
    }

    /// `ca, sa: prepared; etcd-ca: switched`, for people.
    pub fn words(&self) -> String {
        let of = |phase: Phase| {
            let names: Vec<&str> = self.iter().filter(|(_, its)| *its == phase).map(|(one, _)| one.name()).collect();
            (!names.is_empty()).then(|| format!("{}: {phase}", names.join(", ")))
        };
        Phase::ALL.into_iter().filter_map(of).collect::<Vec<_>>().join("; ")
    }
}

impl fmt::Display for Phases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.iter().map(|(authority, phase)| format!("{authority}={phase}")).collect();
        f.write_str(&all.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::CaId;

    #[test]
    fn what_is_written_is_read() {
        let (ca, etcd) = (Rotating::Authority(CaId::Cluster), Rotating::Authority(CaId::Etcd));
        let all = [(ca, Phase::Prepared), (etcd, Phase::Switched), (Rotating::ServiceAccount, Phase::Prepared)];
        let phases = Phases(all.into_iter().collect());
        assert_eq!(phases.to_string(), "ca=prepared,etcd-ca=switched,sa=prepared");
        assert_eq!(phases.words(), "ca, sa: prepared; etcd-ca: switched");
        assert_eq!(Phases::parse(&phases.to_string()), phases);
        assert!(Phases::parse("").is_empty() && Phases::parse("x=prepared,ca=later,ca").is_empty());
    }
}
