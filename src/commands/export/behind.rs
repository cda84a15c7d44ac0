//! Nothing goes back behind a node's last receipt.

use super::request::Request;
use crate::catalog::CaId;
use crate::error::Error;
use crate::files::{shell_path, shell_word};
use crate::inventory;
use crate::plan::shipping::{Behind, behind};
use crate::profile::Profile;
use crate::workspace::shipping::receipt::{HeldList, comparable};
use crate::workspace::shipping::{collect, nodes};
use crate::workspace::{TreeDir, journal};

/// Refuses to pack what is older than what the node has by its last receipt.
pub fn refuse_older(request: &Request, profile: &Profile, tree: &TreeDir) -> Result<(), Error> {
    if request.older || !inventory::is_cluster(&request.dir) {
        return Ok(());
    }
    let Some(receipt) = nodes::receipt(&tree.roots, &request.node)? else { return Ok(()) };
    let (entries, lists) = collect::of_cluster(&request.dir, profile, &request.node)?;
    let (ours, theirs) = comparable(&entries, &receipt);
    let pairs: Vec<_> = ours.iter().map(|one| (one, theirs.iter().find(|other| other.entry == one.entry))).collect();
    let issue =
        |lists: &[HeldList], id: CaId| lists.iter().find(|list| list.authority == id.name()).map(HeldList::issue);
    let issues = CaId::ALL.map(|id| (id, issue(&lists, id), issue(&receipt.lists, id)));
    let issues: Vec<_> = issues.iter().map(|(id, ours, theirs)| (*id, ours.as_ref(), theirs.as_ref())).collect();
    let here = journal::revision(&tree.roots)?;
    let there = receipt.issue.as_ref().map(|issue| issue.revision);
    let all = behind((here, there), &pairs, &issues);
    if all.is_empty() {
        return Ok(());
    }
    let (node, dir) = (&request.node, shell_path(&request.dir));
    let what = format!("cannot export {node}: by its receipt of {} it has something newer", receipt.time);
    let words = |one: &Behind| match one {
        Behind::Revision { there, here } => format!(
            "what it has was packed when the journal of this directory had {there} lines, and it has {here}: this is an older copy"
        ),
        Behind::Entry(entry) => format!("{entry}: there it was renewed later than here"),
        Behind::List(authority) => format!("{}.crl: the node has a later issue", authority.stem()),
    };
    let error = all.iter().map(words).fold(Error::new(what), Error::because);
    let newer = |one: &Behind| match one {
        Behind::Entry(entry) => Some(shell_word(&format!("{node}/{entry}")).to_string()),
        _ => None,
    };
    let newer: Vec<String> = all.iter().filter_map(newer).collect();
    let error = match newer.is_empty() {
        true => error,
        false => error.hint(format!(
            "renew here what is newer there, and export again: kpki renew {} --dir {dir}",
            newer.join(" ")
        )),
    };
    let options = format!("--older --out {}", shell_path(format!("{node}.tar.gz")));
    Err(error
        .hint(format!("see how all nodes stand: kpki nodes --dir {dir}"))
        .hint(format!("pack the older files: kpki export {} {options} --dir {dir}", shell_word(node))))
}
