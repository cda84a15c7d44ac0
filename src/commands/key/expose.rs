//! The reverse: the tree's own file in plain. Copies that kpki keeps stay encrypted.

use super::held::{Held, look};
use super::make::open;
use super::phrases;
use super::refusals::refuse_places;
use super::request::Request;
use crate::error::Error;
use crate::report::key::{Action, Changed, Row};
use crate::workspace::key_journal::KeyLine;
use crate::workspace::{Absent, Session, Transaction, targets};
use zeroize::Zeroizing;

const COMMAND: &str = "key-expose";

/// Decrypts the keys of authorities.
pub fn run(request: &Request) -> Result<Changed, Error> {
    let trees = request.trees();
    let (target, mut warnings) = targets::one(&trees)?;
    let session = Session::open(&trees, &request.run, &target, Absent::Refused)?;
    if !request.run.dry_run {
        session.tree.recover(request.run.lock_wait)?;
    }
    let found = session.tree.or_interrupted(look(&session))?;
    refuse_places(request, &session, &found, |_| false)?;
    let named = named(request, &found);
    let encrypted: Vec<&Held> = named.iter().copied().filter(|held| held.is_encrypted()).collect();
    if encrypted.is_empty() || request.run.dry_run {
        warnings.extend(session.tree.left_by_interrupted()?);
        return Ok(report(request, &session, named.iter().map(|held| row(held)).collect(), warnings));
    }
    let given = phrases::ask(request, &session, &encrypted)?;
    let locked = session.lock()?;
    let found = look(&session)?;
    refuse_places(request, &session, &found, |_| false)?;
    let mut transaction = Transaction { forgets: true, ..Transaction::default() };
    let mut rows = Vec::new();
    for held in self::named(request, &found) {
        rows.push(row(held));
        let (Some(own), true) = (&held.own, held.is_encrypted()) else { continue };
        let present = given.get(&held.authority).and_then(|phrases| phrases.present.as_deref());
        let key = open(held, own, present.map(String::as_str), &session.target.origin)?;
        transaction.changes.push(own.change(Zeroizing::new(key.to_pem().as_bytes().to_vec())));
        transaction.journal.push(KeyLine::line(COMMAND, held.authority, held.key_id(), request.run.now));
    }
    if !transaction.journal.is_empty() {
        locked.commit(COMMAND, request.run.now, transaction)?;
    }
    Ok(report(request, &session, rows, warnings))
}

fn named<'h>(request: &Request, found: &'h [Held]) -> Vec<&'h Held> {
    found
        .iter()
        .filter(|held| request.is_named(held.authority) && held.own.is_some() && held.place.at().is_none())
        .collect()
}

fn row(held: &Held) -> Row {
    Row {
        authority: held.authority.name(),
        path: held.path.clone(),
        action: if held.is_encrypted() { Action::Decrypted } else { Action::Unchanged },
        copies: Vec::new(),
        destroyed: Vec::new(),
    }
}

fn report(request: &Request, session: &Session<'_>, keys: Vec<Row>, warnings: Vec<String>) -> Changed {
    let (directory, cluster) = session.names();
    let (left, notes) = (Vec::new(), Vec::new());
    Changed { directory, cluster, dry_run: request.run.dry_run, keys, left, notes, warnings }
}
