//! Nothing goes back behind a node's last receipt.

use super::source::Source;
use crate::catalog::CaId;
use crate::error::Error;
use crate::files::{shell_path, shell_word};
use crate::inventory;
use crate::plan::item::What;
use crate::plan::shipping::{Behind, behind};
use crate::workspace::shipping::receipt::{HeldList, comparable};
use crate::workspace::shipping::{collect, nodes};

/// Refuses to pack what is older than what the node has by its last receipt.
pub fn refuse_older(source: &Source<'_>) -> Result<(), Error> {
    let (request, profile, tree) = (source.request, &source.profile, &source.tree);
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
    let all = behind(&pairs, &issues);
    if all.is_empty() {
        return Ok(());
    }
    let (node, dir) = (&request.node, shell_path(&request.dir));
    let what = format!("cannot export {node}: by its receipt of {} it has something newer", receipt.time);
    let words = |one: &Behind| match one {
        Behind::Entry(entry) => format!("{entry}: there it was renewed later than here"),
        Behind::List(authority) => format!("{}.crl: the node has a later issue", authority.stem()),
    };
    let error = all.iter().map(words).fold(Error::new(what), Error::because);
    let archive = shell_path(format!("{node}.tar.gz"));
    let older = format!("kpki export {} --older --out {archive} --dir {dir}", shell_word(node));
    // What a node can keep, and this directory can renew: an entry that is no authority.
    let newer: Vec<String> = all.iter().filter_map(|one| id_of(source, one)).collect();
    let error = match newer.is_empty() {
        true => error,
        false => {
            let origin = source.tree.origin();
            error.hint(format!("make what is newer than both: {}", origin.command("renew", &newer, &[])))
        }
    };
    let error = error
        .hint(format!("or pack the older files: {older}"))
        .hint(format!("and keep there what is newer: kpki unpack {archive} --keep-newer"));
    Err(error.hint(format!("see how all nodes stand: kpki nodes --dir {dir}")))
}

/// What of this directory goes there as the entry.
fn id_of(source: &Source<'_>, one: &Behind) -> Option<String> {
    let Behind::Entry(entry) = one else { return None };
    let item = source.items.iter().find(|item| item.id.name == *entry && source.goes(item))?;
    let made = match item.what {
        What::Copy { of } => source.items.get(of)?,
        _ => item,
    };
    Some(made.id.to_string())
}
