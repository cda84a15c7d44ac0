//! Refuse; under the lock read again, sign, record in the journal, render.

use super::guard;
use super::policy::{refuse, warnings};
use super::request::Request;
use crate::blueprint::{Algorithm, ExtendedKeyUsage, Name};
use crate::ca::{self, PrivateKey};
use crate::catalog::{CaId, Files};
use crate::encoding::pem;
use crate::encoding::shown::named;
use crate::error::{self, Error};
use crate::files::shell_path;
use crate::kubeconfig::{self, ClientKey, Kubeconfig};
use crate::plan::blueprints::{self, Bounds};
use crate::plan::init::control_plane_url;
use crate::plan::renew::refusal;
use crate::plan::sign::{Declined, soundness};
use crate::profile::Profile;
use crate::store::OuterFile;
use crate::tree::{Authority, file};
use crate::workspace::rotation::{record, remarks, state};
use crate::workspace::{Snapshot, Transaction, TreeDir, journal, known_keys, profiles, survey};
use crate::x509;
use std::collections::BTreeSet;
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// A larger file is not a signing request.
const LARGEST_REQUEST: u64 = 1 << 20;

/// The kubeconfig and warnings.
#[derive(Debug)]
pub struct Made {
    pub text: Zeroizing<String>,
    /// Its certificate's notAfter.
    pub until: OffsetDateTime,
    pub warnings: Vec<String>,
}

/// Makes the kubeconfig. Its file and the journal's line of its certificate are one transaction.
pub fn user(request: &Request) -> Result<Made, Error> {
    refuse(request)?;
    let recorded = profiles::recorded(&request.dir)?;
    let tree = TreeDir::recorded(&request.dir, recorded.as_ref(), None)?;
    let tree = tree.with_keys(recorded.as_ref(), &request.keys);
    let profile = recorded.map(|(_, profile)| profile);
    let admin = tree.directories.files("", Files::Kubeconfig("admin.conf")).0;
    let recovered = tree.recover(request.run.lock_wait)?;
    // What is refused is refused before the lock, and before anybody is asked for a passphrase.
    if recovered.is_empty() {
        guard::check(request)?;
    }
    state::settled_in(&tree, request.run.now)?;
    let snapshot = tree.peek(std::iter::once(&admin))?;
    reach(request, &tree, &snapshot, profile.as_ref())?;
    let (spki, algorithm, own) = key(request, profile.as_ref())?;
    refuse_known(request, &tree, &snapshot, &spki)?;
    let signers = BTreeSet::from([CaId::Cluster]);
    tree.ask_passphrases(&signers)?;
    let locked = tree.lock(request.run.lock_wait)?.signing(signers).after(recovered);
    guard::check(request).map_err(|error| locked.in_the_way(error))?;
    let (snapshot, issuers) = locked.read(std::iter::once(&admin))?;
    state::settled_in(&tree, request.run.now)?;
    let (cluster, server) = reach(request, &tree, &snapshot, profile.as_ref())?;
    refuse_known(request, &tree, &snapshot, &spki)?;
    let issuer = issuers.get(CaId::Cluster).ok_or_else(|| no_signer(request, &Authority::Missing))?;
    let groups: Vec<&str> = request.groups.iter().map(String::as_str).collect();
    let (now, validity) = (request.run.now, request.validity.duration());
    let blueprint = blueprints::client(
        Name::of(&request.user, &groups),
        &[ExtendedKeyUsage::ClientAuth],
        algorithm,
        now,
        validity,
        Bounds::of(issuer.certificate()),
    );
    let mut warnings = warnings(request);
    if blueprint.not_after < now + validity {
        let end = crate::clock::rfc3339(blueprint.not_after);
        warnings.push(format!("it expires with its authority at {end}, sooner than requested"));
    }
    let record = record::read(&tree.roots)?;
    warnings.extend(remarks::until_retired(&record, CaId::Cluster, &tree.origin()));
    let signed = ca::issue_for_peers(&blueprint, &spki, issuer, now)?;
    let pem = own.as_ref().map(PrivateKey::to_pem);
    let file = request.key_file.clone().unwrap_or_else(|| format!("{}.key", request.user));
    let key = pem.as_ref().map_or(ClientKey::File(&file), |pem| ClientKey::Data(pem));
    let text = kubeconfig::render(&Kubeconfig {
        cluster: &cluster,
        user: &request.user,
        server: &server,
        authority: &issuer.bundle_pem(),
        certificate: &signed.pem,
        key,
        preferences: profile.as_ref().is_some_and(|profile| profile.kubernetes_version.prints_preferences()),
    });
    let journal = vec![journal::line("kubeconfig", &request.user, &signed.certificate, now)];
    let outer = request.out.iter().map(|out| OuterFile {
        path: out.clone(),
        mode: 0o600,
        bytes: Zeroizing::new(text.as_bytes().to_vec()),
        replace: request.force,
    });
    let transaction = Transaction { journal, outer: outer.collect(), ..Transaction::default() };
    locked.commit("kubeconfig", now, transaction)?;
    Ok(Made { text, until: blueprint.not_after, warnings })
}

/// The cluster's name and its API server, once it is certain that somebody can sign.
fn reach(
    request: &Request,
    tree: &TreeDir,
    snapshot: &Snapshot,
    profile: Option<&Profile>,
) -> Result<(String, String), Error> {
    can_sign(request, tree, snapshot)?;
    let admin = tree.directories.files("", Files::Kubeconfig("admin.conf")).0;
    let admin = file(&snapshot.survey, Some(&admin)).and_then(|bytes| kubeconfig::read(bytes).ok());
    let server = server(request, profile, admin.as_ref())?;
    let named = request.cluster.clone().or_else(|| profile.map(|profile| profile.cluster_name.clone()));
    Ok((named.or_else(|| admin.map(|admin| admin.cluster)).unwrap_or_else(|| "kubernetes".to_owned()), server))
}

/// A key that must not be certified.
fn refuse_known(request: &Request, tree: &TreeDir, snapshot: &Snapshot, spki: &[u8]) -> Result<(), Error> {
    let Some(path) = &request.csr else { return Ok(()) };
    match known_keys::known_key(tree, snapshot, spki, None)? {
        Some(known) => Err(error::declined(&[(path.display().to_string(), vec![Declined::KnownKey(known)])])),
        None => Ok(()),
    }
}

fn can_sign(request: &Request, tree: &TreeDir, snapshot: &Snapshot) -> Result<(), Error> {
    let authority = snapshot.authorities.get(&CaId::Cluster).unwrap_or(&Authority::Missing);
    match refusal(CaId::Cluster, authority, request.run.now) {
        Some(refusal) => Err(error::refused(&tree.origin(), &[refusal])),
        None if !authority.is_local() => Err(no_signer(request, authority)),
        None => Ok(()),
    }
}

/// The API server.
fn server(request: &Request, profile: Option<&Profile>, admin: Option<&kubeconfig::Read>) -> Result<String, Error> {
    let hint = "give it with --server https://HOST:PORT";
    let said = |what: &str, server: String| (what.to_owned(), server);
    let (whose, server) = (request.server.clone().map(|server| said("--server", server)))
        .or_else(|| profile.and_then(control_plane_url).map(|server| said("the profile's API server", server)))
        .or_else(|| admin.map(|admin| said("the server in admin.conf", admin.server.clone())))
        .ok_or_else(|| Error::usage("the API server of the kubeconfig is unknown").hint(hint))?;
    match kubeconfig::is_server(&server) {
        true => Ok(server),
        false => Err(Error::usage(format!("{whose} is {}, expected https://HOST:PORT", named(&server))).hint(hint)),
    }
}

fn no_signer(request: &Request, authority: &Authority) -> Error {
    let dir = request.dir.display();
    match authority {
        Authority::External(_) => Error::new(format!("the key of the cluster CA is not in {dir}"))
            .hint("run it where the key is, or have its owner sign a request"),
        Authority::Unusable(why) => Error::new(format!("the cluster CA in {dir} cannot sign")).because(why),
        Authority::Closed(_, why) => error::closed(CaId::Cluster, why),
        Authority::Missing | Authority::Local(_) => Error::new(format!("there is no cluster CA in {dir}"))
            .hint("give the tree with --dir: the directory above pki/"),
    }
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
            .hint(format!("look at it: kpki inspect {}", shell_path(path)))
    };
    let bytes = survey::input(path, LARGEST_REQUEST)?;
    let blocks = pem::read(&bytes).map_err(|why| broken(why.to_string()))?;
    let found =
        blocks.iter().find(|block| block.label.known().is_some_and(|label| label.ends_with("CERTIFICATE REQUEST")));
    let der = found.map_or(bytes.as_slice(), |block| &block.contents);
    let csr = x509::Request::parse(der).map_err(|why| broken(why.to_string()))?;
    let declined = soundness(&csr);
    if !declined.is_empty() {
        return Err(error::declined(&[(path.display().to_string(), declined)]));
    }
    match csr.key {
        x509::KeyKind::Known(algorithm) => Ok((csr.spki_der, algorithm, None)),
        x509::KeyKind::Other(other) => Err(broken(format!("expected a key kpki certifies, found {other}"))),
    }
}
