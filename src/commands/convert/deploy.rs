//! What servers and clusters take: HAProxy's one file, the chain a server sends, Secrets.

use crate::error::Error;
use crate::x509::Certificate;

use super::check;
use super::forms::pem_of;
use super::identity::Identity;
use super::load::Loaded;
use super::manifest::{self, Secret};
use super::object::Thing;
use super::request::{Output, Request};

fn things<'a>(certificates: impl Iterator<Item = &'a Certificate>) -> Vec<Thing> {
    certificates.map(|certificate| Thing::Certificate(certificate.der.clone())).collect()
}

fn pem(certificates: &[Thing]) -> Vec<u8> {
    pem_of(&certificates.iter().collect::<Vec<_>>()).to_vec()
}

/// The chain in its order. A client has its root already: it is not sent, unless it was asked for.
fn chain(identity: &Identity, with_root: bool, notes: &mut Vec<String>) -> Result<Vec<Thing>, Error> {
    identity.alone()?;
    let root = if with_root { Some(root(identity)?) } else { None };
    if let (Some(left), None) = (&identity.root, root) {
        notes.push(format!("left out {}: a root is not sent, its reader has it", left.subject));
    }
    Ok(things(identity.chain().chain(root.filter(|root| **root != identity.leaf))))
}

/// The self-signed end of the chain.
fn root(identity: &Identity) -> Result<&Certificate, Error> {
    let leaf = &identity.leaf;
    identity.root.as_ref().or(leaf.is_self_issued().then_some(leaf)).ok_or_else(|| {
        Error::new(format!("expected the root above {}, found none", leaf.subject))
            .hint("give the root's certificate too")
    })
}

/// Certificate, chain, key: `bind ... ssl crt FILE`.
pub fn haproxy(request: &Request, loaded: &Loaded, from: String, notes: &mut Vec<String>) -> Result<Output, Error> {
    let identity = Identity::of(&loaded.objects)?;
    let mut all = chain(&identity, request.with_root, notes)?;
    all.push(Thing::Key(identity.key()?.clone()));
    bundle(&all, "HAProxy bundle", from)
}

/// The certificate and what is above it: what a server sends.
pub fn full_chain(request: &Request, loaded: &Loaded, from: String, notes: &mut Vec<String>) -> Result<Output, Error> {
    let identity = Identity::of(&loaded.objects)?;
    let all = chain(&identity, request.with_root, notes)?;
    if identity.key.is_some() {
        notes.push("left out the private key: the chain is public".to_owned());
    }
    bundle(&all, "chain", from)
}

fn bundle(all: &[Thing], what: &str, from: String) -> Result<Output, Error> {
    let all: Vec<&Thing> = all.iter().collect();
    let bytes = pem_of(&all);
    check::things(&bytes, &all)?;
    let secret = all.iter().any(|thing| thing.is_secret());
    let holds = format!("{what}: {}", super::forms::words(&all));
    Ok(Output { path: String::new(), bytes, secret, binary: false, holds, from })
}

/// `type: kubernetes.io/tls`: a server's pair, or an authority's for cert-manager's CA issuer.
pub fn kubernetes_secret(request: &Request, loaded: &Loaded, from: String) -> Result<Output, Error> {
    let name = request.name.as_deref().ok_or_else(|| {
        Error::usage("a Secret needs a name").hint("give it with --name NAME, and --namespace where it matters")
    })?;
    let identity = Identity::of(&loaded.objects)?;
    let key = identity.key()?.to_pem();
    let chain = pem(&things(identity.chain()));
    // What verifies the chain: its root, and any other authority that was given.
    let trusted = pem(&things(identity.root.iter().chain(&identity.others)));
    let mut data: Vec<(&str, &[u8])> = vec![("tls.crt", &chain), ("tls.key", key.as_bytes())];
    if !trusted.is_empty() {
        data.insert(0, ("ca.crt", &trusted));
    }
    secret(
        Secret {
            name,
            namespace: request.namespace.as_deref(),
            kind: "kubernetes.io/tls",
            data: &data,
            owner: None,
            immutable: request.immutable,
        },
        from,
    )
}

/// What istiod takes for its authority: the Secret `cacerts`.
pub fn istio_cacerts(request: &Request, loaded: &Loaded, from: String) -> Result<Output, Error> {
    let identity = Identity::of(&loaded.objects)?;
    identity.alone()?;
    let authority = &identity.leaf;
    if !authority.may_sign_certificates() {
        return Err(Error::new(format!("expected an authority's certificate for Istio, found {}", authority.subject))
            .hint("give a CA certificate with its key"));
    }
    let root = root(&identity)?;
    let key = identity.key()?.to_pem();
    let (own, root) = (pem(&things([authority].into_iter())), pem(&things([root].into_iter())));
    let chain = pem(&things(identity.all()));
    let data: [(&str, &[u8]); 4] =
        [("ca-cert.pem", &own), ("ca-key.pem", key.as_bytes()), ("cert-chain.pem", &chain), ("root-cert.pem", &root)];
    let name = request.name.as_deref().unwrap_or("cacerts");
    let namespace = Some(request.namespace.as_deref().unwrap_or("istio-system"));
    let immutable = request.immutable;
    secret(Secret { name, namespace, kind: "Opaque", data: &data, owner: None, immutable }, from)
}

fn secret(secret: Secret<'_>, from: String) -> Result<Output, Error> {
    let text = manifest::secret(&secret)?;
    check::secret(text.as_bytes(), secret.data)?;
    let bytes = zeroize::Zeroizing::new(text.as_bytes().to_vec());
    let holds = format!("Secret {}: {}", secret.name, manifest::fields(secret.data));
    Ok(Output { path: String::new(), bytes, secret: true, binary: false, holds, from })
}
