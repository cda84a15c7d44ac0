//! The server with a token: opened, asked, closed.

use serde_json::Value;
use ureq::http::Method;

use crate::answer::Answer;
use crate::error::Error;
use crate::login::{Credential, Token};
use crate::server::{Call, Server};

pub struct Session<'a> {
    server: &'a Server,
    token: Token,
    warnings: &'a mut Vec<String>,
}

impl<'a> Session<'a> {
    /// Does it, and ends a token that was made for it, also where it fails.
    pub fn with<T>(
        server: &'a Server,
        credential: Credential,
        warnings: &'a mut Vec<String>,
        what: impl FnOnce(&mut Session<'a>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let token = credential.token(server)?;
        let mut session = Self { server, token, warnings };
        let result = what(&mut session);
        session.close();
        result
    }

    pub fn get(&mut self, path: &str) -> Result<Answer, Error> {
        self.call(Method::GET, path, None)
    }

    pub fn post(&mut self, path: &str, body: &Value) -> Result<Answer, Error> {
        self.call(Method::POST, path, Some(body))
    }

    fn call(&mut self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer, Error> {
        let token = self.token.text.as_str();
        let answer = self.server.call(&Call { method, path, token: Some(token), body });
        let answer = answer.map_err(|error| error.without(&[token]))?;
        self.warnings.extend(answer.warnings().into_iter().map(|said| said.replace(token, "(secret)")));
        Ok(answer)
    }

    fn close(mut self) {
        if !self.token.is_ours {
            return;
        }
        // Its end comes anyway; what was asked for is not lost for it.
        if let Err(error) = self.post("auth/token/revoke-self", &Value::Object(serde_json::Map::new())) {
            let why = [error.what].into_iter().chain(error.causes).collect::<Vec<_>>().join(": ");
            self.warnings.push(format!("the token of this login lives on until its lifetime is over: {why}"));
        }
    }
}
