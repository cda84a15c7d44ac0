//! Whether every request is granted, and what.

use super::jobs::Job;
use super::policy;
use super::request::Request;
use super::signer::Signer;
use super::terms::Agreed;
use crate::error::{self, Error};
use crate::plan::blueprints::Bounds;
use crate::plan::sign::{self as plan, Dates, Grant};

/// What every request gets, in their order; or why some get nothing.
pub fn all(request: &Request, signer: &Signer<'_>, agreed: &Agreed, jobs: &[Job]) -> Result<Vec<Grant>, Error> {
    if agreed.entry.is_some() && jobs.len() > 1 {
        return Err(Error::usage("--as is for one request, and several were given").hint("sign them one by one"));
    }
    let authority = signer.certificate(agreed.authority)?;
    if !authority.is_valid_at(request.run.now) {
        return Err(Error::new(format!("the authority {} is not valid now", authority.subject))
            .hint("check the clock; a certificate of an expired authority is never accepted"));
    }
    let dates = Dates { now: request.run.now, validity: request.validity, signer: Bounds::of(authority) };
    let policy = policy::of(signer, agreed);
    let (mut grants, mut declined) = (Vec::new(), Vec::new());
    for job in jobs {
        let granted = plan::grant(&job.request, &agreed.terms, request.authority.as_ref(), dates, &policy);
        let granted = granted.and_then(|grant| policy::fits(job, grant, policy.authority, dates.now));
        match (granted, policy::known_key(request, signer, job)?) {
            (Ok(grant), None) => grants.push(grant),
            (granted, known) => {
                let why = granted.err().unwrap_or_default().into_iter().chain(known).collect();
                declined.push((job.file.display().to_string(), why));
            }
        }
    }
    if declined.is_empty() { Ok(grants) } else { Err(error::declined(&declined)) }
}
