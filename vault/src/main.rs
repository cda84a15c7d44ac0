//! `kpki-vault`: what stands between kpki and Vault or OpenBao. kpki runs it as an issuer, as a signer and for keys; it
//! asks the server once, prints the answer, and ends. Files read from top to bottom: `main` and `cli` know the command
//! line, `issue`, `sign`, `public_key` and `secret` each ask one question, `session` and `login` hold the token,
//! `server` speaks HTTP, `answer` judges what came back.

mod address;
mod answer;
mod api_path;
mod cli;
mod environment;
mod error;
mod issue;
mod login;
mod pem_text;
mod public_key;
mod secret;
mod secret_file;
mod server;
mod session;
mod sign;
mod stdin;
mod text;

use std::alloc::System;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::process::ExitCode;

use clap::Parser as _;
use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use zeroizing_alloc::ZeroAlloc;

use crate::cli::Cli;
use crate::environment::Environment;
use crate::error::{Error, Exit};

/// Memory is wiped when it is given back: tokens and answers pass through buffers of libraries.
#[global_allocator]
static WIPED: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    // No core and no debugger of the same user shows a token. A kernel that refuses changes nothing else.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let cli = Cli::parse();
    let mut warnings = Vec::new();
    let result = cli.run(&Environment::of_process(), &mut warnings);
    let result = result.and_then(|output| {
        written(&output).map_err(|why| Error::failed("cannot write to standard output").because(why))
    });
    // Standard error has nowhere to report its own failure.
    let mut err = io::stderr().lock();
    for warning in warnings {
        let _ = writeln!(err, "warning: {}", text::sanitised(&warning));
    }
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = err.write_all(error.shown().as_bytes());
            error.exit.into()
        }
    }
}

/// Past the buffer of [`io::stdout`], which is never given back: the output may be a key.
fn written(output: &[u8]) -> io::Result<()> {
    File::from(io::stdout().as_fd().try_clone_to_owned()?).write_all(output)
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.status())
    }
}
