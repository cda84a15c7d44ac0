use super::*;

fn answer(fields: Value) -> Answer {
    let Value::Object(fields) = fields else { panic!("{fields}") };
    Answer { fields }
}

const DER: [&[u8]; 3] = [b"leaf", b"issuer", b"root"];

fn certificate(der: &[u8]) -> String {
    pem_text::written("CERTIFICATE", der)
}

#[test]
fn who_signs_is_in_the_path() {
    let (mount, issuer, role) = ("team/pki", Some("new".to_owned()), "node".to_owned());
    for (issuer, role, path) in [
        (None, Role::None, "team/pki/sign-verbatim"),
        (None, Role::Verbatim(role.clone()), "team/pki/sign-verbatim/node"),
        (None, Role::Deciding(role.clone()), "team/pki/sign/node"),
        (issuer.clone(), Role::None, "team/pki/issuer/new/sign-verbatim"),
        (issuer, Role::Deciding(role), "team/pki/issuer/new/sign/node"),
    ] {
        assert_eq!(By { mount: mount.to_owned(), issuer, role }.path(), path);
    }
}

#[test]
fn what_is_wanted_is_read() {
    let text = r#"{"version":1,"cluster":"c","entry":"apiserver","commonName":"kube-apiserver","lifetimeSeconds":3600,
        "keyUsages":["digital signature","key encipherment"],"extendedKeyUsages":["server auth"]}"#;
    let wanted = Wanted::parse(text).unwrap();
    assert_eq!(wanted.seconds, Some(3600));
    assert_eq!(wanted.key_usages, ["digitalsignature", "keyencipherment"]);
    assert_eq!(wanted.extended_key_usages, ["serverauth"]);
    assert_eq!(Wanted::of(&Environment::of(&[])).unwrap(), Wanted::default());
    for (text, why) in [
        ("", "JSON object"),
        ("[]", "JSON object"),
        ("{}", "version"),
        (r#"{"version":2}"#, "version"),
        (r#"{"version":1,"lifetimeSeconds":"1h"}"#, "lifetimeSeconds"),
        (r#"{"version":1,"lifetimeSeconds":0}"#, "lifetimeSeconds"),
        (r#"{"version":1,"lifetimeSeconds":-5}"#, "lifetimeSeconds"),
        (r#"{"version":1,"keyUsages":"all"}"#, "keyUsages"),
        (r#"{"version":1,"extendedKeyUsages":[1]}"#, "extendedKeyUsages"),
    ] {
        assert!(Wanted::parse(text).unwrap_err().contains(why), "{text}");
    }
}

#[test]
fn one_request_and_nothing_else() {
    let good = pem_text::written("CERTIFICATE REQUEST", b"der");
    assert_eq!(request(good.as_bytes()).unwrap(), good);
    let old = pem_text::written("NEW CERTIFICATE REQUEST", b"der");
    assert_eq!(request(format!("openssl's text\n{old}").as_bytes()).unwrap(), good);
    for input in [
        b"".as_slice(),
        b"\xff",
        format!("{good}{good}").as_bytes(),
        pem_text::written("PRIVATE KEY", b"der").as_bytes(),
        pem_text::written("CERTIFICATE REQUEST", b"").as_bytes(),
        good.trim_end().trim_end_matches('-').as_bytes(),
    ] {
        assert!(request(input).is_err(), "{}", String::from_utf8_lossy(input));
    }
}

#[test]
fn what_is_asked_for() {
    let wanted =
        Wanted { seconds: Some(60), key_usages: vec!["digitalsignature".to_owned()], extended_key_usages: Vec::new() };
    let verbatim = json!({"csr": "R", "remove_roots_from_chain": true, "ttl": "60s",
        "basic_constraints_valid_for_non_ca": true, "key_usage": ["digitalsignature"], "ext_key_usage": []});
    let deciding = json!({"csr": "R", "remove_roots_from_chain": true, "ttl": "60s",
        "exclude_cn_from_sans": true});
    assert_eq!(body("R", &wanted, &Role::None), verbatim);
    assert_eq!(body("R", &wanted, &Role::Verbatim("r".to_owned())), verbatim);
    assert_eq!(body("R", &wanted, &Role::Deciding("r".to_owned())), deciding);
    let bare = json!({"csr": "R", "remove_roots_from_chain": true, "basic_constraints_valid_for_non_ca": true});
    assert_eq!(body("R", &Wanted::default(), &Role::None), bare);
}

#[test]
fn the_leaf_comes_first_and_each_once() {
    let [leaf, issuer, root] = DER.map(certificate);
    let data = json!({"data": {"certificate": leaf.trim_end(), "ca_chain": [issuer, root, issuer]}});
    assert_eq!(chain(&answer(data)).unwrap(), [leaf.as_str(), &issuer, &root].concat());
    for alone in [json!({"data": {"certificate": leaf}}), json!({"data": {"certificate": leaf, "ca_chain": null}})] {
        assert_eq!(chain(&answer(alone)).unwrap(), leaf);
    }
}

#[test]
fn answers_that_are_no_chain() {
    let leaf = certificate(b"leaf");
    let many: Vec<String> = (0..3000u32).map(|n| certificate(&n.to_be_bytes().repeat(20))).collect();
    for (fields, why) in [
        (json!({}), "\"data\""),
        (json!({"data": {}}), "\"certificate\""),
        (json!({"data": {"certificate": 5}}), "\"certificate\""),
        (json!({"data": {"certificate": ""}}), "one certificate"),
        (json!({"data": {"certificate": format!("{leaf}{leaf}")}}), "one certificate"),
        (json!({"data": {"certificate": pem_text::written("PRIVATE KEY", b"x")}}), "one certificate"),
        (json!({"data": {"certificate": leaf, "ca_chain": "text"}}), "list of texts"),
        (json!({"data": {"certificate": leaf, "ca_chain": [7]}}), "list of texts"),
        (json!({"data": {"certificate": leaf, "ca_chain": ["x"]}}), "one certificate"),
        (json!({"data": {"certificate": leaf, "ca_chain": many}}), "larger than"),
    ] {
        let error = chain(&answer(fields)).unwrap_err();
        assert!(error.shown().contains(why), "{why}: {error:?}");
    }
}
