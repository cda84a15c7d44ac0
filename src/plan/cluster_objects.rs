//! The objects of a cluster that hold an authority's certificates and that can be made without the cluster. Pure: a bundle in, YAML
//! for kubectl out.

use std::fmt::Write as _;

use crate::catalog::releases::Release;
use crate::encoding::base64;
use crate::encoding::yaml::scalar;
use crate::x509::Certificate;

/// Certificates as one PEM text, each once, in their order.
pub fn bundle(certificates: &[Certificate]) -> String {
    let mut texts: Vec<String> = Vec::new();
    for text in certificates.iter().map(Certificate::to_pem) {
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    texts.concat()
}

/// The apiVersion that ClusterTrustBundle has in a release; `None`: there is none yet (before 1.27).
pub fn trust_bundle_version(release: Release) -> Option<&'static str> {
    match release.minor {
        ..27 => None,
        27..33 => Some("certificates.k8s.io/v1alpha1"),
        33..37 => Some("certificates.k8s.io/v1beta1"),
        37.. => Some("certificates.k8s.io/v1"),
    }
}

/// Why the name of a ClusterTrustBundle is refused by the API server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    #[error("expected a name that begins with {0}, as the bundles of a signer do, found another")]
    Prefix(String),
    #[error("expected a name without a colon, as the bundles without a signer have, found one with it")]
    Colon,
    #[error("expected DOMAIN/PATH as the name of a signer, such as example.com/mine, found something else")]
    Signer,
    #[error("expected lower-case letters, digits, hyphens and dots (RFC 1123), found something else")]
    Characters,
}

/// A name as RFC 1123 has it: what Kubernetes calls a subdomain.
pub fn is_subdomain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let fits =
        |part: &str| !part.is_empty() && part.chars().all(plain) && !part.starts_with('-') && !part.ends_with('-');
    name.len() <= 253 && name.split('.').all(fits)
}

/// A ClusterTrustBundle. `version`: its apiVersion; `bundle`: PEM. The bundles of a signer are called `DOMAIN:PATH:NAME`.
pub fn trust_bundle(name: &str, signer: Option<&str>, version: &str, bundle: &str) -> Result<String, BadName> {
    let own = match signer {
        Some(signer) => {
            let (domain, path) = signer.split_once('/').ok_or(BadName::Signer)?;
            if !is_subdomain(domain) || !path.split('/').all(is_subdomain) {
                return Err(BadName::Signer);
            }
            let prefix = format!("{}:", signer.replace('/', ":"));
            name.strip_prefix(&prefix).ok_or(BadName::Prefix(prefix))?
        }
        None if name.contains(':') => return Err(BadName::Colon),
        None => name,
    };
    if !is_subdomain(own) {
        return Err(BadName::Characters);
    }
    let mut text =
        format!("apiVersion: {version}\nkind: ClusterTrustBundle\nmetadata:\n  name: {}\nspec:\n", scalar(name));
    if let Some(signer) = signer {
        let _ = writeln!(text, "  signerName: {}", scalar(signer));
    }
    block(&mut text, 2, "trustBundle", bundle);
    Ok(text)
}

/// The ConfigMap that kube-controller-manager keeps in every namespace, and pods read as ca.crt. `namespace`: `None`: that of
/// the `kubectl` that applies it.
pub fn root_ca(namespace: Option<&str>, bundle: &str) -> String {
    let mut text = String::from("apiVersion: v1\ndata:\n");
    block(&mut text, 2, "ca.crt", bundle);
    text.push_str("kind: ConfigMap\nmetadata:\n  name: kube-root-ca.crt\n");
    if let Some(namespace) = namespace {
        let _ = writeln!(text, "  namespace: {}", scalar(namespace));
    }
    text
}

/// The ConfigMap kube-public/cluster-info, which joining nodes read. The signatures in it (`jws-kubeconfig-ID`) are left out:
/// `kubectl apply` keeps them, and kube-controller-manager signs the new content within seconds.
pub fn cluster_info(server: &str, bundle: &str) -> String {
    let kubeconfig = format!(
        "apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: {}\n    server: {}\n  name: \"\"\ncontexts: null\n\
         current-context: \"\"\nkind: Config\nusers: null\n",
        base64::encode(bundle.as_bytes()).as_str(),
        scalar(server)
    );
    let mut text = String::from("apiVersion: v1\ndata:\n");
    block(&mut text, 2, "kubeconfig", &kubeconfig);
    text.push_str("kind: ConfigMap\nmetadata:\n  name: cluster-info\n  namespace: kube-public\n");
    text
}

/// What has kube-controller-manager make the token of a `kubernetes.io/service-account-token` Secret anew, signed by the present
/// key. `None`: the names are not those of an object.
pub fn new_token(namespace: &str, name: &str) -> Option<String> {
    let patch = r#"'[{"op":"remove","path":"/data/token"}]'"#;
    let fits = is_subdomain(namespace) && is_subdomain(name);
    fits.then(|| format!("kubectl -n {namespace} patch secret {name} --type=json -p {patch}"))
}

/// What has API servers write kube-system/extension-apiserver-authentication anew: they only ever add to it.
pub const NEW_AUTHENTICATION: &str = "kubectl -n kube-system delete configmap extension-apiserver-authentication";

/// A text as a block scalar.
fn block(text: &mut String, indent: usize, key: &str, value: &str) {
    let _ = writeln!(text, "{:indent$}{key}: |", "");
    for line in value.lines() {
        let _ = writeln!(text, "{:indent$}  {line}", "");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::yaml;
    use crate::kubeconfig::{Source, survey};
    use crate::manifest;

    const PEM: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

    /// The only object's kind, name, and value.
    fn read(text: &str) -> (String, Option<String>, Option<String>, Vec<u8>) {
        let stream = yaml::read_as_kubectl(text.as_bytes());
        assert_eq!(stream.faults, [], "{text}");
        let objects = manifest::objects(&stream.documents);
        let [object] = objects.as_slice() else { panic!("{text}") };
        let values = manifest::values(object).unwrap();
        let [value] = values.as_slice() else { panic!("{text}") };
        let owned = |text: Option<&str>| text.map(str::to_owned);
        (object.kind.clone(), owned(object.namespace), owned(object.name), value.bytes().unwrap().to_vec())
    }

    #[test]
    fn objects_hold_the_bundle_and_nothing_else() {
        let text = trust_bundle("corp", None, "certificates.k8s.io/v1", PEM).unwrap();
        assert_eq!(
            text,
            "apiVersion: certificates.k8s.io/v1\nkind: ClusterTrustBundle\nmetadata:\n  name: corp\nspec:\n  trustBundle: |\n    \
             -----BEGIN CERTIFICATE-----\n    AAAA\n    -----END CERTIFICATE-----\n"
        );
        assert_eq!(read(&text), ("ClusterTrustBundle".into(), None, Some("corp".into()), PEM.into()));
        let text = trust_bundle("example.com:mine:corp", Some("example.com/mine"), "x", PEM).unwrap();
        assert!(text.contains("\n  signerName: example.com/mine\n"), "{text}");
        for (namespace, expected) in [(None, None), (Some("web"), Some("web".to_owned()))] {
            let found = read(&root_ca(namespace, PEM));
            assert_eq!(found, ("ConfigMap".into(), expected, Some("kube-root-ca.crt".into()), PEM.into()));
        }
        let (kind, namespace, name, kubeconfig) = read(&cluster_info("https://10.0.0.10:6443", PEM));
        assert_eq!(
            (kind.as_str(), namespace.as_deref(), name.as_deref()),
            ("ConfigMap", Some("kube-public"), Some("cluster-info"))
        );
        let survey = survey(&kubeconfig).unwrap();
        assert_eq!(survey.clusters[0].server, "https://10.0.0.10:6443");
        let Some(Source::Data(data)) = &survey.clusters[0].authority else { panic!() };
        assert_eq!(base64::decode(data.as_bytes()).unwrap().as_slice(), PEM.as_bytes());
    }

    #[test]
    fn names_are_those_that_the_api_server_takes() {
        for (name, signer, expected) in [
            ("a.b-c", None, None),
            ("a:b", None, Some(BadName::Colon)),
            ("A", None, Some(BadName::Characters)),
            ("", None, Some(BadName::Characters)),
            ("corp", Some("example.com/mine"), Some(BadName::Prefix("example.com:mine:".to_owned()))),
            ("example.com:mine:", Some("example.com/mine"), Some(BadName::Characters)),
            ("a:corp", Some("a"), Some(BadName::Signer)),
            ("a::corp", Some("a/"), Some(BadName::Signer)),
        ] {
            assert_eq!(trust_bundle(name, signer, "v", PEM).err(), expected, "{name} {signer:?}");
        }
    }

    #[test]
    fn the_version_follows_the_release() {
        for (minor, version) in [
            (26, None),
            (27, Some("v1alpha1")),
            (32, Some("v1alpha1")),
            (33, Some("v1beta1")),
            (36, Some("v1beta1")),
            (37, Some("v1")),
            (40, Some("v1")),
        ] {
            let found = trust_bundle_version(Release::of(minor, 0));
            assert_eq!(found.map(|text| text.rsplit('/').next().unwrap()), version, "{minor}");
        }
    }

    #[test]
    fn a_token_is_made_anew_by_names_that_are_names() {
        let expected = r#"kubectl -n web patch secret ci --type=json -p '[{"op":"remove","path":"/data/token"}]'"#;
        assert_eq!(new_token("web", "ci").as_deref(), Some(expected));
        assert_eq!((new_token("web;x", "ci"), new_token("web", "$(x)")), (None, None));
    }
}
