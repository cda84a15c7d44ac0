//! What is to be done in the cluster after this step.

use super::context::Planned;
use super::manifests;
use super::request::{Request, Step};
use crate::catalog::CaId;
use crate::catalog::paths::{DEFAULT_CERTIFICATES_DIR, KUBELET_CONF};
use crate::error::Error;
use crate::files;
use crate::plan::rotate::steps::{self as plan, Restarted, Situation, instructions};
use crate::profile::NodeRole;
use crate::report::restart::Restart;
use crate::report::rotate::{Done, ToDo, markdown};
use crate::store::FileChange;
use crate::tree::rotation::{Kubelets, Rotating};
use crate::workspace::crls;
use crate::workspace::rotation::record;
use crate::workspace::{Session, Snapshot};
use crate::x509::Certificate;

/// Fills the report.
pub(super) fn add(
    done: &mut Done,
    request: &Request,
    session: &Session<'_>,
    planned: &Planned,
    after: &Snapshot,
) -> Result<(), Error> {
    let Some(step) = step(&request.step) else { return Ok(()) };
    let profile = session.profile();
    let is_control_plane = |name: &String| {
        profile.and_then(|profile| profile.node(name)).is_some_and(|node| node.is(NodeRole::ControlPlane))
    };
    let mut nodes = done.ship.clone();
    nodes.sort_by_key(|name| !is_control_plane(name));
    let mut restarts: Vec<Restarted> = done.restart.iter().filter_map(restarted).collect();
    let authorities: Vec<Rotating> = planned.rows.iter().map(|row| row.authority).collect();
    if step == plan::Step::Emergency && authorities.contains(&Rotating::Authority(CaId::Cluster)) {
        restarts.extend(plan::api_servers(&restarts));
    }
    let is_embedded = |one: &&crate::report::rotate::Written| {
        one.id.name == KUBELET_CONF && matches!(one.change, "reissue" | "put-back")
    };
    let embeds = done.entries.iter().any(|one| is_embedded(&one));
    let embedded: Vec<String> = done.entries.iter().filter(is_embedded).filter_map(|one| one.id.node.clone()).collect();
    let is_back = matches!(request.step, Step::Back(_));
    let back_to = planned.rows.iter().filter(|_| is_back).filter_map(|row| row.to).min();
    let server = manifests::server(session, after);
    let kubelets = planned.record.rotations.iter().find_map(|one| one.kubelets);
    let hashes: Vec<String> = after.bundle(CaId::Cluster).iter().map(Certificate::discovery_hash).collect();
    let manifests = request.options.manifests.as_ref().map(|dir| dir.display().to_string());
    let certificates_dir = profile.map_or(DEFAULT_CERTIFICATES_DIR, |profile| &profile.certificates_dir);
    let list = |id: &CaId| {
        let place = crls::place(&session.tree, *id);
        let is_rotated = authorities.contains(&Rotating::Authority(*id));
        let is_there = is_rotated && files::what(None, &place.full(&session.tree.roots)).is_some();
        is_there.then(|| format!("{certificates_dir}/{}.crl", id.stem()))
    };
    // etcd reads its own at each connection.
    let lists: Vec<String> = [CaId::Cluster, CaId::FrontProxy].iter().filter_map(list).collect();
    let situation = Situation {
        step,
        authorities: &authorities,
        back_to,
        directory: session.is_exported().then_some(done.directory.as_str()),
        dir: &done.directory,
        nodes: &nodes,
        restarts: &restarts,
        kubelets: kubelets.unwrap_or(if embeds { Kubelets::Embed } else { Kubelets::Wait }),
        embeds,
        embedded: &embedded,
        server: server.as_deref(),
        certificates_dir,
        join_hashes: &hashes,
        lists: &lists,
        manifests: manifests.as_deref(),
    };
    done.steps = if authorities.is_empty() { Vec::new() } else { ToDo::all(instructions(&situation)) };
    if !done.dry_run && !done.steps.is_empty() {
        done.instructions = Some(record::instructions_path(&session.tree.roots, done.step)?);
    }
    Ok(())
}

/// The file beside the tree.
pub(super) fn file(done: &Done) -> Result<Option<FileChange>, Error> {
    if done.steps.is_empty() {
        return Ok(None);
    }
    let names: Vec<&str> = done.authorities.iter().map(|row| row.authority.name()).collect();
    let title = format!("After kpki rotate {} {}", done.step, names.join(" "));
    record::instructions_change(done.step, markdown(&title, &done.steps)).map(Some)
}

fn restarted(restart: &Restart) -> Option<Restarted> {
    let Restart { node, component, why, command, .. } = restart;
    Some(Restarted { node: node.clone(), component, why, command: command.clone()? })
}

const fn step(step: &Step) -> Option<plan::Step> {
    Some(match step {
        Step::Prepare(_) => plan::Step::Prepare,
        Step::Switch(_) => plan::Step::Switch,
        Step::Retire(_) => plan::Step::Retire,
        Step::Back(_) => plan::Step::Back,
        Step::Emergency(_) => plan::Step::Emergency,
        Step::Forget | Step::Record(_) => return None,
    })
}
