//! The roots that the path of an external authority's certificate may end at. Files only: nothing is asked of a network.

use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use super::survey;
use crate::error::Error;
use crate::files;
use crate::profile::Roots;
use crate::x509::{Certificate, parse_roots};

/// Where distributions keep the bundle of the system's roots: Debian and Alpine, Fedora and RHEL, SUSE, and OpenSSL's own.
const SYSTEM: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Those in `given`, else those that the profile says; never one that has ended.
pub fn read(
    given: Option<&Path>,
    stated: Option<&Roots>,
    now: OffsetDateTime,
) -> Result<(PathBuf, Vec<Certificate>), Error> {
    let path = match (given, stated) {
        (Some(path), _) => path.to_owned(),
        (None, Some(Roots::File(path))) => PathBuf::from(path),
        (None, Some(Roots::System) | None) => system()?,
    };
    let failed = |error: Error| error.hint("give the root of its authority with --root FILE");
    let bytes = survey::input(&path, survey::LARGEST_INPUT).map_err(failed)?;
    let roots = parse_roots(&bytes).map_err(|why| {
        failed(Error::new(format!("cannot read the roots in {}; nothing was written", path.display())).because(why))
    })?;
    Ok((path, roots.into_iter().filter(|root| root.is_valid_at(now)).collect()))
}

fn system() -> Result<PathBuf, Error> {
    let there = SYSTEM.map(Path::new).into_iter().find(|path| files::what(None, path).is_some());
    there.map(Path::to_owned).ok_or_else(|| {
        Error::new("the roots that this system trusts are not there; nothing was written")
            .because(format!("expected one of {}", SYSTEM.join(", ")))
            .hint("install them (the package ca-certificates), or give the root of its authority with --root FILE")
    })
}
