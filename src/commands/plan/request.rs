//! The request from the command line, and the two verbs that answer it.

use std::fmt;
use std::path::PathBuf;

use crate::error::Error;
use crate::report;
use crate::workspace::{RunArgs, TreeArgs};

/// The command line, checked.
#[derive(Debug, Clone)]
pub struct Request {
    pub trees: TreeArgs,
    pub run: RunArgs,
    /// The command that shows the whole plan.
    pub command: String,
}

/// One cluster, as both verbs take it.
#[derive(Debug, Clone)]
pub struct One {
    pub directory: PathBuf,
    pub profile: Option<PathBuf>,
    pub trees: TreeArgs,
    pub run: RunArgs,
}

type Asked<'a, R> = &'a (dyn Fn(&One) -> Result<R, Error> + Sync);

/// The verbs as dry runs. A verb imports no other: whoever knows both gives them.
#[derive(Clone, Copy)]
pub struct Verbs<'a> {
    pub init: Asked<'a, report::Init>,
    pub renew: Asked<'a, report::renew::Renew>,
}

impl fmt::Debug for Verbs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verbs")
    }
}
