//! Certificate, key and chain in one file: PKCS#12, and a kubeconfig out of its PEMs.

use zeroize::Zeroizing;

use crate::encoding::key::Container;
use crate::encoding::shown::named;
use crate::encoding::{pem, pkcs7};
use crate::encrypted::pkcs12::{self, Bag, Content, Random, Strength};
use crate::error::Error;
use crate::kubeconfig;
use crate::plan::item::Access;
use crate::random::random;
use crate::workspace::passwords::Passwords;
use crate::x509::Certificate;

use super::check;
use super::forms::{output_password, words};
use super::identity::Identity;
use super::load::Loaded;
use super::object::Thing;
use super::request::{Output, Request};

pub fn pkcs12(
    request: &Request,
    loaded: &Loaded,
    from: String,
    passwords: &mut dyn Passwords,
) -> Result<Output, Error> {
    let (crls, rest): (Vec<_>, Vec<_>) =
        loaded.objects.iter().cloned().partition(|object| matches!(object.thing, Thing::Crl(_)));
    let plain = |content| Bag { content, friendly_name: None, local_key_id: None };
    let mut bags = Vec::new();
    if rest.iter().any(|object| matches!(object.thing, Thing::Key(_))) {
        let identity = Identity::of(&rest)?;
        let id = Some(pkcs12::local_key_id(&identity.leaf.der));
        let name = request.name.clone().or_else(|| identity.leaf.common_name());
        let own = |content| Bag { content, friendly_name: name.clone(), local_key_id: id.clone() };
        bags.push(own(Content::Certificate(identity.leaf.der.clone())));
        bags.extend(identity.all().skip(1).map(|above| plain(Content::Certificate(above.der.clone()))));
        let pkcs8 = identity.key()?.recast(Container::Pkcs8).map_err(|why| Error::new(why.to_string()))?;
        bags.push(own(Content::Key(Zeroizing::new(pkcs8.der().to_vec()))));
    } else {
        // A truststore: every certificate by its own name.
        for object in &rest {
            let Thing::Certificate(der) = &object.thing else {
                return Err(Error::new(format!(
                    "expected certificates, CRLs and a private key for PKCS#12, found a {}",
                    object.thing.kind()
                ))
                .hint("leave that file out"));
            };
            let read = Certificate::parse(der).map_err(|why| Error::new(format!("a certificate: {why}")))?;
            if bags.iter().any(|bag: &Bag| matches!(&bag.content, Content::Certificate(there) if there == der)) {
                continue;
            }
            let given = request.name.clone().filter(|_| rest.len() == 1);
            let name = given.or_else(|| object.name.clone()).or_else(|| read.common_name());
            let name = name.map(|name| distinct(&name, &bags));
            bags.push(Bag { content: Content::Certificate(der.clone()), friendly_name: name, local_key_id: None });
        }
    }
    // Read back, CRLs are in the order in which they were written: after the certificates, before the key.
    let key = bags.iter().position(|bag| matches!(bag.content, Content::Key(_))).unwrap_or(bags.len());
    let lists: Vec<Bag> = crls.iter().map(|object| plain(Content::Crl(object.thing.der().to_vec()))).collect();
    bags.splice(key..key, lists);
    let password = output_password(passwords)?;
    let strength = if request.legacy { Strength::Legacy } else { Strength::Modern };
    let random = Random { certificates: (random()?, random()?), key: (random()?, random()?), mac: random()? };
    let bytes = pkcs12::seal(&bags, &password, strength, &random)
        .map_err(|why| Error::new("cannot encrypt the PKCS#12 file").because(why))?;
    check::pkcs12(&bytes, &password, &bags)?;
    let things: Vec<&Thing> = loaded.objects.iter().map(|object| &object.thing).collect();
    let holds = format!("PKCS#12: {}", words(&things));
    Ok(Output { path: String::new(), bytes: bytes.into(), secret: true, binary: true, holds, from })
}

/// Certificates and CRLs in PKCS#7, in their order, each once.
pub fn pkcs7(der: bool, loaded: &Loaded, from: String, notes: &mut Vec<String>) -> Result<Output, Error> {
    let of = |wanted: fn(&Thing) -> bool| {
        let mut picked: Vec<&Thing> = Vec::new();
        for thing in loaded.objects.iter().map(|object| &object.thing).filter(|thing| wanted(thing)) {
            if !picked.contains(&thing) {
                picked.push(thing);
            }
        }
        picked
    };
    let certificates = of(|thing| matches!(thing, Thing::Certificate(_)));
    let crls = of(|thing| matches!(thing, Thing::Crl(_)));
    let things = [certificates.as_slice(), &crls].concat();
    if things.is_empty() {
        return Err(Error::new(format!("{from}: expected certificates or CRLs for PKCS#7, found none")));
    }
    let left = of(|thing| !matches!(thing, Thing::Certificate(_) | Thing::Crl(_))).len();
    if left > 0 {
        notes.push(format!("{from}: left out {left} objects that are neither certificates nor CRLs"));
    }
    let ders = |things: &[&Thing]| things.iter().map(|thing| thing.der().to_vec()).collect::<Vec<_>>();
    let bytes = pkcs7::write(&ders(&certificates), &ders(&crls));
    let bytes = if der { bytes } else { pem::write_public(pkcs7::LABEL, &bytes).into_bytes() };
    check::things(&bytes, &things)?;
    let holds = format!("PKCS#7: {}", words(&things));
    Ok(Output { path: String::new(), bytes: bytes.into(), secret: false, binary: der, holds, from })
}

/// Java keeps one certificate per name.
fn distinct(name: &str, bags: &[Bag]) -> String {
    let taken = |wanted: &str| bags.iter().any(|bag| bag.friendly_name.as_deref() == Some(wanted));
    let numbered = (2..).map(|number: u32| format!("{name}-{number}"));
    [name.to_owned()].into_iter().chain(numbered).find(|wanted| !taken(wanted)).unwrap_or_default()
}

/// `https://HOST:PORT`, nothing that YAML reads otherwise.
fn server(request: &Request, loaded: &Loaded) -> Result<String, Error> {
    let given = request.server.clone().or_else(|| loaded.kubeconfig.as_ref().map(|found| found.server.clone()));
    let given = given.ok_or_else(|| {
        Error::usage("a kubeconfig needs the API server's address").hint("give it with --server https://HOST:6443")
    })?;
    match kubeconfig::is_server(&given) {
        true => Ok(given),
        false => Err(Error::usage(format!("--server {}: expected https://HOST:PORT", named(&given)))),
    }
}

/// From a client certificate, its key and the cluster's authority.
pub fn kubeconfig(request: &Request, loaded: &Loaded, from: String, notes: &mut Vec<String>) -> Result<Output, Error> {
    let server = server(request, loaded)?;
    let found = loaded.kubeconfig.as_ref();
    let identity = Identity::of(&loaded.objects)?;
    let key = identity.key()?.to_pem();
    let pems = |certificates: &[&Certificate]| certificates.iter().map(|found| found.to_pem()).collect::<String>();
    // What the client's certificate ends at is the cluster's authority, and so is what has nothing to do with it; only
    // where neither is there, what is above the client.
    let mut authority: Vec<&Certificate> = identity.root.iter().chain(&identity.others).collect();
    let mut client: Vec<&Certificate> = identity.chain().collect();
    if authority.is_empty() {
        authority = client.split_off(1);
    }
    if authority.is_empty() {
        return Err(Error::new("expected the certificate of the cluster's authority, found only the client's")
            .hint("give ca.crt too"));
    }
    let user = request.user.clone().or_else(|| found.map(|found| found.user.clone()));
    let user = user.or_else(|| identity.leaf.common_name()).ok_or_else(|| {
        Error::usage("the certificate has no common name to call the user by").hint("name the user with --user")
    })?;
    let cluster = request.cluster.clone().or_else(|| found.map(|found| found.cluster.clone()));
    let cluster = cluster.unwrap_or_else(|| "kubernetes".to_owned());
    if !identity.leaf.extended_key_usages.contains(&crate::blueprint::ExtendedKeyUsage::ClientAuth) {
        notes.push(format!("{} is not a client certificate: the API server will refuse it", identity.leaf.subject));
    }
    let (authority, certificate) = (pems(&authority), pems(&client));
    let access = Access { cluster, user, server, preferences: false };
    let text = access.kubeconfig(&authority, &certificate, &key);
    check::kubeconfig(text.as_bytes(), &authority, &certificate, &key)?;
    let holds = format!("kubeconfig of {} for {}", named(&access.user), named(&access.server));
    let bytes = Zeroizing::new(text.as_bytes().to_vec());
    Ok(Output { path: String::new(), bytes, secret: true, binary: false, holds, from })
}
