//! The renewal of one tree.

use super::request::Request;
use crate::plan::renew::Credential;
use crate::workspace::Session;

/// The renewal of one tree.
pub struct Renewing<'a> {
    pub request: &'a Request,
    pub session: Session<'a>,
    /// Those that were named, or all.
    pub credentials: Vec<Credential>,
}
