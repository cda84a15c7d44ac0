//! What has to be done in the cluster after a step has changed the files: numbered instructions, each with a command, how to see that
//! it worked, and what goes wrong without it. kpki has no access to the cluster; whoever follows them has.

mod cluster;
mod emergency;
mod machines;
mod situation;

pub use emergency::api_servers;
pub use situation::{Instruction, Restarted, Situation, Step};

use crate::catalog::CaId;
use crate::tree::rotation::Rotating;

/// Everything that is to be done, in order.
pub fn instructions(situation: &Situation<'_>) -> Vec<Instruction> {
    let mut all: Vec<Instruction> = machines::ship(situation).into_iter().collect();
    all.extend(cluster::lists(situation));
    all.extend(emergency::first(situation));
    all.extend(machines::kubelets_first(situation));
    all.extend(machines::restarts(situation));
    all.extend(cluster::objects(situation));
    all.extend(emergency::last(situation));
    all.extend(machines::confirm(situation));
    all.extend(machines::kubelets_last(situation));
    all
}

impl Situation<'_> {
    fn rotates(&self, authority: CaId) -> bool {
        self.authorities.contains(&Rotating::Authority(authority))
    }

    fn rotates_service_account(&self) -> bool {
        self.authorities.contains(&Rotating::ServiceAccount)
    }
}

#[cfg(test)]
mod tests;
