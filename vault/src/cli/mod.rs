//! The command line. Everything that can be refused is refused before the server is asked.

mod server;

use clap::{Args, Parser, Subcommand};
use zeroize::Zeroizing;

use crate::api_path::{name, segments};
use crate::environment::Environment;
use crate::error::Error;
use crate::issue::{self, Role, Wanted};
use crate::session::Session;
use crate::sign::{self, Algorithm, Input, Task};
use crate::{public_key, secret, stdin};
use server::ServerArgs;

/// Sign and issue for kpki by Vault or OpenBao
///
/// kpki itself speaks to no network. It runs this program where a profile names it: as an issuer (the PKI secrets engine), as a
/// signer (transit), or for a key (KV). Each run asks the server once, after a login where one is needed, and prints the answer;
/// kpki checks it as it checks every other.
///
/// A token comes from a file or the environment, never from the command line, which every user of a machine can read. One that
/// a login made for this run is revoked at its end. Redirects are not followed, proxies of the environment are not used, and
/// a server's certificate is always verified.
#[derive(Debug, Parser)]
#[command(name = "kpki-vault", version, propagate_version = true, max_term_width = 120, after_help = AFTER)]
pub struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

const AFTER: &str = "\
In a profile of kpki:
  caKeys: none
  authorities:
    ca:
      issuer: [/usr/bin/kpki-vault, issue, --address, https://vault.example.com:8200, --token-file, /etc/kpki/token]
    etcd-ca:
      signer:
        command: [/usr/bin/kpki-vault, sign, --key, etcd-ca, --address, https://vault.example.com:8200, --token-file, /etc/kpki/token]
        publicKey: [/usr/bin/kpki-vault, public-key, --key, etcd-ca, --address, https://vault.example.com:8200, --token-file, /etc/kpki/token]

Exit status: 0 done; 1 refused or failed, which stays so until something is changed; 2 wrong command line, environment, file or
standard input; 75 the server says that it can answer later (HTTP 412, 429, 473, 502, 503 as while it is sealed, 504): kpki asks
again with its next run. A server that cannot be reached at all is 1: a wrong address looks the same.";

#[derive(Debug, Subcommand)]
enum Verb {
    Issue(Issue),
    Sign(Sign),
    PublicKey(PublicKey),
    Secret(Secret),
}

/// Have a certificate request signed by the PKI secrets engine: request in, chain out
///
/// Reads a request in PEM from standard input and prints the certificate and what signed it, without the root. Lifetime and usages
/// are those of KPKI_REQUEST, which kpki sets.
///
/// Without --role the server takes subject, names and usages as they are requested (MOUNT/sign-verbatim). A role that decides
/// (--role, MOUNT/sign/ROLE) may drop the organization, by which kubeadm's kubeconfigs get their rights, and may give other usages:
/// kpki refuses what does not fit the entry, and the request waits. The server cuts a lifetime to what the mount or the role allows.
#[derive(Debug, Args)]
#[command(after_help = ISSUE)]
struct Issue {
    /// Where the PKI secrets engine is mounted
    #[arg(long, value_name = "PATH", default_value = "pki")]
    mount: String,

    /// Have this role decide what of the request is kept (MOUNT/sign/ROLE)
    #[arg(long, value_name = "ROLE", conflicts_with = "verbatim_role")]
    role: Option<String>,

    /// Keep the request as it is, with this role's limits (MOUNT/sign-verbatim/ROLE)
    #[arg(long, value_name = "ROLE")]
    verbatim_role: Option<String>,

    /// The issuer, by its name or id, where the mount has several; default: its default
    #[arg(long, value_name = "ISSUER")]
    issuer: Option<String>,

    #[command(flatten)]
    server: ServerArgs,
}

const ISSUE: &str = "\
Examples:
  kpki-vault issue --token-file /etc/kpki/token < apiserver.csr
  kpki-vault issue --mount pki-cluster1 --verbatim-role kubernetes --token-file /etc/kpki/token < apiserver.csr

A policy for it:
  path \"pki/sign-verbatim\" { capabilities = [\"update\"] }";

/// Sign a digest or a message by the transit secrets engine: raw signature out
///
/// Reads what is to be signed from standard input, as KPKI_SIGN_INPUT says, and prints the signature as kpki takes it of a signer:
/// DER for ECDSA, PKCS#1 v1.5 for RSA.
///
/// The key's type has to fit KPKI_SIGN_ALGORITHM: ecdsa-p256, ecdsa-p384, rsa-2048, rsa-3072 or rsa-4096. An authority's certificate
/// is for one version of the key: --key-version keeps to it when the key is rotated.
#[derive(Debug, Args)]
#[command(after_help = SIGN)]
struct Sign {
    #[command(flatten)]
    key: Key,

    /// How to sign; default: what KPKI_SIGN_ALGORITHM says
    #[arg(long, value_enum, value_name = "ALGORITHM")]
    algorithm: Option<Algorithm>,

    /// What standard input is; default: what KPKI_SIGN_INPUT says
    #[arg(long, value_enum, value_name = "INPUT")]
    input: Option<Input>,

    #[command(flatten)]
    server: ServerArgs,
}

const SIGN: &str = "\
Examples:
  kpki-vault sign --key ca --key-version 1 --token-file /etc/kpki/token < digest > signature
  kpki-vault sign --key ca --algorithm ecdsa-sha256 --input message --token-file /etc/kpki/token < message > signature

A policy for it:
  path \"transit/sign/ca/*\" { capabilities = [\"update\"] }";

/// Print the public half of a transit key as PEM
#[derive(Debug, Args)]
#[command(after_help = PUBLIC_KEY)]
struct PublicKey {
    #[command(flatten)]
    key: Key,

    #[command(flatten)]
    server: ServerArgs,
}

const PUBLIC_KEY: &str = "\
Examples:
  kpki-vault public-key --key ca --key-version 1 --token-file /etc/kpki/token

A policy for it:
  path \"transit/keys/ca\" { capabilities = [\"read\"] }";

#[derive(Debug, Args)]
struct Key {
    /// Name of the key
    #[arg(long, value_name = "NAME")]
    key: String,

    /// Version of the key; default: the latest
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    key_version: Option<u32>,

    /// Where the transit secrets engine is mounted
    #[arg(long, value_name = "PATH", default_value = "transit")]
    mount: String,
}

/// Print one field of a secret as it is, such as an authority's key
///
/// For a profile's `key: {command: [...]}`. The key is then in the memory of kpki; with sign it never leaves the server.
#[derive(Debug, Args)]
#[command(after_help = SECRET)]
struct Secret {
    /// Path of the secret in the API; version 2 of the KV engine has data behind its mount
    #[arg(long, value_name = "PATH")]
    path: String,

    /// Name of the field
    #[arg(long, value_name = "NAME")]
    field: String,

    #[command(flatten)]
    server: ServerArgs,
}

const SECRET: &str = "\
Examples:
  kpki-vault secret --path secret/data/kpki --field ca.key --token-file /etc/kpki/token

A policy for it:
  path \"secret/data/kpki\" { capabilities = [\"read\"] }";

/// What goes to standard output.
pub type Output = Zeroizing<Vec<u8>>;

impl Cli {
    pub fn run(&self, environment: &Environment, warnings: &mut Vec<String>) -> Result<Output, Error> {
        match &self.verb {
            Verb::Issue(args) => args.run(environment, warnings),
            Verb::Sign(args) => args.run(environment, warnings),
            Verb::PublicKey(args) => {
                let by = args.key.by()?;
                let (server, credential) = args.server.open(environment)?;
                let key = Session::with(&server, credential, warnings, |session| public_key::run(session, &by))?;
                Ok(Zeroizing::new(key.into_bytes()))
            }
            Verb::Secret(args) => {
                let path = segments("--path", &args.path)?;
                let (server, credential) = args.server.open(environment)?;
                Session::with(&server, credential, warnings, |session| secret::run(session, &path, &args.field))
            }
        }
    }
}

impl Issue {
    fn by(&self) -> Result<issue::By, Error> {
        let role = match (&self.role, &self.verbatim_role) {
            (Some(role), _) => Role::Deciding(name("--role", role)?),
            (None, Some(role)) => Role::Verbatim(name("--verbatim-role", role)?),
            (None, None) => Role::None,
        };
        let issuer = self.issuer.as_ref().map(|issuer| name("--issuer", issuer)).transpose()?;
        Ok(issue::By { mount: segments("--mount", &self.mount)?, issuer, role })
    }

    fn run(&self, environment: &Environment, warnings: &mut Vec<String>) -> Result<Output, Error> {
        let (by, wanted) = (self.by()?, Wanted::of(environment)?);
        let (server, credential) = self.server.open(environment)?;
        let request = issue::request(&stdin::read(issue::LARGEST_REQUEST)?)?;
        let chain =
            Session::with(&server, credential, warnings, |session| issue::run(session, &by, &request, &wanted))?;
        Ok(Zeroizing::new(chain.into_bytes()))
    }
}

impl Sign {
    fn run(&self, environment: &Environment, warnings: &mut Vec<String>) -> Result<Output, Error> {
        let by = self.key.by()?;
        let algorithm = sign::setting(self.algorithm, environment, "KPKI_SIGN_ALGORITHM")?;
        let input = sign::setting(self.input, environment, "KPKI_SIGN_INPUT")?;
        let (server, credential) = self.server.open(environment)?;
        let bytes = stdin::read(sign::LARGEST_INPUT)?;
        let task = Task { algorithm, input, bytes: &bytes };
        task.check()?;
        Session::with(&server, credential, warnings, |session| sign::run(session, &by, &task)).map(Zeroizing::new)
    }
}

impl Key {
    fn by(&self) -> Result<sign::By, Error> {
        let (mount, key) = (segments("--mount", &self.mount)?, name("--key", &self.key)?);
        Ok(sign::By { mount, key, version: self.key_version })
    }
}

#[cfg(test)]
mod tests;
