use std::path::{Path, PathBuf};

use super::{common, environment::Environment, ui::Ui, values::Outcome};
use crate::commands::unpack::{self, Done, Input, Request};
use crate::encoding::archive;
use crate::error::{Error, Exit};
use crate::files;
use crate::report::Form;
use crate::tree::layout::DEFAULT_DIR;

/// Put the files of an archive in place on its node, as one transaction
///
/// Reads an archive that kpki export made for this node, and replaces what lies in /etc/kubernetes and /var/lib/kubelet/pki:
/// under the lock that renew takes, each file by one rename, a key and its certificate directly after each other, so that
/// no component reads a part of a file. What is replaced is kept as a generation (kpki history, kpki restore). Then the
/// node's deploy hooks run, as after a renewal. Files that lie there already are not written again.
///
/// Refused, with nothing changed: an archive of another node or cluster, one that is damaged or holds anything else than
/// the node's files, and one that is older than what lies there. Where the node has renewed some of its certificates itself,
/// --keep-newer leaves those as they are and puts everything else in place. --force accepts another cluster or node and an older
/// archive, and goes back to the archive's certificates; a CRL is never replaced by an older one.
///
/// The archive's profile becomes the recorded one. What only the node knows stays: its journal, generations and requests,
/// the kubelet's directory, and its recorded hooks if the archive has none. Files that the archive does not have any more
/// are named and stay.
///
/// With -o json or yaml the report is the receipt: what is in force on the node now, without any secret, for the host with
/// the cluster directory.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kpki export cp2 --dir ./cluster --out - | ssh cp2 kpki unpack -
  kpki unpack cp2.tar.gz --dry-run                             what would be replaced
  kpki unpack cp2.tar.gz --keep-newer                          on a node that renews itself
  kpki unpack cp2.tar.gz -o json > cp2.receipt.json
  kpki unpack cp2.tar.gz --dir /mnt/etc/kubernetes --node cp2 --no-hooks    a node's root file system, mounted at /mnt

Exit status: 0 done or nothing to do; 1 refused or failed, or a hook failed; 2 wrong command line or profile.")]
pub struct Args {
    /// The archive, or - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The node's kubernetes directory
    #[arg(short, long, value_name = "DIR", default_value = DEFAULT_DIR)]
    dir: PathBuf,

    /// The node's name, if it is not the host name
    #[arg(short, long, value_name = "NAME", alias = "node-name")]
    node: Option<String>,

    /// The kubelet's own directory; default: the recorded one, else PREFIX/var/lib/kubelet/pki for PREFIX/etc/kubernetes,
    /// DIR/kubelet for any other
    #[arg(long, value_name = "DIR")]
    kubelet_dir: Option<PathBuf>,

    /// Leave every entry whose certificate is newer on the node as it is there, with its key, and put all else in place
    #[arg(long, conflicts_with = "force")]
    keep_newer: bool,

    /// Unpack an archive that is older than what lies there, or of another cluster or node
    #[arg(long)]
    force: bool,

    /// Do not run the profile's hooks
    #[arg(long)]
    no_hooks: bool,

    #[command(flatten)]
    run: common::Run,
}

impl Args {
    pub fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let request = Request {
            input: self.input(environment)?,
            dir: self.dir,
            kubelet_dir: self.kubelet_dir,
            node: self.node,
            hostname: environment.hostname.clone(),
            force: self.force,
            keep_newer: self.keep_newer,
            no_hooks: self.no_hooks,
            inherited: environment.inherited.clone(),
            run: self.run.args(environment)?,
        };
        let Done { report, receipt } = unpack::run(&request)?;
        ui.warnings(&report.warnings());
        let failures = report.failures();
        let exit = if failures.is_empty() { Exit::Done } else { Exit::Failed };
        let form = self.run.report.output;
        let exit = match receipt.filter(|_| matches!(form, Form::Json | Form::Yaml)) {
            Some(receipt) => {
                if !failures.is_empty() {
                    // The receipt says what is there, and not what has failed.
                    ui.told(&report, request.run.now);
                }
                self.run.report.finish(ui, &receipt, &request.run, exit)?
            }
            None => self.run.report.finish(ui, &report, &request.run, exit)?,
        };
        ui.failures(&failures);
        Ok(exit)
    }

    fn input(&self, environment: &Environment) -> Result<Input, Error> {
        if self.file != Path::new("-") {
            return Ok(Input::File(self.file.clone()));
        }
        if environment.stdin.is_terminal {
            return Err(Error::usage("an archive is binary, and standard input is a terminal")
                .hint("give the archive as FILE, or redirect standard input"));
        }
        let largest = u64::try_from(archive::LIMIT).unwrap_or(u64::MAX);
        Ok(Input::Stream(files::read_stream(std::io::stdin(), "standard input".as_ref(), largest)?))
    }
}
