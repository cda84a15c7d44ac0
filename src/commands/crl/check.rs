//! `kpki crl check`: which certificates, whose lists, what they say. Reads only, never a key.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use crate::error::Error;
use crate::files::{self, FileError, What};
use crate::inventory::{self, Item, Kind, Reading};
use crate::kubeconfig::{self, Credentials};
use crate::report::crl::{Answer, CheckedCertificate as Row, CheckedCrl, CrlCheck, CrlState};
use crate::revocation::Reason;
use crate::tree::layout::DEFAULT_DIR;
use crate::workspace::TreeArgs;
use crate::workspace::survey::LARGEST_INPUT;
use crate::workspace::targets;
use crate::x509::path::{self, Part};
use crate::x509::revocation::{CrlIssuer, Status, Strictness, Vetted, status, vet};
use crate::x509::{Certificate, CrlLookup, PathError, Problem, Wanted, decimal, parse_pem_bundle, same_name};

/// From how much of its life on a list is about to go stale: as `check-expiration` warns, and after `--due` has signed it anew.
const ENDING_PERCENT: i128 = 20;

/// The command line, checked.
#[derive(Debug, Clone)]
pub struct Request {
    /// Files, directories, or names of the tree in `dir`; empty: everything of that tree.
    pub whom: Vec<String>,
    pub lists: Vec<PathBuf>,
    pub authorities: Vec<PathBuf>,
    /// One directory.
    pub trees: TreeArgs,
    /// An authority without cRLSign, and a list without a number, decide nothing.
    pub strict: bool,
    pub at: OffsetDateTime,
}

/// What is asked about, and what there is to ask.
#[derive(Default)]
struct Gathered {
    certificates: Vec<(String, Certificate)>,
    authorities: Vec<Certificate>,
    /// Out of the files of certificates: trusted where a path leads to one of the authorities.
    intermediates: Vec<Certificate>,
    lists: BTreeSet<PathBuf>,
}

pub fn run(request: &Request) -> Result<CrlCheck, Error> {
    let mut gathered = Gathered::default();
    gathered.take(request)?;
    for path in &request.authorities {
        gathered.authority(path)?;
    }
    gathered.lists.extend(request.lists.iter().cloned());
    let Gathered { certificates, mut authorities, mut intermediates, lists } = gathered;
    let mut seen = BTreeSet::new();
    authorities.retain(|one| seen.insert(one.fingerprint));
    intermediates.retain(|one| seen.insert(one.fingerprint));
    let anchors = authorities.clone();
    authorities.extend(intermediates.iter().cloned());
    let wanted = Wanted::new(certificates.iter().map(|(_, one)| one.serial.as_slice()));
    let mut rows = Vec::new();
    let (mut read, mut ders) = (Vec::new(), Vec::new());
    for path in &lists {
        for der in der(path)? {
            let listed = CrlLookup::read(&der, &wanted)
                .map_err(|why| Error::new(format!("cannot use the revocation list {}", path.display())).because(why))?;
            rows.push(path.display().to_string());
            read.push(listed);
            ders.push(der);
        }
    }
    let strictness = if request.strict { Strictness::Strict } else { Strictness::Lenient };
    // Which authority a list is held against: the one of its name that signed it, or for want of that any of its name.
    let vetted: Vec<(Option<usize>, Option<Vetted<'_>>)> = read
        .iter()
        .zip(ders)
        .map(|(listed, der)| {
            let of_name = |one: &&Certificate| same_name(&one.subject, &listed.crl.issuer);
            let by = authorities.iter().filter(of_name);
            let signer = by.clone().find(|one| listed.crl.signed_by(&der, one).is_ok()).or_else(|| by.clone().next());
            let index = signer.and_then(|by| authorities.iter().position(|one| one.fingerprint == by.fingerprint));
            let authority = signer.map(|issuer| CrlIssuer { issuer, delegates: &[], strictness });
            (index, authority.map(|authority| vet(listed, &der, authority, request.at)))
        })
        .collect();
    let lists: Vec<CheckedCrl> = rows
        .iter()
        .zip(&read)
        .zip(&vetted)
        .map(|((path, listed), (_, vetted))| list_row(path, listed, vetted.as_ref(), request.at))
        .collect();
    let answers = certificates
        .iter()
        .map(|(name, one)| {
            let broken = broken_path(one, &intermediates, &anchors, request.at);
            certificate_row(name, one, &authorities, broken, &vetted, &lists)
        })
        .collect();
    Ok(CrlCheck::new(request.at, answers, lists))
}

/// What is wrong with the intermediates above a certificate: no CRL of theirs says then that it is good. Without a trusted
/// authority nobody knows.
fn broken_path(
    certificate: &Certificate,
    intermediates: &[Certificate],
    anchors: &[Certificate],
    at: OffsetDateTime,
) -> Option<PathError> {
    let judged = path::judge(certificate, intermediates, anchors, at);
    judged.err().filter(|why| matches!(why, PathError::Invalid { part: Part::Intermediate, .. }))
}

fn certificate_row(
    name: &str,
    certificate: &Certificate,
    authorities: &[Certificate],
    broken: Option<PathError>,
    vetted: &[(Option<usize>, Option<Vetted<'_>>)],
    lists: &[CheckedCrl],
) -> Row {
    let mut row = Row {
        name: name.to_owned(),
        issuer: certificate.issuer.to_string(),
        serial: certificate.serial_hex(),
        answer: Answer::Unknown,
        reason: None,
        since: None,
        invalid_since: None,
        list: None,
        why: broken.iter().map(ToString::to_string).collect(),
    };
    let Some(index) = authorities.iter().position(|one| certificate.signed_by(one).is_ok()) else {
        row.why.push(format!("its issuer {} is not here: give it with --ca", certificate.issuer));
        return row;
    };
    let Some(issuer) = authorities.get(index) else { return row };
    let of_issuer: Vec<(usize, Vetted<'_>)> = vetted
        .iter()
        .enumerate()
        .filter(|(_, (by, _))| *by == Some(index))
        .filter_map(|(list, (_, vetted))| Some((list, vetted.clone()?)))
        .collect();
    let (positions, own): (Vec<usize>, Vec<Vetted<'_>>) = of_issuer.into_iter().unzip();
    if own.is_empty() {
        row.why.push(format!("no list of {} is here: give it with --crl", issuer.subject));
        return row;
    }
    let answer = status(certificate, issuer, &own);
    let stale = |list: &Vetted<'_>| {
        let only_late =
            |problem: &Problem| matches!(problem, Problem::Stale { .. } | Problem::MayNotSign | Problem::NoNumber);
        list.problems().iter().any(|problem| matches!(problem, Problem::Stale { .. }))
            && list.problems().iter().all(only_late)
    };
    let revoked = match &answer.status {
        Status::Good => {
            row.answer = if broken.is_none() { Answer::Good } else { Answer::Unknown };
            None
        }
        Status::Revoked(revoked) => {
            row.answer = Answer::Revoked;
            Some(revoked)
        }
        Status::Held(revoked) => {
            row.answer = Answer::Held;
            Some(revoked)
        }
        Status::Unknown => {
            row.answer = if own.iter().any(stale) { Answer::Stale } else { Answer::Unknown };
            row.why.extend(answer.problems.iter().map(|(_, problem)| problem.to_string()));
            None
        }
    };
    if revoked.is_some() {
        row.why.clear();
    }
    row.reason = revoked.map(|one| one.reason.unwrap_or(Reason::Unspecified).name());
    row.since = revoked.map(|one| one.at);
    row.invalid_since = revoked.and_then(|one| one.invalid_since);
    let decided = answer.list.and_then(|list| positions.get(list)).and_then(|list| lists.get(*list));
    row.list = decided.map(|list| list.path.clone());
    row
}

fn list_row(path: &str, listed: &CrlLookup<'_>, vetted: Option<&Vetted<'_>>, at: OffsetDateTime) -> CheckedCrl {
    let crl = &listed.crl;
    let mut problems: Vec<String> = match vetted {
        Some(vetted) => vetted.problems().iter().map(ToString::to_string).collect(),
        None => vec![format!("its issuer {} is not here: give it with --ca", crl.issuer)],
    };
    let state = match (vetted, crl.next_update) {
        (None, _) => CrlState::Unusable,
        (Some(vetted), _) if !vetted.is_usable() => CrlState::Unusable,
        (Some(_), Some(next)) if next < at => CrlState::Stale,
        (Some(_), Some(next)) => {
            let (left, life) = ((next - at).whole_seconds(), (next - crl.this_update).whole_seconds());
            let ending = i128::from(left) * 100 <= i128::from(life) * ENDING_PERCENT;
            if ending { CrlState::Ending } else { CrlState::Fresh }
        }
        (Some(_), None) => CrlState::Fresh,
    };
    if state == CrlState::Ending {
        problems.push("it goes stale soon: kpki crl update".to_owned());
    }
    CheckedCrl {
        path: path.to_owned(),
        issuer: crl.issuer.to_string(),
        number: crl.number.as_deref().map(decimal),
        this_update: crl.this_update,
        next_update: crl.next_update,
        entries: crl.entries,
        state,
        problems,
    }
}

fn der(path: &Path) -> Result<Vec<Vec<u8>>, Error> {
    let failed = |why: String| Error::new(format!("cannot use the revocation list {}", path.display())).because(why);
    match files::look(path) {
        Ok(Some(source)) => inventory::crls(&source).map_err(|why| failed(why.to_string())),
        Ok(None) => Err(FileError::new(files::Op::Read, path, files::Kind::Missing).into()),
        Err(kind) => Err(failed(kind.to_string())),
    }
}

impl Gathered {
    fn take(&mut self, request: &Request) -> Result<(), Error> {
        let dir = request.trees.dirs.first().map_or(Path::new(DEFAULT_DIR), PathBuf::as_path);
        let mut names: Vec<&str> = Vec::new();
        let mut asked = false;
        for one in &request.whom {
            let path = Path::new(one);
            match files::what(None, path) {
                Some(What::Directory) => self.tree(request, path, None)?,
                Some(_) => {
                    asked = true;
                    self.file(path)?;
                }
                None => names.push(one),
            }
        }
        let whole = request.whom.is_empty();
        if !names.is_empty() || whole {
            self.tree(request, dir, (!whole).then_some(&names))?;
        } else if asked && request.authorities.is_empty() && files::what(None, dir).is_some() {
            // Whose they are: the authorities of the tree.
            self.tree(request, dir, Some(&[]))?;
        }
        if self.certificates.is_empty() {
            return Err(Error::new("there is no certificate to ask about")
                .hint("name files, a directory, or entries of the tree in --dir"));
        }
        Ok(())
    }

    /// A tree's authorities with their lists, and its certificates: all, or those of these names.
    fn tree(&mut self, request: &Request, dir: &Path, names: Option<&[&str]>) -> Result<(), Error> {
        let trees = TreeArgs { dirs: vec![dir.to_path_buf()], ..request.trees.clone() };
        let resolved = targets::resolve(&trees)?;
        let mut found: BTreeSet<&str> = BTreeSet::new();
        for target in &resolved.targets {
            let Some(requests) = inventory::requests(&target.root, target.profile.as_ref()) else {
                return Err(FileError::new(files::Op::Open, &target.root, files::Kind::Missing).into());
            };
            for one in requests {
                let of_cluster = one.cluster_dir.is_some();
                let tree = inventory::tree(&target.refine(one));
                for item in &tree.items {
                    let id = tree.node.as_ref().filter(|_| of_cluster).map(|node| format!("{node}/{}", item.name));
                    let wanted = names.is_none_or(|names| {
                        let named = names.iter().find(|name| **name == item.name || Some(**name) == id.as_deref());
                        found.extend(named);
                        named.is_some()
                    });
                    self.item(item, id.unwrap_or_else(|| item.name.clone()), wanted, request)?;
                }
            }
        }
        match names.unwrap_or_default().iter().find(|name| !found.contains(*name)) {
            Some(name) => Err(Error::usage(format!("{name:?} is no file, and no certificate of {}", dir.display()))
                .hint("give the path of a file, or say with --dir whose entry it is")),
            None => Ok(()),
        }
    }

    fn item(&mut self, item: &Item, shown: String, wanted: bool, request: &Request) -> Result<(), Error> {
        if !matches!(item.reading, Reading::Certificate(_)) {
            return Ok(());
        }
        let path = Path::new(&item.path);
        match item.kind {
            Kind::Authority => {
                // The first of a file, with its list beside it.
                if item.position == 0 && request.authorities.is_empty() {
                    self.authority(path)?;
                }
                let list = path.with_extension("crl");
                if request.lists.is_empty() && self.lists_are_new(path) && files::what(None, &list).is_some() {
                    self.lists.insert(list);
                }
            }
            Kind::Certificate | Kind::Kubeconfig if wanted && item.position == 0 => {
                let mut all = certificates(path)?.into_iter();
                self.certificates.extend(all.next().map(|one| (shown, one)));
                self.intermediates.extend(all.filter(|one| one.is_ca));
            }
            _ => {}
        }
        Ok(())
    }

    /// The nodes of a cluster directory hold copies of the shared authorities' lists, which are told once.
    fn lists_are_new(&self, authority: &Path) -> bool {
        let name = authority.file_name();
        let etcd = authority.parent().and_then(Path::file_name).is_some_and(|dir| dir == "etcd");
        !self.lists.iter().any(|list| {
            list.with_extension("crt").file_name() == name
                && list.parent().and_then(Path::file_name).is_some_and(|dir| dir == "etcd") == etcd
        })
    }

    fn authority(&mut self, path: &Path) -> Result<(), Error> {
        self.authorities.extend(certificates(path)?.into_iter().filter(|one| one.is_ca));
        Ok(())
    }

    fn file(&mut self, path: &Path) -> Result<(), Error> {
        let all = certificates(path)?;
        let alone = all.len() == 1;
        for (position, one) in all.into_iter().enumerate() {
            let name = match position {
                0 => path.display().to_string(),
                other => format!("{} #{}", path.display(), other.saturating_add(1)),
            };
            if one.is_ca {
                let own = if one.is_self_issued() { &mut self.authorities } else { &mut self.intermediates };
                own.push(one.clone());
            }
            // A root at the end of a chain is not revoked by its own list.
            if alone || !one.is_self_issued() {
                self.certificates.push((name, one));
            }
        }
        Ok(())
    }
}

/// Every certificate of a file: PEM, DER, or what a kubeconfig embeds.
fn certificates(path: &Path) -> Result<Vec<Certificate>, Error> {
    let bytes = match files::read_input(path, LARGEST_INPUT)? {
        files::FileState::File { bytes, .. } => bytes,
        files::FileState::Missing => return Err(FileError::new(files::Op::Read, path, files::Kind::Missing).into()),
    };
    let failed = |why: String| Error::new(format!("cannot read a certificate from {}", path.display())).because(why);
    if bytes.first() == Some(&0x30) {
        return Certificate::parse(&bytes).map(|one| vec![one]).map_err(|why| failed(why.to_string()));
    }
    // A kubeconfig holds its PEM in base64, and no PEM is a kubeconfig.
    let embedded = kubeconfig::read(&bytes).map(|read| read.credentials);
    let text: &[u8] = match &embedded {
        Ok(Credentials::Embedded { certificate, .. }) => certificate,
        _ => &bytes,
    };
    parse_pem_bundle(text).map_err(|why| failed(why.to_string()))
}
