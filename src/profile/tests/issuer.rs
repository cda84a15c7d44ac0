//! Who issues in place of an authority that is not here.

use super::*;
use crate::profile::IssuerOptions;

const CA: &str = "caKeys: none\nauthorities: {ca: {issuer: ISSUER}}";

fn issuer(text: &str) -> IssuerOptions {
    let loaded = load_text(&with(&CA.replace("ISSUER", text))).unwrap_or_else(|problems| panic!("{text}: {problems}"));
    loaded.profile.issuer(CaId::Cluster).unwrap().clone()
}

#[test]
fn a_kind_is_a_program_with_its_arguments() {
    for (text, words) in [
        ("[/a, b]", "/a b"),
        ("{command: [issue, --all]}", "issue --all"),
        ("{vault: {address: 'https://v:8200'}}", "kpki-vault issue --address https://v:8200"),
        (
            "{vault: {namespace: n, tokenFile: /t, caFile: /c, role: r, mount: p/q, address: 'http://127.0.0.1:8200'}}",
            "kpki-vault issue --address http://127.0.0.1:8200 --mount p/q --role r --ca-file /c --token-file /t --namespace n",
        ),
        ("{cfssl: {url: 'https://c'}}", "/usr/lib/kpki/issuers/cfssl --url https://c"),
        (
            "{cfssl: {url: 'https://c', caFile: /c, profile: node}}",
            "/usr/lib/kpki/issuers/cfssl --url https://c --cacert /c --server node --client node --peer node",
        ),
        ("{kubernetes: {kubeconfig: /k}}", "/usr/lib/kpki/issuers/kubernetes --kubeconfig /k"),
    ] {
        let read = issuer(text);
        assert_eq!(read.command.join(" "), words);
        assert_eq!((read.parallel, read.timeout), (1, Span::seconds(60)), "{text}");
    }
    let read = issuer("{cfssl: {url: 'https://c'}, parallel: 64, timeout: 5m}");
    assert_eq!((read.parallel, read.timeout), (64, Span::seconds(300)));
}

#[test]
fn what_is_no_issuer() {
    let url = "expected a URL, https://HOST:PORT, without user and password, found";
    let word = "expected a text that does not begin with -, found";
    for (text, expected) in [
        ("{vault: {mount: pki}}", "4:35: authorities.ca.issuer.vault.address: expected the server's URL, found nothing".to_owned()),
        ("{vault: {}}", "4:35: authorities.ca.issuer.vault.address: expected the server's URL, found nothing".to_owned()),
        ("{cfssl: {caFile: /a}}", "4:35: authorities.ca.issuer.cfssl.url: expected the server's URL, found nothing".to_owned()),
        (
            "{kubernetes: {}}",
            "4:40: authorities.ca.issuer.kubernetes.kubeconfig: expected the absolute path of a kubeconfig, found nothing".to_owned(),
        ),
        ("{cfssl: {url: ca.example.com}}", format!("4:41: authorities.ca.issuer.cfssl.url: {url} ca.example.com")),
        ("{cfssl: {url: 'ftp://ca'}}", format!("4:41: authorities.ca.issuer.cfssl.url: {url} ftp://ca")),
        ("{cfssl: {url: 'https://a:b@ca'}}", format!("4:41: authorities.ca.issuer.cfssl.url: {url} a text of 14 characters")),
        ("{cfssl: {url: 'https://'}}", format!("4:41: authorities.ca.issuer.cfssl.url: {url} https://")),
        (
            "{vault: {address: 'https://v', role: --token}}",
            format!("4:62: authorities.ca.issuer.vault.role: {word} --token"),
        ),
        (
            "{vault: {address: 'https://v', tokenFile: token}}",
            "4:67: authorities.ca.issuer.vault.tokenFile: expected an absolute path without . and .., found token".to_owned(),
        ),
        (
            "{vault: {address: 'https://v', token: s.1234}}",
            "4:56: authorities.ca.issuer.vault.token: expected a known key, found an unknown one".to_owned(),
        ),
        (
            "{command: [/a], cfssl: {url: 'https://c'}}",
            "4:42: authorities.ca.issuer.cfssl: expected one of command, vault, cfssl, kubernetes, found command and cfssl".to_owned(),
        ),
        (
            "{vault: {address: 'https://v'}, kubernetes: {kubeconfig: /k}}",
            "4:58: authorities.ca.issuer.kubernetes: expected one of command, vault, cfssl, kubernetes, found vault and kubernetes"
                .to_owned(),
        ),
        ("{command: [/a], parallel: 65}", "4:52: authorities.ca.issuer.parallel: expected a number from 1 to 64, found 65".to_owned()),
    ] {
        let found = refusals(&with(&CA.replace("ISSUER", text)));
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        let without_place = |line: &str| line.splitn(3, ':').nth(2).unwrap_or_default().trim_start().to_owned();
        assert_eq!(without_place(&found[0]), without_place(&expected), "{text}");
    }
}

/// A public certificate at the cluster's own address breaks what trusts the cluster's CA alone.
#[test]
fn an_extra_certificates_issuer() {
    let text = |endpoint: &str, sans: &str, more: &str| {
        with(&format!(
            "controlPlaneEndpoint: {endpoint}\nextraCertificates: [{{name: lb, usages: [server], certSANs: [{sans}]{more}}}]"
        ))
    };
    let external = ", authority: external, issuer: [/acme]";
    for (endpoint, sans) in
        [("api.example.com:6443", "www.example.com"), ("a.b.example.com", "'*.example.com'"), ("10.0.0.10", "10.0.0.9")]
    {
        let loaded = load_text(&text(endpoint, sans, external)).unwrap();
        let issuer = loaded.profile.extra_certificates[0].issuer.clone().unwrap();
        assert_eq!((issuer.command, issuer.parallel), (vec!["/acme".to_owned()], 1));
    }
    for (endpoint, sans, more, expected) in [
        ("api.example.com:6443", "www.example.com, api.example.com", external, "found api.example.com"),
        ("api.example.com", "'*.example.com'", external, "found *.example.com"),
        ("10.0.0.10:6443", "10.0.0.10", external, "found 10.0.0.10"),
        (
            "api.example.com",
            "www.example.com",
            ", authority: external, commonName: api.example.com, issuer: [/acme]",
            "found api.example.com",
        ),
        (
            "api.example.com",
            "www.example.com",
            ", issuer: [/acme]",
            "expected issuer beside authority external only, found authority ca",
        ),
        ("api.example.com", "www.example.com", ", authority: external, issuer: {vault: {}}", "found an unknown one"),
    ] {
        let found = refusals(&text(endpoint, sans, more));
        assert!(
            found.iter().any(|line| line.contains("extraCertificates[0].issuer") && line.contains(expected)),
            "{found:?}"
        );
    }
    for (sans, more) in [("api.example.com", ", authority: external"), ("api.example.com", "")] {
        load_text(&text("api.example.com", sans, more)).unwrap();
    }
}
