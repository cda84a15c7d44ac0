//! One rotation as it stands: its nodes, and what keeps its next step closed.

use super::alive;
use super::nodes::{self, Holders, Shown};
use super::state::State;
use crate::error::Error;
use crate::plan::rotate::gate::{self, Closed, Facts};
use crate::profile::WAITS;
use crate::tree::rotation::{Phase, Rotation, Way};
use crate::workspace::journal::{self, Line};
use crate::workspace::shipping::nodes as shipped;
use crate::workspace::shipping::receipt::{Receipt, instant};
use crate::workspace::{Session, Snapshot};

#[derive(Debug, Clone)]
pub struct Standing {
    pub rotation: Rotation,
    /// Of the step that `facts` and `closed` are about.
    pub way: Way,
    /// The nodes that count.
    pub nodes: Vec<(String, Shown)>,
    /// Nodes of the profile without a tree: they get what is there when they are made, and do not count.
    pub absent: Vec<String>,
    pub facts: Facts,
    pub closed: Vec<Closed>,
    /// Receipts that cannot be read.
    pub unreadable: Vec<String>,
}

/// What is read once for all rotations of a tree.
#[derive(Debug)]
pub struct Read {
    lines: Vec<Line>,
}

impl Read {
    pub fn of(session: &Session<'_>) -> Result<Self, Error> {
        Ok(Self { lines: journal::read(&session.tree.roots)? })
    }

    /// How a rotation stands in this tree. `snapshot`: as for [`super::state::of`].
    pub fn standing(
        &self,
        session: &Session<'_>,
        snapshot: &Snapshot,
        state: &State,
        (rotation, way): (&Rotation, Way),
    ) -> Result<Standing, Error> {
        let Holders { nodes, absent } = nodes::holders(session, snapshot, rotation.authority)?;
        let own = nodes::own_name(session, snapshot);
        let (mut shown, mut receipts, mut unreadable) = (Vec::new(), Vec::new(), Vec::new());
        for node in nodes {
            let receipt: Option<Receipt> = match own {
                Some(_) => Some(nodes::own_receipt(session, &node)?),
                // Without a profile nothing says what a node is to have.
                None if session.profile().is_none() => None,
                None => shipped::receipt(&session.tree.roots, &node).unwrap_or_else(|why| {
                    unreadable.push(why.to_string());
                    None
                }),
            };
            shown.push((node.clone(), nodes::shown(session, rotation, &node, receipt.as_ref())?));
            receipts.push((node, receipt));
        }
        let waits = session.profile().map_or(WAITS, |profile| profile.rotation);
        let is_forth = way == Way::Forth;
        let begins =
            rotation.new.first().and_then(|one| instant(&one.certificate.as_ref()?.not_before)).filter(|_| is_forth);
        let gives_up = (rotation.phase != Phase::Prepared) == is_forth;
        let is_behind = rotation.authority.name() == super::files::IN_KUBECONFIGS.name();
        let facts = Facts {
            gives_up,
            since: instant(&rotation.since).unwrap_or(session.run.now),
            now: session.run.now,
            wait: if gives_up { waits.before_retire } else { waits.before_switch },
            begins,
            unconfirmed: shown.iter().filter(|(_, one)| !one.is_in_force()).map(|(node, _)| node.clone()).collect(),
            behind: state.behind.iter().filter(|_| is_behind).map(ToString::to_string).collect(),
            kubelets: nodes::kubelets_until(rotation, &receipts).filter(|_| is_forth),
            alive: match gives_up && rotation.phase != Phase::Emergency {
                true => alive::alive(session, snapshot, &self.lines, rotation, way),
                false => Vec::new(),
            },
        };
        // An emergency has interrupted everything already.
        let closed = if rotation.phase == Phase::Emergency { Vec::new() } else { gate::closed(&facts) };
        Ok(Standing { rotation: rotation.clone(), way, nodes: shown, absent, facts, closed, unreadable })
    }
}
