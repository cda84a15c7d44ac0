//! The flags for authorities' keys that are no plain files of the tree.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;

use super::common;
use super::environment::Environment;
use crate::catalog::CaId;
use crate::error::Error;
use crate::keys::{GivenKey, KeyArgs};
use crate::profile::PassphraseFrom;

/// The same flags wherever an authority of a tree signs.
#[derive(Debug, Args)]
pub struct Keys {
    /// The private key of an authority (ca, etcd-ca, front-proxy-ca) is in this file, or comes from standard input (-); can be
    /// given several times
    #[arg(long = "authority-key", value_name = "NAME=FILE", value_parser = given)]
    keys: Vec<(CaId, PathBuf)>,

    /// Read the passphrase of encrypted keys of authorities from the first line of this file
    #[arg(long, value_name = "FILE", conflicts_with = "key_passphrase_env")]
    key_passphrase_file: Option<PathBuf>,

    /// Read the passphrase of encrypted keys of authorities from this environment variable
    #[arg(long, value_name = "VARIABLE")]
    key_passphrase_env: Option<String>,
}

fn given(text: &str) -> Result<(CaId, PathBuf), String> {
    let expected = || format!("expected NAME=FILE, NAME one of {}", CaId::ALL.map(CaId::name).join(", "));
    let (name, path) = text.split_once('=').ok_or_else(expected)?;
    let authority = CaId::parse(name).ok_or_else(expected)?;
    if path.is_empty() { Err(expected()) } else { Ok((authority, PathBuf::from(path))) }
}

impl Keys {
    pub fn args(&self, environment: &Environment) -> Result<KeyArgs, Error> {
        let mut keys = BTreeMap::new();
        for (authority, path) in &self.keys {
            let is_stdin = path.as_os_str() == "-";
            if is_stdin && keys.values().any(|given| matches!(given, GivenKey::Pem(_))) {
                return Err(Error::usage("--authority-key: standard input can be read once")
                    .hint("give all but one of the keys in files"));
            }
            let given = if is_stdin { GivenKey::Pem(common::stdin()?) } else { GivenKey::File(path.clone()) };
            if keys.insert(*authority, given).is_some() {
                return Err(Error::usage(format!("--authority-key: {} is given twice", authority.name()))
                    .hint("give each authority's key once"));
            }
        }
        let file = self.key_passphrase_file.as_ref().map(|path| {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            PassphraseFrom::File(path.display().to_string())
        });
        let variable = self.key_passphrase_env.clone().map(PassphraseFrom::Variable);
        Ok(KeyArgs { keys, passphrase: file.or(variable), ..environment.keys() })
    }
}
