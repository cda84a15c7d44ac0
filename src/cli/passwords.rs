//! The flags for the password of what is read, and where else passwords come from.

use std::path::{Path, PathBuf};

use clap::Args;
use zeroize::Zeroizing;

use super::environment::{Echo, Environment};
use crate::encrypted::Password;
use crate::error::Error;
use crate::report;
use crate::workspace::passwords::{Asking, Passwords};
use crate::workspace::survey;

/// The same flags wherever something encrypted is read.
#[derive(Debug, Default, Args)]
pub struct InputPassword {
    /// Read the password of the inputs from the first line of this file
    #[arg(long, value_name = "FILE", conflicts_with = "password_env")]
    password_file: Option<PathBuf>,

    /// Read the password of the inputs from this environment variable
    #[arg(long, value_name = "VARIABLE")]
    password_env: Option<String>,
}

impl InputPassword {
    /// From the flags only.
    pub fn given(&self, environment: &Environment) -> Result<Option<Password>, Error> {
        let stated = stated(environment, self.password_file.as_deref(), self.password_env.as_deref())?;
        Ok(stated.map(Password::new))
    }

    /// From the flags, or from the terminal where there is no other way.
    pub fn ask(&self, environment: &Environment, asking: Asking<'_>) -> Result<Option<Zeroizing<String>>, Error> {
        match (stated(environment, self.password_file.as_deref(), self.password_env.as_deref())?, asking) {
            (None, Asking::Input(name)) => typed(environment, &format!("Password of {}: ", report::sanitised(name))),
            (stated, _) => Ok(stated),
        }
    }
}

/// [`InputPassword`] as the verbs see it.
#[derive(Debug)]
pub struct Inputs<'a> {
    pub args: &'a InputPassword,
    pub environment: &'a Environment,
}

impl Passwords for Inputs<'_> {
    fn ask(&mut self, asking: Asking<'_>) -> Result<Option<Zeroizing<String>>, Error> {
        self.args.ask(self.environment, asking)
    }
}

/// The password a file or an environment variable holds.
pub fn stated(
    environment: &Environment,
    file: Option<&Path>,
    variable: Option<&str>,
) -> Result<Option<Zeroizing<String>>, Error> {
    if let Some(path) = file {
        return first_line(path).map(Some);
    }
    let Some(name) = variable else { return Ok(None) };
    match (environment.variable)(name).map(std::ffi::OsString::into_string) {
        Some(Ok(text)) => Ok(Some(Zeroizing::new(text))),
        Some(Err(_)) => Err(Error::new(format!("the environment variable {name} is not UTF-8"))),
        None => Err(Error::usage(format!("the environment variable {name} is not set"))
            .hint("set it, or give the password in a file")),
    }
}

/// From the terminal, if there is one.
pub fn typed(environment: &Environment, prompt: &str) -> Result<Option<Zeroizing<String>>, Error> {
    (environment.prompt)(prompt, Echo::Hidden).map_err(|why| Error::new("cannot read the password").because(why))
}

/// A longer first line is not a password but a wrong file.
const LONGEST: u64 = 64 << 10;

pub fn first_line(path: &Path) -> Result<Zeroizing<String>, Error> {
    let bytes = survey::input(path, LONGEST)?;
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let text = std::str::from_utf8(line);
    let text = text.map_err(|_| Error::new(format!("{}: expected a password in UTF-8", path.display())))?;
    Ok(Zeroizing::new(text.to_owned()))
}
