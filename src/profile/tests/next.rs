//! What is refused in next of an authority, word for word.

use super::*;

#[test]
fn where_the_key_of_an_authority_to_come_is() {
    for (options, expected) in [
        ("next: {}", "x"),
        ("next: {key: {}}", "x"),
        ("next: {key: {passphraseFile: /a}}", "x"),
        ("next: {key: {file: a}}", "x"),
        ("next: {key: {file: /a}, signer: [/b]}", "x"),
        ("next: {issuer: [/b]}", "x"),
        ("next: {signer: []}", "x"),
    ] {
        assert_refused(&with(&format!("caKeys: none\nauthorities: {{ca: {{{options}}}}}")), &[expected]);
    }
    assert_refused(&with("authorities: {ca: {next: {key: {file: /a}}}}"), &["x"]);
}
