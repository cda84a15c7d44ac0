//! What of a text out of a file may stand in a message. A key or a token may be in any place of a file: pasted into a profile,
//! moved into the next field by lost line breaks. So a text is shown only if it is short and made of words and numbers, as
//! names, addresses, paths and durations are, and base64, hexadecimal digits and random passwords are not. Of any other
//! only the length is said; its place is in the message anyway.

/// A value or key of a profile, or of another file of settings.
pub fn shown(text: &str) -> String {
    within(text, &VALUE)
}

/// The same with an empty text named, which would vanish from a message.
pub fn quoted(text: &str) -> String {
    if text.is_empty() { "an empty text".to_owned() } else { shown(text) }
}

/// A key in the path of a field.
pub fn part(key: &str) -> String {
    if shown(key) == key { key.to_owned() } else { "…".to_owned() }
}

/// The name of something in a kubeconfig, a Secret or an archive, a URL without its password, a path.
pub fn named(text: &str) -> String {
    match text.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?.1))) {
        Some((scheme, host)) => format!("{}://(password)@{}", within(scheme, &NAME), within(host, &NAME)),
        None => within(text, &NAME),
    }
}

/// How long a text and its parts may be.
struct Bounds {
    characters: usize,
    digits: usize,
    /// Lower-case letters and digits in any order.
    mixed: usize,
    /// Beside letters, digits and the punctuation of addresses.
    also: &'static str,
}

const VALUE: Bounds = Bounds { characters: 60, digits: 11, mixed: 7, also: "" };
/// Names of nodes, instances and replicas are longer and more random.
const NAME: Bounds = Bounds { characters: 160, digits: 12, mixed: 12, also: "@()" };
const PUNCTUATION: &str = " ._-/:,*%[]<>~";

fn within(text: &str, bounds: &Bounds) -> String {
    let length = text.chars().count();
    // Control characters part words, too; they are shown escaped.
    let parts = |c: char| PUNCTUATION.contains(c) || bounds.also.contains(c) || is_hidden(c);
    let known = length <= bounds.characters && text.chars().all(|c| c.is_alphanumeric() || parts(c));
    if !known || !text.split(parts).all(|part| is_wordlike(part, bounds)) {
        return format!("a text of {length} characters");
    }
    escaped(text)
}

/// With control characters, and those that reorder or hide what a terminal shows, escaped.
pub fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if is_hidden(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// A word, perhaps with a number behind it; a number; or both mixed, and short.
fn is_wordlike(part: &str, bounds: &Bounds) -> bool {
    let word = part.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = part.len() - word.len();
    if word.is_empty() {
        return digits <= bounds.digits;
    }
    let mixed = part.len() <= bounds.mixed && !part.contains(char::is_uppercase);
    mixed
        || part.len() <= 4 && !(part.contains(char::is_uppercase) && part.contains(char::is_lowercase))
        || digits <= 5 && is_camel_case(word)
}

/// Letters with capitals as names of fields have them: `certSANs`, `APIVersion`, `ClusterConfiguration`. Random letters change
/// between the cases too often.
fn is_camel_case(word: &str) -> bool {
    let mut letters = word.chars().peekable();
    while letters.peek().is_some() {
        let mut count = |upper: bool| {
            let mut count = 0usize;
            while letters.next_if(|c| c.is_alphabetic() && c.is_uppercase() == upper).is_some() {
                count += 1;
            }
            count
        };
        let (upper, lower) = (count(true), count(false));
        let last = letters.peek().is_none() && word.len() >= 5;
        if !matches!((upper, lower), (0 | 1, 2..) | (2.., 0 | 1 | 3..)) && !last {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::base64;
    use proptest::prelude::*;

    #[test]
    fn what_people_write_in_profiles_is_shown() {
        for text in [
            "cp1",
            "CP1",
            "node_1",
            "10.0.0.300",
            "10.96.0.0/33",
            "fd00::10:1/64",
            "[2001:db8::1]:6443",
            "8760",
            "90d",
            "1h30m",
            "-1h",
            "200%",
            "v1.36.2",
            "kubeadm.k8s.io/v1beta4",
            "kpki/v1",
            "clusterConfiguration",
            "certSANs",
            "etcdCertSANs",
            "apiServerExtraSANs",
            "CIDRs",
            "ClusterConfiguration",
            "ecdsa-p256",
            "ECDSA-P256",
            "rsa4096",
            "RSA-8192",
            "/etc/kubernetes/pki/../x",
            "https://10.0.0.21:2379",
            "*.example.com",
            "front-proxy-client",
            "Straße",
            "31536000",
            "10.0.0.0/8, fd00::/8",
            "true",
            "~",
            "system:masters",
            "dataDr",
        ] {
            assert_eq!(shown(text), text);
        }
        assert_eq!(quoted(""), "an empty text");
        assert_eq!(shown("a\0\u{202e}b"), "a\\u{0}\\u{202e}b");
    }

    #[test]
    fn names_of_clusters_are_shown_and_their_passwords_are_not() {
        for text in [
            "kubernetes-admin@kubernetes",
            "arn:aws:eks:eu-central-1:123456789012:cluster/prod",
            "gke_project_us-central1-a_cluster-1",
            "system:node:ip-10-0-0-12.eu-west-1.compute.internal",
            "shop/web-tls-7d9f8b6c5d",
            "https://api.example.com:6443",
            "/var/lib/kubelet/pki/kubelet-client-current.pem",
        ] {
            assert_eq!(named(text), text);
        }
        assert_eq!(named("https://admin:hunter2@api.example.com:6443"), "https://(password)@api.example.com:6443");
        assert_eq!(named("abcdef.0123456789abcdef"), "a text of 23 characters");
    }

    #[test]
    fn keys_tokens_and_random_passwords_are_not() {
        for text in [
            "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg",
            "-----BEGIN EC PRIVATE KEY-----",
            "abcdef.0123456789abcdef",
            "9f86d081884c7d659a2feaa0c55ad015",
            "eyJhbGciOiJSUzI1NiIsImtpZCI6Ii",
            "Tr0ub4dor&3",
            "xK9mQ2vLp",
            "MIGH\nAgEAMBMGByqGSM49",
        ] {
            let hidden = format!("a text of {} characters", text.chars().count());
            // The hyphens and words of a BEGIN line are no secret.
            assert!(shown(text) == hidden || text.starts_with("-----BEGIN"), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, rng_seed: proptest::test_runner::RngSeed::Fixed(11), ..ProptestConfig::default() })]

        /// As whole lines, and with the end of the last one.
        #[test]
        fn no_random_bytes_are_shown_in_any_encoding(bytes in prop::collection::vec(any::<u8>(), 16..60)) {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            for text in [base64::encode(&bytes).as_str(), &hex, &hex.to_uppercase()] {
                let hidden = format!("a text of {} characters", text.len());
                prop_assert_eq!(shown(text), hidden.as_str());
                prop_assert_eq!(named(text), hidden.as_str());
            }
        }
    }
}
