use std::path::{Path, PathBuf};

use super::passwords::{InputPassword, Inputs};
use super::values::{Outcome, TEXT_FORMS, one_of};
use super::{common, environment::Environment, ui::Ui};
use crate::commands::inspect;
use crate::error::{Error, Exit};
use crate::report::Form;
use crate::report::inspect::{File, Inspect};
use crate::workspace::passwords::Passwords;
use crate::workspace::survey;

/// Show the contents of a certificate, bundle, CRL, CSR, key, keystore or kubeconfig
///
/// The type of a file is found from its content, not its name: PEM with any number of blocks, DER, PKCS#7, PKCS#12,
/// Java's keystores (JKS, JCEKS), OpenSSH keys, a kubeconfig with all its users and clusters and the files it names, a
/// manifest with Secrets, ConfigMaps, webhooks and the like, alone or in lists. Of a private key only its algorithm and
/// the identifiers of its public key are shown, and which of the certificates shown it belongs to; kinds that kpki does
/// not sign with (Ed25519, P-521, DSA and others) are shown, too. What is encrypted is opened with --password-file or
/// --password-env; without, an encrypted key is shown as encrypted, and a Java keystore by its certificates.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Files to show; - is standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    #[command(flatten)]
    password: InputPassword,

    #[command(flatten)]
    at: common::At,

    /// The form of the result
    #[arg(short, long, value_name = "FORM", default_value = "text", value_parser = one_of(TEXT_FORMS))]
    output: Form,
}

const EXAMPLES: &str = "\
Examples:
  kpki inspect /etc/kubernetes/pki/apiserver.crt
  kpki inspect ~/.kube/config                                     every user's certificate, every cluster's authority
  kpki inspect /etc/kubernetes/pki/*.crt -o json
  kpki inspect web.p12 --password-file pass
  kubectl get secret web -o yaml | kpki inspect -

Exit status: 0 everything was shown, 1 a file could not be read or has no known content (the others are shown).";

impl Args {
    pub fn run(&self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let at = self.at.instant(environment)?;
        let mut passwords = Inputs { args: &self.password, environment };
        let files: Vec<File> = self.files.iter().map(|path| file(path, &mut passwords)).collect();
        let failed = files.iter().any(|file| !file.problems.is_empty());
        let form = self.output;
        let shown: Vec<File> = match form {
            // Problems go to stderr, like errors.
            Form::Table | Form::Wide => files
                .iter()
                .filter(|file| !file.objects.is_empty())
                .map(|file| File { problems: Vec::new(), ..file.clone() })
                .collect(),
            Form::Json | Form::Yaml => files.clone(),
        };
        ui.report(&Inspect::new(shown), form, at)?;
        for file in &files {
            for problem in &file.problems {
                // What could not be opened says which file it is.
                let says_it = problem.contains(&format!(" {}:", file.path));
                ui.error(&Error::new(if says_it { problem.clone() } else { format!("{}: {problem}", file.path) }));
            }
        }
        Ok(if failed { Exit::Failed } else { Exit::Done })
    }
}

fn file(path: &Path, passwords: &mut dyn Passwords) -> File {
    if path == Path::new("-") {
        inspect::file("standard input".to_owned(), common::stdin(), passwords)
    } else {
        inspect::file(path.display().to_string(), survey::input(path, survey::LARGEST_INPUT), passwords)
    }
}
