//! Where the token comes from: a file or the environment, or a login for this run alone. Never a command line, which
//! every user of the machine reads.

use std::path::PathBuf;

use serde_json::{Map, Value, json};
use ureq::http::Method;
use zeroize::Zeroizing;

use crate::environment::{self, Environment};
use crate::error::Error;
use crate::secret_file::{self, Rule};
use crate::server::{Call, Server};

/// How to come by a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    Environment,
    File(PathBuf),
    /// AppRole; the server decides whether it wants a secret id.
    AppRole {
        mount: String,
        role_id: PathBuf,
        secret_id: Option<PathBuf>,
    },
    Kubernetes {
        mount: String,
        role: String,
        token: PathBuf,
    },
}

/// What opens the server, read before it is asked for anything.
pub enum Credential {
    Token(Zeroizing<String>),
    /// Path and body of a login, and what of it is secret.
    Login {
        path: String,
        body: Value,
        secrets: Vec<Zeroizing<String>>,
    },
}

/// A token, and whether it is this run's to end.
pub struct Token {
    pub text: Zeroizing<String>,
    pub is_ours: bool,
}

impl Way {
    pub fn credential(&self, environment: &Environment) -> Result<Credential, Error> {
        match self {
            Self::Environment => {
                let token = environment.setting(environment::TOKEN).map(Zeroizing::new);
                let token = token.ok_or_else(|| {
                    Error::usage("no token: neither BAO_TOKEN nor VAULT_TOKEN is set")
                        .hint("give one with --token-file FILE, --approle-role-id-file FILE or --kubernetes-role ROLE")
                })?;
                if !secret_file::is_word(&token) {
                    return Err(Error::usage("BAO_TOKEN or VAULT_TOKEN: expected one word"));
                }
                Ok(Credential::Token(token))
            }
            Self::File(path) => secret_file::line(path, Rule::Secret).map(Credential::Token),
            Self::AppRole { mount, role_id, secret_id } => {
                let role_id = secret_file::line(role_id, Rule::Secret)?;
                let secret_id = secret_id.as_ref().map(|path| secret_file::line(path, Rule::Secret)).transpose()?;
                let mut body = Map::new();
                body.insert("role_id".to_owned(), role_id.as_str().into());
                if let Some(secret_id) = &secret_id {
                    body.insert("secret_id".to_owned(), secret_id.as_str().into());
                }
                let secrets = [role_id].into_iter().chain(secret_id).collect();
                Ok(Credential::Login { path: format!("auth/{mount}/login"), body: body.into(), secrets })
            }
            Self::Kubernetes { mount, role, token } => {
                let token = secret_file::line(token, Rule::OfThePod)?;
                let body = json!({ "role": role, "jwt": token.as_str() });
                Ok(Credential::Login { path: format!("auth/{mount}/login"), body, secrets: vec![token] })
            }
        }
    }
}

impl Credential {
    pub fn token(self, server: &Server) -> Result<Token, Error> {
        match self {
            Self::Token(text) => Ok(Token { text, is_ours: false }),
            Self::Login { path, body, secrets } => {
                let call = Call { method: Method::POST, path: &path, token: None, body: Some(&body) };
                let secrets: Vec<&str> = secrets.iter().map(|secret| secret.as_str()).collect();
                let answer = server.call(&call).map_err(|error| error.without(&secrets))?;
                of_login(answer.fields.get("auth"))
                    .ok_or_else(|| Error::failed(format!("the login at {path} was answered without a token")))
            }
        }
    }
}

/// A batch token ends by itself and cannot be ended.
fn of_login(auth: Option<&Value>) -> Option<Token> {
    let auth = auth?;
    let text = auth.get("client_token")?.as_str().filter(|text| secret_file::is_word(text))?;
    let is_ours = auth.get("token_type").and_then(Value::as_str) != Some("batch");
    Some(Token { text: Zeroizing::new(text.to_owned()), is_ours })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_login_gives() {
        for (auth, expected) in [
            (json!({"client_token": "s.a", "token_type": "service"}), Some(("s.a", true))),
            (json!({"client_token": "b.a", "token_type": "batch"}), Some(("b.a", false))),
            (json!({"client_token": "s.a"}), Some(("s.a", true))),
            (json!({"client_token": ""}), None),
            (json!({"client_token": "a\r\nX-Other: 1"}), None),
            (json!({"client_token": 7}), None),
            (json!(null), None),
            (json!([]), None),
        ] {
            let token = of_login(Some(&auth));
            assert_eq!(token.as_ref().map(|token| (token.text.as_str(), token.is_ours)), expected, "{auth}");
        }
    }

    #[test]
    fn the_environments_token() {
        let found = Way::Environment.credential(&Environment::of(&[("VAULT_TOKEN", "v"), ("BAO_TOKEN", "b")]));
        assert!(matches!(found, Ok(Credential::Token(token)) if *token == "b"));
        let Err(error) = Way::Environment.credential(&Environment::of(&[])) else { panic!("a token of nowhere") };
        assert!(error.shown().contains("--token-file"), "{error:?}");
        assert!(Way::Environment.credential(&Environment::of(&[("VAULT_TOKEN", "two words")])).is_err());
    }
}
