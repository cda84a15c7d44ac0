use std::path::PathBuf;
use std::time::Duration;

use time::OffsetDateTime;

use super::values::{Choices, Expected, one_of, span};
use super::{common, environment::Environment, ui::Ui, values::Outcome};
use crate::clock::Span;
use crate::commands::verify::{self, Live, Request};
use crate::error::{Error, Exit};
use crate::report::verify::{ForeignForm, Rules, VerifyForm};
use crate::report::{self, Form};
use crate::verify::served::Given;
use crate::verify::{Choice, Policy, Selection, Severity};

/// Prove that a tree works before anybody depends on it
///
/// Holds every certificate, key, kubeconfig and CRL of a node's kubernetes directory or of a cluster directory against the rules
/// that Kubernetes, etcd and RFC 5280 have for it: pairs, paths, dates, names, usages, groups, identifiers, algorithms,
/// permissions, kubeconfigs against ca.crt and the API server's names, the service account's keys, and what the static pods'
/// manifests and the kubelet's configuration say. With a profile the names are the profile's; without one kubeadm's own.
///
/// Then it tries every TLS connection between the cluster's components in memory, in both directions, with the chains, keys and
/// bundles on disk and the names that clients dial, and shows who accepts whom.
///
/// It writes nothing, waits for no lock, and needs no network. What it could not look at is said, and is no success.
///
/// With --live it also asks the running components what they serve, and compares that with the disk: same, older (not read again
/// since a renewal), other, nothing on disk (made in memory), unreachable. It connects to the addresses of the profile's nodes (API
/// server 6443 or bindPort, etcd 2379 and 2380, kubelet 10250), to controlPlaneEndpoint, for one node's tree to loopback
/// (controller manager 10257, scheduler 10259), and to what --endpoint gives. It presents no credential, sends a TLS client hello and
/// hangs up after the handshake, reads at most 64 KiB, and asks no link-local address.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Kubernetes directories or cluster directories, as with --dir; default: /etc/kubernetes
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    #[command(flatten)]
    trees: common::Fleet,

    /// Judge by these rules only: RULE, or AREA for all of an area; with =PATH at this file or entry only
    #[arg(long, value_name = "RULE[=PATH]", value_delimiter = ',', value_parser = choice)]
    only: Vec<Choice>,

    /// Findings of these rules are shown and do not count: RULE or AREA, with =PATH at this file or entry only
    #[arg(long, value_name = "RULE[=PATH]", value_delimiter = ',', value_parser = choice)]
    ignore: Vec<Choice>,

    /// Which keys are strong enough
    #[arg(long, value_name = "POLICY", default_value = "default", value_parser = one_of(POLICIES))]
    policy: Policy,

    /// Do not try the connections between the cluster's components
    #[arg(long)]
    no_edges: bool,

    /// Ask the running components what they serve, and compare it with the disk: the only part that uses the network
    #[arg(long)]
    live: bool,

    /// Where something is served, in place of the usual address: apiserver, etcd-server, etcd-peer, kubelet-serving,
    /// controller-manager, scheduler or an extra certificate, NODE/NAME in a cluster directory; IPv6 in brackets
    #[arg(long = "endpoint", value_name = "NAME=HOST:PORT", requires = "live", value_parser = Given::parse)]
    endpoints: Vec<Given>,

    /// Ask also at addresses that only kubeconfigs, manifests and etcd.external name
    #[arg(long, requires = "live")]
    live_all: bool,

    /// How long one peer may take, its name and the handshake included
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = patience)]
    live_timeout: Span,

    #[command(flatten)]
    at: common::At,

    /// The form of the report
    #[arg(short, long, default_value = "table", value_name = "FORM", value_parser = one_of(FORMS))]
    output: VerifyForm,

    /// Show the rules, why they are, and how what they find is repaired; with --only some of them
    #[arg(long)]
    rules: bool,
}

const EXAMPLES: &str = "\
Examples:
  kpki verify                                        this node, /etc/kubernetes
  kpki verify ./cluster                              a cluster directory, all its nodes
  kpki verify --profile cluster.yaml --dir ./demo    by this profile's names
  kpki verify --profiles clusters/                   a fleet: clusters/NAME.yaml with clusters/NAME/
  kpki verify --at +90d                              as it will be in 90 days
  kpki verify --only date,chain/broken               all rules about dates, and one other
  kpki verify --ignore file/owner=pki/sa.pub         this finding does not count
  kpki verify --policy bsi-tr-02102                  keys as BSI TR-02102-1 wants them
  kpki verify --rules --only date                    what is judged, why, and how it is repaired
  kpki verify -o sarif ./cluster > kpki.sarif        for code scanning; -o junit for test reports
  kpki verify -o cyclonedx ./cluster > cbom.json     all cryptography in it
  kpki verify --live                                 after a renewal: is everything new being served?
  kpki verify --live --endpoint cp1/apiserver=10.0.0.11:7443 ./cluster

Exit status: 0 nothing found but notices, 1 could not run, 2 wrong command line or profile, 3 warnings, or something was not looked
at, 4 errors.";

const FORMS: Choices<VerifyForm> = &[
    ("table", Some("For people: findings by file, with their repair"), VerifyForm::Ours(Form::Table)),
    ("text", None, VerifyForm::Ours(Form::Table)),
    ("wide", Some("The same with the reason of each rule"), VerifyForm::Ours(Form::Wide)),
    ("json", Some("Everything, for programs"), VerifyForm::Ours(Form::Json)),
    ("yaml", Some("The same document as YAML"), VerifyForm::Ours(Form::Yaml)),
    ("sarif", Some("SARIF 2.1.0, for code scanning"), VerifyForm::Foreign(ForeignForm::Sarif)),
    ("junit", Some("JUnit's XML, for test reports of CI"), VerifyForm::Foreign(ForeignForm::Junit)),
    (
        "cyclonedx",
        Some("CycloneDX 1.6: all certificates, keys, CRLs and algorithms (CBOM)"),
        VerifyForm::Foreign(ForeignForm::CycloneDx),
    ),
];

const POLICIES: Choices<Policy> = &[
    ("default", Some("What Go and rustls accept"), Policy::Default),
    ("cis", Some("CIS Kubernetes Benchmark"), Policy::Cis),
    ("nist-800-131a", Some("NIST SP 800-131A revision 2"), Policy::Nist800131a),
    ("bsi-tr-02102", Some("BSI TR-02102-1: RSA of 3000 bits and more"), Policy::BsiTr02102),
    ("cnsa2", Some("CNSA 2.0: what a quantum computer will break"), Policy::Cnsa2),
];

/// `RULE`, `AREA`, either with `=PATH`.
fn choice(text: &str) -> Result<Choice, Expected> {
    let (rule, place) = text.split_once('=').map_or((text, None), |(rule, place)| (rule, Some(place.to_owned())));
    let choice = Choice { rule: rule.to_owned(), place, reason: None };
    if !choice.is_known() || choice.place.as_deref() == Some("") {
        return Err(Expected("a rule of kpki verify --rules, or its area, perhaps with =PATH".to_owned()));
    }
    Ok(choice)
}

/// For one peer. A handshake that takes minutes is none.
fn patience(text: &str) -> Result<Span, Expected> {
    let expected = || Expected("a duration from 1s to 60s".to_owned());
    span(text).ok().filter(|span| (1..=60).contains(&span.as_seconds())).ok_or_else(expected)
}

impl Args {
    pub fn run(&self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let at = self.at.instant(environment)?;
        let selection = Selection { only: self.only.clone(), ignore: self.ignore.clone() };
        if self.rules {
            return self.show_rules(&selection, at, ui);
        }
        let request = Request {
            trees: self.trees.args(environment, &self.paths),
            selection,
            policy: self.policy,
            edges: !self.no_edges,
            with_inventory: self.output == VerifyForm::Foreign(ForeignForm::CycloneDx),
            at,
            threads: environment.threads,
            live: self.live.then(|| Live {
                given: self.endpoints.clone(),
                all: self.live_all,
                time: Duration::from_secs(self.live_timeout.as_seconds()),
            }),
        };
        let (report, warnings) = ui.working(|progress| verify::run(&request, progress))?;
        ui.warnings(&warnings);
        match self.output {
            VerifyForm::Ours(form) => ui.report(&report, form, at)?,
            VerifyForm::Foreign(form) => ui.output(|out| report.write(form, out))?,
        }
        Ok(match report.severity() {
            Some(Severity::Error) => Exit::Critical,
            Some(Severity::Warning) => Exit::Warning,
            _ if report.is_incomplete() => Exit::Warning,
            _ => Exit::Done,
        })
    }

    fn show_rules(&self, selection: &Selection, at: OffsetDateTime, ui: &mut Ui<'_>) -> Outcome {
        let VerifyForm::Ours(form) = self.output else {
            let found = FORMS.iter().find(|(.., form)| *form == self.output).map_or("another", |(name, ..)| name);
            return Err(Error::usage(format!("expected --rules with -o table, wide, json or yaml, found {found}")));
        };
        let rules = Rules { rules: crate::verify::all().filter(|rule| selection.has(rule)).collect() };
        let width = ui.width();
        ui.output(|out| report::write(&rules, form, at, width, out))?;
        Ok(Exit::Done)
    }
}
