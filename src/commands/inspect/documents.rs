//! kubeconfigs and manifests: their names, and the certificates in them or in the files they name.

use std::path::Path;

use super::describe;
use super::findings::Findings;
use crate::encoding::contents::{Contents, is_der};
use crate::encoding::pem_blocks::blocks;
use crate::encoding::shown::named;
use crate::encoding::yaml;
use crate::files::{self, FileState};
use crate::inventory::{Unreadable, looks_like_kubeconfig, looks_like_manifest};
use crate::kubeconfig::{self, AUTHORITY, CERTIFICATE, Key, Source, Survey};
use crate::manifest::{self, Value};
use crate::workspace::survey;

/// Whether the text was a kubeconfig or a manifest. `path`: its own; files that it names are looked up from there.
pub fn read(path: &Path, bytes: &[u8], found: &mut Findings<'_>) -> bool {
    // A PEM file is not YAML, and a long one would be refused for its length.
    if bytes.starts_with(b"-----BEGIN ") {
        return false;
    }
    let base = Some(path.parent().unwrap_or(Path::new("")));
    match kubeconfig::survey(bytes) {
        Ok(survey) => {
            of_kubeconfig(&survey, base, None, found);
            true
        }
        Err(_) if looks_like_manifest(bytes) && manifest(bytes, found) => true,
        // The text of a kubeconfig; what it lacks is to be said.
        Err(why) if looks_like_kubeconfig(bytes) && blocks(bytes).next().is_none() => {
            found.problem(why);
            true
        }
        Err(_) => false,
    }
}

/// `base`: where the files it names are looked up from; `None`: nowhere. `within`: the object it is in.
fn of_kubeconfig(survey: &Survey<'_>, base: Option<&Path>, within: Option<&str>, found: &mut Findings<'_>) {
    found.add::<String>(Ok(describe::kubeconfig(survey)), within);
    let owner = |what: &str, name: &str| match within {
        Some(within) => format!("{what} {} in {within}", named(name)),
        None => format!("{what} {}", named(name)),
    };
    for cluster in &survey.clusters {
        let owner = owner("cluster", &cluster.name);
        cluster.authority.iter().for_each(|one| source(AUTHORITY, one, base, &owner, found));
    }
    for user in &survey.users {
        let owner = owner("user", &user.name);
        user.certificate.iter().for_each(|one| source(CERTIFICATE, one, base, &owner, found));
        match (&user.key, base) {
            (Some(Key::Data(Err(why))), _) => found.problem(format!("{owner}: {why}")),
            (Some(Key::File(path)), Some(base)) if files::what(None, &base.join(&**path)).is_none() => {
                found.problem(format!("{owner}: expected the key in {}, found no such file", named(path)));
            }
            _ => {}
        }
    }
    // One without a current context is used with --context.
    if let Some(why) = survey.unresolved.as_ref().filter(|_| survey.current.is_some()) {
        found.problem(why);
    }
}

fn source(field: &'static str, source: &Source<'_>, base: Option<&Path>, owner: &str, found: &mut Findings<'_>) {
    match (source, base) {
        (Source::Data(data), _) => match kubeconfig::pem(field, data) {
            Ok(text) => found.pem(&text, Some(owner)),
            Err(why) => found.problem(format!("{owner}: {why}")),
        },
        // The path is said as the kubeconfig has it, if it is one.
        (Source::File(path), Some(base)) => match files::read_input(&base.join(&**path), survey::LARGEST_INPUT) {
            Ok(FileState::Missing) => {
                found.problem(format!("{owner}: expected a certificate in {}, found no such file", named(path)));
            }
            Ok(FileState::File { bytes: text, .. }) if blocks(&text).next().is_some() => {
                found.pem(&text, Some(&format!("{owner} ({})", named(path))))
            }
            Ok(FileState::File { bytes: text, .. }) => {
                let found_there = Contents::of(&text);
                let path = named(path);
                found.problem(format!("{owner}: expected a PEM certificate in {path}, found {found_there}"));
            }
            Err(why) => found.problem(format!("{owner}: cannot read {}: {}", named(path), why.kind)),
        },
        (Source::File(path), None) => found.problem(format!("{owner}: {} is not looked at", named(path))),
    }
}

/// Whether anything in it was to be shown.
fn manifest(bytes: &[u8], found: &mut Findings<'_>) -> bool {
    let stream = yaml::read_as_kubectl(bytes);
    let before = found.objects.len() + found.problems.len();
    let mut others = Vec::new();
    for object in manifest::objects(&stream.documents) {
        let label = object.to_string();
        if let Some(survey) = kubeconfig::survey_of(object.node) {
            of_kubeconfig(&survey, None, Some(&label), found);
            continue;
        }
        let Some(values) = manifest::values(&object) else {
            others.push(label);
            continue;
        };
        let rest = values.iter().filter(|value| !of_value(value, &format!("{label} ({})", named(&value.key)), found));
        let rest: Vec<String> = rest.map(|value| named(&value.key)).collect();
        if !rest.is_empty() {
            others.push(format!("{label} ({})", rest.join(", ")));
        }
    }
    if let Some(fault) = stream.faults.first() {
        found.problem(format!("{}:{}: {}", fault.mark.line, fault.mark.column, fault.flaw));
    }
    let is_shown = found.objects.len() + found.problems.len() > before;
    if is_shown && !others.is_empty() {
        found.add::<String>(Ok(describe::left_out(others)), None);
    }
    is_shown
}

/// Whether it is a certificate, a key or the like, or had to be.
fn of_value(value: &Value<'_>, owner: &str, found: &mut Findings<'_>) -> bool {
    let must = manifest::must_hold_a_certificate(&value.key);
    let Ok(bytes) = value.bytes() else {
        found.add::<Unreadable>(Err(Unreadable::ValueNotBase64), Some(owner));
        return true;
    };
    if looks_like_kubeconfig(&bytes)
        && let Ok(survey) = kubeconfig::survey(&bytes)
    {
        of_kubeconfig(&survey, None, Some(owner), found);
        return true;
    }
    match Contents::of(&bytes) {
        _ if is_der(&bytes) => found.der_of(&bytes, owner),
        _ if blocks(&bytes).next().is_some() => found.pem(&bytes, Some(owner)),
        other if must => found.problem(format!("{owner}: expected a certificate, found {other}")),
        _ => return false,
    }
    true
}
