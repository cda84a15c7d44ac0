use std::path::PathBuf;

use super::common::Common;
use crate::blueprint::Algorithm;
use crate::cli::values::{self, Expected, Outcome};
use crate::cli::{environment::Environment, ui::Ui};
use crate::clock::Span;
use crate::commands::rotate::{PrepareOptions, SignerFile, Step};

/// Step 1: everything trusts the new authority as well
///
/// The new authority gets the name of the old one with the next number (kubernetes@2). Its key stays in .kpki/rotation/ until the
/// switch. Before ca.crt holds two certificates, kube-controller-manager has to sign with ca-signer.crt: it accepts exactly one
/// certificate there. Where no manifest, receipt or kubeadm configuration shows that it does, the first run writes ca-signer.crt
/// alone, says what to change on which node, and ends with status 5; nothing else is prepared in that run.
///
/// An authority below another one (a corporate root) gets a new key and a request in .kpki/rotation/; have that signed, then give the
/// certificate with --new-ca. Without a key here, --new-ca makes an external authority.
///
/// Where the old key is encrypted, the new one is encrypted with the same passphrase. Where it is no file of the tree, the profile says
/// where the new one is: authorities.NAME.next.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kpki rotate prepare all --dir ./cluster --dry-run               what would be done
  kpki rotate prepare all --dir ./cluster                         the first run says what to change on the control-plane nodes
  kpki rotate prepare all --dir ./cluster --signer-file-in-use    when that is done everywhere
  kpki rotate prepare ca --edit-manifest                          on a single node: the manifest in the same step
  kpki rotate prepare sa --algorithm ECDSA-P256                   a new key of another kind
  kpki rotate prepare ca --new-ca new.pem --new-key new.key       an authority that was made elsewhere

Exit status: 0 done or nothing to do, 1 refused or failed, 2 wrong command line or profile, 5 others must do something first.")]
pub struct Prepare {
    /// ca, front-proxy-ca, etcd-ca, sa, or all
    #[arg(value_name = "AUTHORITY", required = true)]
    names: Vec<String>,

    /// The certificate of a new authority that was made elsewhere, then what stands above it
    #[arg(long, value_name = "FILE")]
    new_ca: Option<PathBuf>,

    /// Its key; without it the certificate is for the key that waits for it here, or the authority is external
    #[arg(long, value_name = "FILE", requires = "new_ca")]
    new_key: Option<PathBuf>,

    /// The new authority has the subject of the old one, instead of one with the next number (kubernetes@2)
    #[arg(long)]
    keep_subject: bool,

    /// The algorithm of the new keys; default: the one that the profile states, or the old one's
    #[arg(long, value_name = "ALGORITHM", value_parser = algorithm)]
    algorithm: Option<Algorithm>,

    /// How long the new authority is valid; default: the profile's, or the old one's lifetime
    #[arg(long, value_name = "DURATION", value_parser = values::span)]
    validity: Option<Span>,

    /// Set --cluster-signing-cert-file in the manifest of kube-controller-manager, in the same transaction
    #[arg(long, conflicts_with = "signer_file_in_use")]
    edit_manifest: bool,

    /// kube-controller-manager signs with ca-signer.crt already
    #[arg(long)]
    signer_file_in_use: bool,

    #[command(flatten)]
    common: Common,
}

impl Prepare {
    pub fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let signer_file = match (self.edit_manifest, self.signer_file_in_use) {
            (true, _) => SignerFile::Edit,
            (_, true) => SignerFile::InUse,
            _ => SignerFile::Seen,
        };
        let step = Step::Prepare(PrepareOptions {
            new_ca: self.new_ca,
            new_key: self.new_key,
            keep_subject: self.keep_subject,
            algorithm: self.algorithm,
            validity: self.validity,
            signer_file,
        });
        self.common.run(step, &self.names, environment, ui)
    }
}

pub(super) fn algorithm(text: &str) -> Result<Algorithm, Expected> {
    Algorithm::parse(text).ok_or_else(|| Expected("RSA-2048, RSA-3072, RSA-4096, ECDSA-P256 or ECDSA-P384".to_owned()))
}
