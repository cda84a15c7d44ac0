//! Looks, refuses, asks; under the lock looks again, encrypts every file of the keys, commits.

use super::copies::{left_on_nodes, unreachable};
use super::held::{Held, look};
use super::make::{Made, sealed};
use super::phrases;
use super::refusals::{refuse_places, refuse_readers, refuse_strays};
use super::request::Request;
use crate::error::Error;
use crate::report::key::{Action, Changed, Row};
use crate::workspace::key_journal::KeyLine;
use crate::workspace::key_places::{KeyPlace, stated_passphrase};
use crate::workspace::{Absent, Session, Transaction, targets};

const COMMAND: &str = "key-protect";

/// Encrypts the keys of authorities, or gives them another passphrase.
pub fn run(request: &Request) -> Result<Changed, Error> {
    let trees = request.trees();
    let (target, mut warnings) = targets::one(&trees)?;
    let session = Session::open(&trees, &request.run, &target, Absent::Refused)?;
    refuse_readers(&session)?;
    if !request.run.dry_run {
        session.tree.recover(request.run.lock_wait)?;
    }
    let found = session.tree.or_interrupted(look(&session))?;
    let named = named(request, &session, &found)?;
    let needed: Vec<&Held> = named.iter().copied().filter(|held| is_needed(request, held)).collect();
    if needed.is_empty() || request.run.dry_run {
        warnings.extend(session.tree.left_by_interrupted()?);
        let rows = named.iter().map(|held| planned(request, held)).collect();
        return report(request, &session, &named, rows, warnings);
    }
    let given = phrases::ask(request, &session, &needed)?;
    let locked = session.lock()?;
    let found = look(&session)?;
    let named = self::named(request, &session, &found)?;
    let mut transaction = Transaction { forgets: true, ..Transaction::default() };
    let (mut rows, mut left) = (Vec::new(), Vec::new());
    for held in &named {
        let Some(phrases) = given.get(&held.authority).filter(|_| is_needed(request, held)) else {
            if is_needed(request, held) {
                return Err(changed_meanwhile(held));
            }
            rows.push(planned(request, held));
            continue;
        };
        if held.is_encrypted() != phrases.present.is_some() {
            return Err(changed_meanwhile(held));
        }
        let made = sealed(held, phrases, &session.target.origin)?;
        rows.push(row(held, &made));
        if !made.changes.is_empty() || !made.erasures.is_empty() {
            transaction.journal.push(KeyLine::line(COMMAND, held.authority, held.key_id(), request.run.now));
        }
        if request.to_come.is_some() {
            warnings.extend(stated(&session, held));
        }
        left.extend(made.left);
        transaction.changes.extend(made.changes);
        transaction.erasures.extend(made.erasures);
    }
    if !transaction.journal.is_empty() {
        locked.commit(COMMAND, request.run.now, transaction)?;
    }
    let mut report = report(request, &session, &named, rows, warnings)?;
    report.left.extend(left);
    Ok(report)
}

/// Those that are meant, none of which is to be refused.
fn named<'h>(request: &Request, session: &Session<'_>, found: &'h [Held]) -> Result<Vec<&'h Held>, Error> {
    refuse_places(request, session, found, Held::is_left)?;
    let is_here = |held: &Held| matches!(held.place, KeyPlace::Plain | KeyPlace::Encrypted) || held.is_left();
    let named: Vec<&Held> = found.iter().filter(|held| request.is_named(held.authority) && is_here(held)).collect();
    refuse_strays(session, &named)?;
    Ok(named)
}

/// Something of it is plain, or gets another passphrase.
fn is_needed(request: &Request, held: &Held) -> bool {
    held.is_plain_somewhere() || (request.to_come.is_some() && held.place.at().is_none())
}

fn changed_meanwhile(held: &Held) -> Error {
    Error::new(format!(
        "the key of {} was changed by another run meanwhile: nothing was changed",
        held.authority.name()
    ))
    .hint("run the command again")
}

/// The profile names the passphrase that was.
fn stated(session: &Session<'_>, held: &Held) -> Option<String> {
    let stated = stated_passphrase(session.profile(), held.authority)?;
    let name = held.authority.name();
    Some(format!("the profile says {stated} for {name}: what is there has to be the new passphrase from now on"))
}

fn row(held: &Held, made: &Made) -> Row {
    let is_own = made.changes.iter().any(|change| change.path.as_str() == held.path);
    let action = match (is_own, held.is_encrypted()) {
        (true, false) => Action::Encrypted,
        (true, true) => Action::NewPassphrase,
        (false, _) if made.changes.is_empty() && made.erasures.is_empty() => Action::Unchanged,
        (false, _) => Action::CopiesEncrypted,
    };
    Row {
        authority: held.authority.name(),
        path: held.path.clone(),
        action,
        copies: made.copies.clone(),
        destroyed: made.destroyed.clone(),
    }
}

/// Before anything is opened.
fn planned(request: &Request, held: &Held) -> Row {
    let plain = held.copies.iter().filter(|copy| !copy.is_encrypted);
    let (kept, destroyed): (Vec<_>, Vec<_>) =
        plain.partition(|copy| (copy.is_alone() && copy.plain().is_some()) || !copy.is_kept());
    let is_plain = held.own.as_ref().is_some_and(|own| !own.is_encrypted);
    let action = match (&request.to_come, is_plain, kept.is_empty() && destroyed.is_empty()) {
        (_, true, _) => Action::Encrypted,
        (Some(_), false, _) if held.is_encrypted() => Action::NewPassphrase,
        (_, false, false) => Action::CopiesEncrypted,
        (_, false, true) => Action::Unchanged,
    };
    Row {
        authority: held.authority.name(),
        path: held.path.clone(),
        action,
        copies: kept.iter().map(|copy| copy.shown()).collect(),
        destroyed: destroyed.iter().map(|copy| copy.shown()).collect(),
    }
}

fn report(
    request: &Request,
    session: &Session<'_>,
    named: &[&Held],
    keys: Vec<Row>,
    warnings: Vec<String>,
) -> Result<Changed, Error> {
    let (directory, cluster) = session.names();
    let is_changed = keys.iter().any(|row| row.action != Action::Unchanged);
    Ok(Changed {
        directory,
        cluster,
        dry_run: request.run.dry_run,
        keys,
        left: left_on_nodes(session, named)?,
        notes: if is_changed { unreachable() } else { Vec::new() },
        warnings,
    })
}
