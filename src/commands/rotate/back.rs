//! A step back: from prepared to none, from switched to prepared.

use super::context::{Context, Planned};
use crate::error::Error;

pub(super) fn plan(context: &Context<'_>) -> Result<Planned, Error> {
    Ok(Planned::of(&context.record))
}
