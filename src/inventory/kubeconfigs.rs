//! The certificates a kubeconfig holds or refers to.

use std::borrow::Cow;

use super::item::{Kind, Reading};
use super::keys;
use super::object::ParsedObject;
use super::pem::{self, mentions};
use super::unreadable::Unreadable;
use crate::encoding::base64;
use crate::encoding::pem::holds_private_key;
use crate::encoding::shown::named;
use crate::kubeconfig::{self, KeySource, KubeconfigError, Source, Survey};

pub fn looks_like(bytes: &[u8]) -> bool {
    mentions(bytes, "current-context") && mentions(bytes, "users")
}

/// Every certificate in a kubeconfig that was found; other files are not opened.
pub fn objects(bytes: &[u8]) -> Vec<ParsedObject> {
    match kubeconfig::survey(bytes) {
        Ok(survey) => read(&survey, None, &mut |_, _| Vec::new()),
        // Another document that mentions kubeconfigs.
        Err(KubeconfigError::NotAKubeconfig) => Vec::new(),
        Err(why) => vec![broken(why)],
    }
}

/// What a file holds that a kubeconfig refers to; beside it, the file of the key.
pub type Open<'a> = &'a mut dyn FnMut(&str, Option<&str>) -> Vec<ParsedObject>;

/// A kubeconfig the catalogue expects: its current user's certificate first, or why there is none.
pub fn expected(bytes: &[u8], authority: Option<&str>, open: Open<'_>) -> Vec<ParsedObject> {
    let survey = match kubeconfig::survey(bytes) {
        Ok(survey) => survey,
        Err(why) => return vec![broken(why)],
    };
    let mut objects = read(&survey, authority, open);
    let without = || survey.users.first().is_some_and(|user| user.certificate.is_none());
    let missing = match &survey.unresolved {
        Some(why) => Some(Unreadable::Kubeconfig(why.clone())),
        None if without() => Some(Unreadable::NoClientCertificate),
        None => None,
    };
    if let Some(why) = missing {
        objects.insert(0, ParsedObject::broken(Kind::Kubeconfig, 0, why));
    }
    objects
}

/// `authority`: base64 of the tree's own CA file; a cluster that embeds the same is no item.
fn read(survey: &Survey<'_>, authority: Option<&str>, open: Open<'_>) -> Vec<ParsedObject> {
    let mut found = Vec::new();
    for (index, user) in survey.users.iter().enumerate() {
        let Some(source) = &user.certificate else { continue };
        let own = index == 0 && survey.unresolved.is_none();
        let mut objects =
            of(source, user.key.as_ref().map(|key| &key.0), Kind::Kubeconfig, "client-certificate-data", open);
        if let Some(KeySource(Source::Data(key))) = &user.key
            && let Ok(key) = base64::decode(key.as_bytes())
        {
            keys::compare(&key, &mut objects);
        }
        found.extend(objects.into_iter().map(|object| if own { object } else { object.within(&named(&user.name)) }));
    }
    for (index, cluster) in survey.clusters.iter().enumerate() {
        let Some(source) = &cluster.authority else { continue };
        if matches!(source, Source::Data(data) if authority == Some(data)) {
            continue;
        }
        let name = match index {
            0 if survey.unresolved.is_none() => Cow::Borrowed("ca"),
            _ => Cow::Owned(format!("ca of {}", named(&cluster.name))),
        };
        let objects = of(source, None, Kind::KubeconfigAuthority, "certificate-authority-data", open);
        found.extend(objects.into_iter().map(|object| object.within(&name)));
    }
    found
}

fn broken(why: KubeconfigError) -> ParsedObject {
    ParsedObject::broken(Kind::Kubeconfig, 0, Unreadable::Kubeconfig(why))
}

fn of(
    source: &Source<'_>,
    key: Option<&Source<'_>>,
    kind: Kind,
    field: &'static str,
    open: Open<'_>,
) -> Vec<ParsedObject> {
    match source {
        Source::Data(data) => match base64::decode(data.as_bytes()) {
            Err(_) => vec![ParsedObject::broken(kind, 0, Unreadable::NotBase64(field))],
            Ok(text) => {
                let mut objects = pem::wanted(&text, kind, Some(field));
                if kind == Kind::KubeconfigAuthority && holds_private_key(&text) {
                    objects.push(ParsedObject::broken(kind, objects.len(), Unreadable::PrivateKey));
                }
                objects
            }
        },
        Source::File(path) => {
            let key = key.and_then(|key| match key {
                Source::File(path) => Some(path.as_ref()),
                Source::Data(_) => None,
            });
            open(path, key).into_iter().map(|object| renamed(object, kind)).collect()
        }
    }
}

/// A file's certificates are the kubeconfig's.
fn renamed(mut object: ParsedObject, kind: Kind) -> ParsedObject {
    if !matches!(object.reading, Reading::Crl(_)) {
        object.kind = kind;
    }
    object
}
