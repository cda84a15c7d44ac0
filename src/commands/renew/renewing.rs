//! One tree on its way.

use super::request::Request;
use crate::plan::renew::Credential;
use crate::workspace::Session;

/// One tree on its way.
pub struct Renewing<'a> {
    pub request: &'a Request,
    pub session: Session<'a>,
    /// Those that were named, or all.
    pub credentials: Vec<Credential>,
}
