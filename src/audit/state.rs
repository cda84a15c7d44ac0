//! What an item is at one instant, in one word.

/// Ordered: a later one is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// An optional file that is not there: nothing that could be well or not.
    Absent,
    Ok,
    Warning,
    Critical,
    Expired,
    /// On its authority's CRL with reason certificateHold, so that it may come off again.
    Held,
    /// On its authority's CRL.
    Revoked,
    NotYetValid,
    /// What it says of the authority is not what ca.crt says: not all that it trusts, or not what signs.
    DiffersFromCa,
    /// The authority in its tree did not sign it: nobody who trusts that authority accepts it.
    WrongIssuer,
    /// The key beside it is another's: nobody can use it.
    KeyMismatch,
    Missing,
    Unreadable,
}

impl State {
    pub const ALL: [Self; 13] = [
        Self::Absent,
        Self::Ok,
        Self::Warning,
        Self::Critical,
        Self::Expired,
        Self::Held,
        Self::Revoked,
        Self::NotYetValid,
        Self::DiffersFromCa,
        Self::WrongIssuer,
        Self::KeyMismatch,
        Self::Missing,
        Self::Unreadable,
    ];

    /// For people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Absent => "optional, not there",
            Self::NotYetValid => "not yet valid",
            Self::DiffersFromCa => "differs from ca.crt",
            Self::WrongIssuer => "wrong issuer",
            Self::KeyMismatch => "key does not match",
            other => other.name(),
        }
    }

    /// In flags and documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Critical => "critical",
            Self::Expired => "expired",
            Self::Held => "held",
            Self::Revoked => "revoked",
            Self::NotYetValid => "not-yet-valid",
            Self::DiffersFromCa => "differs-from-ca",
            Self::WrongIssuer => "wrong-issuer",
            Self::KeyMismatch => "key-mismatch",
            Self::Missing => "missing",
            Self::Unreadable => "unreadable",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}
