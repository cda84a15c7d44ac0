//! Step 1: everything trusts the new authority as well, and the old one goes on signing.

mod again;
mod asked;
mod authority;
mod given;
mod ready;
mod request;
mod service_account;
mod signer_file;
mod whole;

use super::context::{Context, Planned};
use super::request::PrepareOptions;
use crate::catalog::CaId;
use crate::error::Error;
use crate::tree::rotation::Rotating;

pub(super) fn plan(context: &Context<'_>, options: &PrepareOptions) -> Result<Planned, Error> {
    let mut planned = Planned::of(&context.record);
    let named = asked::named(context, options, &mut planned)?;
    if named.is_empty() {
        return Ok(planned);
    }
    ready::check(context, options, &named)?;
    let signs = named.contains(&Rotating::Authority(CaId::Cluster));
    let is_ready = !signs || signer_file::is_ready(context, options, &named, &mut planned)?;
    // What the second run would refuse, the first one refuses before it writes ca-signer.crt.
    let mut later = Planned::of(&context.record);
    let prepared = if is_ready { &mut planned } else { &mut later };
    for rotating in named {
        match rotating {
            Rotating::Authority(id) => authority::add(context, options, id, prepared)?,
            Rotating::ServiceAccount => service_account::add(context, options, prepared)?,
        }
    }
    Ok(planned)
}
