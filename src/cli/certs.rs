//! `kpki certs`: the words of `kubeadm certs`. Each is one of kpki's own verbs, with the tree that kubeadm's directories name.

use std::path::PathBuf;

use super::check_expiration::{self, FORMS};
use super::values::{Outcome, one_of};
use super::{common, csr, environment::Environment, renew, ui::Ui};
use crate::commands::convert;
use crate::error::{Error, Exit};
use crate::report::CheckForm;
use crate::workspace::kubeadm_tree::KubeadmDirs;

/// kubeadm's words: what kubeadm certs does, with its flags
///
/// Each is a verb of kpki with the directories that kubeadm's flags name, and reports as that verb does. What more it can do is in the
/// verb's own help: kpki check-expiration, kpki renew, kpki csr.
#[derive(Debug, clap::Args)]
#[command(
    arg_required_else_help = true,
    after_help = "\
Examples:
  kpki certs check-expiration
  kpki certs renew all --config kubeadm.yaml
  kpki certs generate-csr --config kubeadm.yaml --cert-dir ./k8s/pki --kubeconfig-dir ./k8s"
)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    CheckExpiration(CheckExpiration),
    Renew(Renew),
    GenerateCsr(GenerateCsr),
    CertificateKey(CertificateKey),
}

/// Show when certificates expire: kpki check-expiration in kubeadm's words
///
/// The cluster is not asked for its configuration, and need not run. The table has more rows than kubeadm's: kubelet.conf, and what
/// else is there.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kpki certs check-expiration
  kpki certs check-expiration --cert-dir /srv/copy/kubernetes/pki -o json
  kubectl -n kube-system get cm kubeadm-config -o yaml | kpki certs check-expiration --config -

Exit status: of kpki check-expiration (3 a warning, 4 critical); with --exit-zero 0 whatever is found, as kubeadm has it.")]
struct CheckExpiration {
    #[command(flatten)]
    directories: Directories,

    #[command(flatten)]
    at: common::At,

    /// The form of the report
    #[arg(short, long, default_value = "table", value_name = "FORM", value_parser = one_of(FORMS))]
    output: CheckForm,

    /// Exit 0 whatever the findings are, as kubeadm does
    #[arg(long)]
    exit_zero: bool,
}

/// Renew certificates, whatever remains of them: kpki renew in kubeadm's words
///
/// Unlike kubeadm, it keeps names, key algorithm and lifetime as they are where no configuration says otherwise, whether the cluster
/// answers or not; names that the configuration adds are added; all or nothing is written, and what was there is kept (kpki history,
/// kpki restore).
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kpki certs renew all
  kpki certs renew apiserver --dry-run
  kpki certs renew all --cert-dir /srv/copy/kubernetes/pki --config kubeadm.yaml

Exit status: of kpki renew (0 renewed, 5 some were not: those of an external authority, for instance).")]
struct Renew {
    /// all, or names as kubeadm has them (apiserver, etcd-server, admin.conf); authorities, too (ca, front-proxy-ca, etcd-ca)
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,

    #[command(flatten)]
    directories: Directories,

    #[command(flatten)]
    run: common::Run,
}

/// Write keys and signing requests beside the certificates and kubeconfigs: kpki csr in kubeadm's words
///
/// pki/NAME.key and pki/NAME.csr, NAME.conf with its key and NAME.conf.csr. A key that exists is used and never overwritten, where
/// kubeadm stops. kpki import puts what was signed in place.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kpki certs generate-csr --config kubeadm.yaml --cert-dir ./k8s/pki --kubeconfig-dir ./k8s
  kpki import signed/*.crt --config kubeadm.yaml --dir ./k8s --requests ./k8s

Exit status: of kpki csr (0 all requests exist, 5 some could not be made).")]
struct GenerateCsr {
    #[command(flatten)]
    directories: Directories,

    #[command(flatten)]
    run: common::Run,
}

/// Print a new key for the Secret kubeadm-certs
///
/// 32 random octets in hexadecimal, for kubeadm init --certificate-key and for kpki convert --as kubeadm-certs
/// --certificate-key-file.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kpki certs certificate-key > certificate.key
  kpki convert /etc/kubernetes --as kubeadm-certs --certificate-key-file certificate.key --out certs.yaml")]
struct CertificateKey {}

/// As kubeadm has them.
#[derive(Debug, clap::Args)]
struct Directories {
    /// The directory of the certificates: the tree is the directory above it, or the one whose profile has them there; default:
    /// those of the tree in --kubeconfig-dir, in its pki or where its profile has them; without both /etc/kubernetes/pki
    #[arg(long, value_name = "DIR")]
    cert_dir: Option<PathBuf>,

    /// The directory of the kubeconfigs; default: the one above --cert-dir, else /etc/kubernetes
    #[arg(long, value_name = "DIR")]
    kubeconfig_dir: Option<PathBuf>,

    /// A kubeadm configuration, the ConfigMap kubeadm-config, or a profile; - is standard input; default: the recorded profile
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// The node's name, if the configuration has none; default: this machine's
    #[arg(short, long, value_name = "NAME", alias = "node-name")]
    node: Option<String>,
}

impl Args {
    pub fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        match self.verb {
            Verb::CheckExpiration(CheckExpiration { directories, at, output, exit_zero }) => {
                check_expiration::Args::of(directories.fleet(environment)?, at, output, exit_zero).run(environment, ui)
            }
            Verb::Renew(Renew { names, directories, run }) => {
                renew::Args::of(names, directories.fleet(environment)?, run).run(environment, ui)
            }
            Verb::GenerateCsr(GenerateCsr { directories, run }) => {
                let dir = directories.dir(environment)?;
                csr::Args::of(common::Tree::of(dir.clone(), directories.config, directories.node), dir, run)
                    .run(environment, ui)
            }
            Verb::CertificateKey(CertificateKey {}) => {
                let mut key = convert::certificate_key()?;
                key.push('\n');
                ui.document(&key)?;
                Ok(Exit::Done)
            }
        }
    }
}

impl Directories {
    fn dir(&self, environment: &Environment) -> Result<PathBuf, Error> {
        let dirs = KubeadmDirs {
            certificates: self.cert_dir.clone(),
            kubeconfigs: self.kubeconfig_dir.clone(),
            config: self.config.clone(),
            node: self.node.clone(),
            hostname: environment.hostname.clone(),
        };
        dirs.tree()
    }

    fn fleet(self, environment: &Environment) -> Result<common::Fleet, Error> {
        let dir = self.dir(environment)?;
        Ok(common::Fleet::of(dir, self.config, self.node))
    }
}
