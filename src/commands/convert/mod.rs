//! `kpki convert`: files of every kind into one another. Everything is read, converted and read back in memory; then it is
//! written, all or nothing.

mod check;
mod deploy;
mod forms;
mod identity;
mod kubeadm;
mod load;
mod manifest;
mod names;
mod object;
mod pack;
mod publish;
mod sources;

use std::path::{Path, PathBuf};

use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::error::Error;
use crate::files::{self, What};
use crate::report::convert::{Convert, Skipped, Written};

use load::{LoadError, Loaded, load};
use sources::Source;

pub use sources::LARGEST;

/// What is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Pem,
    Der,
    Pkcs1,
    Sec1,
    Pkcs8,
    EncryptedPkcs8,
    Spki,
    Parts,
    Pkcs12,
    Kubeconfig,
    Haproxy,
    FullChain,
    KubernetesSecret,
    IstioCacerts,
    KubeadmCerts,
}

impl Form {
    /// Each file can become one of its own; the others make one of all.
    const fn is_by_file(self) -> bool {
        matches!(
            self,
            Self::Pem
                | Self::Der
                | Self::Pkcs1
                | Self::Sec1
                | Self::Pkcs8
                | Self::EncryptedPkcs8
                | Self::Spki
                | Self::Parts
        )
    }
}

/// Where something comes from.
#[derive(Debug, Clone)]
pub enum Input {
    Path(PathBuf),
    /// Standard input, already read.
    Bytes(Zeroizing<Vec<u8>>),
}

/// What is wanted, and of what.
#[derive(Debug)]
pub struct Request {
    pub inputs: Vec<Input>,
    pub form: Form,
    /// `None`: standard output.
    pub out: Option<PathBuf>,
    /// DER where the form could be PEM.
    pub der: bool,
    /// PKCS#12 for old readers.
    pub legacy: bool,
    /// Files that exist may be replaced.
    pub force: bool,
    /// Of a Secret, or the friendly name in PKCS#12.
    pub name: Option<String>,
    pub namespace: Option<String>,
    pub server: Option<String>,
    pub cluster: Option<String>,
    pub user: Option<String>,
    /// 64 hexadecimal digits, as `kubeadm certs certificate-key` prints them.
    pub certificate_key: Option<Zeroizing<String>>,
    pub now: OffsetDateTime,
}

/// For what a password is asked.
#[derive(Debug, Clone, Copy)]
pub enum Asking<'a> {
    /// Of the file of this name.
    Input(&'a str),
    /// Of what is written.
    Output,
}

/// Where passwords come from. Never from the command line.
pub trait Passwords {
    /// `None`: nobody gave one.
    fn ask(&mut self, asking: Asking<'_>) -> Result<Option<Zeroizing<String>>, Error>;
}

/// One file to be.
pub struct Output {
    /// Below the directory; empty where one file is made.
    path: String,
    bytes: Zeroizing<Vec<u8>>,
    /// It holds a private key: 0600.
    secret: bool,
    binary: bool,
    /// In words.
    holds: String,
    from: String,
}

/// The content may be a key.
impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Output({}, {} bytes)", self.path, self.bytes.len())
    }
}

/// What was made.
#[derive(Debug)]
pub struct Done {
    pub report: Convert,
    /// What belongs on standard output, and whether it is binary.
    pub document: Option<(Zeroizing<Vec<u8>>, bool)>,
}

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
        return Err(Error::new("there is nothing to convert").hint("look at what the files hold: kpki inspect FILE..."));
    }
    names::different(&outputs)?;
    Ok(outputs)
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
        if !request.form.is_by_file() {
            for object in &mut loaded.objects {
                object.thing = load::unlocked(&source.name, &object.thing, passwords)?;
            }
        }
        all.objects.append(&mut loaded.objects);
        all.kubeconfig = all.kubeconfig.or(loaded.kubeconfig);
    }
    let name = sources.iter().map(|source| source.name.as_str()).collect::<Vec<_>>().join(", ");
    let output = match request.form {
        Form::Pkcs12 => pack::pkcs12(request, &all, name, passwords)?,
        Form::Kubeconfig => pack::kubeconfig(request, &all, name, &mut report.notes)?,
        Form::Haproxy => deploy::haproxy(&all, name, &mut report.notes)?,
        Form::FullChain => deploy::full_chain(&all, name, &mut report.notes)?,
        Form::KubernetesSecret => deploy::kubernetes_secret(request, &all, name)?,
        Form::IstioCacerts => deploy::istio_cacerts(request, &all, name)?,
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

/// Writes, or hands out what is for standard output.
fn finish(
    request: &Request,
    mut outputs: Vec<Output>,
    into_directory: bool,
    mut report: Convert,
) -> Result<Done, Error> {
    report.notes.dedup();
    report.skipped.sort_by(|a, b| a.path.cmp(&b.path));
    let Some(out) = &request.out else {
        if into_directory {
            return Err(Error::usage("this makes several files, and standard output takes one").hint("give --out DIR"));
        }
        let document = outputs.pop().map(|output| (output.bytes, output.binary));
        return Ok(Done { report, document });
    };
    report.out = out.display().to_string();
    report.written = outputs
        .iter()
        .map(|output| Written {
            path: if into_directory { out.join(&output.path) } else { out.clone() }.display().to_string(),
            holds: output.holds.clone(),
            from: output.from.clone(),
            bytes: output.bytes.len(),
            secret: output.secret,
        })
        .collect();
    if into_directory {
        report.kept = publish::directory(out, outputs, request.force, request.now)?;
    } else {
        for output in &outputs {
            publish::file(out, output, request.force)?;
        }
    }
    Ok(Done { report, document: None })
}
