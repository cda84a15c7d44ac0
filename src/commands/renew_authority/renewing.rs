//! The renewal of one tree's authorities.

use super::request::Request;
use crate::workspace::Session;

pub struct Renewing<'a> {
    pub request: &'a Request,
    pub session: Session<'a>,
}
