//! `kpki adopt` under every fault (`faults.rs`): the cluster directory is absent or complete, the nodes are as they were, and a plain
//! rerun completes it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::faults::{self, Fault, Tried, is_of_loader, killed};
use crate::support::{Ran, files, kpki, project, quick_scratch, run};
use crate::tree::{open_keys, rests};

const NOW: &str = "2026-11-20T22:00:00Z";
/// A difference is reported: the second API server lacks the first one's name.
const ADOPTED: i32 = 5;
const EXISTS: i32 = 1;

type Bytes = BTreeMap<PathBuf, Vec<u8>>;

struct Spot<'a> {
    root: PathBuf,
    /// The nodes as they were, and the directory as an undisturbed run makes it.
    nodes: &'a Path,
    reference: &'a Bytes,
}

fn bytes(dir: &Path) -> Bytes {
    let all = if dir.exists() { files(dir) } else { Vec::new() };
    all.into_iter().map(|path| (path.strip_prefix(dir).unwrap().to_path_buf(), fs::read(&path).unwrap())).collect()
}

fn command(nodes: &Path, dir: &Path) -> Command {
    let mut command = kpki();
    command.arg("adopt").args([nodes.join("cp1"), nodes.join("cp2")]).arg("--dir").arg(dir);
    command.args(["--at", NOW, "--lock-timeout", "2s"]);
    command
}

impl Spot<'_> {
    fn dir(&self) -> PathBuf {
        self.root.join("c")
    }

    /// Whether it is there; anything between is said.
    fn is_there(&self) -> Result<bool, String> {
        let found = bytes(&self.dir());
        match () {
            () if found.is_empty() => Ok(false),
            () if found == *self.reference => Ok(true),
            () => Err(format!("{} of {} files", found.len(), self.reference.len())),
        }
    }

    fn judge(&self, call: &str, ran: &Ran) -> Result<(), String> {
        let open = open_keys(&self.root);
        if !open.is_empty() {
            return Err(format!("keys that others can read: {open:?}"));
        }
        let is_there = self.is_there()?;
        let done = matches!(ran.code, Some(ADOPTED | 6));
        if done && !is_there {
            return Err(format!("exit {:?}, and nothing is there", ran.code));
        }
        if !done
            && !killed(ran)
            && !is_of_loader(ran)
            && (ran.code != Some(1) || !ran.err.contains("error: ") && call != "write")
        {
            return Err(format!("{:?} {}", ran.code, ran.err));
        }
        let again = run(&mut command(self.nodes, &self.dir()));
        let wanted = if is_there { EXISTS } else { ADOPTED };
        if again.code != Some(wanted) || !self.is_there()? {
            return Err(format!("once more: {:?} {}", again.code, again.err));
        }
        let left = rests(&self.root);
        if left.is_empty() { Ok(()) } else { Err(format!("left behind: {left:?}")) }
    }
}

impl faults::Spot for Spot<'_> {
    fn prepare(&self) {
        if self.root.exists() {
            fs::remove_dir_all(&self.root).unwrap();
        }
        fs::create_dir_all(&self.root).unwrap();
    }

    fn command(&self) -> Command {
        command(self.nodes, &self.dir())
    }

    fn log(&self) -> PathBuf {
        self.root.with_extension("log")
    }

    fn attempt(&self, fault: &Fault) -> (Ran, bool, Result<(), String>) {
        let (ran, hit) = faults::inject(&self.log(), fault, &self.command());
        let said = self.judge(fault.call, &ran);
        (ran, hit, said)
    }
}

#[test]
fn a_cluster_directory_is_absent_or_complete() {
    let area = quick_scratch();
    let nodes = area.path().join("nodes");
    for name in ["cp1", "cp2"] {
        let from = project(&format!("fixtures/kubeadm/v1.36-ha-ecdsa-{name}/etc-kubernetes"));
        fs::create_dir_all(nodes.join(name)).unwrap();
        run(crate::support::program("cp").arg("-a").arg(from.join(".")).arg(nodes.join(name))).expect_ok("cp -a");
    }
    let reference = area.path().join("reference");
    run(&mut command(&nodes, &reference)).expect_code(ADOPTED, "adopt");
    let (before, reference) = (bytes(&nodes), bytes(&reference));
    assert!(reference.len() > 60, "{}", reference.len());
    let complaints = faults::sweep("adopt", Tried::KillsAndErrors, 2, |worker| Spot {
        root: area.path().join(format!("box{worker}")),
        nodes: &nodes,
        reference: &reference,
    });
    faults::none(&complaints);
    assert!(bytes(&nodes) == before, "a node was changed");
}
