//! The profile without the node: the given one, or the recorded one written anew.

use super::request::Request;
use crate::error::Error;
use crate::profile::{self, NodeRole, Profile};
use crate::tree::Layout;
use crate::workspace::profiles;
use crate::workspace::state::{self, State};

/// What is recorded from now on.
pub struct Next {
    pub state: State,
    pub profile: Profile,
    /// It was rewritten: comments are gone.
    pub is_rewritten: bool,
}

/// `recorded`: with the node, or, after a run with a profile without it, not any more.
pub fn next(request: &Request, state: &State, recorded: &Profile) -> Result<Next, Error> {
    let node = &request.node;
    let (text, name) = match &request.profile {
        Some(path) => {
            profiles::check(path)?;
            (profiles::read(path)?, profiles::name(path))
        }
        None if recorded.node(node).is_none() => {
            (state.profile.clone(), state::path(&request.dir).display().to_string())
        }
        None => {
            let rest = recorded.without_node(node);
            if !rest.nodes.iter().any(|one| one.is(NodeRole::ControlPlane)) {
                return Err(Error::usage(format!("{node} is the only control-plane node of the profile")).hint(
                    "a cluster without one has no use for its certificates: remove the whole directory instead",
                ));
            }
            (profile::render_as_stated(&rest).into_bytes(), state::path(&request.dir).display().to_string())
        }
    };
    let is_rewritten = request.profile.is_none() && text != state.profile;
    let mut state = State { profile: text, choices: state.choices.clone() };
    let profile = profiles::load_state(&state, &name)?.profile;
    if profile.node(node).is_some() {
        return Err(Error::usage(format!("{name} still has the node {node}")).hint("take it out of the file first"));
    }
    if profile.cluster_name != recorded.cluster_name {
        return Err(Error::usage(format!(
            "{name} is the profile of {}, not of {}",
            profile.cluster_name, recorded.cluster_name
        ))
        .hint("give the profile of this cluster without the node"));
    }
    if Layout::of(&profile, None) != Layout::Cluster {
        let rest: Vec<&str> = profile.nodes.iter().map(|one| one.name.as_str()).collect();
        return Err(Error::usage(format!("without {node} only {} is left, and the profile of one node makes its own tree", rest.join(", ")))
            .because(format!("{} is a cluster directory", request.dir.display()))
            .hint("keep the directory as it is, or set caKeys: none in the profile: a cluster directory may then have one node"));
    }
    state.follow(Some(recorded), &profile);
    Ok(Next { state, profile, is_rewritten })
}
