use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{common, environment::Environment, keys, passwords, ui::Ui, values::Outcome};
use crate::commands::backup::{self, Passphrase, Request, RestoreRequest, VerifyRequest};
use crate::encrypted::Password;
use crate::error::{Error, Exit};
use crate::report::backup::{State, Summary};
use crate::report::{Form, sanitised};
use crate::tree::layout::DEFAULT_DIR;
use crate::workspace::backup::{LARGEST, Source};
use crate::workspace::passwords::{Asking, Passwords};

/// Back a whole tree up, into one encrypted file
///
/// Everything in DIR: authorities with their keys, certificates, kubeconfigs, CRLs, the profile, the journal, generations,
/// requests; and the kubelet's own directory, where it lies outside. The tree is read under its lock, after an interrupted run was
/// finished, so that the backup is one state of it. What is neither a regular file nor a directory is named and left out
/// (exit status 5), and so is a key that the profile has elsewhere: back it up by itself. Keys that are encrypted stay so, and need their
/// own passphrase.
///
/// The file is encrypted with a passphrase, and a changed bit of it is found. It is DER: SEQUENCE { INTEGER 1, AlgorithmIdentifier,
/// OCTET STRING }. The algorithm is PBES2 (RFC 8018) with scrypt (RFC 7914: N 131072, r 8, p 1, 16 octets of salt, a key of 32
/// octets) and aes256-GCM (RFC 5084: a nonce of 12 octets, a tag of 16). The octet string is the ciphertext with the tag behind it;
/// there is no additional authenticated data. Decrypted, it is a tar file: kpki-backup.json, which lists every file with mode, owner
/// and SHA-256, then main/ (DIR) and kubelet/. Without the passphrase nobody opens it: keep it apart from the file.
///
/// With --unencrypted the tar file goes to standard output, for a program that encrypts. It holds every key.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,

    #[command(flatten)]
    make: Make,
}

const EXAMPLES: &str = "\
Examples:
  kpki backup --dir ./cluster --out /mnt/usb/cluster.kpki               asks for the passphrase, twice
  kpki backup --dir ./cluster --out cluster.kpki --password-file pass   for a scheduled job
  kpki backup --dir ./cluster --unencrypted --out - | age -r RECIPIENT > cluster.tar.age
  kpki backup verify /mnt/usb/cluster.kpki --dir ./cluster              is it whole, and how much older than the tree?
  kpki backup restore /mnt/usb/cluster.kpki --dir ./new

Exit status: 0 done, 1 refused or failed and nothing was written, 2 wrong command line, 4 written, but the tree is not whole (a key of
an authority is missing), 5 written, but something of the tree could not be put into it, or the profile says that the key of an authority
is elsewhere.";

#[derive(Debug, clap::Args)]
struct Make {
    /// Write the backup to this file, 0600; - is standard output
    #[arg(short = 'O', long, value_name = "FILE", required = true)]
    out: Option<PathBuf>,

    #[command(flatten)]
    tree: common::Dir,

    /// The kubelet's own directory, if it is not the recorded one
    #[arg(long, value_name = "DIR")]
    kubelet_dir: Option<PathBuf>,

    /// Replace the file
    #[arg(long)]
    force: bool,

    /// Do not encrypt: every key goes to standard output as it is, for a program that encrypts; needs --out -
    #[arg(long, conflicts_with_all = ["password_file", "password_env", "force"])]
    unencrypted: bool,

    #[command(flatten)]
    phrase: Phrase,

    #[command(flatten)]
    keys: keys::Passphrase,

    #[command(flatten)]
    write: common::Write,

    #[command(flatten)]
    report: common::Report,
}

/// The passphrase of a backup.
#[derive(Debug, clap::Args)]
struct Phrase {
    /// Read the passphrase from the first line of this file; default: the terminal
    #[arg(long, value_name = "FILE", alias = "passphrase-file", conflicts_with = "password_env")]
    password_file: Option<PathBuf>,

    /// Read the passphrase from this environment variable
    #[arg(long, value_name = "VARIABLE", alias = "passphrase-env")]
    password_env: Option<String>,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    Verify(Verify),
    Restore(Restore),
}

/// Open a backup, and verify that a whole tree is in it
///
/// Every file is compared with its digest, every authority's key with its certificate, every CRL's signature is verified, journal and
/// profile are read. With --dir it is also compared with the tree: how many certificates and CRLs were issued since, which files
/// changed. An external authority has no key in the tree, and so none in the backup; that is said.
/// Keys of authorities that are encrypted are opened and compared where their passphrase is given, and else that is said.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kpki backup verify cluster.kpki
  kpki backup verify cluster.kpki --dir ./cluster --password-file pass -o json
  age -d -i KEY cluster.tar.age | kpki backup verify -

Exit status: 0 whole, 1 it cannot be opened or is damaged, 2 wrong command line, 3 whole, but the tree in --dir has changed since, 4 not
whole: the key of an authority is missing, or something in it does not fit or cannot be read.")]
struct Verify {
    /// The backup, or a tar file of --unencrypted; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Compare it with this tree
    #[arg(short, long, value_name = "DIR")]
    dir: Option<PathBuf>,

    /// The kubelet's own directory of that tree, if it is not the recorded one
    #[arg(long, value_name = "DIR", requires = "dir")]
    kubelet_dir: Option<PathBuf>,

    #[command(flatten)]
    phrase: Phrase,

    #[command(flatten)]
    keys: keys::Passphrase,

    #[command(flatten)]
    report: common::Report,
}

/// Restore a tree from its backup, to a directory that is absent or empty
///
/// Byte for byte with its modes, journal and generations, and complete or not at all. It never writes over a tree. Files belong to
/// who restores them. The kubelet's own directory, if it lay outside, is restored to DIR/kubelet.
///
/// A tar file that was not encrypted is not authenticated either: whoever could write to it decides which hooks the tree will run.
///
/// What was issued or revoked after the backup is not known to the restored tree. Bring it back from the nodes' receipts with kpki
/// nodes merge before the next CRL is signed: its number must be higher than the nodes have.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kpki backup restore cluster.kpki --dir ./cluster
  age -d -i KEY cluster.tar.age | kpki backup restore - --dir ./cluster

Exit status: 0 restored, 1 refused or failed and nothing was written, 2 wrong command line, 4 restored, but it is not whole, 5 restored,
but something of the tree had not been put into the backup.")]
struct Restore {
    /// The backup, or a tar file of --unencrypted; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The directory to restore to
    #[arg(short, long, value_name = "DIR")]
    dir: PathBuf,

    #[command(flatten)]
    phrase: Phrase,

    #[command(flatten)]
    keys: keys::Passphrase,

    #[command(flatten)]
    report: common::Report,
}

impl Args {
    pub fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        match self.verb {
            None => self.make.run(environment, ui),
            Some(Verb::Verify(args)) => args.run(environment, ui),
            Some(Verb::Restore(args)) => args.run(environment, ui),
        }
    }
}

impl Make {
    fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let out = self.out.unwrap_or_else(|| PathBuf::from(DEFAULT_DIR));
        let to_stdout = out == Path::new("-");
        if to_stdout && self.report.output != Form::Table {
            return Err(Error::usage("a report and a backup cannot both go to standard output").hint("give --out FILE"));
        }
        if self.unencrypted && !to_stdout {
            return Err(Error::usage("an unencrypted backup is not written to a file")
                .hint("pipe it to a program that encrypts: --unencrypted --out - | age -r RECIPIENT > FILE"));
        }
        if to_stdout && environment.stdout.is_terminal {
            return Err(Error::usage("a backup is binary, and standard output is a terminal")
                .hint("give --out FILE, or redirect standard output"));
        }
        if !to_stdout {
            backup::check(&out, self.force)?;
        }
        let run = self.write.args(environment)?;
        let passphrase = match self.unencrypted {
            true => Passphrase::Unencrypted,
            false => Passphrase::Given(self.phrase.chosen(environment)?),
        };
        let made = backup::run(&Request {
            dir: self.tree.dir,
            kubelet_dir: self.kubelet_dir,
            out: (!to_stdout).then(|| out.clone()),
            passphrase,
            keys: self.keys.stated(environment)?,
            run,
        })?;
        let exit = exit(&made.report.summary);
        if to_stdout {
            let Summary { left_out, problems, notes, .. } = &made.report.summary;
            ui.warnings(&left_out.iter().map(|one| format!("not in the backup: {one}")).collect::<Vec<_>>());
            ui.warnings(problems);
            ui.warnings(notes);
            ui.bytes(&made.bytes, true)?;
            return Ok(exit);
        }
        backup::write(&out, &made.bytes, self.force)?;
        ui.done(&made.report, self.report.output, environment.clock.now(), exit)
    }
}

/// Of a backup that was made or restored.
fn exit(summary: &Summary) -> Exit {
    match summary {
        Summary { left_out, .. } if !left_out.is_empty() => Exit::Partial,
        Summary { problems, .. } if !problems.is_empty() => Exit::Critical,
        _ => Exit::Done,
    }
}

impl Verify {
    fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let request = VerifyRequest {
            keys: self.keys.stated(environment)?,
            source: source(&self.file)?,
            dir: self.dir,
            kubelet_dir: self.kubelet_dir,
        };
        let report = backup::verify(request, &mut Given { phrase: &self.phrase, environment })?;
        ui.report(&report, self.report.output, environment.clock.now())?;
        Ok(match report.state {
            State::Whole => Exit::Done,
            State::Older => Exit::Warning,
            State::Incomplete => Exit::Critical,
        })
    }
}

impl Restore {
    fn run(self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let request =
            RestoreRequest { keys: self.keys.stated(environment)?, source: source(&self.file)?, dir: self.dir };
        let report = backup::restore(request, &mut Given { phrase: &self.phrase, environment })?;
        ui.done(&report, self.report.output, environment.clock.now(), exit(&report.summary))
    }
}

/// The file; `-` is standard input.
fn source(file: &Path) -> Result<Source, Error> {
    if file != Path::new("-") {
        return Source::read(file);
    }
    let name = "standard input".to_owned();
    let bytes = crate::files::read_stream(std::io::stdin(), name.as_ref(), LARGEST)?;
    Ok(Source { name, bytes })
}

impl Phrase {
    fn stated(&self, environment: &Environment) -> Result<Option<Zeroizing<String>>, Error> {
        passwords::stated(environment, self.password_file.as_deref(), self.password_env.as_deref())
    }

    /// Of a new backup: never none, and typed twice.
    fn chosen(&self, environment: &Environment) -> Result<Password, Error> {
        let given = match self.stated(environment)? {
            Some(stated) => Some(stated),
            None => {
                let first = passwords::typed(environment, "Passphrase of the backup: ")?;
                if first.is_some() && first != passwords::typed(environment, "The same again: ")? {
                    return Err(Error::new("the two passphrases differ").hint("run the command again"));
                }
                first
            }
        };
        match given {
            Some(given) if given.is_empty() => {
                Err(Error::new("the passphrase is empty").hint("give one: it is all that protects the keys"))
            }
            Some(given) => Ok(Password::new(given)),
            None => Err(Error::usage("no passphrase is given, and there is no terminal to ask on")
                .hint("give it with --password-file FILE or --password-env VARIABLE")
                .hint("or let another program encrypt: --unencrypted --out - | age -r RECIPIENT > FILE")),
        }
    }
}

/// The passphrase of a backup that is read.
struct Given<'a> {
    phrase: &'a Phrase,
    environment: &'a Environment,
}

impl Passwords for Given<'_> {
    fn ask(&mut self, asking: Asking<'_>) -> Result<Option<Zeroizing<String>>, Error> {
        match (self.phrase.stated(self.environment)?, asking) {
            (None, Asking::Input(name)) => {
                passwords::typed(self.environment, &format!("Passphrase of {}: ", sanitised(name)))
            }
            (stated, _) => Ok(stated),
        }
    }
}
