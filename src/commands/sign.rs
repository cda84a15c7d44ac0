//! `kpki sign`: certificates for other people's requests. Read, judge all, sign in memory, journal, write.

use std::path::{Path, PathBuf};
use std::time::Duration;

use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::blueprint::{Blueprint, KeyUsage, Role};
use crate::ca::{self, Issuer, PrivateKey, Signed};
use crate::catalog::CaId;
use crate::commands::facts::facts;
use crate::commands::renew::Request as Looking;
use crate::commands::renew::tree::Tree;
use crate::commands::{cfssl, csr, journal};
use crate::error::{self, Error};
use crate::files::{self, FileError, FileState, Kind, Op, What};
use crate::plan::blueprints::Bounds;
use crate::plan::renew::{self, CsrDecision, Signer, Skipped};
use crate::plan::sign::{self as plan, CaConstraints, Dates, Grant, Stated, Terms};
use crate::report::requests::{RequestEntry, Requests, Verb};
use crate::store::{self, Commit, Locking, TreeLock};
use crate::x509::{self, Certificate, parse_pem_bundle};

/// The command line, checked.
#[derive(Debug, Clone)]
pub struct Request {
    pub files: Vec<PathBuf>,
    /// They are cfssl's JSON, and get a key each.
    pub csr_json: bool,
    pub dir: Option<PathBuf>,
    pub profile: Option<PathBuf>,
    pub node: Option<String>,
    pub hostname: Option<String>,
    /// Certificate and key of the signer, in place of the tree's.
    pub authority_files: Option<(PathBuf, PathBuf)>,
    /// Which of the tree's authorities signs, where no entry says it.
    pub signer: CaId,
    /// `--as`.
    pub entry: Option<String>,
    pub stated: Stated,
    /// `--ca`.
    pub authority: Option<CaConstraints>,
    pub validity: Option<time::Duration>,
    pub out: Option<PathBuf>,
    pub dry_run: bool,
    pub now: OffsetDateTime,
    pub lock_wait: Duration,
}

/// What is to be written, and what is said.
#[derive(Debug)]
pub struct Outcome {
    pub report: Requests,
    /// `--out -`: the certificates.
    pub text: Option<String>,
}

/// Who signs what.
struct SigningContext {
    issuer: Issuer,
    terms: Terms,
    /// What the journal calls it.
    entry: Option<String>,
    /// Whose journal; `None`: the authority was given by its files.
    roots: Option<store::Roots>,
    hold: Option<TreeLock>,
    warnings: Vec<String>,
}

/// One request on its way.
struct Job {
    /// What it is called: the file's name without its ending.
    name: String,
    file: PathBuf,
    request: x509::Request,
    /// `--csr-json`: the key that was made, and the request as PEM.
    made: Option<(PrivateKey, String)>,
}

/// CaId every request, or none, and says exactly why not.
pub fn run(request: &Request) -> Result<Outcome, Error> {
    let context = context(request)?;
    let jobs = jobs(request)?;
    if context.entry.is_some() && jobs.len() > 1 {
        return Err(Error::usage("--as is for one request, and several were given").hint("sign them one by one"));
    }
    let signer = context.issuer.certificate();
    if !signer.is_valid_at(request.now) {
        return Err(Error::new(format!("the authority {} is not valid now", signer.subject))
            .hint("check the clock; what an expired authority signs is accepted by nobody"));
    }
    let dates = Dates { now: request.now, validity: request.validity, signer: Bounds::of(signer) };
    let (mut grants, mut declined) = (Vec::new(), Vec::new());
    for job in &jobs {
        match plan::grant(&job.request, &context.terms, request.authority.as_ref(), dates) {
            Ok(grant) => grants.push(grant),
            Err(why) => declined.push((job.file.display().to_string(), why)),
        }
    }
    if !declined.is_empty() {
        return Err(error::declined(&declined));
    }
    let to_stdout = request.out.as_deref() == Some(Path::new("-"));
    let mut written = Vec::new();
    let (mut entries, mut lines, mut text) = (Vec::new(), Vec::new(), String::new());
    for (job, grant) in jobs.iter().zip(&grants) {
        let signed = ca::issue(&grant.blueprint, &job.request.spki_der, &context.issuer)?;
        if request.authority.is_none() {
            ca::accepted(&signed, &context.issuer, request.now)?;
        }
        let pem = with_chain(&signed, &context, request);
        let outs = if to_stdout { Vec::new() } else { outs(request, job, jobs.len(), &pem)? };
        let name = context.entry.clone().unwrap_or_else(|| job.name.clone());
        lines.push(journal::line("sign", &name, &signed.certificate, request.now));
        entries.push(entry(
            name,
            job,
            grant,
            &signed,
            outs.iter().map(|(path, ..)| path.display().to_string()).collect(),
        ));
        written.extend(outs);
        text.push_str(&pem);
    }
    let mut warnings = context.warnings;
    for (job, grant) in jobs.iter().zip(&grants).filter(|(_, grant)| grant.shortened.is_some()) {
        let at = crate::clock::rfc3339(grant.blueprint.not_after);
        warnings.push(format!("{}: cut to the authority's end at {at}", job.file.display()));
    }
    if !request.dry_run {
        if let (Some(roots), Some(hold)) = (&context.roots, &context.hold) {
            remember(roots, hold, lines, request.now)?;
        }
        for (path, mode, bytes) in &written {
            store::replace_file(path, bytes, *mode)?;
        }
    }
    let report = Requests {
        verb: Verb::Sign,
        directory: context.roots.map(|roots| roots.main.display().to_string()),
        dry_run: request.dry_run,
        generation: None,
        entries,
        restart: Vec::new(),
        warnings,
    };
    Ok(Outcome { report, text: (to_stdout && !request.dry_run).then_some(text) })
}

/// A certificate is in the journal before anybody has it.
fn remember(roots: &store::Roots, hold: &TreeLock, journal: Vec<String>, now: OffsetDateTime) -> Result<(), Error> {
    store::publish(&Commit {
        roots,
        changes: Vec::new(),
        removals: Vec::new(),
        journal,
        note: None,
        keep_generations: None,
        dir_mode: 0o755,
        generation: &journal::generation("sign", now),
        locking: Locking::Held(hold),
    })?;
    Ok(())
}

fn context(request: &Request) -> Result<SigningContext, Error> {
    let paths: Vec<PathBuf> = request.dir.iter().cloned().collect();
    let profiles: Vec<PathBuf> = request.profile.iter().cloned().collect();
    let looks = request.authority_files.is_none() || request.entry.is_some();
    if !looks {
        let issuer = issuer_of(request)?;
        let terms = Terms::Stated(request.stated.clone());
        return Ok(SigningContext { issuer, terms, entry: None, roots: None, hold: None, warnings: Vec::new() });
    }
    let (target, warnings) = csr::one_target(&paths, &profiles, None, request.hostname.as_deref())?;
    let authority = request.entry.as_deref().and_then(CaId::parse);
    let looking = Looking {
        names: request.entry.iter().filter(|_| authority.is_none()).cloned().collect(),
        node: request.node.clone(),
        hostname: request.hostname.clone(),
        ..Looking::looking(request.now)
    };
    let tree = Tree::open(&looking, &target)?;
    let (survey, mut signers) = tree.read()?;
    let (terms, signer, entry) = match (&request.entry, authority) {
        (None, _) => (Terms::Stated(request.stated.clone()), request.signer, None),
        (Some(name), Some(authority)) => {
            let (public, _) = renew::authority_places(authority, &tree.directories);
            let ask = renew::ask_authority(authority, &public, &survey, target.profile.as_ref(), request.now);
            (Terms::Entry(Box::new(ask.map_err(|left| unknown(&left, name))?)), request.signer, Some(name.clone()))
        }
        (Some(name), None) => {
            let [credential] = tree.credentials.as_slice() else {
                return Err(Error::usage(format!("{name} is on several nodes")).hint("give NODE/NAME with --as"));
            };
            let ask = match renew::ask(credential, &tree.all, &signers, &survey, &tree.rules()) {
                CsrDecision::CsrTemplate(ask) => ask,
                CsrDecision::Skipped(left) => return Err(unknown(&left, name)),
                CsrDecision::Absent => return Err(unknown(&Skipped::Unknown, name)),
            };
            (Terms::Entry(ask), credential.authority, Some(credential.id()))
        }
    };
    if request.authority_files.is_some() {
        return Ok(SigningContext { issuer: issuer_of(request)?, terms, entry, roots: None, hold: None, warnings });
    }
    if let Some(refusal) = signers.get(&signer).and_then(|one| one.refusal(signer, request.now)) {
        return Err(error::refused(&target.root, &[refusal]));
    }
    let Some(Signer::Here(issuer)) = signers.remove(&signer) else {
        return Err(Error::new(format!("the key of {} is not in {}", signer.name(), target.root.display()))
            .hint("sign where it lies, or give both with --ca-cert and --ca-key"));
    };
    let hold =
        if request.dry_run { None } else { Some(TreeLock::acquire_and_recover(&tree.roots, request.lock_wait)?.0) };
    Ok(SigningContext { issuer: *issuer, terms, entry, roots: Some(tree.roots.clone()), hold, warnings })
}

fn unknown(left: &Skipped, name: &str) -> Error {
    Error::new(format!("cannot tell what {name} is to be"))
        .because(error::left(left, name))
        .hint("give the profile with --profile FILE")
}

fn input(path: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
    match files::read_input(path, 4 << 20)? {
        FileState::Missing => Err(FileError::new(Op::Read, path, Kind::Missing).into()),
        FileState::File { bytes, .. } => Ok(bytes),
    }
}

fn issuer_of(request: &Request) -> Result<Issuer, Error> {
    let Some((certificate, key)) = &request.authority_files else {
        return Err(Error::usage("no authority was given").hint("give one with --dir, or with --ca-cert and --ca-key"));
    };
    let unusable = |why: String| {
        Error::new(format!("cannot sign with {}", certificate.display()))
            .because(why)
            .hint("give the certificate of an authority, first in its file, and its key")
    };
    let bundle = parse_pem_bundle(&input(certificate)?).map_err(|why| unusable(why.to_string()))?;
    Issuer::new(bundle, csr::read_key(key)?).map_err(|why| unusable(why.to_string()))
}

fn jobs(request: &Request) -> Result<Vec<Job>, Error> {
    let mut jobs = Vec::new();
    for file in &request.files {
        let bytes = input(file)?;
        let refused = |why: String| {
            Error::new(format!("cannot read {}; nothing was written", file.display()))
                .because(why)
                .hint("look at it with: kpki inspect")
        };
        // The file's name, never a name in the request, says where a certificate goes.
        let name = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        if request.csr_json {
            let wanted = cfssl::read(&bytes).map_err(refused)?;
            let key = PrivateKey::generate(wanted.algorithm)?;
            let made = ca::request(&of_json(&wanted, request), &key)?;
            jobs.push(Job { name, file: file.clone(), request: made.request, made: Some((key, made.pem)) });
            continue;
        }
        match x509::Request::read_file(&bytes).map_err(|why| refused(why.to_string()))?.as_slice() {
            [one] => jobs.push(Job { name, file: file.clone(), request: one.clone(), made: None }),
            several => return Err(refused(format!("expected one signing request, found {}", several.len()))),
        }
    }
    Ok(jobs)
}

/// What cfssl's JSON asks for is what its author states: names as well.
fn of_json(wanted: &cfssl::Wanted, request: &Request) -> Blueprint {
    Blueprint {
        subject: wanted.subject.clone(),
        not_before: request.now,
        not_after: request.now,
        role: Role::EndEntity,
        key_usage: KeyUsage::DIGITAL_SIGNATURE,
        extended_key_usages: request.stated.usages.clone(),
        sans: wanted.sans.clone(),
        permitted: Vec::new(),
    }
}

/// What goes with the certificate: below an intermediate, the way up; an authority's file is the bundle others will trust.
fn with_chain(signed: &Signed, context: &SigningContext, request: &Request) -> String {
    let issuer = std::iter::once(context.issuer.certificate()).chain(context.issuer.chain());
    let needed = |one: &&Certificate| match (&request.authority, &context.roots) {
        (Some(_), _) => true,
        (None, None) => !one.is_self_issued(),
        // Everybody trusts the tree's own ca.crt.
        (None, Some(_)) => false,
    };
    std::iter::once(signed.pem.clone()).chain(issuer.filter(needed).map(Certificate::to_pem)).collect()
}

type Out = (PathBuf, u32, Zeroizing<Vec<u8>>);

/// Where the files of one request go. Nothing that is there is written over.
fn outs(request: &Request, job: &Job, jobs: usize, pem: &str) -> Result<Vec<Out>, Error> {
    let beside = |end: &str| job.file.with_file_name(format!("{}.{end}", job.name));
    let place = |end: &str| match &request.out {
        None => beside(end),
        Some(out) if jobs > 1 || files::what(None, out) == Some(What::Directory) => {
            out.join(format!("{}.{end}", job.name))
        }
        Some(out) if end == "crt" => out.clone(),
        Some(out) => out.with_extension(end),
    };
    let mut outs: Vec<Out> = Vec::new();
    if let Some((key, pem)) = &job.made {
        outs.push((place("key"), 0o600, Zeroizing::new(key.to_pem().as_bytes().to_vec())));
        outs.push((place("csr"), 0o644, Zeroizing::new(pem.clone().into_bytes())));
    }
    outs.push((place("crt"), 0o644, Zeroizing::new(pem.as_bytes().to_vec())));
    match outs.iter().find(|(path, ..)| files::what(None, path).is_some()) {
        Some((path, ..)) => Err(Error::new(format!("{} is there already; nothing was written", path.display()))
            .hint("move it away, or give another place with --out")),
        None => Ok(outs),
    }
}

fn entry(name: String, job: &Job, grant: &Grant, signed: &Signed, paths: Vec<String>) -> RequestEntry {
    RequestEntry {
        name,
        action: "sign",
        algorithm: Some(signed.certificate.key.to_string()),
        asked: Some(csr::asks(&job.request)),
        facts: Some(facts(&signed.certificate)),
        refused: grant.refused.iter().map(error::denied_attribute).collect(),
        added: grant.added.iter().map(ToString::to_string).collect(),
        paths,
        ..RequestEntry::default()
    }
}
