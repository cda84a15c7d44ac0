use serde_json::json;

use super::*;

fn by(version: Option<u32>) -> By {
    By { mount: "transit".to_owned(), key: "ca".to_owned(), version }
}

#[test]
fn what_is_asked_for() {
    for (algorithm, input, version, path, body) in [
        (
            Algorithm::EcdsaSha256,
            Input::Digest,
            None,
            "transit/sign/ca/sha2-256",
            json!({"input": "AAA=", "prehashed": true, "marshaling_algorithm": "asn1"}),
        ),
        (
            Algorithm::EcdsaSha384,
            Input::Message,
            Some(2),
            "transit/sign/ca/sha2-384",
            json!({"input": "AAA=", "prehashed": false, "marshaling_algorithm": "asn1", "key_version": 2}),
        ),
        (
            Algorithm::RsaPkcs1Sha256,
            Input::Digest,
            None,
            "transit/sign/ca/sha2-256",
            json!({"input": "AAA=", "prehashed": true, "signature_algorithm": "pkcs1v15"}),
        ),
    ] {
        let task = Task { algorithm, input, bytes: &[0, 0] };
        assert_eq!((task.path(&by(version)), task.body(&by(version))), (path.to_owned(), body));
    }
}

#[test]
fn a_digest_has_its_length() {
    for (algorithm, input, length, fits) in [
        (Algorithm::EcdsaSha256, Input::Digest, 32, true),
        (Algorithm::EcdsaSha256, Input::Digest, 31, false),
        (Algorithm::EcdsaSha256, Input::Digest, 0, false),
        (Algorithm::EcdsaSha384, Input::Digest, 48, true),
        (Algorithm::EcdsaSha384, Input::Digest, 32, false),
        (Algorithm::RsaPkcs1Sha256, Input::Digest, 32, true),
        (Algorithm::RsaPkcs1Sha256, Input::Digest, 256, false),
        (Algorithm::EcdsaSha384, Input::Message, 1000, true),
    ] {
        let task = Task { algorithm, input, bytes: &vec![0; length] };
        assert_eq!(task.check().is_ok(), fits, "{task:?}");
    }
}

#[test]
fn flags_go_before_kpkis_variables() {
    let environment = Environment::of(&[("KPKI_SIGN_ALGORITHM", "ecdsa-sha384"), ("KPKI_SIGN_INPUT", "message")]);
    let algorithm = |given| setting::<Algorithm>(given, &environment, "KPKI_SIGN_ALGORITHM").unwrap();
    assert_eq!(algorithm(None), Algorithm::EcdsaSha384);
    assert_eq!(algorithm(Some(Algorithm::RsaPkcs1Sha256)), Algorithm::RsaPkcs1Sha256);
    assert_eq!(setting::<Input>(None, &environment, "KPKI_SIGN_INPUT").unwrap(), Input::Message);
    let wrong = Environment::of(&[("KPKI_SIGN_ALGORITHM", "ed25519")]);
    for (environment, variable) in [(&wrong, "KPKI_SIGN_ALGORITHM"), (&wrong, "KPKI_SIGN_INPUT")] {
        let error = setting::<Algorithm>(None, environment, variable).unwrap_err();
        assert!(error.what.contains("ecdsa-sha256, ecdsa-sha384, rsa-pkcs1-sha256"), "{error:?}");
    }
}

#[test]
fn signatures_and_what_is_none() {
    let of = |fields: Value, version| {
        let Value::Object(fields) = fields else { panic!("{fields}") };
        signature(&Answer { fields }, &by(version)).map_err(|error| error.shown())
    };
    let text = |signature: &str| json!({"data": {"signature": signature}});
    for version in [None, Some(7)] {
        assert_eq!(of(text("vault:v7:AAEC"), version), Ok(vec![0, 1, 2]));
    }
    let large = format!("vault:v1:{}", "AAAA".repeat(342));
    for (fields, version, why) in [
        (json!({}), None, "\"signature\""),
        (json!({"data": {"signature": ["vault:v1:AAEC"]}}), None, "\"signature\""),
        (text(""), None, "vault:v1:BASE64"),
        (text("AAEC"), None, "vault:v1:BASE64"),
        (text("vault:v:AAEC"), None, "version of the key"),
        (text("vault:v-1:AAEC"), None, "version of the key"),
        (text("vault:v1:"), None, "empty"),
        (text("vault:v1:AA EC"), None, "base64"),
        (text("vault:v1:AAEC\n"), None, "base64"),
        (text("vault:v2:AAEC"), Some(1), "version 2"),
        (text(&large), None, "larger than"),
    ] {
        let error = of(fields, version).unwrap_err();
        assert!(error.contains(why), "{why}: {error}");
    }
}
