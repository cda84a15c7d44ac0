//! What the archive's profile and state become on a node that has some of its own.

use super::contents::{Contents, What};
use super::request::Request;
use crate::error::Error;
use crate::profile::{Profile, render_as_stated};
use crate::workspace::profiles;
use crate::workspace::state::{Choices, State};

/// What is recorded on the node from now on.
pub struct Merged {
    /// The profile in force; `None`: none is recorded, and the archive has none.
    pub profile: Option<Profile>,
    /// `None`: the archive has no profile, and what is recorded stays.
    pub state: Option<State>,
    pub notes: Vec<String>,
}

/// The archive's profile takes the place of the recorded one. What only the node knows stays: the kubelet's directory, and
/// hooks, where the archive has none.
pub fn merge(request: &Request, contents: &Contents, recorded: Option<&State>) -> Result<Merged, Error> {
    let mut notes = Vec::new();
    let known = recorded.and_then(|state| match profiles::load_state(state, "the recorded profile") {
        Ok(loaded) => Some(loaded.profile),
        Err(why) => {
            notes.push(format!("the recorded profile cannot be used: {}", why.what));
            None
        }
    });
    let Some(given) = contents.part(What::Profile) else {
        return Ok(Merged { profile: known, state: None, notes });
    };
    let mut choices = choices(contents)?;
    choices.kubelet_dir = match &request.kubelet_dir {
        Some(dir) => Some(std::path::absolute(dir).unwrap_or_else(|_| dir.clone())),
        None => recorded.and_then(|state| state.choices.kubelet_dir.clone()),
    };
    let mut state = State { profile: given.bytes.to_vec(), choices };
    let mut profile = profiles::load_state(&state, &format!("{}: {}", request.input, given.path))?.profile;
    let has_hooks = |profile: &Profile| !profile.renewal.hooks.is_empty();
    if let Some(own) = known.filter(|own| has_hooks(own) && !has_hooks(&profile)) {
        profile.renewal.hooks = own.renewal.hooks;
        profile.renewal.on_hook_failure = own.renewal.on_hook_failure;
        state.profile = format!(
            "# Of the archive of {}, with the hooks that were recorded on the node: the archive has none.\n{}",
            contents.manifest.node,
            render_as_stated(&profile)
        )
        .into_bytes();
        notes.push("the archive has no hooks; those that are recorded on this node stay".to_owned());
    }
    Ok(Merged { profile: Some(profile), state: Some(state), notes })
}

fn choices(contents: &Contents) -> Result<Choices, Error> {
    let node = Some(contents.manifest.node.clone());
    let Some(given) = contents.part(What::State) else { return Ok(Choices { node, ..Choices::default() }) };
    let read: Choices = serde_json::from_slice(&given.bytes).map_err(|why| {
        Error::new(format!("cannot use {} of the archive", given.path)).because(crate::store::JsonError::from(why))
    })?;
    Ok(Choices { node, ..read })
}
