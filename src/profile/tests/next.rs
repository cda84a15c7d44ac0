//! What is refused in next of an authority, word for word.

use super::*;

#[test]
fn where_the_key_of_an_authority_to_come_is() {
    let no_place = "4:32: authorities.ca.next.key.file: expected where the new key is: file or command, found nothing";
    for (options, expected) in [
        ("next: {}", "4:26: authorities.ca.next.key: expected where the new key is: key or signer, found nothing"),
        ("next: {key: {}}", no_place),
        ("next: {key: {passphraseFile: /a}}", no_place),
        (
            "next: {key: {file: a}}",
            "4:39: authorities.ca.next.key.file: expected an absolute path without . and .., found a",
        ),
        (
            "next: {key: {file: /a}, signer: [/b]}",
            "4:52: authorities.ca.next.signer: expected one of key and signer, found key and signer",
        ),
        ("next: {issuer: [/b]}", "4:27: authorities.ca.next.issuer: expected a known key, found an unknown one"),
        (
            "next: {signer: []}",
            "4:35: authorities.ca.next.signer: expected a program and its arguments, as a list, found nothing",
        ),
    ] {
        assert_refused(&with(&format!("caKeys: none\nauthorities: {{ca: {{{options}}}}}")), &[expected]);
    }
    let plain = "3:26: authorities.ca.next: expected caKeys: none beside it, since kube-controller-manager and kubeadm read an \
                 authority's key in plain, found caKeys: control-plane";
    assert_refused(&with("authorities: {ca: {next: {key: {file: /a}}}}"), &[plain]);
}
