//! The certificates a kubeconfig holds or refers to.

use std::borrow::Cow;

use super::around::Around;
use super::item::{KEY, Kind, Reading};
use super::keys;
use super::object::ParsedObject;
use super::pem::{self, mentions};
use super::unreadable::Unreadable;
use crate::encoding::key_public::Half;
use crate::encoding::pem::holds_private_key;
use crate::encoding::shown::named;
use crate::kubeconfig::{self, AUTHORITY, CERTIFICATE, Key, KubeconfigError, Source, Survey, User};

/// Whether a text may be a kubeconfig: one of its lists is a line of its own, as it is outside JSON, or it has two of its fields.
pub fn looks_like(bytes: &[u8]) -> bool {
    let begins =
        |line: &[u8]| ["users:", "clusters:", "contexts:"].iter().any(|list| line.starts_with(list.as_bytes()));
    let fields = ["current-context", "users", "clusters", "contexts"];
    fields.iter().filter(|field| mentions(bytes, field)).count() > 1 || bytes.split(|byte| *byte == b'\n').any(begins)
}

fn says_so(bytes: &[u8]) -> bool {
    mentions(bytes, "kind: Config") && mentions(bytes, "users")
}

/// Every certificate in a kubeconfig that was found. `None`: it is another document.
pub fn objects(bytes: &[u8], around: &mut Around<'_>) -> Option<Vec<ParsedObject>> {
    match kubeconfig::survey(bytes) {
        Ok(survey) => Some(found(&survey, around)),
        // A text about kubeconfigs.
        Err(KubeconfigError::NotAKubeconfig) => None,
        Err(why) => (says_so(bytes) || mentions(bytes, "current-context")).then(|| vec![broken(why)]),
    }
}

/// Of a kubeconfig that nobody expects to have certificates.
pub fn found(survey: &Survey<'_>, around: &mut Around<'_>) -> Vec<ParsedObject> {
    for user in survey.users.iter().filter(|user| user.credentials.is_empty()) {
        around.note(format!("user {}: it has no credentials", named(&user.name)));
    }
    read(survey, None, around)
}

/// A kubeconfig the catalogue expects: its current user's certificate first, or why there is none.
pub fn expected(bytes: &[u8], authority: Option<&str>, around: &mut Around<'_>) -> Vec<ParsedObject> {
    let survey = match kubeconfig::survey(bytes) {
        Ok(survey) => survey,
        Err(why) => return vec![broken(why)],
    };
    let mut objects = read(&survey, authority, around);
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
fn read(survey: &Survey<'_>, authority: Option<&str>, around: &mut Around<'_>) -> Vec<ParsedObject> {
    let mut found = Vec::new();
    for (index, user) in survey.users.iter().enumerate() {
        let own = index == 0 && survey.unresolved.is_none();
        let mut objects = match &user.certificate {
            Some(source) => of(source, Kind::Kubeconfig, CERTIFICATE, around),
            None => Vec::new(),
        };
        keys::compare(half(user, around).as_ref(), &mut objects);
        let name = named(&user.name);
        if !own {
            objects = objects.into_iter().map(|object| object.within(&name)).collect();
        }
        found.append(&mut objects);
        found.extend(key(user, around).map(|object| match own {
            true => object.within(KEY),
            false => object.within(&format!("key of {name}")),
        }));
        if let Some(note) = not_judged(user) {
            around.note(note);
        }
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
        let objects = of(source, Kind::KubeconfigAuthority, AUTHORITY, around);
        found.extend(objects.into_iter().map(|object| object.within(&name)));
    }
    found
}

/// What is wrong with a user's key, without a look at the key.
fn key(user: &User<'_>, around: &mut Around<'_>) -> Option<ParsedObject> {
    match user.key.as_ref()? {
        Key::Data(Ok(_)) => None,
        Key::Data(Err(why)) => Some(broken(why.clone())),
        // The kubelet keeps both in one file.
        Key::File(path) if matches!(&user.certificate, Some(Source::File(other)) if other == path) => None,
        Key::File(path) => around.unusable_key(path),
    }
}

/// Whose key a user's is, where it says so.
fn half(user: &User<'_>, around: &mut Around<'_>) -> Option<Half> {
    match user.key.as_ref()? {
        Key::Data(half) => half.clone().ok()?,
        Key::File(path) => around.half(path),
    }
}

/// The ways to authenticate that have no end a certificate says.
const WITHOUT_END: &[&str] = &["token", "tokenFile", "username", "exec", "auth-provider"];

fn not_judged(user: &User<'_>) -> Option<String> {
    let by: Vec<&str> = user.credentials.iter().copied().filter(|way| WITHOUT_END.contains(way)).collect();
    (!by.is_empty()).then(|| format!("user {}: {} is not judged", named(&user.name), by.join(", ")))
}

fn broken(why: KubeconfigError) -> ParsedObject {
    ParsedObject::broken(Kind::Kubeconfig, 0, Unreadable::Kubeconfig(why))
}

fn of(source: &Source<'_>, kind: Kind, field: &'static str, around: &mut Around<'_>) -> Vec<ParsedObject> {
    match source {
        Source::Data(data) => match kubeconfig::pem(field, data) {
            Err(why) => vec![ParsedObject::broken(kind, 0, Unreadable::Kubeconfig(why))],
            Ok(text) => {
                let mut objects = pem::wanted(&text, kind, Some(field));
                if kind == Kind::KubeconfigAuthority && holds_private_key(&text) {
                    objects.push(ParsedObject::broken(kind, objects.len(), Unreadable::PrivateKey));
                }
                objects
            }
        },
        Source::File(path) => around.certificates(path, kind).into_iter().map(|object| renamed(object, kind)).collect(),
    }
}

/// A file's certificates are the kubeconfig's.
fn renamed(mut object: ParsedObject, kind: Kind) -> ParsedObject {
    if !matches!(object.reading, Reading::Crl(_)) {
        object.kind = kind;
    }
    object
}
