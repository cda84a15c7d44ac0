use std::path::PathBuf;

use super::keys::Keys;
use super::{common, environment::Environment, question, ui::Ui, values::Outcome};
use crate::catalog::CaId;
use crate::commands::revoke::{self, Request};
use crate::error::{Error, Exit};
use crate::plan::revoke::Verb;
use crate::report::revoke::{Action, Revocation, RevocationEntry};
use crate::revocation::Reason;
use crate::workspace::{RunArgs, TreeArgs};

/// Revoke certificates permanently: sign a CRL with an entry for each of them
///
/// Revokes the certificate of an entry in the tree (NAME), the one in FILE, or the one with a serial number. One run
/// signs one new CRL of each authority. The CRL is beside its authority (pki/ca.crl, pki/front-proxy-ca.crl,
/// pki/etcd/ca.crl; in a cluster directory also beside the nodes' copies of the authority). CRL and journal are written
/// in one transaction, and the previous CRL is kept as a generation. A CRL of the same authority that another program
/// made is continued with its entries unchanged.
///
/// kube-apiserver reads no CRLs: it accepts a revoked client certificate until it expires. Against a leaked kubeconfig,
/// remove the role bindings of its user and groups; against a system:masters credential only a new CA helps. Programs
/// that read CRLs: etcd (--client-crl-file, --peer-crl-file: etcd/ca.crl up to 3.5, etcd/ca.crl.der from 3.6 on, for every
/// handshake), HAProxy (crl-file) and nginx (ssl_crl) when they are reloaded.
///
/// Of a node that was lost or is replaced (NODE/all), revoke first and renew then: what is revoked is what is in use, and
/// kpki renew makes new keys for it. Who had the keys of authorities, as a control-plane node has, still signs what nobody
/// revoked: these have to be replaced.
///
/// A revocation cannot be undone; kpki hold can. On a terminal, what would be revoked is shown first and asked for, but with
/// --yes. A held certificate that is revoked keeps the revocation date of the
/// hold.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kpki revoke apiserver-etcd-client --reason keyCompromise          then: kpki renew apiserver-etcd-client
  kpki revoke cp1/etcd-peer --dir ./cluster
  kpki revoke cp2/all --reason keyCompromise --dir ./cluster        a lost node; then: kpki renew cp2/all --dir ./cluster
  kpki revoke --cert old-admin.crt --reason superseded
  kpki revoke --serial 4fd1a6 --authority etcd-ca --unknown-serial --invalid-since 2026-11-01
  kpki revoke cp1/etcd-peer --dir ./cluster --authority-key etcd-ca=/secure/etcd-ca.key    a key that is kept elsewhere

Exit status: 0 revoked, or it was already, 1 refused or failed (or the key of an authority did not open, so that nothing was revoked),
2 wrong command line, 5 some of NODE/all was left out.")]
pub struct Revoke {
    #[command(flatten)]
    selector: Selector,

    /// The reason code of RFC 5280; default: none
    #[arg(long, value_name = "REASON", ignore_case = true, value_parser = reasons())]
    reason: Option<Reason>,

    /// The invalidity date, since when the key may be compromised: RFC 3339, a date, or -30d
    #[arg(long, value_name = "INSTANT", allow_hyphen_values = true)]
    invalid_since: Option<String>,

    /// Do not ask; without a terminal nothing is asked
    #[arg(short, long)]
    yes: bool,

    #[command(flatten)]
    crl: CrlRun,
}

/// Revoke certificates temporarily, until kpki release
///
/// As kpki revoke, with the reason certificateHold. Programs that read CRLs refuse a held certificate until it is
/// released. kpki renew --due does not renew it. kpki revoke makes the hold permanent.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kpki hold apiserver-etcd-client
  kpki hold --serial 4fd1a6 --authority etcd-ca --dir ./cluster

Exit status: 0 held, or it was already, 1 refused or failed, 2 wrong command line.")]
pub struct Hold {
    #[command(flatten)]
    selector: Selector,

    #[command(flatten)]
    crl: CrlRun,
}

/// Release held certificates: sign a CRL without their entries
///
/// Only a hold can be released; a revoked certificate stays revoked. For a certificate without a CRL entry nothing is
/// written.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kpki release apiserver-etcd-client
  kpki release cp1/etcd-peer --dir ./cluster

Exit status: 0 released, or nothing to do, 1 refused or failed, 2 wrong command line.")]
pub struct Release {
    #[command(flatten)]
    selector: Selector,

    #[command(flatten)]
    crl: CrlRun,
}

/// Which certificates.
#[derive(Debug, clap::Args)]
struct Selector {
    /// Names as kubeadm has them (apiserver-etcd-client, admin.conf); NODE/NAME where several nodes have one; NODE/all for
    /// all of a node
    #[arg(value_name = "NAME", required_unless_present_any = ["cert", "serial"])]
    names: Vec<String>,

    /// A file with the certificate, PEM or DER
    #[arg(long, value_name = "FILE")]
    cert: Option<PathBuf>,

    /// Its serial number in hexadecimal
    #[arg(long, value_name = "HEX", requires = "authority")]
    serial: Option<String>,

    /// The authority that issued the serial number
    #[arg(long, value_name = "NAME", requires = "serial", value_parser = super::values::authority)]
    authority: Option<CaId>,

    /// Allow a serial number that is not known to be issued by this tree
    #[arg(long)]
    unknown_serial: bool,
}

/// Of which tree, and how.
#[derive(Debug, clap::Args)]
pub struct CrlRun {
    #[command(flatten)]
    pub tree: common::Tree,

    /// Write the CRL as DER too (ca.crl.der); an existing one is always updated, and etcd's always written
    #[arg(long)]
    pub der: bool,

    #[command(flatten)]
    pub keys: Keys,

    #[command(flatten)]
    pub run: common::Run,
}

/// RFC 5280's reason codes without removeFromCRL (for delta CRLs) and certificateHold (`kpki hold`).
fn reasons() -> impl clap::builder::TypedValueParser<Value = Reason> {
    use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
    let all = Reason::all().filter(|reason| !matches!(reason, Reason::RemoveFromCrl | Reason::CertificateHold));
    PossibleValuesParser::new(all.map(|reason| PossibleValue::new(reason.name()))).map(|name| {
        let same = |reason: &Reason| reason.name().eq_ignore_ascii_case(&name);
        Reason::all().find(same).unwrap_or(Reason::Unspecified)
    })
}

impl Revoke {
    pub fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let now = self.crl.run.args(environment)?.now;
        let since = self.invalid_since.as_deref();
        let since = since.map(|text| super::values::instant("--invalid-since", text, now)).transpose()?;
        if let Some(since) = since.filter(|since| *since > now) {
            return Err(Error::usage(format!("--invalid-since {} is in the future", crate::clock::rfc3339(since)))
                .hint("give the instant since when the key may be compromised, or leave it out"));
        }
        let mut request = request(self.selector, Verb::Revoke(self.reason), since, &self.crl, environment)?;
        if environment.is_interactive() && !self.yes && !request.run.dry_run {
            request.confirmed = Some(confirmed(&request, environment, ui)?);
        }
        run(&request, &self.crl, ui)
    }
}

impl Hold {
    pub fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        run(&request(self.selector, Verb::Hold, None, &self.crl, environment)?, &self.crl, ui)
    }
}

impl Release {
    pub fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        run(&request(self.selector, Verb::Release, None, &self.crl, environment)?, &self.crl, ui)
    }
}

fn request(
    selector: Selector,
    verb: Verb,
    invalid_since: Option<time::OffsetDateTime>,
    crl: &CrlRun,
    environment: &Environment,
) -> Result<Request, Error> {
    let Selector { names, cert: certificate, serial, authority, unknown_serial } = selector;
    let (trees, run, der, serial) =
        (crl.trees(environment)?, crl.run.args(environment)?, crl.der, serial.zip(authority));
    Ok(Request { trees, run, der, verb, names, certificate, serial, invalid_since, unknown_serial, confirmed: None })
}

fn run(request: &Request, crl: &CrlRun, ui: &mut Ui<'_>) -> Outcome {
    crl.show(&revoke::run(request)?, &request.run, ui)
}

/// What would be revoked, once somebody has said yes to it.
fn confirmed(request: &Request, environment: &Environment, ui: &mut Ui<'_>) -> Result<Vec<RevocationEntry>, Error> {
    let run = RunArgs { dry_run: true, ..request.run.clone() };
    let entries = revoke::run(&Request { run, ..request.clone() })?.entries;
    let what: Vec<String> = entries.iter().filter(|entry| entry.action == Action::Revoke).map(told).collect();
    let question = "A revocation cannot be undone. Revoke?";
    if what.is_empty() || question::is_wanted(environment, ui, "to be revoked", &what, question)? {
        return Ok(entries);
    }
    Err(Error::new("nothing was revoked: the answer was not yes")
        .hint("revoke for a time with kpki hold, which kpki release undoes")
        .hint("revoke without the question with --yes"))
}

fn told(entry: &RevocationEntry) -> String {
    let RevocationEntry { name, authority, serial, reason, .. } = entry;
    let name = name.as_ref().map(|name| format!("{name}, ")).unwrap_or_default();
    format!("{name}serial {serial} of {authority}, reason {}", reason.as_deref().unwrap_or_default())
}

impl CrlRun {
    pub fn trees(&self, environment: &Environment) -> Result<TreeArgs, Error> {
        self.keys.with(self.tree.args(environment), environment)
    }

    /// The report of these verbs and of `crl update`.
    pub fn show(&self, report: &Revocation, run: &RunArgs, ui: &mut Ui<'_>) -> Outcome {
        ui.warnings(&report.warnings);
        let exit = if report.has_gap() { Exit::Partial } else { Exit::Done };
        let exit = self.run.report.finish(ui, report, run, exit)?;
        ui.failures(&report.failures());
        Ok(exit)
    }
}
