//! One client and one server, and what each says of the other.

use crate::blueprint::San;
use crate::tree::EntryId;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// Of the table's row.
    pub number: u8,
    pub client: EntryId,
    pub server: EntryId,
    /// What the client dials, as far as that is known.
    pub names: Vec<San>,
    /// Whether the client accepts the server's certificate.
    pub by_client: Half,
    /// Whether the server accepts the client's certificate, or its token.
    pub by_server: Half,
}

/// What one side says of the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Half {
    /// In a handshake, in which the other side proved that it has the key.
    Accepted,
    Refused(Refused),
    /// It could not be judged, and may be anything.
    NotLookedAt {
        path: String,
        why: String,
    },
    /// A file it takes is not in this tree.
    NotOnDisk,
    /// What it takes is never in a tree.
    Elsewhere(&'static str),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub fault: Fault,
    /// What was expected and found.
    pub found: String,
    /// The file that is refused.
    pub path: String,
    /// The entry of that file.
    pub entry: EntryId,
    /// Other files that decide it: its key, and the bundle it was judged by.
    pub others: Vec<String>,
}

/// What is wrong, as far as it tells which finding explains it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    Dates,
    Path,
    Usage,
    Name,
    Key,
    Token,
}

/// Both halves in one word. Ordered: the worst is the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Both sides accept each other.
    Accepted,
    /// One does; of the other not everything is here.
    Half,
    /// Neither side could be asked.
    NotOnDisk,
    NotLookedAt,
    Refused,
}

impl State {
    pub const ALL: [Self; 5] = [Self::Accepted, Self::Half, Self::NotOnDisk, Self::NotLookedAt, Self::Refused];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "ok",
            Self::Half => "half",
            Self::NotOnDisk => "not on disk",
            Self::NotLookedAt => "not looked at",
            Self::Refused => "refused",
        }
    }
}

impl Edge {
    pub const fn halves(&self) -> [&Half; 2] {
        [&self.by_client, &self.by_server]
    }

    pub fn state(&self) -> State {
        let any = |wanted: fn(&Half) -> bool| self.halves().into_iter().any(wanted);
        let all = |wanted: fn(&Half) -> bool| self.halves().into_iter().all(wanted);
        let accepted = |half: &Half| *half == Half::Accepted;
        match () {
            () if any(|half| matches!(half, Half::Refused(_))) => State::Refused,
            () if any(|half| matches!(half, Half::NotLookedAt { .. })) => State::NotLookedAt,
            () if all(accepted) => State::Accepted,
            () if any(accepted) => State::Half,
            () => State::NotOnDisk,
        }
    }
}

impl Half {
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused(_) => "refused",
            Self::NotLookedAt { .. } => "not-looked-at",
            Self::NotOnDisk => "not-on-disk",
            Self::Elsewhere(_) => "elsewhere",
        }
    }

    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Accepted | Self::NotOnDisk => None,
            Self::Refused(refused) => Some(&refused.found),
            Self::NotLookedAt { why, .. } => Some(why),
            Self::Elsewhere(why) => Some(why),
        }
    }
}
