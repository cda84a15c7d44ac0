//! Why an authority's certificate is not here.

use super::renewing::Renewing;
use crate::catalog::CaId;
use crate::error::Error;
use crate::plan::renew::{Decision, Skipped};
use crate::workspace::requests;

impl Renewing<'_> {
    /// One that another authority is to sign, or that an issuer has, is not lost.
    pub fn name_missing(&self, decisions: &mut [Decision]) -> Result<(), Error> {
        for authority in CaId::ALL {
            let missing = Skipped::AuthorityMissing(authority);
            let of_it = |one: &&mut Decision| matches!(one, Decision::Skipped(why, _) if *why == missing);
            let mut of_it = decisions.iter_mut().filter(of_it).peekable();
            if of_it.peek().is_none() {
                continue;
            }
            let (public, private) = self.session.tree.directories.authority(authority);
            let waits = requests::waiting_in(&self.session.tree.roots, &public, private.as_ref())?;
            let issuer = self.session.profile().and_then(|profile| profile.issuer(authority));
            let named = match (waits, issuer) {
                (Some(waits), _) => Skipped::AuthorityRequested(authority, waits.request),
                (None, Some(_)) => Skipped::AuthorityElsewhere(authority),
                (None, None) => continue,
            };
            for one in of_it {
                if let Decision::Skipped(why, _) = one {
                    *why = named.clone();
                }
            }
        }
        Ok(())
    }
}
