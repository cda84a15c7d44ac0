use std::path::PathBuf;

use super::common::Common;
use crate::cli::values::Outcome;
use crate::cli::{environment::Environment, ui::Ui};
use crate::commands::rotate::{RecordOptions, Step};
use crate::tree::rotation::Phase;

/// Record a rotation that the files show and .kpki/rotation.json does not
///
/// For a rotation that was begun by hand or by another tool, and for a lost or wrong record. Two authorities in ca.crt: the one whose
/// key is ca.key signs, and has to stand first; the one that begins later is the new one. Nothing but kpki's own record is written, and
/// no node has confirmed the phase yet. What cannot be told is refused, with what was found.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kpki rotate record --dir ./cluster --dry-run
  kpki rotate record --dir ./cluster
  kpki rotate record ca --new-key new-ca.key --dir ./cluster     prepared by hand: the new one's key is elsewhere
  kpki rotate record sa --phase switched --dir ./cluster         public keys have no dates

Exit status: 0 done or nothing to do, 1 refused or failed, 2 wrong command line or profile.")]
pub struct Record {
    /// Default: all
    #[arg(value_name = "AUTHORITY")]
    names: Vec<String>,

    /// The phase, where the files do not tell: prepared if the first one is the old one, switched if it is the new one
    #[arg(long, value_name = "PHASE", value_enum, requires = "names")]
    phase: Option<Told>,

    /// The key of the new authority, which does not sign yet
    #[arg(long, value_name = "FILE", requires = "names")]
    new_key: Option<PathBuf>,

    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Told {
    Prepared,
    Switched,
}

impl Record {
    pub fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let phase = self.phase.map(|told| match told {
            Told::Prepared => Phase::Prepared,
            Told::Switched => Phase::Switched,
        });
        let step = Step::Record(RecordOptions { phase, new_key: self.new_key });
        self.common.run(step, &self.names, environment, ui)
    }
}
