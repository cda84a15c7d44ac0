//! The passphrases of a run, all of them before the lock.

use std::collections::{BTreeMap, BTreeSet};

use zeroize::Zeroizing;

use super::held::Held;
use super::request::Request;
use crate::catalog::CaId;
use crate::error::Error;
use crate::keys::{self, KeyFault, Why};
use crate::workspace::Session;
use crate::workspace::key_places::stated_passphrase;

/// Of one key.
#[derive(Clone)]
pub struct Phrases {
    /// `None`: the key is plain.
    pub present: Option<Zeroizing<String>>,
    pub to_come: Zeroizing<String>,
}

pub type Given = BTreeMap<CaId, Phrases>;

/// Those that these keys need, from the profile, the command line or the terminal.
pub fn ask(request: &Request, session: &Session<'_>, needed: &[&Held]) -> Result<Given, Error> {
    let encrypted: BTreeSet<CaId> =
        needed.iter().filter(|held| held.is_encrypted()).map(|held| held.authority).collect();
    let new = match &request.to_come {
        None => None,
        Some(from) => Some(keys::stated(from, &request.keys).map_err(|why| unreadable(&why))?),
    };
    session.tree.ask_passphrases(&encrypted)?;
    let (mut given, mut asked) = (Given::new(), None);
    for held in needed {
        let stated = stated(request, session, held)?;
        let (present, to_come) = match (encrypted.contains(&held.authority), stated) {
            (true, None) => return Err(none(held)),
            (true, Some(present)) => (Some(present.clone()), new.clone().unwrap_or(present)),
            (false, stated) => match new.clone().or(stated).or_else(|| asked.clone()) {
                Some(known) => (None, known),
                None => {
                    let typed = typed(request, session, needed)?.ok_or_else(|| none(held))?;
                    asked = Some(typed.clone());
                    (None, typed)
                }
            },
        };
        if to_come.is_empty() {
            return Err(Error::new("the passphrase is empty").hint("give one: it is all that protects the keys"));
        }
        given.insert(held.authority, Phrases { present, to_come });
    }
    Ok(given)
}

/// The profile's or the command line's, which says it of keys, too, that no verb would open: plain ones elsewhere, and those that a
/// node reads.
fn stated(request: &Request, session: &Session<'_>, held: &Held) -> Result<Option<Zeroizing<String>>, Error> {
    let stated = session.tree.keys.passphrase(held.authority).map_err(|why| fault(&why))?;
    let given = |from| {
        keys::stated(from, &request.keys).map_err(|why| KeyFault {
            authority: held.authority,
            at: held.path.clone(),
            why,
        })
    };
    if stated.is_some() {
        return Ok(stated);
    }
    match &request.keys.passphrase {
        Some(from) => given(from).map(Some).map_err(|why| fault(&why)),
        None if held.is_encrypted() => once(request, held),
        None => Ok(None),
    }
}

/// Where only this verb opens the key.
fn once(request: &Request, held: &Held) -> Result<Option<Zeroizing<String>>, Error> {
    let Some(ask) = &request.keys.ask else { return Ok(None) };
    let prompt = format!("Passphrase of the key of {} ({}): ", held.authority.name(), held.path);
    ask(&prompt)
        .map_err(|why| fault(&KeyFault { authority: held.authority, at: held.path.clone(), why: Why::Terminal(why) }))
}

/// Twice, since nothing else shows a mistake. `None`: there is no terminal.
fn typed(request: &Request, session: &Session<'_>, needed: &[&Held]) -> Result<Option<Zeroizing<String>>, Error> {
    let Some(ask) = &request.keys.ask else { return Ok(None) };
    let asked = |prompt: &str| ask(prompt).map_err(|why| unreadable(&Why::Terminal(why)));
    let is_asked =
        |held: &&&Held| !held.is_encrypted() && stated_passphrase(session.profile(), held.authority).is_none();
    let plain = needed.iter().filter(is_asked).map(|held| held.authority.name());
    let names = plain.collect::<Vec<_>>().join(", ");
    let first = asked(&format!("New passphrase of the keys of {names}: "))?;
    if first.is_some() && first != asked("The same again: ")? {
        return Err(Error::new("the two passphrases differ: nothing was changed").hint("run the command again"));
    }
    Ok(first)
}

fn none(held: &Held) -> Error {
    let what = if held.is_encrypted() { "the key of" } else { "the key to be encrypted, of" };
    Error::usage(format!("there is no passphrase for {what} {}: nothing was changed", held.authority.name())).hint(
        "give it with --key-passphrase-file FILE or --key-passphrase-env VARIABLE, or run on a terminal to be asked",
    )
}

fn unreadable(why: &Why) -> Error {
    let error = Error::new("cannot read the new passphrase: nothing was changed").because(why);
    why.hint().into_iter().fold(error, Error::hint)
}

/// A key that does not open.
pub fn fault(fault: &KeyFault) -> Error {
    let error = Error::new(format!("{fault}: nothing was changed"));
    fault.why.hint().into_iter().fold(error, Error::hint)
}
