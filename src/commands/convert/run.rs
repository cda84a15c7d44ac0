//! Read, convert, read back, write.

use super::documents::load;
use super::load::{self, LoadError, Loaded};
use super::request::{Form, Output, Request};
use super::sources::{self, Source};
use super::write::{Done, finish};
use super::{deploy, forms, kubeadm, names, pack, trust};
use crate::error::Error;
use crate::files::{self, What};
use crate::report::convert::{Convert, Skipped};
use crate::workspace::passwords::Passwords;
use std::path::Path;
use zeroize::Zeroizing;

pub fn run(request: &Request, passwords: &mut dyn Passwords) -> Result<Done, Error> {
    let mut report = Convert::default();
    if request.form == Form::KubeadmCerts {
        let (output, key) = kubeadm::manifest(request, &mut report)?;
        report.certificate_key = key;
        return finish(request, vec![output], false, report);
    }
    let (sources, from_tree) = sources::read(request, &mut report)?;
    let into_directory = from_tree || request.out.as_deref().is_some_and(is_directory);
    let outputs = if request.form.is_by_file() && (into_directory || request.form == Form::Parts) {
        by_file(request, &sources, from_tree, passwords, &mut report)?
    } else if from_tree {
        return Err(Error::usage("this form makes one file of all, and a directory was given")
            .hint("give the files that belong together"));
    } else {
        together(request, &sources, passwords, &mut report)?
    };
    finish(request, outputs, into_directory || request.form == Form::Parts, report)
}

fn is_directory(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().ends_with(b"/") || files::what(None, path) == Some(What::Directory)
}

/// How many files are named that hold nothing, where all do.
const SHOWN: usize = 5;

/// Each source on its own.
fn by_file(
    request: &Request,
    sources: &[Source],
    from_tree: bool,
    passwords: &mut dyn Passwords,
    report: &mut Convert,
) -> Result<Vec<Output>, Error> {
    let mut outputs = Vec::new();
    for source in sources {
        let loaded = match load(&source.name, &source.bytes, passwords) {
            Ok(loaded) => loaded,
            Err(LoadError::Nothing(why)) if from_tree => {
                skip(&source.name, &why.what, report);
                continue;
            }
            Err(why) => return Err(why.into()),
        };
        report.notes.extend(loaded.notes.iter().cloned());
        let made = forms::of_file(request, source, &loaded, sources.len() > 1, passwords, &mut report.notes)?;
        if made.is_empty() && !from_tree {
            return Err(forms::nothing_for(request.form, &source.name, &loaded));
        }
        if made.is_empty() {
            skip(&source.name, &forms::nothing_for(request.form, &source.name, &loaded).what, report);
        }
        outputs.extend(made);
    }
    if outputs.is_empty() {
        let skipped = report.skipped.iter().take(SHOWN).map(|skipped| format!("{}: {}", skipped.path, skipped.why));
        let error = skipped.fold(Error::new("there is nothing to convert"), Error::because);
        return Err(error.hint("look at what the files hold: kpki inspect FILE..."));
    }
    names::once(outputs, &mut report.notes)
}

fn skip(path: &str, why: &str, report: &mut Convert) {
    let why = why.strip_prefix(path).map_or(why, |rest| rest.trim_start_matches([':', ' ']));
    report.skipped.push(Skipped { path: path.to_owned(), why: why.to_owned() });
}

/// All sources into one.
fn together(
    request: &Request,
    sources: &[Source],
    passwords: &mut dyn Passwords,
    report: &mut Convert,
) -> Result<Vec<Output>, Error> {
    let mut all = Loaded::default();
    for source in sources {
        let mut loaded = load(&source.name, &source.bytes, passwords).map_err(Error::from)?;
        report.notes.append(&mut loaded.notes);
        if !request.form.is_by_file() && request.form != Form::Pkcs7 {
            for object in &mut loaded.objects {
                object.thing = load::unlocked(&source.name, &object.thing, passwords)?;
            }
        }
        all.objects.append(&mut loaded.objects);
        all.kubeconfig = all.kubeconfig.or(loaded.kubeconfig);
        all.is_manifest |= loaded.is_manifest;
    }
    let name = sources.iter().map(|source| source.name.as_str()).collect::<Vec<_>>().join(", ");
    let output = match request.form {
        Form::Pkcs12 => pack::pkcs12(request, &all, name, passwords)?,
        Form::Pkcs7 => pack::pkcs7(request.der, &all, name, &mut report.notes)?,
        Form::Kubeconfig => pack::kubeconfig(request, &all, name, &mut report.notes)?,
        Form::Haproxy => deploy::haproxy(request, &all, name, &mut report.notes)?,
        Form::FullChain => deploy::full_chain(request, &all, name, &mut report.notes)?,
        Form::KubernetesSecret => deploy::kubernetes_secret(request, &all, name)?,
        Form::IstioCacerts => deploy::istio_cacerts(request, &all, name)?,
        Form::ClusterTrustBundle | Form::KubeRootCa | Form::ClusterInfo => {
            trust::object(request, &all, name, &mut report.notes)?
        }
        _ => {
            let source = Source { name, path: String::new(), bytes: Zeroizing::default() };
            let made = forms::of_file(request, &source, &all, false, passwords, &mut report.notes)?;
            return match made.len() {
                0 => Err(forms::nothing_for(request.form, &source.name, &all)),
                1 => Ok(made),
                found => Err(Error::new(format!("expected one object for one DER file, found {found}"))
                    .hint("give a directory: --out DIR/")),
            };
        }
    };
    Ok(vec![output])
}
