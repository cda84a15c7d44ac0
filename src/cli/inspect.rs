use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::common;
use super::environment::Environment;
use super::ui::Ui;
use super::values::Outcome;
use crate::commands::inspect;
use crate::error::{Error, Exit};
use crate::report::Form;
use crate::report::inspect::{File, Inspect};
use crate::workspace::survey::LARGEST_INPUT;

/// Show the contents of a certificate, bundle, CRL, CSR, key or kubeconfig
///
/// The type of a file is found from its content, not its name: PEM with any number of blocks, DER, a kubeconfig with
/// all its users and clusters, a manifest of kubernetes.io/tls Secrets. Of a private key only its algorithm and the
/// identifiers of its public key are shown.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Files to show; - is standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    #[command(flatten)]
    at: common::At,

    /// The form of the result
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t = Output::Text)]
    output: Output,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    /// For people
    Text,
    Json,
    Yaml,
}

const EXAMPLES: &str = "\
Examples:
  kpki inspect /etc/kubernetes/pki/apiserver.crt
  kpki inspect ~/.kube/config                                     every user's certificate, every cluster's authority
  kpki inspect /etc/kubernetes/pki/*.crt -o json
  kubectl get secret web -o yaml | kpki inspect -

Exit status: 0 everything was shown, 1 a file could not be read or has no known content (the others are shown).";

impl Args {
    pub fn run(&self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let at = self.at.instant(environment)?;
        let files: Vec<File> = self.files.iter().map(|path| file(path)).collect();
        let failed = files.iter().any(|file| !file.problems.is_empty());
        let form = match self.output {
            Output::Text => Form::Table,
            Output::Json => Form::Json,
            Output::Yaml => Form::Yaml,
        };
        let shown: Vec<File> = match form {
            // Problems go to stderr, like errors.
            Form::Table | Form::Wide => files
                .iter()
                .filter(|file| !file.objects.is_empty())
                .map(|file| File { problems: Vec::new(), ..file.clone() })
                .collect(),
            Form::Json | Form::Yaml => files.clone(),
        };
        ui.report(&Inspect { files: shown }, form, at)?;
        for file in &files {
            for problem in &file.problems {
                ui.error(&Error::new(format!("{}: {problem}", file.path)));
            }
        }
        Ok(if failed { Exit::Failed } else { Exit::Done })
    }
}

fn file(path: &Path) -> File {
    if path != Path::new("-") {
        return inspect::file(path);
    }
    let name = "standard input".to_owned();
    let mut bytes = zeroize::Zeroizing::new(Vec::new());
    match std::io::stdin().lock().take(LARGEST_INPUT.saturating_add(1)).read_to_end(&mut bytes) {
        Ok(length) if u64::try_from(length).is_ok_and(|length| length <= LARGEST_INPUT) => {
            inspect::content(name, &bytes)
        }
        Ok(_) => {
            let why = format!("cannot read standard input: it is larger than {} bytes", LARGEST_INPUT);
            inspect::unreadable(name, &Error::new(why))
        }
        Err(why) => inspect::unreadable(name, &Error::new(format!("cannot read standard input: {why}"))),
    }
}
