//! kubeadm's own shape, line by line: one cluster, one context, one user, plain scalars. A fleet holds thousands of these
//! files, nine tenths of each is base64, and a YAML parser looks at every character of it. Anything unusual is `None`, and
//! the YAML reader decides.

use std::borrow::Cow;

use super::survey::{Cluster, Context, Source, Survey, User};
use crate::encoding::yaml::MAX_BYTES;

pub fn read(bytes: &[u8]) -> Option<Survey<'_>> {
    if bytes.len() > MAX_BYTES {
        return None;
    }
    let mut lines = Lines { rest: bytes };
    lines.exactly("apiVersion: v1")?;
    lines.exactly("clusters:")?;
    lines.exactly("- cluster:")?;
    let authority = lines.data("    certificate-authority-data: ")?;
    let server = lines.value("    server: ")?;
    let cluster = lines.value("  name: ")?;
    lines.exactly("contexts:")?;
    lines.exactly("- context:")?;
    let context_cluster = lines.value("    cluster: ")?;
    let context_user = lines.value("    user: ")?;
    let context = lines.value("  name: ")?;
    let current = lines.value("current-context: ")?;
    lines.exactly("kind: Config")?;
    if lines.peek("preferences: {}") {
        lines.exactly("preferences: {}")?;
    }
    lines.exactly("users:")?;
    let user = lines.value("- name: ")?;
    lines.exactly("  user:")?;
    if lines.peek("    as-user-extra: null\n") {
        // What Go wrote for years.
        lines.exactly("    as-user-extra: null")?;
    }
    let (certificate, credentials) = if lines.peek("    client-certificate-data: ") {
        let certificate = lines.data("    client-certificate-data: ")?;
        lines.data("    client-key-data: ")?;
        (Source::Data(certificate), vec!["client-certificate-data", "client-key-data"])
    } else {
        let certificate = lines.value("    client-certificate: ")?;
        lines.value("    client-key: ")?;
        (Source::File(certificate), vec!["client-certificate", "client-key"])
    };
    let whole = lines.rest.is_empty() && cluster == context_cluster && user == context_user && context == current;
    whole.then(|| Survey {
        clusters: vec![Cluster { name: cluster, server, authority: Some(Source::Data(authority)) }],
        users: vec![User { name: user, certificate: Some(certificate), credentials }],
        contexts: vec![Context { name: context, cluster: context_cluster, user: context_user }],
        current: Some(current),
        unresolved: None,
    })
}

struct Lines<'a> {
    rest: &'a [u8],
}

impl<'a> Lines<'a> {
    fn peek(&self, start: &str) -> bool {
        self.rest.starts_with(start.as_bytes())
    }

    fn exactly(&mut self, line: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(line.as_bytes())?.strip_prefix(b"\n")?;
        Some(())
    }

    fn line(&mut self, start: &str, allowed: fn(u8) -> bool) -> Option<Cow<'a, str>> {
        let text = self.rest.strip_prefix(start.as_bytes())?;
        let end = text.iter().position(|byte| !allowed(*byte))?;
        let (value, rest) = text.split_at_checked(end)?;
        self.rest = rest.strip_prefix(b"\n")?;
        std::str::from_utf8(value).ok().map(Cow::Borrowed).filter(|value| !value.is_empty())
    }

    fn data(&mut self, start: &str) -> Option<Cow<'a, str>> {
        // A value that begins with `=` is YAML's business.
        self.line(start, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
            .filter(|value| !is_null(value) && !value.starts_with('='))
    }

    /// What YAML reads as the same text without quotes: nothing that ends a plain scalar, nothing that begins another
    /// kind of value.
    fn value(&mut self, start: &str) -> Option<Cow<'a, str>> {
        self.line(start, |byte| byte.is_ascii_alphanumeric() || b".-_:/@[]".contains(&byte)).filter(|value| {
            value.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/')
                && !value.ends_with(':')
                && !is_null(value)
        })
    }
}

fn is_null(value: &str) -> bool {
    matches!(value, "null" | "Null" | "NULL")
}

#[cfg(test)]
mod tests {
    use super::super::survey::{by_yaml, survey};
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
            }
        }
    }
}
