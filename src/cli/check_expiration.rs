use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::passwords::InputPassword;
use super::values::{Choices, one_of, span};
use super::{common, environment::Environment, ui::Ui, values::Outcome};
use crate::audit::State;
use crate::clock::Span;
use crate::commands::check_expiration::{self, Request};
use crate::error::{Error, Exit};
use crate::profile::Threshold;
use crate::report::{CheckForm, Line, Selection, Sort, Tone};

/// Show when every certificate expires: of one node, one cluster or a whole fleet
///
/// Reads certificates, kubeconfigs and the files they name, the kubelet's own certificates, CRLs, and manifests with
/// Secrets, ConfigMaps and CA bundles; in files and other directories also DER, PKCS#7, PKCS#12 and Java's keystores. It
/// needs no network, and works on a tree that is expired or half missing. A file that cannot be read never
/// hides the others. Of a private key that it may read it takes the public half that stands in it, to see whether it is the
/// certificate's. Nobody is asked for a password: PKCS#12 is opened with --password-file or --password-env, and the
/// certificates of a Java keystore are read without.
///
/// A threshold is a duration (30d, 720h) or a share of the lifetime that remains (20%). A state begins on the exact
/// second of its threshold; a certificate is expired one second after its notAfter. A threshold on the command line is
/// literal; that of a profile, and the defaults, count for at most 33% (warning) and 16% (critical) of a certificate's
/// lifetime, and what `kpki renew --due` would not renew yet is not critical. The state of a CRL is warning only when at
/// most 20% of its lifetime remains, and critical at 5%. A certificate is held or revoked when the CRL beside
/// its authority has an entry for it and the authority signed that CRL.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Kubernetes directories, cluster directories, files, or other directories to search, as with --dir; default:
    /// /etc/kubernetes
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    #[command(flatten)]
    trees: common::Fleet,

    /// Warn when no more than this remains; default: the profile's, else 30d
    #[arg(short, long, value_name = "LEFT", value_parser = Threshold::parse)]
    warning: Option<Threshold>,

    /// Critical when no more than this remains; default: the profile's, else 7d
    #[arg(short, long, value_name = "LEFT", value_parser = Threshold::parse)]
    critical: Option<Threshold>,

    /// For authorities: warn when no more than this remains; default: the profile's, else 1y
    #[arg(long, value_name = "LEFT", value_parser = Threshold::parse)]
    ca_warning: Option<Threshold>,

    /// For authorities: critical when no more than this remains; default: the profile's, else 180d
    #[arg(long, value_name = "LEFT", value_parser = Threshold::parse)]
    ca_critical: Option<Threshold>,

    #[command(flatten)]
    password: InputPassword,

    #[command(flatten)]
    at: common::At,

    /// The order of rows
    #[arg(long, default_value = "name", value_name = "BY", value_parser = one_of(SORTS))]
    sort: Sort,

    /// Show these states only
    #[arg(long, value_name = "STATE,...", value_delimiter = ',', value_parser = states())]
    only: Vec<State>,

    /// Show only what expires within this time or has expired
    #[arg(long, value_name = "DURATION", value_parser = span)]
    within: Option<Span>,

    /// Show only the N most urgent items
    #[arg(long, value_name = "N")]
    top: Option<usize>,

    /// The form of the report
    #[arg(short, long, default_value = "table", value_name = "FORM", value_parser = one_of(FORMS))]
    output: CheckForm,

    /// Write the report to this file instead, atomically and world-readable (0644)
    #[arg(long, value_name = "FILE")]
    output_file: Option<PathBuf>,

    /// Compare key files with their certificates in more than 100 trees, too
    #[arg(long)]
    keys: bool,

    /// Exit 0 whatever the findings are, as kubeadm does
    #[arg(long)]
    exit_zero: bool,
}

const EXAMPLES: &str = "\
Examples:
  kpki check-expiration                                            this node, /etc/kubernetes
  kpki check-expiration --within 60d --sort expiry ./cluster       a cluster directory, earliest expiry first
  kpki check-expiration --at +90d                                  as it will be in 90 days
  kpki check-expiration --warning 20% --critical 5% tls.pem        thresholds as a share of the lifetime
  kpki check-expiration --profiles clusters/ --top 20              a fleet: clusters/NAME.yaml with clusters/NAME/
  kpki check-expiration --profiles clusters/ -o timeline           the same at a glance: how many end in which month
  kpki check-expiration --profiles clusters/ -o html --output-file fleet.html
  kpki check-expiration -o json | jq '.certificates[] | select(.residualTime < 2592000)'
  kpki check-expiration -o prometheus --output-file /var/lib/node_exporter/kpki.prom
  kpki check-expiration -o nagios

--only, --within and --top choose what is shown; verdict and exit status are over everything. The table of a fleet has a line for every
cluster that is not ok, whatever they say. The page of -o html needs no network and no script.

Exit status: 0 nothing inside the windows, 1 could not run, 2 wrong command line or profile, 3 a certificate is inside its
warning window, 4 one is critical, expired, held, revoked, not yet valid, of the wrong issuer, with another's key or unlike ca.crt, missing or unreadable. --exit-zero makes 3 and 4 a 0. With -o nagios
the plugin's own: 0 ok, 1 warning, 2 critical, 3 unknown.";

const SORTS: Choices<Sort> = &[
    ("name", Some("By name, as kubeadm does"), Sort::Name),
    ("expiry", Some("By expiry, earliest first"), Sort::Expiry),
    ("state", Some("By state, most urgent first"), Sort::State),
];

pub const FORMS: Choices<CheckForm> = &[
    ("table", Some("kubeadm's table, with verdict and advice"), CheckForm::Table),
    ("text", None, CheckForm::Table),
    ("wide", Some("One line per certificate with subject, issuer, names, serial, algorithm and path"), CheckForm::Wide),
    ("json", Some("kubeadm's CertificateExpirationInfo and more"), CheckForm::Json),
    ("yaml", Some("The same document as YAML"), CheckForm::Yaml),
    ("csv", Some("One row per item"), CheckForm::Csv),
    ("timeline", Some("How many end in which month, a line per cluster"), CheckForm::Timeline),
    ("html", Some("One page for a browser, with a timeline of each cluster"), CheckForm::Html),
    (
        "prometheus",
        Some("For node_exporter's textfile collector, with x509-certificate-exporter's names"),
        CheckForm::Prometheus,
    ),
    (
        "nagios",
        Some("One line with performance data, of 4 KiB at the most, and a plugin's exit status"),
        CheckForm::Nagios,
    ),
];

/// Shown in the help and completed by shells.
fn states() -> impl TypedValueParser<Value = State> {
    PossibleValuesParser::new(State::ALL.map(State::name)).try_map(|name| State::parse(&name).ok_or("no such state"))
}

impl Args {
    /// What kubeadm's verb of this name shows.
    pub fn of(trees: common::Fleet, at: common::At, output: CheckForm, exit_zero: bool) -> Self {
        Self {
            paths: Vec::new(),
            trees,
            warning: None,
            critical: None,
            ca_warning: None,
            ca_critical: None,
            password: InputPassword::default(),
            at,
            sort: Sort::Name,
            only: Vec::new(),
            within: None,
            top: None,
            output,
            output_file: None,
            keys: false,
            exit_zero,
        }
    }

    pub fn run(&self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        match self.check(environment, ui) {
            // A Nagios plugin always prints one line; status 3 means unknown.
            Err(error) if self.output == CheckForm::Nagios => {
                ui.lines(&[Line { text: format!("CERTIFICATES UNKNOWN - {}", error.what), tone: Tone::Bad }])?;
                Ok(Exit::Plugin(3))
            }
            outcome => outcome,
        }
    }

    fn check(&self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let request = self.request(environment)?;
        let (check, warnings) = ui.working(|progress| check_expiration::run(&request, progress))?;
        ui.warnings(&warnings);
        let form = self.output;
        match &self.output_file {
            Some(path) => check_expiration::write(path, &check, form)?,
            None => match check.lines(form, ui.width()) {
                Some(lines) => ui.lines(&lines)?,
                None => ui.output(|out| check.write(form, out))?,
            },
        }
        Ok(match self.output {
            _ if self.exit_zero => Exit::Done,
            CheckForm::Nagios => Exit::Plugin(check.plugin_status()),
            _ => Exit::from(check.verdict.state),
        })
    }

    fn request(&self, environment: &Environment) -> Result<Request, Error> {
        Ok(Request {
            trees: self.trees.args(environment, &self.paths),
            warning: self.warning,
            critical: self.critical,
            ca_warning: self.ca_warning,
            ca_critical: self.ca_critical,
            selection: Selection { sort: self.sort, only: self.only.clone(), within: self.within, top: self.top },
            at: self.at.instant(environment)?,
            as_of: self.at.at.is_some(),
            keys: self.keys,
            threads: environment.threads,
            password: self.password.given(environment)?,
        })
    }
}
