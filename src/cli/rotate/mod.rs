mod back;
mod common;
mod confirm;
mod emergency;
mod forget;
mod next;
mod prepare;
mod record;
mod retire;
mod scan;
mod status;
mod switch;

use super::values::Outcome;
use super::{environment::Environment, ui::Ui};

/// Replace authorities and the service account key in phases, without one failed handshake
///
/// prepare: everything trusts the new authority as well, the old one signs. switch: the new one signs, everything in the tree is made
/// again, both are trusted. retire: the old one is not trusted any more. Between the steps the files go to the nodes (kpki export, kpki
/// unpack), components are restarted, and each node confirms. AUTHORITY is ca, front-proxy-ca, etcd-ca or sa, the service account key.
///
/// If only the date of an authority is the problem, and its key is in no other hands, kpki renew ca is enough: it keeps the key.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kpki rotate prepare all --dir ./cluster --dry-run      what would be done
  kpki rotate prepare ca etcd-ca --dir ./cluster         step 1 of two authorities
  kpki rotate switch --dir ./cluster                     step 2 of all that are prepared
  kpki rotate status --dir ./cluster                     what is waited for
  kpki rotate confirm cp1 --dir ./cluster                cp1 has the present step in force
  kpki rotate scan dump.json --dir ./cluster             where in the cluster the old one still is
  kpki rotate retire --dir ./cluster                     step 3 of all that are switched
  kpki rotate back --dir ./cluster                       one step back
  kpki rotate next --dir ./cluster                       the next step, or what is waited for
  kpki rotate emergency ca --dir ./cluster --dry-run     its key is in other hands

Exit status: 0 done or nothing to do, 1 refused or failed, 2 wrong command line or profile, 3 status, next: it
waits, 4 status, next: it is blocked; scan: something of the old authority is in the way, 5 others must do something first.")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    Prepare(prepare::Prepare),
    Switch(switch::Switch),
    Retire(retire::Retire),
    Back(back::Back),
    Status(status::Status),
    Confirm(confirm::Confirm),
    Next(next::Next),
    Scan(scan::Scan),
    Emergency(emergency::Emergency),
    Record(record::Record),
    Forget(forget::Forget),
}

impl Args {
    pub fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        match self.verb {
            Verb::Prepare(args) => args.run(environment, ui),
            Verb::Switch(args) => args.run(environment, ui),
            Verb::Retire(args) => args.run(environment, ui),
            Verb::Back(args) => args.run(environment, ui),
            Verb::Status(args) => args.run(environment, ui),
            Verb::Confirm(args) => args.run(environment, ui),
            Verb::Next(args) => args.run(environment, ui),
            Verb::Scan(args) => args.run(environment, ui),
            Verb::Emergency(args) => args.run(environment, ui),
            Verb::Record(args) => args.run(environment, ui),
            Verb::Forget(args) => args.run(environment, ui),
        }
    }
}
