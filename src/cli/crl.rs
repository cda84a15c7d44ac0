use std::path::PathBuf;

use super::{common, environment::Environment, revoke, ui::Ui, values::Outcome};
use crate::catalog::CaId;
use crate::commands::crl::{CheckRequest, check, show, update};
use crate::error::Exit;
use crate::report::crl::Answer;

/// Sign, show and check certificate revocation lists (CRLs)
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kpki crl update --due                 what a scheduled job runs (kpki renew all --due does it, too)
  kpki crl show /etc/kubernetes/pki/etcd/ca.crl
  kpki crl check apiserver-etcd-client")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    Update(Update),
    Show(Show),
    Check(Check),
}

/// Sign the next CRL of each authority, with the same entries
///
/// A CRL is stale after its nextUpdate (the profile's crl.validity after it was signed; default 30d). HAProxy and nginx
/// refuse every client then: sign the next one in time. etcd looks at neither dates nor signatures, and goes on with the entries of
/// a stale CRL; from 3.6 on it reads DER only, so that etcd/ca.crl.der is always written. An authority without a CRL gets an empty one. The
/// CRL number always increases: it is above the highest number in the CRL, the journal and the generations. Entries
/// that are in the journal but missing from the CRL are added again.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kpki crl update                       every authority whose key is here
  kpki crl update etcd-ca --der         this one, as PEM and DER
  kpki crl update --due --dir ./cluster

Exit status: 0 signed or nothing to do, 1 refused or failed, 2 wrong command line, 5 a CRL is due and the key of its authority is not
here, or did not open.")]
struct Update {
    /// all, or some of ca, front-proxy-ca, etcd-ca; default: all
    #[arg(value_name = "CA", value_parser = authorities)]
    authorities: Vec<Named>,

    /// Only CRLs with at most 33% of their lifetime left
    #[arg(long)]
    due: bool,

    #[command(flatten)]
    crl: revoke::CrlRun,
}

#[derive(Debug, Clone, Copy)]
enum Named {
    All,
    One(CaId),
}

fn authorities(text: &str) -> Result<Named, super::values::Expected> {
    if text == "all" { Ok(Named::All) } else { super::values::authority(text).map(Named::One) }
}

/// Show the contents of a CRL of any issuer
///
/// PEM or DER, of any size, in little memory. The signature is not verified: kpki crl check does that.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kpki crl show pki/ca.crl
  kpki crl show pki/ca.crl -o json | jq '.revoked[].serial'

Exit status: 0 shown, 1 it is not a CRL, 2 wrong command line.")]
struct Show {
    #[arg(value_name = "FILE")]
    file: PathBuf,

    #[command(flatten)]
    at: common::At,

    #[command(flatten)]
    report: common::Report,
}

/// Check whether certificates are revoked
///
/// A certificate is good only if its path to an authority that is trusted holds (dates, signatures, names and their
/// constraints, and whether everything above may sign certificates), and fresh CRLs that together speak of it for every
/// reason have no entry for it. Everything else is unknown. Of several CRLs the newest valid one decides. Deltas, indirect
/// CRLs, and CRLs for some certificates or reasons only count as far as RFC 5280 says. What could not be looked at is said.
/// Signatures by DSA count, with the remark that Kubernetes refuses them.
///
/// Without --ca and --crl, the authorities of the tree in --dir and the CRLs beside them are used. Without a tree, a root
/// that is in the file of the certificate is trusted.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kpki crl check                                          everything in /etc/kubernetes
  kpki crl check apiserver-etcd-client cp1/etcd-peer --dir ./cluster
  kpki crl check client.crt --ca pki/etcd/ca.crt --crl pki/etcd/ca.crl

Exit status: 0 all are good, 1 unknown for some (no path, or no CRL that decides), 2 wrong command line, 3 a CRL that decides is stale
or about to be, 4 some are revoked or held. Of several the worst counts: 4, then 1, then 3.")]
struct Check {
    /// Files, directories, or names of the tree in --dir; default: everything in --dir
    #[arg(value_name = "CERT|NAME|DIR")]
    whom: Vec<String>,

    /// Use these CRLs
    #[arg(long = "crl", value_name = "FILE")]
    lists: Vec<PathBuf>,

    /// Trust these authorities, and nothing else; they may be intermediates
    #[arg(long = "ca", value_name = "FILE")]
    authorities: Vec<PathBuf>,

    #[command(flatten)]
    tree: common::Tree,

    /// Ignore a CRL that has no CRL number or whose signer has no cRLSign
    #[arg(long)]
    strict: bool,

    #[command(flatten)]
    at: common::At,

    #[command(flatten)]
    report: common::Report,
}

impl Args {
    pub fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        match self.verb {
            Verb::Update(args) => args.run(environment, ui),
            Verb::Show(args) => args.run(environment, ui),
            Verb::Check(args) => args.run(environment, ui),
        }
    }
}

impl Update {
    fn run(&self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let all = self.authorities.iter().any(|one| matches!(one, Named::All));
        let one = |named: &Named| match named {
            Named::One(authority) if !all => Some(*authority),
            _ => None,
        };
        let authorities = self.authorities.iter().filter_map(one).collect();
        let (trees, run) = (self.crl.trees(environment)?, self.crl.run.args(environment)?);
        let request = update::Request { trees, run, der: self.crl.der, authorities, due: self.due };
        self.crl.show(&update::run(&request)?, &request.run, ui)
    }
}

impl Show {
    fn run(&self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let now = self.at.instant(environment)?;
        let form = self.report.output;
        let head = show::head(&self.file)?;
        let mut read = Ok(());
        ui.output(|out| {
            head.open(form, now, out)?;
            let (mut first, mut written) = (true, Ok(()));
            read = show::entries(&self.file, &mut |entry| {
                if written.is_ok() {
                    written = entry.write(form, first, out);
                }
                first = false;
            });
            written?;
            if read.is_ok() { out.write_all(head.close(form).as_bytes()) } else { Ok(()) }
        })?;
        read?;
        Ok(Exit::Done)
    }
}

impl Check {
    fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let form = self.report.output;
        let (trees, at) = (self.tree.args(environment), self.at.instant(environment)?);
        let Self { whom, lists, authorities, strict, .. } = self;
        let report = check::run(&CheckRequest { whom, lists, authorities, trees, strict, at })?;
        ui.report(&report, form, environment.clock.now())?;
        Ok(match report.answer {
            Answer::Good if report.is_ending() => Exit::Warning,
            Answer::Good => Exit::Done,
            Answer::Stale => Exit::Warning,
            Answer::Unknown => Exit::Failed,
            Answer::Held | Answer::Revoked => Exit::Critical,
        })
    }
}
