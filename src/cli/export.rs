use std::path::{Path, PathBuf};

use super::{common, environment::Environment, ui::Ui, values::Outcome};
use crate::commands::export::{self, Request, VerifyRequest};
use crate::error::{Error, Exit};
use crate::report::Form;
use crate::report::export::NodeState;
use crate::tree::layout::DEFAULT_DIR;

/// Where the kernel shows the processes of a node.
const PROCESSES: &str = "/proc";

/// Pack the files of one node, and verify on the node that they are its own
///
/// Reads a directory that kpki init made and its recorded profile, and writes a tar file with the node's authorities,
/// certificates, keys, kubeconfigs and CRLs under their paths on the node, and in .kpki/ what of the profile is the
/// node's: names, lifetimes, windows, its extra certificates and the hooks in its nodes[].hooks, never those of this host
/// in renewal.hooks. The same files always give the same bytes. If a file is missing, a symlink, another node's or does
/// not fit, all such files are reported and nothing is written. Certificates that the kubelet rotates itself are not
/// included.
///
/// With --verify, on the node: check that the files in /etc/kubernetes are that node's (names, addresses, keys,
/// authorities), compared with the manifest from the archive or, without one, with the machine's name. With --archive, a
/// certificate that is older than the archive's is a finding; in a cluster directory (nodes/NAME), one that is older than
/// the last in its journal. Dates are checked by kpki check-expiration.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kpki export cp2 --dir ./cluster --out - | ssh cp2 kpki unpack -
  kpki export cp2 --dir ./cluster --out cp2.tar.gz            then, on cp2: kpki unpack cp2.tar.gz
  kpki export w1 --dir ./cluster --out w1.tar.gz --without-ca-keys
  kpki export --verify                                        on the node: are these files for this node?
  kpki export --verify cp2 --archive cp2.tar.gz -o json
  kpki export --verify --receipt -o json > cp2.json           on the node, for kpki nodes merge on the safe host

Exit status: 0 done, or the files are the node's; 1 refused, failed or could not read; 2 wrong command line or profile;
4 --verify: a file is another node's, is missing, is older than the newest that is known, or does not fit the others.")]
pub struct Args {
    /// The node; with --verify, default: this machine's name
    #[arg(value_name = "NODE", required_unless_present = "verify")]
    node: Option<String>,

    /// Write the archive to this file, 0600, gzipped if it ends in .gz or .tgz; - is standard output, not gzipped
    #[arg(short = 'O', long, value_name = "FILE", required_unless_present = "verify", conflicts_with = "verify")]
    out: Option<PathBuf>,

    /// The directory that kpki init made; with --verify, the node's /etc/kubernetes
    #[arg(short, long, value_name = "DIR", default_value = DEFAULT_DIR)]
    dir: PathBuf,

    /// Leave the keys of the authorities out, whatever the profile says
    #[arg(long, conflicts_with = "verify")]
    without_ca_keys: bool,

    /// Replace the file
    #[arg(long, conflicts_with = "verify")]
    force: bool,

    /// Pack the files although the node has newer ones by its last receipt: what it has renewed or revoked itself is undone
    #[arg(long, conflicts_with = "verify")]
    older: bool,

    /// Verify the files on a node; change nothing
    #[arg(long)]
    verify: bool,

    /// With --verify: compare with this manifest; default: DIR/kpki-node.json, if it exists
    #[arg(long, value_name = "FILE", requires = "verify", conflicts_with = "archive")]
    manifest: Option<PathBuf>,

    /// With --verify: compare with the manifest in this archive
    #[arg(long, value_name = "FILE", requires = "verify")]
    archive: Option<PathBuf>,

    /// With --verify: print the node's receipt for the host with the cluster directory (kpki nodes merge): fingerprints of
    /// all files and lists, what was issued here, and which components run with them. No secret is in it
    #[arg(long, requires = "verify", conflicts_with = "out")]
    receipt: bool,

    #[command(flatten)]
    report: common::Report,

    #[command(flatten)]
    at: common::At,
}

impl Args {
    pub fn run(&self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        match (&self.node, &self.out) {
            (Some(node), Some(out)) => self.export(node, out, environment, ui),
            _ => self.verify(environment, ui),
        }
    }

    fn export(&self, node: &str, out: &Path, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let to_stdout = out == Path::new("-");
        if to_stdout && self.report.output != Form::Table {
            return Err(
                Error::usage("a report and an archive cannot both go to standard output").hint("give --out FILE")
            );
        }
        if to_stdout && environment.stdout.is_terminal {
            // Before any key is read.
            return Err(Error::usage("an archive is binary, and standard output is a terminal")
                .hint("give --out FILE, or redirect standard output"));
        }
        if !to_stdout {
            export::check(out, self.force)?;
        }
        let now = self.at.instant(environment)?;
        let request = Request {
            node: node.to_owned(),
            dir: self.dir.clone(),
            without_ca_keys: self.without_ca_keys,
            gzip: out.extension().is_some_and(|end| end == "gz" || end == "tgz"),
            older: self.older,
            out: out.display().to_string(),
            now,
            recorded_at: now.min(environment.clock.now()),
        };
        let exported = export::run(&request)?;
        ui.warnings(&exported.report.notes);
        if to_stdout {
            ui.bytes(&exported.bytes, true)?;
            ui.warnings(export::record(&request, &exported).as_slice());
            return Ok(Exit::Done);
        }
        export::write(out, &exported.bytes, self.force)?;
        ui.warnings(export::record(&request, &exported).as_slice());
        ui.done(&exported.report, self.report.output, environment.clock.now(), Exit::Done)
    }

    fn verify(&self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let request = VerifyRequest {
            node: self.node.clone(),
            hostname: environment.hostname.clone(),
            dir: self.dir.clone(),
            manifest: self.manifest.clone(),
            archive: self.archive.clone(),
            now: self.at.instant(environment)?,
        };
        let report = export::verify(&request)?;
        let now = environment.clock.now();
        if self.receipt {
            let receipt = export::receipt(&request, &report.node, Path::new(PROCESSES))?;
            if report.outcome > NodeState::Renewed || !report.warnings.is_empty() {
                // What does not fit is not left out because the receipt is asked for.
                ui.told(&report, now);
            }
            ui.report(&receipt, self.report.output, now)?;
        } else {
            ui.report(&report, self.report.output, now)?;
        }
        Ok(match report.outcome {
            NodeState::Right | NodeState::Renewed => Exit::Done,
            NodeState::Unreadable => Exit::Failed,
            NodeState::Missing | NodeState::Older | NodeState::Mismatch | NodeState::OtherNode => Exit::Critical,
        })
    }
}
