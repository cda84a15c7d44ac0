//! Edits: one table of shapes, every kubeconfig kubeadm made, and decorations at random.

use super::*;
use crate::kubeconfig::survey;
use proptest::prelude::*;

const NEW: NewCredentials<'static> = NewCredentials {
    certificate: "new certificate",
    key: Some("new key"),
    authority: Some("new authority"),
    server: None,
};

fn new() -> [String; 3] {
    ["new certificate", "new key", "new authority"].map(|text| base64::encode(text.as_bytes()).to_string())
}

/// A kubeconfig around three values, as they stand in the text; the others are there to stay.
fn around(authority: &str, certificate: &str, key: &str) -> String {
    format!(
        "# mine\nkind: Config\napiVersion: v1\nclusters:\n- name: other\n  cluster: {{server: 'x', certificate-authority-data: b3RoZXI=}}\n\
         - name: k\n  cluster:\n    certificate-authority-data: {authority}\n    server: https://a # here\n\
         contexts: [{{name: c, context: {{cluster: k, user: u}}}}]\ncurrent-context: \"c\"\nusers:\n  - name: u\n    user:\n      \
         client-certificate-data: {certificate}\n      client-key-data: {key}\n  - name: v\n    user: {{token: \"t\"}}\n"
    )
}

#[test]
fn every_shape_of_a_scalar_keeps_its_dress() {
    let [certificate, key, authority] = new();
    for (old, dress) in [
        ("b2xk", "NEW"),
        ("'b2xk'", "'NEW'"),
        ("\"b2xk\"", "\"NEW\""),
        ("\"b2xk\"   # why", "\"NEW\"   # why"),
        ("'b2xk' \t", "'NEW' \t"),
        ("  b2xk  # ä", "  NEW  # ä"),
        ("\n         b2xk", "\n         NEW"),
        ("b2\n         xk\n         # c", "NEW\n         # c"),
        ("\"b2\\\n         xk\"", "\"NEW\""),
        ("'b2\n\n         xk'", "'NEW'"),
        ("|\n         b2xk", "|\n         NEW"),
        ("|- # ä\n\n         b2\n         xk\n\n# c", "|- # ä\n\n         NEW\n\n# c"),
        (">+\n         b2\n         xk\n\n", ">+\n         NEW\n\n"),
        ("|9\n               b2xk", "|9\n               NEW"),
    ] {
        let text = around(old, old, old);
        let expected =
            around(&dress.replace("NEW", &authority), &dress.replace("NEW", &certificate), &dress.replace("NEW", &key));
        for (from, to) in [("", ""), ("\n", "\r\n")] {
            for mark in ["", "\u{feff}"] {
                let dressed = |text: &str| {
                    format!("{mark}{}", if from.is_empty() { text.to_owned() } else { text.replace(from, to) })
                };
                let edited = replace(dressed(&text).as_bytes(), &NEW);
                let edited = edited.unwrap_or_else(|error| panic!("{old:?}: {error}"));
                assert_eq!(String::from_utf8_lossy(&edited), dressed(&expected), "{old:?}");
            }
        }
    }
}

#[test]
fn flow_mappings_and_json_stay_what_they_are() {
    let [certificate, key, authority] = new();
    for template in [
        "{\"kind\":\"Config\",\"clusters\":[{\"name\":\"k\",\"cluster\":{\"certificate-authority-data\":\"@A\",\"server\":\"\\u00e4\"}}],\
         \"contexts\":[{\"name\":\"c\",\"context\":{\"cluster\":\"k\",\"user\":\"u\"}}],\"current-context\":\"c\",\
         \"users\":[{\"name\":\"u\",\"user\":{\"client-key-data\":\"@K\",\"client-certificate-data\":\"@C\"}}]}",
        "kind: Config\nclusters: [{name: k, cluster: {certificate-authority-data: @A}}]\n\
         contexts: [{name: c, context: {cluster: k, user: u}}]\ncurrent-context: c\n\
         users: [{name: u, user: {client-certificate-data: @C, client-certificate: /a, client-key-data: @K\n  , token: t}}]\n--- {a: b}",
    ] {
        let filled = |c: &str, k: &str, a: &str| template.replace("@C", c).replace("@K", k).replace("@A", a);
        let old = filled("Yw==", "aw==", "YQ==");
        let edited = replace(old.as_bytes(), &NEW).unwrap_or_else(|error| panic!("{old}: {error}"));
        assert_eq!(String::from_utf8_lossy(&edited), filled(&certificate, &key, &authority));
    }
}

#[test]
fn what_is_not_given_or_not_there_is_left_alone() {
    let text = around("b2xk", "b2xk", "b2xr");
    let [certificate, _, authority] = new();
    let only = NewCredentials { key: None, authority: None, ..NEW };
    assert_eq!(replace(text.as_bytes(), &only).unwrap().as_slice(), around("b2xk", &certificate, "b2xr").as_bytes());
    let only = NewCredentials { key: None, ..NEW };
    assert_eq!(
        replace(text.as_bytes(), &only).unwrap().as_slice(),
        around(&authority, &certificate, "b2xr").as_bytes()
    );
    // Never a key that was not there.
    for trust in [
        "certificate-authority: /ca.crt",
        "insecure-skip-tls-verify: true",
        "certificate-authority-data: \"\"",
        "tls-server-name: x",
    ] {
        let text = text.replace("certificate-authority-data: b2xk", trust);
        let edited = replace(text.as_bytes(), &NEW).unwrap();
        let edited = String::from_utf8_lossy(&edited);
        assert!(edited.contains(trust) && !edited.contains(&authority), "{edited}");
    }
    // The same bytes again are no change.
    let old = NewCredentials { certificate: "old", key: Some("olk"), authority: Some("old"), server: None };
    assert_eq!(replace(text.as_bytes(), &old).unwrap().as_slice(), text.as_bytes());
}

#[test]
fn a_server_moves_in_its_dress_and_alone() {
    let text = around("b2xk", "b2xk", "b2xr");
    for (old, new) in [
        ("https://a # here", "https://[2001:db8::1]:6443 # here"),
        ("'https://a'", "'https://[2001:db8::1]:6443'"),
        ("\"https://a\"  # b", "\"https://[2001:db8::1]:6443\"  # b"),
    ] {
        let text = text.replace("https://a # here", old);
        let edited = replace_cluster(text.as_bytes(), None, Some("https://[2001:db8::1]:6443")).unwrap();
        assert_eq!(String::from_utf8_lossy(&edited), text.replace(old, new));
        // With the credential in the same edit.
        let all = NewCredentials { server: Some("https://[2001:db8::1]:6443"), ..NEW };
        let edited = replace(text.as_bytes(), &all).unwrap();
        assert_eq!(String::from_utf8_lossy(&edited).matches(new).count(), 1, "{old}");
    }
    // One that is not there is not added, and that is no success.
    let without = text.replace("    server: https://a # here\n", "");
    assert_eq!(replace_cluster(without.as_bytes(), None, Some("https://b")), Err(KubeconfigError::EditedWrongly));
}

#[test]
fn what_cannot_be_edited_safely_is_refused() {
    let text = around("b2xk", "b2xk", "b2xr");
    let data = "      client-certificate-data: b2xk\n      client-key-data: b2xr\n";
    for (from, to, expected) in [
        (
            data,
            "      client-certificate: c.pem\n      client-key: k.pem\n",
            "expected embedded credentials, found the file c.pem",
        ),
        (
            data,
            "      client-certificate-data: ''\n      client-key-data: ''\n      client-certificate: c.pem\n      client-key: k.pem\n",
            "expected embedded credentials, found the file c.pem",
        ),
        (data, "      token: t\n", "expected a client certificate and key, found neither data nor files"),
        (
            "data: b2xk\n      client",
            "data: &x b2xk\n      client",
            "expected plain values, each key once, found an anchor (&) at 16:32",
        ),
        (
            "client-key-data: b2xr",
            "client-key-data: *x",
            "expected plain values, each key once, found an alias (*) at 0:0",
        ),
        (
            "client-key-data: b2xr",
            "client-key-data: !!binary b2xr",
            "expected plain values, each key once, found a tag (!) at 17:24",
        ),
        ("client-key-data: b2xr", "<<: {a: b}", "expected plain values, each key once, found a merge key (<<) at 17:7"),
        (
            "client-key-data: b2xr",
            "client-key-data: b2xr\n      client-key-data: b2xr",
            "expected plain values, each key once, found a key again at 18:7",
        ),
        ("client-key-data: b2xr", "client-key-data: 'b2xr", "expected YAML, found something else at"),
        ("client-key-data: b2xr", "client-key-data: '*'", "expected base64 in client-key-data"),
        ("current-context: \"c\"", "current-context: \"d\"", "expected the context d, found none of that name"),
        ("current-context: \"c\"", "current-context: \"\"", "expected current-context, found none"),
        ("kind: Config", "kind: Secret", "expected a kubeconfig (kind: Config), found another document"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text);
        let found = replace(changed.as_bytes(), &NEW).unwrap_err().to_string();
        let expected = expected.trim_end_matches(" at 0:0");
        assert!(found.starts_with(expected), "{changed}: {found}");
    }
    // It would read back as no certificate.
    let empty = NewCredentials { certificate: "", ..NEW };
    assert!(replace(text.as_bytes(), &empty).is_err());
}

const KUBEADM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/kubeadm");

#[test]
#[allow(clippy::disallowed_methods)] // fixtures
fn every_kubeconfig_kubeadm_made_changes_in_its_values_only() {
    let mut edited = 0;
    for entry in walkdir::WalkDir::new(KUBEADM).sort_by_file_name().into_iter().map(Result::unwrap) {
        if entry.path().extension().is_none_or(|found| found != "conf") {
            continue;
        }
        let bytes = std::fs::read(entry.path()).unwrap();
        let text = String::from_utf8(bytes.clone()).unwrap();
        if !text.contains("client-certificate-data") {
            // `generate-csr` leaves kubeconfigs without certificates.
            assert!(replace(&bytes, &NEW).is_err(), "{}", entry.path().display());
            continue;
        }
        let [certificate, key, authority] = new();
        let line = |line: &str| match line.split_once(": ") {
            Some((name, _)) if name.ends_with(CERTIFICATE) => format!("{name}: {certificate}"),
            Some((name, _)) if name.ends_with(KEY) => format!("{name}: {key}"),
            Some((name, _)) if name.ends_with(AUTHORITY) => format!("{name}: {authority}"),
            _ => line.to_owned(),
        };
        let expected: Vec<String> = text.split('\n').map(line).collect();
        let found = replace(&bytes, &NEW).unwrap();
        assert_eq!(String::from_utf8_lossy(&found), expected.join("\n"), "{}", entry.path().display());
        assert_eq!(survey(&found).unwrap().current, survey(&bytes).unwrap().current);
        edited += 1;
    }
    assert!(edited >= 40, "{edited}");
}

/// A value between decorations, in its quotes.
fn dressed(value: &str, quote: &str, behind: &str) -> String {
    format!("{quote}{value}{quote}{behind}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn decorations_stay(
        quotes in proptest::collection::vec(prop_oneof![Just(""), Just("'"), Just("\"")], 3),
        behind in proptest::collection::vec(prop_oneof![Just(String::new()), Just("   ".to_owned()), " # [a-zäß:'\"{}\\[\\]&*]{0,12}"], 3),
        above in proptest::collection::vec("# [ -~äß]{0,20}", 0..4),
        name in "[a-z][a-z:é]{0,6}[a-z]",
        windows in any::<bool>(), mark in any::<bool>(), last in any::<bool>(), flow in any::<bool>(),
        old in proptest::collection::vec(any::<u8>(), 1..90),
        certificate in "[ -~\n]{1,80}", key in "[ -~\n]{1,80}",
    ) {
        let [new_certificate, new_key, new_authority] =
            [certificate.as_str(), key.as_str(), "new authority"].map(|text| base64::encode(text.as_bytes()).to_string());
        let old = base64::encode(&old).to_string();
        // A word that means something without quotes.
        prop_assume!(!matches!(old.as_str(), "null" | "Null" | "NULL"));
        prop_assume!(![&new_certificate, &new_key].iter().any(|text| text.eq_ignore_ascii_case("null")));
        let comments: String = above.iter().map(|line| format!("{line}\n")).collect();
        let make = |a: &str, c: &str, k: &str| {
            let [a, c, k] = [(a, 0), (c, 1), (k, 2)].map(|(value, at)| dressed(value, quotes[at], if flow { "" } else { &behind[at] }));
            let user = if flow {
                format!("  user: {{client-key-data: {k}, client-certificate-data: {c} }}\n")
            } else {
                format!("  user:\n{comments}     client-key-data: {k}\n     client-certificate-data: {c}\n")
            };
            let mut text = format!(
                "{comments}kind: Config\nclusters:\n- name: {name}\n  cluster:\n   certificate-authority-data: {a}\ncontexts:\n- name: c\n  \
                 context: {{user: {name}, cluster: {name}}}\ncurrent-context: c\nusers:\n- name: {name}\n{user}",
            );
            if !last {
                text.pop();
            }
            if windows {
                text = text.replace('\n', "\r\n");
            }
            if mark { format!("\u{feff}{text}") } else { text }
        };
        let new = NewCredentials { certificate: &certificate, key: Some(&key), authority: Some("new authority"), server: None };
        let text = make(&old, &old, &old);
        let edited = replace(text.as_bytes(), &new);
        prop_assert!(edited.is_ok(), "{}: {:?}", text, edited);
        prop_assert_eq!(edited.map(|found| found.to_vec()), Ok(make(&new_authority, &new_certificate, &new_key).into_bytes()));
    }

    #[test]
    fn no_text_makes_it_panic_or_change_more(at in any::<prop::sample::Index>(), with in "[ -~\n]{0,3}", cut in 0usize..4) {
        let text = around("b2xk", "|\n         b2xk", "'b2xr'");
        let at = at.index(text.len());
        let changed = format!("{}{with}{}", text.get(..at).unwrap_or_default(), text.get(at + cut..).unwrap_or_default());
        if let Ok(edited) = replace(changed.as_bytes(), &NEW) {
            let again = read(&edited).unwrap();
            prop_assert_eq!(again.server, read(changed.as_bytes()).unwrap().server);
            let Credentials::Embedded { certificate, .. } = again.credentials else { panic!("{changed}") };
            prop_assert_eq!(certificate, b"new certificate");
        }
    }
}
