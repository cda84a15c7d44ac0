use std::path::PathBuf;

use super::{common, environment::Environment, ui::Ui, values::Outcome};
use crate::catalog::CaId;
use crate::commands::revoke::{self, Request};
use crate::error::{Error, Exit};
use crate::plan::revoke::Verb;
use crate::report::revoke::Revocation;
use crate::revocation::Reason;

/// Revoke certificates for good: the next edition of their authority's list names them
///
/// The certificate that lies in the tree as NAME, the one in FILE, or the one with this number; several of a run go on one new
/// edition of each list. The list lies beside its authority (pki/ca.crl, pki/front-proxy-ca.crl, pki/etcd/ca.crl; in a cluster
/// directory also beside the copies that nodes hold) and is kept with its journal like everything else: one transaction, a
/// generation of the list before. A list that somebody else made for the same authority is continued, entry by entry as it is.
///
/// kube-apiserver reads no revocation list: it accepts a revoked client certificate until it expires. Against a leaked kubeconfig
/// remove the role bindings of its user and groups; a system:masters credential can only be taken back with a new CA. What does read
/// lists: etcd (--client-crl-file, --peer-crl-file), HAProxy (crl-file), nginx (ssl_crl).
///
/// Nothing can undo this; kpki hold can be undone. A certificate that is held becomes revoked as of the day of the hold.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kpki revoke apiserver-etcd-client --reason keyCompromise          then: kpki renew apiserver-etcd-client
  kpki revoke cp1/etcd-peer --dir ./cluster
  kpki revoke --cert old-admin.crt --reason superseded
  kpki revoke --serial 4fd1a6 --ca etcd-ca --unknown-serial --invalid-since 2026-11-01

Exit status: 0 revoked, or it was already, 1 refused or failed, 2 wrong command line.")]
pub struct Revoke {
    #[command(flatten)]
    selector: Selector,

    /// Why, in RFC 5280's words; default: no reason is given
    #[arg(long, value_name = "REASON", ignore_case = true, value_parser = reasons())]
    reason: Option<Reason>,

    /// Since when the key may have been in other hands: RFC 3339, a date, or -30d
    #[arg(long, value_name = "INSTANT", allow_hyphen_values = true)]
    invalid_since: Option<String>,

    #[command(flatten)]
    crl: CrlRun,
}

/// Revoke certificates for a while: kpki release takes it back
///
/// As kpki revoke, with the reason certificateHold. A held certificate is refused by what reads lists until it is released, and is not
/// renewed by itself; kpki revoke makes the hold final.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kpki hold apiserver-etcd-client
  kpki hold --serial 4fd1a6 --ca etcd-ca --dir ./cluster

Exit status: 0 held, or it was already, 1 refused or failed, 2 wrong command line.")]
pub struct Hold {
    #[command(flatten)]
    selector: Selector,

    #[command(flatten)]
    crl: CrlRun,
}

/// Take a hold back: the next edition of the list no longer names the certificate
///
/// Only a hold; what is revoked stays revoked. A certificate that no list names is as good as released, and nothing is written.
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
    /// Names as kubeadm has them (apiserver-etcd-client, admin.conf); NODE/NAME where several nodes have one
    #[arg(value_name = "NAME", required_unless_present_any = ["cert", "serial"])]
    names: Vec<String>,

    /// The certificate itself, PEM or DER
    #[arg(long, value_name = "FILE")]
    cert: Option<PathBuf>,

    /// Its serial number in hexadecimal
    #[arg(long, value_name = "HEX", requires = "ca")]
    serial: Option<String>,

    /// The authority whose number it is
    #[arg(long, value_name = "CA", requires = "serial", value_parser = super::values::authority)]
    ca: Option<CaId>,

    /// Also a number that this tree never issued, as far as is known
    #[arg(long)]
    unknown_serial: bool,
}

/// Of which tree, and how.
#[derive(Debug, clap::Args)]
pub struct CrlRun {
    #[command(flatten)]
    pub tree: common::Tree,

    /// Write the CRL as DER too (ca.crl.der); one that is there is kept up to date anyway
    #[arg(long)]
    pub der: bool,

    #[command(flatten)]
    pub run: common::Run,

    #[command(flatten)]
    pub report: common::Report,
}

/// RFC 5280's reasons, but for the one of delta lists and the one that is a verb of its own.
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
                .hint("give the instant since when the key may have been in other hands, or leave it out"));
        }
        run(self.selector, Verb::Revoke(self.reason), since, &self.crl, environment, ui)
    }
}

impl Hold {
    pub fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        run(self.selector, Verb::Hold, None, &self.crl, environment, ui)
    }
}

impl Release {
    pub fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        run(self.selector, Verb::Release, None, &self.crl, environment, ui)
    }
}

fn run(
    selector: Selector,
    verb: Verb,
    invalid_since: Option<time::OffsetDateTime>,
    crl: &CrlRun,
    environment: &Environment,
    ui: &mut Ui<'_>,
) -> Outcome {
    let Selector { names, cert: certificate, serial, ca, unknown_serial } = selector;
    let (trees, run, der, serial) = (crl.tree.args(environment), crl.run.args(environment)?, crl.der, serial.zip(ca));
    let request = Request { trees, run, der, verb, names, certificate, serial, invalid_since, unknown_serial };
    let report = revoke::run(&request)?;
    crl.show(&report, request.run.now, ui)
}

impl CrlRun {
    /// What these verbs and `crl update` say at the end.
    pub fn show(&self, report: &Revocation, now: time::OffsetDateTime, ui: &mut Ui<'_>) -> Outcome {
        ui.warnings(&report.warnings);
        ui.report(report, self.report.form(), now)?;
        Ok(if report.has_gap() { Exit::Partial } else { Exit::Done })
    }
}
