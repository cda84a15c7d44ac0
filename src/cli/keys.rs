//! The flags for authorities' keys that are no plain files of the tree.

use std::collections::BTreeMap;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use clap::Args;
use zeroize::Zeroizing;

use super::environment::Environment;
use crate::catalog::CaId;
use crate::error::Error;
use crate::files;
use crate::keys::{self, GivenKey, KeyArgs, LARGEST_KEY, PIPE_WAIT};
use crate::profile::PassphraseFrom;
use crate::workspace::TreeArgs;

/// The same flags wherever an authority of a tree signs.
#[derive(Debug, Default, Args)]
pub struct Keys {
    /// The private key of an authority (ca, etcd-ca, front-proxy-ca) is in this file, or comes from a pipe or standard input (-);
    /// can be given several times
    #[arg(long = "authority-key", value_name = "NAME=FILE", value_parser = given)]
    keys: Vec<(CaId, PathBuf)>,

    #[command(flatten)]
    passphrase: Passphrase,
}

/// Of keys that are encrypted.
#[derive(Debug, Default, Args)]
pub struct Passphrase {
    /// Read the passphrase of encrypted keys of authorities from the first line of this file or pipe
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
    /// A tree's arguments with them.
    pub fn with(&self, tree: TreeArgs, environment: &Environment) -> Result<TreeArgs, Error> {
        Ok(TreeArgs { keys: self.args(environment)?, ..tree })
    }

    pub fn args(&self, environment: &Environment) -> Result<KeyArgs, Error> {
        let is_stdin = |(_, path): &&(CaId, PathBuf)| path.as_os_str() == "-";
        if self.keys.iter().filter(is_stdin).count() > 1 {
            return Err(Error::usage("--authority-key: standard input can be read once")
                .hint("give all but one of the keys in files"));
        }
        let mut keys = BTreeMap::new();
        for (authority, path) in &self.keys {
            if keys.insert(*authority, key(path)?).is_some() {
                return Err(Error::usage(format!("--authority-key: {} is given twice", authority.name()))
                    .hint("give each authority's key once"));
            }
        }
        Ok(KeyArgs { keys, ..self.passphrase.args(environment)? })
    }

    /// One of the keys comes from standard input, where something else is to come from.
    pub fn refuse_stdin(&self) -> Result<(), Error> {
        match self.keys.iter().find(|(_, path)| path.as_os_str() == "-") {
            Some((authority, _)) => Err(Error::usage("standard input was given twice")
                .because(format!("the key of {} comes from it, too", authority.name()))
                .hint("give one of the two as a file")),
            None => Ok(()),
        }
    }
}

impl Passphrase {
    /// What is given, if anything.
    pub fn stated(&self, environment: &Environment) -> Result<Option<Zeroizing<String>>, Error> {
        let args = self.args(environment)?;
        let stated = args.passphrase.as_ref().map(|from| keys::stated(from, &args)).transpose();
        stated.map_err(|why| {
            let error = Error::new("cannot read the passphrase of the authorities' keys").because(&why);
            why.hint().into_iter().fold(error, Error::hint)
        })
    }

    /// Without keys.
    pub fn args(&self, environment: &Environment) -> Result<KeyArgs, Error> {
        let file = self.key_passphrase_file.as_deref().map(|path| passphrase_file("--key-passphrase-file", path));
        let variable = self.key_passphrase_env.clone().map(PassphraseFrom::Variable);
        Ok(KeyArgs { passphrase: file.transpose()?.or(variable), ..environment.keys() })
    }
}

/// A key that was named: what can be read only once is read now.
pub fn key(path: &Path) -> Result<GivenKey, Error> {
    if path.as_os_str() == "-" {
        return Ok(GivenKey::Pem(files::read_stream(std::io::stdin(), "standard input".as_ref(), LARGEST_KEY)?));
    }
    let largest = usize::try_from(LARGEST_KEY).unwrap_or(usize::MAX);
    Ok(files::read_pipe(path, largest, PIPE_WAIT)?.map_or_else(|| GivenKey::File(path.to_path_buf()), GivenKey::Pem))
}

/// A file that was named, which a run without it would only find out about when it signs. A pipe can be read once, and is read then.
pub fn passphrase_file(flag: &str, path: &Path) -> Result<PassphraseFrom, Error> {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let file = PassphraseFrom::File(path.display().to_string());
    let is_read_once = path.metadata().is_ok_and(|found| found.file_type().is_fifo());
    if !is_read_once && let Err(why) = keys::stated(&file, &KeyArgs::default()) {
        let error = Error::new(format!("{flag}: the passphrase cannot be read")).because(&why);
        return Err(why.hint().into_iter().fold(error, Error::hint));
    }
    Ok(file)
}
