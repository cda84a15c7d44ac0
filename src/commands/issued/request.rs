//! The request from the command line.

use std::path::PathBuf;

use time::OffsetDateTime;

use crate::clock::Span;
use crate::workspace::TreeArgs;

#[derive(Debug, Clone)]
pub struct Request {
    pub from: From,
    pub what: What,
    /// How far back.
    pub since: Span,
    pub now: OffsetDateTime,
    pub threads: usize,
}

#[derive(Debug, Clone)]
pub enum From {
    Tree(PathBuf),
    Fleet(Box<TreeArgs>),
}

/// Which lines are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Certificates,
    /// Entries of CRLs.
    Revocations,
}
