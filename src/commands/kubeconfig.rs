//! `kpki kubeconfig user`: a credential for a person or a program, signed by the cluster's authority and remembered in the
//! journal. Nothing in the tree changes but the journal.

use std::path::{Path, PathBuf};
use std::time::Duration;

use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::blueprint::{Algorithm, ExtendedKeyUsage, Name};
use crate::ca::{self, PrivateKey};
use crate::catalog::CaId;
use crate::clock::Span;
use crate::commands::init::state::{self, State};
use crate::commands::{journal, place, profile as profiles, survey, targets};
use crate::encoding::pem;
use crate::error::Error;
use crate::files::{self, Dir, FileError, Kind, Op};
use crate::kubeconfig::{self, ClientKey};
use crate::plan::blueprints::{self, Bounds};
use crate::plan::init::control_plane_url;
use crate::plan::renew::{Signer, authority_places, signers};
use crate::profile::Profile;
use crate::store::{self, Commit, Locking, TreeLock};
use crate::x509;

/// In every cluster, whatever RBAC says (kube-apiserver's privileged group).
const MASTERS: &str = "system:masters";

/// The command line, checked.
#[derive(Debug, Clone)]
pub struct Request {
    pub user: String,
    pub groups: Vec<String>,
    pub validity: Span,
    pub server: Option<String>,
    pub cluster: Option<String>,
    pub algorithm: Option<Algorithm>,
    /// The user's request: the key stays with its owner.
    pub csr: Option<PathBuf>,
    /// Where the owner keeps that key.
    pub key_file: Option<String>,
    pub dir: PathBuf,
    pub allow_masters: bool,
    pub now: OffsetDateTime,
    pub lock_wait: Duration,
}

/// The kubeconfig, and what is worth a warning.
#[derive(Debug)]
pub struct Made {
    pub text: Zeroizing<String>,
    pub warnings: Vec<String>,
}

/// Makes the kubeconfig; it is in the journal before anybody has it.
pub fn user(request: &Request) -> Result<Made, Error> {
    refuse(request)?;
    let profile = profile(&request.dir)?;
    let pki = place::pki(profile.as_ref(), &request.dir)?;
    let directories = place::directories(&request.dir, pki, None)?;
    let roots = survey::roots(&request.dir, None);
    let (certificate, key) = authority_places(CaId::Cluster, &directories);
    let admin = directories.files("", crate::catalog::Files::Kubeconfig("admin.conf")).0;
    let survey = survey::survey(&roots, [Some(&certificate), key.as_ref(), Some(&admin)].into_iter().flatten())?;
    let signers = signers(&survey, &directories);
    let signer = signers.get(&CaId::Cluster).unwrap_or(&Signer::Missing);
    let Signer::Here(issuer) = signer else { return Err(no_signer(request, signer)) };
    if let Some(refusal) = signer.refusal(CaId::Cluster, request.now) {
        return Err(crate::error::refused(&request.dir, &[refusal]));
    }
    let admin = match survey.get(&admin) {
        Some(crate::plan::decision::FileState::File { bytes, .. }) => kubeconfig::read(bytes).ok(),
        _ => None,
    };
    let server = server(request, profile.as_ref(), admin.as_ref())?;
    let cluster = request
        .cluster
        .clone()
        .or_else(|| profile.as_ref().map(|profile| profile.cluster_name.clone()))
        .or_else(|| admin.map(|admin| admin.cluster))
        .unwrap_or_else(|| "kubernetes".to_owned());

    let (spki, algorithm, own) = self::key(request, profile.as_ref())?;
    let groups: Vec<&str> = request.groups.iter().map(String::as_str).collect();
    let authority = issuer.certificate();
    let bounds = Bounds { not_before: authority.not_before, not_after: authority.not_after };
    let validity = request.validity.duration();
    let blueprint = blueprints::client(
        Name::of(&request.user, &groups),
        &[ExtendedKeyUsage::ClientAuth],
        algorithm,
        request.now,
        validity,
        bounds,
    );
    let mut warnings = warnings(request);
    if blueprint.not_after < request.now + validity {
        let end = crate::clock::rfc3339(blueprint.not_after);
        warnings.push(format!("it ends with its authority, at {end}, sooner than asked for"));
    }
    let signed = ca::issue(&blueprint, &spki, issuer)?;
    ca::accepted(&signed, issuer, request.now)?;

    let hold = TreeLock::acquire_and_recover(&roots, request.lock_wait)?.0;
    store::publish(&Commit {
        roots: &roots,
        changes: Vec::new(),
        removals: Vec::new(),
        journal: vec![journal::line("kubeconfig", &request.user, &signed.certificate, request.now)],
        note: None,
        keep_generations: None,
        dir_mode: 0o755,
        generation: &journal::generation("kubeconfig", request.now),
        locking: Locking::Held(&hold),
    })?;
    let pem = own.as_ref().map(PrivateKey::to_pem);
    let file = request.key_file.clone().unwrap_or_else(|| format!("{}.key", request.user));
    let key = pem.as_ref().map_or(ClientKey::File(&file), |pem| ClientKey::Data(pem));
    let text = kubeconfig::render(&kubeconfig::Kubeconfig {
        cluster: &cluster,
        user: &request.user,
        server: &server,
        authority: &issuer.bundle_pem(),
        certificate: &signed.pem,
        key,
        preferences: profile.as_ref().is_some_and(|profile| profile.kubernetes_version.prints_preferences()),
    });
    Ok(Made { text, warnings })
}

/// Which API server it is for.
fn server(request: &Request, profile: Option<&Profile>, admin: Option<&kubeconfig::Read>) -> Result<String, Error> {
    let hint = "give it with --server https://HOST:PORT";
    let said = |what: &str, server: String| (what.to_owned(), server);
    let (whose, server) = (request.server.clone().map(|server| said("--server", server)))
        .or_else(|| profile.and_then(control_plane_url).map(|server| said("the profile's API server", server)))
        .or_else(|| admin.map(|admin| said("the server in admin.conf", admin.server.clone())))
        .ok_or_else(|| Error::usage("nothing says which API server the kubeconfig is for").hint(hint))?;
    match kubeconfig::is_server(&server) {
        true => Ok(server),
        false => Err(Error::usage(format!("{whose} {server:?}: expected https://HOST:PORT")).hint(hint)),
    }
}

/// Refuses before anything is made: a file of the tree is never replaced, any other only with `--force`.
pub fn check(path: &Path, force: bool, dir: &Path) -> Result<(), Error> {
    if is_of_tree(path, dir)? {
        return Err(Error::new(format!("{} belongs to the tree {}", path.display(), dir.display()))
            .because("a user's kubeconfig in its place would lock the component out that uses it")
            .hint("give another file with --out"));
    }
    if !force && files::what(None, path).is_some() {
        return Err(Error::new(FileError::new(Op::Write, path, Kind::Exists).to_string())
            .hint("give another file with --out, or replace it with --force"));
    }
    Ok(())
}

/// Whether a file is a kubeconfig of the catalogue in a tree, or lies in one of the tree's own directories. Told by what the
/// directories are, whatever they are called on the way.
fn is_of_tree(path: &Path, dir: &Path) -> Result<bool, Error> {
    let Some(tree) = survey::open(dir)? else { return Ok(false) };
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Some(mut here) = survey::open(parent)? else { return Ok(false) };
    let is = |a: &Dir, b: &Dir| -> Result<bool, FileError> {
        let (a, b) = (a.own_facts()?, b.own_facts()?);
        Ok((a.inode, a.device) == (b.inode, b.device))
    };
    let of_catalogue = crate::catalog::ENTRIES.iter().any(|entry| match entry.files {
        crate::catalog::Files::Kubeconfig(name) => path.file_name().is_some_and(|file| file == name),
        _ => false,
    });
    if is(&here, &tree)? {
        return Ok(of_catalogue || path.file_name().is_some_and(|file| file == state::MANIFEST));
    }
    let pki = place::pki(profile(dir)?.as_ref(), dir)?;
    let own: Vec<Dir> = [pki.as_str(), "pki", "nodes", "kubelet", ".kpki"]
        .iter()
        .filter_map(|name| survey::open(&dir.join(name)).transpose())
        .collect::<Result<_, FileError>>()?;
    loop {
        for one in &own {
            if is(&here, one)? {
                return Ok(true);
            }
        }
        match here.child("..")? {
            Some(above) if !is(&above, &here)? => here = above,
            _ => return Ok(false),
        }
    }
}

/// Writes it where nobody else can read it.
pub fn write(path: &Path, made: &Made) -> Result<(), Error> {
    Ok(store::replace_file(path, made.text.as_bytes(), 0o600)?)
}

fn refuse(request: &Request) -> Result<(), Error> {
    if request.groups.iter().any(|group| group == MASTERS) && !request.allow_masters {
        return Err(Error::new(format!("a member of {MASTERS} may do everything, and RBAC cannot take it back"))
            .because("until the certificate ends, only a new cluster CA keeps its owner out")
            .hint("give a group that RBAC binds, such as kubeadm:cluster-admins")
            .hint("say it a second time with --allow-system-masters"));
    }
    let texts = std::iter::once(&request.user).chain(&request.groups);
    for text in texts {
        let length = text.chars().count();
        if length == 0 || length > 64 || text.chars().any(char::is_control) {
            return Err(Error::usage(format!("{text:?} is no name for a user or group"))
                .because("expected 1 to 64 characters without control characters (RFC 5280 appendix A.1)"));
        }
    }
    if request.validity == Span::seconds(0) {
        return Err(Error::usage("--validity is zero").hint("give a duration such as 8h or 30d"));
    }
    Ok(())
}

fn warnings(request: &Request) -> Vec<String> {
    let mut lines = Vec::new();
    if request.user.starts_with("system:") {
        lines.push(format!("{} is a name that Kubernetes keeps for its own components", request.user));
    }
    if request.groups.is_empty() {
        lines.push(format!("{} is in no group: bind a role to the user itself", request.user));
    }
    if request.validity > Span::days(365) {
        lines.push("it lives longer than a year, and kube-apiserver reads no revocation list".to_owned());
    }
    lines
}

fn no_signer(request: &Request, signer: &Signer) -> Error {
    let dir = request.dir.display();
    match signer {
        Signer::External(_) => Error::new(format!("the key of the cluster CA is not in {dir}"))
            .hint("run it where the key is, or have its owner sign a request"),
        Signer::Unusable(why) => Error::new(format!("the cluster CA in {dir} cannot sign")).because(why),
        Signer::Missing | Signer::Here(_) => Error::new(format!("there is no cluster CA in {dir}"))
            .hint("give the tree with --dir: the directory above pki/"),
    }
}

/// The profile a tree records.
fn profile(dir: &Path) -> Result<Option<Profile>, Error> {
    let Some(state) = State::read(dir)? else { return Ok(None) };
    let name = state::path(dir).display().to_string();
    Ok(Some(profiles::load(&name, &state.profile, &targets::overrides(&state))?.profile))
}

/// A new key, or the public half of the one that stays with its owner.
fn key(request: &Request, profile: Option<&Profile>) -> Result<(Vec<u8>, Algorithm, Option<PrivateKey>), Error> {
    let Some(path) = &request.csr else {
        let algorithm = request.algorithm.or(profile.map(|profile| profile.algorithm)).unwrap_or(Algorithm::EcdsaP256);
        let key = PrivateKey::generate(algorithm)?;
        return Ok((key.spki_der(), algorithm, Some(key)));
    };
    let broken = |why: String| {
        Error::new(format!("cannot use the request in {}", path.display()))
            .because(why)
            .hint(format!("look at it: kpki inspect {}", path.display()))
    };
    let files::FileState::File { bytes, .. } = files::read_input(path, 1 << 20)? else {
        return Err(FileError::new(Op::Read, path, Kind::Missing).into());
    };
    let blocks = pem::read(&bytes).map_err(|why| broken(why.to_string()))?;
    let found = blocks.iter().find(|block| block.label.ends_with("CERTIFICATE REQUEST"));
    let der = found.map_or(bytes.as_slice(), |block| &block.contents);
    let csr = x509::Request::parse(der).map_err(|why| broken(why.to_string()))?;
    if csr.signature_valid != Some(true) {
        return Err(broken("expected it to be signed by the key it holds, found another signature".to_owned()));
    }
    match csr.key {
        x509::KeyKind::Known(algorithm) => Ok((csr.spki_der, algorithm, None)),
        x509::KeyKind::Other(other) => Err(broken(format!("expected a key kpki certifies, found {other}"))),
    }
}
