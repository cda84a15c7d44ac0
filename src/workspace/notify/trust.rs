//! The programs of hooks: whether anybody else could have written them.

use std::ffi::OsString;

use crate::error::Error;
use crate::profile::{Command, Renewal};
use crate::programs;

/// Refuses a run before it changes anything, if a hook that may run is another's. `inherited`: the environment of hooks.
pub fn check_all(inherited: &[(&'static str, OsString)], renewal: Option<&Renewal>) -> Result<(), Error> {
    let refused = |error: Error| {
        Error { what: format!("a hook's program {}; nothing was changed", error.what), ..error }
            .hint("or skip the hooks with --no-hooks")
    };
    let mut commands = renewal.into_iter().flat_map(|renewal| renewal.hooks.commands());
    commands.try_for_each(|command| check(inherited, command)).map_err(refused)
}

pub fn check(inherited: &[(&'static str, OsString)], command: &Command) -> Result<(), Error> {
    let path = inherited.iter().find(|(name, _)| *name == "PATH").map(|(_, path)| path.as_os_str());
    Ok(programs::check(command, path)?)
}
