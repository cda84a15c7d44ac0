use std::path::PathBuf;

use super::{common, environment::Environment, keys, question, ui::Ui, values::Outcome};
use crate::catalog::CaId;
use crate::commands::key::{self, ListRequest, Request};
use crate::error::{Error, Exit};
use crate::keys::KeyArgs;
use crate::profile::PassphraseFrom;
use crate::workspace::RunArgs;

/// Encrypt, decrypt and show the keys of a cluster directory's authorities
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kpki key list --dir ./cluster                 where each key is, and where copies of it are
  kpki key protect all --dir ./cluster          asks for the passphrase, twice")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    List(List),
    Protect(Protect),
    Expose(Expose),
}

/// Show where the key of each authority is: plain or encrypted in its file, in a file elsewhere, behind a command or a signer
///
/// Nothing is opened, asked for or run. Copies are the files below DIR that hold the same key, and what generations, rotations and
/// requests keep in its place.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kpki key list --dir ./cluster
  kpki key list --dir ./cluster -o json | jq '.keys[] | select(.state == \"plain\").authority'

Exit status: 0 shown, 1 could not run, 2 wrong command line.")]
struct List {
    #[command(flatten)]
    tree: common::Dir,

    #[command(flatten)]
    report: common::Report,
}

/// Encrypt the keys of authorities with a passphrase, or give them another one
///
/// In one transaction: pki/ca.key and every copy of it that kpki keeps (generations, rotations, requests) become ENCRYPTED PRIVATE KEY
/// (PKCS#8 with PBES2: PBKDF2 with HMAC-SHA-256 and 600000 iterations, AES-256-CBC), as openssl reads it. Each is opened again and
/// compared with the certificate before it is written, and no generation keeps the plain key: kpki restore cannot bring it back.
/// Verbs that sign then take the passphrase from the profile (authorities.NAME.key.passphraseFile, passphraseEnv), from
/// --key-passphrase-file or --key-passphrase-env, or ask for it. Without it nobody can sign again: keep it apart from the directory.
///
/// Only in a cluster directory with caKeys: none. kube-controller-manager and kubeadm read pki/ca.key in plain, kube-apiserver and
/// kube-controller-manager sa.key: what a node reads stays plain.
///
/// What cannot be reached: nodes that were given the key, backups, archives, files outside of DIR, and blocks that a disk keeps after
/// a file is replaced. What is known of that is said. If one of them is in other hands, replace the authority: kpki rotate.
///
/// Of a key that the profile has elsewhere (key.file, key.command, signer, issuer), what is still in DIR in plain is encrypted, too, and
/// not destroyed: nothing shows that the one elsewhere stays. Remove pki/NAME.key once the key elsewhere has signed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kpki key protect all --dir ./cluster --dry-run                               what would be encrypted
  kpki key protect all --dir ./cluster                                         asks for the passphrase, twice
  kpki key protect ca --dir ./cluster --key-passphrase-file pass
  kpki key protect ca --dir ./cluster --key-passphrase-file old --new-passphrase-file new

Exit status: 0 done or nothing to do, 1 refused or failed and nothing was changed, 2 wrong command line, 5 done, but a node is known to
have the key in plain, or a copy is left that is plain or has another passphrase.")]
struct Protect {
    /// all, or some of ca, front-proxy-ca, etcd-ca
    #[arg(value_name = "NAME", required = true, value_parser = named)]
    names: Vec<Named>,

    #[command(flatten)]
    phrase: Phrase,

    /// Give keys that are encrypted this passphrase instead: the first line of this file
    #[arg(long, value_name = "FILE", conflicts_with = "new_passphrase_env")]
    new_passphrase_file: Option<PathBuf>,

    /// The same from this environment variable
    #[arg(long, value_name = "VARIABLE")]
    new_passphrase_env: Option<String>,

    #[command(flatten)]
    tree: common::Dir,

    #[command(flatten)]
    run: common::Run,
}

/// Decrypt the keys of authorities: their files become plain again
///
/// Rarely needed: every verb that signs opens an encrypted key itself. It is for a change to caKeys: control-plane, where nodes read the
/// key, and for other programs. Copies that kpki keeps in generations stay encrypted.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kpki key expose ca --dir ./cluster --dry-run
  kpki key expose ca --dir ./cluster --key-passphrase-file pass --yes

Exit status: 0 done or nothing to do, 1 refused or failed and nothing was changed, 2 wrong command line.")]
struct Expose {
    /// all, or some of ca, front-proxy-ca, etcd-ca
    #[arg(value_name = "NAME", required = true, value_parser = named)]
    names: Vec<Named>,

    #[command(flatten)]
    phrase: Phrase,

    /// Do not ask; needed without a terminal
    #[arg(short, long)]
    yes: bool,

    #[command(flatten)]
    tree: common::Dir,

    #[command(flatten)]
    run: common::Run,
}

/// The passphrase of the keys.
#[derive(Debug, clap::Args)]
struct Phrase {
    /// Read the passphrase from the first line of this file, which others cannot read
    #[arg(long, value_name = "FILE", conflicts_with = "key_passphrase_env")]
    key_passphrase_file: Option<PathBuf>,

    /// Read the passphrase from this environment variable
    #[arg(long, value_name = "VARIABLE")]
    key_passphrase_env: Option<String>,
}

#[derive(Debug, Clone, Copy)]
enum Named {
    All,
    One(CaId),
    ServiceAccount,
}

fn named(text: &str) -> Result<Named, super::values::Expected> {
    match text {
        "all" => Ok(Named::All),
        "sa" => Ok(Named::ServiceAccount),
        _ => super::values::authority(text).map(Named::One),
    }
}

impl Args {
    pub fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        match self.verb {
            Verb::List(args) => args.run(environment, ui),
            Verb::Protect(args) => args.run(environment, ui),
            Verb::Expose(args) => args.run(environment, ui),
        }
    }
}

impl List {
    fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let now = environment.clock.now();
        let run = RunArgs { now, lock_wait: std::time::Duration::ZERO, threads: 1, dry_run: true };
        ui.report(&key::list(&ListRequest { dir: self.tree.dir, run })?, self.report.output, now)?;
        Ok(Exit::Done)
    }
}

impl Protect {
    fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let run = self.run.args(environment)?;
        let file = self.new_passphrase_file.as_deref().map(|path| keys::passphrase_file("--new-passphrase-file", path));
        let to_come = file.transpose()?.or(self.new_passphrase_env.map(PassphraseFrom::Variable));
        let (dir, authorities, keys) = (self.tree.dir, authorities(&self.names)?, self.phrase.args(environment)?);
        let request = Request { dir, authorities, keys, to_come, run };
        let done = key::protect(&request)?;
        ui.warnings(&done.warnings);
        let exit = if done.left.is_empty() { Exit::Done } else { Exit::Partial };
        self.run.report.finish(ui, &done, &request.run, exit)
    }
}

impl Expose {
    fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let run = self.run.args(environment)?;
        let (dir, authorities, keys) = (self.tree.dir, authorities(&self.names)?, self.phrase.args(environment)?);
        let request = Request { dir, authorities, keys, to_come: None, run };
        if !self.yes && !request.run.dry_run {
            confirm(&request, environment, ui)?;
        }
        let done = key::expose(&request)?;
        ui.warnings(&done.warnings);
        self.run.report.finish(ui, &done, &request.run, Exit::Done)
    }
}

/// A key in plain is for everybody who can read the file, and its backups.
fn confirm(request: &Request, environment: &Environment, ui: &mut Ui<'_>) -> Result<(), Error> {
    if !environment.is_interactive() {
        return Err(Error::usage("a key is decrypted only with --yes, or on a terminal")
            .because("every verb that signs opens an encrypted key itself")
            .hint("give verbs that sign its passphrase with --key-passphrase-file or in the profile, or add --yes"));
    }
    let run = RunArgs { dry_run: true, ..request.run.clone() };
    let done = key::expose(&Request { run, ..request.clone() })?;
    let what: Vec<String> = done.changed().map(|row| row.path.clone()).collect();
    let question = "Verbs that sign open encrypted keys themselves. Decrypt?";
    if what.is_empty() || question::is_wanted(environment, ui, "to be in plain", &what, question)? {
        return Ok(());
    }
    Err(Error::new("nothing was decrypted: the answer was not yes").hint("decrypt without the question with --yes"))
}

impl Phrase {
    fn args(self, environment: &Environment) -> Result<KeyArgs, Error> {
        let file = self.key_passphrase_file.as_deref().map(|path| keys::passphrase_file("--key-passphrase-file", path));
        let variable = self.key_passphrase_env.map(PassphraseFrom::Variable);
        Ok(KeyArgs { passphrase: file.transpose()?.or(variable), ..environment.keys() })
    }
}

/// None: all.
fn authorities(names: &[Named]) -> Result<Vec<CaId>, Error> {
    let mut found = Vec::new();
    for name in names {
        match name {
            Named::All if names.len() == 1 => return Ok(Vec::new()),
            Named::All => {
                return Err(
                    Error::usage("all cannot be combined with other names").hint("give all alone, or only the names")
                );
            }
            Named::ServiceAccount => {
                return Err(Error::usage("sa.key stays plain")
                    .because("kube-apiserver and kube-controller-manager read it on every control-plane node")
                    .hint("name some of ca, front-proxy-ca, etcd-ca, or all"));
            }
            Named::One(authority) => found.push(*authority),
        }
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}
