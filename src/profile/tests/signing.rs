//! What is refused in key, signer and issuer of an authority, word for word.

use super::*;

#[test]
fn where_a_key_is() {
    for (options, expected) in [
        ("key: /a", "4:25: authorities.ca.key: expected a mapping, found /a"),
        ("key: {file: a}", "4:32: authorities.ca.key.file: expected an absolute path without . and .., found a"),
        ("key: {file: /a, command: [b]}", "4:45: authorities.ca.key.command: expected file or command, found both"),
        (
            "key: {passphraseFile: /a, passphraseEnv: B}",
            "4:61: authorities.ca.key.passphraseEnv: expected passphraseFile or passphraseEnv, found both",
        ),
        (
            "key: {passphraseFile: a}",
            "4:42: authorities.ca.key.passphraseFile: expected an absolute path without . and .., found a",
        ),
        (
            "key: {passphraseEnv: A-B}",
            "4:41: authorities.ca.key.passphraseEnv: expected the name of an environment variable, found A-B",
        ),
        (
            "key: {passphraseEnv: 1A}",
            "4:41: authorities.ca.key.passphraseEnv: expected the name of an environment variable, found 1A",
        ),
        (
            "key: {passphraseEnv: \"\"}",
            "4:41: authorities.ca.key.passphraseEnv: expected the name of an environment variable, found an empty text",
        ),
        (
            "key: {passphraseEnv: PATH}",
            "4:41: authorities.ca.key.passphraseEnv: expected a variable that holds a passphrase, found PATH",
        ),
        (
            "key: {command: [/a], timeout: 0}",
            "4:50: authorities.ca.key.timeout: expected a duration such as 8760h or 90d, found 0 (must be more than zero)",
        ),
        (
            "key: {file: /a, timeout: 1m}",
            "4:25: authorities.ca.key.command: expected a program and its arguments, beside timeout, found nothing",
        ),
        ("key: {command: age}", "4:35: authorities.ca.key.command: expected a list, found age"),
        (
            "key: {command: []}",
            "4:35: authorities.ca.key.command: expected a program and its arguments, as a list, found nothing",
        ),
        (
            "key: {command: [\"\"]}",
            "4:36: authorities.ca.key.command[0]: expected the absolute path of a program, or its name, found an empty text",
        ),
        (
            "key: {command: [bin/age]}",
            "4:36: authorities.ca.key.command[0]: expected the absolute path of a program, or its name, found bin/age",
        ),
        (
            "key: {command: [/usr/bin/]}",
            "4:36: authorities.ca.key.command[0]: expected the absolute path of a program, or its name, found /usr/bin/",
        ),
        (
            "key: {passphrase: a}",
            "4:26: authorities.ca.key.passphrase: expected a known key, found an unknown one (did you mean passphraseEnv?)",
        ),
        ("signer: /a", "4:28: authorities.ca.signer: expected a list, found /a"),
        ("signer: []", "4:28: authorities.ca.signer: expected a program and its arguments, as a list, found nothing"),
        (
            "signer: [bin/sign]",
            "4:29: authorities.ca.signer[0]: expected the absolute path of a program, or its name, found bin/sign",
        ),
        (
            "signer: {}",
            "4:28: authorities.ca.signer.command: expected a program and its arguments, as a list, found nothing",
        ),
        (
            "signer: {input: digest}",
            "4:28: authorities.ca.signer.command: expected a program and its arguments, as a list, found nothing",
        ),
        (
            "signer: {command: [/a], input: hash}",
            "4:51: authorities.ca.signer.input: expected digest or message, found hash",
        ),
        (
            "signer: {command: [/a], publicKey: a.pub}",
            "4:55: authorities.ca.signer.publicKey: expected an absolute path without . and .., found a.pub",
        ),
        (
            "signer: {command: [/a], publicKey: []}",
            "4:55: authorities.ca.signer.publicKey: expected a program and its arguments, as a list, found nothing",
        ),
        (
            "signer: {command: [/a], parallel: 0}",
            "4:54: authorities.ca.signer.parallel: expected a number from 1 to 64, found 0",
        ),
        (
            "signer: {command: [/a], parallel: 65}",
            "4:54: authorities.ca.signer.parallel: expected a number from 1 to 64, found 65",
        ),
        (
            "signer: {command: [/a], timeout: 0}",
            "4:53: authorities.ca.signer.timeout: expected a duration such as 8760h or 90d, found 0 (must be more than zero)",
        ),
        (
            "signer: {command: [/a], timeout: soon}",
            "4:53: authorities.ca.signer.timeout: expected a duration such as 8760h or 90d, found soon",
        ),
        (
            "signer: {command: [/a], key: b}",
            "4:44: authorities.ca.signer.key: expected a known key, found an unknown one",
        ),
        ("issuer: []", "4:28: authorities.ca.issuer: expected a program and its arguments, as a list, found nothing"),
        (
            "issuer: {timeout: 1m}",
            "4:28: authorities.ca.issuer.command: expected a program and its arguments, as a list, found nothing",
        ),
        (
            "issuer: {command: [/a], timeout: 0}",
            "4:53: authorities.ca.issuer.timeout: expected a duration such as 8760h or 90d, found 0 (must be more than zero)",
        ),
        (
            "key: {file: /a}, signer: [/b]",
            "4:45: authorities.ca.signer: expected one of key, signer and issuer, found key and signer",
        ),
        (
            "signer: [/a], issuer: [/b]",
            "4:42: authorities.ca.issuer: expected one of key, signer and issuer, found signer and issuer",
        ),
    ] {
        assert_refused(&with(&format!("caKeys: none\nauthorities: {{ca: {{{options}}}}}")), &[expected]);
    }
}

#[test]
fn what_is_elsewhere_needs_ca_keys_none() {
    for (options, field) in [("key: {file: /a}", "key"), ("signer: [/a]", "signer"), ("issuer: [/a]", "issuer")] {
        for (keys, line) in [("", 3), ("caKeys: control-plane\n", 4)] {
            let column = 20 + field.len() + 2;
            let expected = format!(
                "{line}:{column}: authorities.ca.{field}: expected caKeys: none beside it, since kube-controller-manager and kubeadm read \
                 an authority's key in plain, found caKeys: control-plane"
            );
            assert_refused(&with(&format!("{keys}authorities: {{ca: {{{options}}}}}")), &[&expected]);
        }
    }
}
