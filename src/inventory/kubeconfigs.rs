//! The certificates a kubeconfig holds or refers to.

use std::borrow::Cow;

use super::content::{self, mentions};
use super::object::ParsedObject;
use super::{Kind, Reading};
use crate::encoding::base64;
use crate::kubeconfig::{self, Source, Survey};

pub fn looks_like(bytes: &[u8]) -> bool {
    mentions(bytes, "current-context") && mentions(bytes, "users")
}

/// Every certificate in a kubeconfig that was found; other files are not opened.
pub fn objects(bytes: &[u8]) -> Vec<ParsedObject> {
    match kubeconfig::survey(bytes) {
        Ok(survey) => read(&survey, None, &mut |_| None),
        // Another document that talks of kubeconfigs.
        Err(kubeconfig::KubeconfigError::NotAKubeconfig) => Vec::new(),
        Err(why) => vec![ParsedObject::broken(Kind::Kubeconfig, 0, why)],
    }
}

/// What stands in a file a kubeconfig refers to; `None`: such files are not looked at.
pub type Open<'a> = &'a mut dyn FnMut(&str) -> Option<Vec<ParsedObject>>;

/// A kubeconfig the catalogue expects: its current user's certificate first, or why there is none.
pub fn expected(bytes: &[u8], authority: Option<&str>, open: Open<'_>) -> Vec<ParsedObject> {
    let survey = match kubeconfig::survey(bytes) {
        Ok(survey) => survey,
        Err(why) => return vec![ParsedObject::broken(Kind::Kubeconfig, 0, why)],
    };
    let mut objects = read(&survey, authority, open);
    let without = || survey.users.first().is_some_and(|user| user.certificate.is_none());
    let missing = match &survey.unresolved {
        Some(why) => Some(why.to_string()),
        None if without() => Some("expected a client certificate, found neither data nor a file".to_owned()),
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
        let objects = of(source, Kind::Kubeconfig, "client-certificate-data", open);
        found.extend(objects.into_iter().map(|object| if own { object } else { object.within(&user.name) }));
    }
    for (index, cluster) in survey.clusters.iter().enumerate() {
        let Some(source) = &cluster.authority else { continue };
        if matches!(source, Source::Data(data) if authority == Some(data)) {
            continue;
        }
        let name = match index {
            0 if survey.unresolved.is_none() => Cow::Borrowed("ca"),
            _ => Cow::Owned(format!("ca of {}", cluster.name)),
        };
        let objects = of(source, Kind::KubeconfigAuthority, "certificate-authority-data", open);
        found.extend(objects.into_iter().map(|object| object.within(&name)));
    }
    found
}

fn of(source: &Source<'_>, kind: Kind, field: &str, open: Open<'_>) -> Vec<ParsedObject> {
    match source {
        Source::Data(data) => match base64::decode(data.as_bytes()) {
            Err(_) => vec![ParsedObject::broken(kind, 0, format!("expected base64 in {field}"))],
            Ok(text) => match content::pem(&text, kind) {
                objects if objects.is_empty() => {
                    let found = content::instead(&text);
                    vec![ParsedObject::broken(kind, 0, format!("expected a PEM certificate in {field}, found {found}"))]
                }
                objects => objects,
            },
        },
        Source::File(path) => open(path).unwrap_or_default().into_iter().map(|object| renamed(object, kind)).collect(),
    }
}

/// A file's certificates are the kubeconfig's.
fn renamed(mut object: ParsedObject, kind: Kind) -> ParsedObject {
    if !matches!(object.reading, Reading::Crl(_)) {
        object.kind = kind;
    }
    object
}
