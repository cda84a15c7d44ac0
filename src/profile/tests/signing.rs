//! What is refused in key, signer and issuer of an authority, word for word.

use super::*;

#[test]
fn where_a_key_is() {
    for (options, expected) in [
        ("key: /a", "4:22: authorities.ca.key: expected a mapping, found /a"),
        ("key: {file: a}", "x"),
        ("key: {file: /a, command: [b]}", "x"),
        ("key: {passphraseFile: /a, passphraseEnv: B}", "x"),
        ("key: {passphraseFile: a}", "x"),
        ("key: {passphraseEnv: A-B}", "x"),
        ("key: {passphraseEnv: 1A}", "x"),
        ("key: {passphraseEnv: \"\"}", "x"),
        ("key: {passphraseEnv: PATH}", "x"),
        ("key: {command: age}", "x"),
        ("key: {command: []}", "x"),
        ("key: {command: [\"\"]}", "x"),
        ("key: {command: [bin/age]}", "x"),
        ("key: {command: [/usr/bin/]}", "x"),
        ("key: {passphrase: a}", "x"),
        ("signer: /a", "x"),
        ("signer: []", "x"),
        ("signer: [bin/sign]", "x"),
        ("signer: {}", "x"),
        ("signer: {input: digest}", "x"),
        ("signer: {command: [/a], input: hash}", "x"),
        ("signer: {command: [/a], publicKey: a.pub}", "x"),
        ("signer: {command: [/a], publicKey: []}", "x"),
        ("signer: {command: [/a], parallel: 0}", "x"),
        ("signer: {command: [/a], parallel: 65}", "x"),
        ("signer: {command: [/a], timeout: 0}", "x"),
        ("signer: {command: [/a], timeout: soon}", "x"),
        ("signer: {command: [/a], key: b}", "x"),
        ("issuer: []", "x"),
        ("issuer: {timeout: 1m}", "x"),
        ("issuer: {command: [/a], timeout: 0}", "x"),
        ("key: {file: /a}, signer: [/b]", "x"),
        ("signer: [/a], issuer: [/b]", "x"),
    ] {
        assert_refused(&with(&format!("caKeys: none\nauthorities: {{ca: {{{options}}}}}")), &[expected]);
    }
}

#[test]
fn what_is_elsewhere_needs_ca_keys_none() {
    for (options, field) in [("key: {file: /a}", "key"), ("signer: [/a]", "signer"), ("issuer: [/a]", "issuer")] {
        for (keys, line) in [("", 3), ("caKeys: control-plane\n", 4)] {
            let expected = format!(
                "{line}:20: authorities.ca.{field}: expected caKeys: none beside it, since kube-controller-manager and kubeadm read \
                 an authority's key in plain, found caKeys: control-plane"
            );
            assert_refused(&with(&format!("{keys}authorities: {{ca: {{{options}}}}}")), &[&expected]);
        }
    }
}
