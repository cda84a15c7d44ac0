use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::keys::{self, Keys};
use super::{common, environment::Environment, ui::Ui, values::Outcome};
use crate::blueprint::{ExtendedKeyUsage, Subtree};
use crate::catalog::CaId;
use crate::clock::Span;
use crate::commands::sign::{self, Request};
use crate::error::{Error, Exit};
use crate::plan::sign::{CaConstraints, Stated};
use crate::plan::subject;
use crate::profile;

/// Sign certificate signing requests
///
/// Only the public key is taken from the request, after its signature and the strength of the key were checked. Names,
/// usages and role come from the entry it is for (--as) or from the flags. Anything else it requests, such as a CA
/// certificate, system:masters or further names, is refused and reported. A subject that gives rights (system:... and
/// kubeadm:... below ca, every client below front-proxy-ca and etcd-ca) needs --subject or --as, and the names of the
/// cluster's own servers and of localhost need --san or --as. Keys of authorities, and keys of certificates that were
/// revoked for compromise, are refused. Requests of openssl, cfssl, Go, keytool and cert-manager can be
/// read, and CertificateSigningRequests of Kubernetes (kubectl get csr NAME -o yaml); one whose usages, expirationSeconds or
/// signerName say something else than what would be signed is refused.
///
/// The signer is an authority of the tree, which records every certificate in its journal, or an authority given by its
/// files. All files and their lines of the journal are written, or none; the next run in the tree finishes an
/// interrupted one. --intermediate makes an intermediate authority: one of the three of a cluster below an offline root, with the whole
/// chain in its file. For a cluster CA it says how kube-controller-manager's --cluster-signing-cert-file has to be then.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Signing requests, PEM, DER or a manifest, one in each file
    #[arg(value_name = "CSR", required = true)]
    files: Vec<PathBuf>,

    /// The files are cfssl's JSON ({"CN": ..., "hosts": [...], "key": {...}, "names": [...]}); a key is made for each.
    /// --san replaces hosts, as cfssl's -hostname does, unless --request-names asks for both; --subject replaces CN and names
    #[arg(long)]
    csr_json: bool,

    /// The entry it is for, which decides subject, names and usages; NODE/NAME in a cluster directory
    #[arg(long = "as", value_name = "NAME", required_unless_present_any = ["usage", "intermediate"], conflicts_with_all = ["usage", "san", "subject", "request_names"])]
    entry: Option<String>,

    /// What the certificate is for
    #[arg(long, value_enum, value_delimiter = ',', value_name = "USAGE")]
    usage: Vec<Usage>,

    /// A DNS name or an address it is valid for
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    san: Vec<String>,

    /// Grant the DNS names and addresses of the request, but for those of the API server, the kubelets, etcd and localhost
    #[arg(long)]
    request_names: bool,

    /// The subject, instead of the request's or to confirm it: O=team,CN=name
    #[arg(long, value_name = "SUBJECT")]
    subject: Option<String>,

    /// Make an intermediate authority
    #[arg(long)]
    intermediate: bool,

    /// The path length constraint; default: the profile's (authorities.NAME.pathLength), else 0
    #[arg(long, value_name = "N", requires = "intermediate")]
    path_len: Option<u8>,

    /// A permitted DNS subtree: this name and all below it; .NAME only those below. This or --permit-ip replace the
    /// profile's permittedNames
    #[arg(long, value_delimiter = ',', value_name = "NAME", requires = "intermediate")]
    permit_dns: Vec<String>,

    /// A permitted address range
    #[arg(long, value_delimiter = ',', value_name = "CIDR", requires = "intermediate")]
    permit_ip: Vec<String>,

    /// How long it is valid; default: the profile's for the entry, else a year; never longer than its issuer
    #[arg(long, value_name = "DURATION", value_parser = super::values::span)]
    validity: Option<Span>,

    #[command(flatten)]
    tree: common::Tree,

    /// The authority of the tree that signs, if no entry decides it
    #[arg(long, value_name = "NAME", default_value = "ca", value_parser = super::values::authority)]
    authority: CaId,

    /// The authority's certificate, followed by its chain
    #[arg(long, value_name = "FILE", requires = "ca_key")]
    ca_cert: Option<PathBuf>,

    /// The authority's key, which may be encrypted; a pipe, or - for standard input
    #[arg(long, value_name = "FILE", requires = "ca_cert")]
    ca_key: Option<PathBuf>,

    #[command(flatten)]
    keys: Keys,

    /// A file, a directory, or - for standard output; default: NAME.crt beside NAME.csr
    #[arg(short = 'O', long, value_name = "FILE|DIR|-")]
    out: Option<PathBuf>,

    #[command(flatten)]
    run: common::Run,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Usage {
    Server,
    Client,
}

const EXAMPLES: &str = "\
Examples:
  kpki sign web.csr --usage server --san web.example.com,10.0.0.7
  kpki sign apiserver.csr --as apiserver --dir ./cluster
  kubectl get csr jane -o yaml > jane.yaml && kpki sign jane.yaml --usage client --validity 86400s
  kpki sign metrics.csr --usage client --subject O=monitoring,CN=prometheus --validity 90d --out -
  kpki sign ca.csr --intermediate --as ca --profile cluster.yaml --ca-cert root.crt --ca-key root.key --validity 5y
  kpki sign etcd-ca.csr --intermediate --permit-dns example.com --permit-ip 10.0.0.0/8 --ca-cert root.crt --ca-key root.key
  kpki sign etcd-ca.csr --intermediate --ca-cert root.crt --ca-key root.key.enc --key-passphrase-file /run/root.pass
  kpki sign --csr-json web-csr.json --usage server --request-names --out ./web

Without --permit-dns and --permit-ip, the profile's authorities.NAME.permittedNames for the authority of --as is used.
A type of name without a permitted subtree is not constrained.

Exit status: 0 signed, 1 refused or failed and nothing was written, 2 wrong command line or profile.";

impl Args {
    pub fn run(&self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        if self.ca_key.as_deref() == Some(Path::new("-")) {
            self.keys.refuse_stdin()?;
        }
        let key = self.ca_key.as_deref().map(keys::key).transpose()?;
        let request = Request {
            files: self.files.clone(),
            csr_json: self.csr_json,
            trees: self.keys.with(self.tree.args(environment), environment)?,
            run: self.run.args(environment)?,
            authority_files: self.ca_cert.clone().zip(key),
            signer: self.authority,
            entry: self.entry.clone(),
            stated: self.stated()?,
            authority: self.intermediate.then(|| self.below()).transpose()?,
            validity: self.validity.map(Span::duration),
            out: self.out.clone(),
        };
        if request.authority.is_none() && self.entry.as_deref().is_some_and(|name| CaId::parse(name).is_some()) {
            return Err(Error::usage("an authority is made with --intermediate")
                .hint("add --intermediate, or name another entry"));
        }
        let sign::Outcome { report, text } = sign::run(&request)?;
        ui.warnings(&report.warnings);
        match text {
            Some(text) => {
                // Standard output is the certificate, so that refusals go to stderr.
                let refused = report.entries.iter().flat_map(|entry| &entry.refused);
                let lines: Vec<String> =
                    refused.map(|attribute| format!("requested and refused: {attribute}")).collect();
                ui.warnings(&lines);
                let written = ui.document(&text);
                if written.is_err() {
                    ui.told(&report, request.run.now);
                }
                written.map_err(|error| error.because("the certificates above are signed, and nobody has them"))?;
                Ok(Exit::Done)
            }
            None => self.run.report.finish(ui, &report, &request.run, Exit::Done),
        }
    }

    fn stated(&self) -> Result<Stated, Error> {
        let usages = self.usage.iter().map(|usage| match usage {
            Usage::Server => ExtendedKeyUsage::ServerAuth,
            Usage::Client => ExtendedKeyUsage::ClientAuth,
        });
        let sans = self.san.iter().map(|text| {
            profile::san(text).map_err(|_| {
                Error::usage(format!("--san {text:?} is neither a DNS name in lower case nor an address"))
                    .hint("give names such as web.example.com, *.example.com or 10.0.0.7")
            })
        });
        let named = self.subject.as_deref().map(|text| {
            subject::parse(text).map_err(|why| {
                Error::usage(format!("--subject {text:?} is not a valid subject"))
                    .because(why)
                    .hint("give it as O=team,CN=name")
            })
        });
        Ok(Stated {
            subject: named.transpose()?,
            usages: usages.collect(),
            sans: sans.collect::<Result<_, Error>>()?,
            // The names of the JSON are the flags', unless flags replace them.
            request_names: self.request_names || (self.csr_json && self.san.is_empty()),
        })
    }

    fn below(&self) -> Result<CaConstraints, Error> {
        let mut permitted = Vec::new();
        for name in &self.permit_dns {
            match profile::permitted_name(name) {
                Ok(subtree @ Subtree::Dns(_)) => permitted.push(subtree),
                _ => {
                    return Err(Error::usage(format!("--permit-dns {name:?} is not a DNS name"))
                        .hint("give example.com for it and everything below it"));
                }
            }
        }
        for block in &self.permit_ip {
            match profile::permitted_name(block) {
                Ok(subtree @ Subtree::Ip { .. }) => permitted.push(subtree),
                _ => {
                    return Err(Error::usage(format!("--permit-ip {block:?} is not an address range"))
                        .hint("give 10.0.0.0/8 or fd00::/8"));
                }
            }
        }
        Ok(CaConstraints { path_len: self.path_len, permitted })
    }
}
