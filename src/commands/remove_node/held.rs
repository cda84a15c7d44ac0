//! The certificates of a node that can be revoked here.

use crate::catalog::CaId;
use crate::error::Error;
use crate::files::RelPath;
use crate::store::RootId;
use crate::tree::entry_path::entry_of_path;
use crate::tree::{Authority, leaf};
use crate::workspace::issued::{self, Issued};
use crate::workspace::{Session, Snapshot, crls, journal, survey};
use crate::x509::parse_pem_bundle;
use std::collections::BTreeSet;

/// What a node's files hold that can be revoked.
pub struct Held {
    pub name: String,
    pub authority: CaId,
    /// Its issuer's place in the authority's file.
    pub rank: usize,
    pub serial: Vec<u8>,
    /// Only the journal knows it.
    pub of_journal: bool,
}

impl Held {
    /// Which list it is for.
    pub const fn list(&self) -> (CaId, usize) {
        (self.authority, self.rank)
    }
}

/// Every certificate in the node's files, whatever entry it is of, and what the journal knows to be issued to it. Those of other
/// issuers are left out, and named.
pub fn held(
    session: &Session<'_>,
    snapshot: &Snapshot,
    files: &[(RootId, RelPath)],
    node: &str,
) -> Result<(Vec<Held>, Vec<String>), Error> {
    let (mut held, mut left): (Vec<Held>, Vec<String>) = (Vec::new(), Vec::new());
    for (root, path) in files.iter().filter(|(root, _)| *root == RootId::Main) {
        let Some(bytes) = survey::read(&session.tree.roots, *root, path)? else { continue };
        let bundle = parse_pem_bundle(&bytes).ok().or_else(|| leaf::embedded(&bytes));
        let Some(certificate) = bundle.and_then(|bundle| bundle.into_iter().next()).filter(|one| !one.is_ca) else {
            continue;
        };
        let name = entry_of_path(path.as_str()).map_or_else(|| path.to_string(), |id| id.to_string());
        let rank = |id: CaId| snapshot.bundle(id).iter().position(|by| certificate.issued_by(by).is_ok());
        match CaId::ALL.into_iter().find_map(|id| Some((id, rank(id)?))) {
            Some((authority, rank)) if snapshot.authorities.get(&authority).is_some_and(Authority::is_local) => {
                add(&mut held, Held { name, authority, rank, serial: certificate.serial, of_journal: false });
            }
            Some((authority, _)) => left.push(match snapshot.authorities.get(&authority) {
                Some(Authority::Closed(_, why)) => format!("{name}: {why}"),
                _ => format!("{name}: the key of its authority {} is not here", authority.name()),
            }),
            None => left.push(format!("{name}: its issuer is {}", certificate.issuer)),
        }
    }
    let (known, elsewhere) = issued::of_node(&journal::read(&session.tree.roots)?, node, snapshot, session.run.now);
    for Issued { name, authority, rank, serial } in known {
        add(&mut held, Held { name, authority, rank, serial, of_journal: true });
    }
    left.extend(elsewhere);
    // The authority before the one that signs has a list as long as its key is kept.
    let mut of_former = BTreeSet::new();
    for list in held.iter().map(Held::list).filter(|(_, rank)| *rank > 0).collect::<BTreeSet<_>>() {
        let issuer = snapshot.bundle(list.0).get(list.1);
        if !issuer.map(|by| crls::has_previous_key(&session.tree, list.0, by)).transpose()?.unwrap_or_default() {
            of_former.insert(list);
        }
    }
    let (lost, held): (Vec<Held>, Vec<Held>) = held.into_iter().partition(|one| of_former.contains(&one.list()));
    left.extend(
        lost.iter()
            .map(|one| format!("{}: the key of its issuer, a former {}, is not here", one.name, one.authority.name())),
    );
    Ok((held, left))
}

fn add(held: &mut Vec<Held>, new: Held) {
    if !held.iter().any(|one| one.list() == new.list() && one.serial == new.serial) {
        held.push(new);
    }
}
