use std::path::PathBuf;

use crate::cli::keys::Keys;
use crate::cli::values::Outcome;
use crate::cli::{common, environment::Environment, ui::Ui};
use crate::commands::rotate::{self, Options, Request, Step};
use crate::error::{Error, Exit};
use crate::profile::nearest;
use crate::report::rotate::Done;
use crate::tree::rotation::Rotating;
use crate::workspace::TreeArgs;

/// What every step takes.
#[derive(Debug, clap::Args)]
pub struct Common {
    #[command(flatten)]
    tree: common::Tree,

    /// Do not run the profile's hooks
    #[arg(long)]
    no_hooks: bool,

    /// Write the objects of the cluster that can be made here to this directory, for kubectl apply
    #[arg(long, value_name = "DIR")]
    apply_manifests: Option<PathBuf>,

    #[command(flatten)]
    keys: Keys,

    #[command(flatten)]
    run: common::Run,
}

impl Common {
    pub fn run(self, step: Step, names: &[String], environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        self.run_if(step, names, environment, ui, &mut |_, _| Ok(()))
    }

    /// The same; before anything is written, `ask` may refuse by the request.
    pub fn run_if(
        self,
        step: Step,
        names: &[String],
        environment: &Environment,
        ui: &mut Ui<'_>,
        ask: &mut dyn FnMut(&Request, &mut Ui<'_>) -> Result<(), Error>,
    ) -> Outcome {
        let request = Request {
            trees: TreeArgs { keys: self.keys.args(environment)?, ..self.tree.args(environment) },
            run: self.run.args(environment)?,
            authorities: authorities(names, Some(&step))?,
            step,
            options: Options {
                no_hooks: self.no_hooks,
                inherited: environment.inherited.clone(),
                manifests: self.apply_manifests,
            },
        };
        ask(&request, ui)?;
        let done = ui.working(|progress| rotate::run(&request, progress))?;
        ui.warnings(&done.warnings);
        self.run.report.finish(ui, &done, &request.run, exit(&done))
    }
}

pub(super) fn exit(done: &Done) -> Exit {
    match (done.failed_hooks().next(), done.left.is_empty()) {
        (Some(_), _) => Exit::Failed,
        (None, true) => Exit::Done,
        (None, false) => Exit::Partial,
    }
}

/// `all` of prepare is every authority; of the other steps, as without a name, every one in the phase before.
pub(super) fn authorities(names: &[String], step: Option<&Step>) -> Result<Vec<Rotating>, Error> {
    match names {
        [only] if only == "all" && matches!(step, Some(Step::Prepare(_))) => Ok(Rotating::ALL.to_vec()),
        [only] if only == "all" && matches!(step, Some(Step::Emergency(_))) => {
            Err(Error::usage("in an emergency each authority is named")
                .because("expected ca, front-proxy-ca, etcd-ca or sa, or some of them")
                .hint("name those whose keys are in other hands or lost"))
        }
        [only] if only == "all" => Ok(Vec::new()),
        names => names.iter().map(|name| authority(name)).collect(),
    }
}

fn authority(name: &str) -> Result<Rotating, Error> {
    Rotating::parse(name).ok_or_else(|| {
        let error = Error::usage(format!("{name:?} is not an authority"))
            .because("expected ca, front-proxy-ca, etcd-ca, sa, or all");
        let known = || Rotating::ALL.into_iter().map(Rotating::name);
        let is_begun = |known: &&str| known.strip_suffix("-ca") == Some(name);
        match known().find(is_begun).or_else(|| nearest(name, known().chain(["all"]))) {
            Some(near) => error.hint(format!("did you mean {near}?")),
            None => error.hint("give one of these"),
        }
    })
}
