//! A command that signs with a key which never leaves its place, and what it is asked for.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use zeroize::Zeroizing;

use super::args::KeyArgs;
use super::fault::{KeyFault, Why};
use crate::blueprint::Algorithm;
use crate::ca::{self, CaError, Purpose, SignerFault};
use crate::catalog::CaId;
use crate::files::TrustError;
use crate::profile::{Command, SignerInput, SignerOptions};
use crate::programs::{self, Answer, Ended, Exchange};
use crate::x509::made_signature;

/// An RSA signature has 512 octets at most.
const LARGEST_SIGNATURE: usize = 1 << 10;

/// What a signer is told beside what every program is.
pub const SIGNER_VARIABLES: [(&str, &str); 3] = [
    ("KPKI_SIGN_ALGORITHM", "ecdsa-sha256, ecdsa-sha384 or rsa-pkcs1-sha256."),
    ("KPKI_SIGN_INPUT", "What is on standard input: digest or message."),
    ("KPKI_PURPOSE", "What is signed: certificate, crl or request."),
];

/// What every command of a run has in common.
pub struct Commands {
    pub args: KeyArgs,
    pub dir: PathBuf,
    /// Where the tree's own files of authorities are.
    pub pki: PathBuf,
    pub cluster: Option<String>,
    /// Signers that have failed in this run, by their words: they are asked no more.
    pub failed: Mutex<Vec<(Vec<String>, KeyFault)>>,
}

impl fmt::Debug for Commands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Commands({})", self.dir.display())
    }
}

impl Commands {
    fn failure(&self, words: &[String]) -> Option<KeyFault> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.iter().find(|(failed, _)| failed == words).map(|(_, why)| why.clone())
    }

    fn fail(&self, words: &[String], why: &KeyFault) {
        if self.failure(words).is_none() {
            let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
            failed.push((words.to_vec(), why.clone()));
        }
    }

    /// Runs a program for an authority. Nothing of its answer is in an error; `is_shown`: what it says on standard error is.
    pub fn ask(&self, question: Question<'_>) -> Result<Zeroizing<Vec<u8>>, Why> {
        let Question { words, authority, variables, input, limit, timeout, is_shown } = question;
        let authority = [("KPKI_AUTHORITY", authority.name().to_owned())];
        let variables: Vec<(&'static str, String)> = authority.iter().chain(variables).cloned().collect();
        match self.run(words, &variables, input, (limit, timeout)).map_err(Why::Trust)? {
            Answer { output: None, .. } => Err(Why::TooLong(limit)),
            Answer { ended: Ended::Success, output: Some(output), .. } if output.is_empty() => Err(Why::Nothing),
            Answer { ended: Ended::Success, output: Some(output), .. } => Ok(output),
            Answer { ended, said, .. } if is_shown && !said.is_empty() => Err(Why::Said(ended, said)),
            Answer { ended: ended @ (Ended::Status(_) | Ended::Signal(_)), .. } if is_shown => Err(Why::Silent(ended)),
            Answer { ended, .. } => Err(Why::Ended(ended)),
        }
    }

    /// Runs a program that nobody else could have written, in the environment of this run without its secrets.
    pub fn run(
        &self,
        words: &[String],
        variables: &[(&'static str, String)],
        input: &[u8],
        (limit, timeout): (usize, Duration),
    ) -> Result<Answer, TrustError> {
        let path = self.args.environment.iter().find(|(name, _)| name == "PATH").map(|(_, path)| path.as_os_str());
        programs::check(&Command::Program(words.to_vec()), path)?;
        let is_secret = |name: &str| name.starts_with("KPKI_") || self.args.secrets.has(name);
        let environment: Vec<_> =
            self.args.environment.iter().filter(|(name, _)| !name.to_str().is_some_and(is_secret)).cloned().collect();
        let own = [("KPKI_DIR", self.dir.display().to_string())];
        let cluster = self.cluster.clone().map(|cluster| ("KPKI_CLUSTER", cluster));
        let variables: Vec<(&'static str, String)> =
            own.into_iter().chain(cluster).chain(variables.iter().cloned()).collect();
        let exchange = Exchange { words, environment: &environment, variables: &variables, input, limit, timeout };
        Ok(programs::exchange(&exchange))
    }
}

/// One question to a program.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    pub words: &'a [String],
    pub authority: CaId,
    pub variables: &'a [(&'static str, String)],
    pub input: &'a [u8],
    /// Octets of the answer.
    pub limit: usize,
    pub timeout: Duration,
    pub is_shown: bool,
}

/// Signs by a command.
pub struct CommandSigner {
    pub commands: Arc<Commands>,
    pub authority: CaId,
    pub options: SignerOptions,
    pub algorithm: Algorithm,
    /// SubjectPublicKeyInfo: every signature is verified by it.
    pub spki_der: Vec<u8>,
    pub turns: Arc<Turns>,
}

impl fmt::Debug for CommandSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CommandSigner({}, {})", self.authority.name(), self.algorithm)
    }
}

impl CommandSigner {
    fn answer(&self, message: &[u8], purpose: Purpose) -> Result<Vec<u8>, Why> {
        let digest;
        let input = match self.options.input {
            SignerInput::Message => message,
            SignerInput::Digest => {
                digest = ca::digest(self.algorithm, message);
                &digest
            }
        };
        let variables = [
            ("KPKI_SIGN_ALGORITHM", algorithm_name(self.algorithm).to_owned()),
            ("KPKI_SIGN_INPUT", self.options.input.name().to_owned()),
            ("KPKI_PURPOSE", purpose.name().to_owned()),
        ];
        let _turn = self.turns.take();
        let answer = self.commands.ask(Question {
            words: &self.options.command,
            authority: self.authority,
            variables: &variables,
            input,
            limit: LARGEST_SIGNATURE,
            timeout: Duration::from_secs(self.options.timeout.as_seconds()),
            is_shown: true,
        })?;
        match made_signature(self.algorithm, &self.spki_der, message, &answer) {
            true => Ok(answer.to_vec()),
            false => Err(Why::WrongSignature),
        }
    }
}

impl ca::Signer for CommandSigner {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    fn spki_der(&self) -> Vec<u8> {
        self.spki_der.clone()
    }

    fn sign(&self, message: &[u8], purpose: Purpose) -> Result<Vec<u8>, CaError> {
        let words = &self.options.command;
        if let Some(why) = self.commands.failure(words) {
            return Err(why.into());
        }
        self.answer(message, purpose).map_err(|why| {
            let fault = KeyFault { authority: self.authority, at: self.options.shown(), why };
            if fault.why.is_temporary() {
                self.commands.fail(words, &fault);
            }
            fault.into()
        })
    }

    fn ready(&self) -> Result<(), SignerFault> {
        self.commands.failure(&self.options.command).map_or(Ok(()), |why| Err(why.into()))
    }

    fn parallel(&self) -> usize {
        self.options.parallel.into()
    }
}

/// In KPKI_SIGN_ALGORITHM.
const fn algorithm_name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::EcdsaP256 => "ecdsa-sha256",
        Algorithm::EcdsaP384 => "ecdsa-sha384",
        Algorithm::Rsa2048 | Algorithm::Rsa3072 | Algorithm::Rsa4096 => "rsa-pkcs1-sha256",
    }
}

/// So many at the same time.
#[derive(Debug)]
pub struct Turns {
    free: Mutex<u8>,
    given: Condvar,
}

/// One of them, until it is dropped.
#[derive(Debug)]
pub struct Turn<'a>(&'a Turns);

impl Turns {
    pub const fn of(many: u8) -> Self {
        Self { free: Mutex::new(many), given: Condvar::new() }
    }

    fn take(&self) -> Turn<'_> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = self.given.wait_while(free, |free| *free == 0).unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
        Turn(self)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.given.notify_one();
    }
}
