//! JSON Web Tokens (RFC 7519), as far as telling whose key signed one takes: the header's `kid`, and when it ends.

use crate::encoding::base64;
use crate::encoding::yaml::{self, Node, text};

/// What a token says of itself. The token is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The key that signed it, by the name the signer gave it.
    pub kid: Option<String>,
    /// `exp`, in seconds since 1970; `None`: it does not end.
    pub ends: Option<i64>,
    /// Its subject is a service account.
    pub is_service_account: bool,
}

/// `None`: it is no signed token.
pub fn read(token: &[u8]) -> Option<Token> {
    let mut parts = token.split(|byte| *byte == b'.');
    let (header, claims) = (parts.next()?, parts.next()?);
    // The signature.
    parts.next().filter(|signature| !signature.is_empty())?;
    if parts.next().is_some() {
        return None;
    }
    let header = object(header)?;
    text(&header, "alg")?;
    let claims = object(claims)?;
    let subject = text(&claims, "sub").unwrap_or_default();
    Some(Token {
        kid: text(&header, "kid").filter(|kid| !kid.is_empty()).map(str::to_owned),
        // A number of any form (RFC 7519 section 2, NumericDate).
        ends: text(&claims, "exp").and_then(|exp| exp.parse().ok().or_else(|| whole(exp))),
        is_service_account: subject.starts_with("system:serviceaccount:"),
    })
}

/// Seconds with a fraction.
fn whole(number: &str) -> Option<i64> {
    number.split_once('.')?.0.parse().ok()
}

/// JSON is YAML.
fn object(part: &[u8]) -> Option<Node> {
    let json = base64::decode_url(part).ok().filter(|json| json.first() == Some(&b'{'))?;
    let stream = yaml::read(&json);
    stream.readable().then(|| stream.documents.into_iter().next()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str, claims: &str) -> String {
        format!("{}.{}.c2ln", base64::url(header.as_bytes()), base64::url(claims.as_bytes()))
    }

    #[test]
    fn a_token_is_known_by_its_header() {
        let claims = r#"{"exp":1763683200,"iss":"https://kubernetes.default.svc","kubernetes.io":{"pod":{"name":"a"}},"sub":"system:serviceaccount:web:default"}"#;
        let found = read(token(r#"{"alg":"RS256","kid":"abc_-"}"#, claims).as_bytes()).unwrap();
        assert_eq!(found, Token { kid: Some("abc_-".to_owned()), ends: Some(1_763_683_200), is_service_account: true });
        for (claims, ends) in [(r#"{"exp":1763683200.5}"#, Some(1_763_683_200)), (r#"{"exp":"x"}"#, None), ("{}", None)]
        {
            let found = read(token(r#"{"alg":"RS256"}"#, claims).as_bytes()).unwrap();
            assert_eq!(found, Token { kid: None, ends, is_service_account: false }, "{claims}");
        }
        for other in [
            "a.b.c".to_owned(),
            token("[]", "{}"),
            token(r#"{"kid":"x"}"#, "{}"),
            token(r#"{"alg":"x"}"#, "{}") + ".x",
            token(r#"{"alg":"x"}"#, "{}").replace(".c2ln", "."),
        ] {
            assert_eq!(read(other.as_bytes()), None, "{other}");
        }
    }
}
