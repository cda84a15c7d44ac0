//! What instructions depend on, and what one is.

use crate::tree::rotation::{Kubelets, Phase, Rotating};

/// The step that was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Prepare,
    Switch,
    Retire,
    Back,
    Emergency,
}

/// A component that has to be restarted before it uses what is new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restarted {
    /// `None`: of the tree's one node.
    pub node: Option<String>,
    pub component: &'static str,
    pub why: &'static str,
    /// On the node.
    pub command: String,
}

/// A cluster after a step.
#[derive(Debug, Clone)]
pub struct Situation<'a> {
    pub step: Step,
    pub authorities: &'a [Rotating],
    /// Where a step back has led some of them; `None`: before the rotation, or no step back.
    pub back_to: Option<Phase>,
    /// The cluster directory; `None`: a node's own tree.
    pub directory: Option<&'a str>,
    /// The tree, for commands.
    pub dir: &'a str,
    /// The nodes that are to have new files, control-plane nodes first.
    pub nodes: &'a [String],
    /// In the order of components, then of nodes.
    pub restarts: &'a [Restarted],
    pub kubelets: Kubelets,
    /// Kubelets get an embedded certificate; of a cluster directory, on these nodes.
    pub embeds: bool,
    pub embedded: &'a [String],
    /// The API server as admin.conf has it.
    pub server: Option<&'a str>,
    /// Where the certificates are on a control-plane node.
    pub certificates_dir: &'a str,
    /// `sha256:...` of each certificate that ca.crt holds now, the signer's first.
    pub join_hashes: &'a [String],
    /// Files of revocation lists that the step has written, on a control-plane node.
    pub lists: &'a [String],
    /// Where the objects of the cluster were written.
    pub manifests: Option<&'a str>,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// Where; none: anywhere with access to the cluster.
    pub nodes: Vec<String>,
    pub component: Option<&'static str>,
    pub what: String,
    /// One for all nodes, or one for each.
    pub commands: Vec<String>,
    /// How to see that it worked.
    pub see: Option<String>,
    /// What goes wrong without it.
    pub skipped: String,
}

impl Instruction {
    pub fn new(what: impl Into<String>, skipped: impl Into<String>) -> Self {
        Self {
            nodes: Vec::new(),
            component: None,
            what: what.into(),
            commands: Vec::new(),
            see: None,
            skipped: skipped.into(),
        }
    }

    #[must_use]
    pub fn on(mut self, nodes: &[String]) -> Self {
        self.nodes = nodes.to_vec();
        self
    }

    #[must_use]
    pub fn of(mut self, component: &'static str) -> Self {
        self.component = Some(component);
        self
    }

    #[must_use]
    pub fn run(mut self, command: impl Into<String>) -> Self {
        self.commands.push(command.into());
        self
    }

    #[must_use]
    pub fn see(mut self, how: impl Into<String>) -> Self {
        self.see = Some(how.into());
        self
    }
}
