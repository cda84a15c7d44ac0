//! Everything in a kubeconfig: every user's certificate and every cluster's authority. Keys are noticed, never decoded.

use std::borrow::Cow;

use super::contents::{Cluster, Context, Key, Source, Survey, User};
use super::document::{self, AUTHORITY, CERTIFICATE, KEY, current, is_kubeconfig, items, root, stream};
use super::error::KubeconfigError;
use super::plain;
use crate::encoding::yaml::{Node, field, text};

/// The ways to authenticate client-go knows.
const CREDENTIALS: &[&str] = &[
    "client-certificate",
    "client-certificate-data",
    "client-key",
    "client-key-data",
    "token",
    "tokenFile",
    "username",
    "exec",
    "auth-provider",
];

/// Reads any kubeconfig; kubeadm's own shape without a YAML parser, to the same result.
pub fn survey(bytes: &[u8]) -> Result<Survey<'_>, KubeconfigError> {
    plain::read(bytes).map_or_else(|| by_yaml(bytes), Ok)
}

fn by_yaml(bytes: &[u8]) -> Result<Survey<'static>, KubeconfigError> {
    let stream = stream(bytes)?;
    Ok(of_root(root(&stream)?))
}

/// What is in a document, if it is a kubeconfig.
pub fn survey_of(document: &Node) -> Option<Survey<'static>> {
    is_kubeconfig(document).then(|| of_root(document))
}

fn of_root(root: &Node) -> Survey<'static> {
    let mut survey = Survey {
        clusters: named(root, "clusters", "cluster").map(|(name, node)| cluster(name, node)).collect(),
        users: named(root, "users", "user").map(|(name, node)| user(name, node)).collect(),
        contexts: named(root, "contexts", "context").map(|(name, node)| context(name, node)).collect(),
        current: text(root, "current-context").filter(|name| !name.is_empty()).map(owned),
        unresolved: None,
    };
    match current(root) {
        Ok(current) => {
            first(&mut survey.clusters, |found| found.name == current.cluster_name);
            first(&mut survey.users, |found| found.name == current.user_name);
        }
        Err(error) => survey.unresolved = Some(error),
    }
    survey
}

/// Moves the first that fits to the front; the others keep their order.
fn first<T>(list: &mut [T], fits: impl Fn(&T) -> bool) {
    if let Some(at) = list.iter().position(fits)
        && let Some(head) = list.get_mut(..=at)
    {
        head.rotate_right(1);
    }
}

/// Names and contents of a list. client-go takes the first of two with one name; the other is never used.
fn named<'n>(root: &'n Node, list: &str, what: &'static str) -> impl Iterator<Item = (&'n str, &'n Node)> {
    items(root, list).iter().filter_map(move |item| Some((text(item, "name")?, field(item, what)?)))
}

fn cluster(name: &str, node: &Node) -> Cluster<'static> {
    Cluster {
        name: owned(name),
        server: owned(text(node, "server").unwrap_or_default()),
        server_name: stated(node, "tls-server-name").map(owned),
        is_insecure: text(node, "insecure-skip-tls-verify") == Some("true"),
        authority: source(node, AUTHORITY, "certificate-authority"),
    }
}

fn user(name: &str, node: &Node) -> User<'static> {
    let certificate = source(node, CERTIFICATE, "client-certificate");
    // kubectl refuses a certificate without one: empty, null and a list are none.
    let none = || Key::Data(Err(KubeconfigError::Missing(KEY)));
    let key = match (stated(node, KEY), stated(node, "client-key")) {
        (Some(text), _) => Some(Key::Data(document::key(text))),
        (None, Some(path)) => Some(Key::File(owned(path))),
        (None, None) => certificate.is_some().then(none),
    };
    User {
        name: owned(name),
        certificate,
        key,
        credentials: CREDENTIALS.iter().copied().filter(|key| field(node, key).is_some()).collect(),
    }
}

fn context(name: &str, node: &Node) -> Context<'static> {
    let part = |key| owned(text(node, key).unwrap_or_default());
    Context { name: owned(name), cluster: part("cluster"), user: part("user") }
}

/// Data wins over a file, as in client-go.
fn source(node: &Node, data: &str, file: &str) -> Option<Source<'static>> {
    stated(node, data).map(owned).map(Source::Data).or_else(|| stated(node, file).map(owned).map(Source::File))
}

fn stated<'n>(node: &'n Node, key: &str) -> Option<&'n str> {
    text(node, key).filter(|text| !text.is_empty())
}

fn owned(text: &str) -> Cow<'static, str> {
    Cow::Owned(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::plain::read;
    use super::*;
    use proptest::prelude::*;

    const KUBEADM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/kubeadm");

    #[allow(clippy::disallowed_methods)] // fixtures
    fn fixtures() -> Vec<Vec<u8>> {
        let files = walkdir::WalkDir::new(KUBEADM).sort_by_file_name().into_iter().map(Result::unwrap);
        let files = files.filter(|entry| entry.path().extension().is_some_and(|found| found == "conf"));
        files.map(|entry| std::fs::read(entry.path()).unwrap()).collect()
    }

    /// Short, so that mutations meet more than base64.
    fn short(preferences: bool, files: bool) -> String {
        let preferences = if preferences { "preferences: {}\n" } else { "" };
        let (a, b) = match files {
            true => ("client-certificate: /var/lib/kubelet/pki/kubelet-client-current.pem", "client-key: /k.pem"),
            false => ("client-certificate-data: Zm9v", "client-key-data: Zm9vYg=="),
        };
        format!(
            "apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: Zm8=\n    server: https://[fd00::1]:6443\n  \
             name: k\ncontexts:\n- context:\n    cluster: k\n    user: system:node:a\n  name: system:node:a@k\n\
             current-context: system:node:a@k\nkind: Config\n{preferences}users:\n- name: system:node:a\n  user:\n    {a}\n    {b}\n"
        )
    }

    #[test]
    fn every_kubeconfig_kubeadm_made_goes_the_short_way_to_the_same_end() {
        let mut found = fixtures();
        // `generate-csr` leaves kubeconfigs without certificates.
        found.retain(|bytes| String::from_utf8_lossy(bytes).contains("client-certificate-data"));
        assert!(found.len() >= 40, "{}", found.len());
        for (preferences, files) in [(false, false), (true, false), (false, true), (true, true)] {
            found.push(short(preferences, files).into_bytes());
        }
        for bytes in found {
            let fast = read(&bytes).unwrap_or_else(|| panic!("{} bytes", bytes.len()));
            assert_eq!(by_yaml(&bytes), Ok(fast));
        }
    }

    #[test]
    fn unusual_texts_are_left_to_yaml() {
        let text = short(false, false);
        for (from, to) in [
            ("server: ", "server:  "),
            ("name: k\n", "name: k \n"),
            ("name: k\n", "name: \"k\"\n"),
            ("name: k\n", "name: k # c\n"),
            ("name: k\n", "name: null\n"),
            ("name: k\n", "name: k:\n"),
            ("cluster: k", "cluster: other"),
            ("\n", "\r\n"),
            ("kind: Config", "kind: Secret"),
            ("client-key-data: Zm9vYg==\n", "client-key-data: Zm9vYg==\n    token: x\n"),
            ("Zm9vYg==\n", "Zm9vYg=="),
            ("Zm9vYg==\n", "Zm9vYg==\n\n"),
        ] {
            let changed = text.replace(from, to);
            assert_ne!(changed, text);
            assert_eq!(read(changed.as_bytes()), None, "{changed}");
        }
    }

    #[test]
    fn two_users_and_the_current_one_first() {
        let text = "kind: Config\nclusters:\n- name: a\n  cluster: {server: x}\n- name: b\n  cluster: {certificate-authority: ca.crt}\n\
                    contexts:\n- name: c\n  context: {cluster: b, user: v}\ncurrent-context: c\n\
                    users:\n- name: u\n  user: {client-certificate-data: Zm8=, token: t}\n- name: v\n  user: {client-certificate: v.crt}\n";
        let found = survey(text.as_bytes()).unwrap();
        assert_eq!(found.users.iter().map(|user| user.name.as_ref()).collect::<Vec<_>>(), ["v", "u"]);
        assert_eq!(found.users[1].credentials, ["client-certificate-data", "token"]);
        assert_eq!(found.users[0].certificate, Some(Source::File("v.crt".into())));
        assert_eq!(found.clusters[0].authority, Some(Source::File("ca.crt".into())));
        assert_eq!(found.unresolved, None);
        let lost = text.replace("user: v}", "user: w}");
        let lost = survey(lost.as_bytes()).unwrap();
        assert_eq!(lost.users[0].name, "u");
        assert!(lost.unresolved.is_some());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn a_mutation_is_read_as_yaml_reads_it(
            preferences in any::<bool>(), files in any::<bool>(), at in any::<prop::sample::Index>(),
            with in prop_oneof![Just(String::new()), "[ -~\n]{1,3}", Just("\n".to_owned()), Just(" ".to_owned()), Just(": ".to_owned())],
            cut in 0usize..3,
        ) {
            let text = short(preferences, files);
            let at = at.index(text.len());
            let changed = format!("{}{with}{}", text.get(..at).unwrap_or_default(), text.get(at + cut..).unwrap_or_default());
            if let Some(fast) = read(changed.as_bytes()) {
                prop_assert_eq!(by_yaml(changed.as_bytes()), Ok(fast), "{}", changed);
                prop_assert!(document::plain_stream(changed.as_bytes()).is_ok(), "{}", changed);
            }
        }
    }
}
