//! A kubeconfig's current context, with the files it names.

use std::borrow::Cow;
use std::path::PathBuf;

use zeroize::Zeroizing;

use super::content::{self, Broken};
use crate::encoding::shown;
use crate::files::{self, FileState};
use crate::kubeconfig::{self, AUTHORITY, CERTIFICATE, Credentials, Source};
use crate::verify::{Content, Key, Kubeconfig};
use crate::x509::{Certificate, parse_pem_bundle};

/// A certificate or key in a file of its own is no larger, in bytes.
const LARGEST: u64 = 1 << 20;

/// Where a file that it names is, and whether it may be missing because it is on another machine.
pub type Referred<'a> = &'a dyn Fn(&str) -> (PathBuf, bool);

pub fn read(bytes: &[u8], referred: Referred<'_>) -> Content {
    match survey(bytes, referred) {
        Ok(kubeconfig) => Content::Kubeconfig(Box::new(kubeconfig)),
        Err(why) => why.into(),
    }
}

fn survey(bytes: &[u8], referred: Referred<'_>) -> Result<Kubeconfig, Broken> {
    let survey = kubeconfig::survey(bytes).map_err(Broken::by)?;
    if let Some(why) = survey.unresolved {
        return Err(Broken::by(why));
    }
    let (Some(cluster), Some(user)) = (survey.clusters.first(), survey.users.first()) else {
        return Err(Broken("expected a cluster and a user, found none".to_owned()));
    };
    let mut named = Named { referred, not_here: Vec::new() };
    let (authority, _) = named.certificates(cluster.authority.as_ref(), AUTHORITY)?;
    let (certificates, certificate_file) = named.certificates(user.certificate.as_ref(), CERTIFICATE)?;
    let key = match &user.key {
        None => None,
        Some(kubeconfig::Key::File(path)) => named.file(path)?.map(|bytes| content::key(&bytes)).transpose()?,
        Some(kubeconfig::Key::Data(Err(why))) => return Err(Broken::by(why)),
        Some(kubeconfig::Key::Data(Ok(_))) => embedded(bytes)?,
    };
    let is_certificate = |way: &&str| way.starts_with("client-");
    Ok(Kubeconfig {
        server: cluster.server.clone().into_owned(),
        server_name: cluster.server_name.clone().map(Cow::into_owned),
        is_insecure: cluster.is_insecure,
        authority,
        certificates,
        certificate_file,
        key,
        others: user.credentials.iter().copied().filter(|way| !is_certificate(way)).collect(),
        not_here: named.not_here,
    })
}

fn embedded(bytes: &[u8]) -> Result<Option<Key>, Broken> {
    match kubeconfig::read(bytes).map_err(Broken::by)?.credentials {
        Credentials::Embedded { key, .. } => content::key(&key).map(Some),
        Credentials::Files { .. } => Ok(None),
    }
}

/// The files a kubeconfig names.
struct Named<'a> {
    referred: Referred<'a>,
    /// Those of another machine.
    not_here: Vec<String>,
}

impl Named<'_> {
    /// The certificates, and the file they are in if they are not embedded.
    fn certificates(
        &mut self,
        source: Option<&Source<'_>>,
        field: &'static str,
    ) -> Result<(Vec<Certificate>, Option<String>), Broken> {
        let parse = |bytes: &[u8]| parse_pem_bundle(bytes).map_err(|why| Broken(format!("{field}: {why}")));
        match source {
            None => Ok((Vec::new(), None)),
            Some(Source::Data(data)) => {
                let text = kubeconfig::pem(field, data).map_err(Broken::by)?;
                Ok((parse(&text)?, None))
            }
            Some(Source::File(path)) => {
                let found = self.file(path)?.map(|bytes| parse(&bytes)).transpose()?;
                Ok((found.unwrap_or_default(), Some(path.clone().into_owned())))
            }
        }
    }

    fn file(&mut self, path: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Broken> {
        let (place, is_optional) = (self.referred)(path);
        let failed = |why: &dyn std::fmt::Display| Broken(format!("it names {}: {why}", shown::named(path)));
        match files::read_input(&place, LARGEST) {
            Ok(FileState::File { bytes, .. }) => Ok(Some(bytes)),
            Ok(FileState::Missing) if is_optional => {
                self.not_here.push(path.to_owned());
                Ok(None)
            }
            Ok(FileState::Missing) => Err(failed(&"there is no such file")),
            Err(why) => Err(failed(&why.kind)),
        }
    }
}
