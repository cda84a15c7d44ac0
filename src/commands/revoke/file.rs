//! The certificate of a file that is named itself.

use crate::error::Error;
use crate::workspace::survey;
use crate::x509::ordered::{distinct, end};
use crate::x509::{Certificate, Ordered, parse_bundle};
use std::path::Path;

/// The certificate of a file, PEM or DER: that of the path's end, wherever it stands.
pub fn read(path: &Path) -> Result<Certificate, Error> {
    let bytes = survey::input(path, survey::LARGEST_INPUT)?;
    let cannot = || Error::new(format!("cannot read a certificate from {}", path.display()));
    let (all, _) = distinct(parse_bundle(&bytes).map_err(|why| cannot().because(why))?);
    let ordered = end(&all).and_then(|at| Ordered::from(all, at)).ok_or_else(cannot)?;
    let mut strangers = ordered.clone().take_strangers();
    match strangers.pop() {
        None => Ok(ordered.leaf),
        Some(other) => Err(Error::new(format!("expected one certificate with its chain in {}", path.display()))
            .because(format!("found {} and {}", ordered.leaf.subject, other.subject))
            .hint("give the file of the one that is meant, or its number with --serial HEX --authority NAME")),
    }
}
