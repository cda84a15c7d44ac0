//! Where the server is. Pure.

use std::net::IpAddr;

use ureq::http::Uri;

use crate::error::Error;

/// Scheme, host, port and a prefix, without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// Without TLS only to this machine, or where somebody says so: the token would be read on the way.
    pub fn parse(text: &str, allow_http: bool) -> Result<Self, Error> {
        // The text is not shown before it is known that no password is in it.
        let wrong = |why: &str| Error::usage(format!("the address of the server is wrong: {why}")).hint(FORM);
        if text.contains('@') {
            return Err(wrong("it names a user, and expected are scheme, host and port"));
        }
        let uri: Uri = text.parse().map_err(|_| wrong("it is no URL"))?;
        let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else {
            return Err(wrong("it lacks its scheme or its host"));
        };
        if uri.query().is_some() || text.contains('#') {
            return Err(wrong("nothing may stand behind its path"));
        }
        match scheme {
            "https" => {}
            "http" if allow_http || is_loopback(host) => {}
            "http" => {
                return Err(Error::usage(format!(
                    "{text}: expected https, found http, which shows the token to the network"
                ))
                .hint("--allow-http, if something else protects the way"));
            }
            _ => return Err(wrong("expected https")),
        }
        let path = uri.path().trim_end_matches('/');
        let authority = uri.authority().map_or(host, |authority| authority.as_str());
        Ok(Self(format!("{scheme}://{authority}{path}")))
    }

    pub fn is_tls(&self) -> bool {
        self.0.starts_with("https:")
    }

    /// The URL of a path of the API.
    pub fn of(&self, path: &str) -> String {
        format!("{}/v1/{path}", self.0)
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

const FORM: &str = "an address is as in --address https://vault.example.com:8200";

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_addresses_are_taken() {
        const HTTP: &str = "expected https, found http";
        for (text, allow_http, expected) in [
            ("https://vault.example.com:8200", false, Ok("https://vault.example.com:8200/v1/a/b")),
            ("https://10.0.0.1/", false, Ok("https://10.0.0.1/v1/a/b")),
            ("https://proxy/vault/", false, Ok("https://proxy/vault/v1/a/b")),
            ("http://127.0.0.1:8200", false, Ok("http://127.0.0.1:8200/v1/a/b")),
            ("http://127.8.9.1", false, Ok("http://127.8.9.1/v1/a/b")),
            ("http://[::1]:8200", false, Ok("http://[::1]:8200/v1/a/b")),
            ("http://localhost:8200", false, Ok("http://localhost:8200/v1/a/b")),
            ("HTTPS://Vault", false, Ok("https://Vault/v1/a/b")),
            ("http://vault:8200", true, Ok("http://vault:8200/v1/a/b")),
            ("http://vault:8200", false, Err(HTTP)),
            ("http://localhost.example.com", false, Err(HTTP)),
            ("http://127.0.0.1.example.com", false, Err(HTTP)),
            ("http://10.0.0.1", false, Err(HTTP)),
            ("vault:8200", false, Err("scheme or its host")),
            ("vault", false, Err("scheme or its host")),
            ("", false, Err("no URL")),
            ("ftp://vault", false, Err("expected https")),
            ("unix:///run/vault.sock", false, Err("no URL")),
            ("https://user:word@vault", false, Err("names a user")),
            ("http://127.0.0.1@evil.example", false, Err("names a user")),
            ("https://vault?x=y", false, Err("behind its path")),
            ("https://vault#x", false, Err("behind its path")),
        ] {
            let found = Address::parse(text, allow_http).map(|address| address.of("a/b"));
            match (found, expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{text}"),
                (Err(found), Err(expected)) => {
                    assert!(found.what.contains(expected), "{text}: {found:?}");
                    assert!(!found.shown().contains("word"), "{found:?}");
                }
                (found, expected) => panic!("{text}: {found:?}, expected {expected:?}"),
            }
        }
    }
}
