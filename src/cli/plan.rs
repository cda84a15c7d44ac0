use super::values::{Choices, Outcome, one_of};
use super::{common, environment::Environment, ui::Ui};
use crate::commands::plan::{self, One, Request, Verbs};
use crate::commands::{init, renew};
use crate::error::Exit;
use crate::report::{Form, plan as report};
use crate::tree::{Origin, ProfileAt};
use crate::workspace::RunArgs;

/// Show what would change in every cluster if these profiles were applied
///
/// Of each cluster: what kpki init would make or refuse, what kpki renew all --due would renew, also because the profile has other
/// names or another endpoint, which CRLs are due, what the profile says otherwise than the recorded one, and what is left: entries
/// of external authorities, and rotations in progress. Both verbs are asked as with --dry-run, so that they decide the same. A
/// profile without a tree is a cluster that would be made; a tree whose profile is gone goes on with the one that it records.
///
/// Nothing is locked or written, no program is run, no key is decrypted and no passphrase asked for: the trees may be on a
/// read-only file system. Whether a key opens is known only when something is signed.
///
/// For GitOps: the profiles are in git (--profiles), the trees with their keys are elsewhere (--state). -o markdown is for a comment
/// on the merge request: every text is escaped, and it is never longer than a comment may be.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    trees: common::Fleet,

    /// The form of the report
    #[arg(short, long, default_value = "table", value_name = "FORM", value_parser = one_of(FORMS))]
    output: PlanForm,

    #[command(flatten)]
    at: common::At,
}

#[derive(Debug, Clone, Copy)]
enum PlanForm {
    Report(Form),
    Markdown,
}

const FORMS: Choices<PlanForm> = &[
    ("table", Some("For people: a row for each cluster, then what changes in which"), PlanForm::Report(Form::Table)),
    ("wide", Some("The table with every entry, and all that init and renew warn about"), PlanForm::Report(Form::Wide)),
    ("json", Some("One JSON document"), PlanForm::Report(Form::Json)),
    ("yaml", Some("The same document as YAML"), PlanForm::Report(Form::Yaml)),
    ("markdown", Some("A comment on a merge request, of less than 65,536 characters"), PlanForm::Markdown),
];

const EXAMPLES: &str = "\
Examples:
  kpki plan --profiles clusters/                            a fleet: clusters/NAME.yaml with clusters/NAME/
  kpki plan --profiles clusters/ --state /srv/pki           the trees are /srv/pki/NAME/
  kpki plan --profiles clusters/ -o markdown > plan.md      for a merge request
  kpki plan --profiles clusters/ --at +30d                  as it will be in 30 days
  kpki plan --dir ./cluster --profile new.yaml              one tree, by another profile
  kpki plan --dir ./cluster                                 by the recorded one

What changes in no certificate is no change, such as a comment in a profile.

Exit status: 0 nothing would change, 10 something would change or is left, 1 a cluster could not be read or would be refused (the
others are shown), 2 wrong command line or profile.";

impl Args {
    pub fn run(&self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let trees = self.trees.args(environment, &[]);
        let now = self.at.instant(environment)?;
        let threads = environment.threads;
        let run = RunArgs { now, lock_wait: std::time::Duration::ZERO, threads, dry_run: true };
        let text = |path: &std::path::PathBuf| path.display().to_string();
        let origin = Origin {
            fleet: trees.fleet.as_ref().map(text),
            state: trees.state.as_ref().map(text),
            ..Origin::new(text(&self.trees.first_dir().to_path_buf()), ProfileAt::Recorded)
        };
        let origin = match trees.profiles.first() {
            Some(file) => Origin { profile: ProfileAt::File(text(file)), ..origin },
            None => origin,
        };
        let none: [&str; 0] = [];
        let command =
            origin.command_for_fleet("plan", &none, &[]).unwrap_or_else(|| origin.command("plan", &none, &[]));
        let request = Request { trees, run, command };
        let verbs = Verbs {
            init: &|one: &One| init::run(&made(one), &mut |_, _| ()),
            renew: &|one: &One| Ok(renew::run(&renewed(one), &mut |_, _| ())?.0),
        };
        let (plan, warnings) = ui.working(|progress| plan::run(&request, verbs, progress))?;
        ui.warnings(&warnings);
        match self.output {
            PlanForm::Report(form) => ui.report(&plan, form, now)?,
            PlanForm::Markdown => ui.output(|out| plan.markdown(out))?,
        }
        ui.failures(&plan.failures());
        Ok(match plan.outcome {
            report::Outcome::Nothing => Exit::Done,
            report::Outcome::Changes => Exit::Renewed,
            report::Outcome::Refused => Exit::Failed,
            report::Outcome::Wrong => Exit::Usage,
        })
    }
}

/// `init --dry-run` with nothing but defaults.
fn made(one: &One) -> init::Request {
    init::Request {
        directory: one.directory.clone(),
        profile: one.profile.clone(),
        node: one.trees.node.clone(),
        kubelet_dir: one.trees.kubelet_dir.clone(),
        kubelet_serving: false,
        advertise_address: None,
        hostname: one.trees.hostname.clone(),
        force: false,
        allow_shared_ca: false,
        bootstrap_manifests: None,
        keys: one.trees.keys.clone(),
        run: one.run.clone(),
        only_planned: true,
    }
}

/// `renew all --due --dry-run`.
fn renewed(one: &One) -> renew::Request {
    renew::Request {
        trees: one.trees.clone(),
        run: one.run.clone(),
        only_planned: true,
        names: Vec::new(),
        due: true,
        prune_sans: false,
        reuse_key: false,
        no_hooks: true,
        safe_host: None,
        inherited: Vec::new(),
    }
}
