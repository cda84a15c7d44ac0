use super::common::Common;
use crate::cli::values::Outcome;
use crate::cli::{environment::Environment, question, ui::Ui};
use crate::commands::rotate::{self, Request, Step};
use crate::error::Error;
use crate::workspace::RunArgs;

/// Destroy the keys of retired authorities
///
/// The key is removed from .kpki/rotation/ and from every generation that keeps a copy. The generations stay listed; one whose key is
/// gone cannot be restored any more. After that, nobody can go back to the old authority.
///
/// On a node whose files come from a safe host: the keys that kpki unpack has kept in the node's generations, of authorities that are
/// in none of its files any more. Nothing else is recorded there.
///
/// What cannot be reached: archives of kpki export, nodes that were not updated, backups, and blocks that a file system or a disk
/// keeps after a file is removed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kpki rotate forget --dir ./cluster --dry-run       which files would go
  kpki rotate forget --dir ./cluster                 all that are retired
  kpki rotate forget etcd-ca --dir ./cluster --yes   one of them, without the question
  kpki rotate forget --yes                           on a node, after the files of the retirement

Exit status: 0 done or nothing to do, 1 refused or failed, 2 wrong command line or profile, 5 a copy is left in use.")]
pub struct Forget {
    /// Default: all that are retired
    #[arg(value_name = "AUTHORITY")]
    names: Vec<String>,

    /// Do not ask; without a terminal nothing is asked
    #[arg(short, long)]
    yes: bool,

    #[command(flatten)]
    common: Common,
}

impl Forget {
    pub fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let asks = environment.is_interactive() && !self.yes;
        self.common.run_if(Step::Forget, &self.names, environment, ui, &mut |request, ui| {
            if asks && !request.run.dry_run { ask(request, environment, ui) } else { Ok(()) }
        })
    }
}

fn ask(request: &Request, environment: &Environment, ui: &mut Ui<'_>) -> Result<(), Error> {
    let run = RunArgs { dry_run: true, ..request.run.clone() };
    let done = rotate::run(&Request { run, ..request.clone() }, &mut |_, _| ())?;
    let question = "A key that is destroyed does not come back. Destroy?";
    if done.authorities.is_empty()
        || question::is_wanted(environment, ui, "to be destroyed", &done.destroyed, question)?
    {
        return Ok(());
    }
    Err(Error::new("nothing was destroyed: the answer was not yes").hint("destroy without the question with --yes"))
}
