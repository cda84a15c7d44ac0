//! Nothing goes back behind a node's last receipt.

use super::source::Source;
use crate::catalog::CaId;
use crate::error::Error;
use crate::files::{shell_path, shell_word};
use crate::inventory;
use crate::plan::item::What;
use crate::plan::shipping::{Behind, behind};
use crate::tree::rotation::Phase;
use crate::workspace::journal::{self, Line};
use crate::workspace::rotation::record;
use crate::workspace::shipping::digest::Sha256;
use crate::workspace::shipping::receipt::{HeldList, comparable};
use crate::workspace::shipping::{collect, nodes};

/// The command of the certificates that a switch makes.
const SWITCH: &str = "rotate-switch";

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
    let mut all = behind(&pairs, &issues);
    if !all.is_empty() {
        let taken_back = taken_back(source)?;
        all.retain(|one| {
            let Behind::Entry(entry) = one else { return true };
            let there = theirs.iter().find(|other| other.entry == *entry).and_then(|other| other.certificates.first());
            there.is_none_or(|there| !taken_back.contains(there))
        });
    }
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

/// SHA-256 of what a switch made here that `rotate back` has taken back since: nothing is lost with it on a node.
fn taken_back(source: &Source<'_>) -> Result<Vec<[u8; 32]>, Error> {
    let roots = &source.tree.roots;
    let record = record::read(roots)?;
    let prepared: Vec<_> = record.rotations.iter().filter(|one| one.phase == Phase::Prepared).collect();
    if prepared.is_empty() {
        return Ok(Vec::new());
    }
    let digest = |text: &str| Sha256::parse(text).map(|Sha256(digest)| digest);
    let new = prepared.iter().flat_map(|one| &one.new).filter_map(|one| one.certificate.as_ref());
    let mut all: Vec<_> = new.filter_map(|one| digest(&one.fingerprint)).collect();
    for line in journal::read(roots)? {
        if let Line::Certificate(line) = line
            && line.command == SWITCH
        {
            all.extend(digest(&line.fingerprint));
        }
    }
    Ok(all)
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
