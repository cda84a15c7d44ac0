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

use super::born::{self, Born};
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
    let mut keys = Vec::new();
    for rotating in named {
        let is_given = options.new_key.is_some();
        let born =
            if is_given { Some(Born::Tree) } else { born::of(context, (rotating, options.algorithm), &mut planned) };
        keys.extend(born.map(|born| (rotating, born)));
    }
    let named: Vec<Rotating> = keys.iter().map(|(rotating, _)| *rotating).collect();
    let signs = named.contains(&Rotating::Authority(CaId::Cluster));
    let is_ready = !signs || signer_file::is_ready(context, options, &named, &mut planned)?;
    // What the second run would refuse, the first one refuses before it writes ca-signer.crt.
    let mut later = Planned::of(&context.record);
    let prepared = if is_ready { &mut planned } else { &mut later };
    for (rotating, born) in keys {
        match rotating {
            Rotating::Authority(id) => authority::add(context, options, (id, born), prepared)?,
            Rotating::ServiceAccount => service_account::add(context, options, prepared)?,
        }
    }
    Ok(planned)
}
