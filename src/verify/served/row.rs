//! What is said of one endpoint.

use time::OffsetDateTime;

use super::endpoint::Endpoint;
use crate::live::Version;

/// What is served, beside what lies on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    Same,
    /// Nothing of this entry is on this disk: it was made in memory, or is another node's.
    NothingOnDisk,
    /// The one on disk took its place.
    Older,
    Other,
    /// It was not compared: what is served, or what is on disk, cannot be read.
    NotCompared,
    /// It is not known what is served.
    Unreachable,
}

impl State {
    pub const ALL: [Self; 6] =
        [Self::Same, Self::NothingOnDisk, Self::Older, Self::Other, Self::NotCompared, Self::Unreachable];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::NothingOnDisk => "nothing on disk",
            Self::Older => "older",
            Self::Other => "other",
            Self::NotCompared => "not compared",
            Self::Unreachable => "unreachable",
        }
    }
}

/// Where in its lifetime a served certificate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ends {
    Later,
    /// Inside the warning window.
    Soon,
    Expired,
    NotYetValid,
}

/// What is said of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    pub subject: String,
    pub issuer: String,
    /// Hexadecimal.
    pub serial: String,
    pub not_after: OffsetDateTime,
}

/// One endpoint, and what it serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub endpoint: Endpoint,
    pub state: State,
    pub served: Option<Facts>,
    pub ends: Ends,
    /// What is on disk, and in which file.
    pub on_disk: Option<(String, Facts)>,
    pub version: Option<Version>,
    /// The names it asks client certificates from; `None`: it asks for none.
    pub client_authorities: Option<Vec<String>>,
    /// Why it is in this state, or what else is to be said.
    pub why: String,
    /// Commands, as they are typed on the node.
    pub repair: Vec<String>,
}
