//! The question before something that cannot be undone.

use super::environment::{Echo, Environment};
use super::ui::Ui;
use crate::error::Error;

/// Shows what would be done, and asks for it. `Ok(false)`: the answer was no, which no answer is too.
pub fn is_wanted(
    environment: &Environment,
    ui: &mut Ui<'_>,
    label: &str,
    what: &[String],
    question: &str,
) -> Result<bool, Error> {
    what.iter().for_each(|one| ui.notice(label, one));
    let answer = (environment.prompt)(&format!("{question} [y/N] "), Echo::Shown);
    let answer = answer.map_err(|why| Error::new("cannot read the answer").because(why))?;
    Ok(answer.is_some_and(|answer| ["y", "yes"].contains(&answer.trim().to_lowercase().as_str())))
}
