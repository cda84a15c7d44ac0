//! Objects of a cluster that say whom to trust: `--as cluster-trust-bundle`, `kube-root-ca`, `cluster-info`.

use zeroize::Zeroizing;

use crate::catalog::releases::Release;
use crate::encoding::base64;
use crate::encoding::shown::named;
use crate::encoding::yaml;
use crate::error::Error;
use crate::files::shell_path;
use crate::kubeconfig::{self, Source, is_server};
use crate::manifest;
use crate::plan::cluster_objects::{self, BadName};
use crate::report::counted;
use crate::x509::Certificate;

use super::loaded::Loaded;
use super::object::Thing;
use super::request::{Form, Input, Output, Request};

/// What is to be known of an object that is applied.
const ROOT_CA: &str = "kube-controller-manager writes kube-root-ca.crt itself, with what its --root-ca-file holds: in a cluster it \
                       stays as it is here only where that file is the same";
const CLUSTER_INFO: &str = "apply it, and do not replace it: the signatures beside the kubeconfig (jws-kubeconfig-ID) stay, and \
                            kube-controller-manager renews them";

pub fn object(request: &Request, loaded: &Loaded, from: String, notes: &mut Vec<String>) -> Result<Output, Error> {
    let authorities = authorities(request, loaded, &from, notes)?;
    let bundle = cluster_objects::bundle(&authorities);
    let (what, text) = match request.form {
        Form::ClusterTrustBundle => trust_bundle(request, &bundle)?,
        Form::KubeRootCa => {
            notes.push(ROOT_CA.to_owned());
            let namespace = request.namespace.as_deref();
            if let Some(name) = namespace.filter(|name| name.contains('.') || !cluster_objects::is_subdomain(name)) {
                return Err(Error::usage(format!("--namespace {}: expected a namespace", named(name)))
                    .hint("give lower-case letters, digits and hyphens"));
            }
            ("ConfigMap kube-root-ca.crt".to_owned(), cluster_objects::root_ca(namespace, &bundle))
        }
        _ => {
            notes.push(CLUSTER_INFO.to_owned());
            notes.extend(
                authorities
                    .iter()
                    .map(|one| format!("join with: --discovery-token-ca-cert-hash {}", one.discovery_hash())),
            );
            let server = server(request, loaded)?;
            (format!("ConfigMap cluster-info for {}", named(&server)), cluster_objects::cluster_info(&server, &bundle))
        }
    };
    if !holds(&text, &bundle) {
        return Err(Error::new("the object does not read back as what was put into it; nothing was written"));
    }
    let holds = format!("{what}: {}", counted(authorities.len(), "certificate"));
    let bytes = Zeroizing::new(text.into_bytes());
    Ok(Output { path: String::new(), bytes, secret: false, binary: false, holds, from })
}

fn trust_bundle(request: &Request, bundle: &str) -> Result<(String, String), Error> {
    let name = request.name.as_deref().ok_or_else(|| {
        Error::usage("a ClusterTrustBundle needs a name")
            .hint("give it with --name NAME, and --signer-name where it has a signer")
    })?;
    let release = request.release.unwrap_or(Release::NEWEST);
    let version = cluster_objects::trust_bundle_version(release).ok_or_else(|| {
        Error::usage(format!("--kubernetes-version 1.{}: it has no ClusterTrustBundle", release.minor))
            .hint("give 1.27 or later, or leave it out")
    })?;
    let text = cluster_objects::trust_bundle(name, request.signer_name.as_deref(), version, bundle).map_err(|why| {
        let flag = if why == BadName::Signer { "--signer-name" } else { "--name" };
        let given = if why == BadName::Signer { request.signer_name.as_deref().unwrap_or_default() } else { name };
        Error::usage(format!("{flag} {}: {why}", named(given)))
            .hint("the bundles of the signer example.com/mine are called example.com:mine:NAME")
    })?;
    Ok((format!("ClusterTrustBundle {} ({version})", named(name)), text))
}

/// The certificates, each once; the API server takes authorities only. A key is left out, and so is who uses a kubeconfig.
fn authorities(
    request: &Request,
    loaded: &Loaded,
    from: &str,
    notes: &mut Vec<String>,
) -> Result<Vec<Certificate>, Error> {
    let mut found: Vec<Certificate> = Vec::new();
    let mut left = 0;
    for object in &loaded.objects {
        let is_client = loaded.kubeconfig.is_some() && object.name.as_deref() == Some("client");
        let Thing::Certificate(der) = &object.thing else {
            left += usize::from(!is_client);
            continue;
        };
        if is_client {
            continue;
        }
        let one = Certificate::parse(der).map_err(|why| Error::new(format!("{from}: {why}")))?;
        if !one.may_sign_certificates() {
            let error = Error::new(format!("{from}: expected authorities, found the certificate of {}", one.subject));
            return Err(error.hint("leave it out: who trusts it trusts nobody else"));
        }
        if !found.contains(&one) {
            found.push(one);
        }
    }
    if left > 0 {
        notes.push(format!("{from}: left out {}: only certificates are public", counted(left, "object")));
    }
    if found.is_empty() {
        let error = Error::new(format!("{from}: expected the certificate of an authority, found none"));
        return Err(match request.inputs.first() {
            Some(Input::Path(path)) => error.hint(format!("look at what it holds: kpki inspect {}", shell_path(path))),
            _ => error,
        });
    }
    Ok(found)
}

fn server(request: &Request, loaded: &Loaded) -> Result<String, Error> {
    let given = request.server.clone().or_else(|| loaded.kubeconfig.as_ref().map(|found| found.server.clone()));
    let given = given.ok_or_else(|| {
        Error::usage("cluster-info needs the API server's address")
            .hint("give it with --server https://HOST:6443, or give a kubeconfig in place of ca.crt")
    })?;
    match is_server(&given) {
        true => Ok(given),
        false => Err(Error::usage(format!("--server {}: expected https://HOST:PORT", named(&given)))),
    }
}

/// Whether the only value of the object is this bundle, or a kubeconfig with it.
fn holds(text: &str, bundle: &str) -> bool {
    let stream = yaml::read(text.as_bytes());
    let objects = manifest::objects(&stream.documents);
    let values: Vec<_> = objects.iter().filter_map(manifest::values).flatten().collect();
    let [value] = values.as_slice() else { return false };
    let Ok(bytes) = value.bytes() else { return false };
    let is_bundle = || bytes.as_slice() == bundle.as_bytes();
    let in_kubeconfig = || {
        let survey = kubeconfig::survey(&bytes).ok()?;
        let Source::Data(data) = survey.clusters.first()?.authority.as_ref()? else { return None };
        base64::decode(data.as_bytes()).ok().map(|found| found.as_slice() == bundle.as_bytes())
    };
    stream.faults.is_empty() && (is_bundle() || in_kubeconfig() == Some(true))
}
