//! The command line: clap structs, help text and the terminal. One struct per verb, without decisions.

mod adopt;
mod backup;
mod certs;
mod check_expiration;
mod common;
mod completion;
mod convert;
mod crl;
mod csr;
pub mod environment;
mod every;
mod export;
mod generate;
pub mod habits;
mod help;
mod import;
mod init;
mod inspect;
mod key;
mod keys;
mod kubeconfig;
mod line;
mod nodes;
mod nodes_remove;
mod passwords;
mod plan;
mod profile;
mod question;
pub mod renamed;
mod renew;
mod restore;
mod revoke;
mod rotate;
mod sign;
pub mod suggest;
pub mod ui;
mod unpack;
mod values;
mod verify;
mod version;

use crate::error::Exit;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use environment::Environment;
use std::ffi::OsString;
use ui::Ui;
use values::Color;

/// PKI and certificate lifecycle for Kubernetes clusters, offline
///
/// kpki makes the whole kubeadm certificate tree - authorities, leaves, service account keys, kubeconfigs and the
/// kubelet's serving pairs - for one node or for a highly available set behind a load balancer, from one profile file
/// per cluster.
#[derive(Debug, Parser)]
#[command(name = "kpki", version, propagate_version = true, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,

    /// When to use colour; NO_COLOR and a dumb terminal turn it off
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    color: Color,

    /// Print errors only
    #[arg(short, long, global = true)]
    quiet: bool,
}

const EXAMPLES: &str = "\
Examples:
  kpki profile new > cluster.yaml                        a commented starting point
  kpki init --profile cluster.yaml --dir ./demo          the whole tree, in ./demo
  kpki init --profile kubeadm.yaml                       kubeadm's own configuration, in /etc/kubernetes
  kpki init --profile cluster.yaml --dir ./demo --dry-run
  kpki check-expiration                                  when everything in /etc/kubernetes expires
  kpki verify ./demo                                     prove that it works
  kpki renew all --due                                   renew what is due, as a scheduled job does
  kpki convert tls.crt tls.key --to p12 --out web.p12    asks for the password
  kpki csr all && kpki import signed/*.crt               with an external authority
  kpki renew ca --dir ./demo                             new dates for an authority, with its key
  kpki rotate prepare all --dir ./demo                   replace the authorities, step 1
  kpki revoke etcd-peer --dir ./demo                     put a certificate on its authority's CRL
  kpki backup --dir ./demo --out demo.kpki               asks for a passphrase

Exit status: 0 done or nothing to do; 1 refused or failed; 2 wrong command line or profile; 3 a warning, or something waits: check-expiration, verify,
crl check, nodes, rotate status, backup verify; 4 critical or wrong: check-expiration, verify, crl check, export --verify, nodes, rotate status, rotate scan, backup; 5 some of it was not done, the rest was:
init, renew, csr, rotate, revoke, nodes merge, nodes remove, adopt, backup, key protect, history; 6 it is done, but standard output could not be written; 10 something would
change (plan) or was renewed (renew --detailed-exitcode); 129, 130 or 143 ended by SIGHUP, SIGINT or SIGTERM. Each verb's help says what its own mean.";

#[derive(Debug, Subcommand)]
enum Verb {
    Init(init::Args),
    Adopt(adopt::Args),
    #[command(visible_alias = "check")]
    CheckExpiration(check_expiration::Args),
    Verify(verify::Args),
    Plan(plan::Args),
    Renew(renew::Args),
    Certs(certs::Args),
    Rotate(rotate::Args),
    Revoke(revoke::Revoke),
    Hold(revoke::Hold),
    Release(revoke::Release),
    Crl(crl::Args),
    History(restore::History),
    Restore(restore::Restore),
    Csr(csr::Args),
    Sign(sign::Args),
    Import(import::Args),
    Inspect(inspect::Args),
    Key(key::Args),
    Kubeconfig(kubeconfig::Args),
    Convert(convert::Args),
    Export(export::Args),
    Unpack(unpack::Args),
    Nodes(nodes::Args),
    Backup(backup::Args),
    Profile(profile::Args),
    Completion(completion::Args),
    Version(version::Args),
    #[command(hide = true)]
    Generate(generate::Args),
}

/// How wide a help is where nobody has said it, and at the most.
const NO_SCREEN: u16 = 100;
const WIDEST: u16 = 120;

/// Parses one command line and runs its verb.
pub fn dispatch(args: impl IntoIterator<Item = OsString>, environment: &Environment, ui: &mut Ui<'_>) -> Exit {
    let (args, renamed) = renamed::current(args.into_iter().collect());
    let width = environment.stdout.width.unwrap_or(NO_SCREEN).min(WIDEST);
    let command = help::fitted(Cli::command(), width.into());
    let cli = match command.try_get_matches_from(&args).and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => return ui.usage(&suggest::better(error, &args, &Cli::command())),
    };
    ui.configure(cli.color, cli.quiet);
    ui.warnings(&renamed);
    let outcome = match cli.verb {
        Verb::Init(args) => args.run(environment, ui),
        Verb::Adopt(args) => args.run(environment, ui),
        Verb::CheckExpiration(args) => args.run(environment, ui),
        Verb::Verify(args) => args.run(environment, ui),
        Verb::Plan(args) => args.run(environment, ui),
        Verb::Renew(args) => args.run(environment, ui),
        Verb::Certs(args) => args.run(environment, ui),
        Verb::Rotate(args) => args.run(environment, ui),
        Verb::Revoke(args) => args.run(environment, ui),
        Verb::Hold(args) => args.run(environment, ui),
        Verb::Release(args) => args.run(environment, ui),
        Verb::Crl(args) => args.run(environment, ui),
        Verb::History(args) => args.run(environment, ui),
        Verb::Restore(args) => args.run(environment, ui),
        Verb::Csr(args) => args.run(environment, ui),
        Verb::Sign(args) => args.run(environment, ui),
        Verb::Import(args) => args.run(environment, ui),
        Verb::Inspect(args) => args.run(environment, ui),
        Verb::Key(args) => args.run(environment, ui),
        Verb::Kubeconfig(args) => args.run(environment, ui),
        Verb::Convert(args) => args.run(environment, ui),
        Verb::Export(args) => args.run(environment, ui),
        Verb::Unpack(args) => args.run(environment, ui),
        Verb::Nodes(args) => args.run(environment, ui),
        Verb::Backup(args) => args.run(environment, ui),
        Verb::Profile(args) => args.run(environment, ui),
        Verb::Completion(args) => args.run(Cli::command(), ui),
        Verb::Version(args) => args.run(environment, ui),
        Verb::Generate(args) => args.run(Cli::command(), ui),
    };
    match outcome {
        Ok(exit) => exit,
        Err(error) => ui.error(&error),
    }
}

/// The whole command tree, for man pages, completions and the tests that hold the README against it.
#[cfg(any(test, feature = "internals"))]
pub fn command() -> clap::Command {
    Cli::command()
}
