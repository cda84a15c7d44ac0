//! What happens around a renewal: the operator's commands, and what is built in.

use std::collections::BTreeMap;

use crate::catalog::readers::is_static_pod;
use crate::clock::Span;

/// What follows when a deploy hook fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnHookFailure {
    /// It is reported, and the exit status shows it.
    Report,
    /// The previous generation is put back.
    Restore,
}

impl OnHookFailure {
    pub const ALL: [Self; 2] = [Self::Report, Self::Restore];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Restore => "restore",
        }
    }
}

/// The commands that run when something is renewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hooks {
    pub pre: Option<Command>,
    /// By component of the catalogue; [`Hooks::DEFAULT`] is for every component that is not named.
    pub deploy: BTreeMap<String, DeployHook>,
    pub post: Option<Command>,
    /// Of each of them; never zero.
    pub timeout: Span,
}

/// The value of `restart` in a deploy hook.
pub const STATIC_POD: &str = "static-pod";

/// What happens when a component's files have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeployHook {
    Run(Command),
    /// Built in: its static pod gets a new annotation, and so the kubelet restarts it. Never of the kubelet. `wait`: how long it has to
    /// have run again, or is waited for where its process cannot be seen.
    StaticPod {
        wait: Span,
    },
}

/// Free of NUL bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// For `/bin/sh -c`; not blank.
    Shell(String),
    /// An absolute path and its arguments; never empty.
    Program(Vec<String>),
}

impl Hooks {
    /// The name of the deploy hook for every component without one of its own.
    pub const DEFAULT: &str = "default";

    /// What to do when this component's files have changed. What restarts static pods is for nothing else by default.
    pub fn deploy(&self, component: &str) -> Option<&DeployHook> {
        let fits = |hook: &&DeployHook| matches!(hook, DeployHook::Run(_)) || is_static_pod(component);
        self.deploy.get(component).or_else(|| self.deploy.get(Self::DEFAULT).filter(fits))
    }

    /// Every command of the profile.
    pub fn commands(&self) -> impl Iterator<Item = &Command> {
        let deploy = self.deploy.values().filter_map(|hook| match hook {
            DeployHook::Run(command) => Some(command),
            DeployHook::StaticPod { .. } => None,
        });
        self.pre.iter().chain(deploy).chain(&self.post)
    }

    /// Nothing happens around a renewal.
    pub fn is_empty(&self) -> bool {
        self.pre.is_none() && self.deploy.is_empty() && self.post.is_none()
    }
}
